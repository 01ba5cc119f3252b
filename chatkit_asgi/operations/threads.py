"""Requests about threads that do not stream (semantics.md section 2)."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from ..errors import NotFoundError, StoreError
from ..protocol.codec import encode_stored
from ..protocol.effects import ThreadPatch
from ..protocol.visibility import thread_on_wire
from ..types import (
    Page,
    Thread,
    ThreadsDeleteReq,
    ThreadsGetByIdReq,
    ThreadsListReq,
    ThreadsUpdateReq,
)
from ._shared import check_length, page_limit
from .client_tools import expire_calls

if TYPE_CHECKING:
    from ..server import ChatKitServer

logger = logging.getLogger("chatkit_asgi.operations")

RENAME_ATTEMPTS = 10
"""A store that changes titles itself never has the one that was asked for."""

__all__ = ["delete_thread", "threads_delete", "threads_get_by_id", "threads_list", "threads_update"]


async def threads_get_by_id(
    server: ChatKitServer[Any], request: ThreadsGetByIdReq, context: Any
) -> bytes:
    """The thread with its newest items, oldest of them first; ``items.after`` leads to older ones."""
    thread_id = request.params.thread_id
    thread = await server.store.load_thread(thread_id, context=context)

    async def newest() -> Page[msgspec.Raw]:
        return await server.store.load_visible_items(
            thread_id, None, server.options.page_size, "desc", context=context
        )

    page = await newest()
    if any(b'"client_tool_call"' in row and b'"pending"' in row for row in map(bytes, page.data)):
        await expire_calls(server, thread, context)
        page = await newest()
    items: Page[msgspec.Raw] = Page(data=page.data[::-1], has_more=page.has_more, after=page.after)
    return encode_stored(thread_on_wire(thread, items))


async def threads_list(server: ChatKitServer[Any], request: ThreadsListReq, context: Any) -> bytes:
    """A page of threads, without items."""
    params = request.params
    limit = page_limit(server.options, params.limit)
    return encode_stored(
        await server.store.load_visible_threads(limit, params.after, params.order, context=context)
    )


async def threads_update(
    server: ChatKitServer[Any], request: ThreadsUpdateReq, context: Any
) -> Thread:
    """Rename the thread. A turn that runs keeps the new title (semantics.md section 2, the last weakness)."""
    params = request.params
    check_length(server.options, params.title, "$.params.title")
    thread = await server.store.load_thread(params.thread_id, context=context)
    for _ in range(RENAME_ATTEMPTS):  # another rename may come in between; the last one counts
        patch = ThreadPatch(title=params.title, title_was=thread.title)
        thread = await server.store.update_thread(params.thread_id, patch, context=context)
        if thread.title == params.title:
            break
    return thread_on_wire(thread)


async def threads_delete(
    server: ChatKitServer[Any], request: ThreadsDeleteReq, context: Any
) -> dict[str, Any]:
    """Delete the thread, what is in it, and its attachments' bytes. A turn that runs is stopped first."""
    thread_id = request.params.thread_id
    try:
        await server.store.load_thread(thread_id, context=context)
    except NotFoundError:
        return {}
    except (StoreError, msgspec.DecodeError):  # a store that is down fails again below
        logger.warning("a thread that cannot be read is deleted", exc_info=True)
    await delete_thread(server, thread_id, context)
    return {}


async def delete_thread(server: ChatKitServer[Any], thread_id: str, context: Any) -> None:
    """Delete the thread and all that is its own. Records go before bytes, so that none points to nothing; what a crash
    leaves of the bytes is swept."""
    store, files = server.store, server.attachment_store
    await server.turns.stop_thread(store.owner(context), thread_id, "deleted")
    if files is None:
        await store.delete_thread(thread_id, context=context)
        return
    attachments = await store.load_thread_attachments(thread_id, context=context)
    await store.delete_thread(thread_id, context=context)
    for attachment in attachments:
        with suppress(NotFoundError):  # a store of one's own may leave them
            await store.delete_attachment(attachment.id, context=context)
        await files.delete_attachment(attachment.id, context=context)
