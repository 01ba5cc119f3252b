"""A thread's history as messages of Pydantic AI."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic_ai import messages as ai

__all__ = ["pydantic_ai_messages"]


def pydantic_ai_messages(input_items: Iterable[Mapping[str, Any]]) -> list[ai.ModelMessage]:
    """Input of the Responses API, as :meth:`ThreadItemConverter.to_agent_input` makes it, as ``message_history``.

    Neighbours of one kind are one message. A run without a prompt answers the last one.
    """
    messages: list[ai.ModelMessage] = []
    names: dict[str, str] = {}
    for item in input_items:
        kind: Any = ai.ModelRequest
        part: Any
        match item.get("type", "message"):
            case "message" if item["role"] == "assistant":
                kind, part = ai.ModelResponse, ai.TextPart(_text(item["content"]))
            case "message" if item["role"] == "user":
                part = ai.UserPromptPart(_contents(item["content"]))
            case "message":
                part = ai.SystemPromptPart(_text(item["content"]))
            case "function_call":
                names[item["call_id"]] = item["name"]
                part = ai.ToolCallPart(item["name"], item["arguments"], item["call_id"])
                kind = ai.ModelResponse
            case "function_call_output":
                name = names.get(item["call_id"], "")
                part = ai.ToolReturnPart(name, item["output"], item["call_id"])
            case _:
                continue
        if messages and type(messages[-1]) is kind:
            messages[-1] = kind(parts=[*messages[-1].parts, part])
        else:
            messages.append(kind(parts=[part]))
    return messages


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "\n\n".join(part["text"] for part in content)


def _contents(content: Any) -> str | list[ai.UserContent]:
    if isinstance(content, str):
        return content
    return [found for part in content if (found := _content(part)) is not None]


def _content(part: Mapping[str, Any]) -> ai.UserContent | None:
    match part:
        case {"type": "input_text", "text": text}:
            return text or None
        case {"type": "input_image", "image_url": url} | {"type": "input_file", "file_data": url}:
            if url.startswith("data:"):
                return ai.BinaryContent.from_data_uri(url)
            return ai.ImageUrl(url)
        case {"type": "input_file", "file_url": url}:
            return ai.DocumentUrl(url)
        case _:
            return None
