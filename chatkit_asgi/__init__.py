"""chatkit-asgi: serve OpenAI's ChatKit from your own infrastructure, as one ASGI application.

The names that most apps need; the rest is in ``types``, ``widgets``, ``actions``, ``store``, ``server`` and ``errors``.
"""

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
