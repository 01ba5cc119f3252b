"""The app under test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from chatkit_asgi import Options
from chatkit_asgi.store import Store
from chatkit_asgi.testing import ChatKitClient
from tests.http.served import Served, talking


@pytest.fixture
def server(store: Store[Any], options: Options) -> Served:
    """A server whose hooks each test decides."""
    return Served(store, options)


@pytest.fixture
async def client(server: Served) -> AsyncIterator[ChatKitClient]:
    """A client of the server's app, with the default options."""
    async with talking(server) as found:
        yield found
