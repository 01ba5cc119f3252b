"""Every server; the table at the end of a run shows what was tried on which."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.servers.process import SERVERS

QUICK = {"granian", "daphne"}
"""In ``make test``; tests/faults tries uvicorn and hypercorn there. ``make slow`` tries all."""
TELLS = "test_a_stopping_server_tells_its_viewers"
HYPERCORN = (
    "its parent process keeps SIGTERM to itself; the worker cancels requests after "
    "--graceful-timeout"
)
SKIPS = {
    (
        "daphne",
        "test_a_client_that_does_not_read_does_not_grow_memory",
    ): "daphne takes whatever an app sends; "
    "send_timeout does not help, because its send returns at once",
    ("daphne", TELLS): "it closes connections first",
    **{(f"hypercorn-{loop}", TELLS): HYPERCORN for loop in ("asyncio", "uvloop", "trio")},
}


@pytest.fixture
def anyio_backend() -> str:
    """For the test's own reading of the store."""
    return "asyncio"


@pytest.fixture(
    params=[pytest.param(each, marks=() if each in QUICK else pytest.mark.slow) for each in SERVERS]
)
def kind(request: pytest.FixtureRequest, record_property: Callable[[str, Any], None]) -> str:
    """A server's name."""
    name: str = request.param
    case = request.function.__name__
    record_property("table", "servers")
    record_property("stack", name)
    record_property("case", case)
    if (name, case) in SKIPS:
        pytest.skip(SKIPS[name, case])
    return name
