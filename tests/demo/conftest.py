"""The scripted demo's application, for the tests beside this file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from chatkit_asgi import ChatKitMiddleware
from chatkit_asgi.demo.app import build
from tests.demo.client import post

Ask = Callable[..., Awaitable[Any]]


@pytest.fixture
def app(tmp_path: Path) -> ChatKitMiddleware:
    """The scripted demo, at full speed."""
    database = str(tmp_path / "demo.db")
    return build(database=database, choice="scripted", openai_model="", pace=0).app


@pytest.fixture
def ask(app: ChatKitMiddleware) -> Ask:
    """Send one request: ``await ask("threads.list")``. A stream's answer is the list of its events."""

    async def ask(kind: str, **params: Any) -> Any:
        return await post(app, {"type": kind, "params": params})

    return ask
