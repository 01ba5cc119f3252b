"""The few primitives that turns need of an event loop behave the same on asyncio and on trio."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from chatkit_asgi.turns import Signal, current_backend

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
        async with guard:
            await anyio.sleep(LIMIT)
            reached = True
        assert (guard.ending, reached) == ("interrupted", False)
        await self.after()

    async def test_interrupted_in_the_middle(self) -> None:
        guard = current_backend().guard(absorb=True)
        async with anyio.create_task_group() as tasks:

            async def work() -> None:
                async with guard:
                    await anyio.sleep(LIMIT)
                await self.after()

            tasks.start_soon(work)
            await anyio.wait_all_tasks_blocked()
            guard.interrupt()
            guard.interrupt()
        assert guard.ending == "interrupted"

    @pytest.mark.parametrize("fails", [False, True])
    async def test_interrupted_by_its_own_last_step(self, fails: bool) -> None:
        guard = current_backend().guard(absorb=True)
        with suppress(ValueError):
            async with guard:
                guard.interrupt()
                if fails:
                    raise ValueError
        assert guard.ending in ("done", "interrupted")
        await self.after()

    async def test_interrupted_before_work_that_never_waits(self) -> None:
        guard = current_backend().guard(absorb=True)
        guard.interrupt()
        async with guard:
            pass
        await self.after()

    @pytest.mark.parametrize("anyio_backend", ["asyncio"])
    async def test_the_tasks_own_cancellation_is_still_heard_after_an_interruption(self) -> None:
        guard = current_backend().guard(absorb=True)

        async def work() -> None:
            async with guard:
                guard.interrupt()
                task.cancel()
            await asyncio.sleep(0)

        task = asyncio.create_task(work())
        with pytest.raises(asyncio.CancelledError):
            await task

    async def test_interrupted_afterwards(self) -> None:
        guard = current_backend().guard(absorb=True)
        async with guard:
            await anyio.lowlevel.checkpoint()
        guard.interrupt()
        assert guard.ending == "done"
        await self.after()

    async def test_work_that_swallows_the_interruption_is_done(self) -> None:
        guard = current_backend().guard(absorb=True)
        async with anyio.create_task_group() as tasks:

            async def work() -> None:
                async with guard:
                    with suppress(BaseException):
                        await anyio.sleep(LIMIT)
                await self.after()

            tasks.start_soon(work)
            await anyio.wait_all_tasks_blocked()
            guard.interrupt()
        assert guard.ending == "done"

    async def test_an_exception_comes_through(self) -> None:
        guard = current_backend().guard(absorb=True)
        with pytest.raises(ValueError, match="mine"):
            async with guard:
                raise ValueError("mine")
        assert guard.ending == "done"

    async def test_an_exception_instead_of_the_interruption_comes_through(self) -> None:
        guard = current_backend().guard(absorb=True)
        guard.interrupt()
        with pytest.raises(ValueError, match="mine"):  # noqa: PT012 (it is what is interrupted)
            async with guard:
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
        with pytest.raises(RuntimeError, match="from inside"):
            async with guard:
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
                async with guard:
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
        async with guard:
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


class Work:
    """Work of which the first wait is of a certain kind; tells what happens to it."""

    def __init__(self, first: str, rest: float) -> None:
        self.first, self.rest = first, rest
        self.trace: list[str] = []
        self.over = anyio.Event()
        self.lock = anyio.Lock()

    async def __call__(self) -> None:
        self.trace.append(f"begun {variable.get()}")
        variable.set("changed")
        try:
            await self.wait()
            self.trace.append("waited")
            await anyio.sleep(self.rest)
            self.trace.append("done")
        except BaseException as error:
            self.trace.append(f"ended by {'cancellation' if cancelled(error) else repr(error)}")
            raise
        finally:
            self.over.set()

    async def wait(self) -> None:
        if self.first == "nothing":
            return
        if self.first == "others":
            await current_backend().step_aside()
        elif self.first == "a signal":
            signal = current_backend().signal()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self.set, signal)
                await signal.wait()
        elif self.first == "a time limit":
            with anyio.move_on_after(0.005) as scope:
                await anyio.sleep(LIMIT)
            self.trace.append(f"limit passed: {scope.cancelled_caught}")
        elif self.first == "a lock":  # belongs to a task
            async with self.lock:
                await anyio.sleep(0.001)
        elif self.first == "a thread":
            await anyio.to_thread.run_sync(lambda: None)
        elif self.first == "shielded work":
            with anyio.CancelScope(shield=True):
                await anyio.sleep(0.002)
                self.trace.append("shielded work is done")
            await anyio.lowlevel.checkpoint()

    async def set(self, signal: Signal) -> None:
        signal.set()


def cancelled(error: BaseException) -> bool:
    return isinstance(error, anyio.get_cancelled_exc_class())


FIRST = ("nothing", "others", "a signal", "a time limit", "a lock", "a thread", "shielded work")


@pytest.mark.parametrize("cancel_after", [None, 0, 1, 2, 3])
@pytest.mark.parametrize("first", FIRST)
async def test_work_that_is_begun_eagerly_goes_on_as_any_other(
    first: str, cancel_after: int | None
) -> None:
    """Whatever it first waits for, and whenever it is cancelled: as if its task had begun it."""
    backend = current_backend()
    variable.set("inside")
    traces: list[list[str]] = []
    for eagerly in (False, True):
        work = Work(first, 0 if cancel_after is None else LIMIT)
        cancel = backend.spawn(work, eagerly=eagerly)
        if not eagerly:
            while not work.trace:
                await anyio.lowlevel.checkpoint()
        if cancel_after is not None:
            for _ in range(cancel_after):
                await backend.step_aside()
            cancel()
        with anyio.fail_after(LIMIT):
            await work.over.wait()
        traces.append(work.trace)
        assert variable.get() == "inside"
    plainly, eagerly_ = traces
    assert eagerly_[0] == plainly[0] == "begun inside"
    if cancel_after is None:
        assert eagerly_ == plainly
    assert (
        eagerly_[-1] == plainly[-1] == ("done" if cancel_after is None else "ended by cancellation")
    )


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
class TestEagerlyOnAsyncio:
    async def test_the_first_step_is_done_at_once_in_a_task_of_its_own(self) -> None:
        tasks: list[asyncio.Task[object] | None] = []
        over = asyncio.Event()

        async def work() -> None:
            tasks.append(asyncio.current_task())
            await asyncio.sleep(0)
            tasks.append(asyncio.current_task())
            over.set()

        current_backend().spawn(work, eagerly=True)
        assert len(tasks) == 1
        await over.wait()
        assert tasks[0] is tasks[1] is not asyncio.current_task() is not None

    async def test_what_is_awaited_is_cancelled_with_the_work(self) -> None:
        """Also when the work is cancelled before its task has made a step."""
        inner: list[asyncio.Task[None]] = []
        over = asyncio.Event()

        async def work() -> None:
            inner.append(asyncio.ensure_future(asyncio.sleep(LIMIT)))
            try:
                await inner[0]
            finally:
                over.set()

        cancel = current_backend().spawn(work, eagerly=True)
        cancel()
        await asyncio.wait_for(over.wait(), LIMIT)
        assert inner[0].cancelled()

    async def test_a_task_factory_is_asked(self) -> None:
        """One that starts tasks eagerly, or watches them, goes on doing so."""
        loop = asyncio.get_running_loop()
        made: list[asyncio.Task[Any]] = []
        over = asyncio.Event()

        def factory(loop: asyncio.AbstractEventLoop, run: Any, **options: Any) -> Any:
            made.append(asyncio.Task(run, loop=loop, **options))
            return made[-1]

        async def work() -> None:
            await asyncio.sleep(0)
            over.set()

        loop.set_task_factory(factory)
        try:
            current_backend().spawn(work, eagerly=True)
        finally:
            loop.set_task_factory(None)
        await asyncio.wait_for(over.wait(), LIMIT)
        assert len(made) == 1

    async def test_what_ends_the_process_gets_through(self) -> None:
        async def work() -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            current_backend().spawn(work, eagerly=True)
        await asyncio.sleep(0)
