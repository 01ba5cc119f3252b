"""The context: what the callable sees, what it may do, and what hooks get of it."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from chatkit_asgi import (
    ChatKitApp,
    ContextRequest,
    Forbidden,
    RequestContext,
    Unauthorized,
)
from chatkit_asgi.store import Store
from chatkit_asgi.testing import ASGIBridge, ChatKitClient
from tests.http.served import Served, talking

pytestmark = pytest.mark.parametrize("store", ["memory"], indirect=True)


async def test_by_default_there_is_no_user(server: Served, client: ChatKitClient) -> None:
    await client.create("Hi", headers={"accept-language": "de-CH", "x-custom": "1"})
    context = server.calls[-1][-1]
    assert isinstance(context, RequestContext)
    assert (context.user_id, context.locale, context.headers["x-custom"]) == (None, "de-CH", "1")


@pytest.mark.parametrize(
    ("given", "locale"),
    [
        ("en", "en"),
        ("de-CH,de;q=0.9,en;q=0.8", "de-CH"),
        (" fr ;q=1", "fr"),
        ("*", None),
        ("", None),
        (None, None),
    ],
)
async def test_the_locale_is_the_first_language(
    server: Served, client: ChatKitClient, given: str | None, locale: str | None
) -> None:
    await client.create("Hi", headers={} if given is None else {"accept-language": given})
    assert server.calls[-1][-1].locale == locale


async def test_the_callable_sees_the_request_and_what_it_asks_for(server: Served) -> None:
    seen: list[ContextRequest] = []

    def context(request: ContextRequest) -> str:
        seen.append(request)
        return "mine"

    app = ChatKitApp(server, context=context)
    async with ASGIBridge(app) as bridge:
        client = ChatKitClient(bridge)
        await client.create("Hi", metadata={"page": "/home"}, headers={"Cookie": "a=b"})
        await bridge.post(
            {"type": "threads.list", "params": {"limit": 3}}, query="tenant=7", path="/x"
        )
    assert server.calls[-1][-1] == "mine"
    first, second = seen
    assert (first.type, first.metadata, first.headers["cookie"]) == (
        "threads.create", {"page": "/home"}, "a=b",
    )  # fmt: skip
    assert first.params.input.content[0].text == "Hi"
    assert first.client == "127.0.0.1"
    assert (second.type, second.params.limit, second.query) == ("threads.list", 3, "tenant=7")
    assert second.scope["path"] == "/x"


async def test_the_callable_may_be_asynchronous(server: Served) -> None:
    async def context(request: ContextRequest) -> str:
        await anyio.lowlevel.checkpoint()
        return "later"

    async with talking(server, context=context) as client:
        await client.create("Hi")
    assert server.calls[-1][-1] == "later"


class HTTPException(Exception):
    """As Starlette's, Litestar's and FastAPI's look."""

    def __init__(self, status_code: Any, detail: Any = None, headers: Any = None) -> None:
        self.status_code = status_code
        self.detail = detail
        self.headers = headers


@pytest.mark.parametrize(
    ("raised", "status", "code", "message"),
    [
        (Unauthorized("Sign in first."), 401, "unauthorized", "Sign in first."),
        (Forbidden(), 403, "forbidden", "forbidden"),
        (HTTPException(401, "No token."), 401, "unauthorized", "No token."),
        (HTTPException(402, "Pay."), 402, "http_error", "Pay."),
        (
            HTTPException(429, "Slow down.", {"Retry-After": "7"}),
            429,
            "too_many_requests",
            "Slow down.",
        ),
        (HTTPException(400, {"loc": "SECRET"}), 400, "bad_request", "bad request"),
        (HTTPException(503, "Maintenance."), 503, "internal_error", "Maintenance."),
        (
            HTTPException(302, "SECRET"),
            500,
            "internal_error",
            "The server failed to answer this request.",
        ),
        (
            HTTPException("401", "SECRET"),
            500,
            "internal_error",
            "The server failed to answer this request.",
        ),
        (ValueError("SECRET"), 500, "internal_error", "The server failed to answer this request."),
    ],
)
@pytest.mark.parametrize("asynchronous", [False, True])
async def test_the_callable_may_refuse(
    server: Served,
    store: Store[Any],
    raised: Exception,
    status: int,
    code: str,
    message: str,
    asynchronous: bool,
) -> None:
    def refuse(request: ContextRequest) -> Any:
        raise raised

    async def refuse_later(request: ContextRequest) -> Any:
        raise raised

    async with talking(server, context=refuse_later if asynchronous else refuse) as client:
        for answer in (await client.create("Hi"), await client.list_threads()):
            assert (answer.status, answer.code, answer.message) == (status, code, message)
            assert b"SECRET" not in answer.body
            if isinstance(raised, HTTPException) and raised.headers:
                assert answer.headers["retry-after"] == "7"
    assert server.calls == []


async def test_real_framework_exceptions_keep_their_status(server: Served) -> None:
    from fastapi import HTTPException as FastAPIException
    from starlette.exceptions import HTTPException as StarletteException

    for kind in (FastAPIException, StarletteException):

        def refuse(request: ContextRequest, kind: Any = kind) -> Any:
            raise kind(status_code=401, headers={"WWW-Authenticate": "Bearer"})

        async with talking(server, context=refuse) as client:
            answer = await client.create("Hi")
            assert (answer.status, answer.code, answer.message) == (
                401,
                "unauthorized",
                "Unauthorized",
            )
            assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_hook_may_refuse_with_a_frameworks_exception(
    server: Served, client: ChatKitClient
) -> None:
    def refuse(*_: Any) -> Any:
        raise HTTPException(403, "Not yours.")

    first = await client.create("Hi")
    server.sync_acting = refuse
    answer = await client.sync_action(first.thread.id, "a")
    assert (answer.status, answer.code, answer.message) == (403, "forbidden", "Not yours.")
