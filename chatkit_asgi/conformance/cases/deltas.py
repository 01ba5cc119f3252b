"""Updates fold to the item that is done (``docs/protocol/streams.md``)."""

from __future__ import annotations

import json
import re
from typing import Any

from .. import expect
from ..case import Unmet, case
from ..client import Client, Turn
from ..shapes import is_array, is_object

PART = "assistant_message.content_part."


def _folded(turn: Turn) -> dict[str, Any]:
    """The items that were added, with their updates applied, by id."""
    items: dict[str, Any] = {}
    for event in turn.events:
        if event["type"] == "thread.item.added":
            items[event["item"]["id"]] = json.loads(json.dumps(event["item"]))
        elif event["type"] == "thread.item.updated":
            if event["item_id"] not in items:
                raise Unmet("an update of an item that was added", event)
            _apply(items[event["item_id"]], event["update"])
    return items


def _apply(item: Any, update: Any) -> None:
    kind: str = update["type"]
    if kind.startswith(PART):
        parts, index = item["content"], update["content_index"]
        while len(parts) <= index:
            parts.append({"type": "output_text", "text": "", "annotations": []})
        if kind == f"{PART}text_delta":
            parts[index]["text"] += update["delta"]
        elif kind == f"{PART}annotation_added":
            parts[index]["annotations"].insert(update["annotation_index"], update["annotation"])
        else:
            parts[index] = json.loads(json.dumps(update["content"]))
    elif kind == "workflow.task.added":
        item["workflow"]["tasks"].insert(update["task_index"], update["task"])
    elif kind == "workflow.task.updated":
        item["workflow"]["tasks"][update["task_index"]] = update["task"]
    elif kind == "generated_image.updated":
        item["image"] = update["image"]
    elif kind == "widget.root.updated":
        item["widget"] = json.loads(json.dumps(update["widget"]))
    elif kind == "widget.component.updated":
        item["widget"] = _component(item["widget"], update["component_id"], update["component"])
    elif kind == "widget.streaming_text.value_delta":
        old = _find(item["widget"], update["component_id"])
        new = {**old, "value": old.get("value", "") + update["delta"]}
        item["widget"] = _component(item["widget"], update["component_id"], new)


def _find(tree: Any, identity: str) -> Any:
    if is_object(tree):
        if tree.get("id") == identity:
            return tree
        return _find(list(tree.values()), identity)
    for each in tree if is_array(tree) else ():
        if (found := _find(each, identity)) is not None:
            return found
    return None


def _component(tree: Any, identity: str, new: Any) -> Any:
    if is_object(tree):
        if tree.get("id") == identity:
            return new
        return {key: _component(each, identity, new) for key, each in tree.items()}
    if is_array(tree):
        return [_component(each, identity, new) for each in tree]
    return tree


async def _folds(client: Client, trigger: str, kind: str) -> Turn:
    turn = await client.trigger(trigger)
    final = turn.item(kind)
    expect.equal(
        _folded(turn).get(final["id"], {}).get("content"),
        final.get("content"),
        "the folded content",
    )
    return turn


@case("DLT-1", sends="conformance: text.", needs="text")
async def text_folds(client: Client) -> None:
    """The joined deltas are the final text."""
    turn = await _folds(client, "text", "assistant_message")
    joined = "".join(update["delta"] for update in turn.updates(f"{PART}text_delta"))
    expect.equal(joined, turn.text, "the joined deltas")


@case("DLT-1", sends="conformance: unicode; then items.list.", needs="unicode")
async def odd_text_folds(client: Client) -> None:
    """Other scripts, emoji, quotes and line breaks arrive whole, in deltas, done and store."""
    turn = await _folds(client, "unicode", "assistant_message")
    for piece in (
        "日本語",
        "עברית",
        "👩‍👩‍👧",
        '"quoted"',
        "\\back\\",
        "\u2028",
        "\ttab\nnew line",
        "😀",
        "- end",
    ):
        expect.that(piece in turn.text, f"{piece!r} in the text", turn.text)
    stored = [
        item for item in await client.items(turn.thread_id) if item["type"] == "assistant_message"
    ]
    expect.equal(expect.text_of(stored[-1]), turn.text, "the stored text")


@case("DLT-2", sends="conformance: parts.", needs="parts")
async def parts_alternate(client: Client) -> None:
    """Each part has its own deltas."""
    turn = await _folds(client, "parts", "assistant_message")
    joined = ["", ""]
    for update in turn.updates(f"{PART}text_delta"):
        joined[update["content_index"]] += update["delta"]
    expect.equal(joined, ["one more", "two more"], "the joined deltas of the parts")
    texts = [part["text"] for part in turn.item("assistant_message")["content"]]
    expect.equal(texts, ["one more", "two more"], "the texts of the parts")


@case("DLT-2", sends="conformance: two-messages.", needs="two-messages")
async def messages_alternate(client: Client) -> None:
    """Each message has its own deltas."""
    turn = await client.trigger("two-messages")
    folded = _folded(turn)
    done = [item for item in turn.done if item["type"] == "assistant_message"]
    expect.equal(len(done), 2, "how many messages were done")
    for item in done:
        expect.equal(expect.text_of(folded[item["id"]]), expect.text_of(item), "the folded text")


@case("DLT-3", sends="conformance: annotations.", needs="annotations")
async def annotations_fold(client: Client) -> None:
    """Three annotation_added updates, which are the annotations of the finished part."""
    turn = await client.trigger("annotations")
    added = [update["annotation"] for update in turn.updates(f"{PART}annotation_added")]
    expect.equal(
        added, turn.item("assistant_message")["content"][0]["annotations"], "the citations"
    )
    expect.equal(len(added), 3, "how many citations came")


@case("DLT-4", sends="conformance: unicode.", needs="unicode")
async def characters_stay_whole(client: Client) -> None:
    """No delta has half a surrogate pair, or a replacement character."""
    turn = await client.trigger("unicode")
    for update in turn.updates(f"{PART}text_delta"):
        broken = re.search("[\ud800-\udfff\ufffd]", update["delta"])
        expect.that(broken is None, "whole characters", ascii(update["delta"]))


@case("DLT-5", sends="conformance: widget-stream.", needs="widget-stream")
async def widget_folds(client: Client) -> None:
    """The text's deltas and the replaced root give the widget that is done."""
    turn = await client.trigger("widget-stream")
    item = turn.item("widget")
    expect.equal(_folded(turn)[item["id"]]["widget"], item["widget"], "the folded widget")


@case("DLT-5", sends="conformance: widget-stream.", needs="widget-stream")
async def widget_text_streams(client: Client) -> None:
    """value_delta updates join to the text, and the last one says that it is done."""
    turn = await client.trigger("widget-stream")
    deltas = turn.updates("widget.streaming_text.value_delta")
    expect.equal("".join(each["delta"] for each in deltas), "Hello world", "the joined deltas")
    expect.equal(deltas[-1]["done"], True, "done of the last delta")
    changed = turn.updates("widget.component.updated")
    expect.equal([each["component_id"] for each in changed], ["state"], "the replaced components")


@case("DLT-6", sends="conformance: workflow.", needs="workflow")
async def workflow_folds(client: Client) -> None:
    """The tasks that were added and updated are those of the workflow that is done."""
    turn = await client.trigger("workflow")
    item = turn.item("workflow")
    tasks = _folded(turn)[item["id"]]["workflow"]["tasks"]
    expect.equal(tasks, item["workflow"]["tasks"], "the folded tasks")
    expect.equal(len(tasks), 3, "how many tasks there are")


@case("OBJ-1", sends="conformance: workflow; then items.list.", needs="workflow")
async def workflow_is_stored(client: Client) -> None:
    """The stored workflow is the one that was done, with its summary."""
    turn = await client.trigger("workflow")
    item = turn.item("workflow")
    summary: dict[str, Any] = item["workflow"].get("summary") or {}
    expect.equal(summary.get("title"), "Did 3 things", "the summary's title")
    stored = {each["id"]: each for each in await client.items(turn.thread_id)}
    expect.same(stored.get(item["id"]), item, "the stored workflow")


@case("DLT-7", sends="conformance: image; then items.list.", needs="image")
async def image_folds(client: Client) -> None:
    """Two previews with a progress, and the last image when it is done and stored."""
    turn = await client.trigger("image")
    previews = turn.updates("generated_image.updated")
    expect.equal([each.get("progress") for each in previews], [0.5, 1.0], "the progress")
    item = turn.item("generated_image")
    expect.equal(_folded(turn)[item["id"]].get("image"), item.get("image"), "the last image")
    stored = {each["id"]: each for each in await client.items(turn.thread_id)}
    expect.same(stored.get(item["id"]), item, "the stored image")


@case("DLT-8", sends="conformance: long.", needs="long")
async def many_deltas_keep_their_order(client: Client) -> None:
    """All 300 words, in order, once each, in the deltas and when done."""
    turn = await client.trigger("long")
    wanted = "".join(f"word{number} " for number in range(300))
    joined = "".join(update["delta"] for update in turn.updates(f"{PART}text_delta"))
    expect.equal(joined, wanted, "the joined deltas")
    expect.equal(turn.text, wanted, "the final text")
