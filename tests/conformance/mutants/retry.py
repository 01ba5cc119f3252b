"""Servers that are wrong about retry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from tests.conformance.broken import Asked, Events, Reply
from tests.conformance.mutants.building import accepts, events, having, item, kind, mutant, text_of
from tests.conformance.mutants.streams import drops

RETRIES = kind("threads.retry_after_item")
events(
    "retries_without_an_answer",
    "retry/retry-gives-a-new-answer",
    when=RETRIES,
    change=drops("thread.item.done"),
)
events(
    "sends_the_message_again",
    "retry/message-is-not-sent-again",
    when=RETRIES,
    change=lambda event: (
        [
            {
                "type": "thread.item.done",
                "item": item("user_message", content=[], attachments=[], inference_options={}),
            },
            event,
        ]
        if event["type"] == "stream_options"
        else event
    ),
)
accepts(
    "retries_answers",
    "retry/retry-of-an-answer-is-refused",
    lambda asked: (
        RETRIES(asked)
        and asked.params["item_id"].startswith("msg_")
        and len(asked.params["item_id"]) > 30
    ),
)
accepts(
    "retries_nothing",
    "retry/retry-of-nothing-is-refused",
    kind("threads.retry_after_item", item_id="msg_conformance_nowhere"),
)


def old_answers(
    when: Callable[[Asked, int], bool], which: Callable[[list[Any]], list[Any]]
) -> dict[str, Any]:
    """Hooks of a server that keeps what a retry should take away."""
    said: dict[str, list[Any]] = defaultdict(list)
    kept: dict[str, list[Any]] = {}
    retries = 0

    def hook(asked: Asked) -> Events:
        nonlocal retries
        if RETRIES(asked):
            retries += 1
            if when(asked, retries):
                kept[asked.params["thread_id"]] = which(list(said[asked.params["thread_id"]]))

        def each(event: Any) -> list[Any]:
            if event is not None and event["type"] == "thread.item.done":
                said[event["item"]["thread_id"]].append(event["item"])
            return [] if event is None else [event]

        return each

    def answer(asked: Asked, value: Any) -> Any:
        if asked.kind != "items.list":
            return value
        have = {each["id"] for each in value["data"]}
        return {
            **value,
            "data": [
                *value["data"],
                *(
                    each
                    for each in kept.get(asked.params["thread_id"], [])
                    if each["id"] not in have
                ),
            ],
        }

    return {"events": hook, "answer": answer}


@mutant("retry/old-answer-is-gone")
def keeps_old_answers() -> dict[str, Any]:
    return old_answers(lambda asked, count: True, lambda said: said[1:2])


@mutant("retry/later-messages-are-gone")
def keeps_later_messages() -> dict[str, Any]:
    return old_answers(
        lambda asked, count: True,
        lambda said: said[2:] if text_of(said[1]) == "You said: One" and asked_first(said) else [],
    )


def asked_first(said: list[Any]) -> bool:
    return len(said) == 4


@mutant("idempotence/retrying-twice")
def keeps_answers_of_second_retries() -> dict[str, Any]:
    return old_answers(lambda asked, count: count == 2, lambda said: said[2:])


@mutant("retry/earlier-turns-stay")
def retries_the_first_message() -> dict[str, Any]:
    first: dict[str, str] = {}

    def hook(asked: Asked) -> Events:
        def each(event: Any) -> list[Any]:
            if event is not None and having(event, "user_message"):
                first.setdefault(event["item"]["thread_id"], event["item"]["id"])
            return [] if event is None else [event]

        return each

    return {
        "events": hook,
        "asks": lambda asked: (
            asked.with_params(item_id=first[asked.params["thread_id"]])
            if RETRIES(asked)
            and asked.params["item_id"].startswith("msg_")
            and asked.params["thread_id"] in first
            and len(first) == 1
            and asked.params["item_id"] != "msg_conformance_nowhere"
            else asked
        ),
    }


@mutant("retry/retry-of-another-threads-message-is-refused")
def retries_in_other_threads() -> dict[str, Any]:
    owner: dict[str, str] = {}

    def hook(asked: Asked) -> Events:
        def each(event: Any) -> list[Any]:
            if event is not None and having(event, "user_message"):
                owner[event["item"]["id"]] = event["item"]["thread_id"]
            return [] if event is None else [event]

        return each

    return {
        "events": hook,
        "asks": lambda asked: (
            asked.with_params(thread_id=owner[asked.params["item_id"]])
            if RETRIES(asked) and asked.params["item_id"] in owner
            else asked
        ),
    }


@mutant("retry/failed-retry-keeps-the-old-answer")
def loses_answers_to_failed_retries() -> dict[str, Any]:
    lost: set[str] = set()

    def early(asked: Asked) -> Reply | None:
        if RETRIES(asked):
            lost.add(asked.params["thread_id"])
        return None

    return {
        "early": early,
        "answer": lambda asked, value: (
            {**value, "data": [each for each in value["data"] if text_of(each) != "first"]}
            if asked.kind == "items.list" and asked.params["thread_id"] in lost
            else value
        ),
    }
