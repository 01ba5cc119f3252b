"""The asyncio half of :mod:`._backend`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import AbstractContextManager, nullcontext
from contextvars import Context, copy_context
from types import TracebackType, coroutine
from typing import Any

from ._backend import Backend, Ending, Guard, Signal

__all__ = ["asyncio_backend"]

TASK_NAME = "chatkit_asgi"

_tasks: set[asyncio.Task[Any]] = set()
"""asyncio keeps only weak references to tasks."""

_forget = _tasks.discard


class _Now:
    """Awaiting it returns at once."""

    def __await__(self) -> Generator[Any, Any, None]:
        return
        yield


_NOW = _Now()


class _AsyncioSignal:
    __slots__ = ("_create", "_set", "_waiter")

    def __init__(self, create_future: Callable[[], asyncio.Future[None]]) -> None:
        self._create = create_future
        self._set = False
        self._waiter: asyncio.Future[None] | None = None

    def set(self) -> None:
        waiter, self._waiter = self._waiter, None
        try:
            if waiter is not None:
                waiter.set_result(None)
                return
        except asyncio.InvalidStateError:
            pass  # whoever waited was cancelled
        self._set = True

    def wait(self) -> Awaitable[None]:
        if self._set:
            self._set = False
            return _NOW
        waiter = self._waiter = self._create()
        return waiter


class _AsyncioGuard:
    __slots__ = ("_absorb", "_asked", "_over", "_task", "ending")

    def __init__(self, absorb: bool) -> None:
        self._absorb = absorb
        self.ending: Ending = "done"
        self._asked = False
        self._over = False
        self._task: asyncio.Task[Any] | None = None

    def interrupt(self) -> None:
        if not self._asked and not self._over:
            self._asked = True
            if self._task is not None:
                self._task.cancel()

    async def __aenter__(self) -> None:
        self._task = asyncio.current_task()
        if self._asked and self._task is not None:
            self._task.cancel()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> bool:
        task, self._task, self._over = self._task, None, True
        if task is not None and self._asked:
            task.uncancel()
        if not isinstance(error, asyncio.CancelledError):
            if task is not None and self._asked and not isinstance(error, GeneratorExit):
                await _hear_out(task)
            return False
        if self._asked:
            self.ending = "interrupted"
        elif not self._absorb:
            return False
        elif task is not None and task.cancelling():
            self.ending = "torn down"
        else:
            raise RuntimeError("cancelled from inside, by something that was awaited") from error
        return True


async def _hear_out(task: asyncio.Task[Any]) -> None:
    """Take a cancellation that was asked for in the last step of the work, and would now meet whatever the task awaits
    next: before Python 3.13, ``uncancel`` does not take it back."""
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        if task.cancelling():  # somebody else's
            raise


if sys.version_info >= (3, 12):

    def _begun_task(
        loop: asyncio.AbstractEventLoop, run: Coroutine[Any, Any, None]
    ) -> asyncio.Task[None]:
        return asyncio.Task(run, loop=loop, name=TASK_NAME, eager_start=True)

else:

    def _begun_task(
        loop: asyncio.AbstractEventLoop, run: Coroutine[Any, Any, None]
    ) -> asyncio.Task[None]:
        """What ``eager_start`` does since Python 3.12, by the functions that asyncio has for other kinds of task."""
        context = copy_context()
        steps: Any = _steps(run)
        task: asyncio.Task[None] = asyncio.Task(steps, loop=loop, name=TASK_NAME, context=context)
        caller = asyncio.current_task()
        if caller is not None:
            asyncio._leave_task(loop, caller)
        asyncio._enter_task(loop, task)
        try:
            context.run(next, steps)
        except StopIteration:
            pass  # over already, as the task finds in its own first step
        finally:
            asyncio._leave_task(loop, task)
            if caller is not None:
                asyncio._enter_task(loop, caller)
        return task

    @coroutine
    def _steps(run: Coroutine[Any, Any, None]) -> Generator[Any, Any, None]:
        """``run``, with a pause after its first step: there the task takes over, which must hear what ``run`` awaits
        in a step of its own."""
        try:
            awaited = run.send(None)
            try:
                yield
            except asyncio.CancelledError as error:
                task = asyncio.current_task()
                if awaited is None or task is None:
                    awaited = run.throw(error)
                else:  # once more, when the task knows what is awaited: that is cancelled with it
                    task.uncancel()
                    task.cancel()
            while awaited is not None:
                try:
                    yield awaited
                except BaseException as error:
                    awaited = run.throw(error)
                else:
                    break
            yield from run
        except StopIteration:
            pass


class _AsyncioBackend:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._create_future = loop.create_future
        self._no_context = Context()
        self.now = loop.time

    def signal(self) -> Signal:
        return _AsyncioSignal(self._create_future)

    def guard(self, *, absorb: bool) -> Guard:
        return _AsyncioGuard(absorb)

    def spawn(
        self, run: Callable[[], Coroutine[Any, Any, None]], *, eagerly: bool = False
    ) -> Callable[[], object]:
        if eagerly and self.loop.get_task_factory() is None:
            task = _begun_task(self.loop, run())
        else:
            task = self.loop.create_task(run(), name=TASK_NAME)
        _tasks.add(task)
        task.add_done_callback(_forget, context=self._no_context)  # else each keeps a copy of both
        return task.cancel

    def shield(self) -> AbstractContextManager[object]:
        return nullcontext()

    async def complete(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = self.loop.create_task(work())
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task])
            if not task.cancelled():
                task.result()
            raise

    async def step_aside(self) -> None:
        await asyncio.sleep(0)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def from_anywhere(self) -> Callable[[Callable[[], object]], object]:
        return self.loop.call_soon_threadsafe


_backend: _AsyncioBackend | None = None


def asyncio_backend() -> Backend:
    """The backend of the running loop; that of the last loop is kept."""
    global _backend
    loop = asyncio.get_running_loop()
    if _backend is None or _backend.loop is not loop:
        _backend = _AsyncioBackend(loop)
    return _backend
