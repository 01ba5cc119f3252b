"""The shapes of what the protocol sends, written by hand, and the function that looks for a mismatch.

A shape is a type, a tuple of literals, ``[shape]`` for an array, ``{"field": shape}`` for an object (``"field?"`` may
be missing or null; other fields are allowed), :class:`Tagged` for objects told apart by ``type``, or a function that
says what is wrong. Unknown types of events, items and updates are no mismatch: the protocol grows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeGuard, cast

__all__ = [
    "ATTACHMENT",
    "EVENT",
    "ITEM",
    "PAGE_OF_ITEMS",
    "PAGE_OF_THREADS",
    "THREAD",
    "UPDATE",
    "Tagged",
    "is_array",
    "is_object",
    "mismatch",
]

Mismatch = tuple[str, str, Any]
"""Where, what should be there, what is."""

NAMES: dict[Any, str] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "true or false",
    dict: "an object",
    list: "an array",
    object: "present",
}


@dataclass(frozen=True)
class Tagged:
    """Objects told apart by their ``type``."""

    kinds: dict[str, Any]
    common: dict[str, Any]
    open: bool = True
    """Whether other types are allowed."""


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether it is a JSON object."""
    return isinstance(value, dict)


def is_array(value: Any) -> TypeGuard[list[Any]]:
    """Whether it is a JSON array."""
    return isinstance(value, list)


def mismatch(value: Any, shape: Any, path: str = "") -> Mismatch | None:
    """What is wrong with ``value``, or ``None``."""
    if isinstance(shape, Tagged):
        if not is_object(value) or not isinstance(value.get("type"), str):
            return path, "an object with a `type`", value
        kind: str = value["type"]
        if kind not in shape.kinds and not shape.open:
            return f"{path}.type", f"one of {', '.join(shape.kinds)}", kind
        return mismatch(value, {**shape.common, **shape.kinds.get(kind, {})}, path)
    if is_object(shape):
        if not is_object(value):
            return path, NAMES[dict], value
        for name, inner in shape.items():
            key = name.removesuffix("?")
            if name.endswith("?") and value.get(key) is None:
                continue
            if key not in value:
                return f"{path}.{key}", "present", "nothing"
            if (found := mismatch(value[key], inner, f"{path}.{key}")) is not None:
                return found
        return None
    if is_array(shape):
        if not is_array(value):
            return path, NAMES[list], value
        for index, each in enumerate(value):
            if (found := mismatch(each, shape[0], f"{path}[{index}]")) is not None:
                return found
        return None
    if isinstance(shape, tuple):
        literals = cast("tuple[str, ...]", shape)
        return None if value in literals else (path, f"one of {', '.join(literals)}", value)
    if isinstance(shape, type):
        if shape is object:
            return None
        kinds: Any = (int, float) if shape is float else shape
        right = isinstance(value, kinds)
        if right and isinstance(value, bool) and shape is not bool:
            right = False
        return None if right else (path, NAMES[shape], value)
    problem: str | None = shape(value)
    return None if problem is None else (path, problem, value)


def _filled(value: Any) -> str | None:
    return None if isinstance(value, str) and value else "a string that is not empty"


def _time(value: Any) -> str | None:
    try:
        datetime.fromisoformat(value.replace("Z", "+00:00"))
    except (ValueError, AttributeError, TypeError):
        return "an ISO 8601 date and time"
    return None if "T" in value else "an ISO 8601 date and time"


def _fraction(value: Any) -> str | None:
    right = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
    return None if right else "a number from 0 to 1"


def _index(value: Any) -> str | None:
    right = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return None if right else "an integer from 0"


STATUS = Tagged(
    {"active": {}, "locked": {"reason?": str}, "closed": {"reason?": str}}, {}, open=False
)

SOURCE_COMMON = {"title": str, "description?": str, "timestamp?": str, "group?": str}
URL_SOURCE = {**SOURCE_COMMON, "type": ("url",), "url": str, "attribution?": str}
FILE_SOURCE = {**SOURCE_COMMON, "type": ("file",), "filename": str}
SOURCE = Tagged(
    {
        "url": URL_SOURCE,
        "file": FILE_SOURCE,
        "entity": {"id": str, "icon?": str, "label?": str, "inline_label?": str, "interactive?": bool,
                   "data?": dict},
    },
    SOURCE_COMMON,
    open=False,
)  # fmt: skip
ANNOTATION = {"type": ("annotation",), "source": SOURCE, "index?": _index}
TEXT = {"type": ("output_text",), "text": str, "annotations": [ANNOTATION]}
CONTENT = Tagged(
    {
        "input_text": {"text": str},
        "input_tag": {"id": str, "text": str, "data?": dict, "group?": str, "interactive?": bool},
    },
    {},
)
ATTACHMENT = Tagged(
    {"file": {}, "image": {"preview_url": _filled}},
    {
        "id": _filled,
        "name": str,
        "mime_type": str,
        "upload_descriptor?": {"url": _filled, "method": ("POST", "PUT"), "headers?": dict},
        "thread_id?": str,
    },
    open=False,
)
IMAGE = {"id": str, "url": str}
ANSWERED = {"values": [str], "skipped": bool}
QUESTION = Tagged(
    {
        "multiple_choice": {"options": [{"value": str}], "multiple?": bool},
        "freeform": {"description?": str},
    },
    {"id": str, "question": str, "answer?": ANSWERED},
    open=False,
)
TASK = Tagged(
    {
        "custom": {"title?": str, "icon?": str, "content?": str},
        "web_search": {
            "title?": str,
            "title_query?": str,
            "queries": [str],
            "sources": [URL_SOURCE],
        },
        "thought": {"title?": str, "content": str},
        "file": {"title?": str, "sources": [FILE_SOURCE]},
        "image": {"title?": str},
    },
    {"status_indicator?": ("none", "loading", "complete")},
)


def _summary(value: Any) -> str | None:
    if not is_object(value):
        return "an object with `title` or `duration`"
    right = isinstance(value.get("title"), str) or (
        isinstance(value.get("duration"), int) and not isinstance(value.get("duration"), bool)
    )
    return None if right else "an object with `title`, or with `duration` in whole seconds"


WORKFLOW = {
    "type": ("custom", "reasoning"),
    "tasks": [TASK],
    "summary?": _summary,
    "expanded": bool,
}


def _root(value: Any) -> str | None:
    right = is_object(value) and value.get("type") in ("Card", "ListView", "Basic")
    return None if right else "a widget whose root is a Card, a ListView or a Basic"


ITEM = Tagged(
    {
        "user_message": {"content": [CONTENT], "attachments": [ATTACHMENT], "quoted_text?": str,
                         "inference_options": {"tool_choice?": {"id": str}, "model?": str}},
        "assistant_message": {"content": [TEXT]},
        "client_tool_call": {"status": ("pending", "completed"), "call_id": _filled, "name": _filled,
                             "arguments": dict},
        "widget": {"widget": _root, "copy_text?": str},
        "generated_image": {"image?": IMAGE},
        "structured_input": {"status": ("pending", "answered", "skipped"), "inputs": [QUESTION]},
        "task": {"task": TASK},
        "workflow": {"workflow": WORKFLOW},
        "end_of_turn": {},
    },
    {"id": _filled, "thread_id": _filled, "created_at": _time},
)  # fmt: skip


def _page(record: Any) -> dict[str, Any]:
    return {"data": [record], "has_more": bool, "after?": str}


PAGE_OF_ITEMS = _page(ITEM)
THREAD = {
    "id": _filled,
    "created_at": _time,
    "title?": str,
    "status": STATUS,
    "allowed_image_domains?": [str],
    "metadata?": dict,
    "items": PAGE_OF_ITEMS,
}
PAGE_OF_THREADS = _page(THREAD)

PART = "assistant_message.content_part."
UPDATE = Tagged(
    {
        f"{PART}added": {"content_index": _index, "content": TEXT},
        f"{PART}text_delta": {"content_index": _index, "delta": str},
        f"{PART}annotation_added": {"content_index": _index, "annotation_index": _index,
                                    "annotation": ANNOTATION},
        f"{PART}done": {"content_index": _index, "content": TEXT},
        "widget.streaming_text.value_delta": {"component_id": _filled, "delta": str, "done": bool},
        "widget.root.updated": {"widget": _root},
        "widget.component.updated": {"component_id": _filled, "component": {"type": str}},
        "workflow.task.added": {"task_index": _index, "task": TASK},
        "workflow.task.updated": {"task_index": _index, "task": TASK},
        "generated_image.updated": {"image": IMAGE, "progress?": _fraction},
    },
    {},
)  # fmt: skip
EVENT = Tagged(
    {
        "thread.created": {"thread": THREAD},
        "thread.updated": {"thread": THREAD},
        "thread.item.added": {"item": ITEM},
        "thread.item.updated": {"item_id": _filled, "update": UPDATE},
        "thread.item.done": {"item": ITEM},
        "thread.item.removed": {"item_id": _filled},
        "thread.item.replaced": {"item": ITEM},
        "stream_options": {"stream_options": {"allow_cancel": bool}},
        "progress_update": {"text": str, "icon?": str},
        "client_effect": {"name": _filled, "data": dict},
        "error": {"code": _filled, "message?": str, "allow_retry": bool},
        "notice": {"level": ("info", "warning", "danger"), "message": str, "title?": str},
    },
    {},
)
