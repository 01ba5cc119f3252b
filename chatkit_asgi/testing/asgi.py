"""A bridge into an ASGI application that really streams, in process, on asyncio and on trio.

The usual in-process clients wait for the whole answer, so they can show neither streaming nor what happens when a
client stops in the middle. Here the app runs in a task of its own and every message it sends can be read when it is
sent; the client can leave, stop reading, have its request's task cancelled, or send its body bit by bit.

Knows ASGI and nothing of this library's server, so any app can be tested with it. May import anyio, msgspec and
``protocol``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Mapping,
    MutableMapping,
)
from types import TracebackType
from typing import Any, Final, Self, TypeAlias, cast
from urllib.parse import unquote

import anyio
import anyio.abc
import msgspec

from ..protocol.codec import encode
from ..protocol.sse import EventParser

__all__ = ["HANG_UP", "ASGIBridge", "ASGIResponse", "NoResponse", "RequestBody"]

ASGIApp: TypeAlias = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[MutableMapping[str, Any]]],
        Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ],
    Awaitable[None],
]


class _HangUp:
    def __repr__(self) -> str:
        return "HANG_UP"


HANG_UP: Final = _HangUp()
"""Among the chunks of a request's body: the client leaves here, before its request is complete."""

RequestBody: TypeAlias = Any
"""Bytes or text as they are; an iterable or async iterable of chunks, sent one by one; anything else as JSON."""

HIGH_WATER: Final = 64 * 1024
"""Bytes that an app may send before somebody reads; as in uvicorn and asyncio's transports."""


class NoResponse(Exception):
    """The app returned, or was cancelled, without answering."""


class _Bell:
    """Wakes everybody who waits for a condition."""

    def __init__(self) -> None:
        self._event = anyio.Event()

    def ring(self) -> None:
        self._event.set()
        self._event = anyio.Event()

    async def wait_until(self, condition: Callable[[], object]) -> None:
        while not condition():
            await self._event.wait()


class ASGIBridge:
    """Talks to one ASGI app.

    Example::

        async with ASGIBridge(app) as bridge:
            async with bridge.stream({"type": "threads.create", "params": ...}) as response:
                async for event in response:
                    print(event["type"])

    Args:
        app: The app.
        lifespan: Whether to start the app up on entry and shut it down on exit.
        path: Where requests go unless they say otherwise; percent-encoded, as in a URL.
        root_path: Of every scope, as if a server had mounted the app.
        headers: Of every request.
        client: The client's address in every scope.
        timeout: Seconds after which any wait for the app fails with ``TimeoutError``.
    """

    def __init__(
        self,
        app: Any,
        *,
        lifespan: bool = False,
        path: str = "/chatkit",
        root_path: str = "",
        headers: Mapping[str, str] | None = None,
        client: tuple[str, int] | None = ("127.0.0.1", 50000),
        timeout: float = 20.0,
    ) -> None:
        self.app: ASGIApp = app
        self.path = path
        self.root_path = root_path
        self.headers = dict(headers or {})
        self.client = client
        self.timeout = timeout
        self.state: dict[str, Any] = {}
        """The lifespan's state, copied into every scope."""
        self._lifespan = _Lifespan(self) if lifespan else None
        self._tasks: anyio.abc.TaskGroup | None = None

    async def __aenter__(self) -> Self:
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        if self._lifespan is not None:
            try:
                await self._lifespan.start(self._tasks)
            except BaseException:
                await self._stop()
                raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if self._lifespan is not None:
                with anyio.CancelScope(shield=True):
                    await self._lifespan.stop()
        finally:
            await self._stop()

    async def _stop(self) -> None:
        """Without the body's exception, which would come back in a group."""
        assert self._tasks is not None
        tasks, self._tasks = self._tasks, None
        tasks.cancel_scope.cancel()
        await tasks.__aexit__(None, None, None)

    def stream(
        self,
        body: RequestBody = b"",
        *,
        method: str = "POST",
        path: str | None = None,
        query: str = "",
        headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
        high_water: int = HIGH_WATER,
        send_raises: bool = False,
        scope: Mapping[str, Any] | None = None,
    ) -> ASGIResponse:
        """Send a request; the answer is read inside ``async with``. Leaving it early is a disconnect.

        Args:
            body: See :data:`RequestBody`.
            method: The HTTP method.
            path: Instead of the bridge's.
            query: Without the question mark.
            headers: Besides the bridge's; they replace those of the same name. ``content-type`` is JSON and
                ``content-length`` is right unless they say otherwise.
            high_water: Bytes that may wait to be read; then the app's ``send`` blocks, as it does for a client that
                has stopped reading.
            send_raises: Whether ``send`` raises ``OSError`` after a disconnect, as ASGI 2.4 allows, or drops what is
                sent without a word, as most servers do.
            scope: More keys of the scope.
        """
        if self._tasks is None:
            raise RuntimeError("the bridge is not open: async with ASGIBridge(app) as bridge")
        chunks, length = _chunks_of(body)
        merged = {"content-type": "application/json"} | {
            name.lower(): value for name, value in self.headers.items()
        }
        pairs: Iterable[tuple[str, str]] = (
            cast("Mapping[str, str]", headers).items()
            if isinstance(headers, Mapping)
            else headers or ()
        )
        given = [(name.lower(), value) for name, value in pairs]
        for name, _ in given:
            merged.pop(name, None)
        if length is None:
            merged.setdefault("transfer-encoding", "chunked")
        elif not any(name == "content-length" for name, _ in given):
            merged["content-length"] = str(length)
        where = self.path if path is None else path
        full: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4" if send_raises else "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(self.root_path + where),
            "raw_path": (self.root_path + where).encode(),
            "root_path": self.root_path,
            "query_string": query.encode(),
            "headers": [
                (name.encode("latin-1"), value.encode("latin-1"))
                for name, value in [("host", "testserver"), *merged.items(), *given]
            ],
            "client": self.client,
            "server": ("testserver", 80),
            "state": dict(self.state),
            **(scope or {}),
        }
        return ASGIResponse(self, full, chunks, high_water, send_raises)

    async def request(self, body: RequestBody = b"", **options: Any) -> ASGIResponse:
        """Send a request and read the whole answer. Takes the options of :meth:`stream`."""
        async with self.stream(body, **options) as response:
            await response.read()
        return response

    async def post(self, body: RequestBody, **options: Any) -> ASGIResponse:
        """:meth:`request` with a body."""
        return await self.request(body, **options)

    def spawn(self, call: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run beside everything else while the bridge is open."""
        assert self._tasks is not None
        self._tasks.start_soon(call)


class ASGIResponse:
    """The answer to one request, read while it is written. Made by :meth:`ASGIBridge.stream`.

    Iterating gives the events of a stream as JSON objects; :meth:`frames` gives them as bytes and :meth:`chunks`
    the app's messages. One of these at a time: each takes what it gives.
    """

    def __init__(
        self,
        bridge: ASGIBridge,
        scope: dict[str, Any],
        body: AsyncIterator[Any],
        high_water: int,
        send_raises: bool,
    ) -> None:
        self.scope = scope
        self.status = 0
        self.headers: dict[str, str] = {}
        """In lower case; values of a repeated name are joined by a comma."""
        self.received = 0
        """How many parts of the request's body the app has taken."""
        self.sent: list[bytes] = []
        """The body of every message that the app has sent, read or not."""
        self.complete = False
        """Whether the app has sent the whole answer."""
        self.left = False
        """Whether the client has left."""
        self.ended = False
        """Whether the app has returned."""
        self.error: BaseException | None = None
        """What the app raised; raised on leaving ``async with`` unless it was taken away before."""
        self._bridge = bridge
        self._body = body
        self._all_received = False
        self._high_water = high_water
        self._send_raises = send_raises
        self._bell = _Bell()
        self._unread: deque[bytes] = deque()
        self._waiting = 0
        self._rest = b""
        self._parser = EventParser()
        self._events: deque[Any] = deque()
        self._task = anyio.CancelScope()

    async def __aenter__(self) -> Self:
        self._bridge.spawn(self._run)
        try:
            await self._until(lambda: self.status or self.ended)
        except BaseException:
            await self._leave()
            raise
        if not self.status:
            error, self.error = self.error, None
            raise error or NoResponse("the app returned without answering")
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._leave()
        error, self.error = self.error, None
        if error is not None and exc is None:
            raise error

    async def _leave(self) -> None:
        self._disconnect()
        with anyio.CancelScope(shield=True), anyio.move_on_after(self._bridge.timeout) as scope:
            await self._bell.wait_until(lambda: self.ended)
        if scope.cancelled_caught:
            self._task.cancel()
            raise TimeoutError("the app goes on although its client has left")

    # -- the client's side ---------------------------------------------------------------------

    def chunks(self) -> AsyncIterator[bytes]:
        """The body of each message, as it comes."""
        return _Series(self._next)

    def frames(self) -> AsyncIterator[bytes]:
        """Each frame of an event stream with its blank line, comments too."""
        return _Series(self._next_frame)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        event = await self.next_event()
        if event is None:
            raise StopAsyncIteration
        return event

    async def next_event(self) -> Any:
        """The next event of an event stream, or ``None`` at its end."""
        while not self._events:
            chunk = await self._next()
            if chunk is None:
                return None
            self._events += [msgspec.json.decode(event.data) for event in self._parser.feed(chunk)]
        return self._events.popleft()

    async def wait_for(self, wanted: str | Callable[[Any], object]) -> Any:
        """Read until an event of that type, or one that ``wanted`` is true of.

        Raises:
            LookupError: The stream ended without one.
        """
        seen: list[str] = []
        while (event := await self.next_event()) is not None:
            if event["type"] == wanted if isinstance(wanted, str) else wanted(event):
                return event
            seen.append(event["type"])
        raise LookupError(f"the stream ended; it had {', '.join(seen) or 'no events'}")

    async def read(self) -> bytes:
        """The rest of the body, when it is complete."""
        return b"".join([chunk async for chunk in self.chunks()])

    @property
    def body(self) -> bytes:
        """All that was sent so far."""
        return b"".join(self.sent)

    def json(self) -> Any:
        """The body so far as one JSON value."""
        return msgspec.json.decode(self.body)

    def all_events(self) -> list[Any]:
        """All events that were sent so far, whether or not they were read."""
        return [msgspec.json.decode(event.data) for event in EventParser().feed(self.body)]

    async def disconnect(self) -> None:
        """Leave: the app's ``receive`` tells it, and what it sends from now on is lost. Returns when it has ended."""
        await self._leave()

    async def cancel(self) -> None:
        """Cancel the task of the request, as some frameworks do to one whose client has left."""
        self._task.cancel()
        await self._until(lambda: self.ended)

    async def wait_ended(self) -> None:
        """Wait until the app has returned."""
        await self._until(lambda: self.ended)

    async def wait_blocked(self) -> None:
        """Wait until the app is held in ``send`` because nobody reads."""
        await self._until(lambda: self._waiting > self._high_water or self.ended)

    async def _next(self) -> bytes | None:
        await self._until(lambda: self._unread or self.complete or self.ended or self.left)
        if not self._unread:
            if self.ended and not self.complete and not self.left and self.error is not None:
                error, self.error = self.error, None
                raise error
            return None
        chunk = self._unread.popleft()
        self._waiting -= len(chunk)
        self._bell.ring()
        return chunk

    async def _next_frame(self) -> bytes | None:
        while b"\n\n" not in self._rest:
            chunk = await self._next()
            if chunk is None:
                return None
            self._rest += chunk
        frame, self._rest = self._rest.split(b"\n\n", 1)
        return frame + b"\n\n"

    async def _until(self, condition: Callable[[], object]) -> None:
        with anyio.fail_after(self._bridge.timeout):
            await self._bell.wait_until(condition)

    def _disconnect(self) -> None:
        if not self.complete:
            self.left = True
        self._bell.ring()

    # -- the app's side ------------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            with self._task:
                await self._bridge.app(self.scope, self._receive, self._send)
                if self.status and not self.complete and not self.left:
                    raise AssertionError("the app returned in the middle of its answer")
        except Exception as error:
            self.error = error
        finally:
            self.ended = True
            self._bell.ring()
            if (close := getattr(self._body, "aclose", None)) is not None:
                with anyio.CancelScope(shield=True):
                    await close()

    async def _receive(self) -> dict[str, Any]:
        if not self._all_received and not self.left:
            chunk: Any = await anext(self._body, None)
            if chunk is HANG_UP:
                self.left = True
                self._bell.ring()
            elif not self.left:
                self.received += chunk is not None
                self._all_received = chunk is None
                return {
                    "type": "http.request",
                    "body": chunk or b"",
                    "more_body": chunk is not None,
                }
        await self._bell.wait_until(lambda: self.left or self.complete)
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            assert not self.status, "http.response.start twice"
            for name, value in message.get("headers", ()):
                assert isinstance(name, bytes), "names of headers are bytes"
                assert name == name.lower(), f"{name!r} is not in lower case"
                key, text = name.decode("latin-1"), value.decode("latin-1")
                self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text
            self.status = message["status"]
        elif kind == "http.response.body":
            assert self.status, "http.response.body before http.response.start"
            assert not self.complete, "http.response.body after the last"
            if self.left:
                await anyio.lowlevel.checkpoint()
                if self._send_raises:
                    raise OSError("the client has left")
                return
            if chunk := message.get("body", b""):
                self.sent.append(chunk)
                self._unread.append(chunk)
                self._waiting += len(chunk)
            self.complete = not message.get("more_body", False)
        else:
            raise AssertionError(f"unexpected ASGI message {kind!r}")
        self._bell.ring()
        await anyio.lowlevel.checkpoint()
        await self._bell.wait_until(
            lambda: self._waiting <= self._high_water or self.left or self.complete
        )


class _Series(AsyncIterator[bytes]):
    """Calls until there is no more. Not a generator: one that is left half read would have to be closed."""

    def __init__(self, following: Callable[[], Awaitable[bytes | None]]) -> None:
        self._following = following

    async def __anext__(self) -> bytes:
        found = await self._following()
        if found is None:
            raise StopAsyncIteration
        return found


class _Lifespan:
    """The lifespan of the bridge's app."""

    def __init__(self, bridge: ASGIBridge) -> None:
        self._bridge = bridge
        self._to_app: deque[str] = deque()
        self._from_app: list[str] = []
        self._message = ""
        self._ended = False
        self._bell: _Bell

    async def start(self, tasks: anyio.abc.TaskGroup) -> None:
        self._bell = _Bell()
        tasks.start_soon(self._run)
        await self._phase("startup")

    async def stop(self) -> None:
        if not self._ended:
            await self._phase("shutdown")

    async def _phase(self, name: str) -> None:
        self._to_app.append(f"lifespan.{name}")
        self._bell.ring()
        done = {f"lifespan.{name}.complete", f"lifespan.{name}.failed"}
        with anyio.fail_after(self._bridge.timeout):
            await self._bell.wait_until(lambda: self._ended or done & set(self._from_app))
        if f"lifespan.{name}.complete" not in self._from_app:
            raise RuntimeError(f"{name} failed: {self._message}")

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": self._bridge.state}
        try:
            await self._bridge.app(scope, self._receive, self._send)
        except Exception as error:
            self._message = self._message or f"{type(error).__name__}: {error}"
        finally:
            self._ended = True
            self._bell.ring()

    async def _receive(self) -> dict[str, Any]:
        await self._bell.wait_until(lambda: self._to_app)
        return {"type": self._to_app.popleft()}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        self._from_app.append(message["type"])
        self._message = message.get("message", "")
        self._bell.ring()


def _chunks_of(body: RequestBody) -> tuple[AsyncIterator[Any], int | None]:
    """The chunks, and the length where it is known."""
    if isinstance(body, str):
        body = body.encode()
    elif not isinstance(body, bytes | bytearray | AsyncIterable | Iterable) or isinstance(
        body, Mapping | msgspec.Struct
    ):
        body = encode(body)
    if isinstance(body, bytes | bytearray):
        whole = bytes(body)
        return _each([whole] if whole else []), len(whole)
    if isinstance(body, AsyncIterable):
        return cast("AsyncIterable[Any]", body).__aiter__(), None
    return _each(cast("Iterable[Any]", body)), None


async def _each(chunks: Iterable[Any]) -> AsyncIterator[Any]:
    for chunk in chunks:
        yield chunk
