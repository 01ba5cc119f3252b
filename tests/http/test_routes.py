"""What is served beside the protocol, below the endpoint: one table, whatever the app is mounted in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from chatkit_asgi import ChatKitApp, ChatKitMiddleware
from chatkit_asgi.errors import NotFoundError
from chatkit_asgi.http import Request, Response
from chatkit_asgi.testing import ASGIBridge
from tests.http.served import Served

pytestmark = pytest.mark.parametrize("store", ["memory"], indirect=True)


def with_file(server: Served) -> ChatKitApp:
    app = ChatKitApp(server)

    async def pieces() -> AsyncIterator[bytes]:
        yield b"one "
        yield b"two"

    async def file(request: Request, rest: str) -> Response:
        if rest == "/missing":
            raise NotFoundError("No such file.")
        return Response(
            status=200, headers={"x-rest": rest, "x-method": request.method}, body=pieces()
        )

    app.endpoint.routes["files"] = file
    return app


def as_it_is(app: ChatKitApp) -> tuple[Any, str]:
    return app, ""


def mounted(app: ChatKitApp) -> tuple[Any, str]:
    return Starlette(routes=[Mount("/chat", app)]), "/chat"


def wrapped(app: ChatKitApp) -> tuple[Any, str]:
    return ChatKitMiddleware(Starlette(), app, path="/chat"), "/chat"


@pytest.mark.parametrize("place", [as_it_is, mounted, wrapped])
async def test_a_route_gets_the_rest_of_the_path_wherever_the_app_is(
    server: Served, place: Any
) -> None:
    app, prefix = place(with_file(server))
    async with ASGIBridge(app) as bridge:
        response = await bridge.post(b"", method="GET", path=f"{prefix}/files/a/b")
        assert (response.status, response.body) == (200, b"one two")
        assert (response.headers["x-rest"], response.headers["x-method"]) == ("/a/b", "GET")
        refused = await bridge.post(b"", method="GET", path=f"{prefix}/files/missing")
        assert (refused.status, refused.json()["error"]["code"]) == (404, "not_found")
        other = await bridge.post(b"", method="GET", path=f"{prefix}/other")
        assert other.status == 405  # every other path is the protocol's
