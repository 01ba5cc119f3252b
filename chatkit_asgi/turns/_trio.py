"""The trio half of :mod:`._backend`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from contextvars import copy_context
from types import TracebackType
from typing import Any

import trio

from ._backend import Backend, Ending, Guard, Signal

__all__ = ["trio_backend"]


class _TrioSignal:
    __slots__ = ("_set", "_waiter")

    def __init__(self) -> None:
        self._set = False
        self._waiter: trio.lowlevel.Task | None = None

    def set(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is None:
            self._set = True
        else:
            trio.lowlevel.reschedule(waiter)

    async def wait(self) -> None:
        lowlevel = trio.lowlevel
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
    __slots__ = ("_absorb", "_scope", "ending")

    def __init__(self, absorb: bool) -> None:
        self._absorb = absorb
        self.ending: Ending = "done"
        self._scope = trio.CancelScope()

    def interrupt(self) -> None:
        self._scope.cancel()

    async def __aenter__(self) -> None:
        self._scope.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> bool:
        if self._scope.__exit__(kind, error, trace):
            if self._scope.cancelled_caught:  # it also returns true when there was nothing to catch
                self.ending = "interrupted"
            return True
        if self._absorb and isinstance(error, trio.Cancelled):
            self.ending = "torn down"
            return True
        return False


class _TrioBackend:
    def __init__(self) -> None:
        self.token = trio.lowlevel.current_trio_token()
        self.now = trio.current_time

    def signal(self) -> Signal:
        return _TrioSignal()

    def guard(self, *, absorb: bool) -> Guard:
        return _TrioGuard(absorb)

    def spawn(
        self, run: Callable[[], Coroutine[Any, Any, None]], *, eagerly: bool = False
    ) -> Callable[[], object]:
        scope = trio.CancelScope()

        async def main() -> None:
            with scope:
                await run()

        trio.lowlevel.spawn_system_task(main, context=copy_context())
        cancel: Callable[[], object] = scope.cancel
        return cancel

    def shield(self) -> AbstractContextManager[object]:
        scope: AbstractContextManager[object] = trio.CancelScope(shield=True)
        return scope

    async def complete(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        with trio.CancelScope(shield=True):
            await work()
        await trio.lowlevel.checkpoint_if_cancelled()

    async def step_aside(self) -> None:
        await trio.lowlevel.checkpoint()

    async def sleep(self, seconds: float) -> None:
        await trio.sleep(seconds)

    def from_anywhere(self) -> Callable[[Callable[[], object]], object]:
        return lambda call: self.token.run_sync_soon(call)


_backend: _TrioBackend | None = None


def trio_backend() -> Backend:
    """The backend of the running loop; the last loop's is kept."""
    global _backend
    if _backend is None or _backend.token is not trio.lowlevel.current_trio_token():
        _backend = _TrioBackend()
    return _backend
