"""Servers in processes of their own, and clients that read from them as they please."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from chatkit_asgi.store import SQLiteStore
from tests.faults.scene import message, stored_items
from tests.turns.screen import JSON, Screen

ROOT = Path(__file__).parents[2]

UVICORN = ["uvicorn", "--factory", "tests.faults.served:app", "--fd", "{fd}"]
HYPERCORN = ["hypercorn", "tests.faults.served:hypercorn_app", "--bind", "fd://{fd}"]
GRANIAN = [
    "granian",
    "--interface",
    "asgi",
    "--factory",
    "tests.faults.served:app",
    "--port",
    "{port}",
]
SERVERS = {
    "uvicorn": UVICORN,
    "uvicorn-asyncio": [*UVICORN, "--loop", "asyncio"],
    "uvicorn-h11": [*UVICORN, "--http", "h11", "--loop", "asyncio"],
    "uvicorn-workers": [*UVICORN, "--workers", "2"],
    "hypercorn-asyncio": HYPERCORN,
    "hypercorn-uvloop": [*HYPERCORN, "-k", "uvloop"],
    "hypercorn-trio": [*HYPERCORN, "-k", "trio"],
    "granian": [*GRANIAN, "--loop", "asyncio"],
    "granian-uvloop": [*GRANIAN, "--loop", "uvloop"],
    "daphne": ["daphne", "tests.faults.served:hypercorn_app", "--fd", "{fd}"],
}
"""By name: the command. All find the app of ``tests/faults/served.py``; the port is open before they start, where they
can be given an open socket."""


class Reader:
    """A client that keeps its stream open, and notes when each piece came."""

    def __init__(self, port: int, request: JSON) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        headers = {"content-type": "application/json"}
        self.connection.request("POST", "/chatkit", json.dumps(request), headers)
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200
        self.pieces: list[tuple[float, bytes]] = []
        self.complete = False

    def close(self) -> None:
        """Close the connection."""
        self.answer.close()
        self.connection.close()

    def read(self, seconds: float = 30.0) -> Screen:
        """Read for a while, or to the end."""
        until = time.monotonic() + seconds
        try:
            while time.monotonic() < until:
                piece = self.answer.read1(65536)
                if not piece:
                    self.complete = True
                    break
                self.pieces.append((time.monotonic(), piece))
        except (http.client.HTTPException, OSError):
            pass
        return Screen().read(b"".join(piece for _, piece in self.pieces))

    def read_until(self, kind: str) -> None:
        """Read until an event of that type has come."""
        while not any(event["type"] == kind for event in self.screen_at(float("inf")).events):
            piece = self.answer.read1(65536)
            assert piece, f"the stream ended without {kind}"
            self.pieces.append((time.monotonic(), piece))

    def screen_at(self, moment: float) -> Screen:
        """What was shown then."""
        return Screen().read(b"".join(piece for when, piece in self.pieces if when <= moment))


class Served:
    """A process that serves, and who reads from it."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port
        self.readers: list[Reader] = []

    def wait_until_open(self, seconds: float = 30.0) -> None:
        """Until connections are taken."""
        until = time.monotonic() + seconds
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self.process.poll() is None, "the server did not start"
                assert time.monotonic() < until, "the server did not start in time"
                time.sleep(0.05)

    def memory(self) -> int:
        """Resident bytes, of the workers too."""
        parent = psutil.Process(self.process.pid)
        found = [parent, *parent.children(recursive=True)]
        return sum(each.memory_info().rss for each in found)

    def post(self, request: JSON) -> Reader:
        """Send a request."""
        reader = Reader(self.port, request)
        self.readers.append(reader)
        return reader


@contextmanager
def serving(kind: str, database: Path) -> Iterator[Served]:
    """A server in a process group of its own; the whole group is ended."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        command = [part.format(fd=listener.fileno(), port=port) for part in SERVERS[kind]]
        if "{port}" in SERVERS[kind]:
            listener.close()
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={**os.environ, "CHATKIT_TEST_DB": str(database), "PYTHONPATH": str(ROOT)},
            pass_fds=[] if listener.fileno() < 0 else [listener.fileno()],
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    served = Served(process, port)
    try:
        served.wait_until_open()
        yield served
    finally:
        for reader in served.readers:
            reader.close()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        log = process.stdout.read()
        process.stdout.close()
        assert b"never awaited" not in log
        assert b"Task was destroyed" not in log
        assert b"could not be ended" not in log


def create(text: str) -> JSON:
    return {"type": "threads.create", "params": {"input": message(text)}}


async def load(database: Path, thread_id: str, **options: Any) -> list[Any]:
    store: Any = SQLiteStore(database, **options)
    items = await stored_items(store, thread_id)
    await store.close()
    return items
