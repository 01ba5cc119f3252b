"""Ids and time: the only place that makes either.

Ids are a prefix and 128 bits, 48 of them milliseconds since 1970 and 80 random (the layout of UUID version 7 without
its version bits), so they sort by time and never collide in practice. Times are aware and in UTC.
"""

from __future__ import annotations

import os
import re
import time
from datetime import UTC, datetime
from typing import Final, Literal

__all__ = ["PREFIXES", "StoreItemType", "default_generate_id", "is_minted", "random_id", "utc_now"]

StoreItemType = Literal[
    "thread", "message", "tool_call", "task", "workflow", "attachment", "sdk_hidden_context"
]

PREFIXES: Final[dict[str, str]] = {
    "thread": "thr",
    "message": "msg",
    "tool_call": "tc",
    "workflow": "wf",
    "task": "tsk",
    "attachment": "atc",
    "sdk_hidden_context": "shcx",
}


_MINTED = re.compile(r"[a-z]+_[0-9a-f]{32}")

_tails: list[str] = []
"""80 random bits each, from the system. It is asked for many at once: asking takes longer than all the rest."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_tails.clear)  # two processes never give the same


def random_id(prefix: str) -> str:
    """``prefix``, an underscore and 32 hex digits that sort by time."""
    try:
        tail = _tails.pop()
    except IndexError:
        digits = os.urandom(640).hex()
        tail, *more = (digits[place : place + 20] for place in range(0, len(digits), 20))
        _tails.extend(more)
    return f"{prefix}_{time.time_ns() // 1_000_000:012x}{tail}"


def default_generate_id(item_type: StoreItemType) -> str:
    """A new id for a record of that type; the prefix tells the type."""
    return random_id(PREFIXES[item_type])


def is_minted(item_id: str) -> bool:
    """Whether the id has the form of those made here, so that nobody else can have used it by chance."""
    return _MINTED.fullmatch(item_id) is not None


def utc_now() -> datetime:
    """Now, aware, in UTC."""
    return datetime.now(UTC)
