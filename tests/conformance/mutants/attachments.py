"""Servers that are wrong about attachments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.conformance.broken import json_reply
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
    **attachment(lambda value: without(value, "upload_descriptor")),
)
answers(
    "uploads_elsewhere",
    "attachments/bytes-are-taken",
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
