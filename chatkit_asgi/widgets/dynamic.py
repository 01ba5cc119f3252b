"""Widgets as data: open components that keep every prop they are given.

A widget that is read from a store or built by a template is a plain JSON object. :class:`DynamicWidgetComponent` is
that object, a ``dict`` whose props are attributes too, at every depth; nothing is validated away, so what was sent
comes back unchanged. A prop with the name of a dict method (``items``, ``values`` ...) is read by its key.

Also here: :func:`without_nulls`, the omission policy of open widgets (typed ones omit what is ``None`` as every struct
does). A null is left out where it is a prop of a component or of one of the vocabulary's own objects (a status, a
border, an action ...). Everything else belongs to the application: what is inside an action's ``payload``, a chart's
``data`` or a prop that the vocabulary does not know stays as it is.
"""

from __future__ import annotations

from operator import is_
from typing import Any, ClassVar, Final, Literal, Self, cast, get_args

import msgspec

from .._base import PydanticMethods, pydantic_schema

__all__ = [
    "ROOT_TYPES",
    "BasicRoot",
    "DynamicWidgetComponent",
    "DynamicWidgetRoot",
    "RootType",
    "Widget",
    "as_component",
    "as_root",
    "open_children",
    "without_nulls",
]

RootType = Literal["Card", "ListView", "Basic"]

ROOT_TYPES: Final = frozenset[str](get_args(RootType))

_OWN_OBJECTS: Final = frozenset(
    {
        *("children", "status", "options", "series", "xAxis", "editable"),
        *("confirm", "cancel", "action", "onClickAction", "onSubmitAction", "onChangeAction"),
        *("color", "background", "padding", "margin", "border"),
        *("top", "right", "bottom", "left", "x", "y"),
    }
)
"""Props whose objects are the vocabulary's, so that a null in them means "not set"."""

_COMMON: Final = frozenset({"key", "id", "children"})
"""Props that read as ``None`` where they are not set."""


class Widget(PydanticMethods):
    """What every component and root is, typed or open."""

    __slots__ = ()

    _drop_none: ClassVar[bool] = True


class _OpenObject(dict[str, Any]):
    """A JSON object with attribute access; the objects in it become open when they are reached."""

    __slots__ = ()

    def __getitem__(self, key: str, /) -> Any:
        value = super().__getitem__(key)
        opened = _open(value, DynamicWidgetComponent if key == "children" else _OpenObject)
        if opened is not value:
            self[key] = opened
        return opened

    def get(self, key: str, default: Any = None, /) -> Any:
        try:
            return self[key]
        except KeyError:
            return default

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} has no prop {name!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self[name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} has no prop {name!r}") from None


def _open(value: Any, kind: type[_OpenObject]) -> Any:
    """A plain dict as an open object; a list with its plain dicts opened in place; anything else as it is."""
    if type(value) is dict:
        props: dict[str, Any] = cast("Any", value)
        return kind(props)
    if type(value) is list:
        elements: list[Any] = cast("Any", value)
        for index, element in enumerate(elements):
            if type(element) is dict:
                elements[index] = _open(element, kind)
            elif type(element) is list:
                _open(element, kind)
        return elements
    return value


def open_children(children: Any) -> Any:
    """``children``, one or a list of them, with plain dicts as open components."""
    return _open(children, DynamicWidgetComponent)


class DynamicWidgetComponent(Widget, _OpenObject):
    """An open component: any ``type`` and any props, as keywords or as one dict."""

    __slots__ = ()

    _types: ClassVar[frozenset[str] | None] = None
    """The values of ``type`` that fit; ``None`` for any."""

    def __getattr__(self, name: str) -> Any:
        return self.get(name) if name in _COMMON else super().__getattr__(name)

    def _as_written(self) -> Any:
        return without_nulls(self)

    @property
    def model_fields_set(self) -> set[str]:
        """The props that are set."""
        return set(self)

    @classmethod
    def model_validate(cls, obj: Any, **_: Any) -> Self:
        """An open component from a dict or from a typed one; one of this class as it is.

        Raises:
            ValueError: Not an object with a fitting ``type``.
        """
        if isinstance(obj, Widget) and not isinstance(obj, dict):
            obj = obj.model_dump()
        if isinstance(obj, dict) and not isinstance(obj, cls):
            props: dict[str, Any] = cast("Any", obj)
            obj = cls(props)
        valid: Self = _checked(obj, cls._types)
        return valid

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **_: Any) -> Self:
        """An open component from JSON text.

        Raises:
            msgspec.DecodeError: Not JSON.
            ValueError: Not an object with a fitting ``type``.
        """
        return cls.model_validate(msgspec.json.decode(json_data))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        return pydantic_schema(source, validate=cls.model_validate)


class DynamicWidgetRoot(DynamicWidgetComponent):
    """An open root: a ``Card``, ``ListView`` or ``Basic``."""

    __slots__ = ()

    _types = ROOT_TYPES


class BasicRoot(DynamicWidgetRoot):
    """An open ``Basic`` root; :class:`~chatkit_asgi.widgets.Basic` is the typed one."""

    __slots__ = ()

    _types = frozenset({"Basic"})

    def __init__(self, *args: Any, **props: Any) -> None:
        super().__init__(type="Basic")
        self.update(*args, **props)


def as_root(widget: Any) -> Any:
    """``widget`` as a root: a typed or open one as it is, a plain dict as :class:`DynamicWidgetRoot`.

    Raises:
        ValueError: Not a widget, or not one of the three root types.
    """
    return _checked(_open(widget, DynamicWidgetRoot), ROOT_TYPES)


def as_component(widget: Any) -> Any:
    """``widget`` as a component: a typed or open one as it is, a plain dict as :class:`DynamicWidgetComponent`.

    Raises:
        ValueError: Not an object with a ``type``.
    """
    return _checked(_open(widget, DynamicWidgetComponent), None)


def _checked(widget: Any, types: frozenset[str] | None) -> Any:
    """``widget`` if it is a component of one of ``types``."""
    if not isinstance(widget, Widget):
        raise ValueError(f"expected a widget, got {type(widget).__name__}")
    name: Any = getattr(widget, "type", None)
    if not isinstance(name, str) or (types is not None and name not in types):
        raise ValueError(f"{name!r} is not the type of a widget{' root' if types else ''}")
    return widget


def without_nulls(value: Any) -> Any:
    """``value``, an open widget or a part of one, with no null in its own objects; itself if nothing had to go."""
    if isinstance(value, dict):
        props: dict[str, Any] = cast("Any", value)
        kept = {
            name: without_nulls(prop) if name in _OWN_OBJECTS else prop
            for name, prop in props.items()
            if prop is not None
        }
        if len(kept) == len(props) and all(map(is_, kept.values(), props.values())):
            return props
        copied = type(props).__new__(type(props))
        copied.update(kept)
        return copied
    if isinstance(value, list):
        elements: list[Any] = cast("Any", value)
        left = [without_nulls(each) for each in elements if each is not None]
        return elements if len(left) == len(elements) and all(map(is_, left, elements)) else left
    return value
