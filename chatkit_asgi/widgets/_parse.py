"""JSON text of a widget that somebody else has made: what it says, or where it is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NoReturn, cast

import msgspec
from msgspec import Struct

from .dynamic import ROOT_TYPES, RootType

__all__ = ["NotAWidget", "parse_widget"]


class NotAWidget(Exception):
    """``where`` is a line and column of the text, or a JSON path; ``what`` is wrong there."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(where, what)
        self.where = where
        self.what = what


class _Component(Struct):
    """What every component must be, so that a client can draw it."""

    type: str
    children: list[_Component] | _Component | None = None


class _Root(_Component):
    type: RootType  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]


_check = msgspec.json.Decoder(_Root).decode


def parse_widget(text: str) -> dict[str, Any]:
    """The widget, as plain dicts.

    Raises:
        NotAWidget: It is not JSON, or not a root with components as children.
    """
    try:
        _check(text)
        widget: dict[str, Any] = msgspec.json.decode(text)
        return widget
    except msgspec.DecodeError:
        pass  # find out where; or Python's parser takes it, such as half a surrogate pair
    try:
        tree = json.loads(text, parse_constant=_refuse)
    except ValueError as error:
        place = getattr(error, "pos", 0)
        line, column = text.count("\n", 0, place) + 1, place - text.rfind("\n", 0, place)
        what = f"not JSON ({getattr(error, 'msg', error)})"
        raise NotAWidget(f"line {line}, column {column}", what) from None
    if isinstance(tree, dict) and cast("Any", tree).get("type") not in ROOT_TYPES:
        raise NotAWidget("$.type", f"expected one of {', '.join(sorted(ROOT_TYPES))}")
    for path, what in _misfits(tree, "$"):
        raise NotAWidget(path, what)
    return cast("dict[str, Any]", tree)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"there is no {name} in JSON")


def _misfits(component: Any, path: str) -> Iterator[tuple[str, str]]:
    """Where and what is no component."""
    if not isinstance(component, dict):
        yield path, f"expected a component, got {type(component).__name__}"
        return
    props: dict[str, Any] = cast("Any", component)
    children = props.get("children")
    if not isinstance(props.get("type"), str):
        yield path, "a component has a 'type'"
    elif isinstance(children, list):
        for index, child in enumerate(cast("list[Any]", children)):
            yield from _misfits(child, f"{path}.children[{index}]")
    elif children is not None:
        yield from _misfits(children, f"{path}.children")
