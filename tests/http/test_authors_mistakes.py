"""What an author gets wrong is one clear error, and never more than the turn is lost: what is stored stays readable."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from chatkit_asgi.errors import AuthorError
from chatkit_asgi.options import Options
from chatkit_asgi.store import MemoryStore, SQLiteStore, Store
from chatkit_asgi.store.rows import Row
from chatkit_asgi.testing import ChatKitClient
from chatkit_asgi.types import (
    ActiveStatus,
    AssistantMessageItem,
    CustomTask,
    EndOfTurnItem,
    GeneratedImage,
    GeneratedImageItem,
    HiddenContextItem,
    LockedStatus,
    SDKHiddenContextItem,
    TaskItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    WidgetItem,
    WidgetRootUpdated,
)
from chatkit_asgi.widgets import Card
from tests.conftest import fix_ids
from tests.http.served import WHEN, Served, card, done, talking, yielding
from tests.store.test_contract import DictStore


@pytest.fixture(params=["memory", "sqlite", "own"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store[Any]]:
    """The shipped stores, and one with the defaults of the base."""
    made: dict[str, Any] = {"memory": MemoryStore, "own": DictStore}
    found = made.get(request.param, lambda: SQLiteStore(tmp_path / "chat.db"))()
    fix_ids(found)
    yield found
    await found.close()


_coroutines: list[Any] = []


def forgotten() -> Any:
    """What a handler forgot to await."""

    async def make_title() -> str:
        raise NotImplementedError

    _coroutines.append(make_title())
    return _coroutines[-1]


@pytest.fixture(autouse=True)
def closed_coroutines() -> Iterator[None]:
    """Nothing is left that would warn in another test."""
    yield
    while _coroutines:
        _coroutines.pop().close()


def mistake(caplog: pytest.LogCaptureFixture) -> str:
    """The text of the one error that was logged."""
    (record,) = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert record.exc_info is not None
    error = record.exc_info[1]
    assert isinstance(error, AuthorError)
    return str(error)


async def refused(client: ChatKitClient) -> str:
    """A turn that ends with an error; the thread's id."""
    before = time.monotonic()
    turn = await client.create("Hi")
    assert turn.status == 200
    assert [event["code"] for event in turn.of_type("error")] == ["stream.error"]
    assert time.monotonic() - before < 5
    return turn.thread.id or ""


async def check_whole(client: ChatKitClient, server: Served, thread_id: str) -> None:
    """The thread can be read, listed, answered, renamed and deleted."""
    (listed,) = (await client.list_threads()).check().data
    assert listed.get("title") is None
    assert listed["status"] == {"type": "active"}
    (await client.get_thread(thread_id)).check()

    async def reading(thread: Any, *_: Any) -> Any:
        await server.store.load_thread_items(thread.id, None, 100, "asc", context=None)
        yield "good"

    server.responding = reading
    (await client.send(thread_id, "Again")).check()
    assert not (await client.send(thread_id, "Again")).of_type("error")
    (await client.update(thread_id, "by hand")).check()
    (await client.delete(thread_id)).check()
    assert (await client.get_thread(thread_id)).status == 404


THREADS: list[tuple[str, Any, str]] = [
    ("title", lambda: 5, "thread.title is text or None, not int"),
    ("title", forgotten, "thread.title is text or None, not coroutine"),
    ("allowed_image_domains", lambda: "a.b", "thread.allowed_image_domains is a list of"),
    ("allowed_image_domains", lambda: [5], "thread.allowed_image_domains is a list of"),
    ("status", lambda: "locked", 'thread.status is LockedStatus(reason="...")'),
    ("status", lambda: None, 'thread.status is LockedStatus(reason="...")'),
    ("status", lambda: {"type": "shut"}, 'thread.status is LockedStatus(reason="...")'),
    ("status", lambda: LockedStatus(reason=5), "thread.status.reason is text or None, not int"),  # type: ignore[arg-type]
    ("metadata", lambda: "text", "thread.metadata is a dict, not str"),
    ("metadata", lambda: {"good": 1, "x": object()}, "thread.metadata['x'] cannot be stored"),
    ("metadata", lambda: {"x": {"deep": [forgotten()]}}, "thread.metadata['x'] cannot be stored"),
    ("metadata", lambda: {("a", 1): 5}, "thread.metadata[('a', 1)] cannot be stored"),
]


class TestThread:
    """A handler puts something into the thread that it cannot hold."""

    @pytest.mark.parametrize(("field", "value", "told"), THREADS)
    async def test_the_turn_ends_and_the_thread_stays(
        self,
        server: Served,
        client: ChatKitClient,
        caplog: pytest.LogCaptureFixture,
        field: str,
        value: Any,
        told: str,
    ) -> None:
        async def respond(thread: Any, *_: Any) -> Any:
            setattr(thread, field, value())
            yield "ok"

        server.responding = respond
        thread_id = await refused(client)
        assert mistake(caplog).startswith(told)
        stored = await server.store.load_thread(thread_id, context=None)
        assert (stored.title, stored.status) == (None, ActiveStatus())
        assert (stored.allowed_image_domains, stored.metadata) == (None, {})
        await check_whole(client, server, thread_id)

    @pytest.mark.parametrize(("field", "value", "told"), THREADS[:-4])
    async def test_nor_can_a_handler_save_it_by_itself(
        self,
        server: Served,
        client: ChatKitClient,
        caplog: pytest.LogCaptureFixture,
        field: str,
        value: Any,
        told: str,
    ) -> None:
        if isinstance(server.store, DictStore):
            pytest.skip("it keeps what it is given")

        async def respond(thread: Any, *_: Any) -> Any:
            setattr(thread, field, value())
            await server.store.save_thread(thread, context=None)
            yield "ok"

        server.responding = respond
        thread_id = await refused(client)
        assert mistake(caplog).startswith(told)
        await check_whole(client, server, thread_id)

    @pytest.mark.parametrize("value", [5, "text"])
    async def test_what_was_shown_before_it_is_kept(
        self, server: Served, client: ChatKitClient, caplog: pytest.LogCaptureFixture, value: Any
    ) -> None:
        """``metadata`` is only looked at where the text ends, the title with the next delta."""

        async def respond(thread: Any, *_: Any) -> Any:
            yield "shown"
            if value == 5:
                thread.title = value
                yield "not shown"
            else:
                thread.metadata = value

        server.responding = respond
        thread_id = await refused(client)
        assert mistake(caplog).startswith("thread.")
        page = await server.store.load_thread_items(thread_id, None, 10, "asc", context=None)
        assert [part.text for item in page.data[1:] for part in item.content] == ["shown"]  # type: ignore[union-attr]
        await check_whole(client, server, thread_id)

    @pytest.mark.parametrize(("field", "value", "told"), THREADS)
    async def test_a_synchronous_action_stores_nothing(
        self,
        server: Served,
        client: ChatKitClient,
        caplog: pytest.LogCaptureFixture,
        field: str,
        value: Any,
        told: str,
    ) -> None:
        server.responding = yielding(done(card))
        thread_id = (await client.create("Hi")).check().thread.id or ""

        def act(thread: Any, action: Any, sender: Any, context: Any) -> Any:
            setattr(thread, field, value())
            return {"type": "Card", "children": []}

        server.sync_acting = act
        answer = await client.sync_action(thread_id, "send", {"id": 7}, item_id="msg_card")
        assert answer.status == 500
        assert mistake(caplog).startswith(told)
        item: Any = await server.store.load_item(thread_id, "msg_card", context=None)
        assert len(item.widget.children) == 2
        await check_whole(client, server, thread_id)

    @pytest.mark.parametrize(
        ("field", "value", "stored"),
        [
            ("status", {"type": "locked", "reason": "Why"}, LockedStatus(reason="Why")),
            ("allowed_image_domains", ("a.b",), ["a.b"]),
            ("title", type("Text", (str,), {})("t"), "t"),
            ("metadata", {5: {"when": WHEN}}, {"5": {"when": "2026-03-14T09:26:53Z"}}),
        ],
    )
    async def test_what_can_only_mean_one_thing_is_taken(
        self, server: Served, client: ChatKitClient, field: str, value: Any, stored: Any
    ) -> None:
        async def respond(thread: Any, *_: Any) -> Any:
            setattr(thread, field, value)
            yield "ok"

        server.responding = respond
        turn = (await client.create("Hi")).check()
        thread = await server.store.load_thread(turn.thread.id or "", context=None)
        if isinstance(server.store, DictStore) and field == "metadata":
            stored = value  # it keeps objects
        assert getattr(thread, field) == stored


def broken(store: Store[Any], thread_id: str) -> None:
    """Make the row of a thread one that nobody can read."""
    inner: Any = store
    if isinstance(store, MemoryStore):
        tables = inner._tables
        tables._own("").rows.by_id[thread_id].put(Row(b'{"title":5}'))


async def test_a_thread_that_cannot_be_read_can_be_deleted(options: Options) -> None:
    store: MemoryStore[Any] = MemoryStore()
    async with talking(Served(store, options)) as client:
        thread_id = (await client.create("Hi")).check().thread.id or ""
        broken(store, thread_id)
        assert (await client.get_thread(thread_id)).status == 500
        (await client.delete(thread_id)).check()
        assert (await client.get_thread(thread_id)).status == 404
        assert (await client.list_threads()).check().data == []


async def test_who_may_not_read_a_thread_may_not_delete_it(options: Options) -> None:
    class Guarded(MemoryStore[Any]):
        guarding = False

        async def load_thread(self, thread_id: str, context: Any) -> Any:
            if self.guarding:
                raise PermissionError("not yours")
            return await super().load_thread(thread_id, context)

    store = Guarded()
    async with talking(Served(store, options)) as client:
        thread_id = (await client.create("Hi")).check().thread.id or ""
        store.guarding = True
        assert (await client.delete(thread_id)).status == 500
        store.guarding = False
        (await client.get_thread(thread_id)).check()


def head(thread: Any, **changed: Any) -> dict[str, Any]:
    return {"id": "h", "thread_id": thread.id, "created_at": WHEN, **changed}


ITEMS: list[tuple[Any, str]] = [
    (lambda t: HiddenContextItem(**head(t, created_at=None), content="x"), "created_at"),
    (lambda t: HiddenContextItem(**head(t), content=object()), "content"),
    (lambda t: HiddenContextItem(**head(t, thread_id=None), content="x"), "thread_id"),
    (lambda t: SDKHiddenContextItem(**head(t, thread_id=5), content="x"), "thread_id"),
    (lambda t: WidgetItem(**head(t, created_at="x"), widget=Card(children=[])), "created_at"),
    (lambda t: WidgetItem(**head(t), copy_text=5, widget=Card(children=[])), "copy_text"),  # type: ignore[arg-type]
    (lambda t: WidgetItem(**head(t, id=None), widget=Card(children=[])), "id"),
    (lambda t: WidgetItem(**head(t, id=5), widget=Card(children=[])), "id"),
    (lambda t: GeneratedImageItem(**head(t, thread_id=5)), "thread_id"),
    (lambda t: GeneratedImageItem(**head(t), image=GeneratedImage(id="i", url=None)), "image"),  # type: ignore[arg-type]
    (lambda t: GeneratedImageItem(**head(t), image="url"), "image"),  # type: ignore[arg-type]
    (lambda t: AssistantMessageItem(**head(t, id=None), content=[]), "id"),
    (lambda t: AssistantMessageItem(**head(t, created_at=None), content=[]), "created_at"),
    (lambda t: AssistantMessageItem(**head(t, created_at=1e300), content=[]), "created_at"),
    (lambda t: AssistantMessageItem(**head(t, created_at=True), content=[]), "created_at"),
    (lambda t: EndOfTurnItem(**head(t, created_at="yesterday")), "created_at"),
    (lambda t: TaskItem(**head(t), task=CustomTask(title=object())), "task"),  # type: ignore[arg-type]
]


class TestItems:
    """A handler yields an item that could be written, but not read again."""

    @pytest.fixture
    def store(self) -> Store[Any]:
        """One that writes rows is enough here."""
        found: MemoryStore[Any] = MemoryStore()
        fix_ids(found)
        return found

    @pytest.mark.parametrize(("make", "field"), ITEMS)
    @pytest.mark.parametrize(
        "event", [None, ThreadItemAddedEvent, ThreadItemDoneEvent, ThreadItemReplacedEvent]
    )
    async def test_it_is_refused_before_it_is_stored(
        self,
        server: Served,
        client: ChatKitClient,
        caplog: pytest.LogCaptureFixture,
        make: Any,
        field: str,
        event: Any,
    ) -> None:
        if event is ThreadItemAddedEvent and field in ("content", "task"):
            pytest.skip("what is added is not stored as it is")
        server.responding = yielding(
            "text", make if event is None else lambda thread: event(item=make(thread))
        )
        thread_id = await refused(client)
        text = mistake(caplog)
        assert f"$.{field}" in text
        assert text.startswith("not a")
        await check_whole(client, server, thread_id)

    @pytest.mark.parametrize(
        "event",
        [
            ThreadItemRemovedEvent(item_id=None),  # type: ignore[arg-type]
            ThreadItemUpdatedEvent(
                item_id=None,  # type: ignore[arg-type]
                update=WidgetRootUpdated(widget=Card(children=[])),
            ),
            ThreadItemDoneEvent(item=None),  # type: ignore[arg-type]
        ],
    )
    async def test_an_event_without_an_item_is_refused(
        self, server: Served, client: ChatKitClient, caplog: pytest.LogCaptureFixture, event: Any
    ) -> None:
        server.responding = yielding(event)
        thread_id = await refused(client)
        assert "item" in mistake(caplog)
        await check_whole(client, server, thread_id)

    @pytest.mark.parametrize(
        "given",
        [
            WHEN.timestamp(),
            int(WHEN.timestamp()),
            "2026-03-14T09:26:53Z",
            "2026-03-14T10:26:53+01:00",
            "2026-03-14T09:26:53",
            datetime(2026, 3, 14, 9, 26, 53),
        ],
    )
    @pytest.mark.parametrize("event", [ThreadItemAddedEvent, ThreadItemDoneEvent])
    @pytest.mark.parametrize("kind", ["message", "widget", "hidden", "image"])
    async def test_a_time_is_told_with_its_offset(
        self, server: Served, client: ChatKitClient, given: Any, event: Any, kind: str
    ) -> None:
        def make(thread: Any) -> Any:
            item: Any = {
                "message": lambda: AssistantMessageItem(**head(thread), content=[]),
                "widget": lambda: WidgetItem(**head(thread), widget=Card(children=[])),
                "hidden": lambda: HiddenContextItem(**head(thread), content="x"),
                "image": lambda: GeneratedImageItem(
                    **head(thread), image=GeneratedImage(id="i", url="u")
                ),
            }[kind]()
            item.created_at = given
            return event(item=item)

        server.responding = yielding(make)
        turn = (await client.create("Hi")).check()
        for told in turn.of_type("thread.item.added") + turn.of_type("thread.item.done"):
            if told["item"]["id"] == "h":
                at = datetime.fromisoformat(told["item"]["created_at"])
                assert at == WHEN
        page = await server.store.load_thread_items(
            turn.thread.id or "", None, 10, "asc", context=None
        )
        assert all(item.created_at.tzinfo is not None for item in page.data)
        assert [item.created_at for item in page.data if item.id == "h"] in ([], [WHEN])

    async def test_an_answer_to_a_synchronous_action_is_checked_too(
        self, server: Served, client: ChatKitClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        server.sync_acting = lambda thread, *_: WidgetItem(
            **head(thread, created_at="x"), widget=Card(children=[])
        )
        thread_id = (await client.create("Hi")).check().thread.id or ""
        assert (await client.sync_action(thread_id, "send")).status == 500
        assert "$.created_at" in mistake(caplog)
        await check_whole(client, server, thread_id)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (
            {"type": "progress_update", "text": "x"},
            "a dict is taken for a widget: for an event, yield ProgressUpdateEvent(...)",
        ),
        (
            {"type": "thread.item.done", "item": {}},
            "a dict is taken for a widget: for an event, yield ThreadItemDoneEvent(...)",
        ),
        (
            {"type": "assistant_message", "content": []},
            "a dict is taken for a widget: for an item, yield AssistantMessageItem(...)",
        ),
        ({"type": "Button"}, "a dict is taken for a widget, and 'Button' is not the type of"),
        ({"text": "x"}, "a dict is taken for a widget, and None is not the type of"),
    ],
)
async def test_a_dict_that_is_no_widget_is_explained(
    options: Options, caplog: pytest.LogCaptureFixture, value: Any, told: str
) -> None:
    server = Served(MemoryStore(), options)
    server.responding = yielding(value)
    async with talking(server) as client:
        await refused(client)
    assert mistake(caplog).startswith(told)


async def test_what_no_store_can_write_is_not_tried_again(
    options: Options, caplog: pytest.LogCaptureFixture
) -> None:
    tried = 0

    class Typed(MemoryStore[Any]):
        """A store of one's own that writes JSON by the standard library's means."""

        async def add_thread_item(self, thread_id: str, item: Any, context: Any) -> None:
            nonlocal tried
            if item.id == "h":
                tried += 1
                raise TypeError("Object of type datetime is not JSON serializable")
            await super().add_thread_item(thread_id, item, context)

    store = Typed()
    server = Served(store, options)
    server.responding = yielding(
        "before", lambda t: EndOfTurnItem(**head(t)), lambda t: EndOfTurnItem(**head(t, id="i"))
    )
    async with talking(server) as client:
        with anyio.fail_after(5):
            turn = await client.create("Hi")
        assert len(turn.of_type("error")) == 1
        assert tried == 2  # in the turn, and once more where it ends
        page = await store.load_thread_items(turn.thread.id or "", None, 10, "asc", context=None)
        assert [item.type for item in page.data] == ["user_message", "assistant_message"]
