"""The Chat Completions API as parts: vLLM, Ollama, llama.cpp, LiteLLM, and every server that calls itself compatible.

:func:`stream_chat` shows one completion; :func:`~chatkit_asgi.agents.run_chat` also runs tools and goes on. What a
chunk says is read by attribute and by key, whatever the client made of it: servers leave out ids, roles, indexes and
reasons, and add fields of their own.

May import ``types`` and the seam only; no SDK.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Hashable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from ..ids import random_id
from ..types import ThreadStreamEvent
from .conversions import CUT_OFF_REASONS, DEFAULT_CONVERTER, ResponseStreamConverter, attribute
from .parts import (
    Citation,
    Failure,
    Incomplete,
    MessageDone,
    Part,
    ReasoningDelta,
    ReasoningDone,
    TextDelta,
    ToolCall,
)
from .stream import stream_parts

if TYPE_CHECKING:
    from .context import AgentContext

__all__ = ["ChatReader", "FunctionCall", "chat_parts", "stream_chat"]

REASONING: Final = ("reasoning_content", "reasoning")
"""Where servers put the model's thoughts: DeepSeek, llama.cpp and older vLLM in the first; Ollama, OpenRouter and
newer vLLM in the second."""


class FunctionCall(Struct):
    """The model's call of a function."""

    call_id: str
    name: str = ""
    arguments: str = ""
    """JSON, if the model has made no mistake."""


class ChatReader:
    """Reads the chunks of one completion.

    Args:
        converter: How citations and failures are shown.
        key: Names the completion among those of a run.
    """

    def __init__(
        self, converter: ResponseStreamConverter = DEFAULT_CONVERTER, key: Hashable = ""
    ) -> None:
        self._converter = converter
        self._key = key
        self._text: list[str] = []
        self._slots: dict[Any, FunctionCall] = {}
        self._thinks = False
        self.calls: list[FunctionCall] = []
        """The calls, in the order in which they have begun."""
        self.finish_reason: str | None = None
        self.has_failed = False

    @property
    def text(self) -> str:
        """What the model has said."""
        return "".join(self._text)

    def text_delta(self, chunk: Any) -> TextDelta | None:
        """The part of a chunk that is a piece of text and nothing else, as most are; ``None`` for any other."""
        try:
            (choice,) = chunk.choices
            delta = choice.delta
            text = delta.content
            more = choice.index or choice.finish_reason or delta.tool_calls or delta.refusal
            if more or delta.__pydantic_extra__ or chunk.__pydantic_extra__:
                return None
        except (AttributeError, TypeError, ValueError):  # a dict, or something is left out
            return None
        if not text or type(text) is not str or self._thinks:
            return None
        self._text.append(text)
        return TextDelta(text, self._key)

    async def receive(self, chunk: Any) -> list[Part]:
        """The parts of one chunk."""
        if error := attribute(chunk, "error") or _old_error(chunk):
            return self._failed(error)
        # Usage comes in a chunk without a choice. Of several answers only the first is shown.
        choices = [
            each for each in attribute(chunk, "choices") or () if not attribute(each, "index")
        ]
        if not choices:
            return []
        choice = choices[0]
        self.finish_reason = attribute(choice, "finish_reason") or self.finish_reason
        delta = attribute(choice, "delta")
        parts: list[Part] = []
        for name in REASONING:
            if isinstance(thought := attribute(delta, name), str) and thought:
                parts += self._thought(thought)
                break  # vLLM once sent both
        for name in ("content", "refusal"):
            parts += self._content(attribute(delta, name))
        for call in attribute(delta, "tool_calls") or ():
            self._call(call)
        for citation in attribute(delta, "annotations") or ():
            parts += await self._cited(citation)
        if self.finish_reason == "error":
            parts += self._failed(attribute(choice, "error"))
        return parts

    def end(self) -> list[Part]:
        """The parts that are due when the stream has ended."""
        if self.has_failed:
            return []
        parts: list[Part] = [MessageDone(key=self._key)]
        if self.finish_reason is None or self.finish_reason in CUT_OFF_REASONS:
            reason = CUT_OFF_REASONS.get(self.finish_reason or "")
            return [*parts, Incomplete(self._converter.incomplete_to_message(reason))]
        return [*parts, *(ToolCall(call.call_id, call.name) for call in self.calls)]

    @property
    def is_whole(self) -> bool:
        """Whether the model has said all that it wanted: only then its calls can be believed."""
        return not self.has_failed and self.finish_reason not in (None, *CUT_OFF_REASONS)

    def message(self) -> dict[str, Any]:
        """What the model has said and called, as the next message of the conversation."""
        message: dict[str, Any] = {"role": "assistant", "content": self.text or None}
        if self.calls:
            message["tool_calls"] = [
                {
                    "id": call.call_id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments or "{}"},
                }
                for call in self.calls
            ]
        return message

    def _content(self, content: Any) -> list[Part]:
        """Text, or a list of parts with text and thoughts, as from Mistral."""
        if isinstance(content, str):
            return self._said(content) if content else []
        parts: list[Part] = []
        for each in content or ():
            if attribute(each, "type") == "thinking":
                for thought in attribute(each, "thinking") or ():
                    parts += self._thought(attribute(thought, "text") or "")
            else:
                parts += self._content(attribute(each, "text"))
        return parts

    def _thought(self, text: str) -> list[Part]:
        self._thinks = True
        return [ReasoningDelta(text, self._key)]

    def _said(self, text: str) -> list[Part]:
        first: list[Part] = []
        if self._thinks:
            first.append(ReasoningDone(key=self._key))
            self._thinks = False
        self._text.append(text)
        return [*first, TextDelta(text, self._key)]

    def _call(self, delta: Any) -> None:
        """Calls come in pieces, told apart by ``index``. Some servers send whole calls, all with index 0 or with
        none, so an id or a name that is new at its index is another call."""
        call_id, function = attribute(delta, "id"), attribute(delta, "function")
        name = attribute(function, "name")
        slot = attribute(delta, "index")
        call = self._slots.get(slot)
        if (
            call is None
            or (call_id and call_id != call.call_id)
            or (name and (slot is None or name != call.name))
        ):
            call = self._slots[slot] = FunctionCall(call_id or random_id("call"), name or "")
            self.calls.append(call)
        call.arguments += attribute(function, "arguments") or ""

    async def _cited(self, citation: Any) -> list[Part]:
        inner = attribute(citation, "url_citation")
        if inner is not None:  # nested here, flat in the Responses API
            names = ("url", "title", "start_index", "end_index")
            citation = {
                "type": "url_citation",
                **{name: attribute(inner, name) for name in names},
            }
        annotation = await self._converter.citation_to_annotation(citation)
        return [Citation(annotation, self._key)] if annotation else []

    def _failed(self, error: Any) -> list[Part]:
        self.has_failed = True
        message, code = attribute(error, "message"), attribute(error, "code")
        told = self._converter.failure_to_message(code if isinstance(code, str) else None, message)
        return [Failure(told, cause=f"{code}: {message or error}")]


def _old_error(chunk: Any) -> Any:
    return chunk if attribute(chunk, "object") == "error" else None


@asynccontextmanager
async def opened(chunks: AsyncIterable[Any] | Awaitable[AsyncIterable[Any]]) -> AsyncGenerator[Any]:
    """The stream, awaited if it is not yet, and closed at the end, and with it the request."""
    source: Any = await chunks if inspect.isawaitable(chunks) else chunks
    try:
        yield source
    finally:
        close = getattr(source, "close", None) or getattr(source, "aclose", None)
        if close is not None and inspect.isawaitable(closing := close()):
            await closing


async def read_chat(reader: ChatReader, chunks: Any) -> AsyncGenerator[Part]:
    """The parts of one completion, through ``reader``. Closes the stream when it ends or is closed itself."""
    async with opened(chunks) as source:
        async for chunk in source:
            if (delta := reader.text_delta(chunk)) is not None:
                yield delta
                continue
            for part in await reader.receive(chunk):
                yield part
        for part in reader.end():
            yield part


def chat_parts(
    chunks: AsyncIterable[Any] | Awaitable[AsyncIterable[Any]],
    converter: ResponseStreamConverter = DEFAULT_CONVERTER,
) -> AsyncGenerator[Part]:
    """The parts of one completion. Closes the stream when it ends or is closed itself."""
    return read_chat(ChatReader(converter), chunks)


def stream_chat(
    context: AgentContext[Any],
    chunks: AsyncIterable[Any] | Awaitable[AsyncIterable[Any]],
    *,
    converter: ResponseStreamConverter = DEFAULT_CONVERTER,
) -> AsyncGenerator[ThreadStreamEvent]:
    """The thread events of one completion, with what is said through ``context`` in between.

    Text and refusals become a message, ``reasoning_content`` and ``reasoning`` a workflow of thoughts. An answer
    that was cut off (``finish_reason`` ``length`` or ``content_filter``, or none at all) is stored and said to be
    incomplete.

    Example::

        chunks = client.chat.completions.create(model=..., messages=..., stream=True)
        async for event in stream_chat(agent_context, chunks):
            yield event

    Args:
        context: The context of the run.
        chunks: What ``client.chat.completions.create(..., stream=True)`` of an ``openai`` client gives, awaited or
            not. It is closed, and with it the request to the model, when this generator is.
        converter: How citations and failures are shown.

    Raises:
        ModelFailure: The model's server said, in the stream, that it failed; what had come before is stored.
        openai.OpenAIError: The request failed, or the connection broke.
    """
    return stream_parts(context, chat_parts(chunks, converter))
