"""Our server with the handler of :mod:`benchmarks.official`, and the limit: an app that sends bytes made before."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

from chatkit_asgi.server import ChatKitServer
from chatkit_asgi.store import MemoryStore
from chatkit_asgi.types import (
    AssistantMessageContent,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
)

__all__ = ["Limit", "OurServer", "app", "sse_starlette_app"]


class OurServer(ChatKitServer[Any]):
    """Streams ``deltas`` deltas, letting the loop turn after every ``burst`` of them (0: never)."""

    def __init__(
        self,
        store: Any = None,
        *,
        deltas: int = 100,
        burst: int = 0,
        pause: float = 0.0,
        text: str = "hello wor",
    ) -> None:
        super().__init__(store or MemoryStore())
        self.deltas, self.burst, self.pause, self.text = deltas, burst, pause, text

    async def respond(
        self, thread: Any, input_user_message: Any, context: Any
    ) -> AsyncIterator[Any]:
        item_id = self.store.generate_item_id("message", thread, context)
        item = AssistantMessageItem(
            id=item_id,
            thread_id=thread.id,
            created_at=thread.created_at,
            content=[AssistantMessageContent(text="")],
        )
        yield ThreadItemAddedEvent(item=item)
        if self.pause < 0:
            await asyncio.Event().wait()
        if self.pause:
            await asyncio.sleep(self.pause * random.random())
        for number in range(1, self.deltas + 1):
            yield ThreadItemUpdatedEvent(
                item_id=item_id,
                update=AssistantMessageContentPartTextDelta(content_index=0, delta=self.text),
            )
            if self.burst and number % self.burst == 0:
                await asyncio.sleep(self.pause)
        item.content = [AssistantMessageContent(text=self.text * self.deltas)]
        yield ThreadItemDoneEvent(item=item)


def app(**options: Any) -> Any:
    """The app as it is documented."""
    from chatkit_asgi import ChatKitApp

    return ChatKitApp(OurServer(**options))


def sse_starlette_app(**options: Any) -> Any:
    """Our server behind sse-starlette's EventSourceResponse, for those who keep an endpoint of their own."""
    from sse_starlette.sse import EventSourceResponse
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.routing import Route

    server = OurServer(**options)

    async def chatkit(request: Request) -> Any:
        result: Any = await server.process(await request.body(), {})
        return EventSourceResponse(result)

    return Starlette(routes=[Route("/chatkit", chatkit, methods=["POST"])])


class Limit:
    """A raw ASGI app: the same bytes, made before, one ``send`` a frame."""

    def __init__(
        self, *, deltas: int = 100, burst: int = 0, pause: float = 0.0, text: str = "hello wor"
    ) -> None:
        self.deltas, self.burst, self.pause = deltas, burst, pause
        frame = (
            'data: {"type":"thread.item.updated","item_id":"msg_0123456789abcdef0123456789abcdef","update":{"type":'
            f'"assistant_message.content_part.text_delta","content_index":0,"delta":"{text}"}}}}\n\n'
        )
        self.message = {"type": "http.response.body", "body": frame.encode(), "more_body": True}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        while (await receive()).get("more_body"):
            pass
        headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        message = self.message
        await send(message)
        if self.pause < 0:
            await asyncio.Event().wait()
        for number in range(1, self.deltas + 1):
            await send(message)
            if self.burst and number % self.burst == 0:
                await asyncio.sleep(self.pause)
        await send({"type": "http.response.body", "body": b""})
