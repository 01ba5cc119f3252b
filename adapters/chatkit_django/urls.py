"""The endpoint that the setting ``CHATKIT`` describes: ``path("", include("chatkit_django.urls"))``."""

from __future__ import annotations

from . import conf
from .views import chatkit_urls

__all__ = ["urlpatterns"]

urlpatterns = chatkit_urls(
    conf.server(),
    conf.found().get("PATH", "chatkit"),
    context=conf.context(),
    anonymous=conf.found().get("ANONYMOUS", False),
    options=conf.options(),
)
