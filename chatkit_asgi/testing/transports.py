"""Transports: how :class:`~chatkit_asgi.testing.client.ChatKitClient` reaches a server.

May import anyio and the bridge.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol
from urllib.parse import urlsplit

import anyio
import anyio.abc

from .asgi import ASGIBridge

__all__ = ["BridgeTransport", "SocketTransport", "Transport", "TransportResponse"]


class TransportResponse(Protocol):
    """An answer as it arrives."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Names in lower case."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The body, as it comes; ends early without a word when the connection is cut."""
        ...

    @property
    def complete(self) -> bool:
        """Whether the body has come to its proper end."""
        ...


class Transport(Protocol):
    """How requests get to a server."""

    def stream(
        self, body: bytes, headers: Mapping[str, str]
    ) -> AbstractAsyncContextManager[TransportResponse]:
        """POST ``body``. Leaving the context early closes the connection."""
        ...


class BridgeTransport:
    """Reaches an app in process.

    Args:
        bridge: An open bridge.
        path: Instead of the bridge's.
    """

    def __init__(self, bridge: ASGIBridge, path: str | None = None) -> None:
        self._bridge = bridge
        self._path = path

    def stream(
        self, body: bytes, headers: Mapping[str, str]
    ) -> AbstractAsyncContextManager[TransportResponse]:
        """See :class:`Transport`."""
        return self._bridge.stream(body, headers=headers, path=self._path)


class SocketTransport:
    """Reaches a URL, with one connection for each request.

    Args:
        url: ``http://`` or ``https://``, with the path of the endpoint.
        ssl_context: For ``https://``; without it the system's certificates are trusted.
    """

    def __init__(self, url: str, *, ssl_context: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"an http:// or https:// URL, not {url!r}")
        self.host = parts.hostname
        self.tls = parts.scheme == "https"
        self.port = parts.port or (443 if self.tls else 80)
        self.target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._host_header = parts.netloc.rpartition("@")[2]
        self._ssl_context = ssl_context

    @asynccontextmanager
    async def stream(
        self, body: bytes, headers: Mapping[str, str]
    ) -> AsyncGenerator[TransportResponse]:
        """See :class:`Transport`."""
        async with await self._connect() as stream:
            fields = {
                "host": self._host_header,
                "connection": "close",
                "content-length": str(len(body)),
                **headers,
            }
            head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
            await stream.send(f"POST {self.target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body)
            response = _SocketResponse(stream)
            await response.read_head()
            try:
                yield response
            finally:
                await anyio.aclose_forcefully(stream)

    async def _connect(self) -> anyio.abc.ByteStream:
        if not self.tls:
            return await anyio.connect_tcp(self.host, self.port)
        return await anyio.connect_tcp(
            self.host,
            self.port,
            tls=True,
            ssl_context=self._ssl_context,
            tls_standard_compatible=False,
        )


class _SocketResponse:
    """As much of HTTP/1.1 as one answer needs."""

    def __init__(self, stream: anyio.abc.ByteStream) -> None:
        self._stream = stream
        self._buffer = b""
        self.status = 0
        self.headers: dict[str, str] = {}
        self.complete = False

    async def read_head(self) -> None:
        """Read the status and the headers.

        Raises:
            ConnectionError: The connection was closed before.
        """
        while self.status < 200:  # 100 Continue and the like come before the answer
            line = await self._line()
            self.status = int(line.split(b" ", 2)[1])
            self.headers = {}
            while line := await self._line():
                name, _, value = line.decode("latin-1").partition(":")
                key, value = name.strip().lower(), value.strip()
                self.headers[key] = (
                    f"{self.headers[key]}, {value}" if key in self.headers else value
                )

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            if "chunked" in self.headers.get("transfer-encoding", "").lower():
                while (size := int((await self._line()).split(b";")[0], 16)) > 0:
                    async for part in self._exactly(size):
                        yield part
                    await self._line()
                while await self._line():
                    pass
            elif (length := self.headers.get("content-length")) is not None:
                async for part in self._exactly(int(length)):
                    yield part
            else:
                while True:
                    if self._buffer:
                        part, self._buffer = self._buffer, b""
                        yield part
                    try:
                        self._buffer = await self._stream.receive()
                    except anyio.EndOfStream:
                        break
            self.complete = True
        except ConnectionError:
            return

    async def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            await self._more()
        line, self._buffer = self._buffer.split(b"\r\n", 1)
        return line

    async def _exactly(self, size: int) -> AsyncIterator[bytes]:
        while size:
            if not self._buffer:
                await self._more()
            part, self._buffer = self._buffer[:size], self._buffer[size:]
            size -= len(part)
            yield part

    async def _more(self) -> None:
        try:
            self._buffer += await self._stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            raise ConnectionError("the server closed the connection") from None
