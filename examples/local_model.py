"""An assistant on a model of your own, without the Agents SDK: any server that speaks Chat Completions.

Ollama, llama.cpp, vLLM: ``OPENAI_BASE_URL=http://127.0.0.1:11434/v1 MODEL=qwen3 python -m examples local_model``.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Any

from openai import AsyncOpenAI

from chatkit_asgi import ChatKitApp, ChatKitRouter
from chatkit_asgi.agents import AgentContext, ThreadItemConverter, load_history, run_chat
from chatkit_asgi.store import SQLiteStore

store: SQLiteStore[Any] = SQLiteStore("local_model.db")
chat: ChatKitRouter[Any] = ChatKitRouter(store)
client = AsyncOpenAI()  # OPENAI_BASE_URL and OPENAI_API_KEY


async def get_weather(context: AgentContext, city: str) -> str:
    """The weather in a city, now."""
    await context.stream_progress(f"Looking at {city}")
    return "Rain, 9 °C"


@chat.respond
async def respond(thread: Any, message: Any, context: Any) -> AsyncIterator[Any]:
    run = AgentContext(thread=thread, store=store, request_context=context)
    history = await load_history(store, thread, context, max_tokens=8_000)
    messages = await ThreadItemConverter().to_chat_messages(history.with_note())
    model = os.environ.get("MODEL", "qwen3")
    async for event in run_chat(run, client, model=model, messages=messages, tools=[get_weather]):
        yield event


app = ChatKitApp(chat)
