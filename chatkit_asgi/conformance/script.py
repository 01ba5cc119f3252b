"""Plays the table of triggers (``triggers.json``, ``docs/conformance/testee.md``), for testees written in Python.

Knows no library: it yields events as plain JSON, which a testee makes its library's own objects of.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import anyio

from .shapes import is_array, is_object

__all__ = ["FEATURES", "Script", "said", "table"]

FEATURES = ("action", "sync-action", "attachments", "transcribe", "flaky", "result")
"""What a testee that uses this module can have besides the triggers of the table."""


@cache
def table() -> dict[str, Any]:
    """The table of triggers."""
    loaded: dict[str, Any] = json.loads(
        (Path(__file__).parent / "triggers.json").read_text(encoding="utf-8")
    )
    return loaded


class Script:
    """The steps that answer one message.

    Args:
        text: The user's message.
        fields: Makes ``id``, ``thread_id`` and ``created_at`` of a new item, by its type.
        pace: What pauses are multiplied by.
    """

    def __init__(
        self, text: str, fields: Callable[[str], dict[str, Any]], *, pace: float = 1.0
    ) -> None:
        self._fields = fields
        self._pace = pace
        self._made: dict[str, dict[str, Any]] = {}
        name = text.removeprefix(table()["prefix"]) if text.startswith(table()["prefix"]) else ""
        known = table()["triggers"].get(name)
        self.steps: list[Any] = known["steps"] if known else [said(f"You said: {text}")]

    async def play(self) -> AsyncIterator[dict[str, Any]]:
        """Events, and ``{"set": ...}`` for changes of the thread. Raises what the table says."""
        for step in _repeated(self.steps):
            if "pause" in step:
                await anyio.sleep(step["pause"] * self._pace)
            elif "fail" in step:
                raise RuntimeError(step["fail"])
            else:
                yield self._filled(step)

    def _filled(self, value: Any) -> Any:
        if is_object(value):
            filled = {key: self._filled(inner) for key, inner in value.items()}
            if isinstance(value.get("id"), str) and value["id"].startswith("$"):
                filled |= self._new(value["id"], value["type"])
            return filled
        if is_array(value):
            return [self._filled(inner) for inner in value]
        if isinstance(value, str) and value.startswith("$"):
            return self._new(value, "")["id"]
        return value

    def _new(self, name: str, kind: str) -> dict[str, Any]:
        if name not in self._made:
            self._made[name] = self._fields(kind)
        return self._made[name]


def said(text: str) -> dict[str, Any]:
    """The step that says something at once."""
    content: list[Any] = [{"type": "output_text", "text": text, "annotations": []}]
    item: dict[str, Any] = {"id": "$said", "type": "assistant_message", "content": content}
    return {"type": "thread.item.done", "item": item}


def _repeated(steps: list[Any]) -> Iterator[Any]:
    for step in steps:
        if "repeat" in step:
            for number in range(step["repeat"]):
                for each in step["steps"]:
                    yield json.loads(json.dumps(each).replace("$n", str(number)))
        else:
            yield step
