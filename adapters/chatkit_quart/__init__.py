"""ChatKit as a blueprint of Quart.

::

    app.register_blueprint(chatkit_blueprint(chat, context=signed_in))

The two conversions are the first and the second half of ``answer`` below.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quart import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from chatkit_asgi.asgi import ChatKitApp
from chatkit_asgi.http import (
    ContextCallable,
    Request,
    Route,
    check_path,
    joined,
    refuse,
    refuse_cors,
)
from chatkit_asgi.http import Response as Answer
from chatkit_asgi.options import Options
from chatkit_asgi.server import ChatKitRouter, ChatKitServer

__all__ = ["chatkit_blueprint"]

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
"""Quart answers OPTIONS itself, which CORS builds on; but the author's own routes get it."""


def chatkit_blueprint(
    server: ChatKitServer[Any] | ChatKitRouter[Any],
    *,
    path: str = "/chatkit",
    context: ContextCallable | None = None,
    routes: Mapping[str, Route] | None = None,
    name: str = "chatkit",
    options: Options | None = None,
    **blueprint_options: Any,
) -> Blueprint:
    """A blueprint that answers ``path``, and what is served below it.

    Args:
        server: A server, or a router of handler callables.
        path: Where, with a leading slash.
        context: A callable as everywhere. It runs within Quart's request, so ``g``, ``session``, ``current_user`` and
            ``abort`` are at hand, and ``request.raw`` is Quart's request.
        routes: What is served beside the protocol, by the first segment below ``path``. ``context`` is not asked for
            it: browsers follow links to attachments without headers.
        name: Of the blueprint: another for a second endpoint in one app.
        options: Replaces the server's options, as for :class:`~chatkit_asgi.ChatKitApp`.
        blueprint_options: Of Quart's ``Blueprint``. Its ``before_request`` functions guard everything.

    Raises:
        ValueError: The path has no leading slash; or the options name ``cors_origins``: that is for
            ``quart_cors.cors(app, ...)`` to do.
    """
    check_path(path)
    refuse_cors(server, "quart_cors.cors(app, ...)", options)
    chatkit = ChatKitApp(server, context=context, options=options)
    endpoint = chatkit.endpoint
    endpoint.routes.update(routes or {})
    blueprint = Blueprint(name, __name__, **blueprint_options)

    async def answer(below: str = "", rest: str | None = None) -> Response:
        return _response(
            await endpoint.handle(
                Request(
                    method=request.method,
                    headers=_headers(),
                    body=request.body,
                    path=below if rest is None else f"{below}/{rest}",
                    query=request.query_string.decode("latin-1"),
                    scope=request.scope,
                    client=request.remote_addr,
                    raw=request,
                )
            )
        )

    blueprint.add_url_rule(path, "endpoint", answer, methods=METHODS)
    for segment in endpoint.routes:
        rule: dict[str, Any] = {"methods": METHODS}
        if segment in (routes or {}):
            rule = {"methods": [*METHODS, "OPTIONS"], "provide_automatic_options": False}
        rule["defaults"] = {"below": f"/{segment}"}
        blueprint.add_url_rule(f"{path}/{segment}", segment, answer, **rule)
        blueprint.add_url_rule(f"{path}/{segment}/<path:rest>", segment, answer, **rule)
        rule = {**rule, "defaults": {"below": f"/{segment}/"}}
        blueprint.add_url_rule(
            f"{path}/{segment}/", f"{segment}/", answer, strict_slashes=False, **rule
        )

    async def refused(error: HTTPException) -> Response:
        return _response(refuse(error, _headers()))

    blueprint.before_app_serving(chatkit.startup)
    blueprint.after_app_serving(chatkit.shutdown)
    blueprint.register_error_handler(HTTPException, refused)
    return blueprint


def _headers() -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        key = name.lower()
        headers[key] = joined(key, headers[key], value) if key in headers else value
    return headers


def _response(answer: Answer) -> Response:
    body = answer.body
    response = Response(
        body if isinstance(body, bytes) else answer.chunks(), answer.status, answer.headers
    )
    if "content-type" not in answer.headers:
        del response.headers["content-type"]
    response.timeout = (
        None  # streams last as long as they last; Quart would cut them after RESPONSE_TIMEOUT
    )
    return response
