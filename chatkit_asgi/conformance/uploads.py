"""Files for cases, and both ways to upload them (``docs/protocol/files.md``).

The files are what their media types say, and so small that any server takes them: some look into what they get.
"""

from __future__ import annotations

import base64
from typing import Any, NamedTuple

from . import expect
from .client import Answer, Client
from .shapes import ATTACHMENT

__all__ = ["NOTE", "PICTURE", "File", "announce", "post_form", "send_bytes", "upload"]


class File(NamedTuple):
    """A file as a browser gives it: its name has no path."""

    name: str
    kind: str
    """Its media type."""
    data: bytes


NOTE = File("note.txt", "text/plain", b"conformance bytes\n")
PICTURE = File(
    "plot.png",
    "image/png",
    base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNgAAAAAgAB5Sfe/AAAAABJRU5ErkJggg=="
    ),
)
"""One black pixel."""

BOUNDARY = "conformance-2f1c0a7e5b"


async def announce(client: Client, file: File = NOTE) -> Any:
    """The first phase: the attachment, whose bytes are awaited."""
    attachment = await client.get(
        "attachments.create", name=file.name, size=len(file.data), mime_type=file.kind
    )
    return expect.shape(attachment, ATTACHMENT, "the attachment")


async def send_bytes(client: Client, attachment: Any, data: bytes) -> None:
    """The second phase."""
    where = attachment.get("upload_descriptor")
    expect.that(where, "an upload_descriptor", attachment)
    given: dict[str, str] = where.get("headers") or {}
    answer = await client.send(
        data, method=where["method"], url=where["url"], headers=list(given.items())
    )
    expect.that(200 <= answer.status < 300, "2xx for the upload", answer)


async def upload(client: Client, file: File = NOTE, *, direct: bool = False) -> Any:
    """The attachment, whose bytes are there."""
    if direct:
        attachment = expect.json_object(await post_form(client, file))
        return expect.shape(attachment, ATTACHMENT, "the attachment")
    attachment = await announce(client, file)
    await send_bytes(client, attachment, file.data)
    return attachment


async def post_form(client: Client, file: File = NOTE, *, field: str = "file") -> Answer:
    """A direct upload, whatever is answered: a form with one part, as browsers write it."""
    disposition = f'form-data; name="{field}"; filename="{file.name}"'
    head = (
        f"--{BOUNDARY}\r\ncontent-disposition: {disposition}\r\ncontent-type: {file.kind}\r\n\r\n"
    )
    return await client.send(
        head.encode() + file.data + f"\r\n--{BOUNDARY}--\r\n".encode(),
        headers=[
            ("content-type", f"multipart/form-data; boundary={BOUNDARY}"),
            *client.target.headers,
        ],
        url=client.target.upload_url,
    )
