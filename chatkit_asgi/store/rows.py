"""Records to rows and back: what a store keeps of a thread, an item or an attachment.

A row holds two JSON texts. ``data`` is the record exactly as a client gets it, so that a page of items is a join of
bytes; ``private`` is what never goes on the wire (a thread's ``metadata``, an attachment's ``metadata`` and
``upload_descriptor``). Any tool can read both, and text that UTF-8 cannot hold has been replaced, so a row can always
be written.

Rows outlive versions. What this version does not know is kept: an item of an unknown type byte for byte as an
:class:`~chatkit_asgi.types.UnknownItem`, unknown fields at any depth by ``merged_*`` when their row is replaced.
``version`` says which vocabulary wrote a row; one that this version wrote needs no look before it is replaced.

Pure: no I/O, no clock. May import ``types``, ``protocol`` and ``errors``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple, cast

import msgspec

from ..errors import BadRequest, StoreError
from ..protocol.checking import check_thread
from ..protocol.codec import decode, decode_item, encode, unknown_item, well_formed
from ..protocol.visibility import attachment_on_wire, is_hidden, item_on_wire, thread_on_wire
from ..types import (
    Attachment,
    AttachmentUploadDescriptor,
    Page,
    ThreadItem,
    ThreadMetadata,
    UnknownItem,
    UserMessageItem,
)

__all__ = [
    "FOREIGN",
    "VERSION",
    "Row",
    "attachment_of",
    "attachment_row",
    "item_of",
    "item_row",
    "key",
    "merged_attachment",
    "merged_item",
    "merged_thread",
    "read_item",
    "thread_of",
    "thread_row",
    "thread_shown",
]

VERSION: Final = 1
"""Vocabulary of the rows that this version writes. Raise it with every new field or type."""

FOREIGN: Final = 0
"""A row that may hold what this version does not know: look before replacing it."""


class Row(NamedTuple):
    """One record as it is kept."""

    data: bytes
    private: bytes | None = None
    version: int = FOREIGN
    type: str = ""
    hidden: bool = False
    pending: bool = False
    """Whether the item waits for :meth:`~chatkit_asgi.store.base.Store.settle_item`."""

    def columns(self) -> tuple[str, str | None, int, str, bool, bool]:
        """The fields as a database takes them: as text, so that any tool can read it."""
        private = None if self.private is None else self.private.decode()
        return self.data.decode(), private, self.version, self.type, self.hidden, self.pending


class _PrivateAttachment(msgspec.Struct, omit_defaults=True):
    id: str = ""
    metadata: dict[str, Any] | None = None
    upload_descriptor: AttachmentUploadDescriptor | None = None


class _Private(_PrivateAttachment, omit_defaults=True):
    """Everything private that any kind of record has."""

    attachments: list[_PrivateAttachment] = []


_private = msgspec.json.Decoder(_Private)
_NO_ITEMS: Final = b',"items":%b}' % encode(Page())


def key(text: str) -> str:
    """``text`` as a store's key: what UTF-8 cannot hold is replaced as it is inside a row."""
    return text if text.isascii() else well_formed(text)


# -- items -------------------------------------------------------------------------------------


def item_row(item: Any) -> Row:
    """The row of an item."""
    if isinstance(item, UnknownItem):
        plain = cast("dict[str, Any]", msgspec.json.decode(item.raw))
        # A newer version may hide types that this one has never heard of. Theirs say so in their names, as ours do.
        return Row(
            item.raw,
            None,
            FOREIGN,
            item.type,
            is_hidden(item),
            plain.get("status") == "pending",
        )
    private = None
    if isinstance(item, UserMessageItem) and item.attachments:
        parts = [part for each in item.attachments if (part := _attachment_part(each)) is not None]
        private = encode(_Private(attachments=parts)) if parts else None
    return Row(
        encode(item_on_wire(item)),
        private,
        VERSION,
        item.type,
        is_hidden(item),
        getattr(item, "status", None) == "pending",
    )


def read_item(data: str | bytes) -> ThreadItem:
    """An item of the JSON that ``item.model_dump_json()`` has made, for a store of your own.

    Every version's: what this one cannot read comes back as an :class:`~chatkit_asgi.types.UnknownItem`, whose JSON is
    the same, so that one newer row does not hide a whole page.

    Raises:
        StoreError: It is no item at all.
    """
    item: ThreadItem = item_of(Row(data.encode() if isinstance(data, str) else bytes(data)))
    return item


def item_of(row: Row) -> Any:
    """The item of a row. What this version cannot read comes back as :class:`~chatkit_asgi.types.UnknownItem`.

    Raises:
        StoreError: The row is no item at all.
    """
    try:
        item = decode_item(row.data)
    except BadRequest:
        item = _foreign_item(row.data)
    if row.private is not None and isinstance(item, UserMessageItem):
        parts = {part.id: part for part in _private_part(row.private).attachments}
        for attachment in item.attachments:
            if (part := parts.get(attachment.id)) is not None:
                _restore_attachment(attachment, part)
    return item


def _foreign_item(data: bytes) -> Any:
    well = encode(_lenient(data))
    try:
        return decode_item(well, strict=False)
    except BadRequest:
        # A known type with something newer inside: the whole item is passed on untouched.
        try:
            return unknown_item(well)
        except BadRequest as error:
            raise StoreError(f"A stored item cannot be read: {error}") from error


def _lenient(data: bytes) -> Any:
    """JSON by the standard library's rules, which other programs write: ``NaN``, escaped lone surrogates."""
    try:
        return json.loads(data)
    except ValueError as error:
        raise StoreError(f"A stored record is not JSON: {error}") from error


# -- threads -----------------------------------------------------------------------------------


def thread_row(thread: ThreadMetadata) -> Row:
    """The row of a thread; the items of a :class:`~chatkit_asgi.types.Thread` are not part of it.

    Raises:
        AuthorError: A row that could not be read again.
    """
    check_thread(thread)
    shown = thread
    if thread.metadata or type(thread) is not ThreadMetadata:
        shown = ThreadMetadata(
            title=thread.title,
            id=thread.id,
            created_at=thread.created_at,
            status=thread.status,
            allowed_image_domains=thread.allowed_image_domains,
        )
    private = encode(_Private(metadata=thread.metadata)) if thread.metadata else None
    return Row(encode(shown), private, VERSION)


def thread_of(row: Row) -> ThreadMetadata:
    """The thread of a row. A status that this version does not know reads as ``active``, and is kept.

    Raises:
        StoreError: The row is no thread at all.
    """
    try:
        thread = decode(row.data, ThreadMetadata)
    except BadRequest:
        thread = _foreign_thread(row.data)
    if row.private is not None:
        thread.metadata = _private_part(row.private).metadata or {}
    return thread


def thread_shown(row: Row) -> msgspec.Raw:
    """The thread of a row as a client gets it in a page of threads: with an empty page of items.

    Raises:
        StoreError: The row is no thread at all.
    """
    if row.version != VERSION:
        return msgspec.Raw(encode(thread_on_wire(thread_of(row))))
    return msgspec.Raw(row.data[:-1] + _NO_ITEMS)  # an object with an id, so never empty


def _foreign_thread(data: bytes) -> ThreadMetadata:
    plain = _lenient(data)
    try:
        return decode(encode(plain), ThreadMetadata)
    except BadRequest as error:
        if isinstance(plain, dict):
            cast("dict[str, Any]", plain).pop("status", None)
        try:
            return decode(encode(plain), ThreadMetadata)
        except BadRequest:
            raise StoreError(f"A stored thread cannot be read: {error}") from error


# -- attachments -------------------------------------------------------------------------------


def attachment_row(attachment: Attachment) -> Row:
    """The row of an attachment's record."""
    part = _attachment_part(attachment)
    return Row(
        encode(attachment_on_wire(attachment)),
        None if part is None else encode(part),
        VERSION,
        attachment.type,
    )


def attachment_of(row: Row) -> Attachment:
    """The attachment of a row.

    Raises:
        StoreError: The row is no attachment, or one of a kind that this version does not know.
    """
    try:
        attachment: Attachment = decode(row.data, Attachment)
    except BadRequest:
        try:
            attachment = decode(encode(_lenient(row.data)), Attachment)
        except BadRequest as error:
            raise StoreError(f"A stored attachment cannot be read: {error}") from error
    if row.private is not None:
        _restore_attachment(attachment, _private_part(row.private))
    return attachment


def _attachment_part(attachment: Attachment) -> _PrivateAttachment | None:
    if attachment.metadata is None and attachment.upload_descriptor is None:
        return None
    return _PrivateAttachment(attachment.id, attachment.metadata, attachment.upload_descriptor)


def _restore_attachment(attachment: Attachment, part: _PrivateAttachment) -> None:
    attachment.metadata = part.metadata
    attachment.upload_descriptor = part.upload_descriptor


def _private_part(data: bytes) -> _Private:
    try:
        return _private.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StoreError(f"The private part of a stored record cannot be read: {error}") from error


# -- replacing a row that somebody else wrote --------------------------------------------------


def merged_item(new: Row, old: Row) -> Row:
    """``new``, with everything of the stored item ``old`` that this version cannot express."""
    return _merged(new, old, lambda row: item_row(item_of(row)))


def merged_thread(new: Row, old: Row) -> Row:
    """:func:`merged_item` of a thread."""
    return _merged(new, old, lambda row: thread_row(thread_of(row)))


def merged_attachment(new: Row, old: Row) -> Row:
    """:func:`merged_item` of an attachment."""
    return _merged(new, old, lambda row: attachment_row(attachment_of(row)))


def _merged(new: Row, old: Row, again: Callable[[Row], Row]) -> Row:
    """``again`` reads and writes a row with this version's types; what it loses is what has to be kept."""
    if old.version == new.version == VERSION:
        return new
    if new.version == FOREIGN:  # an unknown type, passed on as it is: it stays hidden if it was
        return (
            new._replace(private=new.private or old.private, hidden=old.hidden)
            if new.type == old.type
            else new
        )
    try:
        known = again(old)
    except StoreError:
        return new  # what cannot be read cannot be kept
    data = _merged_json(new.data, old.data, known.data)
    private = _merged_json(new.private, old.private, known.private)
    kept = data is not new.data or private is not new.private
    return new._replace(data=data, private=private, version=FOREIGN if kept else VERSION)


def _merged_json(new: bytes | None, old: bytes | None, known: bytes | None) -> Any:
    if old is None:
        return new
    before = _lenient(old)
    after: Any = {} if new is None else msgspec.json.decode(new)
    result = _merge(after, before, {} if known is None else msgspec.json.decode(known))
    return new if result == after else encode(result)


def _merge(new: Any, old: Any, known: Any) -> Any:
    """A three-way merge: ``known`` is ``old`` as this version understands it, and ``new`` is made from ``known``."""
    if new == known:
        return old
    match [new, old, known]:
        case [dict(), dict(), dict()]:
            return _merge_objects(new, old, known)
        case [list(), list(), list()]:
            return _merge_lists(new, old, known)
        case _:
            return new


def _merge_objects(
    new: dict[str, Any], old: dict[str, Any], known: dict[str, Any]
) -> dict[str, Any]:
    result = {
        name: _merge(value, old[name], known[name]) if name in old and name in known else value
        for name, value in new.items()
    }
    if new.get("type") == known.get("type"):
        lost = (
            (name, value) for name, value in old.items() if name not in known and value is not None
        )
        for name, value in lost:
            result.setdefault(name, value)
    return result


def _merge_lists(new: list[Any], old: list[Any], known: list[Any]) -> list[Any]:
    """Elements with ids meet by id, the rest by place."""
    places = {_id(each): place for place, each in enumerate(known) if _id(each) is not None}
    result: list[Any] = []
    for index, value in enumerate(new):
        place = places.get(_id(value)) if _id(value) is not None else index
        fits = place is not None and place < min(len(old), len(known))
        result.append(
            _merge(value, old[place], known[place]) if fits and place is not None else value
        )
    return result


def _id(value: Any) -> str | None:
    name = cast("dict[str, Any]", value).get("id") if isinstance(value, dict) else None
    return name if isinstance(name, str) else None
