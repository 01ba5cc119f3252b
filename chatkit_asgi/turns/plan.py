"""What a streaming request wants of its turn."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from ..types import ThreadMetadata

if TYPE_CHECKING:
    from .run import Run

__all__ = ["Plan"]


class Plan(Struct, kw_only=True):
    """What a streaming request wants, once everything that can be checked before the answer has been checked."""

    thread: ThreadMetadata
    context: Any
    begin: Callable[[Run], Awaitable[AsyncIterator[Any]]]
    """Called in the turn's task when it is its turn: stores what came in, tells it, returns the handler's events."""
    is_new: bool = False
    """Whether the thread does not exist yet."""
    take: Callable[[], Awaitable[object]] | None = None
    """Takes what nobody else can take again, or raises. Goes to its end, and its turn is admitted, whatever happens to
    the request meanwhile. A turn that has taken something waits where others would be refused."""
    give_back: Callable[[], Awaitable[object]] | None = None
    """Gives back what was taken, should the turn never begin."""
    is_repeat: Callable[[], Awaitable[bool]] | None = None
    """Whether an equal body still means the same while the turn runs; without it, it does."""
