"""What a long thread costs: requests on a thread of 10,000 items against one of 10, and the retry of its first message.

In process through ``process()``, with SQLite on disk for ours. The official server has no store of its own; for the
retry it gets a dict that finds items by id and pages without sorting, which is the best case for it.
"""

# pyright: basic
# mypy: ignore-errors
from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from ._measure import one_core
from ._report import Row
from .data import items, request_body

__all__ = ["NAME", "run"]

NAME = "threads"


async def _drain(server, body) -> None:
    result = await server.process(body, {})
    if hasattr(result, "json"):
        return
    async for _ in result:
        pass


async def _timed(server, bodies, rounds) -> list[float]:
    """Medians of the bodies, one of each in turn, so that all see the same disk."""
    times = [[] for _ in bodies]
    for _ in range(rounds):
        for into, body in zip(times, bodies, strict=True):
            began = time.perf_counter()
            await _drain(server, body)
            into.append(time.perf_counter() - began)
    return [statistics.median(each) for each in times]


def _decoded(thread_id, count, types):
    kinds = {"user_message": types.UserMessageItem, "assistant_message": types.AssistantMessageItem}
    return [kinds[each["type"]].model_validate(each) for each in items(thread_id, count)]


async def _fill(store, thread_id, count, types):
    thread = types.ThreadMetadata(id=thread_id, created_at="2026-03-14T09:26:53Z")
    await store.save_thread(thread, context={})
    for start in range(0, count, 500):
        batch = _decoded(thread_id, count, types)[start : start + 500]
        await asyncio.gather(
            *(store.add_thread_item(thread_id, item, context={}) for item in batch)
        )


async def _flat(quick: bool) -> list[Row]:
    from chatkit_asgi import Options, types
    from chatkit_asgi.store import SQLiteStore

    from .ours import OurServer

    short, long = 10, 1000 if quick else 10_000
    rounds = 20 if quick else 300
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        store = SQLiteStore(Path(folder) / "bench.db")
        server = OurServer(store, deltas=1)
        server.options = Options(page_size=10, handle_signals=False)
        await _fill(store, "thr_short", short, types)
        await _fill(store, "thr_long", long, types)
        message = {
            "content": [{"type": "input_text", "text": "x"}],
            "attachments": [],
            "inference_options": {},
        }

        def pair(kind, short_params=None, long_params=None, **params):
            return [
                request_body(kind, thread_id="thr_long", **params, **(long_params or {})),
                request_body(kind, thread_id="thr_short", **params, **(short_params or {})),
            ]

        requests = {
            "items.list at the end": pair("items.list", limit=4),
            "items.list in the middle": pair(
                "items.list",
                {"after": f"msg_{short // 2:032x}"},
                {"after": f"msg_{long // 2:032x}"},
                limit=4,
            ),
            "threads.get_by_id, 10 items": pair("threads.get_by_id"),
            "threads.retry_after_item, the last": pair(
                "threads.retry_after_item",
                {"item_id": f"msg_{short - 2:032x}"},
                {"item_id": f"msg_{long - 2:032x}"},
            ),
            "threads.add_user_message": pair("threads.add_user_message", input=message),
        }
        for name, bodies in requests.items():
            of_long, of_short = await _timed(server, bodies, rounds)
            rows.append(Row(f"{name}: {long:,} items against {short}", of_long * 1e3, of_short * 1e3, "ms",
                            of_long / of_short, 1.2, "SQLite", at_most=True))  # fmt: skip
        await store.close()
    return rows


async def _retry(store, server_class, count, types) -> float:
    await _fill(store, "thr_long", count, types)
    server = server_class(store, deltas=1)
    body = request_body("threads.retry_after_item", thread_id="thr_long", item_id=f"msg_{0:032x}")
    (seconds,) = await _timed(server, [body], 1)
    return seconds


def run(quick: bool = False) -> list[Row]:
    """The rows of this subject."""
    from chatkit import types as their_types

    from chatkit_asgi import types
    from chatkit_asgi.store import MemoryStore, SQLiteStore

    from .official import DictStore, OfficialServer
    from .ours import OurServer

    with one_core():
        rows = asyncio.run(_flat(quick))
    count = 1000 if quick else 10_000
    official, memory, sqlite = [], [], []
    for _ in range(3):
        official.append(asyncio.run(_retry(DictStore(), OfficialServer, count, their_types)))
        memory.append(asyncio.run(_retry(MemoryStore(), OurServer, count, types)))
        with tempfile.TemporaryDirectory() as folder:
            store = SQLiteStore(Path(folder) / "bench.db")
            sqlite.append(asyncio.run(_retry(store, OurServer, count, types)))
            asyncio.run(store.close())
    of_official = statistics.median(official)
    for name, times, budget in (("memory", memory, 20), ("SQLite, synchronous=FULL", sqlite, None)):
        ours = statistics.median(times)
        rows.append(Row(f"retry of the first message of {count:,} items, {name}", ours * 1e3, of_official * 1e3, "ms",
                        of_official / ours, budget, "official on a dict"))  # fmt: skip
    return rows
