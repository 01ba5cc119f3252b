"""Timing: both sides in turn, round by round, so that both see the same machine."""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

__all__ = ["CORES", "Pair", "interleaved", "one_core", "pair_of", "seconds_per_call"]

CORES = os.sched_getaffinity(0) if hasattr(os, "sched_setaffinity") else set[int]()
"""What this process may use, where the system can say it."""


@contextmanager
def one_core() -> Iterator[None]:
    """One core for what is begun here, threads too: else the scheduler puts two that wait for each other beside or
    behind each other, as it likes, and one is twice as fast as the other."""
    if CORES:
        os.sched_setaffinity(0, {min(CORES)})
    try:
        yield
    finally:
        if CORES:
            os.sched_setaffinity(0, CORES)


class Pair(NamedTuple):
    """What both sides cost."""

    ours: float
    other: float
    ratio: float
    """How many times more the other side costs."""


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


def pair_of(rounds: Sequence[tuple[float, float]]) -> Pair:
    """The medians of both sides' costs over the rounds, and of the rounds' ratios.

    The ratio is not that of the medians: a shared machine runs at half its speed for seconds, so only what was measured
    in the same round is comparable.
    """
    ours, other = (statistics.median(side) for side in zip(*rounds, strict=True))
    return Pair(ours, other, statistics.median(theirs / mine for mine, theirs in rounds))


def interleaved(ours: Callable[[], float], other: Callable[[], float], *, rounds: int = 5) -> Pair:
    """Each round measures both sides."""
    results: list[tuple[float, float]] = []
    for _ in range(rounds):
        gc.collect()
        mine = ours()
        gc.collect()
        results.append((mine, other()))
    return pair_of(results)
