"""The turns of one server: which run, which wait, which request joins which, and the clockwork they share.

Policies (design.md section 6): one turn at a time on a thread; a repeated request joins the turn that it repeats; a
limit on turns; one ticker for checkpoints, keep-alives, time limits and dead viewers of all of them.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakValueDictionary

import anyio

from ..errors import Conflict, RequestError, TooManyRequests
from ._backend import Backend, Signal, current_backend
from ._signals import watch_signals
from .run import Outcome, Plan, Run
from .viewer import Viewer

if TYPE_CHECKING:
    from ..options import Options
    from ..server import ChatKitServer

__all__ = ["Repeat", "ShuttingDown", "Turns"]

logger = logging.getLogger("chatkit_asgi.turns")

MIN_PATIENCE = 0.05
"""A handler that was asked to end gets at least this many seconds; normally a quarter of ``shutdown_grace``, which
leaves the rest for saving."""


class ShuttingDown(RequestError):
    """503: the server is stopping. A client repeats the request, and another process answers it."""

    status = 503
    default_code = "shutting_down"


class Repeat(NamedTuple):
    """How to tell that a request repeats another."""

    key: tuple[str, ...] | None = None
    """The ``Idempotency-Key`` with its scope, if the client sent one: good while the turn runs and for
    :attr:`Options.replay` after."""
    body: tuple[Any, ...] | None = None
    """The body with its scope, if an equal one on the same thread is a repeat: good while the turn runs."""


class _Admission:
    """The place that a request holds for those that repeat it, from its first moment on."""

    __slots__ = ("body", "error", "repeat", "run", "waiters")

    def __init__(self, repeat: Repeat, body: object) -> None:
        self.repeat = repeat
        self.body = body
        self.run: Run | None = None
        self.error: BaseException | None = None
        self.waiters: list[Signal] = []

    def settle(self) -> None:
        for waiter in self.waiters:
            waiter.set()


class Turns:
    """The turns of one server."""

    def __init__(self, server: ChatKitServer[Any]) -> None:
        self._server = server
        self._last: dict[tuple[str, str], Run] = {}
        """By owner and thread id: the thread's newest turn that is not over."""
        self._runs: set[Run] = set()
        self._admissions: dict[tuple[Any, ...], _Admission] = {}
        self._kept: dict[Run, _Admission] = {}
        self._owners: dict[str, int] = {}
        self._locks: WeakValueDictionary[tuple[str | None, ...], anyio.Lock] = WeakValueDictionary()
        """Each exists only while somebody holds it or waits for it."""
        self._ticking: Backend | None = None
        self._waiting: list[Signal] = []
        """Who waits for turns to end."""
        self._shutting_down = False

    @property
    def _options(self) -> Options:
        return self._server.options

    def __len__(self) -> int:
        return len(self._runs)

    # -- starting ------------------------------------------------------------------------------

    async def start(
        self,
        prepare: Callable[[], Awaitable[Plan]],
        *,
        owner: str,
        repeat: Repeat | None = None,
        check_repeat: Callable[[], Awaitable[object]] | None = None,
        body: object = None,
        request_id: str = "",
    ) -> Viewer:
        """Check a request and start its turn, or join the one that it repeats.

        Args:
            prepare: Checks everything that can be checked, and returns the plan. Not called for a repeat.
            owner: Whose turn it is.
            repeat: How to tell a repeat.
            check_repeat: Raises if the sender may not see the turn that the request repeats. Called for repeats only.
            body: The whole request, to find a key that is used for two different ones.
            request_id: For the log.

        Raises:
            Conflict: ``on_conflict`` is ``"reject"`` and a turn runs, or the key was used for another request.
            TooManyRequests: Over one of the limits.
            ShuttingDown: The server stops.
        """
        if self._shutting_down:
            raise ShuttingDown("The server is restarting.", headers={"retry-after": "1"})
        if repeat is None:
            return await self._begin(prepare, owner, request_id, None)
        earlier = self._earlier(repeat, body)
        if earlier is not None:
            if check_repeat is not None:
                await check_repeat()
            return await self._join(earlier)
        admission = _Admission(repeat, None if repeat.key is None else body)
        for key in (repeat.key, repeat.body):
            if key is not None:
                self._admissions[key] = admission
        try:
            return await self._begin(prepare, owner, request_id, admission)
        except BaseException as error:
            admission.error = error
            self._forget(admission)
            raise
        finally:
            admission.settle()

    async def _begin(
        self,
        prepare: Callable[[], Awaitable[Plan]],
        owner: str,
        request_id: str,
        admission: _Admission | None,
    ) -> Viewer:
        self._limit(owner)
        self._owners[owner] = self._owners.get(owner, 0) + 1
        run: Run | None = None
        try:
            run = self._admit(await prepare(), owner, request_id)
            run.joinable = admission is not None
            viewer = run.watch()
            if admission is not None:
                admission.run = run
                self._kept[run] = admission
            # What came in is stored and told in this very step, if the store does not wait: requests that come
            # together then need not wait for one another.
            run.backend.spawn(run.main, eagerly=True)
            return viewer
        except BaseException:
            if run is None:
                self._release(owner)
            raise

    def _earlier(self, repeat: Repeat, body: object) -> _Admission | None:
        if repeat.key is not None and (found := self._admissions.get(repeat.key)) is not None:
            if found.body != body:
                raise Conflict(
                    "This Idempotency-Key was used for another request.",
                    code="idempotency_key_reused",
                )
            if found.run is None or not found.run.cut_short:
                return found
        found = None if repeat.body is None else self._admissions.get(repeat.body)
        return (
            found if found is not None and (found.run is None or not found.run.stopping) else None
        )

    async def _join(self, admission: _Admission) -> Viewer:
        while admission.run is None:
            if admission.error is not None:
                if isinstance(admission.error, RequestError):
                    raise admission.error
                raise Conflict("The request that this one repeats has failed; send it again.")
            waiter = current_backend().signal()
            admission.waiters.append(waiter)
            await waiter.wait()
        return admission.run.watch()

    def _limit(self, owner: str) -> None:
        options = self._options
        busy = {"retry-after": "5"}
        if options.max_turns is not None and sum(self._owners.values()) >= options.max_turns:
            raise TooManyRequests("The server is busy.", code="max_turns", headers=busy)
        if (
            options.max_turns_per_owner is not None
            and self._owners.get(owner, 0) >= options.max_turns_per_owner
        ):
            raise TooManyRequests(
                "Too many answers at once.", code="max_turns_per_owner", headers=busy
            )

    def check_conflict(self, owner: str, thread_id: str) -> None:
        """For a plan that claims something: refuse before the claim what would be refused after it.

        Raises:
            Conflict: A turn runs on the thread, and ``on_conflict`` is ``"reject"``.
        """
        if self._options.on_conflict == "reject" and (owner, thread_id) in self._last:
            raise Conflict("Another answer is running in this thread.", code="turn_running")

    def _admit(self, plan: Plan, owner: str, request_id: str) -> Run:
        backend = current_backend()
        place = (owner, plan.thread.id)
        before = self._last.get(place)
        if before is not None:
            if plan.give_back is None:
                self.check_conflict(owner, plan.thread.id)
            if self._options.on_conflict == "interrupt":
                before.stop("stopped")
        run = Run(self._server, plan, self._options, backend, owner, request_id)
        if before is not None:
            run.before, before.after = before, run
        self._last[place] = run
        self._runs.add(run)
        if self._ticking is None or self._ticking is not backend:
            self._ticking = backend
            if self._options.handle_signals:
                watch_signals(self, backend)
            backend.spawn(lambda: self._tick(backend))
        return run

    # -- beside the turns ----------------------------------------------------------------------

    def open_item(self, owner: str, thread_id: str, item_id: str) -> Any:
        """A copy of an item that a turn of this process is still writing, as it is shown now, or ``None``."""
        run = self._last.get((owner, thread_id))
        while run is not None:
            if (found := run.turn.open.get(item_id)) is not None:
                return found.item()
            run = run.before
        return None

    def leave_note(self, thread_id: str) -> None:
        """Make the turns of a thread that are being stopped leave the note for the model."""
        for run in self._runs:
            if run.thread.id == thread_id and run.stopping:
                run.leaves_note = True

    def one_at_a_time(self, *what: str | None) -> anyio.Lock:
        """A lock for tasks of this process that must do the same thing one after the other."""
        return self._locks.setdefault(what, anyio.Lock())

    # -- ending --------------------------------------------------------------------------------

    def ended(self, run: Run) -> None:
        """A turn is over: the next one on its thread may begin."""
        self._runs.discard(run)
        self._release(run.owner)
        self._leave_queue(run)
        admission = self._kept.get(run)
        if admission is not None and (
            admission.repeat.key is None or run.outcome in ("stopped", "deleted")
        ):
            self._forget(admission)
            del self._kept[run]
        for waiter in self._waiting:
            waiter.set()

    def _leave_queue(self, run: Run) -> None:
        place, before, after = (run.owner, run.thread.id), run.before, run.after
        # It was still waiting; those behind it go on waiting.
        if before is not None and not before.ended:
            before.after = after
            if after is not None:
                after.before = before
            if self._last.get(place) is run:
                self._last[place] = before
            return
        if self._last.get(place) is run:
            del self._last[place]
        if after is not None and after.go is not None:
            after.go.set()

    def _release(self, owner: str) -> None:
        left = self._owners.get(owner, 0) - 1
        if left > 0:
            self._owners[owner] = left
        else:
            self._owners.pop(owner, None)

    def _forget(self, admission: _Admission) -> None:
        for key in (admission.repeat.key, admission.repeat.body):
            if key is not None and self._admissions.get(key) is admission:
                del self._admissions[key]

    async def stop_thread(self, owner: str, thread_id: str, why: Outcome) -> None:
        """Stop every turn of a thread and wait until they are over. None of them is joined by a repeat any more."""
        place = (owner, thread_id)
        while place in self._last:
            for run in self._runs:
                if (run.owner, run.thread.id) == place:
                    run.stop(why)
            last = self._last[place]
            await self._until(lambda: last.ended)  # noqa: B023 (awaited before ``last`` changes)
        for run, admission in list(self._kept.items()):
            if (run.owner, run.thread.id) == place:
                del self._kept[run]
                self._forget(admission)

    async def shutdown(self) -> None:
        """End all viewers, save all turns, within :attr:`Options.shutdown_grace`. New turns are refused from now on."""
        self.begin_shutdown()
        with anyio.move_on_after(self._options.shutdown_grace):
            await self._until(lambda: not self._runs)
        if self._runs:
            logger.error("%d turns did not end in time", len(self._runs))
        await self._server.store.close()

    def begin_shutdown(self) -> None:
        """Ask every turn to end."""
        self._shutting_down = True
        for run in list(self._runs):
            run.stop("shut down")

    def resume(self) -> None:
        """Take turns again, after a shutdown: an app may be started twice, in tests for example."""
        self._shutting_down = False

    async def _until(self, condition: Callable[[], bool]) -> None:
        signal = current_backend().signal()
        self._waiting.append(signal)
        try:
            while not condition():
                await signal.wait()
        finally:
            self._waiting.remove(signal)

    # -- the clockwork -------------------------------------------------------------------------

    async def _tick(self, backend: Backend) -> None:
        """Tick until no turn is left and no finished one is kept."""
        options = self._options
        patience = max(options.shutdown_grace / 4, MIN_PATIENCE)
        period = min(
            options.checkpoint_interval / 2,
            options.keep_alive / 4,
            options.send_timeout / 4,
            patience,
            1.0,
        )
        if options.turn_timeout is not None:
            period = min(period, options.turn_timeout / 4)
        keep_alive, send_timeout = options.keep_alive / period, options.send_timeout / period
        while self._ticking is backend and (self._runs or self._kept):
            await backend.sleep(period)
            try:
                self._pass_time(backend, keep_alive, send_timeout, patience)
            except Exception:
                logger.exception("tick failed")
        if self._ticking is backend:
            self._ticking = None

    def _pass_time(
        self, backend: Backend, keep_alive: float, send_timeout: float, patience: float
    ) -> None:
        options = self._options
        if options.handle_signals:  # again: a server may have put its own handler in front since
            watch_signals(self, backend)
        now = backend.now()
        for run in list(self._runs):
            for viewer in list(run.viewers):
                viewer.tick(keep_alive, send_timeout)
            if run.is_stuck and now - run.closing_at > patience:
                backend.spawn(run.abandon)
            if not run.begun or run.stopping:
                continue
            if options.turn_timeout is not None and now - run.started_at > options.turn_timeout:
                run.stop("timed out")
            elif run.turn.checkpoint_due():
                backend.spawn(run.checkpoint)
        for run, admission in list(self._kept.items()):
            if run.ended and now - run.ended_at > options.replay:
                del self._kept[run]
                self._forget(admission)
