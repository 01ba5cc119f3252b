"""Pydantic AI: a run's events as parts. For history see :mod:`.pydantic_ai_messages`. asyncio only, as the framework
is."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from itertools import count
from typing import Any, cast

from pydantic_ai import AgentRunResultEvent
from pydantic_ai import messages as ai

from ..types import Annotation, CustomTask, ThreadStreamEvent
from .context import AgentContext
from .conversions import (
    CUT_OFF_REASONS,
    DEFAULT_CONVERTER,
    ResponseStreamConverter,
    title_of,
    url_annotation,
)
from .parts import (
    Citation,
    ImageDone,
    Incomplete,
    MessageDone,
    Part,
    ReasoningDelta,
    ReasoningDone,
    TaskUpdate,
    TextDelta,
    ToolCall,
)
from .stream import stream_parts

__all__ = ["pydantic_ai_parts", "stream_pydantic_ai"]


def stream_pydantic_ai(
    context: AgentContext[Any],
    run: AbstractAsyncContextManager[Any],
    *,
    on_result: Callable[[Any], Awaitable[None]] | None = None,
    converter: ResponseStreamConverter = DEFAULT_CONVERTER,
) -> AsyncGenerator[ThreadStreamEvent]:
    """The thread events of a run: text, thoughts, images, citations, and tools as the tasks of a workflow.

    Example::

        history = pydantic_ai_messages(await ThreadItemConverter().to_agent_input(items))
        run = agent.run_stream_events(message_history=history, deps=agent_context)
        async for event in stream_pydantic_ai(agent_context, run):
            yield event

    A tool asks for a client tool by ``await ctx.deps.call_client_tool(name, arguments, call_id=ctx.tool_call_id)``
    and ``raise CallDeferred()``, with ``DeferredToolRequests`` among the agent's output types: that ends the run.

    Args:
        context: The context of the run; give it to the run as ``deps`` for tools to speak through.
        run: What ``agent.run_stream_events(...)`` returns. It is stopped when this generator is closed.
        on_result: Called with the ``AgentRunResult``: the place for structured output, which is not shown by itself.
        converter: How a cut-off answer is told.

    Raises:
        Exception: What the run raises; what had come before is stored.
    """
    return stream_parts(context, pydantic_ai_parts(run, on_result, converter))


async def pydantic_ai_parts(
    run: AbstractAsyncContextManager[Any],
    on_result: Callable[[Any], Awaitable[None]] | None = None,
    converter: ResponseStreamConverter = DEFAULT_CONVERTER,
) -> AsyncGenerator[Part]:
    """The parts of a run. Stops the run when it is closed."""
    numbers, keys = count(), dict[int, int]()  # indexes begin anew with each response
    running: dict[str, Any] = {}
    async with run as events:
        async for event in events:
            match event:
                case ai.PartStartEvent(index=index, part=part):
                    key = keys[index] = next(numbers)
                    for each in _started(part, key):
                        yield each
                case ai.PartDeltaEvent(index=index, delta=ai.TextPartDelta(content_delta=text)):
                    yield TextDelta(text, keys[index])
                case ai.PartDeltaEvent(
                    index=index, delta=ai.ThinkingPartDelta(content_delta=str(text))
                ):
                    yield ReasoningDelta(text, keys[index])
                case ai.PartEndEvent(index=index, part=ai.TextPart(citations=citations)):
                    for source in _sources(citations):
                        yield Citation(source, keys[index])
                    yield MessageDone(key=keys[index])
                case ai.PartEndEvent(index=index, part=ai.ThinkingPart()):
                    yield ReasoningDone(key=keys[index])
                case ai.FunctionToolCallEvent(part=call):
                    yield ToolCall(call.tool_call_id, call.tool_name)
                    running[call.tool_call_id] = call
                    yield _task(call, "loading")
                case ai.FunctionToolResultEvent(part=returned):
                    running.pop(returned.tool_call_id, None)
                    yield _task(returned, "complete")
                case AgentRunResultEvent():
                    for call in running.values():  # deferred: the page's now
                        yield _task(call, "complete")
                    result = cast("AgentRunResultEvent[Any]", event).result
                    reason = CUT_OFF_REASONS.get(result.response.finish_reason or "")
                    if reason:
                        yield Incomplete(converter.incomplete_to_message(reason))
                    if on_result is not None:
                        await on_result(result)
                case _:
                    pass


def _started(part: Any, key: int) -> list[Part]:
    match part:
        case ai.TextPart(content=text):
            return [TextDelta(text, key)]
        case ai.ThinkingPart(content=text):
            return [ReasoningDelta(text, key)]
        case ai.FilePart(content=content) if content.is_image:
            return [ImageDone(content.data_uri, key)]
        case ai.NativeToolCallPart():
            return [_task(part, "loading")]
        case ai.NativeToolReturnPart():
            return [_task(part, "complete")]
        case _:
            return []


def _task(part: Any, status: Any) -> TaskUpdate:
    task = CustomTask(title=title_of(part.tool_name), status_indicator=status)
    return TaskUpdate(task, key=part.tool_call_id)


def _sources(citations: list[ai.Citation] | None) -> list[Annotation]:
    return [
        url_annotation(source.url, source.title, getattr(citation.anchor, "end", None))
        for citation in citations or ()
        for source in citation.sources
        if isinstance(source, ai.WebCitationSource)
    ]
