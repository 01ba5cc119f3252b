"""Tasks and workflows (wire.md section 9.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from .._base import Checked, PydanticUnion, Wire, convert
from ..icons import IconName, known_icon
from .sources import FileSource, URLSource

__all__ = [
    "BaseTask",
    "CustomSummary",
    "CustomTask",
    "DurationSummary",
    "FileTask",
    "ImageTask",
    "SearchTask",
    "Task",
    "ThoughtTask",
    "Workflow",
    "WorkflowSummary",
]


class BaseTask(Checked):
    """What every task has."""

    status_indicator: Literal["none", "loading", "complete"] = "none"
    """Only used inside workflows."""


class CustomTask(BaseTask):
    """``custom``: anything with a title and Markdown."""

    type: Literal["custom"] = "custom"
    title: str | None = None
    icon: IconName | None = None
    content: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.icon = known_icon(self.icon)


class SearchTask(BaseTask):
    """``web_search``: queries and what they found."""

    type: Literal["web_search"] = "web_search"
    title: str | None = None
    title_query: str | None = None
    queries: list[str] = []
    sources: list[URLSource] = []


class ThoughtTask(BaseTask):
    """``thought``: a piece of reasoning."""

    type: Literal["thought"] = "thought"
    title: str | None = None
    content: str


class FileTask(BaseTask):
    """``file``: work on files."""

    type: Literal["file"] = "file"
    title: str | None = None
    sources: list[FileSource] = []


class ImageTask(BaseTask):
    """``image``: work on an image."""

    type: Literal["image"] = "image"
    title: str | None = None


Task = Annotated[CustomTask | SearchTask | ThoughtTask | FileTask | ImageTask, PydanticUnion()]


class CustomSummary(Checked):
    """A workflow's summary in words."""

    title: str
    icon: IconName | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.icon = known_icon(self.icon)


class DurationSummary(Wire):
    """A workflow's summary as the time it took."""

    duration: int
    """Whole seconds."""


if TYPE_CHECKING:
    WorkflowSummary = CustomSummary | DurationSummary
else:
    WorkflowSummary = Any  # an untagged union, which msgspec cannot decode by itself


class Workflow(Checked):
    """Steps that the assistant shows while it works."""

    type: Literal["custom", "reasoning"]
    tasks: list[Task]
    summary: WorkflowSummary | None = None
    """With both keys the title wins."""
    expanded: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        given: Any = self.summary
        if given is not None and not isinstance(given, CustomSummary | DurationSummary):
            titled = isinstance(given, dict) and "title" in given
            self.summary = convert(given, CustomSummary if titled else DurationSummary)
