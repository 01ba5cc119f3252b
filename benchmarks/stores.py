"""Stores: SQLite beside aiosqlite, and what a page costs.

Both sides run in turn on files in one temporary directory, several rounds, medians. aiosqlite has one connection,
WAL, ``synchronous=FULL``, a table with an index on the items' time, and is handed ready JSON, while our side encodes
each item. Its appends are measured twice: with a commit of its own for each insert (a lock around the two, as it takes
to make each write a transaction), and without the lock, where tasks write into each other's transactions and a commit
often finds nothing left to do: faster, but one task's rollback undoes the writes of others. What the numbers do not
show: other disks. A commit costs what the flush costs, and group commit gains most where that is slow.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks._measure import one_core
from benchmarks._report import Row, table
from chatkit_asgi.protocol.codec import encode, encode_stored
from chatkit_asgi.store import MemoryStore, SQLiteStore
from chatkit_asgi.types import AssistantMessageContent, AssistantMessageItem, ThreadMetadata

__all__ = ["NAME", "run"]

NAME = "stores"

TASKS = 128
PAGE = 20
LATE = 3.0
"""Milliseconds by which the event loop may be late, at p99."""
LATE_NOTE = f"best round; ratio is to the {LATE:g} ms that are allowed"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def item(name: str, thread: str = "t") -> AssistantMessageItem:
    """About 0.8 kB of JSON."""
    content = AssistantMessageContent(text="The quick brown fox jumps over the lazy dog. " * 14)
    return AssistantMessageItem(id=name, thread_id=thread, created_at=NOW, content=[content])


async def fill(store: Any, items: int, thread: str = "t") -> None:
    """A thread of that many items."""
    await store.save_thread(ThreadMetadata(id=thread, created_at=NOW), None)
    for start in range(0, items, 500):
        names = [f"m{number}" for number in range(start, min(start + 500, items))]
        await asyncio.gather(
            *(store.add_thread_item(thread, item(name, thread), None) for name in names)
        )


class Other:
    """The usual store over aiosqlite."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def open(self) -> None:
        import aiosqlite

        self.lock = asyncio.Lock()
        self.db = await aiosqlite.connect(self.path)
        await self.db.execute("PRAGMA journal_mode = WAL")
        await self.db.execute("PRAGMA synchronous = FULL")
        await self.db.execute(
            "CREATE TABLE IF NOT EXISTS items (id TEXT PRIMARY KEY, thread_id TEXT, created_at REAL, data TEXT)"
        )
        await self.db.execute(
            "CREATE INDEX IF NOT EXISTS by_time ON items (thread_id, created_at, id)"
        )
        await self.db.commit()

    async def add(self, name: str, thread: str, created_at: float, data: str) -> None:
        async with self.lock:
            await self.add_mixed(name, thread, created_at, data)

    async def add_mixed(self, name: str, thread: str, created_at: float, data: str) -> None:
        await self.db.execute(
            "INSERT INTO items VALUES (?, ?, ?, ?)", (name, thread, created_at, data)
        )
        await self.db.commit()

    async def page(self, thread: str, after: tuple[float, str]) -> list[Any]:
        async with self.db.execute(
            "SELECT data FROM items WHERE thread_id = ? AND (created_at, id) > (?, ?) ORDER BY created_at, id LIMIT ?",
            (thread, *after, PAGE + 1),
        ) as cursor:
            return list(await cursor.fetchall())

    async def close(self) -> None:
        await self.db.close()


class Lateness:
    """How late the event loop wakes a task that sleeps a millisecond."""

    def __init__(self) -> None:
        self.samples: list[float] = []

    async def watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + 0.001
            await asyncio.sleep(0.001)
            self.samples.append(max(loop.time() - due, 0.0))

    @property
    def p99(self) -> float:
        """In milliseconds."""
        return sorted(self.samples)[int(len(self.samples) * 0.99)] * 1000


async def per_second(
    tasks: int, each: int, work: Callable[[int, int], Awaitable[Any]]
) -> tuple[float, float]:
    """``work(task, number)`` done per second by that many tasks, and the event loop's lateness meanwhile."""

    async def one(task: int) -> None:
        for number in range(each):
            await work(task, number)

    lateness = Lateness()
    watcher = asyncio.ensure_future(lateness.watch())
    started = time.perf_counter()
    await asyncio.gather(*(one(task) for task in range(tasks)))
    elapsed = time.perf_counter() - started
    watcher.cancel()
    return tasks * each / elapsed, lateness.p99


async def ours_appends(directory: Path, each: int) -> tuple[float, float]:
    store: SQLiteStore[None] = SQLiteStore(directory / "ours.db")
    for task in range(TASKS):
        await store.save_thread(ThreadMetadata(id=f"t{task}", created_at=NOW), None)
    result = await per_second(
        TASKS,
        each,
        lambda task, number: store.add_thread_item(
            f"t{task}", item(f"m{number}", f"t{task}"), None
        ),
    )
    await store.close()
    return result


async def other_appends(directory: Path, each: int, mixed: bool = False) -> tuple[float, float]:
    other = Other(directory / f"other{mixed}.db")
    await other.open()
    data, add = encode(item("m")).decode(), other.add_mixed if mixed else other.add
    result = await per_second(
        TASKS, each, lambda task, number: add(f"t{task}-m{number}", f"t{task}", float(number), data)
    )
    await other.close()
    return result


async def ours_pages(directory: Path, each: int) -> tuple[float, float]:
    store: SQLiteStore[None] = SQLiteStore(directory / "pages.db")
    await fill(store, 1000)
    result = await per_second(
        TASKS,
        each,
        lambda task, number: store.load_visible_items(
            "t", f"m{(task * 7 + number) % 900}", PAGE, "asc", None
        ),
    )
    await store.close()
    return result


async def other_pages(directory: Path, each: int) -> tuple[float, float]:
    other = Other(directory / "other-pages.db")
    await other.open()
    data = encode(item("m")).decode()
    await other.db.executemany(
        "INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?)",
        [(f"m{n}", "t", float(n), data) for n in range(1000)],
    )
    await other.db.commit()
    result = await per_second(
        TASKS, each, lambda task, number: other.page("t", (float((task * 7 + number) % 900), ""))
    )
    await other.close()
    return result


async def flatness(make: Callable[[str], Any], size: int, times: int) -> tuple[float, float]:
    """Microseconds for a page from the middle of a long thread, and for one of a thread that has little more."""
    long, short = make("long"), make("short")
    await fill(long, size)
    await fill(short, PAGE + 2)

    async def page(store: Any, cursor: str) -> bytes:
        return encode_stored(await store.load_visible_items("t", cursor, PAGE, "desc", None))

    costs = await best(
        times, lambda: page(long, f"m{size // 2}"), lambda: page(short, f"m{PAGE + 1}")
    )
    await long.close()
    await short.close()
    return costs


async def answers(times: int) -> tuple[float, float]:
    """Microseconds from 100 stored rows to the bytes of the answer to ``items.list``: ours, the reference.

    The reference is its own request handler over a dict of JSON rows, with one shared adapter to decode them.
    """
    from chatkit.server import ChatKitServer
    from chatkit.types import ItemsListParams, ItemsListReq
    from chatkit.types import Page as OtherPage
    from chatkit.types import ThreadItem as OtherItem
    from pydantic import TypeAdapter

    adapter: TypeAdapter[Any] = TypeAdapter(OtherItem)
    rows = [encode(item(f"m{number}")) for number in range(100)]

    class Dicts:
        async def load_thread_items(self, *_: Any, **__: Any) -> Any:
            return OtherPage[Any](data=[adapter.validate_json(data) for data in rows])

    class Peer(ChatKitServer[None]):
        def respond(self, *_: Any) -> Any:
            raise NotImplementedError

    peer = Peer(Dicts())  # type: ignore[arg-type]
    request = ItemsListReq(
        type="items.list", params=ItemsListParams(thread_id="t", limit=100, order="asc")
    )
    store: MemoryStore[None] = MemoryStore()
    await fill(store, 100)

    async def ours() -> bytes:
        return encode_stored(await store.load_visible_items("t", None, 100, "asc", None))

    async def other() -> bytes:
        return await peer._process_non_streaming(request, None)

    assert abs(len(await ours()) - len(await other())) < 100, "both sides answer the same"
    return await best(times, ours, other)


async def best(times: int, *works: Callable[[], Awaitable[Any]]) -> tuple[float, float]:
    """Microseconds for one call of each, taken in turn: the best of many short rounds, free of other load."""
    found = [float("inf") for _ in works]
    for _ in range(20):
        for place, work in enumerate(works):
            started = time.perf_counter()
            for _ in range(max(times // 10, 1)):
                await work()
            found[place] = min(
                found[place], (time.perf_counter() - started) / max(times // 10, 1) * 1e6
            )
    return found[0], found[1]


def in_turn(
    rounds: int, ours: Callable[[Path, int], Any], other: Callable[[Path, int], Any], each: int
) -> tuple[float, float, float, float]:
    """Both sides measured in turn: the medians of our rate and theirs, our lateness and theirs in the best round."""
    found: list[tuple[float, float, float, float]] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            mine, theirs = asyncio.run(ours(Path(name), each)), asyncio.run(other(Path(name), each))
            found.append((mine[0], theirs[0], mine[1], theirs[1]))
    mine, theirs, late, other_late = zip(*found, strict=True)
    return statistics.median(mine), statistics.median(theirs), min(late), min(other_late)


def run(quick: bool = False) -> list[Row]:
    """Measure everything; ``quick`` only shows that it works."""
    rounds, each, times = (1, 4, 20) if quick else (5, 40, 200)
    size = 500 if quick else 10_000
    rows: list[Row] = []

    ours, other, late, other_late = in_turn(rounds, ours_appends, other_appends, each)
    note = f"{TASKS} writers, synchronous=FULL, each write a transaction"
    rows.append(Row("SQLite appends against aiosqlite", ours, other, "/s", ours / other, 4.0, note))
    rows.append(
        Row(
            "event loop late by, p99, appending",
            late,
            other_late,
            "ms",
            late / LATE,
            1.0,
            LATE_NOTE,
            at_most=True,
        )
    )
    ours, other, *_ = in_turn(rounds, ours_appends, partial(other_appends, mixed=True), each)
    note = "the same; aiosqlite with the tasks' transactions mixed up"
    rows.append(
        Row(
            "SQLite appends against aiosqlite, no lock", ours, other, "/s", ours / other, None, note
        )
    )

    ours, other, late, other_late = in_turn(rounds, ours_pages, other_pages, each)
    note = f"{TASKS} readers"
    rows.append(
        Row(f"SQLite pages of {PAGE} against aiosqlite", ours, other, "/s", ours / other, 1.2, note)
    )
    rows.append(
        Row(
            "event loop late by, p99, paging",
            late,
            other_late,
            "ms",
            late / LATE,
            1.0,
            LATE_NOTE,
            at_most=True,
        )
    )

    with tempfile.TemporaryDirectory() as name:
        for label, make in (
            ("SQLite", lambda part: SQLiteStore[None](Path(name) / f"{part}.db")),
            ("memory", lambda part: MemoryStore[None]()),
        ):
            with one_core():
                long, short = asyncio.run(flatness(make, size, times))
            measure = f"page of {PAGE} from {size:,} items against {PAGE + 2} ({label})"
            rows.append(
                Row(
                    measure,
                    long,
                    short,
                    "us",
                    long / short,
                    1.2,
                    "cost of the long thread over the short",
                    at_most=True,
                )
            )

    mine, theirs = asyncio.run(answers(times))
    rows.append(Row("100 items, rows to answer bytes", mine, theirs, "us", theirs / mine, 20.0, ""))
    return rows


if __name__ == "__main__":
    print(table(run("--quick" in sys.argv)))
