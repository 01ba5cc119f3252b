"""Every test of this folder runs on every stack, and nothing may go wrong behind an answer."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chatkit_asgi import Options
from chatkit_asgi.options import DEFAULT_OPTIONS
from chatkit_asgi.store import MemoryStore
from tests.conftest import fix_ids
from tests.http.served import Served
from tests.stacks.stack import STACKS, STREAMING, Stack, load, owner_of

HARMLESS = {"The application was reloaded, resetting its router."}
"""What BlackSheep says of a second application in one process."""


@pytest.fixture
def anyio_backend() -> str:
    """What uvicorn runs on."""
    return "asyncio"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """``stack`` is each stack in turn."""
    if "stack" in metafunc.fixturenames:
        names = STREAMING if metafunc.module.__name__.endswith("test_streams") else STACKS
        metafunc.parametrize("stack", list(names), indirect=True)


@pytest.fixture
def stack(request: pytest.FixtureRequest, record_property: Callable[[str, Any], None]) -> Stack:
    """Each stack in turn. Its own list says what is skipped on it, and why."""
    found = load(request.param)
    record_property("table", "stacks")
    record_property("stack", request.param)
    case = request.function.__name__
    record_property("case", case)
    if case in found.skips:
        pytest.skip(found.skips[case])
    return found


def make_server(options: Options = DEFAULT_OPTIONS) -> Served:
    """A server whose hooks each test decides; every person has rows of their own."""
    store: Any = MemoryStore(owner=owner_of)
    fix_ids(store)
    return Served(store, options)


@pytest.fixture
def server(options: Options) -> Served:
    """With the fixed clock and ids that count."""
    return make_server(options)


@pytest.fixture(scope="session", autouse=True)
def frameworks_are_loaded() -> Iterator[None]:
    """Once, and out of the way of the many collections that follow."""
    for name in STACKS:
        load(name)
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def nothing_goes_wrong_behind_the_answer(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Invariant: no server, framework or loop has anything to complain about."""
    yield
    gc.collect()
    told = [
        f"{record.name}: {record.getMessage()}"
        for phase in ("call", "teardown")
        for record in caplog.get_records(phase)
        if record.levelno >= logging.WARNING
        and not record.name.startswith("chatkit_asgi")
        and record.getMessage() not in HARMLESS
    ]
    assert told == []
