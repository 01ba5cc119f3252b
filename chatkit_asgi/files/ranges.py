"""Whether a client gets all of a file, a part, or the word that it has it already (RFC 9110, sections 13 and 14).

Pure: headers in, a decision out. A file never changes, so its tag is its name and there are no dates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

__all__ = ["Part", "choose"]

_RANGE: Final = re.compile(r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*", re.IGNORECASE)
_TAGS: Final = re.compile(r'(?:W/)?("[^"]*")')


class Part(NamedTuple):
    """What to answer: the status, and the bytes from ``start`` to ``stop``."""

    status: int
    start: int = 0
    stop: int = 0
    content_range: str | None = None


def choose(headers: Mapping[str, str], etag: str, size: int) -> Part:
    """200 with everything, 206 with one part, 304, 412 or 416.

    Several ranges at once are answered with everything, which is allowed and costs nobody a multipart parser.
    """
    if (condition := headers.get("if-match")) is not None and not _matches(
        condition, etag, weak=False
    ):
        return Part(412)
    if (condition := headers.get("if-none-match")) is not None and _matches(
        condition, etag, weak=True
    ):
        return Part(304)
    whole = Part(200, 0, size)
    if headers.get("if-range", etag) != etag:
        return whole
    found = _RANGE.fullmatch(headers.get("range", ""))
    if found is None or not (found[1] or found[2]):
        return whole
    if found[1]:
        start = int(found[1])
        stop = min(int(found[2]) + 1, size) if found[2] else size
        if found[2] and int(found[2]) < start:
            return whole  # not a range at all
    else:
        start, stop = max(size - int(found[2]), 0), size
    if start >= stop:
        return Part(416, content_range=f"bytes */{size}")
    return Part(206, start, stop, f"bytes {start}-{stop - 1}/{size}")


def _matches(condition: str, etag: str, *, weak: bool) -> bool:
    if condition.strip() == "*":
        return True
    return any(
        found[1] == etag and (weak or not found[0].startswith("W/"))
        for found in _TAGS.finditer(condition)
    )
