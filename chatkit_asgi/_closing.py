"""How whoever iterates ends what it iterates over."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TypeVar

__all__ = ["closing"]

T = TypeVar("T")


@asynccontextmanager
async def closing(source: T) -> AsyncGenerator[T]:
    """Close ``source`` at the end, whatever happens, if it can be closed: a generator that is only left is closed when
    it is collected, and what it holds, as a model's connection, stays open until then."""
    try:
        yield source
    finally:
        if (close := getattr(source, "aclose", None)) is not None:
            await close()
