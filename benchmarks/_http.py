"""A load generator on raw sockets that counts frames, and a server process to point it at."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from ._measure import CORES
from .data import create_body

__all__ = ["Server", "cpu_per_event", "hold", "load", "requests", "serving", "time_to_first"]

ROOT = Path(__file__).resolve().parent.parent


class Server:
    """A subject that is being served."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port = port
        self.process = process

    def _processes(self) -> list[psutil.Process]:
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """CPU time of the server so far, of its living threads where Linux tells it in nanoseconds: its usual clock
        ticks a hundred times a second."""
        spent = 0.0
        for each in self._processes():
            try:
                threads = list(Path(f"/proc/{each.pid}/task").iterdir())
                spent += (
                    sum(int((one / "schedstat").read_text().split()[0]) for one in threads) / 1e9
                )
            except OSError:
                spent += sum(each.cpu_times()[:2])
        return spent

    def settle(self) -> None:
        """Wait until the server has nothing left to do, as from requests whose clients have gone."""
        before = -1.0
        while (spent := self.cpu_seconds()) - before > 1e-3:
            before = spent
            time.sleep(0.05)

    def rss(self) -> int:
        """Resident bytes."""
        return sum(each.memory_info().rss for each in self._processes())


@contextlib.contextmanager
def serving(
    subject: str, *, server: str = "uvicorn", apart: bool = True, **options: Any
) -> Iterator[Server]:
    """Serve a subject on a free port of the loopback.

    Args:
        subject: One of :mod:`benchmarks.serve`.
        server: Or granian.
        apart: This process, which makes the load, gets a core of its own and the server the others. Else the scheduler
            decides, anew every few milliseconds, whether a client that was woken runs beside the server or after it,
            and what is measured falls into two heaps.
        options: Of the subject.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "benchmarks.serve",
        subject,
        str(port),
        server,
        json.dumps(options),
    ]
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    if apart and len(CORES) > 1:
        os.sched_setaffinity(process.pid, CORES - {min(CORES)})
        os.sched_setaffinity(0, {min(CORES)})
    try:
        for _ in range(2400):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if process.poll() is not None:
                raise RuntimeError(f"{subject} on {server} did not start")
            time.sleep(0.05)
        else:
            raise RuntimeError(f"{subject} on {server} did not start within two minutes")
        yield Server(port, process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if apart and CORES:
            os.sched_setaffinity(0, CORES)


class _Stream(asyncio.Protocol):
    """One POST whose answer's frames are counted."""

    def __init__(self, body: bytes, first: asyncio.Future[float] | None) -> None:
        self.body = body
        self.first = first
        self.frames = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._seen = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.sent = time.perf_counter()
        transport.write(
            b"POST /chatkit HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
            b"connection: close\r\ncontent-length: %d\r\n\r\n" % len(self.body) + self.body
        )

    def data_received(self, data: bytes) -> None:
        if self.first is not None and not self.first.done():
            self._seen += data
            if b"data: " in self._seen:
                self.first.set_result(time.perf_counter() - self.sent)
        self.frames += data.count(b"data: {")
        if data.endswith(b"0\r\n\r\n"):
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)
        if self.first is not None and not self.first.done():
            self.first.set_exception(ConnectionError("no frame came"))


async def _open(port: int, first: asyncio.Future[float] | None = None) -> _Stream:
    loop = asyncio.get_running_loop()
    _, stream = await loop.create_connection(
        lambda: _Stream(create_body("hi"), first), "127.0.0.1", port
    )
    return stream


async def load(port: int, streams: int) -> tuple[int, float]:
    """Read ``streams`` streams at once to their ends: frames and seconds."""
    began = time.perf_counter()
    opened = await asyncio.gather(*(_open(port) for _ in range(streams)))
    await asyncio.gather(*(stream.done for stream in opened))
    return sum(stream.frames for stream in opened), time.perf_counter() - began


def cpu_per_event(server: Server, streams: int) -> float:
    """Seconds of the server's CPU time for each frame, while ``streams`` streams are read at once to their ends."""
    before = server.cpu_seconds()
    frames, _ = asyncio.run(load(server.port, streams))
    return (server.cpu_seconds() - before) / frames


async def requests(port: int, count: int) -> None:
    """Ask for 20 threads, one request after the other on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = b'{"type":"threads.list","params":{"limit":20}}'
    head = b"POST /chatkit HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    for _ in range(count):
        writer.write(head % len(body) + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(answer.decode())
        length = answer.lower().split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0]
        await reader.readexactly(int(length))
    writer.close()


async def time_to_first(port: int, at_once: int) -> list[float]:
    """Seconds from the request to its first frame, for ``at_once`` requests together."""

    async def one() -> float:
        first = asyncio.get_running_loop().create_future()
        stream = await _open(port, first)
        try:
            return await first
        finally:
            stream.transport.close()

    return await asyncio.gather(*(one() for _ in range(at_once)))


async def hold(port: int, streams: int) -> list[Any]:
    """Open streams and keep them open, each after its first frame."""
    loop = asyncio.get_running_loop()
    kept: list[Any] = []
    for _ in range(0, streams, 100):
        firsts = [loop.create_future() for _ in range(100)]
        kept += await asyncio.gather(*(_open(port, first) for first in firsts))
        await asyncio.gather(*firsts)
    return kept
