"""The things a thread consists of (wire.md section 8)."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, cast

import msgspec

from .._base import Checked, PydanticUnion, Wire, convert, encode, pydantic_schema, tags_of
from ..widgets import as_root
from .attachments import Attachment
from .inputs import InferenceOptions, StructuredInput, UserMessageContent
from .sources import Annotation
from .tasks import Task, Workflow

if TYPE_CHECKING:
    from ..widgets import WidgetRoot
    from .events import ThreadItemReplacedEvent
else:
    WidgetRoot = Any

__all__ = [
    "AssistantMessageContent",
    "AssistantMessageItem",
    "ClientToolCallItem",
    "EndOfTurnItem",
    "GeneratedImage",
    "GeneratedImageItem",
    "HiddenContextItem",
    "SDKHiddenContextItem",
    "StructuredInputItem",
    "TaskItem",
    "ThreadItem",
    "ThreadItemBase",
    "UnknownItem",
    "UserMessageItem",
    "WidgetItem",
    "WorkflowItem",
]


_NOW: Final = timedelta(minutes=5)


def with_offset(time: datetime) -> datetime:
    """``time`` with an offset. A naive time is UTC (wire.md, the last table), unless it is within five minutes of the
    local clock: then it came from ``datetime.now()`` and is local. No zone is so near to UTC that it could be both."""
    given: Any = time
    if not isinstance(given, datetime) or given.tzinfo is not None:
        return time
    in_utc = time.replace(tzinfo=UTC)
    try:
        local = time.astimezone(UTC)
    except (OverflowError, OSError, ValueError):  # the year 1, the year 9999
        return in_utc
    return local if abs(local - datetime.now(UTC)) < _NOW else in_utc


class ThreadItemBase(Checked):
    """What every item has."""

    id: str
    thread_id: str
    created_at: datetime
    """One without an offset is taken as UTC, or as local time where that is now: else it could not be compared."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.created_at = with_offset(self.created_at)


class UserMessageItem(ThreadItemBase):
    """``user_message``: what a person said."""

    type: Literal["user_message"] = "user_message"
    content: list[UserMessageContent]
    attachments: list[Attachment] = []
    quoted_text: str | None = None
    inference_options: InferenceOptions


class AssistantMessageContent(Checked):
    """``output_text``: Markdown with citations."""

    annotations: list[Annotation] = []
    text: str
    type: Literal["output_text"] = "output_text"


class AssistantMessageItem(ThreadItemBase):
    """``assistant_message``: what the assistant said."""

    type: Literal["assistant_message"] = "assistant_message"
    content: list[AssistantMessageContent]


class ClientToolCallItem(ThreadItemBase):
    """``client_tool_call``: work for the page; the client answers with ``threads.add_client_tool_output``."""

    type: Literal["client_tool_call"] = "client_tool_call"
    status: Literal["pending", "completed"] = "pending"
    call_id: str
    name: str
    arguments: dict[str, Any]
    output: Any = None


class WidgetItem(ThreadItemBase):
    """``widget``: a card, a list or a basic root."""

    type: Literal["widget"] = "widget"
    widget: WidgetRoot
    copy_text: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.widget = as_root(self.widget)

    def replaced_by(
        self, widget: WidgetRoot, *, copy_text: str | None = None
    ) -> ThreadItemReplacedEvent:
        """The event that shows and stores another widget in this one's place: what an action's handler yields.

        Args:
            widget: The new root.
            copy_text: What the copy button copies; ``None`` leaves it as it is.
        """
        from . import events  # which know the items

        copied = {"widget": as_root(widget), "copy_text": copy_text or self.copy_text}
        return events.ThreadItemReplacedEvent(item=self.model_copy(update=copied))


class GeneratedImage(Wire):
    """An image that a model made."""

    id: str
    url: str
    """Often a ``data:`` URL."""


class GeneratedImageItem(ThreadItemBase):
    """``generated_image``: without ``image`` the client shows it as loading."""

    type: Literal["generated_image"] = "generated_image"
    image: GeneratedImage | None = None


class StructuredInputItem(ThreadItemBase):
    """``structured_input``: questions; the client answers with ``threads.add_structured_input``."""

    type: Literal["structured_input"] = "structured_input"
    status: Literal["pending", "answered", "skipped"] = "pending"
    inputs: list[StructuredInput]


class TaskItem(ThreadItemBase):
    """``task``: one step by itself."""

    type: Literal["task"] = "task"
    task: Task


class WorkflowItem(ThreadItemBase):
    """``workflow``: several steps."""

    type: Literal["workflow"] = "workflow"
    workflow: Workflow


class EndOfTurnItem(ThreadItemBase):
    """``end_of_turn``: a hint to the client that the answer is complete."""

    type: Literal["end_of_turn"] = "end_of_turn"


class HiddenContextItem(ThreadItemBase):
    """``hidden_context_item``: for the model only; never sent to a client."""

    type: Literal["hidden_context_item"] = "hidden_context_item"
    content: Any


class SDKHiddenContextItem(ThreadItemBase):
    """``sdk_hidden_context``: written by the server itself, for the model only; never sent to a client."""

    type: Literal["sdk_hidden_context"] = "sdk_hidden_context"
    content: str


class _Head(msgspec.Struct):
    """The fields that every item has, whatever its type."""

    id: str
    thread_id: str
    created_at: datetime
    type: str


class UnknownItem:
    """A stored item whose type is newer than this library. It is kept and passed on byte for byte."""

    __slots__ = ("created_at", "id", "raw", "thread_id", "type")

    def __init__(
        self, *, id: str, thread_id: str, created_at: datetime, type: str, raw: bytes
    ) -> None:
        self.id = id
        self.thread_id = thread_id
        self.created_at = created_at
        self.type = type
        self.raw = raw

    def __wire__(self) -> msgspec.Raw:
        return msgspec.Raw(self.raw)

    def __repr__(self) -> str:
        return f"UnknownItem(id={self.id!r}, type={self.type!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UnknownItem) and msgspec.json.decode(
            self.raw
        ) == msgspec.json.decode(other.raw)

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def of(cls, raw: bytes) -> UnknownItem:
        """The item that this JSON is; only its head is read.

        Raises:
            msgspec.DecodeError: It is no JSON, or lacks what every item has (``msgspec.ValidationError``).
        """
        head = msgspec.json.decode(raw, type=_Head)
        return cls(
            id=head.id,
            thread_id=head.thread_id,
            created_at=head.created_at,
            type=head.type,
            raw=raw,
        )

    def model_dump(self, **_: Any) -> dict[str, Any]:
        """The item as nested dicts."""
        plain: dict[str, Any] = msgspec.json.decode(self.raw)
        return plain

    def model_dump_json(self, **_: Any) -> str:
        """The item's JSON, as it was read."""
        return self.raw.decode()

    def model_copy(
        self, *, update: Mapping[str, Any] | None = None, deep: bool = False
    ) -> UnknownItem:
        """A copy, with other values in the fields that are named."""
        if not update:
            return copy.copy(self)
        return UnknownItem.of(encode(self.model_dump() | dict(update)))


class _StoredUnion(PydanticUnion):
    """Items as rows have them: one of a newer type is an :class:`UnknownItem` for Pydantic too."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return pydantic_schema(source, validate=partial(_item_of, source))


def _item_of(union: Any, value: Any) -> Any:
    if isinstance(value, msgspec.Struct | UnknownItem):
        return value
    if isinstance(value, dict):
        plain: dict[str, Any] = cast("Any", value)
        name = plain.get("type")
        if isinstance(name, str) and name not in tags_of(union):
            return UnknownItem.of(encode(plain))
    return convert(value, union)


ThreadItem = Annotated[
    UserMessageItem
    | AssistantMessageItem
    | ClientToolCallItem
    | WidgetItem
    | GeneratedImageItem
    | StructuredInputItem
    | TaskItem
    | WorkflowItem
    | EndOfTurnItem
    | HiddenContextItem
    | SDKHiddenContextItem,
    _StoredUnion(),
]
"""Any item of this version. Stores also hand out :class:`UnknownItem` for rows of a newer one."""
