"""Servers that are wrong about isolation."""

from __future__ import annotations

from dataclasses import replace

from tests.conformance.broken import Asked, json_reply
from tests.conformance.mutants.building import asks, simple


def _as_ada(asked: Asked) -> Asked:
    return replace(asked, headers={**asked.headers, "authorization": "Bearer ada"})


ALSO = {"cannot-attach": ("isolation/cannot-attach-what-a-form-brought",)}
for target, name in {
    "cannot-read-a-thread": "threads.get_by_id",
    "cannot-read-items": "items.list",
    "cannot-write": "threads.add_user_message",
    "cannot-rename": "threads.update",
    "cannot-delete": "threads.delete",
    "cannot-retry": "threads.retry_after_item",
    "cannot-vote": "items.feedback",
    "cannot-answer-a-tool-call": "threads.add_client_tool_output",
    "cannot-answer-questions": "threads.add_structured_input",
    "cannot-act": "threads.custom_action",
    "cannot-act-synchronously": "threads.sync_custom_action",
    "lists-are-private": "threads.list",
    "cannot-attach": "threads.create",
    "cannot-delete-an-attachment": "attachments.delete",
}.items():
    asks(
        f"shares_{name.replace('.', '_')}",
        f"isolation/{target}",
        *ALSO.get(target, ()),
        when=lambda asked, name=name: (
            asked.kind == name and asked.headers.get("authorization") == "Bearer bob"
        ),
        change=_as_ada,
    )
simple(
    "tells_which_ids_exist",
    "isolation/ids-cannot-be-tried",
    refusal=lambda asked, status, told: (
        json_reply(told, 403)
        if status == 404
        and asked.headers.get("authorization") == "Bearer bob"
        and "nowhere" not in str(asked.params.get("thread_id"))
        else None
    ),
)
asks(
    "takes_nobody_for_somebody",
    "isolation/nobody-is-refused",
    when=lambda asked: "authorization" not in asked.headers,
    change=_as_ada,
)
simple(
    "takes_files_from_nobody",
    "isolation/nobody-uploads",
    files=True,
    asks=lambda asked: asked if "authorization" in asked.headers else _as_ada(asked),
)
