"""Django's tests run on asyncio, as Django does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.django.project import database as fresh_database
from tests.django.project import set_up

set_up()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def database() -> Iterator[Path]:
    """A migrated database of its own."""
    with fresh_database() as path:
        yield path
