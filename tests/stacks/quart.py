"""Quart's blueprint, with ``g`` and ``abort`` for who is signed in."""

from __future__ import annotations

from typing import Any

from chatkit_quart import chatkit_blueprint
from quart import Quart, abort, request

from tests.stacks.stack import TOKENS, Stack


async def signed_in(_: Any) -> str:
    """Uses Quart's own request."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or token not in TOKENS:
        abort(401, "Sign in first.")
    return TOKENS[token]


class QuartBlueprint(Stack):
    """``register_blueprint``."""

    def app(self, server: Any, *, context: Any = None, routes: Any = None) -> Any:
        app = Quart(__name__)
        app.register_blueprint(chatkit_blueprint(server, context=context, routes=routes))
        return app

    def guarded(self, server: Any, *, routes: Any = None) -> Any:
        return self.app(server, context=signed_in, routes=routes)
