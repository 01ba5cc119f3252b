"""A driver of :class:`~chatkit_asgi.protocol.turn.Turn` without I/O: a store that is a dict and a screen that reads."""

from __future__ import annotations

import copy
import json
from typing import Any

from chatkit_asgi.protocol.codec import encode
from chatkit_asgi.protocol.effects import DeleteItem, LoadItem, PatchThread, SaveItem, Send
from chatkit_asgi.protocol.turn import Turn
from chatkit_asgi.protocol.visibility import is_hidden
from chatkit_asgi.types import ThreadMetadata
from tests.conftest import START
from tests.turns.screen import JSON, Screen


class Ledger:
    """Performs what a turn asks for, at once and in order."""

    def __init__(self, *earlier: Any) -> None:
        self.stored: dict[str, Any] = {item.id: copy.deepcopy(item) for item in earlier}
        self.thread = ThreadMetadata(id="thr_1", created_at=START)
        self.turn = Turn(copy.deepcopy(self.thread))
        self.sent: list[bytes] = []
        self.screen = Screen([as_json(item) for item in earlier])
        self.told_unsaved: list[str] = []
        """Items whose final form was told before it was stored."""

    def receive(self, event: Any) -> None:
        """One event of the handler."""
        self.perform(self.turn.receive_event(event))

    def perform(self, out: bytes | list[Any]) -> None:
        """What the turn returned."""
        for effect in [Send(out)] if isinstance(out, bytes) else out:
            match effect:
                case Send():
                    self._send(effect.frame)
                case SaveItem():
                    self.stored[effect.item.id] = copy.deepcopy(effect.item)
                case DeleteItem():
                    self.stored.pop(effect.item_id, None)
                case LoadItem():
                    item = copy.deepcopy(self.stored.get(effect.event.item_id))
                    self.perform(self.turn.receive_stored_item(effect.event, item))
                case PatchThread():
                    effect.patch.apply(self.thread)
                    frame = self.turn.receive_stored_thread(effect.patch, self.thread)
                    if effect.announce:
                        self._send(frame)

    def _send(self, frame: bytes) -> None:
        self.sent.append(frame)
        self.screen.read(frame)
        event = json.loads(frame[6:])
        if event["type"] in ("thread.item.done", "thread.item.replaced"):
            item = event["item"]
            if item["id"] not in self.stored or as_json(self.stored[item["id"]]) != item:
                self.told_unsaved.append(item["id"])

    def checkpoint(self) -> None:
        """What the clockwork does every second."""
        self.perform(self.turn.checkpoint())

    def close(self) -> None:
        """The turn ends, however."""
        self.perform(self.turn.close())
        self.perform(self.turn.thread_effects(deep=True))

    @property
    def visible(self) -> list[JSON]:
        """What a client would load."""
        return [as_json(item) for item in self.stored.values() if not is_hidden(item)]

    def state(self) -> Any:
        """All that a turn is, for comparison."""
        turn = self.turn
        return (
            [as_json(item) for item in turn.pending()],
            dict(turn.saved),
            set(turn.closed),
            turn.produced,
            [open_item.mark() for open_item in turn.open.values()],
        )


def as_json(item: Any) -> JSON:
    """An item as it goes over the wire."""
    found: JSON = json.loads(encode(item))
    return found
