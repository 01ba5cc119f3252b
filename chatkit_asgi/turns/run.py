"""The driver of one turn: runs the handler in a task of its own, performs the effects, feeds the viewers, ends it.

Invariant: an effect leaves the queue when it is done. Whatever interrupts the task in between, the rest is performed
at the end, so what was sent is stored. A handler that ignores its cancellation cannot prevent it: :meth:`Run.abandon`.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import anyio
from msgspec import Struct

from ..errors import AuthorError, NotFoundError, StreamError, stream_failure_of
from ..protocol.checking import UNWRITABLE
from ..protocol.effects import DeleteItem, Effect, LoadItem, PatchThread, SaveItem, Send
from ..protocol.turn import Turn
from ..protocol.visibility import is_hidden
from ..types import (
    AssistantMessageContentPartTextDelta,
    ThreadItemBase,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    UnknownItem,
)
from ._backend import Backend, Signal
from .intake import Intake, has_foreign_id
from .viewer import Viewer

if TYPE_CHECKING:
    from ..options import Options
    from ..server import ChatKitServer
    from ..store.base import Aside

__all__ = ["Outcome", "Plan", "Run"]

logger = logging.getLogger("chatkit_asgi.turns")

Outcome = Literal["finished", "failed", "stopped", "timed out", "shut down", "deleted"]

MANY_FRAMES = 256
"""Frames after which a handler that does not wait lets its viewers read."""

MANY_BYTES = 64 * 1024
"""The same for frames that are not text deltas, which are small."""

STEPS = 3
"""Times that a turn lets others run before its handler begins. A server may begin to send in a new task; and when
requests arrive together, each is told what came in before any handler takes the loop."""

SAVE_ATTEMPTS = 4
"""Times that a write is tried when a turn ends; the pauses begin at :data:`SAVE_PAUSE` and double."""

SAVE_PAUSE = 0.05

_ITEMS: Final = (ThreadItemBase, UnknownItem)


class Plan(Struct, kw_only=True):
    """What a streaming request wants, once everything that can be checked before the answer has been checked."""

    thread: ThreadMetadata
    context: Any
    begin: Callable[[Run], Awaitable[AsyncIterator[Any]]]
    """Called in the turn's task when it is its turn: stores what came in, tells it, returns the handler's events."""
    is_new: bool = False
    """Whether the thread does not exist yet."""
    give_back: Callable[[], Awaitable[object]] | None = None
    """Gives back what making the plan has claimed, if the turn never begins: nobody else could claim it again. A turn
    with a claim waits where others would be refused."""


class Run:
    """One turn. Made by :class:`~chatkit_asgi.turns.Turns`."""

    __slots__ = (
        "_checkpointed",
        "_checkpointing",
        "_closing",
        "_complete",
        "_deleted",
        "_ending",
        "_events",
        "_guard",
        "_intake",
        "_kept",
        "_lasting",
        "_space",
        "_storing",
        "_todo",
        "_weight",
        "_whole",
        "after",
        "aside",
        "backend",
        "before",
        "begun",
        "closing_at",
        "context",
        "crowded",
        "ended",
        "ended_at",
        "frames",
        "go",
        "joinable",
        "leaves_note",
        "options",
        "outcome",
        "owner",
        "plan",
        "request_id",
        "server",
        "started_at",
        "thread",
        "turn",
        "viewers",
    )

    def __init__(
        self,
        server: ChatKitServer[Any],
        plan: Plan,
        options: Options,
        backend: Backend,
        owner: str,
        request_id: str,
    ) -> None:
        self.server = server
        self.plan: Plan | None = plan
        self.options = options
        self.backend = backend
        self.owner = owner
        self.request_id = request_id
        self.context = plan.context
        self.thread = plan.thread
        self.turn = Turn(plan.thread)
        self.viewers: list[Viewer] = []
        self.aside: Aside | None = None
        """Items that a retry has put aside; gone for good with the first item that is stored."""
        self.before: Run | None = None
        """The turn that this one waits for."""
        self.after: Run | None = None
        """The turn that waits for this one."""
        self.go: Signal | None = None
        """Set when ``before`` has ended. This and the other signals are there while somebody waits."""
        self.joinable = True
        """Whether another viewer may come: if none can, nothing is kept for it."""
        self.begun = False
        """Whether what came in is stored and the handler has been called: from then on there is something to stop."""
        self.ended = False
        self.started_at = backend.now()
        self.ended_at = 0.0
        self.outcome: Outcome | None = None
        self.closing_at = 0.0
        """When the turn was asked to end, or failed."""
        self._closing: Outcome | None = None
        self._complete = False
        """Whether the handler has said all that it had to say."""
        self._ending = False
        self._deleted = False
        """Whether items were deleted, which may have carried attachments."""
        self.leaves_note = False
        """Whether the author's hook for a stop wants the default's note for the model."""
        self._kept = 0
        self._events: AsyncIterator[Any] | None = None
        self.frames: list[bytes] = []
        self._todo: list[Effect] = []
        self._lasting: dict[str | int, bytes] = {}
        """What a late viewer gets, in the order on screen; by item id where it is about an item."""
        self._guard = backend.guard(absorb=True)
        self._storing = False
        """Whether effects are being performed, from the first write to the last: checkpoints do not come in between."""
        self._checkpointing = False
        self._checkpointed: Signal | None = None
        self._space: Signal | None = None
        self._weight = 0
        self._whole: tuple[tuple[str, int], bytes] | None = None
        """The last frame that told a whole value, and of what."""
        self.crowded = False
        """Whether the handler waits for a viewer that is far behind."""
        self._intake = Intake(self.turn, self)

    # -- viewers -------------------------------------------------------------------------------

    def watch(self) -> Viewer:
        """A new viewer, which sees the turn from its beginning: what is finished, what is open as it is now, and the
        rest as it comes."""
        self.flush()
        viewer = Viewer(self, self.backend)
        if self._lasting:
            past = b"".join(
                frame if isinstance(key, int) else self.turn.so_far(key) or frame
                for key, frame in self._lasting.items()
            )
            if past:
                viewer.offer(past)
        if self.ended:
            viewer.close()
        else:
            self.viewers.append(viewer)
        return viewer

    def left(self, viewer: Viewer) -> None:
        """A viewer has gone. When it was the last, the policy decides whether the turn goes on."""
        if viewer in self.viewers:
            self.viewers.remove(viewer)
            self.taken()
            if not self.viewers and self.options.on_disconnect == "cancel":
                self.stop("stopped")

    def taken(self) -> None:
        """A viewer has taken what was waiting for it."""
        if self._space is not None:
            self._space.set()

    def take(self) -> bytes:
        """The frames that are ready, as one chunk."""
        frames = self.frames
        chunk = frames[0] if len(frames) == 1 else b"".join(frames)
        frames.clear()
        self._whole = None
        self._weight = 0
        return chunk

    def flush(self) -> None:
        """Hand the frames that are ready to every viewer."""
        if self.frames:
            chunk = self.take()
            for viewer in self.viewers:
                viewer.offer(chunk)

    def wake(self) -> None:
        """Frames are ready: viewers come and take them when this task suspends."""
        for viewer in self.viewers:
            if not viewer.sending:
                viewer.news.set()

    # -- the task ------------------------------------------------------------------------------

    def stop(self, why: Outcome) -> None:
        """End the turn early. The first reason counts; a turn that is ending already is left alone."""
        if self._closing is None and not self.ended:
            self._close_as(why)
            self._guard.interrupt()

    def _close_as(self, why: Outcome) -> None:
        if self._closing is None:
            self._closing = why
            self.closing_at = self.backend.now()

    @property
    def stopping(self) -> bool:
        """Whether the turn is over or about to be."""
        return self.ended or self._closing is not None

    @property
    def cut_short(self) -> bool:
        """Whether the turn ends, or has ended, before its handler had its say: a repeat of its request begins anew."""
        if self._closing == "deleted":
            return True
        return self._closing not in (None, "failed") and not self._complete

    async def main(self) -> None:
        """The whole life of the turn. Raises nothing but what ends the process."""
        error: BaseException | None = None
        fatal: BaseException | None = None
        try:
            async with self._guard:
                await self._live()
            if self._guard.ending == "torn down":
                self._close_as("shut down")
        except GeneratorExit:
            raise
        except (KeyboardInterrupt, SystemExit) as problem:
            fatal = problem
            self._close_as("shut down")
        except BaseException as problem:
            error = problem
            if self._closing is None:
                self._close_as("failed")
                logger.exception("turn failed", extra=self._log())
        with self.backend.shield():
            await self._close_events()
            await self._finish(error)
        if fatal is not None:
            raise fatal

    @property
    def is_stuck(self) -> bool:
        """Whether the turn has been asked to end and waits for its handler, not for the store."""
        return (
            self._closing is not None
            and not self._ending
            and not self._storing
            and not self._checkpointing
        )

    async def abandon(self) -> None:
        """End a turn whose handler swallows the cancellation or hangs in its cleanup.

        What was shown is saved and the viewers are let go. The handler goes on until it is done, but is not heard.
        """
        if self.is_stuck:
            logger.error("handler does not let go; its turn is ended without it", extra=self._log())
            with self.backend.shield():
                await self._finish(None)

    async def _finish(self, error: BaseException | None) -> None:
        if self._ending:
            return
        self._ending = True
        try:
            outcome = self._closing or "finished"
            if self._complete and outcome in ("stopped", "timed out", "shut down"):
                outcome = "finished"  # it came too late
            await self._end(outcome, error)
        except GeneratorExit:
            raise
        except BaseException:
            logger.critical("turn could not be ended", exc_info=True, extra=self._log())
        finally:
            self._over()

    async def _live(self) -> None:
        """Wait for the turn's turn, then take the handler's events as they come.

        The first frame wakes the viewers, which run when this task suspends and take all that is ready by then: so one
        wake-up and one send carry everything that was ready, and nothing is held back.
        """
        while self.before is not None and not self.before.ended:
            self.go = self.backend.signal()
            await self.go.wait()
        if self._closing is not None:
            return
        plan = self.plan
        assert plan is not None
        if self.before is not None and not plan.is_new:
            self.turn.rebase(
                await self.server.store.load_thread(self.thread.id, context=self.context)
            )
        self.before = None
        self.started_at = self.backend.now()
        self.plan = None  # what came in is not needed once it is stored
        self._events = await plan.begin(self)
        del plan
        self.begun = True
        if self._closing is not None:
            return
        frames = self.frames
        for _ in range(STEPS):
            await self.backend.step_aside()
        receive_event, receive_text = self.turn.receive_event, self.turn.receive_text
        intake = self._intake
        as_they_are = True  # events pass the intake by
        async for value in self._events:
            kind: Any = type(value)  # pyright: ignore[reportUnknownVariableType]
            out: bytes | list[Effect]
            if kind is ThreadItemUpdatedEvent and as_they_are:
                update = value.update
                if type(update) is AssistantMessageContentPartTextDelta:  # the path of every token
                    out = receive_text(value.item_id, update.delta, update.content_index)
                else:
                    out = receive_event(value)
            else:
                if kind is not str and kind is not ThreadItemUpdatedEvent:
                    if isinstance(value, _ITEMS):
                        value = ThreadItemDoneEvent(item=cast("Any", value))
                    if has_foreign_id(value):
                        await intake.adopt(value)
                out = intake.receive(value, self._todo)
                as_they_are = intake.text_id is None and not intake.aliases
            if type(out) is bytes:
                frames.append(out)
                ready = len(frames)
                if ready == 1:
                    self.wake()
                elif ready >= MANY_FRAMES:
                    await self._breathe()
            else:
                await self.perform(cast("list[Effect]", out))
                if self._weight >= MANY_BYTES:
                    await self._breathe()
                value, out = None, b""  # both may be large, and the next event hours away
            if self._closing is not None:
                return
        self._complete = self._closing is None
        await self.perform(intake.close_text())
        await self.perform(self.turn.thread_effects(deep=True))

    async def _breathe(self) -> None:
        """Let the viewers read; wait for those that are too far behind."""
        self.flush()
        await self.backend.step_aside()
        while any(viewer.size > self.options.viewer_buffer for viewer in self.viewers):
            self.crowded = True
            self._space = self.backend.signal()
            await self._space.wait()
        self.crowded = False

    async def _close_events(self) -> None:
        """The author's generator is always closed, within the grace time."""
        close = getattr(self._events, "aclose", None)
        if close is None or getattr(self._events, "ag_frame", self) is None:
            return  # nothing to close, or it has run to its end
        scope = anyio.move_on_after(self.options.shutdown_grace)
        try:
            with scope:
                await close()
        except GeneratorExit:
            raise
        except BaseException:
            logger.exception("handler failed while it was closed", extra=self._log())
        if scope.cancelled_caught:
            logger.error("handler did not close in time", extra=self._log())

    async def _end(self, outcome: Outcome, error: BaseException | None) -> None:
        self.outcome = outcome
        if outcome == "deleted":
            self._todo.clear()
            return
        await self._persist()
        failure = None
        if outcome in ("timed out", "shut down"):
            failure = stream_failure_of(StreamError("stream.error"))
        elif outcome == "failed" and error is not None:
            failure = stream_failure_of(error)
        if outcome == "stopped" and self.begun:
            await self._stopped()
        if self.plan is not None and self.plan.give_back is not None:  # it never began
            await self._insist(self.plan.give_back)
        self._todo += self.turn.close(failure)
        try:
            self._todo += self.turn.thread_effects(deep=True)
        except AuthorError as problem:
            if str(problem) != str(error):  # else it is why the turn failed, and has been told
                logger.exception("changes of the thread are lost", extra=self._log())
        await self._persist()
        if self.aside is not None:
            aside, self.aside = self.aside, None
            settle = (
                self.server.store.discard_aside
                if outcome == "finished"
                else self.server.store.restore_aside
            )
            await self._insist(lambda: settle(aside, context=self.context))
            self._deleted |= outcome == "finished"
        if self._deleted:
            await self._insist(
                lambda: self.server.delete_unused_attachments(self.thread.id, self.context)
            )

    async def _stopped(self) -> None:
        """Keep what was shown, then leave the note, through the author's hook if there is one."""
        by_hook = self.server.overrides("handle_stream_cancelled")
        if by_hook and await self._stopped_by_hook() and not self.leaves_note:
            return
        self._todo += self.turn.close()
        if self.aside is None or self.turn.produced:
            note = self.server.stopped_note(self.thread, self.context)
            self._todo.append(SaveItem(note, is_new=True))

    async def _stopped_by_hook(self) -> bool:
        """What was shown is in the store before the hook runs; what the hook makes of it counts.

        Returns:
            Whether the hook returned without an error.
        """
        pending = self.turn.pending()
        self._todo += self.turn.checkpoint()
        await self._persist()
        scope = anyio.move_on_after(self.options.shutdown_grace)
        is_done = False
        try:
            with scope:
                await self.server.handle_stream_cancelled(self.thread, pending, self.context)
                is_done = True
        except GeneratorExit:
            raise
        except BaseException:
            logger.exception("handle_stream_cancelled failed", extra=self._log())
        if scope.cancelled_caught:
            logger.error("handle_stream_cancelled did not end in time", extra=self._log())
        for item in pending:

            async def take_over(item_id: str = item.id) -> None:
                stored = await self._load(item_id)
                if stored is not None:
                    self.turn.replace_open(stored)

            await self._insist(take_over)
        return is_done

    def _over(self) -> None:
        self.flush()
        self.ended = True
        self.ended_at = self.backend.now()
        if logger.isEnabledFor(logging.INFO):
            logger.info("turn ended", extra={**self._log(), "chatkit_outcome": self.outcome})
        viewers, self.viewers = self.viewers, []
        for viewer in viewers:
            viewer.end()
        self.server.turns.ended(self)

    def _log(self) -> dict[str, Any]:
        return {
            "chatkit_thread_id": self.thread.id,
            "chatkit_request_id": self.request_id,
            "chatkit_seconds": round(self.backend.now() - self.started_at, 3),
        }

    # -- events and effects --------------------------------------------------------------------

    def new_base(self) -> dict[str, Any]:
        """What a new message needs."""
        return {
            "id": self.server.store.generate_item_id("message", self.thread, self.context),
            "thread_id": self.thread.id,
            "created_at": self.options.clock(),
        }

    async def is_stored(self, item_id: str) -> bool:
        """Whether the thread has an item of that id."""
        return await self._load(item_id) is not None

    async def _load(self, item_id: str) -> Any:
        try:
            return await self.server.store.load_item(self.thread.id, item_id, context=self.context)
        except NotFoundError:
            return None

    def tell(self, frame: bytes) -> None:
        """Send a frame that needs no saving."""
        self._put(frame)
        if self.joinable:
            self._keep(frame)

    def _keep(self, frame: bytes) -> None:
        self._kept += 1
        self._lasting[self._kept] = frame

    async def perform(self, effects: Sequence[Effect]) -> None:
        """Perform effects in order: a save is done before what follows it is sent."""
        if not self._ending:  # else the handler has been abandoned
            self._todo += effects
            await self._perform()

    async def _perform(self) -> None:
        todo = self._todo
        while todo and type(todo[0]) is Send:
            self._send(todo[0])
            todo.pop(0)
        if not todo:
            return
        while self._checkpointing:
            self._checkpointed = self.backend.signal()
            await self._checkpointed.wait()
        self._storing = True
        try:
            while todo:
                effect = todo[0]
                if type(effect) is Send:
                    self._send(effect)
                    todo.pop(0)
                elif type(effect) is LoadItem:
                    item = await self._load(effect.event.item_id)
                    todo.pop(0)  # also when it is refused
                    try:
                        todo[:0] = self.turn.receive_stored_item(effect.event, item)
                    except Exception:
                        if not self._ending:
                            raise
                        logger.exception("update is lost", extra=self._log())
                else:
                    await self._write(effect)
                    todo.pop(0)
        finally:
            self._storing = False

    def _send(self, effect: Send) -> None:
        if effect.whole is not None:
            last, frames = self._whole, self.frames
            if last is not None and last[0] == effect.whole and frames and frames[-1] is last[1]:
                self._weight -= len(frames.pop())  # nobody has taken it, and this one says it all
            self._whole = effect.whole, effect.frame
        self._put(effect.frame)
        if not self.joinable:
            return
        lasting, item_id = self._lasting, effect.item_id
        if item_id is None:
            if effect.lasting:
                self._keep(effect.frame)
        elif effect.gone:
            lasting.pop(item_id, None)
            self._keep(effect.frame)
        elif effect.lasting:
            lasting[item_id] = effect.frame
        else:
            lasting.setdefault(item_id, b"")

    def _put(self, frame: bytes) -> None:
        self._weight += len(frame)
        frames = self.frames
        frames.append(frame)
        if len(frames) == 1:
            self.wake()

    async def _write(self, effect: Effect) -> None:
        store, context, thread_id = self.server.store, self.context, self.thread.id
        if isinstance(effect, SaveItem):
            if self.aside is not None and not is_hidden(effect.item):
                await store.replace_aside(self.aside, effect.item, context=context)
                self.aside = None
                self._deleted = True
                return
            save = store.add_thread_item if effect.is_new else store.save_item
            await save(thread_id, effect.item, context=context)
        elif isinstance(effect, DeleteItem):
            await store.delete_thread_item(thread_id, effect.item_id, context=context)
            self._deleted = True
        elif isinstance(effect, PatchThread):
            stored = await store.update_thread(thread_id, effect.patch, context=context)
            frame = self.turn.receive_stored_thread(effect.patch, stored)
            if effect.announce:
                self.tell(frame)

    async def _persist(self) -> None:
        """Perform what is left. A store that fails is tried again; then the rest goes on without that write."""
        while self._todo:
            if await self._insist(self._perform):
                return
            lost = self._todo.pop(0)
            logger.critical("write given up: %s", type(lost).__name__, extra=self._log())
            if isinstance(lost, SaveItem):  # saved before told, so not told
                self._todo[:] = [
                    each
                    for each in self._todo
                    if not (isinstance(each, Send) and each.item_id == lost.item.id)
                ]

    async def _insist(self, write: Callable[[], Awaitable[object]]) -> bool:
        for attempt in range(SAVE_ATTEMPTS):
            try:
                if attempt:
                    await self.backend.sleep(SAVE_PAUSE * 2 ** (attempt - 1))
                await write()
                return True
            except NotFoundError:
                logger.warning("thread is gone", extra=self._log())
                self._todo.clear()
                return True
            except GeneratorExit:
                raise
            except BaseException as error:
                logger.exception("write failed (attempt %d)", attempt + 1, extra=self._log())
                if isinstance(error, UNWRITABLE):
                    return False
        return False

    async def put_aside(self, item_id: str) -> None:
        """Take everything after an item out of sight, for a retry: all of it or nothing."""

        async def work() -> None:
            self.aside = await self.server.store.set_aside_after(
                self.thread.id, item_id, context=self.context
            )

        self._storing = True
        try:
            await self.backend.complete(work)
        finally:
            self._storing = False

    async def checkpoint(self) -> None:
        """Save what is open as it is now, while the handler runs; never at the same time as another write. A failure is
        only logged: the next checkpoint or the end tries again."""
        # What waits in ``_todo`` appeared earlier.
        if self._storing or self._checkpointing or self._todo or self.stopping:
            return
        self._checkpointing = True
        try:
            await self._save_all(self.turn.checkpoint())
        except Exception:
            logger.exception("checkpoint failed", extra=self._log())
        finally:
            self._checkpointing = False
            if self._checkpointed is not None:
                self._checkpointed.set()

    async def _save_all(self, effects: Sequence[Effect]) -> None:
        for place, effect in enumerate(effects):
            try:
                await self._write(effect)
            except BaseException:
                # All of them, so that none is saved before an earlier one.
                for rest in effects[place:]:
                    self.turn.unsaved(cast("SaveItem", rest))
                raise
