"""Real servers for the tests: uvicorn in a thread, and a proxy that is wrong about connections."""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import uvicorn


@contextmanager
def uvicorn_serving(
    app: Any, listener: socket.socket | None = None, certificate: Path | None = None
) -> Generator[str]:
    """The app behind uvicorn on a free port, or on one that is taken already; its address.

    Args:
        app: The app.
        listener: The port.
        certificate: A file with a certificate and its key, for TLS.
    """
    with listener or socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            app, log_level="critical", ws="none", timeout_graceful_shutdown=1, ssl_certfile=certificate
        )  # fmt: skip
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            scheme = "http" if certificate is None else "https"
            yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


@dataclass
class Proxy:
    """Passes requests on, one connection each, and is wrong where a flag says so."""

    upstream: str
    keeps_connections: bool = True
    says_continue: bool = True
    minds_half_closed: bool = False
    """Gives up when the client has closed its side."""
    dies_of_garbage: bool = False
    completes_requests: bool = False
    """Takes half a request for a whole one."""

    def __post_init__(self) -> None:
        self._dead = False

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[str]:
        """The proxy's address."""
        listeners = await anyio.create_tcp_listener(local_host="127.0.0.1")
        port = listeners.extra(anyio.abc.SocketAttribute.local_port)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listeners.serve, self._connection)
            yield f"http://127.0.0.1:{port}"
            tasks.cancel_scope.cancel()
        await listeners.aclose()

    async def _connection(self, client: anyio.abc.SocketStream) -> None:
        async with client:
            try:
                reader = _Reader(client)
                while await self._request(client, reader) and self.keeps_connections:
                    pass
            except (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream):
                pass

    async def _request(self, client: anyio.abc.SocketStream, reader: _Reader) -> bool:
        if self._dead:
            return False
        head = await reader.until(b"\r\n\r\n")
        if not head.startswith((b"POST", b"GET", b"PUT", b"OPTIONS")):
            self._dead = self.dies_of_garbage
            return False
        headers = dict(
            line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line
        )
        length = int(headers.get(b"content-length", b"0"))
        if b"expect" in headers and self.says_continue:
            await client.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await reader.exactly(length)
        if len(body) < length:
            if not self.completes_requests:
                return False
            body += b" " * (length - len(body))
        if self.minds_half_closed and await reader.closed():
            return False
        head = head.replace(b"connection: close\r\n", b"").replace(b"expect: 100-continue\r\n", b"")
        host, _, port = self.upstream.removeprefix("http://").partition(":")
        async with await anyio.connect_tcp(host, int(port)) as server:
            await server.send(head[:-2] + b"connection: close\r\n\r\n" + body)
            async for data in server:
                await client.send(data)
        return True


class _Reader:
    def __init__(self, stream: anyio.abc.SocketStream) -> None:
        self._stream = stream
        self._buffer = b""

    async def until(self, end: bytes) -> bytes:
        while end not in self._buffer:
            self._buffer += await self._stream.receive()
        found, _, self._buffer = self._buffer.partition(end)
        return found + end

    async def exactly(self, length: int) -> bytes:
        try:
            while len(self._buffer) < length:
                self._buffer += await self._stream.receive()
        except anyio.EndOfStream:
            pass
        found, self._buffer = self._buffer[:length], self._buffer[length:]
        return found

    async def closed(self) -> bool:
        """Whether the client closes its side in a moment."""
        with anyio.move_on_after(0.2):
            try:
                self._buffer += await self._stream.receive()
            except anyio.EndOfStream:
                return True
        return False
