"""Attachments and dictation (wire.md sections 9.4 and 9.8)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from .._base import Checked, PydanticUnion, Wire

__all__ = [
    "Attachment",
    "AttachmentBase",
    "AttachmentUploadDescriptor",
    "AudioInput",
    "FileAttachment",
    "ImageAttachment",
    "TranscriptionResult",
    "Url",
]

Url = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z][A-Za-z0-9+.\-]*:[^\s]")]
"""An absolute URL, written as it was given: normalising could break a signature."""


class AttachmentUploadDescriptor(Checked):
    """Where the client sends the bytes in a two-phase upload."""

    url: Url
    method: Literal["POST", "PUT"]
    headers: dict[str, str] = {}


class AttachmentBase(Checked):
    """What every attachment has."""

    id: str
    name: str
    mime_type: str
    upload_descriptor: AttachmentUploadDescriptor | None = None
    """Only while the bytes are awaited; sent in the answer to ``attachments.create`` and nowhere else."""
    thread_id: str | None = None
    """Set when the user message that carries the attachment is saved."""
    metadata: dict[str, Any] | None = None
    """Server-only data: stored, never sent."""


class FileAttachment(AttachmentBase):
    """``file``: any file."""

    type: Literal["file"] = "file"


class ImageAttachment(AttachmentBase):
    """``image``: an image with a preview."""

    type: Literal["image"] = "image"
    preview_url: Url


Attachment = Annotated[FileAttachment | ImageAttachment, PydanticUnion()]


class AudioInput(Wire):
    """Recorded speech."""

    data: bytes
    mime_type: str
    """As the client sent it, for example ``audio/webm;codecs=opus``."""

    @property
    def media_type(self) -> str:
        """``mime_type`` without parameters."""
        return self.mime_type.split(";", 1)[0]


class TranscriptionResult(Wire):
    """The answer to ``input.transcribe``."""

    text: str
