"""Servers that are wrong about attachments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from chatkit_asgi.conformance.uploads import PICTURE
from tests.conformance.broken import Asked, json_reply
from tests.conformance.mutants.building import (
    CREATES,
    accepts,
    answers,
    asks,
    events,
    kind,
    simple,
    without,
)
from tests.conformance.mutants.streams import user


def attachment(change: Callable[[Any], Any]) -> dict[str, Any]:
    return {"kind": "attachments.create", "change": lambda asked, value: change(value)}


def attached(change: Callable[[list[Any]], list[Any]]) -> dict[str, Any]:
    return {"change": user(lambda each: {**each, "attachments": change(each["attachments"])})}


def upload(**fields: Any) -> Callable[[Any], Any]:
    return lambda value: {**value, "upload_descriptor": {**value["upload_descriptor"], **fields}}


NOWHERE = "atc_nowhere"
answers(
    "knows_one_media_type",
    "attachments/file-is-announced",
    **attachment(lambda value: {**value, "mime_type": "application/octet-stream"}),
)
answers(
    "has_relative_previews",
    "attachments/image-is-announced",
    **attachment(
        lambda value: {**value, "preview_url": "/preview"} if "preview_url" in value else value
    ),
)
answers(
    "file_names_in_ascii",
    "attachments/any-file-name",
    **attachment(lambda value: {**value, "name": value["name"].encode("ascii", "ignore").decode()}),
)
answers(
    "has_one_attachment_id",
    "attachments/attachment-ids-differ",
    **attachment(lambda value: {**value, "id": "atc_one"}),
)
answers(
    "describes_no_upload",
    "attachments/upload-is-described",
    wide=True,
    **attachment(lambda value: without(value, "upload_descriptor")),
)
answers(
    "uploads_elsewhere",
    "attachments/bytes-are-taken",
    wide=True,
    **attachment(lambda value: upload(url=value["upload_descriptor"]["url"] + "x")(value)),
)
events(
    "drops_attachments", "attachments/message-carries-the-attachment", **attached(lambda found: [])
)
events(
    "turns_attachments_round",
    "attachments/attachments-keep-their-order",
    **attached(lambda found: found[::-1]),
)
events(
    "describes_uploads_again",
    "attachments/descriptor-is-sent-once",
    **attached(
        lambda found: [
            {**each, "upload_descriptor": {"url": "http://x/", "method": "PUT", "headers": {}}}
            for each in found
        ]
    ),
)
events(
    "attachments_have_no_thread",
    "attachments/attachment-names-its-thread",
    **attached(lambda found: [without(each, "thread_id") for each in found]),
)
events(
    "shows_attachment_metadata",
    "attachments/attachment-metadata-is-private",
    **attached(
        lambda found: [{**each, "metadata": {"private": "conformance-secret"}} for each in found]
    ),
)
simple(
    "never_deletes_attachments",
    "attachments/deleted-attachment-is-gone",
    "attachments/what-a-form-brought-can-be-deleted",
    early=lambda asked: json_reply({}) if asked.kind == "attachments.delete" else None,
)
accepts(
    "makes_up_attachments",
    "attachments/unknown-attachment-is-refused",
    lambda asked: CREATES(asked) and asked.params["input"]["attachments"] == [NOWHERE],
)
asks(
    "ignores_unknown_attachments",
    "attachments/refused-message-leaves-nothing",
    "attachments/refused-creation-leaves-no-thread",
    when=lambda asked: NOWHERE in str(asked.params.get("input")),
    change=lambda asked: asked.with_params(input={**asked.params["input"], "attachments": []}),
)
accepts(
    "deletes_what_is_carried", "attachments/carried-attachment-stays", kind("attachments.delete")
)
accepts(
    "moves_attachments",
    "attachments/carried-attachment-is-not-moved",
    lambda asked: (
        CREATES(asked) and asked.params["input"].get("attachments") not in (None, [], [NOWHERE])
    ),
)
events(
    "attaches_twice",
    "attachments/attachment-is-attached-once",
    **attached(lambda found: found * 2 if len(found) == 1 else found),
)
asks(
    "takes_negative_sizes",
    "attachments/negative-size-is-refused",
    when=kind("attachments.create", size=-1),
    change=lambda asked: asked.with_params(size=1),
)


# -- what is served beside the protocol --------------------------------------------------------

IMAGE = (200, {"content-type": PICTURE.kind}, PICTURE.data)


def a_form(asked: Asked) -> bool:
    """Whether it is a direct upload."""
    return "multipart" in asked.headers.get("content-type", "")


def formed(change: Callable[[Any], Any]) -> dict[str, Any]:
    """Changes the attachment that a direct upload is answered with."""
    return {
        "files": True,
        "answer": lambda asked, value: change(value) if a_form(asked) else value,
    }


def in_form(change: Callable[[Asked], Asked]) -> dict[str, Any]:
    """Understands a form in another way."""
    return {"files": True, "asks": lambda asked: change(asked) if a_form(asked) else asked}


def shown(reply: Any) -> dict[str, Any]:
    """Answers whoever asks for a preview."""
    return {"files": True, "early": lambda asked: reply if asked.method == "GET" else None}


simple(
    "takes_small_files_only",
    "attachments/large-file-is-taken",
    "attachments/large-file-in-a-form-is-taken",
    files=True,
    early=lambda asked: json_reply({}, 413) if len(asked.body) > 1024 * 1024 else None,
)
simple(
    "shows_no_previews",
    "attachments/preview-is-served",
    "attachments/preview-of-a-form-is-served",
    **shown(json_reply({}, 404)),
)
simple(
    "shows_pages_as_previews",
    "attachments/preview-is-served",
    "attachments/preview-of-a-form-is-served",
    **shown((200, {"content-type": "text/html"}, b"<!doctype html>Sign in")),
)
simple(
    "shows_previews_for_ever",
    "attachments/deleted-preview-is-gone",
    "attachments/deleted-preview-of-a-form-is-gone",
    **shown(IMAGE),
)
simple(
    "wraps_what_a_form_brought",
    "attachments/form-gives-an-attachment",
    **formed(lambda value: {"data": value}),
)
simple(
    "forgets_what_a_form_brought",
    "attachments/message-carries-what-a-form-brought",
    **formed(lambda value: {**value, "id": "atc_forgotten"}),
)
simple(
    "tells_metadata_of_forms",
    "attachments/form-tells-no-metadata",
    **formed(lambda value: {**value, "metadata": {"private": "conformance-secret"}}),
)
simple(
    "knows_no_pictures_in_forms",
    "attachments/picture-in-a-form-is-an-image",
    **formed(lambda value: {**without(value, "preview_url"), "type": "file"}),
)
simple(
    "reads_names_in_forms_as_latin_1",
    "attachments/any-file-name-in-a-form",
    **formed(lambda value: {**value, "name": value["name"].encode().decode("latin-1")}),
)
simple(
    "takes_any_part_of_a_form",
    "attachments/form-without-a-file-is-refused",
    **in_form(
        lambda asked: replace(asked, body=asked.body.replace(b'name="other"', b'name="file"'))
    ),
)
