"""The view: a Django request to the core's and the core's answer to Django's."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, cast

from asgiref.sync import markcoroutinefunction
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.http.request import HttpHeaders
from django.urls import URLPattern, re_path

from chatkit_asgi import ChatKitRouter, ChatKitServer, Options
from chatkit_asgi._expected import unexpected
from chatkit_asgi.errors import HookMissing
from chatkit_asgi.http import (
    ContextCallable,
    Endpoint,
    Request,
    Response,
    Route,
    refuse,
    refuse_cors,
)
from chatkit_asgi.turns import Viewer, current_backend

from .identity import Identity
from .threads import end_request_thread, request_thread

__all__ = ["ChatKitView", "Stream", "chatkit_urls"]

Send = Callable[[dict[str, Any]], Awaitable[None]]

CHUNK = 64 * 1024

_UNPREFIXED = HttpHeaders.UNPREFIXED_HEADERS

ASGI_ONLY = "ChatKit streams: this project must be served with ASGI, and tested with AsyncClient."


class ChatKitView:
    """A ChatKit endpoint as an async view, for any method, at its URL and below it.

    Args:
        server: A :class:`~chatkit_asgi.ChatKitServer` or :class:`~chatkit_asgi.ChatKitRouter`.
        context: Turns each request into the value that hooks and stores get; may be async, may raise ``Unauthorized``
            or ``Forbidden``. It gets a :class:`~chatkit_asgi.ContextRequest` whose ``raw`` is the Django request, after
            the CSRF token has been checked. Default: :class:`~chatkit_django.DjangoContext`, for signed-in people only.
        anonymous: Let people in who are not signed in; each session sees its own threads.
        options: Replaces the options of the server, hence those of every app, view and router on that server.
        routes: What is served beside the protocol, by the first segment below the path. Neither ``context`` nor the
            CSRF token is asked for: browsers follow links to attachments without headers.

    Raises:
        ValueError: The options have ``cors_origins``: use ``django-cors-headers`` instead.
    """

    csrf_exempt = True
    """The check is made by :class:`~chatkit_django.identity.Identity`, which says why."""
    login_required = False
    """Nor does ``LoginRequiredMiddleware`` redirect a script to a page: the answer is 401."""

    def __init__(
        self,
        server: ChatKitServer[Any] | ChatKitRouter[Any],
        *,
        context: ContextCallable | None = None,
        anonymous: bool = False,
        options: Options | None = None,
        routes: Mapping[str, Route] | None = None,
    ) -> None:
        if options is not None and not isinstance(cast("Any", options), Options):
            raise unexpected("options is an Options(...)", options)
        if context is not None and not callable(cast("Any", context)):
            raise unexpected("context is a function of the request", context)
        self.identity = Identity(context, anonymous=anonymous)
        self.endpoint = Endpoint(server, self.identity)
        self.endpoint.routes.update(routes or {})
        self.server = self.endpoint.server
        if options is not None:
            self.server.options = options
        refuse_cors(self.server, "django-cors-headers (CorsMiddleware and CORS_ALLOWED_ORIGINS)")
        # ATOMIC_REQUESTS is for views that are not async.
        self._non_atomic_requests = set(settings.DATABASES)
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest, below: str | None = None) -> HttpResponseBase:
        if not isinstance(request, ASGIRequest):
            return _answer(request, refuse(HookMissing(ASGI_ONLY), {}))
        with request_thread():
            response = await self.endpoint.handle(_request(request, below or ""))
        return _answer(request, response)


def _request(request: ASGIRequest, below: str) -> Request:
    return Request(
        method=request.method or "",
        headers=_headers(request.META),
        body=_body(request),
        path=below,
        query=request.META["QUERY_STRING"],
        scope=request.scope,
        client=request.META.get("REMOTE_ADDR"),
        raw=request,
    )


def _headers(meta: Mapping[str, Any]) -> dict[str, str]:
    """``request.headers`` with names in lower case, without the two objects that Django makes for each header."""
    return {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in meta.items()
        if name.startswith("HTTP_") or name in _UNPREFIXED
    }


async def _body(request: HttpRequest) -> AsyncIterator[bytes]:
    """Django has received all of it; ``request.body`` would apply a limit other than ours."""
    while chunk := request.read(CHUNK):
        yield chunk


def _answer(request: HttpRequest, response: Response) -> HttpResponseBase:
    body = response.body
    if isinstance(body, bytes):
        headers = {**response.headers, "content-length": str(len(body))}
        answer = HttpResponse(body, status=response.status, headers=headers)
        # The core has logged it, with its code and request id; Django would log it again.
        vars(answer)["_has_been_logged"] = True
        return answer
    # Middleware that compresses asks this header first; it would delay streams and damage parts of files.
    request.META.pop("HTTP_ACCEPT_ENCODING", None)
    return Stream(_Chunks(body), status=response.status, headers=response.headers)


class Stream(StreamingHttpResponse):
    """Sends the chunks as they are. Django would pass each through two generators of its own, which cost as much as all
    else that we do for it; they are only used if a middleware has wrapped the chunks."""

    _chunks: _Chunks | None = None

    @property
    def streaming_content(self) -> Any:
        """What a middleware sees, and may replace."""
        return super().streaming_content

    @streaming_content.setter
    def streaming_content(self, value: Any) -> None:
        self._chunks = value if isinstance(value, _Chunks) else None
        inherited: Any = StreamingHttpResponse.streaming_content
        inherited.fset(self, value)

    def send_to(self, send: Send) -> None:
        """Bypass Django's own sending too, unless a middleware has wrapped the chunks: see :mod:`.asgi`."""
        if self._chunks is not None:
            self._chunks.send = send

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._chunks or super().__aiter__()


class _Chunks:
    """What a stream sends. Closes the body whatever happens: Django calls :meth:`close` in some thread when the answer
    has been sent or the client has gone, and silently drops an answer that it never began to send."""

    def __init__(self, body: Viewer | AsyncIterator[bytes]) -> None:
        self.send: Send | None = None
        """If set, the first step sends everything."""
        self._body = body
        self._begun = False
        self._closed = False
        self._call_soon = current_backend().from_anywhere()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    def __anext__(self) -> Awaitable[bytes]:
        body = self._body
        if not self._begun:
            self._begun = True
            end_request_thread()
            task = asyncio.current_task()
            if isinstance(body, Viewer) and task is not None:
                body.on_dead = task.cancel
            if self.send is not None:
                return self._send_all(self.send)
        return body.__anext__()

    async def _send_all(self, send: Send) -> bytes:
        body = self._body
        # As ``async for`` would do it, without a coroutine for each chunk.
        if isinstance(body, Viewer):
            while True:
                if (chunk := body.take()) is not None:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                elif body.ended:
                    break
                else:
                    await body.news.wait()
        else:
            async for chunk in body:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Close the body, on its own loop."""
        self._close()

    def close(self) -> None:
        """Close the body, from any thread."""
        if not self._closed:
            with suppress(RuntimeError):  # the loop has ended, and the turn with it
                self._call_soon(self._close)

    __del__ = close

    def _close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if isinstance(self._body, Viewer):
            self._body.close()
        elif (aclose := getattr(self._body, "aclose", None)) is not None:
            current_backend().spawn(aclose)


def chatkit_urls(
    server: ChatKitServer[Any] | ChatKitRouter[Any],
    path: str = "chatkit",
    *,
    context: ContextCallable | None = None,
    anonymous: bool = False,
    options: Options | None = None,
    routes: Mapping[str, Route] | None = None,
    name: str = "chatkit",
) -> list[URLPattern]:
    """URL patterns of an endpoint at ``path`` and of all that is below it; a list to put into ``urlpatterns``.

    Args:
        server: As for :class:`ChatKitView`, as are ``context``, ``anonymous``, ``options`` and ``routes``.
        path: Without slashes around it; they do not matter.
        name: For ``reverse``.
    """
    view = ChatKitView(server, context=context, anonymous=anonymous, options=options, routes=routes)
    return [re_path(rf"^{re.escape(path.strip('/'))}(?P<below>/[\s\S]*)?\Z", view, name=name)]
