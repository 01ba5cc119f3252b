"""A model server on a real socket that plays what a test gives it, and a ChatKit server in front of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chatkit_asgi.store import MemoryStore, SQLiteStore, Store
from tests.agents.served import Conversation
from tests.agents.servers import served


class Switch:
    """An ASGI app that is whatever it is set to."""

    def __init__(self) -> None:
        self.app: Any = None
        self.url = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def switch() -> Iterator[Switch]:
    """One model server for the whole session."""
    switch = Switch()
    with served(switch) as url:
        switch.url = url
        yield switch


@pytest.fixture
async def store(anyio_backend: str, tmp_path: Path) -> AsyncIterator[Store[Any]]:
    """SQLite on asyncio and memory on trio: a bridge sees neither the loop nor the store, so pairs will do."""
    found = (
        SQLiteStore[Any](tmp_path / "chat.db") if anyio_backend == "asyncio" else MemoryStore[Any]()
    )
    yield found
    await found.close()


Converse = Callable[..., Awaitable[Conversation]]


@pytest.fixture
def converse(switch: Switch, store: Any) -> Converse:
    """``await converse(model, "Hi")``: say lines in one thread and look at what came and what is stored."""

    async def converse(model: Any, *lines: str, **options: Any) -> Conversation:
        conversation = Conversation(store, switch.url, **options)
        switch.app = model
        await conversation.say(*lines or ("Hi",))
        return conversation

    return converse
