"""Litestar's plugin, with authentication as Litestar's middleware does it."""

from __future__ import annotations

from typing import Any

from chatkit_litestar import ChatKitPlugin
from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException
from litestar.middleware import (
    AbstractAuthenticationMiddleware,
    AuthenticationResult,
    DefineMiddleware,
)

from tests.stacks.stack import TOKENS, Stack


class Tokens(AbstractAuthenticationMiddleware):
    """Bearer tokens, as Litestar's own documentation does it."""

    async def authenticate_request(
        self, connection: ASGIConnection[Any, Any, Any, Any]
    ) -> AuthenticationResult:
        """Who it is."""
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or token not in TOKENS:
            raise NotAuthorizedException("Sign in first.")
        return AuthenticationResult(user=TOKENS[token], auth=token)


class LitestarPlugin(Stack):
    """``plugins=[...]``."""

    def app(self, server: Any, *, context: Any = None, routes: Any = None, **options: Any) -> Any:
        plugin = ChatKitPlugin(server, context=context, routes=routes)
        return Litestar(plugins=[plugin], logging_config=None, **options)

    def guarded(self, server: Any, *, routes: Any = None) -> Any:
        middleware = DefineMiddleware(Tokens, exclude_from_auth_key="exclude_from_auth")
        return self.app(
            server, context=lambda request: request.raw.user, routes=routes, middleware=[middleware]
        )
