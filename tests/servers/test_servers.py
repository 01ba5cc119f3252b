"""The plain app on every server, over real sockets, in processes of their own."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.faults.scene import check_nothing_lost
from tests.faults.served import GRACE
from tests.servers.process import Reader, create, load, serving

LIMIT = 15.0


async def until_stored(database: Path, thread_id: str, kind: str) -> list[Any]:
    """The thread's items, when one of that type is among them."""
    with anyio.fail_after(LIMIT):
        while True:
            items = await load(database, thread_id)
            if any(item.type == kind for item in items):
                return items
            await anyio.sleep(0.05)


def comments(reader: Reader) -> int:
    return b"".join(piece for _, piece in reader.pieces).count(b": keep-alive\n\n")


async def test_streams_begin_at_once_are_kept_alive_and_stop_when_the_client_leaves(
    kind: str, tmp_path: Path
) -> None:
    """Invariant: what is known at once comes at once, silence is kept alive, and a client that leaves stops its turn,
    also while nothing is sent."""
    database = tmp_path / "chat.db"
    with serving(kind, database) as served:
        reader = served.post(create("silent"))
        reader.read_until("stream_options")
        asked = time.monotonic()
        while comments(reader) < 2:
            reader.read(0.1)
            assert time.monotonic() - asked < LIMIT
        thread_id = reader.screen_at(float("inf")).thread["id"]
        assert [item.type for item in await load(database, thread_id)] == ["user_message"]
        reader.close()
        await until_stored(database, thread_id, "sdk_hidden_context")

        writing = served.post(create("endless"))
        writing.read_until("thread.item.updated")
        writing.read(0.3)
        first, last = writing.pieces[0][0], writing.pieces[-1][0]
        assert len(writing.pieces) > 5, "not in one piece"
        assert last - first > 0.1
        screen = writing.screen_at(float("inf"))
        writing.close()
        stored = await until_stored(database, screen.thread["id"], "sdk_hidden_context")
        check_nothing_lost(screen, stored)


@pytest.mark.timeout(120)
async def test_a_server_that_is_asked_to_stop_does_so_without_flags(
    kind: str, tmp_path: Path
) -> None:
    """Invariant: on SIGTERM, with streams open, the process ends by itself within the grace, and what was shown is
    stored."""
    database = tmp_path / "chat.db"
    with serving(kind, database) as served:
        readers = [served.post(create(text)) for text in ("endless", "silent", "endless")]
        for reader, text in zip(readers, ("updated", "options", "updated"), strict=True):
            reader.read_until("stream_options" if text == "options" else "thread.item.updated")
        served.process.send_signal(signal.SIGTERM)
        asked = time.monotonic()
        screens = [reader.read() for reader in readers]
        served.process.wait(GRACE + 5)
        assert time.monotonic() - asked < GRACE + 5
    for screen in screens:
        check_nothing_lost(screen, await load(database, screen.thread["id"]))


async def test_a_stopping_server_tells_its_viewers(kind: str, tmp_path: Path) -> None:
    """Invariant: the stream is closed properly, with an ``error`` event that invites a retry."""
    with serving(kind, tmp_path / "chat.db") as served:
        reader = served.post(create("endless"))
        reader.read_until("thread.item.updated")
        served.process.send_signal(signal.SIGTERM)
        screen = reader.read()
        assert reader.complete
        assert [(event["code"], event["allow_retry"]) for event in screen.errors] == [
            ("stream.error", True)
        ]
        assert screen.open == []


async def test_a_client_that_does_not_read_does_not_grow_memory(kind: str, tmp_path: Path) -> None:
    """Invariant: a handler that could write gigabytes is held back; what the server and its sockets hold is bounded,
    and the client gets everything when it reads again."""
    with serving(kind, tmp_path / "chat.db") as served:
        warm = served.post(create("plain"))
        warm.read()
        before = served.memory()
        reader = served.post(create("flood"))
        grown: list[int] = []
        for _ in range(10):
            await anyio.sleep(0.2)
            grown.append(served.memory() - before)
        assert max(grown) < 100 * 2**20, [each >> 20 for each in grown]
        assert grown[-1] - grown[4] < 8 * 2**20, "it does not go on growing"
        taken = 0
        while taken < 2**22:
            piece = reader.answer.read1(65536)
            assert piece, "the stream goes on"
            taken += len(piece)
