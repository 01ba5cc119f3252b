"""ChatKit as a plugin of Litestar.

::

    app = Litestar(plugins=[ChatKitPlugin(chat, context=Provide(current_user))])

The request reaches the endpoint as Litestar has it, and is answered where Litestar sends its responses: the two
conversions are the two handlers below.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, unquote

from litestar import Request, Response, Router, post, route
from litestar.config.app import AppConfig
from litestar.di import NamedDependency, Provide
from litestar.enums import HttpMethod
from litestar.exceptions import HTTPException
from litestar.openapi.spec import Components, Operation
from litestar.plugins import InitPlugin
from litestar.types import ASGIApp

from chatkit_asgi.asgi import ChatKitApp, serve
from chatkit_asgi.http import (
    ContextCallable,
    ContextRequest,
    Endpoint,
    Route,
    check_path,
    refuse,
    refuse_cors,
)
from chatkit_asgi.openapi import components, operation
from chatkit_asgi.options import Options
from chatkit_asgi.server import ChatKitRouter, ChatKitServer

__all__ = ["ChatKitPlugin"]


METHODS = list(HttpMethod)
OTHERS = [method for method in METHODS if method not in (HttpMethod.POST, HttpMethod.OPTIONS)]
"""What the endpoint refuses; Litestar answers OPTIONS itself."""


class ChatKitPlugin(InitPlugin):
    """Adds a router that answers ``path``, and what is served below it.

    Args:
        server: A server, or a router of handler callables.
        path: Where, with a leading slash.
        context: ``Provide(...)``, whose value is what hooks and stores get; or a callable as everywhere, whose
            ``request.raw`` is Litestar's request. A turn may outlive its request: do not give it what a dependency
            closes after its ``yield``.
        routes: What is served beside the protocol, by the first segment below ``path``. ``context`` is asked for
            uploads only, and authentication that leaves out ``exclude_from_auth`` too: browsers follow links to
            attachments without headers.
        options: Replaces the server's options, as for :class:`~chatkit_asgi.ChatKitApp`.
        router_options: Of Litestar's ``Router``: ``guards``, ``dependencies``, ``tags`` and so on.

    Raises:
        ValueError: The path has no leading slash; or the options have ``cors_origins``: use the app's own
            ``cors_config`` instead.
    """

    def __init__(
        self,
        server: ChatKitServer[Any] | ChatKitRouter[Any],
        *,
        path: str = "/chatkit",
        context: ContextCallable | Provide | None = None,
        routes: Mapping[str, Route] | None = None,
        options: Options | None = None,
        **router_options: Any,
    ) -> None:
        check_path(path)
        refuse_cors(server, "Litestar(cors_config=CORSConfig(...))", options)
        self.dependency = context if isinstance(context, Provide) else None
        self.chatkit = ChatKitApp(
            server, context=_value if isinstance(context, Provide) else context, options=options
        )
        self.endpoint = self.chatkit.endpoint
        self.endpoint.routes.update(routes or {})
        self.path = path
        self.router_options = router_options

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Add the router; end turns when the app stops; document the endpoint; leave streams out of compression, which
        would hold them back."""
        app_config.route_handlers.append(self.router())
        app_config.on_startup.append(self.chatkit.startup)
        app_config.on_shutdown.append(self.chatkit.shutdown)
        if (compression := app_config.compression_config) is not None:
            exclude = compression.exclude or []
            patterns = [exclude] if isinstance(exclude, str) else exclude
            ours = f"^{re.escape(self.path)}(/|$)"
            app_config.compression_config = replace(compression, exclude=[*patterns, ours])
        if app_config.openapi_config is not None:
            openapi = app_config.openapi_config = copy(app_config.openapi_config)
            openapi.components = _Components(**vars(openapi.to_openapi_schema().components))
        return app_config

    def router(self) -> Router:
        """The router that the plugin adds."""
        endpoint = self.endpoint
        open_to_all: dict[str, Any] = {
            "include_in_schema": False,
            "opt": {"exclude_from_auth": True},
            "status_code": 200,
        }

        async def with_value(
            request: Request[Any, Any, Any], chatkit_context: NamedDependency[Any]
        ) -> ASGIApp:
            return _answer(endpoint, _below(request), chatkit_context)

        async def with_request(request: Request[Any, Any, Any]) -> ASGIApp:
            return _answer(endpoint, _below(request), request)

        # Requests that need a context get the dependency's value, if there is a dependency.
        dependency = self.dependency
        handler = with_request if dependency is None else with_value
        personal: dict[str, Any] = {
            "status_code": 200,
            "dependencies": None if dependency is None else {"chatkit_context": dependency},
        }
        chatkit = post("/", summary="ChatKit", operation_class=_Operation, **personal)(handler)

        handlers = [chatkit, route("/", http_method=OTHERS, **open_to_all)(with_request)]
        if endpoint.personal:
            handlers.append(post(endpoint.personal, include_in_schema=False, **personal)(handler))
            handlers.append(
                route(endpoint.personal, http_method=OTHERS, **open_to_all)(with_request)
            )
        for segment in endpoint.routes:
            whole = [] if f"/{segment}" in endpoint.personal else [f"/{segment}"]
            paths = [*whole, f"/{segment}/{{rest:path}}"]
            handlers.append(route(paths, http_method=METHODS, **open_to_all)(with_request))
        return Router(
            self.path,
            route_handlers=handlers,
            exception_handlers={HTTPException: _refuse},
            **self.router_options,
        )


@dataclass
class _Operation(Operation):
    """The endpoint's own, instead of what Litestar infers."""

    def __post_init__(self) -> None:
        described: Any = operation()
        self.request_body, self.responses = described["requestBody"], described["responses"]


class _Components(Components):
    """Keeps our schemas when Litestar sets those that its handlers name."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, {**components(), **(value or {})} if name == "schemas" else value)


def _below(request: Request[Any, Any, Any]) -> str:
    """The path below the endpoint: what follows as many segments as the prefix has. The prefix cannot be compared as
    text: it may have parameters, and may repeat the plugin's path. Litestar's own parameter loses the last slash and
    double ones."""
    scope: Any = request.scope
    template: str = scope["path_template"]
    ours = 0 if "/" in request.route_handler.paths else 1 + template.endswith("{rest}")
    whole: bytes | None = scope.get("raw_path")
    path = whole.decode("ascii") if whole else quote(scope["path"])
    path = path.removeprefix(quote(scope.get("root_path", "")))
    for _ in range(len(template.rstrip("/").split("/")) - 1 - ours):
        _, slash, rest = path.lstrip("/").partition("/")
        path = slash + rest
    return unquote(path)


def _answer(endpoint: Endpoint, path: str, raw: Any) -> ASGIApp:
    """Answers the request when Litestar sends it, so the body is read and streamed as in the plain app."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await serve(endpoint, scope, receive, send, path=path, raw=raw)

    return answer


def _value(request: ContextRequest) -> Any:
    return request.raw


def _refuse(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """Answer HTTP exceptions of guards and dependencies in ChatKit's error format, so that the client shows why."""
    answer = refuse(error, request.headers)
    return Response(answer.body, status_code=answer.status, headers=answer.headers)
