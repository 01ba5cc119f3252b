"""Turns that fail after their stream has begun (``docs/protocol/streams.md``)."""

from __future__ import annotations

import json

from .. import expect
from ..case import case
from ..client import Client, message


@case("FLR-1", sends="conformance: fail.", needs="fail")
async def failure_is_an_event(client: Client) -> None:
    """An error event, and a stream that comes to its proper end."""
    turn = await client.trigger("fail")
    expect.that(turn.of("error"), "an error event", expect.kinds(turn.events))


@case("FLR-1", sends="conformance: fail-early.", needs="fail-early")
async def early_failure_is_an_event(client: Client) -> None:
    """An error event, or a 5xx answer; never a stream without a word."""
    answer = await client.ask("threads.create", input=message("conformance: fail-early"))
    expect.one_of(answer, "an error event", "a 5xx answer")


@case("FLR-2", sends="conformance: fail.", needs="fail")
async def error_has_a_code(client: Client) -> None:
    """code and allow_retry are there."""
    for event in (await client.trigger("fail")).of("error"):
        expect.that(
            event["code"] in ("stream.error", "custom"), "a code that the client knows", event
        )


@case("FLR-2", sends="conformance: fail-custom.", needs="fail-custom")
async def custom_error_has_its_text(client: Client) -> None:
    """The code custom, the text, and allow_retry as the handler chose."""
    events = (await client.trigger("fail-custom")).of("error")
    expect.that(events, "an error event", "none")
    wanted = ("custom", "Conformance failure", True)
    got = (events[-1]["code"], events[-1].get("message"), events[-1]["allow_retry"])
    expect.equal(got, wanted, "code, message and allow_retry")


@case("FLR-3", sends="conformance: fail.", needs="fail")
async def error_tells_nothing(client: Client) -> None:
    """The text of the exception is not in the stream."""
    answer = await client.ask("threads.create", input=message("conformance: fail"))
    for secret in ("conformance-secret", "Traceback", "RuntimeError"):
        expect.that(secret not in answer.text, "nothing of the exception", answer)


@case("FLR-4", sends="conformance: fail; then items.list.", needs="fail")
async def failed_turn_keeps_the_message(client: Client) -> None:
    """The user's message is in the thread."""
    turn = await client.trigger("fail")
    ids = [item["id"] for item in await client.items(turn.thread_id)]
    expect.that(turn.user["id"] in ids, "the user's message", ids)


@case("FLR-4", sends="conformance: fail; then another message.", needs="fail")
async def thread_goes_on_after_a_failure(client: Client) -> None:
    """The message is answered."""
    turn = await client.trigger("fail")
    again = await client.say("Hello", turn.thread_id)
    expect.equal(again.of("error"), [], "error events of the next turn")


@case("FLR-5", sends="conformance: fail; then items.list.", needs="fail")
async def shown_text_is_kept(client: Client) -> None:
    """`Half a sentence`, which was shown, is in the thread."""
    turn = await client.trigger("fail")
    text = json.dumps(await client.items(turn.thread_id))
    expect.that("Half a sentence" in text, "the text that was shown", text)


@case("FLR-5", sends="conformance: fail.", needs="fail")
async def open_items_are_closed(client: Client) -> None:
    """Before the error event, the item that was added is done or removed."""
    turn = await client.trigger("fail")
    open_items: set[str] = set()
    for event in turn.events:
        if event["type"] == "thread.item.added":
            open_items.add(event["item"]["id"])
        elif event["type"] == "thread.item.done":
            open_items.discard(event["item"]["id"])
        elif event["type"] == "thread.item.removed":
            open_items.discard(event["item_id"])
        elif event["type"] == "error":
            break
    expect.equal(sorted(open_items), [], "the items that are open at the error")


@case("FLR-6", sends="conformance: fail.", needs="fail")
async def error_comes_last(client: Client) -> None:
    """Nothing but thread.updated follows."""
    turn = await client.trigger("fail")
    kinds = [event["type"] for event in turn.events]
    after = kinds[kinds.index("error") + 1 :] if "error" in kinds else ["no error event"]
    expect.equal([kind for kind in after if kind != "thread.updated"], [], "what follows the error")
