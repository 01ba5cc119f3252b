"""Servers that are wrong about robustness."""

from __future__ import annotations

import json
from typing import Any

from tests.conformance.broken import Asked, Reply, json_reply
from tests.conformance.mutants.building import (
    CREATES,
    Test,
    accepts,
    crashes,
    events,
    kind,
    mutant,
    refuses,
    simple,
)
from tests.conformance.mutants.streams import user


def dies_of(when: Test) -> dict[str, Any]:
    """Hooks of a server that never answers again."""
    dead: list[bool] = []

    def early(asked: Asked) -> Reply | None:
        if dead:
            return json_reply({"message": "dead"}, 503)
        if when(asked):
            dead.append(True)
        return None

    return {"early": early}


DEEP: Test = lambda asked: asked.body.count(b"[") > 5_000  # noqa: E731


@mutant("robustness/deep-nesting")
def dies_of_depth() -> dict[str, Any]:
    return dies_of(DEEP)


@mutant("robustness/odd-strings")
def dies_of_surrogates() -> dict[str, Any]:
    return dies_of(lambda asked: b"\\ud800" in asked.body and b"get_by_id" in asked.body)


crashes("crashes_on_depth", "robustness/deep-nesting-is-no-5xx", DEEP)
crashes(
    "crashes_on_surrogates",
    "robustness/odd-strings-are-no-5xx",
    lambda asked: b"\\ud800" in asked.body,
)
crashes(
    "crashes_on_fractions", "robustness/odd-numbers-are-no-5xx", lambda asked: b"5.5" in asked.body
)
simple(
    "crashes_on_repeated_keys",
    "robustness/repeated-keys-are-no-5xx",
    early=lambda asked: (
        json_reply({}, 500) if b'"type":"threads.list","type"' in asked.body else None
    ),
)
crashes(
    "crashes_on_byte_order_marks",
    "robustness/byte-order-mark-is-no-5xx",
    lambda asked: asked.body.startswith(b"\xef\xbb\xbf"),
)
events(
    "tidies_text",
    "robustness/text-comes-back",
    change=user(
        lambda each: json.loads(json.dumps(each).replace("\\u200b", "").replace("\\r\\n", "\\n"))
    ),
)
refuses(
    "refuses_long_messages",
    "robustness/long-message",
    when=lambda asked: len(asked.text) > 50_000,
    status=413,
)
refuses(
    "refuses_many_parts",
    "robustness/many-parts",
    when=lambda asked: len((asked.params.get("input") or {}).get("content") or []) > 100,
    status=413,
)
refuses(
    "wants_content",
    "robustness/empty-message",
    when=lambda asked: CREATES(asked) and asked.params["input"].get("content") == [],
)
simple(
    "knows_no_413",
    "robustness/huge-body",
    refusal=lambda asked, status, told: json_reply(told, 400) if status == 413 else None,
)
accepts("reads_any_id", "robustness/odd-ids-lead-nowhere", kind("threads.get_by_id", thread_id="*"))
refuses(
    "wants_tags_data",
    "robustness/tag-without-data",
    when=lambda asked: b"input_tag" in asked.body and b'"data"' not in asked.body,
)
