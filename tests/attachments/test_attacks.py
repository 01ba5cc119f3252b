"""Abuse: each is tried and refused with a clear error, and leaves nothing behind."""

from __future__ import annotations

import errno
import io
import os
import re
import socket
import struct
import threading
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote, urlsplit

import anyio
import httpx2 as httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from chatkit_asgi.store import AttachmentLimits, S3AttachmentStore
from chatkit_asgi.store.attachments import ACCEPTED, Scanned
from tests.attachments.served import KEYS, Site, kept, picture, uvicorn_serves

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!DOCTYPE html><script>alert(document.cookie)</script>"

disk_only = pytest.mark.parametrize(
    "place", [("disk", uvicorn_serves)], indirect=True, ids=["disk"]
)


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["code"] == code
    assert error["request_id"] == answer.headers["x-request-id"]
    assert "Traceback" not in answer.text


# -- what a file may be --------------------------------------------------------------------------


def zipped(*entries: tuple[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return out.getvalue()


def many_entries() -> bytes:
    return zipped(*((str(number), b"") for number in range(10_001)))


def overlapping() -> bytes:
    """Twenty entries in the list, all of the same half a megabyte."""
    one = zipped(("a", bytes(range(256)) * 2000), compression=zipfile.ZIP_STORED)
    start, length = struct.unpack("<LL", one[-10:-2])[::-1]
    entry = one[start : start + length]
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 20, 20, length * 20, start, 0)
    return one[:start] + entry * 20 + end


def zip64() -> bytes:
    """Its old end says that there is nothing; its new one, which readers believe, is never looked at."""
    plain = zipped(("a", b"b"))
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)
    return plain[:-22] + locator + plain[-22:]


def bomb() -> bytes:
    return zipped(("word/document.xml", bytes(50_000_000)), ("[Content_Types].xml", b""))


def huge_picture() -> bytes:
    """A few bytes that say that they are 60,000 pixels wide and high."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))
        )

    head = struct.pack(">LLBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0)
    data = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


FILES: dict[str, tuple[bytes, str, str, int, str]] = {
    "nothing": (b"", "a.txt", "text/plain", 400, "empty_file"),
    "a page": (HTML, "a.html", "text/html", 415, "attachment_type"),
    "a page that says it is a text": (HTML, "a.txt", "text/plain", 415, "attachment_type"),
    "a page that says it is a picture": (HTML, "a.png", "image/png", 415, "attachment_type"),
    "a page after a mark and a space": (b"\xef\xbb\xbf \n" + HTML, "a.txt", "text/plain", 415, "attachment_type"),
    "a drawing": (SVG, "a.svg", "image/svg+xml", 415, "attachment_type"),
    "a drawing that says it is a picture": (SVG, "a.png", "image/png", 415, "attachment_type"),
    "a drawing behind a comment": (b"<!-- hello -->" + SVG, "a.txt", "text/plain", 415, "attachment_type"),
    "a drawing in XML": (b"<?xml version='1.0'?>" + SVG, "a.txt", "text/plain", 415, "attachment_type"),
    "a program": (b"MZ\x90\x00" + bytes(200), "a.txt", "text/plain", 415, "attachment_type"),
    "an ELF program": (b"\x7fELF\x02\x01\x01" + bytes(200), "a.png", "image/png", 415, "attachment_type"),
    "an archive": (zipped(("a", b"b")), "a.zip", "application/zip", 415, "attachment_type"),
    "an archive that says it is a letter": (zipped(("a", b"b")), "a.docx", DOCX, 415, "attachment_type"),
    "bytes of no kind": (b"\x00\x01\x02\x03" * 50, "a.txt", "text/plain", 415, "attachment_type"),
    "a text that says it is a picture": (b"Hello", "a.png", "image/png", 415, "attachment_type"),
    "a letter that bursts": (bomb(), "a.docx", DOCX, 413, "archive_too_large"),
    "a letter of too many parts": (many_entries(), "a.docx", DOCX, 413, "archive_too_large"),
    "a letter whose parts overlap": (overlapping(), "a.docx", DOCX, 413, "archive_too_large"),
    "a letter with two ends": (zip64(), "a.docx", DOCX, 413, "archive_too_large"),
    "a letter cut off": (bomb()[:-30], "a.docx", DOCX, 400, "unreadable_file"),
    "a picture that bursts": (huge_picture(), "a.png", "image/png", 413, "image_too_large"),
    "a picture cut off": (picture((500, 500))[:200], "a.png", "image/png", 400, "unreadable_file"),
    "a script that begins as a picture": (b"GIF89a=1;alert(1)//", "a.gif", "image/gif", 415, "attachment_type"),
    "a script in a broken picture": (b"GIF89a\x00=1;alert(1)//", "a.gif", "image/gif", 400, "unreadable_file"),
    "a picture with an archive behind it": (picture() + zip64(), "a.png", "image/png", 413, "archive_too_large"),
}  # fmt: skip


@disk_only
def test_files_that_do_not_come_in(chat: Site) -> None:
    """Invariant: whatever the way, what is refused leaves no byte, and what was announced stays unusable."""
    for what, (data, name, kind, status, code) in FILES.items():
        refused(chat.upload(data, name, kind), status, code)
        assert kept(chat.files) == [], what
    announced = 0
    for what, (data, name, kind, status, code) in FILES.items():
        answer = chat.announce(len(data), name, kind)
        if answer.status_code != 200:
            refused(answer, status, code)
            continue
        announced += 1
        attachment = answer.json()
        refused(chat.send(attachment["upload_descriptor"], data), status, code)
        assert kept(chat.files) == ["stored.json"] * announced, what
        refused(chat.say(attachment["id"]), 409, "attachment_not_uploaded")


def test_a_bucket_is_looked_into_before_anybody_gets_what_is_there(s3: str) -> None:
    from functools import partial

    from tests.attachments.served import files_in_bucket, site

    with site(partial(files_in_bucket, s3), uvicorn_serves) as chat:
        for name in (
            "a page that says it is a text",
            "a picture that bursts",
            "a letter that bursts",
        ):
            data, file_name, kind, status, code = FILES[name]
            attachment = chat.announce(len(data), file_name, kind).json()
            # The bucket takes it.
            chat.send(attachment["upload_descriptor"], data).raise_for_status()
            refused(chat.say(attachment["id"]), status, code)
            refused(chat.download(attachment["id"]), status, code)
        assert set(kept(chat.files)) == {"incoming", "stored.json"}


@disk_only
def test_texts_that_look_like_something_come_in(chat: Site) -> None:
    """Being safe is no reason to be wrong about a text."""
    for data in (
        b"BMW is a car",
        b"MZ is a name",
        b"ID3 tags",
        "Grüße".encode(),
        b"a,b\n1,2\n",
        b"<a>1</a>",
    ):
        chat.upload(data, "a.txt", "text/plain").raise_for_status()
    half = ("x" * 8191 + "é").encode()
    chat.upload(half, "a.md", "text/markdown").raise_for_status()
    letter = zipped(("[Content_Types].xml", b"<Types/>"), ("word/document.xml", b"<w/>"))
    assert chat.upload(letter, "a.docx", DOCX).json()["mime_type"] == DOCX


@disk_only
def test_what_a_browser_does_not_know_goes_by_its_name(chat: Site) -> None:
    for name, said, told in (
        ("a.csv", "application/vnd.ms-excel", "text/csv"),
        ("a.md", "", "text/markdown"),
        ("a.txt", "nonsense", "text/plain"),
        ("a.unknown", "", "text/plain"),
    ):
        assert chat.upload(b"a,b", name, said).raise_for_status().json()["mime_type"] == told
        attachment = chat.two_phase(b"a,b", name, said)
        chat.say(attachment["id"]).raise_for_status()
    refused(chat.upload(HTML, "a.csv", "text/html"), 415, "attachment_type")


# -- sizes ---------------------------------------------------------------------------------------


def test_sizes_are_counted_while_they_arrive(open_site: Callable[..., Site]) -> None:
    chat = open_site(limits=AttachmentLimits(max_size=1000))
    refused(chat.upload(b"x" * 1001), 413, "attachment_size")
    refused(chat.announce(1001), 413, "attachment_size")
    assert chat.announce(-1).status_code == 400
    assert kept(chat.files) == []
    attachment = chat.announce(1000).json()
    for data in (b"x" * 999, b"x" * 1001):
        assert chat.send(attachment["upload_descriptor"], data).status_code >= 400
    refused(chat.say(attachment["id"]), 409, "attachment_not_uploaded")
    chat.send(attachment["upload_descriptor"], b"x" * 1000).raise_for_status()
    chat.say(attachment["id"]).raise_for_status()


@disk_only
def test_a_body_without_an_end_is_cut_off(open_site: Callable[..., Site]) -> None:
    chat = open_site(limits=AttachmentLimits(max_size=100_000))
    with socket.create_connection(("127.0.0.1", urlsplit(chat.url).port or 0), timeout=10) as raw:
        raw.sendall(
            b"POST /attachments HTTP/1.1\r\nhost: a\r\nx-user: ada\r\ntransfer-encoding: chunked\r\n"
            b"content-type: multipart/form-data; boundary=x\r\n\r\n"
        )
        part = b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
        answer = b""
        try:
            for data in (part, *[b"y" * 50_000] * 40):
                raw.sendall(b"%x\r\n%b\r\n" % (len(data), data))
        except OSError:
            pass  # the server has stopped listening
        answer = raw.recv(100)
        assert answer.startswith(b"HTTP/1.1 413")
    assert kept(chat.files) == []


@disk_only
def test_a_disk_that_fails_while_a_file_arrives_keeps_nothing(
    chat: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large files are written through while they arrive, and the first word of a broken disk counts."""
    failed: list[int] = []

    def broken(handle: int) -> None:
        failed.append(os.fstat(handle).st_size)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("chatkit_asgi.store.attachments.files.SYNC", 100_000)
    monkeypatch.setattr("chatkit_asgi.store.attachments.files.BLOCK", 50_000)
    attachment = chat.announce(2_000_000).json()
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", broken)
        answer = chat.send(attachment["upload_descriptor"], b"x" * 2_000_000)
    assert (answer.status_code, len(failed)) == (500, 1)
    assert failed[0] < 2_000_000
    assert "Traceback" not in answer.text
    assert kept(chat.files) == ["stored.json"]
    chat.send(attachment["upload_descriptor"], b"x" * 2_000_000).raise_for_status()
    chat.say(attachment["id"]).raise_for_status()


@disk_only
def test_an_owner_has_a_quota(open_site: Callable[..., Site]) -> None:
    chat = open_site(limits=AttachmentLimits(quota=3000, max_files=3))
    chat.upload(b"x" * 2000).raise_for_status()
    refused(chat.upload(b"x" * 1000), 413, "attachment_quota")
    refused(chat.announce(1000), 413, "attachment_quota")
    chat.upload(b"x" * 1000, user="bob").raise_for_status()
    for _ in range(2):
        last = chat.announce(1).raise_for_status().json()
    refused(chat.announce(1), 413, "max_files")
    refused(chat.upload(b"x"), 413, "max_files")
    chat.ask("attachments.delete", attachment_id=last["id"]).raise_for_status()
    chat.announce(1).raise_for_status()


@disk_only
def test_a_quota_holds_for_many_uploads_at_once(open_site: Callable[..., Site]) -> None:
    """Each has been found to fit before any is there."""
    arrived = threading.Barrier(8)

    async def scan(file: Scanned) -> Any:
        await anyio.to_thread.run_sync(arrived.wait, 20)
        return "accept"

    for limits, code in (
        (AttachmentLimits(quota=3500), "attachment_quota"),
        (AttachmentLimits(max_files=3), "max_files"),
    ):
        chat = open_site(limits=limits, scan=scan)
        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(chat.upload, b"x" * 900, user=code) for _ in range(8)]
        answers = [each.result() for each in asked]
        for answer in answers:
            if answer.status_code != 200:
                refused(answer, 413, code)
        assert sum(answer.status_code == 200 for answer in answers) == 3
        refused(chat.announce(900, user=code), 413, code)


# -- forms ---------------------------------------------------------------------------------------


def form(*parts: bytes) -> bytes:
    return b"".join(b"--x\r\n" + part + b"\r\n" for part in parts) + b"--x--\r\n"


FILE = b'content-disposition: form-data; name="file"; filename="a"\r\n\r\nHello'


@disk_only
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", form(FILE)),
        ("multipart/form-data; boundary=" + "x" * 71, form(FILE)),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"Hello"),
        ("multipart/form-data; boundary=y", form(FILE)),
        ("multipart/form-data; boundary=x", form()),
        ("multipart/form-data; boundary=x", form(FILE, FILE)),
        ("multipart/form-data; boundary=x", form(b'content-disposition: form-data; name="file"\r\n\r\nHello')),
        ("multipart/form-data; boundary=x", form(FILE.replace(b'"file"', b'"other"'))),
        ("multipart/form-data; boundary=x", form(b'content-disposition: form-data; name="note"\r\n\r\nHello', FILE)),
        ("multipart/form-data; boundary=x", form(b"\r\n\r\nHello")),
        ("multipart/form-data; boundary=x", form(FILE)[:-9]),
        ("multipart/form-data; boundary=x", form(b"x-much: " + b"y" * 100_000 + b"\r\n" + FILE)),
        ("multipart/form-data; boundary=x", form(*[b"x: y\r\n" * 100 + FILE])),
        ("multipart/form-data; boundary=x", form(FILE) + b"z" * 2_000_000),
        ("application/x-www-form-urlencoded", b"file=Hello"),
        ("text/plain", b"Hello"),
    ],
)  # fmt: skip
def test_forms_that_are_none(chat: Site, kind: str, body: bytes) -> None:
    headers = {"x-user": "ada", "content-type": kind}
    answer = chat.client.post(f"{chat.url}/attachments", content=body, headers=headers)
    refused(answer, 400, "invalid_form")
    assert kept(chat.files) == []


@disk_only
def test_a_page_of_another_site_cannot_upload_with_a_persons_cookies(chat: Site) -> None:
    form_of = {"file": ("a.txt", b"Hello", "text/plain")}
    headers = {
        "x-user": "ada",
        "cookie": "session=1",
        "sec-fetch-site": "cross-site",
        "origin": "https://evil.example",
    }
    url = f"{chat.url}/attachments"
    refused(chat.client.post(url, files=form_of, headers=headers), 403, "cross_site")
    assert kept(chat.files) == []
    chat.client.post(
        url, files=form_of, headers={**headers, "authorization": "Bearer 1"}
    ).raise_for_status()


# -- names ---------------------------------------------------------------------------------------


@disk_only
def test_names_are_what_a_person_may_see(chat: Site) -> None:
    for name, shown in {
        "../../etc/passwd": "passwd",
        "C:\\temp\\a.txt": "a.txt",
        "/": "file",
        "..": "file",
        "photo\u202egnp.exe": "photognp.exe",
        "a\u0000b\u001b[31m.txt": "ab[31m.txt",
        "a\r\nset-cookie: x=1.txt": "a set-cookie x=1.txt".replace("cookie x", "cookie: x"),
        "  .hidden.  ": "hidden",
        "a" * 5000 + ".txt": "a" * 196 + ".txt",
        "\ufeff\u200b\u2066x\u2069": "x",
    }.items():
        attachment = chat.announce(5, name).json()
        assert attachment["name"] == shown
        chat.send(attachment["upload_descriptor"], b"Hello").raise_for_status()
        answer = chat.download(attachment["id"])
        assert "set-cookie" not in answer.headers
        assert answer.headers["content-disposition"].startswith("attachment;")


# -- links ---------------------------------------------------------------------------------------


@disk_only
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    where=st.floats(0, 1, exclude_max=True),
    byte=st.integers(0x21, 0x7E),
    kind=st.sampled_from(["download", "preview", "upload"]),
)
def test_a_link_that_was_changed_anywhere_is_refused(
    chat: Site, where: float, byte: int, kind: str
) -> None:
    if not hasattr(chat, "sent"):
        chat.sent = chat.upload(picture(), "a.png", "image/png").json()["id"]  # type: ignore[attr-defined]
    folder = chat.files._place(chat.sent, "ada").partition("/")[0]  # type: ignore[attr-defined]
    link = chat.files._url(kind, folder, chat.sent)  # type: ignore[attr-defined, arg-type]
    base, token = link.rsplit("/", 1)
    place = int(where * len(token))
    changed = token[:place] + chr(byte) + token[place + 1 :]
    if changed == token:
        return
    method = "PUT" if kind == "upload" else "GET"
    path = f"{urlsplit(base).path}/{changed}".encode()
    with socket.create_connection(("127.0.0.1", urlsplit(base).port or 0), timeout=10) as raw:
        headers = b"host: a\r\nconnection: close\r\ncontent-length: 0"
        raw.sendall(b"%b %b HTTP/1.1\r\n%b\r\n\r\n" % (method.encode(), path, headers))
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert answer.split(b" ", 2)[1] in (b"400", b"403", b"405"), answer
    assert b"PNG" not in answer


def test_links_are_for_one_use_one_owner_and_a_while(open_site: Callable[..., Site]) -> None:
    now = [1_000_000_000.0]
    chat = open_site(clock=lambda: now[0], link_life=100, keys=["old-secret-old-secret", *KEYS])
    attachment = chat.upload(b"Hello").json()["id"]
    link = chat.files.download_url(attachment, "ada")
    chat.client.get(link).raise_for_status()
    refused(chat.client.put(link, content=b"x"), 405, "method_not_allowed")
    refused(chat.client.delete(link), 405, "method_not_allowed")
    assert chat.client.get(chat.files.preview_url(attachment, "ada")).status_code == 404
    assert chat.client.get(chat.files.download_url(attachment, "bob")).status_code == 404
    assert chat.client.get(link.replace("download", "upload")).status_code == 403
    now[0] += 100
    assert chat.client.get(link).status_code == 200
    now[0] += 100
    refused(chat.client.get(link), 403, "expired_link")


def test_keys_change_without_a_break(make_files: Callable[..., Any]) -> None:
    old, both, new = (
        make_files("https://my.app", keys=keys)
        for keys in (["o" * 16], ["n" * 16, "o" * 16], ["n" * 16])
    )
    link = old.download_url("atc_1", "ada").rpartition("/")[2]
    assert both.read_link(link).id == "atc_1"
    fresh = both.download_url("atc_1", "ada").rpartition("/")[2]
    assert new.read_link(fresh).id == "atc_1"
    for store, token in ((new, link), (old, fresh)):
        with pytest.raises(Exception, match="not valid"):
            store.read_link(token)
    for keys in ([], ["short"]):
        with pytest.raises(ValueError, match="16 bytes"):
            make_files("https://my.app", keys=keys)


def test_what_has_arrived_is_never_changed(chat: Site) -> None:
    attachment = chat.announce(5).json()
    chat.send(attachment["upload_descriptor"], b"Hello").raise_for_status()
    chat.say(attachment["id"]).raise_for_status()
    second = chat.send(attachment["upload_descriptor"], b"Other")
    if isinstance(chat.files, S3AttachmentStore):
        second.raise_for_status()  # into the bucket, where nobody looks any more
    else:
        refused(second, 409, "already_uploaded")
    assert chat.download(attachment["id"]).content == b"Hello"


@pytest.mark.parametrize("place", [("s3", uvicorn_serves)], indirect=True, ids=["s3"])
def test_a_buckets_link_takes_one_file_only(chat: Site) -> None:
    where = chat.announce(5).json()["upload_descriptor"]
    for content, headers in (
        (b"Hello!", {}),
        (b"Hell", {}),
        (b"Hello", {"content-type": "text/html"}),
    ):
        assert chat.send(where, content, **headers).status_code == 403
    url = where["url"]
    for changed in (
        url.replace("incoming", "stored.json"),
        url.replace("X-Amz-Expires=", "X-Amz-Expires=9"),
        url[:-1] + ("0" if url[-1] != "0" else "1"),
        url.replace("content-length%3B", ""),
    ):
        assert changed != url
        assert chat.send({**where, "url": changed}, b"Hello").status_code in (400, 403)
    assert chat.client.get(url).status_code == 403
    assert kept(chat.files) == ["stored.json"]
    chat.send(where, b"Hello").raise_for_status()


@pytest.mark.parametrize("place", [("s3", uvicorn_serves)], indirect=True, ids=["s3"])
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(where=st.floats(0, 1, exclude_max=True), byte=st.integers(0x21, 0x7E))
def test_a_buckets_link_that_was_changed_anywhere_is_refused(
    chat: Site, where: float, byte: int
) -> None:
    """By the bucket's own server. Another way to write the same, such as %2f for %2F, is no other link."""
    if not hasattr(chat, "descriptor"):
        chat.descriptor = chat.announce(5).json()["upload_descriptor"]  # type: ignore[attr-defined]
    url: str = chat.descriptor["url"]  # type: ignore[attr-defined]
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}"
    place = int(where * len(target))
    changed = target[:place] + chr(byte) + target[place + 1 :]
    if unquote(changed) == unquote(target):
        return
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as raw:
        raw.sendall(
            f"PUT {changed} HTTP/1.1\r\nhost: {parts.netloc}\r\nconnection: close\r\n"
            "content-type: text/plain\r\ncontent-length: 5\r\n\r\nHello".encode()
        )
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    # SeaweedFS hangs up on some that it cannot read.
    assert answer[9:10] in (b"4", b""), (changed, answer)
    assert kept(chat.files) == ["stored.json"]


# -- whose it is ---------------------------------------------------------------------------------


def thread_of(answer: httpx.Response) -> str:
    found = re.search(r"thr_[0-9a-f]+", answer.raise_for_status().text)
    assert found is not None
    return found[0]


def test_an_attachment_is_its_owners_and_its_threads(chat: Site) -> None:
    attachment = chat.upload(b"Hello").json()["id"]
    refused(chat.say(attachment, user="bob"), 404, "not_found")
    assert chat.ask("attachments.delete", "bob", attachment_id=attachment).status_code == 404
    thread = thread_of(chat.say(attachment))
    refused(chat.say(attachment), 409, "attachment_in_use")
    refused(chat.ask("attachments.delete", attachment_id=attachment), 409, "attachment_in_use")
    assert chat.ask("threads.delete", "bob", thread_id=thread).status_code == 200
    assert chat.download(attachment).content == b"Hello"


def test_a_client_gets_no_link_by_writing_what_a_record_says(chat: Site) -> None:
    """Neither to what is somebody else's nor to what is its own: nothing but its own words come back."""
    for owner in ("ada", "bob"):
        picked = chat.upload(picture(), "a.png", "image/png", owner).json()["id"]
        mark = f"chatkit-attachment:{picked}"
        record = {
            "id": picked,
            "name": "a",
            "mime_type": "image/png",
            "type": "image",
            "preview_url": mark,
        }
        data = {**record, "attachments": [record], "data": [record], "items": {"data": [record]}}
        tag = {"type": "input_tag", "id": "a", "text": "b", "data": data}
        message = {"content": [tag], "attachments": [], "inference_options": {}}
        said = chat.ask("threads.create", input=message)
        read = chat.ask("threads.get_by_id", thread_id=thread_of(said))
        for answer in (said, read):
            assert answer.text.count(mark) == 4
            assert chat.url not in answer.text


@disk_only
def test_of_two_threads_at_once_one_gets_the_attachment(chat: Site) -> None:
    attachment = chat.upload(b"Hello").json()["id"]
    answers: list[httpx.Response] = []
    threads = [
        threading.Thread(target=lambda: answers.append(chat.say(attachment))) for _ in range(8)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    won = [each for each in answers if "Seen." in each.text]
    assert len(won) == 1
    for each in answers:
        if each not in won:
            assert each.status_code == 409 or '"type":"error"' in each.text
            assert "carries this attachment" in each.text
    assert len(chat.ask("threads.list").json()["data"]) == 1


@pytest.mark.parametrize("name", ["attachment", "../ada", "a/b", "", "\x00", "é", "x" * 5000])
@disk_only
def test_ids_from_outside_lead_nowhere(chat: Site, name: str) -> None:
    refused(chat.say(name), 404, "not_found")
    refused(chat.ask("attachments.delete", attachment_id=name), 404, "not_found")


@pytest.mark.parametrize(
    "path", ["/..%2f..%2fkey", "/../key", "/files", "/.", "//", "/a/b/c", "/%00"]
)
@disk_only
def test_paths_lead_nowhere(chat: Site, path: str) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(chat.url).port or 0), timeout=10) as raw:
        raw.sendall(
            f"GET /attachments{path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert answer.split(b" ", 2)[1] in (b"403", b"405"), answer


# -- serving -------------------------------------------------------------------------------------


def test_nothing_that_was_uploaded_is_shown_in_a_page(open_site: Callable[..., Site]) -> None:
    """Even where everything is let in."""
    chat = open_site(limits=AttachmentLimits(accept=("*/*",)))
    for data, name, kind in (
        (HTML, "a.html", "text/html"),
        (SVG, "a.svg", "image/svg+xml"),
        (b"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'/>", "a.xhtml", "application/xhtml+xml"),
        (b"alert(1)", "a.js", "text/javascript"),
        (b"alert(1)", "a.js", "text/JScript"),
        (picture(), "a.png", "image/png"),
        (b"%PDF-1.7", "a.pdf", "application/pdf"),
    ):  # fmt: skip
        attachment = chat.upload(data, name, kind).raise_for_status().json()
        got = chat.download(attachment["id"])
        assert got.content == data
        assert got.headers["content-disposition"].startswith("attachment;")
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
        assert got.headers["cache-control"].startswith("private")
        if name != "a.png":
            assert attachment["type"] == "file"
            assert (
                chat.client.get(chat.files.preview_url(attachment["id"], "ada")).status_code == 404
            )
            assert not re.search("html|xml|script", got.headers["content-type"])


@disk_only
def test_a_preview_carries_nothing_but_pixels(chat: Site) -> None:
    exif = Image.Exif()
    exif[0x010E] = "SECRET description"
    exif.get_ifd(0x8825)[1] = "N"
    exif[0x0112] = 6  # lies on its side
    data = picture((400, 200), "JPEG", exif=exif, comment=b"SECRET comment") + b"SECRET tail"
    attachment = chat.upload(data, "a.jpg", "image/jpeg").raise_for_status().json()
    shown = chat.client.get(attachment["preview_url"]).content
    assert b"SECRET" not in shown
    with Image.open(io.BytesIO(shown)) as image:
        assert image.size == (200, 400)
        assert not image.getexif()
    assert chat.download(attachment["id"]).content == data


@disk_only
def test_files_may_have_an_origin_of_their_own(open_site: Callable[..., Site]) -> None:
    chat = open_site(separate_origin=True)
    attachment = chat.upload(b"Hello").json()["id"]
    link = chat.files.download_url(attachment, "ada")
    chat.client.get(link).raise_for_status()
    refused(chat.client.get(link, headers={"host": "my.app"}), 421, "misdirected_request")


# -- the scanner ---------------------------------------------------------------------------------


def test_the_scanner_refuses_or_holds(open_site: Callable[..., Site]) -> None:
    seen: list[Scanned] = []

    async def scan(file: Scanned) -> Any:
        seen.append(file)
        data = await anyio.Path(file.path).read_bytes()
        if b"EICAR" in data:
            return "reject"
        return "hold" if b"slow" in data else "accept"

    chat = open_site(scan=scan)
    refused(chat.upload(b"EICAR"), 400, "attachment_rejected")
    assert kept(chat.files) == []
    held = chat.upload(b"slow one", "held.txt").json()["id"]
    assert (seen[-1].owner, seen[-1].name, seen[-1].size) == ("ada", "held.txt", 8)
    refused(chat.say(held), 409, "attachment_held")
    refused(chat.download(held), 409, "attachment_held")
    anyio.run(chat.files.release_attachment, held, "ada")
    chat.say(held).raise_for_status()
    assert chat.download(held).content == b"slow one"


@disk_only
def test_a_scanner_that_fails_lets_nothing_in(open_site: Callable[..., Site]) -> None:
    async def scan(file: Scanned) -> Any:
        raise RuntimeError("SECRET: no daemon")

    chat = open_site(scan=scan)
    answer = chat.upload(b"Hello")
    assert answer.status_code == 500
    assert "SECRET" not in answer.text
    assert kept(chat.files) == []


def test_what_comes_in_by_default_is_nothing_that_a_browser_runs() -> None:
    from chatkit_asgi.store.attachments.checks import ACTIVE

    assert not set(ACCEPTED) & ACTIVE
