"""Servers that are wrong about transport."""

from __future__ import annotations

import json
import zlib
from typing import Any

from tests.conformance.broken import Asked, Events, json_reply
from tests.conformance.mutants.building import (
    answers,
    asks,
    events,
    head,
    mutant,
    refuses,
    says,
    simple,
    triggers,
)

refuses("minds_the_query", "transport/query-says-nothing", when=lambda asked: asked.query)
answers(
    "lists_in_an_array",
    "transport/json-answer",
    kind="threads.list",
    when=lambda asked: asked.params == {},
    change=lambda asked, value: [value],
)
head(
    "streams_as_octets",
    "transport/stream-answer",
    when=says("Hello"),
    wide=True,
    change=lambda asked, headers: headers.update({"content-type": "application/octet-stream"}),
)
events(
    "sends_an_array",
    "transport/frames-hold-events",
    when=says("Hello"),
    wide=True,
    change=lambda event: [[event]],
)
simple(
    "names_its_frames",
    "transport/frames-are-one-line",
    raw=lambda asked, body: body.replace(b"data: {", b"event: message\ndata: {"),
)
simple("cuts_streams", "transport/stream-ends-properly", wide=True, cut=says("Hello"))
events(
    "indents_json",
    "transport/frames-are-one-line",
    when=says("Hello"),
    change=lambda event: b"data: " + json.dumps(event).encode() + b"\n\n",
)


@mutant("transport/no-done-frame", wide=True)
def says_done() -> dict[str, Any]:
    def hook(asked: Asked) -> Events:
        def each(event: Any) -> list[Any]:
            return (
                ([b"data: [DONE]\n\n"] if asked.text == "Hello" else [])
                if event is None
                else [event]
            )

        return each

    return {"events": hook}


simple(
    "marks_byte_order",
    "transport/bodies-are-utf8",
    answer=lambda asked, value: (
        b"\xef\xbb\xbf" + json.dumps(value).encode() if asked.kind == "threads.get_by_id" else value
    ),
)
simple("buffers_the_stream", "transport/events-come-as-they-happen", whole=triggers("slow"))
simple("waits_for_the_model", "transport/first-frames-do-not-wait", whole=triggers("silent"))
head(
    "forgets_cache_control",
    "transport/stream-is-not-cached",
    change=lambda asked, headers: headers.pop("cache-control", ""),
)
head(
    "forgets_nginx",
    "transport/stream-asks-not-to-be-buffered",
    change=lambda asked, headers: headers.pop("x-accel-buffering", ""),
)
simple(
    "keeps_silent",
    "transport/silence-is-broken-by-comments",
    raw=lambda asked, body: body.replace(b": keep-alive\n\n", b""),
)


@mutant("transport/stream-is-not-compressed")
def compresses() -> dict[str, Any]:
    packer = zlib.compressobj(wbits=31)

    def wants(asked: Asked) -> bool:
        return "gzip" in asked.headers.get("accept-encoding", "")

    def change(asked: Asked, status: int, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
        return status, {**headers, **({"content-encoding": "gzip"} if wants(asked) else {})}

    def raw(asked: Asked, body: bytes) -> bytes:
        return packer.compress(body) + packer.flush(zlib.Z_SYNC_FLUSH) if wants(asked) else body

    return {"head": change, "raw": raw}


def _as_post(asked: Asked) -> Asked:
    return Asked(
        "POST",
        asked.headers,
        asked.query,
        asked.body or b'{"type":"threads.list","params":{}}',
        asked.value,
    )


asks(
    "takes_every_method",
    "transport/other-methods-do-nothing",
    when=lambda asked: asked.method != "POST",
    change=_as_post,
)
refuses(
    "answers_404_to_put",
    "transport/other-methods-get-405",
    when=lambda asked: asked.method != "POST",
    status=404,
)
refuses(
    "minds_the_charset",
    "transport/content-type-with-charset",
    when=lambda asked: ";" in asked.headers.get("content-type", ""),
    status=415,
)


def _as_json(asked: Asked) -> Asked:
    headers = {**asked.headers, "content-type": "application/json"}
    return Asked(asked.method, headers, asked.query, asked.body, asked.value)


asks(
    "takes_plain_text",
    "transport/plain-text-is-refused",
    when=lambda asked: "plain" in asked.headers.get("content-type", ""),
    change=_as_json,
)
asks(
    "takes_forms",
    "transport/form-is-refused",
    when=lambda asked: "form" in asked.headers.get("content-type", ""),
    change=_as_json,
)
simple(
    "obeys_accept_json",
    "transport/accept-json-still-streams",
    early=lambda asked: (
        json_reply({"events": []}) if asked.headers.get("accept") == "application/json" else None
    ),
)
head(
    "obeys_accept_stream",
    "transport/accept-stream-still-gets-json",
    when=lambda asked: asked.headers.get("accept") == "text/event-stream",
    change=lambda asked, headers: headers.update({"content-type": "text/event-stream"}),
)
refuses(
    "minds_odd_headers", "transport/unknown-headers", when=lambda asked: "x-odd" in asked.headers
)
refuses(
    "needs_a_length",
    "transport/chunked-body",
    "robustness/slow-body",
    when=lambda asked: "transfer-encoding" in asked.headers,
    status=411,
)
head(
    "opens_to_every_page",
    "transport/no-credentials-for-every-origin",
    when=lambda asked: "origin" in asked.headers,
    change=lambda asked, headers: headers.update(
        {"access-control-allow-origin": "*", "access-control-allow-credentials": "true"}
    ),
)
head(
    "has_no_request_id",
    "transport/request-id",
    change=lambda asked, headers: headers.pop("x-request-id", ""),
)
