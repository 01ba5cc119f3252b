"""The setting ``CHATKIT``, read when it is needed.

::

    CHATKIT = {
        "SERVER": "mysite.chat.chat",   # a ChatKitRouter or ChatKitServer, or the dotted path to one
        "PATH": "chatkit",              # where chatkit_django.urls puts the endpoint; the default
        "CONTEXT": None,                # a callable, or the dotted path to one; see ChatKitView
        "ANONYMOUS": False,             # whether people who are not signed in are let in
        "OWNER": None,                  # from a context to whose rows DjangoStore shows; a callable or its path
        "OPTIONS": {},                  # fields of chatkit_asgi.Options, instead of the server's own
    }
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from chatkit_asgi import ChatKitRouter, ChatKitServer, Options

__all__ = ["KEYS", "context", "found", "options", "owner", "owner_of", "server"]

KEYS = ("SERVER", "PATH", "CONTEXT", "ANONYMOUS", "OWNER", "OPTIONS")


def found() -> Mapping[str, Any]:
    """The setting; empty where there is none.

    Raises:
        ImproperlyConfigured: It is no dict, or has a key that means nothing.
    """
    given: Any = getattr(settings, "CHATKIT", {})
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured(f"CHATKIT must be a dict, not {given!r:.100}.")
    setting = cast("Mapping[str, Any]", given)
    for key in setting:
        if key not in KEYS:
            raise ImproperlyConfigured(f"CHATKIT has no {key!r}; it has {', '.join(KEYS)}.")
    return setting


def server() -> ChatKitServer[Any] | ChatKitRouter[Any]:
    """``SERVER``.

    Raises:
        ImproperlyConfigured: There is none, it cannot be imported, or it is something else.
    """
    given = found().get("SERVER")
    if given is None:
        raise ImproperlyConfigured('CHATKIT["SERVER"] must name a ChatKitRouter or ChatKitServer.')
    loaded = _load("SERVER", given)
    if not isinstance(loaded, ChatKitServer | ChatKitRouter):
        raise ImproperlyConfigured(
            f'CHATKIT["SERVER"] must be a ChatKitRouter or ChatKitServer, not {loaded!r:.100}.'
        )
    return cast("ChatKitServer[Any] | ChatKitRouter[Any]", loaded)


def context() -> Callable[[Any], Any] | None:
    """``CONTEXT``. Raises ImproperlyConfigured."""
    return _callable("CONTEXT")


def owner() -> Callable[[Any], str] | None:
    """``OWNER``. Raises ImproperlyConfigured."""
    return _callable("OWNER")


def options() -> Options | None:
    """``OPTIONS``.

    Raises:
        ImproperlyConfigured: A name or a value that :class:`~chatkit_asgi.Options` refuses.
    """
    given = found().get("OPTIONS")
    if not given or isinstance(given, Options):
        return given or None
    try:
        return Options(**given)
    except (TypeError, ValueError) as error:
        raise ImproperlyConfigured(f'CHATKIT["OPTIONS"]: {error}') from error


def owner_of(context: Any) -> str:
    """Whose rows ``context`` sees, where a store was not told: what ``OWNER`` says, else ``context.user_id``."""
    by_setting = owner()
    found: Any = getattr(context, "user_id", None) if by_setting is None else by_setting(context)
    return cast("str", found)  # the store refuses what is no text


def _callable(key: str) -> Callable[[Any], Any] | None:
    given = found().get(key)
    if given is None:
        return None
    loaded = _load(key, given)
    if not callable(loaded):
        raise ImproperlyConfigured(f'CHATKIT["{key}"] must be a callable, not {loaded!r:.100}.')
    return cast("Callable[[Any], Any]", loaded)


def _load(key: str, given: Any) -> Any:
    if not isinstance(given, str):
        return given
    try:
        return import_string(given)
    except ImportError as error:
        raise ImproperlyConfigured(f'CHATKIT["{key}"]: {error}') from error
