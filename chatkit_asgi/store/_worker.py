"""A thread of its own for a blocking connection, fed in batches from any event loop; two of them for a store.

A call is handed over at once and in order. The thread does everything that is waiting as one batch and wakes each
event loop once. Cancelling a caller takes nothing back: what was handed over is done. Knows nothing of SQL.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Final, Generic, Protocol, TypeVar

import anyio
from anyio.lowlevel import current_token

from ..errors import StoreError

__all__ = ["Call", "Session", "Worker", "Workers", "in_breaths"]

C = TypeVar("C")
R = TypeVar("R")

MAX_BATCH: Final = 256
"""Calls in one batch, so that the first of many callers does not wait for all of them."""


AT_ONCE: Final = 16
"""Callers woken in one turn of their event loop, so that nothing else there waits for all of them."""


BREATH: Final = 8
"""Calls after which a worker lets others have the interpreter. SQLite gives it up for microseconds only, too short for
an event loop to wake up and take it, which would then wait until Python forces the switch."""

EXIT_TIMEOUT: Final = 30.0
"""Seconds that the end of the process waits for what is still being written."""


class Call(Generic[C]):
    """Something to do with a connection, and who waits for it."""

    __slots__ = ("done", "error", "value", "wake", "work")

    def __init__(self, work: Callable[[C], Any]) -> None:
        self.work = work
        self.value: Any = None
        self.error: BaseException | None = None
        self.wake: Callable[..., Any]
        """Runs a function soon in the caller's event loop; may be called from any thread."""
        self.done: Callable[[], Any]
        """Ends the caller's wait; to be called in its event loop."""

    async def wait(self, hand_over: Callable[[Call[C]], None]) -> Any:
        """Hand the call over and wait for its result."""
        token: Any = current_token()
        native = getattr(token, "native_token", token)
        create_future = getattr(native, "create_future", None)
        if create_future is not None:  # asyncio: a future costs a third of an anyio.Event
            future = create_future()
            self.wake, self.done = (
                native.call_soon_threadsafe,
                lambda: future.done() or future.set_result(None),
            )
            hand_over(self)
            await future
        else:
            event = anyio.Event()
            self.wake, self.done = native.run_sync_soon, event.set
            hand_over(self)
            await event.wait()
        if self.error is not None:
            raise self.error
        return self.value


def in_breaths(calls: Sequence[Call[C]]) -> Iterator[Call[C]]:
    """The calls of a batch, with pauses for the event loop."""
    for place, call in enumerate(calls, 1):
        yield call
        if place % BREATH == 0:
            time.sleep(0)


class Session(Protocol[C]):
    """What a worker does with its connection. All methods run in the worker's thread."""

    def open(self) -> C:
        """Connect. Called again for the next batch after it raised or after :meth:`run` gave the connection up."""
        ...

    def run(self, connection: C, /, calls: Sequence[Call[C]]) -> bool:
        """Do all calls and note each one's value or error. Returns whether the connection is still good."""
        ...

    def close(self, connection: C, /) -> None:
        """Disconnect."""
        ...


class Worker(Generic[C]):
    """One daemon thread with one connection, both made at the first call."""

    def __init__(self, name: str, session: Session[C]) -> None:
        self._session = session
        self._queue: SimpleQueue[Call[C] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._lock = threading.Lock()
        self._started = False
        self._stopped = False
        self._over = False
        self._ending: list[Call[C]] = []

    async def call(self, work: Callable[[C], R]) -> R:
        """Run ``work`` with the connection and return what it returns, or raise what it raises.

        Cancelling the caller ends the wait and not the work.

        Raises:
            StoreError: The worker has been stopped.
        """
        result: R = await Call(work).wait(self._hand_over)
        return result

    def stop(self) -> None:
        """Do what is waiting, then end the thread."""
        with self._lock:
            self._stopped = True
            self._queue.put(None)

    async def ended(self) -> None:
        """Wait until the thread has done what was waiting and closed its connection."""

        def register(call: Call[C]) -> None:
            with self._lock:
                if self._over or not self._started:
                    call.done()
                else:
                    self._ending.append(call)

        await Call[C](lambda _: None).wait(register)

    def join(self, timeout: float) -> None:
        """Block until the thread has ended."""
        if self._started:
            self._thread.join(timeout)

    def _hand_over(self, call: Call[C]) -> None:
        with (
            self._lock
        ):  # Invariant: nothing is in the queue behind the end, where nobody would ever do it.
            if self._stopped:
                raise StoreError("The store was closed while it was in use.")
            if not self._started:
                self._started = True
                self._thread.start()
            self._queue.put(call)

    def _serve(self) -> None:
        connection: C | None = None
        going = True
        while going:
            calls, going = self._take()
            if calls:
                connection = self._run(connection, calls)
                _deliver(calls)
                del calls
        if connection is not None:
            self._session.close(connection)
        with self._lock:
            self._over = True
        _deliver(self._ending)

    def _run(self, connection: C | None, calls: list[Call[C]]) -> C | None:
        try:
            if connection is None:
                connection = self._session.open()
            good = self._session.run(connection, calls)
        except BaseException as error:  # whatever happens, somebody is waiting to hear of it
            for call in calls:
                call.error = call.error or error
            good = False
        if good or connection is None:
            return connection
        self._session.close(connection)
        return None

    def _take(self) -> tuple[list[Call[C]], bool]:
        """Everything that is waiting, at least one call; and whether more may come."""
        calls: list[Call[C]] = []
        try:
            call = self._queue.get()
            while call is not None:
                calls.append(call)
                if len(calls) == MAX_BATCH:
                    return calls, True
                call = self._queue.get_nowait()
        except Empty:
            return calls, True
        return calls, False


class Workers(Generic[C]):
    """The thread of a store that writes and the one that reads: begun at first use, and again after a close or a fork.

    What is waiting is done before the process ends. Threads of a store that nobody has any more end by themselves.

    Args:
        name: Of the threads, before ``-writer`` and ``-reader``.
        writer: What the one that writes does with its connection.
        reader: What the one that reads does; ``None`` for a database that is one connection's own, as in memory.
    """

    def __init__(self, name: str, writer: Session[C], reader: Session[C] | None) -> None:
        self._name = name
        self._sessions = (writer, reader)
        self._lock = threading.Lock()
        self._pair: _Pair[C] | None = None

    @property
    def writer(self) -> Worker[C]:
        """The one that writes. Raises StoreError where a fork has left the database behind."""
        return self._begun().writer

    @property
    def reader(self) -> Worker[C]:
        """The one that reads. Raises StoreError where a fork has left the database behind."""
        return self._begun().reader

    async def close(self) -> None:
        """Do what is waiting, close both connections and end the threads."""
        with self._lock:
            pair, self._pair = self._own(), None
        if pair is not None:
            pair.stop()
            await pair.ended()

    def _begun(self) -> _Pair[C]:
        pair = self._pair
        if pair is not None and pair.process == os.getpid():
            return pair
        with self._lock:
            forked = self._pair is not None and self._own() is None
            if forked and self._sessions[1] is None:
                raise StoreError(
                    "A database in memory cannot be used after fork; it belongs to the parent."
                )
            if self._pair is None:
                self._pair = _Pair(self, self._name, *self._sessions)
            return self._pair

    def _own(self) -> _Pair[C] | None:
        """What this process has begun. Threads do not survive a fork, and a connection of the parent's must not even be
        closed."""
        if self._pair is not None and self._pair.process != os.getpid():
            self._pair.stop.detach()
            _ABANDONED.append(self._pair)
            self._pair = None
        return self._pair


_ABANDONED: Final[list[_Pair[Any]]] = []
"""What a forked process inherited: kept, so that nothing of it is ever finalized."""


class _Pair(Generic[C]):
    """Both threads, and the process they live in."""

    def __init__(
        self, user: object, name: str, writer: Session[C], reader: Session[C] | None
    ) -> None:
        self.process = os.getpid()
        self.writer = Worker(f"{name}-writer", writer)
        self.reader = self.writer if reader is None else Worker(f"{name}-reader", reader)
        self.stop = weakref.finalize(user, self._end)
        """Lets the threads finish what is waiting, and end; happens by itself when nobody has ``user`` any more."""
        self.stop.atexit = False
        atexit.register(self._exit)

    async def ended(self) -> None:
        for worker in {self.reader, self.writer}:
            await worker.ended()

    def _end(self) -> None:
        atexit.unregister(self._exit)
        for worker in {self.reader, self.writer}:
            worker.stop()

    def _exit(self) -> None:
        if self.process == os.getpid():
            self._end()
            self.writer.join(EXIT_TIMEOUT)


def _deliver(calls: Sequence[Call[Any]]) -> None:
    """Wake every event loop that waits, once."""
    loops: dict[Any, list[Call[Any]]] = {}
    for call in calls:
        loops.setdefault(call.wake, []).append(call)
    for wake, done in loops.items():
        with suppress(RuntimeError):  # that event loop has ended, and its callers with it
            wake(_finish, wake, done)


def _finish(wake: Callable[..., Any], calls: Sequence[Call[Any]]) -> None:
    """End the waits of some callers, and of the others when the event loop has had a turn."""
    for call in calls[:AT_ONCE]:
        call.done()
    if len(calls) > AT_ONCE:
        wake(_finish, wake, calls[AT_ONCE:])
