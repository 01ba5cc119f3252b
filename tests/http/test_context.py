"""The context: what the callable sees, what it may do, and what hooks get of it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import anyio
import pytest

from chatkit_asgi import (
    ChatKitApp,
    ContextRequest,
    CustomStreamError,
    Forbidden,
    RequestContext,
    Unauthorized,
)
from chatkit_asgi.errors import RequestError
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


class NotPaid(RequestError):
    """As authors write them: without a call of the base."""

    status = 402

    def __init__(self) -> None:
        pass


class ModelError(Exception):
    """As model libraries' look: the status is that of the model's server."""

    def __init__(self, status_code: int) -> None:
        super().__init__("SECRET")
        self.status_code = status_code
        self.headers = {"x-model": "SECRET"}


@pytest.mark.parametrize(
    ("raised", "status", "code", "message"),
    [
        (Unauthorized("Sign in first."), 401, "unauthorized", "Sign in first."),
        (Forbidden(), 403, "forbidden", "forbidden"),
        (HTTPException(401, "No token."), 401, "unauthorized", "No token."),
        (HTTPException(HTTPStatus.FORBIDDEN, "No."), 403, "forbidden", "No."),
        (HTTPException(402, "Pay."), 402, "http_error", "Pay."),
        (Unauthorized(ValueError("expired")), 401, "unauthorized", "expired"),  # type: ignore[arg-type]
        (Forbidden("No.", path=7), 403, "forbidden", "No."),  # type: ignore[arg-type]
        (NotPaid(), 402, "bad_request", "bad request"),
        (CustomStreamError(ValueError("odd")), 500, "custom", "odd"),  # type: ignore[arg-type]
        (
            ModelError(401),
            500,
            "internal_error",
            "The server failed to answer this request.",
        ),
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


@pytest.mark.parametrize("kind", [Forbidden, HTTPException])
async def test_the_headers_of_a_refusal_cannot_break_the_answer(server: Served, kind: Any) -> None:
    """Their values are often made of what the request said."""
    headers = {
        "Location": "/login?next=\r\nset-cookie: a=b",
        "X-Name": "Zoë Łukasz",
        "x-broken\r\nset-cookie": "a=b",
        "Content-Type": "text/html",
        "Content-Length": "1",
        "X-Request-Id": "another",
    }

    def refuse(request: ContextRequest) -> Any:
        raise kind("No.", headers=headers) if kind is Forbidden else kind(403, "No.", headers)

    async with talking(server, context=refuse) as client:
        answer = await client.create("Hi")
    assert (answer.status, answer.message) == (403, "No.")
    assert answer.headers["location"] == "/login?next=??set-cookie: a=b"
    assert answer.headers["x-name"] == "Zoë ?ukasz"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["x-request-id"] == answer.error["request_id"]
    assert "set-cookie" not in str(list(answer.headers))


async def test_cookies_that_come_apart_are_one_header(server: Served) -> None:
    """As HTTP/2 may send them."""
    seen: list[str] = []

    def context(request: ContextRequest) -> None:
        seen.append(request.headers["cookie"])

    app = ChatKitApp(server, context=context)

    async def split(scope: Any, receive: Any, send: Any) -> None:
        cookies = [(b"cookie", b"a=1"), (b"cookie", b"b=2")]
        await app({**scope, "headers": [*scope["headers"], *cookies]}, receive, send)

    async with ASGIBridge(split) as bridge:
        await bridge.post({"type": "threads.list", "params": {}})
    assert seen == ["a=1; b=2"]


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
