"""A whole turn in process: handler to frames, through ``process()``, with a dict or memory store, no HTTP."""

# pyright: basic
# mypy: ignore-errors
from __future__ import annotations

import asyncio
import gc
import statistics
import time

from ._measure import pair_of
from ._report import Row
from .data import CREATE_BODY
from .ours import OurServer

__all__ = ["NAME", "run"]

NAME = "turn"

SCRIPTS = {"ASCII": "hello wor", "CJK": "東京都の人口は約千四百万人", "emoji": "👩‍🚀🎉🇯🇵"}


async def _read(server) -> float:
    began = time.process_time()
    result = await server.process(CREATE_BODY, {})
    async for _ in result:
        pass
    return time.process_time() - began


async def _read_chunks(server) -> float:
    """As the app reads: all frames that are ready as one chunk."""
    began = time.process_time()
    result = await server.process(CREATE_BODY, {})
    async for _ in result.viewer:
        pass
    return time.process_time() - began


def run(quick: bool = False) -> list[Row]:
    """The rows of this subject."""
    rows = []
    for deltas, budget in ((1000, 14), (10_000, 12)):
        count = deltas // 10 if quick else deltas
        rows.append(asyncio.run(_whole_turn(count, budget, rounds=3 if quick else 15)))
    for name, text in SCRIPTS.items():
        rows.append(_flatness(name, text, 5_000 if quick else 50_000))
    return rows


async def _whole_turn(deltas: int, budget: float, rounds: int) -> Row:
    """Both sides on one loop, in turn."""
    from .official import OfficialServer

    # ours is read several times for each time of the other, so that both see as much of the machine's weather
    sides = [
        (_read_chunks, OurServer(deltas=deltas), 10),
        (_read, OfficialServer(deltas=deltas), 1),
    ]
    for read, server, _ in sides:
        await read(server)
    measured = []
    for _ in range(rounds):
        costs = []
        for read, server, repeats in sides:
            gc.collect()
            spent = [await read(server) for _ in range(repeats)]
            costs.append(statistics.mean(spent) / deltas * 1e6)
        measured.append(tuple(costs))
    ours, official, ratio = pair_of(measured)
    name = f"whole turn in process, per delta at {deltas:,}"
    return Row(name, ours, official, "µs", ratio, budget, "")


def _flatness(name: str, text: str, deltas: int) -> Row:
    """The cost of a delta in the last tenth of a long message against the first tenth."""

    async def measure() -> tuple[float, float]:
        marks = {}

        class Timed(OurServer):
            async def respond(self, thread, message, context):
                count = 0
                async for event in super().respond(thread, message, context):
                    count += 1
                    if count in (deltas // 100, deltas // 10, deltas * 9 // 10, deltas):
                        marks[count] = time.process_time()
                    yield event

        await _read_chunks(Timed(deltas=deltas, text=text))
        early = (marks[deltas // 10] - marks[deltas // 100]) / (deltas // 10 - deltas // 100)
        late = (marks[deltas] - marks[deltas * 9 // 10]) / (deltas // 10)
        return early, late

    early, late, ratio = pair_of(
        [asyncio.run(measure()) for _ in range(3 if deltas < 10_000 else 15)]
    )
    return Row(
        f"delta at the end of a {deltas:,}-delta message against its start, {name}",
        late * 1e6, early * 1e6, "µs", ratio, 1.1, "", at_most=True,
    )  # fmt: skip
