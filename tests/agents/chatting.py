"""A ChatKit server whose assistant is a model behind the Chat Completions API, with tools and the thread's history."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import anyio
import anyio.lowlevel

from chatkit_asgi import ChatKitApp, ChatKitServer, Options
from chatkit_asgi.agents import (
    AgentContext,
    ThreadItemConverter,
    load_history,
    run_chat,
    stream_chat,
)
from chatkit_asgi.testing import ASGIBridge, ChatKitClient
from tests.agents.served import Conversation, openai_client, short


class ChatAssistant(ChatKitServer[Any]):
    """Answers with one completion; with tools, with as many as the model wants."""

    def __init__(
        self,
        store: Any,
        base_url: str,
        *,
        tools: Sequence[Any] | None = None,
        model: str = "m",
        **options: Any,
    ) -> None:
        super().__init__(store, options=Options(handle_signals=False))
        self.client = openai_client(base_url)
        self.tools = tools
        self.model = model
        self.asking = options

    async def respond(
        self, thread: Any, input_user_message: Any, context: Any
    ) -> AsyncIterator[Any]:
        agent_context = AgentContext[Any](thread=thread, store=self.store, request_context=context)
        history = await load_history(self.store, thread, context, max_items=20)
        messages: Any = await ThreadItemConverter().to_chat_messages(history.with_note())
        if self.tools is None:
            chunks = self.client.chat.completions.create(
                model=self.model, messages=messages, stream=True, **self.asking
            )
            events = stream_chat(agent_context, chunks)
        else:
            events = run_chat(
                agent_context,
                self.client,
                model=self.model,
                messages=messages,
                tools=self.tools,
                **self.asking,
            )
        async for event in events:
            yield event


async def stopped(server: Any, is_shown: Callable[[Any], bool]) -> list[Any]:
    """Say something, wait until an event has come, and press stop. Gives what is stored then, as
    ``Conversation.stored`` does."""
    async with server.client, ASGIBridge(ChatKitApp(server)) as bridge:
        client = ChatKitClient(bridge, timeout=20)
        async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
            await turn.wait_for(is_shown)
        with anyio.fail_after(5):
            while len(server.turns):
                await anyio.lowlevel.checkpoint()
    thread_id = turn.thread.id or ""
    found = [item async for item in server.store.scan_items(thread_id, "asc", None)]
    return [short(item) for item in found if item.type != "user_message"]


def has_text(event: Any) -> bool:
    """Whether it is a piece of the assistant's text."""
    return "delta" in event.get("update", {})


async def answer(conversation: Conversation, result: Any) -> None:
    """Answer the pending client tool call, as the page does, and read what follows."""
    async with ASGIBridge(ChatKitApp(conversation.server)) as bridge:
        client = ChatKitClient(bridge, timeout=20)
        conversation.turns.append(await client.tool_output(conversation.thread_id, result))
