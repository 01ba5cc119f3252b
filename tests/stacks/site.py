"""A stack that is being served: a real uvicorn on a real socket, in the test's own loop, and who talks to it."""

from __future__ import annotations

import http.client
import socket
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import anyio
import msgspec
import uvicorn

from chatkit_asgi.http import ContextCallable, Route
from chatkit_asgi.testing import ChatKitClient
from tests.stacks.stack import Stack

__all__ = ["LIST", "Fetched", "Site", "serve", "serving"]

LIST = {"type": "threads.list", "params": {}}
PATIENCE = 20.0
"""Seconds after which a test gives up."""


class Fetched(NamedTuple):
    """The answer to one request."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as a JSON value."""
        return msgspec.json.decode(self.body)


class Site:
    """An application that answers on a socket.

    Args:
        stack: How it was made.
        base: Its URL, without a path.
        server: The ChatKitServer in it.
    """

    def __init__(self, stack: Stack, base: str, server: Any) -> None:
        self.stack = stack
        self.base = base
        self.server = server
        self.url = base + stack.path

    def client(self, **headers: str) -> ChatKitClient:
        """A client of the endpoint, with these headers in every request."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return ChatKitClient(self.url, headers=named, timeout=PATIENCE)

    async def signed_in(self, user: str) -> ChatKitClient:
        """A client of the endpoint of a guarded app, signed in as ``user``."""
        headers = await self.stack.credentials(self.base, user)
        return ChatKitClient(self.url, headers=headers, timeout=PATIENCE)

    def below(self, path: str) -> str:
        """The URL of what is served beside the protocol."""
        return self.url.rstrip("/") + path

    async def fetch(
        self,
        method: str,
        url: str,
        body: bytes | Iterable[bytes] | None = None,
        **headers: str,
    ) -> Fetched:
        """One request of any kind on a connection of its own, with Python's own client; an iterable goes in chunks."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await anyio.to_thread.run_sync(_fetch, method, url, body, named)

    async def post(self, body: Any = LIST, **headers: str) -> Fetched:
        """POST bytes, or a value as JSON, to the endpoint."""
        data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return await self.fetch(
            "POST", self.url, data, **{"content_type": "application/json", **headers}
        )


def _fetch(
    method: str, url: str, body: bytes | Iterable[bytes] | None, headers: dict[str, str]
) -> Fetched:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, body, headers)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Fetched(answer.status, found, answer.read())
    finally:
        connection.close()


class _Uvicorn(uvicorn.Server):
    """Leaves the signals of the test's process alone."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serve(app: Any) -> AsyncIterator[str]:
    """Serve an app, with its lifespan, and give its URL."""
    config = uvicorn.Config(app, log_config=None, ws="none", timeout_graceful_shutdown=5)
    config.load()
    web = _Uvicorn(config)
    web.lifespan = config.lifespan_class(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        await web.startup(sockets=[listener])
        assert not web.should_exit, "the application did not start"
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            await web.shutdown(sockets=[listener])


@asynccontextmanager
async def serving(
    stack: Stack,
    server: Any,
    *,
    guarded: bool = False,
    context: ContextCallable | None = None,
    routes: Mapping[str, Route] | None = None,
) -> AsyncIterator[Site]:
    """Serve ``server`` in ``stack``. The arguments are those of :meth:`Stack.app` and :meth:`Stack.guarded`."""
    app = (
        stack.guarded(server, routes=routes)
        if guarded
        else stack.app(server, context=context, routes=routes)
    )
    async with serve(app) as base:
        yield Site(stack, base, server)
