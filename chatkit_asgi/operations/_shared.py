"""What several operations need."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ..errors import BadRequest, Conflict, TooLarge
from ..protocol.codec import encode
from ..store.base import PREVIEW
from ..types import ThreadMetadata, WidgetItem

if TYPE_CHECKING:
    from ..options import Options
    from ..server import ChatKitServer

__all__ = ["check_length", "check_open", "load_sender", "page_limit", "told"]

# As JSON writes it, so that no text that a person wrote looks like it: there, quotes are escaped.
_PREVIEW: Final = re.compile(rb'"preview_url":"%b([A-Za-z0-9_-]{1,64})"' % PREVIEW.encode())
_MARK: Final = b'":"%b' % PREVIEW.encode()


def told(server: ChatKitServer[Any], body: bytes, context: Any) -> bytes:
    """JSON or frames as they are sent: with links to previews that are good from now on.

    Links expire and records do not, so records only say that there is a preview.
    """
    store = server.attachment_store
    if store is None or _MARK not in body:
        return body
    return _PREVIEW.sub(
        lambda found: b'"preview_url":' + encode(store.preview_url(found[1].decode(), context)),
        body,
    )


def page_limit(options: Options, limit: int | None) -> int:
    """How many records to load: the client's wish within bounds.

    Raises:
        BadRequest: A negative limit.
    """
    if limit is not None and limit < 0:
        raise BadRequest(
            "A page cannot have fewer than 0 records.",
            code="invalid_request",
            path="$.params.limit",
        )
    return min(limit or options.page_size, options.max_page_size)


def check_length(options: Options, text: str | None, path: str) -> None:
    """Raises TooLarge for a text over ``max_value_length``."""
    if text is not None and len(text) > options.max_value_length:
        raise TooLarge(
            f"At most {options.max_value_length} characters.", code="max_value_length", path=path
        )


def check_open(thread: ThreadMetadata, *, locked_too: bool) -> None:
    """Raises Conflict for a closed thread, and for a locked one where its composer would have been used."""
    kind = thread.status.type
    if kind == "closed" or (kind == "locked" and locked_too):
        raise Conflict(f"This thread is {kind}.", code=f"thread_{kind}")


async def load_sender(
    server: ChatKitServer[Any], thread_id: str, item_id: str | None, context: Any
) -> WidgetItem | None:
    """The widget that an action came from; none when the request names none.

    Raises:
        NotFoundError: The thread has no such item.
        BadRequest: It is not a widget.
    """
    if not item_id:
        return None
    item: Any = await server.store.load_item(thread_id, item_id, context=context)
    if not isinstance(item, WidgetItem):
        raise BadRequest(
            "Only a widget can send an action.", code="not_a_widget", path="$.params.item_id"
        )
    return item
