"""Changes of an item while it streams, carried by ``thread.item.updated`` (wire.md section 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from msgspec import Struct

from .._base import SHADOW, Checked, PydanticMethods, PydanticUnion
from ..widgets import as_component, as_root
from .items import AssistantMessageContent, GeneratedImage
from .sources import Annotation
from .tasks import Task

if TYPE_CHECKING:
    from ..widgets import WidgetComponent, WidgetRoot
else:
    WidgetComponent = WidgetRoot = Any

__all__ = [
    "AssistantMessageContentPartAdded",
    "AssistantMessageContentPartAnnotationAdded",
    "AssistantMessageContentPartDone",
    "AssistantMessageContentPartTextDelta",
    "GeneratedImageUpdated",
    "ThreadItemUpdate",
    "WidgetComponentUpdated",
    "WidgetRootUpdated",
    "WidgetStreamingTextValueDelta",
    "WorkflowTaskAdded",
    "WorkflowTaskUpdated",
]

_TEXT_DELTA: Final = "assistant_message.content_part.text_delta"


class AssistantMessageContentPartAdded(Checked):
    """Put a new part at the index."""

    type: Literal["assistant_message.content_part.added"] = "assistant_message.content_part.added"
    content_index: int
    content: AssistantMessageContent


class AssistantMessageContentPartTextDelta(
    PydanticMethods,
    Struct,
    tag_field="type",
    tag=_TEXT_DELTA,
    kw_only=True,
    omit_defaults=True,
    gc=False,
):
    """Append text to a part. A bare struct: this one is made for every token."""

    type: Literal["assistant_message.content_part.text_delta"] = msgspec.field(
        default=_TEXT_DELTA, name=SHADOW
    )
    content_index: int
    delta: str


class AssistantMessageContentPartAnnotationAdded(Checked):
    """Insert an annotation into a part."""

    type: Literal["assistant_message.content_part.annotation_added"] = (
        "assistant_message.content_part.annotation_added"
    )
    content_index: int
    annotation_index: int
    annotation: Annotation


class AssistantMessageContentPartDone(Checked):
    """Replace the part by its final form."""

    type: Literal["assistant_message.content_part.done"] = "assistant_message.content_part.done"
    content_index: int
    content: AssistantMessageContent


class WidgetStreamingTextValueDelta(Checked):
    """Append to the ``value`` of the Text or Markdown with that id."""

    type: Literal["widget.streaming_text.value_delta"] = "widget.streaming_text.value_delta"
    component_id: str
    delta: str
    done: bool


class WidgetRootUpdated(Checked):
    """Replace the whole widget."""

    type: Literal["widget.root.updated"] = "widget.root.updated"
    widget: WidgetRoot

    def __post_init__(self) -> None:
        super().__post_init__()
        self.widget = as_root(self.widget)


class WidgetComponentUpdated(Checked):
    """Replace the component with that id."""

    type: Literal["widget.component.updated"] = "widget.component.updated"
    component_id: str
    component: WidgetComponent

    def __post_init__(self) -> None:
        super().__post_init__()
        self.component = as_component(self.component)


class WorkflowTaskAdded(Checked):
    """Insert a task."""

    type: Literal["workflow.task.added"] = "workflow.task.added"
    task_index: int
    task: Task


class WorkflowTaskUpdated(Checked):
    """Replace a task."""

    type: Literal["workflow.task.updated"] = "workflow.task.updated"
    task_index: int
    task: Task


class GeneratedImageUpdated(Checked):
    """Show an image that is still being made."""

    type: Literal["generated_image.updated"] = "generated_image.updated"
    image: GeneratedImage
    progress: float | None = None
    """Between 0 and 1."""


ThreadItemUpdate = Annotated[
    AssistantMessageContentPartAdded
    | AssistantMessageContentPartTextDelta
    | AssistantMessageContentPartAnnotationAdded
    | AssistantMessageContentPartDone
    | WidgetStreamingTextValueDelta
    | WidgetComponentUpdated
    | WidgetRootUpdated
    | WorkflowTaskAdded
    | WorkflowTaskUpdated
    | GeneratedImageUpdated,
    PydanticUnion(),
]
