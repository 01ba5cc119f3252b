"""The official server with a dict store: the other side of every comparison.

The store is the least that the server needs, without deep copies or I/O, so the numbers are the server's own.
"""

# pyright: basic
# mypy: ignore-errors
import asyncio
import random

from chatkit.server import ChatKitServer
from chatkit.store import NotFoundError, Store
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    Page,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
)

__all__ = ["DictStore", "OfficialServer", "app"]


class DictStore(Store):
    """Threads and items in dicts, indexed by id."""

    def __init__(self):
        self.threads = {}
        self.items = {}

    async def load_thread(self, thread_id, context):
        if thread_id not in self.threads:
            raise NotFoundError(thread_id)
        return self.threads[thread_id]

    async def save_thread(self, thread, context):
        self.threads[thread.id] = thread

    async def load_threads(self, limit, after, order, context):
        return Page(data=list(self.threads.values())[:limit])

    async def delete_thread(self, thread_id, context):
        self.threads.pop(thread_id, None)
        self.items.pop(thread_id, None)

    async def load_thread_items(self, thread_id, after, limit, order, context):
        rows = self.items.setdefault(thread_id, {})
        ids = list(rows) if order == "asc" else list(reversed(rows))
        start = ids.index(after) + 1 if after else 0
        chosen = ids[start : start + limit]
        more = start + limit < len(ids)
        return Page(
            data=[rows[each] for each in chosen], has_more=more, after=chosen[-1] if more else None
        )

    async def add_thread_item(self, thread_id, item, context):
        self.items.setdefault(thread_id, {})[item.id] = item

    async def save_item(self, thread_id, item, context):
        self.items.setdefault(thread_id, {})[item.id] = item

    async def load_item(self, thread_id, item_id, context):
        return self.items[thread_id][item_id]

    async def delete_thread_item(self, thread_id, item_id, context):
        self.items.get(thread_id, {}).pop(item_id, None)

    async def save_attachment(self, attachment, context): ...

    async def load_attachment(self, attachment_id, context):
        raise NotFoundError(attachment_id)

    async def delete_attachment(self, attachment_id, context): ...


class OfficialServer(ChatKitServer):
    """Streams ``deltas`` deltas, letting the loop turn after every ``burst`` of them (0: never)."""

    def __init__(self, store=None, *, deltas=100, burst=0, pause=0.0, text="hello wor"):
        super().__init__(store or DictStore())
        self.deltas, self.burst, self.pause, self.text = deltas, burst, pause, text

    async def respond(self, thread, input_user_message, context):
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


def app(server=None, **options):
    """The documented wiring: FastAPI and its StreamingResponse."""
    from chatkit.server import StreamingResult
    from fastapi import FastAPI, Request
    from fastapi.responses import Response, StreamingResponse

    server = server or OfficialServer(**options)
    api = FastAPI()

    @api.post("/chatkit")
    async def chatkit(request: Request):
        result = await server.process(await request.body(), {})
        if isinstance(result, StreamingResult):
            return StreamingResponse(result, media_type="text/event-stream")
        return Response(content=result.json, media_type="application/json")

    return api
