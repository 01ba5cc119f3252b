"""Thread items, made in a line."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any

from chatkit_asgi.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    ClientToolCallItem,
    FileAttachment,
    HiddenContextItem,
    ImageAttachment,
    InferenceOptions,
    UserMessageItem,
    UserMessageTagContent,
    UserMessageTextContent,
)

NUMBERS = count(1)


def base() -> dict[str, Any]:
    return {
        "id": f"msg_{next(NUMBERS):032x}",
        "thread_id": "thr_1",
        "created_at": datetime(2026, 3, 14, tzinfo=UTC),
    }


def user(*content: str | tuple[str, str], **more: Any) -> UserMessageItem:
    """A message of texts and ``(id, text)`` tags."""
    return UserMessageItem(
        **base(),
        content=[
            UserMessageTextContent(text=part)
            if isinstance(part, str)
            else UserMessageTagContent(id=part[0], text=part[1])
            for part in content
        ],
        inference_options=InferenceOptions(),
        **more,
    )


def assistant(*texts: str, annotations: Any = ()) -> AssistantMessageItem:
    content = [AssistantMessageContent(text=text, annotations=[*annotations]) for text in texts]
    return AssistantMessageItem(**base(), content=content)


def tool_call(output: Any = None, *, status: Any = "completed", **more: Any) -> ClientToolCallItem:
    arguments: dict[str, Any] = {"city": "Zürich"}
    fields: Any = {"call_id": "call_1", "name": "weather", "arguments": arguments, **more}
    return ClientToolCallItem(**base(), status=status, output=output, **fields)


def hidden(content: Any) -> HiddenContextItem:
    return HiddenContextItem(**base(), content=content)


def file(name: str, mime_type: str = "text/plain", id: str = "atc_1") -> FileAttachment:
    return FileAttachment(id=id, name=name, mime_type=mime_type)


def image(name: str = "a.png", id: str = "atc_1") -> ImageAttachment:
    return ImageAttachment(id=id, name=name, mime_type="image/png", preview_url="https://x.test/p")


def texts_of(items: Any) -> list[str]:
    """Every text in input items or chat messages."""
    found: list[str] = []
    if isinstance(items, list):
        found = [text for each in items for text in texts_of(each)]
    elif isinstance(items, dict):
        for name, value in items.items():
            if isinstance(value, str) and name in ("text", "content", "arguments", "output"):
                found.append(value)
            else:
                found += texts_of(value)
    return found
