"""This library as a server to be tested: plays the table of triggers (``triggers.json``,
``docs/conformance/testee.md``).

``uvicorn --factory chatkit_asgi.conformance.testee:app`` serves it; it needs the extra ``attachments``.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import tempfile
import weakref
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from chatkit_asgi import ChatKitApp, ChatKitRouter, ContextRequest, Options, RequestContext
from chatkit_asgi.actions import Action
from chatkit_asgi.store import (
    AttachmentStore,
    DiskAttachmentStore,
    MemoryStore,
    SQLiteStore,
    Store,
)
from chatkit_asgi.store.attachments import FileAttachmentStore
from chatkit_asgi.types import (
    Attachment,
    AttachmentCreateParams,
    AudioInput,
    ClientToolCallItem,
    StructuredInputItem,
    ThreadItemReplacedEvent,
    ThreadMetadata,
    ThreadStatus,
    ThreadStreamEvent,
    UserMessageItem,
    WidgetItem,
)

from .script import FEATURES, Script, table

__all__ = ["Files", "KeepsSecrets", "app", "make_app", "make_chat", "owner"]

PAGE_ACTIONS = [
    "conformance.echo",
    "conformance.replace",
    "conformance.fail",
    "conformance.sync",
    "conformance.sync-nothing",
]
"""What the suite sends in a widget's name as a page may, whatever the widget offers."""

# -- this library ------------------------------------------------------------------------------


def make_chat(
    store: Store[Any],
    attachments: AttachmentStore[Any] | None = None,
    *,
    options: Options | None = None,
    pace: float = 1.0,
) -> ChatKitRouter[Any]:
    """The router that plays the table on ``store``."""
    options = dataclasses.replace(options or Options(), page_actions=PAGE_ACTIONS)
    chat: ChatKitRouter[Any] = ChatKitRouter(store, attachments, options=options)
    answered: set[str] = set()

    def script(text: str, thread: ThreadMetadata, context: Any) -> Script:
        def fields(kind: str) -> dict[str, Any]:
            return {
                "id": store.generate_item_id("message", thread, context),
                "thread_id": thread.id,
                "created_at": chat.server.options.clock(),
            }

        return Script(text, fields, pace=pace)

    def play(text: str, thread: ThreadMetadata, context: Any) -> AsyncIterator[Any]:
        return perform(script(text, thread, context), thread)

    async def perform(script: Script, thread: ThreadMetadata) -> AsyncIterator[Any]:
        async for step in script.play():
            if "set" in step:
                for name, value in step["set"].items():
                    kind = ThreadStatus if name == "status" else Any
                    setattr(thread, name, msgspec.convert(value, kind))
            else:
                yield msgspec.convert(step, ThreadStreamEvent)

    @chat.respond
    async def respond(
        thread: ThreadMetadata, message: UserMessageItem | None, context: Any
    ) -> AsyncIterator[Any]:
        text = "" if message is None else "".join(part.text for part in message.content)
        if message is None:
            yield await _result(store, thread, context)
        elif text == "conformance: triggers":
            known = (*table()["triggers"], *FEATURES)
            yield f"conformance triggers: {' '.join(known)}"
        elif text == "conformance: flaky":
            if message.id in answered:
                raise RuntimeError("conformance-secret")
            answered.add(message.id)
            yield "first"
        else:
            async for event in play(text, thread, context):
                yield event

    @chat.action("conformance.echo")
    async def echo(
        thread: ThreadMetadata, action: Action[Any, Any], sender: WidgetItem | None, context: Any
    ) -> AsyncIterator[Any]:
        yield f"conformance payload: {json.dumps(action.payload)}"

    @chat.action("conformance.replace")
    async def replace(
        thread: ThreadMetadata, action: Action[Any, Any], sender: WidgetItem | None, context: Any
    ) -> AsyncIterator[Any]:
        assert sender is not None
        yield ThreadItemReplacedEvent(item=_with_body(sender, "replaced"))

    @chat.action("conformance.fail")
    async def fail(
        thread: ThreadMetadata, action: Action[Any, Any], sender: WidgetItem | None, context: Any
    ) -> AsyncIterator[Any]:
        raise RuntimeError("conformance-secret")
        yield

    @chat.sync_action("conformance.sync")
    async def sync(
        thread: ThreadMetadata, action: Action[Any, Any], sender: WidgetItem | None, context: Any
    ) -> WidgetItem:
        assert sender is not None
        return _with_body(sender, "synced")

    @chat.sync_action("conformance.sync-nothing")
    async def sync_nothing(
        thread: ThreadMetadata, action: Action[Any, Any], sender: WidgetItem | None, context: Any
    ) -> None:
        return None

    @chat.transcribe
    async def transcribe(audio: AudioInput, context: Any) -> str:
        return f"{len(audio.data)} bytes of {audio.media_type}"

    return chat


async def _result(store: Store[Any], thread: ThreadMetadata, context: Any) -> str:
    page = await store.load_thread_items(thread.id, None, 20, "desc", context)
    for item in page.data:
        if isinstance(item, ClientToolCallItem) and item.status == "completed":
            return f"conformance result: {json.dumps(item.output)}"
        if isinstance(item, StructuredInputItem) and item.status != "pending":
            return f"conformance result: {json.dumps(item.status)}"
    return "conformance result: null"


def _with_body(item: WidgetItem, text: str) -> WidgetItem:
    root: Any = msgspec.to_builtins(item.widget)
    for child in root["children"]:
        if child.get("id") == "body":
            child["value"] = text
    changed: WidgetItem = item.model_copy(update={"widget": root})
    return changed


class KeepsSecrets(FileAttachmentStore[Any]):
    """Something to be kept private with every attachment. Stands before a store in a class's bases."""

    async def create_attachment(self, input: AttachmentCreateParams, context: Any) -> Attachment:
        """The first phase of an upload."""
        return _with_secret(await super().create_attachment(input, context))

    async def receive_attachment(
        self, name: str, declared: str, chunks: AsyncIterator[bytes], context: Any
    ) -> Attachment:
        """A direct upload."""
        return _with_secret(await super().receive_attachment(name, declared, chunks, context))


class Files(KeepsSecrets, DiskAttachmentStore[Any]):
    """Attachments in a directory that goes with the store.

    Args:
        url: The address of the endpoint.
    """

    def __init__(self, url: str) -> None:
        folder = tempfile.mkdtemp(prefix="chatkit-testee-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        super().__init__(folder, url=url)


def _with_secret(attachment: Attachment) -> Attachment:
    attachment.metadata = {"private": "conformance-secret"}
    return attachment


def make_app(
    store: Store[Any] | None = None,
    *,
    options: Options | None = None,
    pace: float = 1.0,
    files: FileAttachmentStore[Any] | None = None,
) -> ChatKitApp:
    """The whole testee. Whoever sends ``authorization: Bearer NAME`` is NAME; others are refused.

    Args:
        store: Where threads live; its owner must be ``context.user_id``. Default: in memory.
        options: Limits, times and policies.
        pace: What the table's pauses are multiplied by.
        files: Where attachments live. Default: in a directory of their own, at the address that requests come to.
    """
    from chatkit_asgi import Unauthorized

    attachments = files or Files("http://localhost")

    async def context(request: ContextRequest) -> RequestContext:
        scheme, _, name = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not name:
            raise Unauthorized("Send an authorization header: Bearer and any name.")
        if files is None:
            scheme, root = request.scope.get("scheme", "http"), request.scope.get("root_path", "")
            attachments.url = f"{scheme}://{request.headers.get('host', 'localhost')}{root}"
        return RequestContext(user_id=name, headers=request.headers)

    store = store or MemoryStore(owner=owner)
    return ChatKitApp(make_chat(store, attachments, options=options, pace=pace), context=context)


def owner(context: RequestContext) -> str:
    """Whose rows a request sees."""
    return context.user_id or ""


def app() -> ChatKitApp:
    """For ``uvicorn --factory chatkit_asgi.conformance.testee:app``. ``CHATKIT_TESTEE_DB`` may name an SQLite file."""
    database = os.environ.get("CHATKIT_TESTEE_DB")
    return make_app(SQLiteStore(database, owner=owner) if database else None)
