"""Timing: medians over interleaved rounds, so that both sides see the same machine."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable

__all__ = ["interleaved", "seconds_per_call"]


def seconds_per_call(call: Callable[[], object], *, at_least: float = 0.05) -> float:
    """Seconds that one call takes: the best of several batches that fill ``at_least`` seconds together.

    The best, because whatever else the machine does can only add to it.
    """
    call()
    count = 1
    while True:
        began = time.perf_counter()
        for _ in range(count):
            call()
        if (spent := time.perf_counter() - began) >= at_least / 20:
            break
        count = max(count * 2, int(count * at_least / 20 / max(spent, 1e-9)))
    best = spent
    for _ in range(19):
        began = time.perf_counter()
        for _ in range(count):
            call()
        best = min(best, time.perf_counter() - began)
    return best / count


def interleaved(*measures: Callable[[], float], rounds: int = 5) -> list[float]:
    """The median of each measure; one round takes each measure once."""
    results: list[list[float]] = [[] for _ in measures]
    for _ in range(rounds):
        for into, measure in zip(results, measures, strict=True):
            gc.collect()
            into.append(measure())
    return [statistics.median(each) for each in results]
