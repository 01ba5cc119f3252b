"""What keeps a server's data in order without a request: sweep, export, erase.

Each works on a server and its stores through their public methods, with :class:`~chatkit_asgi.store.base.Owner` as
context; a store of one's own has to understand that, or be given ``context_of``.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from anyio import to_thread

from .errors import AuthorError, NotFoundError
from .operations.threads import delete_thread
from .protocol.codec import encode
from .server import ChatKitRouter, ChatKitServer
from .store.attachments import FileAttachmentStore, Stored
from .store.attachments.names import clean_name
from .store.base import Owner
from .types import Page, Thread

__all__ = ["GRACE", "erase_owner", "export_owner", "sweep"]

GRACE = 24 * 3600.0
"""Seconds that a file may be in no message: as long as somebody may think about what they write."""

PAGE = 100

Server = ChatKitServer[Any] | ChatKitRouter[Any]
ContextOf = Callable[[str], Any]


async def sweep(server: Server, *, grace: float = GRACE, context_of: ContextOf = Owner) -> int:
    """Delete files that no message carries: uploads that were never finished, files that were never sent, and bytes
    whose record is gone. Run it every day or so; several at once do no harm.

    Args:
        server: The server or the router.
        grace: Seconds that a file has to be used in.
        context_of: Makes of an owner's name what the store takes as context.

    Returns:
        How many were deleted.
    """
    server, files = _parts(server)
    before = server.options.clock().timestamp() - grace
    deleted = 0
    async for stored in files.stored_attachments():
        if stored.created < before and await _delete_if_free(server, files, stored, context_of):
            deleted += 1
    await files.tidy(before)
    return deleted


async def _delete_if_free(
    server: ChatKitServer[Any],
    files: FileAttachmentStore[Any],
    stored: Stored,
    context_of: ContextOf,
) -> bool:
    """The record first, so that no message comes to carry what has no bytes."""
    context = context_of(stored.owner)
    if not await server.store.delete_free_attachment(stored.id, context=context):
        return False
    await files.delete_attachment(stored.id, context=context)
    return True


async def erase_owner(server: Server, owner: str, *, context_of: ContextOf = Owner) -> None:
    """Delete all that belongs to an owner: threads, items, feedback, records, files. Answers that run are stopped.

    What died in the middle is put right by erasing again.

    Args:
        server: The server or the router.
        owner: As the store's ``owner=`` tells it.
        context_of: As for :func:`sweep`.
    """
    server = _server(server)
    context = context_of(owner)
    async for thread in _threads(server, context):
        await delete_thread(server, thread.id, context)
    files = server.attachment_store
    if isinstance(files, FileAttachmentStore):
        async for stored in files.stored_attachments(owner):
            await server.store.delete_attachment(stored.id, context=context)
            await files.delete_attachment(stored.id, context=context)
        await files.delete_owner(owner)


async def export_owner(
    server: Server, owner: str, directory: str | os.PathLike[str], *, context_of: ContextOf = Owner
) -> int:
    """Write all that belongs to an owner into a directory, which must be empty or not there.

    ``threads.jsonl`` has one thread a line, with all its items, hidden ones and metadata too; ``attachments/ID/NAME``
    has each file that has arrived.

    Args:
        server: The server or the router.
        owner: As the store's ``owner=`` tells it.
        directory: Where to.
        context_of: As for :func:`sweep`.

    Returns:
        How many threads there were.

    Raises:
        FileExistsError: The directory has something in it.
    """
    server = _server(server)
    context = context_of(owner)
    place = _empty(directory)
    count = 0
    with open(place / "threads.jsonl", "wb") as out:  # noqa: ASYNC230 (a command's own work)
        async for thread in _threads(server, context):
            try:
                items = [each async for each in server.store.scan_items(thread.id, "asc", context)]
            except NotFoundError:  # deleted meanwhile
                continue
            fields = {name: getattr(thread, name) for name in thread.__struct_fields__}
            whole = Thread(**fields, items=Page(data=items))
            await to_thread.run_sync(out.write, encode(whole) + b"\n")
            count += 1
    files = server.attachment_store
    if isinstance(files, FileAttachmentStore):
        async for stored in files.stored_attachments(owner):
            if stored.state != "awaited":
                await _export_file(files, stored, place / "attachments" / stored.id)
    return count


def _empty(directory: str | os.PathLike[str]) -> Path:
    place = Path(directory)
    place.mkdir(parents=True, exist_ok=True)
    if any(place.iterdir()):
        raise FileExistsError(f"{place} is not empty")
    return place


async def _export_file(files: FileAttachmentStore[Any], stored: Stored, place: Path) -> None:
    await to_thread.run_sync(lambda: place.mkdir(parents=True))
    with open(place / clean_name(stored.name), "wb") as out:  # noqa: ASYNC230 (a command's own work)
        async for chunk in files.read_stored(stored):
            await to_thread.run_sync(out.write, chunk)


async def _threads(server: ChatKitServer[Any], context: Any) -> AsyncIterator[Any]:
    """Every thread once, oldest first, page by page, also when threads are deleted meanwhile."""
    given: set[str] = set()
    after: str | None = None
    while True:
        try:
            page = await server.store.load_threads(
                limit=PAGE, after=after, order="asc", context=context
            )
        except NotFoundError:
            if after is None:
                raise
            after = None  # the cursor was deleted: begin again, and pass over what was given
            continue
        for thread in page.data:
            if thread.id not in given:
                given.add(thread.id)
                yield thread
        if page.after is None:
            return
        after = page.after


def _server(server: Server) -> ChatKitServer[Any]:
    return server.server if isinstance(server, ChatKitRouter) else server


def _parts(server: Server) -> tuple[ChatKitServer[Any], FileAttachmentStore[Any]]:
    found = _server(server)
    if not isinstance(found.attachment_store, FileAttachmentStore):
        raise AuthorError("This server has no attachment store that can be swept.")
    return found, found.attachment_store
