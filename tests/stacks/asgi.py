"""The plain ASGI application: alone, as a route and a mount of Starlette, and as middleware."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Mount, Route

from chatkit_asgi import ChatKitApp, ChatKitMiddleware
from tests.stacks.stack import Stack, bearer


class Plain(Stack):
    """``ChatKitApp`` and nothing else."""

    path = "/"

    def app(self, server: Any, *, context: Any = None, routes: Any = None) -> Any:
        app = ChatKitApp(server, context=context)
        app.endpoint.routes.update(routes or {})
        return self.around(app)

    def guarded(self, server: Any, *, routes: Any = None) -> Any:
        return self.app(server, context=bearer, routes=routes)

    def around(self, app: ChatKitApp) -> Any:
        """The application that contains ``app``."""
        return app


class Middleware(Plain):
    """Around an application that knows nothing of ChatKit."""

    path = "/chatkit"

    def around(self, app: ChatKitApp) -> Any:
        return ChatKitMiddleware(Starlette(), app, path=self.path)


class StarletteMount(Plain):
    """Starlette redirects a mount's path without the slash to the one with it."""

    path = "/chatkit/"

    def around(self, app: ChatKitApp) -> Any:
        @asynccontextmanager
        async def lifespan(_: Any) -> AsyncIterator[None]:  # Starlette runs none of what it mounts
            await app.startup()
            yield
            await app.shutdown()

        return Starlette(routes=self.routes(app), lifespan=lifespan)

    def routes(self, app: ChatKitApp) -> list[Any]:
        """Where ``app`` is."""
        return [Mount("/chatkit", app)]


class StarletteRoute(StarletteMount):
    """A route for the endpoint itself, and a mount for what lies below it."""

    path = "/chatkit"

    def routes(self, app: ChatKitApp) -> list[Any]:
        return [Route("/chatkit", app), Mount("/chatkit", app)]
