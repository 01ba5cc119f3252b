"""What a client may see (wire.md section 2.1): the one place that decides it.

Hidden items stay on the server whatever event carries them. The fields that an author's subclass of an item or an
attachment adds are not sent, and shipped stores do not keep them. A thread loses its ``metadata``; an attachment loses
its ``metadata`` and, outside the answer to ``attachments.create``, its ``upload_descriptor``. What a stored record says
of its preview becomes a link.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, get_args

import msgspec

from ..errors import BadRequest
from ..types import (
    FileAttachment,
    HiddenContextItem,
    ImageAttachment,
    Page,
    SDKHiddenContextItem,
    Thread,
    ThreadItem,
    ThreadMetadata,
    UnknownItem,
    UserMessageItem,
)
from .codec import decode, encode, encode_stored

__all__ = ["attachment_on_wire", "is_hidden", "item_on_wire", "thread_on_wire", "with_links"]

_KINDS: Final[frozenset[type]] = frozenset(
    {*get_args(get_args(ThreadItem)[0]), FileAttachment, ImageAttachment}
)
_HIDDEN: Final = (HiddenContextItem, SDKHiddenContextItem)


def is_hidden(item: Any) -> bool:
    """Whether the item is for the model only; of a newer version's items those that say so by their name."""
    if isinstance(item, UnknownItem):
        return "hidden" in item.type
    return isinstance(item, _HIDDEN)


def item_on_wire(item: Any) -> Any:
    """``item`` as the client may see it; the item itself when nothing has to go."""
    if not is_hidden(item):
        item = _declared(item)
    if (
        isinstance(item, UserMessageItem)
        and item.attachments
        and any(
            each.metadata is not None
            or each.upload_descriptor is not None
            or type(each) not in _KINDS
            for each in item.attachments
        )
    ):
        return item.model_copy(
            update={"attachments": [attachment_on_wire(each) for each in item.attachments]}
        )
    return item


def attachment_on_wire(attachment: Any, *, upload: bool = False) -> Any:
    """``attachment`` as the client may see it; ``upload`` keeps the descriptor."""
    hidden: dict[str, Any] = {"metadata": None}
    if not upload:
        hidden["upload_descriptor"] = None
    return _declared(attachment).model_copy(update=hidden)


def _declared(value: Any) -> Any:
    """``value`` as the type of the protocol from which an author's own is derived, without the fields that it adds; one
    with a ``type`` of its own is left alone."""
    kind: Any = type(value)  # pyright: ignore[reportUnknownVariableType]
    if kind in _KINDS:
        return value
    declared: Any = next((each for each in kind.__mro__ if each in _KINDS), None)
    if declared is None or declared.__struct_config__.tag != kind.__struct_config__.tag:
        return value
    return declared(**{name: getattr(value, name) for name in declared.__struct_fields__})


def thread_on_wire(thread: ThreadMetadata, items: Page[Any] | None = None) -> Thread:
    """``thread`` as the client may see it, with ``items`` or an empty page."""
    return Thread(
        id=thread.id,
        title=thread.title,
        created_at=thread.created_at,
        status=thread.status,
        allowed_image_domains=thread.allowed_image_domains,
        items=items if items is not None else Page(),
    )


_RECORDS: Final[Mapping[bytes, tuple[str, ...]]] = {
    b"": ("data", "items", "updated_item"),
    b'"user_message"': ("attachments",),
    b'"thread.item.done"': ("item",),
}
"""Fields that lead to records of attachments, by the ``type`` of what has them; pages, threads and answers have none.
No way leads through free JSON: data of a tag, arguments and results of a tool, and payloads are what others wrote."""


def with_links(body: bytes, mark: str, link: Callable[[str], str]) -> bytes:
    """JSON, or a frame, in which every attachment's ``preview_url`` that is ``mark`` and its own id is ``link(id)``.

    Everything else keeps its bytes, also what only looks like an attachment.
    """
    head, tail = (b"data: ", b"\n\n") if body.startswith(b"data: ") else (b"", b"")
    found = _linked(body[len(head) : len(body) - len(tail)], mark, link)
    return head + found + tail


def _linked(data: bytes, mark: str, link: Callable[[str], str]) -> bytes:
    if data.find(mark.encode()) < 0:
        return data
    try:
        if data.startswith(b"["):
            elements = decode(data, list[msgspec.Raw])
            return encode_stored(
                [msgspec.Raw(_linked(bytes(each), mark, link)) for each in elements]
            )
        record = decode(data, dict[str, msgspec.Raw])
    except BadRequest:  # no JSON, by an operation of an author's own
        return data
    kind = bytes(record.get("type", b""))
    if kind == b'"image"' and "id" in record:
        own = bytes(record["id"])
        if bytes(record.get("preview_url", b"")) == b'"' + mark.encode() + own[1:]:
            record["preview_url"] = msgspec.Raw(encode(link(decode(own, str))))
    for name in _RECORDS.get(kind, ()):
        if name in record:
            record[name] = msgspec.Raw(_linked(bytes(record[name]), mark, link))
    return encode_stored(record)
