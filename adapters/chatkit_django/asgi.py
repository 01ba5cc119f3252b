"""Django's ASGI application, but for answers that stream: ``asgi.py`` may take it in the place of Django's own.

Django passes each chunk of an answer through loops of its own, which at full load take up to a third of what an event
costs. Here our streams are sent straight to the server; unless a middleware has put something around their chunks,
which goes Django's way, as it does in Django's own application.
"""

from __future__ import annotations

from typing import Any

import django
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpResponseBase

from .views import Stream

__all__ = ["ChatKitASGIHandler", "get_asgi_application"]


class ChatKitASGIHandler(ASGIHandler):
    """The handler. Made by :func:`get_asgi_application`."""

    async def send_response(self, response: HttpResponseBase, send: Any) -> None:
        """Django's: only that a stream of ours learns where to send."""
        if isinstance(response, Stream):
            response.send_to(send)
        await super().send_response(response, send)


def get_asgi_application() -> ChatKitASGIHandler:
    """As ``django.core.asgi.get_asgi_application``."""
    django.setup(set_prefix=False)
    return ChatKitASGIHandler()
