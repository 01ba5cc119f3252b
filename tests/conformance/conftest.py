"""The suite is tried on asyncio; a few tests of the library's own parts run on trio as well, and say so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chatkit_asgi.conformance.testee import make_app
from tests.conformance.serving import uvicorn_serving


@pytest.fixture
def anyio_backend() -> str:
    """One event loop: what is tested is a client of servers in processes of their own."""
    return "asyncio"


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """The address of our testee behind uvicorn."""
    with uvicorn_serving(make_app()) as url:
        yield url
