"""Widgets as data: open components that keep every prop they are given.

A widget that is read from a store or built by a template is a plain JSON object. :class:`DynamicWidgetComponent` is
that object, a ``dict`` whose props are attributes too; nothing is validated away, so what was sent comes back
unchanged.
"""

from __future__ import annotations

from typing import Any, cast

from msgspec import Struct

__all__ = ["ROOT_TYPES", "BasicRoot", "DynamicWidgetComponent", "DynamicWidgetRoot", "as_component", "as_root"]

ROOT_TYPES = frozenset({"Card", "ListView", "Basic"})


class DynamicWidgetComponent(dict[str, Any]):
    """An open component."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class DynamicWidgetRoot(DynamicWidgetComponent):
    """An open root."""


class BasicRoot(DynamicWidgetComponent):
    """The root that may hold anything."""


def as_root(widget: Any) -> Any:
    """``widget`` as a root: a struct as it is, a dict as :class:`DynamicWidgetRoot`.

    Raises:
        ValueError: Not a widget, or not one of the three root types.
    """
    return _checked(widget, DynamicWidgetRoot, ROOT_TYPES)


def as_component(widget: Any) -> Any:
    """``widget`` as a component: a struct as it is, a dict as :class:`DynamicWidgetComponent`.

    Raises:
        ValueError: Not an object with a ``type``.
    """
    return _checked(widget, DynamicWidgetComponent, None)


def _checked(widget: Any, kind: type[DynamicWidgetComponent], types: frozenset[str] | None) -> Any:
    if isinstance(widget, Struct):
        name = cast("Any", widget).type
    elif isinstance(widget, dict):
        name = cast("dict[str, Any]", widget).get("type")
        widget = widget if isinstance(widget, DynamicWidgetComponent) else kind(widget)
    else:
        raise ValueError(f"expected a widget, got {type(widget).__name__}")
    if not isinstance(name, str) or (types is not None and name not in types):
        raise ValueError(f"{name!r} is not the type of a widget{' root' if types else ''}")
    return widget
