"""What a page shows, from the bytes that it received: written apart from the library's own fold, so that a mistake in
one is not repeated in the other."""

from __future__ import annotations

import copy
import json
from typing import Any

JSON = dict[str, Any]


class Screen:
    """The items of a thread as JSON, in the order of their appearance, by id."""

    def __init__(self, items: list[JSON] | None = None) -> None:
        self.items: dict[str, JSON] = {item["id"]: item for item in items or []}
        self.done: set[str] = set()
        """Items that were shown in their final form."""
        self.seen: set[str] = set()
        """Items that any event was about."""
        self.thread: JSON = {}
        self.errors: list[JSON] = []
        self.events: list[JSON] = []

    def read(self, body: bytes) -> Screen:
        """Take in whole frames; a last one that was cut is not an event and is not shown."""
        for frame in body.split(b"\n\n")[:-1]:
            if not frame.startswith(b":"):
                assert frame.startswith(b"data: ")
                self.show(json.loads(frame[6:]))
        return self

    def show(self, event: JSON) -> None:
        """Take in one event."""
        self.events.append(event)
        match event["type"]:
            case "thread.created" | "thread.updated":
                self.thread = event["thread"]
            case "thread.item.added":
                self._put(event["item"])
                self.done.discard(event["item"]["id"])
            case "thread.item.done" | "thread.item.replaced":
                self._put(event["item"])
                self.done.add(event["item"]["id"])
            case "thread.item.removed":
                self.items.pop(event["item_id"], None)
                self.done.discard(event["item_id"])
            case "thread.item.updated":
                if (item := self.items.get(event["item_id"])) is not None:
                    self.seen.add(item["id"])
                    self.done.discard(item["id"])
                    _update(item, event["update"])
            case "error":
                self.errors.append(event)
            case _:
                pass

    def _put(self, item: JSON) -> None:
        self.seen.add(item["id"])
        self.items[item["id"]] = copy.deepcopy(item)

    @property
    def open(self) -> list[str]:
        """Items that were shown and not in their final form."""
        return [each for each in self.items if each in self.seen and each not in self.done]


def _update(item: JSON, update: JSON) -> None:
    kind = update["type"]
    if kind.startswith("assistant_message.content_part."):
        _update_part(item["content"], update)
    elif kind == "workflow.task.added":
        item["workflow"]["tasks"].insert(max(update["task_index"], 0), update["task"])
    elif kind == "workflow.task.updated":
        item["workflow"]["tasks"][update["task_index"]] = update["task"]
    elif kind == "widget.root.updated":
        item["widget"] = update["widget"]
    elif kind == "generated_image.updated":
        item["image"] = update["image"]
    else:
        _update_component(item["widget"], update)


def _update_part(parts: list[JSON], update: JSON) -> None:
    index = update["content_index"]
    while len(parts) <= index:
        parts.append({"annotations": [], "text": "", "type": "output_text"})
    match update["type"].rpartition(".")[2]:
        case "added" | "done":
            parts[index] = update["content"]
        case "text_delta":
            parts[index]["text"] += update["delta"]
        case _:
            parts[index]["annotations"].insert(
                max(update["annotation_index"], 0), update["annotation"]
            )


def _update_component(component: JSON, update: JSON) -> bool:
    if component.get("id") == update["component_id"]:
        if update["type"] == "widget.component.updated":
            component.clear()
            component.update(update["component"])
        else:
            component["value"] += update["delta"]
        return True
    children = component.get("children", [])
    return any(_update_component(child, update) for child in children)


def texts(item: Any) -> list[str]:
    """Every text in an item, wherever it is."""
    if isinstance(item, str):
        return [item]
    if isinstance(item, dict):
        return [text for value in item.values() for text in texts(value)]
    if isinstance(item, list):
        return [text for value in item for text in texts(value)]
    return []
