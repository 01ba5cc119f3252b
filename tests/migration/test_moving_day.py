"""What documented backends of openai-chatkit do, and what must go on working when only their imports change."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.json import decode as plain

from chatkit_asgi import ChatKitApp, ChatKitServer
from chatkit_asgi.protocol.codec import encode
from chatkit_asgi.store import AttachmentStore
from chatkit_asgi.testing import ASGIBridge, ChatKitClient
from chatkit_asgi.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    FileAttachment,
    Page,
    ThreadItemDoneEvent,
    ThreadMetadata,
)
from tests.store.test_contract import DictStore

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["UTC", "America/New_York", "Asia/Tokyo"])
def zone(request: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


class Sorted(DictStore):
    """Items in the order of their times, as stores written from the quickstart keep them: as objects or as text."""

    def __init__(self, key: Any) -> None:
        super().__init__()
        self.key = key

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: Any
    ) -> Page[Any]:
        items = sorted(self.items.get(thread_id, {}).values(), key=self.key)
        return Page(data=items if order == "asc" else items[::-1])


class Local(ChatKitServer[Any]):
    """Gives its answers a time of the machine's own zone."""

    async def respond(
        self, thread: Any, input_user_message: Any, context: Any
    ) -> AsyncIterator[ThreadItemDoneEvent]:
        yield ThreadItemDoneEvent(
            item=AssistantMessageItem(
                id=self.store.generate_item_id("message", thread, context),
                thread_id=thread.id,
                created_at=datetime.now(),
                content=[AssistantMessageContent(text="Hello")],
            )
        )


@pytest.mark.parametrize(
    "key", [lambda item: item.created_at, lambda item: item.created_at.isoformat()]
)
async def test_local_times_and_ours_can_be_compared(zone: str, key: Any) -> None:
    store = Sorted(key)
    async with ASGIBridge(ChatKitApp(Local(store))) as bridge:
        client = ChatKitClient(bridge)
        thread = (await client.create("one")).thread
        for text in ("two", "three"):
            assert (await client.send(thread.id, text)).ok
        shown = (await client.get_thread(thread.id)).json["items"]["data"]
    items = (await store.load_thread_items(thread.id, None, 9, "asc", None)).data
    assert [item["id"] for item in shown] == [item.id for item in items]
    assert [item.type for item in items] == ["user_message", "assistant_message"] * 3


def test_a_time_without_an_offset_is_utc_or_now(zone: str) -> None:
    row = ThreadMetadata.model_validate_json(b'{"id":"t","created_at":"2026-03-14T09:26:53"}')
    assert row.created_at == datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
    assert plain(encode(row))["created_at"].endswith("Z")
    for now in (
        datetime.now(),
        datetime.now(UTC).replace(tzinfo=None),
        datetime.now().astimezone(),
    ):
        made = ThreadMetadata(id="t", created_at=now).created_at
        assert abs(made - datetime.now(UTC)) < timedelta(seconds=60)
    for extreme in (datetime.min, datetime.max):
        assert ThreadMetadata(id="t", created_at=extreme).created_at.utcoffset() == timedelta(0)


async def test_times_do_not_drift_in_a_column_without_offsets(zone: str) -> None:
    class Columns(DictStore):
        async def load_thread(self, thread_id: str, context: Any) -> Any:
            row = await super().load_thread(thread_id, context)
            naive = row.created_at.astimezone(UTC).replace(tzinfo=None)
            return ThreadMetadata(**{**row.model_dump(), "created_at": naive})

    store = Columns()
    async with ASGIBridge(ChatKitApp(Local(store))) as bridge:
        client = ChatKitClient(bridge)
        thread = (await client.create("one")).thread
        for _ in range(3):
            assert (await client.update(thread.id, "A new title")).ok
    assert abs(store.threads[thread.id].created_at - datetime.now(UTC)) < timedelta(seconds=60)


class Bytes(AttachmentStore[Any]):
    async def delete_attachment(self, attachment_id: str, context: Any) -> None:
        """There are none."""


async def test_a_store_that_leaves_records_of_attachments_is_helped() -> None:
    class Leaving(DictStore):
        async def delete_thread(self, thread_id: str, context: Any) -> None:
            self.threads.pop(thread_id)

        async def load_thread_attachments(self, thread_id: str, context: Any) -> list[Any]:
            return [each for each in self.attachments.values() if each.thread_id == thread_id]

    store = Leaving()
    await store.save_thread(ThreadMetadata(id="t", created_at=datetime.now()), None)
    attachment = FileAttachment(id="a", name="n", mime_type="text/plain", thread_id="t")
    await store.save_attachment(attachment, None)
    result: Any = await Local(store, Bytes()).process(
        b'{"type":"threads.delete","params":{"thread_id":"t"}}', None
    )
    assert result.json == b"{}"
    assert store.attachments == {}
