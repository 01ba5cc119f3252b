"""A turn with its writer and its viewers: what the driver promises beyond the machine."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from typing import Any, cast

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given, settings

from chatkit_asgi import ChatKitApp, ChatKitServer, Options
from chatkit_asgi.errors import AuthorError, CustomStreamError, StreamError
from chatkit_asgi.protocol.codec import decode_item, encode
from chatkit_asgi.protocol.visibility import is_hidden
from chatkit_asgi.store import MemoryStore
from chatkit_asgi.store.rows import Row, item_of
from chatkit_asgi.testing import ASGIBridge, ChatKitClient
from chatkit_asgi.turns import Plan, Repeat, Run, Viewer
from chatkit_asgi.turns._backend import current_backend
from chatkit_asgi.turns.run import MANY_FRAMES
from chatkit_asgi.types import (
    Annotation,
    AssistantMessageContent,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    FileSource,
    SDKHiddenContextItem,
    ThoughtTask,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    UnknownItem,
    Workflow,
    WorkflowItem,
    WorkflowTaskUpdated,
)
from tests.conftest import START
from tests.turns.ledger import as_json
from tests.turns.screen import Screen
from tests.turns.strategies import MESSAGES, answers, message

LIMIT = 10.0
BODY = {
    "content": [{"type": "input_text", "text": "Hi"}],
    "attachments": [],
    "inference_options": {},
}
CREATE = {"type": "threads.create", "params": {"input": BODY}}

Handler = Callable[[Any, Any, Any], Any]


class Server(ChatKitServer[Any]):
    """Answers as it is told."""

    handler: Handler

    def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
        return self.handler(thread, input_user_message, context)


def make(handler: Handler, store: Any = None, cls: type[Server] = Server, **options: Any) -> Server:
    server = cls(store or MemoryStore(), options=Options(handle_signals=False, **options))
    server.handler = handler
    return server


async def items(server: Server) -> list[Any]:
    (thread,) = (await server.store.load_threads(10, None, "asc", context=None)).data
    found: list[Any] = (
        await server.store.load_thread_items(thread.id, None, 1000, "asc", context=None)
    ).data
    return found


async def said(server: Server) -> list[str]:
    """The texts of the stored assistant's messages."""
    return [
        "".join(part.text for part in item.content)
        for item in await items(server)
        if item.type == "assistant_message"
    ]


async def idle(server: Server) -> None:
    turns: Any = server.turns
    with anyio.fail_after(LIMIT):
        await turns._until(lambda: not turns._runs)


async def start(server: Server, handler: Handler | None = None, **more: Any) -> Viewer:
    """A turn on the thread ``thr_1`` without HTTP around it."""
    thread = ThreadMetadata(id="thr_1", created_at=START)
    context = more.pop("context", None)

    async def begin(run: Run) -> AsyncIterator[Any]:
        events: AsyncIterator[Any] = aiter((handler or server.handler)(run.thread, None, context))
        return events

    async def prepare() -> Plan:
        try:
            await server.store.load_thread("thr_1", context=None)
        except Exception:
            await server.store.save_thread(thread, context=None)
        return Plan(thread=thread, context=context, begin=begin)

    return await server.turns.start(prepare, owner="", **more)


async def read(viewer: Viewer) -> Screen:
    screen = Screen()
    with anyio.fail_after(LIMIT):
        async for chunk in viewer:
            screen.read(chunk)
    return screen


class Unfinished(CustomStreamError):
    """As authors write them."""

    def __init__(self) -> None:
        pass


class TestHandlers:
    """Whatever an author's handler is and does."""

    async def test_it_has_the_requests_context_variables(self) -> None:
        variable: ContextVar[str] = ContextVar("variable", default="outside")

        async def handler(*_args: Any) -> AsyncIterator[str]:
            yield variable.get()
            variable.set("mine")
            await anyio.lowlevel.checkpoint()
            yield variable.get()

        server = make(handler)
        variable.set("the request's")
        await read(await start(server))
        assert variable.get() == "the request's"
        assert await said(server) == ["the request'smine"]

    async def test_an_iterator_need_not_be_a_generator(self) -> None:
        class Words:
            left = 3

            def __aiter__(self) -> Words:
                return self

            async def __anext__(self) -> str:
                await anyio.lowlevel.checkpoint()
                self.left -= 1
                if self.left < 0:
                    raise StopAsyncIteration
                return "w"

        server = make(lambda *_: Words())
        await read(await start(server))
        assert await said(server) == ["www"]

    @pytest.mark.parametrize("anyio_backend", ["asyncio"])
    async def test_nor_must_its_steps_be_coroutines(self) -> None:
        class Words:
            left = 3

            def __aiter__(self) -> Words:
                return self

            def __anext__(self) -> Awaitable[str]:
                self.left -= 1
                future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
                if self.left < 0:
                    future.set_exception(StopAsyncIteration())
                else:
                    asyncio.get_running_loop().call_soon(future.set_result, "w")
                return future

        server = make(lambda *_: Words())
        await read(await start(server))
        assert await said(server) == ["www"]

    async def test_one_that_never_waits_lets_others_run(self) -> None:
        turns_of_the_loop = 0
        over = False

        async def handler(*_args: Any) -> AsyncIterator[str]:
            for _ in range(5000):
                yield "x"

        async def counting() -> None:
            nonlocal turns_of_the_loop
            while not over:
                turns_of_the_loop += 1
                await anyio.lowlevel.checkpoint()

        server = make(handler)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(counting)
            await read(await start(server))
            over = True
        assert turns_of_the_loop >= 5000 // MANY_FRAMES
        assert await said(server) == ["x" * 5000]

    @pytest.mark.parametrize("wrong", [5, object(), None, ["list"]])
    async def test_text_that_was_shown_outlives_a_value_that_is_refused(self, wrong: Any) -> None:
        async def handler(*_args: Any) -> AsyncIterator[Any]:
            yield "shown"
            await anyio.lowlevel.checkpoint()
            yield wrong

        server = make(handler)
        screen = await read(await start(server))
        assert await said(server) == ["shown"]
        assert [event["type"] for event in screen.events][-2:] == ["thread.item.done", "error"]

    @pytest.mark.parametrize(
        "error",
        [
            CustomStreamError(ValueError("not text")),  # type: ignore[arg-type]
            StreamError(object()),  # type: ignore[arg-type]
            Unfinished(),
        ],
    )
    async def test_text_that_was_shown_outlives_an_odd_exception(self, error: Exception) -> None:
        async def handler(*_args: Any) -> AsyncIterator[Any]:
            yield "shown"
            raise error

        server = make(handler)
        screen = await read(await start(server))
        assert await said(server) == ["shown"]
        assert [event["type"] for event in screen.events][-2:] == ["thread.item.done", "error"]

    async def test_an_item_of_a_newer_version_is_one_line_however_it_is_stored(self) -> None:
        """Other programs write JSON in several lines, and an empty one would end the frame."""
        raw = (
            b'{\n\n"id": "new_1",\r\n"thread_id": "thr_1", "type": "newer",\n'
            b'"created_at": "2026-03-14T09:26:53Z"}'
        )

        async def handler(*_args: Any) -> AsyncIterator[Any]:
            yield decode_item(raw)

        screen = await read(await start(make(handler)))
        assert screen.events[-1]["item"] == json.loads(raw)

    async def test_one_that_does_not_let_go_is_ended_without(self) -> None:
        """Invariant: saving and the viewers do not wait for a handler's cleanup, and it is not heard any more."""
        hold = anyio.Event()
        over = anyio.Event()

        async def handler(*_args: Any) -> AsyncIterator[str]:
            try:
                yield "shown"
                await anyio.sleep(LIMIT)
            except BaseException:
                with anyio.CancelScope(shield=True):
                    await hold.wait()
            yield "too late"
            yield "far too late"
            over.set()

        server = make(handler, shutdown_grace=0.2)
        screen = Screen()
        viewer = await start(server)
        while "shown" not in str(screen.items):
            screen.read(await anext(viewer, b""))
        server.turns.begin_shutdown()
        async for chunk in viewer:
            screen.read(chunk)
        await idle(server)
        assert [event["type"] for event in screen.events][-2:] == ["thread.item.done", "error"]
        assert await said(server) == ["shown"]
        hold.set()
        await anyio.wait_all_tasks_blocked()
        assert await said(server) == ["shown"]

    async def test_an_ending_that_the_handler_swallows_is_a_stop_all_the_same(self) -> None:
        async def handler(*_args: Any) -> AsyncIterator[str]:
            yield "shown"
            with contextlib.suppress(BaseException):
                await anyio.sleep(LIMIT)

        server = make(handler)
        viewer = await start(server)
        await anext(viewer)
        viewer.close()
        await idle(server)
        assert await said(server) == ["shown"]
        assert (await items(server))[-1].type == "sdk_hidden_context"


class TestViewers:
    async def test_all_that_is_ready_is_one_chunk_and_nothing_is_held_back(self) -> None:
        go = [anyio.Event(), anyio.Event()]

        async def handler(*_args: Any) -> AsyncIterator[str]:
            for _ in range(20):
                yield "a"
            await go[0].wait()
            yield "b"
            await go[1].wait()

        server = make(handler)
        viewer = await start(server)
        with anyio.fail_after(LIMIT):
            first = await anext(viewer)
            assert first is not None
            assert first.count(b'"delta":"a"') == 20
            go[0].set()
            second = await anext(viewer)
            assert second is not None
            assert second.count(b'"delta":"b"') == 1
            go[1].set()
        await read(viewer)

    async def test_one_that_does_not_read_holds_the_writer_and_is_given_up(self) -> None:
        """Invariant: what waits for a reader is bounded, and a reader that is gone for good does not keep the turn."""
        produced = 0

        async def handler(*_args: Any) -> AsyncIterator[Any]:
            nonlocal produced
            for _ in range(100_000):
                produced += 1
                yield "x" * 1000
                await anyio.lowlevel.checkpoint()

        server = make(handler, viewer_buffer=50_000, send_timeout=0.3, shutdown_grace=0.4)
        viewer = await start(server)
        await anext(viewer)  # is busy with it for ever
        await idle(server)
        assert produced < 500
        assert len(await said(server)) == 1
        assert (await items(server))[-1].type == "sdk_hidden_context"

    async def test_one_that_never_began_to_read_is_given_up_too(self) -> None:
        async def handler(*_args: Any) -> AsyncIterator[Any]:
            while True:
                yield "x" * 1000
                await anyio.lowlevel.checkpoint()

        server = make(handler, viewer_buffer=50_000, send_timeout=0.3)
        viewer = await start(server)
        await idle(server)
        assert viewer.ended

    async def test_silence_does_not_count_against_a_reader(self) -> None:
        """Also where a keep-alive is rarer than the limit on sends."""

        async def handler(*_args: Any) -> AsyncIterator[Any]:
            await anyio.sleep(0.5)
            yield "x"

        server = make(handler, send_timeout=0.1, keep_alive=100)
        screen = await read(await start(server))
        assert screen.errors == []
        assert await said(server) == ["x"]

    async def test_a_slow_one_gets_everything(self) -> None:
        async def handler(*_args: Any) -> AsyncIterator[Any]:
            for number in range(3000):
                yield f"{number} "

        server = make(handler, viewer_buffer=2000)
        viewer = await start(server)
        screen = Screen()
        async for chunk in viewer:
            screen.read(chunk)
            for _ in range(3):
                await anyio.lowlevel.checkpoint()
        assert await said(server) == ["".join(f"{number} " for number in range(3000))]
        assert list(screen.items.values()) == [as_json(item) for item in await items(server)]


@settings(max_examples=40, deadline=None)
@given(answers)
def test_a_viewer_that_comes_late_sees_the_same_thread(answer: list[Any]) -> None:
    """Invariant: what a late viewer gets folds to what the first one saw: the same items in the same order."""

    async def main() -> None:
        screens: list[Screen] = []
        late: list[Viewer] = []

        async def handler(*_args: Any) -> AsyncIterator[Any]:
            for event in answer:
                late.append(await start(server, repeat=Repeat(key=("k",))))
                try:
                    (run,) = server.turns._runs  # pyright: ignore[reportPrivateUsage]
                    probe = run.turn.open
                    if isinstance(event, ThreadItemUpdatedEvent) and event.item_id not in probe:
                        continue  # most are the author's error, which would end the turn
                    yield event
                except AuthorError:
                    return

        server = make(handler)
        first = await start(server, repeat=Repeat(key=("k",)))
        for viewer in [first, *late]:
            screens.append(await read(viewer))
        for viewer in late:
            screens.append(await read(viewer))
        stored = [as_json(item) for item in await items(server) if not is_hidden(item)]
        for screen in screens[: len(late) + 1]:
            assert list(screen.items.values()) == stored

    asyncio.run(main())


class TestQueue:
    async def test_a_waiting_turn_that_is_stopped_does_not_let_the_next_one_in(self) -> None:
        """Invariant: one turn at a time on a thread, whoever leaves the queue."""
        running = most = 0
        order: list[str] = []
        go = anyio.Event()

        def named(name: str) -> Handler:
            async def handler(*_args: Any) -> AsyncIterator[str]:
                nonlocal running, most
                running += 1
                most = max(most, running)
                order.append(name)
                yield name
                await go.wait()
                running -= 1

            return handler

        server = make(named(""))
        viewers = {name: await start(server, named(name)) for name in "abcd"}
        await anyio.wait_all_tasks_blocked()
        viewers["b"].close()
        viewers["d"].close()
        await anyio.wait_all_tasks_blocked()
        viewers["e"] = await start(server, named("e"))
        await anyio.wait_all_tasks_blocked()
        assert order == ["a"]
        go.set()
        await idle(server)
        assert (order, most) == (["a", "c", "e"], 1)
        turns: Any = server.turns
        assert turns._last == {}

    async def test_the_clockwork_stops_when_nothing_runs(self) -> None:
        async def handler(*_args: Any) -> AsyncIterator[str]:
            yield "x"

        server = make(handler, checkpoint_interval=0.02)
        turns: Any = server.turns
        await read(await start(server))
        with anyio.fail_after(LIMIT):
            while turns._ticking is not None:  # noqa: ASYNC110 (nobody is told)
                await anyio.sleep(0.005)


class TestCheckpoints:
    class Flaky(MemoryStore[Any]):
        """Fails as often as it is told."""

        failures = 0

        async def _write(self, work: Any) -> Any:
            await anyio.lowlevel.checkpoint()
            if self.failures:
                self.failures -= 1
                raise OSError("disk")
            return await super()._write(work)

    async def test_what_is_open_is_in_the_store_after_an_interval(self) -> None:
        go = anyio.Event()

        async def handler(*_args: Any) -> AsyncIterator[str]:
            yield "shown"
            await go.wait()

        store = self.Flaky()
        server = make(handler, store, checkpoint_interval=0.04)
        viewer = await start(server)
        await anext(viewer)
        store.failures = 2  # a checkpoint that fails is made again
        with anyio.fail_after(LIMIT):
            while await said(server) != ["shown"]:  # noqa: ASYNC110 (nobody is told)
                await anyio.sleep(0.01)
        go.set()
        await read(viewer)

    async def test_a_failed_one_does_not_change_the_order(self) -> None:
        go = anyio.Event()
        first, second = (message(each, []) for each in MESSAGES[:2])

        async def handler(*_args: Any) -> AsyncIterator[Any]:
            for item in (first, second):
                yield ThreadItemAddedEvent(item=item)
            for item in (second, first):
                delta = AssistantMessageContentPartTextDelta(content_index=0, delta=item.id)
                yield ThreadItemUpdatedEvent(item_id=item.id, update=delta)
            await go.wait()

        store = self.Flaky()
        server = make(handler, store, checkpoint_interval=0.04)
        viewer = await start(server)
        await anext(viewer)
        store.failures = 1
        with anyio.fail_after(LIMIT):
            while len(await said(server)) < 2:  # noqa: ASYNC110 (nobody is told)
                await anyio.sleep(0.01)
        go.set()
        await read(viewer)
        assert [item.id for item in await items(server)] == MESSAGES[:2]

    async def test_a_store_that_fails_for_good_is_not_said_to_have_it(self) -> None:
        """Saved before told: what could not be saved is not told as done, and the reader hears of an error."""

        async def handler(*_args: Any) -> AsyncIterator[str]:
            yield "shown"
            await anyio.lowlevel.checkpoint()
            store.failures = 1000

        store = self.Flaky()
        server = make(handler, store)
        screen = await read(await start(server))
        assert screen.done == set()
        assert [error["code"] for error in screen.errors] == ["stream.error"]


class TestHook:
    """``handle_stream_cancelled``, which an author may write."""

    async def play(self, hook: Any) -> Server:
        class Hooked(Server):
            async def handle_stream_cancelled(
                self, thread: Any, pending_items: Any, context: Any
            ) -> None:
                await hook(self, thread, pending_items)

        async def handler(*_args: Any) -> AsyncIterator[str]:
            yield "shown"
            await anyio.sleep(LIMIT)

        server = make(handler, cls=Hooked, shutdown_grace=0.2)
        viewer = await start(server)
        await anext(viewer)
        viewer.close()
        await idle(server)
        return server

    async def test_what_it_stores_counts(self) -> None:
        async def hook(server: Any, thread: Any, pending: Any) -> None:
            pending[0].content[0].text += " (stopped)"
            await server.store.add_thread_item(thread.id, pending[0], context=None)

        assert await said(await self.play(hook)) == ["shown (stopped)"]

    async def test_what_it_does_not_store_is_stored(self) -> None:
        async def hook(server: Any, thread: Any, pending: Any) -> None:
            pending.clear()

        server = await self.play(hook)
        assert await said(server) == ["shown"]
        assert [item.type for item in await items(server)] == ["assistant_message"]

    async def test_it_may_fail(self) -> None:
        async def hook(server: Any, thread: Any, pending: Any) -> None:
            raise RuntimeError("hook")

        server = await self.play(hook)
        assert await said(server) == ["shown"]
        assert [item.type for item in await items(server)][1:] == ["sdk_hidden_context"]

    async def test_it_may_hang(self) -> None:
        async def hook(server: Any, thread: Any, pending: Any) -> None:
            await anyio.sleep(LIMIT)

        server = await self.play(hook)
        assert await said(server) == ["shown"]
        assert [item.type for item in await items(server)][1:] == ["sdk_hidden_context"]

    async def test_it_may_leave_the_note_to_the_default(self) -> None:
        async def hook(server: Any, thread: Any, pending: Any) -> None:
            await ChatKitServer.handle_stream_cancelled(server, thread, pending, None)

        found = await items(await self.play(hook))
        assert [item.type for item in found] == ["assistant_message", "sdk_hidden_context"]

    async def test_a_hook_that_fails_after_the_default_leaves_one_note(self) -> None:
        async def hook(server: Any, thread: Any, pending: Any) -> None:
            await ChatKitServer.handle_stream_cancelled(server, thread, pending, None)
            raise RuntimeError("hook")

        found = await items(await self.play(hook))
        assert [item.type for item in found] == ["assistant_message", "sdk_hidden_context"]


async def test_an_update_that_does_not_fit_the_stored_item_is_refused_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is the author's error, and no write that is tried again."""

    async def handler(*_args: Any) -> AsyncIterator[Any]:
        yield message(MESSAGES[0], [{"text": "done"}])
        task: Any = {"type": "workflow.task.updated", "task_index": 0, "task": {"type": "custom"}}
        yield ThreadItemUpdatedEvent(item_id=MESSAGES[0], update=task)

    server = make(handler)
    screen = await read(await start(server))
    assert len(screen.errors) == 1
    assert await said(server) == ["done"]
    assert [
        record.getMessage() for record in caplog.records if record.levelname == "CRITICAL"
    ] == []
    assert not [record for record in caplog.records if "attempt" in record.getMessage()]


@pytest.mark.parametrize("kind", [ThreadItemReplacedEvent, ThreadItemDoneEvent])
async def test_an_item_that_could_not_be_read_again_is_refused(
    kind: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Constructors look at nothing; what is stored can be read."""

    async def handler(*_args: Any) -> AsyncIterator[Any]:
        yield "Hello"
        source: Any = FileSource(filename="f", title=None)  # type: ignore[arg-type]
        content = AssistantMessageContent(text="x", annotations=[Annotation(source=source)])
        base: Any = {"thread_id": "t", "created_at": START}
        yield kind(item=AssistantMessageItem(id=MESSAGES[0], content=[content], **base))

    server = make(handler)
    screen = await read(await start(server))
    assert [error["code"] for error in screen.errors] == ["stream.error"]
    assert await said(server) == ["Hello"]
    (problem,) = [str(record.exc_info) for record in caplog.records if record.exc_info]
    assert "at $.content[0].annotations[0].source.title" in problem


async def test_what_the_store_hands_out_may_be_yielded_again(store: Any) -> None:
    """An item of a newer version, and those that are never sent."""

    async def handler(thread: Any, *_args: Any) -> AsyncIterator[Any]:
        base: dict[str, Any] = {"thread_id": thread.id, "created_at": START}
        newer = {**base, "id": MESSAGES[0], "type": "task", "task": {"type": "newer"}}
        item = item_of(Row(encode(newer)))
        assert isinstance(item, UnknownItem)
        yield ThreadItemDoneEvent(item=item)
        yield SDKHiddenContextItem(**base, id=MESSAGES[1], content=cast("Any", {"a": 1}))

    server = make(handler, store)
    screen = await read(await start(server))
    assert screen.errors == []
    assert {MESSAGES[0], MESSAGES[1]} <= {item.id for item in await items(server)}


async def test_updates_of_a_widget_of_an_earlier_turn_are_stored(store: Any) -> None:
    """An action's handler changes the widget that sent it, event by event."""
    press = {"type": "Button", "label": "Press", "onClickAction": {"type": "press"}}
    card = {"type": "Card", "children": [{"type": "Text", "id": "t", "value": "old"}, press]}

    class Acting(Server):
        async def action(self, thread: Any, action: Any, sender: Any, context: Any) -> Any:
            changed = {"type": "Text", "id": "t", "value": "new"}
            update: Any = {
                "type": "widget.component.updated",
                "component_id": "t",
                "component": changed,
            }
            yield ThreadItemUpdatedEvent(item_id=sender.id, update=update)

    async def handler(*_args: Any) -> AsyncIterator[Any]:
        yield card

    server = make(handler, store, cls=Acting)
    async with ASGIBridge(ChatKitApp(server)) as bridge:
        client = ChatKitClient(bridge)
        thread = (await client.create("Hi")).thread
        widget = thread.items[-1]
        turn = await client.action(thread.id, "press", item_id=widget.id)
        assert turn.ok
        (stored,) = [item for item in await items(server) if item.type == "widget"]
        assert json.loads(json.dumps(as_json(stored)))["widget"]["children"][0]["value"] == "new"


async def test_a_whole_value_that_nobody_has_seen_gives_way_to_the_next() -> None:
    """A thought of thousands of tokens would cost megabytes otherwise; what stands between two values stays there."""

    async def handler(thread: Any, *_: Any) -> AsyncIterator[Any]:
        base: dict[str, Any] = {"id": "wf_" + "1" * 32, "thread_id": thread.id, "created_at": START}
        tasks: list[Any] = [ThoughtTask(content=""), ThoughtTask(content="")]
        workflow = Workflow(type="reasoning", tasks=tasks)
        yield ThreadItemAddedEvent(item=WorkflowItem(**base, workflow=workflow))
        for index, text in [(0, "a"), (0, "ab"), (0, "abc"), (1, "x"), (0, "abcd"), (0, "abcde")]:
            update = WorkflowTaskUpdated(task_index=index, task=ThoughtTask(content=text))
            yield ThreadItemUpdatedEvent(item_id=base["id"], update=update)

    server = make(handler)
    async with ASGIBridge(ChatKitApp(server)) as bridge:
        turn = await ChatKitClient(bridge).create("Hi")
    updates = [event["update"] for event in turn.events if "update" in event]
    assert [(each["task_index"], each["task"]["content"]) for each in updates] == [
        (0, "abc"),
        (1, "x"),
        (0, "abcde"),
    ]
    stored = (await items(server))[-1]
    assert [task.content for task in stored.workflow.tasks] == ["abcde", "x"]
    assert turn.thread.items[-1].model_dump(mode="json") == stored.model_dump(mode="json")


@pytest.mark.parametrize("where", ["in the hook for a stop", "at the end"])
async def test_a_turn_that_is_closed_while_it_ends_lets_go(
    where: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A loop that is torn down closes the coroutines of its tasks, which must not go on then."""

    class Slow(MemoryStore[Any]):
        async def load_item(self, thread_id: str, item_id: str, context: Any) -> Any:
            await anyio.lowlevel.checkpoint()
            return await super().load_item(thread_id, item_id, context)

    class Waiting(Server):
        async def handle_stream_cancelled(self, thread: Any, pending: Any, context: Any) -> None:
            await anyio.sleep_forever()

    class Ending(Run):
        __slots__ = ("over",)

        async def _end(self, outcome: Any, error: Any) -> None:
            await anyio.sleep_forever()

        def _over(self) -> None:
            self.over = True

    async def begin(run: Run) -> AsyncIterator[Any]:
        raise NotImplementedError

    server = Waiting(Slow())
    thread = ThreadMetadata(id="thr_1", created_at=START)
    plan = Plan(thread=thread, context=None, begin=begin)
    backend = current_backend()
    run: Any = Ending(server, plan, server.options, backend, "", "")
    run.turn.receive_event(ThreadItemAddedEvent(item=message(MESSAGES[0], [])))
    coroutine = run._stopped_by_hook() if where == "in the hook for a stop" else run._finish(None)
    coroutine.send(None)
    coroutine.close()
    assert where != "at the end" or run.over
    assert caplog.records == []
