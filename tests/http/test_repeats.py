"""Repeated requests: a client that sends the same thing again joins the turn that runs, and starts no second one.

The hosted client repeats a streaming POST that failed up to five times, and a person may click twice.
"""

from __future__ import annotations

import gc
from typing import Any

import anyio
import pytest

from chatkit_asgi import Forbidden, NotFoundError
from chatkit_asgi.store import MemoryStore, Store
from chatkit_asgi.testing import ChatKitClient, Turn
from chatkit_asgi.types import ThreadItemDoneEvent, ThreadsAddUserMessageReq
from tests.http.served import Held, Served, all_over, rows, talking, tool_call, yielding


async def at_once(count: int, send: Any) -> list[Any]:
    answers: list[Any] = []

    async def one() -> None:
        answers.append(await send())

    async with anyio.create_task_group() as tasks:
        for _ in range(count):
            tasks.start_soon(one)
    return answers


def shown(turn: Turn) -> list[Any]:
    return [item.model_dump() for item in turn.items]


async def test_five_equal_messages_at_once_are_one(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    """M4: one run of the model, one user message, and all five viewers get everything."""
    first = await client.create("Hi")
    before = server.answers()
    held = Held()
    server.responding = held
    turns: list[Turn] = []

    async def one() -> None:
        other = ChatKitClient(client.transport)
        params = {"thread_id": first.thread.id, "input": client.message("Again")}
        async with other.stream("threads.add_user_message", params) as turn:
            await turn.wait_for("thread.item.added")
            joined.append(turn)
            if len(joined) == 5:
                held.go.set()
            turns.append(await turn.read())

    joined: list[Turn] = []
    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(one)
    assert server.answers() == before + 1
    stored = await rows(store, first.thread.id)
    assert [item.type for item in stored] == ["user_message", "assistant_message"] * 2
    for turn in turns:
        assert turn.check().text == "Hello world"
        assert turn.types[:2] == ["thread.item.done", "stream_options"]
        assert turn.thread.items == stored[2:]


async def test_the_same_message_later_is_a_new_one(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    first = await client.create("Hi")
    await client.send(first.thread.id, "Again")
    await client.send(first.thread.id, "Again")
    assert server.answers() == 3


async def test_different_messages_at_once_are_different(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    first = await client.create("Hi")
    texts = iter("abc")
    await at_once(3, lambda: ChatKitClient(client.transport).send(first.thread.id, next(texts)))
    assert server.answers() == 4
    stored = await rows(store, first.thread.id)
    assert [item.type for item in stored] == ["user_message", "assistant_message"] * 4


async def test_new_threads_are_only_joined_by_a_key(server: Served, client: ChatKitClient) -> None:
    """Two new chats that begin with the same word are two chats."""
    turns = await at_once(2, lambda: client.create("Hi"))
    assert len({turn.thread.id for turn in turns}) == 2
    key = {"idempotency-key": "k1"}
    turns = await at_once(5, lambda: ChatKitClient(client.transport).create("Hi", headers=key))
    assert len({turn.thread.id for turn in turns}) == 1
    assert [shown(turn) for turn in turns] == [shown(turns[0])] * 5
    assert server.answers() == 3


async def test_one_page_does_not_start_two_equal_threads_at_once(
    server: Served, client: ChatKitClient
) -> None:
    """The hosted client repeats a POST whose answer a proxy has spoilt, and names its page in a header."""
    page = {"chatkit-frame-instance-id": "page-1"}
    turns = await at_once(3, lambda: ChatKitClient(client.transport).create("Hi", headers=page))
    assert len({turn.thread.id for turn in turns}) == 1
    assert server.answers() == 1


async def test_a_key_replays_a_finished_turn(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    key = {"idempotency-key": "k1"}
    first = await client.create("Hi", headers=key)
    again = await ChatKitClient(client.transport).create("Hi", headers=key)
    assert again.check().thread.items == first.thread.items
    assert again.thread.id == first.thread.id
    assert server.answers() == 1
    assert len(await rows(store, first.thread.id)) == 2


async def test_a_key_is_good_for_one_request_only(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    key = {"idempotency-key": "k1"}
    first = await client.create("Hi", headers=key)
    for answer in (
        await client.create("Other", headers=key),
        await client.send(first.thread.id, "Hi", headers=key),
        await client.create("Hi", headers=key, metadata={"other": 1}),
    ):
        assert (answer.status, answer.code) == (409, "idempotency_key_reused")
    assert server.answers() == 1


async def test_a_key_of_a_refused_request_is_free_again(
    server: Served, client: ChatKitClient
) -> None:
    key = {"idempotency-key": "k1"}
    assert (await client.create("Hi", attachments=["atc_x"], headers=key)).status == 404
    assert (await client.create("Hi", headers=key)).ok


async def test_those_who_wait_for_a_refused_request_are_refused_too(
    server: Served, client: ChatKitClient
) -> None:
    key = {"idempotency-key": "k1"}
    answers = await at_once(3, lambda: client.create("Hi", attachments=["atc_x"], headers=key))
    assert [answer.status for answer in answers] == [404] * 3


async def test_a_key_of_a_stopped_turn_is_free_again(server: Served, client: ChatKitClient) -> None:
    key = {"idempotency-key": "k1"}
    server.responding = Held()
    params = {"input": client.message("Hi")}
    async with client.stream("threads.create", params, headers=key) as turn:
        await turn.wait_for("thread.item.updated")
    await all_over(server)
    server.responding = yielding("New")
    again = await client.create("Hi", headers=key)
    assert again.check().text == "New"
    assert server.answers() == 2


async def test_a_key_of_a_turn_that_is_being_stopped_is_free_too(
    server: Served, client: ChatKitClient
) -> None:
    """Its handler takes a while to let go; who joined it would get half an answer and no error."""
    key = {"idempotency-key": "k1"}
    cleaning, clean = anyio.Event(), anyio.Event()

    async def respond(*_: Any) -> Any:
        try:
            yield "Half"
            await anyio.sleep_forever()
        finally:
            cleaning.set()
            with anyio.CancelScope(shield=True), anyio.move_on_after(1):
                await clean.wait()

    server.responding = respond
    params = {"input": client.message("Hi")}
    async with client.stream("threads.create", params, headers=key) as turn:
        await turn.wait_for("thread.item.updated")
    with anyio.fail_after(10):
        await cleaning.wait()
    server.responding = yielding("New")
    again = await ChatKitClient(client.transport).create("Hi", headers=key)
    clean.set()
    await all_over(server)
    assert again.check().text == "New"


async def test_a_key_of_a_deleted_thread_is_free_again(
    server: Served, client: ChatKitClient
) -> None:
    """Else the answer would show a thread that is not there."""
    key = {"idempotency-key": "k1"}
    first = await client.create("Hi", headers=key)
    assert (await client.delete(first.thread.id)).ok
    again = await ChatKitClient(client.transport).create("Hi", headers=key)
    assert again.check().thread.id != first.thread.id
    assert (await client.get_thread(again.thread.id)).ok


async def test_a_repeat_after_a_failure_gets_the_failure(
    server: Served, client: ChatKitClient
) -> None:
    key = {"idempotency-key": "k1"}
    server.responding = yielding("Hello", object())
    first = await client.create("Hi", headers=key)
    again = await ChatKitClient(client.transport).create("Hi", headers=key)
    assert first.errors == again.errors
    assert again.text == "Hello"
    assert server.answers() == 1


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_a_key_has_bounds(client: ChatKitClient, key: str) -> None:
    answer = await client.create("Hi", headers={"idempotency-key": key})
    assert (answer.status, answer.code) == (400, "invalid_idempotency_key")


@pytest.mark.parametrize("name", ["authorization", "cookie"])
async def test_another_persons_key_joins_nothing(
    server: Served, client: ChatKitClient, name: str
) -> None:
    key = {"idempotency-key": "k1"}
    first = await client.create("Hi", headers={**key, name: "one"})
    other = await client.create("Hi", headers={**key, name: "two"})
    assert first.thread.id != other.thread.id
    assert server.answers() == 2


async def test_owners_never_join_each_other() -> None:
    server = Served(MemoryStore(owner=lambda context: context))
    async with talking(
        server, context=lambda request: request.headers["x-user"], handle_signals=False
    ) as client:
        key = {"idempotency-key": "k1"}
        turns = [await client.create("Hi", headers={**key, "x-user": user}) for user in "ab"]
        assert turns[0].thread.id != turns[1].thread.id
        first = turns[0].thread.id
        held = Held()
        server.responding = held
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: client.send(first, "Again", headers={"x-user": "a"}))
            await held.started.wait()
            answer = await client.send(first, "Again", headers={"x-user": "b"})
            assert answer.status == 404
            held.go.set()


@pytest.mark.parametrize("key", [{}, {"idempotency-key": "k1"}])
async def test_a_store_that_tells_people_apart_by_itself_is_asked(key: dict[str, str]) -> None:
    """As stores written for openai-chatkit do, which know nothing of ``owner=``."""

    class Own(MemoryStore[Any]):
        async def load_thread(self, thread_id: str, context: Any) -> Any:
            thread = await super().load_thread(thread_id, context)
            if thread.metadata.get("user", context) != context:
                raise NotFoundError("No such thread.")
            return thread

    async def respond(thread: Any, message: Any, context: Any) -> Any:
        thread.metadata["user"] = context
        yield "Mine"

    server = Served(Own())
    server.responding = respond
    async with talking(
        server, context=lambda request: request.headers["x-user"], handle_signals=False
    ) as client:
        first = await client.create("Hi", headers={"x-user": "a"})
        held = Held()
        server.responding = held
        params = {"thread_id": first.thread.id, "input": client.message("Again")}
        headers = {**key, "x-user": "a"}
        async with client.stream("threads.add_user_message", params, headers=headers) as turn:
            await turn.wait_for("thread.item.added")
            other = ChatKitClient(client.transport)
            answer = await other.send(first.thread.id, "Again", headers={**key, "x-user": "b"})
            assert (answer.status, answer.code) == (404, "not_found")
            held.go.set()
            assert (await turn.read()).check().text == "Hello world"


async def test_a_joined_viewer_that_leaves_does_not_stop_the_others(
    server: Served, client: ChatKitClient
) -> None:
    first = await client.create("Hi")
    held = Held()
    server.responding = held
    params = {"thread_id": first.thread.id, "input": client.message("Again")}
    async with client.stream("threads.add_user_message", params) as turn:
        await turn.wait_for("thread.item.added")
        async with ChatKitClient(client.transport).stream(
            "threads.add_user_message", params
        ) as other:
            await other.wait_for("thread.item.added")
        held.go.set()
        assert (await turn.read()).check().text == "Hello world"
    assert held.ends == ["finished"]


async def test_a_late_viewer_sees_finished_items_and_the_open_one_as_it_is(
    server: Served, client: ChatKitClient
) -> None:
    held = Held("So far. ", "The rest.")

    async def respond(*args: Any) -> Any:
        from tests.http.served import card

        yield card(args[0])
        async for text in held():
            yield text

    server.responding = respond
    key = {"idempotency-key": "k"}
    params = {"input": client.message("Hi")}
    async with client.stream("threads.create", params, headers=key) as turn:
        await turn.wait_for(lambda event: event.get("update", {}).get("delta") == "So far. ")
        async with ChatKitClient(client.transport).stream(
            "threads.create", params, headers=key
        ) as late:
            event = await late.wait_for("thread.item.added")
            assert event["item"]["content"][0]["text"] == "So far. "
            held.go.set()
            await late.read()
        await turn.read()
    assert late.check().thread.items == turn.check().thread.items


# -- answers to client tool calls: the request names no call


class Calls:
    """Makes a call, at the first answer another one, and goes on for a while; then it says which it is."""

    def __init__(self, *first: str) -> None:
        self.first = first or ("tc_1",)
        self.count = 0
        self.began, self.call = anyio.Event(), anyio.Event()
        self.go = anyio.Event()

    async def __call__(self, thread: Any, *_: Any) -> Any:
        self.count += 1
        if self.count == 1:
            for name in self.first:
                yield ThreadItemDoneEvent(item=tool_call(thread, name))
        elif self.count == 2:
            yield "Thanks. "
            self.began.set()
            await self.call.wait()
            yield ThreadItemDoneEvent(item=tool_call(thread, "tc_next"))
            await self.go.wait()
        else:
            yield f"Answer {self.count}"


OUTPUT = "threads.add_client_tool_output"


async def test_an_equal_answer_to_the_next_call_is_another_answer(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    """The page answers the second call at once, while the turn that made it still runs, and with the same words."""
    server.responding = calls = Calls()
    thread_id = (await client.create("Hi")).thread.id
    calls.call.set()
    params = {"thread_id": thread_id, "result": {"ok": True}}
    turns: list[Turn] = []

    async def answer() -> None:
        turns.append(await ChatKitClient(client.transport).tool_output(thread_id, {"ok": True}))

    async with client.stream(OUTPUT, params) as turn:
        await turn.wait_for(lambda event: event.get("item", {}).get("id") == "tc_next")
        async with anyio.create_task_group() as tasks:
            for _ in range(3):  # these are one
                tasks.start_soon(answer)
            with anyio.move_on_after(5):
                while await the_call(store, thread_id) is None:  # noqa: ASYNC110 (nothing tells of it)
                    await anyio.sleep(0.001)
            calls.go.set()
        (await turn.read()).check()
    assert calls.count == 3
    assert [each.check().text for each in turns] == ["Answer 3"] * 3
    stored = await rows(store, thread_id)
    assert {item.output["ok"] for item in stored if item.type == "client_tool_call"} == {True}


async def the_call(store: Store[Any], thread_id: Any) -> Any:
    item: Any = await store.load_item(thread_id, "tc_next", context=None)
    return item.output


@pytest.mark.parametrize("waiting", [False, True])
async def test_an_equal_answer_before_the_next_call_is_a_repeat(
    server: Served, client: ChatKitClient, store: Store[Any], waiting: bool
) -> None:
    """The network's, or a proxy's. That another call was pending with the first one's is nothing new."""
    server.responding = calls = Calls("tc_0", "tc_1")
    thread_id = (await client.create("Hi")).thread.id
    params = {"thread_id": thread_id, "result": {"ok": True}}
    held = Held()
    server.acting = held
    async with anyio.create_task_group() as tasks:
        if waiting:  # the first answer waits for another turn
            tasks.start_soon(ChatKitClient(client.transport).action, thread_id, "x")
            await held.started.wait()
        async with client.stream(OUTPUT, params) as turn:
            if not waiting:
                await calls.began.wait()
            async with ChatKitClient(client.transport).stream(OUTPUT, params) as again:
                assert again.status == 200
                held.go.set()
                calls.call.set()
                calls.go.set()
                assert (await again.read()).check().text == "Thanks. "
            await turn.read()
    assert calls.count == 2
    assert (await the_call(store, thread_id)) is None


# -- stores that tell people apart by themselves


class Shared(MemoryStore[Any]):
    """Keeps who has made a thread beside it."""

    def __init__(self, *, refusal: type[Exception], pause: float = 0) -> None:
        super().__init__()
        self.people: dict[str, str] = {}
        self.refusal, self.pause = refusal, pause

    async def save_user_message(self, thread: Any, *args: Any, **more: Any) -> None:
        if self.pause:
            await anyio.sleep(self.pause)
        self.people.setdefault(thread.id, more["context"])
        await super().save_user_message(thread, *args, **more)

    async def load_thread(self, thread_id: str, context: Any) -> Any:
        if self.people.get(thread_id, context) != context:
            raise self.refusal("Not yours.")
        return await super().load_thread(thread_id, context)


def user(request: Any) -> Any:
    return request.headers["x-user"]


@pytest.mark.parametrize("refusal", [NotFoundError, Forbidden])
@pytest.mark.parametrize("pause", [0, 0.02])
@pytest.mark.parametrize("name", ["idempotency-key", "chatkit-frame-instance-id"])
async def test_a_new_thread_of_another_person_is_not_joined(
    name: str, pause: float, refusal: type[Exception]
) -> None:
    """Alice's new thread is running when Bob sends the same words with the same key; hers is not his to read."""
    server = Served(Shared(refusal=refusal, pause=pause))
    server.responding = held = Held("Secret of ", "Alice")
    async with talking(server, context=user, handle_signals=False) as client:
        alice = {name: "1", "x-user": "alice"}
        turns: list[Turn] = []
        bob: Turn | None = None

        async def repeat() -> None:
            again = await ChatKitClient(client.transport).create("Hi", headers=alice)
            turns.append(again.check())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(repeat)
            tasks.start_soon(repeat)  # also while the thread is being stored
            await held.started.wait()
            server.responding = yielding("For Bob")
            other = ChatKitClient(client.transport)
            with anyio.move_on_after(5):
                bob = await other.create("Hi", headers={name: "1", "x-user": "bob"})
            tasks.start_soon(repeat)  # the key is hers still
            await anyio.wait_all_tasks_blocked()
            held.go.set()
        assert bob is not None
        assert bob.check().text == "For Bob"
        assert [turn.text for turn in turns] == ["Secret of Alice"] * 3
        assert len({turn.thread.id for turn in (*turns, bob)}) == 2
        assert server.answers() == 2


async def test_a_key_that_another_person_has_used_is_free() -> None:
    """For another request too, and when the other person's has ended."""
    server = Served(Shared(refusal=NotFoundError))
    async with talking(server, context=user, handle_signals=False) as client:
        key = {"idempotency-key": "1"}
        assert (await client.create("Hi", headers={**key, "x-user": "alice"})).ok
        for text in ("Hi", "Hello"):
            other = await client.create(text, headers={**key, "x-user": "bob"})
            assert other.check().text == "Hello world"
        again = await client.create("Other", headers={**key, "x-user": "alice"})
        assert (again.status, again.code) == (409, "idempotency_key_reused")
    assert server.answers() == 3


async def test_a_key_of_a_thread_that_was_never_stored_is_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = Shared(refusal=NotFoundError)
    server = Served(store)

    async def fail(*_: Any, **__: Any) -> None:
        raise OSError

    async with talking(server, context=user, handle_signals=False) as client:
        headers = {"idempotency-key": "1", "x-user": "alice"}
        with monkeypatch.context() as patch:
            patch.setattr(store, "save_user_message", fail)
            assert (await client.create("Hi", headers=headers)).errors
        turns = [await client.create("Hi", headers=headers) for _ in range(2)]
        assert len({turn.check().thread.id for turn in turns}) == 1
    assert server.answers() == 1


async def test_a_key_holds_no_request(server: Served, client: ChatKitClient) -> None:
    """It is kept for a minute after its answer: a message of a megabyte is not kept for that long twice."""
    first = await client.create("Hi", headers={"idempotency-key": "k1"})
    await client.send(first.thread.id, "x" * 10_000, headers={"idempotency-key": "k2"})
    turns: Any = server.turns
    assert len(turns._kept) == len(turns._admissions) == 2
    held = [(*key, admission.repeat) for key, admission in turns._admissions.items()]
    assert len(repr(held)) < 1000
    gc.collect()
    assert [found for found in gc.get_objects() if type(found) is ThreadsAddUserMessageReq] == []
