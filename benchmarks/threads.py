"""What a long thread costs: requests on a thread of 10,000 items against one of 10, and the retry of its first message.

In process through ``process()``, with SQLite on disk for ours. The official server has no store of its own; for the
retry it gets a dict that finds items by id and pages without sorting, which is the best case for it.
"""

# pyright: basic
# mypy: ignore-errors
from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path

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


async def _timed(server, body, rounds) -> float:
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        await _drain(server, body)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _decoded(thread_id, count, types):
    kinds = {"user_message": types.UserMessageItem, "assistant_message": types.AssistantMessageItem}
    return [kinds[each["type"]].model_validate(each) for each in items(thread_id, count)]


async def _fill(store, thread_id, count, types):
    thread = types.ThreadMetadata(id=thread_id, created_at="2026-03-14T09:26:53Z")
    await store.save_thread(thread, context={})
    for start in range(0, count, 500):
        batch = _decoded(thread_id, count, types)[start : start + 500]
        await asyncio.gather(*(store.add_thread_item(thread_id, item, context={}) for item in batch))


async def _ours(quick: bool) -> dict[str, tuple[float, float]]:
    from chatkit_asgi import types
    from chatkit_asgi.store import SQLiteStore

    from .ours import OurServer

    sizes = {"thr_short": 10, "thr_long": 1000 if quick else 10_000}
    rounds = 20 if quick else 200
    with tempfile.TemporaryDirectory() as folder:
        store = SQLiteStore(Path(folder) / "bench.db")
        server = OurServer(store, deltas=1)
        for thread_id, count in sizes.items():
            await _fill(store, thread_id, count, types)
        costs = {}
        for thread_id, count in sizes.items():
            middle = f"msg_{count // 2:032x}"
            message = {"content": [{"type": "input_text", "text": "x"}], "attachments": [], "inference_options": {}}
            bodies = {
                "items.list at the end": request_body("items.list", thread_id=thread_id, limit=5),
                "items.list in the middle": request_body("items.list", thread_id=thread_id, limit=4, after=middle),
                "threads.get_by_id, 10 items": request_body("threads.get_by_id", thread_id=thread_id),
                "threads.add_user_message": request_body("threads.add_user_message", thread_id=thread_id, input=message),
            }
            server.options = type(server.options)(page_size=10, handle_signals=False)
            for name, body in bodies.items():
                costs.setdefault(name, {})[thread_id] = await _timed(server, body, rounds)
            result = await server.process(request_body("items.list", thread_id=thread_id, limit=4), {})
            last = next(each for each in json.loads(result.json)["data"] if each["type"] == "user_message")
            body = request_body("threads.retry_after_item", thread_id=thread_id, item_id=last["id"])
            costs.setdefault("threads.retry_after_item, the last", {})[thread_id] = await _timed(server, body, rounds)
        first = request_body("threads.retry_after_item", thread_id="thr_long", item_id=f"msg_{0:032x}")
        costs["retry of the first"] = {"thr_long": await _timed(server, first, 1)}
        await store.close()
    return costs


async def _official_retry(count: int) -> float:
    from chatkit import types

    from .official import DictStore, OfficialServer

    store = DictStore()
    await _fill(store, "thr_long", count, types)
    server = OfficialServer(store, deltas=1)
    body = request_body("threads.retry_after_item", thread_id="thr_long", item_id=f"msg_{0:032x}")
    return await _timed(server, body, 1)


def run(quick: bool = False) -> list[Row]:
    """The rows of this subject."""
    costs = asyncio.run(_ours(quick))
    first = costs.pop("retry of the first")["thr_long"]
    rows = []
    for name, cost in costs.items():
        long, short = cost["thr_long"] * 1e3, cost["thr_short"] * 1e3
        rows.append(Row(f"{name}: 10,000 items against 10", long, short, "ms", long / short, 1.2, "SQLite; at most"))
    official = asyncio.run(_official_retry(1000 if quick else 10_000))
    rows.append(Row("retry of the first message of 10,000 items", first * 1e3, official * 1e3, "ms", official / first,
                    None, "ours on SQLite, synchronous=FULL; official on a dict"))  # fmt: skip
    return rows
