"""The few primitives that turns need of an event loop, for asyncio and for trio.

anyio's own would do; these are its native counterparts, because a turn costs several wake-ups and a task, and because a
writer must outlive the request that started it: anyio has no task that belongs to nobody. May import anyio and the
standard library; trio is only imported where it runs already.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from typing import Any, Literal, Protocol

__all__ = ["Backend", "Guard", "Signal", "current_backend"]

_tasks: set[asyncio.Task[Any]] = set()
"""asyncio keeps only weak references to tasks."""


class Signal(Protocol):
    """A wake-up for one waiter at a time. Set while nobody waits, it is remembered."""

    def set(self) -> None:
        """Wake the waiter, now or when it comes."""
        ...

    def wait(self) -> Awaitable[None]:
        """Returns at once if set, else when set; clears it. To be awaited where it is called."""
        ...


Ending = Literal["done", "interrupted", "torn down"]


class Guard(Protocol):
    """A context manager around work that others may interrupt, without touching what comes after it in the task.

    It swallows the interruption and nothing else. One that absorbs (:meth:`Backend.guard`) also swallows that the loop
    is torn down, so that saving can follow, and raises a cancellation that comes from inside the work, from something
    that was awaited and cancelled by somebody, as ``RuntimeError``: that is a failure, not a stop.
    """

    ending: Ending
    """Whether the work ended by itself, by :meth:`interrupt`, or because the loop is being torn down."""

    def __enter__(self) -> object: ...

    def __exit__(self, *exc_info: Any) -> bool | None: ...

    def interrupt(self) -> None:
        """Cancel the work, now or when it begins. Does nothing when it is over."""
        ...


class Backend(Protocol):
    """What the loop offers."""

    def signal(self) -> Signal:
        """A new signal."""
        ...

    def guard(self, *, absorb: bool) -> Guard:
        """A new guard."""
        ...

    def spawn(self, run: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], object]:
        """Run in a task that belongs to nobody, with the caller's context variables. ``run`` must not raise.

        Returns:
            What cancels it.
        """
        ...

    def shield(self) -> AbstractContextManager[object]:
        """Protects saving from a cancellation that would be delivered again at every await, where there is such."""
        ...

    async def complete(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run ``work`` to its end, also when the caller is interrupted, which it then is afterwards."""
        ...

    async def step_aside(self) -> None:
        """Let other tasks run."""
        ...

    def now(self) -> float:
        """The loop's monotonic clock."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        ...

    def from_anywhere(self) -> Callable[[Callable[[], object]], object]:
        """A function that schedules a callable on this loop, from any thread or a signal handler."""
        ...


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

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> bool:
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
        self._loop = loop
        self.now = loop.time

    def signal(self) -> Signal:
        return _AsyncioSignal(self._loop.create_future)

    def guard(self, *, absorb: bool) -> Guard:
        return _AsyncioGuard(absorb)

    def spawn(self, run: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], object]:
        task = self._loop.create_task(run())
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)
        return task.cancel

    def shield(self) -> AbstractContextManager[object]:
        return nullcontext()

    async def complete(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = self._loop.create_task(work())
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
        return self._loop.call_soon_threadsafe


class _TrioSignal:
    __slots__ = ("_set", "_waiter")

    def __init__(self) -> None:
        self._set = False
        self._waiter: Any = None

    def set(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is None:
            self._set = True
        else:
            sys.modules["trio"].lowlevel.reschedule(waiter)

    async def wait(self) -> None:
        lowlevel = sys.modules["trio"].lowlevel
        if self._set:
            self._set = False
            await lowlevel.checkpoint()
            return
        self._waiter = lowlevel.current_task()

        def abort(_: Any) -> Any:
            self._waiter = None
            return lowlevel.Abort.SUCCEEDED

        await lowlevel.wait_task_rescheduled(abort)


class _TrioGuard:
    __slots__ = ("_absorb", "_cancelled", "_scope", "ending")

    def __init__(self, trio: Any, absorb: bool) -> None:
        self._absorb = absorb
        self.ending: Ending = "done"
        self._cancelled: type[BaseException] = trio.Cancelled
        self._scope = trio.CancelScope()

    def interrupt(self) -> None:
        self._scope.cancel()

    def __enter__(self) -> None:
        self._scope.__enter__()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> bool:
        if self._scope.__exit__(kind, error, trace):
            self.ending = "interrupted"
            return True
        if self._absorb and isinstance(error, self._cancelled):
            self.ending = "torn down"
            return True
        return False


class _TrioBackend:
    def __init__(self, trio: Any) -> None:
        self._trio = trio
        self._token = trio.lowlevel.current_trio_token()
        self.now = trio.current_time

    def signal(self) -> Signal:
        return _TrioSignal()

    def guard(self, *, absorb: bool) -> Guard:
        return _TrioGuard(self._trio, absorb)

    def spawn(self, run: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], object]:
        scope = self._trio.CancelScope()

        async def main() -> None:
            with scope:
                await run()

        self._trio.lowlevel.spawn_system_task(main, context=copy_context())
        cancel: Callable[[], object] = scope.cancel
        return cancel

    def shield(self) -> AbstractContextManager[object]:
        scope: AbstractContextManager[object] = self._trio.CancelScope(shield=True)
        return scope

    async def complete(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        with self._trio.CancelScope(shield=True):
            await work()
        await self._trio.lowlevel.checkpoint_if_cancelled()

    async def step_aside(self) -> None:
        await self._trio.lowlevel.checkpoint()

    async def sleep(self, seconds: float) -> None:
        await self._trio.sleep(seconds)

    def from_anywhere(self) -> Callable[[Callable[[], object]], object]:
        return lambda call: self._token.run_sync_soon(call)


_asyncio_backend: _AsyncioBackend | None = None
_trio_backend: _TrioBackend | None = None


def current_backend() -> Backend:
    """The backend of the loop that is running now; the same object for the same loop."""
    global _asyncio_backend, _trio_backend
    trio: Any = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_run():
        token = trio.lowlevel.current_trio_token()
        if _trio_backend is None or _trio_backend._token is not token:  # pyright: ignore[reportPrivateUsage]
            _trio_backend = _TrioBackend(trio)
        return _trio_backend
    loop = asyncio.get_running_loop()
    if _asyncio_backend is None or _asyncio_backend._loop is not loop:  # pyright: ignore[reportPrivateUsage]
        _asyncio_backend = _AsyncioBackend(loop)
    return _asyncio_backend
