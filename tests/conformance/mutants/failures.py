"""Servers that are wrong about failures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.conformance.broken import Asked, Events, json_reply
from tests.conformance.mutants.building import (
    answers,
    each_item,
    events,
    having,
    mutant,
    text_of,
    triggers,
    without,
)
from tests.conformance.mutants.streams import drops

events(
    "fails_without_a_word",
    "failures/failure-is-an-event",
    when=triggers("fail"),
    change=drops("error"),
)
events(
    "fails_early_without_a_word",
    "failures/early-failure-is-an-event",
    when=triggers("fail-early"),
    change=drops("error"),
)
events(
    "has_its_own_codes",
    "failures/error-has-a-code",
    when=triggers("fail"),
    change=lambda event: {**event, "code": "oops"} if event["type"] == "error" else event,
)
events(
    "hides_the_message",
    "failures/custom-error-has-its-text",
    when=triggers("fail-custom"),
    change=lambda event: without(event, "message"),
)
events(
    "tells_the_exception",
    "failures/error-tells-nothing",
    when=triggers("fail"),
    change=lambda event: (
        {**event, "message": "RuntimeError: conformance-secret"}
        if event["type"] == "error"
        else event
    ),
)


def about(text: str) -> Callable[[list[Any]], bool]:
    return lambda data: any(text_of(each) == text for each in data)


answers(
    "forgets_the_message_that_failed",
    "failures/failed-turn-keeps-the-message",
    kind="items.list",
    change=each_item(lambda each: None if text_of(each) == "conformance: fail" else each),
)
answers(
    "forgets_half_a_sentence",
    "failures/shown-text-is-kept",
    kind="items.list",
    change=each_item(lambda each: None if text_of(each) == "Half a sentence" else each),
)
events(
    "leaves_items_open",
    "failures/open-items-are-closed",
    when=triggers("fail"),
    change=lambda event: None if having(event, "assistant_message") else event,
)
events(
    "goes_on_after_the_error",
    "failures/error-comes-last",
    when=triggers("fail"),
    change=lambda event: (
        [event, {"type": "progress_update", "text": "x"}] if event["type"] == "error" else event
    ),
)


@mutant("failures/thread-goes-on-after-a-failure")
def never_recovers() -> dict[str, Any]:
    failed: set[str] = set()

    def hook(asked: Asked) -> Events:
        def each(event: Any) -> list[Any]:
            if event is None:
                return []
            if event["type"] == "thread.created" and asked.text == "conformance: fail":
                failed.add(event["thread"]["id"])
            return [event]

        return each

    return {
        "events": hook,
        "early": lambda asked: (
            json_reply({"message": "broken"}, 409)
            if asked.kind == "threads.add_user_message" and asked.params["thread_id"] in failed
            else None
        ),
    }
