"""What a client may see: decided in one place, without changing what the server keeps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal, get_args

import pytest

from chatkit_asgi.protocol.codec import encode
from chatkit_asgi.protocol.visibility import (
    attachment_on_wire,
    is_hidden,
    item_on_wire,
    thread_on_wire,
    with_links,
)
from chatkit_asgi.types import (
    AssistantMessageItem,
    AttachmentUploadDescriptor,
    EndOfTurnItem,
    FileAttachment,
    HiddenContextItem,
    ImageAttachment,
    InferenceOptions,
    LockedStatus,
    Page,
    SDKHiddenContextItem,
    ThreadItem,
    ThreadItemBase,
    ThreadMetadata,
    UnknownItem,
    UserMessageItem,
)

BASE: dict[str, Any] = {
    "id": "msg_1",
    "thread_id": "thr_1",
    "created_at": datetime(2026, 3, 14, tzinfo=UTC),
}
UPLOAD = AttachmentUploadDescriptor(url="https://blobs.test/SECRET", method="PUT")
FILE = FileAttachment(
    id="atc_1", name="a", mime_type="a/b", metadata={"k": "SECRET"}, upload_descriptor=UPLOAD
)
IMAGE = ImageAttachment(
    id="atc_2",
    name="b",
    mime_type="image/png",
    preview_url="https://cdn.test/b",
    metadata={"k": "SECRET"},
)


def user_message(*attachments: Any) -> UserMessageItem:
    return UserMessageItem(
        **BASE, content=[], attachments=list(attachments), inference_options=InferenceOptions()
    )


def newer(kind: str) -> UnknownItem:
    return UnknownItem(**BASE, type=kind, raw=b"{}")


def test_every_hidden_type_is_named_so() -> None:
    """The rule for types that this version does not know."""
    for each in get_args(get_args(ThreadItem)[0]):
        assert ("hidden" in each.__struct_config__.tag) == ("Hidden" in each.__name__)


@pytest.mark.parametrize(
    ("item", "hidden"),
    [
        (HiddenContextItem(**BASE, content=None), True),
        (SDKHiddenContextItem(**BASE, content=""), True),
        (EndOfTurnItem(**BASE), False),
        (user_message(), False),
        (newer("image_generation"), False),
        (newer("hidden_thought"), True),
    ],
)
def test_which_items_are_hidden(item: Any, hidden: bool) -> None:
    assert is_hidden(item) is hidden


@pytest.mark.parametrize("attachment", [FILE, IMAGE])
def test_attachments_lose_what_is_private(attachment: Any) -> None:
    before = attachment.model_copy(deep=True)
    assert b"SECRET" not in encode(attachment_on_wire(attachment))
    shown = encode(attachment_on_wire(attachment, upload=True))
    assert b"metadata" not in shown
    assert (b"upload_descriptor" in shown) == (attachment is FILE)
    assert attachment == before


def test_messages_lose_it_too_and_the_servers_copy_keeps_it() -> None:
    item = user_message(FILE, IMAGE)
    assert b"SECRET" not in encode(item_on_wire(item))
    assert item.attachments == [FILE, IMAGE]
    assert item.attachments[0].metadata == {"k": "SECRET"}


def test_an_item_without_secrets_is_itself() -> None:
    clean = user_message(FileAttachment(id="a", name="a", mime_type="a/b"))
    for item in (clean, EndOfTurnItem(**BASE)):
        assert item_on_wire(item) is item


def test_a_thread_loses_its_metadata_and_nothing_else() -> None:
    thread = ThreadMetadata(
        id="thr_1",
        created_at=BASE["created_at"],
        title="t",
        status=LockedStatus(reason="r"),
        allowed_image_domains=["cdn.test"],
        metadata={"k": "SECRET"},
    )
    shown = thread_on_wire(thread, Page(data=[EndOfTurnItem(**BASE)]))
    assert encode(shown) == (
        b'{"title":"t","id":"thr_1","created_at":"2026-03-14T00:00:00Z","status":{"type":"locked","reason":"r"},'
        b'"allowed_image_domains":["cdn.test"],"metadata":{},"items":{"data":[{"type":"end_of_turn","id":"msg_1",'
        b'"thread_id":"thr_1","created_at":"2026-03-14T00:00:00Z"}],"has_more":false}}'
    )
    assert thread.metadata == {"k": "SECRET"}
    assert thread_on_wire(thread).items == Page()


class Row(FileAttachment):
    """As a backend may keep it."""

    path: str = "/SECRET"


class Marked(UserMessageItem):
    secret: str = "SECRET"


def test_what_an_authors_own_class_adds_stays_here() -> None:
    row = Row(id="atc_1", name="a", mime_type="a/b")
    item = Marked(**BASE, content=[], attachments=[row], inference_options=InferenceOptions())
    for value in (
        item_on_wire(item),
        item_on_wire(user_message(row)),
        attachment_on_wire(row, upload=True),
    ):
        assert b"SECRET" not in encode(value)
    assert item_on_wire(item) == user_message(FileAttachment(id="atc_1", name="a", mime_type="a/b"))
    assert row.path == "/SECRET"
    assert item.secret == "SECRET"


def test_an_item_of_an_authors_own_type_is_sent_as_it_is() -> None:
    class Own(ThreadItemBase):
        type: Literal["own"] = "own"
        text: str

    class Other(AssistantMessageItem):
        type: Literal["other"] = "other"  # type: ignore[assignment]

    for item in (Own(**BASE, text="Hello"), Other(**BASE, content=[])):
        assert item_on_wire(item) is item


# -- previews ------------------------------------------------------------------------------------

RECORD = {
    "id": "atc_1",
    "name": "a",
    "mime_type": "image/png",
    "type": "image",
    "preview_url": "mark:atc_1",
}
LINKED = {**RECORD, "preview_url": "https://x.test/?of=atc_1"}
FREE: dict[str, Any] = {
    "preview_url": "mark:atc_1",
    "attachments": [RECORD],
    "items": RECORD,
    "data": [RECORD],
}


def message(*attachments: Any) -> dict[str, Any]:
    tag = {"type": "input_tag", "id": "a", "text": "b", "data": {**FREE, "item": RECORD}}
    return {
        "id": "m",
        "type": "user_message",
        "content": [tag],
        "attachments": [*attachments],
        "quoted_text": "mark:atc_1",
    }


def told(*attachments: Any) -> list[Any]:
    """Every shape in which attachments are told."""
    page = {
        "data": [
            message(*attachments),
            {
                "id": "c",
                "type": "client_tool_call",
                "arguments": FREE,
                "output": RECORD,
                "data": [RECORD],
            },
            {"id": "w", "type": "widget", "widget": {"type": "image", **FREE}, "item": RECORD},
            {"type": "newer", "attachments": [RECORD]},
        ],
        "has_more": False,
    }
    return [
        *attachments,
        page,
        {"id": "t", "items": page},
        {"data": [{"id": "t", "items": page}], "has_more": False},
        {"updated_item": message(*attachments)},
        {"type": "thread.item.done", "item": message(*attachments)},
    ]


@pytest.mark.parametrize("framed", [False, True], ids=["json", "frame"])
def test_a_record_becomes_a_link_and_nothing_that_others_wrote_does(framed: bool) -> None:
    others = [
        {**RECORD, "preview_url": "mark:atc_2"},
        {**RECORD, "type": "file"},
        {**RECORD, "preview_url": "https://mark:atc_1"},
    ]
    assert len(told(RECORD)) == len(told(LINKED)) == 6
    for stored, expected in zip(told(RECORD, *others), told(LINKED, *others), strict=True):
        before, after = encode(stored), encode(expected)
        if framed:
            before, after = b"data: " + before + b"\n\n", b"data: " + after + b"\n\n"
        assert with_links(before, "mark:", "https://x.test/?of={}".format) == after


@pytest.mark.parametrize(
    "body", [b'"mark:a"', b'{"mark:a', b'[{"preview_url":"mark:a"}]', b'data: {"mark:"}\n\n', b""]
)
def test_what_has_no_record_keeps_its_bytes(body: bytes) -> None:
    assert with_links(body, "mark:", str.upper) == body
