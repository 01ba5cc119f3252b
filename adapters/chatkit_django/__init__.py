"""ChatKit in a Django project, served with ASGI.

Add ``chatkit_django`` to ``INSTALLED_APPS``, name a server in the setting ``CHATKIT`` (:mod:`.conf`) and include
``chatkit_django.urls``; or put :func:`chatkit_urls` of as many servers as you like into ``urlpatterns``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .identity import DjangoContext
    from .store import DjangoStore
    from .views import ChatKitView, chatkit_urls

__all__ = ["ChatKitView", "DjangoContext", "DjangoStore", "chatkit_urls"]

_MODULES = {
    "ChatKitView": "views",
    "DjangoContext": "identity",
    "DjangoStore": "store",
    "chatkit_urls": "views",
}
"""Loaded on use: Django imports this package before its settings and models are ready."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f".{_MODULES[name]}", __name__), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
