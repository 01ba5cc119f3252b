"""What never leaves the server, by no path: hidden items, metadata of threads and attachments, upload descriptors.

Everything secret here contains ``SECRET`` or an id of ``f``s, and is looked for in all bytes of all answers.
"""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from chatkit_asgi.store import Store
from chatkit_asgi.testing import ChatKitClient
from chatkit_asgi.types import (
    HiddenContextItem,
    Page,
    SDKHiddenContextItem,
    SyncCustomActionResponse,
    Thread,
    ThreadCreatedEvent,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadUpdatedEvent,
    UserMessageItem,
)
from tests.http.served import Served, base, card, hidden, rows, yielding

F = "f" * 32


def secret_thread(thread: Any) -> Thread:
    """As careless code makes it: everything in it."""
    return Thread(
        id=thread.id,
        created_at=thread.created_at,
        title="Shown",
        metadata={"response_id": "SECRET"},
        items=Page(data=[hidden(thread), card(thread)]),
    )


def sdk_hidden(thread: Any) -> SDKHiddenContextItem:
    return SDKHiddenContextItem(**base(thread, "shcx_" + F), content="SECRET")


def silent(*answers: Any) -> None:
    for answer in answers:
        assert b"SECRET" not in answer.body
        assert F.encode() not in answer.body


@pytest.mark.parametrize(
    "event", [ThreadItemAddedEvent, ThreadItemDoneEvent, ThreadItemReplacedEvent]
)
@pytest.mark.parametrize("make", [hidden, sdk_hidden])
async def test_events_with_hidden_items_are_swallowed(
    server: Served, client: ChatKitClient, store: Store[Any], event: Any, make: Any
) -> None:
    server.responding = yielding(lambda thread: event(item=make(thread)), "Hello")
    turn = (await client.create("Hi")).check()
    silent(turn)
    assert turn.text == "Hello"
    stored = [item.type for item in await rows(store, turn.thread.id)]
    kind = make(turn.thread).type if event is not ThreadItemAddedEvent else None
    assert stored == ["user_message", *([kind] if kind else []), "assistant_message"]


async def test_the_id_of_a_hidden_item_is_not_told_when_it_is_removed(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    def removed(thread: Any) -> ThreadItemRemovedEvent:
        return ThreadItemRemovedEvent(item_id=hidden(thread).id)

    server.responding = yielding(hidden, removed, "Hello")
    turn = (await client.create("Hi")).check()
    silent(turn)
    assert [item.type for item in await rows(store, turn.thread.id)] == [
        "user_message",
        "assistant_message",
    ]


async def test_a_hidden_item_that_is_yielded_itself_is_swallowed(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    server.responding = yielding(hidden, "Hello")
    turn = (await client.create("Hi")).check()
    silent(turn)
    assert len(await rows(store, turn.thread.id)) == 3


@pytest.mark.parametrize("event", [ThreadCreatedEvent, ThreadUpdatedEvent])
async def test_threads_in_events_lose_what_is_private(
    server: Served, client: ChatKitClient, event: Any
) -> None:
    server.responding = yielding(lambda thread: event(thread=secret_thread(thread)))
    turn = (await client.create("Hi")).check()
    silent(turn)
    shown = next(each for each in turn.events if each.get("thread", {}).get("title") == "Shown")
    assert shown["type"] == event.__struct_config__.tag
    assert shown["thread"]["metadata"] == {}
    assert [item["type"] for item in shown["thread"]["items"]["data"]] == ["widget"]


async def test_metadata_that_a_handler_keeps_is_not_told(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    async def respond(thread: Any, *_: Any) -> Any:
        thread.metadata["response_id"] = "SECRET"
        yield "Hello"
        thread.title = "Title"
        yield "more"

    server.responding = respond
    turn = (await client.create("Hi")).check()
    thread_id = turn.thread.id
    assert turn.types.count("thread.updated") == 1, "not for what the client cannot see"
    silent(
        turn,
        await client.get_thread(thread_id),
        await client.list_threads(),
        await client.update(thread_id, "Other"),
    )
    stored = await store.load_thread(thread_id or "", context=None)
    assert stored.metadata == {"response_id": "SECRET"}


async def test_pages_skip_hidden_items_and_count_only_what_is_seen(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    """Their ids are no cursors either, and a page is short only at the end."""

    async def respond(thread: Any, *_: Any) -> Any:
        for n in range(6):
            yield HiddenContextItem(**base(thread, f"msg_{n}{F[1:]}"), content="SECRET")
            yield card(thread, f"msg_card{n}")
            yield HiddenContextItem(**base(thread, f"shcx_{n}{F[1:]}"), content="SECRET")

    server.responding = respond
    first = await client.create("Hi")
    thread_id = first.thread.id
    ids = [item.id for item in first.thread.items]
    assert len(ids) == 7
    for order, expected in (("asc", ids), ("desc", ids[::-1])):
        for limit in (1, 2, 3, 7, 8):
            seen: list[str] = []
            after = None
            while True:
                page = await client.items(thread_id, limit=limit, order=order, after=after)  # type: ignore[arg-type]
                silent(page)
                assert len(page.data) == limit or not page.has_more
                seen += page.ids
                after = page.after
                if after is None:
                    break
            assert seen == expected
    answer = await client.get_thread(thread_id)
    silent(answer)
    assert [item["id"] for item in answer.json["items"]["data"]] == ids


async def test_a_thread_of_hidden_items_only_is_empty(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    first = await client.create("Hi")
    for item in first.thread.items:
        await store.delete_thread_item(first.thread.id or "", item.id, context=None)
    await store.add_thread_item(first.thread.id or "", hidden(first.thread), context=None)
    for answer in (await client.get_thread(first.thread.id), await client.items(first.thread.id)):
        silent(answer)
    assert client.threads[first.thread.id or ""].items == []


async def test_a_synchronous_action_does_not_show_a_hidden_item(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    first = await client.create("Hi")
    server.sync_acting = lambda thread, *_: SyncCustomActionResponse(updated_item=hidden(thread))
    answer = (await client.sync_action(first.thread.id, "a")).check()
    assert answer.json == {}
    assert hidden(first.thread) in await rows(store, first.thread.id), "but it is stored"


async def test_attachments_lose_what_is_private_everywhere(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    created = (await client.attachments_create("a.pdf", 1)).check()
    assert "metadata" not in created.json
    assert created.json["upload_descriptor"]["headers"] == {"x-key": "SECRET"}, "the one place"
    attachment_id = created.json["id"]

    def again(thread: Any) -> ThreadItemReplacedEvent:
        message = server.calls[-1][2]
        assert message.attachments[0].metadata == {"bucket": "SECRET"}, "hooks see it"
        return ThreadItemReplacedEvent(item=message)

    server.responding = yielding(again)
    turn = (await client.create("See", attachments=[attachment_id])).check()
    thread_id = turn.thread.id
    stored = await store.load_attachment(attachment_id, None)
    assert stored.metadata == {"bucket": "SECRET"}

    def sync(thread: Any, *_: Any) -> SyncCustomActionResponse:
        item = UserMessageItem(
            **base(thread, "msg_u"),
            content=[],
            attachments=[stored],
            inference_options={},  # type: ignore[arg-type]
        )
        return SyncCustomActionResponse(updated_item=item)

    server.sync_acting = sync
    silent(
        turn,
        await client.get_thread(thread_id),
        await client.items(thread_id),
        (await client.sync_action(thread_id, "a")).check(),
        await client.retry(thread_id, turn.thread.items[0].id),
    )


async def test_a_viewer_that_comes_late_sees_nothing_private_either(
    server: Served, client: ChatKitClient
) -> None:
    told, go = anyio.Event(), anyio.Event()

    async def respond(thread: Any, *_: Any) -> Any:
        yield ThreadItemAddedEvent(item=hidden(thread))
        yield ThreadUpdatedEvent(thread=secret_thread(thread))
        yield "Hello"
        told.set()
        await go.wait()

    server.responding = respond
    key = {"idempotency-key": "k"}
    turns: list[Any] = []

    async def late() -> None:
        await told.wait()
        async with client.stream(
            "threads.create", {"input": client.message("Hi")}, headers=key
        ) as turn:
            await turn.wait_for("thread.item.added")
            go.set()
            turns.append(await turn.read())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(late)
        turns.append(await client.create("Hi", headers=key))
    silent(*turns)
    assert [turn.text for turn in turns] == ["Hello", "Hello"]


async def test_the_note_of_a_stop_is_hidden(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    async def respond(*_: Any) -> Any:
        yield "Hello"
        await anyio.sleep_forever()

    server.responding = respond
    async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
        await turn.wait_for("thread.item.updated")
    thread_id = turn.thread.id or ""
    with anyio.fail_after(10):
        while len(server.turns):
            await anyio.lowlevel.checkpoint()
    stored = await rows(store, thread_id)
    assert [item.type for item in stored] == [
        "user_message",
        "assistant_message",
        "sdk_hidden_context",
    ]
    page = await client.items(thread_id)
    assert [item["type"] for item in page.data] == ["assistant_message", "user_message"]
    assert stored[-1].id.encode() not in page.body
