"""The few primitives that turns need of an event loop behave the same on asyncio and on trio."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import ContextVar

import anyio
import anyio.lowlevel
import pytest

from chatkit_asgi.turns import current_backend

LIMIT = 5.0
variable: ContextVar[str] = ContextVar("variable", default="outside")


async def test_the_same_loop_has_the_same_backend() -> None:
    assert current_backend() is current_backend()


async def test_a_signal_is_remembered_once() -> None:
    signal = current_backend().signal()
    signal.set()
    signal.set()
    with anyio.fail_after(LIMIT):
        await signal.wait()
    with anyio.move_on_after(0.01) as scope:
        await signal.wait()
    assert scope.cancelled_caught


async def test_a_signal_wakes_who_waits() -> None:
    signal = current_backend().signal()
    with anyio.fail_after(LIMIT):
        async with anyio.create_task_group() as tasks:

            async def waiting() -> None:
                await signal.wait()

            tasks.start_soon(waiting)
            await anyio.wait_all_tasks_blocked()
            signal.set()


async def test_a_waiter_that_is_cancelled_takes_no_signal_with_it() -> None:
    signal = current_backend().signal()
    async with anyio.create_task_group() as tasks:

        async def waiting() -> None:
            await signal.wait()

        tasks.start_soon(waiting)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
        signal.set()
    signal.set()
    with anyio.fail_after(LIMIT):
        await signal.wait()


class TestGuard:
    """Invariant: an interruption ends the guarded work and touches nothing that comes after it."""

    async def after(self) -> None:
        """What comes after it is not cancelled."""
        await anyio.lowlevel.checkpoint()
        await anyio.sleep(0.001)

    async def test_interrupted_before(self) -> None:
        guard = current_backend().guard(absorb=True)
        guard.interrupt()
        reached = False
        with guard:
            await anyio.sleep(LIMIT)
            reached = True
        assert (guard.ending, reached) == ("interrupted", False)
        await self.after()

    async def test_interrupted_in_the_middle(self) -> None:
        guard = current_backend().guard(absorb=True)
        async with anyio.create_task_group() as tasks:

            async def work() -> None:
                with guard:
                    await anyio.sleep(LIMIT)
                await self.after()

            tasks.start_soon(work)
            await anyio.wait_all_tasks_blocked()
            guard.interrupt()
            guard.interrupt()
        assert guard.ending == "interrupted"

    async def test_interrupted_afterwards(self) -> None:
        guard = current_backend().guard(absorb=True)
        with guard:
            await anyio.lowlevel.checkpoint()
        guard.interrupt()
        assert guard.ending == "done"
        await self.after()

    async def test_work_that_swallows_the_interruption_is_done(self) -> None:
        guard = current_backend().guard(absorb=True)
        async with anyio.create_task_group() as tasks:

            async def work() -> None:
                with guard, suppress(BaseException):
                    await anyio.sleep(LIMIT)
                await self.after()

            tasks.start_soon(work)
            await anyio.wait_all_tasks_blocked()
            guard.interrupt()
        assert guard.ending == "done"

    async def test_an_exception_comes_through(self) -> None:
        guard = current_backend().guard(absorb=True)
        with pytest.raises(ValueError, match="mine"), guard:
            raise ValueError("mine")
        assert guard.ending == "done"

    async def test_an_exception_instead_of_the_interruption_comes_through(self) -> None:
        guard = current_backend().guard(absorb=True)
        guard.interrupt()
        with pytest.raises(ValueError, match="mine"), guard:  # noqa: PT012 (it is what is interrupted)
            try:
                await anyio.sleep(LIMIT)
            finally:
                raise ValueError("mine")
        await self.after()

    @pytest.mark.parametrize("anyio_backend", ["asyncio"])
    async def test_a_cancelled_child_is_a_failure(self) -> None:
        child = asyncio.ensure_future(asyncio.sleep(LIMIT))
        guard = current_backend().guard(absorb=True)
        child.cancel()
        with pytest.raises(RuntimeError, match="from inside"), guard:
            await child
        await self.after()

    async def test_somebody_elses_cancellation_is_a_tear_down_only_for_one_that_absorbs(
        self,
    ) -> None:
        endings: list[str] = []
        for absorb in (True, False):
            guard = current_backend().guard(absorb=absorb)
            with anyio.CancelScope() as scope:
                scope.cancel()
                with guard:
                    await anyio.sleep(LIMIT)
            endings.append(guard.ending)
        # asyncio tells a scope's cancellation from a task's by counting the latter: neither is ours.
        assert endings[1] == "done"


async def test_completed_work_is_completed_and_then_the_interruption_counts() -> None:
    backend = current_backend()
    guard = backend.guard(absorb=True)
    steps: list[str] = []
    go = anyio.Event()

    async def whole() -> None:
        steps.append("begun")
        await go.wait()
        steps.append("done")

    async def work() -> None:
        with guard:
            await backend.complete(whole)
            steps.append("not reached")

    with anyio.fail_after(LIMIT):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(work)
            await anyio.wait_all_tasks_blocked()
            guard.interrupt()
            await anyio.wait_all_tasks_blocked()
            go.set()
    assert steps == ["begun", "done"]
    assert guard.ending == "interrupted"


async def test_spawned_work_has_the_callers_context_and_can_be_cancelled() -> None:
    backend = current_backend()
    seen: list[str] = []
    over = anyio.Event()

    async def work() -> None:
        seen.append(variable.get())
        try:
            await anyio.sleep(LIMIT)
        finally:
            seen.append("closed")
            over.set()

    variable.set("inside")
    cancel = backend.spawn(work)
    await anyio.wait_all_tasks_blocked()
    cancel()
    with anyio.fail_after(LIMIT):
        await over.wait()
    assert seen == ["inside", "closed"]
