"""Answers of the client: tool outputs, structured input (semantics.md 3.4, 3.5), and retries (3.6)."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from chatkit_asgi import StreamError
from chatkit_asgi.store import Store
from chatkit_asgi.testing import ChatKitClient
from chatkit_asgi.types import (
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    WidgetStreamingTextValueDelta,
)
from tests.http.served import (
    Held,
    Served,
    all_over,
    card,
    done,
    hidden,
    questions,
    rows,
    said,
    tool_call,
    yielding,
)

SKIPPED = {"values": [], "skipped": True}


def answered(*values: str) -> dict[str, Any]:
    return {"values": list(values), "skipped": False}


@pytest.mark.parametrize(
    ("submission", "status", "answers"),
    [
        ({"answers": {"size": {"values": ["S"]}}}, "answered", [answered("S"), SKIPPED, SKIPPED]),
        (
            {"answers": {"size": {"values": ["own"]}}},
            "answered",
            [answered("own"), SKIPPED, SKIPPED],
        ),
        (
            {"answers": {"size": {"values": ["S", "M"]}}},
            "answered",
            [answered("S"), SKIPPED, SKIPPED],
        ),
        (
            {"answers": {"sizes": {"values": ["S", "M"]}}},
            "answered",
            [SKIPPED, answered("S", "M"), SKIPPED],
        ),
        (
            {"answers": {"note": {"values": ["a", "b"]}}},
            "answered",
            [SKIPPED, SKIPPED, answered("a", "b")],
        ),
        ({"answers": {"size": {"values": ["S"], "skipped": True}}}, "answered", [SKIPPED] * 3),
        ({"answers": {"size": {"values": []}}}, "answered", [SKIPPED] * 3),
        ({"answers": {"other": {"values": ["x"]}}}, "answered", [SKIPPED] * 3),
        ({"answers": {}}, "answered", [SKIPPED] * 3),
        ({}, "answered", [SKIPPED] * 3),
        ({"status": "skipped", "answers": {"size": {"values": ["S"]}}}, "skipped", [SKIPPED] * 3),
    ],
)
@pytest.mark.parametrize("store", ["memory"], indirect=True)
async def test_how_answers_are_taken(
    server: Served,
    client: ChatKitClient,
    store: Store[Any],
    submission: Any,
    status: str,
    answers: Any,
) -> None:
    server.responding = yielding(done(questions))
    first = await client.create("Hi")
    server.responding = yielding("ok")
    params = {"thread_id": first.thread.id, "item_id": "msg_ask", "input": submission}
    turn = (await client.request("threads.add_structured_input", params)).check()
    stored = (await rows(store, first.thread.id))[1]
    assert stored.status == status
    assert [each.model_dump()["answer"] for each in stored.inputs] == answers
    assert turn.thread.item("msg_ask") == stored  # type: ignore[attr-defined]


async def test_equal_answers_at_once_are_one(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    server.responding = yielding(done(questions))
    first = await client.create("Hi")
    held = Held()
    server.responding = held
    before = server.answers()
    statuses: list[int] = []

    async def one() -> None:
        answer = await ChatKitClient(client.transport).structured_input(
            first.thread.id, "msg_ask", {"size": "S"}
        )
        statuses.append(answer.status)

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(one)
        await held.started.wait()
        held.go.set()
    assert statuses == [200] * 3
    assert server.answers() == before + 1


async def test_a_tool_call_is_found_wherever_it_stands(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    server.responding = yielding(done(tool_call, "tc_1"), done(card), hidden)
    first = await client.create("Hi")
    server.responding = yielding("ok")
    assert (await client.tool_output(first.thread.id, {"x": 1})).ok
    call = next(item for item in await rows(store, first.thread.id) if item.id == "tc_1")
    assert (call.status, call.output) == ("completed", {"x": 1})


async def test_the_newest_call_is_answered_and_the_others_are_passed_over(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    server.responding = yielding(*[done(tool_call, f"tc_{n}") for n in range(3)])
    first = await client.create("Hi")
    server.responding = yielding("ok")
    turn = (await client.tool_output(first.thread.id, "mine")).check()
    calls = (await rows(store, first.thread.id))[1:4]
    assert [call.status for call in calls] == ["completed"] * 3
    assert calls[2].output == "mine"
    assert "did not answer" in calls[0].output["error"]
    assert turn.types.count("thread.item.replaced") == 2
    assert turn.thread.pending_tool_call is None or turn.thread.pending_tool_call.id == "tc_2"


async def test_a_new_message_settles_pending_calls_and_tells_it(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    server.responding = yielding(done(tool_call, "tc_1"))
    first = await client.create("Hi")

    async def respond(thread: Any, *_: Any) -> Any:
        assert await store.load_pending_tool_calls(thread.id, context=None) == []
        yield "ok"

    server.responding = respond
    turn = (await client.send(first.thread.id, "Never mind")).check()
    assert turn.types[:3] == ["thread.item.replaced", "thread.item.done", "stream_options"]
    assert turn.thread.pending_tool_call is None
    assert (await client.tool_output(first.thread.id, 1)).status == 409


async def test_an_output_of_null_counts(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    server.responding = yielding(done(tool_call, "tc_1"))
    first = await client.create("Hi")
    server.responding = yielding("ok")
    assert (await client.tool_output(first.thread.id, None)).ok
    assert (await rows(store, first.thread.id))[1].status == "completed"
    params = {"thread_id": first.thread.id}
    answer = await client.request("threads.add_client_tool_output", params)
    assert (answer.status, answer.code) == (400, "invalid_request"), "but the key must be there"


# -- retries -------------------------------------------------------------------------------------------------------


class Broken:
    """Fails before it says anything."""

    async def __call__(self, *_: Any) -> Any:
        raise StreamError("stream.error")
        yield


async def test_a_retry_that_fails_before_it_says_anything_restores_the_old_answer(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    server.responding = yielding("Old", done(card), hidden)
    first = await client.create("Hi")
    before = await rows(store, first.thread.id)
    server.responding = Broken()
    turn = await client.retry(first.thread.id, before[0].id)
    assert turn.types == ["stream_options", "error"]
    assert await rows(store, first.thread.id) == before


async def test_a_retry_that_is_stopped_before_it_says_anything_restores_the_old_answer(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    first = await client.create("Hi")
    before = await rows(store, first.thread.id)

    async def respond(thread: Any, *_: Any) -> Any:
        yield ThreadItemAddedEvent(item=said(thread, "msg_empty"))
        await anyio.sleep_forever()

    server.responding = respond
    params = {"thread_id": first.thread.id, "item_id": before[0].id}
    async with client.stream("threads.retry_after_item", params) as turn:
        await turn.wait_for("stream_options")
    await all_over(server)
    kept = [
        item for item in await rows(store, first.thread.id) if item.type != "sdk_hidden_context"
    ]
    assert kept == before


async def test_a_retry_that_says_something_and_fails_replaces_the_old_answer(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    first = await client.create("Hi")

    async def respond(*_: Any) -> Any:
        yield "New"
        raise ValueError

    server.responding = respond
    turn = await client.retry(first.thread.id, first.thread.items[0].id)
    assert turn.errors
    _, answer = await rows(store, first.thread.id)
    assert answer.content[0].text == "New"
    assert turn.thread.items == await rows(store, first.thread.id)


@pytest.mark.parametrize("plainly", [False, True])
async def test_a_retry_that_only_changes_an_earlier_item_and_fails_restores_the_old_answer(
    server: Served, client: ChatKitClient, store: Store[Any], plainly: bool
) -> None:
    """The widget of an earlier turn shows what the handler does; that is no answer yet."""
    server.responding = yielding(done(card))
    thread_id = (await client.create("Hi")).thread.id
    server.responding = yielding("A precious answer")
    question = (await client.send(thread_id, "Why?")).thread.items[2]

    def change(thread: Any) -> Any:
        if plainly:
            return ThreadItemReplacedEvent(item=card(thread, text="Working"))
        update = WidgetStreamingTextValueDelta(component_id="t1", delta=" of work", done=False)
        return ThreadItemUpdatedEvent(item_id="msg_card", update=update)

    server.responding = yielding(change, object())
    assert (await client.retry(thread_id, question.id)).errors
    stored = await rows(store, thread_id)
    assert [item.type for item in stored] == [
        *("user_message", "widget"),
        *("user_message", "assistant_message"),
    ]
    assert stored[-1].content[0].text == "A precious answer"
    assert stored[1].widget.children[0].value == ("Working" if plainly else "Draft of work")
    server.responding = yielding(change, "Another answer")
    (await client.retry(thread_id, question.id)).check()
    stored = await rows(store, thread_id)
    assert len(stored) == 4
    assert stored[-1].content[0].text == "Another answer"


async def test_a_retry_that_replaces_an_item_of_the_old_answer_has_answered(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    """It is out of sight with the rest of the old answer, so its new form is the first item of the new one."""
    server.responding = yielding("Old", done(card))
    first = await client.create("Hi")
    server.responding = yielding(
        lambda thread: ThreadItemReplacedEvent(item=card(thread, text="New")), object()
    )
    assert (await client.retry(first.thread.id, first.thread.items[0].id)).errors
    stored = await rows(store, first.thread.id)
    assert [item.type for item in stored] == ["user_message", "widget"]
    assert stored[1].widget.children[0].value == "New"


async def test_a_retry_in_the_middle_takes_everything_after_it(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    first = await client.create("One")
    for text in ("Two", "Three"):
        await client.send(first.thread.id, text)
    second = first.thread.items[2]
    seen: list[Any] = []

    async def respond(thread: Any, message: Any, context: Any) -> Any:
        seen.extend(await rows(store, thread.id))
        yield "Better"

    server.responding = respond
    await client.retry(first.thread.id, second.id)
    assert [item.id for item in seen] == [item.id for item in first.thread.items[:3]]
    stored = await rows(store, first.thread.id)
    assert [item.type for item in stored] == ["user_message", "assistant_message"] * 2
    assert stored[-1].content[0].text == "Better"


async def test_a_retry_may_say_nothing(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    first = await client.create("Hi")
    server.responding = yielding()
    assert (await client.retry(first.thread.id, first.thread.items[0].id)).check().types == [
        "stream_options"
    ]
    assert len(await rows(store, first.thread.id)) == 1


async def test_the_old_answer_is_out_of_sight_while_the_new_one_comes(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    first = await client.create("Hi")
    held = Held()
    server.responding = held
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(client.retry, first.thread.id, first.thread.items[0].id)
        await held.started.wait()
        page = await client.items(first.thread.id)
        assert [item["type"] for item in page.data if item["type"] != "user_message"] in (
            [],
            ["assistant_message"],  # the new one, once a checkpoint has saved it
        )
        assert b"Hello world" not in page.body
        held.go.set()


@pytest.mark.parametrize("wrap", [True, False], ids=["as an event", "as an item"])
async def test_ids_that_a_model_reuses_do_not_overwrite(
    server: Served, client: ChatKitClient, store: Store[Any], wrap: bool
) -> None:
    """Local model servers send one placeholder id for every message."""

    async def respond(thread: Any, message: Any, *_: Any) -> Any:
        item = said(thread, "__fake_id__", f"answer to {message.content[0].text}")
        yield ThreadItemDoneEvent(item=item) if wrap else item

    server.responding = respond
    first = await client.create("one")
    await client.send(first.thread.id, "two")
    stored = await rows(store, first.thread.id)
    assert [item.content[0].text for item in stored] == [
        "one",
        "answer to one",
        "two",
        "answer to two",
    ]
    assert first.thread.items == stored
