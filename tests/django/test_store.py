"""What is special to the store on Django's ORM: whose transaction it uses, what fails alone, who else writes.

That it keeps a store's promises is in :mod:`tests.django.test_contract`.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import pytest
from asgiref.sync import async_to_sync
from chatkit_django import DjangoStore
from chatkit_django.models import Item, Thread
from chatkit_django.tables import DjangoTables
from django.db import connection, connections, transaction
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import run_state_machine_as_test

from chatkit_asgi.errors import AuthorError, NotFoundError, StoreError
from chatkit_asgi.testing.store_contract import file, message, thread
from tests.store.test_model import Machine
from tests.store.test_sqlite import live_workers

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> Any:
    """A store on each database."""
    request.getfixturevalue("database" if request.param == "sqlite" else "postgres")
    return DjangoStore(owner=None)


async def at_once(*calls: Any) -> list[Any]:
    """The results of all calls, or their errors."""
    results: list[Any] = [None] * len(calls)

    async def one(place: int, call: Any) -> None:
        try:
            results[place] = await call()
        except Exception as error:
            results[place] = error

    async with anyio.create_task_group() as group:
        for place, call in enumerate(calls):
            group.start_soon(one, place, call)
    return results


# -- the caller's thread ---------------------------------------------------------------------------------------------


def test_sync_code_gets_its_own_transaction(database: Path) -> None:
    """A TestCase, a sync view and a command see what they have written, and can take it back."""
    store: Any = DjangoStore(owner=None)
    try:
        with transaction.atomic():
            async_to_sync(store.save_thread)(thread(), context=None)
            async_to_sync(store.add_thread_item)("t", message("m"), context=None)
            assert Thread.objects.get().public_id == "t"
            page = async_to_sync(store.load_thread_items)("t", None, 10, "asc", context=None)
            assert page.data == [message("m")]
            with pytest.raises(NotFoundError):
                async_to_sync(store.add_thread_item)("u", message("m"), context=None)
            raise RuntimeError("take it back")
    except RuntimeError:
        pass
    assert not Thread.objects.exists()
    assert not any(each.name.startswith("chatkit") for each in threading.enumerate())


def test_a_database_in_memory_is_asked_where_it_is(database: Path) -> None:
    from django.core.management import call_command

    from tests.django.project import using

    async def work() -> None:
        from asgiref.sync import sync_to_async

        await sync_to_async(call_command)("migrate", verbosity=0)
        store: Any = DjangoStore(owner=None)
        await store.save_thread(thread(), context=None)
        assert await store.load_thread("t", context=None) == thread()
        await sync_to_async(forget)()

    def forget() -> None:  # which Django does not do to a database in memory
        raw: Any = connection.connection
        raw.close()

    with using({"NAME": "file:x?mode=memory&cache=shared"}):
        anyio.run(work)


# -- what fails alone ------------------------------------------------------------------------------------------------


async def test_of_many_writes_at_once_those_that_fail_fail_alone(store: Any) -> None:
    await store.save_thread(thread(), context=None)
    calls: list[Any] = []
    for number in range(40):
        calls += [
            partial(store.add_thread_item, "t", message(f"m{number}"), context=None),
            partial(store.add_thread_item, "nope", message("x"), context=None),
            partial(store.save_feedback, "t", ["m0", "nope"], "positive", context=None),
        ]
    results = await at_once(*calls)
    assert [type(each) for each in results] == [type(None), NotFoundError, NotFoundError] * 40
    page = await store.load_thread_items("t", None, 100, "asc", context=None)
    assert [item.id for item in page.data] == [f"m{number}" for number in range(40)]
    assert await store.load_feedback("t", context=None) == {}
    await store.close()


async def test_a_statement_that_the_database_refuses_fails_alone(
    store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL an error spoils its transaction, on SQLite it does not: neither harms a neighbour."""
    await store.save_thread(thread(), context=None)

    def spoiled(self: Any, owner: str, attachment_id: str) -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT no_such_function()")

    monkeypatch.setattr(DjangoTables, "delete_attachment", spoiled)
    results = await at_once(
        *[partial(store.add_thread_item, "t", message(f"a{n}"), context=None) for n in range(5)],
        partial(store.delete_attachment, "x", context=None),
        *[partial(store.add_thread_item, "t", message(f"b{n}"), context=None) for n in range(5)],
    )
    assert isinstance(results[5], StoreError)
    assert [each for each in results if each is not None] == [results[5]]
    page = await store.load_thread_items("t", None, 100, "asc", context=None)
    assert len(page.data) == 10
    await store.close()


async def test_what_was_told_is_stored_when_the_connection_breaks(
    postgres: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invariant: a write returns only what is committed, whenever the server ends the connection; and the store goes
    on with a new one."""
    store: Any = DjangoStore(owner=None)
    await store.save_thread(thread(), context=None)
    breaks = count()
    put = DjangoTables.put_item

    def breaking(self: Any, owner: str, thread_id: str, item_id: str, *rest: Any) -> None:
        put(self, owner, thread_id, item_id, *rest)
        if item_id == "m20" and next(breaks) == 0:
            with connections["default"].cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    monkeypatch.setattr(DjangoTables, "put_item", breaking)
    names = [f"m{number}" for number in range(40)]
    results = await at_once(
        *[partial(store.add_thread_item, "t", message(name), context=None) for name in names]
    )
    told = [name for name, result in zip(names, results, strict=True) if result is None]
    assert all(result is None or isinstance(result, StoreError) for result in results)
    page = await store.load_thread_items("t", None, 100, "asc", context=None)
    assert {item.id for item in page.data} == set(told)
    await store.add_thread_item("t", message("after"), context=None)
    await store.close()


async def test_closing_and_opening_leaves_nothing_behind(store: Any) -> None:
    before = len(live_workers())
    for number in range(3):
        await store.save_thread(thread(f"t{number}"), context=None)
        await store.close()
    assert len(live_workers()) == before


async def test_a_store_that_is_dropped_ends_its_threads(database: Path) -> None:
    store: Any = DjangoStore(owner=None)
    await store.save_thread(thread(), context=None)
    workers = [each for each in threading.enumerate() if each.name.startswith("chatkit-django")]
    assert workers
    del store
    for worker in workers:
        worker.join(5)
        assert not worker.is_alive()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_writes_for_itself_and_what_waits_at_exit_is_written(
    database: Path,
) -> None:
    script = """
import asyncio, os, sys, warnings
import django
django.setup()
from chatkit_django import DjangoStore
from django.db import connections
connections.settings["default"]["NAME"] = sys.argv[1]
from chatkit_asgi.testing.store_contract import message, thread
warnings.simplefilter("ignore", DeprecationWarning)
store = DjangoStore(owner=None)
async def add(name):
    await store.add_thread_item("t", message(name), context=None)
async def leave(name):
    asyncio.ensure_future(add(name))
    await asyncio.sleep(0)
asyncio.run(store.save_thread(thread("t"), context=None))
if os.fork() == 0:
    asyncio.run(leave("child"))
    sys.exit()
assert os.wait()[1] == 0
asyncio.run(leave("parent"))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, database],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.django.settings",
            "PYTHONPATH": f"{ROOT}:{ROOT / 'adapters'}",
        },
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert list(Item.objects.order_by("place").values_list("public_id", flat=True)) == [
        "child",
        "parent",
    ]


def test_a_database_that_is_gone_is_a_store_error(tmp_path: Path) -> None:
    from tests.django.project import using

    async def work() -> None:
        store: Any = DjangoStore(owner=None)
        with pytest.raises(StoreError):
            await store.load_thread("t", context=None)
        with pytest.raises(StoreError):
            await store.save_thread(thread(), context=None)
        await store.close()

    with using({"NAME": str(tmp_path / "no" / "folder" / "x.db")}):
        anyio.run(work)


# -- who else writes -------------------------------------------------------------------------------------------------


async def test_stores_of_several_processes_give_every_item_a_place_of_its_own(store: Any) -> None:
    """Each store has its own connection, as each process has."""
    others = [store, DjangoStore(owner=None), DjangoStore(owner=None)]
    await store.save_thread(thread(), context=None)
    results = await at_once(
        *[
            partial(each.add_thread_item, "t", message(f"m{place}-{number}"), context=None)
            for number in range(20)
            for place, each in enumerate(others)
        ]
    )
    assert results == [None] * 60
    page = await store.load_thread_items("t", None, 100, "asc", context=None)
    names = [item.id for item in page.data]
    assert len(set(names)) == 60
    for place in range(3):
        own = [name for name in names if name.startswith(f"m{place}-")]
        assert own == [f"m{place}-{number}" for number in range(20)]
    for each in others:
        await each.close()


async def test_a_write_waits_for_another_program_that_is_writing(database: Path) -> None:
    store: Any = DjangoStore(owner=None)
    await store.save_thread(thread(), context=None)
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    async with anyio.create_task_group() as group:
        group.start_soon(partial(store.add_thread_item, "t", message("m"), context=None))
        await anyio.sleep(0.2)
        other.execute("COMMIT")
    other.close()
    assert await store.load_item("t", "m", context=None) == message("m")
    await store.close()


# -- keys ------------------------------------------------------------------------------------------------------------


async def test_ids_that_a_database_cannot_hold_are_not_found_and_can_be_saved(store: Any) -> None:
    for name in ("a\x00b", "\x00", "é" * 300, "'; DROP TABLE x; --"):
        with pytest.raises(NotFoundError):
            await store.load_thread(name, context=None)
        with pytest.raises(NotFoundError):
            await store.load_attachment(name, None)
        with pytest.raises(NotFoundError):
            await store.load_threads(5, name, "asc", context=None)
    for name in ("a\x00b", "ä"):
        await store.save_thread(thread(name), context=None)
        await store.add_thread_item(name, message("m\x00", thread_id=name), context=None)
        await store.save_attachment(file(f"f{name}", thread_id=name), context=None)
        assert (await store.load_thread(name, context=None)).id == name
        assert (await store.load_item(name, "m\x00", context=None)).id == "m\x00"
        assert len(await store.load_thread_attachments(name, context=None)) == 1
        await store.delete_thread(name, context=None)
        with pytest.raises(NotFoundError):
            await store.load_attachment(f"f{name}", None)
    await store.close()


async def test_nobody_is_let_in_without_a_name(database: Path) -> None:
    store: Any = DjangoStore()
    for context in (None, object()):
        with pytest.raises(AuthorError):
            await store.load_threads(5, None, "asc", context=context)


def test_deleting_through_the_orm_cascades(database: Path) -> None:
    store: Any = DjangoStore(owner=None)
    async_to_sync(store.save_thread)(thread(), context=None)
    async_to_sync(store.add_thread_item)("t", message("m"), context=None)
    Thread.objects.all().delete()
    assert not Item.objects.exists()


def test_without_the_app_the_store_says_what_to_do(tmp_path: Path) -> None:
    code = (
        "import django; from django.conf import settings\n"
        "settings.configure(INSTALLED_APPS=[]); django.setup()\n"
        "import chatkit_django.views\n"
        "from chatkit_django import DjangoStore\n"
    )
    path = ":".join(each for each in sys.path if each)
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": path}
    )
    assert "add it to INSTALLED_APPS" in result.stderr


# -- any sequence of calls -------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_any_sequence_of_calls_leaves_what_it_leaves_in_a_list(database: Path) -> None:
    owners = count()

    class OnDjango(Machine):
        @staticmethod
        def make() -> Any:
            owner = str(next(owners))  # a world of its own for each example
            return DjangoStore(owner=lambda _: owner)

    run_state_machine_as_test(
        OnDjango,
        settings=hypothesis_settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert connection.vendor == "sqlite"
