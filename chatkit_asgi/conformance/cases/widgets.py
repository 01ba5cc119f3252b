"""Widgets and their actions (``docs/protocol/turns.md``)."""

from __future__ import annotations

import json
from typing import Any

from .. import expect
from ..case import case
from ..client import Client, Turn, message

ACTION = "threads.custom_action"
SYNC = "threads.sync_custom_action"


async def _act(client: Client, turn: Turn, kind: str, payload: Any = ..., **more: Any) -> Turn:
    action: dict[str, Any] = {"type": kind, **more}
    if payload is not ...:
        action["payload"] = payload
    return await client.run(
        ACTION, thread_id=turn.thread_id, item_id=turn.item("widget")["id"], action=action
    )


async def _echoed(client: Client, payload: Any, wanted: Any, **more: Any) -> None:
    turn = await client.trigger("widget")
    again = await _act(client, turn, "conformance.echo", payload, **more)
    head = "conformance payload: "
    expect.that(again.text.startswith(head), f"{head}and the payload", again.text)
    expect.equal(
        json.loads(again.text.removeprefix(head)), wanted, "the payload that the handler got"
    )


def _body(item: Any) -> str:
    for child in item["widget"]["children"]:
        if child.get("id") == "body":
            text: str = child["value"]
            return text
    return ""


@case("ACT-1", sends="conformance: widget.", needs="widget")
async def widget_item(client: Client) -> None:
    """A widget whose root is a Card, with its children and its copy_text."""
    item = (await client.trigger("widget")).item("widget")
    expect.equal(item["widget"]["type"], "Card", "the root")
    kinds = [child["type"] for child in item["widget"]["children"]]
    expect.equal(kinds, ["Text", "Caption", "Button"], "the children")
    expect.equal(item.get("copy_text"), "copied", "copy_text")


@case("ACT-2", sends="conformance: widget; then items.list.", needs="widget")
async def widget_is_stored(client: Client) -> None:
    """The same widget, its action included."""
    turn = await client.trigger("widget")
    item = turn.item("widget")
    stored = {each["id"]: each for each in await client.items(turn.thread_id)}
    expect.same(stored.get(item["id"]), item, "the stored widget")
    action = item["widget"]["children"][2].get("onClickAction", {})
    expect.equal(action.get("type"), "conformance.echo", "the button's action")


@case("ACT-3", sends="An action with an object as payload.", needs=("widget", "action"))
async def action_reaches_its_handler(client: Client) -> None:
    """The handler gets the payload."""
    payload = {"id": 7, "deep": {"list": [1, "zwei", True]}}
    await _echoed(client, payload, payload)


@case("ACT-3", sends="An action without payload.", needs=("widget", "action"))
async def action_without_payload(client: Client) -> None:
    """The handler gets null."""
    await _echoed(client, ..., None)


@case("ACT-3", sends="An action with a string as payload.", needs=("widget", "action"))
async def action_with_a_string(client: Client) -> None:
    """The handler gets the string."""
    await _echoed(client, "日本語 😀", "日本語 😀")


@case("ACT-3", sends="An action with an array with nulls as payload.", needs=("widget", "action"))
async def action_with_an_array(client: Client) -> None:
    """The handler gets the array, nulls included."""
    await _echoed(client, [1, None, {"a": None}], [1, None, {"a": None}])


@case("ACT-3", sends="An action in an id that no thread has.")
async def action_in_no_thread_is_refused(client: Client) -> None:
    """It is refused."""
    answer = await client.ask(
        ACTION, thread_id="thr_conformance_nowhere", item_id=None, action={"type": "x"}
    )
    expect.refused(answer)


@case("ACT-3", sends="An action whose handler fails.", needs=("widget", "action"))
async def failing_action_is_an_error_event(client: Client) -> None:
    """An error event in a stream that ends properly, or a 5xx answer."""
    turn = await client.trigger("widget")
    answer = await client.ask(
        ACTION,
        thread_id=turn.thread_id,
        item_id=turn.item("widget")["id"],
        action={"type": "conformance.fail"},
    )
    expect.one_of(answer, "an error event", "a 5xx answer")
    expect.that("conformance-secret" not in answer.text, "nothing of the exception", answer)


@case(
    "ACT-4",
    sends="An action with handler, loadingBehavior and streaming.",
    needs=("widget", "action"),
)
async def action_with_the_clients_own_keys(client: Client) -> None:
    """They are ignored."""
    own = {"handler": "server", "loadingBehavior": "auto", "streaming": True, "odd": 1}
    await _echoed(client, {"a": 1}, {"a": 1}, **own)


async def _without_sender(client: Client, **item: Any) -> None:
    turn = await client.say("Hello")
    action = {"type": "conformance.echo", "payload": 1}
    again = await client.run(ACTION, thread_id=turn.thread_id, action=action, **item)
    expect.equal(again.text, "conformance payload: 1", "the answer")


@case("ACT-5", sends="An action with item_id null.", needs="action")
async def action_with_item_id_null(client: Client) -> None:
    """It is answered."""
    await _without_sender(client, item_id=None)


@case("ACT-5", sends="An action without item_id.", needs="action")
async def action_without_item_id(client: Client) -> None:
    """It is answered."""
    await _without_sender(client)


@case("ACT-5", sends="An action with an empty item_id.", needs="action")
async def action_with_an_empty_item_id(client: Client) -> None:
    """It is answered, as without."""
    await _without_sender(client, item_id="")


async def _refused(client: Client, kind: str, item_id: str = "") -> None:
    turn = await client.say("Hello")
    answer = await client.ask(
        kind,
        thread_id=turn.thread_id,
        item_id=item_id or turn.user["id"],
        action={"type": "conformance.echo" if kind == ACTION else "conformance.sync"},
    )
    expect.refused(answer)


@case("ACT-6", sends="An action from an id that no item has.", needs="action")
async def action_of_nothing_is_refused(client: Client) -> None:
    """It is refused."""
    await _refused(client, ACTION, "msg_nowhere")


@case("ACT-6", sends="An action from the user's message.", needs="action")
async def action_of_a_message_is_refused(client: Client) -> None:
    """It is refused."""
    await _refused(client, ACTION)


@case("ACT-6", sends="A synchronous action from an id that no item has.", needs="sync-action")
async def sync_action_of_nothing_is_refused(client: Client) -> None:
    """It is refused."""
    await _refused(client, SYNC, "msg_nowhere")


@case("ACT-6", sends="A synchronous action from the user's message.", needs="sync-action")
async def sync_action_of_a_message_is_refused(client: Client) -> None:
    """It is refused."""
    await _refused(client, SYNC)


@case(
    "ACT-7",
    sends="An action that replaces its widget; then items.list.",
    needs=("widget", "action"),
)
async def replaced_widget_is_told_and_stored(client: Client) -> None:
    """thread.item.replaced has the changed widget, and so has the thread."""
    turn = await client.trigger("widget")
    again = await _act(client, turn, "conformance.replace")
    told = [event["item"] for event in again.of("thread.item.replaced")]
    expect.that(told, "thread.item.replaced", expect.kinds(again.events))
    expect.equal(_body(told[-1]), "replaced", "the text in the widget")
    stored = {item["id"]: item for item in await client.items(turn.thread_id)}
    expect.same(stored.get(turn.item("widget")["id"]), told[-1], "the stored widget")


async def _sync(client: Client, turn: Turn, kind: str) -> Any:
    return await client.get(
        SYNC,
        thread_id=turn.thread_id,
        item_id=turn.item("widget")["id"],
        action={"type": kind, "payload": {"a": 1}},
    )


@case(
    "ACT-8", sends="A synchronous action that changes its widget.", needs=("widget", "sync-action")
)
async def sync_action_gives_the_item(client: Client) -> None:
    """updated_item is the changed widget, with the same id."""
    turn = await client.trigger("widget")
    answer = await _sync(client, turn, "conformance.sync")
    item = expect.item(answer.get("updated_item"))
    expect.equal(item["id"], turn.item("widget")["id"], "the id")
    expect.equal(_body(item), "synced", "the text in the widget")


@case("ACT-8", sends="A synchronous action that changes nothing.", needs=("widget", "sync-action"))
async def sync_action_gives_nothing(client: Client) -> None:
    """A JSON object without updated_item."""
    turn = await client.trigger("widget")
    answer = await _sync(client, turn, "conformance.sync-nothing")
    expect.that(answer.get("updated_item") is None, "no updated_item", answer)


@case("ACT-9", sends="A synchronous action; then items.list.", needs=("widget", "sync-action"))
async def sync_action_is_stored(client: Client) -> None:
    """The thread has the changed widget."""
    turn = await client.trigger("widget")
    await _sync(client, turn, "conformance.sync")
    stored = {item["id"]: item for item in await client.items(turn.thread_id)}
    expect.equal(
        _body(stored[turn.item("widget")["id"]]), "synced", "the text in the stored widget"
    )


@case(
    "ACT-10",
    sends="A synchronous action while conformance: slow runs in the thread.",
    needs=("widget", "sync-action", "slow"),
)
async def sync_action_during_a_turn(client: Client) -> None:
    """It is answered before the turn ends."""
    turn = await client.trigger("widget")
    said = message("conformance: slow")
    async with client.open(
        "threads.add_user_message", thread_id=turn.thread_id, input=said
    ) as stream:
        await stream.until(lambda event: event["type"] == "thread.item.updated", "an update")

        async def act() -> None:
            answer = await _sync(client, turn, "conformance.sync")
            expect.that(answer.get("updated_item"), "updated_item", answer)

        expect.that(await stream.meanwhile(act), "an answer before the turn ends", "one after it")


async def _without_type(client: Client, kind: str) -> None:
    turn = await client.say("Hello")
    answer = await client.ask(kind, thread_id=turn.thread_id, item_id=None, action={"payload": 1})
    expect.one_of(answer, "a 4xx answer")


@case("ACT-11", sends="An action without a type.")
async def action_without_type_is_refused(client: Client) -> None:
    """4xx."""
    await _without_type(client, ACTION)


@case("ACT-12", sends="conformance: widget-nulls.", needs="widget-nulls")
async def nulls_in_a_payload_stay(client: Client) -> None:
    """The payload of the button's action has its nulls, in the stream and in the store."""
    turn = await client.trigger("widget-nulls")
    wanted = {"id": None, "list": [1, None]}
    stored = [item for item in await client.items(turn.thread_id) if item["type"] == "widget"]
    for item in (turn.item("widget"), *stored):
        got = item["widget"]["children"][0]["onClickAction"].get("payload")
        expect.equal(got, wanted, "the payload")


@case("ACT-2", sends="conformance: widget-open; then items.list.", needs="widget-open")
async def unknown_props_are_kept(client: Client) -> None:
    """Props that the server may not know are in the stream and in the store."""
    turn = await client.trigger("widget-open")
    item = turn.item("widget")
    expect.equal(item["widget"].get("odd"), {"a": [1]}, "a prop of the root")
    stored = [each for each in await client.items(turn.thread_id) if each["type"] == "widget"]
    expect.same([each["widget"] for each in stored], [item["widget"]], "the stored widget")
