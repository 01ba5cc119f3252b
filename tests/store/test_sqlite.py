"""SQLite: what only a database in a file, with threads of its own, can get wrong."""

from __future__ import annotations

import gc
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from chatkit_asgi.errors import AuthorError, NotFoundError, StoreError
from chatkit_asgi.store import SQLiteStore
from chatkit_asgi.store import _schema as schema
from chatkit_asgi.store._pages import ItemQuery
from chatkit_asgi.store.rows import item_row
from chatkit_asgi.store.tables import Worker
from chatkit_asgi.testing.store_contract import file, message, note, said, thread

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]

WRITER = """
import sys, anyio
from chatkit_asgi.store import SQLiteStore
from chatkit_asgi.testing.store_contract import message, thread

path, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
store = SQLiteStore(path)

async def append(number):
    await store.add_thread_item("t", message(f"{name}{number}"), context=None)
    print(f"{name}{number}", flush=True)

async def main():
    print("ready", flush=True)
    sys.stdin.readline()
    await store.save_thread(thread("t"), context=None)
    for start in range(0, count, 8):
        async with anyio.create_task_group() as group:
            for number in range(start, min(start + 8, count)):
                group.start_soon(append, number)
    await store.close()

anyio.run(main)
"""


def python(script: str, *arguments: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def go(process: subprocess.Popen[str]) -> None:
    """Let a writer that has loaded everything begin."""
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("\n")
    process.stdin.flush()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chat.db"


@pytest.fixture
def make(path: Path) -> Any:
    return partial(SQLiteStore[Any], path)


async def names(store: Any, thread_id: str = "t") -> list[str]:
    page = await store.load_thread_items(thread_id, None, 100_000, "asc", context=None)
    return [item.id for item in page.data]


class Held:
    """Keeps the writer's thread busy, so that what is written meanwhile becomes one batch."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.entered = threading.Event()
        self.release = threading.Event()

    def _hold(self, tables: Any) -> None:
        self.entered.set()
        self.release.wait(10)

    async def __aenter__(self) -> Held:
        self.group = anyio.create_task_group()
        await self.group.__aenter__()
        self.group.start_soon(self.store._write, self._hold)
        while not self.entered.is_set():
            await checkpoint()
        return self

    async def __aexit__(self, *error: Any) -> None:
        self.release.set()
        await self.group.__aexit__(*error)


def live_workers() -> list[Any]:
    """Every worker that anything still holds."""
    gc.collect()
    return [each for each in gc.get_objects() if type(each) is Worker]


async def settled(work: Callable[[], Any], results: list[Any]) -> None:
    """The error of ``work``, or none, into ``results``."""
    try:
        await work()
        results.append(None)
    except Exception as error:
        results.append(error)


# -- opening ----------------------------------------------------------------------------------------------------------


async def test_nothing_happens_before_the_first_use(path: Path) -> None:
    threads = threading.active_count()
    store: SQLiteStore[Any] = SQLiteStore(path)
    await store.close()
    assert not path.exists()
    assert threading.active_count() == threads


def test_sqlite3_is_loaded_by_those_who_use_it_only() -> None:
    script = "import sys, chatkit_asgi.store; print('sqlite3' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout == "False\n"


async def test_the_rows_are_plain_json_text(path: Path, make: Any) -> None:
    store = make()
    await store.save_thread(thread(metadata={"a": 1}), context=None)
    await store.add_thread_item("t", said("u", file("f", private=True)), context=None)
    await store.save_attachment(file("f", private=True), context=None)
    await store.close()
    with sqlite3.connect(path) as plain:
        for table in ("threads", "items", "attachments"):
            row = plain.execute(
                f"SELECT json_extract(data, '$.id'), typeof(data), private FROM {table}"
            ).fetchone()
            assert row[:2] in (("t", "text"), ("u", "text"), ("f", "text"))
            assert "secret" in row[2] or row[2] == '{"metadata":{"a":1}}'
        assert plain.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    plain.close()


async def test_a_newer_schema_is_refused(path: Path, make: Any) -> None:
    store = make()
    await store.save_thread(thread(), context=None)
    await store.close()
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 999")
    newer.close()
    for _ in range(2):
        with pytest.raises(StoreError, match="newer version"):
            await store.load_thread("t", context=None)
        with pytest.raises(StoreError, match="newer version"):
            await store.save_thread(thread(), context=None)
    newer = sqlite3.connect(path)
    newer.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS)}")
    newer.close()
    assert await store.load_thread("t", context=None) == thread()
    await store.close()


async def test_the_database_of_another_program_is_left_alone(path: Path, make: Any) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (x)")
    other.execute("PRAGMA user_version = 1")
    other.close()
    before = path.read_bytes()
    store = make()
    with pytest.raises(StoreError, match="another program"):
        await store.save_thread(thread(), context=None)
    await store.close()
    assert path.read_bytes() == before


def test_every_older_schema_becomes_the_newest_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = schema.MIGRATIONS
    shapes: list[Any] = []
    for version in range(len(every) + 1):
        database = str(tmp_path / f"{version}.db")
        monkeypatch.setattr(schema, "MIGRATIONS", every[:version])
        schema.connect(database, busy_timeout=1).close()
        monkeypatch.setattr(schema, "MIGRATIONS", every)
        connection = schema.connect(database, busy_timeout=1)
        shapes.append(
            connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
        )
        assert connection.execute("PRAGMA user_version").fetchone()[0] == len(every)
        connection.close()
    assert all(shape == shapes[0] for shape in shapes)


def test_a_migration_that_fails_leaves_the_old_schema(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = schema.MIGRATIONS
    schema.connect(str(path), busy_timeout=1).close()
    broken = (*every, ("CREATE TABLE extra (x)", "CREATE TABLE items (x)"))
    monkeypatch.setattr(schema, "MIGRATIONS", broken)
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        schema.connect(str(path), busy_timeout=1)
    monkeypatch.setattr(schema, "MIGRATIONS", every)
    connection = schema.connect(str(path), busy_timeout=1)
    assert connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'extra'").fetchone() is None
    connection.close()


async def test_a_file_that_is_no_database_is_a_store_error_and_not_the_end(
    path: Path, make: Any
) -> None:
    path.write_bytes(b"this is not a database at all" * 100)
    store = make()
    for _ in range(2):
        with pytest.raises(StoreError, match=r"chat\.db") as caught:
            await store.load_thread("t", context=None)
        assert isinstance(caught.value.__cause__, sqlite3.DatabaseError)
        with pytest.raises(StoreError):
            await store.save_thread(thread(), context=None)
    path.unlink()
    await store.save_thread(thread(), context=None)
    assert await store.load_thread("t", context=None) == thread()
    await store.close()


async def test_damage_inside_the_file_is_a_store_error_and_not_the_end(
    path: Path, make: Any
) -> None:
    store = make()
    await store.save_thread(thread(), context=None)
    for number in range(50):
        await store.add_thread_item("t", message(f"m{number}", "x" * 2000), context=None)
    await store.close()
    data = bytearray(path.read_bytes())
    data[4096 * 3 :] = b"\xa5" * (len(data) - 4096 * 3)
    path.write_bytes(data)
    results: list[Any] = []
    for number in range(50):
        await settled(partial(store.load_item, "t", f"m{number}", context=None), results)
    assert {type(each) for each in results} <= {type(None), StoreError, NotFoundError}
    failed = [each for each in results if isinstance(each, StoreError)]
    assert failed
    assert isinstance(failed[0].__cause__, sqlite3.DatabaseError)
    await store.close()


async def test_a_missing_directory_is_a_store_error(tmp_path: Path) -> None:
    store: SQLiteStore[Any] = SQLiteStore(tmp_path / "nowhere" / "chat.db")
    with pytest.raises(StoreError, match="nowhere"):
        await store.save_thread(thread(), context=None)
    (tmp_path / "nowhere").mkdir()
    await store.save_thread(thread(), context=None)
    await store.close()


# -- writing ----------------------------------------------------------------------------------------------------------


async def test_what_waits_together_is_committed_together(make: Any) -> None:
    store = make()
    await store.save_thread(thread(), context=None)
    statements: list[str] = []
    await store._write(lambda tables: tables.connection.set_trace_callback(statements.append))
    async with Held(store) as held:
        for number in range(100):
            held.group.start_soon(
                partial(store.add_thread_item, "t", message(f"m{number}"), context=None)
            )
        await anyio.wait_all_tasks_blocked()
    assert len(await names(store)) == 100
    assert statements.count("COMMIT") == 3  # the trace, the hold, and all of the hundred
    await store.close()


async def test_a_write_that_fails_fails_alone(make: Any) -> None:
    store = make()
    await store.save_thread(thread(), context=None)

    def broken(tables: Any) -> None:
        tables.put_item("", "t", "half", store_row, 0.0)
        raise ZeroDivisionError

    store_row = item_row(message("half"))
    results: list[Any] = []
    async with Held(store) as held:
        for number in range(6):
            good = partial(store.add_thread_item, "t", message(f"m{number}"), context=None)
            unknown = partial(store.add_thread_item, "nope", message("x"), context=None)
            for work in (good, unknown, partial(store._write, broken)):
                held.group.start_soon(settled, work, results)
        await anyio.wait_all_tasks_blocked()
    kinds = [type(each) for each in results]
    assert sorted(each.__name__ for each in kinds) == sorted(
        ["NoneType"] * 6 + ["NotFoundError"] * 6 + ["ZeroDivisionError"] * 6
    )
    assert sorted(await names(store)) == [f"m{number}" for number in range(6)]
    await store.close()


async def test_a_full_disk_fails_the_write_that_needs_it_and_not_the_next(make: Any) -> None:
    store = make()
    await store.save_thread(thread(), context=None)

    def limit(tables: Any) -> None:
        pages = tables.connection.execute("PRAGMA page_count").fetchone()[0]
        tables.connection.execute(f"PRAGMA max_page_count = {pages + 20}")

    await store._write(limit)
    big = message("big", "x" * 1_000_000)
    with pytest.raises(StoreError, match="full") as caught:
        await store.add_thread_item("t", big, context=None)
    assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
    results: list[Any] = []
    async with Held(store) as held:
        for item in (message("a"), big, message("b")):
            work = partial(store.add_thread_item, "t", item, context=None)
            held.group.start_soon(settled, work, results)
        await anyio.wait_all_tasks_blocked()
    assert sorted(type(each).__name__ for each in results) == ["NoneType", "NoneType", "StoreError"]
    assert sorted(await names(store)) == ["a", "b"]
    await store.close()


async def test_a_cancelled_caller_leaves_a_whole_write(make: Any) -> None:
    """Invariant: what was handed over is done, whole, whenever its caller is cancelled."""
    store = make()
    await store.load_threads(1, None, "asc", context=None)
    for steps in range(8):
        name = f"t{steps}"
        attachment = file(f"f{steps}", thread_id=name)
        await store.save_attachment(file(f"f{steps}"), context=None)

        async def save(name: str = name, attachment: Any = attachment) -> None:
            item = said("u", attachment, thread_id=name)
            await store.save_user_message(
                thread(name), item, [attachment], new_thread=True, context=None
            )

        async with anyio.create_task_group() as group:
            group.start_soon(save)
            for _ in range(steps):
                await checkpoint()
            group.cancel_scope.cancel()
        await store.save_thread(thread("next"), context=None)  # handed over later, so done later
        try:
            await store.load_thread(name, context=None)
        except NotFoundError:
            assert steps == 0, "only a task that never ran has not handed anything over"
            continue
        assert await names(store, name) == ["u"]
        assert await store.load_attachment(attachment.id, None) == attachment
    await store.close()


async def test_cancelled_reads_and_writes_do_not_hold_up_others(make: Any) -> None:
    store = make()
    await store.save_thread(thread(), context=None)
    async with Held(store) as held:
        for number in range(20):
            with anyio.move_on_after(0):
                await store.add_thread_item("t", message(f"m{number}"), context=None)
            with anyio.move_on_after(0):
                await store.load_thread("t", context=None)
        held.release.set()
        await store.add_thread_item("t", message("last"), context=None)
    assert (await names(store))[-1] == "last"
    await store.close()


async def test_writes_are_done_in_the_order_in_which_they_were_handed_over(make: Any) -> None:
    store = make()
    await store.save_thread(thread(), context=None)
    async with Held(store) as held:
        for number in range(30):
            held.group.start_soon(
                partial(store.save_item, "t", message("m", f"text {number}"), context=None),
                name=str(number),
            )
            await anyio.wait_all_tasks_blocked()
    assert (await store.load_item("t", "m", context=None)).content[0].text == "text 29"
    await store.close()


async def test_closing_finishes_what_is_waiting(make: Any) -> None:
    store = make()
    await store.save_thread(thread(), context=None)
    async with Held(store) as held:
        for number in range(10):
            held.group.start_soon(
                partial(store.add_thread_item, "t", message(f"m{number}"), context=None)
            )
        await anyio.wait_all_tasks_blocked()
        held.group.start_soon(store.close)
        await anyio.wait_all_tasks_blocked()
        held.release.set()
    assert len(await names(store)) == 10
    await store.close()
    for each in threading.enumerate():
        if each.name.startswith("chatkit-sqlite"):
            each.join(5)
            assert not each.is_alive()


async def test_closing_and_opening_leaves_nothing_behind(make: Any) -> None:
    store = make()
    before = len(live_workers())
    for number in range(3):
        await store.save_thread(thread(f"t{number}"), context=None)
        await store.close()
    assert len(live_workers()) == before


async def test_a_store_that_is_dropped_ends_its_threads(make: Any) -> None:
    store = make()
    await store.save_thread(thread(), context=None)
    workers = [each for each in threading.enumerate() if each.name.startswith("chatkit-sqlite")]
    assert workers
    del store
    for worker in workers:
        worker.join(5)
        assert not worker.is_alive()


# -- reading ----------------------------------------------------------------------------------------------------------


async def test_a_read_sees_every_write_that_was_told(make: Any) -> None:
    store = make()
    await store.save_thread(thread(), context=None)

    async def append_and_look(number: int) -> None:
        await store.add_thread_item("t", message(f"m{number}"), context=None)
        assert await store.load_item("t", f"m{number}", context=None) == message(f"m{number}")

    async with anyio.create_task_group() as group:
        for number in range(60):
            group.start_soon(append_and_look, number)
    await store.close()


async def fill(store: Any, name: str, count: int) -> None:
    """A thread of that many messages, in order, in one write."""
    rows = [
        (f"m{number}", item_row(message(f"m{number}", thread_id=name))) for number in range(count)
    ]

    def put(tables: Any) -> None:
        for item_id, row in rows:
            tables.put_item("", name, item_id, row, 0.0)

    await store.save_thread(thread(name), context=None)
    await store._write(put)


def steps(work: Callable[[Any], Any], tables: Any) -> int:
    """Steps of SQLite's machine that ``work`` takes."""
    counted = 0

    def step() -> None:
        nonlocal counted
        counted += 1

    tables.connection.set_progress_handler(step, 1)
    work(tables)
    tables.connection.set_progress_handler(None, 1)
    return counted


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_what_a_page_costs_does_not_depend_on_the_thread(make: Any, order: str) -> None:
    """Counted in steps of SQLite's machine, not in time."""
    store = make()
    read: dict[str, int] = {}
    written: dict[str, int] = {}
    for name, count in (("short", 12), ("long", 10_000)):
        await fill(store, name, count)
        query = ItemQuery("", name, f"m{count // 2}", 4, order == "desc", 0.0)
        page = partial(steps, lambda tables, query=query: tables.visible_items(query))
        await store._read(page)
        read[name] = await store._read(page)
        row = item_row(message("new"))
        put = partial(
            steps, lambda tables, name=name, row=row: tables.put_item("", name, "new", row, 0.0)
        )
        written[name] = await store._write(put)
    assert 0 < read["long"] <= read["short"] * 1.05
    assert 0 < written["long"] <= written["short"] * 1.05
    await store.close()


async def test_items_that_are_aside_cost_nothing_to_skip(make: Any) -> None:
    store = make()
    await fill(store, "t", 2000)
    aside = await store.set_aside_after("t", "m0", context=None)
    for descending in (False, True):
        query = ItemQuery("", "t", None, 5, descending, time.time())
        assert (
            await store._read(
                partial(steps, lambda tables, query=query: tables.visible_items(query))
            )
            < 500
        )
    await store.discard_aside(aside, context=None)
    assert await names(store) == ["m0"]
    await store.close()


async def test_unknown_fields_of_a_stored_row_survive_every_way_of_saving(
    path: Path, make: Any
) -> None:
    store = make()
    await store.save_thread(thread(metadata={"a": 1}), context=None)
    await store.add_thread_item("t", message("m"), context=None)
    await store.save_attachment(file("f"), context=None)
    await store.close()
    with sqlite3.connect(path) as plain:
        for table in ("threads", "items", "attachments"):
            plain.execute(
                f"UPDATE {table} SET data = json_set(data, '$.zz', json('[1]')), version = 2"
            )
    plain.close()
    loaded = await store.load_thread("t", context=None)
    loaded.title = "new"
    await store.save_thread(loaded, context=None)
    await store.save_item("t", message("m", "new"), context=None)
    await store.add_thread_item("t", message("m", "newer"), context=None)
    await store.save_attachment(file("f", thread_id="t", private=True), context=None)
    assert await store.load_thread("t", context=None) == thread(title="new", metadata={"a": 1})
    assert await store.load_item("t", "m", context=None) == message("m", "newer")
    await store.close()
    with sqlite3.connect(path) as plain:
        for table in ("threads", "items", "attachments"):
            data = json.loads(plain.execute(f"SELECT data FROM {table}").fetchone()[0])
            assert data["zz"] == [1]
    plain.close()


async def test_an_owner_must_be_text(make: Any) -> None:
    store = make(owner=lambda context: context)
    for owner in (None, 7, "", "\ud800"):
        with pytest.raises(AuthorError):
            await store.load_threads(1, None, "asc", context=owner)
    await store.save_thread(thread(), context="a\x00b")
    assert await store.load_thread("t", context="a\x00b") == thread()
    await store.close()


# -- event loops and processes ----------------------------------------------------------------------------------------


def test_one_store_serves_event_loops_after_each_other_and_at_once(make: Any) -> None:
    store = make()
    errors: list[BaseException] = []

    async def work(name: str) -> None:
        await store.save_thread(thread(name), context=None)
        for number in range(20):
            await store.add_thread_item(name, message(f"m{number}"), context=None)
        assert len(await names(store, name)) == 20

    def run(name: str, backend: str) -> None:
        try:
            anyio.run(work, name, backend=backend)
        except BaseException as error:
            errors.append(error)

    for backend in ("asyncio", "trio", "asyncio"):
        run(f"{backend}-alone", backend)
    threads = [
        threading.Thread(target=run, args=(f"{number}", ["asyncio", "trio"][number % 2]))
        for number in range(4)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(20)
    assert errors == []
    anyio.run(store.close)


def test_an_event_loop_that_ends_early_takes_nothing_with_it(make: Any) -> None:
    store = make()

    async def leave() -> None:
        await store.save_thread(thread(), context=None)
        async with anyio.create_task_group() as group:
            for number in range(10):
                group.start_soon(
                    partial(store.add_thread_item, "t", message(f"m{number}"), context=None)
                )
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()

    async def look() -> int:
        await store.save_thread(thread("later"), context=None)  # what came before is done before
        found = len(await names(store))
        await store.close()
        return found

    anyio.run(leave)
    assert anyio.run(look) == 10


def test_what_was_handed_over_is_written_when_the_process_ends(path: Path) -> None:
    script = """
import sys, anyio
from functools import partial
from chatkit_asgi.store import SQLiteStore
from chatkit_asgi.testing.store_contract import message, thread
store = SQLiteStore(sys.argv[1])
async def main():
    await store.save_thread(thread("t"), context=None)
    async with anyio.create_task_group() as group:
        for number in range(200):
            group.start_soon(partial(store.add_thread_item, "t", message(f"m{number}"), context=None))
        await anyio.lowlevel.checkpoint()
        await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
anyio.run(main)
"""
    process = python(script, path)
    out, errors = process.communicate(timeout=30)
    assert (process.returncode, out, errors) == (0, "", "")
    store: SQLiteStore[Any] = SQLiteStore(path)

    async def look() -> int:
        found = len(await names(store))
        await store.close()
        return found

    assert anyio.run(look) == 200


async def test_a_write_waits_for_another_process_and_says_when_it_waited_too_long(
    path: Path, make: Any
) -> None:
    store = make(busy_timeout=0.05)
    await store.save_thread(thread(), context=None)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        await store.add_thread_item("t", message("m"), context=None)
    assert await store.load_thread("t", context=None) == thread()
    await store.close()
    store = make()
    timer = threading.Timer(0.2, other.execute, ("COMMIT",))
    timer.start()
    await store.add_thread_item("t", message("m"), context=None)
    timer.join()
    other.close()
    await store.close()


def test_processes_that_start_at_once_on_a_new_file_all_work(path: Path) -> None:
    """Invariant: migrations race without harm, and two processes never give out one place twice."""
    writers = [python(WRITER, path, f"p{number}-", 40) for number in range(4)]
    for each in writers:
        go(each)
    for each in writers:
        _, errors = each.communicate(timeout=50)
        assert (each.returncode, errors) == (0, "")
    plain = sqlite3.connect(path)
    assert plain.execute(
        "SELECT COUNT(*), COUNT(DISTINCT seq), MAX(seq) FROM items"
    ).fetchone() == (160, 160, 160)
    assert plain.execute("SELECT COUNT(*) FROM threads").fetchone() == (1,)
    assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    plain.close()


def test_nothing_that_was_told_is_lost_by_kill_9(path: Path) -> None:
    process = python(WRITER, path, "m", 100_000)
    go(process)
    assert process.stdout is not None
    told = [process.stdout.readline().strip() for _ in range(300)]
    process.kill()
    told += process.stdout.read().split("\n")[:-1]  # the last line may be cut
    process.communicate(timeout=10)
    store: SQLiteStore[Any] = SQLiteStore(path)

    async def look() -> set[str]:
        found = set(await names(store))
        await store.close()
        return found

    assert set(told) <= anyio.run(look)
    assert len(told) >= 300


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_opens_the_file_for_itself(path: Path) -> None:
    script = """
import os, sys, anyio, warnings
from chatkit_asgi.errors import StoreError
from chatkit_asgi.store import SQLiteStore
from chatkit_asgi.testing.store_contract import message, thread
warnings.simplefilter("ignore", DeprecationWarning)
store, memory = SQLiteStore(sys.argv[1]), SQLiteStore(":memory:")
async def before():
    await store.save_thread(thread("t"), context=None)
    await memory.save_thread(thread("t"), context=None)
async def add(name):
    await store.add_thread_item("t", message(name), context=None)
async def child():
    await add("child")
    try:
        await memory.load_thread("t", context=None)
    except StoreError:
        await memory.save_thread(thread("t"), context=None)
        await memory.close()
        await store.close()
anyio.run(before)
if os.fork() == 0:
    anyio.run(child)
    sys.exit()
assert os.wait()[1] == 0
anyio.run(add, "parent")
"""
    process = python(script, path)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    plain = sqlite3.connect(path)
    assert plain.execute("SELECT id FROM items ORDER BY seq").fetchall() == [
        ("child",),
        ("parent",),
    ]
    plain.close()


@pytest.mark.slow
async def test_a_long_mixed_load_stays_whole(path: Path, make: Any) -> None:
    store = make()
    process = python(WRITER, path, "other", 2000)
    go(process)

    async def worker(number: int) -> None:
        name = f"w{number}"
        await store.save_thread(thread(name), context=None)
        for step in range(100):
            await store.add_thread_item(name, message(f"m{step}"), context=None)
            await store.add_thread_item(name, note(f"h{step}"), context=None)
            with anyio.move_on_after(0.001):
                await store.load_visible_items(name, None, 20, "desc", context=None)
        assert len(await names(store, name)) == 200

    async with anyio.create_task_group() as group:
        for number in range(32):
            group.start_soon(worker, number)
    _, errors = await anyio.to_thread.run_sync(process.communicate)
    assert (process.returncode, errors) == (0, "")
    assert len(await names(store)) == 2000
    await store.close()
