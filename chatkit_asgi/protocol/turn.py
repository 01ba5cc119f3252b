"""The turn: one streamed answer as a state machine, events in and effects out.

Theory. A turn is a stream of events from an author's handler. Each event concerns the thread, one item, or neither.
An item is *absent*, *open* (added, not done) or *closed*. The table says what every item event does in each state:

=========  ======================  =====================  ======================
event      absent                  open                   closed
=========  ======================  =====================  ======================
added      open it; send           start it again; send   open it again; send
updated    load, open; send        fold; send             load, open; send
done       save; send              save, close; send      save; send
replaced   save; send              save, close; send      save; send
removed    delete; send            delete, close; send    delete; send
=========  ======================  =====================  ======================

- An update of an item that is not open, such as a widget of an earlier turn, opens it as the store has it: nothing may
  reach a screen that the store cannot get. Text deltas have no time for that: they are the author's error there.
- Hidden items are saved when they are done or replaced, and are never sent.
- Invariant: an item is in the store before its ``done`` or ``replaced`` is sent, and no later than any item that
  appeared after it, so that the store's order is the order on screen.
- After each event, what changed in the thread object is saved field by field, and told if a client can see it.

However the turn ends, :meth:`Turn.close` leaves the truth: what is open and was seen is saved as it is.

Rules for this file: it never awaits, reads a clock or makes an id; what it needs of those arrives in values. A text
delta is the one event that returns its frame as ``bytes`` instead of a list of effects; nothing on that path copies
the message so far, compares whole threads or looks at the store.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, ClassVar, Final

import msgspec

from .._base import json_encoder, well_formed
from ..errors import AuthorError, StreamFailure
from ..types import (
    AssistantMessageContentPartTextDelta,
    ClientEffectEvent,
    ErrorEvent,
    NoticeEvent,
    Page,
    ProgressUpdateEvent,
    StreamOptionsEvent,
    ThreadCreatedEvent,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    ThreadUpdatedEvent,
    WorkflowItem,
    WorkflowTaskUpdated,
)
from .checking import (
    as_domains,
    as_metadata,
    as_status,
    as_title,
    check_id,
    check_item,
    check_metadata,
)
from .effects import DeleteItem, Effect, LoadItem, PatchThread, SaveItem, Send, ThreadPatch
from .fold import OpenItem
from .sse import DELTA_TAIL, delta_head, event_frame
from .visibility import is_hidden, item_on_wire, thread_on_wire

__all__ = ["Turn"]

_encode_text = json_encoder.encode
_join = b"".join


class _Slot:
    """Where the text deltas of one content part go: the head of their frames, and the part's list of chunks."""

    __slots__ = ("append", "head", "index", "item_id")

    def __init__(
        self, item_id: str, index: int, head: bytes, append: Callable[[str], None]
    ) -> None:
        self.item_id = item_id
        self.index = index
        self.head = head
        self.append = append


_NO_METADATA: Final[dict[str, Any]] = {}
_NO_SLOT: Final = _Slot("", -1, b"", lambda _: None)


def _as_text(text: Any) -> str:
    if isinstance(text, str):
        return str(text)
    raise AuthorError(f"a text delta is a str, not {type(text).__qualname__}")


class Turn:
    """The state of one answer.

    Args:
        thread: The object that the handler gets and may change; not copied.
    """

    __slots__ = ("_base", "_domains", "_metadata", "_slot", "_status", "_title", "_title_locked", "closed",
                 "hidden", "open", "produced", "saved", "thread")  # fmt: skip

    def __init__(self, thread: ThreadMetadata) -> None:
        self.thread = thread
        self.open: dict[str, OpenItem] = {}
        """Open items in the order of their appearance."""
        self.saved: dict[str, tuple[int, int, int] | None] = {}
        """Items that this turn has stored, and the mark of an open one at that time."""
        self.hidden: dict[str, None] = {}
        """Items of this turn that no reader has heard of: nor is their end told."""
        self.closed: dict[str, None] = {}
        """Items that were done, replaced or removed in this turn."""
        self.produced = False
        """Whether a reader has been shown any item or text of this answer."""
        self._slot = _NO_SLOT
        """The part that the last text went to."""
        self._title_locked = False
        self._remember()

    # -- events in -----------------------------------------------------------------------------

    def receive_event(self, event: Any) -> bytes | list[Effect]:
        """One event of the handler.

        Returns:
            The frame to send, or the effects to perform in order.

        Raises:
            AuthorError: The event makes no sense here; the turn is as it was.
        """
        if type(event) is ThreadItemUpdatedEvent:
            update = event.update
            if type(update) is AssistantMessageContentPartTextDelta:
                return self.receive_text(event.item_id, update.delta, update.content_index)
            if isinstance(update, dict):
                return self.receive_event(_as_event(event))
        return self.effects_of(event)

    def effects_of(self, event: Any) -> list[Effect]:
        """:meth:`receive_event` for anything but text."""
        handle = self._TABLE.get(type(event))  # pyright: ignore[reportUnknownArgumentType]
        if handle is None:
            raise AuthorError(
                f"a handler may yield events, items, widgets and text, not {type(event).__qualname__}"
            )
        if type(event) in _ITEM_EVENTS:
            check_item(event.item, whole=type(event) is not ThreadItemAddedEvent)
        patch = self._changes(deep=True)  # may raise, so it comes before anything is changed
        return [*handle(self, event), *self._patched(patch)]

    def receive_text(self, item_id: str, text: str, index: int = 0) -> bytes | list[Effect]:
        """More text for a part of an open message: :meth:`receive_event` without the event."""
        slot = self._slot
        if item_id is not slot.item_id or index != slot.index:
            slot = self._find_slot(item_id, index)
        if type(text) is not str:
            text = _as_text(text)
        try:
            frame = _join((slot.head, _encode_text(text), DELTA_TAIL))
        except UnicodeEncodeError:
            text = well_formed(text)
            frame = slot.head + _encode_text(text) + DELTA_TAIL
        thread = self.thread
        if (
            thread.title is self._title
            and thread.status is self._status
            and thread.allowed_image_domains is self._domains
        ):
            append = slot.append  # in two steps: CPython reads a slot faster than a method
            append(text)
            return frame
        effects = self.thread_effects(deep=False)
        slot.append(text)
        return [Send(frame, lasting=False), *effects]

    def _find_slot(self, item_id: str, index: int) -> _Slot:
        item = self.open.get(item_id)
        if item is None:
            raise AuthorError(
                f"text for item {item_id!r}, which is not open: yield thread.item.added first"
            )
        part = item.part(index)
        self.produced = True
        self._slot = _Slot(item_id, index, delta_head(item_id, index), part.chunks.append)
        return self._slot

    # Invariant: what can fail, above all writing the frame, comes before anything changes. An item that is open stays
    # open then, and what was shown of it is saved when the turn ends.

    def _added(self, event: ThreadItemAddedEvent) -> list[Effect]:
        if is_hidden(event.item):
            return []
        open_item = OpenItem(event.item)
        effects = self._show(event)
        self.open[event.item.id] = open_item  # one that is started again keeps its place
        self.hidden.pop(event.item.id, None)
        if event.item.id in self.saved:
            self.saved[event.item.id] = None  # its mark is of what it was before
        self._slot = _NO_SLOT
        return effects

    def _updated(self, event: ThreadItemUpdatedEvent) -> list[Effect]:
        open_item = self.open.get(event.item_id)
        if open_item is None:
            check_id(event.item_id, event.type)
            return [LoadItem(event)]
        frame = event_frame(event)
        open_item.apply(event.update)
        self.produced = True
        return [Send(frame, lasting=False, whole=_whole(event))]

    def receive_stored_item(self, event: ThreadItemUpdatedEvent, item: Any) -> list[Effect]:
        """The item of a :class:`LoadItem` as the store has it, ``None`` if it has none: opens it for its update.

        Raises:
            AuthorError: The update does not fit it; the turn is as it was.
        """
        frame = event_frame(event)
        if item is None:  # nor does the client have it
            return [Send(frame, lasting=False)]
        if is_hidden(item):
            return []
        open_item = OpenItem(item)
        open_item.apply(event.update)
        self.open[item.id] = open_item
        self.saved[item.id] = None
        self.closed[item.id] = None
        self.produced = True
        return [Send(frame, lasting=False, item_id=item.id)]

    def _done(self, event: ThreadItemDoneEvent | ThreadItemReplacedEvent) -> list[Effect]:
        item = event.item
        hidden = is_hidden(item)
        shown = [] if hidden else self._show(event)
        if not hidden:
            self.hidden.pop(item.id, None)
        elif item.id not in self.open and item.id not in self.closed:
            self.hidden[item.id] = None
        if type(event) is ThreadItemReplacedEvent:
            self.saved.setdefault(item.id, None)  # it is in the store already
        effects = self._save_earlier(item.id)
        effects.append(self._save(item))
        self._forget(item.id)
        self.closed[item.id] = None
        return effects + shown

    def _removed(self, event: ThreadItemRemovedEvent) -> list[Effect]:
        check_id(event.item_id, event.type)
        frame = event_frame(event)
        self._forget(event.item_id)
        self.saved.pop(event.item_id, None)  # should it come again, it is a new one in a new place
        self.closed[event.item_id] = None
        delete = DeleteItem(event.item_id)
        if event.item_id in self.hidden:
            return [delete]
        return [delete, Send(frame, item_id=event.item_id, gone=True)]

    def _thread_event(self, event: ThreadCreatedEvent | ThreadUpdatedEvent) -> list[Effect]:
        thread = event.thread
        items = getattr(thread, "items", None)
        if items is not None:
            hidden = {item.id for item in items.data if is_hidden(item)}
            data = [item_on_wire(item) for item in items.data if item.id not in hidden]
            items = Page(
                data=data,
                has_more=items.has_more,
                after=None if items.after in hidden else items.after,
            )
        return [Send(event_frame(type(event)(thread=thread_on_wire(thread, items))))]

    def _passing(self, event: Any) -> list[Effect]:
        return [Send(event_frame(event), lasting=type(event) is not ProgressUpdateEvent)]

    def _show(self, event: Any) -> list[Effect]:
        item = item_on_wire(event.item)
        frame = event_frame(event if item is event.item else type(event)(item=item))
        self.produced = True
        return [Send(frame, lasting=type(event) is not ThreadItemAddedEvent, item_id=item.id)]

    # -- items ---------------------------------------------------------------------------------

    def _forget(self, item_id: str) -> None:
        if self.open.pop(item_id, None) is not None:
            self._slot = _NO_SLOT

    def _save(self, item: Any, mark: tuple[int, int, int] | None = None) -> SaveItem:
        is_new = item.id not in self.saved
        self.saved[item.id] = mark
        return SaveItem(item, is_new)

    def _save_earlier(self, item_id: str) -> list[Effect]:
        """Saves for the open items that appeared before this one and are not stored yet, so that they come before it.

        Also for one that is still empty: it has its place on the screen already.
        """
        effects: list[Effect] = []
        for other_id, other in self.open.items():
            if other_id == item_id:
                break
            if other_id not in self.saved:
                effects.append(self._save(other.item(), other.mark()))
        return effects

    def checkpoint(self) -> list[Effect]:
        """Saves for the open items that have changed since they were last saved."""
        effects: list[Effect] = []
        for item_id, open_item in self.open.items():
            if self._is_due(item_id, open_item):
                if item_id not in self.saved:
                    effects += self._save_earlier(item_id)
                effects.append(self._save(open_item.item(), open_item.mark()))
        return effects

    def checkpoint_due(self) -> bool:
        """Whether :meth:`checkpoint` would save anything; cheap."""
        return any(self._is_due(item_id, open_item) for item_id, open_item in self.open.items())

    def _is_due(self, item_id: str, open_item: OpenItem) -> bool:
        if item_id in self.saved:
            return self.saved[item_id] != open_item.mark()
        return open_item.has_content()

    # -- the thread ----------------------------------------------------------------------------

    def _remember(self) -> None:
        thread = self.thread
        self._title = thread.title
        self._status = thread.status
        self._domains = domains = thread.allowed_image_domains
        self._base = copy.copy(thread.status), None if domains is None else copy.copy(domains)
        self._metadata = copy.deepcopy(thread.metadata) if thread.metadata else _NO_METADATA

    def rebase(self, stored: ThreadMetadata) -> None:
        """Take over what another turn has changed in the thread, before this one begins."""
        for name in ("title", "status", "allowed_image_domains", "metadata"):
            setattr(self.thread, name, getattr(stored, name))
        self._remember()

    def thread_effects(self, *, deep: bool) -> list[Effect]:
        """The effect that stores what the handler changed in the thread, if it changed anything.

        Args:
            deep: Also look into values that can be changed in place: ``metadata``, the status, the domains.

        Raises:
            AuthorError: The thread holds something that cannot be stored.
        """
        return self._patched(self._changes(deep=deep))

    def _patched(self, patch: ThreadPatch | None) -> list[Effect]:
        if patch is None:
            return []
        self._remember()
        if patch == ThreadPatch():
            return []
        visible = (
            msgspec.structs.replace(patch, metadata_set={}, metadata_removed=[]) != ThreadPatch()
        )
        return [PatchThread(patch, announce=visible)]

    def _changes(self, *, deep: bool) -> ThreadPatch | None:
        thread = self.thread
        same = (
            thread.title is self._title
            and thread.status is self._status
            and thread.allowed_image_domains is self._domains
        )
        if same and not deep:
            return None
        try:
            if same and (
                thread.metadata == self._metadata
                and thread.status == self._base[0]
                and thread.allowed_image_domains == self._base[1]
            ):
                return None
        except Exception:
            pass  # which of them it is will be said
        try:
            return self._compare()
        except AuthorError:
            raise
        except Exception as error:
            raise AuthorError(
                f"the thread holds something that cannot be stored: {error}"
            ) from error

    def _compare(self) -> ThreadPatch:
        thread = self.thread
        patch = ThreadPatch()
        if thread.title != self._title and not self._title_locked:
            patch.title, patch.title_was = as_title(thread.title), self._title
        if thread.status != self._base[0]:
            patch.status = copy.deepcopy(as_status(thread.status))
        if thread.allowed_image_domains != self._base[1]:
            patch.allowed_image_domains = as_domains(thread.allowed_image_domains)
        missing = object()
        metadata = as_metadata(thread.metadata)
        for key, value in metadata.items():
            try:
                if self._metadata.get(key, missing) != value:
                    check_metadata(key, value)
                    patch.metadata_set[key] = copy.deepcopy(value)
            except Exception as error:
                raise AuthorError(f"thread.metadata[{key!r}] cannot be stored: {error}") from error
        patch.metadata_removed = [key for key in self._metadata if key not in metadata]
        return patch

    def receive_stored_thread(self, patch: ThreadPatch, stored: ThreadMetadata) -> bytes:
        """The thread as the store has it after ``patch``; returns the frame that tells it.

        A rename that came in between wins, now and for the rest of the turn.
        """
        if patch.title is not msgspec.UNSET and stored.title != patch.title:
            self._title_locked = True
            self.thread.title = self._title = stored.title
        return event_frame(ThreadUpdatedEvent(thread=thread_on_wire(stored)))

    # -- the end -------------------------------------------------------------------------------

    def close(self, failure: StreamFailure | None = None) -> list[Effect]:
        """The effects that end the turn: what is open is closed first, then the failure is told.

        An open item that a reader has seen something of is saved and done; one that is still empty is removed. The
        thread is not looked at: see :meth:`thread_effects`.
        """
        effects: list[Effect] = []
        for item_id, open_item in list(self.open.items()):
            if open_item.has_content() or item_id in self.closed:
                effects += self._done(ThreadItemDoneEvent(item=_at_rest(open_item.item())))
            else:
                effects += self._removed(ThreadItemRemovedEvent(item_id=item_id))
        if failure is not None:
            event = ErrorEvent(
                code=failure.code, message=failure.message, allow_retry=failure.allow_retry
            )
            effects.append(Send(event_frame(event)))
        return effects

    def replace_open(self, item: Any) -> None:
        """Let an open item be as the author's own code has stored it."""
        if item.id in self.open:
            self.open[item.id] = OpenItem(item)
            self.saved[item.id] = None
            self.closed[item.id] = None
            self._slot = _NO_SLOT

    def unsaved(self, effect: SaveItem) -> None:
        """A checkpoint's save failed: it is due again."""
        if effect.is_new:
            self.saved.pop(effect.item.id, None)
        else:
            self.saved[effect.item.id] = None

    def so_far(self, item_id: str) -> bytes | None:
        """The frame that shows an open item as it is now, for a viewer that comes late."""
        open_item = self.open.get(item_id)
        return (
            None
            if open_item is None
            else event_frame(ThreadItemAddedEvent(item=item_on_wire(open_item.item())))
        )

    def pending(self) -> list[Any]:
        """Copies of the open items, in the order of their appearance."""
        return [open_item.item() for open_item in self.open.values()]

    _TABLE: ClassVar[dict[type, Callable[[Turn, Any], list[Effect]]]] = {
        ThreadItemAddedEvent: _added,
        ThreadItemUpdatedEvent: _updated,
        ThreadItemDoneEvent: _done,
        ThreadItemReplacedEvent: _done,
        ThreadItemRemovedEvent: _removed,
        ThreadCreatedEvent: _thread_event,
        ThreadUpdatedEvent: _thread_event,
        StreamOptionsEvent: _passing,
        ProgressUpdateEvent: _passing,
        ClientEffectEvent: _passing,
        ErrorEvent: _passing,
        NoticeEvent: _passing,
    }


_ITEM_EVENTS: Final = (ThreadItemAddedEvent, ThreadItemDoneEvent, ThreadItemReplacedEvent)


def _as_event(event: ThreadItemUpdatedEvent) -> ThreadItemUpdatedEvent:
    """``event`` with its update as a struct."""
    try:
        return ThreadItemUpdatedEvent.model_validate(event.model_dump())
    except msgspec.ValidationError as error:
        raise AuthorError(f"not an update of an item: {error}") from error


def _whole(event: ThreadItemUpdatedEvent) -> tuple[str, int] | None:
    """What the update is the whole value of."""
    update: Any = event.update
    return (event.item_id, update.task_index) if isinstance(update, WorkflowTaskUpdated) else None


def _at_rest(item: Any) -> Any:
    """``item`` without the signs of work that nobody does any more."""
    if isinstance(item, WorkflowItem):
        for task in item.workflow.tasks:
            if task.status_indicator == "loading":
                task.status_indicator = "none"
    return item
