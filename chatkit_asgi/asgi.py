"""The ASGI application and the middleware: the first adapter of :mod:`chatkit_asgi.http`.

May import ``http`` and below; Starlette only for CORS, and only when it is asked for.
"""

from __future__ import annotations

import logging
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    MutableMapping,
    Sequence,
)
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, cast

import anyio

from ._closing import closing
from ._expected import unexpected
from .http import ContextCallable, Endpoint, Request, joined
from .options import Options
from .server import ChatKitRouter, ChatKitServer
from .turns import Guard, Signal, Viewer, current_backend

__all__ = ["ChatKitApp", "ChatKitMiddleware", "serve"]

logger = logging.getLogger("chatkit_asgi.asgi")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class ChatKitApp:
    """A ChatKit server as an ASGI application; answers every path that it is mounted at.

    Args:
        server: A :class:`~chatkit_asgi.server.ChatKitServer` or :class:`~chatkit_asgi.server.ChatKitRouter`.
        context: Turns each request into the value that hooks and stores get; see
            :class:`~chatkit_asgi.http.ContextRequest`. Default: :class:`~chatkit_asgi.http.RequestContext`.
        options: Replaces the options of the server, hence those of every app, view and router on that server.
        element: Serve the open ``<openai-chatkit>`` element, for pages of your own: its script is
            ``element/chatkit.js`` below the endpoint.
        playground: For development: a page with the element that shows what the server sends. A GET on the endpoint
            leads there. Serves the element too.
    """

    def __init__(
        self,
        server: ChatKitServer[Any] | ChatKitRouter[Any],
        *,
        context: ContextCallable | None = None,
        options: Options | None = None,
        element: bool = False,
        playground: bool = False,
    ) -> None:
        if options is not None and not isinstance(cast("Any", options), Options):
            raise unexpected("options is an Options(...)", options)
        self.endpoint = Endpoint(server, context)
        if element or playground:
            from .playground import install

            install(self.endpoint, playground=playground)
        self.server = self.endpoint.server
        if options is not None:
            self.server.options = options
        self._app: ASGIApp = self._serve
        if self.server.options.cors_origins:
            self._app = _with_cors(self._serve, self.server.options)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "http":
            await self._app(scope, receive, send)
        elif kind == "lifespan":
            await self._lifespan(receive, send)
        elif kind == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        else:
            raise ValueError(f"unknown ASGI scope type {kind!r}")

    async def startup(self) -> None:
        """Accept turns again after a :meth:`shutdown`. For frameworks that do not run the lifespan of mounted apps;
        the first start does not need it."""
        self.server.turns.resume()

    async def shutdown(self) -> None:
        """End the viewers, save the turns within ``options.shutdown_grace``, close the store."""
        await self.server.turns.shutdown()

    @asynccontextmanager
    async def lifespan(self, app: object = None) -> AsyncGenerator[None]:
        """:meth:`startup` and :meth:`shutdown`, for a framework that takes its lifespan as a context manager."""
        await self.startup()
        try:
            yield
        finally:
            await self.shutdown()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.startup()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                try:
                    await self.shutdown()
                except Exception as error:
                    logger.exception("shutdown failed")
                    await send({"type": "lifespan.shutdown.failed", "message": str(error)})
                else:
                    await send({"type": "lifespan.shutdown.complete"})
                return

    def _serve(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return serve(self.endpoint, scope, receive, send)


async def serve(
    endpoint: Endpoint,
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    path: str | None = None,
    raw: Any = None,
    more: Sequence[tuple[bytes, bytes]] = (),
    send_rest: Send | None = None,
) -> None:
    """Answer one HTTP request over ASGI: for adapters of frameworks that let a handler do so.

    Args:
        endpoint: Answers it.
        scope: Of the request.
        receive: Of the request; the body must not have been read.
        send: Takes the answer.
        path: Of the request, below the endpoint. Default: the scope's, below its ``root_path``.
        raw: The framework's own request, for ``context``.
        more: Additional headers to send.
        send_rest: Takes what follows the head of a stream. Default: ``send``.
    """
    try:
        response = await endpoint.handle(_request(scope, receive, path, raw))
    except _ClientGone:
        return
    body = response.body
    headers = [
        (_header_bytes(name), value.encode("latin-1")) for name, value in response.headers.items()
    ]
    headers += more
    start: Message = {
        "type": "http.response.start",
        "status": response.status,
        "headers": headers,
    }
    if isinstance(body, bytes):
        # Of these it would be the length of another answer (RFC 9110, section 8.6).
        if response.status not in (204, 304):
            headers.append((b"content-length", b"%d" % len(body)))
        await send(start)
        await send({"type": "http.response.body", "body": body})
        return
    if not isinstance(body, Viewer):
        await _send_file(body, start, receive, send, endpoint.server.options.send_timeout)
        return
    try:
        await send(start)
        del response, headers, start  # a silent stream may last for hours
        await _stream(body, receive, send_rest or send, endpoint.server.options.send_timeout)
    finally:
        body.close()


class _ClientGone(BaseException):
    """The client left before its request was complete. Not an ``Exception``: nobody can answer it."""


def _request(scope: Scope, receive: Receive, path: str | None, raw: Any) -> Request:
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key = _header_name(name) if len(name) < 64 else name.decode("latin-1").lower()
        text = value.decode("latin-1")
        if key in headers:
            text = joined(key, headers[key], text)
        headers[key] = text
    client = scope.get("client")
    return Request(
        method=scope["method"],
        headers=headers,
        body=_Chunks(receive),
        path=_path_below_root(scope) if path is None else path,
        query=scope.get("query_string", b"").decode("latin-1"),
        scope=scope,
        client=client[0] if client else None,
        raw=raw,
    )


@lru_cache(maxsize=512)
def _header_name(name: bytes) -> str:
    """One copy of each name for all requests: contexts keep the headers for as long as an answer streams. Only
    short names are cached, because the client chooses them."""
    return name.decode("latin-1").lower()


@lru_cache(maxsize=512)
def _header_bytes(name: str) -> bytes:
    return name.encode("latin-1")


class _Chunks:
    """The body as it arrives. Not a generator: event loops register every async generator, which costs more than
    reading the body."""

    __slots__ = ("_more", "_receive")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._more = True

    def __aiter__(self) -> _Chunks:
        return self

    async def __anext__(self) -> bytes:
        if not self._more:
            raise StopAsyncIteration
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise _ClientGone
        self._more = message.get("more_body", False)
        body: bytes = message.get("body", b"")
        return body


async def _until_gone(receive: Receive) -> None:
    """Wait until the client has gone. Servers silently drop what is sent after a disconnect, and only ``receive``
    reports it; so one task waits here while another sends."""
    ends = 0
    try:
        while (message := await receive())["type"] != "http.disconnect":
            ends += not message.get("more_body", False)
            # aiohttp-asgi repeats the body's end for ever and never reports a disconnect; sending fails there.
            if ends > 1:
                await anyio.sleep_forever()
    except Exception:  # some servers report it like this
        logger.debug("receive failed", exc_info=True)


async def _send_file(
    chunks: AsyncIterator[bytes], start: Message, receive: Receive, send: Send, timeout: float
) -> None:
    """Send the chunks of a file until the client has gone; a client that takes nothing for ``timeout`` seconds counts
    as gone."""
    backend = current_backend()
    guard = backend.guard(absorb=False)
    is_last = False

    async def watch() -> None:
        await _until_gone(receive)
        if not is_last:  # servers may tell of the end while they take the last of it
            guard.interrupt()

    async def is_sent(message: Message) -> bool:
        try:
            with anyio.fail_after(timeout):
                await send(message)
        except OSError:  # how some servers report that the client has gone; TimeoutError is one
            logger.debug("file not sent to its end", exc_info=True)
            return False
        return True

    stop_watching = backend.spawn(watch)
    try:
        async with closing(chunks), guard:
            if not await is_sent(start):
                return
            async for chunk in chunks:
                message = {"type": "http.response.body", "body": chunk, "more_body": True}
                if not await is_sent(message):
                    return
            is_last = True
            await is_sent({"type": "http.response.body", "body": b""})
    finally:
        stop_watching()


async def _stream(viewer: Viewer, receive: Receive, send: Send, timeout: float) -> None:
    """Send chunks until the turn is over or the client has gone.

    The request's own task runs inside everything that frameworks and middleware wrap around an app, so it only waits
    for the client to go. A separate task, which wakes up without passing through them, does the sending.
    """
    backend = current_backend()
    guard = backend.guard(absorb=False)
    viewer.on_dead = guard.interrupt
    sender = _Sender(viewer, send, guard)
    cancel: Callable[[], object] | None = None
    try:
        async with guard:
            if (chunk := viewer.take()) is not None:  # the first chunk need not wait for a task
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                del chunk
            cancel = backend.spawn(sender.run)
            if not sender.is_over:  # an eager task may be
                await _until_gone(receive)
                if sender.is_last:  # servers may tell of the end while they take the last of it
                    await backend.sleep(timeout)  # which the sender's end interrupts
    except OSError:  # how some servers report that the client has gone
        pass
    finally:
        if cancel is not None:
            cancel()
        viewer.close()
        if sender.has_begun and not sender.is_over:
            sender.over = backend.signal()
            with backend.shield():
                await sender.over.wait()
        sender.is_over = True
    if sender.failure is not None:
        raise sender.failure


class _Sender:
    """Sends what a viewer gets. Invariant: nothing is sent any more when the app has returned."""

    __slots__ = ("_guard", "_send", "_viewer", "failure", "has_begun", "is_last", "is_over", "over")

    def __init__(self, viewer: Viewer, send: Send, guard: Guard) -> None:
        self._viewer, self._send, self._guard = viewer, send, guard
        self.has_begun = False
        self.is_last = False
        """Whether it sends the end of the answer, or has sent it."""
        self.is_over = False
        """If set from outside before it has begun, it does not begin: the client has gone."""
        self.over: Signal | None = None
        """Set at the end, where somebody waits for it."""
        self.failure: Exception | None = None
        """What ``send`` has raised."""

    async def run(self) -> None:
        """The task. Interrupts the guard at its end."""
        if self.is_over:
            return
        self.has_begun = True
        viewer, send = self._viewer, self._send
        try:
            more = True
            while more:
                chunk = viewer.take()
                more = not viewer.ended
                if chunk is not None or not more:
                    self.is_last = not more
                    await send(
                        {"type": "http.response.body", "body": chunk or b"", "more_body": more}
                    )
                    del chunk  # what comes next may be hours away
                else:
                    await viewer.news.wait()
        except OSError:  # how some servers report that the client has gone
            pass
        except Exception as error:
            self.failure = error
        finally:
            self.is_over = True
            if self.over is not None:
                self.over.set()
            self._guard.interrupt()


def _with_cors(app: ASGIApp, options: Options) -> ASGIApp:
    try:
        from starlette.middleware.cors import CORSMiddleware
    except ImportError as error:
        raise ImportError(
            "cors_origins needs Starlette: pip install chatkit-asgi[starlette]"
        ) from error
    return CORSMiddleware(
        app,
        allow_origins=list(options.cors_origins),
        allow_methods=["GET", "HEAD", "POST", "PUT"],
        allow_headers=["*"],
        allow_credentials=options.cors_credentials,
        expose_headers=["x-request-id"],
    )


class ChatKitMiddleware:
    """Answers one path of an existing ASGI app; everything else passes through untouched.

    Args:
        app: The app to wrap.
        chatkit_app: Answers ``path`` and what is below it.
        path: The path to answer. A trailing slash does not matter.
    """

    def __init__(
        self,
        # Frameworks have types of their own for scope, receive and send.
        app: Callable[..., Awaitable[None]],
        chatkit_app: ChatKitApp,
        path: str = "/chatkit",
    ) -> None:
        if not isinstance(cast("Any", chatkit_app), ChatKitApp):
            raise unexpected("chatkit_app, the second argument, is a ChatKitApp", chatkit_app)
        if isinstance(app, type) or not callable(cast("Any", app)):
            raise unexpected("app, the first argument, is the ASGI application to wrap", app)
        if not path.startswith("/"):
            raise ValueError(f"path begins with a slash, unlike {path!r}")
        self.app = app
        self.chatkit_app = chatkit_app
        self.path = path.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = _path_below_root(scope)
            if path == self.path or path.startswith(self.path + "/"):
                root = scope.get("root_path", "")
                below = {**scope, "path": root + path, "root_path": root + self.path}
                await self.chatkit_app(below, receive, send)
                return
        elif scope["type"] == "lifespan":
            await self.app(scope, *_and_shut_down(self.chatkit_app, receive, send))
            return
        await self.app(scope, receive, send)


def _path_below_root(scope: Scope) -> str:
    """The path without ``root_path``, which it should begin with and, under some servers, does not."""
    path: str = scope["path"]
    rest = path.removeprefix(scope.get("root_path", ""))
    return rest if not rest or rest.startswith("/") else path


def _and_shut_down(chatkit_app: ChatKitApp, receive: Receive, send: Send) -> tuple[Receive, Send]:
    """The wrapped app answers the lifespan. ChatKit's turns end before it is told of the shutdown, because their
    handlers and their saving may need what it closes then."""
    failure = ""

    async def receiving() -> Message:
        nonlocal failure
        message = await receive()
        if message["type"] == "lifespan.startup":
            await chatkit_app.startup()
        elif message["type"] == "lifespan.shutdown":
            try:
                await chatkit_app.shutdown()
            except Exception as error:
                logger.exception("shutdown failed")
                failure = str(error) or type(error).__name__
        return message

    async def sending(message: Message) -> None:
        if failure and message["type"] == "lifespan.shutdown.complete":
            message = {"type": "lifespan.shutdown.failed", "message": failure}
        await send(message)

    return receiving, sending
