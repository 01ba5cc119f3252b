"""The client leaves in the middle (``docs/protocol/streams.md``)."""

from __future__ import annotations

import json
from typing import Any

import anyio

from .. import expect
from ..case import case
from ..client import Client, message
from .transport import JSON

NOTICE = 2.0
"""Seconds that a server has to notice that a client has left, and to store what it has."""
PAUSE = 0.1
TICKS = 100
SLACK = 1.5
"""How much longer than it seems a turn may take, on a busy machine."""


async def _leave(client: Client, deltas: int = 3) -> tuple[str, str, float]:
    """Begin a slow turn and leave after some deltas; the thread's id, the text that came, and the seconds after which
    the whole turn would be over."""
    text = ""
    began = anyio.current_time()  # a busy server may send much at once, late
    async with client.open("threads.create", input=message("conformance: slow")) as stream:
        event = await stream.until(lambda each: each["type"] == "thread.created", "thread.created")
        for _ in range(deltas):
            update = await stream.until(
                lambda each: "delta" in each.get("update", {}), "a text delta"
            )
            text += update["update"]["delta"]
        pace = (anyio.current_time() - began) / deltas
    return event["thread"]["id"], text, min(pace * TICKS * SLACK, 10.0) + NOTICE


async def _text(client: Client, thread_id: str) -> str:
    items = await client.items(thread_id)
    return "".join(expect.text_of(each) for each in items if each["type"] == "assistant_message")


@case(
    "CAN-1",
    sends="conformance: slow, and leaves after three deltas; then threads.get_by_id.",
    needs="slow",
)
async def thread_can_be_read(client: Client) -> None:
    """The thread with the user's message."""
    thread_id, *_ = await _leave(client)
    kinds = [item["type"] for item in (await client.thread(thread_id))["items"]["data"]]
    expect.that("user_message" in kinds, "the user's message", kinds)


@case("CAN-1", sends="conformance: slow, and leaves; then another message.", needs="slow")
async def thread_goes_on(client: Client) -> None:
    """The message is answered."""
    thread_id, *_ = await _leave(client)
    turn = await client.say("Still there?", thread_id)
    expect.equal(turn.of("error"), [], "error events")


@case(
    "CAN-1",
    sends="conformance: slow, and leaves before the first event; then threads.list.",
    needs="slow",
)
async def leaving_at_once_harms_nobody(client: Client) -> None:
    """The server goes on, and a further thread works."""
    async with client.open("threads.create", input=message("conformance: slow")):
        pass
    await client.get("threads.list", limit=1)
    await client.say("Hello")


@case(
    "CAN-2",
    sends="conformance: slow, and leaves after three deltas; then items.list.",
    needs="slow",
    slow=True,
)
async def shown_text_is_kept(client: Client) -> None:
    """The text that came is in the thread, at the latest when the whole turn would be over."""
    thread_id, shown, whole = await _leave(client)
    stored = ""
    with anyio.move_on_after(whole):
        while not (stored := await _text(client, thread_id)).startswith(shown):  # noqa: ASYNC110
            await anyio.sleep(PAUSE)  # there is no event: another program stores it
    wanted = f"the text that was shown, {shown!r}"
    expect.that(stored.startswith(shown), wanted, stored or "no text")


@case(
    "CAN-3",
    sends="conformance: slow, and leaves; then items.list for a while.",
    needs="slow",
    slow=True,
)
async def assistant_stops(client: Client) -> None:
    """The whole text is never stored."""
    thread_id, _, whole = await _leave(client, deltas=10)
    with anyio.move_on_after(whole):
        while "tick99" not in await _text(client, thread_id):  # noqa: ASYNC110
            await anyio.sleep(PAUSE * 3)
    text = await _text(client, thread_id)
    expect.that("tick99" not in text, "an answer that stops", text[-80:])


@case("CAN-4", sends="conformance: slow, and leaves; then every reading.", needs="slow")
async def note_is_hidden(client: Client) -> None:
    """Only the user's message and the answer are shown."""
    thread_id, *_ = await _leave(client)
    await anyio.sleep(PAUSE * 3)
    shown: list[Any] = [
        *(await client.thread(thread_id))["items"]["data"],
        *await client.items(thread_id),
    ]
    kinds = {item["type"] for item in shown}
    right = kinds <= {"user_message", "assistant_message"}
    expect.that(right, "the message and the answer only", sorted(kinds))


@case(
    "CAN-5",
    sends="The first half of a threads.create with an unusual text, and leaves.",
    needs="socket",
)
async def half_a_request_does_nothing(client: Client) -> None:
    """No thread appears with that text, and the server goes on."""
    mark = "conformance half a request"
    body = json.dumps({"type": "threads.create", "params": {"input": message(mark)}}).encode()
    length = str(len(body) + 100)
    async with client.connect() as connection:
        await connection.send(client.raw(body, [JSON, ("content-length", length)]))
        await anyio.sleep(PAUSE)
    await anyio.sleep(PAUSE)
    for thread in expect.listed(await client.get("threads.list", limit=20)):
        read = await client.ask("threads.get_by_id", thread_id=thread["id"])
        expect.that(mark not in read.text, "no thread with half a request's message", read)


@case("CAN-6", sends="conformance: slow; meanwhile threads.get_by_id and items.list.", needs="slow")
async def thread_can_be_read_meanwhile(client: Client) -> None:
    """Both are answered before the turn ends."""
    async with client.open("threads.create", input=message("conformance: slow")) as stream:
        await stream.until(lambda each: each["type"] == "thread.item.updated", "an update")
        thread_id = stream.events[0]["thread"]["id"]

        async def reading() -> None:
            await client.thread(thread_id)
            await client.items(thread_id)

        expect.that(
            await stream.meanwhile(reading), "answers before the turn ends", "answers after it"
        )


@case(
    "CAN-7",
    sends="conformance: slow; meanwhile threads.update; then the end of the turn.",
    needs="slow",
    slow=True,
)
async def rename_meanwhile_counts(client: Client) -> None:
    """The title is the new one afterwards."""
    async with client.open("threads.create", input=message("conformance: slow")) as stream:
        await stream.until(lambda each: each["type"] == "thread.item.updated", "an update")
        thread_id = stream.events[0]["thread"]["id"]
        await client.get("threads.update", thread_id=thread_id, title="Meanwhile")
        await stream.rest()
    expect.equal((await client.thread(thread_id)).get("title"), "Meanwhile", "the title afterwards")


@case(
    "CAN-8",
    sends="conformance: slow; meanwhile threads.delete; then the end of the turn.",
    needs="slow",
    slow=True,
    list_of_threads=True,
)
async def delete_meanwhile_counts(client: Client) -> None:
    """The thread is gone afterwards."""
    async with client.open("threads.create", input=message("conformance: slow")) as stream:
        await stream.until(lambda each: each["type"] == "thread.item.updated", "an update")
        thread_id = stream.events[0]["thread"]["id"]
        await client.get("threads.delete", thread_id=thread_id)
        while await stream.next() is not None:
            pass
    expect.refused(await client.ask("threads.get_by_id", thread_id=thread_id))
    answer = await client.ask("items.list", thread_id=thread_id)
    expect.that("tick" not in answer.text, "no items of the deleted thread", answer)
