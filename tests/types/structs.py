"""Every struct of the vocabulary, and how to make one of each."""

from __future__ import annotations

import types as python_types
from datetime import UTC, datetime
from functools import cache
from typing import Any, get_origin

import msgspec
from msgspec import Struct, inspect

from chatkit_asgi import actions, types, widgets
from chatkit_asgi.widgets import components

NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)


def _structs(module: python_types.ModuleType) -> list[type[Struct]]:
    return [
        kind
        for name in module.__all__
        if isinstance(kind := getattr(module, name), type) and issubclass(kind, Struct)
    ]


STRUCTS: list[type[Struct]] = sorted(
    {*_structs(types), *_structs(widgets), *_structs(actions), *_structs(components)},
    key=lambda kind: kind.__name__,
)

_ROOT = {"type": "Card", "children": []}
_BY_NAME: dict[str, Any] = {
    "widget": _ROOT,
    "component": {"type": "Text", "value": "x"},
    "summary": {"duration": 1},
}


@cache
def fields(kind: type[Struct]) -> tuple[inspect.Field, ...]:
    """The fields of ``kind`` but its tag."""
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    return tuple(field for field in info.fields if field.name != "type" or info.tag is None)


def value(of: inspect.Type, name: str = "") -> Any:
    """Some plain value of that type."""
    match of:
        case inspect.AnyType():
            return _BY_NAME.get(name, {"any": None})
        case inspect.StrType(pattern=pattern):
            return "https://x.test/" if pattern else "text"
        case inspect.IntType() | inspect.FloatType():
            return 1
        case inspect.BoolType():
            return True
        case inspect.BytesType():
            return "YQ=="
        case inspect.DateTimeType():
            return "2026-03-14T09:26:53Z"
        case inspect.LiteralType(values=values):
            return values[0]
        case inspect.ListType(item_type=item):
            return [value(item, name)]
        case inspect.DictType():
            return {}
        case inspect.TypedDictType(fields=entries):
            return {entry.encode_name: value(entry.type) for entry in entries}
        case inspect.UnionType(types=kinds):
            return value(
                next(kind for kind in kinds if not isinstance(kind, inspect.NoneType)), name
            )
        case inspect.StructType(cls=cls):
            return document(cls, optional=False)
        case inspect.Metadata(type=inner):
            return value(inner, name)
    raise AssertionError(of)


def document(kind: type[Struct], *, optional: bool) -> dict[str, Any]:
    """The JSON of a ``kind``: with its required keys only, or with all of them."""
    made = {
        field.name: value(field.type, field.name)
        for field in fields(kind)
        if optional or field.required
    }
    tag = (get_origin(kind) or kind).__struct_config__.tag  # a Page[X] is no class
    return made if tag is None else {"type": tag, **made}


def instance(kind: type[Struct], *, optional: bool) -> Any:
    """An instance that came from such JSON."""
    return msgspec.convert(document(kind, optional=optional), kind)
