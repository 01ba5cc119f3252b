"""The contract on the stores that ship, and on the plainest one an author could write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chatkit_asgi.errors import NotFoundError
from chatkit_asgi.store import MemoryStore, Page, SQLiteStore, Store
from chatkit_asgi.testing.store_contract import StoreContract


class TestMemoryStore(StoreContract):
    async def make_store(self, owner: Any = None, **options: Any) -> Store[Any]:
        return MemoryStore(owner, **options)


class TestSQLiteStore(StoreContract):
    @pytest.fixture(autouse=True)
    def directory(self, tmp_path: Path) -> None:
        self.path = tmp_path / "chat.db"

    async def make_store(self, owner: Any = None, **options: Any) -> Store[Any]:
        return SQLiteStore(self.path, owner, **options)


class TestSQLiteStoreInMemory(StoreContract):
    async def make_store(self, owner: Any = None, **options: Any) -> Store[Any]:
        return SQLiteStore(":memory:", owner, **options)


class DictStore(Store[Any]):
    """Only what is abstract, as plain as it gets: everything else comes from :class:`Store`."""

    def __init__(self) -> None:
        self.threads: dict[str, Any] = {}
        self.items: dict[str, dict[str, Any]] = {}
        self.attachments: dict[str, Any] = {}

    async def load_thread(self, thread_id: str, context: Any) -> Any:
        return _found(self.threads, thread_id)

    async def save_thread(self, thread: Any, context: Any) -> None:
        fields = ("title", "id", "created_at", "status", "allowed_image_domains", "metadata")
        from chatkit_asgi.types import ThreadMetadata

        self.threads[thread.id] = ThreadMetadata(
            **{name: getattr(thread, name) for name in fields}
        ).model_copy(deep=True)

    async def load_threads(
        self, limit: int, after: str | None, order: str, context: Any
    ) -> Page[Any]:
        return _page(self.threads, limit, after, order)

    async def delete_thread(self, thread_id: str, context: Any) -> None:
        self.threads.pop(thread_id, None)
        self.items.pop(thread_id, None)
        for name in [
            name for name, each in self.attachments.items() if each.thread_id == thread_id
        ]:
            del self.attachments[name]

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: Any
    ) -> Page[Any]:
        return _page(self.items.get(thread_id, {}), limit, after, order)

    async def add_thread_item(self, thread_id: str, item: Any, context: Any) -> None:
        self.items.setdefault(thread_id, {})[item.id] = _copy(item)

    async def save_item(self, thread_id: str, item: Any, context: Any) -> None:
        await self.add_thread_item(thread_id, item, context)

    async def load_item(self, thread_id: str, item_id: str, context: Any) -> Any:
        return _found(self.items.get(thread_id, {}), item_id)

    async def delete_thread_item(self, thread_id: str, item_id: str, context: Any) -> None:
        self.items.get(thread_id, {}).pop(item_id, None)

    async def save_attachment(self, attachment: Any, context: Any) -> None:
        self.attachments[attachment.id] = _copy(attachment)

    async def load_attachment(self, attachment_id: str, context: Any) -> Any:
        return _found(self.attachments, attachment_id)

    async def delete_attachment(self, attachment_id: str, context: Any) -> None:
        self.attachments.pop(attachment_id, None)


def _copy(record: Any) -> Any:
    import copy

    return copy.deepcopy(record)


def _found(records: dict[str, Any], name: str) -> Any:
    if name not in records:
        raise NotFoundError(f"no {name}")
    return _copy(records[name])


def _page(records: dict[str, Any], limit: int, after: str | None, order: str) -> Page[Any]:
    names = list(records) if order == "asc" else list(records)[::-1]
    if after is not None:
        _found(records, after)
        names = names[names.index(after) + 1 :]
    more = len(names) > limit
    data = [_copy(records[name]) for name in names[:limit]]
    return Page(data=data, has_more=more, after=names[limit - 1] if more else None)


class OwnedDictStore(DictStore):
    """The same with whose a row is in its key: the plainest way to keep people apart."""

    def __init__(self, owner: Any = None) -> None:
        self.of: dict[str, DictStore] = {}
        self._owner = owner

    def owner(self, context: Any) -> str:
        return self._owner(context) if self._owner else ""

    def __getattribute__(self, name: str) -> Any:
        abstract: Any = DictStore.__dict__
        if name.startswith("_") or name not in abstract:
            return super().__getattribute__(name)

        async def theirs(*given: Any, **named: Any) -> Any:
            context = named["context"] if "context" in named else given[-1]
            rows = self.of.setdefault(self.owner(context), DictStore())
            return await getattr(rows, name)(*given, **named)

        return theirs


class TestOwnedDictStore(StoreContract):
    strict_threads = atomic = asides = feedback = False

    async def make_store(self, owner: Any = None, clock: Any = None) -> Store[Any]:
        return OwnedDictStore(owner)


class TestDictStore(StoreContract):
    owners = strict_threads = atomic = asides = feedback = False

    async def make_store(self, owner: Any = None, clock: Any = None) -> Store[Any]:
        assert owner is None
        assert clock is None
        return DictStore()
