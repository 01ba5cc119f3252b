"""What an endpoint says of itself in an OpenAPI document: schemas of requests and answers, made of the structs, and
examples. Plain dictionaries; adapters put them where their framework wants them.

May import ``types`` and below.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, cast

import msgspec

from .types import (
    ChatKitReq,
    FileAttachment,
    ImageAttachment,
    Page,
    SyncCustomActionResponse,
    Thread,
    ThreadItem,
    ThreadStreamEvent,
    TranscriptionResult,
)

__all__ = ["REF", "components", "operation"]

REF: Final = "#/components/schemas/"
PREFIX: Final = "ChatKit"
"""Of every component's name, because an app may have a ``Thread`` of its own."""

_ROOTS: Final[dict[str, Any]] = {
    "Request": ChatKitReq,
    "Event": ThreadStreamEvent,
    "Item": ThreadItem,
    "ItemPage": Page[ThreadItem],
    "ThreadPage": Page[Thread],
}
_ANSWERS: Final = (Thread, Page[Thread], Page[ThreadItem], FileAttachment, ImageAttachment, SyncCustomActionResponse,
                   TranscriptionResult)  # fmt: skip
_ERROR: Final[dict[str, Any]] = {
    "title": "Error",
    "description": "Why a request was refused.",
    "type": "object",
    "required": ["error", "message"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "request_id"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "path": {
                    "type": "string",
                    "description": "Where in the request, as $.params.limit.",
                },
                "request_id": {"type": "string"},
            },
        },
        "message": {"type": "string"},
    },
}
_EXAMPLES: Final[dict[str, Any]] = {
    "threads.create": {
        "summary": "Start a thread; answered with a stream of events",
        "value": {
            "type": "threads.create",
            "params": {
                "input": {
                    "content": [{"type": "input_text", "text": "Hi"}],
                    "attachments": [],
                    "inference_options": {},
                }
            },
        },
    },
    "threads.list": {
        "summary": "The newest threads; answered with JSON",
        "value": {"type": "threads.list", "params": {"limit": 20, "order": "desc"}},
    },
}
_STREAM: Final = 'data: {"type":"stream_options","stream_options":{"allow_cancel":true}}\n\n'


@cache
def components() -> dict[str, dict[str, Any]]:
    """The schemas by their names. They refer to each other as ``#/components/schemas/<name>``."""
    types = [*_ROOTS.values(), *_ANSWERS]
    schemas, found = msgspec.json.schema_components(types, ref_template=REF + "{name}")
    roots = dict(zip(_ROOTS, schemas, strict=False))
    names = {name: PREFIX + name for name in found}
    for name, schema in roots.items():  # generic structs have names that nobody can read
        if set(schema) == {"$ref"}:
            names[schema["$ref"].removeprefix(REF)] = PREFIX + name
    named = {names[name]: schema for name, schema in found.items()}
    named |= {PREFIX + name: schema for name, schema in roots.items() if set(schema) != {"$ref"}}
    named[PREFIX + "Answer"] = {
        "anyOf": [*schemas[len(_ROOTS) :], {"type": "object", "maxProperties": 0}]
    }
    named[PREFIX + "Error"] = _ERROR
    return {name: _tidy(schema, names) for name, schema in sorted(named.items())}


def operation() -> dict[str, Any]:
    """``requestBody`` and ``responses`` of the endpoint's POST."""
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _ref("Request"), "examples": _EXAMPLES}},
        },
        "responses": {
            "200": {
                "description": "Events, for requests that start a turn; JSON for all others.",
                "content": {
                    "text/event-stream": {
                        "schema": {
                            "type": "string",
                            "contentMediaType": "application/json",
                            "contentSchema": _ref("Event"),
                        },
                        "example": _STREAM,
                    },
                    "application/json": {
                        "schema": _ref("Answer"),
                        "example": {"data": [], "has_more": False},
                    },
                },
            },
            "4XX": {
                "description": "Refused.",
                "content": {"application/json": {"schema": _ref("Error")}},
            },
            "5XX": {
                "description": "Failed.",
                "content": {"application/json": {"schema": _ref("Error")}},
            },
        },
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"{REF}{PREFIX}{name}"}


def _tidy(value: Any, names: dict[str, str]) -> Any:
    """With the components' names; without the tag's second field (see ``_base``), titles of generic structs, and
    defaults that are never written."""
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return {
            key: _tidy(each, names)
            for key, each in items
            if not key.startswith("~")
            and not (key == "title" and "[" in each)
            and not (key == "default" and each is None)
        }
    if isinstance(value, list):
        return [_tidy(each, names) for each in cast("list[Any]", value)]
    if isinstance(value, str) and value.startswith(REF):
        return REF + names[value.removeprefix(REF)]
    return value
