"""Policies: a second turn on one thread, limits on turns, leaving, deadlines, locked threads, deleted ones."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from chatkit_asgi import ChatKitServer
from chatkit_asgi.store import MemoryStore, Store
from chatkit_asgi.testing import ChatKitClient, Turn
from chatkit_asgi.types import ClosedStatus, LockedStatus
from tests.http.served import (
    Held,
    Served,
    all_over,
    card,
    done,
    questions,
    rows,
    snapshot,
    talking,
    tool_call,
    yielding,
)


class Two:
    """The first answer is held, the second is not."""

    def __init__(self, server: Served) -> None:
        self.held = Held()
        self.count = 0
        server.responding = self

    async def __call__(self, *args: Any) -> Any:
        self.count += 1
        if self.count == 1:
            async for text in self.held():
                yield text
        else:
            yield "Second"


async def second_while_first_runs(
    server: Served, client: ChatKitClient, release_first: bool
) -> tuple[Turn, Turn]:
    first = await client.create("Hi")
    two = Two(server)
    turns: dict[str, Turn] = {}

    async def send(name: str) -> None:
        turns[name] = await ChatKitClient(client.transport).send(first.thread.id, name)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(send, "one")
        await two.held.started.wait()
        if release_first:
            async with anyio.create_task_group() as later:
                later.start_soon(send, "two")
                await _waiting(server, 2)
                assert two.count == 1, "the second waits for the first"
                two.held.go.set()
        else:
            await send("two")
            two.held.go.set()
    return turns["one"], turns["two"]


async def _waiting(server: Served, count: int) -> None:
    with anyio.fail_after(10):
        while len(server.turns) < count:
            await anyio.lowlevel.checkpoint()


async def test_a_second_turn_waits_for_the_first(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    one, two = await second_while_first_runs(server, client, release_first=True)
    assert (one.check().text, two.check().text) == ("Hello world", "Second")
    stored = await rows(store, one.thread.id)
    assert [item.content[0].text for item in stored[2:]] == ["one", "Hello world", "two", "Second"]


async def test_or_is_refused(server: Served, store: Store[Any]) -> None:
    async with talking(server, on_conflict="reject") as client:
        one, two = await second_while_first_runs(server, client, release_first=False)
    assert (two.status, two.code) == (409, "turn_running")
    assert one.check().text == "Hello world"
    assert len(await rows(store, one.thread.id)) == 4


@pytest.mark.parametrize("make", [tool_call, questions])
async def test_an_answer_that_is_refused_is_not_taken(
    server: Served, store: Store[Any], make: Any
) -> None:
    """It can be sent again when the turn that ran is over."""
    async with talking(server, on_conflict="reject") as client:
        server.responding = yielding(done(make, "msg_it"))
        thread_id = (await client.create("Hi")).thread.id

        async def answer() -> Turn:
            if make is tool_call:
                return await client.tool_output(thread_id, {"x": 1})
            return await client.structured_input(thread_id, "msg_it", {"size": "S"})

        held = Held()
        server.acting = held
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ChatKitClient(client.transport).action, thread_id, "x")
            await held.started.wait()
            refused = await answer()
            assert (refused.status, refused.code) == (409, "turn_running")
            held.go.set()
        await all_over(server)
        server.responding = yielding("ok")
        assert (await answer()).check().text == "ok"


async def test_an_answer_whose_thread_could_not_be_read_again_is_given_back(
    server: Served, store: Store[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waited for another turn, and the store failed when its own turn came."""
    async with talking(server) as client:
        server.responding = yielding(done(tool_call, "msg_it"))
        thread_id = (await client.create("Hi")).thread.id
        held = Held()
        server.acting = held
        server.responding = yielding("ok")
        turns: list[Turn] = []

        async def load_thread(*_: Any, **__: Any) -> Any:
            monkeypatch.undo()
            raise OSError("once")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ChatKitClient(client.transport).action, thread_id, "x")
            await held.started.wait()
            other = ChatKitClient(client.transport)
            params = {"thread_id": thread_id, "result": 1}
            async with other.stream("threads.add_client_tool_output", params) as turn:
                monkeypatch.setattr(store, "load_thread", load_thread)
                held.go.set()
                turns.append(await turn.read())
        assert turns[0].types == ["error"]
        stored: Any = await store.load_item(thread_id, "msg_it", context=None)
        assert stored.status == "pending"
        assert (await client.tool_output(thread_id, 1)).check().text == "ok"


@pytest.mark.parametrize("make", [tool_call, questions])
async def test_an_answer_that_never_began_is_given_back(
    server: Served, store: Store[Any], make: Any
) -> None:
    """Its client leaves while it waits for another turn: then it can be sent again."""
    async with talking(server) as client:
        server.responding = yielding(done(make, "msg_it"))
        thread_id = (await client.create("Hi")).thread.id
        request: tuple[str, dict[str, Any]] = (
            ("threads.add_client_tool_output", {"thread_id": thread_id, "result": 1})
            if make is tool_call
            else (
                "threads.add_structured_input",
                {
                    "thread_id": thread_id,
                    "item_id": "msg_it",
                    "input": {"answers": {"size": {"values": ["S"]}}},
                },
            )
        )
        held = Held()
        server.acting = held
        server.responding = yielding("ok")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ChatKitClient(client.transport).action, thread_id, "x")
            await held.started.wait()
            async with client.stream(*request) as turn:  # accepted; leaves without reading
                assert turn.status == 200
            held.go.set()
        await all_over(server)
        stored: Any = await store.load_item(thread_id, "msg_it", context=None)
        assert stored.status == "pending"
        async with client.stream(*request) as turn:
            assert (await turn.read()).check().text == "ok"


@pytest.mark.parametrize("make", [tool_call, questions])
async def test_what_a_retry_has_discarded_is_not_given_back(
    server: Served, store: Store[Any], make: Any
) -> None:
    """An answer waits behind a retry, which discards what it answers, and its client leaves."""
    async with talking(server) as client:
        server.responding = yielding(done(make, "msg_it"))
        first = await client.create("Hi")
        here = {"thread_id": first.thread.id}
        requests: list[tuple[str, dict[str, Any]]] = [
            ("threads.retry_after_item", {**here, "item_id": first.thread.items[0].id}),
            ("threads.add_client_tool_output", {**here, "result": 1}),
        ]
        if make is questions:
            answers = {"answers": {"size": {"values": ["S"]}}}
            requests[1] = (
                "threads.add_structured_input",
                {**here, "item_id": "msg_it", "input": answers},
            )
        server.acting, server.responding = held, again = Held(), Held()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ChatKitClient(client.transport).action, first.thread.id, "x")
            await held.started.wait()
            retry, answer = (ChatKitClient(client.transport) for _ in range(2))
            async with retry.stream(*requests[0]) as turn:
                async with answer.stream(*requests[1]) as waiting:
                    assert waiting.status == 200
                    held.go.set()
                    await again.started.wait()
                await anyio.wait_all_tasks_blocked()
                again.go.set()
                await turn.read()
        await all_over(server)
        stored = await rows(store, first.thread.id)
        assert [item.type for item in stored] == ["user_message", "assistant_message"]


async def test_or_interrupts(server: Served, store: Store[Any]) -> None:
    async with talking(server, on_conflict="interrupt") as client:
        one, two = await second_while_first_runs(server, client, release_first=False)
    assert two.check().text == "Second"
    assert one.text == "Hello "
    stored = await rows(store, one.thread.id)
    assert [item.type for item in stored[2:]] == [
        "user_message",
        "assistant_message",
        "sdk_hidden_context",
        "user_message",
        "assistant_message",
    ]


async def test_what_waits_can_be_taken_back(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    """A message whose turn had not begun when its sender left was never said."""
    first = await client.create("Hi")
    two = Two(server)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ChatKitClient(client.transport).send, first.thread.id, "one")
        await two.held.started.wait()
        params = {"thread_id": first.thread.id, "input": client.message("two")}
        async with anyio.create_task_group() as leaving:

            async def leave() -> None:
                async with ChatKitClient(client.transport).stream(
                    "threads.add_user_message", params
                ):
                    pass

            leaving.start_soon(leave)
        two.held.go.set()
    await all_over(server)
    assert two.count == 1
    assert len(await rows(store, first.thread.id)) == 4


async def test_turns_are_limited(server: Served) -> None:
    held = Held()
    server.responding = held
    async with talking(server, max_turns=1) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(client.create, "Hi")
        await held.started.wait()
        answer = await client.create("Hi")
        assert (answer.status, answer.code) == (429, "max_turns")
        assert int(answer.headers["retry-after"]) > 0
        assert (await client.list_threads()).ok
        held.go.set()
        await all_over(server)
        assert (await client.create("Hi")).ok


async def test_turns_are_limited_for_each_owner() -> None:
    held = Held()
    server = Served(MemoryStore(owner=lambda context: context))
    server.responding = held
    async with (
        talking(
            server,
            context=lambda request: request.headers["x-user"],
            max_turns_per_owner=1,
            handle_signals=False,
        ) as client,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(lambda: client.create("Hi", headers={"x-user": "a"}))
        await held.started.wait()
        answer = await client.create("Hi", headers={"x-user": "a"})
        assert (answer.status, answer.code) == (429, "max_turns_per_owner")
        server.responding = yielding("Hello")
        assert (await client.create("Hi", headers={"x-user": "b"})).ok
        held.go.set()
    assert len(server.turns) == 0


async def test_leaving_stops_the_turn(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    held = Held()
    server.responding = held
    async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
        await turn.wait_for(lambda event: "delta" in event.get("update", {}))
    await all_over(server)
    assert held.ends in (["cancelled"], ["closed"])
    _user, assistant, note = await rows(store, turn.thread.id)
    assert assistant.content[0].text == "Hello "
    assert note.type == "sdk_hidden_context"


async def test_or_lets_it_finish(server: Served, store: Store[Any]) -> None:
    held = Held()
    server.responding = held
    async with talking(server, on_disconnect="finish") as client:
        async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
            await turn.wait_for("thread.item.updated")
        held.go.set()
        await all_over(server)
    assert held.ends == ["finished"]
    _, assistant = await rows(store, turn.thread.id)
    assert assistant.content[0].text == "Hello world"


async def test_leaving_before_anything_was_said_leaves_no_empty_message(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    async def respond(*_: Any) -> Any:
        await anyio.sleep_forever()
        yield ""

    server.responding = respond
    async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
        await turn.wait_for("stream_options")
    await all_over(server)
    assert [item.type for item in await rows(store, turn.thread.id)] == [
        "user_message",
        "sdk_hidden_context",
    ]


async def test_a_turn_has_a_deadline(server: Served, store: Store[Any]) -> None:
    server.responding = Held()
    async with talking(server, turn_timeout=0.05) as client:
        turn = await client.create("Hi")
    assert turn.complete
    assert turn.types[-2:] == ["thread.item.done", "error"]
    assert turn.text == "Hello "
    assert (await rows(store, turn.thread.id))[1].content[0].text == "Hello "


class Waiting(ChatKitServer[Any]):
    """Its ``respond`` is a coroutine that waits for a model before it returns the events."""

    def __init__(self, store: Store[Any]) -> None:
        super().__init__(store)
        self.waits = anyio.Event()

    async def respond(self, *_: Any) -> Any:  # type: ignore[override]
        self.waits.set()
        await anyio.sleep_forever()


async def test_the_deadline_counts_what_comes_before_the_first_event(store: Store[Any]) -> None:
    async with talking(Waiting(store), turn_timeout=0.05, handle_signals=False) as client:
        turn = await client.create("Hi")
    assert turn.complete
    assert turn.types[-1] == "error"


async def test_a_stop_before_the_first_event_leaves_the_note_too(store: Store[Any]) -> None:
    server = Waiting(store)
    async with talking(server, handle_signals=False) as client:
        async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
            await turn.wait_for("stream_options")
            await server.waits.wait()
        await server.turns.shutdown()
    assert [item.type for item in await rows(store, turn.thread.id)] == [
        "user_message",
        "sdk_hidden_context",
    ]


async def test_stopping_the_server_ends_streams_with_an_error(
    server: Served, store: Store[Any]
) -> None:
    server.responding = Held()
    turns: list[Turn] = []
    async with talking(server) as client, anyio.create_task_group() as tasks:

        async def create() -> None:
            turns.append(await client.create("Hi"))

        tasks.start_soon(create)
        await server.responding.started.wait()
        await server.turns.shutdown()
    [turn] = turns
    assert turn.complete
    assert turn.types[-1] == "error"
    assert (await rows(store, turn.thread.id))[1].content[0].text == "Hello "
    server.turns.resume()


async def test_deleting_a_thread_stops_its_turn(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    held = Held()
    first = await client.create("Hi")
    server.responding = held
    turns: list[Turn] = []
    async with anyio.create_task_group() as tasks:

        async def send() -> None:
            turns.append(await ChatKitClient(client.transport).send(first.thread.id, "More"))

        tasks.start_soon(send)
        await held.started.wait()
        assert (await client.delete(first.thread.id)).ok
    assert held.ends in (["cancelled"], ["closed"])
    assert turns[0].complete
    assert (await client.list_threads()).data == []
    assert (await client.get_thread(first.thread.id)).status == 404


@pytest.mark.parametrize("status", [LockedStatus(reason="Review"), ClosedStatus()])
async def test_locked_and_closed_threads_refuse(
    server: Served, client: ChatKitClient, store: Store[Any], status: Any
) -> None:
    """A locked thread has no composer, but what it shows still works; a closed one only shows."""
    locked = status.type == "locked"

    async def respond(thread: Any, *_: Any) -> Any:
        yield card(thread)
        yield questions(thread)
        yield tool_call(thread, "tc_1")
        thread.status = status

    server.responding = respond
    first = await client.create("Hi")
    assert first.thread.status == status.model_dump(exclude_none=True)
    thread_id, message = first.thread.id, first.thread.items[0]
    before = await snapshot(store)
    answers: list[Any] = [
        await client.send(thread_id, "a"),
        await client.retry(thread_id, message.id),
    ]
    if not locked:
        answers += [
            await client.tool_output(thread_id, 1),
            await client.structured_input(thread_id, "msg_ask", {}),
            await client.action(thread_id, "send", {"id": 7}, item_id="msg_card"),
            await client.sync_action(thread_id, "send", {"id": 7}, item_id="msg_card"),
        ]
    for answer in answers:
        assert (answer.status, answer.code) == (409, f"thread_{status.type}")
    assert await snapshot(store) == before
    if locked:
        server.responding = yielding("ok")
        assert (await client.structured_input(thread_id, "msg_ask", {})).ok
        assert (await client.tool_output(thread_id, 1)).ok
        assert (await client.action(thread_id, "send", {"id": 7}, item_id="msg_card")).ok
        assert (await client.sync_action(thread_id, "send", {"id": 7}, item_id="msg_card")).ok
    assert (await client.get_thread(thread_id)).json["status"]["type"] == status.type
    assert (await client.update(thread_id, "Title")).ok
    assert (await client.feedback(thread_id, [message.id])).ok
    assert (await client.delete(thread_id)).ok


async def test_keep_alive_comments_fill_the_silence(server: Served) -> None:
    held = Held()
    server.responding = held
    async with talking(server, keep_alive=0.02) as client:
        bridge = client.transport._bridge  # type: ignore[attr-defined]
        body = {"type": "threads.create", "params": {"input": client.message("Hi")}}
        async with bridge.stream(body) as response:
            comments = 0
            async for frame in response.frames():
                comments += frame == b": keep-alive\n\n"
                if comments == 2:
                    held.go.set()
            assert [event["type"] for event in response.all_events()][-1] == "thread.item.done"
