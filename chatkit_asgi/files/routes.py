"""What is answered below ``attachments/``.

=======================  ============================  =========================================================
request                  who may                       answer
=======================  ============================  =========================================================
``POST``                 whom ``context`` lets in      takes a form with one file; its record
``PUT``, ``POST LINK``   who has an upload's link      takes the bytes, bare or in a form; ``{}``
``GET``, ``HEAD LINK``   who has a download's or a     the file to save, or the preview to show
                         preview's link
=======================  ============================  =========================================================

Invariant: nothing that a person uploaded is shown in a page. Files are always saved, under a type that no browser
runs; what is shown has been made anew from pixels.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from .._closing import closing
from ..errors import BadRequest, Forbidden, MethodNotAllowed, RequestError
from ..http import JSON_HEADERS, Request, Response, Route, announced_length
from ..operations import told
from ..protocol.codec import encode
from ..protocol.visibility import attachment_on_wire
from ..store.attachments import FileAttachmentStore
from ..store.attachments.checks import harmless
from ..store.attachments.names import content_disposition
from ..types import AttachmentCreateParams, AttachmentsCreateReq
from .multipart import is_form, read_form
from .ranges import choose

if TYPE_CHECKING:
    from ..http import Endpoint
    from ..store.attachments.links import Link

__all__ = ["attachment_route"]

SAFE_HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    # The chat's page shows previews from within a frame of another origin; the link is what protects them.
    "cross-origin-resource-policy": "cross-origin",
    "accept-ranges": "bytes",
}


class MisdirectedRequest(RequestError):
    """421: files are served on an origin of their own, and this is not it."""

    status = 421
    default_code = "misdirected_request"


class PreconditionFailed(RequestError):
    """412: the file is not the one that ``if-match`` names."""

    status = 412
    default_code = "precondition_failed"


class RangeNotSatisfiable(RequestError):
    """416: the file ends before the part that was asked for."""

    status = 416
    default_code = "range_not_satisfiable"


def attachment_route(endpoint: Endpoint) -> Route:
    """The route for ``endpoint.routes["attachments"]``."""
    server = endpoint.server

    async def route(request: Request, rest: str) -> Response:
        store = server.attachment_store
        assert isinstance(store, FileAttachmentStore)
        if not rest:  # and nothing else: this one path is where adapters ask who it is
            return await _take_new(endpoint, store, request)
        link = store.read_link(rest.removeprefix("/"))
        if link.kind == "upload":
            return await _take(store, link, request)
        return await _give(store, link, request)

    return route


async def _take_new(
    endpoint: Endpoint, store: FileAttachmentStore[Any], request: Request
) -> Response:
    """A direct upload (semantics.md section 5.1)."""
    if request.method != "POST":
        raise MethodNotAllowed("Uploads are POSTs.", headers={"allow": "POST"})
    server = endpoint.server
    headers = request.headers
    _check_origin(headers, server.options.cors_origins)
    if not is_form(headers.get("content-type", "")):
        raise BadRequest("Send multipart/form-data with one part named file.", code="invalid_form")
    asked = AttachmentCreateParams(name="", size=announced_length(headers), mime_type="")
    context = await endpoint.context_of(request, AttachmentsCreateReq(params=asked))

    async def take(name: str, kind: str, chunks: AsyncIterator[bytes]) -> Any:
        return await store.receive_attachment(name, kind, chunks, context)

    async with _body(request) as body:
        attachment = await read_form(headers["content-type"], body, take)
    try:
        await server.store.save_attachment(attachment, context=context)
    except BaseException:
        await store.delete_attachment(attachment.id, context=context)
        raise
    record = told(server, encode(attachment_on_wire(attachment)), context)
    return Response(status=200, headers=dict(JSON_HEADERS), body=record)


async def _take(store: FileAttachmentStore[Any], link: Link, request: Request) -> Response:
    """The second phase: the bytes, bare or in a form (client.md section 7.3)."""
    if request.method not in ("PUT", "POST"):
        raise MethodNotAllowed("Uploads are PUTs or POSTs.", headers={"allow": "PUT, POST"})
    kind = request.headers.get("content-type", "")

    async def take(_name: str, _kind: str, chunks: AsyncIterator[bytes]) -> None:
        await store.receive_upload(link, chunks)

    async with _body(request) as body:
        if is_form(kind):
            await read_form(kind, body, take)
        else:
            await take("", "", body)
    return Response(status=200, headers=dict(JSON_HEADERS), body=b"{}")


async def _give(store: FileAttachmentStore[Any], link: Link, request: Request) -> Response:
    if request.method not in ("GET", "HEAD"):
        raise MethodNotAllowed("Files are read with GET.", headers={"allow": "GET, HEAD"})
    host = request.headers.get("host", "").lower()
    if store.separate_origin and host != urlsplit(store.url).netloc.lower():
        raise MisdirectedRequest("Files are not served here.")
    stored, key, size = await store.open_link(link)
    etag = f'"{key.rpartition("/")[2]}"'
    part = choose(request.headers, etag, size)
    if part.status == 412:
        raise PreconditionFailed("This file is not the one that if-match names.")
    if part.status == 416:
        raise RangeNotSatisfiable(
            f"The file has {size} bytes only.", headers={"content-range": part.content_range or ""}
        )
    headers = {
        **SAFE_HEADERS,
        "etag": etag,
        "cache-control": f"private, max-age={max(link.expires - int(time.time()), 0)}, immutable",
    }
    if part.status == 304:
        return Response(status=304, headers=headers, body=_nothing())
    if part.content_range is not None:
        headers["content-range"] = part.content_range
    if link.kind == "preview":
        headers["content-type"] = stored.preview_type
        headers["content-disposition"] = "inline"
    else:
        headers["content-type"] = harmless(stored.mime_type)
        headers["content-disposition"] = content_disposition("attachment", stored.name)
    headers["content-length"] = str(part.stop - part.start)
    body = _nothing() if request.method == "HEAD" else store.open_range(key, part.start, part.stop)
    return Response(status=part.status, headers=headers, body=body)


async def _nothing() -> AsyncIterator[bytes]:
    """The body of an answer to HEAD: none, under the headers of one."""
    return
    yield b""


def _body(request: Request) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
    return closing(_whole(request.body) if isinstance(request.body, bytes) else request.body)


async def _whole(body: bytes) -> AsyncIterator[bytes]:
    yield body


def _check_origin(headers: Mapping[str, str], allowed: Any) -> None:
    """A form may come from any page with the person's cookies, and the browser does not ask before it sends one.

    Raises:
        Forbidden: A browser says that it comes from another site's page, and who sends it is known by cookies alone.
    """
    if (
        headers.get("sec-fetch-site") == "cross-site"
        and "cookie" in headers
        and "authorization" not in headers
        and headers.get("origin") not in allowed
    ):
        raise Forbidden("Uploads from other sites' pages are not taken.", code="cross_site")
