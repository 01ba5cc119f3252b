"""The server that the HTTP tests talk to: each test says what its hooks do."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import anyio
import msgspec

from chatkit_asgi import ChatKitApp, ChatKitServer, Options
from chatkit_asgi.errors import HookMissing
from chatkit_asgi.options import DEFAULT_OPTIONS
from chatkit_asgi.store import AttachmentStore, Store
from chatkit_asgi.testing import ASGIBridge, ChatKitClient
from chatkit_asgi.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    AttachmentUploadDescriptor,
    ClientToolCallItem,
    FileAttachment,
    HiddenContextItem,
    StructuredInputFreeform,
    StructuredInputItem,
    StructuredInputMultipleChoice,
    StructuredInputMultipleChoiceOption,
    SyncCustomActionResponse,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    TranscriptionResult,
    WidgetItem,
)

WHEN = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)


async def hello(*_: Any) -> AsyncGenerator[Any]:
    """The answer where a test does not say another."""
    yield "Hello "
    yield "world"


class Bytes(AttachmentStore[Any]):
    """Attachments with everything that must not leak."""

    def __init__(self) -> None:
        self.deleted: list[str] = []
        self.made = 0

    async def create_attachment(self, input: Any, context: Any) -> FileAttachment:
        self.made += 1
        return FileAttachment(
            id=f"atc_{self.made:032x}",
            name=input.name,
            mime_type=input.mime_type,
            upload_descriptor=AttachmentUploadDescriptor(
                url="https://blobs.test/up?sig=SECRET", method="PUT", headers={"x-key": "SECRET"}
            ),
            metadata={"bucket": "SECRET"},
        )

    async def delete_attachment(self, attachment_id: str, context: Any) -> None:
        self.deleted.append(attachment_id)


class Served(ChatKitServer[Any]):
    """A server whose hooks are attributes. ``calls`` holds the arguments that each got."""

    def __init__(self, store: Store[Any], options: Options = DEFAULT_OPTIONS) -> None:
        super().__init__(store, Bytes(), options=options)
        self.responding: Callable[..., AsyncGenerator[Any]] = hello
        self.acting: Callable[..., AsyncGenerator[Any]] = hello
        self.sync_acting: Callable[..., Any] = lambda *_: SyncCustomActionResponse()
        self.calls: list[tuple[Any, ...]] = []

    @property
    def bytes(self) -> Bytes:
        """The attachment store."""
        assert isinstance(self.attachment_store, Bytes)
        return self.attachment_store

    def answers(self) -> int:
        """How many times :meth:`respond` was called."""
        return sum(call[0] == "respond" for call in self.calls)

    async def respond(
        self, thread: Any, input_user_message: Any, context: Any
    ) -> AsyncIterator[Any]:
        self.calls.append(("respond", thread, input_user_message, context))
        async with aclosing(self.responding(thread, input_user_message, context)) as events:
            async for event in events:
                yield event

    async def action(
        self, thread: Any, action: Any, sender: Any, context: Any
    ) -> AsyncIterator[Any]:
        self.calls.append(("action", thread, action, sender, context))
        async with aclosing(self.acting(thread, action, sender, context)) as events:
            async for event in events:
                yield event

    async def sync_action(self, thread: Any, action: Any, sender: Any, context: Any) -> Any:
        self.calls.append(("sync_action", thread, action, sender, context))
        answer = self.sync_acting(thread, action, sender, context)
        return await answer if inspect.isawaitable(answer) else answer

    async def transcribe(self, audio_input: Any, context: Any) -> TranscriptionResult:
        self.calls.append(("transcribe", audio_input, context))
        return TranscriptionResult(text="spoken")


@asynccontextmanager
async def talking(
    server: Any, *, context: Any = None, headers: Any = None, app: Any = None, **options: Any
) -> AsyncIterator[ChatKitClient]:
    """A client of ``server``'s app, with some options changed."""
    if options:
        inner = getattr(server, "server", server)
        changed = {name: getattr(inner.options, name) for name in inner.options.__slots__}
        inner.options = Options(**{**changed, **options})
    app = app or ChatKitApp(server, context=context)
    async with ASGIBridge(app, lifespan=True) as bridge:
        yield ChatKitClient(bridge, headers=headers, timeout=20)


def base(thread: Any, item_id: str) -> dict[str, Any]:
    """The fields that every item has."""
    return {"id": item_id, "thread_id": thread.id, "created_at": WHEN}


def said(thread: Any, item_id: str, text: str = "") -> AssistantMessageItem:
    """An assistant's message."""
    content = [AssistantMessageContent(text=text)] if text else []
    return AssistantMessageItem(**base(thread, item_id), content=content)


def hidden(thread: Any, item_id: str = "msg_" + "f" * 32) -> HiddenContextItem:
    """An item that no client may see."""
    return HiddenContextItem(**base(thread, item_id), content={"hidden": "SECRET"})


def card(thread: Any, item_id: str = "msg_card", text: str = "Draft") -> WidgetItem:
    """A widget with a button."""
    widget: Any = {
        "type": "Card",
        "children": [
            {"type": "Text", "id": "t1", "value": text},
            {
                "type": "Button",
                "label": "Send",
                "onClickAction": {"type": "send", "payload": {"id": 7}},
            },
        ],
    }
    return WidgetItem(**base(thread, item_id), widget=widget)


def tool_call(thread: Any, item_id: str, name: str = "pick") -> ClientToolCallItem:
    """A pending client tool call."""
    return ClientToolCallItem(
        **base(thread, item_id), call_id="call_" + item_id, name=name, arguments={"a": None}
    )


def questions(thread: Any, item_id: str = "msg_ask") -> StructuredInputItem:
    """Three questions."""
    sizes = [StructuredInputMultipleChoiceOption(value=value) for value in "SML"]
    return StructuredInputItem(
        **base(thread, item_id),
        inputs=[
            StructuredInputMultipleChoice(id="size", question="Which?", options=sizes),
            StructuredInputMultipleChoice(
                id="sizes", question="Which?", options=sizes, multiple=True
            ),
            StructuredInputFreeform(id="note", question="Else?"),
        ],
    )


def yielding(*events: Any) -> Callable[..., AsyncGenerator[Any]]:
    """A handler that yields these; functions are called with the thread."""

    async def handler(thread: Any, *_: Any) -> AsyncGenerator[Any]:
        for event in events:
            yield event(thread) if callable(event) else event

    return handler


def done(make: Callable[..., Any], *args: Any) -> Callable[[Any], ThreadItemDoneEvent]:
    """``thread.item.done`` with what ``make`` makes of the thread."""
    return lambda thread: ThreadItemDoneEvent(item=make(thread, *args))


def added(make: Callable[..., Any], *args: Any) -> Callable[[Any], ThreadItemAddedEvent]:
    """``thread.item.added`` with what ``make`` makes of the thread."""
    return lambda thread: ThreadItemAddedEvent(item=make(thread, *args))


async def rows(store: Store[Any], thread_id: str | None, context: Any = None) -> list[Any]:
    """Every stored item of a thread, hidden ones too, oldest first."""
    return [item async for item in store.scan_items(thread_id or "", "asc", context)]


async def snapshot(store: Store[Any], contexts: tuple[Any, ...] = (None,)) -> bytes:
    """Everything that is stored, to see whether anything has changed."""
    found: list[Any] = []
    for context in contexts:
        page = await store.load_threads(limit=1000, after=None, order="asc", context=context)
        for thread in page.data:
            found.append(thread.model_dump(mode="json"))
            found += [
                item.model_dump(mode="json") for item in await rows(store, thread.id, context)
            ]
            with suppress(HookMissing):
                found.append(await store.load_feedback(thread.id, context=context))
    return msgspec.json.encode(found)


async def all_over(server: Served) -> None:
    """Wait until no turn is running."""
    with anyio.fail_after(10):
        while len(server.turns):
            await anyio.lowlevel.checkpoint()


class Held:
    """A handler that says something, waits to be let go, and says the rest."""

    def __init__(self, before: str = "Hello ", after: str = "world") -> None:
        self.before, self.after = before, after
        self.started = anyio.Event()
        self.go = anyio.Event()
        self.ends: list[str] = []

    async def __call__(self, *_: Any) -> AsyncGenerator[Any]:
        try:
            yield self.before
            self.started.set()
            await self.go.wait()
            yield self.after
            self.ends.append("finished")
        except anyio.get_cancelled_exc_class():
            self.ends.append("cancelled")
            raise
        except GeneratorExit:
            self.ends.append("closed")
            raise
