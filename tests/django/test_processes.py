"""Django in a process of its own: it is asked to stop, or killed. Django runs no lifespan, so nothing tells it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from chatkit_django import DjangoStore

from tests.faults.scene import check_note, check_nothing_lost, message, stored_items
from tests.faults.served import CHECKPOINT, GRACE, WORD
from tests.servers.process import Reader

ROOT = Path(__file__).parents[2]
SERVERS = {
    "uvicorn": ["uvicorn", "tests.django.served:application", "--fd", "{fd}"],
    "daphne": ["daphne", "tests.django.served:application", "--fd", "{fd}"],
}


@contextmanager
def serving(kind: str, database: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A server on the test's database."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [part.format(fd=listener.fileno()) for part in SERVERS[kind]]
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={
                **os.environ,
                "CHATKIT_TEST_DB": str(database),
                "PYTHONPATH": f"{ROOT}:{ROOT / 'adapters'}",
            },
            pass_fds=[listener.fileno()],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        port = listener.getsockname()[1]
    try:
        yield process, port
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        log = process.stdout.read()
        process.stdout.close()
        for complaint in (b"never awaited", b"Task was destroyed", b"could not be ended"):
            assert complaint not in log, log.decode()


def create(text: str) -> Any:
    return {"type": "threads.create", "params": {"input": message(text)}}


async def load(thread_id: str) -> list[Any]:
    store: Any = DjangoStore(owner=None)
    items = await stored_items(store, thread_id)
    await store.close()
    return items


@pytest.mark.parametrize("kind", SERVERS)
@pytest.mark.parametrize("text", ["endless", pytest.param("silent", marks=pytest.mark.slow)])
async def test_a_server_that_is_asked_to_stop_does_so_and_loses_nothing(
    kind: str, text: str, database: Path
) -> None:
    """Invariant: on SIGTERM the process exits by itself within the grace, although a client keeps its stream open and
    the handler never ends; all that was shown is stored."""
    with serving(kind, database) as (process, port):
        reader = Reader(port, create(text))
        reader.read_until("stream_options" if text == "silent" else "thread.item.updated")
        if text == "endless":
            reader.read(0.3)
        process.send_signal(signal.SIGTERM)
        asked = time.monotonic()
        screen = reader.read()
        process.wait(GRACE + 5)
        assert time.monotonic() - asked < GRACE + 4
        reader.close()
    stored = await load(screen.thread["id"])
    check_nothing_lost(screen, stored)
    assert len([item for item in stored if item.type != "sdk_hidden_context"]) == (
        1 if text == "silent" else 2
    )
    if kind == "uvicorn":
        assert reader.complete
        assert [event["code"] for event in screen.errors] == ["stream.error"]
        check_note(stored, "shut down")
    else:  # it cancels its requests at once: for a turn the end of the process, or of its viewer
        assert len(stored) <= 3


@pytest.mark.slow
async def test_a_killed_process_loses_one_checkpoint_at_most(database: Path) -> None:
    with serving("uvicorn", database) as (process, port):
        reader = Reader(port, create("endless"))
        reader.read(1.2)
        killed = time.monotonic()
        process.kill()
        screen = reader.read()
        reader.close()
    stored = await load(screen.thread["id"])
    check_nothing_lost(reader.screen_at(killed - 1.5 * CHECKPOINT - 0.3), stored)
    text = stored[1].content[0].text
    assert text == "".join(map(WORD.format, range(len(text) // len(WORD.format(0)))))
