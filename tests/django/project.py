"""Django in the tests' process: set up once, with a database that each test gets a fresh copy of."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import django
from asgiref.sync import SyncToAsync
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler

from tests.django.postgres import postgres

__all__ = ["database", "postgres_database", "postgres_server", "set_up", "site", "using"]


@cache
def set_up() -> Path:
    """Set Django up and make the database that others are copied from."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.django.settings"
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    migrated = Path(settings.DATABASES["default"]["NAME"])
    call_command("migrate", verbosity=0)
    connection.close()
    # A copy, because whoever needs no database of its own writes into the other (tests/stacks).
    return Path(shutil.copy(migrated, migrated.with_name("template.db")))


@contextmanager
def database() -> Iterator[Path]:
    """A migrated database of its own as ``default``: a SQLite file."""
    template = set_up()
    fresh = template.with_name(f"{os.urandom(8).hex()}.db")
    shutil.copy(template, fresh)
    with using({"NAME": str(fresh)}):
        yield fresh
    fresh.unlink()


@contextmanager
def using(changes: dict[str, Any]) -> Iterator[None]:
    """Another database as ``default``."""
    from django.db import connections

    before = dict(connections.settings["default"])

    def forget() -> None:
        if hasattr(connections._connections, "default"):  # type: ignore[attr-defined]
            connections["default"].close()
            del connections["default"]

    def use(given: dict[str, Any]) -> None:
        # This thread's connection, and that of the thread in which async code outside of requests asks the ORM. Other
        # threads end with their requests, or with their stores.
        forget()
        SyncToAsync.single_thread_executor.submit(forget).result()
        connections.settings["default"].update(given)

    use(changes)
    try:
        yield
    finally:
        use(before)


@contextmanager
def postgres_server() -> Iterator[dict[str, Any]]:
    """The settings of a migrated database on PostgreSQL, for many tests: it costs a second or two."""
    set_up()
    from django.core.management import call_command
    from django.db import connections

    with postgres() as server:
        settings: dict[str, Any] = {"OPTIONS": {}, **server}
        with using(settings), connections["default"].cursor() as cursor:
            cursor.execute("DROP DATABASE IF EXISTS chatkit_django")
            cursor.execute("CREATE DATABASE chatkit_django")
        settings["NAME"] = "chatkit_django"
        with using(settings):
            call_command("migrate", verbosity=0)
        yield settings


@contextmanager
def postgres_database(settings: dict[str, Any]) -> Iterator[None]:
    """That database as ``default``, with nothing of ChatKit's in it."""
    from django.apps import apps
    from django.db import connections

    models = apps.get_app_config("chatkit_django").get_models()
    tables = ", ".join(model._meta.db_table for model in models)
    with using(settings):
        with connections["default"].cursor() as cursor:
            cursor.execute(f"TRUNCATE {tables}, people_person RESTART IDENTITY CASCADE")
        connections["default"].close()
        yield


def site(patterns: list[Any], handler: Any = ASGIHandler) -> Any:
    """Django's ASGI application, or a subclass of it, with these URLs beside those of :mod:`tests.django.urls`."""
    set_up()
    from tests.django.urls import urlpatterns

    urls: Any = ModuleType("urls")
    urls.urlpatterns = [*urlpatterns, *patterns]

    class Site(handler):  # type: ignore[misc]
        """Several sites in one process: each request is told its URLs, as a middleware may do."""

        def create_request(self, scope: Any, body_file: Any) -> Any:
            request, error = super().create_request(scope, body_file)
            if request is not None:
                request.urlconf = urls
            return request, error

    return Site()
