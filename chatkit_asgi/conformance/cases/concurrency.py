"""Several requests at once (``docs/protocol/safety.md``)."""

from __future__ import annotations

from functools import partial

from .. import expect
from ..case import Unmet, case
from ..client import Answer, Client, Turn, at_once, message


async def _parallel(client: Client, count: int) -> list[Turn]:
    return await at_once(*(partial(client.say, f"Parallel {number}") for number in range(count)))


@case("CON-1", sends="Eight messages in eight new threads, at once.")
async def threads_do_not_mix(client: Client) -> None:
    """Each stream has its own thread's items only, and each thread its own message."""
    for turn in await _parallel(client, 8):
        texts = {item["thread_id"] for item in turn.done}
        expect.equal(sorted(texts), [turn.thread_id], "the threads of the items in one stream")
        said = turn.user["content"][0]["text"]
        users = [
            item for item in await client.items(turn.thread_id) if item["type"] == "user_message"
        ]
        expect.equal([item["content"][0]["text"] for item in users], [said], "the thread's message")


@case("CON-2", sends="conformance: text and another message in one thread, at once.", needs="text")
async def two_turns_in_one_thread(client: Client) -> None:
    """Both are answered, or one is refused; what was answered is in the thread, whole."""
    turn = await client.say("Hello")

    async def send(text: str) -> Answer:
        said = message(text)
        return await client.ask("threads.add_user_message", thread_id=turn.thread_id, input=said)

    answers = await at_once(partial(send, "conformance: text"), partial(send, "Me too"))
    taken = [each for each in answers if expect.ANSWERS["an event stream"](each)]
    expect.that(taken, "at least one stream", [str(each) for each in answers])
    for each in answers:
        if each not in taken:
            expect.one_of(each, "409", "an error event")
    stored = {item["id"]: item for item in await client.items(turn.thread_id)}
    for each in taken:
        for item in (event["item"] for event in each.events if event["type"] == "thread.item.done"):
            expect.same(stored.get(item["id"]), item, "an item that was done")


@case(
    "CON-3",
    sends="threads.list and a message in another thread while conformance: slow runs.",
    needs="slow",
)
async def slow_turn_holds_nobody_up(client: Client) -> None:
    """Both are answered before the slow turn ends."""
    async with client.open("threads.create", input=message("conformance: slow")) as stream:
        await stream.until(lambda event: event["type"] == "thread.item.updated", "an update")

        async def asking() -> None:
            await client.get("threads.list", limit=1)
            await client.say("Quick")

        expect.that(
            await stream.meanwhile(asking), "answers before the turn ends", "answers after it"
        )


@case("CON-4", sends="Five renames of one thread, at once.")
async def one_of_several_renames_counts(client: Client) -> None:
    """The title is one of the five, and every rename was answered."""
    turn = await client.say("Hello")

    async def rename(title: str) -> None:
        await client.get("threads.update", thread_id=turn.thread_id, title=title)

    await at_once(*(partial(rename, title) for title in "abcde"))
    title = (await client.thread(turn.thread_id)).get("title")
    expect.that(title in tuple("abcde"), "one of the five titles", title)


@case("CON-5", sends="Eight new threads, at once; then threads.list.", list_of_threads=True)
async def parallel_threads_are_listed(client: Client) -> None:
    """Eight ids, all in the list."""
    made = {turn.thread_id for turn in await _parallel(client, 8)}
    expect.equal(len(made), 8, "how many ids there are")
    seen: set[str] = set()
    async for thread in client.walk("threads.list"):
        seen.add(thread["id"])
        if made <= seen:
            return
    raise Unmet("all eight threads in the list", sorted(made - seen))
