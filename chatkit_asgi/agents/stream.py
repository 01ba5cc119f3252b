"""Running a bridge: the parts of a source, and what tools say meanwhile, as one stream of thread events.

The source is read in a task of its own, so what a tool says is told at once, however long the model is silent. Both
put their events into one queue in the order in which they happen; the queue is bounded, so that neither runs far ahead
of a slow reader. There is no task and no timer for a single event.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, Final

import anyio

from ..errors import AuthorError, CustomStreamError
from ..turns._backend import Signal, current_backend
from ..types import ThreadItemUpdatedEvent, ThreadStreamEvent, WorkflowTaskUpdated
from .assembler import Assembler
from .parts import Failure, Part, TextDelta, Withdraw

if TYPE_CHECKING:
    from .context import AgentContext, ClientToolCall

__all__ = ["ModelFailure", "Outbox", "stream_parts", "stream_source"]

logger = logging.getLogger("chatkit_asgi.agents")

QUEUE_LIMIT: Final = 256
"""Events that may wait for the reader before whoever makes more has to wait."""

UNREAD_LIMIT: Final = 10_000
"""Events that may wait while nobody reads: before the stream begins, or after it has ended."""

NEWEST_ITEMS: Final = 5
"""Items to look at for a workflow to go on with: itself, client tool calls, and hidden notes."""

CLOSE_TIMEOUT: Final = 5.0
"""Seconds that a source may take to close when its stream is given up."""


class ModelFailure(CustomStreamError):
    """The model failed in the middle of its answer. Its text is the ``error`` event that the reader sees; what had come
    before is stored.

    Args:
        message: For the reader.
        allow_retry: Whether the client offers a retry.
        cause: What the source said, for the log.
    """

    def __init__(self, message: str, *, allow_retry: bool = True, cause: Any = None) -> None:
        super().__init__(message, allow_retry=allow_retry)
        self.cause = cause

    def __str__(self) -> str:
        return self.message if self.cause is None else f"{self.message} ({self.cause})"


class Outbox:
    """Events that wait to be read. Many writers, one reader at a time.

    Args:
        assembler: Makes the events of one context.
        take_client_tool_calls: Gives the client tool calls that are to be told at the end, once.
    """

    def __init__(
        self, assembler: Assembler, take_client_tool_calls: Callable[[], list[ClientToolCall]]
    ) -> None:
        self.assembler = assembler
        self.take_client_tool_calls = take_client_tool_calls
        self.queue: deque[Any] = deque()
        self.ready: Signal | None = None
        """Set when the queue is no longer empty, or the source has ended; there while somebody reads."""
        self.waiting: list[Signal] = []
        """Who waits for room."""

    def put(self, events: Sequence[Any]) -> bool:
        """Let events wait. One that says how a task is now takes the place of one before it that nobody has read.

        Returns:
            Whether there is room for more.

        Raises:
            AuthorError: Too many wait, and nobody reads.
        """
        queue = self.queue
        if not queue:
            queue += events
            if self.ready is not None:
                self.ready.set()
        elif _supersedes(events, queue[-1]):
            queue[-1] = events[0]
        else:
            queue += events
        if len(queue) < QUEUE_LIMIT:
            return True
        if self.ready is None and len(queue) > UNREAD_LIMIT:
            raise AuthorError("nobody reads what this AgentContext streams")
        return self.ready is None

    def more_text(self, text: str, key: Hashable, part: Hashable) -> bool | None:
        """:meth:`put` a :class:`TextDelta` that goes where the last text went.

        Returns:
            Whether there is room for more; ``None`` if the text goes elsewhere, and has not been taken.
        """
        event = self.assembler.more_text(text, key, part)
        if event is None:
            return None
        queue = self.queue
        queue.append(event)
        if (waiting := len(queue)) == 1 and self.ready is not None:
            self.ready.set()
        return waiting < QUEUE_LIMIT

    async def room(self) -> None:
        """Wait until there is room for more."""
        while self.ready is not None and len(self.queue) >= QUEUE_LIMIT:
            signal = current_backend().signal()
            self.waiting.append(signal)
            await signal.wait()

    async def send(self, events: Sequence[Any]) -> None:
        """:meth:`put`, then :meth:`room`."""
        if events and not self.put(events):
            await self.room()

    def emptied(self) -> None:
        """The reader has taken everything, or has left."""
        waiting, self.waiting = self.waiting, []
        for signal in waiting:
            signal.set()

    def end(self) -> list[Any]:
        """The events that end a run that has succeeded: what is open, then the client tool calls."""
        told: list[Any] = []
        # From the end, because the last one answers the model's last call.
        for call in reversed(self.take_client_tool_calls()):
            told[:0] = self.assembler.client_tool_call(call.name, call.arguments, call.call_id)
        return [*self.assembler.close(), *told]

    def forget(self) -> None:
        """The reader has left: nothing of its run is left for the next."""
        self.ready = None
        self.emptied()
        self.queue.clear()
        self.take_client_tool_calls()
        self.assembler.forget()

    def withdraw(self) -> list[Any]:
        """Drop unread events and return the events that remove what was already read."""
        unread = {event.item.id for event in self.queue if event.type == "thread.item.added"}
        self.queue.clear()
        return [
            event
            for event in self.assembler.receive(Withdraw())
            if getattr(event, "item_id", None) not in unread
        ]


def _supersedes(events: Sequence[Any], last: Any) -> bool:
    if type(last) is not ThreadItemUpdatedEvent or type(last.update) is not WorkflowTaskUpdated:
        return False
    event = events[0] if len(events) == 1 else None
    return (
        type(event) is ThreadItemUpdatedEvent
        and type(event.update) is WorkflowTaskUpdated
        and event.item_id == last.item_id
        and event.update.task_index == last.update.task_index
    )


class _Pump:
    """Reads a source into an outbox, in a task of its own."""

    def __init__(self, source: AsyncIterable[Part | ThreadStreamEvent], outbox: Outbox) -> None:
        self._source = source
        self._outbox = outbox
        self.error: BaseException | None = None
        self.is_done = False
        self._closed = current_backend().signal()
        self._cancel = current_backend().spawn(self._run)

    async def _run(self) -> None:
        """The task. One coroutine, because every event goes through it and down to the source."""
        outbox = self._outbox
        receive, more_text, put = outbox.assembler.receive, outbox.more_text, outbox.put
        source: Any = None
        try:
            try:
                source = aiter(self._source)
                async for part in source:
                    kind = type(part)  # pyright: ignore[reportUnknownVariableType]
                    if kind is TextDelta:
                        has_room = more_text(part.text, part.key, part.part)
                        if has_room is False:
                            await outbox.room()
                        if has_room is not None:
                            continue
                    if kind is Withdraw:
                        put(outbox.withdraw())
                    elif (events := receive(part)) and not put(events):
                        await outbox.room()
                    if kind is Failure:
                        raise ModelFailure(
                            part.message, allow_retry=part.allow_retry, cause=part.cause
                        )
            finally:
                if (close := getattr(source, "aclose", None)) is not None:
                    await close()
        except BaseException as error:
            self.error = error
        self.is_done = True
        self._closed.set()
        if outbox.ready is not None:
            outbox.ready.set()

    async def close(self) -> None:
        """End the reading, if it has not ended, and wait until the source is closed."""
        if self.is_done:
            return
        self._cancel()
        with anyio.move_on_after(CLOSE_TIMEOUT, shield=True):
            await self._closed.wait()
        if not self.is_done:
            logger.error("the source of an answer did not close in time")


def stream_parts(
    context: AgentContext[Any], source: AsyncIterable[Part | ThreadStreamEvent]
) -> AsyncGenerator[ThreadStreamEvent]:
    """The thread events of one run of a model.

    Goes on with the workflow that an earlier answer has left open. At the end closes what is open, then tells the
    client tool calls. If the source fails, what is open is closed too, and its exception is raised again.

    Args:
        context: What tools say through it comes in between, at once.
        source: The run's parts, read in a task of its own with the caller's context variables. Thread events may come
            in between. Cancelled and closed when this generator is: a source that holds a connection closes it then.

    Raises:
        ModelFailure: The source said that the model failed.
        AuthorError: The source gave something else than parts and events.
    """
    return stream_source(context, lambda _: source)


async def stream_source(
    context: AgentContext[Any],
    open_source: Callable[[Outbox], AsyncIterable[Part | ThreadStreamEvent]],
) -> AsyncGenerator[ThreadStreamEvent]:
    """:func:`stream_parts` of a source that may put text into the outbox itself, between its parts."""
    outbox = context.outbox()
    assembler, queue = outbox.assembler, outbox.queue
    newest = await context.store.load_thread_items(
        context.thread.id, None, NEWEST_ITEMS, "desc", context=context.request_context
    )
    assembler.resume(newest.data)
    ready = outbox.ready = current_backend().signal()
    pump = _Pump(open_source(outbox), outbox)
    is_closed = False
    try:
        while True:
            while queue:
                yield queue.popleft()
            if outbox.waiting:
                outbox.emptied()
            if not pump.is_done:
                await ready.wait()
            elif not is_closed:
                is_closed = True
                queue += outbox.end() if pump.error is None else assembler.close()
            elif not queue:
                break
        if pump.error is not None:
            raise pump.error
    finally:
        try:
            await pump.close()
        finally:
            outbox.forget()
