"""Items: reading, paging, what is hidden, feedback (``docs/protocol/threads.md``)."""

from __future__ import annotations

import json
from typing import Any

from .. import expect
from ..case import Unmet, case
from ..client import Client, message
from .threads import NOWHERE


async def _page(client: Client, thread_id: str, **params: Any) -> list[Any]:
    return expect.listed(await client.get("items.list", thread_id=thread_id, **params))


@case("ITM-1", sends="Two messages in one thread; then items.list with order asc.")
async def oldest_first(client: Client) -> None:
    """The items in the order in which they were done."""
    first = await client.say("One")
    second = await client.say("Two", first.thread_id)
    wanted = [item["id"] for item in [*first.done, *second.done]]
    got = [item["id"] for item in await _page(client, first.thread_id, order="asc")]
    expect.equal(got, wanted, "the ids of the items")


@case("ITM-1", sends="Two messages in one thread; then items.list.")
async def newest_first(client: Client) -> None:
    """The items in the other order."""
    first = await client.say("One")
    second = await client.say("Two", first.thread_id)
    wanted = [item["id"] for item in [*first.done, *second.done]][::-1]
    got = [item["id"] for item in await _page(client, first.thread_id)]
    expect.equal(got, wanted, "the ids of the items")


@case("ITM-1", sends="items.list of a thread, when there are others.")
async def only_this_threads_items(client: Client) -> None:
    """No other thread's items."""
    other = await client.say("Other")
    turn = await client.say("Mine")
    for item in await _page(client, turn.thread_id):
        expect.equal(item["thread_id"], turn.thread_id, "the thread of an item")
        expect.that(item["id"] != other.user["id"], "no item of the other thread", item)


@case("ITM-2", sends="A message; then items.list.")
async def items_have_their_shape(client: Client) -> None:
    """Each item has its id, thread, time and type, and what its type has."""
    turn = await client.say("Hello")
    items = await _page(client, turn.thread_id)
    expect.that(items, "at least the user's message", items)
    for item in items:
        expect.item(item)


@case("ITM-2", sends="conformance: items; then items.list page by page.", needs="items")
async def item_ids_differ(client: Client) -> None:
    """No two items have the same id."""
    ids = [item["id"] for item in await client.items((await client.trigger("items")).thread_id)]
    expect.equal(len(set(ids)), len(ids), "how many different ids there are")


@case(
    "THR-9",
    sends="conformance: items; then items.list, seven at a time, both orders.",
    needs="items",
)
async def pages_repeat_and_skip_nothing(client: Client) -> None:
    """Every item comes once, in order."""
    turn = await client.trigger("items")
    wanted = [item["id"] for item in turn.done]
    for order in ("asc", "desc"):
        walked = client.walk("items.list", thread_id=turn.thread_id, limit=7, order=order)
        ids = [item["id"] async for item in walked]
        expect.equal(ids, wanted if order == "asc" else wanted[::-1], f"the ids in {order} order")


@case("THR-10", sends="conformance: items; then items.list with limit 3.", needs="items")
async def limit_is_an_upper_bound(client: Client) -> None:
    """Three items."""
    turn = await client.trigger("items")
    expect.equal(len(await _page(client, turn.thread_id, limit=3)), 3, "how many items came")


@case(
    "THR-9",
    sends="conformance: items; then the first page again with a message added.",
    needs="items",
)
async def pages_hold_while_a_thread_grows(client: Client) -> None:
    """The second page continues the first, although something was added in between."""
    turn = await client.trigger("items")
    first = await client.get("items.list", thread_id=turn.thread_id, limit=10, order="desc")
    await client.say("One more", turn.thread_id)
    second = await client.get(
        "items.list", thread_id=turn.thread_id, limit=10, order="desc", after=first.get("after")
    )
    wanted = [item["id"] for item in turn.done][::-1][10:20]
    expect.equal([item["id"] for item in expect.listed(second)], wanted, "the second page")


@case("THR-12", sends="items.list with limit 9999.")
async def huge_limit_is_answered(client: Client) -> None:
    """A page with the newest item."""
    turn = await client.say("Hello")
    ids = [item["id"] for item in await _page(client, turn.thread_id, limit=9999)]
    expect.that(turn.done[-1]["id"] in ids, "the newest item", ids)


@case("THR-14", sends="items.list after a cursor that does not exist.")
async def unknown_cursor_is_refused(client: Client) -> None:
    """The request is refused."""
    turn = await client.say("Hello")
    answer = await client.ask("items.list", thread_id=turn.thread_id, after="msg_nowhere")
    expect.refused(answer)


@case(
    "THR-9",
    sends="conformance: items twice; threads.get_by_id, then items.list with its cursor.",
    needs="items",
)
async def cursor_of_a_thread_leads_on(client: Client) -> None:
    """items.list with that `after` gives items that the thread's page did not have, in one order or the other."""
    turn = await client.trigger("items")
    turn = await client.trigger("items", turn.thread_id)
    page = (await client.thread(turn.thread_id))["items"]
    shown = {item["id"] for item in page["data"]}
    if not page["has_more"]:
        return
    for order in ("desc", "asc"):
        more = await _page(client, turn.thread_id, after=page["after"], order=order, limit=100)
        if more and not shown & {item["id"] for item in more}:
            return
    raise Unmet("items that were not in the thread's page", "none in either order")


@case("ITM-3", sends="conformance: hidden; then every reading of the thread.", needs="hidden")
async def hidden_items_are_hidden(client: Client) -> None:
    """Neither the stream nor any reading has the item or its content."""
    answer = await client.ask("threads.create", input=message("conformance: hidden"))
    thread_id = expect.stream(answer)[0]["thread"]["id"]
    texts = [
        answer.text,
        (await client.ask("threads.get_by_id", thread_id=thread_id)).text,
        (await client.ask("items.list", thread_id=thread_id)).text,
    ]
    for text in texts:
        expect.that("before" in text and "after" in text, "both messages", text)
        expect.that("conformance-secret" not in text, "nothing of a hidden item", text)
        expect.that("hidden_context" not in text, "no hidden item", text)


@case(
    "ITM-4",
    sends="conformance: hidden-many; then items.list, two at a time.",
    needs="hidden-many",
)
async def hidden_items_leave_no_gaps(client: Client) -> None:
    """The first page has two items."""
    turn = await client.trigger("hidden-many")
    items = await _page(client, turn.thread_id, limit=2)
    expect.equal(len(items), 2, "how many items came")


@case("ITM-5", sends="items.list of an id that no thread has.")
async def unknown_thread_is_refused(client: Client) -> None:
    """The request is refused."""
    expect.refused(await client.ask("items.list", thread_id=NOWHERE))


@case("ITM-6", sends="A message; then items.list.")
async def stored_items_are_those_that_were_done(client: Client) -> None:
    """Each item is what its done event was."""
    turn = await client.say("Hello")
    stored = {item["id"]: item for item in await client.items(turn.thread_id)}
    for item in turn.done:
        expect.same(stored.get(item["id"]), item, "the stored item")


async def _vote(client: Client, kind: str) -> None:
    turn = await client.say("Hello")
    ids = [item["id"] for item in turn.done if item["type"] != "user_message"]
    answer = await client.ask("items.feedback", thread_id=turn.thread_id, item_ids=ids, kind=kind)
    expect.json_object(answer)


@case("ITM-7", sends="items.feedback, positive, on the answer's items.")
async def thumbs_up(client: Client) -> None:
    """A JSON object."""
    await _vote(client, "positive")


@case("ITM-7", sends="items.feedback, negative, on the answer's items.")
async def thumbs_down(client: Client) -> None:
    """A JSON object."""
    await _vote(client, "negative")


@case("ITM-8", sends="items.feedback on an id that no thread has.")
async def feedback_on_nothing_is_refused(client: Client) -> None:
    """The request is refused."""
    expect.refused(
        await client.ask("items.feedback", thread_id=NOWHERE, item_ids=[], kind="positive")
    )


@case("ITM-9", sends="A message; then threads.get_by_id.")
async def no_nulls(client: Client) -> None:
    """No field of a thread or a message is null."""
    turn = await client.say("Hello")
    thread = await client.thread(turn.thread_id)
    text = json.dumps([thread, *turn.events])
    expect.that(": null" not in text, "fields without a value left out", text)


@case("ITM-10", sends="A message; then items.list.")
async def empty_arrays_are_there(client: Client) -> None:
    """attachments of the user's message, annotations of the assistant's."""
    turn = await client.say("Hello")
    for item in await _page(client, turn.thread_id):
        if item["type"] == "user_message":
            expect.equal(item.get("attachments"), [], "attachments")
        if item["type"] == "assistant_message":
            for part in item["content"]:
                expect.that(isinstance(part.get("annotations"), list), "annotations", part)


@case("ITM-6", sends="conformance: parts; then items.list.", needs="parts")
async def stored_parts_are_those_that_were_done(client: Client) -> None:
    """The message has both parts, with their texts."""
    turn = await client.trigger("parts")
    stored = [item for item in await client.items(turn.thread_id) if "content" in item][-1]
    texts = [part["text"] for part in stored["content"]]
    expect.equal(texts, ["one more", "two more"], "the texts of the parts")
