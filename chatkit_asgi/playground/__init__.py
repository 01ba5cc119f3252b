"""The open ``<openai-chatkit>`` element, served from the package, and the playground: a page that shows a server at
work.

Both are off unless an app asks for them: ``ChatKitApp(server, element=True)`` serves the element's script below
``element/`` for pages of your own; ``playground=True`` serves the page too, and sends there whoever opens the
endpoint in a browser. What is served was built from ``ui/`` (``make ui``); the Python side needs neither Node nor the
files. May import ``http`` and ``errors``.
"""

from __future__ import annotations

import logging
from urllib.parse import quote

from ..http import Endpoint, Request, Response
from .files import is_built, serve

__all__ = ["install"]

logger = logging.getLogger("chatkit_asgi")

# The playground itself needs nothing but its own files: what it shows cannot make it load or run anything else.
# Styles of elements are set by script, which no directive hinders. Images may come from the hosts a thread allows.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self' blob:",
        "img-src 'self' data: blob: https:",
        "font-src 'self' data:",
        "media-src blob:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types lit-html dompurify",
    )
)


def install(endpoint: Endpoint, *, playground: bool) -> None:
    """Serve the element beside ``endpoint``, and the playground too if it is wanted."""
    endpoint.routes["element"] = _element
    if playground:
        endpoint.routes["playground"] = _playground
        endpoint.page = _redirect
        logger.warning(
            "the playground is on: whoever can reach this endpoint can open it. Turn it off in production."
        )
    if not is_built():
        logger.warning("the element is not built: run `make ui`, which needs Node 20 or newer")


async def _element(request: Request, rest: str) -> Response:
    response = serve(request, rest.removeprefix("/") or "chatkit.js")
    # A script for any page; it holds nothing of the server's.
    response.headers["access-control-allow-origin"] = "*"
    return response


async def _playground(request: Request, rest: str) -> Response:
    if not rest:  # without its slash, the page's relative addresses would lead elsewhere
        return _see("playground/")
    response = serve(request, rest.removeprefix("/") or "playground.html")
    response.headers["content-security-policy"] = CONTENT_SECURITY_POLICY
    response.headers["referrer-policy"] = "no-referrer"
    return response


async def _redirect(request: Request, rest: str) -> Response:
    """From the endpoint to the page below it, relative: what a proxy has cut off the path is not ours to know."""
    path: str = request.scope.get("path", request.path)
    name = quote(path.rpartition("/")[2])
    return _see(f"./{name}/playground/" if name else "playground/")


def _see(location: str) -> Response:
    return Response(
        status=307, headers={"location": location, "cache-control": "no-store"}, body=b""
    )
