"""The ASGI application that sends streams straight to the server. That they stream is shown in ``tests/stacks``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from chatkit_django import chatkit_urls
from chatkit_django.asgi import ChatKitASGIHandler, get_asgi_application
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.test import override_settings
from django.utils.decorators import async_only_middleware

from chatkit_asgi import ChatKitRouter
from chatkit_asgi.store import MemoryStore
from chatkit_asgi.testing import ASGIBridge, ChatKitClient
from tests.django.project import site


@async_only_middleware
def shout(get_response: Any) -> Any:
    """Puts something of its own around the chunks of an answer."""

    async def louder(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            yield chunk.replace(b"Hello", b"HELLO")

    async def middleware(request: HttpRequest) -> Any:
        response = await get_response(request)
        if response.streaming:
            response.streaming_content = louder(response.streaming_content)
        return response

    return middleware


async def answer() -> bytes:
    chat: ChatKitRouter[Any] = ChatKitRouter(MemoryStore())

    @chat.respond
    async def respond(*_: Any) -> AsyncIterator[str]:
        yield "Hello"

    app = site(chatkit_urls(chat, context=lambda _: None), ChatKitASGIHandler)
    async with ASGIBridge(app) as bridge:
        turn = await ChatKitClient(bridge).create("Hi")
        return turn.body


async def test_a_stream_passes_by_djangos_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise AssertionError("a chunk went Django's way")

    monkeypatch.setattr(ASGIHandler, "chunk_bytes", fail)
    with override_settings(MIDDLEWARE=[]):
        assert b"Hello" in await answer()


async def test_what_a_middleware_puts_around_a_stream_is_sent() -> None:
    with override_settings(MIDDLEWARE=[f"{__name__}.shout"]):
        body = await answer()
    assert b"HELLO" in body
    assert b"Hello" not in body


def test_it_is_made_as_djangos_own() -> None:
    assert isinstance(get_asgi_application(), ASGIHandler)
