"""The events of a stream (wire.md section 6)."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Struct

from .._base import SHADOW, Checked, PydanticMethods, PydanticUnion, Wire
from ..icons import IconName, known_icon
from .items import ThreadItem
from .threads import Thread
from .updates import ThreadItemUpdate

__all__ = [
    "ClientEffectEvent",
    "ErrorEvent",
    "NoticeEvent",
    "ProgressUpdateEvent",
    "StreamOptions",
    "StreamOptionsEvent",
    "ThreadCreatedEvent",
    "ThreadItemAddedEvent",
    "ThreadItemDoneEvent",
    "ThreadItemRemovedEvent",
    "ThreadItemReplacedEvent",
    "ThreadItemUpdated",
    "ThreadItemUpdatedEvent",
    "ThreadStreamEvent",
    "ThreadUpdatedEvent",
]

_UPDATED: Final = "thread.item.updated"


class ThreadCreatedEvent(Checked):
    """The thread exists now."""

    type: Literal["thread.created"] = "thread.created"
    thread: Thread


class ThreadUpdatedEvent(Checked):
    """Title, status or image domains changed."""

    type: Literal["thread.updated"] = "thread.updated"
    thread: Thread


class ThreadItemAddedEvent(Checked):
    """An item appears; it may be unfinished. Nothing is stored yet."""

    type: Literal["thread.item.added"] = "thread.item.added"
    item: ThreadItem


class ThreadItemUpdatedEvent(
    PydanticMethods,
    Struct,
    tag_field="type",
    tag=_UPDATED,
    kw_only=True,
    omit_defaults=True,
    gc=False,
):
    """An unfinished item changes. A bare struct, for this one is made for every token; the garbage collector need not
    look at it, for nothing that an update holds refers to an event."""

    type: Literal["thread.item.updated"] = msgspec.field(default=_UPDATED, name=SHADOW)
    item_id: str
    update: ThreadItemUpdate


ThreadItemUpdated = ThreadItemUpdatedEvent
"""The name before openai-chatkit 1.3.1."""


class ThreadItemDoneEvent(Checked):
    """The item's final form; it is stored before this is sent."""

    type: Literal["thread.item.done"] = "thread.item.done"
    item: ThreadItem


class ThreadItemRemovedEvent(Wire):
    """The item is gone, from the store too."""

    type: Literal["thread.item.removed"] = "thread.item.removed"
    item_id: str


class ThreadItemReplacedEvent(Checked):
    """The item has a new form, which is stored before this is sent."""

    type: Literal["thread.item.replaced"] = "thread.item.replaced"
    item: ThreadItem


class StreamOptions(Wire):
    """What the client may do while this stream runs."""

    allow_cancel: bool


class StreamOptionsEvent(Checked):
    """Sets the stream's options."""

    type: Literal["stream_options"] = "stream_options"
    stream_options: StreamOptions


class ProgressUpdateEvent(Checked):
    """A passing line about what is going on."""

    type: Literal["progress_update"] = "progress_update"
    icon: IconName | None = None
    """An unknown name becomes ``None``."""
    text: str

    def __post_init__(self) -> None:
        super().__post_init__()
        self.icon = known_icon(self.icon)


class ClientEffectEvent(Wire):
    """Something for the page to do; it gets no answer."""

    type: Literal["client_effect"] = "client_effect"
    name: str
    data: dict[str, Any] = {}


class ErrorEvent(Wire):
    """The answer failed."""

    type: Literal["error"] = "error"
    code: str = "custom"
    """``stream.error`` shows the client's own text, ``custom`` shows ``message``. Other codes pass."""
    message: str | None = None
    allow_retry: bool = False


class NoticeEvent(Wire):
    """A banner."""

    type: Literal["notice"] = "notice"
    level: Literal["info", "warning", "danger"]
    message: str
    """Markdown."""
    title: str | None = None


ThreadStreamEvent = Annotated[
    ThreadCreatedEvent
    | ThreadUpdatedEvent
    | ThreadItemDoneEvent
    | ThreadItemAddedEvent
    | ThreadItemUpdatedEvent
    | ThreadItemRemovedEvent
    | ThreadItemReplacedEvent
    | StreamOptionsEvent
    | ProgressUpdateEvent
    | ClientEffectEvent
    | ErrorEvent
    | NoticeEvent,
    PydanticUnion(),
]
