"""A chat with attachments behind a real server, and a client of it. Each test makes its own."""

from __future__ import annotations

import io
import os
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2 as httpx
from PIL import Image

from chatkit_asgi import ChatKitApp, ChatKitRouter, ContextRequest, Options, Unauthorized
from chatkit_asgi.store import DiskAttachmentStore, MemoryStore, S3AttachmentStore
from chatkit_asgi.store.attachments import FileAttachmentStore
from tests.attachments.s3server import BUCKET, KEY, SECRET, names

KEYS = ["the-first-secret-of-the-tests"]


def picture(size: tuple[int, int] = (80, 40), kind: str = "PNG", **options: Any) -> bytes:
    """An image file."""
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, kind, **options)
    return out.getvalue()


def files_on_disk(path: Path, url: str, **options: Any) -> DiskAttachmentStore[Any]:
    return DiskAttachmentStore(path, url=url, **options)


def files_in_bucket(endpoint: str, url: str, **options: Any) -> S3AttachmentStore[Any]:
    options = {"keys": KEYS, "prefix": f"test-{uuid.uuid4().hex}/files", **options}
    return S3AttachmentStore(
        BUCKET, endpoint=endpoint, access_key=KEY, secret_key=SECRET, url=url, **options
    )


def kept(files: FileAttachmentStore[Any]) -> list[str]:
    """What the place holds: the kind of every blob, for example ``data``. Empty: nothing was stored."""
    blobs: Any = files._blobs
    if isinstance(files, DiskAttachmentStore):
        root = blobs._files.parent
        left = [
            each
            for part in ("files", "incoming")
            for each in (root / part).rglob("*")
            if each.is_file()
        ]
        return sorted(each.name.split("_")[0] for each in left)
    return sorted(each.rpartition("/")[2].split("_")[0] for each in names(blobs._store))


class Site:
    """A served chat.

    ``heard`` is what the handler read of each attachment it was sent.
    """

    def __init__(self, files: FileAttachmentStore[Any], url: str, options: Options) -> None:
        self.files = files
        self.url = url
        self.store: MemoryStore[Any] = MemoryStore(lambda context: context)
        self.chat: ChatKitRouter[Any] = ChatKitRouter(self.store, files, options=options)
        self.heard: list[bytes] = []
        self.asked: list[Any] = []
        self.app = ChatKitApp(self.chat, context=self.context)
        self.chat.respond(self.respond)
        self.client = httpx.Client(timeout=20)

    async def context(self, request: ContextRequest) -> str:
        self.asked.append(request)
        if (user := request.headers.get("x-user")) is None:
            raise Unauthorized("Sign in first.")
        return user

    async def respond(self, thread: Any, message: Any, context: Any) -> Any:
        for attachment in message.attachments if message else []:
            self.heard.append(await self.files.read_attachment(attachment.id, context, limit=10**7))
        yield "Seen."

    # -- what a client does ----------------------------------------------------------------------

    def ask(self, kind: str, user: str = "ada", **params: Any) -> httpx.Response:
        body = {"type": kind, "params": params}
        return self.client.post(self.url, json=body, headers={"x-user": user})

    def say(self, *ids: str, thread: str | None = None, user: str = "ada") -> httpx.Response:
        message = {
            "content": [{"type": "input_text", "text": "Look"}],
            "attachments": list(ids),
            "inference_options": {},
        }
        if thread is None:
            return self.ask("threads.create", user, input=message)
        return self.ask("threads.add_user_message", user, thread_id=thread, input=message)

    def upload(
        self, data: Any, name: str = "a.txt", kind: str = "text/plain", user: str = "ada"
    ) -> httpx.Response:
        """A direct upload."""
        return self.client.post(
            f"{self.url}/attachments", files={"file": (name, data, kind)}, headers={"x-user": user}
        )

    def announce(
        self, size: int, name: str = "a.txt", kind: str = "text/plain", user: str = "ada"
    ) -> httpx.Response:
        return self.ask("attachments.create", user, name=name, size=size, mime_type=kind)

    def send(self, descriptor: dict[str, Any], data: Any, **headers: str) -> httpx.Response:
        """The second phase, as the component does it."""
        return self.client.request(
            descriptor["method"], descriptor["url"], content=data, headers={**descriptor["headers"], **headers}
        )  # fmt: skip

    def two_phase(
        self, data: bytes, name: str = "a.txt", kind: str = "text/plain", user: str = "ada"
    ) -> Any:
        """The attachment after both phases."""
        attachment = self.announce(len(data), name, kind, user).raise_for_status().json()
        self.send(attachment["upload_descriptor"], data).raise_for_status()
        return attachment

    def download(self, attachment_id: str, user: str = "ada", **headers: str) -> httpx.Response:
        return self.client.get(self.files.download_url(attachment_id, user), headers=headers)


@contextmanager
def site(
    make_files: Callable[[str], FileAttachmentStore[Any]],
    serve: Callable[[Any, socket.socket], Any],
    **options: Any,
) -> Iterator[Site]:
    """A site that answers, on a port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        found = Site(make_files(url), url, Options(handle_signals=False, **options))
        with serve(found.app, listener), found.client:
            yield found


@contextmanager
def uvicorn_serves(app: Any, listener: socket.socket) -> Iterator[None]:
    """On asyncio."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=lambda: anyio.run(server.serve, [listener]))
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)


@contextmanager
def hypercorn_serves(app: Any, listener: socket.socket) -> Iterator[None]:
    """On trio."""
    import trio
    from hypercorn.config import Config
    from hypercorn.trio import serve

    config = Config()
    config.bind = [f"fd://{os.dup(listener.fileno())}"]  # which it closes
    config.errorlog = config.accesslog = None
    config.graceful_timeout = 0.5
    ending = threading.Event()
    failed: list[BaseException] = []

    async def until() -> None:
        while not ending.is_set():  # noqa: ASYNC110 (set by another thread)
            await trio.sleep(0.02)

    def run() -> None:
        try:
            trio.run(lambda: serve(app, config, shutdown_trigger=until))
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join(10)
        assert not failed
