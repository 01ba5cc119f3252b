"""The whole app behind real servers, beside the official wiring and a raw app that sends bytes made before.

An "event" is one frame that the client has read. Throughput is events per second of the server's CPU time, what one
saturated core could do: the load generator shares the machine, so seconds on the wall would measure it too.
"""

from __future__ import annotations

import asyncio
import statistics
import time

from ._http import Server, hold, load, serving, time_to_first
from ._report import Row

__all__ = ["NAME", "run"]

NAME = "app"

BURSTS = {1: "one delta per loop turn", 8: "8 deltas per loop turn", 0: "all ready"}
BUDGETS = {("uvicorn", 1): 3.3, ("uvicorn", 8): 10, ("uvicorn", 0): 18, ("granian", 1): 5, ("granian", 8): 9,
           ("granian", 0): 16}  # fmt: skip


def run(quick: bool = False) -> list[Row]:
    """The rows of this subject."""
    rows: list[Row] = []
    for server in ("uvicorn",) if quick else ("uvicorn", "granian"):
        for burst, name in BURSTS.items():
            rows += _throughput(server, burst, name, 100, quick)
    if not quick:
        rows += _throughput("uvicorn", 1, BURSTS[1], 1000, quick)
        rows.append(_paced())
        rows.append(_silent())
    rows += _first(quick)
    return rows


def _throughput(server: str, burst: int, name: str, streams: int, quick: bool) -> list[Row]:
    deltas = 20 if quick else (40 if streams > 100 else 300)
    subjects = ("ours", "official", "limit") if server == "uvicorn" else ("ours", "official")
    rates: dict[str, list[float]] = {subject: [] for subject in subjects}
    for _ in range(1 if quick else 3):
        for subject in subjects:
            # the faster side gets more to do, so that both measure the steady state
            with serving(subject, server=server, deltas=deltas, burst=burst) as served:
                asyncio.run(load(served.port, streams))
                before = served.cpu_seconds()
                frames, _ = asyncio.run(load(served.port, streams))
                rates[subject].append(frames / (served.cpu_seconds() - before))
    rate = {subject: statistics.median(each) for subject, each in rates.items()}
    budget = BUDGETS[server, burst] if streams == 100 else 4.3
    where = f"{server}, {streams:,} streams, {name}"
    note = f"limit: {rate['limit'] / rate['official']:.1f}x" if "limit" in rate else ""
    return [
        Row(
            where,
            rate["ours"],
            rate["official"],
            "events/CPU s",
            rate["ours"] / rate["official"],
            budget,
            note,
        )
    ]


def _paced() -> Row:
    """CPU time of the server per event at 100 streams of 50 tokens a second."""

    async def measure(served: Server) -> float:
        await load(served.port, 100)
        before = served.cpu_seconds()
        frames, _ = await load(served.port, 100)
        return (served.cpu_seconds() - before) / frames * 1e6

    spent: dict[str, float] = {}
    for subject in ("ours", "official"):
        with serving(subject, deltas=250, burst=1, pause=0.02) as served:
            spent[subject] = asyncio.run(measure(served))
    return Row("CPU per event, 100 streams at 50 tokens/s", spent["ours"], spent["official"], "µs",
               spent["official"] / spent["ours"], 3, "")  # fmt: skip


def _first(quick: bool) -> list[Row]:
    rows: list[Row] = []
    for at_once, budget in ((1, 15), (100, 35)):
        median: dict[str, float] = {}
        for subject in ("ours", "official"):
            with serving(subject, deltas=1) as served:
                asyncio.run(time_to_first(served.port, 1))
                rounds = 5 if quick else (100 if at_once == 1 else 10)
                times = [
                    each
                    for _ in range(rounds)
                    for each in asyncio.run(time_to_first(served.port, at_once))
                ]
                median[subject] = statistics.median(times) * 1e3
        name = "requests one after the other" if at_once == 1 else f"{at_once} at once"
        rows.append(Row(f"first event, {name}, p50", median["ours"], median["official"], "ms",
                        median["official"] / median["ours"], budget, "uvicorn"))  # fmt: skip
    return rows


def _silent() -> Row:
    """Resident memory of an open stream on which nothing happens."""
    streams = 5000
    size: dict[str, float] = {}
    for subject in ("ours", "official"):

        async def measure(served: Server) -> float:
            for each in await hold(served.port, 100):
                each.transport.close()
            await asyncio.sleep(0.5)
            before = served.rss()
            kept = await hold(served.port, streams)
            await asyncio.sleep(0.5)
            grown = served.rss() - before
            for each in kept:
                each.transport.abort()
            return grown / streams / 1024

        with serving(subject, deltas=1, pause=-1) as served:
            size[subject] = asyncio.run(measure(served))
            time.sleep(0.2)
    return Row(f"memory of an open silent stream, {streams:,} open", size["ours"], size["official"], "KiB",
               size["official"] / size["ours"], 2.2, "uvicorn, with the writer's own task")  # fmt: skip
