"""What an author's handler yields, made into effects: text, events, items and widgets alike.

Text is sugar for one assistant's message; ids that were not made here and are in use become aliases of new ones. May
import ``protocol`` and ``types``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol, cast, get_args

from ..errors import AuthorError
from ..ids import is_minted
from ..protocol.effects import Effect, Send
from ..protocol.turn import Turn
from ..types import (
    AssistantMessageContent,
    AssistantMessageContentPartAdded,
    AssistantMessageContentPartDone,
    AssistantMessageItem,
    ClientEffectEvent,
    ErrorEvent,
    NoticeEvent,
    ProgressUpdateEvent,
    StreamOptionsEvent,
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
    UnknownItem,
    WidgetItem,
)

__all__ = ["Intake", "has_foreign_id"]

_PASSING = (ProgressUpdateEvent, ClientEffectEvent, ErrorEvent, NoticeEvent, StreamOptionsEvent)
"""Events that may come in the middle of a text."""

_APPEARING: Final = (ThreadItemAddedEvent, ThreadItemDoneEvent)
"""Events with an item that may be new."""

_NO_ALIASES: Final[Mapping[str, str]] = MappingProxyType({})


class Items(Protocol):
    """The items of the thread that is answered."""

    def new_base(self) -> dict[str, Any]:
        """``id``, ``thread_id`` and ``created_at`` of a new message."""
        ...

    async def is_stored(self, item_id: str) -> bool:
        """Whether the thread has an item of that id."""
        ...


class Intake:
    """Makes effects of what a handler yields.

    Args:
        turn: Receives the events.
        items: Makes ids, and knows those that are taken.
    """

    __slots__ = ("_items", "_turn", "aliases", "text_id")

    def __init__(self, turn: Turn, items: Items) -> None:
        self._turn = turn
        self._items = items
        self.text_id: str | None = None
        """The message that yielded strings go to."""
        self.aliases: Mapping[str, str] = _NO_ALIASES
        """Ids that the handler uses for items whose real ids were made here."""

    def receive(self, value: Any, todo: list[Effect]) -> bytes | list[Effect]:
        """One value that the handler yielded.

        Args:
            value: Text, an event or a widget; an item comes as its ``thread.item.done``, after :meth:`adopt`.
            todo: Receives the effects that must be performed even if ``value`` is refused: those that close the text
                before it.

        Raises:
            AuthorError: It makes no sense here.
        """
        if type(value) is str:
            if self.text_id is not None:
                return self._turn.receive_text(self.text_id, value)
            return self._open_text(value, todo)
        if isinstance(value, str):
            return self.receive(str(value), todo)
        elif isinstance(value, dict) or getattr(value, "type", None) in (
            "Card",
            "ListView",
            "Basic",
        ):
            widget = cast("Any", value)
            try:
                item = WidgetItem(**self._items.new_base(), widget=widget)
            except ValueError as error:
                raise _no_widget(widget, error) from None
            value = ThreadItemDoneEvent(item=item)
        elif self.aliases:
            value = self._renamed(value)
        if self.text_id is None or isinstance(value, _PASSING):
            return self._turn.receive_event(value)
        todo += self.close_text()
        return _as_effects(self._turn.receive_event(value))

    async def adopt(self, event: ThreadItemAddedEvent | ThreadItemDoneEvent) -> None:
        """Before an item appears: an id that was not made here and is in use already becomes an alias of a new one.

        Model servers without ids of their own send one placeholder for every message; without this the messages would
        overwrite each other.
        """
        turn, item_id = self._turn, event.item.id
        real = self.aliases.get(item_id, item_id)
        if type(event) is ThreadItemDoneEvent and real in turn.open:
            return
        if real in turn.open or real in turn.closed or await self._items.is_stored(real):
            self.aliases = {**self.aliases, item_id: self._items.new_base()["id"]}

    def _renamed(self, event: Any) -> Any:
        """``event`` with the real id of its item, where the handler's id is an alias."""
        if isinstance(event, ThreadItemUpdatedEvent | ThreadItemRemovedEvent):
            if (real := self.aliases.get(event.item_id)) is not None:
                return event.model_copy(update={"item_id": real})
        elif isinstance(
            event, ThreadItemAddedEvent | ThreadItemDoneEvent | ThreadItemReplacedEvent
        ):
            real = self.aliases.get(event.item.id)
            if real is not None and not isinstance(event.item, UnknownItem):
                return type(event)(item=event.item.model_copy(update={"id": real}))
        return event

    def _open_text(self, text: str, todo: list[Effect]) -> list[Effect]:
        item = AssistantMessageItem(**self._items.new_base(), content=[])
        part = AssistantMessageContentPartAdded(
            content_index=0, content=AssistantMessageContent(text="")
        )
        todo += self._turn.effects_of(ThreadItemAddedEvent(item=item))
        todo += self._turn.effects_of(ThreadItemUpdatedEvent(item_id=item.id, update=part))
        self.text_id = item.id
        return _as_effects(self._turn.receive_text(item.id, text))

    def close_text(self) -> list[Effect]:
        """The effects that end the message that yielded strings go to, if one is open."""
        text_id, self.text_id = self.text_id, None
        open_item = self._turn.open.get(text_id) if text_id is not None else None
        if open_item is None:
            return []
        item = open_item.item()
        part = AssistantMessageContentPartDone(content_index=0, content=item.content[0])
        return [
            *self._turn.effects_of(ThreadItemUpdatedEvent(item_id=item.id, update=part)),
            *self._turn.effects_of(ThreadItemDoneEvent(item=item)),
        ]


def has_foreign_id(event: Any) -> bool:
    """Whether an item appears whose id was made elsewhere, so that it may be in use. One without an id is refused by
    the turn."""
    if type(event) not in _APPEARING:
        return False
    item_id = getattr(event.item, "id", None)
    return isinstance(item_id, str) and not is_minted(item_id)


def _no_widget(value: dict[str, Any], error: ValueError) -> AuthorError:
    """What to say of a dict that is not the root of a widget: it may be meant as an event, or an item."""
    for what, union in (("event", ThreadStreamEvent), ("item", ThreadItem)):
        for kind in get_args(get_args(union)[0]):
            if kind.__struct_config__.tag == value.get("type"):
                return AuthorError(
                    f"a dict is taken for a widget: for an {what}, yield {kind.__name__}(...)"
                )
    return AuthorError(
        f"a dict is taken for a widget, and {error}; an event is an object: ProgressUpdateEvent(...)"
    )


def _as_effects(out: bytes | list[Effect]) -> list[Effect]:
    return [Send(out, lasting=False)] if isinstance(out, bytes) else out
