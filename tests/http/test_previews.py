"""Attachment stores that were written for openai-chatkit make no links: their records stay as they are."""

from __future__ import annotations

from typing import Any

from chatkit_asgi.store import AttachmentStore
from chatkit_asgi.testing import ChatKitClient
from chatkit_asgi.types import ImageAttachment
from tests.http.served import Served

MARK = "chatkit-attachment:atc_1"


class Old(AttachmentStore[Any]):
    """openai-chatkit's contract."""

    async def create_attachment(self, input: Any, context: Any) -> ImageAttachment:
        return ImageAttachment(id="atc_1", name="a", mime_type="image/png", preview_url=MARK)

    async def delete_attachment(self, attachment_id: str, context: Any) -> None:
        pass


async def test_a_thread_can_be_read_whatever_a_message_says(
    server: Served, client: ChatKitClient
) -> None:
    server.attachment_store = Old()
    tag = {"type": "input_tag", "id": "a", "text": "b", "data": {"preview_url": MARK}}
    said = await client.create([tag])
    assert said.ok
    read = await client.get_thread(said.thread.id)
    assert read.status == 200
    assert read.json["items"]["data"][0]["content"][0]["data"] == {"preview_url": MARK}


async def test_so_does_a_record_whose_link_nobody_makes(
    server: Served, client: ChatKitClient
) -> None:
    server.attachment_store = Old()
    made = await client.attachments_create("a", 1, "image/png")
    assert made.json["preview_url"] == MARK
    said = await client.create("Hi", attachments=["atc_1"])
    read = await client.get_thread(said.thread.id)
    (record,) = read.json["items"]["data"][0]["attachments"]
    assert record["preview_url"] == MARK
