"""A store in the process's memory: for tests, demos and whatever need not outlive the process."""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any, Generic, TypeVar

import msgspec

from ._pages import KEPT, LEASE, Hidden, ItemQuery, Slice, missing, shown_ranges
from ._tables import AttachmentEntry, RowStore, Tables
from .base import TContext
from .rows import (
    Row,
    merged_attachment,
    merged_item,
    merged_thread,
    thread_shown,
)

__all__ = ["MemoryStore"]

E = TypeVar("E", bound="_Entry")
R = TypeVar("R")

MANY = 1_000
"""Entries that are freed at once; more, by the reads and writes that follow."""
FREED = 64
"""Entries that each of those frees."""

_seq = attrgetter("seq")


class MemoryStore(RowStore[TContext]):
    """Threads, items, attachments' records and feedback in memory, as the rows that a database would hold.

    Never suspends, so every method is atomic among the tasks of an event loop; not for several event loops at once.
    What one call costs does not grow with a thread.

    Args:
        owner: From a context to whose rows it sees. Without it the store is for a single user.
        lease: Seconds after which items that are aside come back by themselves.
        clock: Seconds since 1970, for leases.
    """

    def __init__(
        self,
        owner: Callable[[TContext], str] | None = None,
        *,
        lease: float = LEASE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(owner, lease=lease, clock=clock)
        self._tables = _MemoryTables()

    async def _read(self, work: Callable[[Tables], R]) -> R:
        self._tables.free_some()
        return work(self._tables)

    async def _write(self, work: Callable[[Tables], R]) -> R:
        self._tables.free_some()
        return work(self._tables)


class _Entry:
    """A row in its place."""

    __slots__ = ("id", "row", "seq", "wire")

    def __init__(self, id: str, seq: int, row: Row) -> None:
        self.id = id
        self.seq = seq
        self.put(row)

    def put(self, row: Row) -> None:
        self.row = row
        self.wire = None if row.hidden else msgspec.Raw(row.data)


class _ThreadEntry(_Entry):
    """That of a thread."""

    __slots__ = ()

    def put(self, row: Row) -> None:
        self.row = row
        self.wire = None

    def shown(self) -> msgspec.Raw:
        """Made when it is first asked for."""
        self.wire = thread_shown(self.row)
        return self.wire


class _Sequence(Generic[E]):
    """Rows by id and in the order of their first save."""

    __slots__ = ("_entry", "_last", "by_id", "in_order")

    def __init__(self, entry: type[E]) -> None:
        self._entry = entry
        self.by_id: dict[str, E] = {}
        self.in_order: list[E] = []
        self._last = 0

    def append(self, id: str, row: Row) -> None:
        self._last += 1
        self.by_id[id] = entry = self._entry(id, self._last, row)
        self.in_order.append(entry)

    def remove(self, id: str) -> None:
        entry = self.by_id.pop(id, None)
        if entry is not None:
            del self.in_order[bisect_left(self.in_order, entry.seq, key=_seq)]

    def places(self, first: int, last: int) -> range:
        """Where the entries from ``first`` to ``last`` are."""
        order = self.in_order
        return range(bisect_left(order, first, key=_seq), bisect_right(order, last, key=_seq))

    def slice(
        self,
        ranges: Iterable[tuple[int, int]],
        limit: int,
        *,
        descending: bool,
        visible: bool = False,
    ) -> tuple[list[E], str | None]:
        """The first entries of the ranges, and the last one's id when there are more."""
        found: list[E] = []
        for first, last in ranges:
            places = self.places(first, last)
            start, stop = places.start, places.stop
            while start < stop and (wanted := limit + 1 - len(found)) > 0:
                if descending:
                    part = self.in_order[max(stop - wanted, start) : stop][::-1]
                    stop -= len(part)
                else:
                    part = self.in_order[start : min(start + wanted, stop)]
                    start += len(part)
                found += [entry for entry in part if entry.wire is not None] if visible else part
        return found[:limit], found[limit - 1].id if len(found) > limit else None


class _Thread(_Sequence[_Entry]):
    """The items of a thread, and what belongs to them."""

    __slots__ = ("asides", "feedback", "pending")

    def __init__(self) -> None:
        super().__init__(_Entry)
        self.asides: dict[str, Hidden] = {}
        self.pending: dict[str, None] = {}
        self.feedback: dict[str, str] = {}

    def put(self, id: str, row: Row) -> None:
        entry = self.by_id.get(id)
        if entry is None:
            self.append(id, row)
        else:
            entry.put(row)
        if row.pending:
            self.pending[id] = None
        else:
            self.pending.pop(id, None)

    def forget(self, id: str) -> None:
        self.remove(id)
        self.pending.pop(id, None)
        self.feedback.pop(id, None)

    def shown(self, entry: _Entry | None, now: float) -> bool:
        return entry is not None and not any(
            first <= entry.seq <= last and expires > now
            for first, last, expires in self.asides.values()
        )


class _Owner:
    """Everything of one owner."""

    __slots__ = ("attached", "attachments", "rows", "threads")

    def __init__(self) -> None:
        self.rows = _Sequence(_ThreadEntry)
        self.threads: dict[str, _Thread] = {}
        self.attachments: dict[str, AttachmentEntry] = {}
        self.attached: dict[str, dict[str, None]] = {}
        """Ids of attachments by thread."""


class _MemoryTables:
    """:class:`Tables` in dicts. Every check comes before the first change, so nothing is ever half done."""

    def __init__(self) -> None:
        self._owners: dict[str, _Owner] = {}
        self._gone: list[tuple[list[_Entry], dict[str, _Entry]]] = []
        """Entries that nobody can reach any more, and the last that names them."""

    def _lose(self, entries: list[_Entry], by_id: dict[str, _Entry]) -> None:
        """Nobody can reach these any more. Freeing ten thousand at once would hold the event loop for milliseconds."""
        if len(entries) > MANY:
            self._gone.append((entries, by_id))

    def free_some(self) -> None:
        """Free a few of the entries that are gone."""
        if self._gone:
            entries, by_id = self._gone[-1]
            del entries[-FREED:]
            for _ in range(min(FREED, len(by_id))):
                by_id.popitem()
            if not entries and not by_id:
                self._gone.pop()

    def _of(self, owner: str) -> _Owner:
        return self._owners.get(owner) or _Owner()

    def _own(self, owner: str) -> _Owner:
        """To put something there."""
        owned = self._owners.get(owner)
        if owned is None:
            owned = self._owners[owner] = _Owner()
        return owned

    def _thread(self, owner: str, thread_id: str) -> _Thread:
        thread = self._of(owner).threads.get(thread_id)
        if thread is None:
            raise missing("thread", thread_id)
        return thread

    # -- threads -------------------------------------------------------------------------------

    def thread(self, owner: str, thread_id: str) -> Row:
        entry = self._of(owner).rows.by_id.get(thread_id)
        if entry is None:
            raise missing("thread", thread_id)
        return entry.row

    def threads(self, owner: str, after: str | None, limit: int, descending: bool) -> Slice[Row]:
        found, last = self._thread_page(owner, after, limit, descending)
        return Slice([entry.row for entry in found], last)

    def visible_threads(
        self, owner: str, after: str | None, limit: int, descending: bool
    ) -> Slice[Any]:
        found, last = self._thread_page(owner, after, limit, descending)
        return Slice([entry.wire or entry.shown() for entry in found], last)

    def _thread_page(
        self, owner: str, after: str | None, limit: int, descending: bool
    ) -> tuple[list[_ThreadEntry], str | None]:
        rows = self._of(owner).rows
        cursor = None
        if after is not None:
            if after not in rows.by_id:
                raise missing("thread", after)
            cursor = rows.by_id[after].seq
        ranges = shown_ranges((), after=cursor, descending=descending, now=0)
        return rows.slice(ranges, limit, descending=descending)

    def put_thread(self, owner: str, thread_id: str, row: Row) -> None:
        owned = self._own(owner)
        entry = owned.rows.by_id.get(thread_id)
        if entry is None:
            owned.rows.append(thread_id, row)
            owned.threads[thread_id] = _Thread()
        else:
            entry.put(merged_thread(row, entry.row))

    def change_thread(self, owner: str, thread_id: str, change: Callable[[Row], Row]) -> None:
        self.put_thread(owner, thread_id, change(self.thread(owner, thread_id)))

    def delete_thread(self, owner: str, thread_id: str) -> None:
        owned = self._of(owner)
        owned.rows.remove(thread_id)
        thread = owned.threads.pop(thread_id, None)
        if thread is not None:
            self._lose(thread.in_order, thread.by_id)
        for attachment_id in owned.attached.pop(thread_id, {}):
            del owned.attachments[attachment_id]

    # -- items ---------------------------------------------------------------------------------

    def item(self, owner: str, thread_id: str, item_id: str, now: float) -> Row:
        thread = self._thread(owner, thread_id)
        entry = thread.by_id.get(item_id)
        if entry is None or not thread.shown(entry, now):
            raise missing("item", item_id)
        return entry.row

    def items(self, query: ItemQuery) -> Slice[Row]:
        found, last = self._page(query, visible=False)
        return Slice([entry.row for entry in found], last)

    def visible_items(self, query: ItemQuery) -> Slice[Any]:
        found, last = self._page(query, visible=True)
        return Slice([entry.wire for entry in found], last)

    def _page(self, query: ItemQuery, *, visible: bool) -> tuple[list[_Entry], str | None]:
        owner, thread_id, after, limit, descending, now = query
        thread = self._thread(owner, thread_id)
        cursor = None
        if after is not None:
            if after not in thread.by_id:
                raise missing("item", after)
            cursor = thread.by_id[after].seq
        ranges = shown_ranges(thread.asides.values(), after=cursor, descending=descending, now=now)
        return thread.slice(ranges, limit, descending=descending, visible=visible)

    def pending_tool_calls(self, owner: str, thread_id: str, now: float) -> list[Row]:
        thread = self._thread(owner, thread_id)
        found = [entry for id in thread.pending if thread.shown(entry := thread.by_id[id], now)]
        found.sort(key=_seq, reverse=True)
        return [entry.row for entry in found if entry.row.type == "client_tool_call"]

    def put_item(self, owner: str, thread_id: str, item_id: str, row: Row, now: float) -> None:
        thread = self._thread(owner, thread_id)
        entry = thread.by_id.get(item_id)
        if entry is not None and thread.shown(entry, now):
            row = merged_item(row, entry.row)
        elif entry is not None:  # it is aside, which for everybody else means: not there
            thread.forget(item_id)
        thread.put(item_id, row)

    def settle_item(self, owner: str, thread_id: str, item_id: str, row: Row, now: float) -> bool:
        stored = self.item(owner, thread_id, item_id, now)
        if stored.pending:
            self._thread(owner, thread_id).put(item_id, merged_item(row, stored))
        return stored.pending

    def delete_item(self, owner: str, thread_id: str, item_id: str) -> None:
        thread = self._of(owner).threads.get(thread_id)
        if thread is not None:
            thread.forget(item_id)

    # -- asides --------------------------------------------------------------------------------

    def set_aside(
        self, owner: str, thread_id: str, item_id: str, token: str, now: float, lease: float
    ) -> None:
        thread = self._thread(owner, thread_id)
        entry = thread.by_id.get(item_id)
        if entry is None or not thread.shown(entry, now):
            raise missing("item", item_id)
        thread.asides = {
            name: each for name, each in thread.asides.items() if each.expires + KEPT > now
        }
        last = thread.in_order[-1].seq
        if last > entry.seq:
            thread.asides[token] = Hidden(entry.seq + 1, last, now + lease)

    def restore(self, owner: str, thread_id: str, token: str) -> None:
        thread = self._of(owner).threads.get(thread_id)
        if thread is not None:
            thread.asides.pop(token, None)

    def discard(self, owner: str, thread_id: str, token: str) -> None:
        thread = self._of(owner).threads.get(thread_id)
        hidden = None if thread is None else thread.asides.pop(token, None)
        if thread is None or hidden is None:
            return
        places = thread.places(hidden.first, hidden.last)
        gone = thread.in_order[places.start : places.stop]
        del thread.in_order[places.start : places.stop]
        if len(gone) > len(thread.in_order):
            self._lose(gone, thread.by_id)
            thread.by_id = {entry.id: entry for entry in thread.in_order}
        else:
            for entry in gone:
                del thread.by_id[entry.id]
        if thread.pending or thread.feedback:
            for entry in gone:
                thread.pending.pop(entry.id, None)
                thread.feedback.pop(entry.id, None)

    # -- attachments' records ------------------------------------------------------------------

    def attachment(self, owner: str, attachment_id: str) -> Row:
        entry = self._of(owner).attachments.get(attachment_id)
        if entry is None:
            raise missing("attachment", attachment_id)
        return entry[2]

    def attachments(self, owner: str, thread_id: str) -> list[Row]:
        owned = self._of(owner)
        return [owned.attachments[each][2] for each in owned.attached.get(thread_id, {})]

    def put_attachment(self, owner: str, entry: AttachmentEntry) -> None:
        owned = self._own(owner)
        attachment_id, thread_id, row = entry
        old = owned.attachments.get(attachment_id)
        if old is not None:
            row = merged_attachment(row, old[2])
            if old[1] is not None and old[1] != thread_id:
                owned.attached[old[1]].pop(attachment_id, None)
        owned.attachments[attachment_id] = (attachment_id, thread_id, row)
        if thread_id is not None:
            owned.attached.setdefault(thread_id, {})[attachment_id] = None

    def delete_attachment(self, owner: str, attachment_id: str) -> None:
        owned = self._of(owner)
        entry = owned.attachments.pop(attachment_id, None)
        if entry is not None and entry[1] is not None:
            owned.attached[entry[1]].pop(attachment_id, None)

    # -- feedback ------------------------------------------------------------------------------

    def feedback(self, owner: str, thread_id: str) -> dict[str, str]:
        return dict(self._thread(owner, thread_id).feedback)

    def put_feedback(
        self, owner: str, thread_id: str, item_ids: Sequence[str], kind: str, now: float
    ) -> None:
        thread = self._thread(owner, thread_id)
        for item_id in item_ids:
            if not thread.shown(thread.by_id.get(item_id), now):
                raise missing("item", item_id)
        thread.feedback.update(dict.fromkeys(item_ids, kind))
