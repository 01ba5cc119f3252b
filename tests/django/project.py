"""Django in the tests' process: set up once, with a database that each test gets a fresh copy of."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import django
from django.conf import settings

__all__ = ["database", "set_up", "site"]


@cache
def set_up() -> Path:
    """Set Django up and make the database that others are copied from."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.django.settings"
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    template = Path(settings.DATABASES["default"]["NAME"])
    call_command("migrate", run_syncdb=True, verbosity=0)
    connection.close()
    return template


@contextmanager
def database() -> Iterator[Path]:
    """A migrated database of its own as ``default``."""
    template = set_up()
    from django.db import connections

    fresh = template.with_name(f"{os.urandom(8).hex()}.db")
    shutil.copy(template, fresh)

    def use(path: Path) -> None:
        connections.settings["default"]["NAME"] = str(path)
        if hasattr(connections._connections, "default"):  # type: ignore[attr-defined]
            connections["default"].close()
            del connections["default"]

    use(fresh)
    try:
        yield fresh
    finally:
        use(template)
        fresh.unlink()


def site(patterns: list[Any]) -> Any:
    """Django's ASGI application with these URLs beside those of :mod:`tests.django.urls`."""
    set_up()
    from django.core.handlers.asgi import ASGIHandler

    from tests.django.urls import urlpatterns

    urls = SimpleNamespace(urlpatterns=[*urlpatterns, *patterns])

    class Site(ASGIHandler):
        """Several sites in one process: each request is told its URLs, as a middleware may do."""

        def create_request(self, scope: Any, body_file: Any) -> Any:
            request, error = super().create_request(scope, body_file)
            if request is not None:
                request.urlconf = urls
            return request, error

    return Site()
