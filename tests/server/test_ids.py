"""Ids: nobody ever gets one twice, whatever thread or process asks."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from chatkit_asgi.ids import is_minted, random_id


def test_many_threads_get_different_ids() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = [
            one
            for some in pool.map(lambda _: [random_id("x") for _ in range(2000)], range(8))
            for one in some
        ]
    assert len({one[-20:] for one in made}) == len(made) == 16_000
    assert all(map(is_minted, made))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_gets_other_ids() -> None:
    random_id("x")  # so that some are at hand, which both processes would have
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, "".join(random_id("x")[-20:] for _ in range(100)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with open(reading, "rb") as out:
        told = out.read().decode()
    theirs = {told[place : place + 20] for place in range(0, len(told), 20)}
    ours = {random_id("x")[-20:] for _ in range(100)}
    assert len(theirs) == len(ours) == 100
    assert not theirs & ours


def test_ids_sort_by_time() -> None:
    made: list[str] = []
    for _ in range(5):
        made.append(random_id("x"))
        time.sleep(0.002)
    assert made == sorted(made)
