"""A stack: a way to put ChatKit into an application. The suite in this folder runs on every one of them.

To add one: subclass :class:`Stack` in a module of its own and name it in :data:`STACKS`. Nothing else changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar

from chatkit_asgi import ContextRequest, RequestContext, Unauthorized
from chatkit_asgi.http import ContextCallable, Route

__all__ = ["STACKS", "STREAMING", "TOKENS", "Stack", "bearer", "load", "owner_of"]

STACKS = {
    "plain": "tests.stacks.asgi:Plain",
    "route": "tests.stacks.asgi:StarletteRoute",
    "mount": "tests.stacks.asgi:StarletteMount",
    "middleware": "tests.stacks.asgi:Middleware",
    "fastapi": "tests.stacks.fastapi:FastAPIRouter",
    "litestar": "tests.stacks.litestar:LitestarPlugin",
    "quart": "tests.stacks.quart:QuartBlueprint",
    "django": "tests.stacks.django:Django",
}
"""By name, in the order of the table: the class, imported when it is tested."""

STREAMING = {**STACKS, "django, straight": "tests.stacks.django:DjangoStraight"}
"""With other ways to stream, on which only that is tested."""

TOKENS = {"ada-token": "ada", "bob-token": "bob"}


class Stack:
    """One way to put ChatKit into an application."""

    path: ClassVar[str] = "/chatkit"
    """Where the endpoint is."""
    skips: ClassVar[Mapping[str, str]] = {}
    """Names of tests that make no sense here, each with the reason that the table prints."""

    def app(
        self,
        server: Any,
        *,
        context: ContextCallable | None = None,
        routes: Mapping[str, Route] | None = None,
    ) -> Any:
        """The ASGI application with ``server`` at :attr:`path`, for everybody.

        Args:
            server: A ChatKitServer.
            context: As the adapter's own argument of that name. What it gets is a ContextRequest.
            routes: What is served beside the protocol, below :attr:`path`.
        """
        raise NotImplementedError

    def guarded(self, server: Any, *, routes: Mapping[str, Route] | None = None) -> Any:
        """The same, but for signed-in people only, by the framework's own idiom; everybody else gets 401 or 403.

        :func:`owner_of` must find the person's name, a value of :data:`TOKENS`, in the context that hooks get. What is
        served beside the protocol stays open.
        """
        raise NotImplementedError

    async def credentials(self, url: str, user: str) -> dict[str, str]:
        """Headers that sign ``user`` in at the :meth:`guarded` app that is served at ``url``."""
        return {"authorization": f"Bearer {user}-token"}


def load(name: str) -> Stack:
    """The stack of that name."""
    module, _, attribute = STREAMING[name].partition(":")
    return getattr(import_module(module), attribute)()  # type: ignore[no-any-return]


def owner_of(context: Any) -> str:
    """Whose rows: the person whom the context names."""
    if context is None or isinstance(context, str):
        return context or "everybody"
    return getattr(context, "user_id", None) or "everybody"


def bearer(request: ContextRequest) -> RequestContext:
    """Who has one of the tokens: the idiom of those who have no framework."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or token not in TOKENS:
        raise Unauthorized("Sign in first.", headers={"www-authenticate": "Bearer"})
    return RequestContext(user_id=TOKENS[token], headers=request.headers)
