"""Seeded JSON documents for every struct of the vocabulary, and small damages to them."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from random import Random
from typing import Any, get_origin

from msgspec import Struct, inspect

from chatkit_asgi import widgets
from chatkit_asgi.icons import ICON_NAMES

TEXTS = [
    "",
    "text",
    "a b",
    'quo"te',
    "line\nbreak",
    "é✓",
    "null",
    "0",
    "12",
    "true",
    "/a\\b",
    "\u2028\x7f",
]
DATES = [
    "2026-03-14T09:26:53.589793Z",
    "2026-03-14T09:26:53Z",
    "2026-03-14T09:26:53+02:00",
]
URLS = [
    "https://cdn.test/a.png",
    "data:image/png;base64,iVBO",
    "HTTPS://X.test?q=1",
    "https://X.test",
]
ICONS = [*sorted(ICON_NAMES)[:8], "vendor:x", "lucide:loader"]
ROOTS = [widgets.Card, widgets.ListView, widgets.Basic]
LEAVES = [
    widgets.Text,
    widgets.Markdown,
    widgets.Button,
    widgets.Icon,
    widgets.Select,
    widgets.Chart,
    widgets.DatePicker,
]
PARENTS = [widgets.Box, widgets.Row, widgets.Col, widgets.Form, widgets.Transition]
CHILDREN = {
    "ListView": [widgets.ListViewItem],
    "Table": [widgets.TableRow],
    "Table.Row": [widgets.TableCell],
}
ACTION = {"handler": "client", "loadingBehavior": "none", "streaming": False}
SERIES = {"type": "line", "label": "l", "dataKey": "d"}

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Damage:
    """What was done to a valid document, and where."""

    what: str
    path: Path


class Documents:
    """Makes documents from one source of chance."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def pick(self, choices: Any) -> Any:
        """One of them."""
        return self._random.choice(choices)

    def of(self, kind: Any, depth: int = 0) -> dict[str, Any]:
        """A document that is a ``kind``."""
        info = inspect.type_info(kind)
        assert isinstance(info, inspect.StructType)
        tag = (get_origin(kind) or kind).__struct_config__.tag
        made: dict[str, Any] = {} if tag is None else {"type": tag}
        for field in info.fields:
            if (field.name != "type" or tag is None) and (
                field.required or self._random.random() < 0.4
            ):
                made[field.name] = self._field(str(tag or info.cls.__name__), field, depth)
        self._random.shuffle(keys := list(made))
        return {key: made[key] for key in keys}

    def _field(self, owner: str, field: inspect.Field, depth: int) -> Any:
        pick = self._random.choice
        match owner, field.name:
            case ("widget" | "widget.root.updated", "widget"):
                return self.of(pick(ROOTS))
            case _, "component":
                return self.of(pick(LEAVES + PARENTS))
            case "Transition", "children":
                return self.of(pick(LEAVES), depth + 1)
            case _, "children":
                kinds = CHILDREN.get(owner, LEAVES if depth > 1 else LEAVES + PARENTS)
                return [self.of(pick(kinds), depth + 1) for _ in range(self._random.randrange(3))]
            case _, "summary":
                return pick([{"title": "t"}, {"title": "t", "icon": "bolt"}, {"duration": 7}])
            case _, "status" if owner in ("Card", "ListView"):
                return pick(
                    [
                        {"text": "t"},
                        {"text": "t", "icon": "bolt"},
                        {"text": "t", "favicon": "f", "frame": True},
                    ]
                )
            case _, "confirm" | "cancel":
                return {"label": "OK", "action": {"type": "a", "payload": self.json(), **ACTION}}
            case _, "onClickAction" | "onSubmitAction" | "onChangeAction":
                return {"type": "a", "payload": self.json(), **ACTION}
            case ("bar" | "area" | "line", "label") | (_, "series"):
                return (
                    "l"
                    if field.name == "label"
                    else [dict(SERIES) for _ in range(self._random.randrange(3))]
                )
            case "DatePicker", "defaultValue" | "min" | "max":
                return pick(DATES)
            case _, "border":
                return pick([1, {"size": 1}, {"top": 1, "left": {"size": 2, "color": "c"}}])
            case _, "icon" | "iconStart" | "iconEnd":
                return pick(ICONS)
            case "Icon", "name":
                return pick(ICONS)
            case "error", "code":
                return pick(["custom", "stream.error", "quota"])
            case _:
                return self._value(field.type, depth)

    def _value(self, of: inspect.Type, depth: int) -> Any:
        random = self._random
        match of:
            case inspect.AnyType():
                return self.json()
            case inspect.StrType(pattern=pattern):
                return random.choice(URLS if pattern else TEXTS)
            case inspect.IntType():
                return random.choice([0, 1, 7, -1, 2**40])
            case inspect.FloatType():
                return random.choice([0.5, 0.25, 1.5])
            case inspect.BoolType():
                return random.random() < 0.5
            case inspect.NoneType():
                return None
            case inspect.BytesType():
                return random.choice(["", "GkXfo59C", "YQ=="])
            case inspect.DateTimeType():
                return random.choice(DATES)
            case inspect.LiteralType(values=values):
                return random.choice(values)
            case inspect.ListType(item_type=item):
                return [self._value(item, depth) for _ in range(random.randrange(3))]
            case inspect.DictType(value_type=value):
                return {f"k{n}": self._value(value, depth) for n in range(random.randrange(3))}
            case inspect.TypedDictType(fields=entries):
                return {
                    entry.encode_name: self._value(entry.type, depth)
                    for entry in entries
                    if entry.required or random.random() < 0.5
                }
            case inspect.UnionType(types=kinds):
                return self._value(random.choice(kinds), depth)
            case inspect.StructType(cls=cls):
                return self.of(cls, depth)
            case inspect.Metadata(type=inner):
                return self._value(inner, depth)
        raise AssertionError(of)

    def json(self, depth: int = 0) -> Any:
        """Any JSON value."""
        random = self._random
        if depth > 1 or random.random() < 0.5:
            return random.choice([None, True, 0, 1.5, 2**70, *TEXTS])
        if random.random() < 0.3:
            return [self.json(depth + 1) for _ in range(random.randrange(3))]
        return {
            random.choice(["a", "b", "type", "id"]): self.json(depth + 1)
            for _ in range(random.randrange(3))
        }

    def damaged(self, document: dict[str, Any]) -> tuple[dict[str, Any], Damage]:
        """A copy of ``document`` with one damage."""
        random = self._random
        damaged = copy.deepcopy(document)
        path = random.choice(list(_paths(damaged)) or [("new",)])
        at: Any = damaged
        for key in path[:-1]:
            at = at[key]
        key = path[-1]
        if key == "new":
            at[key] = 1
        what = random.choice(["missing", "null", "extra", "wrong"])
        if key == "type":
            what = random.choice(["missing", "null", "wrong"])
        if what == "missing":
            del at[key]
        elif what == "null":
            at[key] = None
        elif what == "extra":
            inner = at[key] if isinstance(at[key], dict) else damaged
            inner["new"] = self.json()
            path = (*path, "new") if inner is at[key] else ("new",)
        else:
            others = [
                "wrong",
                "5",
                5,
                5.0,
                5.5,
                True,
                [],
                {},
                ["a"],
                {"a": 1},
                "yes",
                [None],
                {"type": "wrong"},
            ]
            at[key] = random.choice(others)
        return damaged, Damage(what, path)


def _paths(value: Any, path: Path = ()) -> Any:
    entries = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in entries:
        yield (*path, key)
        yield from _paths(inner, (*path, key))


def structs(*modules: Any) -> dict[str, type[Struct]]:
    """Every struct that the modules export, by name."""
    found = {name: getattr(module, name) for module in modules for name in module.__all__}
    return {
        name: kind
        for name, kind in found.items()
        if isinstance(kind, type) and issubclass(kind, Struct)
    }
