"""Structs as plain data and plain data as structs: what ``model_dump`` and ``model_validate`` do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, cast

import msgspec
from msgspec import Struct

from .encoding import LEAVES, enc_hook, json_key

__all__ = ["convert", "fields_of", "to_plain"]


def to_plain(
    value: Any,
    *,
    json: bool = False,
    drop_none: bool = False,
    by_alias: bool | None = None,
    include: Any = None,
    exclude: Any = None,
    models: bool = True,
) -> Any:
    """Structs as nested dicts, and models and dataclasses where asked for; everything else copied container by
    container."""
    kind = cast("Any", type(value))
    if kind in LEAVES:
        return value
    inner = partial(to_plain, json=json, drop_none=drop_none, by_alias=by_alias, models=models)
    if isinstance(value, list | tuple):
        elements: list[Any] = cast("Any", value)
        places = enumerate(elements)
        parts = [each for _, each in _parts(inner, places, include, exclude, len(elements))]
        return parts if json or isinstance(value, list) else tuple(parts)
    if isinstance(value, set | frozenset):
        members: Any = cast("Any", value)
        return [inner(each) for each in members] if json else members.copy()
    if isinstance(value, dict):
        entries: dict[Any, Any] = cast("Any", value)
        if json and not all(isinstance(key, str) for key in entries):
            entries = {json_key(key): each for key, each in entries.items()}
    elif isinstance(value, Struct):
        entries = fields_of(value, drop_none)
    elif models and hasattr(kind, "model_dump"):
        return value.model_dump(
            mode="json" if json else "python",
            exclude_none=drop_none,
            include=include,
            exclude=exclude,
            **({} if by_alias is None else {"by_alias": by_alias}),  # Pydantic 2.10 takes no None
        )
    elif models and hasattr(kind, "__dataclass_fields__"):
        entries = {name: getattr(value, name) for name in kind.__dataclass_fields__}
    else:
        return msgspec.to_builtins(value, enc_hook=enc_hook) if json else value
    plain = dict(_parts(inner, entries.items(), include, exclude))
    if by_alias and isinstance(value, Struct):
        alias = dict(zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True))
        alias["type"] = "type"
        plain = {alias.get(name, name): each for name, each in plain.items()}
    return plain


def fields_of(value: Struct, drop_none: bool = False) -> dict[str, Any]:
    """The fields of a struct and its tag by name, without nulls where they are dropped."""
    drop = drop_none or getattr(value, "_drop_none", False)
    names = value.__struct_fields__
    fields = {n: v for n in names if (v := getattr(value, n)) is not None or not drop}
    tag = value.__struct_config__.tag
    return fields if tag is None else {**fields, value.__struct_config__.tag_field or "type": tag}


def _parts(
    inner: Callable[..., Any],
    entries: Iterable[tuple[Any, Any]],
    include: Any,
    exclude: Any,
    length: int = 0,
) -> Iterable[tuple[Any, Any]]:
    """The entries that are wanted, made plain; the places of a list of that length count from its end too."""
    if include is None and exclude is None:
        return ((key, each if type(each) in LEAVES else inner(each)) for key, each in entries)
    return (
        (key, inner(each, include=None if shown is True else shown, exclude=hidden))
        for key, each in entries
        for places in [(key, key - length) if length else (key,)]
        for shown in [True if include is None else _said(include, places)]
        for hidden in [None if exclude is None else _said(exclude, places)]
        if shown is not None and hidden is not True
    )


def _said(choice: Any, places: tuple[Any, ...]) -> Any:
    """What a choice says of a place: ``None`` (nothing), ``True`` (all of it), or a choice in it."""
    told = _as_mapping(choice)
    return _united(next((told[at] for at in places if at in told), None), told.get("__all__"))


def _united(own: Any, of_all: Any) -> Any:
    """What is said of a place itself and of all places. Its own word goes first where one of them is on the whole."""
    if own is None or of_all is None:
        return of_all if own is None else own
    if own is True or of_all is True:
        return own
    first, second = _as_mapping(own), _as_mapping(of_all)
    return {at: _united(first.get(at), second.get(at)) for at in {*first, *second}}


def _as_mapping(choice: Any) -> dict[Any, Any]:
    if not isinstance(choice, Mapping):
        return dict.fromkeys(choice, True)
    entries: Mapping[Any, Any] = cast("Any", choice)
    return {at: True if said is ... else said for at, said in entries.items()}


def convert(value: Any, kind: Any) -> Any:
    """Convert plain data, or plain data that holds structs, to ``kind``.

    Raises:
        msgspec.ValidationError: It does not fit; the message carries the path.
    """
    return msgspec.convert(to_plain(value, by_alias=True, models=False), kind)
