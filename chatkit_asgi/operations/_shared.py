"""What several operations need."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from ..errors import AuthorError, BadRequest, Conflict, HookMissing, TooLarge
from ..protocol.sse import event_frame
from ..protocol.visibility import with_links
from ..store.base import PREVIEW
from ..turns import Run
from ..types import StreamOptions, StreamOptionsEvent, ThreadMetadata, UserMessageItem

if TYPE_CHECKING:
    from ..options import Options
    from ..server import ChatKitServer

__all__ = [
    "check_length",
    "check_open",
    "iterator",
    "page_limit",
    "require_respond",
    "respond",
    "tell_options",
    "told",
]

_MARK: Final = b'":"%b' % PREVIEW.encode()


def told(server: ChatKitServer[Any], body: bytes, context: Any) -> bytes:
    """JSON or a frame as it is sent: with links to previews that are good from now on.

    Links expire and records do not, so records only say that there is a preview. A store that has no previews leaves
    what a record says.
    """
    store = server.attachment_store
    if store is None or body.find(_MARK) < 0:
        return body

    def link(attachment_id: str) -> str:
        try:
            return store.preview_url(attachment_id, context)
        except HookMissing:
            return PREVIEW + attachment_id

    return with_links(body, PREVIEW, link)


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


def tell_options(run: Run) -> None:
    """Tell the client what it may do while the answer streams."""
    options = run.server.get_stream_options(run.thread, run.context)
    plain = type(options) is StreamOptions and type(options.allow_cancel) is bool
    run.tell(_usual_frame(options.allow_cancel) if plain else _options_frame(options))


def _options_frame(options: StreamOptions) -> bytes:
    return event_frame(StreamOptionsEvent(stream_options=options))


@cache
def _usual_frame(allow_cancel: bool) -> bytes:
    """Every turn has one of two."""
    return _options_frame(StreamOptions(allow_cancel=allow_cancel))


async def respond(run: Run, message: UserMessageItem | None) -> AsyncIterator[Any]:
    """The events of the author's answer."""
    tell_options(run)
    return await iterator(run, run.server.respond(run.thread, message, run.context), "respond")


def require_respond(server: ChatKitServer[Any]) -> None:
    """Raises HookMissing for a server that does not answer messages."""
    if not server.overrides("respond"):
        raise HookMissing("This server does not answer messages: it has no respond.")


async def iterator(run: Run, result: Any, hook: str) -> AsyncIterator[Any]:
    """The events of a hook that was called.

    Raises:
        AuthorError: It returned something else.
    """
    run.begun = True  # a coroutine may already wait for a model
    if not hasattr(result, "__aiter__") and inspect.isawaitable(result):
        result = await result
    if not hasattr(result, "__aiter__"):
        raise AuthorError(
            f"{hook} is an async generator, or returns one; it returned {type(result).__qualname__}"
        )
    events: AsyncIterator[Any] = result.__aiter__()
    return events
