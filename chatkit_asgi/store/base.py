"""What a store promises, for everything above it.

A store keeps threads, their items, attachments' records and feedback. It decides the order of items and it isolates
owners. :class:`Store` is what an author subclasses for a database of their own: the abstract methods are those of
openai-chatkit, and the rest have defaults made of them, correct for one process, which shipped stores replace by one
statement each. ``chatkit_asgi.testing.store_contract`` checks every promise on any store.

Promises, for every method:

- *Order.* Items are ordered by a per-thread sequence given at the first save, never by a clock. Replacing an item keeps
  its place.
- *Pages.* ``after`` is exclusive. While a page is being read, inserts and deletes elsewhere lose and repeat nothing.
  ``after`` of an unknown id raises :class:`~chatkit_asgi.errors.NotFoundError`. ``Page.after`` is the last id of the
  page and is set only when ``has_more``.
- *Copies.* What goes in and what comes out are copies: changing an object never changes the store.
- *Missing.* ``load_*`` raises :class:`~chatkit_asgi.errors.NotFoundError`, ``delete_*`` does nothing. In shipped stores
  that holds for the items of an unknown thread too, and none can be saved there: what an answer still writes does not
  bring a deleted thread back.
- *Owner.* With ``owner=``, a row of another owner does not exist, for any method.

May import ``types``, ``protocol``, ``ids`` and ``errors``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal

import msgspec

from ..errors import HookMissing, NotFoundError, TooLarge
from ..ids import StoreItemType, default_generate_id, random_id
from ..protocol.codec import encode
from ..protocol.effects import ThreadPatch
from ..protocol.visibility import is_hidden, item_on_wire, thread_on_wire
from ..types import (
    Attachment,
    AttachmentCreateParams,
    ClientToolCallItem,
    FeedbackKind,
    Page,
    ThreadItem,
    ThreadMetadata,
    UserMessageItem,
)

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    TContext = TypeVar("TContext", default=Any)
else:
    from typing import TypeVar

    TContext = TypeVar("TContext")

__all__ = [
    "PREVIEW",
    "Aside",
    "AttachmentStore",
    "NotFoundError",
    "Order",
    "Owner",
    "Store",
    "StoreItemType",
    "TContext",
    "ThreadPatch",
]

Order = Literal["asc", "desc"]

PREVIEW = "chatkit-attachment:"
"""Followed by an attachment's id: the ``preview_url`` of a stored record, which each answer replaces by a new link."""

SCAN_PAGE = 100
"""Items that the default implementations read at a time."""


class Owner(msgspec.Struct, frozen=True):
    """A context for work outside any request: it says whose rows, and nothing else.

    Shipped stores accept it in place of a context, so only maintenance may make one, never a request.
    """

    name: str
    """As the store's ``owner=`` tells it; ``""`` for a store with a single user."""


class Aside(msgspec.Struct):
    """Items that a retry has taken out of sight; see :meth:`Store.set_aside_after`."""

    thread_id: str
    token: str
    items: list[Any] = []
    """The items themselves, oldest first, where the store cannot keep them itself."""


class Store(ABC, Generic[TContext]):
    """Threads, items, attachments' records and feedback. See the module for what every method promises.

    Arguments are passed as the reference passes them, so a subclass may name its parameters as it likes:
    ``context`` is passed by keyword except to the id generators and :meth:`load_attachment`.
    """

    knows_threads: ClassVar[bool] = False
    """Whether :meth:`load_visible_items` raises NotFoundError for an unknown thread by itself."""

    # -- ids -----------------------------------------------------------------------------------

    def generate_thread_id(self, context: TContext) -> str:
        """A new thread id."""
        return default_generate_id("thread")

    def generate_item_id(
        self, item_type: StoreItemType, thread: ThreadMetadata, context: TContext
    ) -> str:
        """A new item id."""
        return default_generate_id(item_type)

    def owner(self, context: TContext) -> str:
        """Whose rows ``context`` sees; ``""`` for a store with a single user."""
        return ""

    # -- what a subclass must provide: openai-chatkit's contract -------------------------------

    @abstractmethod
    async def load_thread(self, thread_id: str, context: TContext) -> ThreadMetadata:
        """The thread. Raises NotFoundError."""

    @abstractmethod
    async def save_thread(self, thread: ThreadMetadata, context: TContext) -> None:
        """Insert or replace the thread."""

    @abstractmethod
    async def load_threads(
        self, limit: int, after: str | None, order: Order, context: TContext
    ) -> Page[ThreadMetadata]:
        """A page of threads in the order of their creation."""

    @abstractmethod
    async def delete_thread(self, thread_id: str, context: TContext) -> None:
        """Delete the thread, its items, its attachments' records and its feedback."""

    @abstractmethod
    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: Order, context: TContext
    ) -> Page[ThreadItem]:
        """A page of items, hidden ones too."""

    @abstractmethod
    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: TContext) -> None:
        """Insert the item at the end. An id that the thread has already is replaced in its place."""

    @abstractmethod
    async def save_item(self, thread_id: str, item: ThreadItem, context: TContext) -> None:
        """Replace the item in its place, or insert it at the end."""

    @abstractmethod
    async def load_item(self, thread_id: str, item_id: str, context: TContext) -> ThreadItem:
        """The item. Raises NotFoundError."""

    @abstractmethod
    async def delete_thread_item(self, thread_id: str, item_id: str, context: TContext) -> None:
        """Delete the item."""

    @abstractmethod
    async def save_attachment(self, attachment: Attachment, context: TContext) -> None:
        """Insert or replace the attachment's record."""

    @abstractmethod
    async def load_attachment(self, attachment_id: str, context: TContext) -> Attachment:
        """The attachment's record. Raises NotFoundError."""

    @abstractmethod
    async def delete_attachment(self, attachment_id: str, context: TContext) -> None:
        """Delete the attachment's record."""

    # -- what has a default: one statement each in the shipped stores --------------------------

    async def delete_free_attachment(self, attachment_id: str, context: TContext) -> bool:
        """Delete the attachment's record unless a message carries it; in one change in shipped stores.

        Returns:
            Whether there is no record now.
        """
        try:
            if (await self.load_attachment(attachment_id, context)).thread_id is not None:
                return False
        except NotFoundError:
            return True
        await self.delete_attachment(attachment_id, context=context)
        return True

    async def close(self) -> None:
        """Write what is waiting and give back files, threads and connections. The store opens again on use."""

    async def update_thread(
        self, thread_id: str, patch: ThreadPatch, context: TContext
    ) -> ThreadMetadata:
        """Apply ``patch`` to the stored thread, atomically in shipped stores, and return the result."""
        thread = await self.load_thread(thread_id, context=context)
        patch.apply(thread)
        await self.save_thread(thread, context=context)
        return thread

    async def load_visible_threads(
        self, limit: int, after: str | None, order: Order, context: TContext
    ) -> Page[msgspec.Raw]:
        """A page of :meth:`load_threads` as a client gets it: each thread as JSON in its wire form, without items and
        without ``metadata``. Raises what :meth:`load_threads` raises."""
        page = await self.load_threads(limit=limit, after=after, order=order, context=context)
        return Page(
            data=[msgspec.Raw(encode(thread_on_wire(thread))) for thread in page.data],
            has_more=page.has_more,
            after=page.after,
        )

    async def load_visible_items(
        self, thread_id: str, after: str | None, limit: int, order: Order, context: TContext
    ) -> Page[msgspec.Raw]:
        """A page of the items that a client may see, as JSON in its wire form.

        Hidden items neither count nor become cursors: a page is short only at the end.
        """
        found: list[ThreadItem] = []
        more = True
        while more and len(found) <= limit:
            page = await self.load_thread_items(
                thread_id,
                limit=max(limit + 1 - len(found), 1),
                after=after,
                order=order,
                context=context,
            )
            found += [item for item in page.data if not is_hidden(item)]
            more = page.has_more and page.after is not None
            after = page.after
        shown = found[:limit]
        rest = len(found) > limit
        return Page(
            data=[msgspec.Raw(encode(item_on_wire(item))) for item in shown],
            has_more=rest,
            after=shown[-1].id if rest and shown else None,
        )

    async def save_user_message(
        self,
        thread: ThreadMetadata,
        item: UserMessageItem,
        attachments: Sequence[Attachment],
        *,
        new_thread: bool,
        context: TContext,
    ) -> None:
        """Save a message, its attachments and, when new, its thread: all or nothing in shipped stores.

        Shipped stores give an attachment to one thread only, even if two ask for it at once.

        Raises:
            NotFoundError: An attachment, or the thread, has gone.
            Conflict: A message of another thread carries an attachment.
        """
        if new_thread:
            await self.save_thread(thread, context=context)
        for attachment in attachments:
            await self.save_attachment(attachment, context=context)
        await self.add_thread_item(thread.id, item, context=context)

    async def settle_item(self, thread_id: str, item: Any, context: TContext) -> bool:
        """Replace a pending item (one with ``status``) by its settled form, once.

        Returns:
            Whether this call did it: false when the stored item is not pending any more. Atomic in shipped stores.
        """
        stored = await self.load_item(thread_id, item.id, context=context)
        if getattr(stored, "status", None) != "pending":
            return False
        await self.save_item(thread_id, item, context=context)
        return True

    async def load_pending_tool_calls(
        self, thread_id: str, context: TContext
    ) -> list[ClientToolCallItem]:
        """Every pending client tool call of the thread, newest first."""
        found: list[ClientToolCallItem] = []
        async for item in self.scan_items(thread_id, "desc", context):
            if isinstance(item, ClientToolCallItem) and item.status == "pending":
                found.append(item)
        return found

    async def load_thread_attachments(self, thread_id: str, context: TContext) -> list[Attachment]:
        """Every attachment that a message of the thread carries."""
        found: list[Attachment] = []
        async for item in self.scan_items(thread_id, "asc", context):
            if isinstance(item, UserMessageItem):
                found += item.attachments
        return found

    async def scan_items(
        self, thread_id: str, order: Order, context: TContext
    ) -> AsyncGenerator[Any, None]:
        """Every item of the thread, read page by page."""
        after: str | None = None
        while True:
            page = await self.load_thread_items(thread_id, after, SCAN_PAGE, order, context=context)
            for item in page.data:
                yield item
            if not page.has_more or page.after is None:
                return
            after = page.after

    async def set_aside_after(self, thread_id: str, item_id: str, context: TContext) -> Aside:
        """Take every item after ``item_id`` out of sight, until :meth:`restore_aside` or :meth:`discard_aside`.

        A shipped store only hides them, with a lease: should the process die, they come back by themselves.

        Raises:
            NotFoundError: The thread has no such item.
        """
        taken: list[ThreadItem] = []
        async with aclosing(self.scan_items(thread_id, "desc", context)) as items:
            async for item in items:
                if item.id == item_id:
                    break
                taken.append(item)
            else:
                raise NotFoundError(f"No item {item_id!r} in this thread.")
        for item in taken:
            await self.delete_thread_item(thread_id, item.id, context=context)
        return Aside(thread_id, random_id("aside"), taken[::-1])

    async def restore_aside(self, aside: Aside, context: TContext) -> None:
        """Put the items back in their places."""
        for item in aside.items:
            await self.add_thread_item(aside.thread_id, item, context=context)

    async def discard_aside(self, aside: Aside, context: TContext) -> None:
        """Delete the items for good."""

    async def replace_aside(self, aside: Aside, item: ThreadItem, context: TContext) -> None:
        """Save the first item of a new answer and delete what it replaces; in one change in shipped stores."""
        await self.add_thread_item(aside.thread_id, item, context=context)
        await self.discard_aside(aside, context=context)

    async def save_feedback(
        self, thread_id: str, item_ids: Sequence[str], kind: FeedbackKind, context: TContext
    ) -> None:
        """Keep one vote for each item, replacing an earlier one.

        Raises:
            HookMissing: The store keeps no feedback.
            NotFoundError: An item is not in the thread; then nothing is saved.
        """
        raise HookMissing("This store keeps no feedback: override add_feedback of the server.")

    async def load_feedback(self, thread_id: str, context: TContext) -> dict[str, FeedbackKind]:
        """The votes of a thread by item id."""
        raise HookMissing("This store keeps no feedback.")


class AttachmentStore(ABC, Generic[TContext]):
    """The bytes of attachments. Records are kept by :class:`Store`.

    The first three methods are openai-chatkit's contract. The others have defaults, so a store written for it goes on
    working; ``chatkit_asgi.testing.attachment_contract`` checks the promises on any store.
    """

    serves_files: ClassVar[bool] = False
    """Whether the app takes uploads and answers links for this store, below ``attachments/``."""

    # -- openai-chatkit's contract -------------------------------------------------------------

    @abstractmethod
    async def delete_attachment(self, attachment_id: str, context: TContext) -> None:
        """Delete the bytes; does nothing when there are none."""

    async def create_attachment(
        self, input: AttachmentCreateParams, context: TContext
    ) -> Attachment:
        """The record of a two-phase upload, with its ``upload_descriptor``; the server saves it.

        Raises:
            HookMissing: This store takes direct uploads only.
        """
        raise HookMissing(
            f"{type(self).__name__} does not support two-phase uploads: override create_attachment."
        )

    def generate_attachment_id(self, mime_type: str, context: TContext) -> str:
        """A new attachment id."""
        return default_generate_id("attachment")

    # -- what has a default --------------------------------------------------------------------

    def bind(self, store: Store[TContext]) -> None:
        """Called by the server that uses both: a store that keeps owners apart learns here who they are."""

    async def confirm_attachment(self, attachment: Attachment, context: TContext) -> Attachment:
        """The record as a message may carry it. Called for each attachment of a message before it is stored.

        The default assumes that the bytes are there: only the store can know, since a page that sends them to a bucket
        tells nobody. Shipped stores check.

        Raises:
            Conflict: The bytes are not there (``attachment_not_uploaded``).
        """
        return attachment

    async def open_attachment(self, attachment_id: str, context: TContext) -> AsyncIterator[bytes]:
        """The bytes, in chunks: an async generator, to be closed by whoever reads it.

        Raises:
            HookMissing: This store does not give bytes back.
            NotFoundError: There are none, or they belong to somebody else; raised before the first chunk.
        """
        raise HookMissing(
            f"{type(self).__name__} does not give bytes back: override open_attachment."
        )
        yield b""

    async def read_attachment(self, attachment_id: str, context: TContext, *, limit: int) -> bytes:
        """All the bytes, for a model for example.

        Args:
            attachment_id: Which.
            context: Whose.
            limit: Bytes that the caller can take.

        Raises:
            TooLarge: There are more.
            HookMissing, NotFoundError: As :meth:`open_attachment`.
        """
        found = bytearray()
        chunks: Any = self.open_attachment(attachment_id, context)
        async with aclosing(chunks):
            async for chunk in chunks:
                found += chunk
                if len(found) > limit:
                    raise TooLarge(f"More than {limit} bytes.", code="attachment_size")
        return bytes(found)

    def preview_url(self, attachment_id: str, context: TContext) -> str:
        """A link to an image's preview, made now. Asked for wherever a record that says ``PREVIEW`` and its id is told,
        so that a link may expire although records do not."""
        raise HookMissing(f"{type(self).__name__} has no previews: override preview_url.")
