"""The contract on both places; and an attachment store written for openai-chatkit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chatkit_asgi.store import AttachmentStore
from chatkit_asgi.testing.attachment_contract import AttachmentContract
from chatkit_asgi.types import AttachmentUploadDescriptor, FileAttachment
from tests.attachments.served import files_in_bucket, files_on_disk

URL = "https://my.app/chatkit"


class TestDisk(AttachmentContract):
    @pytest.fixture(autouse=True)
    def _place(self, tmp_path: Path) -> None:
        self.path = tmp_path / "files"

    async def make_store(self, owner: Any = None) -> AttachmentStore[Any]:
        return files_on_disk(self.path, URL, owner=owner)


class TestS3(AttachmentContract):
    """With uploads that go to the bucket: what arrives there is taken in when somebody asks for it."""

    @pytest.fixture(autouse=True)
    def _place(self, s3: str) -> None:
        self.endpoint = s3

    async def make_store(self, owner: Any = None) -> AttachmentStore[Any]:
        return files_in_bucket(self.endpoint, URL, owner=owner)

    async def upload(self, store: Any, attachment: Any, data: bytes) -> None:
        import httpx2 as httpx

        found = attachment.upload_descriptor
        httpx.request(
            found.method, found.url, content=data, headers=found.headers
        ).raise_for_status()


class TestS3ThroughTheApp(AttachmentContract):
    @pytest.fixture(autouse=True)
    def _place(self, s3: str) -> None:
        self.endpoint = s3

    async def make_store(self, owner: Any = None) -> AttachmentStore[Any]:
        return files_in_bucket(self.endpoint, URL, owner=owner, direct=False)


class Plain(AttachmentStore[Any]):
    """What somebody moving here brings: the reference's two methods, and reading for the model."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    async def create_attachment(self, input: Any, context: Any) -> Any:
        attachment_id = self.generate_attachment_id(input.mime_type, context)
        url = f"https://blobs.test/{attachment_id}"
        where = AttachmentUploadDescriptor(url=url, method="PUT")
        return FileAttachment(
            id=attachment_id, name=input.name, mime_type=input.mime_type, upload_descriptor=where
        )

    async def delete_attachment(self, attachment_id: str, context: Any) -> None:
        self.files.pop(attachment_id, None)

    async def open_attachment(self, attachment_id: str, context: Any) -> Any:
        from chatkit_asgi.store import NotFoundError

        if attachment_id not in self.files:
            raise NotFoundError("no such file")
        yield self.files[attachment_id]


class TestPlain(AttachmentContract):
    owners = looks = False

    async def make_store(self, owner: Any = None) -> AttachmentStore[Any]:
        return Plain()

    async def upload(self, store: Any, attachment: Any, data: bytes) -> None:
        store.files[attachment.id] = data
