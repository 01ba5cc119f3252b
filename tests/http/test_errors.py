"""Refusals: each mistake has its status, its code and, where it is about a field, its path; nothing is stored."""

from __future__ import annotations

import logging
from typing import Any

import anyio
import pytest

from chatkit_asgi import ChatKitApp, ChatKitServer, NotFoundError
from chatkit_asgi.store import Store
from chatkit_asgi.testing import ASGIBridge, ChatKitClient
from chatkit_asgi.types import ThreadItemDoneEvent
from tests.http.served import (
    Served,
    card,
    done,
    questions,
    rows,
    snapshot,
    talking,
    tool_call,
    yielding,
)

# -- what does not exist -------------------------------------------------------------------------------------------

MISSING_THREAD: list[tuple[str, dict[str, Any]]] = [
    ("threads.add_user_message", {"input": ChatKitClient.message("Hi")}),
    ("threads.add_client_tool_output", {"result": 1}),
    ("threads.add_structured_input", {"item_id": "x", "input": {}}),
    ("threads.retry_after_item", {"item_id": "x"}),
    ("threads.custom_action", {"action": {"type": "a"}}),
    ("threads.sync_custom_action", {"action": {"type": "a"}}),
    ("threads.get_by_id", {}),
    ("items.list", {}),
    ("items.feedback", {"item_ids": [], "kind": "positive"}),
    ("threads.update", {"title": "t"}),
]


@pytest.mark.parametrize(("kind", "params"), MISSING_THREAD)
async def test_an_unknown_thread_is_404(client: ChatKitClient, kind: str, params: Any) -> None:
    answer = await client.request(kind, {"thread_id": "thr_x", **params})
    assert (answer.status, answer.code) == (404, "not_found")


MISSING_ITEM: list[tuple[str, dict[str, Any]]] = [
    ("threads.add_structured_input", {"item_id": "x", "input": {}}),
    ("threads.retry_after_item", {"item_id": "x"}),
    ("threads.custom_action", {"item_id": "x", "action": {"type": "a"}}),
    ("threads.sync_custom_action", {"item_id": "x", "action": {"type": "a"}}),
    ("items.feedback", {"item_ids": ["x"], "kind": "positive"}),
    ("items.list", {"after": "x"}),
]


@pytest.mark.parametrize(("kind", "params"), MISSING_ITEM)
async def test_an_unknown_item_is_404(
    client: ChatKitClient, store: Store[Any], kind: str, params: Any
) -> None:
    first = await client.create("Hi")
    before = await snapshot(store)
    answer = await client.request(kind, {"thread_id": first.thread.id, **params})
    assert (answer.status, answer.code) == (404, "not_found")
    assert await snapshot(store) == before


async def test_an_unknown_cursor_of_threads_is_404(client: ChatKitClient) -> None:
    assert (await client.list_threads(after="thr_x")).status == 404


async def test_an_unknown_attachment_is_404_and_starts_no_thread(
    client: ChatKitClient, store: Store[Any]
) -> None:
    answer = await client.create("Hi", attachments=["atc_x"])
    assert (answer.status, answer.code) == (404, "not_found")
    assert answer.error["path"] == "$.params.input.attachments[0]"
    assert (await client.list_threads()).data == []


async def test_an_item_of_another_thread_is_unknown(server: Served, client: ChatKitClient) -> None:
    server.responding = yielding(done(card))
    await client.create("One")
    other = await client.create("Two")
    server.responding = yielding(done(card, "msg_other"))
    third = await client.create("Three")
    answer = await client.action(other.thread.id, "send", item_id="msg_other")
    assert answer.status == 404
    assert (await client.retry(other.thread.id, third.thread.items[0].id)).status == 404


# -- what is the wrong thing ---------------------------------------------------------------------------------------


async def test_only_a_widget_sends_actions(client: ChatKitClient) -> None:
    first = await client.create("Hi")
    item_id = first.thread.items[-1].id
    for answer in (
        await client.action(first.thread.id, "a", item_id=item_id),
        await client.sync_action(first.thread.id, "a", item_id=item_id),
    ):
        assert (answer.status, answer.code) == (400, "not_a_widget")
        assert answer.error["path"] == "$.params.item_id"


async def test_only_a_user_message_is_retried(client: ChatKitClient) -> None:
    first = await client.create("Hi")
    answer = await client.retry(first.thread.id, first.thread.items[-1].id)
    assert (answer.status, answer.code) == (400, "not_a_user_message")


async def test_only_a_structured_input_is_answered(client: ChatKitClient) -> None:
    first = await client.create("Hi")
    answer = await client.structured_input(first.thread.id, first.thread.items[-1].id)
    assert (answer.status, answer.code) == (400, "not_a_structured_input")


async def test_a_tool_output_needs_a_pending_call(client: ChatKitClient) -> None:
    first = await client.create("Hi")
    answer = await client.tool_output(first.thread.id, 1)
    assert (answer.status, answer.code) == (409, "no_pending_tool_call")


async def test_second_answers_are_409(server: Served, client: ChatKitClient) -> None:
    server.responding = yielding(done(questions), done(tool_call, "tc_1"))
    first = await client.create("Hi")
    server.responding = yielding("ok")
    assert (await client.structured_input(first.thread.id, "msg_ask", {"size": "S"})).ok
    answer = await client.structured_input(first.thread.id, "msg_ask", {"size": "L"})
    assert (answer.status, answer.code) == (409, "already_answered")
    assert (await client.tool_output(first.thread.id, 1)).ok
    assert (await client.tool_output(first.thread.id, 2)).status == 409


async def test_of_answers_that_come_at_once_one_is_taken(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    """Different bodies: equal ones would join the same turn."""
    server.responding = yielding(done(questions), done(tool_call, "tc_1"))
    first = await client.create("Hi")
    server.responding = yielding("ok")
    thread_id = first.thread.id
    for send in (
        lambda n: client.structured_input(thread_id, "msg_ask", {"note": str(n)}),
        lambda n: client.tool_output(thread_id, n),
    ):
        answers: list[Any] = []
        before = server.answers()

        async def one(n: int, send: Any = send, answers: list[Any] = answers) -> None:
            answers.append(await send(n))

        async with anyio.create_task_group() as tasks:
            for n in range(5):
                tasks.start_soon(one, n)
        assert sorted(answer.status for answer in answers) == [200, 409, 409, 409, 409]
        assert server.answers() == before + 1


# -- limits --------------------------------------------------------------------------------------------------------


async def test_named_limits_are_413(server: Served, store: Store[Any]) -> None:
    server.responding = yielding(done(questions))
    async with talking(server, max_attachments=2, max_values=2, max_value_length=5) as client:
        ids = [(await client.attachments_create("a", 1, "a/b")).json["id"] for _ in range(3)]
        assert (await client.create("a", attachments=[*ids[:2], ids[0]])).ok
        first = await client.create("a long text is fine")
        thread_id = first.thread.id
        before = await snapshot(store)
        refused = [
            (await client.create("a", attachments=ids), "max_attachments"),
            (await client.send(thread_id, "a", quoted_text="123456"), "max_value_length"),
            (await client.update(thread_id, "123456"), "max_value_length"),
            (await client.attachments_create("123456", 1, "a/b"), "max_value_length"),
            (
                await client.structured_input(thread_id, "msg_ask", {"note": "123456"}),
                "max_value_length",
            ),
            (
                await client.structured_input(thread_id, "msg_ask", {"note": ["1", "2", "3"]}),
                "max_values",
            ),
            (
                await client.structured_input(thread_id, "msg_ask", {n: "1" for n in "abc"}),
                "max_values",
            ),
            (await client.feedback(thread_id, ["x"] * 101), "max_page_size"),
        ]
        for answer, code in refused:
            assert (answer.status, answer.code) == (413, code)
            assert answer.error["path"].startswith("$.params.")
        assert await snapshot(store) == before


async def test_pages_are_capped(server: Served) -> None:
    async with talking(server, page_size=2, max_page_size=3) as client:
        first = await client.create("Hi")
        for n in range(4):
            await client.send(first.thread.id, str(n))
        for limit, length in ((9999, 3), (10**18, 3), (3, 3), (1, 1), (0, 2), (None, 2)):
            page = await client.items(first.thread.id, limit=limit)
            assert (len(page.data), page.has_more) == (length, True)
        for _ in range(4):
            await client.create("Hi")
        page = await client.list_threads(limit=9999)
        assert (len(page.data), page.has_more) == (3, True)
        answer = await client.items(first.thread.id, limit=-1)
        assert (answer.status, answer.error["path"]) == (400, "$.params.limit")


async def test_negative_sizes_are_400(client: ChatKitClient) -> None:
    answer = await client.attachments_create("a", -1)
    assert (answer.status, answer.error["path"]) == (400, "$.params.size")


# -- what the server does not have ---------------------------------------------------------------------------------


async def test_missing_hooks_are_501(store: Store[Any]) -> None:
    async with talking(ChatKitServer(store)) as client:  # type: ignore[abstract]
        thread = await client.create("Hi")
        assert (thread.status, thread.code) == (501, "not_implemented")
        for answer in (
            await client.transcribe(b"x"),
            await client.attachments_create("a", 1),
            await client.attachments_delete("a"),
        ):
            assert (answer.status, answer.code) == (501, "not_implemented")
        assert (await client.list_threads()).data == []


async def test_missing_action_hooks_are_501(store: Store[Any]) -> None:
    class Talker(ChatKitServer[Any]):
        async def respond(self, thread: Any, item: Any, context: Any) -> Any:
            yield "Hello"

    async with talking(Talker(store)) as client:
        first = await client.create("Hi")
        assert (await client.action(first.thread.id, "a")).status == 501
        assert (await client.sync_action(first.thread.id, "a")).status == 501


async def test_a_server_that_is_stopping_is_503(server: Served) -> None:
    app = ChatKitApp(server)
    async with ASGIBridge(app) as bridge:
        client = ChatKitClient(bridge)
        await client.create("Hi")
        await app.shutdown()
        answer = await client.create("Hi")
        assert (answer.status, answer.code) == (503, "shutting_down")
        assert answer.headers["retry-after"] == "1"
        assert (await client.list_threads()).ok, "what does not stream is still answered"
        await app.startup()
        assert (await client.create("Hi")).ok
        await app.shutdown()


async def test_what_goes_wrong_inside_is_500_and_tells_nothing(
    server: Served, client: ChatKitClient, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("password is SECRET")

    server.transcribe = broken  # type: ignore[method-assign]
    with caplog.at_level(logging.INFO):
        answer = await client.transcribe(b"x")
    assert (answer.status, answer.code) == (500, "internal_error")
    assert b"SECRET" not in answer.body
    [record] = [record for record in caplog.records if record.name == "chatkit_asgi"]
    assert record.exc_info is not None
    assert record.__dict__["chatkit_request_id"] == answer.request_id


async def test_a_hook_may_refuse(server: Served, client: ChatKitClient) -> None:
    async def refusing(*_: Any, **__: Any) -> Any:
        raise NotFoundError("No such language.", code="no_language")

    server.transcribe = refusing  # type: ignore[method-assign]
    answer = await client.transcribe(b"x")
    assert (answer.status, answer.code, answer.message) == (404, "no_language", "No such language.")


async def test_a_wrong_value_from_a_hook_is_the_servers_fault(
    server: Served, client: ChatKitClient
) -> None:
    async def wrong(*_: Any, **__: Any) -> Any:
        return 7

    server.transcribe = wrong  # type: ignore[method-assign]
    assert (await client.transcribe(b"x")).status == 500
    first = await client.create("Hi")
    server.sync_acting = lambda *_: 7
    assert (await client.sync_action(first.thread.id, "a")).status == 500


# -- errors inside streams -----------------------------------------------------------------------------------------


async def test_a_store_that_fails_while_it_checks_is_500(
    server: Served, client: ChatKitClient
) -> None:
    async def broken(*_: Any, **__: Any) -> Any:
        raise OSError("disk")

    first = await client.create("Hi")
    server.store.load_thread = broken  # type: ignore[method-assign]
    assert (await client.send(first.thread.id, "a")).status == 500


async def test_a_wrong_event_ends_the_stream_with_an_error(
    server: Served, client: ChatKitClient
) -> None:
    server.responding = yielding("Hello", object())
    turn = await client.create("Hi")
    assert turn.status == 200
    assert turn.complete
    assert turn.types[-1] == "error"
    assert turn.errors == [{"type": "error", "code": "stream.error", "allow_retry": True}]
    assert turn.text == "Hello"


async def test_items_of_other_threads_do_not_get_in(server: Served, store: Store[Any]) -> None:
    """What a handler yields is stored in the thread that it answers in, whatever its ``thread_id`` says."""
    async with talking(server) as client:
        first = await client.create("One")

        async def stray(thread: Any, *_: Any) -> Any:
            item = card(await store.load_thread(first.thread.id or "", context=None))
            yield ThreadItemDoneEvent(item=item)

        server.responding = stray
        second = await client.create("Two")
        assert len(await rows(store, first.thread.id)) == 2
        assert len(await rows(store, second.thread.id)) == 2
