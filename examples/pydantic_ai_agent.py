"""A Pydantic AI agent with a tool that speaks to the reader."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Any

from pydantic_ai import Agent, RunContext

from chatkit_asgi import ChatKitApp, ChatKitRouter
from chatkit_asgi.agents import (
    AgentContext,
    ThreadItemConverter,
    load_history,
    pydantic_ai_messages,
    stream_pydantic_ai,
)
from chatkit_asgi.store import SQLiteStore

store: SQLiteStore[Any] = SQLiteStore("pydantic_ai.db")
chat: ChatKitRouter[Any] = ChatKitRouter(store)

agent = Agent(
    f"openai-chat:{os.environ.get('MODEL', 'gpt-4.1')}",
    deps_type=AgentContext,
    instructions="You know the weather.",
)


@agent.tool
async def get_weather(ctx: RunContext[AgentContext], city: str) -> str:
    """The weather in a city, now."""
    await ctx.deps.stream_progress(f"Looking at {city}")
    return "Rain, 9 °C"


@chat.respond
async def respond(thread: Any, message: Any, context: Any) -> AsyncIterator[Any]:
    deps = AgentContext(thread=thread, store=store, request_context=context)
    history = await load_history(store, thread, context)
    items = await ThreadItemConverter().to_agent_input(history.with_note())
    run = agent.run_stream_events(message_history=pydantic_ai_messages(items), deps=deps)
    async for event in stream_pydantic_ai(deps, run):
        yield event


app = ChatKitApp(chat)
