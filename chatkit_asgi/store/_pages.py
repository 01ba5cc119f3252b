"""Pages and asides, as arithmetic on sequences: shared by the stores. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Generic, NamedTuple, TypeVar

from ..errors import NotFoundError
from ..types import Page

__all__ = [
    "KEPT",
    "LEASE",
    "MAX_SEQUENCE",
    "Hidden",
    "ItemQuery",
    "Slice",
    "missing",
    "shown_ranges",
]

V = TypeVar("V")
W = TypeVar("W")

MAX_SEQUENCE: Final = 2**62

LEASE: Final = 600.0
"""Seconds that items stay aside unattended: longer than a model thinks before it answers."""

KEPT: Final = 86_400.0
"""Seconds that an aside is remembered after its lease, so that a slow answer can still discard what it replaces."""


class Hidden(NamedTuple):
    """Items that are aside: a range of sequences, both ends included, until a time."""

    first: int
    last: int
    expires: float


class ItemQuery(NamedTuple):
    """A page of items to read."""

    owner: str
    thread_id: str
    after: str | None
    limit: int
    descending: bool
    now: float


class Slice(NamedTuple, Generic[V]):
    """The rows of a page, and its last id when there are more."""

    values: list[V]
    after: str | None

    def of(self, make: Callable[[V], W]) -> Slice[W]:
        """The same of what ``make`` makes of the rows."""
        return Slice(list(map(make, self.values)), self.after)

    def page(self) -> Page[V]:
        """The page."""
        return Page(data=self.values, has_more=self.after is not None, after=self.after)


def shown_ranges(
    hidden: Iterable[Hidden], *, after: int | None = None, descending: bool = False, now: float
) -> list[tuple[int, int]]:
    """The ranges of sequences to read, in reading order: beyond ``after``, without what is aside."""
    low = 1 if after is None or descending else after + 1
    high = MAX_SEQUENCE if after is None or not descending else after - 1
    ranges: list[tuple[int, int]] = []
    for first, last, _ in sorted(each for each in hidden if each.expires > now):
        if first > low:
            ranges.append((low, min(first - 1, high)))
        low = max(low, last + 1)
    ranges.append((low, high))
    found = [each for each in ranges if each[0] <= each[1]]
    return found[::-1] if descending else found


def missing(kind: str, name: str) -> NotFoundError:
    """The same words for what is not there and for what is somebody else's."""
    return NotFoundError(f"No {kind} {name[:100]!r}.")
