"""A store in terms of rows: everything between :class:`~chatkit_asgi.store.base.Store` and a database that is shared.

:class:`Tables` is what a database must do, with keys and rows that are ready; :class:`RowStore` turns records into rows
and back and says who may see them, in one place for every store.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar, cast

import msgspec

from .._expected import unexpected
from ..errors import AuthorError, Conflict, NotFoundError
from ..ids import random_id
from ..types import (
    Attachment,
    ClientToolCallItem,
    FeedbackKind,
    Page,
    ThreadItem,
    ThreadMetadata,
    UserMessageItem,
)
from ._pages import LEASE, ItemQuery, Slice
from .base import Aside, Order, Owner, Store, TContext, ThreadPatch
from .rows import (
    Row,
    attachment_of,
    attachment_row,
    item_of,
    item_row,
    key,
    thread_of,
    thread_row,
)

__all__ = ["AttachmentEntry", "RowStore", "Tables"]

R = TypeVar("R")

AttachmentEntry = tuple[str, str | None, Row]
"""An attachment's id, its thread, its row."""


class Tables(Protocol):
    """The operations of a database. Each is atomic; ``NotFoundError`` leaves everything as it was.

    ``put_*`` insert at the end or replace in place, with ``merged_*`` of :mod:`~chatkit_asgi.store.rows`.
    """

    def thread(self, owner: str, thread_id: str) -> Row: ...
    def threads(
        self, owner: str, after: str | None, limit: int, descending: bool
    ) -> Slice[Row]: ...
    def visible_threads(
        self, owner: str, after: str | None, limit: int, descending: bool
    ) -> Slice[msgspec.Raw]: ...
    def put_thread(self, owner: str, thread_id: str, row: Row) -> None: ...
    def change_thread(self, owner: str, thread_id: str, change: Callable[[Row], Row]) -> None: ...
    def delete_thread(self, owner: str, thread_id: str) -> None: ...

    def item(self, owner: str, thread_id: str, item_id: str, now: float) -> Row: ...
    def items(self, query: ItemQuery) -> Slice[Row]: ...
    def visible_items(self, query: ItemQuery) -> Slice[msgspec.Raw]: ...
    def pending_tool_calls(self, owner: str, thread_id: str, now: float) -> list[Row]: ...
    def put_item(self, owner: str, thread_id: str, item_id: str, row: Row, now: float) -> None: ...
    def settle_item(
        self, owner: str, thread_id: str, item_id: str, row: Row, now: float
    ) -> bool: ...
    def delete_item(self, owner: str, thread_id: str, item_id: str) -> None: ...

    def set_aside(
        self, owner: str, thread_id: str, item_id: str, token: str, now: float, lease: float
    ) -> None: ...
    def restore(self, owner: str, thread_id: str, token: str) -> None: ...
    def discard(self, owner: str, thread_id: str, token: str) -> None: ...

    def attachment(self, owner: str, attachment_id: str) -> Row: ...
    def attachments(self, owner: str, thread_id: str) -> list[Row]: ...
    def put_attachment(self, owner: str, entry: AttachmentEntry) -> None: ...
    def delete_attachment(self, owner: str, attachment_id: str) -> None: ...

    def feedback(self, owner: str, thread_id: str) -> dict[str, str]: ...
    def put_feedback(
        self, owner: str, thread_id: str, item_ids: Sequence[str], kind: str, now: float
    ) -> None: ...


class RowStore(Store[TContext]):
    """A store over :class:`Tables`.

    Raises (every method):
        NotFoundError: There is no such thread, item, cursor or attachment, or it is somebody else's.
        StoreError: The database failed, or a row cannot be read.
    """

    knows_threads = True

    def __init__(
        self,
        owner: Callable[[TContext], str] | None = None,
        *,
        lease: float = LEASE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if owner is not None and not callable(cast("Any", owner)):
            raise unexpected("owner is a function: from a context to whose rows it sees", owner)
        self._owner = owner
        self._lease = lease
        self._clock = clock

    @abstractmethod
    async def _read(self, work: Callable[[Tables], R]) -> R:
        """Run ``work`` on what has been written."""

    @abstractmethod
    async def _write(self, work: Callable[[Tables], R]) -> R:
        """Run ``work`` as one change: all of it, or nothing when it raises."""

    def owner(self, context: TContext) -> str:
        """Whose rows ``context`` sees.

        Raises:
            AuthorError: The callable returned something else than Unicode text, or none: nobody is let in as
                ``"None"``, and people without a name do not share one.
        """
        if isinstance(context, Owner):
            if bool(context.name) != (self._owner is not None):
                raise AuthorError("An owner has a name exactly where the store was given owner=.")
            return context.name
        if self._owner is None:
            return ""
        owner: Any = self._owner(context)
        if not isinstance(owner, str) or not owner or key(owner) != owner:
            raise AuthorError(
                f"owner= must return a str of valid Unicode that is not empty, not {owner!r:.100}."
            )
        return owner

    # -- threads -------------------------------------------------------------------------------

    async def load_thread(self, thread_id: str, context: TContext) -> ThreadMetadata:
        """The thread. Raises NotFoundError."""
        owner, thread_id = self.owner(context), key(thread_id)
        return thread_of(await self._read(lambda tables: tables.thread(owner, thread_id)))

    async def save_thread(self, thread: ThreadMetadata, context: TContext) -> None:
        """Insert the thread at the end, or replace it in its place."""
        owner, thread_id, row = self.owner(context), key(thread.id), thread_row(thread)
        await self._write(lambda tables: tables.put_thread(owner, thread_id, row))

    async def update_thread(
        self, thread_id: str, patch: ThreadPatch, context: TContext
    ) -> ThreadMetadata:
        """Apply ``patch`` to the stored thread, in one change, and return the result. Raises NotFoundError."""
        owner, thread_id, result = self.owner(context), key(thread_id), Row(b"")

        def change(row: Row) -> Row:
            nonlocal result
            thread = thread_of(row)
            patch.apply(thread)
            result = thread_row(thread)
            return result

        await self._write(lambda tables: tables.change_thread(owner, thread_id, change))
        return thread_of(result)

    async def load_threads(
        self, limit: int, after: str | None, order: Order, context: TContext
    ) -> Page[ThreadMetadata]:
        """A page of threads in the order of their creation. Raises NotFoundError for an unknown cursor."""
        owner, query = self.owner(context), _threads(after, limit, order)
        return (await self._read(lambda tables: tables.threads(owner, *query))).of(thread_of).page()

    async def load_visible_threads(
        self, limit: int, after: str | None, order: Order, context: TContext
    ) -> Page[msgspec.Raw]:
        """A page of threads as a client gets it, as they were saved. Raises NotFoundError for an unknown cursor."""
        if _replaced(self.load_threads, RowStore.load_threads):
            return await super().load_visible_threads(limit, after, order, context)
        owner, query = self.owner(context), _threads(after, limit, order)
        return (await self._read(lambda tables: tables.visible_threads(owner, *query))).page()

    async def delete_thread(self, thread_id: str, context: TContext) -> None:
        """Delete the thread, its items, its attachments' records and its feedback."""
        owner, thread_id = self.owner(context), key(thread_id)
        await self._write(lambda tables: tables.delete_thread(owner, thread_id))

    # -- items ---------------------------------------------------------------------------------

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: Order, context: TContext
    ) -> Page[ThreadItem]:
        """A page of items, hidden ones too. Raises NotFoundError for an unknown thread or cursor."""
        query = self._items(thread_id, after, limit, order, context)
        return (await self._read(lambda tables: tables.items(query))).of(item_of).page()

    async def load_visible_items(
        self, thread_id: str, after: str | None, limit: int, order: Order, context: TContext
    ) -> Page[msgspec.Raw]:
        """A page of what a client may see, as it was saved.

        Raises NotFoundError for an unknown thread or cursor.
        """
        if _replaced(self.load_thread_items, RowStore.load_thread_items):
            return await super().load_visible_items(thread_id, after, limit, order, context)
        query = self._items(thread_id, after, limit, order, context)
        return (await self._read(lambda tables: tables.visible_items(query))).page()

    async def load_item(self, thread_id: str, item_id: str, context: TContext) -> ThreadItem:
        """The item. Raises NotFoundError."""
        owner, thread_id, item_id, now = (
            self.owner(context),
            key(thread_id),
            key(item_id),
            self._clock(),
        )
        item: ThreadItem = item_of(
            await self._read(lambda tables: tables.item(owner, thread_id, item_id, now))
        )
        return item

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: TContext) -> None:
        """Insert the item at the end, or replace it in its place. Raises NotFoundError for an unknown thread."""
        await self._put_item(thread_id, item, context)

    async def save_item(self, thread_id: str, item: ThreadItem, context: TContext) -> None:
        """Replace the item in its place, or insert it at the end. Raises NotFoundError for an unknown thread.

        So an answer that is still being written cannot bring a deleted thread back to life.
        """
        await self._put_item(thread_id, item, context)

    async def _put_item(self, thread_id: str, item: ThreadItem, context: TContext) -> None:
        owner, thread_id, item_id, row = (
            self.owner(context),
            key(thread_id),
            key(item.id),
            item_row(item),
        )
        now = self._clock()
        await self._write(lambda tables: tables.put_item(owner, thread_id, item_id, row, now))

    async def settle_item(self, thread_id: str, item: Any, context: TContext) -> bool:
        """Replace a pending item by its settled form; one of several callers gets true. Raises NotFoundError."""
        owner, thread_id, item_id, row = (
            self.owner(context),
            key(thread_id),
            key(item.id),
            item_row(item),
        )
        now = self._clock()
        return await self._write(
            lambda tables: tables.settle_item(owner, thread_id, item_id, row, now)
        )

    async def delete_thread_item(self, thread_id: str, item_id: str, context: TContext) -> None:
        """Delete the item and its feedback."""
        owner, thread_id, item_id = self.owner(context), key(thread_id), key(item_id)
        await self._write(lambda tables: tables.delete_item(owner, thread_id, item_id))

    async def load_pending_tool_calls(
        self, thread_id: str, context: TContext
    ) -> list[ClientToolCallItem]:
        """Every pending client tool call of the thread, newest first."""
        owner, thread_id, now = self.owner(context), key(thread_id), self._clock()
        found = await self._read(lambda tables: tables.pending_tool_calls(owner, thread_id, now))
        return [item for row in found if isinstance(item := item_of(row), ClientToolCallItem)]

    async def save_user_message(
        self,
        thread: ThreadMetadata,
        item: UserMessageItem,
        attachments: Sequence[Attachment],
        *,
        new_thread: bool,
        context: TContext,
    ) -> None:
        """Save a message, its attachments and, when new, its thread: all or nothing.

        Raises:
            NotFoundError: An attachment, or the thread, has gone.
            Conflict: A message of another thread carries an attachment.
        """
        owner, thread_id, item_id, now = (
            self.owner(context),
            key(thread.id),
            key(item.id),
            self._clock(),
        )
        new = thread_row(thread) if new_thread else None
        entries = [_entry(each) for each in attachments]
        row = item_row(item)

        def save(tables: Tables) -> None:
            for attachment_id, _, _ in entries:
                stored = attachment_of(tables.attachment(owner, attachment_id))
                if stored.thread_id not in (None, thread.id):
                    raise Conflict(
                        "Another thread's message carries this attachment.",
                        code="attachment_in_use",
                    )
            if new is not None:
                tables.put_thread(owner, thread_id, new)
            tables.put_item(owner, thread_id, item_id, row, now)
            for entry in entries:
                tables.put_attachment(owner, entry)

        await self._write(save)

    def _items(
        self, thread_id: str, after: str | None, limit: int, order: Order, context: TContext
    ) -> ItemQuery:
        return ItemQuery(
            self.owner(context),
            key(thread_id),
            _key(after),
            max(limit, 1),
            order == "desc",
            self._clock(),
        )

    # -- asides --------------------------------------------------------------------------------

    async def set_aside_after(self, thread_id: str, item_id: str, context: TContext) -> Aside:
        """Take every item after ``item_id`` out of sight. Raises NotFoundError.

        Costs the same for any number of items. They come back by themselves when the lease runs out; their aside can
        still be discarded for a day.
        """
        owner, thread_id, item_id, now = (
            self.owner(context),
            key(thread_id),
            key(item_id),
            self._clock(),
        )
        token, lease = random_id("aside"), self._lease
        await self._write(
            lambda tables: tables.set_aside(owner, thread_id, item_id, token, now, lease)
        )
        return Aside(thread_id, token)

    async def restore_aside(self, aside: Aside, context: TContext) -> None:
        """Put the items back in their places. Does nothing after a discard."""
        owner = self.owner(context)
        await self._write(lambda tables: tables.restore(owner, key(aside.thread_id), aside.token))

    async def discard_aside(self, aside: Aside, context: TContext) -> None:
        """Delete the items for good. Does nothing after a restore."""
        owner = self.owner(context)
        await self._write(lambda tables: tables.discard(owner, key(aside.thread_id), aside.token))

    async def replace_aside(self, aside: Aside, item: ThreadItem, context: TContext) -> None:
        """Save an item and discard the aside, in one change. Raises NotFoundError for an unknown thread."""
        owner, thread_id, item_id, row = (
            self.owner(context),
            key(aside.thread_id),
            key(item.id),
            item_row(item),
        )
        now = self._clock()

        def replace(tables: Tables) -> None:
            tables.put_item(owner, thread_id, item_id, row, now)
            tables.discard(owner, thread_id, aside.token)

        await self._write(replace)

    # -- attachments' records ------------------------------------------------------------------

    async def load_attachment(self, attachment_id: str, context: TContext) -> Attachment:
        """The attachment's record. Raises NotFoundError."""
        owner, attachment_id = self.owner(context), key(attachment_id)
        return attachment_of(
            await self._read(lambda tables: tables.attachment(owner, attachment_id))
        )

    async def save_attachment(self, attachment: Attachment, context: TContext) -> None:
        """Insert or replace the attachment's record."""
        owner, entry = self.owner(context), _entry(attachment)
        await self._write(lambda tables: tables.put_attachment(owner, entry))

    async def delete_attachment(self, attachment_id: str, context: TContext) -> None:
        """Delete the attachment's record."""
        owner, attachment_id = self.owner(context), key(attachment_id)
        await self._write(lambda tables: tables.delete_attachment(owner, attachment_id))

    async def delete_free_attachment(self, attachment_id: str, context: TContext) -> bool:
        """Delete the attachment's record unless a message carries it, in one change; whether it is gone."""
        owner, attachment_id = self.owner(context), key(attachment_id)

        def delete(tables: Tables) -> bool:
            try:
                stored = attachment_of(tables.attachment(owner, attachment_id))
            except NotFoundError:
                return True
            if stored.thread_id is None:
                tables.delete_attachment(owner, attachment_id)
            return stored.thread_id is None

        return await self._write(delete)

    async def load_thread_attachments(self, thread_id: str, context: TContext) -> list[Attachment]:
        """Every attachment whose record names the thread, oldest first."""
        owner, thread_id = self.owner(context), key(thread_id)
        return [
            attachment_of(row)
            for row in await self._read(lambda tables: tables.attachments(owner, thread_id))
        ]

    # -- feedback ------------------------------------------------------------------------------

    async def save_feedback(
        self, thread_id: str, item_ids: Sequence[str], kind: FeedbackKind, context: TContext
    ) -> None:
        """Keep one vote for each item, replacing an earlier one. Raises NotFoundError, and saves nothing then."""
        owner, thread_id, now = self.owner(context), key(thread_id), self._clock()
        ids = [key(each) for each in item_ids]
        await self._write(lambda tables: tables.put_feedback(owner, thread_id, ids, kind, now))

    async def load_feedback(self, thread_id: str, context: TContext) -> dict[str, FeedbackKind]:
        """The votes of a thread by item id."""
        owner, thread_id = self.owner(context), key(thread_id)
        votes = await self._read(lambda tables: tables.feedback(owner, thread_id))
        return cast("dict[str, FeedbackKind]", votes)


def _key(text: str | None) -> str | None:
    return None if text is None else key(text)


def _entry(attachment: Attachment) -> AttachmentEntry:
    return key(attachment.id), _key(attachment.thread_id), attachment_row(attachment)


def _threads(after: str | None, limit: int, order: Order) -> tuple[str | None, int, bool]:
    return _key(after), max(limit, 1), order == "desc"


def _replaced(method: Callable[..., Any], own: Callable[..., Any]) -> bool:
    """Whether a subclass overrides ``method``: then the override decides what is visible."""
    return getattr(method, "__func__", None) is not own
