"""What several operations need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import BadRequest, Conflict, TooLarge
from ..types import ThreadMetadata, WidgetItem

if TYPE_CHECKING:
    from ..options import Options
    from ..server import ChatKitServer

__all__ = ["check_length", "check_open", "load_sender", "page_limit"]


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
