"""Nothing may be left behind: no task that was destroyed while it ran, no exception that nobody saw."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def nothing_left_behind(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """asyncio tells of such things by its log, when they are collected."""
    yield
    gc.collect()
    told = [
        record.getMessage()
        for phase in ("call", "teardown")
        for record in caplog.get_records(phase)
        if record.name == "asyncio" and record.levelno >= logging.WARNING
    ]
    assert told == []
