"""Threads: reading, listing, paging, renaming, deleting (``docs/protocol/threads.md``)."""

from __future__ import annotations

import json
from datetime import datetime

from .. import expect
from ..case import case
from ..client import Client, message

ODD = 'Ünïcödé 日本語 😀 "quoted" \\ <b>\nnext line'
NOWHERE = "thr_conformance_does_not_exist"


@case("THR-1", sends="A message in a new thread; then threads.get_by_id.")
async def created_thread_can_be_read(client: Client) -> None:
    """The thread has the id of thread.created, the user's message and everything that was done."""
    turn = await client.say("Hello")
    thread = expect.thread(await client.thread(turn.thread_id))
    expect.equal(thread["id"], turn.thread_id, "its id")
    ids = [item["id"] for item in thread["items"]["data"]]
    expect.equal(ids, [item["id"] for item in turn.done], "the ids of its items")


@case("THR-2", sends="A message in a new thread; then threads.get_by_id.")
async def new_thread_is_active(client: Client) -> None:
    """Its status is active, and all fields have their shape."""
    thread = expect.thread(await client.thread((await client.say("Hello")).thread_id))
    expect.equal(thread["status"]["type"], "active", "the status of a new thread")


@case("THR-2", sends="Two messages in two new threads.")
async def thread_ids_differ(client: Client) -> None:
    """The threads have different ids."""
    first, second = await client.say("Hello"), await client.say("Hello")
    expect.that(first.thread_id != second.thread_id, "two different ids", first.thread_id)


@case("THR-3", sends="A message in a new thread; then threads.get_by_id.")
async def times_are_iso(client: Client) -> None:
    """created_at of the thread and of each item is ISO 8601, and not years away from now."""
    thread = expect.thread(await client.thread((await client.say("Hello")).thread_id))
    for record in (thread, *thread["items"]["data"]):
        when = datetime.fromisoformat(record["created_at"].replace("Z", "+00:00"))
        expect.that(2024 < when.year < 2100, "a time of this age", record["created_at"])


@case("THR-4", sends="A message in a new thread; then threads.get_by_id.")
async def times_have_an_offset(client: Client) -> None:
    """created_at of the thread and of each item ends in Z or an offset."""
    thread = expect.thread(await client.thread((await client.say("Hello")).thread_id))
    for record in (thread, *thread["items"]["data"]):
        when = datetime.fromisoformat(record["created_at"].replace("Z", "+00:00"))
        expect.that(when.tzinfo is not None, "a time with its offset", record["created_at"])


@case(
    "THR-5",
    sends="conformance: metadata; then every request that shows a thread.",
    needs="metadata",
)
async def metadata_is_private(client: Client) -> None:
    """What the server keeps in a thread's metadata is in no answer."""
    answer = await client.ask("threads.create", input=message("conformance: metadata"))
    thread_id = expect.stream(answer)[0]["thread"]["id"]
    seen = [answer.text]
    for kind, params in (
        ("threads.get_by_id", {"thread_id": thread_id}),
        ("threads.list", {"limit": 50}),
        ("threads.update", {"thread_id": thread_id, "title": "New"}),
    ):
        seen.append((await client.post({"type": kind, "params": params})).text)
    for text in seen:
        expect.that("conformance-secret" not in text, "no private metadata", text)


@case("THR-6", sends="Two messages in one thread; then threads.get_by_id.")
async def items_stand_in_order(client: Client) -> None:
    """The first message stands before the second."""
    turn = await client.say("One")
    second = await client.say("Two", turn.thread_id)
    thread = await client.thread(turn.thread_id)
    ids = [item["id"] for item in thread["items"]["data"]]
    order = [turn.user["id"], second.user["id"]]
    expect.equal([each for each in ids if each in order], order, "the order of the two messages")


@case(
    "THR-7",
    sends="conformance: items twice, which makes more than 50 items; then threads.get_by_id.",
    needs="items",
)
async def long_thread_opens_at_its_end(client: Client) -> None:
    """The newest item is in the page, and has_more is true unless all are."""
    turn = await client.trigger("items")
    turn = await client.trigger("items", turn.thread_id)
    page = (await client.thread(turn.thread_id))["items"]
    ids = [item["id"] for item in page["data"]]
    expect.that(turn.done[-1]["id"] in ids, "the newest item in the page", f"{len(ids)} others")
    expect.that(page["has_more"] or len(ids) >= 52, "has_more, because there are older ones", page)


@case("THR-8", sends="threads.get_by_id of an id that no thread has.")
async def unknown_thread_is_refused(client: Client) -> None:
    """The request is refused."""
    expect.refused(await client.ask("threads.get_by_id", thread_id=NOWHERE))


async def _three(client: Client) -> list[str]:
    return [(await client.say(f"Thread {number}")).thread_id for number in range(3)]


@case(
    "THR-9",
    sends="Three new threads; then threads.list page by page, one thread each.",
    list_of_threads=True,
)
async def pages_repeat_and_skip_nothing(client: Client) -> None:
    """Each of the three comes once."""
    made = await _three(client)
    seen: list[str] = []
    async for thread in client.walk("threads.list", limit=1):
        seen.append(thread["id"])
        if set(made) <= set(seen):
            break
    for each in made:
        expect.equal(seen.count(each), 1, f"how often {each} came")


@case("THR-10", sends="Two new threads; then threads.list with limit 1.")
async def limit_is_an_upper_bound(client: Client) -> None:
    """One thread."""
    await _three(client)
    page = await client.get("threads.list", limit=1)
    expect.equal(len(expect.listed(page)), 1, "how many threads came")


@case("THR-10", sends="threads.list with limit null, with limit 0 and without.")
async def no_limit_is_the_servers_choice(client: Client) -> None:
    """Each is answered with a page that is not empty."""
    await client.say("Hello")
    for params in ({}, {"limit": None}, {"limit": 0}):
        page = await client.get("threads.list", **params)
        expect.that(expect.listed(page), "a page of threads", page)


@case("THR-11", sends="Two new threads; then threads.list with limit 1.")
async def has_more_and_a_cursor(client: Client) -> None:
    """has_more is true, and there is an after."""
    await _three(client)
    page = await client.get("threads.list", limit=1)
    expect.equal(page["has_more"], True, "has_more")
    expect.that(page.get("after"), "a cursor in `after`", page.get("after"))


@case("THR-11", sends="items.list of a new thread with limit 100.")
async def last_page_says_so(client: Client) -> None:
    """has_more is false."""
    turn = await client.say("Hello")
    page = await client.get("items.list", thread_id=turn.thread_id, limit=100)
    expect.equal(page["has_more"], False, "has_more of a page with everything")


@case("THR-12", sends="threads.list with limit 9999, as the client does.")
async def huge_limit_is_answered(client: Client) -> None:
    """A page."""
    turn = await client.say("Hello")
    page = await client.get("threads.list", limit=9999, order="desc")
    ids = [thread["id"] for thread in expect.listed(page)]
    expect.that(turn.thread_id in ids, "the newest thread in it", f"{len(ids)} others")


@case("THR-13", sends="items.list of a new thread with limit 100.")
async def no_cursor_on_the_last_page(client: Client) -> None:
    """after is missing or null."""
    turn = await client.say("Hello")
    page = await client.get("items.list", thread_id=turn.thread_id, limit=100)
    expect.that(page.get("after") is None, "no `after`", page.get("after"))


@case("THR-14", sends="threads.list after a cursor that does not exist.")
async def unknown_cursor_is_refused(client: Client) -> None:
    """The request is refused."""
    await client.say("Hello")
    expect.refused(await client.ask("threads.list", after=NOWHERE))


@case("THR-15", sends="threads.list with limit -1.")
async def negative_limit_is_refused(client: Client) -> None:
    """4xx."""
    expect.one_of(await client.ask("threads.list", limit=-1), "a 4xx answer")


async def _order(client: Client, made: list[str], **params: object) -> list[str]:
    seen: list[str] = []
    async for thread in client.walk("threads.list", **params):  # type: ignore[arg-type]
        if thread["id"] in made:
            seen.append(thread["id"])
        if len(seen) == len(made):
            break
    return seen


@case("THR-16", sends="Three new threads; then threads.list.", list_of_threads=True)
async def newest_first(client: Client) -> None:
    """The newest of the three stands first."""
    made = await _three(client)
    expect.equal(await _order(client, made), made[::-1], "the order of the three")


@case("THR-16", sends="Three new threads; then threads.list with order asc.", list_of_threads=True)
async def oldest_first(client: Client) -> None:
    """The oldest of the three stands first."""
    made = await _three(client)
    expect.equal(await _order(client, made, order="asc"), made, "the order of the three")


@case("THR-17", sends="A new thread; then threads.list.")
async def list_has_no_items(client: Client) -> None:
    """The threads' items are empty pages."""
    await client.say("Hello")
    for thread in expect.listed(await client.get("threads.list", limit=5)):
        expect.equal(thread["items"]["data"], [], "the items of a listed thread")


@case("THR-18", sends="A new thread; then threads.list.", list_of_threads=True)
async def new_thread_is_listed(client: Client) -> None:
    """It is there at once."""
    turn = await client.say("Hello")
    expect.equal(await _order(client, [turn.thread_id]), [turn.thread_id], "the new thread")


@case("THR-19", sends="threads.update with a title; then threads.get_by_id.")
async def rename(client: Client) -> None:
    """Both answers have the new title."""
    turn = await client.say("Hello")
    renamed = await client.get("threads.update", thread_id=turn.thread_id, title="New title")
    expect.equal(expect.thread(renamed).get("title"), "New title", "the title in the answer")
    expect.equal(renamed["id"], turn.thread_id, "the id in the answer")
    thread = await client.thread(turn.thread_id)
    expect.equal(thread.get("title"), "New title", "the title afterwards")


@case("THR-19", sends="threads.update with a title; then threads.list.", list_of_threads=True)
async def rename_is_listed(client: Client) -> None:
    """The list has the new title."""
    turn = await client.say("Hello")
    await client.get("threads.update", thread_id=turn.thread_id, title="Listed title")
    async for thread in client.walk("threads.list"):
        if thread["id"] == turn.thread_id:
            expect.equal(thread.get("title"), "Listed title", "the title in the list")
            return
    expect.that(False, "the thread in the list", "it is not there")


@case("THR-19", sends="threads.update of an id that no thread has.")
async def rename_of_nothing_is_refused(client: Client) -> None:
    """The request is refused."""
    expect.refused(await client.ask("threads.update", thread_id=NOWHERE, title="x"))


@case("THR-20", sends="threads.update with a title of scripts, emoji, quotes and a line break.")
async def any_title(client: Client) -> None:
    """The title comes back as it was sent."""
    turn = await client.say("Hello")
    await client.get("threads.update", thread_id=turn.thread_id, title=ODD)
    expect.equal((await client.thread(turn.thread_id)).get("title"), ODD, "the title")


@case("THR-21", sends="threads.update with an empty title.")
async def empty_title(client: Client) -> None:
    """It is taken."""
    turn = await client.say("Hello")
    thread = await client.get("threads.update", thread_id=turn.thread_id, title="")
    expect.that(not thread.get("title"), "an empty title", thread.get("title"))


async def _deleted(client: Client) -> str:
    turn = await client.say("Hello")
    await client.get("threads.delete", thread_id=turn.thread_id)
    return turn.thread_id


@case("THR-22", sends="threads.delete; then threads.get_by_id.", list_of_threads=True)
async def deleted_thread_cannot_be_read(client: Client) -> None:
    """The second request is refused."""
    expect.refused(await client.ask("threads.get_by_id", thread_id=await _deleted(client)))


@case("THR-22", sends="threads.delete; then threads.list.", list_of_threads=True)
async def deleted_thread_is_not_listed(client: Client) -> None:
    """The thread is not in the list."""
    thread_id = await _deleted(client)
    ids = [thread["id"] for thread in expect.listed(await client.get("threads.list", limit=50))]
    expect.that(thread_id not in ids, "a list without the deleted thread", ids)


@case("THR-22", sends="threads.delete; then items.list.", list_of_threads=True)
async def deleted_thread_has_no_items(client: Client) -> None:
    """The items are gone: the request is refused, or the page is empty."""
    answer = await client.ask("items.list", thread_id=await _deleted(client))
    if answer.status == 200:
        expect.equal(expect.json_object(answer).get("data"), [], "the items of a deleted thread")
    else:
        expect.refused(answer)


@case("THR-22", sends="threads.delete; then a message in that thread.", list_of_threads=True)
async def deleted_thread_takes_no_message(client: Client) -> None:
    """The message is refused."""
    thread_id = await _deleted(client)
    expect.refused(
        await client.ask("threads.add_user_message", thread_id=thread_id, input=message("Hello?"))
    )


@case("THR-22", sends="threads.delete of one of two threads.", list_of_threads=True)
async def other_threads_stay(client: Client) -> None:
    """The other can still be read."""
    kept = await client.say("Stay")
    await _deleted(client)
    thread = await client.thread(kept.thread_id)
    expect.that("Stay" in json.dumps(thread), "the other thread's message", thread)


@case("THR-23", sends="threads.delete of an id that no thread has.")
async def deleting_nothing_is_fine(client: Client) -> None:
    """A JSON object."""
    expect.json_object(await client.ask("threads.delete", thread_id=NOWHERE))
