""":class:`chatkit_asgi.store.tables.Tables` on the models of this app: the only place that writes them. Synchronous.

Every change of a thread begins with an ``UPDATE`` of its row. That gives items their order, keeps everybody else out
until the commit, and makes SQLite take its write lock at once: a transaction that reads first and then wants to write
is refused there when another process was faster.

What happens all the time is SQL that every database understands: the ORM takes ten times longer to make a statement
than SQLite to run it. The rest is the ORM's. May import the models and ``chatkit_asgi.store``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, cast

import msgspec
from django.db import connections
from django.db.models import QuerySet

from chatkit_asgi.errors import NotFoundError
from chatkit_asgi.store.rows import (
    Row,
    merged_attachment,
    merged_item,
    merged_thread,
    thread_shown,
)
from chatkit_asgi.store.tables import (
    KEPT,
    MAX_SEQUENCE,
    AttachmentEntry,
    ItemQuery,
    Slice,
    missing,
)

from .models import Aside, Attachment, Item, Thread, storable

__all__ = ["DjangoTables"]

_ROW = ("data", "private", "version")

_THIS = "WHERE owner = %s AND public_id = %s"
_THREAD = f"SELECT data, private, version FROM chatkit_django_thread {_THIS}"
_FIND = f"SELECT id FROM chatkit_django_thread {_THIS}"
_LOCK = f"UPDATE chatkit_django_thread SET last = last + 1 {_THIS}"
_LOCKED = f"SELECT id, last FROM chatkit_django_thread {_THIS}"

# In the statement that reads the item, so that no change comes between the two.
_ASIDE = """EXISTS (
    SELECT 1 FROM chatkit_django_aside a WHERE a.thread_id = i.thread_id
    AND i.place BETWEEN a.first AND a.last AND a.expires > %s
)"""

_ITEM = f"""
SELECT {_ASIDE}, i.place, i.data, i.private, i.version, i.type, i.hidden, i.pending
FROM chatkit_django_item i WHERE i.thread_id = %s AND i.public_id = %s
"""

_PUT_ITEM = """
INSERT INTO chatkit_django_item (thread_id, public_id, place, data, private, version, type, hidden, pending)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

_SET_ITEM = """
UPDATE chatkit_django_item SET data = %s, private = %s, version = %s, type = %s, hidden = %s, pending = %s
WHERE thread_id = %s AND public_id = %s
"""

_PENDING = f"""
SELECT i.data, i.private, i.version FROM chatkit_django_item i
WHERE i.thread_id = %s AND i.pending AND i.type = 'client_tool_call' AND NOT {_ASIDE} ORDER BY i.place DESC
"""

_PAGE = (
    "SELECT i.public_id, i.data, i.private, i.version FROM chatkit_django_item i"
    f" WHERE i.thread_id = %s AND i.place {{}} %s {{}} AND NOT {_ASIDE} ORDER BY i.place {{}} LIMIT %s"
)
_PAGES = {
    (visible, descending): _PAGE.format(
        "<" if descending else ">",
        "AND NOT i.hidden" if visible else "",
        "DESC" if descending else "ASC",
    )
    for visible in (False, True)
    for descending in (False, True)
}


class DjangoTables:
    """The operations on one database.

    Args:
        using: The database's alias.
    """

    def __init__(self, using: str) -> None:
        self._using = using

    def _run(self, statement: str, *values: Any) -> int:
        with connections[self._using].cursor() as cursor:
            cursor.execute(statement, values)
            changed: int = cursor.rowcount
            return changed

    def _all(self, statement: str, *values: Any) -> list[Any]:
        with connections[self._using].cursor() as cursor:
            cursor.execute(statement, values)
            found: list[Any] = cursor.fetchall()
            return found

    def _one(self, statement: str, *values: Any) -> Any:
        return next(iter(self._all(statement, *values)), None)

    # -- threads -------------------------------------------------------------------------------

    def _find(self, owner: str, thread_id: str) -> int:
        """The thread's primary key: whoever has it has asked whose the thread is."""
        found = self._one(_FIND, storable(owner), storable(thread_id))
        if found is None:
            raise missing("thread", thread_id)
        return cast("int", found[0])

    def _lock(self, owner: str, thread_id: str) -> tuple[int, int]:
        """The thread's primary key, and a new place in it, for the rest of this transaction."""
        key = storable(owner), storable(thread_id)
        if not self._run(_LOCK, *key):
            raise missing("thread", thread_id)
        return cast("tuple[int, int]", self._one(_LOCKED, *key))

    def thread(self, owner: str, thread_id: str) -> Row:
        found = self._one(_THREAD, storable(owner), storable(thread_id))
        if found is None:
            raise missing("thread", thread_id)
        return _row(*found)

    def threads(self, owner: str, after: str | None, limit: int, descending: bool) -> Slice[Row]:
        threads = Thread.objects.using(self._using).filter(owner=owner)
        if after is not None:
            cursor = self._find(owner, after)
            threads = threads.filter(pk__lt=cursor) if descending else threads.filter(pk__gt=cursor)
        ordered = threads.order_by("-pk" if descending else "pk").values_list("public_id", *_ROW)
        found, name = _cut(list(ordered[: limit + 1]), limit)
        return Slice([_row(*row) for _, *row in found], name)

    def visible_threads(
        self, owner: str, after: str | None, limit: int, descending: bool
    ) -> Slice[msgspec.Raw]:
        return self.threads(owner, after, limit, descending).of(thread_shown)

    def put_thread(self, owner: str, thread_id: str, row: Row) -> None:
        threads = Thread.objects.using(self._using)
        if not self._run(_LOCK, storable(owner), storable(thread_id)):
            key = {"owner": owner, "public_id": thread_id}
            _, created = threads.get_or_create(**key, defaults=_named(row))
            if created:
                return
        row = merged_thread(row, self.thread(owner, thread_id))
        threads.filter(owner=owner, public_id=thread_id).update(**_named(row))

    def change_thread(self, owner: str, thread_id: str, change: Callable[[Row], Row]) -> None:
        self._lock(owner, thread_id)
        self.put_thread(owner, thread_id, change(self.thread(owner, thread_id)))

    def delete_thread(self, owner: str, thread_id: str) -> None:
        self._attachments(owner, thread=thread_id).delete()
        threads = Thread.objects.using(self._using)
        threads.filter(owner=owner, public_id=thread_id).delete()  # with its items and asides

    # -- items ---------------------------------------------------------------------------------

    def _items(self, thread: int) -> QuerySet[Item]:
        return Item.objects.using(self._using).filter(thread=thread)

    def _shown(self, thread: int, item_id: str, now: float) -> tuple[int, Row]:
        """An item's place and row."""
        found = self._one(_ITEM, now, thread, storable(item_id))
        if found is None or found[0]:
            raise missing("item", item_id)
        return found[1], _row(*found[2:])

    def item(self, owner: str, thread_id: str, item_id: str, now: float) -> Row:
        return self._shown(self._find(owner, thread_id), item_id, now)[1]

    def items(self, query: ItemQuery) -> Slice[Row]:
        found, after = self._page(query, visible=False)
        return Slice([_row(*row) for _, *row in found], after)

    def visible_items(self, query: ItemQuery) -> Slice[msgspec.Raw]:
        found, after = self._page(query, visible=True)
        return Slice([msgspec.Raw(data.encode()) for _, data, *_ in found], after)

    def _page(self, query: ItemQuery, *, visible: bool) -> tuple[list[Any], str | None]:
        owner, thread_id, after, limit, descending, now = query
        thread, cursor = self._find(owner, thread_id), MAX_SEQUENCE if descending else 0
        if after is not None:
            found = self._one(_ITEM, now, thread, storable(after))
            if found is None:
                raise missing("item", after)
            cursor = found[1]
        statement = _PAGES[visible, descending]
        return _cut(self._all(statement, thread, cursor, now, limit + 1), limit)

    def pending_tool_calls(self, owner: str, thread_id: str, now: float) -> list[Row]:
        return [_row(*row) for row in self._all(_PENDING, self._find(owner, thread_id), now)]

    def put_item(self, owner: str, thread_id: str, item_id: str, row: Row, now: float) -> None:
        thread, place = self._lock(owner, thread_id)
        key = thread, storable(item_id)
        found = self._one(_ITEM, now, *key)
        if found is not None and not found[0]:
            row = merged_item(row, _row(*found[2:]))
            self._run(_SET_ITEM, *row.columns(), *key)
            return
        if found is not None:  # it is aside, which for everybody else means: not there
            self._items(thread).filter(public_id=item_id).delete()
        self._run(_PUT_ITEM, *key, place, *row.columns())

    def settle_item(self, owner: str, thread_id: str, item_id: str, row: Row, now: float) -> bool:
        thread, _ = self._lock(owner, thread_id)
        _, stored = self._shown(thread, item_id, now)
        if stored.pending:
            row = merged_item(row, stored)
            self._run(_SET_ITEM, *row.columns(), thread, storable(item_id))
        return stored.pending

    def delete_item(self, owner: str, thread_id: str, item_id: str) -> None:
        with suppress(NotFoundError):
            thread, _ = self._lock(owner, thread_id)
            self._items(thread).filter(public_id=item_id).delete()

    # -- asides --------------------------------------------------------------------------------

    def set_aside(
        self, owner: str, thread_id: str, item_id: str, token: str, now: float, lease: float
    ) -> None:
        thread, last = self._lock(owner, thread_id)
        place, _ = self._shown(thread, item_id, now)
        asides = Aside.objects.using(self._using)
        asides.filter(expires__lte=now - KEPT).delete()
        # Up to a place that nothing has: what is added from now on lies beyond it.
        asides.create(
            thread_id=thread, token=token, first=place + 1, last=last, expires=now + lease
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

    def _attachments(self, owner: str, **names: str) -> QuerySet[Attachment]:
        return Attachment.objects.using(self._using).filter(owner=owner, **names)

    def attachment(self, owner: str, attachment_id: str) -> Row:
        found = self._attachments(owner, public_id=attachment_id).values_list(*_ROW).first()
        if found is None:
            raise missing("attachment", attachment_id)
        return _row(*found)

    def attachments(self, owner: str, thread_id: str) -> list[Row]:
        found = self._attachments(owner, thread=thread_id).order_by("pk")
        return [_row(*row) for row in found.values_list(*_ROW)]

    def put_attachment(self, owner: str, entry: AttachmentEntry) -> None:
        attachment_id, thread_id, row = entry
        stored = self._attachments(owner, public_id=attachment_id)
        if not stored.update(thread=thread_id):
            _, created = Attachment.objects.using(self._using).get_or_create(
                owner=owner,
                public_id=attachment_id,
                defaults={"thread": thread_id, **_named(row)},
            )
            if created:
                return
        old = self.attachment(owner, attachment_id)
        row = merged_attachment(row, old)
        stored.update(thread=thread_id, **_named(row))

    def delete_attachment(self, owner: str, attachment_id: str) -> None:
        self._attachments(owner, public_id=attachment_id).delete()

    # -- feedback ------------------------------------------------------------------------------

    def feedback(self, owner: str, thread_id: str) -> dict[str, str]:
        items = self._items(self._find(owner, thread_id)).filter(feedback__isnull=False)
        return {name: kind for name, kind in items.values_list("public_id", "feedback") if kind}

    def put_feedback(
        self, owner: str, thread_id: str, item_ids: Sequence[str], kind: str, now: float
    ) -> None:
        thread, _ = self._lock(owner, thread_id)
        for item_id in item_ids:
            place, _ = self._shown(thread, item_id, now)
            self._items(thread).filter(place=place).update(feedback=kind)


def _cut(found: list[Any], limit: int) -> tuple[list[Any], str | None]:
    """The page among rows that begin with an id, and its cursor when there is more."""
    return (found[:limit], found[limit - 1][0]) if len(found) > limit else (found, None)


def _row(
    data: str,
    private: str | None,
    version: int,
    type: str = "",
    hidden: object = False,
    pending: object = False,
) -> Row:
    private_part = None if private is None else private.encode()
    return Row(data.encode(), private_part, version, type, bool(hidden), bool(pending))


def _named(row: Row) -> dict[str, Any]:
    return dict(zip(_ROW, row.columns(), strict=False))
