"""Client tools (``docs/protocol/turns.md``)."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from .. import expect
from ..case import case
from ..client import Answer, Client, Turn, at_once

ARGUMENTS = {"number": 1, "nothing": None, "list": [1, None]}
OUTPUT = "threads.add_client_tool_output"


async def _stored(client: Client, turn: Turn) -> Any:
    calls = [
        item for item in await client.items(turn.thread_id) if item["type"] == "client_tool_call"
    ]
    expect.that(calls, "the tool call in the thread", "none")
    return calls[-1]


async def _answered(client: Client, result: Any) -> None:
    """The output is stored, and the assistant gets it."""
    turn = await client.trigger("tool")
    again = await client.run(OUTPUT, thread_id=turn.thread_id, result=result)
    stored = await _stored(client, turn)
    expect.equal(stored["status"], "completed", "the status of the call")
    expect.same(stored.get("output"), result, "the stored output")
    if "result" in client.target.features:
        head, _, text = again.text.partition("conformance result: ")
        expect.that(
            not head and json.loads(text) == result,
            f"the assistant gets {json.dumps(result)}",
            again.text,
        )


@case("TOL-1", sends="conformance: tool; then items.list.", needs="tool")
async def tool_call_is_pending(client: Client) -> None:
    """A finished item that is pending, with call_id, name and arguments; stored so."""
    turn = await client.trigger("tool")
    item = turn.item("client_tool_call")
    expect.equal(item["status"], "pending", "the status")
    expect.equal(item["name"], "conformance_tool", "the name")
    expect.equal((await _stored(client, turn))["status"], "pending", "the stored status")


@case("TOL-2", sends="conformance: tool; then items.list.", needs="tool")
async def arguments_keep_their_nulls(client: Client) -> None:
    """The arguments are what the application made, in the stream and in the store."""
    turn = await client.trigger("tool")
    expect.equal(turn.item("client_tool_call")["arguments"], ARGUMENTS, "the arguments")
    expect.equal((await _stored(client, turn))["arguments"], ARGUMENTS, "the stored arguments")


@case("TOL-3", sends="conformance: tool; then an object as output.", needs="tool")
async def output_object(client: Client) -> None:
    """The call is completed with it, nulls included, and the turn goes on."""
    await _answered(client, {"ids": ["a", "b"], "cursor": None, "deep": {"é": [1.5, True]}})


@case("TOL-3", sends="conformance: tool; then a string as output.", needs="tool")
async def output_string(client: Client) -> None:
    """The call is completed with it."""
    await _answered(client, "done: 日本語")


@case("TOL-3", sends="conformance: tool; then an array as output.", needs="tool")
async def output_array(client: Client) -> None:
    """The call is completed with it."""
    await _answered(client, [1, None, {"a": []}])


@case("TOL-3", sends="conformance: tool; then null as output.", needs="tool")
async def output_null(client: Client) -> None:
    """The call is completed."""
    turn = await client.trigger("tool")
    await client.run(OUTPUT, thread_id=turn.thread_id, result=None)
    expect.equal((await _stored(client, turn))["status"], "completed", "the status of the call")


@case("TOL-4", sends="conformance: tool; then an output.", needs=("tool", "result"))
async def assistant_gets_the_output(client: Client) -> None:
    """The answer repeats it."""
    turn = await client.trigger("tool")
    again = await client.run(OUTPUT, thread_id=turn.thread_id, result={"seen": True})
    expect.that(again.text.startswith("conformance result: "), "the assistant's result", again.text)
    got = json.loads(again.text.removeprefix("conformance result: "))
    expect.equal(got, {"seen": True}, "what the assistant got")


@case("TOL-5", sends="An output in a thread without a tool call.")
async def output_without_a_call_is_refused(client: Client) -> None:
    """It is refused."""
    turn = await client.say("Hello")
    expect.refused(await client.ask(OUTPUT, thread_id=turn.thread_id, result="x"))


@case("TOL-5", sends="conformance: tool; then two outputs, one after the other.", needs="tool")
async def second_output_is_refused(client: Client) -> None:
    """The second is refused, and the first stays."""
    turn = await client.trigger("tool")
    await client.run(OUTPUT, thread_id=turn.thread_id, result="first")
    expect.refused(await client.ask(OUTPUT, thread_id=turn.thread_id, result="second"))
    expect.equal((await _stored(client, turn)).get("output"), "first", "the stored output")


@case("TOL-5", sends="An output for an id that no thread has.")
async def output_to_nowhere_is_refused(client: Client) -> None:
    """It is refused."""
    expect.refused(await client.ask(OUTPUT, thread_id="thr_conformance_nowhere", result="x"))


@case("TOL-6", sends="conformance: tool-then-text; then an output.", needs="tool-then-text")
async def call_is_found_behind_a_message(client: Client) -> None:
    """The call is completed, although a message stands after it."""
    turn = await client.trigger("tool-then-text")
    await client.run(OUTPUT, thread_id=turn.thread_id, result="late")
    expect.equal((await _stored(client, turn)).get("output"), "late", "the stored output")


@case("TOL-7", sends="conformance: tool; then three outputs at once.", needs="tool")
async def one_of_several_outputs_counts(client: Client) -> None:
    """One is answered with a stream, the others are refused."""
    turn = await client.trigger("tool")

    async def send(number: int) -> Answer:
        return await client.ask(OUTPUT, thread_id=turn.thread_id, result=number)

    answers = await at_once(*(partial(send, number) for number in range(3)))
    taken = [each for each in answers if expect.ANSWERS["an event stream"](each)]
    expect.equal(len(taken), 1, "how many outputs were taken")


@case("TOL-8", sends="conformance: tool; then a message.", needs="tool")
async def message_instead_of_an_output(client: Client) -> None:
    """It is answered."""
    turn = await client.trigger("tool")
    again = await client.say("Never mind", turn.thread_id)
    expect.equal(again.of("error"), [], "error events")
    expect.equal(again.user["content"][0]["text"], "Never mind", "the message")


@case("TOL-9", sends="conformance: tool; then a message.", needs="tool")
async def no_call_stays_pending(client: Client) -> None:
    """The call is gone or completed."""
    turn = await client.trigger("tool")
    await client.say("Never mind", turn.thread_id)
    pending = [
        item for item in await client.items(turn.thread_id) if item.get("status") == "pending"
    ]
    expect.equal(pending, [], "calls that are still pending")


@case("TOL-9", sends="conformance: two-tools; then one output.", needs="two-tools")
async def no_second_call_stays_pending(client: Client) -> None:
    """The newer call is completed with it; the other is gone or completed, too."""
    turn = await client.trigger("two-tools")
    await client.run(OUTPUT, thread_id=turn.thread_id, result="mine")
    stored = [
        item for item in await client.items(turn.thread_id) if item["type"] == "client_tool_call"
    ]
    expect.that(
        any(item.get("output") == "mine" for item in stored), "the output in a call", stored
    )
    expect.that(all(item["status"] == "completed" for item in stored), "no pending call", stored)
