"""LangGraph: what a graph streams as parts, and a thread's history as LangChain's messages. asyncio only, as it
is."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Collection, Iterable, Mapping
from typing import Any

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ToolMessage,
    convert_to_messages,
)

from ..types import Annotation, CustomTask, ThreadStreamEvent
from .chat import opened
from .context import AgentContext
from .conversions import (
    CUT_OFF_REASONS,
    DEFAULT_CONVERTER,
    ResponseStreamConverter,
    title_of,
    url_annotation,
)
from .messages import chat_messages
from .parts import (
    Citation,
    Incomplete,
    MessageDone,
    Part,
    ReasoningDelta,
    TaskUpdate,
    TextDelta,
    ToolCall,
)
from .stream import stream_parts

__all__ = ["langgraph_messages", "langgraph_parts", "stream_langgraph"]

_CUT_OFF = {**CUT_OFF_REASONS, "max_tokens": "max_output_tokens"}


def stream_langgraph(
    context: AgentContext[Any],
    stream: AsyncIterable[Any],
    *,
    nodes: Collection[str] | None = None,
    converter: ResponseStreamConverter = DEFAULT_CONVERTER,
) -> AsyncGenerator[ThreadStreamEvent]:
    """The thread events of a graph's run: text, thoughts, citations, and tools as the tasks of a workflow.

    Example::

        history = langgraph_messages(await ThreadItemConverter().to_agent_input(items))
        stream = graph.astream({"messages": history}, stream_mode="messages", context=agent_context)
        async for event in stream_langgraph(agent_context, stream):
            yield event

    Args:
        context: The context of the run; give it to the graph too for tools to speak through.
        stream: ``graph.astream(...)`` with ``stream_mode="messages"``, or a list of modes with it; of the others,
            ``"custom"`` is shown where a node wrote a thread event or a part. Closed when this generator is, which
            stops the run.
        nodes: Whose messages are shown; all by default.
        converter: How a cut-off answer is told.

    Raises:
        Exception: What the run raises; what had come before is stored.
    """
    return stream_parts(context, langgraph_parts(stream, nodes, converter))


async def langgraph_parts(
    stream: AsyncIterable[Any],
    nodes: Collection[str] | None = None,
    converter: ResponseStreamConverter = DEFAULT_CONVERTER,
) -> AsyncGenerator[Any]:
    """The parts of a graph's run. Closes the stream, and so stops the run, when it is closed."""
    async with opened(stream) as events:
        async for event in events:
            mode, data = event[-2:] if isinstance(event[-2], str) else ("messages", event)
            if mode == "custom" and hasattr(data, "__struct_fields__"):
                yield data
            elif mode == "messages" and (nodes is None or data[1]["langgraph_node"] in nodes):
                for part in _parts(data[0], converter):
                    yield part


def _parts(message: BaseMessage, converter: ResponseStreamConverter) -> list[Part]:
    if isinstance(message, ToolMessage):
        return [_task(message.tool_call_id, message.name or "", "complete")]
    if not isinstance(message, AIMessage):
        return []
    key, parts = message.id, list[Part]()
    blocks: list[Any] = [*message.content_blocks]
    for block in blocks:
        match block:
            case {"type": "text", "text": text}:
                parts.append(TextDelta(text, key))
                parts += [Citation(each, key) for each in _sources(block.get("annotations"))]
            case {"type": "reasoning", "reasoning": thought}:
                parts.append(ReasoningDelta(thought, key))
            case _:
                pass
    if isinstance(message, AIMessageChunk):
        is_done = message.chunk_position == "last"
        calls: list[Any] = [*message.tool_call_chunks]
    else:
        is_done = True
        calls = [*message.tool_calls]
    calls = [call for call in calls if call["id"] and call["name"]]  # later pieces have neither
    if calls or is_done:
        parts.append(MessageDone(key=key))
    for call in calls:
        parts.append(ToolCall(call["id"], call["name"]))
        parts.append(_task(call["id"], call["name"], "loading"))
    metadata = message.response_metadata
    reason = _CUT_OFF.get(metadata.get("finish_reason") or metadata.get("stop_reason") or "")
    return [*parts, Incomplete(converter.incomplete_to_message(reason))] if reason else parts


def _task(call_id: str, name: str, status: Any) -> TaskUpdate:
    return TaskUpdate(CustomTask(title=title_of(name), status_indicator=status), key=call_id)


def _sources(annotations: Any) -> list[Annotation]:
    return [
        url_annotation(each["url"], each.get("title"), each.get("end_index"))
        for each in annotations or ()
        if each.get("url")
    ]


def langgraph_messages(input_items: Iterable[Mapping[str, Any]]) -> list[BaseMessage]:
    """Input of the Responses API, as :meth:`ThreadItemConverter.to_agent_input` makes it, as LangChain's messages."""
    return convert_to_messages(chat_messages(input_items))
