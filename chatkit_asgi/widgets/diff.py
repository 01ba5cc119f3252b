"""What changed between two states of a widget, as item updates; and what such an update does to a widget.

Values in, values out: nothing here changes its arguments. A widget is a tree of components, typed or open in any
mixture; a component's children are one component or a list of them. Two trees are the same when they are written as the
same JSON. The work is linear in their size.

Each change goes out in the smallest update that surely reaches the client's copy:

1. Text appended to a Text or Markdown that can be addressed is a ``widget.streaming_text.value_delta``.
2. Any other change is a ``widget.component.updated`` of the lowest component around it that can be addressed.
3. Where there is none, or where those updates together are no smaller than it, a ``widget.root.updated``.

A component can be addressed when it has had an ``id`` since before the change that no other component has.

Departures from the reference's differ (widgets.md section 7.1), which answers every change but 1 with a root update:

- A change inside a component that can be addressed is sent as that component.
- Appended text that cannot be addressed, for want of an ``id`` or because two share it, goes with the component around
  it; the reference sends nothing, or only the last one's.
- Text in a Transition, or under a single child, streams too.
- An open component may gain and lose props; the reference raises.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias, cast

import msgspec
from msgspec import Struct

from .._base import enc_hook, encode, json_encoder
from ..types.updates import WidgetComponentUpdated, WidgetRootUpdated, WidgetStreamingTextValueDelta
from .dynamic import as_root, without_nulls

__all__ = ["WidgetUpdate", "apply_update", "diff_widget"]

WidgetUpdate: TypeAlias = WidgetStreamingTextValueDelta | WidgetComponentUpdated | WidgetRootUpdated

_STREAMING: Final = frozenset({"Text", "Markdown"})
_QUICK_LEVELS: Final = 4
"""How deep children are first compared as wholes: it is fast, but at every level it would be quadratic."""
_FRAME: Final = 100
"""Bytes of the event around an update, about."""

_encode = json_encoder.encode
_encode_sorted = msgspec.json.Encoder(enc_hook=enc_hook, order="sorted").encode


def diff_widget(before: Any, after: Any) -> list[WidgetUpdate]:
    """The updates that turn ``before`` into ``after``; none if both are written the same."""
    if before is after:
        return []
    root = WidgetRootUpdated(widget=after)
    try:
        updates = _Diff(before, root.widget).inside(before, root.widget)
    except (RecursionError, UnicodeEncodeError):  # too deep to walk, or text with a lone surrogate
        return [] if encode(before) == encode(after) else [root]
    if updates is None:
        return [root]
    if any(isinstance(update, WidgetComponentUpdated) for update in updates):
        size = sum(len(encode(update)) + _FRAME for update in updates)
        if size >= len(encode(root)) + _FRAME:
            return [root]
    return updates


class _Diff:
    """One comparison. Its methods return updates, or ``None`` where the component around has to take the change."""

    def __init__(self, before: Any, after: Any) -> None:
        self._before = before
        self._after = after
        self._written: tuple[bytes, ...] = (b"", b"")
        """The roots' children, as soon as they are known."""
        self._counts: tuple[Counter[str], Counter[str]] | None = None

    def inside(self, before: Any, after: Any, level: int = 0) -> list[WidgetUpdate] | None:
        """The changes inside one component, its own props included."""
        old, new = _props(before), _props(after)
        old_children, new_children = old.pop("children", None), new.pop("children", None)
        updates: list[WidgetUpdate] = []
        if not _same(old, new):
            delta = self._growth(old, new)
            if delta is None:
                return None
            updates.append(delta)
        below = self._children(old_children, new_children, level)
        return None if below is None else updates + below

    def _growth(self, old: dict[str, Any], new: dict[str, Any]) -> WidgetUpdate | None:
        """The one change of a text that grew, and changed in nothing else."""
        start, value, name = old.get("value"), new.get("value"), new.get("id")
        if (
            new.get("type") not in _STREAMING
            or not isinstance(start, str)
            or not isinstance(value, str)
        ):
            return None
        if (
            not value.startswith(start)
            or not _same({**old, "value": value}, new)
            or not self._addresses(name)
        ):
            return None
        return WidgetStreamingTextValueDelta(
            component_id=cast("str", name), delta=value[len(start) :], done=not new.get("streaming")
        )

    def _children(self, before: Any, after: Any, level: int) -> list[WidgetUpdate] | None:
        if before is after:
            return []
        if not isinstance(before, list) or not isinstance(after, list):
            return self._pair(before, after, level + 1)
        old: list[Any] = cast("Any", before)
        new: list[Any] = cast("Any", after)
        if len(old) != len(new):
            return None
        pairs = [*zip(old, new, strict=True)]
        if level < _QUICK_LEVELS:
            olds, news = [*map(_encode, old)], [*map(_encode, new)]
            if level == 0:
                self._written = b"".join(olds), b"".join(news)
            pairs = [pair for pair, x, y in zip(pairs, olds, news, strict=True) if x != y]
        updates: list[WidgetUpdate] = []
        for one, other in pairs:
            below = self._pair(one, other, level + 1)
            if below is None:
                return None
            updates += below
        return updates

    def _pair(self, before: Any, after: Any, level: int) -> list[WidgetUpdate] | None:
        if before is after:
            return []
        if (
            level > _QUICK_LEVELS
            and _get(after, "children") is None
            and _encode(before) == _encode(after)
        ):
            return []
        if not _is_component(before) or not _is_component(after):
            return [] if _same(before, after) else None
        updates = self.inside(before, after, level)
        if updates is None and (name := _id(after)) == _id(before) and self._addresses(name):
            return [WidgetComponentUpdated(component_id=name, component=after)]
        return updates

    def _addresses(self, name: Any) -> bool:
        """Whether exactly one component has this id, before and after."""
        if not isinstance(name, str) or not name:
            return False
        key = b'"id":' + _encode(name)
        if all(text.count(key) == 1 for text in self._written) and _id(self._after) != name != _id(
            self._before
        ):
            return True
        if self._counts is None:  # other things have ids too, such as an action's payload
            self._counts = Counter(_ids(self._before)), Counter(_ids(self._after))
        return all(counts[name] == 1 for counts in self._counts)


def apply_update(widget: Any, update: WidgetUpdate) -> Any:
    """``widget`` after ``update``. Parts that do not change are shared with the argument, which is not changed.

    An update that addresses no component changes nothing, as in the client.
    """
    if isinstance(update, WidgetRootUpdated):
        return update.widget

    def replacement(component: Any) -> Any:
        if isinstance(update, WidgetComponentUpdated):
            return update.component
        value = _get(component, "value")
        return _with(component, "value", (value if isinstance(value, str) else "") + update.delta)

    changed = _replaced(widget, update.component_id, replacement)
    return widget if changed is None else as_root(changed)


def _replaced(component: Any, name: str, replace: Callable[[Any], Any]) -> Any:
    """``component`` with the first component of that id, itself or below, replaced; ``None`` if there is none."""
    if not _is_component(component):
        return None
    if _id(component) == name:
        return replace(component)
    children = _get(component, "children")
    if isinstance(children, list):
        elements: list[Any] = cast("Any", children)
        for index, child in enumerate(elements):
            if (changed := _replaced(child, name, replace)) is not None:
                return _with(
                    component, "children", [*elements[:index], changed, *elements[index + 1 :]]
                )
        return None
    changed = _replaced(children, name, replace)
    return None if changed is None else _with(component, "children", changed)


def _is_component(value: Any) -> bool:
    return isinstance(value, dict | Struct)


def _get(component: Any, name: str) -> Any:
    if isinstance(component, dict):
        return _get_item(component, name)
    return getattr(component, name, None)


_get_item: Callable[[Any, str], Any] = cast("Any", dict).get
"""Reads a prop as it is; through an open component, it would be opened."""


def _with(component: Any, name: str, value: Any) -> Any:
    changed = copy.copy(component)
    if isinstance(component, dict):
        changed[name] = value
    else:
        setattr(changed, name, value)
    return changed


def _id(component: Any) -> Any:
    return _get(component, "id")


def _ids(component: Any) -> Iterator[str]:
    """The ids of ``component`` and of all components below it."""
    if _is_component(component):
        if isinstance(name := _id(component), str):
            yield name
        children = _get(component, "children")
        elements: list[Any] = cast("Any", children if isinstance(children, list) else [children])
        for child in elements:
            yield from _ids(child)


def _props(component: Any) -> dict[str, Any]:
    """The props of a component that are set, its ``type`` among them."""
    if isinstance(component, dict):
        props: dict[str, Any] = cast("Any", component)
        return {name: value for name, value in props.items() if value is not None}
    names = component.__struct_fields__
    props = {name: value for name in names if (value := getattr(component, name)) is not None}
    props["type"] = component.__struct_config__.tag
    return props


def _same(before: Any, after: Any) -> bool:
    """Whether both are written the same, wherever their keys stand."""
    if before is after or _encode(before) == _encode(after):
        return True
    return _encode_sorted(without_nulls(before)) == _encode_sorted(without_nulls(after))
