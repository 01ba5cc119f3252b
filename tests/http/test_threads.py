"""Changes of a thread while an answer runs: told when a client can see them, saved field by field, never lost."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from chatkit_asgi.store import Store
from chatkit_asgi.testing import ChatKitClient
from chatkit_asgi.types import LockedStatus, ThreadCreatedEvent, ThreadUpdatedEvent
from tests.http.served import Held, Served, talking, yielding


async def test_what_a_handler_changes_is_told_and_saved(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    async def respond(thread: Any, *_: Any) -> Any:
        thread.title = "Title"
        yield "a"
        thread.status = LockedStatus(reason="Why")
        yield "b"
        thread.allowed_image_domains = ["cdn.test"]
        yield "c"
        thread.allowed_image_domains.append("img.test")
        thread.metadata["k"] = {"n": 1}

    server.responding = respond
    turn = (await client.create("Hi")).check()
    updates = [event["thread"] for event in turn.of_type("thread.updated")]
    assert [update.get("title") for update in updates] == ["Title"] * 4
    assert updates[-1]["status"] == {"type": "locked", "reason": "Why"}
    assert updates[-1]["allowed_image_domains"] == ["cdn.test", "img.test"]
    assert all(update["metadata"] == {} for update in updates)
    assert all(update["items"] == {"data": [], "has_more": False} for update in updates)
    stored = await store.load_thread(turn.thread.id or "", context=None)
    assert stored.title == "Title"
    assert stored.metadata == {"k": {"n": 1}}
    assert stored.allowed_image_domains == ["cdn.test", "img.test"]


async def test_a_change_before_an_exception_is_kept(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    async def respond(thread: Any, *_: Any) -> Any:
        yield "a"
        thread.title = "Title"
        raise ValueError

    server.responding = respond
    turn = await client.create("Hi")
    assert turn.types[-2:] == ["error", "thread.updated"]
    assert (await store.load_thread(turn.thread.id or "", context=None)).title == "Title"


async def test_a_rename_while_an_answer_runs_wins(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    first = await client.create("Hi")
    held = Held()

    async def respond(thread: Any, *_: Any) -> Any:
        async for text in held():
            yield text
        thread.title = "From the model"
        yield "!"
        thread.title = "Again from the model"
        yield "!"

    server.responding = respond
    turns: list[Any] = []
    async with anyio.create_task_group() as tasks:

        async def send() -> None:
            turns.append(await ChatKitClient(client.transport).send(first.thread.id, "More"))

        tasks.start_soon(send)
        await held.started.wait()
        assert (await client.update(first.thread.id, "From the person")).ok
        held.go.set()
    assert (await store.load_thread(first.thread.id or "", context=None)).title == "From the person"
    assert (await client.get_thread(first.thread.id)).json["title"] == "From the person"
    for event in turns[0].of_type("thread.updated"):
        assert event["thread"]["title"] == "From the person"


async def test_metadata_of_a_turn_and_of_an_action_beside_it_are_both_kept(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    first = await client.create("Hi")
    held = Held()

    async def respond(thread: Any, *_: Any) -> Any:
        thread.metadata["turn"] = 1
        async for text in held():
            yield text
        thread.metadata["end"] = 1

    def act(thread: Any, *_: Any) -> None:
        thread.metadata["action"] = 1

    server.responding, server.sync_acting = respond, act
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ChatKitClient(client.transport).send, first.thread.id, "More")
        await held.started.wait()
        assert (await client.sync_action(first.thread.id, "a")).ok
        held.go.set()
    stored = await store.load_thread(first.thread.id or "", context=None)
    assert stored.metadata == {"turn": 1, "action": 1, "end": 1}


@pytest.mark.parametrize("policy", ["queue", "interrupt"])
async def test_two_turns_see_and_keep_each_others_metadata(
    server: Served, store: Store[Any], policy: Any
) -> None:
    async with talking(server, on_conflict=policy) as client:
        first = await client.create("Hi")
        held = Held()

        async def respond(thread: Any, message: Any, *_: Any) -> Any:
            thread.metadata[message.content[0].text] = dict(thread.metadata)
            if message.content[0].text == "one":
                async for text in held():
                    yield text
            else:
                yield "second"

        server.responding = respond
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ChatKitClient(client.transport).send, first.thread.id, "one")
            await held.started.wait()
            tasks.start_soon(ChatKitClient(client.transport).send, first.thread.id, "two")
            with anyio.fail_after(10):
                while len(server.turns) < 2 and not held.ends:
                    await anyio.lowlevel.checkpoint()
            held.go.set()
        stored = await store.load_thread(first.thread.id or "", context=None)
        assert stored.metadata == {"one": {}, "two": {"one": {}}}


async def test_a_turn_may_replace_and_remove_metadata(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    async def first(thread: Any, *_: Any) -> Any:
        thread.metadata = {"a": 1, "b": {"c": [1]}}
        yield "x"

    async def second(thread: Any, *_: Any) -> Any:
        del thread.metadata["a"]
        thread.metadata["b"]["c"].append(2)
        yield "x"

    server.responding = first
    turn = await client.create("Hi")
    server.responding = second
    await client.send(turn.thread.id, "More")
    stored = await store.load_thread(turn.thread.id or "", context=None)
    assert stored.metadata == {"b": {"c": [1, 2]}}


async def test_events_about_the_thread_may_be_yielded(
    server: Served, client: ChatKitClient
) -> None:
    from chatkit_asgi.types import Page, Thread

    def shown(thread: Any, **more: Any) -> Thread:
        return Thread(id=thread.id, created_at=thread.created_at, items=Page(), **more)

    server.responding = yielding(
        lambda thread: ThreadUpdatedEvent(thread=shown(thread, title="Only told")),
        lambda thread: ThreadCreatedEvent(thread=shown(thread)),
    )
    turn = (await client.create("Hi")).check()
    assert turn.types[-2:] == ["thread.updated", "thread.created"]
    assert turn.events[-2]["thread"]["title"] == "Only told"


async def test_the_handler_gets_thread_metadata_without_items(
    server: Served, client: ChatKitClient
) -> None:
    first = await client.create("Hi")
    await client.send(first.thread.id, "More")
    for _, thread, *_rest in server.calls:
        assert type(thread).__name__ == "ThreadMetadata"
