"""Uploads, downloads and previews over real sockets: on a disk and in a bucket, on asyncio and on trio."""

from __future__ import annotations

import io
import re
import socket
import threading
import time
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx2 as httpx
import pytest
from PIL import Image

from chatkit_asgi.types import AttachmentsCreateReq
from tests.attachments.served import Site, kept, picture

LONG = bytes(range(32, 127)) * 8000


def test_a_form_becomes_an_attachment_that_a_model_reads(chat: Site) -> None:
    answer = chat.upload(b"Dear Ada", "letter.txt")
    attachment = answer.raise_for_status().json()
    assert attachment == {
        "type": "file",
        "id": attachment["id"],
        "name": "letter.txt",
        "mime_type": "text/plain",
    }
    assert '"text":"Seen."' in chat.say(attachment["id"]).raise_for_status().text
    assert chat.heard == [b"Dear Ada"]
    assert chat.download(attachment["id"]).content == b"Dear Ada"


@pytest.mark.parametrize("way", ["bare", "form"])
def test_two_phases_make_an_attachment(chat: Site, way: str) -> None:
    """Clients send the bytes bare or in a form (client.md section 7.3); a bucket takes them bare."""
    attachment = chat.announce(len(LONG)).raise_for_status().json()
    where = attachment["upload_descriptor"]
    if way == "bare" or not where["url"].startswith(chat.url):
        chat.send(where, LONG).raise_for_status()
    else:
        files = {"file": ("a.txt", LONG, "text/plain")}
        chat.client.post(where["url"], files=files).raise_for_status()
    answer = chat.say(attachment["id"]).raise_for_status()
    assert chat.heard == [LONG]
    assert "upload_descriptor" not in answer.text
    assert chat.download(attachment["id"]).content == LONG


def test_a_picture_is_shown_by_links_that_are_made_when_they_are_told(chat: Site) -> None:
    data = picture((3000, 1500))
    for attachment in (
        chat.upload(data, "red.png", "image/png").json(),
        chat.two_phase(data, "red.png", "image/png"),
    ):
        assert attachment["type"] == "image"
        shown = chat.client.get(attachment["preview_url"])
        assert (shown.status_code, shown.headers["content-disposition"]) == (200, "inline")
        with Image.open(io.BytesIO(shown.content)) as image:
            assert image.size == (1024, 512)
            assert image.getpixel((5, 5))[0] > 200  # type: ignore[index]
        thread = re.search(r"thr_[0-9a-f]+", chat.say(attachment["id"]).text)
        assert thread is not None
        for listed in (
            chat.ask("threads.get_by_id", thread_id=thread[0]).json()["items"],
            chat.ask("items.list", thread_id=thread[0]).json(),
        ):
            (message,) = [each for each in listed["data"] if each["type"] == "user_message"]
            (told,) = message["attachments"]
            assert chat.client.get(told["preview_url"]).content == shown.content


def test_an_attachment_that_never_arrived_is_in_no_message(chat: Site) -> None:
    attachment = chat.announce(5).json()
    refused = chat.say(attachment["id"])
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "attachment_not_uploaded"
    assert refused.json()["error"]["path"] == "$.params.input.attachments[0]"
    assert chat.ask("threads.list").json()["data"] == []
    chat.send(attachment["upload_descriptor"], b"Hello").raise_for_status()
    chat.say(attachment["id"]).raise_for_status()
    assert chat.heard == [b"Hello"]


def test_parts_of_a_file(chat: Site) -> None:
    attachment = chat.upload(LONG).json()["id"]
    whole = chat.download(attachment)
    etag, size = whole.headers["etag"], len(LONG)
    assert whole.headers["accept-ranges"] == "bytes"
    assert whole.headers["content-length"] == str(size)
    for asked, start, stop in (
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=-10", size - 10, size),
        (f"bytes={size - 5}-", size - 5, size),
        (f"bytes=500000-{size + 99}", 500_000, size),
    ):
        part = chat.download(attachment, range=asked)
        assert part.status_code == 206
        assert part.content == LONG[start:stop]
        assert part.headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
    beyond = chat.download(attachment, range=f"bytes={size}-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    assert chat.download(attachment, **{"range": "bytes=1-2", "if-range": etag}).status_code == 206
    assert chat.download(attachment, **{"range": "bytes=1-2", "if-range": '"x"'}).content == LONG


def test_a_client_that_has_the_file_is_told_so(chat: Site) -> None:
    attachment = chat.upload(b"Hello").json()["id"]
    etag = chat.download(attachment).headers["etag"]
    for condition in (etag, f'"x", {etag}', f"W/{etag}", "*"):
        same = chat.download(attachment, **{"if-none-match": condition})
        assert (same.status_code, same.content) == (304, b"")
        assert same.headers["etag"] == etag
    assert chat.download(attachment, **{"if-none-match": '"x"'}).content == b"Hello"
    assert chat.download(attachment, **{"if-match": '"x"'}).status_code == 412


def test_head_tells_what_get_would_send(chat: Site) -> None:
    attachment = chat.upload(LONG).json()["id"]
    link = chat.files.download_url(attachment, "ada")
    got, head = chat.client.get(link), chat.client.head(link)
    same = ("content-length", "content-type", "etag", "content-disposition")
    assert {name: head.headers[name] for name in same} == {name: got.headers[name] for name in same}
    # how long a link still lasts goes down by a second now and then, between the two as well
    lasts = [
        int(
            one.headers["cache-control"]
            .removeprefix("private, max-age=")
            .removesuffix(", immutable")
        )
        for one in (got, head)
    ]
    assert 0 <= lasts[0] - lasts[1] <= 60
    assert head.content == b""


def test_names_come_back_in_every_alphabet(chat: Site) -> None:
    for name in (
        "Übersicht €.txt",
        "報告書.txt",
        "a'b (1).txt",
        'so "so".txt',
        "100%.txt",
        "👩‍👩‍👧.txt",
    ):
        attachment = chat.upload(b"Hello", name).json()
        assert attachment["name"] == name
        value = chat.download(attachment["id"]).headers["content-disposition"]
        assert value.startswith("attachment; filename=")
        found = re.search(r"filename\*=UTF-8''(.*)$|filename=\"(.*?)\"$", value)
        assert found is not None
        assert (unquote(found[1]) if found[1] else found[2]) == name


def test_every_answer_has_a_request_id(chat: Site) -> None:
    given = {"x-request-id": "mine-1", "x-user": "ada"}
    form = {"file": ("a.txt", b"Hello", "text/plain")}
    answers = [
        chat.client.post(f"{chat.url}/attachments", files=form, headers=given),
        chat.client.post(f"{chat.url}/attachments", headers=given),
        chat.client.get(f"{chat.url}/attachments", headers=given),
        chat.client.get(f"{chat.url}/attachments/nonsense", headers=given),
    ]
    attachment = answers[0].json()["id"]
    answers.append(chat.download(attachment, **given))
    assert [each.status_code for each in answers] == [200, 400, 405, 403, 200]
    assert {each.headers["x-request-id"] for each in answers} == {"mine-1"}
    for each in answers[1:4]:
        assert each.json()["error"]["request_id"] == "mine-1"


def test_the_context_decides_who_uploads_before_a_byte_is_read(chat: Site) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(chat.url).port or 0), timeout=10) as raw:
        raw.sendall(
            b"POST /attachments HTTP/1.1\r\nhost: a\r\ncontent-type: multipart/form-data; boundary=x\r\n"
            b"content-length: 1000000\r\n\r\n"
        )
        assert raw.recv(12) == b"HTTP/1.1 401"
    chat.upload(b"Hello").raise_for_status()
    asked = chat.asked[-1]
    assert isinstance(asked.request, AttachmentsCreateReq)
    assert asked.type == "attachments.create"
    assert (asked.params.name, asked.params.mime_type, asked.metadata) == ("", "", {})
    assert asked.params.size > 5  # of the whole form
    assert kept(chat.files) == ["data", "stored.json"]


def test_what_is_taken_back_is_gone(chat: Site) -> None:
    attachment = chat.upload(picture(), "a.png", "image/png").json()
    link = chat.files.download_url(attachment["id"], "ada")
    assert chat.ask("attachments.delete", attachment_id=attachment["id"]).json() == {}
    assert kept(chat.files) == []
    assert chat.client.get(link).status_code == 404
    assert chat.client.get(attachment["preview_url"]).status_code == 404
    assert chat.ask("attachments.delete", attachment_id=attachment["id"]).status_code == 404


def test_a_client_that_leaves_in_the_middle_leaves_nothing(chat: Site) -> None:
    link = chat.announce(1_000_000).json()["upload_descriptor"]["url"]
    if not link.startswith(chat.url):
        link = chat.url + "/attachments"
    head = (
        f"POST {urlsplit(link).path} HTTP/1.1\r\nhost: a\r\nx-user: ada\r\ncontent-length: 1000000\r\n"
        "content-type: multipart/form-data; boundary=x\r\n\r\n--x\r\ncontent-disposition: form-data; "
        'name="file"; filename="a"\r\n\r\n'
    )
    with socket.create_connection(("127.0.0.1", urlsplit(chat.url).port or 0), timeout=10) as raw:
        raw.sendall(head.encode() + b"x" * 500_000)
    deadline = time.monotonic() + 10
    while kept(chat.files) != ["stored.json"]:  # the announcement, and no bytes
        assert time.monotonic() < deadline, kept(chat.files)
        time.sleep(0.02)
    assert chat.upload(b"Hello").status_code == 200


def test_a_client_that_stops_reading_costs_nobody_anything(chat: Site) -> None:
    attachment = chat.upload(LONG * 10).json()["id"]
    link = urlsplit(chat.files.download_url(attachment, "ada"))
    with socket.create_connection(("127.0.0.1", link.port or 0), timeout=10) as raw:
        raw.sendall(f"GET {link.path} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
        assert raw.recv(12) == b"HTTP/1.1 200"
    assert chat.download(attachment).content == LONG * 10


def test_large_files_go_both_ways(chat: Site) -> None:
    """More than any buffer on the way."""
    data = LONG * 20
    attachment = chat.upload(io.BytesIO(data), "big.txt").raise_for_status().json()
    assert chat.download(attachment["id"]).content == data
    assert chat.two_phase(data)["id"] != attachment["id"]


def test_files_of_a_deleted_thread_are_gone(chat: Site) -> None:
    first, second = chat.upload(b"one").json()["id"], chat.upload(b"two").json()["id"]
    for attachment in (first, second):
        answer = chat.say(attachment)
    thread = re.search(r"thr_[0-9a-f]+", answer.text)
    assert thread is not None
    assert chat.ask("threads.delete", thread_id=thread[0]).json() == {}
    assert chat.download(second).status_code == 404
    assert chat.download(first).content == b"one"


def test_many_may_ask_for_what_has_just_arrived(chat: Site) -> None:
    """In a bucket, the first one who asks takes it in."""
    data = picture()
    attachment = chat.two_phase(data, "a.png", "image/png")
    link = chat.files.download_url(attachment["id"], "ada")
    got: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: got.append(chat.client.get(link).content)) for _ in range(6)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert got == [data] * 6
    chat.say(attachment["id"]).raise_for_status()


@pytest.mark.parametrize("step", ["size", "open"])
def test_another_one_who_asks_may_be_faster(
    chat: Site, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invariant: what has arrived is there, also if somebody takes it in between two steps of another."""
    attachment = chat.two_phase(b"Hello", "a.txt", "text/plain")
    link = chat.files.download_url(attachment["id"], "ada")
    blobs: Any = chat.files._blobs
    whole = getattr(blobs, step)
    asked: list[str] = []

    def slow(key: str, *range: int) -> Any:
        asked.append(key)
        if len(asked) == 1:
            assert chat.client.get(link).content == b"Hello"
        return whole(key, *range)

    monkeypatch.setattr(blobs, step, slow)
    assert chat.client.get(link).content == b"Hello"


def test_the_bucket_itself_gives_a_file_under_its_name(chat: Site) -> None:
    from chatkit_asgi.store import S3AttachmentStore

    if not isinstance(chat.files, S3AttachmentStore):
        pytest.skip("there is no bucket")
    import anyio

    attachment = chat.upload(b"Hello", "Übersicht.txt").json()["id"]
    files: Any = chat.files
    link = anyio.run(files.direct_download_url, attachment, "ada")
    got = httpx.get(link)
    assert (got.content, got.headers["content-type"]) == (b"Hello", "text/plain")
    assert got.headers["content-disposition"].endswith("filename*=UTF-8''%C3%9Cbersicht.txt")
