"""Two endpoints in one process, in one application: each has its own threads and turns, and both end with it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from chatkit_fastapi import chatkit_router
from chatkit_litestar import ChatKitPlugin
from chatkit_quart import chatkit_blueprint
from fastapi import FastAPI
from litestar import Litestar
from quart import Quart
from starlette.applications import Starlette
from starlette.routing import Mount

from chatkit_asgi import ChatKitApp, ChatKitMiddleware, Options
from chatkit_asgi.store import MemoryStore
from chatkit_asgi.testing import ChatKitClient
from tests.django.project import site
from tests.http.served import Held, Served, rows
from tests.stacks.site import LIST, PATIENCE, serve
from tests.stacks.test_streams import is_delta

PATHS = ("/help", "/help/sales")
"""One below the other: the hardest case."""


def middleware(help: Any, sales: Any) -> Any:
    inner = ChatKitMiddleware(Starlette(), ChatKitApp(help), PATHS[0])
    return ChatKitMiddleware(inner, ChatKitApp(sales), PATHS[1])


def mounts(help: Any, sales: Any) -> Any:
    first, second = ChatKitApp(help), ChatKitApp(sales)

    @asynccontextmanager
    async def lifespan(app: Any) -> Any:
        async with first.lifespan(), second.lifespan():
            yield

    return Starlette(routes=[Mount(PATHS[1], second), Mount(PATHS[0], first)], lifespan=lifespan)


def fastapi(help: Any, sales: Any) -> Any:
    app = FastAPI()
    app.include_router(chatkit_router(help, path=PATHS[0]))
    app.include_router(chatkit_router(sales, path=PATHS[1]))
    return app


def litestar(help: Any, sales: Any) -> Any:
    plugins = [ChatKitPlugin(help, path=PATHS[0]), ChatKitPlugin(sales, path=PATHS[1])]
    return Litestar(plugins=plugins, logging_config=None)


def quart(help: Any, sales: Any) -> Any:
    app = Quart(__name__)
    app.register_blueprint(chatkit_blueprint(help, path=PATHS[0]))
    app.register_blueprint(chatkit_blueprint(sales, path=PATHS[1], name="sales"))
    return app


def django(help: Any, sales: Any) -> Any:
    from chatkit_django import chatkit_urls  # needs settings

    context: dict[str, Any] = {"context": lambda _: None}
    return site(
        [*chatkit_urls(sales, PATHS[1], **context), *chatkit_urls(help, PATHS[0], **context)]
    )


@pytest.mark.parametrize("make", [middleware, mounts, fastapi, litestar, quart, django])
async def test_two_endpoints_stand_side_by_side(
    make: Callable[[Any, Any], Any], record_property: Callable[[str, Any], None]
) -> None:
    """Invariant: both answer, neither knows the other's threads, and both save what still runs when the app stops."""
    record_property("table", "two endpoints")
    record_property("stack", make.__name__)
    record_property("case", "two_endpoints_stand_side_by_side")
    options = Options(on_disconnect="finish", handle_signals=False)
    servers = [Served(MemoryStore(), options), Served(MemoryStore(), options)]
    closed: list[Any] = []
    held = [Held("Help "), Held("Sales ")]
    threads: list[str] = []
    for server, answer in zip(servers, held, strict=True):
        server.responding = answer

        async def close(server: Any = server) -> None:
            closed.append(server)

        server.store.close = close  # type: ignore[method-assign]
    slash = "/" if make is mounts else ""
    async with serve(make(*servers)) as base:
        clients = [ChatKitClient(base + path + slash, timeout=PATIENCE) for path in PATHS]
        for client in clients:
            async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
                await turn.wait_for(is_delta)
            threads.append(turn.thread.id)
        for client, own in zip(clients, threads, strict=True):
            listed = (await client.request("threads.list", LIST["params"])).json["data"]
            assert [each["id"] for each in listed] == [own]
        for client, other in zip(clients, reversed(threads), strict=True):
            assert (await client.get_thread(other)).code == "not_found"
        assert [len(server.turns) for server in servers] == [1, 1]
        if make is django:  # no lifespan; a signal ends all (tests/django/test_processes.py)
            for server in servers:
                await server.turns.shutdown()
    with anyio.fail_after(PATIENCE):
        while any(len(server.turns) for server in servers):
            await anyio.lowlevel.checkpoint()
    assert len(closed) == 2
    assert set(map(id, closed)) == set(map(id, servers))
    for server, thread, text in zip(servers, threads, ("Help ", "Sales "), strict=True):
        assert (await rows(server.store, thread))[1].content[0].text == text
