"""A thread as a page shows it. Sans-I/O: events and pages in, items out. May import ``types`` and ``protocol``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import ChatKitError
from ..protocol.codec import decode, decode_item, encode
from ..protocol.fold import OpenItem
from ..types import ThreadItemUpdate, ThreadMetadata

__all__ = ["ThreadState"]


class ThreadState:
    """A thread as a page shows it, rebuilt from events and pages."""

    def __init__(self, id: str | None = None) -> None:
        self.id = id
        self.title: str | None = None
        self.status: Any = {"type": "active"}
        self.allowed_image_domains: list[str] | None = None
        self.options: dict[str, Any] = {}
        """The last ``stream_options``."""
        self.progress: dict[str, Any] | None = None
        """The last ``progress_update``, until the next item or the end of the stream."""
        self.problems: list[str] = []
        """What a page could not make sense of: updates of unknown items or of an unknown kind."""
        self._items: dict[str, Any] = {}

    @property
    def items(self) -> list[Any]:
        """The items, oldest first; unfinished ones as they are now."""
        return [self._read(item) for item in self._items.values()]

    @property
    def unfinished(self) -> list[str]:
        """Ids of items that were added and are not done."""
        return [id for id, item in self._items.items() if isinstance(item, OpenItem)]

    def item(self, item_id: str) -> Any:
        """One item. Raises KeyError."""
        return self._read(self._items[item_id])

    def of_type(self, *types: str) -> list[Any]:
        """The items of these types."""
        return [item for item in self.items if item.type in types]

    @property
    def text(self) -> str:
        """The text of the newest assistant's message; empty without one."""
        messages = self.of_type("assistant_message")
        return "".join(part.text for part in messages[-1].content) if messages else ""

    @property
    def pending_tool_call(self) -> Any:
        """The newest client tool call that waits for its output, if any."""
        calls = [item for item in self.of_type("client_tool_call") if item.status == "pending"]
        return calls[-1] if calls else None

    @staticmethod
    def _read(item: Any) -> Any:
        return item.item() if isinstance(item, OpenItem) else item

    def apply(self, event: Mapping[str, Any]) -> None:
        """Take in one event. Unknown ones are ignored, as a page ignores them."""
        match event:
            case {"type": "thread.created" | "thread.updated", "thread": thread}:
                self.show_thread(thread)
            case {"type": "thread.item.added", "item": item}:
                self._put(OpenItem(decode_item(encode(item))))
            case {"type": "thread.item.done" | "thread.item.replaced", "item": item}:
                self._put(decode_item(encode(item)))
            case {"type": "thread.item.removed", "item_id": item_id}:
                self._items.pop(item_id, None)
            case {"type": "thread.item.updated", "item_id": item_id, "update": update}:
                self._update(item_id, update)
            case {"type": "stream_options", "stream_options": options}:
                self.options = dict(options)
            case {"type": "progress_update"}:
                self.progress = dict(event)
            case _:
                pass

    def show_thread(self, thread: Mapping[str, Any]) -> None:
        """Take over a thread object, and its items if it has any."""
        # Raises if it is no thread.
        decode(encode({**thread, "items": None, "metadata": {}}), ThreadMetadata)
        self.id = thread["id"]
        self.title = thread.get("title")
        self.status = thread.get("status", self.status)
        self.allowed_image_domains = thread.get("allowed_image_domains")
        for item in thread.get("items", {}).get("data", ()):
            self._put(decode_item(encode(item)))

    def replace_items(self, items: Sequence[Any]) -> None:
        """Forget all items and show these, oldest first."""
        self._items = {item.id: item for item in items}

    def drop_after(self, item_id: str) -> None:
        """Forget what comes after an item, as a page does when it asks for a retry."""
        ids = list(self._items)
        if item_id in ids:
            for later in ids[ids.index(item_id) + 1 :]:
                del self._items[later]

    def _put(self, item: Any) -> None:
        self.progress = None
        self._items[item.id] = item

    def _update(self, item_id: str, update: Any) -> None:
        item = self._items.get(item_id)
        if item is None:
            self.problems.append(f"update of an unknown item {item_id!r}")
            return
        finished = not isinstance(item, OpenItem)
        open_item = OpenItem(item) if finished else item
        try:
            open_item.apply(decode(encode(update), ThreadItemUpdate))
        except ChatKitError as error:
            self.problems.append(f"update of {item_id!r}: {error}")
        self._items[item_id] = open_item.item() if finished else open_item
