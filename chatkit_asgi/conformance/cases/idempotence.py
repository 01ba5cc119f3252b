"""The same request again (``docs/protocol/safety.md``)."""

from __future__ import annotations

from functools import partial
from uuid import uuid4

from .. import expect
from ..case import case
from ..client import Client, at_once, message


@case("IDM-1", sends="threads.get_by_id twice.")
async def reading_a_thread_changes_nothing(client: Client) -> None:
    """The same answer twice."""
    turn = await client.say("Hello")
    first = await client.thread(turn.thread_id)
    expect.equal(await client.thread(turn.thread_id), first, "the second answer")


@case("IDM-1", sends="items.list twice.")
async def reading_items_changes_nothing(client: Client) -> None:
    """The same answer twice."""
    turn = await client.say("Hello")
    first = await client.get("items.list", thread_id=turn.thread_id)
    second = await client.get("items.list", thread_id=turn.thread_id)
    expect.equal(second, first, "the second answer")


@case("IDM-2", sends="threads.update to the same title twice.")
async def renaming_twice(client: Client) -> None:
    """The same answer twice."""
    turn = await client.say("Hello")
    first = await client.get("threads.update", thread_id=turn.thread_id, title="Twice")
    second = await client.get("threads.update", thread_id=turn.thread_id, title="Twice")
    expect.equal(second, first, "the second answer")


@case("IDM-3", sends="The same vote twice.")
async def voting_twice(client: Client) -> None:
    """The same answer twice."""
    turn = await client.say("Hello")
    params = {"item_ids": [turn.done[-1]["id"]], "kind": "positive"}
    first = await client.get("items.feedback", thread_id=turn.thread_id, **params)
    second = await client.get("items.feedback", thread_id=turn.thread_id, **params)
    expect.equal(second, first, "the second answer")


@case("IDM-4", sends="threads.create twice at once with one idempotency-key.")
async def repeated_creation_makes_one_thread(client: Client) -> None:
    """Both streams have the same thread and the same message."""
    key = [("idempotency-key", f"conformance-{uuid4()}")]
    send = partial(client.ask, "threads.create", input=message("Once"), headers=key)
    answers = await at_once(send, send)
    ids = {expect.stream(each)[0]["thread"]["id"] for each in answers}
    expect.equal(len(ids), 1, "how many threads there are")


@case("IDM-5", sends="threads.retry_after_item twice, one after the other.")
async def retrying_twice(client: Client) -> None:
    """The message and one answer are in the thread."""
    turn = await client.say("Hello")
    params = {"thread_id": turn.thread_id, "item_id": turn.user["id"]}
    await client.run("threads.retry_after_item", **params)
    last = await client.run("threads.retry_after_item", **params)
    wanted = [
        turn.user["id"],
        *[item["id"] for item in last.done if item["type"] != "user_message"],
    ]
    got = [item["id"] for item in await client.items(turn.thread_id)]
    expect.equal(got, wanted, "the thread's items")


@case("IDM-6", sends="threads.delete twice.", list_of_threads=True)
async def deleting_twice(client: Client) -> None:
    """Not 5xx."""
    turn = await client.say("Hello")
    await client.get("threads.delete", thread_id=turn.thread_id)
    answer = await client.ask("threads.delete", thread_id=turn.thread_id)
    expect.that(answer.complete and answer.status < 500, "no 5xx", answer)
