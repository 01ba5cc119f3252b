"""Attachments on every stack, on a disk and in a real bucket, over real sockets: they need no code of an adapter's."""

from __future__ import annotations

import io
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from chatkit_asgi import ChatKitServer, Options
from chatkit_asgi.store import AttachmentLimits, MemoryStore
from chatkit_asgi.store.attachments import FileAttachmentStore
from chatkit_asgi.store.base import Owner
from tests.attachments.served import files_in_bucket, files_on_disk, kept
from tests.stacks.site import Fetched, Site, serving
from tests.stacks.stack import Stack, owner_of

LONG = bytes(range(32, 127)) * 20_000
"""1.9 MB of text."""


class Attached(ChatKitServer[Any]):
    """Reads what a message carries."""

    async def respond(
        self, thread: Any, input_user_message: Any, context: Any
    ) -> AsyncIterator[Any]:
        assert self.attachment_store is not None
        for each in input_user_message.attachments:
            data = await self.attachment_store.read_attachment(each.id, context, limit=10**7)
            yield f"{each.name} has {len(data)} bytes."


MakeStore = Callable[[str], FileAttachmentStore[Any]]
"""Makes a store, given the endpoint's URL."""


@pytest.fixture(params=["disk", "bucket"])
def place(
    request: pytest.FixtureRequest, stack: Stack, record_property: Callable[[str, Any], None]
) -> str:
    """Where files are, also in the table: to a ``bucket`` browsers talk, to a ``bucket behind`` the app they do not."""
    found: str = request.param
    record_property("case", f"{request.function.__name__} ({found})")
    return found


@pytest.fixture
def make_store(request: pytest.FixtureRequest, place: str, tmp_path: Path) -> MakeStore:
    if place == "disk":
        return partial(files_on_disk, tmp_path)
    return partial(files_in_bucket, request.getfixturevalue("s3"), direct=place == "bucket")


class Files:
    """A site with attachments, and what a client does with it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.store: Any = site.server.attachment_store
        self.store.url = site.url.rstrip("/")

    async def upload(
        self, data: bytes, name: str, kind: str, *, below: str = "/attachments", **headers: str
    ) -> Fetched:
        """As a form; without a length in chunks."""
        boundary = secrets.token_hex(8)
        head = (
            f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="{name}"\r\n'
            f"content-type: {kind}\r\n\r\n"
        )
        body = head.encode() + data + f"\r\n--{boundary}--\r\n".encode()
        named = {
            "content_type": f"multipart/form-data; boundary={boundary}",
            "content_length": str(len(body)),
            **headers,
        }
        sent = {name: value for name, value in named.items() if value}
        return await self.site.fetch("POST", self.site.below(below), pieces(body), **sent)


def pieces(data: bytes) -> list[bytes]:
    return [data[start : start + 50_000] for start in range(0, len(data), 50_000)]


@asynccontextmanager
async def attached(
    stack: Stack, make_store: MakeStore, *, guarded: bool = False, **options: Any
) -> AsyncIterator[Files]:
    store: Any = MemoryStore(owner=owner_of)
    files: Any = make_store("http://to.be.told", **options)
    server = Attached(store, files, options=Options(handle_signals=False))
    async with serving(stack, server, guarded=guarded) as site:
        yield Files(site)


async def test_a_form_becomes_an_attachment_that_a_model_reads(
    stack: Stack, make_store: MakeStore
) -> None:
    async with attached(stack, make_store) as files:
        answer = await files.upload(LONG, "Übersicht.txt", "text/plain", x_request_id="mine-8")
        assert (answer.status, answer.headers["x-request-id"]) == (200, "mine-8")
        turn = await files.site.client().create("Look", attachments=[answer.json["id"]])
        text = turn.check().thread.items[-1].content[0].text
        assert text == f"Übersicht.txt has {len(LONG)} bytes."


@pytest.mark.parametrize("place", ["disk", "bucket", "bucket behind"], indirect=True)
async def test_two_phases_make_an_attachment(
    stack: Stack, place: str, make_store: MakeStore
) -> None:
    """The bytes go where the store says; what has not arrived is in no message."""
    async with attached(stack, make_store) as files:
        client = files.site.client()
        made = (await client.attachments_create("a.txt", len(LONG), "text/plain")).check().json
        refused = await client.create("Look", attachments=[made["id"]])
        assert (refused.status, refused.json["error"]["code"]) == (409, "attachment_not_uploaded")
        where = made["upload_descriptor"]
        ours = where["url"].startswith(files.site.below("/attachments/"))
        assert ours == (place != "bucket")
        headers = {"content_type": "text/plain", "content_length": str(len(LONG))}
        answer = await files.site.fetch(where["method"], where["url"], pieces(LONG), **headers)
        assert answer.status == 200, answer.body
        turn = (await client.create("Look", attachments=[made["id"]])).check()
        assert turn.thread.items[-1].content[0].text == f"a.txt has {len(LONG)} bytes."
        if ours:
            headers["content_length"] = "5"
            answer = await files.site.fetch(where["method"], where["url"], b"again", **headers)
            assert (answer.status, answer.json["error"]["code"]) == (409, "already_uploaded")


async def test_what_is_deleted_is_gone(stack: Stack, make_store: MakeStore) -> None:
    """Taken back before it was sent, or with its thread."""
    async with attached(stack, make_store) as files:
        client = files.site.client()
        first, second = [
            (await files.upload(b"Hello", "a.txt", "text/plain")).json["id"] for _ in range(2)
        ]
        links = [files.store.download_url(each, None) for each in (first, second)]
        (await client.attachments_delete(first)).check()
        turn = (await client.create("Look", attachments=[second])).check()
        assert (await client.attachments_delete(second)).status == 409
        assert (await files.site.fetch("GET", links[1])).body == b"Hello"
        (await client.delete(turn.thread.id)).check()
        for link in links:
            assert (await files.site.fetch("GET", link)).status == 404
        assert kept(files.store) == []


async def test_files_come_back_whole_in_parts_and_not_at_all(
    stack: Stack, make_store: MakeStore
) -> None:
    async with attached(stack, make_store) as files:
        attachment = (await files.upload(LONG, "ä.txt", "text/plain")).json["id"]
        link = files.store.download_url(attachment, None)
        fetch = files.site.fetch
        whole = await fetch("GET", link)
        assert (whole.status, whole.body) == (200, LONG)
        assert whole.headers["content-disposition"].endswith("filename*=UTF-8''%C3%A4.txt")
        assert whole.headers["x-content-type-options"] == "nosniff"
        head = await fetch("HEAD", link)
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-length"] == whole.headers["content-length"] == str(len(LONG))
        part = await fetch("GET", link, range="bytes=100-199")
        assert (part.status, part.body) == (206, LONG[100:200])
        assert part.headers["content-range"] == f"bytes 100-199/{len(LONG)}"
        same = await fetch("GET", link, if_none_match=whole.headers["etag"])
        assert (same.status, same.body) == (304, b"")
        beyond = await fetch("GET", link, range=f"bytes={len(LONG)}-")
        assert (beyond.status, beyond.json["error"]["code"]) == (416, "range_not_satisfiable")
        forged = await fetch("GET", link[:-1] + ("0" if link[-1] != "0" else "1"))
        assert (forged.status, forged.json["error"]["code"]) == (403, "invalid_link")


async def test_a_picture_is_shown_by_its_link(stack: Stack, make_store: MakeStore) -> None:
    out = io.BytesIO()
    Image.new("RGB", (2000, 1000), "red").save(out, "PNG")
    async with attached(stack, make_store) as files:
        made = await files.upload(out.getvalue(), "red.png", "image/png")
        assert made.status == 200, made.body
        shown = await files.site.fetch("GET", made.json["preview_url"])
        assert (shown.status, shown.headers["content-type"]) == (200, "image/jpeg")
        with Image.open(io.BytesIO(shown.body)) as image:
            assert image.size == (1024, 512)


async def test_uploads_are_for_those_whom_the_framework_lets_in(
    stack: Stack, make_store: MakeStore
) -> None:
    """And a link is all that a picture's element has: it carries no credentials."""
    async with attached(stack, make_store, guarded=True) as files:
        for slash in ("", "/", "//"):
            refused = await files.upload(
                b"Hello", "a.txt", "text/plain", below=f"/attachments{slash}"
            )
            assert refused.status in (401, 403, 404)
        signed_in = await files.site.signed_in("ada")
        headers = await stack.credentials(files.site.base, "ada")
        who = {name.replace("-", "_"): value for name, value in headers.items()}
        made = await files.upload(b"Hello", "a.txt", "text/plain", **who)
        assert made.status == 200, made.body
        (await signed_in.create("Look", attachments=[made.json["id"]])).check()
        bob = await files.site.signed_in("bob")
        assert (await bob.create("Look", attachments=[made.json["id"]])).status == 404
        stored = await files.store.load_stored(made.json["id"], Owner("ada"))
        assert stored.owner == "ada"
        link = files.store.download_url(stored.id, Owner("ada"))
        assert (await files.site.fetch("GET", link)).body == b"Hello"


@pytest.mark.parametrize("place", ["disk"], indirect=True)
async def test_how_large_a_file_may_be_is_ours_to_say(stack: Stack, make_store: MakeStore) -> None:
    """Not the framework's, whose own limits (Django's DATA_UPLOAD_MAX_MEMORY_SIZE is 2.5 MB) are about other things;
    with a length and without one."""
    limits = AttachmentLimits(max_size=3_000_000)
    async with attached(stack, make_store, limits=limits) as files:
        most = LONG + LONG[: limits.max_size - len(LONG)]
        large = (await files.upload(most, "a.txt", "text/plain", content_length="")).json["id"]
        link = files.store.download_url(large, None)
        assert (await files.site.fetch("GET", link)).body == most
        for length in ({}, {"content_length": ""}):
            answer = await files.upload(most + b"x", "a.txt", "text/plain", **length)
            assert (answer.status, answer.json["error"]["code"]) == (413, "attachment_size")
        client = files.site.client()
        asked = await client.attachments_create("a.txt", limits.max_size + 1, "text/plain")
        assert (asked.status, asked.json["error"]["code"]) == (413, "attachment_size")
        assert len(kept(files.store)) == 2


async def test_abuse_is_refused_and_leaves_nothing(stack: Stack, make_store: MakeStore) -> None:
    async with attached(stack, make_store) as files:
        for data, name, kind, status in (
            (b"", "a.txt", "text/plain", 400),
            (b"<!DOCTYPE html><script>alert(1)</script>", "a.png", "image/png", 415),
            (b"<svg onload=alert(1)>", "a.svg", "image/svg+xml", 415),
            (b"MZ\x90\x00\x03", "a.txt", "text/plain", 415),
        ):
            answer = await files.upload(data, name, kind)
            assert answer.status == status, answer.body
            assert answer.json["error"]["request_id"] == answer.headers["x-request-id"]
        plain = await files.site.fetch("POST", files.site.below("/attachments"), b"Hello")
        assert plain.status in (400, 403)
        assert kept(files.store) == []
