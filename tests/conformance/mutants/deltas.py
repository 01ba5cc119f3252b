"""Servers that are wrong about deltas."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.conformance.broken import Asked, Events
from tests.conformance.mutants.building import (
    answers,
    each_item,
    events,
    mutant,
    triggers,
    without,
)

PART = "assistant_message.content_part."


def update(kind: str, change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Changes updates of a type."""

    def each(event: Any) -> Any:
        if event["type"] != "thread.item.updated" or event["update"]["type"] != kind:
            return event
        changed = change(event["update"])
        return None if changed is None else {**event, "update": changed}

    return each


events(
    "loses_a_delta",
    "deltas/text-folds",
    when=triggers("text"),
    change=update(f"{PART}text_delta", lambda each: None if "brown" in each["delta"] else each),
)
events(
    "tidies_separators",
    "deltas/odd-text-folds",
    when=triggers("unicode"),
    change=lambda event: json.loads(json.dumps(event).replace("\\u2028", "\\n")),
)
events(
    "puts_all_in_one_part",
    "deltas/parts-alternate",
    when=triggers("parts"),
    change=update(f"{PART}text_delta", lambda each: {**each, "content_index": 0}),
)
events(
    "cites_twice",
    "deltas/annotations-fold",
    when=triggers("annotations"),
    change=lambda event: (
        [event, event] if event.get("update", {}).get("annotation_index") == 2 else event
    ),
)


@mutant("deltas/messages-alternate")
def mixes_messages() -> dict[str, Any]:
    def hook(asked: Asked) -> Events:
        first = ""

        def each(event: Any) -> list[Any]:
            nonlocal first
            if event is None:
                return []
            if asked.text == "conformance: two-messages" and event["type"] == "thread.item.added":
                first = first or event["item"]["id"]
            if event["type"] == "thread.item.updated" and "delta" in event["update"] and first:
                event = {**event, "item_id": first}
            return [event]

        return each

    return {"events": hook}


def _halved(event: Any) -> Any:
    if event.get("update", {}).get("delta") != "\U0001f600":
        return event
    return [
        {**event, "update": {**event["update"], "delta": half}} for half in ("\ud83d", "\ude00")
    ]


def _parted(event: Any) -> Any:
    delta = event.get("update", {}).get("delta", "")
    if "\U0001f600" not in delta:
        return event
    return [
        {**event, "update": {**event["update"], "delta": half}}
        for half in (delta.replace("\U0001f600", "\ud83d"), "\ude00")
    ]


events(
    "halves_characters", "deltas/characters-stay-whole", when=triggers("unicode"), change=_parted
)
events(
    "forgets_the_root",
    "deltas/widget-folds",
    when=triggers("widget-stream"),
    change=update(
        "widget.root.updated", lambda each: {**each, "widget": {"type": "Card", "children": []}}
    ),
)
events(
    "never_finishes_widget_text",
    "deltas/widget-text-streams",
    when=triggers("widget-stream"),
    change=update("widget.streaming_text.value_delta", lambda each: {**each, "done": False}),
)
events(
    "forgets_a_task",
    "deltas/workflow-folds",
    when=triggers("workflow"),
    change=update("workflow.task.updated", lambda each: None),
)
answers(
    "stores_no_summary",
    "deltas/workflow-is-stored",
    kind="items.list",
    change=each_item(
        lambda each: (
            {**each, "workflow": without(each["workflow"], "summary")}
            if "workflow" in each
            else each
        )
    ),
)
events(
    "progresses_in_percent",
    "deltas/image-folds",
    when=triggers("image"),
    change=update(
        "generated_image.updated", lambda each: {**each, "progress": each["progress"] * 100}
    ),
)


@mutant("deltas/many-deltas-keep-their-order")
def overtakes() -> dict[str, Any]:
    def hook(asked: Asked) -> Events:
        held: list[Any] = []

        def each(event: Any) -> list[Any]:
            if (
                event is not None
                and event.get("update", {}).get("delta") == "word7 "
                and asked.text == "conformance: long"
            ):
                held.append(event)
                return []
            late, held[:] = list(held), []
            return [*([] if event is None else [event]), *late]

        return each

    return {"events": hook}


events(
    "loses_words",
    "deltas/many-deltas-keep-their-order",
    when=triggers("long"),
    change=update(
        f"{PART}text_delta", lambda each: {**each, "delta": each["delta"].replace("word150 ", "")}
    ),
)
