"""FastAPI's router, with a dependency for who is signed in."""

from __future__ import annotations

from typing import Annotated, Any

from chatkit_fastapi import chatkit_router
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from tests.stacks.stack import TOKENS, Stack

security = HTTPBearer()


async def current_user(
    credentials: Annotated[HTTPAuthorizationCredentials, Depends(security)],
) -> str:
    """As FastAPI's own documentation does it."""
    user = TOKENS.get(credentials.credentials)
    if user is None:
        raise HTTPException(401, "Sign in first.", {"www-authenticate": "Bearer"})
    return user


class FastAPIRouter(Stack):
    """``include_router``."""

    def app(self, server: Any, *, context: Any = None, routes: Any = None) -> Any:
        app = FastAPI()
        app.include_router(chatkit_router(server, context=context, routes=routes))
        return app

    def guarded(self, server: Any, *, routes: Any = None) -> Any:
        return self.app(server, context=Depends(current_user), routes=routes)
