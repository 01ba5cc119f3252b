"""Input of the Responses API as ``messages`` of the Chat Completions API.

Every server that calls itself OpenAI-compatible speaks the latter. The messages are of the shape that most of them,
and the chat templates behind them, accept: text is a plain string where a message holds nothing else, neighbours of
one role are one message, calls of neighbours are one assistant's message, and the role ``developer`` is ``system``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

__all__ = ["chat_messages"]

Message = dict[str, Any]


def chat_messages(
    input_items: Iterable[Mapping[str, Any]], *, instructions: str | None = None
) -> list[Message]:
    """``input_items`` of the Responses API as ``messages`` of the Chat Completions API.

    Args:
        input_items: Messages, function calls and their outputs, as :meth:`ThreadItemConverter.to_agent_input` makes
            them. Items of other types (reasoning, the API's own tools) have no form there and are left out.
        instructions: A system message to begin with.
    """
    messages: list[Message] = []
    if instructions:
        messages.append({"role": "system", "content": instructions})
    for item in input_items:
        if (message := _message(item)) is None:
            continue
        last = messages[-1] if messages else None
        if last is None or last["role"] != message["role"] or message["role"] == "tool":
            messages.append(message)
        else:
            messages[-1] = _joined(last, message)
    return messages


def _message(item: Mapping[str, Any]) -> Message | None:
    match item.get("type", "message"):
        case "message":
            role = "system" if item["role"] == "developer" else item["role"]
            return {"role": role, "content": _content(item["content"])}
        case "function_call":
            function = {"name": item["name"], "arguments": item["arguments"]}
            call = {"id": item["call_id"], "type": "function", "function": function}
            return {"role": "assistant", "content": None, "tool_calls": [call]}
        case "function_call_output":
            content = _content(item["output"])
            return {"role": "tool", "tool_call_id": item["call_id"], "content": content}
        case _:
            return None


def _joined(first: Message, second: Message) -> Message:
    """Two neighbours of one role. Text after a call would have to stand before it: it does."""
    joined: Message = {**first, "content": _concatenated(first["content"], second["content"])}
    if calls := [*first.get("tool_calls", []), *second.get("tool_calls", [])]:
        joined["tool_calls"] = calls
    return joined


def _content(content: str | Iterable[Mapping[str, Any]]) -> str | list[Message]:
    if isinstance(content, str):
        return content
    return _plain([part for each in content if (part := _part(each)) is not None])


def _concatenated(
    first: str | list[Message] | None, second: str | list[Message] | None
) -> str | list[Message] | None:
    if first is None or second is None:
        return first if second is None else second
    return _plain([*_parts(first), *_parts(second)])


def _parts(content: str | list[Message]) -> list[Message]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _plain(parts: list[Message]) -> str | list[Message]:
    """A string where all is text. Empty text beside something else is refused by some servers."""
    said = [part for part in parts if part["type"] != "text" or part["text"]]
    if all(part["type"] == "text" for part in said):
        return "\n\n".join(part["text"] for part in said)
    return said


def _part(part: Mapping[str, Any]) -> Message | None:
    make = _PARTS.get(str(part.get("type")))
    return make(part) if make else None


def _text_part(part: Mapping[str, Any]) -> Message:
    return {"type": "text", "text": part["text"]}


def _refusal_part(part: Mapping[str, Any]) -> Message:
    return {"type": "text", "text": part["refusal"]}


def _image_part(part: Mapping[str, Any]) -> Message | None:
    if not (url := part.get("image_url")):
        return None  # an uploaded file's id: no other server knows it
    detail = cast("str", part.get("detail") or "auto")
    return {"type": "image_url", "image_url": {"url": url, "detail": detail}}


def _file_part(part: Mapping[str, Any]) -> Message:
    if url := part.get("file_url"):
        return {"type": "text", "text": f"A file: {url}"}  # that API takes no links to files
    known = ("filename", "file_data", "file_id")
    return {"type": "file", "file": {name: part[name] for name in known if part.get(name)}}


_PARTS: dict[str, Callable[[Mapping[str, Any]], Message | None]] = {
    "input_text": _text_part,
    "output_text": _text_part,
    "refusal": _refusal_part,
    "input_image": _image_part,
    "input_file": _file_part,
}
