"""Pydantic AI behind a ChatKit server, with the framework's own test models."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import nullcontext
from typing import Any

import anyio
import pytest

pytest.importorskip("pydantic_ai")

import pydantic_ai
from pydantic import BaseModel
from pydantic_ai import Agent, CallDeferred, DeferredToolRequests, RunContext
from pydantic_ai.messages import (
    BinaryContent,
    ImageUrl,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.function import AgentInfo, DeltaThinkingPart, DeltaToolCall, FunctionModel
from pydantic_ai.models.test import TestModel

from chatkit_asgi import ChatKitServer, Options
from chatkit_asgi.agents import (
    AgentContext,
    ThreadItemConverter,
    load_history,
    pydantic_ai_messages,
    stream_pydantic_ai,
)
from chatkit_asgi.store import MemoryStore
from chatkit_asgi.types import CustomTask, ImageAttachment
from tests.agents.chatting import answer, has_text, stopped
from tests.agents.items import assistant, hidden, tool_call, user
from tests.agents.served import Conversation


@pytest.fixture(autouse=True)
def only_test_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pydantic_ai.models, "ALLOW_MODEL_REQUESTS", False)


@pytest.fixture
def anyio_backend() -> str:
    """The framework needs asyncio."""
    return "asyncio"


class Assistant(ChatKitServer[Any]):
    """Answers with a run of an agent."""

    def __init__(
        self, store: Any, base_url: str, *, agent: Agent[Any, Any], **options: Any
    ) -> None:
        super().__init__(store, options=Options(handle_signals=False))
        self.client = nullcontext()
        self.agent = agent
        self.asking = options

    async def respond(
        self, thread: Any, input_user_message: Any, context: Any
    ) -> AsyncIterator[Any]:
        agent_context = AgentContext[Any](thread=thread, store=self.store, request_context=context)
        history = await load_history(self.store, thread, context)
        messages = pydantic_ai_messages(await ThreadItemConverter().to_agent_input(history.items))
        run = self.agent.run_stream_events(message_history=messages, deps=agent_context)
        async for event in stream_pydantic_ai(agent_context, run, **self.asking):
            yield event


async def converse(agent: Agent[Any, Any], *lines: str, **options: Any) -> Conversation:
    conversation = Conversation(MemoryStore(), "", Assistant, agent=agent, **options)
    await conversation.say(*lines or ("Hi",))
    return conversation


async def test_text_streams_and_is_stored() -> None:
    agent = Agent(TestModel(custom_output_text="Hello, world. How are you?"))
    conversation = await converse(agent)
    assert await conversation.stored() == ["Hello, world. How are you?"]
    await conversation.check()
    assert len([event for event in conversation.events if has_text(event)]) > 3


async def test_tools_are_tasks_and_speak_to_the_reader() -> None:
    agent = Agent(TestModel(custom_output_text="Rain."), deps_type=AgentContext[Any])

    @agent.tool
    async def get_weather(ctx: RunContext[AgentContext[Any]], city: str) -> str:
        await ctx.deps.stream_progress("Looking out of the window")
        return "rain"

    conversation = await converse(agent)
    task = CustomTask(title="Get weather", status_indicator="complete")
    assert await conversation.stored() == [[task], "Rain."]
    await conversation.check()
    assert [e["text"] for e in conversation.events if e["type"] == "progress_update"] == [
        "Looking out of the window"
    ]


async def test_thoughts_text_tool_text_in_this_order() -> None:
    async def stream(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Any]:
        if len(messages) == 1:
            yield {0: DeltaThinkingPart(content="Hm")}
            yield {0: DeltaThinkingPart(content=", rain?")}
            yield "Let me "
            yield "see."
            yield {2: DeltaToolCall(name="look", json_args="{}", tool_call_id="c1")}
        else:
            yield "Rain."

    agent = Agent(FunctionModel(stream_function=stream))
    agent.tool_plain(look)
    conversation = await converse(agent)
    look_task = CustomTask(title="Look", status_indicator="complete")
    assert await conversation.stored() == [["Hm, rain?"], "Let me see.", [look_task], "Rain."]
    await conversation.check()


async def look() -> str:
    return "it rains"


async def test_the_conversation_goes_on_from_what_is_stored() -> None:
    seen: list[list[ModelMessage]] = []

    async def stream(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str]:
        seen.append(messages)
        yield f"Answer {len(seen)}"

    await converse(Agent(FunctionModel(stream_function=stream)), "One", "Two")
    said = [part.content for message in seen[1] for part in message.parts]  # type: ignore[union-attr]
    assert said == [["One"], "Answer 1", ["Two"]]


async def test_a_failing_run_keeps_what_was_said_and_says_so() -> None:
    async def stream(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str]:
        yield "It begins"
        raise RuntimeError("internal details")

    conversation = await converse(Agent(FunctionModel(stream_function=stream)))
    assert await conversation.stored() == ["It begins"]
    assert [error["allow_retry"] for error in conversation.errors] == [True]
    assert "internal details" not in str(conversation.events)
    await conversation.check()


async def test_stopping_stops_the_run() -> None:
    ends: list[str] = []

    async def stream(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str]:
        try:
            yield "Once upon"
            await anyio.sleep_forever()
        finally:
            ends.append("stopped")

    agent = Agent(FunctionModel(stream_function=stream))
    server = Assistant(MemoryStore(), "", agent=agent)
    assert await stopped(server, has_text) == ["Once upon", "sdk_hidden_context"]
    assert ends == ["stopped"]


async def test_stopping_stops_a_tool() -> None:
    ends: list[str] = []
    agent = Agent(TestModel())

    @agent.tool_plain
    async def endless() -> str:
        try:
            await anyio.sleep_forever()
        finally:
            ends.append("stopped")
        return ""

    server = Assistant(MemoryStore(), "", agent=agent)
    await stopped(server, lambda event: event["type"] == "thread.item.added")
    assert ends == ["stopped"]


async def test_a_tool_of_the_page_ends_the_run_and_the_answer_goes_on() -> None:
    seen: list[list[ModelMessage]] = []

    async def stream(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Any]:
        seen.append(messages)
        if len(seen) == 1:
            yield {0: DeltaToolCall(name="select", json_args="{}", tool_call_id="c7")}
        else:
            yield "Selected."

    agent = Agent(
        FunctionModel(stream_function=stream),
        output_type=[str, DeferredToolRequests],
        deps_type=AgentContext[Any],
    )

    @agent.tool
    async def select(ctx: RunContext[AgentContext[Any]]) -> str:
        await ctx.deps.call_client_tool("select", {"layer": 1}, call_id=ctx.tool_call_id)
        raise CallDeferred

    conversation = await converse(agent)
    done = CustomTask(title="Select", status_indicator="complete")
    assert await conversation.stored() == [[done], ("select", {"layer": 1}, "c7")]
    await answer(conversation, {"ids": [1]})
    assert (await conversation.stored())[-1] == "Selected."
    call, output = (message.parts[0] for message in seen[1][-2:])
    assert isinstance(call, ToolCallPart)
    assert isinstance(output, ToolReturnPart)
    assert call.tool_call_id == output.tool_call_id == "c7"
    assert output.content == '{"ids": [1]}'


async def test_structured_output_is_given_to_on_result() -> None:
    results: list[Any] = []

    async def keep(result: Any) -> None:
        results.append(result.output)

    class Score(BaseModel):
        points: int

    agent = Agent(TestModel(custom_output_args={"points": 7}), output_type=Score)
    conversation = await converse(agent, on_result=keep)
    assert results == [Score(points=7)]
    assert await conversation.stored() == []


async def test_history_as_messages() -> None:
    png = "data:image/png;base64,AAAA"

    async def read(attachment: Any) -> Any:
        return {"type": "input_image", "detail": "auto", "image_url": attachment.preview_url}

    converter = ThreadItemConverter(attachments=read, context_role="developer")
    pictures: list[Any] = [
        ImageAttachment(id=url, name="a", mime_type="image/png", preview_url=url)
        for url in (png, "https://x.test/a.png")
    ]
    items = [
        hidden("secret"),
        user("see", attachments=pictures),
        assistant("I see."),
        tool_call({"ok": True}),
        user("And?"),
    ]
    messages = pydantic_ai_messages(await converter.to_agent_input(items))
    assert [type(message) for message in messages] == [ModelRequest, ModelResponse, ModelRequest]
    first, second, third = (message.parts for message in messages)
    assert isinstance(first[0], SystemPromptPart)
    assert isinstance(first[1], UserPromptPart)
    text, inline, linked = first[1].content
    assert text == "see"
    assert isinstance(inline, BinaryContent)
    assert isinstance(linked, ImageUrl)
    assert second[0] == TextPart("I see.")
    assert isinstance(second[1], ToolCallPart)
    assert second[1].args_as_dict() == {"city": "Zürich"}
    assert isinstance(third[0], ToolReturnPart)
    assert third[0].tool_name == "weather"
    assert isinstance(third[1], UserPromptPart)
