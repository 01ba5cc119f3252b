"""Timing: medians over interleaved rounds, so that both sides see the same machine."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable

__all__ = ["interleaved", "seconds_per_call"]


def seconds_per_call(call: Callable[[], object], *, at_least: float = 0.05) -> float:
    """Seconds that one call takes, over enough calls to fill ``at_least`` seconds."""
    count = 1
    while True:
        began = time.perf_counter()
        for _ in range(count):
            call()
        spent = time.perf_counter() - began
        if spent >= at_least:
            return spent / count
        count = max(count * 2, int(count * at_least / max(spent, 1e-9)))


def interleaved(*measures: Callable[[], float], rounds: int = 5) -> list[float]:
    """The median of each measure; one round takes each measure once."""
    results: list[list[float]] = [[] for _ in measures]
    for _ in range(rounds):
        for into, measure in zip(results, measures, strict=True):
            gc.collect()
            into.append(measure())
    return [statistics.median(each) for each in results]
