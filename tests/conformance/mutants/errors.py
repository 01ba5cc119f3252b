"""Servers that are wrong about errors."""

from __future__ import annotations

from typing import Any

from tests.conformance.broken import Asked, json_reply, stream_reply
from tests.conformance.mutants.building import (
    CREATES,
    STREAMS,
    accepts,
    crashes,
    kind,
    mutant,
    refuses,
    simple,
)
from tests.conformance.mutants.tools import OUTPUTS

refuses(
    "minds_white_space",
    "errors/keys-in-any-order",
    when=lambda asked: asked.body.startswith(b" \n"),
)
refuses(
    "minds_unknown_keys", "errors/unknown-keys-are-ignored", when=lambda asked: "odd" in asked.value
)
refuses("minds_metadata", "errors/metadata-is-taken", when=lambda asked: "metadata" in asked.value)
refuses(
    "wants_type_first",
    "errors/type-comes-last",
    when=lambda asked: asked.body.startswith(b'{"params": {"input"'),
)
for name, body in {
    "no_json": b"{'type': 'threads.list'}",
    "empty_body": b"",
    "text_after_the_request": b'{"type":"threads.list","params":{}} extra',
    "array_instead_of_a_request": b'["threads.list"]',
    "no_type": b'{"params":{}}',
    "type_is_no_string": b'{"type":7,"params":{}}',
    "unknown_type": b'{"type":"threads.conformance","params":{}}',
    "no_thread_id": b'{"type":"threads.get_by_id","params":{}}',
    "no_params": b'{"type":"threads.get_by_id"}',
    "no_content": b'{"type":"threads.create","params":{"input":{"attachments":[],"inference_options":{}}}}',
    "not_utf8": b'{"type":"threads.get_by_id","params":{"thread_id":"\xff\xfe"}}',
}.items():
    accepts(
        f"accepts_{name}",
        f"errors/{name.replace('_', '-')}",
        lambda asked, body=body: asked.method == "POST" and asked.body == body,
    )
accepts(
    "accepts_unknown_content",
    "errors/unknown-content",
    lambda asked: b"input_conformance" in asked.body,
)
crashes(
    "crashes_on_bad_json", "errors/no-json-is-the-clients-mistake", lambda asked: asked.body == b"{"
)
crashes(
    "crashes_on_unknown_types",
    "errors/unknown-type-is-the-clients-mistake",
    kind("attachments.get_preview"),
)


@mutant(
    "errors/unknown-thread-is-seen-before-the-stream", "errors/wrong-item-is-seen-before-the-stream"
)
def fails_in_the_stream() -> dict[str, Any]:
    error = stream_reply({"type": "error", "code": "stream.error", "allow_retry": False})
    return {
        "refusal": lambda asked, status, told: (
            error if asked.kind in STREAMS and status in (400, 404) else None
        )
    }


simple(
    "refuses_without_a_message",
    "errors/refusal-has-a-message",
    refusal=lambda asked, status, told: json_reply({"detail": "no"}, status),
)
simple(
    "knows_no_404",
    "errors/unknown-thread-is-404",
    "errors/unknown-item-is-404",
    refusal=lambda asked, status, told: json_reply(told, 400) if status == 404 else None,
)
simple(
    "knows_no_409",
    "errors/second-answer-is-409",
    refusal=lambda asked, status, told: json_reply(told, 400) if status == 409 else None,
)
simple(
    "shows_tracebacks",
    "errors/refusals-tell-nothing",
    refusal=lambda asked, status, told: (
        json_reply({"message": 'Traceback (most recent call last):\n  File "/app/main.py"'}, status)
        if status == 400 and asked.body != b""
        else None
    ),
)
accepts(
    "takes_numbers_for_strings",
    "errors/number-instead-of-a-string",
    kind("threads.get_by_id", thread_id=7),
)
accepts("takes_any_order", "errors/unknown-order", kind("threads.list", order="newest"))
accepts(
    "takes_words_for_numbers", "errors/word-instead-of-a-number", kind("threads.list", limit="many")
)
accepts("takes_any_vote", "errors/unknown-vote", kind("items.feedback", kind="great"))
accepts(
    "needs_no_title",
    "errors/no-title",
    lambda asked: asked.kind == "threads.update" and "title" not in asked.params,
)
accepts(
    "needs_no_options",
    "errors/no-options",
    lambda asked: (
        CREATES(asked)
        and "content" in asked.params["input"]
        and "inference_options" not in asked.params["input"]
    ),
)
accepts(
    "needs_no_result",
    "errors/no-result",
    lambda asked: OUTPUTS(asked) and "result" not in asked.params,
)
accepts(
    "takes_attachment_objects",
    "errors/attachments-are-ids",
    lambda asked: b'"attachments": [{"id"' in asked.body,
)


@mutant("errors/server-goes-on")
def gives_up_after_ten_mistakes() -> dict[str, Any]:
    mistakes: list[int] = []

    def refusal(asked: Asked, status: int, told: Any) -> None:
        mistakes.append(status)

    return {
        "refusal": refusal,
        "early": lambda asked: (
            json_reply({"message": "tired"}, 503) if len(mistakes) >= 10 else None
        ),
    }
