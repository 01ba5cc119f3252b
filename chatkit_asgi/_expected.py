"""What an author has passed where something else is wanted, in words. A leaf that everything may use."""

from __future__ import annotations

import functools
import inspect

__all__ = ["name_of", "shown", "unexpected"]


def unexpected(wanted: str, given: object) -> TypeError:
    """The error for an argument.

    Args:
        wanted: What is taken, as a sentence that goes on with "not".
        given: What was given.
    """
    return TypeError(f"{wanted}, not {shown(given)}")


def shown(value: object) -> str:
    """A value as a message names it: short, and a class as what it is."""
    if isinstance(value, type):
        return f"the class {value.__name__} itself"
    if inspect.isroutine(value):
        return f"the function {name_of(value)}"
    text = repr(value)
    return text if len(text) <= 100 else text[:100] + "..."


def name_of(handler: object) -> str:
    """A callable's name."""
    while isinstance(handler, functools.partial):
        handler = handler.func
    return str(getattr(handler, "__qualname__", None) or shown(handler))
