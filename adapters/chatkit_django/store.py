"""The store on Django's ORM. asyncio only, as Django is.

Two threads with a connection each, whatever the number of open streams: what Django does by itself, a thread and a
connection for each request, would hold both for as long as an answer lasts. The writer commits everything that is
waiting in one transaction, each call in a savepoint of its own, and answers after the commit.

Where a thread is waiting for this code (``async_to_sync``: a test, a sync view, a command), the work is done in that
thread, on its connection and in its transaction, as everything of Django's that is thread-sensitive. So a ``TestCase``
sees what it should and rolls it back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from asgiref.sync import AsyncToSync, SyncToAsync, sync_to_async
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connections, reset_queries, router, transaction

from chatkit_asgi.errors import StoreError
from chatkit_asgi.store.base import TContext
from chatkit_asgi.store.tables import LEASE, Call, RowStore, Tables, Workers, in_breaths

from . import conf

if not apps.is_installed("chatkit_django"):
    raise ImproperlyConfigured(
        "DjangoStore keeps its rows in tables of the app chatkit_django: add it to INSTALLED_APPS, then run "
        "manage.py migrate."
    )

from .models import Thread
from .tables import DjangoTables

__all__ = ["DjangoStore"]

R = TypeVar("R")

PAUSE: Final = 1.0
"""Seconds without a call after which the next one begins a new busy period. That is to the connections what a request
is elsewhere in Django: at its start, those that are too old (``CONN_MAX_AGE``) or broken are closed."""


class DjangoStore(RowStore[TContext]):
    """Threads, items, attachments' records and feedback in the project's database.

    Every write is one transaction and durable when the call returns. A caller that is cancelled takes nothing back. Any
    number of processes may use one database. Tested on SQLite and PostgreSQL.

    Args:
        owner: From a context to whose rows it sees. Default: ``CHATKIT["OWNER"]``, else the ``user_id`` of the context,
            which is the primary key of ``request.user`` as text. ``None``: the store is for a single user.
        using: The database's alias. Default: where the routers send writes of ``chatkit_django``.
        lease: Seconds after which items that are aside come back by themselves.
        clock: Seconds since 1970, for leases.
    """

    def __init__(
        self,
        owner: Callable[[TContext], str] | None = conf.owner_of,
        *,
        using: str | None = None,
        lease: float = LEASE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(owner, lease=lease, clock=clock)
        self.using: str = using or router.db_for_write(Thread)
        self._workers = Workers(
            "chatkit-django",
            _Session(self.using, writes=True),
            _Session(self.using, writes=False),
        )

    async def close(self) -> None:
        """Write what is waiting, then close both connections. The store opens again on use."""
        await self._workers.close()

    async def _read(self, work: Callable[[Tables], R]) -> R:
        return await self._run(work, writes=False)

    async def _write(self, work: Callable[[Tables], R]) -> R:
        return await self._run(work, writes=True)

    async def _run(self, work: Callable[[Tables], R], *, writes: bool) -> R:
        try:
            if _thread_waits_above() or self._in_memory():
                return await sync_to_async(_once)(self.using, work, writes)
            worker = self._workers.writer if writes else self._workers.reader
            return await worker.call(work)
        except Error as error:
            raise StoreError(f"The database {self.using!r} failed: {error}") from error

    def _in_memory(self) -> bool:
        """Whether another thread would see another database, or wait for nothing and fail."""
        connection: Any = connections[self.using]
        return connection.vendor == "sqlite" and bool(connection.is_in_memory_db())


def _thread_waits_above() -> bool:
    if (
        SyncToAsync.thread_sensitive_context.get(None) is not None
    ):  # a request's own thread: not ours to fill
        return False
    loops = AsyncToSync.loop_thread_executors
    return (
        bool(getattr(AsyncToSync.executors, "current", None)) or asyncio.get_running_loop() in loops
    )


def _once(using: str, work: Callable[[Tables], R], writes: bool) -> R:
    if not writes:
        return work(DjangoTables(using))
    with transaction.atomic(using=using):
        return work(DjangoTables(using))


class _Session:
    """One of the two threads. Its connection is Django's own, which is made when it is needed."""

    def __init__(self, using: str, *, writes: bool) -> None:
        self._using = using
        self._writes = writes
        self._rests_since = 0.0

    def open(self) -> DjangoTables:
        return DjangoTables(self._using)

    def close(self, tables: DjangoTables) -> None:
        connections[self._using].close()

    def run(self, tables: DjangoTables, calls: Sequence[Call[DjangoTables]]) -> bool:
        connection = connections[self._using]
        if connection.errors_occurred or time.monotonic() - self._rests_since > PAUSE:
            connection.close_if_unusable_or_obsolete()
            reset_queries()
        if not (self._writes and len(calls) > 1 and self._together(tables, calls)):
            for call in in_breaths(calls):
                _attempt(self._using, call, tables, self._writes)
        self._rests_since = time.monotonic()
        return True

    def _together(self, tables: DjangoTables, calls: Sequence[Call[DjangoTables]]) -> bool:
        """Whether the calls were committed; if not, nothing of them was."""
        try:
            with transaction.atomic(using=self._using):
                for call in in_breaths(calls):
                    _attempt(self._using, call, tables, True)
                # A call whose savepoint could not be returned to has taken all others with it.
                return not transaction.get_rollback(using=self._using)
        except Error:
            return False


def _attempt(using: str, call: Call[DjangoTables], tables: DjangoTables, writes: bool) -> None:
    call.value = call.error = None
    try:
        if writes:
            with transaction.atomic(using=using):
                call.value = call.work(tables)
        else:
            call.value = call.work(tables)
    except Exception as error:
        call.error = error
