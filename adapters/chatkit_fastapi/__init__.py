"""ChatKit as a router of FastAPI.

::

    app.include_router(chatkit_router(chat, context=Depends(current_user)))

The request reaches the endpoint as FastAPI has it, and is answered where FastAPI sends its responses: the two
conversions are :class:`_Answer` and the two handlers below.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.params import Depends as Dependency
from fastapi.routing import APIRoute
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.types import Receive, Scope, Send

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
from chatkit_asgi.openapi import operation
from chatkit_asgi.options import Options
from chatkit_asgi.server import ChatKitRouter, ChatKitServer

from ._openapi import Schemas

__all__ = ["chatkit_router"]

_SEND = "chatkit_fastapi.send"
"""Where a request has the ``send`` that its route was given. FastAPI puts another around it, which only looks at how an
answer begins."""

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def chatkit_router(
    server: ChatKitServer[Any] | ChatKitRouter[Any],
    *,
    path: str = "/chatkit",
    context: ContextCallable | Dependency | None = None,
    routes: Mapping[str, Route] | None = None,
    options: Options | None = None,
    **router_options: Any,
) -> APIRouter:
    """A router that answers ``path``, and what is served below it.

    Args:
        server: A server, or a router of handler callables.
        path: Where, with a leading slash.
        context: ``Depends(...)``, whose value is what hooks and stores get; or a callable as everywhere, whose
            ``request.raw`` is FastAPI's request. A turn may outlive its request: do not give it what a dependency
            closes after its ``yield``.
        routes: What is served beside the protocol, by the first segment below ``path``. ``context`` is asked for
            uploads only: browsers follow links to attachments without headers.
        options: Replaces the server's options, as for :class:`~chatkit_asgi.ChatKitApp`.
        router_options: Of FastAPI's ``APIRouter``: ``dependencies``, ``tags`` and so on. Its dependencies guard
            everything.

    Raises:
        ValueError: The path has no leading slash; or the options have ``cors_origins``: use the app's own
            ``CORSMiddleware`` instead.
    """
    check_path(path)
    refuse_cors(server, "app.add_middleware(CORSMiddleware, ...) of FastAPI", options)
    dependency = context if isinstance(context, Dependency) else None
    chatkit = ChatKitApp(
        server, context=_value if isinstance(context, Dependency) else context, options=options
    )
    endpoint = chatkit.endpoint
    endpoint.routes.update(routes or {})
    router = APIRouter(lifespan=chatkit.lifespan, route_class=_Route, **router_options)

    def answer_to(below: str) -> Callable[..., Awaitable[Response]]:
        """For requests that need a context."""

        async def with_request(request: Request, response: Response) -> Response:
            return _Answer(endpoint, below, request, response)

        async def with_value(response: Response, value: Any = dependency) -> Response:
            return _Answer(endpoint, below, value, response)

        return with_value if dependency else with_request

    router.add_api_route(
        path,
        answer_to(""),
        methods=["POST"],
        response_model=None,
        name="chatkit",
        summary="ChatKit",
        responses={200: {"model": Schemas}},
        openapi_extra=operation(),
    )

    def answer(below: str) -> Callable[..., Awaitable[Response]]:
        async def chatkit_below(request: Request, response: Response) -> Response:
            rest = request.path_params.get("rest")
            path = below if rest is None else f"{below}/{rest}"
            return _Answer(endpoint, path, request, response)

        return chatkit_below

    others: dict[str, Any] = {"methods": METHODS, "include_in_schema": False}
    router.add_api_route(path, answer(""), **others)  # which refuses all methods but POST
    for below in endpoint.personal:
        router.add_api_route(
            path + below, answer_to(below), methods=["POST"], include_in_schema=False
        )
    for segment in endpoint.routes:
        below = f"/{segment}"
        router.add_api_route(path + below, answer(below), **others)
        router.add_api_route(path + below + "/{rest:path}", answer(below), **others)
    return router


def _value(request: ContextRequest) -> Any:
    return request.raw


class _Answer(Response):
    """Answers the request when FastAPI sends it, so the body is read and streamed as in the plain app. Adds the headers
    that dependencies have set."""

    def __init__(self, endpoint: Endpoint, path: str, raw: Any, given: Response) -> None:
        self.endpoint, self.path, self.raw = endpoint, path, raw
        self.status_code = 200
        self.raw_headers = given.raw_headers
        self.background: BackgroundTask | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await serve(
            self.endpoint,
            scope,
            receive,
            send,
            path=self.path,
            raw=self.raw,
            more=self.raw_headers,
            send_rest=scope.get(_SEND),
        )
        if self.background is not None:
            await self.background()


class _Route(APIRoute):
    """Answers HTTP exceptions of dependencies in ChatKit's error format, so that the client shows the reason."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[_SEND] = send
        await super().handle(scope, receive, send)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await handle(request)
            except StarletteHTTPException as error:
                answer = refuse(error, request.headers)
                return Response(answer.body, answer.status, answer.headers)

        return handler
