"""The Agents SDK: a streamed run as a ChatKit stream. Uses the SDK's public API only, and imports it when it runs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from .._closing import closing
from ..types import ThreadStreamEvent
from .conversions import DEFAULT_CONVERTER, ResponseStreamConverter, attribute
from .parts import Part, TextDelta, Withdraw
from .responses import ResponseReader
from .stream import Outbox, logger, stream_source

if TYPE_CHECKING:
    from agents import RunResultStreaming

    from .context import AgentContext

__all__ = ["accumulate_text", "agent_parts", "stream_agent_response"]

TWidget = TypeVar("TWidget")


def agent_parts(
    result: RunResultStreaming, converter: ResponseStreamConverter = DEFAULT_CONVERTER
) -> AsyncGenerator[Part]:
    """The parts of a run. Closing it before the run has ended cancels the run, and with it the request to the model."""
    return _read(result, converter, None)


async def _read(
    result: RunResultStreaming, converter: ResponseStreamConverter, outbox: Outbox | None
) -> AsyncGenerator[Part]:
    """The parts of a run. If there is an outbox, it takes plain text directly, and that is nearly all of them."""
    from agents import InputGuardrailTripwireTriggered, OutputGuardrailTripwireTriggered
    from agents.exceptions import ModelBehaviorError

    reader = ResponseReader(converter)
    more_text, receive = reader.more_text, reader.receive
    events: Any = result.stream_events()
    try:
        async for event in events:
            if event.type == "raw_response_event":
                data = event.data
                if (text := more_text(data)) is None:
                    for each in await receive(data):
                        yield each
                elif outbox is None or (
                    (has_room := outbox.more_text(text, reader.key, reader.part)) is None
                ):
                    yield TextDelta(text, reader.key, reader.part)
                elif not has_room:
                    await outbox.room()
            elif event.type == "run_item_stream_event" and event.item.type == "tool_call_item":
                for each in reader.tool_call(event.item.raw_item):
                    yield each
    except (InputGuardrailTripwireTriggered, OutputGuardrailTripwireTriggered):
        yield Withdraw()
        raise
    except ModelBehaviorError as error:
        if not reader.stopped:
            raise
        logger.info("run ended: %s", error)  # the reader has been told that the answer is cut off
    finally:
        if not result.is_complete:
            result.cancel()
        await events.aclose()


def stream_agent_response(
    context: AgentContext[Any],
    result: RunResultStreaming,
    *,
    converter: ResponseStreamConverter = DEFAULT_CONVERTER,
) -> AsyncGenerator[ThreadStreamEvent]:
    """The thread events of a streamed run of the Agents SDK, with what its tools say through ``context`` in between.

    Example::

        result = Runner.run_streamed(agent, await simple_to_agent_input(items), context=agent_context)
        async for event in stream_agent_response(agent_context, result):
            yield event

    Args:
        context: The context of the run, the same object that the run was given.
        result: What ``Runner.run_streamed`` returned. Cancelled, and with it the request to the model, when this
            generator is closed or cancelled.
        converter: How images, citations and failures are shown.

    Raises:
        ModelFailure: The model failed; what it has said is stored.
        agents.AgentsException: What the run raised. Before a guardrail's tripwire is raised, everything that the run
            has shown is removed.
    """
    return stream_source(context, lambda outbox: _read(result, converter, outbox))


async def accumulate_text(
    events: AsyncIterable[Any], base_widget: TWidget
) -> AsyncGenerator[TWidget]:
    """States of a Text or Markdown that grows with what a model says.

    Args:
        events: Events of a run (``result.stream_events()``) or of a Responses stream. Closed at the end,
            also an early one.
        base_widget: A component, or a dict, with an ``id`` and ``streaming`` true. The model's text is appended.

    Yields:
        The widget as it is, then with the text so far, finally with ``streaming`` false.
    """
    text = attribute(base_widget, "value") or ""
    async with closing(aiter(events)) as found:
        yield base_widget
        async for event in found:
            data = event.data if event.type == "raw_response_event" else event
            if data.type == "response.output_text.delta":
                text += data.delta
                yield _changed(base_widget, {"value": text})
    yield _changed(base_widget, {"value": text, "streaming": False})


def _changed(widget: Any, update: dict[str, Any]) -> Any:
    if isinstance(widget, dict):
        return {**cast("dict[str, Any]", widget), **update}
    return widget.model_copy(update=update)
