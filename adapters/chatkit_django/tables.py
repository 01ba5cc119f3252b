""":class:`chatkit_asgi.store.tables.Tables` on Django's ORM: the only place that writes the models. Synchronous.

Every change of a thread begins with an ``UPDATE`` of its row. That gives items their order, keeps everybody else out
until the commit, and makes SQLite take its write lock at once: a transaction that reads first and then wants to write
is refused there when another process was faster. May import the models and ``chatkit_asgi.store``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import msgspec
from chatkit_asgi.errors import NotFoundError
from chatkit_asgi.store.rows import (
    Row,
    attachment_of,
    attachment_row,
    item_of,
    item_row,
    merged,
    thread_of,
    thread_row,
)
from chatkit_asgi.store.tables import KEPT, AttachmentEntry, ItemQuery, Slice, missing
from django.db.models import Exists, F, OuterRef, QuerySet

from .models import Aside, Attachment, Item, Thread

__all__ = ["DjangoTables"]

_ROW = ("data", "private", "version")
_ITEM = (*_ROW, "type", "hidden", "pending")


class DjangoTables:
    """The operations on one database.

    Args:
        using: The database's alias.
    """

    def __init__(self, using: str) -> None:
        self._using = using

    def _threads(self, owner: str, thread_id: str) -> QuerySet[Thread]:
        return Thread.objects.using(self._using).filter(owner=owner, key=thread_id)

    def _items(self, thread: int) -> QuerySet[Item]:
        return Item.objects.using(self._using).filter(thread=thread)

    def _shown(self, thread: int, now: float) -> QuerySet[Item]:
        return self._items(thread).exclude(_is_aside(now))

    def _attachments(self, owner: str, **names: str) -> QuerySet[Attachment]:
        return Attachment.objects.using(self._using).filter(owner=owner, **names)

    def _find(self, owner: str, thread_id: str) -> int:
        """The thread's primary key: the one place that says whose threads there are."""
        found = _first(self._threads(owner, thread_id), "pk")
        if found is None:
            raise missing("thread", thread_id)
        thread: int = found[0]
        return thread

    def _lock(self, owner: str, thread_id: str) -> tuple[int, int]:
        """The thread's primary key and a new place in it, for this transaction only."""
        threads = self._threads(owner, thread_id)
        if not threads.update(last=F("last") + 1):
            raise missing("thread", thread_id)
        thread, place = threads.values_list("pk", "last").get()
        return thread, place

    # -- threads -------------------------------------------------------------------------------

    def thread(self, owner: str, thread_id: str) -> Row:
        found = _first(self._threads(owner, thread_id), *_ROW)
        if found is None:
            raise missing("thread", thread_id)
        return _row(*found)

    def threads(self, owner: str, after: str | None, limit: int, descending: bool) -> Slice[Row]:
        threads = Thread.objects.using(self._using).filter(owner=owner)
        if after is not None:
            cursor = self._find(owner, after)
            threads = threads.filter(pk__lt=cursor) if descending else threads.filter(pk__gt=cursor)
        ordered = threads.order_by("-pk" if descending else "pk")
        found, name = _cut(ordered.values_list("key", *_ROW), limit)
        return Slice([_row(*row) for _, *row in found], name)

    def put_thread(self, owner: str, thread_id: str, row: Row) -> None:
        threads = self._threads(owner, thread_id)
        if not threads.update(last=F("last") + 1):
            _, created = Thread.objects.using(self._using).get_or_create(
                owner=owner, key=thread_id, defaults=_columns(row)
            )
            if created:
                return
        row = merged(row, self.thread(owner, thread_id), lambda old: thread_row(thread_of(old)))
        threads.update(**_columns(row))

    def change_thread(self, owner: str, thread_id: str, change: Callable[[Row], Row]) -> None:
        self._lock(owner, thread_id)
        self.put_thread(owner, thread_id, change(self.thread(owner, thread_id)))

    def delete_thread(self, owner: str, thread_id: str) -> None:
        self._attachments(owner, thread=thread_id).delete()
        self._threads(owner, thread_id).delete()

    # -- items ---------------------------------------------------------------------------------

    def item(self, owner: str, thread_id: str, item_id: str, now: float) -> Row:
        return self._item(self._find(owner, thread_id), item_id, now)

    def _item(self, thread: int, item_id: str, now: float) -> Row:
        found = _first(self._shown(thread, now).filter(key=item_id), *_ITEM)
        if found is None:
            raise missing("item", item_id)
        return _row(*found)

    def items(self, query: ItemQuery) -> Slice[Row]:
        found, after = self._page(query, self._shown, *_ROW)
        return Slice([_row(*row) for _, *row in found], after)

    def visible_items(self, query: ItemQuery) -> Slice[msgspec.Raw]:
        found, after = self._page(
            query, lambda thread, now: self._shown(thread, now).filter(hidden=False), "data"
        )
        return Slice([msgspec.Raw(data.encode()) for _, data in found], after)

    def _page(
        self, query: ItemQuery, choose: Callable[[int, float], QuerySet[Item]], *columns: str
    ) -> tuple[list[Any], str | None]:
        thread = self._find(query.owner, query.thread_id)
        items = choose(thread, query.now)
        if query.after is not None:
            cursor = _first(self._items(thread).filter(key=query.after), "place")
            if cursor is None:
                raise missing("item", query.after)
            items = items.filter(
                **{"place__lt" if query.descending else "place__gt": cursor[0]}
            )
        ordered = items.order_by("-place" if query.descending else "place")
        return _cut(ordered.values_list("key", *columns), query.limit)

    def pending_tool_calls(self, owner: str, thread_id: str, now: float) -> list[Row]:
        items = self._shown(self._find(owner, thread_id), now)
        pending = items.filter(pending=True, type="client_tool_call").order_by("-place")
        return [_row(*row) for row in pending.values_list(*_ROW)]

    def put_item(self, owner: str, thread_id: str, item_id: str, row: Row, now: float) -> None:
        thread, place = self._lock(owner, thread_id)
        items = self._items(thread).filter(key=item_id)
        found = _first(items.annotate(aside=_is_aside(now)), "aside", *_ITEM)
        if found is not None and not found[0]:
            items.update(**_item_columns(merged(row, _row(*found[1:]), _again)))
            return
        if found is not None:  # it is aside, which for everybody else means: not there
            items.delete()
        Item.objects.using(self._using).create(
            thread_id=thread, key=item_id, place=place, **_item_columns(row)
        )

    def settle_item(self, owner: str, thread_id: str, item_id: str, row: Row, now: float) -> bool:
        thread, _ = self._lock(owner, thread_id)
        stored = self._item(thread, item_id, now)
        if stored.pending:
            columns = _item_columns(merged(row, stored, _again))
            self._items(thread).filter(key=item_id).update(**columns)
        return stored.pending

    def delete_item(self, owner: str, thread_id: str, item_id: str) -> None:
        with suppress(NotFoundError):
            thread, _ = self._lock(owner, thread_id)
            self._items(thread).filter(key=item_id).delete()

    # -- asides --------------------------------------------------------------------------------

    def set_aside(
        self, owner: str, thread_id: str, item_id: str, token: str, now: float, lease: float
    ) -> None:
        thread, last = self._lock(owner, thread_id)
        found = _first(self._shown(thread, now).filter(key=item_id), "place")
        if found is None:
            raise missing("item", item_id)
        asides = Aside.objects.using(self._using)
        asides.filter(expires__lte=now - KEPT).delete()
        # Up to a place that nothing has: what is added from now on lies beyond it.
        asides.create(
            thread_id=thread, token=token, first=found[0] + 1, last=last, expires=now + lease
        )

    def restore(self, owner: str, thread_id: str, token: str) -> None:
        with suppress(NotFoundError):
            thread, _ = self._lock(owner, thread_id)
            Aside.objects.using(self._using).filter(thread=thread, token=token).delete()

    def discard(self, owner: str, thread_id: str, token: str) -> None:
        with suppress(NotFoundError):
            thread, _ = self._lock(owner, thread_id)
            asides = Aside.objects.using(self._using).filter(thread=thread, token=token)
            for first, last in asides.values_list("first", "last"):
                self._items(thread).filter(place__range=(first, last)).delete()
            asides.delete()

    # -- attachments' records ------------------------------------------------------------------

    def attachment(self, owner: str, attachment_id: str) -> Row:
        found = _first(self._attachments(owner, key=attachment_id), *_ROW)
        if found is None:
            raise missing("attachment", attachment_id)
        return _row(*found)

    def attachments(self, owner: str, thread_id: str) -> list[Row]:
        found = self._attachments(owner, thread=thread_id).order_by("pk")
        return [_row(*row) for row in found.values_list(*_ROW)]

    def put_attachment(self, owner: str, entry: AttachmentEntry) -> None:
        attachment_id, thread_id, row = entry
        stored = self._attachments(owner, key=attachment_id)
        if not stored.update(version=F("version")):
            _, created = Attachment.objects.using(self._using).get_or_create(
                owner=owner, key=attachment_id, defaults={"thread": thread_id, **_columns(row)}
            )
            if created:
                return
        old = self.attachment(owner, attachment_id)
        row = merged(row, old, lambda old: attachment_row(attachment_of(old)))
        stored.update(thread=thread_id, **_columns(row))

    def delete_attachment(self, owner: str, attachment_id: str) -> None:
        self._attachments(owner, key=attachment_id).delete()

    # -- feedback ------------------------------------------------------------------------------

    def feedback(self, owner: str, thread_id: str) -> dict[str, str]:
        items = self._items(self._find(owner, thread_id)).filter(feedback__isnull=False)
        return {key: kind for key, kind in items.values_list("key", "feedback") if kind}

    def put_feedback(
        self, owner: str, thread_id: str, item_ids: Sequence[str], kind: str, now: float
    ) -> None:
        thread, _ = self._lock(owner, thread_id)
        for item_id in item_ids:
            if not self._shown(thread, now).filter(key=item_id).update(feedback=kind):
                raise missing("item", item_id)


def _is_aside(now: float) -> Exists:
    """Whether an item is out of sight; in the statement that reads it, so that no change comes between the two."""
    return Exists(
        Aside.objects.filter(
            thread=OuterRef("thread"),
            first__lte=OuterRef("place"),
            last__gte=OuterRef("place"),
            expires__gt=now,
        )
    )


def _first(records: QuerySet[Any], *columns: str) -> Any:
    return next(iter(records.values_list(*columns)[:1]), None)


def _cut(records: Any, limit: int) -> tuple[list[Any], str | None]:
    """The page among rows that begin with a key, and its cursor when there is more."""
    found: list[Any] = list(records[: limit + 1])
    return (found[:limit], found[limit - 1][0]) if len(found) > limit else (found, None)


def _row(data: str, private: str | None, *rest: Any) -> Row:
    return Row(data.encode(), None if private is None else private.encode(), *rest)


def _columns(row: Row) -> dict[str, Any]:
    private = None if row.private is None else row.private.decode()
    return {"data": row.data.decode(), "private": private, "version": row.version}


def _item_columns(row: Row) -> dict[str, Any]:
    kind = {"type": row.type, "hidden": row.hidden, "pending": row.pending}
    return {**_columns(row), **kind}


def _again(row: Row) -> Row:
    return item_row(item_of(row))
