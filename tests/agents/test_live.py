"""Model servers that are not ours, live: aimock from npm and llama.cpp with a real model; skipped where missing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from chatkit_asgi import ChatKitServer, Options
from chatkit_asgi.agents import AgentContext, stream_agent_response, stream_response
from tests.agents.served import Conversation, openai_client
from tests.agents.servers import WHY_NO_AIMOCK, aimock


@pytest.fixture
def anyio_backend() -> str:
    """The SDK runs on asyncio only."""
    return "asyncio"


@pytest.fixture(scope="module")
def aimock_url() -> Iterator[str]:
    if WHY_NO_AIMOCK:
        pytest.skip(WHY_NO_AIMOCK)
    with aimock() as url:
        yield url


class Asking(ChatKitServer[Any]):
    """Hands the model what the person has said: aimock answers by that."""

    def __init__(self, store: Any, base_url: str, model: str = "gpt-5") -> None:
        super().__init__(store, options=Options(handle_signals=False))
        self.client = openai_client(base_url)
        self.model = model

    def begin(self, thread: Any, input_user_message: Any, context: Any) -> tuple[Any, str]:
        agent_context = AgentContext[Any](thread=thread, store=self.store, request_context=context)
        return agent_context, input_user_message.content[0].text

    async def respond(
        self, thread: Any, input_user_message: Any, context: Any
    ) -> AsyncIterator[Any]:
        agent_context, text = self.begin(thread, input_user_message, context)
        response = self.client.responses.create(
            model=self.model, input=text, stream=True, max_output_tokens=40
        )
        async for event in stream_response(agent_context, response):
            yield event


class AskingAgent(Asking):
    """The same with the Agents SDK and a tool."""

    async def respond(
        self, thread: Any, input_user_message: Any, context: Any
    ) -> AsyncIterator[Any]:
        from agents import (
            Agent,
            OpenAIResponsesModel,
            RunConfig,
            RunContextWrapper,
            Runner,
            function_tool,
        )

        async def lookup(ctx: Any, city: str) -> str:
            await ctx.context.stream_progress(f"Looking at {city}")
            return "sunny"

        lookup.__annotations__["ctx"] = RunContextWrapper[Any]
        agent_context, text = self.begin(thread, input_user_message, context)
        agent = Agent[Any](
            name="a",
            model=OpenAIResponsesModel(self.model, self.client),
            tools=[function_tool(lookup)],
        )
        config = RunConfig(tracing_disabled=True)
        result = Runner.run_streamed(agent, text, context=agent_context, run_config=config)
        async for event in stream_agent_response(agent_context, result):
            yield event


async def test_aimock_through_the_plain_client(aimock_url: str, store: Any) -> None:
    conversation = Conversation(store, aimock_url, Asking)
    await conversation.say("text", "reasoning", "limited", "cut", "text")
    text = "A model server of somebody else says this, in several pieces."
    stored = await conversation.stored()
    assert stored[:3] == [text, ["The question is known; so is the answer."], "Forty-two."]
    assert stored[-1] == text
    assert "This answer does not reach its end because".startswith(stored[3].strip())
    failed = [
        [event["code"] for event in turn.events if event["type"] == "error"]
        for turn in conversation.turns
    ]
    assert failed == [[], [], ["stream.error"], ["stream.error"], []]
    assert "org-secret" not in str(conversation.turns[2].events)
    await conversation.check()


async def test_aimock_through_the_agents_sdk_with_a_tool(aimock_url: str, store: Any) -> None:
    conversation = Conversation(store, aimock_url, AskingAgent)
    await conversation.say("tool")
    assert await conversation.stored() == ["It is sunny in Paris."]
    assert "Looking at Paris" in str(conversation.events)
    await conversation.check()


async def test_a_real_model_through_the_plain_client(store: Any) -> None:
    pytest.importorskip("xllamacpp", reason="the local model is not installed")
    from chatkit_asgi.demo.model import LocalModel

    local = LocalModel()
    conversation = Conversation(store, local.base_url, Asking, model=local.name)
    await conversation.say("Say hello.", "And goodbye, with an emoji first.")
    stored = await conversation.stored()
    deltas = [event["update"].get("delta") for event in conversation.events if "update" in event]
    assert len(stored) == 2
    assert stored[1] == "".join(filter(None, deltas))
    assert all(stored)
    await conversation.check()
