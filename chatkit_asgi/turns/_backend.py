"""The few primitives that turns need of an event loop, for asyncio and for trio.

anyio's own would do; these are its native counterparts, because a turn costs several wake-ups and a task, and because a
writer must outlive the request that started it: anyio has no task that belongs to nobody. Each loop's half is imported
where that loop runs.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager
from functools import cache
from types import TracebackType
from typing import Any, Literal, Protocol

__all__ = ["Backend", "Ending", "Guard", "Signal", "current_backend"]


class Signal(Protocol):
    """A wake-up for one waiter at a time. Set while nobody waits, it is remembered."""

    def set(self) -> None:
        """Wake the waiter, now or when it comes."""
        ...

    def wait(self) -> Awaitable[None]:
        """Return at once if set, otherwise when set; clear it. Must be awaited where it is called."""
        ...


Ending = Literal["done", "interrupted", "torn down"]


class Guard(Protocol):
    """An async context manager around work that may be interrupted, without touching what comes after it in the task.

    It swallows the interruption and nothing else. One that absorbs (:meth:`Backend.guard`) also swallows the teardown
    of the loop, so that saving can follow. A cancellation from inside the work, of something that was awaited and that
    somebody else cancelled, it raises as ``RuntimeError``: that is a failure, not a stop.
    """

    ending: Ending
    """Whether the work ended by itself, by :meth:`interrupt`, or because the loop is being torn down."""

    async def __aenter__(self) -> object: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> bool | None: ...

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

    def spawn(
        self, run: Callable[[], Coroutine[Any, Any, None]], *, eagerly: bool = False
    ) -> Callable[[], object]:
        """Run in a task that belongs to nobody, with the caller's context variables. ``run`` must not raise.

        Args:
            run: What to run.
            eagerly: Run it up to its first wait before this returns, where the loop can do that.

        Returns:
            A function that cancels it.
        """
        ...

    def shield(self) -> AbstractContextManager[object]:
        """Shield saving from trio's level cancellation, which is redelivered at every await; nothing on asyncio."""
        ...

    async def complete(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run ``work`` to completion even if the caller is cancelled; the cancellation is raised afterwards."""
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


def current_backend() -> Backend:
    """The backend of the running loop. The last loop's is kept: a new one is made only when another loop asks."""
    trio: Any = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_run():
        from ._trio import trio_backend

        return trio_backend()
    return _on_asyncio()()


@cache
def _on_asyncio() -> Callable[[], Backend]:
    """Imported where asyncio runs, and looked up once: an import statement costs more than the rest."""
    from ._asyncio import asyncio_backend

    return asyncio_backend
