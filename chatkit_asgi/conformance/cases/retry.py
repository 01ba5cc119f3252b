"""Another answer to the same message (``docs/protocol/turns.md``)."""

from __future__ import annotations

from typing import Any

from .. import expect
from ..case import case
from ..client import Client, Turn


async def _retry(client: Client, turn: Turn, item_id: str = "") -> Turn:
    return await client.run(
        "threads.retry_after_item", thread_id=turn.thread_id, item_id=item_id or turn.user["id"]
    )


async def _shape(client: Client, thread_id: str) -> list[tuple[str, str]]:
    return [(item["type"], item["id"]) for item in await client.items(thread_id)]


@case("RTY-1", sends="A message; then threads.retry_after_item.")
async def retry_gives_a_new_answer(client: Client) -> None:
    """A stream with an answer, and the thread has the message once and the new answer after it."""
    turn = await client.say("Hello")
    again = await _retry(client, turn)
    answers = [item for item in again.done if item["type"] != "user_message"]
    expect.that(answers, "a new answer", expect.kinds(again.events))
    ids = [item_id for _, item_id in await _shape(client, turn.thread_id)]
    expect.equal(ids, [turn.user["id"], *[item["id"] for item in answers]], "the thread's items")


@case("RTY-1", sends="A message; then threads.retry_after_item.")
async def old_answer_is_gone(client: Client) -> None:
    """No item of the old answer is in the thread."""
    turn = await client.say("Hello")
    old = {item["id"] for item in turn.done if item["type"] != "user_message"}
    await _retry(client, turn)
    left = old & {item_id for _, item_id in await _shape(client, turn.thread_id)}
    expect.equal(sorted(left), [], "what is left of the old answer")


@case("RTY-2", sends="Two messages; then threads.retry_after_item of the first.")
async def later_messages_are_gone(client: Client) -> None:
    """The second message and its answer are gone."""
    turn = await client.say("One")
    second = await client.say("Two", turn.thread_id)
    await _retry(client, turn)
    ids = {item_id for _, item_id in await _shape(client, turn.thread_id)}
    left = ids & {item["id"] for item in second.done}
    expect.equal(sorted(left), [], "what is left of the second turn")
    expect.that(turn.user["id"] in ids, "the first message", sorted(ids))


@case("RTY-2", sends="Two messages; then threads.retry_after_item of the second.")
async def earlier_turns_stay(client: Client) -> None:
    """The first message and its answer are there."""
    turn = await client.say("One")
    second = await client.say("Two", turn.thread_id)
    await _retry(client, second)
    ids = {item_id for _, item_id in await _shape(client, turn.thread_id)}
    missing = {item["id"] for item in turn.done} - ids
    expect.equal(sorted(missing), [], "what is missing of the first turn")


@case("RTY-3", sends="A message; then threads.retry_after_item.")
async def message_is_not_sent_again(client: Client) -> None:
    """The stream has no user_message, and no thread.created."""
    turn = await client.say("Hello")
    again = await _retry(client, turn)
    expect.that(
        not any(item["type"] == "user_message" for item in again.done),
        "no user_message",
        expect.kinds(again.events),
    )


async def _refused(client: Client, turn: Turn, item_id: str) -> None:
    before = await _shape(client, turn.thread_id)
    answer = await client.ask("threads.retry_after_item", thread_id=turn.thread_id, item_id=item_id)
    expect.refused(answer)
    expect.equal(await _shape(client, turn.thread_id), before, "the thread afterwards")


@case("RTY-4", sends="threads.retry_after_item of the assistant's message.")
async def retry_of_an_answer_is_refused(client: Client) -> None:
    """It is refused, and the thread is as before."""
    turn = await client.say("Hello")
    answers: list[Any] = [item for item in turn.done if item["type"] != "user_message"]
    expect.that(answers, "an answer to the message", expect.kinds(turn.events))
    await _refused(client, turn, answers[-1]["id"])


@case("RTY-4", sends="threads.retry_after_item of an id that no item has.")
async def retry_of_nothing_is_refused(client: Client) -> None:
    """It is refused, and the thread is as before."""
    await _refused(client, await client.say("Hello"), "msg_conformance_nowhere")


@case("RTY-4", sends="threads.retry_after_item of a message of another thread.")
async def retry_of_another_threads_message_is_refused(client: Client) -> None:
    """It is refused, and both threads are as before."""
    turn, other = await client.say("Hello"), await client.say("Other")
    before = await _shape(client, other.thread_id)
    await _refused(client, turn, other.user["id"])
    expect.equal(await _shape(client, other.thread_id), before, "the other thread")


@case(
    "RTY-5", sends="conformance: flaky; then threads.retry_after_item, which fails.", needs="flaky"
)
async def failed_retry_keeps_the_old_answer(client: Client) -> None:
    """The old answer is in the thread."""
    turn = await client.trigger("flaky")
    old = turn.item("assistant_message")["id"]
    await client.ask("threads.retry_after_item", thread_id=turn.thread_id, item_id=turn.user["id"])
    ids = [item_id for _, item_id in await _shape(client, turn.thread_id)]
    expect.that(old in ids, "the old answer", ids)
