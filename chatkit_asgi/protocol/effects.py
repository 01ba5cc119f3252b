"""Effects: what the turn asks its driver to do, in order.

The driver saves before it sends: an effect is performed only when the one before it is done.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from ..types import ThreadItemUpdatedEvent, ThreadMetadata, ThreadStatus
from .checking import as_domains, as_status, as_title

__all__ = ["DeleteItem", "Effect", "LoadItem", "PatchThread", "SaveItem", "Send", "ThreadPatch"]


class ThreadPatch(Struct, kw_only=True):
    """What changed in a thread, field by field, so that two writers do not overwrite each other."""

    title: str | msgspec.UnsetType | None = msgspec.UNSET
    title_was: str | None = None
    """The new title is only taken while the stored one is still this; a rename in between wins."""
    status: ThreadStatus | msgspec.UnsetType = msgspec.UNSET
    allowed_image_domains: list[str] | msgspec.UnsetType | None = msgspec.UNSET
    metadata_set: dict[str, Any] = {}
    metadata_removed: list[str] = []

    def apply(self, thread: ThreadMetadata) -> None:
        """Change ``thread`` in place.

        Raises:
            AuthorError: A value that could be written, but not read again.
        """
        if self.title is not msgspec.UNSET and thread.title == self.title_was:
            thread.title = as_title(self.title)
        if self.status is not msgspec.UNSET:
            thread.status = as_status(self.status)
        if self.allowed_image_domains is not msgspec.UNSET:
            thread.allowed_image_domains = as_domains(self.allowed_image_domains)
        thread.metadata.update(self.metadata_set)
        for key in self.metadata_removed:
            thread.metadata.pop(key, None)


class Send(Struct, frozen=True, gc=False):
    """Send these bytes to every viewer."""

    frame: bytes
    lasting: bool = True
    """Whether a viewer that comes late must see it; what concerns an open item is in :meth:`Turn.so_far`."""
    item_id: str | None = None
    """The item that it shows: a viewer that comes late gets only the newest frame of an item, in the place of the
    first, which is its place on the screen."""
    gone: bool = False
    """Whether the item gives up its place."""
    whole: tuple[str, int] | None = None
    """The task that the frame tells the whole of. An earlier frame of it that nobody has seen yet need not be sent."""


class SaveItem(Struct, frozen=True):
    """Store this item."""

    item: Any
    is_new: bool
    """First save in this turn: the item may not exist in the store yet."""


class LoadItem(Struct, frozen=True):
    """Load the item of this event, and perform what :meth:`Turn.receive_stored_item` makes of it."""

    event: ThreadItemUpdatedEvent


class DeleteItem(Struct, frozen=True):
    """Delete this item from the store."""

    item_id: str


class PatchThread(Struct, frozen=True):
    """Store what changed in the thread; then, if ``announce``, send ``thread.updated`` with the stored thread."""

    patch: ThreadPatch
    announce: bool


Effect: TypeAlias = Send | SaveItem | LoadItem | DeleteItem | PatchThread
