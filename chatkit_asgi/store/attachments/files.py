"""An attachment store over a place for blobs: takes files in, checks them, keeps them by owner, gives them back.

A file lives in ``OWNER/ID/``: its bytes, its preview and, written last, ``stored.json``, which names both. So what is
``ready`` is whole, whenever a process dies; everything else is found and swept by its age. Bytes come in by way of a
local file, where they are counted, checked and scanned before anything of them is kept.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, suppress
from functools import partial
from importlib.util import find_spec
from threading import Lock
from typing import Any, ClassVar, Final, Generic, Literal, TypedDict, TypeVar
from weakref import WeakValueDictionary

import anyio
import msgspec
from anyio import to_thread
from anyio.lowlevel import RunVar

from ...errors import (
    BadRequest,
    Conflict,
    NotFoundError,
    StoreError,
    TooLarge,
    UnsupportedMediaType,
)
from ...ids import random_id
from ...protocol.codec import encode
from ...types import (
    Attachment,
    AttachmentCreateParams,
    AttachmentUploadDescriptor,
    FileAttachment,
    ImageAttachment,
)
from ..base import PREVIEW, AttachmentStore, Owner, Store, TContext
from .blobs import Blobs
from .checks import RASTER, AttachmentLimits, check_file, declared_type, is_accepted
from .links import Link, LinkKind, Links
from .names import clean_name
from .previews import make_preview

__all__ = [
    "LINK_LIFE",
    "FileAttachmentStore",
    "FileStoreOptions",
    "Scanned",
    "Stored",
    "Verdict",
    "folder_of",
    "place_of",
]

LINK_LIFE: Final = 6 * 3600.0
"""Minimum lifetime of a link in seconds; the maximum is twice that: a page that stays open for a day's work
shows its pictures, a link that leaks is worthless the next day."""

BLOCK: Final = 2 * 1024 * 1024
"""Bytes that are written at a time; an upload has three such blocks in memory at most."""

SYNC: Final = 32 * 1024 * 1024
"""Bytes after which a disk is made to have what has been written, while more arrives: at the end of a large upload
little is left to wait for, and few of the system's pages are ever full of it."""

MANY_CHUNKS: Final = 512
"""Chunks that are written at a time, however small: each has a cost of its own. POSIX takes 1,024 at once."""

DECODERS: Final = 2
"""Images that are decoded at once by one event loop; each may take ``limits.max_pixels`` times four bytes."""

Verdict = Literal["accept", "hold", "reject"]
"""What a scanner says. A file on hold is kept, but is neither in a message nor served before it is released."""

R = TypeVar("R")

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_decoding: RunVar[anyio.CapacityLimiter] = RunVar("chatkit_asgi_decoding")


class Stored(msgspec.Struct, kw_only=True):
    """What is known of a file; its ``stored.json``."""

    id: str
    owner: str
    name: str
    mime_type: str
    """As the client says while it is ``awaited``, then as the bytes tell."""
    size: int
    """Bytes: as announced while ``awaited``, then as counted."""
    created: float
    """Seconds since 1970."""
    state: Literal["awaited", "held", "ready"]
    image: bool
    """Whether its record is an image's."""
    data: str = ""
    """The blob of its bytes."""
    preview: str = ""
    """The blob of its preview."""
    preview_type: str = ""


class Scanned(msgspec.Struct, kw_only=True):
    """What a scanner looks at."""

    path: str
    """A local file, which is gone when the scanner returns."""
    id: str
    owner: str
    name: str
    mime_type: str
    size: int


class FileStoreOptions(TypedDict, Generic[TContext], total=False):
    """What every :class:`FileAttachmentStore` may be given, wherever it keeps its files; each is described there."""

    limits: AttachmentLimits | None
    scan: Callable[[Scanned], Awaitable[Verdict]] | None
    owner: Callable[[TContext], str] | None
    link_life: float
    separate_origin: bool
    clock: Callable[[], float]


class FileAttachmentStore(AttachmentStore[TContext]):
    """Attachments in a place for blobs; see :class:`~chatkit_asgi.store.DiskAttachmentStore`.

    Args:
        blobs: The place.
        url: Where browsers find the endpoint, for example ``https://my.app/chatkit``. Another host than the page's own
            keeps what people upload away from its cookies: see ``separate_origin``.
        keys: Secrets that sign links, newest first; each of 16 bytes or more.
        limits: What comes in.
        scan: ``async (Scanned) -> "accept" | "hold" | "reject"``, asked about every file before it is kept. What it
            raises refuses the file (500).
        owner: From a context to whose files it sees. Default: as the server's store tells.
        link_life: Seconds that links are good for at least.
        separate_origin: Serve files only to requests for ``url``'s own host (421 otherwise).
        clock: Seconds since 1970.

    Raises (every method):
        NotFoundError: There is no such file, or it is somebody else's.
        StoreError: The place failed.
    """

    serves_files: ClassVar[bool] = True

    def __init__(
        self,
        blobs: Blobs,
        *,
        url: str,
        keys: Sequence[str | bytes],
        limits: AttachmentLimits | None = None,
        scan: Callable[[Scanned], Awaitable[Verdict]] | None = None,
        owner: Callable[[TContext], str] | None = None,
        link_life: float = LINK_LIFE,
        separate_origin: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not re.fullmatch(r"https?://[^\s/?#]+[^\s?#]*", url):
            raise ValueError(f"url is where browsers find the endpoint, http(s)://..., not {url!r}")
        if None in map(find_spec, ("filetype", "PIL", "python_multipart")):
            raise ImportError("attachments need more: pip install 'chatkit-asgi[attachments]'")
        self.url = url.rstrip("/")
        if not isinstance(limits, AttachmentLimits | None):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValueError(f"limits is AttachmentLimits(max_size=...), not {limits!r}")
        self.limits = AttachmentLimits() if limits is None else limits
        self.separate_origin = separate_origin
        self._blobs = blobs
        self._links = Links(keys, clock)
        self._scan = scan
        self._owner = owner
        self._life = link_life
        self._clock = clock
        self._locks: WeakValueDictionary[str, anyio.Lock] = WeakValueDictionary()

    # -- whose -----------------------------------------------------------------------------------

    def bind(self, store: Store[TContext]) -> None:
        """Owners are those of the server's store, unless ``owner=`` said otherwise."""
        if self._owner is None:
            self._owner = store.owner

    def owner(self, context: TContext) -> str:
        """Whose files ``context`` sees; ``""`` for a single user."""
        if isinstance(context, Owner):
            return context.name
        return "" if self._owner is None else self._owner(context)

    def _place(self, attachment_id: str, context: TContext) -> str:
        return place_of(folder_of(self.owner(context)), attachment_id)

    # -- the contract ----------------------------------------------------------------------------

    async def create_attachment(
        self, input: AttachmentCreateParams, context: TContext
    ) -> Attachment:
        """Announce an upload: the record says where the bytes go. What can be refused already is refused.

        Raises:
            BadRequest: An empty file.
            TooLarge: It is too large, or over the owner's quota.
            UnsupportedMediaType: Its type is not accepted.
        """
        stored = self._new(input.name, input.mime_type, input.size, context)
        if input.size == 0:
            raise BadRequest("The file is empty.", code="empty_file", path="$.params.size")
        if input.size > self.limits.max_size:
            raise _too_large(self.limits.max_size)
        if stored.mime_type and not is_accepted(stored.mime_type, self.limits):
            raise UnsupportedMediaType(
                f"Files of type {stored.mime_type[:100]} are not accepted.",
                code="attachment_type",
                path="$.params.mime_type",
            )
        async with self._one_by_one(stored.owner):
            await self._check_quota(stored, 1, stored.size)
            await self._save(stored)
        record = self._record(stored)
        record.upload_descriptor = self._descriptor(stored)
        return record

    async def receive_attachment(
        self, name: str, declared: str, chunks: AsyncIterator[bytes], context: TContext
    ) -> Attachment:
        """Take a whole file in, and give its record back, which the caller saves.

        Args:
            name: As the client names it.
            declared: Its media type, as the client says.
            chunks: Its bytes, as they arrive.
            context: Whose it becomes.

        Raises:
            BadRequest, TooLarge, UnsupportedMediaType: It does not come in; nothing of it is kept.
        """
        stored = self._new(name, declared, 0, context)
        await self._check_quota(stored, 1, 0)
        return self._record(await self._receive(stored, chunks, None))

    async def receive_upload(self, link: Link, chunks: AsyncIterator[bytes]) -> None:
        """Take in the bytes of an upload that was announced.

        Raises:
            Conflict: They are there already.
            BadRequest, TooLarge, UnsupportedMediaType: They do not come in; the upload may be tried again.
        """
        stored = await self._load(place_of(link.folder, link.id))
        if stored.state != "awaited":
            raise Conflict("This file has arrived already.", code="already_uploaded")
        await self._receive(stored, chunks, stored.size)

    async def confirm_attachment(self, attachment: Attachment, context: TContext) -> Attachment:
        """The record as a message may carry it.

        Raises:
            Conflict: The bytes have not arrived (``attachment_not_uploaded``), or wait for the scanner
                (``attachment_held``).
        """
        stored = await self._arrived(self._place(attachment.id, context))
        if stored.state == "awaited":
            raise Conflict("The file has not arrived.", code="attachment_not_uploaded")
        _check_released(stored)
        return attachment.model_copy(
            update={"upload_descriptor": None, "mime_type": stored.mime_type}
        )

    async def delete_attachment(self, attachment_id: str, context: TContext) -> None:
        """Delete the bytes; does nothing when there are none."""
        with suppress(NotFoundError):
            await self._run(self._blobs.delete, self._place(attachment_id, context))

    async def open_attachment(self, attachment_id: str, context: TContext) -> AsyncIterator[bytes]:
        """The bytes, in chunks."""
        stored = await self._load_ready(attachment_id, context)
        async with aclosing(self.read_stored(stored)) as chunks:
            async for chunk in chunks:
                yield chunk

    # -- links -----------------------------------------------------------------------------------

    def preview_url(self, attachment_id: str, context: TContext) -> str:
        """A link to the preview of an image, good for a while."""
        return self._url("preview", folder_of(self.owner(context)), attachment_id)

    def download_url(self, attachment_id: str, context: TContext) -> str:
        """A link to the file itself, good for a while; browsers save it, and never show it. For widgets and texts."""
        return self._url("download", folder_of(self.owner(context)), attachment_id)

    def read_link(self, token: str) -> Link:
        """What a link says, given its last part. Raises Forbidden."""
        return self._links.read(token)

    async def open_link(self, link: Link) -> tuple[Stored, str, int]:
        """What a link leads to: the file, and the key and size of its bytes or of its preview."""
        place = place_of(link.folder, link.id)
        stored = _check_released(await self._arrived(place))
        blob = stored.preview if link.kind == "preview" else stored.data
        if stored.state != "ready" or not blob:
            raise NotFoundError("No such file.")
        key = f"{place}/{blob}"
        size = await self._run(self._blobs.size, key) if link.kind == "preview" else stored.size
        return stored, key, size

    def open_range(self, key: str, start: int, stop: int) -> AsyncIterator[bytes]:
        """A part of what :meth:`open_link` found."""
        return self._chunks(key, start, stop)

    def _url(self, kind: LinkKind, folder: str, attachment_id: str) -> str:
        token = self._links.sign(kind, folder, attachment_id, self._life)
        return f"{self.url}/attachments/{token}"

    def _descriptor(self, stored: Stored) -> AttachmentUploadDescriptor:
        """Where the bytes of an upload go."""
        return AttachmentUploadDescriptor(
            url=self._url("upload", folder_of(stored.owner), stored.id),
            method="PUT",
            headers={"content-type": stored.mime_type or "application/octet-stream"},
        )

    # -- scanner, owners, sweep ------------------------------------------------------------------

    async def release_attachment(self, attachment_id: str, context: TContext) -> None:
        """The scanner has found nothing in a file that was on hold."""
        stored = await self._load(self._place(attachment_id, context))
        if stored.state == "held":
            await self._save(msgspec.structs.replace(stored, state="ready"))

    async def load_stored(self, attachment_id: str, context: TContext) -> Stored:
        """What is known of a file."""
        return await self._arrived(self._place(attachment_id, context))

    async def stored_attachments(self, owner: str | None = None) -> AsyncIterator[Stored]:
        """Every file that is here or awaited, of one owner or of all."""
        folders = self._names("") if owner is None else _one(folder_of(owner))
        async for folder in folders:
            async for name in self._names(folder):
                with suppress(NotFoundError):  # deleted meanwhile
                    yield await self._load(f"{folder}/{name}")

    async def read_stored(self, stored: Stored) -> AsyncGenerator[bytes]:
        """The bytes of a file that has arrived, also of one on hold."""
        place = place_of(folder_of(stored.owner), stored.id)
        async with aclosing(self._chunks(f"{place}/{stored.data}", 0, stored.size)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def tidy(self, before: float) -> None:
        """Delete what is left of uploads whose process died, before that time (seconds since 1970)."""
        await self._run(self._blobs.tidy, before)

    async def delete_owner(self, owner: str) -> None:
        """Delete everything of an owner."""
        await self._run(self._blobs.delete, folder_of(owner))

    # -- taking in -------------------------------------------------------------------------------

    def _new(self, name: str, declared: str, size: int, context: TContext) -> Stored:
        name = clean_name(name)
        kind = declared_type(declared, name, self.limits)
        return Stored(
            id=self.generate_attachment_id(kind, context),
            owner=self.owner(context),
            name=name,
            mime_type=kind,
            size=size,
            created=self._clock(),
            state="awaited",
            image=kind in RASTER,
        )

    async def _receive(
        self, stored: Stored, chunks: AsyncIterator[bytes], exact: int | None
    ) -> Stored:
        """Count, check, scan, keep."""
        handle, path = await self._run(partial(tempfile.mkstemp, dir=self._blobs.spool))
        try:
            size = await self._spool(
                handle, chunks, self.limits.max_size if exact is None else exact
            )
            if exact is not None and size != exact:
                raise BadRequest(
                    f"{exact} bytes were announced, {size} came.", code="size_mismatch"
                )
            kind = await self._run(check_file, path, stored.mime_type, self.limits)
            image = stored.image if exact is not None else kind in RASTER
            found = msgspec.structs.replace(
                stored, mime_type=kind, size=size, image=image, data=random_id("data")
            )
            preview = b""
            if kind in RASTER:
                preview, found.preview_type = await self._decode(path)
                found.preview = random_id("preview")
            found.state = "held" if await self._verdict(path, found) == "hold" else "ready"
            files = 1 if exact is None else 0
            async with self._one_by_one(stored.owner):
                await self._check_quota(found, files, size + len(preview))
                with anyio.CancelScope(shield=True):
                    await self._run(self._keep, path, found, preview)
            return found
        finally:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(_remove, path)

    async def _spool(self, handle: int, chunks: AsyncIterator[bytes], limit: int) -> int:
        """Write the chunks, a block at a time, while the next ones arrive; how many bytes they were."""
        blocks, waiting = anyio.create_memory_object_stream[list[bytes]](1)
        syncing = anyio.Lock()

        async def write() -> None:
            unsynced = 0
            async with waiting:
                async for block in waiting:
                    await self._run(_write, handle, block)
                    unsynced += sum(map(len, block))
                    if unsynced >= SYNC and not syncing.locked() and self._blobs.spool is not None:
                        unsynced = 0
                        group.start_soon(sync)

        async def sync() -> None:
            async with syncing:
                await self._run(os.fsync, handle)

        size = 0
        try:
            async with anyio.create_task_group() as group, blocks:
                group.start_soon(write)
                async with aclosing(_blocks(chunks, limit)) as found:
                    async for block in found:
                        size += sum(map(len, block))
                        await blocks.send(block)
        except BaseExceptionGroup as problem:
            raise _cause(problem) from None
        finally:
            os.close(handle)
        return size

    async def _decode(self, path: str) -> tuple[bytes, str]:
        try:
            limiter = _decoding.get()
        except LookupError:
            limiter = anyio.CapacityLimiter(DECODERS)
            _decoding.set(limiter)
        return await to_thread.run_sync(make_preview, path, self.limits, limiter=limiter)

    async def _verdict(self, path: str, found: Stored) -> Verdict:
        if self._scan is None:
            return "accept"
        verdict = await self._scan(
            Scanned(
                path=path,
                id=found.id,
                owner=found.owner,
                name=found.name,
                mime_type=found.mime_type,
                size=found.size,
            )
        )
        if verdict == "reject":
            raise BadRequest("The scanner refused this file.", code="attachment_rejected")
        return verdict

    def _keep(self, path: str, found: Stored, preview: bytes) -> None:
        """In a worker thread: the bytes, the preview, and last of all what makes them count."""
        place = place_of(folder_of(found.owner), found.id)
        with suppress(FileNotFoundError):
            if _stored(self._blobs.read(f"{place}/stored.json")).state != "awaited":
                raise Conflict("This file has arrived already.", code="already_uploaded")
        self._blobs.take(f"{place}/{found.data}", path)
        if preview:
            self._blobs.write(f"{place}/{found.preview}", preview)
        self._blobs.write(f"{place}/stored.json", encode(found))
        self._blobs.delete_one(f"{place}/incoming")

    def _one_by_one(self, owner: str) -> anyio.Lock:
        """Held between the look at an owner's quota and what uses it: of many uploads at once, as many come in as one
        after the other. In each process; several let in one too many each."""
        return self._locks.setdefault(owner, anyio.Lock())

    async def _check_quota(self, stored: Stored, files: int, size: int) -> None:
        limits = self.limits
        if limits.quota is None and limits.max_files is None:
            return
        count, used = await self._run(self._blobs.usage, folder_of(stored.owner))
        if limits.max_files is not None and count + files > limits.max_files:
            raise TooLarge(f"At most {limits.max_files} files.", code="max_files")
        if limits.quota is not None and used + size > limits.quota:
            raise TooLarge(f"At most {limits.quota} bytes of files.", code="attachment_quota")

    # -- the place -------------------------------------------------------------------------------

    def _record(self, stored: Stored) -> Attachment:
        shown: dict[str, Any] = {
            "id": stored.id,
            "name": stored.name,
            "mime_type": stored.mime_type or "application/octet-stream",
        }
        if stored.image:
            return ImageAttachment(**shown, preview_url=PREVIEW + stored.id)
        return FileAttachment(**shown)

    async def _arrived(self, place: str) -> Stored:
        """What is known of a file, after its bytes have been fetched from where they were sent, if need be."""
        return await self._load(place)

    async def _load(self, place: str) -> Stored:
        return _stored(await self._run(self._blobs.read, f"{place}/stored.json"))

    async def _load_ready(self, attachment_id: str, context: TContext) -> Stored:
        """What is known of a file that may be given out."""
        stored = _check_released(await self.load_stored(attachment_id, context))
        if stored.state != "ready":
            raise NotFoundError("The file has not arrived.")
        return stored

    async def _save(self, stored: Stored) -> None:
        place = place_of(folder_of(stored.owner), stored.id)
        await self._run(self._blobs.write, f"{place}/stored.json", encode(stored))

    async def _chunks(self, key: str, start: int, stop: int) -> AsyncGenerator[bytes]:
        pieces = _Pieces(await self._run(self._blobs.open, key, start, stop))
        try:
            while piece := await self._run(pieces.next):
                yield piece
        finally:
            pieces.close()

    async def _names(self, folder: str) -> AsyncIterator[str]:
        names = await self._run(self._blobs.folders, folder)
        while name := await self._run(_next_name, names):
            yield name

    async def _run(self, work: Callable[..., R], *values: Any) -> R:
        """In a worker thread, so that the event loop never waits for a disk."""
        try:
            return await to_thread.run_sync(work, *values)
        except FileNotFoundError:
            raise NotFoundError("No such file.") from None
        except OSError as error:
            raise StoreError(f"The place for attachments failed: {error}") from error


async def _one(name: str) -> AsyncIterator[str]:
    yield name


def folder_of(owner: str) -> str:
    """The name of an owner's folder: any text becomes one, on any file system, and two never become the same."""
    from hashlib import sha256  # loads OpenSSL, which an import of this library should not

    return sha256(owner.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def place_of(folder: str, attachment_id: str) -> str:
    """Where a file lives. Raises NotFoundError for an id that cannot be one: it came from outside."""
    if _ID.fullmatch(attachment_id) is None:
        raise NotFoundError("No such file.")
    return f"{folder}/{attachment_id}"


def _stored(data: bytes) -> Stored:
    try:
        return msgspec.json.decode(data, type=Stored)
    except msgspec.DecodeError as error:
        raise StoreError(f"A stored.json cannot be read: {error}") from error


def _check_released(stored: Stored) -> Stored:
    if stored.state == "held":
        raise Conflict("This file is being scanned.", code="attachment_held")
    return stored


class _Pieces:
    """A file's pieces, read in worker threads. If the reader leaves while one is read, the thread that reads it closes
    them: it cannot be cancelled."""

    def __init__(self, pieces: Any) -> None:
        self._pieces = pieces
        self._reading = Lock()
        self._closed = False

    def next(self) -> bytes:
        with self._reading:
            piece: bytes = next(self._pieces, b"")
        if self._closed:
            self.close()
        return piece

    def close(self) -> None:
        self._closed = True
        if self._reading.acquire(blocking=False):
            try:
                self._pieces.close()
            finally:
                self._reading.release()


def _next_name(names: Iterator[str]) -> str:
    return next(names, "")


async def _blocks(chunks: AsyncIterator[bytes], limit: int) -> AsyncGenerator[list[bytes]]:
    """The chunks, some at a time; refused with the first byte beyond the limit."""
    block: list[bytes] = []
    size = total = 0
    async for chunk in chunks:
        block.append(chunk)
        size += len(chunk)
        total += len(chunk)
        if total > limit:
            raise _too_large(limit)
        if size >= BLOCK or len(block) >= MANY_CHUNKS:
            yield block
            block, size = [], 0
    if block:
        yield block


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"At most {limit} bytes.", code="attachment_size")


def _cause(problem: BaseException) -> BaseException:
    """What really went wrong in a group of tasks: the others were cancelled for it."""
    cancelled = anyio.get_cancelled_exc_class()
    while isinstance(problem, BaseExceptionGroup):
        causes: tuple[BaseException, ...] = problem.exceptions  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        problem = next((each for each in causes if not isinstance(each, cancelled)), causes[0])
    return problem


def _write(handle: int, block: list[bytes]) -> None:
    written = os.writev(handle, block) if hasattr(os, "writev") else 0
    if written < sum(map(len, block)):
        data = memoryview(b"".join(block))[written:]
        while data:
            data = data[os.write(handle, data) :]


def _remove(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)
