"""The turn that is ended everywhere: a scripted answer, a store and a client that can be stopped at every await."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel

from chatkit_asgi import ChatKitApp, ChatKitServer, Options
from chatkit_asgi.protocol.visibility import is_hidden
from chatkit_asgi.store import MemoryStore, SQLiteStore
from chatkit_asgi.testing import ASGIBridge, ASGIResponse, ChatKitClient, NoResponse
from chatkit_asgi.types import (
    AssistantMessageContent,
    AssistantMessageContentPartAdded,
    AssistantMessageContentPartAnnotationAdded,
    AssistantMessageContentPartDone,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    CustomTask,
    GeneratedImage,
    GeneratedImageItem,
    GeneratedImageUpdated,
    HiddenContextItem,
    ProgressUpdateEvent,
    ThoughtTask,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    WidgetComponentUpdated,
    WidgetItem,
    WidgetStreamingTextValueDelta,
    Workflow,
    WorkflowItem,
    WorkflowTaskAdded,
    WorkflowTaskUpdated,
)
from tests.turns.ledger import as_json
from tests.turns.screen import JSON, Screen, texts

LIMIT = 20.0
"""Seconds after which something counts as hanging."""


class Boom(Exception):
    """What an author's code or a database raises."""


class Steps:
    """Counts awaits and strikes at one of them.

    Args:
        at: The await to strike at; -1 for none.
        only: Count only the awaits whose label begins so.
        error: Raise this there. Without it the await is held: :attr:`reached` tells, :meth:`let_go` ends it.
        pause: Seconds that every write takes.
        next_write: Raise this at the first write after the strike.
    """

    def __init__(
        self,
        at: int = -1,
        *,
        only: str = "",
        error: BaseException | None = None,
        pause: float = 0,
        next_write: BaseException | None = None,
    ) -> None:
        self.at = at
        self.only = only
        self.error = error
        self.pause = pause
        self.next_write = next_write
        self.count = 0
        self.struck: str | None = None
        self.reached = anyio.Event()
        self._released = anyio.Event()

    def let_go(self) -> None:
        """End the await that is held."""
        self._released.set()

    async def point(self, label: str) -> None:
        """One await."""
        if self.pause and label == "store: write":
            await anyio.sleep(self.pause)
        else:
            await anyio.lowlevel.checkpoint()
        if self.struck is not None and label == "store: write" and self.next_write is not None:
            error, self.next_write = self.next_write, None
            raise error
        if not label.startswith(self.only):
            return
        place, self.count = self.count, self.count + 1
        if place == self.at:
            self.struck = label
            if self.error is not None:
                raise self.error
            self.reached.set()
            await self._released.wait()


class SteppedMemoryStore(MemoryStore[Any]):
    """Suspends before and after everything it does."""

    steps = Steps()

    async def _read(self, work: Any) -> Any:
        await self.steps.point("store: read")
        return await super()._read(work)

    async def _write(self, work: Any) -> Any:
        await self.steps.point("store: write")
        result = await super()._write(work)
        await self.steps.point("store: written")
        return result


class SteppedSQLiteStore(SQLiteStore[Any]):
    """The same on a disk."""

    steps = Steps()

    async def _read(self, work: Any) -> Any:
        await self.steps.point("store: read")
        return await super()._read(work)

    async def _write(self, work: Any) -> Any:
        await self.steps.point("store: write")
        result = await super()._write(work)
        await self.steps.point("store: written")
        return result


def make_store(kind: str, folder: Path) -> Any:
    return SteppedMemoryStore() if kind == "memory" else SteppedSQLiteStore(folder / "chat.db")


class Scene(ChatKitServer[Any]):
    """Answers with every kind of item that holds text, with an await before every event.

    ``plain`` asks for one short message instead. ``closed`` counts handlers that were closed.
    """

    steps = Steps()
    plain = False
    closed = 0
    opened = 0

    async def respond(
        self, thread: Any, input_user_message: Any, context: Any
    ) -> AsyncIterator[Any]:
        if self.plain:
            yield "Plain."
            return
        self.opened += 1
        try:
            await self.steps.point("handler: start")
            async with aclosing(answer(thread, self.store)) as events:
                async for event in events:
                    yield event
                    await self.steps.point("handler")
        finally:
            self.closed += 1

    def arm(self, steps: Steps) -> None:
        """From now on count and strike by ``steps``."""
        store: Any = self.store
        self.steps = store.steps = steps


async def answer(thread: Any, store: Any) -> AsyncGenerator[Any, None]:
    """The answer: several parts, an annotation, a workflow, a widget, an image, plain text, a title, metadata."""

    def head(kind: Any = "message") -> dict[str, Any]:
        from chatkit_asgi.ids import utc_now

        return {
            "id": store.generate_item_id(kind, thread, None),
            "thread_id": thread.id,
            "created_at": utc_now(),
        }

    def update(item: Any, change: Any) -> ThreadItemUpdatedEvent:
        return ThreadItemUpdatedEvent(item_id=item.id, update=change)

    def said(text: str) -> AssistantMessageContent:
        return AssistantMessageContent(text=text)

    message = AssistantMessageItem(**head(), content=[])
    yield ThreadItemAddedEvent(item=message)
    for index, parts in enumerate(
        [("Es war ", "einmal 漢字 ", "👩‍👩‍👧."), ("Second \ud800", "\x00part")]
    ):
        yield update(
            message, AssistantMessageContentPartAdded(content_index=index, content=said(""))
        )
        for part in parts:
            yield update(
                message, AssistantMessageContentPartTextDelta(content_index=index, delta=part)
            )
    source = {"type": "url", "title": "Source", "url": "https://example.org/"}
    annotation: Any = {"type": "annotation", "source": source, "index": 3}
    yield update(
        message,
        AssistantMessageContentPartAnnotationAdded(
            content_index=0, annotation_index=0, annotation=annotation
        ),
    )
    thread.title = "A tale"

    workflow = WorkflowItem(**head("workflow"), workflow=Workflow(type="reasoning", tasks=[]))
    yield ThreadItemAddedEvent(item=workflow)
    thought = ThoughtTask(content="I think", status_indicator="loading")
    yield update(workflow, WorkflowTaskAdded(task_index=0, task=thought))
    for more in ("I think of ", "I think of wolves."):
        thought = ThoughtTask(content=more, status_indicator="loading")
        yield update(workflow, WorkflowTaskUpdated(task_index=0, task=thought))
    yield update(workflow, WorkflowTaskAdded(task_index=1, task=CustomTask(title="Searched")))
    final = [AssistantMessageContent(text="Es war einmal 漢字 👩‍👩‍👧.", annotations=[annotation])]
    final.append(said("Second \ufffd\x00part"))
    yield update(message, AssistantMessageContentPartDone(content_index=1, content=final[1]))
    yield ThreadItemDoneEvent(item=message.model_copy(update={"content": final}))
    tasks: list[Any] = [ThoughtTask(content="I think of wolves."), CustomTask(title="Searched")]
    yield ThreadItemDoneEvent(
        item=workflow.model_copy(update={"workflow": Workflow(type="reasoning", tasks=tasks)})
    )

    yield ProgressUpdateEvent(text="Drawing")
    card: Any = {
        "type": "Card",
        "children": [
            {"type": "Text", "id": "t", "value": ""},
            {"type": "Text", "id": "u", "value": "U"},
        ],
    }
    widget = WidgetItem(**head(), widget=card)
    yield ThreadItemAddedEvent(item=widget)
    for delta in ("On the ", "card"):
        yield update(
            widget, WidgetStreamingTextValueDelta(component_id="t", delta=delta, done=False)
        )
    changed: Any = {"type": "Text", "id": "u", "value": "Under the card"}
    yield update(widget, WidgetComponentUpdated(component_id="u", component=changed))
    card = {
        "type": "Card",
        "children": [{"type": "Text", "id": "t", "value": "On the card."}, changed],
    }
    yield ThreadItemDoneEvent(item=widget.model_copy(update={"widget": card}))
    yield HiddenContextItem(**head(), content={"card": "shown"})

    thread.metadata["step"] = 1
    for text in ("A second ", "message ", "of plain text."):
        yield text
    image = GeneratedImageItem(**head())
    yield ThreadItemAddedEvent(item=image)
    made = GeneratedImage(id="img_1", url="data:image/png;base64,AA")
    yield update(image, GeneratedImageUpdated(image=made, progress=0.5))
    yield ThreadItemDoneEvent(item=image.model_copy(update={"image": made}))
    yield "The end."


class Outcomes(logging.Handler):
    """What the log says of how turns ended."""

    def __init__(self) -> None:
        super().__init__()
        self.ended: list[str] = []
        self.critical: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if hasattr(record, "chatkit_outcome"):
            self.ended.append(record.chatkit_outcome)
        if record.levelno >= logging.CRITICAL:
            self.critical.append(record.getMessage())


@contextmanager
def outcomes() -> Iterator[Outcomes]:
    """Listen to the log."""
    logger = logging.getLogger("chatkit_asgi.turns")
    handler, level, propagate = Outcomes(), logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield handler
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate


# -- what must hold --------------------------------------------------------------------------------


async def flush(store: Any) -> None:
    """Wait until what a store was given is written, also by callers that were cancelled."""
    await store.delete_thread("thr_none", context=None)


async def stored_items(store: Any, thread_id: str) -> list[Any]:
    page = await store.load_thread_items(thread_id, None, 1000, "asc", context=None)
    found: list[Any] = page.data
    return found


def is_kept(shown: Any, stored: Any) -> bool:
    """Whether everything that was shown is in what is stored, which may have gone on from there."""
    if isinstance(shown, str):
        return isinstance(stored, str) and stored.startswith(shown)
    if isinstance(shown, dict):
        return all(
            key in ("status_indicator", "streaming") or is_kept(value, stored.get(key))
            for key, value in shown.items()
        )
    if isinstance(shown, list):
        return len(shown) <= len(stored) and all(map(is_kept, shown, stored))
    return bool(shown == stored)


def check_nothing_lost(screen: Screen, stored: list[Any]) -> None:
    """Invariant: every character that was sent to the client is in the store; one record for every id; final forms as
    they were shown; the order of the screen."""
    ids = [item.id for item in stored]
    assert len(ids) == len(set(ids))
    by_id: dict[str, JSON] = {item.id: as_json(item) for item in stored}
    for item_id, shown in screen.items.items():
        if item_id not in by_id:
            empty: Any = shown.get("content") or shown.get("workflow", {}).get("tasks") or ""
            assert not "".join(texts(empty)).replace("output_text", ""), f"lost: {shown}"
            assert shown["type"] != "widget"
            continue
        if item_id in screen.done:
            assert by_id[item_id] == shown
        else:
            assert is_kept(shown, by_id[item_id]), f"lost of {shown}: {by_id[item_id]}"
    assert [each for each in screen.items if each in by_id] == [
        each for each in ids if each in screen.items
    ]
    assert b"hidden" not in b"".join(
        repr(event).encode("utf-8", "replace") for event in screen.events
    )


def check_note(stored: list[Any], outcome: str) -> None:
    """Invariant: a stopped turn leaves exactly one hidden note, after what was shown; any other end leaves none."""
    notes = [place for place, item in enumerate(stored) if item.type == "sdk_hidden_context"]
    if outcome != "stopped":
        assert notes == []
    elif any(item.type == "assistant_message" for item in stored):
        assert notes == [len(stored) - 1]
    else:
        assert len(notes) <= 1


def check_ended_properly(screen: Screen, stored: list[Any], *, error: bool) -> None:
    """Invariant: a stream that a viewer saw to its end shows what the store has: what was open was closed before the
    ``error`` event, after which only the thread's change may come."""
    visible = [as_json(item) for item in stored if not is_hidden(item)]
    if not screen.items:  # the fault came when the question had just been stored
        visible = [item for item in visible if item["type"] != "user_message"]
    assert list(screen.items.values()) == visible
    assert screen.open == []
    kinds = [event["type"] for event in screen.events]
    assert kinds.count("error") == error
    if error:
        assert set(kinds[kinds.index("error") + 1 :]) <= {"thread.updated"}


def check_idle(server: ChatKitServer[Any]) -> None:
    """Invariant: nothing is left of a turn that is over."""
    turns: Any = server.turns
    assert len(turns) == 0
    assert (turns._last, turns._admissions, turns._kept, turns._owners) == ({}, {}, {}, {})


async def until_idle(server: ChatKitServer[Any]) -> None:
    """Wait until every turn is over."""
    turns: Any = server.turns
    with anyio.fail_after(LIMIT):
        await turns._until(lambda: not turns._runs)


# -- one run -----------------------------------------------------------------------------------------

Fault = Callable[["Stage"], Awaitable[None]]


class Stage:
    """One request on a bridge, held at an await."""

    def __init__(self, server: Scene, bridge: ASGIBridge, steps: Steps) -> None:
        self.server = server
        self.steps = steps
        self.bridge = bridge
        self.response: ASGIResponse
        self.client = anyio.CancelScope()
        self._done = anyio.Event()

    async def play(self, request: JSON, fault: Fault) -> Screen:
        """Send the request, strike, and return what the client received."""
        self.server.arm(self.steps)
        self.response = self.bridge.stream(request)
        with anyio.fail_after(LIMIT):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._read)
                tasks.start_soon(self._watch)
                await self.steps.reached.wait()
                if self.steps.struck is not None:
                    await fault(self)
                    self.steps.let_go()
            await until_idle(self.server)
        self.steps.at, self.steps.next_write = -1, None
        return Screen().read(self.response.body)

    async def _watch(self) -> None:
        """The request may be over without a strike."""
        await self._done.wait()
        self.steps.reached.set()

    async def _read(self) -> None:
        try:
            with self.client:
                async with self.response:
                    await self.response.read()
        except NoResponse:
            pass
        finally:
            self._done.set()


async def settle() -> None:
    """Let everything that can run do so."""
    for _ in range(12):
        await anyio.lowlevel.checkpoint()


async def disconnect(stage: Stage) -> None:
    """The client closes its connection."""
    stage.client.cancel()
    await settle()


async def cancel_request(stage: Stage) -> None:
    """The framework cancels the request's task."""
    stage.response._task.cancel()  # pyright: ignore[reportPrivateUsage]
    await settle()


async def shut_down(stage: Stage) -> None:
    """The server is asked to stop."""
    stage.server.turns.begin_shutdown()
    await settle()


async def time_out(stage: Stage) -> None:
    """The turn has taken too long."""
    for run in list(stage.server.turns._runs):  # pyright: ignore[reportPrivateUsage]
        run.stop("timed out")
    await settle()


async def nothing(stage: Stage) -> None:
    """The fault is an exception that was raised already."""


def message(text: str = "Tell me a tale") -> JSON:
    return {
        "content": [{"type": "input_text", "text": text}],
        "attachments": [],
        "inference_options": {},
    }


CREATE: JSON = {"type": "threads.create", "params": {"input": message()}}


def make_scene(store: Any, **options: Any) -> Scene:
    return Scene(store, options=Options(handle_signals=False, **options))


def stepped(app: Any, scene: Scene) -> Any:
    """``app`` behind a server whose ``send`` waits, before and after."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        async def sending(event: Any) -> None:
            await scene.steps.point("send")
            await send(event)
            await scene.steps.point("send: sent")

        await app(scope, receive, sending)

    return serve


async def next_turn_works(server: Scene, bridge: ASGIBridge, thread_id: str) -> None:
    """Invariant: however a turn has ended, the next one on its thread runs."""
    server.arm(Steps())
    server.plain = True
    server.turns.resume()
    turn = await ChatKitClient(bridge).send(thread_id, "And now?")
    server.plain = False
    assert turn.ok
    assert turn.text == "Plain."


__all__ = [name for name in dir() if not name.startswith("_")] + ["ChatKitApp"]
