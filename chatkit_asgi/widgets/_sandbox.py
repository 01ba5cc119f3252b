"""The Jinja environment of widget templates: sandboxed, strict about missing variables, and bounded.

Loaded with the first template that is compiled. Jinja's own sandbox keeps a template from Python's insides; what it
does not refuse is one expression that fills the memory, such as ``'a' * 10**9`` or ``'{:>900000000}'.format(1)``. So
operators, methods and filters that can make much out of little are looked at before they do. Not bounded is what
writing a list makes that holds one long text many times, nor what a loop does in all: templates are part of an app, not
something to take from strangers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from functools import wraps
from itertools import chain
from types import BuiltinMethodType, MethodType
from typing import Any, Final, cast

from jinja2 import StrictUndefined, Undefined, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import SecurityError
from jinja2.filters import make_attrgetter
from jinja2.sandbox import (
    ImmutableSandboxedEnvironment,
    SandboxedEscapeFormatter,
    SandboxedFormatter,
)

__all__ = ["environment"]

MAX_LENGTH: Final = 1_000_000
"""Characters or elements that one operation may make."""
MAX_WIDTH: Final = 1_000
"""Columns that a text may be padded to."""
MAX_BITS: Final = 4_096
"""Bits of an integer."""

_WIDTH = re.compile(r"\d+")


class _Generator(CodeGenerator):
    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        """``~``, which is no operator to Jinja."""
        self.write(
            "environment.concatenated(markup_join if context.eval_ctx.autoescape else str_join, ("
        )
        for each in node.nodes:
            self.visit(each, frame)
            self.write(", ")
        self.write("))")


class _Environment(ImmutableSandboxedEnvironment):
    code_generator_class = _Generator
    intercepted_binops = frozenset({"*", "**", "%", "+"})

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Nothing is changed in place, but a list may be built piece by piece: the designer's templates do so. Those of
        the application are copied before."""
        return (attr == "append" and type(obj) is list) or super().is_safe_attribute(
            obj, attr, value
        )

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "%" and isinstance(left, str | bytes):
            _check_percent(left, *(cast("Any", right) if isinstance(right, tuple) else (right,)))
        elif _made_by(operator, left, right) > (
            MAX_BITS if _are_numbers(left, right) else MAX_LENGTH
        ):
            raise SecurityError(f"the result of {operator!r} is too large for a template")
        return super().call_binop(context, operator, left, right)

    def concatenated(self, join: Callable[[Iterable[Any]], str], parts: tuple[Any, ...]) -> str:
        _check_made(sum(map(len, map(str, parts))))
        return join(parts)

    def call(__self, __context: Any, __obj: Any, *args: Any, **options: Any) -> Any:
        if type(__obj) in _METHOD_TYPES and isinstance(owner := __obj.__self__, str | bytes | int):
            if __obj.__name__ == "join" and len(args) == 1:
                args = (_counted(args[0], len(cast("Any", owner))),)
            elif (check := _METHODS.get(__obj.__name__)) is not None:
                # In a loop or a block, Jinja adds its variables for functions that take a context.
                given = {name: each for name, each in options.items() if not name.startswith("_")}
                check(owner, *args, **given)
        return super().call(__context, __obj, *args, **options)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        if type(value) not in _METHOD_TYPES or value.__name__ not in ("format", "format_map"):
            return None
        text: Any = value.__self__
        if not isinstance(text, str):
            return None
        by_map = value.__name__ == "format_map"

        def formatted(*args: Any, **options: Any) -> str:
            formatter: SandboxedFormatter = (
                _EscapeFormatter(self, escape=cast("Any", text).escape)
                if hasattr(text, "__html__")
                else _Formatter(self)
            )
            if by_map:
                (options,), args = args, ()
            return type(text)(formatter.vformat(text, args, options))

        return formatted


_METHOD_TYPES: Final = frozenset({BuiltinMethodType, MethodType})


class _Formatter(SandboxedFormatter):
    """``str.format``, as far as it goes. A width that is computed is known when a field is written."""

    made = 0

    def format_field(self, value: Any, format_spec: str) -> Any:
        _check_width(format_spec)
        made: str = super().format_field(value, format_spec)
        self.made += len(made)
        _check_made(self.made)
        return made


class _EscapeFormatter(_Formatter, SandboxedEscapeFormatter):
    pass


def environment() -> ImmutableSandboxedEnvironment:
    """A new environment."""
    made = _Environment(undefined=StrictUndefined)
    del made.globals["lipsum"]
    for name, check in _CHECKS.items():
        made.filters[name] = _checked(made.filters[name], check)
    for name in ("join", "sum"):
        made.filters[name] = _counting(made, made.filters[name], text=name == "join")
    return made


def _checked(filter: Callable[..., Any], check: Callable[..., None]) -> Callable[..., Any]:
    """A filter that checks its value and arguments first."""
    first = 1 if hasattr(filter, "jinja_pass_arg") else 0  # after the context that Jinja passes

    @wraps(filter)
    def checked(*args: Any, **options: Any) -> Any:
        check(*args[first:], **options)
        return filter(*args, **options)

    return checked


def _counting(
    environment: _Environment, filter: Callable[..., Any], *, text: bool
) -> Callable[..., Any]:
    """``join`` or ``sum``, which stops when it has made too much."""

    @wraps(filter)
    def counting(passed: Any, values: Any, *args: Any, **options: Any) -> Any:
        given: dict[str, Any] = dict(
            zip(("d", "attribute") if text else ("attribute", "start"), args, strict=False)
        )
        given.update(options)
        if (attribute := given.pop("attribute", None)) is not None:
            values = map(make_attrgetter(environment, attribute), values)
        between = len(str(given.get("d", ""))) if text else 0
        return filter(passed, _counted(values, between, text=text), **given)

    return counting


def _counted(values: Iterable[Any], between: int, *, text: bool = True) -> Iterator[Any]:
    """The values, as long as what becomes of them together is not too much."""
    made = 0
    for value in values:
        if text:
            made += between + len(value if isinstance(value, str | bytes) else str(value))
        elif isinstance(value, Sized):
            made += len(value)
        _check_made(made)
        yield value


# -- what is checked before it is made -------------------------------------------------------------


def _check_made(size: int) -> None:
    if size > MAX_LENGTH:
        raise SecurityError(
            f"one operation makes at most {MAX_LENGTH} characters or elements in a template"
        )


def _check_defined(value: Any, *_: Any, **options: Any) -> None:
    """Raises UndefinedError for a variable that is missing; Jinja would say that it cannot be written as JSON."""
    if isinstance(value, Undefined):
        str(value)


def _check_number(_: Any, number: Any = 0, *rest: Any, **options: Any) -> None:
    """Of columns, digits or bytes."""
    for each in (number, *options.values()):
        if isinstance(each, int) and abs(each) > MAX_WIDTH:
            raise SecurityError(
                f"a number of columns or digits is at most {MAX_WIDTH} in a template"
            )


def _check_parts(_: Any, number: Any = None, *rest: Any, **options: Any) -> None:
    for name in ("linecount", "slices"):
        number = options.get(name, number)
    if isinstance(number, int):
        _check_made(number)


def _check_tabs(text: Any, tabsize: Any = 8) -> None:
    _check_number(text, tabsize)
    _check_made(len(text) + text.count("\t" if isinstance(text, str) else b"\t") * int(tabsize))


def _check_replace(text: Any, old: Any, new: Any, count: Any = -1) -> None:
    if not isinstance(text, bytes):
        text, old, new = str(text), str(old), str(new)
    found = text.count(old)
    if isinstance(count, int) and count >= 0:
        found = min(found, count)
    _check_made(len(text) + found * max(len(new) - len(old), 0))


def _check_translate(text: Any, table: Any, *_: Any) -> None:
    if isinstance(table, Mapping):
        values = cast("Mapping[Any, Any]", table).values()
        _check_made(
            len(text) * max((len(each) for each in values if isinstance(each, str)), default=1)
        )


def _check_indent(text: Any, width: Any = 4, *_: Any, **options: Any) -> None:
    text = str(text)
    _check_number(text, width)
    size = len(width) if isinstance(width, str) else int(width)
    _check_made(len(text) + (text.count("\n") + 1) * size)


def _check_wrap(
    text: Any, width: Any = 79, *args: Any, wrapstring: Any = None, **options: Any
) -> None:
    text, between = str(text), args[1] if len(args) > 1 else wrapstring
    lines = text.count("\n") + 2 * len(text) // max(int(width), 1)
    _check_made(len(text) + lines * len(str(between or "")))


def _check_links(text: Any, *args: Any, **options: Any) -> None:
    more = sum(len(each) for each in chain(args, options.values()) if isinstance(each, str))
    _check_made(len(str(text)) * (1 + more // 8))  # a link has as many characters


def _check_percent(text: Any, *args: Any, **options: Any) -> None:
    plain = text.decode("latin-1") if isinstance(text, bytes) else str(text)
    _check_width(plain, args)
    values: list[Any] = [*args, *options.values()]
    if len(args) == 1 and isinstance(args[0], Mapping):
        values = [*cast("Mapping[Any, Any]", args[0]).values()]
    longest = max((len(each) for each in values if isinstance(each, str | bytes)), default=0)
    _check_made(len(plain) + plain.count("%") * longest)


def _check_width(text: str, stars: Sequence[Any] = ()) -> None:
    """Raises SecurityError for a number in a format, or a number that a ``*`` in it takes, that is too wide."""
    widths = [int(found[:9]) for found in _WIDTH.findall(text)]
    if "*" in text:
        widths += [value for value in stars if isinstance(value, int)]
    if any(width > MAX_WIDTH for width in widths):
        raise SecurityError(f"text is padded to at most {MAX_WIDTH} columns in a template")


_CHECKS: Final[dict[str, Callable[..., None]]] = {
    "tojson": _check_defined,
    "batch": _check_parts,
    "center": _check_number,
    "format": _check_percent,
    "indent": _check_indent,
    "replace": _check_replace,
    "round": _check_number,
    "slice": _check_parts,
    "urlize": _check_links,
    "wordwrap": _check_wrap,
}
"""Of filters."""

_METHODS: Final[dict[str, Callable[..., None]]] = {
    "center": _check_number,
    "expandtabs": _check_tabs,
    "ljust": _check_number,
    "replace": _check_replace,
    "rjust": _check_number,
    "to_bytes": _check_number,
    "translate": _check_translate,
    "zfill": _check_number,
}
"""Of texts, bytes and integers. ``join`` and ``format`` are counted while they make something."""


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
