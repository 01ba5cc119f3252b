"""The Responses API: its stream of events as parts.

Fed by the ``openai`` client (:func:`stream_response`), so by every server that speaks this API, and by the Agents SDK.
Events are read by attribute or as dicts; what is unknown, or makes no sense, is passed over. Needs no SDK itself.

Which item an event is about: servers disagree. Some have no ids, some one placeholder for every item, some count no
output index, some send an id late. So an item is found by its index and its id, else by its id, else by its index, else
it is the newest open one of its kind; and if there is none, it begins here.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ..types import AssistantMessageContent, ThreadStreamEvent
from .conversions import DEFAULT_CONVERTER, ResponseStreamConverter, attribute
from .parts import (
    Citation,
    Failure,
    ImageDone,
    ImageStart,
    ImageUpdate,
    Incomplete,
    MessageDone,
    MessageStart,
    Part,
    ReasoningDelta,
    ReasoningDone,
    ReasoningStart,
    TextDelta,
    TextDone,
    TextStart,
    ToolCall,
)
from .stream import stream_parts

if TYPE_CHECKING:
    from .context import AgentContext

__all__ = ["ResponseReader", "response_parts", "stream_response"]

_Kind = Literal["message", "reasoning", "image"]
_KINDS: dict[str, _Kind] = {
    "message": "message",
    "reasoning": "reasoning",
    "image_generation_call": "image",
}


class _Item:
    """An output item of the response."""

    __slots__ = ("id", "index", "is_announced", "is_done", "key", "kind")

    def __init__(self, key: int, kind: _Kind, item_id: Any, index: Any) -> None:
        self.key = key
        self.kind: _Kind = kind
        self.id = item_id
        self.index = index
        self.is_announced = False
        self.is_done = False


class ResponseReader:
    """Makes parts of the events of one run, which may consist of several responses.

    Args:
        converter: What authors decide.
    """

    def __init__(self, converter: ResponseStreamConverter = DEFAULT_CONVERTER) -> None:
        self.converter = converter
        self.stopped = False
        """Whether the last response was incomplete."""
        self._keys = 0
        self._items: list[_Item] = []
        """Items of the response, the newest last."""
        self._calls: set[str] = set()
        self._response_id: Any = None
        self._is_said_again = False
        """Whether the response's own beginning came again, and nothing since."""
        # the item that the last text was for
        self._id: Any = self
        self._index: Any = self
        self.key = 0
        self.part = 0

    def more_text(self, event: Any) -> str | None:
        """The text of a ``response.output_text.delta``, if it goes where the last text went (:attr:`key` and
        :attr:`part`); else ask :meth:`receive`. What makes a stream fast: a model's attributes, read one by one, cost
        several times more."""
        try:
            fields = event.__dict__
            if (
                fields["type"] == "response.output_text.delta"
                and fields["item_id"] == self._id
                and fields["output_index"] == self._index
                and (fields["content_index"] or 0) == self.part
                and type(text := fields["delta"]) is str
            ):
                return text
        except (AttributeError, KeyError):  # a dict, or a server that leaves something out
            pass
        return None

    async def receive(self, event: Any) -> list[Part]:
        """The parts of one event."""
        kind = attribute(event, "type")
        handle = self._TABLE.get(kind)
        if handle is None:
            return []
        again, self._is_said_again = self._is_said_again, False
        before = self._begin() if again and kind == "response.output_item.added" else []
        parts = handle(self, event)
        return [*before, *(await parts if inspect.isawaitable(parts) else parts)]

    # -- which item ----------------------------------------------------------------------------

    def _find(self, kind: _Kind, item_id: Any, index: Any) -> _Item | None:
        alike = [item for item in reversed(self._items) if item.kind == kind]
        tests: tuple[Callable[[_Item], bool], ...] = (
            lambda item: item.index == index and item.id == item_id,
            lambda item: bool(item_id) and item.id == item_id,
            lambda item: index is not None and item.index == index,
            lambda item: not item.is_done,
        )
        return next((item for fits in tests for item in alike if fits(item)), None)

    def _add(self, kind: _Kind, item_id: Any, index: Any) -> _Item:
        self._keys += 1
        item = _Item(self._keys, kind, item_id, index)
        self._items.append(item)
        self._id = self
        return item

    def _item(self, kind: _Kind, event: Any, *, more: bool = False) -> _Item | None:
        """The item that an event is about; ``None`` if it is done, unless the event has more text for it."""
        item_id, index = attribute(event, "item_id"), attribute(event, "output_index")
        item = self._find(kind, item_id, index)
        if item is None or (item.is_done and more):
            return self._add(kind, item_id, index)
        return None if item.is_done else item

    # -- responses and items -------------------------------------------------------------------

    def _created(self, event: Any) -> list[Part]:
        """Another response, perhaps because the one before failed and was tried again; with the same id only if an item
        begins next: llama.cpp says it again before every word of an answer that began with half a character."""
        response_id = attribute(attribute(event, "response"), "id")
        if response_id is not None and response_id == self._response_id:
            self._is_said_again = True
            self._id = self
            return []
        self._response_id = response_id
        return self._begin()

    def _begin(self) -> list[Part]:
        """Close what the response before has left open."""
        left = [item for item in self._items if not item.is_done]
        self._items.clear()
        self._id = self
        return [
            ImageDone(key=item.key) if item.kind == "image" else MessageDone(key=item.key)
            for item in left
            if item.kind != "reasoning"
        ]

    async def _item_added(self, event: Any) -> list[Part]:
        output = attribute(event, "item")
        kind = _KINDS.get(attribute(output, "type"))
        if kind is None:
            return []
        item_id, index = attribute(output, "id"), attribute(event, "output_index")
        parts: list[Part] = []
        for old in self._items:
            if old.kind == kind and (old.id, old.index) == (item_id, index) and not old.is_done:
                parts += self._done(old)
        item = self._add(kind, item_id, index)
        item.is_announced = True
        if kind == "message":
            return [*parts, MessageStart(item.key, await self._content(output))]
        return [*parts, ReasoningStart(item.key) if kind == "reasoning" else ImageStart(item.key)]

    def _done(self, item: _Item) -> list[Part]:
        item.is_done = True
        self._id = self
        if item.kind == "message":
            return [MessageDone(key=item.key)]
        return [ImageDone(key=item.key)] if item.kind == "image" else []

    async def _item_done(self, event: Any) -> list[Part]:
        output = attribute(event, "item")
        kind = _KINDS.get(attribute(output, "type"))
        if kind is None:
            return self.tool_call(output)
        item_id, index = attribute(output, "id"), attribute(event, "output_index")
        item = self._find(kind, item_id, index)
        if item is None:
            item = self._add(kind, item_id, index)
        elif item.is_done:
            return []
        parts = self._done(item)
        if kind == "message":
            return [MessageDone(await self._content(output), item.key)]
        if kind == "image" and (result := attribute(output, "result")):
            image_id = item_id or ""
            url = await self.converter.base64_image_to_url(image_id, result)
            return [ImageDone(url, item.key, image_id)]
        return parts

    def tool_call(self, output: Any) -> list[Part]:
        """The part of a function call, once; nothing for other items."""
        call_id = attribute(output, "call_id")
        if attribute(output, "type") != "function_call" or not call_id or call_id in self._calls:
            return []
        self._calls.add(call_id)
        return [ToolCall(call_id, attribute(output, "name") or "")]

    async def _content(self, output: Any) -> list[AssistantMessageContent]:
        return [
            AssistantMessageContent(
                text=_text_of(content),
                annotations=[
                    annotation
                    for each in attribute(content, "annotations") or ()
                    if (annotation := await self.converter.citation_to_annotation(each))
                ],
            )
            for content in attribute(output, "content") or ()
            if attribute(content, "type") in ("output_text", "refusal")
        ]

    async def _completed(self, event: Any) -> list[Part]:
        """Usually nothing; the whole output if the server has not streamed it."""
        parts: list[Part] = []
        if not self._items:
            for index, output in enumerate(attribute(attribute(event, "response"), "output") or ()):
                parts += await self._item_done({"item": output, "output_index": index})
        return parts

    # -- text ----------------------------------------------------------------------------------

    def _part_added(self, event: Any) -> list[Part]:
        content = attribute(event, "part")
        if attribute(content, "type") not in ("output_text", "refusal"):
            return []
        item = self._item("message", event)
        return [TextStart(_text_of(content), item.key, _part_of(event))] if item else []

    def _text(self, event: Any) -> list[Part]:
        delta = attribute(event, "delta")
        if not isinstance(delta, str) or not delta:
            return []
        item = self._item("message", event, more=True)
        assert item is not None
        self._id, self._index = attribute(event, "item_id"), attribute(event, "output_index")
        self.key, self.part = item.key, _part_of(event)
        return [TextDelta(delta, self.key, self.part)]

    def _text_done(self, event: Any) -> list[Part]:
        text = attribute(event, "text")
        if text is None:
            text = attribute(event, "refusal")
        item = self._item("message", event)
        return [TextDone(text, item.key, _part_of(event))] if item else []

    async def _annotation(self, event: Any) -> list[Part]:
        annotation = await self.converter.citation_to_annotation(attribute(event, "annotation"))
        item = self._item("message", event) if annotation else None
        return [Citation(annotation, item.key, _part_of(event))] if annotation and item else []

    # -- thoughts and images -------------------------------------------------------------------

    def _thought(self, event: Any) -> list[Part]:
        delta, part = attribute(event, "delta"), self._thought_part(event)
        if part is None or not isinstance(delta, str) or not delta:
            return []
        item = self._item("reasoning", event, more=True)
        return [ReasoningDelta(delta, item.key, part)] if item else []

    def _thought_done(self, event: Any) -> list[Part]:
        part = self._thought_part(event)
        item = self._item("reasoning", event) if part is not None else None
        return [ReasoningDone(attribute(event, "text"), item.key, part)] if item else []

    def _thought_part(self, event: Any) -> Any:
        if "summary" in attribute(event, "type"):
            return attribute(event, "summary_index") or 0
        return ("raw", _part_of(event)) if self.converter.reasoning_text else None

    async def _partial_image(self, event: Any) -> list[Part]:
        image = attribute(event, "partial_image_b64")
        item = self._item("image", event) if image else None
        if item is None:
            return []
        index = attribute(event, "partial_image_index") or 0
        image_id = attribute(event, "item_id") or ""
        url = await self.converter.base64_image_to_url(image_id, image, index)
        progress = self.converter.partial_image_index_to_progress(index)
        return [ImageUpdate(url, progress, item.key, image_id)]

    # -- ends ----------------------------------------------------------------------------------

    def _failed(self, event: Any) -> list[Part]:
        error = attribute(attribute(event, "response"), "error") or event
        code, message = attribute(error, "code"), attribute(error, "message")
        told = self.converter.failure_to_message(code, message)
        return [Failure(told, cause=": ".join(str(each) for each in (code, message) if each))]

    def _incomplete(self, event: Any) -> list[Part]:
        self.stopped = True
        details = attribute(attribute(event, "response"), "incomplete_details")
        return [Incomplete(self.converter.incomplete_to_message(attribute(details, "reason")))]

    def end(self) -> list[Part]:
        """The stream has ended. One that ends in the middle of an item was cut, perhaps by a proxy, without anybody
        saying so."""
        if not any(item.is_announced and not item.is_done for item in self._items):
            return []
        return [] if self.stopped else [Incomplete(self.converter.incomplete_to_message(None))]

    _TABLE: ClassVar[
        dict[str, Callable[[ResponseReader, Any], list[Part] | Awaitable[list[Part]]]]
    ] = {
        "response.created": _created,
        "response.output_item.added": _item_added,
        "response.content_part.added": _part_added,
        "response.output_text.delta": _text,
        "response.output_text.done": _text_done,
        "response.output_text.annotation.added": _annotation,
        "response.refusal.delta": _text,
        "response.refusal.done": _text_done,
        "response.output_item.done": _item_done,
        "response.reasoning_summary_text.delta": _thought,
        "response.reasoning_summary_text.done": _thought_done,
        "response.reasoning_text.delta": _thought,
        "response.reasoning_text.done": _thought_done,
        "response.image_generation_call.partial_image": _partial_image,
        "response.completed": _completed,
        "response.failed": _failed,
        "response.incomplete": _incomplete,
        "error": _failed,
        "response.error": _failed,
    }


def _part_of(event: Any) -> int:
    return attribute(event, "content_index") or 0


def _text_of(content: Any) -> str:
    text = attribute(content, "refusal" if attribute(content, "type") == "refusal" else "text")
    return text if isinstance(text, str) else ""


async def response_parts(
    events: AsyncIterable[Any] | Awaitable[AsyncIterable[Any]],
    converter: ResponseStreamConverter = DEFAULT_CONVERTER,
) -> AsyncGenerator[Part]:
    """The parts of a Responses stream. Closes the stream when it ends or is closed itself."""
    source: Any = await events if inspect.isawaitable(events) else events
    iterator: Any = aiter(source)
    reader = ResponseReader(converter)
    more_text, receive = reader.more_text, reader.receive
    try:
        async for event in iterator:
            if (text := more_text(event)) is not None:
                yield TextDelta(text, reader.key, reader.part)
                continue
            for each in await receive(event):
                yield each
        for each in reader.end():
            yield each
    finally:
        for opened in dict.fromkeys((iterator, source)):
            close = getattr(opened, "aclose", None) or getattr(opened, "close", None)
            if close is not None and inspect.isawaitable(closing := close()):
                await closing


def stream_response(
    context: AgentContext[Any],
    events: AsyncIterable[Any] | Awaitable[AsyncIterable[Any]],
    *,
    converter: ResponseStreamConverter = DEFAULT_CONVERTER,
) -> AsyncGenerator[ThreadStreamEvent]:
    """The thread events of a Responses stream, with what tools say through ``context`` in between.

    Example::

        stream = await client.responses.create(model=..., input=..., stream=True)
        async for event in stream_response(agent_context, stream):
            yield event

    Args:
        context: The context of the run.
        events: What ``client.responses.create(..., stream=True)`` of an ``openai`` client gives, awaited or not. It is
            closed, and with it the request to the model, when this generator is.
        converter: How images, citations and failures are shown.

    Raises:
        ModelFailure: The model failed; what it has said is stored.
        openai.OpenAIError: The request failed, or the connection broke.
    """
    return stream_parts(context, response_parts(events, converter))
