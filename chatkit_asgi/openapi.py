"""What an endpoint says of itself in an OpenAPI document: schemas of requests and answers, made of the structs, and
examples. Plain dictionaries; adapters put them where their framework wants them.

May import ``schemas``, ``types`` and below.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from .schemas import ANSWERS, tidied
from .types import ChatKitReq, ThreadItem, ThreadStreamEvent

__all__ = ["REF", "components", "operation"]

REF: Final = "#/components/schemas/"
PREFIX: Final = "ChatKit"
"""Of every component's name, because an app may have a ``Thread`` of its own."""

_ROOTS: Final[dict[str, Any]] = {
    "Request": ChatKitReq,
    "Event": ThreadStreamEvent,
    "Item": ThreadItem,
}
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
    answers = [each for each in dict.fromkeys(ANSWERS.values()) if each is not None]
    wholes, named = tidied([*_ROOTS.values(), *answers], REF, PREFIX)
    for name in _ROOTS:
        named[PREFIX + name] = {"title": name, **wholes.pop(0)}
    nothing = {"type": "object", "maxProperties": 0}
    named[PREFIX + "Answer"] = {"title": "Answer", "anyOf": [*wholes, nothing]}
    named[PREFIX + "Error"] = _ERROR
    return dict(sorted(named.items()))


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
