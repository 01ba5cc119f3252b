"""Django's ASGI application with faster streams: ``asgi.py`` may use it in place of Django's own.

Django passes each chunk of an answer through loops of its own, which at full load take up to a third of what an event
costs. Here our streams go straight to the server, unless a middleware has wrapped their chunks; those take Django's
own way.
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
        """Django's own, after our streams have been told where to send."""
        if isinstance(response, Stream):
            response.send_to(send)
        await super().send_response(response, send)


def get_asgi_application() -> ChatKitASGIHandler:
    """As ``django.core.asgi.get_asgi_application``."""
    django.setup(set_prefix=False)
    return ChatKitASGIHandler()
