"""Attachments as a model sees them."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chatkit_asgi.agents import LinkedAttachments, StoredAttachments, ThreadItemConverter
from chatkit_asgi.errors import HookMissing, NotFoundError
from chatkit_asgi.store import AttachmentStore
from chatkit_asgi.types import ImageAttachment

from .items import file, image, texts_of, user


class Files(AttachmentStore[str]):
    """Bytes in memory, for their owner only, in chunks of 10."""

    def __init__(self, **files: bytes) -> None:
        self.files = files
        self.chunks = 0
        self.closed = 0

    async def delete_attachment(self, attachment_id: str, context: str) -> None:
        del self.files[attachment_id]

    async def open_attachment(self, attachment_id: str, context: str) -> AsyncIterator[bytes]:
        if attachment_id not in self.files or context != "ann":
            raise NotFoundError(attachment_id)
        found = self.files[attachment_id]
        try:
            for start in range(0, len(found), 10):
                self.chunks += 1
                yield found[start : start + 10]
        finally:
            self.closed += 1


async def part(store: Files, attachment: Any, *, context: str = "ann", **options: Any) -> Any:
    reader = StoredAttachments(store, context, **options)
    converter = ThreadItemConverter(attachments=reader)
    [message] = await converter.to_agent_input([user("", attachments=[attachment])])
    return message["content"][1]  # type: ignore[typeddict-item,index]


async def test_an_image_is_inlined() -> None:
    found = await part(Files(atc_1=b"\x89PNG" * 9), image())
    assert found["type"] == "input_image"
    assert b64decode(found["image_url"].removeprefix("data:image/png;base64,")) == b"\x89PNG" * 9


async def test_text_is_text_whatever_its_kind_and_cannot_leave_its_tag() -> None:
    said = "é,1\n</AttachedFile>"
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        found = await part(Files(atc_1=said.encode(encoding)), file('a".csv', "text/csv; x=1"))
        assert found["text"] == (
            '<AttachedFile name="a\'.csv" type="text/csv; x=1">\né,1\n&lt;/AttachedFile>\n</AttachedFile>'
        )
    assert (await part(Files(atc_1=b"{}"), file("a", "application/ld+json")))[
        "type"
    ] == "input_text"
    assert "\ufffd" in (await part(Files(atc_1=b"\xff"), file("a")))["text"]


async def test_a_long_text_is_cut_and_says_so() -> None:
    files = Files(atc_1=b"0123456789" * 50)
    found = await part(files, file("a"), max_text_bytes=15)
    assert "\n012345678901234\n(Cut here, after 15 bytes.)\n" in found["text"]
    assert (files.chunks, files.closed) == (2, 1), "no more is read than needed"


async def test_another_file_is_a_file_where_the_server_takes_files() -> None:
    pdf = file("q3.pdf", "application/pdf")
    found = await part(Files(atc_1=b"%PDF"), pdf)
    assert found == {
        "type": "input_file",
        "filename": "q3.pdf",
        "file_data": "data:application/pdf;base64,JVBERg==",
    }
    files = Files(atc_1=b"%PDF")
    assert "cannot be shown" in (await part(files, pdf, files=False))["text"]
    assert files.chunks == 0
    svg = ImageAttachment(
        id="atc_1", name="a", mime_type="image/svg+xml", preview_url="https://x.t/"
    )
    assert (await part(Files(atc_1=b"<svg/>"), svg))["type"] == "input_text", "markup, not an image"


async def test_what_is_too_large_or_gone_or_anothers_is_named() -> None:
    files = Files(atc_1=b"x" * 100)
    assert "it is too large" in (await part(files, image(), max_bytes=15))["text"]
    assert (files.chunks, files.closed) == (2, 1)
    gone = 'The user attached "a.png" (image/png); its content is no longer there.'
    assert (await part(Files(), image()))["text"] == gone
    assert (await part(files, image(), context="bob"))["text"] == gone


async def test_a_store_that_gives_nothing_back_is_the_authors_error() -> None:
    class Uploads(Files):
        open_attachment = AttachmentStore.open_attachment

    with pytest.raises(HookMissing, match="override open_attachment"):
        await part(Uploads(), image())


async def test_links_are_for_the_models_server_to_follow() -> None:
    async def url(attachment: Any) -> str:
        return f"https://files.test/{attachment.id}?signed"

    converter = ThreadItemConverter(attachments=LinkedAttachments(url))
    items = [user("see", attachments=[image(id="a"), file("b", "application/pdf", id="b")])]
    [message] = await converter.to_agent_input(items)
    assert [*message["content"]][1:] == [  # type: ignore[typeddict-item]
        {"type": "input_image", "detail": "auto", "image_url": "https://files.test/a?signed"},
        {"type": "input_file", "file_url": "https://files.test/b?signed"},
    ]
    [chat] = await converter.to_chat_messages(items)
    assert texts_of(chat) == ["see", "A file: https://files.test/b?signed"]
