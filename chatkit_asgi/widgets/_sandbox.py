"""The Jinja environment of widget templates: sandboxed, strict about missing variables, and bounded.

Loaded with the first template that is compiled. Jinja's own sandbox keeps a template from Python's insides; what it
does not refuse is one expression that fills the memory, such as ``'a' * 10**9`` or ``'{:>900000000}'.format(1)``. Those
are refused here. A loop may still take its time: templates are part of an app, not something to take from strangers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence, Sized
from functools import wraps
from string import Formatter
from typing import Any, Final, cast

from jinja2 import StrictUndefined, Undefined
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

__all__ = ["environment"]

MAX_LENGTH: Final = 1_000_000
"""Characters or elements that one operation may make."""
MAX_WIDTH: Final = 1_000
"""Columns that a text may be padded to."""
MAX_BITS: Final = 4_096
"""Bits of an integer."""

_WIDTH = re.compile(r"\d+")


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**", "%", "+"})

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Nothing is changed in place, but a list may be built piece by piece: the designer's templates do so. Those of
        the application are copied before."""
        return (attr == "append" and type(obj) is list) or super().is_safe_attribute(
            obj, attr, value
        )

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "%" and isinstance(left, str):
            _check_width(left, cast("Any", right) if isinstance(right, tuple) else (right,))
        elif _made_by(operator, left, right) > (
            MAX_BITS if _are_numbers(left, right) else MAX_LENGTH
        ):
            raise SecurityError(f"the result of {operator!r} is too large for a template")
        return super().call_binop(context, operator, left, right)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        wrapped = super().wrap_str_format(value)
        if wrapped is not None:
            for _, _, spec, _ in Formatter().parse(str(value.__self__)):
                if spec and "{" in spec:
                    raise SecurityError("a width that is computed is refused in a template")
                _check_width(spec or "")
        return wrapped


def environment() -> ImmutableSandboxedEnvironment:
    """A new environment."""
    made = _Environment(undefined=StrictUndefined)
    del made.globals["lipsum"]
    for name, check in _CHECKS.items():
        made.filters[name] = _checked(made.filters[name], check)
    return made


def _checked(filter: Callable[..., Any], check: Callable[..., None]) -> Callable[..., Any]:
    """A filter that checks its value and arguments first."""
    first = 1 if hasattr(filter, "jinja_pass_arg") else 0  # after the context that Jinja passes

    @wraps(filter)
    def checked(*args: Any, **options: Any) -> Any:
        check(*args[first:], *options.values())
        return filter(*args, **options)

    return checked


def _check_defined(value: Any, *_: Any) -> None:
    """Raises UndefinedError for a variable that is missing; Jinja would say that it cannot be written as JSON."""
    if isinstance(value, Undefined):
        str(value)


def _check_padding(_: Any, width: Any = 0, *rest: Any) -> None:
    _check_width(str(width))


def _check_format(value: Any, *args: Any) -> None:
    _check_width(str(value), args)


def _check_width(text: str, stars: Sequence[Any] = ()) -> None:
    """Raises SecurityError for a number in a format, or a number that a ``*`` in it takes, that is too wide."""
    widths = [int(found) for found in _WIDTH.findall(text)]
    if "*" in text:
        widths += [value for value in stars if isinstance(value, int)]
    if any(width > MAX_WIDTH for width in widths):
        raise SecurityError(f"text is padded to at most {MAX_WIDTH} columns in a template")


_CHECKS: Final[dict[str, Callable[..., None]]] = {
    "tojson": _check_defined,
    "center": _check_padding,
    "indent": _check_padding,
    "format": _check_format,
}


def _are_numbers(left: Any, right: Any) -> bool:
    return isinstance(left, int) and isinstance(right, int)


def _made_by(operator: str, left: Any, right: Any) -> int:
    """The size of a result, about: bits of a number, or elements of anything else."""
    if _are_numbers(left, right):
        bits: int = left.bit_length()
        return bits * int(right) if operator == "**" else bits + int(right).bit_length()
    if operator == "*" and isinstance(right, Sized):
        left, right = right, left
    if operator == "*" and isinstance(left, Sized) and isinstance(right, int):
        return len(left) * right
    if operator == "+" and isinstance(left, Sized) and isinstance(right, Sized):
        return len(left) + len(right)
    return 0
