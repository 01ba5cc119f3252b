"""The order of events, and what is stored (``docs/protocol/streams.md``)."""

from __future__ import annotations

import json
from typing import Any

from .. import expect
from ..case import Unmet, case
from ..client import Client, Turn, message


async def _read_again(client: Client, turn: Turn) -> dict[str, Any]:
    return {item["id"]: item for item in await client.items(turn.thread_id)}


@case("STR-1", sends="threads.create.")
async def begins_with_thread_created(client: Client) -> None:
    """The first event is thread.created with a whole thread."""
    events = expect.stream(await client.ask("threads.create", input=message("Hello")))
    expect.that(
        events and events[0]["type"] == "thread.created",
        "thread.created first",
        expect.kinds(events),
    )


@case("STR-1", sends="A second message in a thread.")
async def thread_is_created_once(client: Client) -> None:
    """No thread.created in its stream, and one in that of the first."""
    turn = await client.say("One")
    expect.equal(len(turn.of("thread.created")), 1, "how often thread.created came")
    second = await client.say("Two", turn.thread_id)
    expect.equal(len(second.of("thread.created")), 0, "how often it came again")


@case("STR-2", sends="A message in a new thread.")
async def user_message_comes_first(client: Client) -> None:
    """The first item of the stream is the user's message, done."""
    turn = await client.say("Hello")
    with_items = [event for event in turn.events if event["type"].startswith("thread.item.")]
    expect.that(with_items, "thread.item.done with the user's message", expect.kinds(turn.events))
    first = with_items[0]
    right = first["type"] == "thread.item.done" and first["item"]["type"] == "user_message"
    expect.that(right, "thread.item.done with the user's message first", expect.kinds(turn.events))


@case("STR-3", sends="A message of two texts and a tag with data.")
async def user_message_has_its_content(client: Client) -> None:
    """The item has the same content."""
    tag = {
        "type": "input_tag",
        "id": "acct_12",
        "text": "Acme",
        "data": {"tier": "gold"},
        "group": "Accounts",
        "interactive": True,
    }
    content = [{"type": "input_text", "text": "Compare "}, tag, {"type": "input_text", "text": "!"}]
    turn = await client.say("", content=content)
    expect.equal(turn.user["content"], content, "the content")


@case("STR-3", sends="A message with a quote.")
async def user_message_has_its_quote(client: Client) -> None:
    """The item has the same quoted_text, in the stream and when it is read again."""
    turn = await client.say("Why?", quoted_text="Revenue fell 4%")
    expect.equal(turn.user.get("quoted_text"), "Revenue fell 4%", "quoted_text")
    stored = (await _read_again(client, turn))[turn.user["id"]]
    expect.equal(stored.get("quoted_text"), "Revenue fell 4%", "quoted_text, stored")


@case("STR-3", sends="A message with a tool and a model chosen.")
async def user_message_has_its_options(client: Client) -> None:
    """The item has the same inference_options."""
    options = {"tool_choice": {"id": "search"}, "model": "fast"}
    turn = await client.say("Find", inference_options=options)
    expect.equal(turn.user.get("inference_options"), options, "inference_options")


@case("STR-4", sends="A message in a new thread.")
async def stream_options_come_before_the_answer(client: Client) -> None:
    """stream_options is there, before any item of the assistant."""
    turn = await client.say("Hello")
    for event in turn.events:
        if event["type"] == "stream_options":
            return
        item = event.get("item", {})
        if item and item["type"] != "user_message":
            break
    raise Unmet("stream_options before the answer", expect.kinds(turn.events))


@case("STR-5", sends="conformance: text.", needs="text")
async def added_items_are_done(client: Client) -> None:
    """Every item that was added is done or removed."""
    turn = await client.trigger("text")
    added = [event["item"]["id"] for event in turn.of("thread.item.added")]
    ended = [item["id"] for item in turn.done]
    ended += [event["item_id"] for event in turn.of("thread.item.removed")]
    for each in added:
        expect.that(each in ended, f"done or removed for {each}", expect.kinds(turn.events))


@case("STR-5", sends="conformance: text.", needs="text")
async def done_carries_everything(client: Client) -> None:
    """The done event has the whole text."""
    turn = await client.trigger("text")
    expect.equal(turn.text, "The quick brown fox.", "the text")


@case("STR-6", sends="conformance: workflow.", needs="workflow")
async def done_has_the_added_items_type(client: Client) -> None:
    """The item that was added and the one that is done have the same id and type."""
    turn = await client.trigger("workflow")
    done = {item["id"]: item["type"] for item in turn.done}
    for event in turn.of("thread.item.added"):
        item = event["item"]
        expect.equal(done.get(item["id"]), item["type"], f"the type of {item['id']} when done")


@case("STR-7", sends="conformance: two-messages.", needs="two-messages")
async def updates_are_for_open_items(client: Client) -> None:
    """Each update comes after its item was added and before it is done."""
    turn = await client.trigger("two-messages")
    open_items: set[str] = set()
    for event in turn.events:
        if event["type"] == "thread.item.added":
            open_items.add(event["item"]["id"])
        elif event["type"] == "thread.item.done":
            open_items.discard(event["item"]["id"])
        elif event["type"] == "thread.item.updated":
            right = event["item_id"] in open_items
            expect.that(right, "an update of an item that is open", event)


@case(
    "STR-8",
    sends="conformance: slow; reads the thread as soon as the user's message is done.",
    needs="slow",
)
async def done_items_are_stored(client: Client) -> None:
    """The message is in the thread, although the turn goes on."""
    async with client.open("threads.create", input=message("conformance: slow")) as stream:
        event = await stream.until(lambda each: each["type"] == "thread.item.done", "done")
        item = event["item"]
        page = await client.get("items.list", thread_id=item["thread_id"])
    ids = [each["id"] for each in expect.listed(page)]
    expect.that(item["id"] in ids, "the item that was done", ids)


@case("STR-9", sends="conformance: replace; then items.list.", needs="replace")
async def replaced_items_are_stored(client: Client) -> None:
    """The event has the id of the old item; the new text is what is read."""
    turn = await client.trigger("replace")
    replaced = turn.of("thread.item.replaced")
    expect.equal(len(replaced), 1, "how often thread.item.replaced came")
    item = replaced[0]["item"]
    expect.equal(item["id"], turn.item("assistant_message")["id"], "the id of the new item")
    stored = (await _read_again(client, turn)).get(item["id"])
    expect.that(stored is not None, "the item in the thread", "nothing")
    expect.equal(expect.text_of(stored), "new", "the stored text")


@case("STR-9", sends="conformance: replace; then items.list.", needs="replace")
async def replaced_items_keep_their_place(client: Client) -> None:
    """There is one of it, after the user's message."""
    turn = await client.trigger("replace")
    kinds = [item["type"] for item in await client.items(turn.thread_id)]
    expect.equal(kinds, ["user_message", "assistant_message"], "the items")


@case("STR-10", sends="conformance: remove; then items.list.", needs="remove")
async def removed_items_are_gone(client: Client) -> None:
    """The removed item is gone, the other is there."""
    turn = await client.trigger("remove")
    gone = [event["item_id"] for event in turn.of("thread.item.removed")]
    expect.equal(len(gone), 1, "how often thread.item.removed came")
    texts = json.dumps(list((await _read_again(client, turn)).values()))
    expect.that(gone[0] not in texts and "kept" in texts, "the kept message only", texts)


@case("STR-11", sends="conformance: title; then threads.get_by_id.", needs="title")
async def title_is_told(client: Client) -> None:
    """thread.updated has the title, and so has the thread."""
    turn = await client.trigger("title")
    titles = [event["thread"].get("title") for event in turn.of("thread.updated")]
    expect.that(
        "Conformance title" in titles, "thread.updated with the title", expect.kinds(turn.events)
    )
    thread = await client.thread(turn.thread_id)
    expect.equal(thread.get("title"), "Conformance title", "the title afterwards")


@case("STR-11", sends="conformance: title.", needs="title")
async def updated_thread_has_no_items(client: Client) -> None:
    """The thread in thread.updated has an empty page of items, and the right id."""
    turn = await client.trigger("title")
    for event in turn.of("thread.updated"):
        expect.equal(event["thread"]["items"]["data"], [], "its items")
        expect.equal(event["thread"]["id"], turn.thread_id, "its id")


@case("STR-11", sends="conformance: lock; then threads.get_by_id.", needs="lock")
async def lock_is_told(client: Client) -> None:
    """thread.updated has the status locked with its reason, and so has the thread."""
    turn = await client.trigger("lock")
    wanted = {"type": "locked", "reason": "Conformance"}
    told = [event["thread"]["status"] for event in turn.of("thread.updated")]
    expect.that(wanted in told, f"thread.updated with {wanted}", told)
    expect.equal((await client.thread(turn.thread_id))["status"], wanted, "the status afterwards")


@case("STR-11", sends="conformance: close; then threads.get_by_id.", needs="close")
async def close_is_told(client: Client) -> None:
    """thread.updated has the status closed with its reason, and so has the thread."""
    turn = await client.trigger("close")
    wanted = {"type": "closed", "reason": "Conformance"}
    told = [event["thread"]["status"] for event in turn.of("thread.updated")]
    expect.that(wanted in told, f"thread.updated with {wanted}", told)
    expect.equal((await client.thread(turn.thread_id))["status"], wanted, "the status afterwards")


async def _ephemeral(client: Client, trigger: str, kind: str, count: int) -> list[Any]:
    turn = await client.trigger(trigger)
    told = turn.of(kind)
    expect.equal(len(told), count, f"how often {kind} came")
    kinds = [item["type"] for item in await client.items(turn.thread_id)]
    expect.equal(kinds, ["user_message", "assistant_message"], "the items of the thread")
    return told


@case("STR-12", sends="conformance: progress; then items.list.", needs="progress")
async def progress_is_for_the_moment(client: Client) -> None:
    """Two progress_update events, one with an icon; no item."""
    told = await _ephemeral(client, "progress", "progress_update", 2)
    expect.equal([each["text"] for each in told], ["Reading", "Searching"], "the texts")
    expect.equal(told[1].get("icon"), "search", "the icon")


@case("STR-12", sends="conformance: notice; then items.list.", needs="notice")
async def notices_are_for_the_moment(client: Client) -> None:
    """A notice of each level; no item."""
    told = await _ephemeral(client, "notice", "notice", 3)
    levels = [each["level"] for each in told]
    expect.equal(levels, ["info", "warning", "danger"], "the levels")
    expect.equal(told[1].get("title"), "Limit", "the title")


@case("STR-12", sends="conformance: effect; then items.list.", needs="effect")
async def effects_are_for_the_moment(client: Client) -> None:
    """Two client_effect events, with their data; no item."""
    told = await _ephemeral(client, "effect", "client_effect", 2)
    expect.equal([each["name"] for each in told], ["conformance", "empty"], "the names")
    expect.same(told[0]["data"], {"a": 1, "nothing": None}, "the data")


@case("STR-12", sends="conformance: options; then items.list.", needs="options")
async def stream_options_can_change(client: Client) -> None:
    """stream_options with allow_cancel false; no item."""
    turn = await client.trigger("options")
    told = [event["stream_options"]["allow_cancel"] for event in turn.of("stream_options")]
    expect.that(told and told[-1] is False, "stream_options with allow_cancel false", told)
    kinds = [item["type"] for item in await client.items(turn.thread_id)]
    expect.equal(kinds, ["user_message", "assistant_message"], "the items of the thread")


@case("STR-13", sends="conformance: items twice in one thread.", needs="items")
async def ids_are_not_used_again(client: Client) -> None:
    """No id of the second turn was in the first."""
    first = await client.trigger("items")
    second = await client.trigger("items", first.thread_id)
    again = {item["id"] for item in first.done} & {item["id"] for item in second.done}
    expect.equal(sorted(again), [], "the ids that came again")


@case("STR-14", sends="conformance: nothing.", needs="nothing")
async def turn_without_an_answer(client: Client) -> None:
    """A stream with the user's message, and nothing from the assistant."""
    turn = await client.trigger("nothing")
    expect.equal([item["type"] for item in turn.done], ["user_message"], "the items")
    expect.equal(turn.of("error"), [], "error events")


@case("STR-15", sends="A message, and another in the same thread; then items.list.")
async def further_message(client: Client) -> None:
    """The second stream has the second message; the thread has both, in order."""
    first = await client.say("One")
    second = await client.say("Two", first.thread_id)
    expect.equal(second.user["content"][0]["text"], "Two", "the text of the second message")
    stored = await client.items(first.thread_id)
    texts = [item["content"][0]["text"] for item in stored if item["type"] == "user_message"]
    expect.equal(texts, ["One", "Two"], "the user's messages")


@case("STR-15", sends="A message in an id that no thread has.")
async def message_to_nowhere_is_refused(client: Client) -> None:
    """The request is refused."""
    answer = await client.ask(
        "threads.add_user_message", thread_id="thr_conformance_nowhere", input=message("Hello")
    )
    expect.refused(answer)


@case("STR-16", sends="conformance: lock; then a message in that thread.", needs="lock")
async def locked_thread_takes_no_message(client: Client) -> None:
    """The message is refused."""
    turn = await client.trigger("lock")
    answer = await client.ask(
        "threads.add_user_message", thread_id=turn.thread_id, input=message("Hello")
    )
    expect.refused(answer)


@case("STR-16", sends="conformance: close; then a message in that thread.", needs="close")
async def closed_thread_takes_no_message(client: Client) -> None:
    """The message is refused."""
    turn = await client.trigger("close")
    answer = await client.ask(
        "threads.add_user_message", thread_id=turn.thread_id, input=message("Hello")
    )
    expect.refused(answer)


@case("STR-17", sends="A message in a new thread.")
async def events_have_their_shape(client: Client) -> None:
    """Every event of a known type has its fields."""
    expect.stream(await client.ask("threads.create", input=message("Hello")))


@case("STR-18", sends="A message in a new thread.")
async def items_name_their_thread(client: Client) -> None:
    """Every item of the stream has the thread's id."""
    turn = await client.say("Hello")
    for item in turn.done:
        expect.equal(item["thread_id"], turn.thread_id, "thread_id")


@case("OBJ-1", sends="conformance: task; then items.list.", needs="task")
async def task_item(client: Client) -> None:
    """A task item with its task, stored as it was sent."""
    turn = await client.trigger("task")
    item = turn.item("task")
    expect.equal(item["task"].get("title"), "Filed", "the title")
    expect.same((await _read_again(client, turn)).get(item["id"]), item, "the stored item")


@case("OBJ-1", sends="conformance: end; then items.list.", needs="end")
async def end_of_turn_item(client: Client) -> None:
    """An end_of_turn item after the message, stored too."""
    turn = await client.trigger("end")
    item = turn.item("end_of_turn")
    expect.same((await _read_again(client, turn)).get(item["id"]), item, "the stored item")


@case("OBJ-1", sends="conformance: annotations; then items.list.", needs="annotations")
async def annotations_are_stored(client: Client) -> None:
    """The three kinds of sources come back as they were sent."""
    turn = await client.trigger("annotations")
    item = turn.item("assistant_message")
    kinds = [each["source"]["type"] for each in item["content"][0]["annotations"]]
    expect.equal(kinds, ["url", "file", "entity"], "the kinds of sources")
    expect.same((await _read_again(client, turn)).get(item["id"]), item, "the stored item")
