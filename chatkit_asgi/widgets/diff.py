"""What changed between two states of a widget, as item updates; and what such an update does to a widget.

Values in, values out: nothing here changes its arguments. A widget is a tree of components, typed or open in any
mixture; a component's children are one component or a list of them. Two trees are the same when they are written as the
same JSON, so what is compared is their JSON: a state is encoded once, and only what differs is looked into.

Each change goes out in the smallest update that surely reaches the client's copy:

1. Text appended to a Text or Markdown that can be addressed is a ``widget.streaming_text.value_delta``.
2. Any other change is a ``widget.component.updated`` of the lowest component around it that can be addressed, or of one
   around that, where this is shorter than the updates inside it.
3. Where there is none, or where all of them are no shorter than it, a ``widget.root.updated``.

Deltas by themselves are never replaced: the client shows text as it comes, and draws whole components anew.

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
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias, cast

import msgspec
from msgspec import Raw, Struct

from .._base import encode
from ..types.updates import WidgetComponentUpdated, WidgetRootUpdated, WidgetStreamingTextValueDelta
from .dynamic import DynamicWidgetComponent, DynamicWidgetRoot, as_root

__all__ = ["ShownWidget", "WidgetUpdate", "apply_update", "diff_widget"]

WidgetUpdate: TypeAlias = WidgetStreamingTextValueDelta | WidgetComponentUpdated | WidgetRootUpdated

_STREAMING: Final = frozenset({"Text", "Markdown"})
_EVENT: Final = len(b'data: {"type":"thread.item.updated","item_id":"","update":}\n\n') + 36
"""Bytes of the event around an update."""
_ROOT: Final = len(b'{"type":"widget.root.updated","widget":}')

_decode: Callable[[bytes | Raw], Any] = msgspec.json.decode
_props_of = msgspec.json.Decoder(dict[str, Raw]).decode
_elements_of = msgspec.json.Decoder(list[Raw]).decode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode


class ShownWidget:
    """A widget as it is shown, kept as it was written: who made it may go on changing the object."""

    __slots__ = ("_growing", "written")

    def __init__(self, root: Any) -> None:
        self.written = encode(as_root(root))
        self._growing: tuple[int, str, bool] | None = None
        """Where the text that grew last ends, and the ``component_id`` and ``done`` of its deltas."""

    def widget(self) -> DynamicWidgetRoot:
        """A copy of it, in the open form."""
        return DynamicWidgetRoot(_decode(self.written))

    def update(self, root: Any) -> list[WidgetUpdate]:
        """Show another state.

        Returns:
            The updates that turn the earlier one into it. They share nothing with ``root``.

        Raises:
            ValueError: Not a widget root.
        """
        before, after = self.written, encode(as_root(root))
        self.written = after
        if before == after:
            return []
        if (grown := self._grown(before, after)) is not None:
            return [grown]
        self._growing = None
        try:
            updates = _Diff(before, after).updates()
        except RecursionError:  # too deep to walk
            updates = None
        if updates is None:
            return [WidgetRootUpdated(widget=self.widget())]
        if len(updates) == 1 and isinstance(delta := updates[0], WidgetStreamingTextValueDelta):
            end = _common_start(before, after)
            if after.endswith(before[end:]):
                self._growing = end + len(after) - len(before), delta.component_id, delta.done
        return updates

    def _grown(self, before: bytes, after: bytes) -> WidgetStreamingTextValueDelta | None:
        """The delta, if all that was added is more of the text that grew last: its string has become longer by
        something that is the inside of a string too."""
        if self._growing is None or len(after) < len(before):
            return None
        end, name, done = self._growing
        if not (after.startswith(before[:end]) and after.endswith(before[end:])):
            return None
        try:
            delta = _decode(b'"' + after[end : end + len(after) - len(before)] + b'"')
        except msgspec.DecodeError:
            return None
        self._growing = end + len(after) - len(before), name, done
        return WidgetStreamingTextValueDelta(component_id=name, delta=delta, done=done)


def diff_widget(before: Any, after: Any) -> list[WidgetUpdate]:
    """The updates that turn ``before`` into ``after``; none if both are written the same."""
    return [] if before is after else ShownWidget(before).update(after)


class _Change:
    """The updates for what changed inside a component."""

    __slots__ = ("only_text", "size", "updates")

    def __init__(self, *updates: WidgetUpdate) -> None:
        self.updates = [*updates]
        self.size = sum(len(encode(update)) + _EVENT for update in updates)
        """Bytes that they take on the wire."""
        self.only_text = all(isinstance(each, WidgetStreamingTextValueDelta) for each in updates)

    def add(self, other: _Change) -> None:
        self.updates += other.updates
        self.size += other.size
        self.only_text = self.only_text and other.only_text

    def beats(self, size: int) -> bool:
        """Whether they are better than one update of this size."""
        return self.only_text or self.size < size


class _Diff:
    """One comparison. Its methods return what changed, or ``None`` where the component around has to take it."""

    def __init__(self, before: bytes, after: bytes) -> None:
        self._before = before
        self._after = after
        self._root_ids: set[Any] = set()
        self._counts: tuple[Counter[str], Counter[str]] | None = None

    def updates(self) -> list[WidgetUpdate] | None:
        """The updates; ``None`` if the root has to be replaced."""
        before, after = _props_of(self._before), _props_of(self._after)
        self._root_ids = {_value(props.get("id")) for props in (before, after)}
        change = self._inside(before, after)
        if change is None or not change.beats(len(self._after) + _ROOT + _EVENT):
            return None
        return change.updates

    def _inside(self, old: dict[str, Raw], new: dict[str, Raw]) -> _Change | None:
        """The changes inside one component, its own props included."""
        old_children, new_children = old.pop("children", None), new.pop("children", None)
        change = _Change()
        if not _same_props(old, new):
            delta = self._growth(old, new)
            if delta is None:
                return None
            change.add(_Change(delta))
        if old_children == new_children:
            return change
        if old_children is None or new_children is None:
            return None
        was, now = _components(old_children), _components(new_children)
        if was is None or now is None or len(was) != len(now):
            return None
        for one, other in zip(was, now, strict=True):
            if one != other:
                below = self._pair(one, other)
                if below is None:
                    return None
                change.add(below)
        return change

    def _growth(
        self, old: dict[str, Raw], new: dict[str, Raw]
    ) -> WidgetStreamingTextValueDelta | None:
        """The one change of a text that grew, and changed in nothing else."""
        if _value(new.get("type")) not in _STREAMING or not _same_props(old, new, but="value"):
            return None
        start, value, name = (
            _value(props) for props in (old.get("value"), new.get("value"), new.get("id"))
        )
        if not isinstance(start, str) or not isinstance(value, str) or not value.startswith(start):
            return None
        if not self._addresses(name):
            return None
        return WidgetStreamingTextValueDelta(
            component_id=name,
            delta=value[len(start) :],
            done=not _value(new.get("streaming")),
        )

    def _pair(self, before: Raw, after: Raw) -> _Change | None:
        """What became of one child."""
        if not (_is_object(before) and _is_object(after)):
            return None
        old, new = _props_of(before), _props_of(after)
        name = _value(new.get("id")) if new.get("id") == old.get("id") else None
        change = self._inside(old, new)
        if name is None or (change and change.only_text) or not self._addresses(name):
            return change
        component = DynamicWidgetComponent(_decode(after))
        whole = _Change(WidgetComponentUpdated(component_id=name, component=component))
        return change if change is not None and change.beats(whole.size) else whole

    def _addresses(self, name: Any) -> bool:
        """Whether exactly one component has this id, before and after."""
        if not isinstance(name, str) or not name:
            return False
        key = b'"id":' + msgspec.json.encode(name)
        if (
            name not in self._root_ids
            and self._before.count(key) == 1
            and self._after.count(key) == 1
        ):
            return True
        if self._counts is None:  # other things have ids too, such as an action's payload
            self._counts = (
                Counter(_ids(_decode(self._before))),
                Counter(_ids(_decode(self._after))),
            )
        return all(counts[name] == 1 for counts in self._counts)


def _common_start(before: bytes, after: bytes) -> int:
    """How many bytes both begin with."""
    lengths = range(1, min(len(before), len(after)) + 1)
    return bisect_left(lengths, True, key=lambda length: before[:length] != after[:length])


def _value(raw: Raw | None) -> Any:
    return None if raw is None else _decode(raw)


def _is_object(raw: Raw) -> bool:
    return bytes(raw)[:1] == b"{"


def _components(raw: Raw) -> list[Raw] | None:
    """``children`` as a list: one component is a list of one."""
    first = bytes(raw)[:1]
    return _elements_of(raw) if first == b"[" else [raw] if first == b"{" else None


def _same_props(old: dict[str, Raw], new: dict[str, Raw], *, but: str = "") -> bool:
    """Whether all props are written the same, wherever their keys stand."""
    if old.keys() != new.keys():
        return False
    return all(
        value == new[name]
        or name == but
        or _encode_sorted(_decode(value)) == _encode_sorted(_decode(new[name]))
        for name, value in old.items()
    )


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
