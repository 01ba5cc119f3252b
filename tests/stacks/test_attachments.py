"""Attachments on every stack, over real sockets: they need no code of an adapter's own."""

from __future__ import annotations

import io
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from PIL import Image

from chatkit_asgi import ChatKitServer, Options
from chatkit_asgi.store import DiskAttachmentStore, MemoryStore
from tests.stacks.site import Fetched, Site, serving
from tests.stacks.stack import Stack, owner_of

LONG = bytes(range(32, 127)) * 20_000


class Attached(ChatKitServer[Any]):
    """Reads what a message carries."""

    async def respond(
        self, thread: Any, input_user_message: Any, context: Any
    ) -> AsyncIterator[Any]:
        assert self.attachment_store is not None
        for each in input_user_message.attachments:
            data = await self.attachment_store.read_attachment(each.id, context, limit=10**7)
            yield f"{each.name} has {len(data)} bytes."


class Files:
    """A site with attachments, and what a client does with it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.store: Any = site.server.attachment_store
        self.store.url = site.url.rstrip("/")

    def below(self, link: str) -> str:
        """The link on this site."""
        return self.site.base + urlsplit(link).path

    async def upload(self, data: bytes, name: str, kind: str, **headers: str) -> Fetched:
        boundary = secrets.token_hex(8)
        head = (
            f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="{name}"\r\n'
            f"content-type: {kind}\r\n\r\n"
        )
        body = head.encode() + data + f"\r\n--{boundary}--\r\n".encode()
        return await self.site.fetch(
            "POST",
            self.site.below("/attachments"),
            [body[start : start + 50_000] for start in range(0, len(body), 50_000)],
            content_type=f"multipart/form-data; boundary={boundary}",
            content_length=str(len(body)),
            **headers,
        )


@asynccontextmanager
async def attached(stack: Stack, path: Path, *, guarded: bool = False) -> AsyncIterator[Files]:
    store: Any = MemoryStore(owner=owner_of)
    files: Any = DiskAttachmentStore(path, url="http://to.be.told")
    server = Attached(store, files, options=Options(handle_signals=False))
    async with serving(stack, server, guarded=guarded) as site:
        yield Files(site)


async def test_a_form_becomes_an_attachment_that_a_model_reads(
    stack: Stack, tmp_path: Path
) -> None:
    async with attached(stack, tmp_path) as files:
        answer = await files.upload(LONG, "Übersicht.txt", "text/plain", x_request_id="mine-8")
        assert (answer.status, answer.headers["x-request-id"]) == (200, "mine-8")
        turn = await files.site.client().create("Look", attachments=[answer.json["id"]])
        text = turn.check().thread.items[-1].content[0].text
        assert text == f"Übersicht.txt has {len(LONG)} bytes."


async def test_two_phases_make_an_attachment(stack: Stack, tmp_path: Path) -> None:
    async with attached(stack, tmp_path) as files:
        client = files.site.client()
        made = (await client.attachments_create("a.txt", len(LONG), "text/plain")).check().json
        refused = await client.create("Look", attachments=[made["id"]])
        assert refused.status == 409
        where = made["upload_descriptor"]
        link = files.below(where["url"])
        pieces = [LONG[start : start + 50_000] for start in range(0, len(LONG), 50_000)]
        for data, status in ((pieces, 200), ([b"again"], 409)):
            size = str(sum(map(len, data)))
            headers = {"content_type": "text/plain", "content_length": size}
            answer = await files.site.fetch(where["method"], link, data, **headers)
            assert answer.status == status, answer.body
        (await client.create("Look", attachments=[made["id"]])).check()


async def test_files_come_back_whole_in_parts_and_not_at_all(stack: Stack, tmp_path: Path) -> None:
    async with attached(stack, tmp_path) as files:
        attachment = (await files.upload(LONG, "ä.txt", "text/plain")).json["id"]
        link = files.below(files.store.download_url(attachment, None))
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


async def test_a_picture_is_shown_by_its_link(stack: Stack, tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.new("RGB", (2000, 1000), "red").save(out, "PNG")
    async with attached(stack, tmp_path) as files:
        made = await files.upload(out.getvalue(), "red.png", "image/png")
        assert made.status == 200, made.body
        shown = await files.site.fetch("GET", files.below(made.json["preview_url"]))
        assert (shown.status, shown.headers["content-type"]) == (200, "image/jpeg")
        with Image.open(io.BytesIO(shown.body)) as image:
            assert image.size == (1024, 512)


async def test_uploads_are_for_those_whom_the_framework_lets_in(
    stack: Stack, tmp_path: Path
) -> None:
    """And a link is all that a picture's element has: it carries no credentials."""
    async with attached(stack, tmp_path, guarded=True) as files:
        refused = await files.upload(b"Hello", "a.txt", "text/plain")
        assert refused.status in (401, 403)
        signed_in = await files.site.signed_in("ada")
        headers = await stack.credentials(files.site.base, "ada")
        who = {name.replace("-", "_"): value for name, value in headers.items()}
        made = await files.upload(b"Hello", "a.txt", "text/plain", **who)
        assert made.status == 200, made.body
        (await signed_in.create("Look", attachments=[made.json["id"]])).check()
        bob = await files.site.signed_in("bob")
        assert (await bob.create("Look", attachments=[made.json["id"]])).status == 404
        owner = json.loads(next(tmp_path.rglob("stored.json")).read_bytes())["owner"]
        folder = next(tmp_path.rglob("stored.json")).parts[-3]
        assert owner == "ada"
        token = files.store._links.sign("download", folder, made.json["id"], 60)
        link = files.site.below(f"/attachments/{token}")
        assert (await files.site.fetch("GET", link)).body == b"Hello"


async def test_abuse_is_refused_and_leaves_nothing(stack: Stack, tmp_path: Path) -> None:
    async with attached(stack, tmp_path) as files:
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
        assert [each for each in tmp_path.rglob("*") if each.is_file()] == [tmp_path / "key"]
