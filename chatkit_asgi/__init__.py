"""chatkit-asgi: serve OpenAI's ChatKit from your own infrastructure, as one ASGI application.

The names that most apps need; the rest is in ``types``, ``widgets``, ``actions``, ``store``, ``server`` and ``errors``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .asgi import ChatKitApp, ChatKitMiddleware
    from .errors import (
        BadRequest,
        Conflict,
        CustomStreamError,
        Forbidden,
        NotFoundError,
        StreamError,
        Unauthorized,
    )
    from .http import ContextRequest, RequestContext
    from .options import Options
    from .server import ChatKitRouter, ChatKitServer, NonStreamingResult, StreamingResult

__all__ = [
    "BadRequest",
    "ChatKitApp",
    "ChatKitMiddleware",
    "ChatKitRouter",
    "ChatKitServer",
    "Conflict",
    "ContextRequest",
    "CustomStreamError",
    "Forbidden",
    "NonStreamingResult",
    "NotFoundError",
    "Options",
    "RequestContext",
    "StreamError",
    "StreamingResult",
    "Unauthorized",
    "__version__",
]

__version__ = "0.1.0"

_MODULES = {
    "BadRequest": "errors",
    "ChatKitApp": "asgi",
    "ChatKitMiddleware": "asgi",
    "ChatKitRouter": "server",
    "ChatKitServer": "server",
    "Conflict": "errors",
    "ContextRequest": "http",
    "CustomStreamError": "errors",
    "Forbidden": "errors",
    "NonStreamingResult": "server",
    "NotFoundError": "errors",
    "Options": "options",
    "RequestContext": "http",
    "StreamError": "errors",
    "StreamingResult": "server",
    "Unauthorized": "errors",
}
"""Loaded on use, so that ``import chatkit_asgi.types`` costs the types and nothing else."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f".{_MODULES[name]}", __name__), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
