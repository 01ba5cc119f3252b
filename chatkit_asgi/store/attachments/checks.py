"""What a file really is, and whether it may come in: decided on its bytes, whatever the client says about them.

Runs in worker threads, on a finished local file. Raises the client's mistakes; touches nothing.
"""

from __future__ import annotations

import os
import re
import struct
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from mimetypes import MimeTypes
from typing import IO, Any, Final, cast

from ...errors import BadRequest, TooLarge, UnsupportedMediaType

__all__ = [
    "ACCEPTED",
    "ACTIVE",
    "RASTER",
    "AttachmentLimits",
    "check_file",
    "declared_type",
    "harmless",
    "is_accepted",
    "media_type",
    "sniff",
]

ACCEPTED: Final = (
    "image/png", "image/jpeg", "image/gif", "image/webp",
    "application/pdf", "text/plain", "text/csv", "text/markdown", "application/json",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "audio/mpeg", "audio/mp4", "audio/ogg", "audio/wav", "audio/webm",
)  # fmt: skip
"""What comes in by default: what models read. Nothing that a browser runs, no archives, no programs."""

RASTER: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""Images that get a preview."""

HEAD: Final = 8192
"""Bytes that tell what a file is."""

_MiB: Final = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class AttachmentLimits:
    """What an attachment store takes in. Sizes are in bytes.

    Raises:
        ValueError: A value that makes no sense.
    """

    max_size: int = 100 * _MiB
    """Of one file (413), counted while it arrives. The client's own default."""
    accept: tuple[str, ...] = ACCEPTED
    """Media types (415), as the bytes tell, in lower case; ``image/*`` and ``*/*`` work too."""
    quota: int | None = 10 * 1024 * _MiB
    """Of all files of one owner, previews too (413). ``None``: no limit."""
    max_files: int | None = 10_000
    """Files of one owner, also those whose bytes are awaited (413). ``None``: no limit."""
    max_pixels: int = 50_000_000
    """Of an image that is decoded (413): four bytes each in memory. The largest common photos have 48 million."""
    preview_side: int = 1024
    """Pixels of a preview's longer side at most."""
    max_unpacked: int = 1024 * _MiB
    """Of all that an archive, or a document that is one, holds (413)."""
    max_ratio: int = 200
    """How many times larger than the file that may be (413), from one megabyte on; deflate itself ends at 1,032."""
    max_entries: int = 10_000
    """Of an archive (413)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "accept", _media_types(self.accept))
        for field in fields(self):
            value: Any = getattr(self, field.name)
            optional = "None" in str(field.type)
            if field.name == "accept" or (value is None and optional):
                continue
            if type(value) is not int or value < 1:
                or_none = ", or None for no limit" if optional else ""
                raise ValueError(
                    f"{field.name} is a whole number, more than 0{or_none}, not {value!r}"
                )


_PATTERN: Final = re.compile(r"[^\s/;,A-Z]+/[^\s/;,A-Z]+")


def _media_types(accept: Any) -> tuple[str, ...]:
    if isinstance(accept, str):
        raise ValueError(f"accept is a tuple, {(accept,)!r}, not the str {accept!r}")
    if not isinstance(accept, Iterable):
        raise ValueError(f"accept is a tuple of media types, not {accept!r}")
    given: tuple[Any, ...] = tuple(cast("Any", accept))
    for each in given:
        if not isinstance(each, str) or _PATTERN.fullmatch(each) is None:
            raise ValueError(
                f"accept has media types in lower case, as 'image/png' or 'image/*', not {each!r}"
            )
    if not given:
        raise ValueError("accept has no media type: nothing would come in")
    return given


def media_type(declared: str) -> str:
    """A media type without parameters, in lower case; ``""`` for what is none."""
    kind = declared.split(";", 1)[0].strip().lower()
    return kind if kind.count("/") == 1 and kind.isascii() and kind.isprintable() else ""


def declared_type(declared: str, name: str, limits: AttachmentLimits) -> str:
    """What the client says that a file is; where that is nothing that comes in, what its name says, if that is.

    Browsers go by the machine: where Excel is installed a ``.csv`` is ``application/vnd.ms-excel``, and a ``.md`` is
    nothing at all on most.
    """
    kind = media_type(declared)
    if not is_accepted(kind, limits):
        named = _NAMES.guess_type(name)[0] or ""
        if is_accepted(named, limits):
            return named
    return kind


_NAMES: Final = MimeTypes()
_NAMES.add_type("text/markdown", ".md")  # which Python knows from 3.14 on


def is_accepted(kind: str, limits: AttachmentLimits) -> bool:
    """Whether files of this media type come in."""
    return any(fnmatchcase(kind, pattern) for pattern in limits.accept)


def check_file(path: str, declared: str, limits: AttachmentLimits) -> str:
    """The file's media type, after every check of its bytes but those of :mod:`.previews`.

    Args:
        path: A local file.
        declared: What the client says it is; only ever believed about kinds of text, and of documents in a zip.
        limits: The limits.

    Raises:
        BadRequest: It is empty (``empty_file``) or damaged (``unreadable_file``).
        UnsupportedMediaType: It is of a type that is not accepted, or not what an image must be.
        TooLarge: It unpacks to too much.
    """
    with open(path, "rb") as file:
        head = file.read(HEAD)
        if not head:
            raise BadRequest("The file is empty.", code="empty_file")
        kind = sniff(head, declared)
        if kind == "application/zip":
            kind = _check_zip(file, declared, limits)
        elif kind.startswith(_IN_A_ZIP) or zipfile.is_zipfile(file):  # also what is both
            _check_zip(file, declared, limits)
    if not is_accepted(kind, limits):
        raise UnsupportedMediaType(
            f"Files of type {kind} are not accepted.", code="attachment_type"
        )
    if declared.startswith("image/") and kind not in RASTER and kind != declared:
        raise UnsupportedMediaType(
            f"This is no {declared[:100]} but {kind}.", code="attachment_type"
        )
    return kind


# -- what it is --------------------------------------------------------------------------------

_MARKUP: Final = (b"<!doctype html", b"<html", b"<head", b"<body", b"<script", b"<iframe")
_SAID_ABOUT_TEXT: Final = frozenset({"application/json", "application/x-yaml", "application/toml"})


def sniff(head: bytes, declared: str) -> str:
    """The media type that the first :data:`HEAD` bytes tell, ``application/octet-stream`` if nothing.

    Text has no marks of its own: there, what the client says is believed if it is a kind of text that nobody runs.
    """
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    text = _as_text(head)
    if text is not None:
        return _kind_of_text(text, declared)
    from filetype import guess_mime  # type: ignore[import-untyped]  # pyright: ignore

    found = str(guess_mime(head) or "application/octet-stream")
    kind = _SAME.get(found, found)
    if kind.startswith("video/") and declared == f"audio/{kind.removeprefix('video/')}":
        # Recorders put sound alone into the container of films, which does not say so.
        return declared
    return kind


_SAME: Final = {"audio/x-wav": "audio/wav", "image/apng": "image/png"}


def _as_text(head: bytes) -> bytes | None:
    """The head as UTF-8 in lower case, without what comes before the first mark; ``None`` if it is not text."""
    try:
        if head.startswith((b"\xff\xfe", b"\xfe\xff")):
            text = head[: len(head) // 2 * 2].decode("utf-16", "ignore")
        else:
            text = _decoded(head)
    except UnicodeDecodeError:
        return None
    if any(each < " " and each not in "\t\n\r\f\x1b" for each in text) or "\x7f" in text:
        return None
    return text.lstrip("\ufeff \t\n\r\f").lower().encode("utf-8", "replace")


def _decoded(head: bytes) -> str:
    """UTF-8 that may end in the middle of a character."""
    try:
        return head.decode()
    except UnicodeDecodeError as error:
        if len(head) == HEAD and error.start >= HEAD - 3:
            return head[: error.start].decode()
        raise


def _kind_of_text(text: bytes, declared: str) -> str:
    if text.startswith((b"<svg", b"<!doctype svg")) or (
        text.startswith((b"<?xml", b"<!--")) and b"<svg" in text
    ):
        return "image/svg+xml"
    if text.startswith(_MARKUP):
        return "text/html"
    if text.startswith(b"<?xml"):
        return "application/xhtml+xml" if b"<html" in text else "application/xml"
    if declared in _SAID_ABOUT_TEXT or (declared.startswith("text/") and declared not in ACTIVE):
        return declared
    return "text/plain"


ACTIVE: Final = frozenset(
    {
        *(
            "text/html",
            "text/xml",
            "text/xsl",
            "text/cache-manifest",
            "text/css",
        ),
        *("application/xml", "application/xhtml+xml", "image/svg+xml"),
        # The JavaScript MIME types of the standard (WHATWG, MIME Sniffing).
        *(
            f"{of}/{name}"
            for of in ("application", "text")
            for name in ("ecmascript", "javascript", "x-ecmascript", "x-javascript")
        ),
        *(f"text/javascript1.{minor}" for minor in range(6)),
        *("text/jscript", "text/livescript"),
        *("application/x-shockwave-flash", "application/xslt+xml", "application/wasm"),
    }
)
"""What a browser may run or render as a page: never told as its own type when it is served."""


def harmless(kind: str) -> str:
    """The type under which a file of this type is served. What kinds of text there are, only browsers know."""
    if kind in ACTIVE or kind.endswith("+xml"):
        return "application/octet-stream"
    return "text/plain" if kind.startswith("text/") and kind not in _INERT else kind


_INERT: Final = frozenset(
    f"text/{name}"
    for name in (
        "calendar",
        "csv",
        "markdown",
        "plain",
        "rtf",
        "tab-separated-values",
        "vcard",
        "vtt",
    )
)
"""Kinds of text that are told as their own type when they are served."""


# -- archives ----------------------------------------------------------------------------------

_END: Final = struct.Struct("<4s4H2LH")
_CONTENT_TYPES: Final = "[Content_Types].xml"
_IN_A_ZIP: Final = ("application/vnd.openxmlformats-officedocument.", "application/vnd.oasis.opendocument.",
                    "application/epub+zip")  # fmt: skip


def _check_zip(file: IO[bytes], declared: str, limits: AttachmentLimits) -> str:
    """The type of an archive that does not burst.

    Reads the list of entries only, and that only when it is short: what reading one unpacks is never more than the
    entry says.
    """
    _check_directory(file, limits)
    size = os.fstat(file.fileno()).st_size
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise BadRequest("The archive is damaged.", code="unreadable_file") from error
    unpacked = sum(each.file_size for each in entries)
    if len(entries) > limits.max_entries:
        raise _bomb(f"more than {limits.max_entries} entries")
    if unpacked > limits.max_unpacked or (unpacked > _MiB and unpacked > limits.max_ratio * size):
        raise _bomb(f"{unpacked} bytes unpacked")
    if sum(each.compress_size for each in entries) > size:
        raise _bomb("entries that overlap")
    names = {each.filename for each in entries}
    if declared.startswith(_IN_A_ZIP) and (_CONTENT_TYPES in names or "mimetype" in names):
        return declared
    return "application/zip"


def _check_directory(file: IO[bytes], limits: AttachmentLimits) -> None:
    """The list of entries is as short as it may be: a long one would fill the memory of whoever reads it."""
    end = file.seek(0, os.SEEK_END)
    start = max(end - _END.size - 0xFFFF - 20, 0)
    file.seek(start)
    tail = file.read()
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or len(tail) - place < _END.size:
        raise BadRequest("The archive is damaged.", code="unreadable_file")
    _, _, _, _, count, length, _, _ = _END.unpack_from(tail, place)
    if tail[max(place - 20, 0) : place].startswith(b"PK\x06\x07"):
        raise _bomb("the form for archives of more than 4 GB")
    if count > limits.max_entries or length > limits.max_entries * 512:
        raise _bomb(f"more than {limits.max_entries} entries")


def _bomb(what: str) -> TooLarge:
    return TooLarge(f"This archive is not accepted: {what}.", code="archive_too_large")
