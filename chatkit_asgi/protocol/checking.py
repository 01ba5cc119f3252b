"""What an author's code has put into a thread or an item, looked at before anything is written.

Constructors look at nothing, and a row that could be written but not read again would take its thread with it. So a
value either fits, is made to fit where it can only mean one thing, or is an :class:`~chatkit_asgi.errors.AuthorError`
that names the place. What is large is not looked into: an item costs a few ``isinstance``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, cast

import msgspec

from .._base import convert
from ..errors import AuthorError, BadRequest
from ..types import (
    ActiveStatus,
    ClosedStatus,
    GeneratedImage,
    GeneratedImageItem,
    HiddenContextItem,
    LockedStatus,
    SDKHiddenContextItem,
    ThreadItemBase,
    ThreadStatus,
    UnknownItem,
    WidgetItem,
)
from ..types.items import with_offset
from .codec import decode_item, encode

__all__ = [
    "UNWRITABLE",
    "as_domains",
    "as_metadata",
    "as_status",
    "as_title",
    "check_id",
    "check_item",
    "check_metadata",
    "check_thread",
]

UNWRITABLE: Final = (
    AuthorError,
    NotImplementedError,
    OverflowError,
    RecursionError,
    TypeError,
    msgspec.MsgspecError,
)
"""What a value is to blame for and not the store: another attempt fares no better."""

_STATUSES: Final = (ActiveStatus, LockedStatus, ClosedStatus)
_STATUS_IS: Final = (
    'thread.status is LockedStatus(reason="..."), ClosedStatus(reason="...") or ActiveStatus()'
)
_HIDDEN: Final = (HiddenContextItem, SDKHiddenContextItem)


def _kind(value: object) -> str:
    return type(value).__qualname__


# -- threads -----------------------------------------------------------------------------------


def as_title(title: Any) -> str | None:
    """A thread's title. Raises AuthorError."""
    if title is None or isinstance(title, str):
        return title
    raise AuthorError(f"thread.title is text or None, not {_kind(title)}")


def as_status(status: Any) -> ThreadStatus:
    """A thread's status; a dict that says one counts as one. Raises AuthorError."""
    found = status
    if isinstance(status, dict):
        try:
            found = convert(status, ThreadStatus)
        except msgspec.ValidationError as error:
            raise AuthorError(f"{_STATUS_IS}: {error}") from None
    if not isinstance(found, _STATUSES):
        raise AuthorError(f"{_STATUS_IS}, not {_kind(found)}")
    reason: Any = getattr(found, "reason", None)
    if reason is not None and not isinstance(reason, str):
        raise AuthorError(f"thread.status.reason is text or None, not {_kind(reason)}")
    return found


def as_domains(domains: Any) -> list[str] | None:
    """A thread's image domains, as a new list. Raises AuthorError."""
    if domains is None:
        return None
    wrong: list[Any] = [domains]
    if isinstance(domains, list | tuple | set | frozenset):
        hosts = list(cast("list[Any]", domains))
        wrong = [host for host in hosts if not isinstance(host, str)]
        if not wrong:
            return hosts
    what = f"{'' if wrong[0] is domains else 'of '}{_kind(wrong[0])}"
    raise AuthorError(f"thread.allowed_image_domains is a list of text or None, not {what}")


def as_metadata(metadata: Any) -> Mapping[Any, Any]:
    """A thread's metadata. Raises AuthorError."""
    if isinstance(metadata, Mapping):
        return cast("Mapping[Any, Any]", metadata)
    raise AuthorError(f"thread.metadata is a dict, not {_kind(metadata)}")


def check_metadata(key: Any, value: Any) -> None:
    """Raises an error of any kind for an entry of the metadata that no store could keep."""
    msgspec.json.decode(encode({key: value}))


def check_thread(thread: Any) -> None:
    """Raises AuthorError for a thread that could be written, but not read again."""
    as_title(thread.title)
    as_status(thread.status)
    as_domains(thread.allowed_image_domains)


# -- items -------------------------------------------------------------------------------------


def check_id(item_id: Any, kind: str) -> None:
    """Raises AuthorError for an id that is none.

    Args:
        item_id: The id.
        kind: The type of the item or event that has it.
    """
    if not isinstance(item_id, str):
        field = "item_id" if kind.startswith("thread.") else "id"
        raise AuthorError(f"not a {kind}: Expected `str`, got `{_kind(item_id)}` at $.{field}")


def check_item(item: Any, *, whole: bool) -> None:
    """Raises AuthorError for an item that could be written, but not read again.

    A time that is given otherwise than as a datetime with an offset becomes one.

    Args:
        item: The item; its head is looked at in any case, and not the body of a widget, an image or a hidden text.
        whole: Whether it is stored as it is, so that its body counts too.
    """
    if isinstance(item, UnknownItem):
        return
    if isinstance(item, ThreadItemBase):
        check_id(item.id, cast("Any", item).type)
        if item.created_at.__class__ is not datetime or item.created_at.tzinfo is None:
            item.created_at = _as_time(item)
        if isinstance(cast("Any", item.thread_id), str) and _is_simple(item, whole):
            return
    try:
        written = encode(item)
        if not isinstance(item, _HIDDEN) or not isinstance(cast("Any", item.thread_id), str):
            decode_item(written, strict=False)
    except BadRequest as error:
        raise _not_an_item(item, error.message, error.path) from None
    except Exception as error:
        raise _not_an_item(item, str(error), _unwritable_part(item)) from error


def _is_simple(item: Any, whole: bool) -> bool:
    """Whether nothing more has to be looked at: open, large and simple, or text."""
    if isinstance(item, WidgetItem):
        return item.copy_text is None or isinstance(cast("Any", item.copy_text), str)
    if isinstance(item, GeneratedImageItem):
        image: Any = item.image
        return image is None or (
            isinstance(image, GeneratedImage)
            and isinstance(cast("Any", image.id), str)
            and isinstance(cast("Any", image.url), str)
        )
    if isinstance(item, _HIDDEN):
        return isinstance(item.content, str)
    return not whole


def _as_time(item: ThreadItemBase) -> datetime:
    time: Any = item.created_at
    if isinstance(time, datetime):
        return with_offset(time)
    try:
        if isinstance(time, int | float) and not isinstance(time, bool):
            return datetime.fromtimestamp(time, UTC)
        return with_offset(msgspec.convert(time, datetime))
    except (msgspec.ValidationError, OverflowError, OSError, ValueError):
        what = f"a time is a datetime with an offset, not {time!r:.60},"
        raise _not_an_item(item, what, "$.created_at") from None


def _not_an_item(item: Any, what: str, path: str | None) -> AuthorError:
    return AuthorError(f"not a {getattr(item, 'type', 'item')}: {what} at {path or '$'}")


def _unwritable_part(item: Any) -> str:
    """The path of the first field that cannot be written."""
    for name in getattr(item, "__struct_fields__", ()):
        try:
            encode(getattr(item, name))
        except Exception:
            return f"$.{name}"
    return "$"
