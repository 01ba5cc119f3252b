"""A LangGraph graph: one node looks something up, the next answers with any OpenAI-compatible model.

The answering node uses the plain ``openai`` client and writes its text as parts, so that no LangChain package for a
model is needed; with one, its messages are shown without a writer.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Any

from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from openai import AsyncOpenAI
from typing_extensions import TypedDict

from chatkit_asgi import ChatKitApp, ChatKitRouter
from chatkit_asgi.agents import (
    AgentContext,
    ThreadItemConverter,
    chat_parts,
    load_history,
    stream_langgraph,
)
from chatkit_asgi.store import SQLiteStore
from chatkit_asgi.types import ProgressUpdateEvent

store: SQLiteStore[Any] = SQLiteStore("langgraph.db")
chat: ChatKitRouter[Any] = ChatKitRouter(store)
client = AsyncOpenAI()  # OPENAI_BASE_URL and OPENAI_API_KEY


class State(TypedDict, total=False):
    """What the nodes hand on."""

    messages: list[dict[str, Any]]
    found: str


async def look_up(state: State) -> State:
    """Find what the answer needs."""
    get_stream_writer()(ProgressUpdateEvent(text="Looking it up", icon="search"))
    return {"found": "It rains in Bern, at 9 °C."}


async def answer(state: State) -> State:
    """Answer with what was found."""
    tell = get_stream_writer()
    system = {"role": "system", "content": f"You know this: {state['found']}"}
    completion = client.chat.completions.create(
        model=os.environ.get("MODEL", "gpt-4.1"),
        messages=[system, *state["messages"]],  # type: ignore[list-item]
        stream=True,
    )
    async for part in chat_parts(completion):
        tell(part)
    return {}


builder = StateGraph(State)
builder.add_node("look_up", look_up)
builder.add_node("answer", answer)
builder.add_edge(START, "look_up")
builder.add_edge("look_up", "answer")
builder.add_edge("answer", END)
graph = builder.compile()


@chat.respond
async def respond(thread: Any, message: Any, context: Any) -> AsyncIterator[Any]:
    run = AgentContext(thread=thread, store=store, request_context=context)
    history = await load_history(store, thread, context)
    messages = await ThreadItemConverter().to_chat_messages(history.with_note())
    stream = graph.astream({"messages": messages}, stream_mode=["messages", "custom"])
    async for event in stream_langgraph(run, stream):
        yield event


app = ChatKitApp(chat)
