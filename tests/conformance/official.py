"""openai-chatkit as a server to be tested: its documented wiring (FastAPI), a store as its users write it.

``uvicorn tests.conformance.official:app`` serves it. The store is in memory, and keeps people apart by the context that
every call gets.
"""

from __future__ import annotations

import json
import warnings
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from chatkit.server import ChatKitServer, StreamingResult
from chatkit.store import AttachmentStore, NotFoundError, Store
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter

from chatkit_asgi.conformance.script import FEATURES, Script, table

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from chatkit.types import (
        AttachmentUploadDescriptor,
        ClientToolCallItem,
        FileAttachment,
        ImageAttachment,
        Page,
        StructuredInputItem,
        SyncCustomActionResponse,
        ThreadItemReplacedEvent,
        ThreadMetadata,
        ThreadStatus,
        ThreadStreamEvent,
        TranscriptionResult,
    )

EVENT: TypeAdapter[Any] = TypeAdapter(ThreadStreamEvent)
STATUS: TypeAdapter[Any] = TypeAdapter(ThreadStatus)


class MemoryStore(Store[dict[str, Any]]):
    """Threads, items and attachments of each person in dictionaries."""

    def __init__(self) -> None:
        self.threads: dict[str, dict[str, Any]] = defaultdict(dict)
        self.items: dict[tuple[str, str], list[Any]] = defaultdict(list)
        self.attachments: dict[str, dict[str, Any]] = defaultdict(dict)

    async def load_thread(self, thread_id: str, context: dict[str, Any]) -> ThreadMetadata:
        try:
            found: ThreadMetadata = self.threads[context["user"]][thread_id]
        except KeyError:
            raise NotFoundError(f"thread {thread_id}") from None
        return found.model_copy(deep=True)

    async def save_thread(self, thread: ThreadMetadata, context: dict[str, Any]) -> None:
        fields = {name: getattr(thread, name) for name in ThreadMetadata.model_fields}
        self.threads[context["user"]][thread.id] = ThreadMetadata(**fields).model_copy(deep=True)

    async def load_threads(
        self, limit: int, after: str | None, order: str, context: dict[str, Any]
    ) -> Page[ThreadMetadata]:
        return self._page(list(self.threads[context["user"]].values()), limit, after, order)

    async def delete_thread(self, thread_id: str, context: dict[str, Any]) -> None:
        self.threads[context["user"]].pop(thread_id, None)
        self.items.pop((context["user"], thread_id), None)

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: dict[str, Any]
    ) -> Page[Any]:
        return self._page(self.items[context["user"], thread_id], limit, after, order)

    def _page(self, rows: list[Any], limit: int, after: str | None, order: str) -> Page[Any]:
        rows = rows[::-1] if order == "desc" else list(rows)
        ids = [row.id for row in rows]
        start = ids.index(after) + 1 if after in ids else 0
        data = [row.model_copy(deep=True) for row in rows[start : start + limit]]
        more = start + limit < len(rows)
        return Page(data=data, has_more=more, after=data[-1].id if more and data else None)

    async def add_thread_item(self, thread_id: str, item: Any, context: dict[str, Any]) -> None:
        self.items[context["user"], thread_id].append(item.model_copy(deep=True))

    async def save_item(self, thread_id: str, item: Any, context: dict[str, Any]) -> None:
        rows = self.items[context["user"], thread_id]
        for place, row in enumerate(rows):
            if row.id == item.id:
                rows[place] = item.model_copy(deep=True)
                return
        rows.append(item.model_copy(deep=True))

    async def load_item(self, thread_id: str, item_id: str, context: dict[str, Any]) -> Any:
        for row in self.items[context["user"], thread_id]:
            if row.id == item_id:
                return row.model_copy(deep=True)
        raise NotFoundError(f"item {item_id}")

    async def delete_thread_item(
        self, thread_id: str, item_id: str, context: dict[str, Any]
    ) -> None:
        rows = self.items[context["user"], thread_id]
        rows[:] = [row for row in rows if row.id != item_id]

    async def save_attachment(self, attachment: Any, context: dict[str, Any]) -> None:
        self.attachments[context["user"]][attachment.id] = attachment

    async def load_attachment(self, attachment_id: str, context: dict[str, Any]) -> Any:
        try:
            return self.attachments[context["user"]][attachment_id]
        except KeyError:
            raise NotFoundError(f"attachment {attachment_id}") from None

    async def delete_attachment(self, attachment_id: str, context: dict[str, Any]) -> None:
        self.attachments[context["user"]].pop(attachment_id, None)


class Uploads(AttachmentStore[dict[str, Any]]):
    """Two-phase uploads into memory."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    async def create_attachment(self, input: Any, context: dict[str, Any]) -> Any:
        identity = self.generate_attachment_id(input.mime_type, context)
        self.held[identity] = b""
        url = f"{context['base']}/uploads/{identity}"
        fields: dict[str, Any] = {
            "id": identity,
            "name": input.name,
            "mime_type": input.mime_type,
            "metadata": {"private": "conformance-secret"},
            "upload_descriptor": AttachmentUploadDescriptor(
                url=url, method="PUT", headers={"x-upload": "1"}
            ),
        }
        if input.mime_type.startswith("image/"):
            return ImageAttachment(**fields, preview_url=url)
        return FileAttachment(**fields)

    async def delete_attachment(self, attachment_id: str, context: dict[str, Any]) -> None:
        self.held.pop(attachment_id, None)


class Server(ChatKitServer[dict[str, Any]]):
    """Plays the table of triggers."""

    def __init__(self, pace: float = 1.0) -> None:
        self.uploads = Uploads()
        super().__init__(MemoryStore(), self.uploads)
        self.pace = pace
        self.answered: set[str] = set()

    def _fields(self, thread: ThreadMetadata, context: dict[str, Any]) -> dict[str, Any]:
        identity = self.store.generate_item_id("message", thread, context)
        return {"id": identity, "thread_id": thread.id, "created_at": datetime.now()}

    def _says(self, text: str, thread: ThreadMetadata, context: dict[str, Any]) -> Any:
        content = [{"type": "output_text", "text": text, "annotations": []}]
        item = {**self._fields(thread, context), "type": "assistant_message", "content": content}
        return EVENT.validate_python({"type": "thread.item.done", "item": item})

    async def respond(
        self, thread: ThreadMetadata, input_user_message: Any, context: dict[str, Any]
    ) -> AsyncIterator[Any]:
        if input_user_message is None:
            yield self._says(await self._result(thread, context), thread, context)
            return
        text = "".join(part.text for part in input_user_message.content)
        if text == "conformance: triggers":
            names = " ".join((*table()["triggers"], *FEATURES))
            yield self._says(f"conformance triggers: {names}", thread, context)
        elif text == "conformance: flaky":
            if input_user_message.id in self.answered:
                raise RuntimeError("conformance-secret")
            self.answered.add(input_user_message.id)
            yield self._says("first", thread, context)
        else:
            script = Script(text, lambda kind: self._fields(thread, context), pace=self.pace)
            async for step in script.play():
                if "set" in step:
                    for name, value in step["set"].items():
                        new = STATUS.validate_python(value) if name == "status" else value
                        setattr(thread, name, new)
                else:
                    yield EVENT.validate_python(step)

    async def _result(self, thread: ThreadMetadata, context: dict[str, Any]) -> str:
        page = await self.store.load_thread_items(thread.id, None, 20, "desc", context)
        for item in page.data:
            if isinstance(item, ClientToolCallItem) and item.status == "completed":
                return f"conformance result: {json.dumps(item.output)}"
            if isinstance(item, StructuredInputItem) and item.status != "pending":
                return f"conformance result: {json.dumps(item.status)}"
        return "conformance result: null"

    async def action(
        self, thread: ThreadMetadata, action: Any, sender: Any, context: dict[str, Any]
    ) -> AsyncIterator[Any]:
        if action.type == "conformance.echo":
            text = f"conformance payload: {json.dumps(action.payload)}"
            yield self._says(text, thread, context)
        elif action.type == "conformance.replace":
            yield ThreadItemReplacedEvent(item=_with_body(sender, "replaced"))
        else:
            raise RuntimeError("conformance-secret")

    async def sync_action(
        self, thread: ThreadMetadata, action: Any, sender: Any, context: dict[str, Any]
    ) -> SyncCustomActionResponse:
        if action.type == "conformance.sync":
            return SyncCustomActionResponse(updated_item=_with_body(sender, "synced"))
        return SyncCustomActionResponse()

    async def transcribe(self, audio_input: Any, context: dict[str, Any]) -> TranscriptionResult:
        text = f"{len(audio_input.data)} bytes of {audio_input.media_type}"
        return TranscriptionResult(text=text)


def _with_body(item: Any, text: str) -> Any:
    changed = item.model_dump(mode="json", exclude_none=True)
    for child in changed["widget"]["children"]:
        if child.get("id") == "body":
            child["value"] = text
    return type(item).model_validate(changed)


def make_app(pace: float = 1.0) -> FastAPI:
    """The whole testee. Whoever sends ``authorization: Bearer NAME`` is NAME; others are refused."""
    server = Server(pace)
    made = FastAPI()

    @made.post("/chatkit")
    async def chatkit(request: Request) -> Response:
        scheme, _, name = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not name:
            raise HTTPException(401)
        context = {"user": name, "base": str(request.base_url).rstrip("/")}
        result = await server.process(await request.body(), context)
        if isinstance(result, StreamingResult):
            return StreamingResponse(result, media_type="text/event-stream")
        return Response(content=result.json, media_type="application/json")

    @made.put("/uploads/{name}")
    async def upload(name: str, request: Request) -> Response:
        if name not in server.uploads.held:
            raise HTTPException(404)
        server.uploads.held[name] = await request.body()
        return Response()

    @made.get("/uploads/{name}")
    async def preview(name: str) -> Response:
        if name not in server.uploads.held:
            raise HTTPException(404)
        return Response(server.uploads.held[name], media_type="image/png")

    return made


app = make_app()
