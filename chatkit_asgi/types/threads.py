"""Threads and pages of them (wire.md section 5)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from .._base import Checked, PydanticUnion, Wire
from .items import ThreadItem, with_offset

__all__ = [
    "ActiveStatus",
    "ClosedStatus",
    "LockedStatus",
    "Page",
    "Thread",
    "ThreadMetadata",
    "ThreadStatus",
]

T = TypeVar("T")


class Page(Checked, Generic[T]):
    """One page of records, in the order that was asked for."""

    data: list[T] = []
    has_more: bool = False
    after: str | None = None
    """Cursor of the next page; only set while there is more."""


class ActiveStatus(Wire):
    """``active``: the normal composer."""

    type: Literal["active"] = "active"


class LockedStatus(Wire):
    """``locked``: the composer is disabled and shows the reason."""

    type: Literal["locked"] = "locked"
    reason: str | None = None


class ClosedStatus(Wire):
    """``closed``: a banner replaces the composer."""

    type: Literal["closed"] = "closed"
    reason: str | None = None


ThreadStatus = Annotated[ActiveStatus | LockedStatus | ClosedStatus, PydanticUnion()]


class ThreadMetadata(Checked):
    """A thread without its items: what stores keep and hooks receive."""

    title: str | None = None
    id: str
    created_at: datetime
    """One without an offset is taken as an item's is."""
    status: ThreadStatus = ActiveStatus()
    allowed_image_domains: list[str] | None = None
    """Hosts from which the client may load images; ``None`` is the client's default."""
    metadata: dict[str, Any] = {}
    """Server-only data: stored, never sent."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.created_at = with_offset(self.created_at)


class Thread(ThreadMetadata):
    """A thread as the client sees it: with a page of items, and with empty ``metadata``."""

    items: Page[ThreadItem]
