"""What the whole suite shares: both event loops, both stores, a clock and ids that are the same in every run."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chatkit_asgi import Options
from chatkit_asgi.ids import PREFIXES
from chatkit_asgi.store import MemoryStore, SQLiteStore, Store
from tests.stacks.table import pytest_terminal_summary

__all__ = ["START", "fix_ids", "pytest_terminal_summary"]

START = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Every asynchronous test runs on both event loops."""
    backend: str = request.param
    return backend


@pytest.fixture
def clock() -> Callable[[], datetime]:
    """Begins at :data:`START`; every look at it is one millisecond later."""
    looks = iter(range(1_000_000))
    return lambda: START + timedelta(milliseconds=next(looks))


@pytest.fixture
def options(clock: Callable[[], datetime]) -> Options:
    """The defaults on the fixed clock, without signal handlers."""
    return Options(clock=clock, handle_signals=False)


def fix_ids(store: Store[Any]) -> None:
    """Let ``store`` count instead of making random ids; of the same form as those."""
    made: Counter[str] = Counter()

    def next_id(item_type: Any, *_: Any) -> str:
        made[item_type] += 1
        return f"{PREFIXES[item_type]}_{made[item_type]:032x}"

    changed: Any = store
    changed.generate_item_id = next_id
    changed.generate_thread_id = lambda _: next_id("thread")


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store[Any]]:
    """Each of the shipped stores, with ids that count."""
    found: Store[Any] = (
        MemoryStore() if request.param == "memory" else SQLiteStore(tmp_path / "chat.db")
    )
    fix_ids(found)
    yield found
    await found.close()


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real S3 server; one for each process of a run that asks for it."""
    from tests.attachments.s3server import seaweed

    with seaweed(tmp_path_factory.mktemp("s3")) as endpoint:
        yield endpoint
