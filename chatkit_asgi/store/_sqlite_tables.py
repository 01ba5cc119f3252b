""":class:`~chatkit_asgi.store._tables.Tables` as SQL for SQLite. Runs in the store's threads, inside a transaction.

What happens all the time is one statement. Where that statement finds nothing to do, a slower path finds out why: an
unknown thread or cursor, items that are aside, a row that another version wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from sqlite3 import Connection
from typing import Any

import msgspec

from ._pages import KEPT, MAX_SEQUENCE, Hidden, ItemQuery, Slice, missing, shown_ranges
from ._tables import AttachmentEntry
from .rows import (
    VERSION,
    Row,
    merged_attachment,
    merged_item,
    merged_thread,
    thread_shown,
)

__all__ = ["SQLiteTables"]

_THREAD = "SELECT data, private, version FROM threads WHERE owner = ?1 AND id = ?2"

_PUT_THREAD = f"""
INSERT INTO threads (owner, id, seq, data, private, version)
VALUES (?1, ?2, COALESCE((SELECT MAX(seq) FROM threads WHERE owner = ?1), 0) + 1, ?3, ?4, ?5)
ON CONFLICT (owner, id) DO UPDATE SET data = excluded.data, private = excluded.private, version = excluded.version
WHERE threads.version = {VERSION} AND excluded.version = {VERSION}
"""

_SET_THREAD = (
    "UPDATE threads SET data = ?3, private = ?4, version = ?5 WHERE owner = ?1 AND id = ?2"
)

_NOT_ASIDE = """NOT EXISTS (
    SELECT 1 FROM asides WHERE asides.owner = items.owner AND asides.thread_id = items.thread_id
    AND items.seq BETWEEN asides.first AND asides.last AND asides.expires > {now}
)"""

_ITEM = f"""
SELECT data, private, version, type, hidden, pending FROM items
WHERE owner = ?1 AND thread_id = ?2 AND id = ?3 AND {_NOT_ASIDE.format(now="?4")}
"""

# A new sequence is beyond every row and every range that is aside, so that it can never fall into one.
_PUT_ITEM = f"""
INSERT INTO items (owner, thread_id, seq, id, data, private, version, type, hidden, pending)
SELECT ?1, ?2, 1 + MAX(
    COALESCE((SELECT MAX(seq) FROM items WHERE owner = ?1 AND thread_id = ?2), 0),
    COALESCE((SELECT MAX(last) FROM asides WHERE owner = ?1 AND thread_id = ?2), 0)
), ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM threads WHERE owner = ?1 AND id = ?2
ON CONFLICT (id, thread_id, owner) DO UPDATE SET
    data = excluded.data, private = excluded.private, version = excluded.version,
    type = excluded.type, hidden = excluded.hidden, pending = excluded.pending
WHERE items.version = {VERSION} AND excluded.version = {VERSION}
    AND NOT EXISTS (SELECT 1 FROM asides WHERE owner = ?1 AND thread_id = ?2)
"""

_SET_ITEM = """
UPDATE items SET data = ?4, private = ?5, version = ?6, type = ?7, hidden = ?8, pending = ?9
WHERE owner = ?1 AND thread_id = ?2 AND id = ?3
"""

_PENDING = f"""
SELECT data, private, version FROM items
WHERE owner = ?1 AND thread_id = ?2 AND pending = 1 AND type = 'client_tool_call' AND {_NOT_ASIDE.format(now="?3")}
ORDER BY seq DESC
"""

_ASIDES = "SELECT first, last, expires FROM asides WHERE owner = ?1 AND thread_id = ?2"

_SET_ASIDE = """
INSERT INTO asides (owner, thread_id, token, first, last, expires)
SELECT ?1, ?2, ?3, ?4 + 1, last, ?5
FROM (SELECT seq AS last FROM items WHERE owner = ?1 AND thread_id = ?2 ORDER BY seq DESC LIMIT 1)
WHERE last > ?4
"""
# Not MAX(seq): with a condition on it, SQLite reads the whole thread instead of the index's end.

_PUT_ATTACHMENT = f"""
INSERT INTO attachments (owner, id, thread_id, data, private, version) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (owner, id) DO UPDATE SET
    thread_id = excluded.thread_id, data = excluded.data, private = excluded.private, version = excluded.version
WHERE attachments.version = {VERSION} AND excluded.version = {VERSION}
"""

_SET_ATTACHMENT = """
UPDATE attachments SET thread_id = ?3, data = ?4, private = ?5, version = ?6 WHERE owner = ?1 AND id = ?2
"""

_PUT_FEEDBACK = """
INSERT INTO feedback (owner, thread_id, item_id, kind) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (owner, thread_id, item_id) DO UPDATE SET kind = excluded.kind
"""


class SQLiteTables:
    """The operations on one connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._run = connection.execute

    def _one(self, statement: str, *values: Any) -> Any:
        return self._run(statement, values).fetchone()

    def _check_thread(self, owner: str, thread_id: str) -> None:
        if (
            self._one("SELECT 1 FROM threads WHERE owner = ?1 AND id = ?2", owner, thread_id)
            is None
        ):
            raise missing("thread", thread_id)

    # -- threads -------------------------------------------------------------------------------

    def thread(self, owner: str, thread_id: str) -> Row:
        found = self._one(_THREAD, owner, thread_id)
        if found is None:
            raise missing("thread", thread_id)
        return Row(*found)

    def threads(self, owner: str, after: str | None, limit: int, descending: bool) -> Slice[Row]:
        cursor = 0 if not descending else MAX_SEQUENCE
        if after is not None:
            found = self._one("SELECT seq FROM threads WHERE owner = ?1 AND id = ?2", owner, after)
            if found is None:
                raise missing("thread", after)
            cursor = found[0]
        compare, order = ("<", "DESC") if descending else (">", "ASC")
        rows = self._run(
            "SELECT id, data, private, version FROM threads"
            f" WHERE owner = ?1 AND seq {compare} ?2 ORDER BY seq {order} LIMIT ?3",
            (owner, cursor, limit + 1),
        )
        found, name = _cut(rows.fetchall(), limit)
        return Slice([Row(*row) for _, *row in found], name)

    def visible_threads(
        self, owner: str, after: str | None, limit: int, descending: bool
    ) -> Slice[msgspec.Raw]:
        return self.threads(owner, after, limit, descending).of(thread_shown)

    def put_thread(self, owner: str, thread_id: str, row: Row) -> None:
        if not self._run(_PUT_THREAD, (owner, thread_id, *row.columns()[:3])).rowcount:
            row = merged_thread(row, self.thread(owner, thread_id))
            self._run(_SET_THREAD, (owner, thread_id, *row.columns()[:3]))

    def change_thread(self, owner: str, thread_id: str, change: Callable[[Row], Row]) -> None:
        self.put_thread(owner, thread_id, change(self.thread(owner, thread_id)))

    def delete_thread(self, owner: str, thread_id: str) -> None:
        self._run("DELETE FROM threads WHERE owner = ?1 AND id = ?2", (owner, thread_id))
        for table in ("items", "attachments", "feedback", "asides"):
            self._run(
                f"DELETE FROM {table} WHERE owner = ?1 AND thread_id = ?2", (owner, thread_id)
            )

    # -- items ---------------------------------------------------------------------------------

    def item(self, owner: str, thread_id: str, item_id: str, now: float) -> Row:
        found = self._one(_ITEM, owner, thread_id, item_id, now)
        if found is None:
            self._check_thread(owner, thread_id)
            raise missing("item", item_id)
        return Row(*found)

    def items(self, query: ItemQuery) -> Slice[Row]:
        found, after = self._page(query, "id, data, private, version", "")
        return Slice([Row(*row) for _, *row in found], after)

    def visible_items(self, query: ItemQuery) -> Slice[msgspec.Raw]:
        found, after = self._page(query, "id, data", "AND hidden = 0")
        return Slice([msgspec.Raw(data) for _, data in found], after)

    def _page(self, query: ItemQuery, columns: str, condition: str) -> tuple[list[Any], str | None]:
        owner, thread_id, after, limit, descending, _ = query
        statement = _page_statement(columns, condition, after is not None, descending)
        values = (
            (owner, thread_id, limit + 1) if after is None else (owner, thread_id, limit + 1, after)
        )
        found = self._run(statement, values).fetchall() or self._careful_page(
            query, columns, condition
        )
        return _cut(found, limit)

    def _careful_page(self, query: ItemQuery, columns: str, condition: str) -> list[Any]:
        """A page where the one statement found nothing: it may be empty, impossible, or have gaps."""
        owner, thread_id, after, limit, descending, now = query
        self._check_thread(owner, thread_id)
        cursor = None
        if after is not None:
            row = self._one(
                "SELECT seq FROM items WHERE owner = ?1 AND thread_id = ?2 AND id = ?3", *query[:3]
            )
            if row is None:
                raise missing("item", after)
            cursor = row[0]
        asides = [Hidden(*row) for row in self._run(_ASIDES, (owner, thread_id))]
        if not asides:
            return []
        statement = _range_statement(columns, condition, descending)
        found: list[Any] = []
        for first, last in shown_ranges(asides, after=cursor, descending=descending, now=now):
            found += self._run(statement, (owner, thread_id, limit + 1 - len(found), first, last))
            if len(found) > limit:
                break
        return found

    def pending_tool_calls(self, owner: str, thread_id: str, now: float) -> list[Row]:
        found = [Row(*row) for row in self._run(_PENDING, (owner, thread_id, now))]
        if not found:
            self._check_thread(owner, thread_id)
        return found

    def put_item(self, owner: str, thread_id: str, item_id: str, row: Row, now: float) -> None:
        if self._run(_PUT_ITEM, (owner, thread_id, item_id, *row.columns())).rowcount:
            return
        self._check_thread(owner, thread_id)
        stored = self._one(_ITEM, owner, thread_id, item_id, now)
        if stored is not None:
            self._run(
                _SET_ITEM, (owner, thread_id, item_id, *merged_item(row, Row(*stored)).columns())
            )
        else:  # it is aside, which for everybody else means: not there
            self.delete_item(owner, thread_id, item_id)
            self._run(_PUT_ITEM, (owner, thread_id, item_id, *row.columns()))

    def settle_item(self, owner: str, thread_id: str, item_id: str, row: Row, now: float) -> bool:
        stored = self.item(owner, thread_id, item_id, now)
        if stored.pending:
            self._run(_SET_ITEM, (owner, thread_id, item_id, *merged_item(row, stored).columns()))
        return bool(stored.pending)

    def delete_item(self, owner: str, thread_id: str, item_id: str) -> None:
        self._run(
            "DELETE FROM items WHERE owner = ?1 AND thread_id = ?2 AND id = ?3",
            (owner, thread_id, item_id),
        )
        self._run(
            "DELETE FROM feedback WHERE owner = ?1 AND thread_id = ?2 AND item_id = ?3",
            (owner, thread_id, item_id),
        )

    # -- asides --------------------------------------------------------------------------------

    def set_aside(
        self, owner: str, thread_id: str, item_id: str, token: str, now: float, lease: float
    ) -> None:
        self.item(owner, thread_id, item_id, now)
        place = self._one(
            "SELECT seq FROM items WHERE owner = ?1 AND thread_id = ?2 AND id = ?3",
            owner,
            thread_id,
            item_id,
        )[0]
        self._run("DELETE FROM asides WHERE expires <= ?1", (now - KEPT,))
        self._run(_SET_ASIDE, (owner, thread_id, token, place, now + lease))

    def restore(self, owner: str, thread_id: str, token: str) -> None:
        self._run(
            "DELETE FROM asides WHERE owner = ?1 AND thread_id = ?2 AND token = ?3",
            (owner, thread_id, token),
        )

    def discard(self, owner: str, thread_id: str, token: str) -> None:
        hidden = self._one(f"{_ASIDES} AND token = ?3", owner, thread_id, token)
        if hidden is None:
            return
        place = (owner, thread_id, hidden[0], hidden[1])
        items = "FROM items WHERE owner = ?1 AND thread_id = ?2 AND seq BETWEEN ?3 AND ?4"
        if (
            self._one(
                "SELECT 1 FROM feedback WHERE owner = ?1 AND thread_id = ?2", owner, thread_id
            )
            is not None
        ):
            self._run(
                f"DELETE FROM feedback WHERE owner = ?1 AND thread_id = ?2 AND item_id IN (SELECT id {items})",
                place,
            )
        self._run(f"DELETE {items}", place)
        self.restore(owner, thread_id, token)

    # -- attachments' records ------------------------------------------------------------------

    def attachment(self, owner: str, attachment_id: str) -> Row:
        found = self._one(
            "SELECT data, private, version FROM attachments WHERE owner = ?1 AND id = ?2",
            owner,
            attachment_id,
        )
        if found is None:
            raise missing("attachment", attachment_id)
        return Row(*found)

    def attachments(self, owner: str, thread_id: str) -> list[Row]:
        found = self._run(
            "SELECT data, private, version FROM attachments WHERE owner = ?1 AND thread_id = ?2 ORDER BY place",
            (owner, thread_id),
        )
        return [Row(*row) for row in found]

    def put_attachment(self, owner: str, entry: AttachmentEntry) -> None:
        attachment_id, thread_id, row = entry
        if not self._run(
            _PUT_ATTACHMENT, (owner, attachment_id, thread_id, *row.columns()[:3])
        ).rowcount:
            stored = self.attachment(owner, attachment_id)
            row = merged_attachment(row, stored)
            self._run(_SET_ATTACHMENT, (owner, attachment_id, thread_id, *row.columns()[:3]))

    def delete_attachment(self, owner: str, attachment_id: str) -> None:
        self._run("DELETE FROM attachments WHERE owner = ?1 AND id = ?2", (owner, attachment_id))

    # -- feedback ------------------------------------------------------------------------------

    def feedback(self, owner: str, thread_id: str) -> dict[str, str]:
        self._check_thread(owner, thread_id)
        found = self._run(
            "SELECT item_id, kind FROM feedback WHERE owner = ?1 AND thread_id = ?2",
            (owner, thread_id),
        )
        return {item_id.decode(): kind.decode() for item_id, kind in found}

    def put_feedback(
        self, owner: str, thread_id: str, item_ids: Sequence[str], kind: str, now: float
    ) -> None:
        self._check_thread(owner, thread_id)
        for item_id in item_ids:
            self.item(owner, thread_id, item_id, now)
            self._run(_PUT_FEEDBACK, (owner, thread_id, item_id, kind))


@cache
def _page_statement(columns: str, condition: str, after: bool, descending: bool) -> str:
    """A page of a thread of which nothing is aside; finds nothing if something is, or if the cursor is unknown."""
    compare, order = ("<", "DESC") if descending else (">", "ASC")
    cursor = "(SELECT seq FROM items WHERE owner = ?1 AND thread_id = ?2 AND id = ?4)"
    return f"""
    SELECT {columns} FROM items WHERE owner = ?1 AND thread_id = ?2 {condition}
    {f"AND seq {compare} {cursor}" if after else ""}
    ORDER BY seq {order}
    LIMIT CASE WHEN EXISTS (SELECT 1 FROM asides WHERE owner = ?1 AND thread_id = ?2) THEN 0 ELSE ?3 END
    """


@cache
def _range_statement(columns: str, condition: str, descending: bool) -> str:
    return f"""
    SELECT {columns} FROM items WHERE owner = ?1 AND thread_id = ?2 {condition} AND seq BETWEEN ?4 AND ?5
    ORDER BY seq {"DESC" if descending else "ASC"} LIMIT ?3
    """


def _cut(found: list[Any], limit: int) -> tuple[list[Any], str | None]:
    """The page among rows that begin with an id, and its cursor when there is more."""
    return (found[:limit], found[limit - 1][0].decode()) if len(found) > limit else (found, None)
