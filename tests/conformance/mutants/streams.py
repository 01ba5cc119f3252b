"""Servers that are wrong about streams."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.conformance.broken import Asked, Events
from tests.conformance.mutants.building import (
    CREATES,
    Test,
    accepts,
    answers,
    asks,
    each_item,
    events,
    having,
    item,
    mutant,
    page,
    says,
    simple,
    success,
    text_of,
    thread,
    triggers,
    with_text,
    without,
)
from tests.conformance.mutants.items import PLAIN


def holding(wanted: Callable[[Any], bool], when: Test) -> dict[str, Any]:
    """Hooks that send some events at the end."""

    def hook(asked: Asked) -> Events:
        held: list[Any] = []

        def each(event: Any) -> list[Any]:
            if event is None:
                return held
            if when(asked) and wanted(event):
                held.append(event)
                return []
            return [event]

        return each

    return {"events": hook}


simple(
    "creates_late",
    "streams/begins-with-thread-created",
    **holding(lambda event: event["type"] == "thread.created", says("Hello")),
)
simple(
    "tells_the_message_late",
    "streams/user-message-comes-first",
    **holding(
        lambda event: having(event, "user_message"),
        lambda asked: CREATES(asked) and asked.text == "Hello",
    ),
)
events(
    "creates_again",
    "streams/thread-is-created-once",
    when=says("Two"),
    change=lambda event: (
        [{"type": "thread.created", "thread": thread()}, event]
        if event["type"] == "stream_options"
        else event
    ),
)


def user(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda event: (
        {**event, "item": change(event["item"])} if having(event, "user_message") else event
    )


events(
    "drops_tags_data",
    "streams/user-message-has-its-content",
    change=user(
        lambda each: {
            **each,
            "content": [
                {**part, "data": {}} if "data" in part else part for part in each["content"]
            ],
        }
    ),
)
events(
    "drops_quotes",
    "streams/user-message-has-its-quote",
    change=user(lambda each: without(each, "quoted_text")),
)
events(
    "drops_options",
    "streams/user-message-has-its-options",
    change=user(lambda each: {**each, "inference_options": {}}),
)
events(
    "has_no_stream_options",
    "streams/stream-options-come-before-the-answer",
    when=says("Hello"),
    change=lambda event: None if event["type"] == "stream_options" else event,
)
events(
    "never_finishes_text",
    "streams/added-items-are-done",
    when=triggers("text"),
    change=lambda event: None if having(event, "assistant_message") else event,
)
events(
    "finishes_without_text",
    "streams/done-carries-everything",
    when=triggers("text"),
    change=lambda event: (
        {**event, "item": with_text(event["item"], "The")}
        if having(event, "assistant_message")
        else event
    ),
)
events(
    "finishes_another_type",
    "streams/done-has-the-added-items-type",
    when=triggers("workflow"),
    change=lambda event: (
        {**event, "item": {**event["item"], "type": "end_of_turn"}}
        if event["type"] == "thread.item.added"
        else event
    ),
)
events(
    "updates_what_is_done",
    "streams/updates-are-for-open-items",
    when=triggers("two-messages"),
    change=lambda event: (
        [
            event,
            {
                "type": "thread.item.updated",
                "item_id": event["item"]["id"],
                "update": {
                    "type": "assistant_message.content_part.text_delta",
                    "content_index": 0,
                    "delta": "",
                },
            },
        ]
        if having(event, "assistant_message")
        else event
    ),
)
answers(
    "stores_late",
    "streams/done-items-are-stored",
    kind="items.list",
    when=PLAIN,
    change=page(
        lambda data: [] if any(text_of(each) == "conformance: slow" for each in data) else data
    ),
)
answers(
    "keeps_what_was_replaced",
    "streams/replaced-items-are-stored",
    kind="items.list",
    change=each_item(lambda each: with_text(each, "old") if text_of(each) == "new" else each),
)
answers(
    "adds_what_replaces",
    "streams/replaced-items-keep-their-place",
    kind="items.list",
    change=page(
        lambda data: (
            [*data, {**data[-1], "id": "msg_again"}]
            if data and text_of(data[-1]) == "new"
            else data
        )
    ),
)


@mutant("streams/removed-items-are-gone")
def keeps_what_was_removed() -> dict[str, Any]:
    seen: dict[str, Any] = {}
    removed: list[Any] = []

    def hook(asked: Asked) -> Events:
        def each(event: Any) -> list[Any]:
            if event is None:
                return []
            if event["type"] == "thread.item.done":
                seen[event["item"]["id"]] = event["item"]
            if event["type"] == "thread.item.removed":
                removed.append(seen[event["item_id"]])
            return [event]

        return each

    return {
        "events": hook,
        "answer": lambda asked, value: (
            {**value, "data": [*value["data"], *removed]} if asked.kind == "items.list" else value
        ),
    }


def drops(*kinds: str) -> Callable[[Any], Any]:
    return lambda event: None if event["type"] in kinds else event


for name in ("title", "lock", "close"):
    events(
        f"keeps_{name}_secret",
        f"streams/{name}-is-told",
        when=triggers(name),
        change=drops("thread.updated"),
    )
events(
    "updates_with_items",
    "streams/updated-thread-has-no-items",
    change=lambda event: (
        {**event, "thread": {**event["thread"], "items": {"data": [item()], "has_more": False}}}
        if event["type"] == "thread.updated"
        else event
    ),
)
events("makes_no_progress", "streams/progress-is-for-the-moment", change=drops("progress_update"))
events(
    "takes_no_notice",
    "streams/notices-are-for-the-moment",
    change=lambda event: {**event, "level": "warning"} if event["type"] == "notice" else event,
)
events(
    "has_no_effect",
    "streams/effects-are-for-the-moment",
    change=lambda event: {**event, "data": {}} if event["type"] == "client_effect" else event,
)
events(
    "always_allows_to_stop",
    "streams/stream-options-can-change",
    change=lambda event: (
        {**event, "stream_options": {"allow_cancel": True}}
        if event["type"] == "stream_options"
        else event
    ),
)
answers(
    "stores_progress",
    "streams/progress-is-for-the-moment",
    kind="items.list",
    change=page(
        lambda data: (
            [*data, item()]
            if any(text_of(each) == "conformance: progress" for each in data)
            else data
        )
    ),
)
events(
    "uses_ids_again",
    "streams/ids-are-not-used-again",
    when=triggers("items"),
    change=lambda event: (
        {**event, "item": {**event["item"], "id": "msg_again"}}
        if event["type"] == "thread.item.done" and text_of(event["item"]) == "item 3"
        else event
    ),
)
events(
    "wants_an_answer",
    "streams/turn-without-an-answer",
    when=triggers("nothing"),
    change=lambda event: (
        [event, {"type": "error", "code": "stream.error", "allow_retry": True}]
        if event["type"] == "stream_options"
        else event
    ),
)
asks(
    "mishears",
    "streams/further-message",
    when=says("Two"),
    change=lambda asked: asked.with_params(
        input={**asked.params["input"], "content": [{"type": "input_text", "text": "Too"}]}
    ),
)
accepts(
    "answers_in_nowhere",
    "streams/message-to-nowhere-is-refused",
    lambda asked: (
        asked.kind == "threads.add_user_message"
        and asked.params["thread_id"] == "thr_conformance_nowhere"
    ),
)


@mutant("streams/locked-thread-takes-no-message", "streams/closed-thread-takes-no-message")
def opens_what_is_locked() -> dict[str, Any]:
    return {
        "refusal": lambda asked, status, told: (
            success(asked)
            if (status == 409 and told["error"]["code"] == "thread_locked")
            or (status == 409 and "closed" in told["error"]["code"])
            else None
        )
    }


events(
    "sends_half_an_event",
    "streams/events-have-their-shape",
    when=says("Hello"),
    wide=True,
    change=lambda event: (
        [event, {"type": "notice"}] if event["type"] == "stream_options" else event
    ),
)
events(
    "items_name_another_thread",
    "streams/items-name-their-thread",
    when=says("Hello"),
    change=lambda event: (
        {**event, "item": {**event["item"], "thread_id": "thr_other"}}
        if event["type"] == "thread.item.done"
        else event
    ),
)
events(
    "renames_tasks",
    "streams/task-item",
    when=triggers("task"),
    change=lambda event: (
        {**event, "item": {**event["item"], "task": {"type": "custom", "title": "Done"}}}
        if having(event, "task")
        else event
    ),
)
answers(
    "stores_no_end",
    "streams/end-of-turn-item",
    kind="items.list",
    change=each_item(lambda each: None if each["type"] == "end_of_turn" else each),
)
events(
    "cites_pages_only",
    "streams/annotations-are-stored",
    when=triggers("annotations"),
    change=lambda event: (
        {
            **event,
            "item": {
                **event["item"],
                "content": [
                    {**part, "annotations": part["annotations"][:1]}
                    for part in event["item"]["content"]
                ],
            },
        }
        if having(event, "assistant_message")
        else event
    ),
)
