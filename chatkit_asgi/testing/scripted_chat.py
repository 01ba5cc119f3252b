"""The scripted model server behind the other API: Chat Completions chunks of the same steps, and its servers' habits.

May import the standard library, anyio and :mod:`.scripted`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import anyio

from .scripted import (
    Call,
    Fail,
    HangUp,
    Raw,
    Refuse,
    Say,
    Script,
    ScriptedModel,
    Status,
    Stop,
    Think,
    Together,
    Wait,
    pieces,
)

__all__ = ["ChatHabits", "ScriptedChatModel"]

Delta = dict[str, Any]


@dataclass(frozen=True)
class ChatHabits:
    """How servers differ. The defaults are OpenAI's; vLLM, DeepSeek, Ollama, llama.cpp and gateways do otherwise."""

    reasoning: str = "reasoning_content"
    """The field that thoughts come in; Ollama and OpenRouter say ``reasoning``."""
    call_ids: bool = True
    """Whether calls have ids."""
    call_index: Literal["counted", "zero", "none"] = "counted"
    """How calls are numbered."""
    whole_calls: bool = False
    """Whether a call comes in one chunk, as from Ollama and Gemini."""
    calls_finish: str = "tool_calls"
    """The reason after calls; some say ``stop``."""
    ends: bool = True
    """Whether a reason and ``[DONE]`` come at all."""


class ScriptedChatModel(ScriptedModel):
    """An ASGI app that answers ``POST .../chat/completions``, a script for each request.

    Example::

        model = ScriptedChatModel([[Think(["Hm."]), Call("lookup")], [Say("Hello")]])
        uvicorn.run(model)

    Args:
        scripts: What to say, request by request, or a function that makes the steps of a request's body. The last one
            is repeated. ``Draw`` has no form in this API.
        habits: How the server differs from OpenAI's.
        bare: Whether the stream is the bytes of its ``Raw`` steps and nothing else.
    """

    def __init__(
        self,
        scripts: Sequence[Script] | Callable[[dict[str, Any]], Script],
        *,
        habits: ChatHabits | None = None,
        bare: bool = False,
    ) -> None:
        super().__init__(scripts, bare=bare)
        self._habits = habits or ChatHabits()

    async def _frames(self, steps: Script) -> AsyncIterator[bytes]:
        habits, calls = self._habits, 0
        reason: str | None = "stop"
        if not self._bare:
            yield _chunk({"role": "assistant", "content": None})
        for step in steps:
            match step:
                case Wait():
                    if callable(step.until):
                        await step.until()
                    else:
                        await anyio.sleep(step.until)
                case HangUp():
                    return
                case Raw():
                    yield step.data if isinstance(step.data, bytes) else _frame(step.data)
                case Fail():
                    yield _frame({"error": {"code": step.code, "message": step.message}})
                    return
                case Stop():
                    reason = {"max_output_tokens": "length"}.get(step.reason, step.reason)
                case Status():
                    raise ValueError("Status is the first step of a script")
                case _:
                    inner = step.steps if isinstance(step, Together) else [step]
                    streams: list[Iterator[Delta]] = []
                    for each in inner:
                        streams.append(_deltas(each, habits, calls))
                        calls += isinstance(each, Call)
                    for delta in _in_turns(streams):
                        yield _chunk(delta)
        if self._bare or not habits.ends:
            return
        reason = habits.calls_finish if calls and reason == "stop" else reason
        yield _chunk({}, finish_reason=reason)
        yield _frame({"id": "chatcmpl_1", "object": "chat.completion.chunk", "choices": []})
        yield b"data: [DONE]\n\n"


def _chunk(delta: Delta, finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return _frame(
        {
            "id": "chatcmpl_1",
            "object": "chat.completion.chunk",
            "created": 1_773_480_413,
            "model": "scripted",
            "choices": [choice],
        }
    )


def _frame(document: Mapping[str, Any]) -> bytes:
    return f"data: {json.dumps(dict(document))}\n\n".encode()


def _in_turns(streams: list[Iterator[Delta]]) -> Iterator[Delta]:
    while streams:
        for stream in [*streams]:
            delta = next(stream, None)
            if delta is None:
                streams.remove(stream)
            else:
                yield delta


def _deltas(step: Any, habits: ChatHabits, number: int) -> Iterator[Delta]:
    match step:
        case Say():
            yield from ({"content": piece} for piece in pieces(step.text, step.chunks))
            for citation in step.citations:
                inner = {name: value for name, value in citation.items() if name != "type"}
                yield {"annotations": [{"type": "url_citation", "url_citation": inner}]}
        case Refuse():
            yield from ({"refusal": piece} for piece in pieces(step.text, step.chunks))
        case Think():
            thought = "\n\n".join([*step.summaries, *filter(None, [step.raw])])
            yield from ({habits.reasoning: piece} for piece in pieces(thought, step.chunks))
        case Call():
            yield from ({"tool_calls": [each]} for each in _call(step, habits, number))
        case _:
            raise ValueError(f"{type(step).__name__} has no form in the Chat Completions API")


def _call(step: Call, habits: ChatHabits, number: int) -> Iterator[Delta]:
    index = {"counted": {"index": number}, "zero": {"index": 0}, "none": {}}[habits.call_index]
    arguments = json.dumps(dict(step.arguments))
    first: Delta = {**index, "type": "function", "function": {"name": step.name, "arguments": ""}}
    if habits.call_ids:
        first["id"] = step.call_id or f"call_{step.name}_{number}"
    if habits.whole_calls:
        yield {**first, "function": {"name": step.name, "arguments": arguments}}
        return
    yield first
    yield from ({**index, "function": {"arguments": piece}} for piece in pieces(arguments, 2))
