"""A real server for the browser: ChatKit under uvicorn, with plays that a test writes, and a page that embeds the element."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from chatkit_asgi import ChatKitApp, ChatKitMiddleware, Options
from chatkit_asgi.server import ChatKitServer
from chatkit_asgi.store import AttachmentStore, MemoryStore
from chatkit_asgi.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    AttachmentUploadDescriptor,
    FileAttachment,
    ImageAttachment,
    SyncCustomActionResponse,
    TranscriptionResult,
    WidgetItem,
)

__all__ = ["PAGE_POLICY", "Stage", "fields"]

Play = Callable[[Any, Any], AsyncIterator[Any]]

# What a careful site sends: no inline script, no inline style, nothing of another host.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob:; font-src 'self'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types lit-html dompurify"
)
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Page</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<link rel="stylesheet" href="/page.css"><script src="/chatkit/element/chatkit.js"></script></head>
<body><main><h1>Page</h1><openai-chatkit></openai-chatkit></main></body></html>"""
CSS = """html, body, main { height: 100%; margin: 0 } openai-chatkit { height: 100% }
h1 { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); margin: 0 }"""


def fields(store: Any, thread: Any, kind: str = "message") -> dict[str, Any]:
    """What every item begins with."""
    return {
        "id": store.generate_item_id(kind, thread, None),
        "thread_id": thread.id,
        "created_at": datetime.now(UTC),
    }


class Uploads(AttachmentStore[Any]):
    """Two-phase uploads to this server's ``/bytes``."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    async def create_attachment(self, input: Any, context: Any) -> Any:
        id = self.generate_attachment_id(input.mime_type, context)
        method = "POST" if input.name.startswith("post") else "PUT"
        descriptor = AttachmentUploadDescriptor(
            url=f"{self.stage.url}/bytes/{id}", method=method, headers={"x-signed": "yes"}
        )
        return FileAttachment(
            id=id, name=input.name, mime_type=input.mime_type, upload_descriptor=descriptor
        )

    async def delete_attachment(self, attachment_id: str, context: Any) -> None:
        self.stage.uploads.pop(attachment_id, None)


class Stage(ChatKitServer[Any]):
    """The server, and what a test sees of it."""

    def __init__(self, options: Options) -> None:
        super().__init__(MemoryStore(), Uploads(self), options=options)
        self.url = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self.plays: dict[str, Play] = {}
        """By the first word of a message; each is an async generator of (thread, message)."""
        self.requests: list[tuple[dict[str, Any], dict[str, str]]] = []
        """Each request's body and headers."""
        self.actions: list[tuple[str, Any]] = []
        self.feedback: list[tuple[list[str], str]] = []
        self.uploads: dict[str, bytes] = {}
        self.faults: list[Callable[[], Awaitable[Response]]] = []
        """Answers to the next POSTs, instead of the server's."""
        self.updated: Callable[[Any, Any], Any] | None = None
        """Makes the item that a synchronous action answers with."""

    # -- hooks ---------------------------------------------------------------------------------

    async def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
        text = (
            "".join(part.text for part in input_user_message.content)
            if input_user_message
            else "then"
        )
        play = self.plays.get(text.split(" ")[0] if text else "")
        if play is None:
            yield f"You said: {text}"
            return
        async for each in play(thread, input_user_message):
            yield each

    async def action(self, thread: Any, action: Any, sender: Any, context: Any) -> Any:
        self.actions.append((action.type, action.payload))
        yield f"Did {action.type}."

    async def sync_action(self, thread: Any, action: Any, sender: Any, context: Any) -> Any:
        self.actions.append((action.type, action.payload))
        item = self.updated(sender, action) if self.updated else None
        return SyncCustomActionResponse(updated_item=item)

    async def add_feedback(
        self, thread_id: str, item_ids: list[str], feedback: Any, context: Any
    ) -> None:
        self.feedback.append((item_ids, feedback))

    async def transcribe(self, audio_input: Any, context: Any) -> Any:
        return TranscriptionResult(text=f"spoken {audio_input.media_type}")

    # -- what tests put into the store -----------------------------------------------------------

    def now(self) -> datetime:
        return datetime.now(UTC)

    def message(self, thread: Any, text: str) -> AssistantMessageItem:
        content = [AssistantMessageContent(text=text)]
        return AssistantMessageItem(**fields(self.store, thread), content=content)

    def widget(self, thread: Any, widget: Any, **more: Any) -> WidgetItem:
        return WidgetItem(**fields(self.store, thread), widget=widget, **more)

    def reset(self) -> None:
        """As new, for the next test."""
        self.store = MemoryStore()
        self.plays.clear()
        for each in (self.requests, self.actions, self.feedback, self.faults):
            each.clear()
        self.uploads.clear()
        self.updated = None

    # -- serving -----------------------------------------------------------------------------------

    def app(self) -> Any:
        async def page(request: Request) -> Response:
            return HTMLResponse(PAGE, headers={"content-security-policy": PAGE_POLICY})

        async def css(request: Request) -> Response:
            return Response(CSS, media_type="text/css")

        async def picture(request: Request) -> Response:
            svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 3"><rect width="4" height="3" fill="teal"/></svg>'
            return Response(svg, media_type="image/svg+xml")

        async def upload(request: Request) -> Response:
            async with request.form() as form:
                file = form["file"]
                assert isinstance(file, UploadFile)
                body = await file.read()
                kind = file.content_type or "application/octet-stream"
                id = f"atc_{len(self.uploads)}"
                common = {"id": id, "name": file.filename or "", "mime_type": kind}
            self.uploads[id] = body
            record: Any = (
                ImageAttachment(**common, preview_url=f"{self.url}/picture.svg")
                if kind.startswith("image/")
                else FileAttachment(**common)
            )
            await self.store.save_attachment(record, None)
            return JSONResponse(json.loads(record.model_dump_json()))

        async def put(request: Request) -> Response:
            assert request.headers["x-signed"] == "yes"
            if request.method == "POST":
                async with request.form() as form:
                    file = form["file"]
                    assert isinstance(file, UploadFile)
                    self.uploads[request.path_params["id"]] = await file.read()
            else:
                self.uploads[request.path_params["id"]] = await request.body()
            return Response(status_code=204)

        site = Starlette(
            routes=[
                Route("/", page),
                Route("/page.css", css),
                Route("/picture.svg", picture),
                Route("/upload", upload, methods=["POST"]),
                Route("/bytes/{id}", put, methods=["PUT", "POST"]),
            ]
        )
        chatkit = ChatKitMiddleware(site, ChatKitApp(self, element=True, playground=True))
        return self._watched(chatkit)

    def _watched(self, app: Any) -> Any:
        async def watch(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] != "/chatkit":
                await app(scope, receive, send)
                return
            request = Request(scope, receive)
            body = await request.body()
            self.requests.append((json.loads(body), dict(request.headers)))
            if self.faults:
                await (await self.faults.pop(0)())(scope, receive, send)
                return
            given = [{"type": "http.request", "body": body, "more_body": False}]

            async def again() -> Any:
                return given.pop() if given else await receive()

            await app(scope, again, send)

        return watch

    def call(self, function: Callable[[], Any]) -> None:
        """Run something, such as the setting of an event, in the server's loop."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(function)

    def run(self, function: Callable[[], Awaitable[Any]]) -> Any:
        """Await something in the server's loop."""

        async def awaited() -> Any:
            return await function()

        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(awaited(), self._loop).result(20)

    def start(self) -> None:
        config = uvicorn.Config(self.app(), port=0, log_level="error", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)

        async def serve() -> None:
            assert self._server
            self._loop = asyncio.get_running_loop()
            await self._server.serve()

        self._thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self._server.started:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"

    def stop(self) -> None:
        assert self._server
        assert self._thread
        self._server.should_exit = True
        self._thread.join(10)

    def of_type(self, type: str) -> list[dict[str, Any]]:
        """The parameters of the requests of that type."""
        return [body["params"] for body, _ in self.requests if body["type"] == type]
