"""The promises of :class:`~chatkit_asgi.store.base.AttachmentStore`, as tests that run on any store.

Subclass :class:`AttachmentContract` in a test module, give it ``make_store`` and, unless the app takes the uploads,
``upload``; switch off what the store does not offer::

    class TestMyStore(AttachmentContract):
        async def make_store(self, owner=None):
            return MyAttachmentStore(...)
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest

from ..errors import Conflict, NotFoundError, TooLarge
from ..store.base import AttachmentStore
from ..types import AttachmentCreateParams

__all__ = ["AttachmentContract"]

TEXT = b"The lighthouse keeper wrote a letter.\n" * 100


@pytest.mark.anyio
class AttachmentContract:
    """A test for each promise."""

    owners: ClassVar[bool] = True
    """Whether the store keeps owners apart by itself."""
    looks: ClassVar[bool] = True
    """Whether ``confirm_attachment`` finds out that bytes are missing."""

    async def make_store(self, owner: Any = None) -> AttachmentStore[Any]:
        """A new store without files. ``owner``: from a context to whose files it sees."""
        raise NotImplementedError

    async def upload(self, store: Any, attachment: Any, data: bytes) -> None:
        """Send the bytes to where the attachment's ``upload_descriptor`` says, as a client does."""
        link = store.read_link(attachment.upload_descriptor.url.rpartition("/")[2])
        await store.receive_upload(link, pieces(data))

    async def test_an_upload_is_announced_with_where_the_bytes_go(self) -> None:
        store = await self.make_store()
        attachment = await store.create_attachment(params("Q3 ä.txt"), None)
        other = await store.create_attachment(params("Q3 ä.txt"), None)
        assert attachment.id != other.id
        assert (attachment.name, attachment.mime_type) == ("Q3 ä.txt", "text/plain")
        assert attachment.upload_descriptor is not None
        assert attachment.upload_descriptor.method in ("PUT", "POST")
        assert attachment.upload_descriptor.url.startswith(("http://", "https://"))

    async def test_bytes_come_back_as_they_were_sent(self) -> None:
        store = await self.make_store()
        for data in (TEXT[:1], TEXT, TEXT * 900):
            attachment = await store.create_attachment(params("a.txt", len(data)), None)
            await self.upload(store, attachment, data)
            assert await store.read_attachment(attachment.id, None, limit=len(data)) == data
            with pytest.raises(TooLarge):
                await store.read_attachment(attachment.id, None, limit=len(data) - 1)

    async def test_bytes_that_are_not_there_are_not_found(self) -> None:
        store = await self.make_store()
        awaited = await store.create_attachment(params("a.txt"), None)
        for attachment_id in (
            awaited.id,
            "atc_unknown",
            "../../etc/passwd",
            "",
            "a/b",
            "\x00",
            "é",
        ):
            with pytest.raises(NotFoundError):
                await store.read_attachment(attachment_id, None, limit=1)

    async def test_a_message_may_carry_what_has_arrived(self) -> None:
        store = await self.make_store()
        attachment = await store.create_attachment(params("a.txt"), None)
        if self.looks:
            with pytest.raises(Conflict) as refused:
                await store.confirm_attachment(attachment, None)
            assert refused.value.code == "attachment_not_uploaded"
        await self.upload(store, attachment, TEXT)
        confirmed = await store.confirm_attachment(attachment, None)
        assert (confirmed.id, confirmed.name) == (attachment.id, attachment.name)
        if self.looks:
            assert confirmed.upload_descriptor is None

    async def test_deleting_takes_the_bytes_and_can_be_done_again(self) -> None:
        store = await self.make_store()
        attachment, kept = [
            await store.create_attachment(params(f"{name}.txt"), None) for name in "ab"
        ]
        for each in (attachment, kept):
            await self.upload(store, each, TEXT)
        for _ in range(2):
            await store.delete_attachment(attachment.id, None)
        await store.delete_attachment("atc_unknown", None)
        await store.delete_attachment("..", None)
        with pytest.raises(NotFoundError):
            await store.read_attachment(attachment.id, None, limit=1)
        assert await store.read_attachment(kept.id, None, limit=len(TEXT)) == TEXT

    async def test_files_of_another_owner_do_not_exist(self) -> None:
        if not self.owners:
            pytest.skip("this store leaves owners to its server")
        store = await self.make_store(owner=str)
        attachment = await store.create_attachment(params("a.txt"), "alice")
        await self.upload(store, attachment, TEXT)
        for other in ("bob", "ALICE", "alice/", "../alice", ""):
            with pytest.raises(NotFoundError):
                await store.read_attachment(attachment.id, other, limit=1)
            if self.looks:
                with pytest.raises(NotFoundError):
                    await store.confirm_attachment(attachment, other)
            await store.delete_attachment(attachment.id, other)
        assert await store.read_attachment(attachment.id, "alice", limit=len(TEXT)) == TEXT

    async def test_half_a_file_can_be_read_and_left(self) -> None:
        store = await self.make_store()
        attachment = await store.create_attachment(params("a.txt", len(TEXT * 900)), None)
        await self.upload(store, attachment, TEXT * 900)
        chunks: Any = store.open_attachment(attachment.id, None)
        assert (TEXT * 900).startswith(await anext(chunks))
        await chunks.aclose()
        await store.delete_attachment(attachment.id, None)


def params(name: str, size: int = len(TEXT)) -> AttachmentCreateParams:
    """An announcement of a text."""
    return AttachmentCreateParams(name=name, size=size, mime_type="text/plain")


async def pieces(data: bytes, size: int = 60_000) -> AsyncIterator[bytes]:
    """Data as it arrives."""
    for start in range(0, len(data), size):
        yield data[start : start + size]
