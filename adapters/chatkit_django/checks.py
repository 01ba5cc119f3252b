"""What ``manage.py check`` says about a set-up that will not work. Ids are permanent.

=============== ====================================================================================
chatkit.E001    ``CHATKIT`` is no dict, or has a key that means nothing
chatkit.E002    ``CHATKIT["SERVER"]`` leads to no server
chatkit.E003    ``CONTEXT``, ``OWNER`` or ``OPTIONS`` of ``CHATKIT`` is wrong
chatkit.E004    the endpoint asks ``request.user``, and no middleware says who that is
chatkit.E005    the project can be served with WSGI only
chatkit.E006    the store's database is not in ``DATABASES``
chatkit.W001    ``runserver`` of this project serves WSGI
chatkit.W002    a middleware that is not async
chatkit.W003    no ``CsrfViewMiddleware``, so nobody who is signed in has a token to show
chatkit.W004    browsers drop the session's cookie: ``SameSite=None`` without ``Secure``
chatkit.W005    the store's database is in memory
chatkit.W006    the store is not tested on this database
chatkit.W007    the store's tables are not up to date
chatkit.I001    scripts cannot read the CSRF token from its cookie
=============== ====================================================================================
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from typing import Any, cast

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.core.management import get_commands
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.module_loading import import_string

from . import conf
from .views import ChatKitView

__all__ = [
    "check_database",
    "check_identity",
    "check_middleware",
    "check_migrations",
    "check_server",
    "check_setting",
]

Messages = list[CheckMessage]

TESTED = ("sqlite", "postgresql")
CSRF = "django.middleware.csrf.CsrfViewMiddleware"


def mounted() -> list[ChatKitView]:
    """Every endpoint that a URL of the project leads to."""

    def walk(patterns: Sequence[Any]) -> Iterator[ChatKitView]:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns)
            elif isinstance(pattern, URLPattern) and isinstance(pattern.callback, ChatKitView):
                yield pattern.callback

    try:
        return list(walk(get_resolver().url_patterns)) if settings.ROOT_URLCONF else []
    except Exception:  # Django's own check of URLs says what is wrong with them
        return []


@register("chatkit")
def check_setting(**_: Any) -> Messages:
    """``CHATKIT`` says what it may."""
    steps: list[tuple[str, Callable[[], Any]]] = [("chatkit.E001", conf.found)]
    if getattr(settings, "CHATKIT", None):
        steps += [("chatkit.E002", conf.server)]
        steps += [("chatkit.E003", step) for step in (conf.context, conf.owner, conf.options)]
    found: Messages = []
    for id, step in steps:
        try:
            step()
        except ImproperlyConfigured as error:
            found.append(Error(str(error), hint=f"See {conf.__name__}.", id=id))
            if step is conf.found:
                break
    return found


@register("chatkit")
def check_server(**_: Any) -> Messages:
    """The project is served with ASGI."""
    if not getattr(settings, "ASGI_APPLICATION", None) and not _has_asgi_module():
        return [
            Error(
                "This project has no ASGI application, and ChatKit streams.",
                hint="Add an asgi.py as startproject writes it, or set ASGI_APPLICATION.",
                id="chatkit.E005",
            )
        ]
    serves = get_commands().get("runserver")
    if sys.argv[1:2] == ["runserver"] and serves in ("django.core", "django.contrib.staticfiles"):
        return [
            Warning(
                "This development server speaks WSGI: ChatKit will answer 501.",
                hint="Put 'daphne' first in INSTALLED_APPS, or run: uvicorn --reload <project>.asgi:application",
                id="chatkit.W001",
            )
        ]
    return []


def _has_asgi_module() -> bool:
    """Whether there is one beside the URLs or the WSGI application, where ``startproject`` puts it."""
    wsgi = str(getattr(settings, "WSGI_APPLICATION", None)).rpartition(".")[0]
    for module in (str(settings.ROOT_URLCONF), wsgi):
        with suppress(ImportError, ValueError):
            package = module.rpartition(".")[0]
            if find_spec(f"{package}.asgi" if package else "asgi") is not None:
                return True
    return False


@register("chatkit")
def check_middleware(**_: Any) -> Messages:
    """No middleware costs a thread for each request, or waits for the end of a stream."""
    return [
        Warning(
            f"{path} is not async: every request waits in a thread for it, and a stream too, if it reads the answer.",
            hint="Make it async-capable (django.utils.decorators.sync_and_async_middleware, MiddlewareMixin).",
            id="chatkit.W002",
        )
        for path in settings.MIDDLEWARE
        if not getattr(import_string(path), "async_capable", False)
    ]


@register("chatkit")
def check_identity(**_: Any) -> Messages:
    """Sessions tell who is asking, and pages can send a CSRF token."""
    views, found = mounted(), cast("Messages", [])
    middleware = [import_string(path).__name__ for path in settings.MIDDLEWARE]
    needed = {"AuthenticationMiddleware"}
    if any(view.identity.anonymous for view in views):
        needed.add("SessionMiddleware")
    asks = any(view.identity.context is None for view in views)
    if asks and (lacking := sorted(needed.difference(middleware))):
        found.append(
            Error(
                f"ChatKit asks request.user who it is, and MIDDLEWARE has no {' and no '.join(lacking)}.",
                hint="Add it, or give the endpoint a context of your own.",
                id="chatkit.E004",
            )
        )
    if not asks:
        return found
    if "CsrfViewMiddleware" not in middleware:
        found.append(
            Warning(
                "Who is signed in by a session must show a CSRF token, and MIDDLEWARE has no CsrfViewMiddleware to "
                "give it.",
                hint=f"Add '{CSRF}', or use ensure_csrf_cookie on the page with the chat.",
                id="chatkit.W003",
            )
        )
    samesite = str(settings.SESSION_COOKIE_SAMESITE).lower()
    if samesite == "none" and not settings.SESSION_COOKIE_SECURE:
        found.append(
            Warning(
                "Browsers drop a session cookie that is SameSite=None and not Secure.",
                hint="Set SESSION_COOKIE_SECURE, and CSRF_COOKIE_SECURE with it.",
                id="chatkit.W004",
            )
        )
    if settings.CSRF_USE_SESSIONS or settings.CSRF_COOKIE_HTTPONLY:
        found.append(
            Info(
                "Scripts cannot read the CSRF token from its cookie.",
                hint="Put {{ csrf_token }} into the page and send it from there, in the header X-CSRFToken.",
                id="chatkit.I001",
            )
        )
    return found


def _databases() -> list[str]:
    """The aliases that stores of mounted endpoints use."""
    from .store import DjangoStore

    stores = (view.server.store for view in mounted())
    return sorted({store.using for store in stores if isinstance(store, DjangoStore)})


@register("chatkit")
def check_database(**_: Any) -> Messages:
    """The store's database exists, outlives the process and is a tested one."""
    found: Messages = []
    for using in _databases():
        if using not in connections.settings:
            found.append(
                Error(f"DjangoStore uses {using!r}, which is not in DATABASES.", id="chatkit.E006")
            )
            continue
        name = str(connections.settings[using]["NAME"])
        connection: Any = connections[using]
        if connection.vendor == "sqlite" and (":memory:" in name or "mode=memory" in name):
            found.append(
                Warning(
                    f"The database {using!r} is in memory: each process has its own, and forgets it.",
                    id="chatkit.W005",
                )
            )
        if connection.vendor not in TESTED:
            found.append(
                Warning(
                    f"DjangoStore is not tested on {connection.display_name}.",
                    hint="Run chatkit_asgi.testing.store_contract on it. Ids and owners must be compared by case.",
                    id="chatkit.W006",
                )
            )
    return found


@register(Tags.database)
def check_migrations(*, databases: Sequence[str] | None = None, **_: Any) -> Messages:
    """The store's tables are those of this version. Asked with ``manage.py check --database``, and by ``migrate``."""
    if sys.argv[1:2] == ["migrate"]:  # which is about to see to it
        return []
    found: Messages = []
    for using in set(databases or ()).intersection(_databases()):
        executor = MigrationExecutor(connections[using])
        targets = [
            node for node in executor.loader.graph.leaf_nodes() if node[0] == "chatkit_django"
        ]
        if executor.migration_plan(targets):
            found.append(
                Warning(
                    f"The tables of DjangoStore are not up to date in the database {using!r}.",
                    hint=f"Run: manage.py migrate --database {using}",
                    id="chatkit.W007",
                )
            )
    return found
