"""The asyncio half of :mod:`._backend`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import AbstractContextManager, nullcontext
from contextvars import Context
from types import TracebackType
from typing import Any

from ._backend import Backend, Ending, Guard, Signal

__all__ = ["asyncio_backend"]

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
        waiter = self._waiter
        if waiter is None or waiter.done():
            self._set = True
        else:
            self._waiter = None
            waiter.set_result(None)

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

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        if self._asked and self._task is not None:
            self._task.cancel()

    def __exit__(
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

    def spawn(self, run: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], object]:
        task = self.loop.create_task(run(), name="chatkit_asgi")
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
    """The backend of the running loop; the same object for the same loop."""
    global _backend
    loop = asyncio.get_running_loop()
    if _backend is None or _backend.loop is not loop:
        _backend = _AsyncioBackend(loop)
    return _backend
