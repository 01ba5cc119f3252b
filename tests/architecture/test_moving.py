"""Moving here from openai-chatkit is ``chatkit.`` → ``chatkit_asgi.``: what 33 public backends do still works
(design.md section 3)."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from chatkit_asgi.server import ChatKitServer
from chatkit_asgi.store import AttachmentStore, MemoryStore, Store
from chatkit_asgi.testing import ChatKitClient
from chatkit_asgi.types import LockedStatus
from tests.differential.scripted import Library, make_store
from tests.http.served import Served, talking

ELSEWHERE = {
    "server": """
        Action ChatKitServer NonStreamingResult Page StreamingResult ThreadItemDoneEvent ThreadStreamEvent stream_widget
    """,
    "types": """
        Action Annotation AssistantMessageContent AssistantMessageItem Attachment AudioInput ClientToolCallItem
        EntitySource FileSource HiddenContextItem Page ProgressUpdateEvent StreamingReq Task Thread ThreadItem
        ThreadItemUpdated ThreadMetadata ThreadStreamEvent URLSource UserMessageInput Workflow
    """,
    "store": """
        Attachment AttachmentStore FileStore NotFoundError Page SQLiteStore Store StoreItemType ThreadItem
        ThreadMetadata default_generate_id
    """,
    "errors": "CustomStreamError ErrorCode StreamError",
    "actions": "Action ActionConfig",
    "widgets": "ActionConfig Button Card ListView Text WidgetRoot",
    "icons": "IconName",
}


@pytest.mark.parametrize(
    ("module", "name"),
    [(module, name) for module, names in ELSEWHERE.items() for name in names.split()],
)
def test_names_are_where_people_import_them_from(module: str, name: str) -> None:
    assert hasattr(import_module(f"chatkit_asgi.{module}"), name)


class Context:
    """A team's own context."""


def test_generics_are_subscripted() -> None:
    class MyStore(Store[Context]):
        pass

    class MyServer(ChatKitServer[Context]):
        pass

    class MyAttachments(AttachmentStore[dict[str, Any]]):
        pass

    assert issubclass(MyStore, Store)
    assert issubclass(MyServer, ChatKitServer)
    assert issubclass(MyAttachments, AttachmentStore)


class Moved(ChatKitServer[dict[str, Any]]):
    """Every hook with other names for its parameters, as the reference's calls allow."""

    def __init__(self, data_store: Any) -> None:
        super().__init__(data_store)
        self.seen: list[str] = []

    async def respond(self, t: Any, m: Any, ctx: Any) -> Any:
        self.seen.append(f"respond {m and m.content[0].text} {ctx['user']}")
        t.title = "A title"
        t.status = LockedStatus(reason="r")
        t.metadata["count"] = t.metadata.get("count", 0) + 1
        yield "Hello"

    async def action(self, t: Any, a: Any, widget: Any, ctx: Any) -> Any:
        self.seen.append(f"action {a.type} {widget}")
        yield "Done"

    async def sync_action(self, t: Any, a: Any, widget: Any, ctx: Any) -> Any:
        self.seen.append(f"sync_action {a.type}")

    async def add_feedback(self, t_id: Any, ids: Any, kind: Any, ctx: Any) -> None:
        self.seen.append(f"feedback {kind}")

    async def transcribe(self, audio: Any, context: Any) -> Any:
        self.seen.append(f"transcribe {audio.media_type}")
        return "text"

    def get_stream_options(self, t: Any, ctx: Any) -> Any:
        self.seen.append("options")
        return super().get_stream_options(t, ctx)


async def test_hooks_may_name_their_parameters_as_they_like(options: Any) -> None:
    store: MemoryStore[dict[str, Any]] = MemoryStore()
    server = Moved(store)
    async with talking(
        server, context=lambda request: {"user": "ann"}, handle_signals=False
    ) as client:
        turn = (await client.create("Hi")).check()
        thread_id = turn.thread.id or ""
        assert turn.thread.title == "A title"
        assert (await client.action(thread_id, "a")).ok
        assert (await client.sync_action(thread_id, "b")).ok
        assert (await client.feedback(thread_id, [turn.thread.items[0].id])).ok
        assert (await client.transcribe(b"x")).json == {"text": "text"}
    assert server.seen == [
        "options",
        "respond Hi ann",
        "options",
        "action a None",
        "sync_action b",
        "feedback positive",
        "transcribe audio/webm",
    ]
    stored = await store.load_thread(thread_id, context={})
    assert (stored.title, stored.status.type, stored.metadata) == (
        "A title",
        "locked",
        {"count": 1},
    )


async def test_a_store_with_other_parameter_names_works(options: Any) -> None:
    """The arguments arrive as the reference passes them: ``context`` by keyword where it does."""
    inner = make_store(Library("chatkit_asgi"))
    calls: list[str] = []

    class Renamed(Store[Any]):
        async def load_thread(self, tid: str, context: Any) -> Any:
            return await inner.load_thread(tid, context)

        async def save_thread(self, t: Any, context: Any) -> None:
            await inner.save_thread(t, context)

        async def load_threads(self, limit: int, after: Any, order: str, context: Any) -> Any:
            return await inner.load_threads(limit, after, order, context)

        async def delete_thread(self, tid: str, context: Any) -> None:
            await inner.delete_thread(tid, context)

        async def load_thread_items(
            self, thread_id: str, after: Any, limit: int, order: str, context: Any
        ) -> Any:
            return await inner.load_thread_items(thread_id, after, limit, order, context)

        async def add_thread_item(self, tid: str, thing: Any, context: Any) -> None:
            calls.append(thing.type)
            await inner.add_thread_item(tid, thing, context)

        async def save_item(self, tid: str, thing: Any, context: Any) -> None:
            await inner.save_item(tid, thing, context)

        async def load_item(self, tid: str, iid: str, context: Any) -> Any:
            return await inner.load_item(tid, iid, context)

        async def delete_thread_item(self, tid: str, iid: str, context: Any) -> None:
            await inner.delete_thread_item(tid, iid, context)

        async def save_attachment(self, a: Any, context: Any) -> None:
            await inner.save_attachment(a, context)

        async def load_attachment(self, aid: str, ctx: Any) -> Any:
            return await inner.load_attachment(aid, ctx)

        async def delete_attachment(self, aid: str, context: Any) -> None:
            await inner.delete_attachment(aid, context)

    server = Served(Renamed(), options)
    async with talking(server) as client:
        attachment = (await client.attachments_create("a", 1)).check().json["id"]
        free = (await client.attachments_create("b", 1)).check().json["id"]
        turn = (await client.create("Hi", attachments=[attachment])).check()
        thread_id = turn.thread.id
        assert (await client.send(thread_id, "More")).ok
        assert (await client.retry(thread_id, turn.thread.items[0].id)).ok
        assert (await client.get_thread(thread_id)).ok
        assert (await client.items(thread_id)).ok
        assert (await client.list_threads()).ok
        assert (await client.update(thread_id, "Title")).ok
        assert (await client.attachments_delete(free)).ok
        assert (await client.delete(thread_id)).ok
    assert calls == ["user_message", "assistant_message"] * 2 + ["assistant_message"]


async def test_votes_are_taken_by_a_store_that_keeps_none(options: Any) -> None:
    server = Served(make_store(Library("chatkit_asgi")), options)
    async with talking(server) as client:
        turn: Any = await client.create("Hi")
        assert (await client.feedback(turn.thread.id, [turn.thread.items[0].id])).check().json == {}


async def test_a_subclass_need_not_call_super_first() -> None:
    class Late(ChatKitServer[Any]):
        def __init__(self) -> None:
            self.ready = True
            super().__init__(MemoryStore())

        async def respond(self, thread: Any, item: Any, context: Any) -> Any:
            yield "Hello"

    async with talking(Late(), handle_signals=False) as client:
        assert isinstance(client, ChatKitClient)
        assert (await client.create("Hi")).check().text == "Hello"
