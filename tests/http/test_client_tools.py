"""Client tool calls that get no answer: they expire with a stored outcome, and an answer that comes too late is refused
by what became of its call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import anyio
import pytest

from chatkit_asgi import Options
from chatkit_asgi.store import SQLiteStore, Store
from chatkit_asgi.testing import ChatKitClient
from chatkit_asgi.types import ClientToolCallItem
from tests.conftest import START
from tests.http.served import Served, done, rows, talking, tool_call, yielding

TIMEOUT = 60.0
EXPIRED = {"error": "The client did not answer this call in time."}


class Clock:
    """Stands still but for what tests add."""

    def __init__(self) -> None:
        self.now = START + timedelta(hours=1)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def call_at(now: Callable[[], datetime], name: str = "tc_1") -> Callable[[Any], Any]:
    """Makes a pending call of this time."""

    def make(thread: Any) -> ClientToolCallItem:
        return tool_call(thread, name).model_copy(update={"created_at": now()})

    return done(make)


@pytest.fixture
def clock() -> Any:
    return Clock()


@pytest.fixture
def options(clock: Any) -> Options:
    return Options(clock=clock, handle_signals=False, client_tool_timeout=TIMEOUT)


async def called(server: Served, client: ChatKitClient, clock: Clock) -> str:
    """A thread with a pending call that is made a second after the thread."""
    server.responding = yielding(lambda _: clock.pass_(1) or "Let me see.", call_at(clock))
    return str((await client.create("Hi")).thread.id)


async def the_call(store: Store[Any], thread_id: str) -> Any:
    return next(item for item in await rows(store, thread_id) if item.id == "tc_1")


async def opened(client: ChatKitClient, thread_id: str) -> Any:
    """The newest item of a thread as a page gets it."""
    return (await client.get_thread(thread_id)).check().json["items"]["data"][-1]


async def test_an_answer_in_time_is_taken(
    server: Served, client: ChatKitClient, store: Store[Any], clock: Clock
) -> None:
    thread_id = await called(server, client, clock)
    server.responding = yielding("Thanks.")
    clock.pass_(TIMEOUT)
    assert (await client.tool_output(thread_id, {"x": 1})).check().text == "Thanks."
    assert (await the_call(store, thread_id)).output == {"x": 1}


async def test_an_answer_after_its_time_is_refused_and_the_outcome_is_stored(
    server: Served, client: ChatKitClient, store: Store[Any], clock: Clock
) -> None:
    thread_id = await called(server, client, clock)
    clock.pass_(TIMEOUT + 1)
    before = server.answers()
    for _ in range(2):
        answer = await client.tool_output(thread_id, {"x": 1})
        assert (answer.status, answer.code) == (409, "tool_call_expired")
    stored = await the_call(store, thread_id)
    assert (stored.status, stored.output) == ("completed", EXPIRED)
    assert server.answers() == before


async def test_the_thread_stays_usable_and_the_next_message_tells_what_became_of_the_call(
    server: Served, client: ChatKitClient, store: Store[Any], clock: Clock
) -> None:
    thread_id = await called(server, client, clock)
    clock.pass_(TIMEOUT + 1)

    async def respond(thread: Any, *_: Any) -> Any:
        stored = await the_call(store, thread.id)
        yield f"It was {stored.output['error']}"

    server.responding = respond
    turn = (await client.send(thread_id, "Still there?")).check()
    assert turn.types[0] == "thread.item.replaced"
    assert turn.events[0]["item"]["output"] == EXPIRED
    assert turn.text.endswith("in time.")
    answer = await client.tool_output(thread_id, 1)
    assert (answer.status, answer.code) == (409, "tool_call_expired")


async def test_a_thread_that_is_opened_shows_what_became_of_the_call(
    server: Served, client: ChatKitClient, store: Store[Any], clock: Clock
) -> None:
    thread_id = await called(server, client, clock)
    assert (await opened(client, thread_id))["status"] == "pending"
    clock.pass_(TIMEOUT + 1)
    item = await opened(client, thread_id)
    assert (item["status"], item["output"]) == ("completed", EXPIRED)
    assert (await the_call(store, thread_id)).status == "completed"


async def test_a_call_expires_in_a_process_that_never_saw_it(
    options: Options, clock: Clock, tmp_path: Any
) -> None:
    path = tmp_path / "chat.db"
    first = Served(SQLiteStore(path), options)
    async with talking(first) as client:
        thread_id = await called(first, client, clock)
    clock.pass_(TIMEOUT + 1)
    store: Store[Any] = SQLiteStore(path)
    async with talking(Served(store, options)) as client:
        answer = await client.tool_output(thread_id, 1)
        assert (answer.status, answer.code) == (409, "tool_call_expired")
        assert (await the_call(store, thread_id)).output == EXPIRED
    await store.close()


async def test_a_call_whose_time_is_a_placeholder_does_not_expire(
    server: Served, client: ChatKitClient, clock: Clock
) -> None:
    def make(thread: Any) -> Any:
        return tool_call(thread, "tc_1").model_copy(update={"created_at": thread.created_at})

    server.responding = yielding(done(make))
    thread_id = (await client.create("Hi")).thread.id
    server.responding = yielding("ok")
    clock.pass_(TIMEOUT * 1000)
    assert (await client.tool_output(thread_id, 1)).ok


async def test_without_a_limit_calls_wait_for_ever(
    server: Served, store: Store[Any], clock: Clock
) -> None:
    async with talking(server, client_tool_timeout=None) as client:
        thread_id = await called(server, client, clock)
        server.responding = yielding("ok")
        clock.pass_(1e9)
        assert (await client.tool_output(thread_id, 1)).ok


async def test_what_expired_stays_behind_when_another_call_is_answered(
    server: Served, client: ChatKitClient, store: Store[Any], clock: Clock
) -> None:
    thread_id = await called(server, client, clock)
    clock.pass_(TIMEOUT + 1)
    server.acting = yielding(call_at(clock, "tc_2"))
    (await client.action(thread_id, "ask again")).check()
    server.responding = yielding("ok")
    (await client.tool_output(thread_id, "second")).check()
    calls = [item for item in await rows(store, thread_id) if item.type == "client_tool_call"]
    assert [call.output for call in calls] == [EXPIRED, "second"]


async def test_each_way_that_a_call_can_end_has_its_own_code(
    server: Served, client: ChatKitClient, clock: Clock
) -> None:
    thread_id = str((await client.create("Hi")).thread.id)
    assert (await client.tool_output(thread_id, 1)).code == "no_pending_tool_call"
    answered = await called(server, client, clock)
    server.responding = yielding("ok")
    assert (await client.tool_output(answered, 1)).ok
    again = await client.tool_output(answered, 2)
    assert (again.status, again.code) == (409, "already_answered")
    passed = await called(server, client, clock)
    server.responding = yielding("ok")
    assert (await client.send(passed, "Never mind")).ok
    late = await client.tool_output(passed, 1)
    assert (late.status, late.code) == (409, "tool_call_passed_over")


async def test_different_answers_at_once_are_one_answer(
    server: Served, client: ChatKitClient, store: Store[Any], clock: Clock
) -> None:
    thread_id = await called(server, client, clock)
    before = server.answers()
    server.responding = yielding("ok")
    answers: list[Any] = []

    async def answer(value: int) -> None:
        answers.append((value, await ChatKitClient(client.transport).tool_output(thread_id, value)))

    async with anyio.create_task_group() as tasks:
        for value in range(4):
            tasks.start_soon(answer, value)
    [winner] = [value for value, each in answers if each.status == 200]
    assert sorted(each.status for _, each in answers) == [200, 409, 409, 409]
    assert {each.code for _, each in answers if each.status == 409} == {"already_answered"}
    assert (await the_call(store, thread_id)).output == winner
    assert server.answers() == before + 1
