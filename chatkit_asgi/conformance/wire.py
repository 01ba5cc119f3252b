"""HTTP/1.1 as bytes: to a URL over a socket, or to an ASGI app in this process; and the log of what went over it.

Nothing is hidden from a case: requests are written as they are given, and an answer is read as it arrives. Needs anyio
only.
"""

from __future__ import annotations

import ssl
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol
from urllib.parse import urlsplit

import anyio
import anyio.abc
import anyio.lowlevel

__all__ = [
    "AppTransport",
    "Chunks",
    "Connection",
    "Headers",
    "Log",
    "NoTLS",
    "Reply",
    "SocketTransport",
    "Transport",
    "Unreachable",
]

Headers = list[tuple[str, str]]
Chunks = list[bytes]
"""A request's body in pieces, each sent by itself."""

PIECE = 256 * 1024
"""Bytes that are sent at once."""
SHOWN = 2_000
"""Characters of one message in a log."""
UNKNOWN = 1 << 30
"""The length of a body that nobody has told."""
SECRET = ("authorization", "cookie", "proxy-authorization", "set-cookie", "x-api-key")
"""Headers whose values no log shows: reports are published."""


class Unreachable(Exception):
    """There is no server, or it does not speak HTTP."""


class NoTLS(Unreachable):
    """Its certificate is not good, or it does not speak TLS; OpenSSL's own words are the cause, if it has any."""


class Log:
    """What was sent and what came back, in order, with the time since the beginning."""

    def __init__(self, secrets: Headers | None = None) -> None:
        self._began = time.monotonic()
        self._lines: list[str] = []
        self._secrets = {*SECRET, *(name.lower() for name, _ in secrets or ())}

    def sent(self, what: str) -> None:
        """A request, or a remark about what the client does."""
        self._add(">", what)

    def received(self, what: str) -> None:
        """Part of an answer, or its end."""
        self._add("<", what)

    def head(self, line: str, headers: Headers) -> str:
        """A request's or an answer's head as it is logged."""
        shown = [
            f"{name}: {'(not shown)' if name.lower() in self._secrets else value}"
            for name, value in headers
        ]
        return "\n".join([line, *shown])

    def _add(self, mark: str, what: str) -> None:
        if len(what) > SHOWN:
            what = f"{what[: SHOWN // 2]}\n... {len(what) - SHOWN} more ...\n{what[-SHOWN // 2 :]}"
        stamp = f"{time.monotonic() - self._began:7.3f} {mark} "
        self._lines.append(stamp + what.replace("\n", f"\n{' ' * 8}{mark} "))

    def __str__(self) -> str:
        lines = self._lines
        if len(lines) > 200:
            lines = [*lines[:120], f"        ... {len(lines) - 180} more ...", *lines[-60:]]
        return "\n".join(lines)


class Reply:
    """An answer as it arrives."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: Headers = []
        self.complete = False
        """Whether the body has come to its proper end."""

    def header(self, name: str) -> str:
        """The values of a header, joined by a comma; empty when there is none."""
        return ", ".join(value for key, value in self.headers if key.lower() == name)

    async def next(self) -> bytes | None:
        """What comes next of the body; ``None`` at its end, and where the connection is cut."""
        raise NotImplementedError

    async def rest(self) -> bytes:
        """The rest of the body."""
        body = bytearray()
        while (chunk := await self.next()) is not None:
            body += chunk
        return bytes(body)


class Transport(Protocol):
    """How requests get to a server."""

    url: str
    """The endpoint."""

    def request(
        self, method: str, headers: Headers, body: bytes | Chunks, *, url: str | None = None
    ) -> AbstractAsyncContextManager[Reply]:
        """Send a request; leaving the context early closes the connection.

        Args:
            method: The HTTP method.
            headers: All of them, but for ``host`` and the body's length.
            body: Whole, or in pieces that are sent one by one (chunked).
            url: Instead of the endpoint.

        Raises:
            Unreachable: There is no server.
            NoTLS: It cannot be trusted, or does not speak TLS.
        """
        ...


# -- sockets -----------------------------------------------------------------------------------


class Connection:
    """One connection, for cases about connections."""

    def __init__(self, stream: anyio.abc.ByteStream) -> None:
        self.stream = stream
        self.buffer = b""

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        try:
            await self.stream.send(data)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            raise ConnectionError("the server closed the connection") from None

    async def send_all(self, pieces: Chunks) -> None:
        """Send pieces one after the other, until the server hears no more."""
        for piece in pieces:
            try:
                await self.send(piece)
            except ConnectionError:
                return
            await anyio.sleep(0.001)

    async def reply(self, *, head: bool = False) -> _SocketReply:
        """Read the head of the next answer.

        Raises:
            ConnectionError: The connection was closed before.
        """
        reply = _SocketReply(self, bodyless=head)
        await reply.read_head()
        return reply

    async def line(self) -> bytes:
        """The next line, without its end."""
        while b"\n" not in self.buffer:
            await self.more()
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.removesuffix(b"\r")

    async def some(self, limit: int) -> bytes:
        """At most ``limit`` of the bytes that are there."""
        if not self.buffer:
            await self.more()
        part, self.buffer = self.buffer[:limit], self.buffer[limit:]
        return part

    async def more(self) -> None:
        """Wait for bytes."""
        try:
            self.buffer += await self.stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            raise ConnectionError("the server closed the connection") from None


class SocketTransport:
    """Reaches a URL, with one connection for each request.

    Args:
        url: ``http://`` or ``https://``, with the path of the endpoint.
        verify: Whether the server's certificate must be good.
        cacert: A file of certificates (PEM) that are trusted, and no others. Default: the system's.

    Raises:
        ValueError: Not such a URL, or no such certificates.
    """

    def __init__(self, url: str, *, verify: bool = True, cacert: str | None = None) -> None:
        self.url = url
        self.verify = verify
        *_, tls, _ = _parts(url)
        self._ssl: ssl.SSLContext | None = None
        if tls or cacert or not verify:
            try:
                self._ssl = ssl.create_default_context(cafile=cacert)
            except OSError as error:
                raise ValueError(f"no certificates in {cacert}: {error}") from error
            if not verify:
                self._ssl.check_hostname = False
                self._ssl.verify_mode = ssl.CERT_NONE

    @asynccontextmanager
    async def connect(self, url: str | None = None) -> AsyncGenerator[Connection]:
        """A connection to the server."""
        _, host, port, tls, _ = _parts(url or self.url)
        try:
            if tls:
                stream: anyio.abc.ByteStream = await anyio.connect_tcp(
                    host, port, tls=True, ssl_context=self._ssl, tls_standard_compatible=False
                )
            else:
                stream = await anyio.connect_tcp(host, port)
        except ssl.SSLError as error:
            raise NoTLS(f"TLS: {error}") from error
        except (anyio.EndOfStream, anyio.BrokenResourceError) as error:
            raise NoTLS("TLS: the server closed the connection instead of answering") from error
        except OSError as error:
            raise Unreachable(f"no connection to {host} port {port}: {error}") from error
        try:
            yield Connection(stream)
        finally:
            await anyio.aclose_forcefully(stream)

    def head(self, method: str, headers: Headers, url: str | None = None) -> bytes:
        """The bytes of a request's head."""
        authority, _, _, _, target = _parts(url or self.url)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        return f"{method} {target} HTTP/1.1\r\nhost: {authority}\r\n{lines}\r\n".encode("latin-1")

    @asynccontextmanager
    async def request(
        self, method: str, headers: Headers, body: bytes | Chunks, *, url: str | None = None
    ) -> AsyncGenerator[Reply]:
        """See :class:`Transport`."""
        async with self.connect(url) as connection:
            length = (
                ("content-length", str(len(body)))
                if isinstance(body, bytes)
                else ("transfer-encoding", "chunked")
            )
            head = self.head(method, [*headers, length, ("connection", "close")], url)
            pieces = _pieces(head, body)
            failure: Exception | None = None
            async with anyio.create_task_group() as tasks:
                # Beside reading: a server may answer, and close, before it has read everything.
                tasks.start_soon(connection.send_all, pieces)
                try:
                    yield await connection.reply(head=method == "HEAD")
                except Exception as error:  # a task group would put it into a group
                    failure = error
                tasks.cancel_scope.cancel()
            if failure is not None:
                raise failure


def _pieces(head: bytes, body: bytes | Chunks) -> list[bytes]:
    if isinstance(body, bytes):
        whole = head + body
        return [whole[start : start + PIECE] for start in range(0, len(whole), PIECE)]
    return [head, *(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in body), b"0\r\n\r\n"]


def _parts(url: str) -> tuple[str, str, int, bool, str]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"an http:// or https:// URL, not {url!r}")
    tls = parts.scheme == "https"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    authority = parts.netloc.rpartition("@")[2]
    return authority, parts.hostname, parts.port or (443 if tls else 80), tls, target


class _SocketReply(Reply):
    """As much of HTTP/1.1 as one answer needs."""

    def __init__(self, connection: Connection, *, bodyless: bool) -> None:
        super().__init__()
        self._connection = connection
        self._bodyless = bodyless
        self._left = 0
        """Bytes that come of this chunk, or of the whole body."""
        self._begun = self._chunked = self._ended = False

    async def read_head(self) -> None:
        while self.status < 200:  # 100 Continue and the like come before the answer
            line = await self._connection.line()
            try:
                version, status, *_ = line.decode("latin-1").split(" ", 2)
                self.status = int(status)
            except ValueError:
                raise Unreachable(f"not HTTP: {line[:100]!r}") from None
            if not version.startswith("HTTP/"):
                raise Unreachable(f"not HTTP: {line[:100]!r}")
            self.headers = []
            while line := await self._connection.line():
                name, _, value = line.decode("latin-1").partition(":")
                self.headers.append((name.strip().lower(), value.strip()))

    async def next(self) -> bytes | None:
        if self._ended:
            return None
        try:
            if self._left == 0 and not await self._begin():
                self._ended = self.complete = True
                return None
            part = await self._connection.some(self._left)
        except ConnectionError:
            self._ended = True
            # Without a length the body ends with the connection; that cannot be told from a cut.
            self.complete = self._left == UNKNOWN
            return None
        except ValueError:  # no chunk's length
            self._ended = True
            return None
        if self._left != UNKNOWN:
            self._left -= len(part)
            if self._left == 0 and self._chunked:
                await self._line_after_chunk()
        return part

    async def _begin(self) -> bool:
        """Find out how much comes; whether anything does."""
        if self._bodyless or self.status in (204, 304):
            return False
        if "chunked" in self.header("transfer-encoding").lower():
            self._chunked = True
            self._left = int((await self._connection.line()).split(b";")[0], 16)
            if self._left == 0:
                while await self._connection.line():
                    pass
            return self._left > 0
        if length := self.header("content-length"):
            self._left = 0 if self._begun else int(length)
            self._begun = True
            return self._left > 0
        self._left = UNKNOWN
        return True

    async def _line_after_chunk(self) -> None:
        try:
            await self._connection.line()
        except ConnectionError:
            self._ended = True


# -- ASGI in process ---------------------------------------------------------------------------

ASGIApp = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[MutableMapping[str, Any]]],
        Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ],
    Awaitable[None],
]

HIGH_WATER = 64 * 1024
"""Bytes that an app may send before somebody reads; as in uvicorn and asyncio's transports."""
LEAVE = 5.0
"""Seconds that an app has to end after its client has left."""


class AppTransport:
    """Reaches an ASGI app in this process. It streams, and a client can leave in the middle; but there is no
    connection.

    Args:
        app: The app.
        path: Of the endpoint.
    """

    def __init__(self, app: ASGIApp, path: str = "/chatkit") -> None:
        self.app = app
        self.url = f"http://testserver{path}"

    @asynccontextmanager
    async def request(
        self, method: str, headers: Headers, body: bytes | Chunks, *, url: str | None = None
    ) -> AsyncGenerator[Reply]:
        """See :class:`Transport`."""
        parts = urlsplit(url or self.url)
        length = (
            ("content-length", str(len(body)))
            if isinstance(body, bytes)
            else ("transfer-encoding", "chunked")
        )
        sent = [("host", parts.netloc), *headers, length]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": parts.scheme,
            "path": parts.path,
            "raw_path": parts.path.encode(),
            "root_path": "",
            "query_string": parts.query.encode(),
            "headers": [
                (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in sent
            ],
            "client": ("127.0.0.1", 50000),
            "server": ("testserver", 80),
            "state": {},
        }
        reply = _AppReply(self.app, scope, body)
        failure: Exception | None = None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(reply.run)
            try:
                await reply.wait(lambda: reply.status or reply.ended)
                if not reply.status:
                    raise ConnectionError("the app returned without answering")
                yield reply
            except Exception as error:  # a task group would put it into a group
                failure = error
            finally:
                reply.leave()
                with anyio.move_on_after(LEAVE, shield=True):
                    await reply.wait(lambda: reply.ended)
                tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure


class _AppReply(Reply):
    """One request to an app. What an app raises is answered as servers do: 500, or a cut connection."""

    def __init__(self, app: ASGIApp, scope: dict[str, Any], body: bytes | Chunks) -> None:
        super().__init__()
        self.ended = False
        self._app = app
        self._scope = scope
        self._body = deque([body] if isinstance(body, bytes) else [*body, b""])
        self._left = False
        self._sent_all = False
        self._unread: deque[bytes] = deque()
        self._changed = anyio.Event()

    def leave(self) -> None:
        self._left = self._left or not self._sent_all
        self._ring()

    async def wait(self, until: Callable[[], object]) -> None:
        while not until():
            await self._changed.wait()

    async def run(self) -> None:
        try:
            await self._app(self._scope, self._receive, self._send)
        except Exception as error:
            if not self.status:
                self.headers = [("content-type", "text/plain; charset=utf-8")]
                self._unread.append(f"Internal Server Error ({type(error).__name__})".encode())
                self.status, self._sent_all = 500, True
        finally:
            self.ended = True
            self._ring()

    async def next(self) -> bytes | None:
        await self.wait(lambda: self._unread or self._sent_all or self.ended)
        if not self._unread:
            self.complete = self._sent_all
            return None
        chunk = self._unread.popleft()
        self._ring()
        return chunk

    async def _receive(self) -> MutableMapping[str, Any]:
        await anyio.lowlevel.checkpoint()
        if self._body and not self._left:
            body = self._body.popleft()
            return {"type": "http.request", "body": body, "more_body": bool(self._body)}
        await self.wait(lambda: self._left or self._sent_all)
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if self._left:  # most servers drop it without a word
            await anyio.lowlevel.checkpoint()
            return
        if message["type"] == "http.response.start":
            self.headers = [
                (name.decode("latin-1").lower(), value.decode("latin-1"))
                for name, value in message.get("headers", ())
            ]
            self.status = message["status"]
        else:
            if chunk := message.get("body", b""):
                self._unread.append(bytes(chunk))
            self._sent_all = not message.get("more_body", False)
        self._ring()
        await self.wait(
            lambda: sum(map(len, self._unread)) <= HIGH_WATER or self._left or self._sent_all
        )
        await anyio.lowlevel.checkpoint()

    def _ring(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
