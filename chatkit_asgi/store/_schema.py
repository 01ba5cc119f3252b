"""The SQLite file: its tables, how they came to be, and how it is opened.

A migration is a numbered tuple of statements and is never changed after a release. ``PRAGMA user_version`` counts those
that a file has had, and each runs in one transaction, so several processes may start on one new file at once.
"""

from __future__ import annotations

import sqlite3
import time
from typing import Final

from ..errors import StoreError

__all__ = ["MEMORY", "MIGRATIONS", "connect", "is_busy", "migrate"]

MEMORY: Final = ":memory:"

APPLICATION_ID: Final = 0x43484B54
"""``CHKT``: tells our files from another program's."""

BUSY: Final = frozenset({5, 6, 261, 517})
"""SQLITE_BUSY, SQLITE_LOCKED and their kinds: another process is writing."""

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        # `data` is a record's JSON as clients get it, `private` JSON that never leaves the server. `version` is the
        # vocabulary that wrote the row; 0, also for rows written by hand, means: look for unknown fields first.
        """CREATE TABLE threads (
            owner TEXT NOT NULL,
            id TEXT NOT NULL,
            seq INTEGER NOT NULL,
            data TEXT NOT NULL,
            private TEXT,
            version INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (owner, id)
        ) WITHOUT ROWID""",
        "CREATE UNIQUE INDEX threads_by_sequence ON threads (owner, seq)",
        # New rows, and ids that sort by time, land on the same few pages whatever their threads are: a commit of many
        # writes stays small.
        """CREATE TABLE items (
            place INTEGER PRIMARY KEY,
            owner TEXT NOT NULL,
            thread_id TEXT NOT NULL,
            seq INTEGER NOT NULL,
            id TEXT NOT NULL,
            type TEXT NOT NULL,
            hidden INTEGER NOT NULL DEFAULT 0,
            pending INTEGER NOT NULL DEFAULT 0,
            data TEXT NOT NULL,
            private TEXT,
            version INTEGER NOT NULL DEFAULT 0,
            UNIQUE (owner, thread_id, seq),
            UNIQUE (id, thread_id, owner)
        )""",
        "CREATE INDEX items_pending ON items (owner, thread_id, seq) WHERE pending = 1",
        """CREATE TABLE attachments (
            place INTEGER PRIMARY KEY,
            owner TEXT NOT NULL,
            id TEXT NOT NULL,
            thread_id TEXT,
            data TEXT NOT NULL,
            private TEXT,
            version INTEGER NOT NULL DEFAULT 0,
            UNIQUE (owner, id)
        )""",
        "CREATE INDEX attachments_by_thread ON attachments (owner, thread_id) WHERE thread_id IS NOT NULL",
        """CREATE TABLE feedback (
            owner TEXT NOT NULL,
            thread_id TEXT NOT NULL,
            item_id TEXT NOT NULL,
            kind TEXT NOT NULL,
            PRIMARY KEY (owner, thread_id, item_id)
        ) WITHOUT ROWID""",
        # Items from `first` to `last` are out of sight until `expires` (seconds since 1970).
        """CREATE TABLE asides (
            owner TEXT NOT NULL,
            thread_id TEXT NOT NULL,
            token TEXT NOT NULL,
            first INTEGER NOT NULL,
            last INTEGER NOT NULL,
            expires REAL NOT NULL,
            PRIMARY KEY (owner, thread_id, token)
        ) WITHOUT ROWID""",
    ),
)


def connect(path: str, *, busy_timeout: float) -> sqlite3.Connection:
    """Open the file and bring its schema up to date. Text comes out as bytes.

    Raises:
        StoreError: The file belongs to a newer version or to another program.
        sqlite3.Error: It cannot be opened.
    """
    connection = sqlite3.connect(
        path, timeout=busy_timeout, isolation_level=None, check_same_thread=False
    )
    try:
        connection.text_factory = bytes
        _version(connection, path)
        _switch_to_wal(connection, time.monotonic() + busy_timeout)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA journal_size_limit = 67108864")
        migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def migrate(connection: sqlite3.Connection, path: str = "The database") -> None:
    """Run the migrations that the file has not had.

    Raises:
        StoreError: The file belongs to a newer version or to another program.
    """
    if _version(connection, path) == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # The version is read again: another process may have been faster.
        for statements in MIGRATIONS[_version(connection, path) :]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection, path: str) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    program: int = connection.execute("PRAGMA application_id").fetchone()[0]
    if version and program != APPLICATION_ID:
        raise StoreError(f"{path} is the database of another program.")
    if version > len(MIGRATIONS):
        raise StoreError(
            f"{path} was written by a newer version of chatkit-asgi (schema {version}; this version knows "
            f"{len(MIGRATIONS)}). Install that version, or choose another file."
        )
    return version


def is_busy(error: BaseException) -> bool:
    """Whether the file is locked by somebody else."""
    return (
        isinstance(error, sqlite3.OperationalError)
        and getattr(error, "sqlite_errorcode", None) in BUSY
    )


def _switch_to_wal(connection: sqlite3.Connection, deadline: float) -> None:
    # SQLite does not wait here when another process switches the same new file.
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.005)
