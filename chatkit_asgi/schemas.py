"""JSON Schemas (draft 2020-12) of the protocol, made of the structs: for servers and clients in other languages.

May import ``types`` and msgspec.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, cast

import msgspec

from . import types

__all__ = ["ANSWERS", "schemas", "tidied", "write_schemas"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
REFERENCE = "#/$defs/"

ANSWERS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "threads.get_by_id": types.Thread,
        "threads.list": types.Page[types.Thread],
        "threads.update": types.Thread,
        "threads.delete": None,
        "threads.sync_custom_action": types.SyncCustomActionResponse,
        "items.list": types.Page[types.ThreadItem],
        "items.feedback": None,
        "attachments.create": types.Attachment,
        "attachments.delete": None,
        "input.transcribe": types.TranscriptionResult,
    }
)
"""By the type of each request that does not stream: its answer; ``None`` where that is an empty object."""


def schemas() -> dict[str, dict[str, Any]]:
    """The schemas, by file name without its suffix: ``request``, ``event``, ``item``, and ``answer.TYPE`` for each
    request that does not stream."""
    named: dict[str, Any] = {
        "request": types.ChatKitReq,
        "event": types.ThreadStreamEvent,
        "item": types.ThreadItem,
        **{f"answer.{name}": kind for name, kind in ANSWERS.items()},
    }
    return {
        name: {
            "$schema": DIALECT,
            "title": name,
            **({"type": "object"} if kind is None else _schema(kind)),
        }
        for name, kind in named.items()
    }


def write_schemas(directory: Path) -> list[Path]:
    """Write each schema as ``NAME.schema.json`` into ``directory``, which is made when it is missing."""
    directory.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for name, schema in schemas().items():
        path = directory / f"{name}.schema.json"
        path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        written.append(path)
    return written


def tidied(
    kinds: Sequence[Any], reference: str, prefix: str = ""
) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """The schemas of types, and of the structs in them by name.

    Without the marks by which the structs know their tags, and without the defaults that are never written.

    Args:
        kinds: Structs and unions.
        reference: What a reference begins with, before the name.
        prefix: What a name begins with.
    """
    wholes, parts = msgspec.json.schema_components(kinds, ref_template=reference + "{name}")
    names = {name: prefix + _plain(name, part) for name, part in parts.items()}
    for name, part in parts.items():
        part["title"] = names[name].removeprefix(prefix)

    def tidy(value: Any) -> Any:
        if isinstance(value, dict):
            entries = cast("dict[str, Any]", value).items()
            return {
                key: tidy(each)
                for key, each in entries
                if not key.startswith("~") and not (key == "default" and each is None)
            }
        if isinstance(value, list):
            return [tidy(each) for each in cast("list[Any]", value)]
        if isinstance(value, str) and value.startswith(reference):
            return reference + names[value.removeprefix(reference)]
        return value

    return [tidy(each) for each in wholes], {
        names[name]: tidy(part) for name, part in parts.items()
    }


def _schema(kind: Any) -> dict[str, Any]:
    (whole,), parts = tidied([kind], REFERENCE)
    return {**whole, "$defs": parts}


def _plain(name: str, part: dict[str, Any]) -> str:
    """A name for a definition; msgspec's for a generic type is that of its arguments."""
    return f"PageOf{_of(part)}" if name.startswith("Page_") else name


def _of(page: dict[str, Any]) -> str:
    records = page["properties"]["data"]["items"]
    reference: str = records.get("$ref", "")
    return "Threads" if reference.endswith("/Thread") else "Items"
