"""Servers that are wrong about inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.conformance.broken import Asked
from tests.conformance.mutants.building import (
    accepts,
    asks,
    events,
    having,
    kind,
    refuses,
    triggers,
    without,
)
from tests.conformance.mutants.streams import drops

SUBMITS = kind("threads.add_structured_input")


def replaced(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda event: (
        {**event, "item": change(event["item"])}
        if event["type"] == "thread.item.replaced"
        else event
    )


def submission(asked: Asked) -> Any:
    return asked.params.get("input") if SUBMITS(asked) else {}


def given(asked: Asked, name: str) -> Any:
    return (submission(asked).get("answers") or {}).get(name) or {}


def answering(asked: Asked, **answers: Any) -> Asked:
    now = submission(asked)
    return asked.with_params(input={**now, "answers": {**now.get("answers", {}), **answers}})


events(
    "answers_questions_itself",
    "inputs/questions-are-pending",
    when=triggers("structured"),
    change=lambda event: (
        {**event, "item": {**event["item"], "status": "answered"}}
        if having(event, "structured_input")
        else event
    ),
)
events(
    "keeps_answers_secret",
    "inputs/answers-are-told-and-stored",
    when=SUBMITS,
    change=drops("thread.item.replaced"),
)
events(
    "ends_with_the_answer",
    "inputs/turn-goes-on-after-the-answer",
    when=SUBMITS,
    change=drops("thread.item.done"),
)
asks(
    "answers_skipped_submissions",
    "inputs/skipped-submission",
    when=lambda asked: submission(asked).get("status") == "skipped",
    change=lambda asked: asked.with_params(input={**submission(asked), "status": "answered"}),
)
events(
    "forgets_unanswered_questions",
    "inputs/unanswered-questions-are-skipped",
    when=SUBMITS,
    change=replaced(
        lambda each: {
            **each,
            "inputs": [
                without(one, "answer")
                if one.get("answer") == {"values": [], "skipped": True}
                else one
                for one in each["inputs"]
            ],
        }
    ),
)
asks(
    "takes_skipped_answers",
    "inputs/empty-answers-are-skipped",
    when=lambda asked: given(asked, "note").get("skipped"),
    change=lambda asked: answering(asked, note={"values": given(asked, "note")["values"]}),
)
refuses(
    "wants_answers",
    "inputs/empty-submission",
    when=lambda asked: SUBMITS(asked) and submission(asked) == {},
)
events(
    "keeps_every_choice",
    "inputs/one-choice-keeps-one-value",
    when=lambda asked: len(given(asked, "size").get("values", [])) == 2,
    change=replaced(
        lambda each: {
            **each,
            "inputs": [
                {**one, "answer": {"values": ["L", "S"], "skipped": False}}
                if one["id"] == "size"
                else one
                for one in each["inputs"]
            ],
        }
    ),
)
asks(
    "keeps_one_of_several",
    "inputs/several-choices-keep-all-values",
    when=lambda asked: len(given(asked, "more").get("values", [])) > 1,
    change=lambda asked: answering(asked, more={"values": given(asked, "more")["values"][:1]}),
)
asks(
    "takes_options_only",
    "inputs/own-answers-are-kept",
    when=lambda asked: given(asked, "size").get("values") == ["Enormous"],
    change=lambda asked: answering(asked, size={"values": []}),
)
refuses(
    "minds_unknown_questions",
    "inputs/unknown-questions-are-ignored",
    when=lambda asked: given(asked, "what"),
)
accepts(
    "takes_second_submissions",
    "inputs/second-submission-is-refused",
    lambda asked: given(asked, "size").get("values") == ["L"],
)
accepts(
    "asks_messages",
    "inputs/submission-for-a-message-is-refused",
    lambda asked: (
        SUBMITS(asked)
        and asked.params["item_id"] != "msg_nowhere"
        and submission(asked) == {"answers": {}}
    ),
)
accepts(
    "asks_nothing",
    "inputs/submission-for-nothing-is-refused",
    kind("threads.add_structured_input", item_id="msg_nowhere"),
)
accepts(
    "takes_all_submissions",
    "inputs/one-of-several-submissions-counts",
    lambda asked: given(asked, "note").get("values") in (["a"], ["b"], ["c"]),
)
