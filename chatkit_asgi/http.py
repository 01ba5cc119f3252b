"""Request in, response out: the only seam between the protocol and any framework.

An adapter turns its framework's request into a :class:`Request`, awaits :meth:`Endpoint.handle` and turns the
:class:`Response` into its framework's answer. Method, media type, size, context, errors and headers are decided only
here. Knows no framework. May import ``operations`` and everything below.
"""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, cast

from msgspec import Struct, field

from ._closing import closing
from ._expected import unexpected
from .errors import (
    BadRequest,
    MethodNotAllowed,
    TooLarge,
    UnsupportedMediaType,
    failure_of,
)
from .ids import random_id
from .operations import answer
from .options import Options
from .protocol.codec import decode_request, encode
from .server import ChatKitRouter, ChatKitServer
from .turns import Viewer

__all__ = [
    "ContextCallable",
    "ContextRequest",
    "Endpoint",
    "Request",
    "RequestContext",
    "Response",
    "Route",
    "check_path",
    "joined",
    "refuse",
    "refuse_cors",
]

logger = logging.getLogger("chatkit_asgi")

STREAM_HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
}
JSON_HEADERS = {"content-type": "application/json", "cache-control": "no-store"}

_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
_LENGTH = re.compile(r"[0-9]{1,18}")
MAX_KEY = 255
"""Characters of an ``Idempotency-Key``; the limit that Stripe chose for the same header."""


class Request(Struct, kw_only=True):
    """A framework-neutral HTTP request."""

    method: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: AsyncIterator[bytes] | bytes
    """The whole body, or its chunks as they arrive."""
    path: str = ""
    """Below the endpoint, decoded, with its leading slash. ``""`` and ``"/"`` are the endpoint itself."""
    query: str = ""
    """Without the question mark."""
    scope: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The ASGI scope, where there is one."""
    client: str | None = None
    """The peer's address, as the server reports it."""
    raw: Any = None
    """The framework's own request."""


class ContextRequest(Struct, kw_only=True):
    """What the ``context=`` callable gets: the HTTP request and the decoded ChatKit request."""

    headers: Mapping[str, str]
    query: str
    scope: Mapping[str, Any]
    client: str | None
    raw: Any
    request: Any
    """One of the sixteen requests. For a direct upload an ``attachments.create`` with an empty name and media type and
    the size of the whole form: nothing else is known before ``context`` has let the person in."""

    @property
    def type(self) -> str:
        """The ChatKit request's type."""
        name: str = self.request.type
        return name

    @property
    def params(self) -> Any:
        """The ChatKit request's parameters."""
        return self.request.params

    @property
    def metadata(self) -> dict[str, Any]:
        """What the page put into the envelope."""
        found: dict[str, Any] = self.request.metadata
        return found


class RequestContext(Struct, kw_only=True):
    """The default context."""

    user_id: str | None = None
    locale: str | None = None
    """The client's active locale, from ``Accept-Language``."""
    headers: Mapping[str, str]


ContextCallable = Callable[[ContextRequest], Any]


class Response(Struct, kw_only=True):
    """A framework-neutral HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes | Viewer | AsyncIterator[bytes]
    """All of it; the viewer of a turn to read chunks from; or the chunks of a file. Close the viewer, and the iterator
    if it has an ``aclose``, whatever happens."""

    def chunks(self) -> AsyncIterator[bytes]:
        """The body, piece by piece, for frameworks that stream what they iterate over. It is closed by ``aclose``."""
        body = self.body
        return body if isinstance(body, Viewer) else _pieces(body)


async def _pieces(body: bytes | AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    if isinstance(body, bytes):
        yield body
        return
    async with closing(body):
        async for chunk in body:
            yield chunk


Route = Callable[[Request, str], Awaitable[Response]]
"""Answers what lies below one segment of the endpoint's path: gets the request and the rest of its path, which is
``""`` or begins with a slash. Exceptions are answered as everywhere else."""


def default_context(request: ContextRequest | Request) -> RequestContext:
    """No user; the locale and the headers."""
    headers = request.headers
    locale = headers.get("accept-language")
    if locale is not None:
        locale = locale.split(",", 1)[0].split(";", 1)[0].strip()
    return RequestContext(locale=None if locale in ("", "*") else locale, headers=headers)


class Endpoint:
    """One ChatKit endpoint.

    Args:
        server: A server, or a router of handler callables.
        context: Turns a request into the author's own value; may be async, may raise ``Unauthorized``, ``Forbidden``
            or an HTTP exception of a framework.
    """

    def __init__(
        self,
        server: ChatKitServer[Any] | ChatKitRouter[Any],
        context: ContextCallable | None = None,
    ) -> None:
        given: Any = server.server if isinstance(server, ChatKitRouter) else server
        if not isinstance(given, ChatKitServer):
            raise unexpected("server is a ChatKitServer or ChatKitRouter that has been made", given)
        if context is not None and not callable(cast("Any", context)):
            raise unexpected("context is a function of the request", context)
        self.server: ChatKitServer[Any] = given
        self.context: ContextCallable = context or default_context
        self.routes: dict[str, Route] = {}
        """What is served beside the protocol, by the first segment of the path below the endpoint. Every other path is
        the endpoint itself: where that is mounted is up to the framework."""
        self.personal: list[str] = []
        """Paths below the endpoint where a POST needs an identity, as at the endpoint itself: ``context`` is called for
        it, and an adapter that identifies people by its framework's means does so there too."""
        if getattr(self.server.attachment_store, "serves_files", False):
            from .files import attachment_route

            self.routes["attachments"] = attachment_route(self)
            self.personal.append("/attachments")
        self.page: Route | None = None
        """Answers a browser that opens the endpoint itself, if there is something to show."""

    async def handle(self, request: Request) -> Response:
        """Answer a request. Never raises an ``Exception``."""
        request_id = _request_id(request.headers)
        _, _, below = request.path.partition("/")
        segment, slash, rest = below.partition("/")
        route = self.routes.get(segment)
        try:
            if route is None:
                response = await self._handle(request, request_id)
            else:
                response = await route(request, slash + rest)
            response.headers.setdefault("x-request-id", request_id)
            return response
        except Exception as error:
            return _refuse(error, request_id)

    async def context_of(self, request: Request, decoded: Any) -> Any:
        """The author's context for a request: what ``context=`` makes of it.

        Args:
            request: The HTTP request.
            decoded: The ChatKit request. A route gives the one that it stands in for: a direct upload is an
                ``attachments.create`` of which only the announced length is known.
        """
        context: Any = self.context(
            ContextRequest(
                headers=request.headers,
                query=request.query,
                scope=request.scope,
                client=request.client,
                raw=request.raw,
                request=decoded,
            )
        )
        return await context if inspect.isawaitable(context) else context

    async def _handle(self, request: Request, request_id: str) -> Response:
        if self.page and request.method in ("GET", "HEAD") and request.path in ("", "/"):
            return await self.page(request, "")
        if request.method != "POST":
            raise MethodNotAllowed("ChatKit requests are POSTs.", headers={"allow": "POST"})
        headers = request.headers
        _check_media_type(headers.get("content-type", ""))
        key = headers.get("idempotency-key")
        if key is not None and not 0 < len(key) <= MAX_KEY:
            raise BadRequest(
                f"An Idempotency-Key has 1 to {MAX_KEY} characters.", code="invalid_idempotency_key"
            )
        decoded = decode_request(await _read(request, self.server.options.max_body))
        context: Any
        if self.context is default_context:  # which needs the headers only
            context = default_context(request)
        else:
            context = await self.context_of(request, decoded)
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug(
                "request", extra={"chatkit_request_id": request_id, "chatkit_type": decoded.type}
            )
        body = await answer(
            self.server,
            decoded,
            context,
            idempotency_key=key,
            frame=headers.get("chatkit-frame-instance-id"),
            scope=lambda: _credentials(headers),
            request_id=request_id,
        )
        common = JSON_HEADERS if isinstance(body, bytes) else STREAM_HEADERS
        return Response(status=200, headers={**common}, body=body)


def refuse(error: Exception, headers: Mapping[str, str]) -> Response:
    """The answer to an exception that a framework raised before the endpoint got the request, in our own format.

    Args:
        error: The framework's HTTP exception; anything else is a 500.
        headers: Of the request, with names in lower case.
    """
    return _refuse(error, _request_id(headers))


def joined(name: str, first: str, second: str) -> str:
    """A request's header that comes twice, as one: HTTP/2 may send each cookie in a header of its own (RFC 9113,
    section 8.2.3), and whatever else may come twice is a list.

    Args:
        name: The header's, in lower case.
        first: What came first.
        second: What came then.
    """
    return f"{first}; {second}" if name == "cookie" else f"{first}, {second}"


def check_path(path: Any) -> None:
    """For an adapter: frameworks take a path without its slash, and never find it, or take it for another.

    Raises:
        ValueError: It does not begin with a slash. An empty one is the framework's to judge: its router may have
            a prefix.
    """
    if not isinstance(path, str) or (path and not path.startswith("/")):
        raise ValueError(f"path begins with a slash, unlike {path!r}")


def refuse_cors(
    server: ChatKitServer[Any] | ChatKitRouter[Any], instead: str, options: Options | None = None
) -> None:
    """Refuse ``cors_origins`` in an adapter: the framework answers preflights and its own errors before any handler
    runs, so its CORS middleware must add the headers.

    Raises:
        ValueError: The options, the server's by default, have ``cors_origins``, which only ``ChatKitApp`` uses.
    """
    found: Any = server.server if isinstance(server, ChatKitRouter) else server
    used = getattr(found, "options", None) if options is None else options
    if getattr(used, "cors_origins", ()):  # whatever is no server or no Options is found out later
        raise ValueError(f"cors_origins is for ChatKitApp; here it would be ignored: use {instead}")


def _request_id(headers: Mapping[str, str]) -> str:
    given = headers.get("x-request-id", "")
    return given if given and _REQUEST_ID.fullmatch(given) else random_id("req")


def _refuse(error: Exception, request_id: str) -> Response:
    failure = failure_of(error)
    log = {
        "chatkit_request_id": request_id,
        "chatkit_status": failure.status,
        "chatkit_code": failure.code,
    }
    if failure.status >= 500:
        logger.error("request failed", exc_info=error, extra=log)
    else:
        logger.info("request refused", extra=log)
    told: dict[str, Any] = {"code": failure.code, "message": failure.message}
    if failure.path is not None:
        told["path"] = failure.path
    told["request_id"] = request_id
    # The client shows the top-level ``message`` of a failed answer (client.md section 7.2).
    body = encode({"error": told, "message": failure.message})
    return Response(
        status=failure.status,
        headers={**JSON_HEADERS, "x-request-id": request_id, **failure.headers},
        body=body,
    )


def _check_media_type(content_type: str) -> None:
    """Refuse what does not say that it is JSON. A form, plain text or bytes without a type could come from any page,
    with the user's cookies and without a preflight."""
    kind = content_type
    if kind != "application/json":
        kind = kind.split(";", 1)[0].strip().lower()
    if kind != "application/json" and not (
        kind.startswith("application/") and kind.endswith("+json")
    ):
        raise UnsupportedMediaType(
            f"Send application/json, not {kind[:100] or 'a body without a content-type'}."
        )


async def _read(request: Request, limit: int) -> bytes | bytearray:
    """The body, refused as soon as it is too large.

    Raises:
        TooLarge: More than ``limit`` bytes are announced or received.
    """
    if announced_length(request.headers) > limit:
        raise _too_large(request, limit)
    if isinstance(request.body, bytes):
        if len(request.body) > limit:
            raise _too_large(request, limit)
        return request.body
    first = b""
    body: bytearray | None = None
    try:
        async for chunk in request.body:
            if not first:
                first = chunk
            else:
                if body is None:
                    body = bytearray(first)
                body += chunk
            if len(first if body is None else body) > limit:
                raise _too_large(request, limit)
    finally:
        if (close := getattr(request.body, "aclose", None)) is not None:
            await close()
    return first if body is None else body


def announced_length(headers: Mapping[str, str]) -> int:
    """What ``content-length`` says. Any other value is ignored (0); bytes are counted as they arrive."""
    announced = headers.get("content-length", "")
    return int(announced) if _LENGTH.fullmatch(announced) else 0


def _too_large(request: Request, limit: int) -> TooLarge:
    # HTTP/2 has no such header, and servers refuse to send it (RFC 9113, section 8.2.2); there the stream is reset.
    old = request.scope.get("http_version", "1.1") in ("1.0", "1.1")
    return TooLarge(
        f"At most {limit} bytes.",
        code="max_body",
        headers={"connection": "close"} if old else None,
    )


def _credentials(headers: Mapping[str, str]) -> str:
    """Tells senders apart as far as headers can: nobody may join another person's turn by guessing a key."""
    from hashlib import blake2b  # loads OpenSSL, which an import of this library should not

    who = "\0".join(headers.get(name, "") for name in ("authorization", "cookie"))
    return blake2b(who.encode(), digest_size=16).hexdigest()
