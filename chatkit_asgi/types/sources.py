"""Sources and the annotations that cite them (wire.md sections 9.2 and 9.3)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from .._base import Checked, PydanticUnion
from ..icons import IconName, known_icon

__all__ = ["Annotation", "EntitySource", "FileSource", "Source", "SourceBase", "URLSource"]


class SourceBase(Checked):
    """What every source has."""

    title: str
    description: str | None = None
    timestamp: str | None = None
    group: str | None = None


class URLSource(SourceBase):
    """``url``: a page on the web."""

    type: Literal["url"] = "url"
    url: str
    attribution: str | None = None


class FileSource(SourceBase):
    """``file``: a file by its name."""

    type: Literal["file"] = "file"
    filename: str


class EntitySource(SourceBase):
    """``entity``: a thing of the application."""

    type: Literal["entity"] = "entity"
    id: str
    icon: IconName | None = None
    """An unknown name becomes ``None``."""
    label: str | None = None
    inline_label: str | None = None
    interactive: bool = False
    data: dict[str, Any] = {}
    preview: Literal["lazy"] | None = None
    """Deprecated; clients ignore it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.icon = known_icon(self.icon)


Source = Annotated[URLSource | FileSource | EntitySource, PydanticUnion()]


class Annotation(Checked):
    """A citation in an assistant's text."""

    type: Literal["annotation"] = "annotation"
    source: Source
    index: int | None = None
    """Character position in the part's text where the marker stands."""
