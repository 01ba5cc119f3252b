"""The whole app behind real servers, beside the official wiring and a raw app that sends bytes made before.

An "event" is one frame that the client has read. Throughput is events per second of the server's CPU time, what one
saturated core could do: the load generator shares the machine, so seconds on the wall would measure it too. It has a
core of its own and the server the others, or the scheduler would decide what is measured; and each server is at rest
before the other is asked.
"""

from __future__ import annotations

import asyncio
import statistics
import time

from ._http import Server, cpu_per_event, hold, serving, time_to_first
from ._measure import interleaved, pair_of
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
            rows.append(_throughput(server, burst, name, 100, quick))
    if not quick:
        rows.append(_throughput("uvicorn", 1, BURSTS[1], 1000, quick))
        rows.append(_paced())
        rows.append(_silent())
    rows += _first(quick)
    return rows


def _throughput(server: str, burst: int, name: str, streams: int, quick: bool) -> Row:
    deltas = 20 if quick else (40 if streams > 100 else 300)
    with (
        serving("ours", server=server, deltas=deltas, burst=burst) as ours,
        serving("official", server=server, deltas=deltas, burst=burst) as official,
        serving("limit", server=server, deltas=deltas, burst=burst) as limit,
    ):
        for each in (ours, official, limit):
            cpu_per_event(each, streams)
        rounds: list[tuple[float, float, float]] = []
        for _ in range(1 if quick else 7):
            mine, theirs, least = (cpu_per_event(each, streams) for each in (ours, official, limit))
            rounds.append((mine, theirs, least))
    mine, theirs, ratio = pair_of([each[:2] for each in rounds])
    most = pair_of([(least, theirs) for _, theirs, least in rounds]).ratio
    budget = BUDGETS[server, burst] if streams == 100 else 4.3
    return Row(f"{server}, {streams:,} streams, {name}", 1 / mine, 1 / theirs, "events/CPU s", ratio, budget,
               f"limit: {most:.1f}x")  # fmt: skip


def _paced() -> Row:
    """CPU time of the server per event at 100 streams of 50 tokens a second."""
    with (
        serving("ours", deltas=100, burst=1, pause=0.02) as ours,
        serving("official", deltas=100, burst=1, pause=0.02) as official,
    ):
        for each in (ours, official):
            cpu_per_event(each, 100)
        mine, theirs, ratio = interleaved(
            lambda: cpu_per_event(ours, 100), lambda: cpu_per_event(official, 100), rounds=7
        )
    return Row(
        "CPU per event, 100 streams at 50 tokens/s", mine * 1e6, theirs * 1e6, "µs", ratio, 3, ""
    )


def _first(quick: bool) -> list[Row]:
    rows: list[Row] = []
    with serving("ours", deltas=1) as ours, serving("official", deltas=1) as official:
        for at_once, budget in ((1, 15), (100, 35)):

            def median(server: Server, at_once: int = at_once) -> float:
                again = 1 if quick else 3 if at_once > 1 else 20
                times = [asyncio.run(time_to_first(server.port, at_once)) for _ in range(again)]
                server.settle()  # else it would still work while the other side is measured
                return statistics.median(each for some in times for each in some)

            for each in (ours, official):
                median(each)
            rounds = 2 if quick else 11
            mine, theirs, ratio = interleaved(
                lambda: median(ours), lambda: median(official), rounds=rounds
            )
            name = "requests one after the other" if at_once == 1 else f"{at_once} at once"
            rows.append(
                Row(
                    f"first event, {name}, p50",
                    mine * 1e3,
                    theirs * 1e3,
                    "ms",
                    ratio,
                    budget,
                    "uvicorn",
                )
            )
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
