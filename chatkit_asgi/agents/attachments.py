"""Attachments as a model sees them: from the attachment store, inlined, or by a URL that the model's server can
reach.

Both classes make content parts of the Responses API, for ``ThreadItemConverter(attachments=...)``; the Chat
Completions conversion follows from those. Images are images; text is text, which every model reads; anything else is
a file, which OpenAI's models read (PDF and office documents) and most local servers refuse.

What cannot be shown becomes a line that names the attachment and says why, so that the model can tell the user.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, Final, cast

from ..errors import NotFoundError
from ..store.base import AttachmentStore
from ..types import Attachment
from ._tags import tagged
from .converter import ContentPart, attachment_note

__all__ = ["LinkedAttachments", "StoredAttachments"]

IMAGES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""What models with vision take."""

TEXT: Final = re.compile(
    r"text/.*|application/(json|xml|yaml|toml|javascript|x-ndjson|x-sh|sql)|.*\+(json|xml|yaml)"
)

MAX_BYTES: Final = 6 * 1024 * 1024
MAX_TEXT_BYTES: Final = 100_000


class StoredAttachments:
    """Reads attachments from the attachment store and inlines them.

    Args:
        store: Where the bytes are; it has to give them back (``open_attachment``).
        context: The request's context, for the store.
        max_bytes: An image or a file that is larger is not shown. As ``data:`` URL it is a third more: keep
            ``ThreadItemConverter.max_inline_bytes`` above that.
        max_text_bytes: A text is cut there. 100,000 bytes are some 25,000 tokens.
        files: Whether the model's server takes files other than images and text.
    """

    def __init__(
        self,
        store: AttachmentStore[Any],
        context: Any,
        *,
        max_bytes: int = MAX_BYTES,
        max_text_bytes: int = MAX_TEXT_BYTES,
        files: bool = True,
    ) -> None:
        self._store = store
        self._context = context
        self._max_bytes = max_bytes
        self._max_text_bytes = max_text_bytes
        self._files = files

    async def __call__(self, attachment: Attachment) -> ContentPart:
        """The content part of one attachment.

        Raises:
            HookMissing: The store does not give bytes back.
        """
        media_type = _media_type(attachment)
        try:
            if TEXT.fullmatch(media_type):
                found = await self._read(attachment, self._max_text_bytes)
                return _text_part(attachment, found, self._max_text_bytes)
            if media_type not in IMAGES and not self._files:
                return attachment_note(attachment, "a file of this kind cannot be shown to you")
            found = await self._read(attachment, self._max_bytes)
        except NotFoundError:
            return attachment_note(attachment, "its content is no longer there")
        if len(found) > self._max_bytes:
            return attachment_note(attachment, "it is too large to be shown to you")
        return _data_part(attachment, media_type, found)

    async def _read(self, attachment: Attachment, limit: int) -> bytes:
        """The bytes; if there are more than ``limit``, not all of them but more than that."""
        found = bytearray()
        chunks: Any = self._store.open_attachment(attachment.id, self._context)
        async with aclosing(chunks):
            async for chunk in chunks:
                found += chunk
                if len(found) > limit:
                    break
        return bytes(found)


class LinkedAttachments:
    """Gives the model's server a URL of each attachment, to fetch it itself.

    Args:
        url: Makes an absolute URL that works without cookies for as long as the model may need it.
    """

    def __init__(self, url: Callable[[Attachment], Awaitable[str]]) -> None:
        self._url = url

    async def __call__(self, attachment: Attachment) -> ContentPart:
        """The content part of one attachment."""
        url = await self._url(attachment)
        if _media_type(attachment) in IMAGES:
            return _image(url)
        return {"type": "input_file", "file_url": url}


def _media_type(attachment: Attachment) -> str:
    return attachment.mime_type.partition(";")[0].strip().lower()


def _image(url: str) -> ContentPart:
    return {"type": "input_image", "detail": "auto", "image_url": url}


def _data_part(attachment: Attachment, media_type: str, found: bytes) -> ContentPart:
    url = f"data:{media_type};base64,{b64encode(found).decode()}"
    if media_type in IMAGES:
        return _image(url)
    return {"type": "input_file", "filename": attachment.name, "file_data": url}


def _text_part(attachment: Attachment, found: bytes, limit: int) -> ContentPart:
    encoding = "utf-16" if found[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = found[:limit].decode(encoding, "replace")
    if len(found) > limit:
        text += f"\n(Cut here, after {limit:,} bytes.)"
    shown = tagged("AttachedFile", text, name=attachment.name, type=attachment.mime_type)
    return cast("ContentPart", {"type": "input_text", "text": shown})
