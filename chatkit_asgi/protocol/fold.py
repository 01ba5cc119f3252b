"""Folding: an unfinished item and its updates give the item so far.

:class:`OpenItem` is the pending copy that a turn keeps and that a client keeps too. Text is a list of parts that is
joined only when somebody looks, so that a delta costs the same at the end of a long message as at its start.
"""

from __future__ import annotations

import copy
from typing import Any, cast

from ..errors import AuthorError
from ..types import (
    AssistantMessageContent,
    AssistantMessageContentPartAdded,
    AssistantMessageContentPartAnnotationAdded,
    AssistantMessageContentPartDone,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    GeneratedImageItem,
    GeneratedImageUpdated,
    WidgetComponentUpdated,
    WidgetItem,
    WidgetRootUpdated,
    WidgetStreamingTextValueDelta,
    WorkflowItem,
    WorkflowTaskAdded,
    WorkflowTaskUpdated,
)
from ..widgets.diff import apply_update

__all__ = ["MAX_PARTS", "OpenItem", "TextPart", "fold"]

MAX_PARTS = 1000
"""Content parts that one message may have: a wild index must not pad a list without end."""


class TextPart:
    """One content part of an assistant's message while it streams."""

    __slots__ = ("annotations", "chunks")

    def __init__(self, content: AssistantMessageContent | None = None) -> None:
        if content is not None and not isinstance(cast("Any", content.text), str):
            raise AuthorError(
                f"the text of a content part is a str, not {type(content.text).__qualname__}"
            )
        self.chunks: list[str] = [content.text] if content is not None and content.text else []
        self.annotations = list(content.annotations) if content is not None else []

    def content(self) -> AssistantMessageContent:
        """The part so far."""
        chunks = self.chunks
        if len(chunks) > 1:
            chunks[:] = ["".join(chunks)]
        return AssistantMessageContent(
            text=chunks[0] if chunks else "", annotations=list(self.annotations)
        )


class OpenItem:
    """An item that has been added and is not done. Holds a copy: the author's object may change."""

    __slots__ = ("_grown", "_item", "parts", "version")

    def __init__(self, item: Any) -> None:
        self.parts: list[TextPart] = []
        self._grown: dict[str, list[str]] = {}
        """Text that components of a widget got and that is not in the widget yet, by their ids."""
        self.version = 0
        """Grows with every update but text deltas, which only append to their part."""
        if isinstance(item, AssistantMessageItem):
            self.parts = [TextPart(content) for content in item.content]
            self._item: Any = copy.copy(item)
        else:
            self._item = copy.deepcopy(item)

    @property
    def id(self) -> str:
        """The item's id."""
        item_id: str = self._item.id
        return item_id

    def item(self) -> Any:
        """A copy of the item so far."""
        if isinstance(self._item, AssistantMessageItem):
            return self._item.model_copy(
                update={"content": [part.content() for part in self.parts]}
            )
        self._join_grown()
        return copy.deepcopy(self._item)

    def part(self, index: int) -> TextPart:
        """The content part at ``index``; missing ones are padded with empty parts.

        Raises:
            AuthorError: Not a message, or an impossible index.
        """
        if not isinstance(self._item, AssistantMessageItem) or not 0 <= index < MAX_PARTS:
            raise AuthorError(f"item {self.id!r} ({self._item.type}) has no content part {index}")
        while len(self.parts) <= index:
            self.parts.append(TextPart())
        return self.parts[index]

    def mark(self) -> tuple[int, int, int]:
        """A value that changes whenever the item does."""
        return self.version, len(self.parts), sum(sum(map(len, part.chunks)) for part in self.parts)

    def has_content(self) -> bool:
        """Whether there is anything that a reader could have seen."""
        item = self._item
        if isinstance(item, AssistantMessageItem):
            return any(part.chunks or part.annotations for part in self.parts)
        if isinstance(item, WorkflowItem):
            return bool(item.workflow.tasks)
        if isinstance(item, GeneratedImageItem):
            return item.image is not None
        return True

    def apply(self, update: Any) -> None:
        """Fold one update.

        Raises:
            AuthorError: The update does not belong to this type of item, or points outside it.
        """
        item = self._item
        match update:
            case AssistantMessageContentPartTextDelta():
                self.part(update.content_index).chunks.append(update.delta)
            case AssistantMessageContentPartAdded() | AssistantMessageContentPartDone():
                new = TextPart(update.content)
                part = self.part(update.content_index)
                part.chunks[:] = new.chunks  # in place: the turn holds on to this list
                part.annotations[:] = new.annotations
            case AssistantMessageContentPartAnnotationAdded():
                annotations = self.part(update.content_index).annotations
                annotations.insert(
                    min(max(update.annotation_index, 0), len(annotations)), update.annotation
                )
            case WidgetStreamingTextValueDelta() if isinstance(item, WidgetItem):
                self._grown.setdefault(update.component_id, []).append(update.delta)
            case WidgetRootUpdated() | WidgetComponentUpdated() if isinstance(item, WidgetItem):
                self._join_grown()
                item.widget = apply_update(item.widget, update)
            case WorkflowTaskAdded() if isinstance(item, WorkflowItem):
                tasks = item.workflow.tasks
                tasks.insert(min(max(update.task_index, 0), len(tasks)), copy.deepcopy(update.task))
            case WorkflowTaskUpdated() if isinstance(item, WorkflowItem):
                tasks = item.workflow.tasks
                if not 0 <= update.task_index < len(tasks):
                    raise AuthorError(f"workflow {self.id!r} has no task {update.task_index}")
                tasks[update.task_index] = copy.deepcopy(update.task)
            case GeneratedImageUpdated() if isinstance(item, GeneratedImageItem):
                item.image = update.image
            case _:
                raise AuthorError(
                    f"{type(update).__name__} does not fit item {self.id!r} ({item.type})"
                )
        self.version += 1

    def _join_grown(self) -> None:
        """Put the text that components got into the widget. Not with every delta, which would look for its component
        in the whole tree."""
        for component_id, texts in self._grown.items():
            delta = WidgetStreamingTextValueDelta(
                component_id=component_id, delta="".join(texts), done=False
            )
            self._item.widget = apply_update(self._item.widget, delta)
        self._grown.clear()


def fold(item: Any, updates: list[Any]) -> Any:
    """The item that ``item`` becomes through ``updates``. The argument is not changed."""
    open_item = OpenItem(item)
    for update in updates:
        open_item.apply(update)
    return open_item.item()
