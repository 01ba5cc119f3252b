"""OpenAI's custom-server guide, with the names and signatures that it uses and nothing but the imports added.

``/chatkit`` is its assistant: an agent with a client tool, a tool that tells its progress, thread metadata and
attachments. ``/widget`` is its widget snippet.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from agents import Agent, RunContextWrapper, Runner, StopAtTools, function_tool
from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse

from chatkit_asgi.agents import (
    AgentContext,
    ClientToolCall,
    stream_agent_response,
    to_input_item,
)
from chatkit_asgi.server import ChatKitServer, StreamingResult, stream_widget
from chatkit_asgi.store import DiskFileStore, FileStore, SQLiteStore, Store
from chatkit_asgi.types import (
    ClientToolCallOutputItem,
    Event,
    FilePart,
    ImagePart,
    ProgressUpdateEvent,
    ThreadMetadata,
    UserMessageItem,
)
from chatkit_asgi.widgets import Card, Text


# Client tools
@function_tool(description_override="Add an item to the user's todo list.")
async def add_to_todo_list(ctx: RunContextWrapper[AgentContext], item: str) -> None:
    ctx.context.client_tool_call = ClientToolCall(
        name="add_to_todo_list",
        arguments={"item": item},
    )


# Tell the client about progress
@function_tool(description_override="Load the user's profile.")
async def load_profile(ctx: RunContextWrapper[AgentContext]) -> str:
    await ctx.context.stream(
        ProgressUpdateEvent(icon="profile", text="Loading the user profile...")
    )
    await asyncio.sleep(0.1)
    return "The user likes tea."


# The server
class MyChatKitServer(ChatKitServer):
    def __init__(self, data_store: Store, file_store: FileStore | None = None):
        super().__init__(data_store, file_store)

    assistant_agent = Agent[AgentContext](
        model="gpt-4.1",
        name="Assistant",
        instructions="You are a helpful assistant",
        tools=[add_to_todo_list, load_profile],
        tool_use_behavior=StopAtTools(stop_at_tool_names=[add_to_todo_list.name]),
    )

    async def respond(
        self,
        thread: ThreadMetadata,
        input: UserMessageItem | ClientToolCallOutputItem | None,
        context: Any,
    ) -> AsyncIterator[Event]:
        agent_context = AgentContext(
            thread=thread,
            store=self.store,
            request_context=context,
        )
        result = Runner.run_streamed(
            self.assistant_agent,
            await to_input_item(input, self.to_message_content),
            context=agent_context,
            previous_response_id=thread.metadata.get("previous_response_id"),
        )
        async for event in stream_agent_response(agent_context, result):
            yield event
        # Thread metadata
        thread.metadata["previous_response_id"] = result.last_response_id

    # File attachments
    async def to_message_content(self, input: FilePart | ImagePart) -> dict[str, Any]:
        return {"type": "input_text", "text": f"[{input.name}]"}


# Widgets
class WidgetServer(ChatKitServer):
    async def respond(
        self,
        thread: ThreadMetadata,
        input: UserMessageItem | ClientToolCallOutputItem | None,
        context: Any,
    ) -> AsyncIterator[Event]:
        widget = Card(children=[Text(id="description", value="Text widget")])
        async for event in stream_widget(
            thread,
            widget,
            generate_id=lambda item_type: self.store.generate_item_id(item_type, thread, context),
        ):
            yield event


# Setup
app = FastAPI()
data_store = SQLiteStore()
file_store = DiskFileStore(data_store)
server = MyChatKitServer(data_store, file_store)
widget_server = WidgetServer(data_store, file_store)


@app.post("/chatkit")
async def chatkit_endpoint(request: Request):
    # The context of the request: here, who is asking
    context = {"user": request.headers.get("x-user", "anonymous")}
    result = await server.process(await request.body(), context)
    if isinstance(result, StreamingResult):
        return StreamingResponse(result, media_type="text/event-stream")
    return Response(content=result.json, media_type="application/json")


@app.post("/widget")
async def widget_endpoint(request: Request):
    result = await widget_server.process(await request.body(), {})
    if isinstance(result, StreamingResult):
        return StreamingResponse(result, media_type="text/event-stream")
    return Response(content=result.json, media_type="application/json")
