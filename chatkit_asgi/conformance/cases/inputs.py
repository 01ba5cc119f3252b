"""Structured input (``docs/protocol/turns.md``)."""

from __future__ import annotations

from functools import partial
from typing import Any

from .. import expect
from ..case import case
from ..client import Answer, Client, Turn, at_once

ADD = "threads.add_structured_input"
SKIPPED: dict[str, Any] = {"values": [], "skipped": True}


async def _submit(client: Client, turn: Turn, **submission: Any) -> Turn:
    item = turn.item("structured_input")
    return await client.run(ADD, thread_id=turn.thread_id, item_id=item["id"], input=submission)


def _answers(item: Any) -> dict[str, Any]:
    return {each["id"]: each.get("answer") for each in item["inputs"]}


async def _after(client: Client, **submission: Any) -> Any:
    """The item as it is stored after a submission, which the stream has told, too."""
    turn = await client.trigger("structured")
    again = await _submit(client, turn, **submission)
    identity = turn.item("structured_input")["id"]
    told = [
        each["item"] for each in again.of("thread.item.replaced") if each["item"]["id"] == identity
    ]
    expect.that(told, "thread.item.replaced with the item", expect.kinds(again.events))
    stored = {item["id"]: item for item in await client.items(turn.thread_id)}
    expect.same(stored.get(identity), told[-1], "the stored item")
    return told[-1]


@case("INP-1", sends="conformance: structured; then items.list.", needs="structured")
async def questions_are_pending(client: Client) -> None:
    """A pending item with its three questions, stored as it was sent."""
    turn = await client.trigger("structured")
    item = turn.item("structured_input")
    expect.equal(item["status"], "pending", "the status")
    kinds = [(each["id"], each["type"], each.get("multiple", False)) for each in item["inputs"]]
    wanted = [
        ("size", "multiple_choice", False),
        ("more", "multiple_choice", True),
        ("note", "freeform", False),
    ]
    expect.equal([list(each) for each in kinds], [list(each) for each in wanted], "the questions")
    stored = {each["id"]: each for each in await client.items(turn.thread_id)}
    expect.same(stored.get(item["id"]), item, "the stored item")


@case(
    "INP-2", sends="conformance: structured; then an answer to each question.", needs="structured"
)
async def answers_are_told_and_stored(client: Client) -> None:
    """thread.item.replaced brings the item, answered, with the values."""
    answers = {
        "size": {"values": ["S"], "skipped": False},
        "more": {"values": ["A", "B"], "skipped": False},
        "note": {"values": ["Thanks 😀"], "skipped": False},
    }
    item = await _after(client, status="answered", answers=answers)
    expect.equal(item["status"], "answered", "the status")
    expect.equal(_answers(item), answers, "the answers")


@case("INP-2", sends="conformance: structured; then an answer.", needs=("structured", "result"))
async def turn_goes_on_after_the_answer(client: Client) -> None:
    """The assistant says something after the replaced item."""
    turn = await client.trigger("structured")
    again = await _submit(client, turn, status="answered", answers={"size": {"values": ["S"]}})
    kinds = [event["type"] for event in again.events]
    expect.that(
        "thread.item.replaced" in kinds
        and "thread.item.done" in kinds[kinds.index("thread.item.replaced") :],
        "thread.item.replaced, and then an answer",
        expect.kinds(again.events),
    )


@case(
    "INP-3",
    sends="conformance: structured; then a skipped submission with a value.",
    needs="structured",
)
async def skipped_submission(client: Client) -> None:
    """The item is skipped, and every question too."""
    item = await _after(client, status="skipped", answers={"size": {"values": ["S"]}})
    expect.equal(item["status"], "skipped", "the status")
    expect.equal(_answers(item), dict.fromkeys(("size", "more", "note"), SKIPPED), "the answers")


@case(
    "INP-3",
    sends="conformance: structured; then an answer to one question only.",
    needs="structured",
)
async def unanswered_questions_are_skipped(client: Client) -> None:
    """The item is answered, and the other questions are skipped."""
    item = await _after(client, status="answered", answers={"size": {"values": ["L"]}})
    expect.equal(_answers(item)["size"], {"values": ["L"], "skipped": False}, "the answer")
    expect.equal(_answers(item)["more"], SKIPPED, "the answer that is missing")


@case(
    "INP-3",
    sends="conformance: structured; then answers that are skipped or empty.",
    needs="structured",
)
async def empty_answers_are_skipped(client: Client) -> None:
    """They count as skipped."""
    answers: dict[str, Any] = {
        "size": {"skipped": True},
        "more": {"values": []},
        "note": {"values": ["x"], "skipped": True},
    }
    item = await _after(client, status="answered", answers=answers)
    expect.equal(_answers(item), dict.fromkeys(("size", "more", "note"), SKIPPED), "the answers")


@case(
    "INP-3",
    sends="conformance: structured; then a submission without answers and status.",
    needs="structured",
)
async def empty_submission(client: Client) -> None:
    """The item is answered, and every question skipped."""
    item = await _after(client)
    expect.equal(item["status"], "answered", "the status")
    expect.equal(_answers(item), dict.fromkeys(("size", "more", "note"), SKIPPED), "the answers")


@case("INP-4", sends="conformance: structured; then two values for one choice.", needs="structured")
async def one_choice_keeps_one_value(client: Client) -> None:
    """The first one is kept."""
    item = await _after(client, answers={"size": {"values": ["L", "S"]}})
    expect.equal(_answers(item)["size"]["values"], ["L"], "the values of one choice")


@case(
    "INP-4",
    sends="conformance: structured; then two values for several choices.",
    needs="structured",
)
async def several_choices_keep_all_values(client: Client) -> None:
    """Both are kept, in order."""
    item = await _after(client, answers={"more": {"values": ["B", "A"]}})
    expect.equal(_answers(item)["more"]["values"], ["B", "A"], "the values of several choices")


@case("INP-5", sends="conformance: structured; then a value that is no option.", needs="structured")
async def own_answers_are_kept(client: Client) -> None:
    """It is kept."""
    item = await _after(client, answers={"size": {"values": ["Enormous"]}})
    expect.equal(_answers(item)["size"]["values"], ["Enormous"], "the value")


@case(
    "INP-6",
    sends="conformance: structured; then an answer to another question.",
    needs="structured",
)
async def unknown_questions_are_ignored(client: Client) -> None:
    """The item has its own questions only."""
    item = await _after(client, answers={"what": {"values": ["x"]}, "size": {"values": ["S"]}})
    expect.equal(sorted(_answers(item)), ["more", "note", "size"], "the questions")


@case(
    "INP-7",
    sends="conformance: structured; then two submissions, one after the other.",
    needs="structured",
)
async def second_submission_is_refused(client: Client) -> None:
    """The second is refused, and the first stays."""
    turn = await client.trigger("structured")
    await _submit(client, turn, answers={"size": {"values": ["S"]}})
    identity = turn.item("structured_input")["id"]
    answer = await client.ask(
        ADD,
        thread_id=turn.thread_id,
        item_id=identity,
        input={"status": "answered", "answers": {"size": {"values": ["L"]}}},
    )
    expect.refused(answer)
    stored = {item["id"]: item for item in await client.items(turn.thread_id)}[identity]
    expect.equal(_answers(stored)["size"]["values"], ["S"], "the stored value")


@case("INP-8", sends="A submission for the user's message.")
async def submission_for_a_message_is_refused(client: Client) -> None:
    """It is refused."""
    turn = await client.say("Hello")
    answer = await client.ask(
        ADD, thread_id=turn.thread_id, item_id=turn.user["id"], input={"answers": {}}
    )
    expect.refused(answer)


@case("INP-8", sends="A submission for an id that no item has.")
async def submission_for_nothing_is_refused(client: Client) -> None:
    """It is refused."""
    turn = await client.say("Hello")
    answer = await client.ask(
        ADD, thread_id=turn.thread_id, item_id="msg_nowhere", input={"answers": {}}
    )
    expect.refused(answer)


@case("INP-9", sends="conformance: structured; then three submissions at once.", needs="structured")
async def one_of_several_submissions_counts(client: Client) -> None:
    """One is answered with a stream, the others are refused."""
    turn = await client.trigger("structured")
    identity = turn.item("structured_input")["id"]

    async def send(value: str) -> Answer:
        submission = {"answers": {"note": {"values": [value]}}}
        return await client.ask(ADD, thread_id=turn.thread_id, item_id=identity, input=submission)

    answers = await at_once(*(partial(send, value) for value in "abc"))
    taken = [each for each in answers if expect.ANSWERS["an event stream"](each)]
    expect.equal(len(taken), 1, "how many submissions were taken")
