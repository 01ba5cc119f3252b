"""The values of the seam: what a model says, in no framework's terms. A bridge makes these; the rest is done for it.

Every value names what it belongs to by the source's own keys: ``key`` for the item and ``part`` for a piece of it. A
key may be anything hashable and means nothing outside the run: ids are always minted here. A source that has no keys
leaves them out; then there is one message, one train of thought and one image at a time.

Nothing has to be announced: the first :class:`TextDelta` of a key opens its message, and the end of the source closes
what is open. May import ``types`` and msgspec only.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

from ..types import Annotation, AssistantMessageContent, Task

__all__ = [
    "Citation",
    "Failure",
    "ImageDone",
    "ImageStart",
    "ImageUpdate",
    "Incomplete",
    "MessageDone",
    "MessageStart",
    "Part",
    "ReasoningDelta",
    "ReasoningDone",
    "ReasoningStart",
    "TaskUpdate",
    "TextDelta",
    "TextDone",
    "TextStart",
    "ToolCall",
    "Withdraw",
]


class MessageStart(Struct):
    """A message of the assistant begins; the workflow that is open ends. One of the same key that is open is closed
    first, so a key that a source uses twice makes two messages."""

    key: Hashable = ""
    content: Sequence[AssistantMessageContent] = ()
    """What it begins with; usually nothing."""


class TextStart(Struct):
    """A content part of a message begins, with ``text`` if the source already has some."""

    text: str = ""
    key: Hashable = ""
    part: Hashable = 0


class TextDelta(Struct, gc=False):
    """More text of the assistant, or of its refusal, which is shown as text."""

    text: str
    key: Hashable = ""
    part: Hashable = 0


class Citation(Struct):
    """A source of what has been said in a content part."""

    annotation: Annotation
    key: Hashable = ""
    part: Hashable = 0


class TextDone(Struct):
    """A content part is complete. ``text`` replaces what was streamed; ``None`` keeps it."""

    text: str | None = None
    key: Hashable = ""
    part: Hashable = 0


class MessageDone(Struct):
    """A message is complete. ``content`` replaces what was streamed; ``None`` keeps it.

    A message without a word is removed."""

    content: Sequence[AssistantMessageContent] | None = None
    key: Hashable = ""


class ReasoningStart(Struct):
    """The model begins to think; shown as a ``reasoning`` workflow unless a workflow is open already."""

    key: Hashable = ""


class ReasoningDelta(Struct):
    """More text of a thought. Each ``part`` is a task of the workflow, and all of them stream."""

    text: str
    key: Hashable = ""
    part: Hashable = 0


class ReasoningDone(Struct):
    """A thought is complete. ``text`` replaces what was streamed; ``None`` keeps it."""

    text: str | None = None
    key: Hashable = ""
    part: Hashable = 0


class TaskUpdate(Struct):
    """A step of the open workflow, as it is now: added the first time that its key comes, then replaced."""

    task: Task
    key: Hashable = ""


class ToolCall(Struct):
    """The model calls a tool. Nothing is shown; a client tool call of the run takes over its ``call_id``."""

    call_id: str
    name: str = ""


class ImageStart(Struct):
    """An image is being made."""

    key: Hashable = ""


class ImageUpdate(Struct):
    """An image as far as it is made."""

    url: str
    """Often a ``data:`` URL."""
    progress: float | None = None
    """Between 0 and 1."""
    key: Hashable = ""
    image_id: str = ""
    """The source's name for the image; the item's id if there is none."""


class ImageDone(Struct):
    """An image is made. Without ``url`` it could not be made: the item is removed."""

    url: str | None = None
    key: Hashable = ""
    image_id: str = ""


class Incomplete(Struct):
    """The answer ends here although it is not complete. What is open is closed; ``message`` is shown as a warning."""

    message: str
    """For the reader."""


class Failure(Struct):
    """The model failed. What is open is closed and stored, then the stream ends with ``message`` as its error: the
    bridge's stream raises :class:`~chatkit_asgi.agents.ModelFailure`."""

    message: str
    """For the reader: nothing that only the operator may see."""
    allow_retry: bool = True
    cause: Any = None
    """For the log."""


class Withdraw(Struct):
    """What this run has shown must not stay: every item of it is removed, the newest first."""


Part: TypeAlias = (
    MessageStart
    | TextStart
    | TextDelta
    | Citation
    | TextDone
    | MessageDone
    | ReasoningStart
    | ReasoningDelta
    | ReasoningDone
    | TaskUpdate
    | ToolCall
    | ImageStart
    | ImageUpdate
    | ImageDone
    | Incomplete
    | Failure
    | Withdraw
)
"""Any value of the seam."""
