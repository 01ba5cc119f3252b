"""Maintenance names an owner where no request tells one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chatkit_asgi.errors import AuthorError, NotFoundError
from chatkit_asgi.store import MemoryStore, SQLiteStore
from chatkit_asgi.store.base import Owner
from chatkit_asgi.testing.store_contract import thread

pytestmark = pytest.mark.anyio


def stores(path: Path, owner: Any) -> list[Any]:
    return [MemoryStore(owner), SQLiteStore(path / "chat.db", owner)]


async def test_an_owner_sees_what_their_context_sees(tmp_path: Path) -> None:
    for store in stores(tmp_path, lambda context: context["user"]):
        await store.save_thread(thread(), context={"user": "ada"})
        assert await store.load_thread("t", context=Owner("ada")) == thread()
        with pytest.raises(NotFoundError):
            await store.load_thread("t", context=Owner("bob"))
        await store.close()


async def test_a_name_says_something_exactly_where_owners_are_kept_apart(tmp_path: Path) -> None:
    """Erasing one person from a store without owners would erase everybody."""
    for store in stores(tmp_path, None):
        await store.save_thread(thread(), context=None)
        assert await store.load_thread("t", context=Owner("")) == thread()
        with pytest.raises(AuthorError):
            await store.load_thread("t", context=Owner("ada"))
        await store.close()
    for store in stores(tmp_path, str):
        with pytest.raises(AuthorError):
            await store.load_thread("t", context=Owner(""))
        await store.close()
