"""SQLite on threads of its own: the embedded default.

Two threads with a connection each, so that the event loop never waits for a disk. The *writer* commits everything that
is waiting in one transaction (group commit, WAL, ``synchronous=FULL``) and answers each caller after the commit: what
was told is durable. The *reader* answers everything that is waiting from one snapshot, taken after it was asked.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, TypeVar

from ..errors import StoreError
from ._pages import LEASE
from ._schema import MEMORY, connect
from ._sqlite_tables import SQLiteTables
from ._tables import RowStore, Tables
from ._worker import Call, Worker, Workers, in_breaths
from .base import TContext

__all__ = ["SQLiteStore"]

R = TypeVar("R")

BUSY_TIMEOUT: Final = 30.0
"""Seconds to wait for another process that is writing; SQLite waits fairly, so this is far more than it takes."""


class SQLiteStore(RowStore[TContext]):
    """Threads, items, attachments' records and feedback in one SQLite file. Opens at first use.

    Every write is one transaction, and durable when the call returns. A caller that is cancelled takes
    nothing back: its write is done, whole. A write that fails fails alone, and the store goes on with
    the next. Several processes may use one file, several event loops (asyncio or trio) one store; after
    ``fork`` the child opens the file for itself.

    Args:
        path: The file, or ``":memory:"`` for a database that :meth:`close` forgets.
        owner: From a context to whose rows it sees. Without it the store is for a single user.
        lease: Seconds after which items that are aside come back by themselves.
        busy_timeout: Seconds to wait for another process that is writing.
        clock: Seconds since 1970, for leases.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] = "chatkit.db",
        owner: Callable[[TContext], str] | None = None,
        *,
        lease: float = LEASE,
        busy_timeout: float = BUSY_TIMEOUT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(owner, lease=lease, clock=clock)
        self.path = os.fspath(path)
        self._workers = Workers[SQLiteTables](
            "chatkit-sqlite",
            _Writer(self.path, busy_timeout),
            None if self.path == MEMORY else _Reader(self.path, busy_timeout),
        )

    async def close(self) -> None:
        """Write what is waiting, then close the file. The store opens again on use."""
        await self._workers.close()

    async def _read(self, work: Callable[[Tables], R]) -> R:
        return await self._run(self._workers.reader, work)

    async def _write(self, work: Callable[[Tables], R]) -> R:
        return await self._run(self._workers.writer, work)

    async def _run(self, worker: Worker[SQLiteTables], work: Callable[[Tables], R]) -> R:
        try:
            return await worker.call(work)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"SQLite failed on {self.path}: {error}") from error


class _Session:
    """What both threads do alike: open and close."""

    def __init__(self, path: str, busy_timeout: float) -> None:
        self._path = path
        self._busy_timeout = busy_timeout

    def open(self) -> SQLiteTables:
        return SQLiteTables(connect(self._path, busy_timeout=self._busy_timeout))

    def close(self, tables: SQLiteTables) -> None:
        with suppress(sqlite3.Error):
            tables.connection.close()


class _Reader(_Session):
    """One snapshot for a batch of reads."""

    def run(self, tables: SQLiteTables, calls: Sequence[Call[SQLiteTables]]) -> bool:
        if len(calls) > 1:
            tables.connection.execute("BEGIN")
        for call in in_breaths(calls):
            _attempt(tables, call)
        if len(calls) > 1:
            tables.connection.execute("COMMIT")
        return not any(isinstance(call.error, sqlite3.Error) for call in calls)


class _Writer(_Session):
    """One transaction for a batch of writes, each of which fails alone.

    Nearly always nothing fails, so the batch is tried without marks to return to; then with one for
    each write; then, where SQLite undoes everything (disk full), write by write.
    """

    def run(self, tables: SQLiteTables, calls: Sequence[Call[SQLiteTables]]) -> bool:
        if len(calls) > 1 and any(self._together(tables, calls, marks) for marks in (False, True)):
            return True
        for place, call in enumerate(calls):
            try:
                tables.connection.execute("BEGIN IMMEDIATE")
            except sqlite3.Error as error:
                for rest in calls[place:]:
                    rest.error = error
                return self._path == MEMORY
            self._alone(tables, call)
        return True

    def _together(
        self, tables: SQLiteTables, calls: Sequence[Call[SQLiteTables]], marks: bool
    ) -> bool:
        """Whether the batch was committed; if not, nothing of it was."""
        execute = tables.connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            for call in in_breaths(calls):
                if marks:
                    execute("SAVEPOINT mark")
                _attempt(tables, call)
                if call.error is not None:
                    execute("ROLLBACK TO mark")  # raises where there is no mark (any more)
                if marks:
                    execute("RELEASE mark")
            execute("COMMIT")
        except sqlite3.Error:
            _roll_back(tables.connection)
            return False
        return True

    def _alone(self, tables: SQLiteTables, call: Call[SQLiteTables]) -> None:
        _attempt(tables, call)
        try:
            if call.error is None:
                tables.connection.execute("COMMIT")
        except sqlite3.Error as error:
            call.error = error
        _roll_back(tables.connection)


def _attempt(tables: SQLiteTables, call: Call[SQLiteTables]) -> None:
    try:
        call.value, call.error = call.work(tables), None
    except Exception as error:
        call.error = error


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
