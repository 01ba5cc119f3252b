"""Every request type, from the outside, on both stores and both loops: what is answered, told to hooks and stored."""

from __future__ import annotations

from typing import Any

from chatkit_asgi.store import Store
from chatkit_asgi.testing import ChatKitClient
from chatkit_asgi.types import SyncCustomActionResponse, ThreadItemReplacedEvent
from tests.http.served import Served, card, done, questions, rows, tool_call, yielding

STREAM = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
}


async def test_threads_create(server: Served, client: ChatKitClient, store: Store[Any]) -> None:
    turn = await client.create("Hi", quoted_text="q", tool="search", model="fast")
    assert turn.check().types == [
        "thread.created",
        "thread.item.done",
        "stream_options",
        "thread.item.added",
        *["thread.item.updated"] * 4,
        "thread.item.done",
    ]
    assert {name: turn.headers[name] for name in STREAM} == STREAM
    assert turn.events[0]["thread"] == {
        "id": turn.thread.id,
        "created_at": "2026-03-14T09:26:53Z",
        "status": {"type": "active"},
        "metadata": {},
        "items": {"data": [], "has_more": False},
    }
    [(_, thread, message, context)] = server.calls
    assert thread.id == turn.thread.id
    assert message.content[0].text == "Hi"
    assert (message.quoted_text, message.inference_options.model) == ("q", "fast")
    assert context.user_id is None
    assert turn.text == "Hello world"
    assert [item.type for item in await rows(store, turn.thread.id)] == [
        "user_message",
        "assistant_message",
    ]
    assert turn.thread.items == await rows(store, turn.thread.id)


async def test_threads_add_user_message(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    first = await client.create("Hi")
    turn = await client.send(
        first.thread.id, ["And ", {"type": "input_tag", "id": "1", "text": "@a"}]
    )
    assert turn.check().types[:2] == ["thread.item.done", "stream_options"]
    assert turn.events[0]["item"]["content"] == [
        {"type": "input_text", "text": "And "},
        {"type": "input_tag", "id": "1", "text": "@a", "data": {}, "interactive": False},
    ]
    assert len(await rows(store, turn.thread.id)) == 4
    assert turn.thread.items == await rows(store, turn.thread.id)


async def test_threads_add_client_tool_output(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    server.responding = yielding(done(tool_call, "tc_1"))
    first = await client.create("Hi")
    assert first.thread.pending_tool_call.id == "tc_1"
    server.responding = yielding("Thanks")
    turn = await client.tool_output(first.thread.id, {"x": None})
    assert turn.check().types[0] == "stream_options"
    assert turn.text == "Thanks"
    call = (await rows(store, turn.thread.id))[1]
    assert (call.status, call.output) == ("completed", {"x": None})
    assert server.calls[-1][2] is None


async def test_threads_add_structured_input(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    server.responding = yielding(done(questions, "msg_ask"))
    first = await client.create("Hi")
    server.responding = yielding("Thanks")
    turn = await client.structured_input(first.thread.id, "msg_ask", {"size": "S", "note": "n"})
    assert turn.check().types[:2] == ["stream_options", "thread.item.replaced"]
    item = (await rows(store, turn.thread.id))[1]
    assert item.status == "answered"
    assert [question.answer.values for question in item.inputs] == [["S"], [], ["n"]]
    assert turn.thread.item("msg_ask") == item
    assert server.calls[-1][2] is None


async def test_threads_retry_after_item(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    first = await client.create("Hi")
    await client.send(first.thread.id, "More")
    server.responding = yielding("Better")
    question = first.thread.items[0]
    turn = await client.retry(first.thread.id, question.id)
    assert turn.check().types[0] == "stream_options"
    assert turn.text == "Better"
    assert [item.type for item in await rows(store, first.thread.id)] == [
        "user_message",
        "assistant_message",
    ]
    assert turn.thread.items == await rows(store, turn.thread.id)
    assert server.calls[-1][2].id == question.id


async def test_threads_custom_action(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    server.responding = yielding(done(card))
    first = await client.create("Hi")
    server.acting = yielding(lambda thread: ThreadItemReplacedEvent(item=card(thread, text="Sent")))
    turn = await client.action(first.thread.id, "send", {"id": 7}, item_id="msg_card")
    assert turn.check().types == ["stream_options", "thread.item.replaced"]
    _, thread, action, sender, _ = server.calls[-1]
    assert (thread.id, action.type, action.payload, sender.id) == (
        first.thread.id, "send", {"id": 7}, "msg_card",
    )  # fmt: skip
    assert (await rows(store, first.thread.id))[1] == turn.thread.item("msg_card")


async def test_an_action_may_come_from_no_widget(server: Served, client: ChatKitClient) -> None:
    first = await client.create("Hi")
    for item_id in (None, ""):
        assert (await client.action(first.thread.id, "go", item_id=item_id)).ok
        assert server.calls[-1][3] is None


async def test_threads_get_by_id(server: Served, client: ChatKitClient) -> None:
    first = await client.create("Hi")
    for number in range(12):
        await client.send(first.thread.id, f"message {number}")
    shown = first.thread.items
    answer = (await client.get_thread(first.thread.id)).check()
    page = answer.json["items"]
    assert len(page["data"]) == 20
    assert client.threads[first.thread.id or ""].items == shown[-20:]
    assert (page["has_more"], page["after"]) == (True, shown[-20].id)
    older = await client.items(first.thread.id, after=page["after"], order="desc")
    assert older.ids == [item.id for item in reversed(shown[:-20])]
    assert not older.has_more


async def test_threads_list(server: Served, client: ChatKitClient) -> None:
    ids = [(await client.create("Hi")).thread.id for _ in range(3)]
    assert (await client.list_threads()).ids == ids[::-1]
    page = await client.list_threads(limit=2, order="asc")
    assert (page.ids, page.has_more, page.after) == (ids[:2], True, ids[1])
    page = await client.list_threads(limit=2, order="asc", after=page.after)
    assert (page.ids, page.has_more, page.after) == (ids[2:], False, None)
    assert page.data[0]["items"] == {"data": [], "has_more": False}
    assert page.data[0]["metadata"] == {}


async def test_items_list(server: Served, client: ChatKitClient) -> None:
    first = await client.create("Hi")
    await client.send(first.thread.id, "More")
    ids = [item.id for item in first.thread.items]
    assert (await client.items(first.thread.id)).ids == ids[::-1]
    page = await client.items(first.thread.id, limit=3, order="asc")
    assert (page.ids, page.after) == (ids[:3], ids[2])
    assert page.items == first.thread.items[:3]
    assert (await client.items(first.thread.id, limit=3, order="asc", after=ids[2])).ids == ids[3:]


async def test_items_feedback(server: Served, client: ChatKitClient, store: Store[Any]) -> None:
    first = await client.create("Hi")
    item = first.thread.items[-1]
    answer = await client.feedback(first.thread.id, [item.id], "negative")
    assert answer.check().json == {}
    assert await store.load_feedback(first.thread.id or "", context=None) == {item.id: "negative"}
    await client.feedback(first.thread.id, [item.id], "positive")
    assert await store.load_feedback(first.thread.id or "", context=None) == {item.id: "positive"}


async def test_attachments_create_and_send(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    answer = (await client.attachments_create("q3.pdf", 10, "application/pdf")).check()
    attachment_id = answer.json["id"]
    assert answer.json == {
        "type": "file",
        "id": attachment_id,
        "name": "q3.pdf",
        "mime_type": "application/pdf",
        "upload_descriptor": {
            "url": "https://blobs.test/up?sig=SECRET",
            "method": "PUT",
            "headers": {"x-key": "SECRET"},
        },
    }
    turn = (await client.create("See", attachments=[attachment_id, attachment_id])).check()
    assert turn.events[1]["item"]["attachments"] == [
        {
            "type": "file",
            "id": attachment_id,
            "name": "q3.pdf",
            "mime_type": "application/pdf",
            "thread_id": turn.thread.id,
        }
    ]
    assert (await store.load_attachment(attachment_id, None)).thread_id == turn.thread.id


async def test_attachments_delete(server: Served, client: ChatKitClient, store: Store[Any]) -> None:
    attachment_id = (await client.attachments_create("a", 1)).json["id"]
    assert (await client.attachments_delete(attachment_id)).check().json == {}
    assert server.bytes.deleted == [attachment_id]
    assert (await client.attachments_delete(attachment_id)).status == 404


async def test_threads_update(server: Served, client: ChatKitClient, store: Store[Any]) -> None:
    first = await client.create("Hi")
    answer = (await client.update(first.thread.id, "Title")).check()
    assert answer.json["title"] == "Title"
    assert answer.json["items"] == {"data": [], "has_more": False}
    assert (await store.load_thread(first.thread.id or "", context=None)).title == "Title"
    assert (await client.update(first.thread.id, "")).json["title"] == ""


async def test_threads_delete(server: Served, client: ChatKitClient, store: Store[Any]) -> None:
    attachment_id = (await client.attachments_create("a", 1)).json["id"]
    first = await client.create("Hi", attachments=[attachment_id])
    assert (await client.delete(first.thread.id)).check().json == {}
    assert server.bytes.deleted == [attachment_id]
    assert (await client.get_thread(first.thread.id)).status == 404
    assert (await client.delete(first.thread.id)).check().json == {}


async def test_input_transcribe(server: Served, client: ChatKitClient) -> None:
    answer = await client.transcribe(b"\0sound", "audio/ogg;codecs=opus")
    assert answer.check().json == {"text": "spoken"}
    _, audio, _ = server.calls[-1]
    assert (audio.data, audio.mime_type, audio.media_type) == (
        b"\0sound", "audio/ogg;codecs=opus", "audio/ogg",
    )  # fmt: skip


async def test_threads_sync_custom_action(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    server.responding = yielding(done(card))
    first = await client.create("Hi")

    def star(thread: Any, *_: Any) -> SyncCustomActionResponse:
        thread.title = "Starred"
        thread.metadata["stars"] = 1
        return SyncCustomActionResponse(updated_item=card(thread, text="Starred"))

    server.sync_acting = star
    answer = await client.sync_action(first.thread.id, "send", {"id": 7}, item_id="msg_card")
    answer.check()
    assert answer.json["updated_item"]["widget"]["children"][0]["value"] == "Starred"
    assert (await rows(store, first.thread.id))[1] == first.thread.item("msg_card")
    thread = await store.load_thread(first.thread.id or "", context=None)
    assert (thread.title, thread.metadata) == ("Starred", {"stars": 1})
    server.sync_acting = lambda *_: None
    assert (await client.sync_action(first.thread.id, "star")).check().json == {}
