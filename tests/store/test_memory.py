"""The store in memory: what is special to it."""

from __future__ import annotations

import sys
import tracemalloc
from typing import Any

import anyio
import msgspec
import pytest

from chatkit_asgi.store import MemoryStore
from chatkit_asgi.testing.store_contract import message, note, thread

pytestmark = pytest.mark.anyio


def run_through(coroutine: Any) -> Any:
    """The result of a coroutine that must not suspend."""
    with pytest.raises(StopIteration) as stopped:
        coroutine.send(None)
    return stopped.value.value


async def test_no_method_ever_suspends() -> None:
    store: MemoryStore[Any] = MemoryStore()
    run_through(store.save_thread(thread(), context=None))
    run_through(store.add_thread_item("t", message("m"), context=None))
    run_through(store.load_visible_items("t", None, 10, "asc", context=None))
    aside = run_through(store.set_aside_after("t", "m", context=None))
    run_through(store.discard_aside(aside, context=None))
    run_through(store.delete_thread("t", context=None))
    run_through(store.close())


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_what_a_call_costs_does_not_depend_on_the_thread(order: Any) -> None:
    """Counted in function calls, Python's and C's, not in time."""
    costs: dict[int, int] = {}
    for count in (20, 10_000):
        store: MemoryStore[Any] = MemoryStore()
        await store.save_thread(thread(), context=None)
        for number in range(count):
            item = note(f"m{number}") if number % 5 == 0 else message(f"m{number}")
            await store.add_thread_item("t", item, context=None)
        calls = 0

        def count_call(frame: Any, event: str, _: Any) -> None:
            nonlocal calls
            calls += event in ("call", "c_call")

        middle = f"m{count // 2}"
        sys.setprofile(count_call)
        await store.load_visible_items("t", middle, 4, order, context=None)
        await store.load_thread_items("t", middle, 4, order, context=None)
        await store.load_pending_tool_calls("t", context=None)
        await store.save_item("t", message(middle, "new"), context=None)
        await store.add_thread_item("t", message("new"), context=None)
        aside = await store.set_aside_after("t", "m1", context=None)
        await store.load_thread_items("t", None, 4, order, context=None)
        await store.restore_aside(aside, context=None)
        await store.delete_thread_item("t", middle, context=None)
        sys.setprofile(None)
        costs[count] = calls
    logarithms = 20 * 10  # a few bisections, each ten steps longer
    assert costs[10_000] <= costs[20] + logarithms


async def test_tasks_that_work_at_once_see_whole_records() -> None:
    store: MemoryStore[Any] = MemoryStore()
    await store.save_thread(thread(), context=None)

    async def worker(number: int) -> None:
        for step in range(20):
            await store.add_thread_item("t", message(f"{number}-{step}"), context=None)
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        for number in range(10):
            group.start_soon(worker, number)
    page = await store.load_thread_items("t", None, 1000, "asc", context=None)
    assert len({item.id for item in page.data}) == 200


async def test_what_a_subclass_shows_is_what_a_client_sees() -> None:
    class Filtered(MemoryStore[None]):
        async def load_threads(self, *args: Any, **more: Any) -> Any:
            page = await super().load_threads(*args, **more)
            page.data = [each for each in page.data if each.title != "secret"]
            return page

        async def load_thread_items(self, *args: Any, **more: Any) -> Any:
            page = await super().load_thread_items(*args, **more)
            page.data = [each for each in page.data if each.id != "m1"]
            return page

    store = Filtered()
    for title in ("one", "secret", "two"):
        await store.save_thread(thread(title, title=title), context=None)
    await store.add_thread_item("one", message("m1", thread_id="one"), context=None)
    await store.add_thread_item("one", message("m2", thread_id="one"), context=None)
    threads = await store.load_visible_threads(10, None, "asc", context=None)
    items = await store.load_visible_items("one", None, 10, "asc", context=None)
    ids = [[msgspec.json.decode(each)["id"] for each in page.data] for page in (threads, items)]
    assert ids == [["one", "two"], ["m2"]]


async def _memory_kept_by(lose: Any, writes: int) -> float:
    """What share of the memory of many items is still held after they were lost and ``writes`` small writes."""
    store: MemoryStore[Any] = MemoryStore()
    await store.save_thread(thread(), context=None)
    await store.add_thread_item("t", message("first"), context=None)
    tracemalloc.start()
    try:
        for number in range(3_000):
            await store.add_thread_item("t", message(f"m{number}", "word " * 100), context=None)
        held = tracemalloc.get_traced_memory()[0]
        await lose(store)
        await store.save_thread(thread(), context=None)
        for _ in range(writes):
            await store.save_item("t", message("first"), context=None)
        return tracemalloc.get_traced_memory()[0] / held
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("way", ["a retry", "a deletion"])
async def test_what_is_lost_is_freed_a_little_with_each_write(way: str) -> None:
    async def lose(store: MemoryStore[Any]) -> None:
        if way == "a retry":
            aside = await store.set_aside_after("t", "first", context=None)
            await store.discard_aside(aside, context=None)
            assert (await store.load_thread_items("t", None, 9, "asc", context=None)).data == [
                message("first")
            ]
        else:
            await store.delete_thread("t", context=None)
            await store.save_thread(thread(), context=None)
            assert not (await store.load_thread_items("t", None, 9, "asc", context=None)).data

    assert await _memory_kept_by(lose, 5) > 0.7
    assert await _memory_kept_by(lose, 60) < 0.1
