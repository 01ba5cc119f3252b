"""What is looked at when a handler is registered, so that a mistake is no request's surprise."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from ._expected import name_of, shown
from .errors import AuthorError

__all__ = ["check_handler", "check_name", "check_payload"]

_PAYLOADS: tuple[Any, ...] = ({}, [], "", 0, 0.0, True, None)
"""One of each kind that JSON has."""


def check_name(decorator: str, name: Any) -> None:
    """The name of an action or operation is there: ``@chat.action`` without parentheses would register nothing.

    Raises:
        AuthorError: It is something else.
    """
    if not isinstance(name, str):
        raise AuthorError(f'write @chat.{decorator}("name"): it takes a name, not {shown(name)}')


def check_handler(
    label: str, handler: Any, parameters: str, *, streams: bool = False, plain: bool = False
) -> None:
    """A handler is of the right kind and takes what it will be given.

    Args:
        label: What it is, for the message.
        handler: The callable.
        parameters: The names of what it will be given, in order.
        streams: An async generator, or a coroutine that returns one; else a coroutine.
        plain: Neither: a function.

    Raises:
        AuthorError: It is not, or does not.
    """
    name, named = name_of(handler), ", ".join(parameters.split())
    if not callable(handler):
        raise AuthorError(f"the {label} is a function of ({named}), not {shown(handler)}")
    is_generator = inspect.isasyncgenfunction(handler)
    is_coroutine = inspect.iscoroutinefunction(handler)
    if plain:
        if is_generator or is_coroutine:
            raise AuthorError(f"the {label} is a plain function, and {name} is async")
    elif streams:
        if not (is_generator or is_coroutine):
            raise AuthorError(
                f"the {label} must be an async generator, async def with yield; {name} is not"
            )
    elif not is_coroutine:
        raise AuthorError(f"the {label} must be async def, without yield; {name} is not")
    try:
        # What is called, not what it wraps: a decorator may pass on more than it gets.
        signature = inspect.signature(handler, follow_wrapped=False)
    except (TypeError, ValueError):
        return  # some callables of C have none
    try:
        signature.bind(*parameters.split())
    except TypeError:
        has = ", ".join(map(_parameter, signature.parameters.values()))
        raise AuthorError(f"the {label} takes ({named}), and {name} has ({has})") from None


def _parameter(parameter: inspect.Parameter) -> str:
    return str(parameter.replace(annotation=inspect.Parameter.empty))


def check_payload(decorator: str, name: str, kind: Any) -> None:
    """A payload can become a ``kind``.

    Raises:
        AuthorError: None can.
    """
    if kind is None or hasattr(kind, "model_validate"):  # a Pydantic model, a struct of ours
        return
    import msgspec.inspect  # which few handlers need

    try:
        parts = [msgspec.inspect.type_info(kind)]
    except NameError:
        return  # it names a class that is still to be defined
    except Exception:
        parts = [msgspec.inspect.CustomType(kind)]
    if isinstance(parts[0], msgspec.inspect.UnionType):
        parts = [*parts[0].types]
    for part in parts:
        if isinstance(part, msgspec.inspect.CustomType) and not _is_json(part.cls):
            raise AuthorError(
                f"payload= of {decorator} {name!r} takes a type to convert to (a struct, a dataclass, a TypedDict, "
                f"a Pydantic model, int, list[str]...), not {shown(kind)}"
            )


def _is_json(kind: Any) -> bool:
    values: Iterable[Any] = _PAYLOADS
    return isinstance(kind, type) and any(isinstance(value, kind) for value in values)
