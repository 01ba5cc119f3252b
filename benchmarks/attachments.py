"""Files of 256 MiB over HTTP on uvicorn, in MB/s of the wall clock, beside a minimal Starlette endpoint that writes the
same file to the same disk and sends it with FileResponse. In each round both write a new file. Ours counts, sniffs and
syncs it to the disk before it answers; "written through" is the minimal endpoint with that one fsync. Memory is how far
the server's resident size rises above what it was after a first small file, in MiB, while 1 GiB goes through."""

from __future__ import annotations

import json
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ._http import Server, serving
from ._measure import interleaved
from ._report import Row

NAME = "Attachments"
MiB = 1024 * 1024
BLOCK = bytes(range(256)) * (MiB // 256)
BOUNDARY = "benchmark"
HEAD = (
    f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="file"; filename="a.bin"\r\n'
    "content-type: application/octet-stream\r\n\r\n"
).encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()


def ours(directory: str) -> Any:
    """The app with its attachments on a disk."""
    from chatkit_asgi import ChatKitApp, ChatKitRouter, Options
    from chatkit_asgi.store import AttachmentLimits, DiskAttachmentStore, MemoryStore

    limits = AttachmentLimits(accept=("*/*",), max_size=4096 * MiB, quota=None, max_files=None)
    files: Any = DiskAttachmentStore(directory, url="http://127.0.0.1", limits=limits)
    return ChatKitApp(ChatKitRouter(MemoryStore(), files, options=Options(handle_signals=False)))


def minimal(directory: str, through: bool = False) -> Any:
    """What one writes by hand: no check of any kind."""
    from starlette.applications import Starlette
    from starlette.responses import FileResponse, JSONResponse
    from starlette.routing import Route

    place = Path(directory, "file")

    async def put(request: Any) -> Any:
        with open(place, "wb") as file:
            async for chunk in request.stream():
                file.write(chunk)
            if through:
                file.flush()
                os.fsync(file.fileno())
        return JSONResponse({})

    async def post(request: Any) -> Any:
        async with request.form() as form:
            with open(place, "wb") as file:
                while chunk := await form["file"].read(MiB):
                    file.write(chunk)
        return JSONResponse({})

    async def get(request: Any) -> Any:
        return FileResponse(place)

    return Starlette(
        routes=[
            Route("/file", put, methods=["PUT"]),
            Route("/file", post, methods=["POST"]),
            Route("/file", get),
        ]
    )


class Client:
    """Sends and takes files as fast as a socket does."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def request(
        self, method: str, path: str, parts: Iterator[bytes] | None = None, **headers: Any
    ) -> bytes:
        """The answer's body, of which no more than a megabyte is kept."""
        with socket.create_connection(("127.0.0.1", self.server.port)) as raw:
            named = {"host": "a", "connection": "close", **headers}
            lines = [f"{key.replace('_', '-')}: {value}\r\n" for key, value in named.items()]
            raw.sendall(f"{method} {path} HTTP/1.1\r\n{''.join(lines)}\r\n".encode())
            for part in parts or ():
                raw.sendall(part)
            return self._answer(raw)

    def _answer(self, raw: socket.socket) -> bytes:
        file = raw.makefile("rb")
        status = file.readline().split()[1]
        length = -1
        while (line := file.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        kept = file.read(min(length, MiB))
        left, buffer = length - len(kept), memoryview(bytearray(MiB))
        while left > 0:
            left -= file.readinto(buffer[: min(left, MiB)])  # type: ignore[attr-defined]
        assert status in (b"200", b"206"), (status, kept[:300])
        return kept

    def put(self, path: str, size: int) -> None:
        self.request("PUT", path, blocks(size), content_length=size)

    def form(self, path: str, size: int) -> bytes:
        def parts() -> Iterator[bytes]:
            yield HEAD
            yield from blocks(size)
            yield TAIL

        length = size + len(HEAD) + len(TAIL)
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        return self.request("POST", path, parts(), content_length=length, content_type=kind)

    def announce(self, size: int) -> tuple[str, str]:
        """The id of a new attachment, and the path for its bytes."""
        params = {"name": "a.bin", "size": size, "mime_type": "application/octet-stream"}
        answer = self._ask("attachments.create", params)
        return answer["id"], urlsplit(answer["upload_descriptor"]["url"]).path

    def delete(self, attachment_id: str) -> None:
        """Else each round would need new memory for the system's cache."""
        self._ask("attachments.delete", {"attachment_id": attachment_id})

    def _ask(self, kind: str, params: dict[str, Any]) -> Any:
        body = json.dumps({"type": kind, "params": params}).encode()
        kinds = {"content_length": len(body), "content_type": "application/json"}
        return json.loads(self.request("POST", "/", iter([body]), **kinds))


def blocks(size: int) -> Iterator[bytes]:
    """``size`` bytes."""
    for _ in range(size // MiB):
        yield BLOCK


def rate(size: int, work: Callable[[], object]) -> float:
    """MB/s."""
    began = time.perf_counter()
    work()
    return size / (time.perf_counter() - began) / 1e6


def growth(server: Server, work: Callable[[], object]) -> float:
    """MiB that the server's resident size rises by at most while ``work`` is done."""
    before = peak = server.rss()
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.01):
            peak = max(peak, server.rss())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        work()
    finally:
        done.set()
        watcher.join()
    return (peak - before) / MiB


def link_to(directory: str, attachment_id: str) -> str:
    """The path of a download, made with the key that the server keeps."""
    from chatkit_asgi.store import DiskAttachmentStore

    files: Any = DiskAttachmentStore(directory, url="http://127.0.0.1")
    return urlsplit(files.download_url(attachment_id, None)).path


def run(quick: bool) -> list[Row]:
    """The rows."""
    size = (8 if quick else 256) * MiB
    rows: list[Row] = []
    with (
        tempfile.TemporaryDirectory() as mine,
        tempfile.TemporaryDirectory() as theirs,
        tempfile.TemporaryDirectory() as through,
        serving("files", directory=mine, apart=False) as a,
        serving("files-starlette", directory=theirs, apart=False) as b,
        serving("files-starlette", directory=through, through=True, apart=False) as c,
    ):
        us, them, careful = Client(a), Client(b), Client(c)

        def put_ours() -> float:
            made, path = us.announce(size)
            took = rate(size, lambda: us.put(path, size))
            us.delete(made)
            return took

        def form_ours() -> float:
            made: list[bytes] = []
            took = rate(size, lambda: made.append(us.form("/attachments", size)))
            us.delete(json.loads(made[0])["id"])
            return took

        path = link_to(mine, json.loads(us.form("/attachments", size))["id"])

        def afresh(directory: str, work: Callable[[], object]) -> float:
            Path(directory, "file").unlink(missing_ok=True)
            return rate(size, work)

        pairs: list[tuple[str, Callable[[], float], Callable[[], float], str]] = [
            ("upload, bare (two-phase)", put_ours,
             lambda: afresh(theirs, lambda: them.put("/file", size)), "Starlette, request.stream()"),
            ("the same", put_ours,
             lambda: afresh(through, lambda: careful.put("/file", size)), "the same, written through"),
            ("upload, form (direct)", form_ours,
             lambda: afresh(theirs, lambda: them.form("/file", size)), "Starlette, request.form()"),
            ("download", lambda: rate(size, lambda: us.request("GET", path)),
             lambda: rate(size, lambda: them.request("GET", "/file")), "Starlette, FileResponse"),
        ]  # fmt: skip
        for what, ours_of, theirs_of, note in pairs:
            first, second, times = interleaved(ours_of, theirs_of, rounds=1 if quick else 7)
            rows.append(Row(what, first, second, "MB/s", 1 / times, 0.8, note))
    return rows + memory((16 if quick else 1024) * MiB)


def memory(size: int) -> list[Row]:
    """Peak growth of a new server while a file goes up and down, beside the budget."""
    note = f"while {size // MiB} MiB go through; other: the budget"
    with (
        tempfile.TemporaryDirectory() as directory,
        serving("files", directory=directory, apart=False) as server,
    ):
        client = Client(server)
        small = json.loads(client.form("/attachments", MiB))["id"]
        client.request("GET", link_to(directory, small))
        made, path = client.announce(size)
        up = growth(server, lambda: client.put(path, size))
        down = growth(server, lambda: client.request("GET", link_to(directory, made)))
    return [
        Row("memory, upload", up, 32, "MiB", up / 32, 1, note, at_most=True),
        Row("memory, download", down, 32, "MiB", down / 32, 1, note, at_most=True),
    ]
