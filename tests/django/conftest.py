"""Django's tests run on asyncio, as Django does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.django.project import database as fresh_database
from tests.django.project import postgres_database, postgres_server, set_up

set_up()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def database() -> Iterator[Path]:
    """A migrated database of its own."""
    with fresh_database() as path:
        yield path


@pytest.fixture(scope="session")
def postgres_settings() -> Iterator[dict[str, Any]]:
    with postgres_server() as settings:
        yield settings


@pytest.fixture
def postgres(postgres_settings: dict[str, Any]) -> Iterator[None]:
    """A migrated, empty database of its own on PostgreSQL."""
    with postgres_database(postgres_settings):
        yield
