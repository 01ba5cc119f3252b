"""A ChatKit server whose assistant is a model behind the Responses API, through the plain ``openai`` client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import httpx2
import openai

from chatkit_asgi import ChatKitApp, ChatKitServer, Options
from chatkit_asgi.agents import AgentContext, stream_response
from chatkit_asgi.testing import ASGIBridge, ChatKitClient
from chatkit_asgi.types import (
    AssistantMessageItem,
    ClientToolCallItem,
    GeneratedImageItem,
    ThoughtTask,
    WorkflowItem,
)


def openai_client(base_url: str) -> openai.AsyncOpenAI:
    """A client without retries, and without certificates: loading them takes longer than a test."""
    return openai.AsyncOpenAI(
        base_url=base_url,
        api_key="none",
        max_retries=0,
        http_client=httpx2.AsyncClient(verify=False),
    )


class Assistant(ChatKitServer[Any]):
    """Answers with one response of the model."""

    def __init__(self, store: Any, base_url: str, converter: Any = None) -> None:
        super().__init__(store, options=Options(handle_signals=False))
        self.client = openai_client(base_url)
        self.converter = converter

    async def respond(
        self, thread: Any, input_user_message: Any, context: Any
    ) -> AsyncIterator[Any]:
        agent_context = AgentContext[Any](thread=thread, store=self.store, request_context=context)
        options = {"converter": self.converter} if self.converter else {}
        response = self.client.responses.create(model="gpt-5", input="Hi", stream=True)
        async for event in stream_response(agent_context, response, **options):
            yield event


class Conversation:
    """What was said in one thread."""

    def __init__(
        self,
        store: Any,
        base_url: str,
        make: Callable[[Any, str], ChatKitServer[Any]] = Assistant,
        **options: Any,
    ) -> None:
        self.store = store
        self.server: Any = make(store, base_url, **options)
        self.turns: list[Any] = []
        self.thread_id = ""

    async def say(self, *lines: str) -> None:
        """Say each line and read the whole answer."""
        async with self.server.client, ASGIBridge(ChatKitApp(self.server)) as bridge:
            client = ChatKitClient(bridge, timeout=20)
            for line in lines:
                turn = await (
                    client.send(self.thread_id, line) if self.thread_id else client.create(line)
                )
                self.turns.append(turn)
                self.thread_id = turn.thread.id

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events of the last answer, as they were on the wire."""
        events: list[dict[str, Any]] = self.turns[-1].events
        return events

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The ``error`` events of the last answer."""
        return [event for event in self.events if event["type"] == "error"]

    @property
    def notices(self) -> list[str]:
        """The notices of the last answer."""
        return [event["message"] for event in self.events if event["type"] == "notice"]

    async def stored(self) -> list[Any]:
        """What is stored besides what the person said, short: :func:`short` of each item."""
        found = [item async for item in self.store.scan_items(self.thread_id, "asc", None)]
        return [short(item) for item in found if item.type != "user_message"]

    async def check(self) -> None:
        """Invariant: what is on the screen is what is stored, in the same order, and every id was made here."""
        found = [item async for item in self.store.scan_items(self.thread_id, "asc", None)]
        shown = self.turns[-1].thread.items
        assert [item.model_dump(mode="json") for item in shown] == [
            item.model_dump(mode="json") for item in found
        ]
        assert len({item.id for item in found}) == len(found)
        for item in found:
            assert item.id.rpartition("_")[2].isalnum()
            assert len(item.id.rpartition("_")[2]) == 32


def message(text: str = "Hi") -> dict[str, Any]:
    """The ``params`` of a request that begins a thread."""
    content = [{"type": "input_text", "text": text}]
    return {"input": {"content": content, "attachments": [], "inference_options": {}}}


async def until(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    with anyio.fail_after(10):
        while not condition():
            await anyio.lowlevel.checkpoint()


def short(item: Any) -> Any:
    """An item as a short value: the text of a message, the thoughts of a workflow, the URL of an image."""
    match item:
        case AssistantMessageItem():
            return "".join(part.text for part in item.content)
        case WorkflowItem():
            return [
                task.content if isinstance(task, ThoughtTask) else task
                for task in item.workflow.tasks
            ]
        case GeneratedImageItem():
            return item.image and item.image.url
        case ClientToolCallItem():
            return item.name, item.arguments, item.call_id
        case _:
            return item.type
