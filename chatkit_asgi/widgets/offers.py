"""Which actions a widget offers, and whether one that came in can be one of them (widgets.md section 5).

What a client sends is not always what the widget says, so these count as the widget's own:

- Form values: keys that the action does not have itself, under the name of a control of the widget; dots make objects
  (``todo.title`` is ``{"todo": {"title": ...}}``). A control's ``onChangeAction`` may add any key: which one it adds
  outside a form is not specified.
- A key that is null in one and missing in the other: clients differ in what they do with nulls. Numbers are equal as
  JavaScript sees them.
- Anything, if a ``handler: "client"`` action is in the widget: the page handles that one by itself, gets the widget's
  id for it, and may then send whatever its author likes in the widget's name.

An object with a ``type`` anywhere among a component's props counts as an action, so that components which are newer
than this library may have some too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias, cast

import msgspec

from .._base import encode

__all__ = ["offers"]

Names: TypeAlias = set[tuple[str, ...]]


class _Offer(NamedTuple):
    action: dict[str, Any]
    adds_any: bool
    """Whether the client may add a key that cannot be foreseen."""


def offers(widget: Any, type: str, payload: Any) -> bool:
    """Whether an action of this type and payload can have come from ``widget``."""
    tree = msgspec.json.decode(encode(widget))
    sent = msgspec.json.decode(encode(payload))
    found: list[_Offer] = []
    controls: Names = set()
    for component in _components(tree):
        found += _offers_of(component)
        controls |= _controls_of(component)
    if any(offer.action.get("handler") == "client" for offer in found):
        return True
    return any(
        offer.action["type"] == type and _covers(offer.action.get("payload"), sent, controls, offer)
        for offer in found
    )


def _components(component: Any) -> Iterator[dict[str, Any]]:
    if isinstance(component, dict):
        props: dict[str, Any] = cast("Any", component)
        yield props
        children = props.get("children")
        for child in cast("list[Any]", children if isinstance(children, list) else [children]):
            yield from _components(child)


def _offers_of(component: dict[str, Any]) -> Iterator[_Offer]:
    for name, value in component.items():
        if name != "children":
            for action in _actions_in(value):
                yield _Offer(action, name == "onChangeAction")


def _actions_in(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for each in cast("list[Any]", value):
            yield from _actions_in(each)
    elif isinstance(value, dict):
        props: dict[str, Any] = cast("Any", value)
        if isinstance(props.get("type"), str):
            yield props
        for name, inner in props.items():
            if name != "payload":
                yield from _actions_in(inner)


def _controls_of(component: dict[str, Any]) -> Names:
    """The names under which a component adds form values."""
    editable: Any = component.get("editable")
    names: list[Any] = [editable.get("name")] if isinstance(editable, dict) else []  # pyright: ignore[reportUnknownMemberType]
    if component.get("type") != "Icon":  # whose name is a picture
        names.append(component.get("name"))
    return {tuple(name.split(".")) for name in names if isinstance(name, str)}


def _covers(
    own: Any, sent: Any, controls: Names, offer: _Offer, path: tuple[str, ...] = ()
) -> bool:
    """Whether ``sent`` is ``own`` with nothing but form values added."""
    if not isinstance(own, dict | None) or not isinstance(sent, dict | None):
        unforeseen = not path and (offer.adds_any or (bool(controls) and not isinstance(own, dict)))
        return unforeseen or _equal(own, sent)
    mine, theirs = cast("dict[str, Any]", own or {}), cast("dict[str, Any]", sent or {})
    return all(
        _covers(value, theirs.get(name), controls, offer, (*path, name))
        for name, value in mine.items()
    ) and all(
        value is None or offer.adds_any or _is_form_value(value, controls, (*path, name))
        for name, value in theirs.items()
        if name not in mine
    )


def _is_form_value(value: Any, controls: Names, path: tuple[str, ...]) -> bool:
    """Whether controls can have made what is at ``path``."""
    if path in controls or not isinstance(value, dict):
        return path in controls
    inner: dict[str, Any] = cast("Any", value)
    return any(control[: len(path)] == path for control in controls) and all(
        _is_form_value(each, controls, (*path, name)) for name, each in inner.items()
    )


def _equal(one: Any, other: Any) -> bool:
    """Equality of JSON values after a journey through JavaScript."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other or _as_double(one) == _as_double(other)
    if isinstance(one, dict) and isinstance(other, dict):
        first: dict[str, Any] = cast("Any", one)
        second: dict[str, Any] = cast("Any", other)
        return all(_equal(first.get(name), second.get(name)) for name in {*first, *second})
    if isinstance(one, list) and isinstance(other, list):
        ones, others = cast("list[Any]", one), cast("list[Any]", other)
        return len(ones) == len(others) and all(map(_equal, ones, others))
    return bool(one == other)


def _as_double(number: int | float) -> int | float:
    """The number as JavaScript has it; one that is too large for that as it is."""
    try:
        return float(number)
    except OverflowError:
        return number
