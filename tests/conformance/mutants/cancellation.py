"""Servers that are wrong about cancellation."""

from __future__ import annotations

from typing import Any

from tests.conformance.broken import Asked, Reply, json_reply
from tests.conformance.mutants.building import (
    answers,
    asks,
    each_item,
    in_thread,
    item,
    kind,
    mutant,
    page,
    refuses,
    says,
    simple,
    text_of,
)
from tests.conformance.mutants.failures import about

SLOW = about("conformance: slow")
answers(
    "forgets_who_left",
    "cancellation/thread-can-be-read",
    kind="threads.get_by_id",
    change=in_thread(lambda data: [each for each in data if text_of(each) != "conformance: slow"]),
)
refuses("stays_busy", "cancellation/thread-goes-on", when=says("Still there?"), status=409)
answers(
    "forgets_stopped_answers",
    "cancellation/shown-text-is-kept",
    kind="items.list",
    change=each_item(lambda each: None if text_of(each).startswith("tick") else each),
)
simple("never_stops", "cancellation/assistant-stops", deaf=True)
answers(
    "shows_its_notes",
    "cancellation/note-is-hidden",
    kind="items.list",
    change=page(lambda data: [*data, item("sdk_note", content="stopped")] if SLOW(data) else data),
)
simple(
    "reads_after_the_turn",
    "cancellation/thread-can-be-read-meanwhile",
    lock=lambda asked: (
        "thread"
        if asked.text == "conformance: slow" or asked.kind in ("threads.get_by_id", "items.list")
        else None
    ),
)
asks(
    "renames_to_something_else",
    "cancellation/rename-meanwhile-counts",
    when=kind("threads.update", title="Meanwhile"),
    change=lambda asked: asked.with_params(title="Before"),
)


@mutant("cancellation/leaving-at-once-harms-nobody")
def breaks_when_somebody_leaves() -> dict[str, Any]:
    slow: list[Asked] = []

    def early(asked: Asked) -> Reply | None:
        if asked.text == "conformance: slow":
            slow.append(asked)
        return (
            json_reply({"message": "down"}, 503) if slow and asked.kind == "threads.list" else None
        )

    return {"early": early}
