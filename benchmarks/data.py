"""Seeded data that every subject gets alike."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

__all__ = ["AUDIO_BODY", "CREATE_BODY", "card", "create_body", "items", "request_body"]


def request_body(kind: str, **params: Any) -> bytes:
    """A request's body."""
    return json.dumps({"type": kind, "params": params}, separators=(",", ":")).encode()


def create_body(text: str) -> bytes:
    """``threads.create`` with one text."""
    content = [{"type": "input_text", "text": text}]
    message = {"content": content, "attachments": [], "inference_options": {}}
    return request_body("threads.create", input=message)


CREATE_BODY = create_body("Compare the numbers of the third quarter")

AUDIO_BODY = request_body(
    "input.transcribe",
    audio_base64=base64.b64encode(random.Random(7).randbytes(1024 * 1024)).decode(),
    mime_type="audio/webm;codecs=opus",
)


def items(thread_id: str, count: int) -> list[dict[str, Any]]:
    """Messages of a person and an assistant in turn, as JSON objects."""
    rng = random.Random(11)
    words = ["revenue", "fell", "by", "four", "percent", "in", "the", "quarter", "über", "東京"]
    found: list[dict[str, Any]] = []
    for number in range(count):
        text = " ".join(rng.choices(words, k=30))
        base = {
            "id": f"msg_{number:032x}",
            "thread_id": thread_id,
            "created_at": "2026-03-14T09:26:53.589793Z",
        }
        if number % 2 == 0:
            found.append(
                base
                | {
                    "type": "user_message",
                    "content": [{"type": "input_text", "text": text}],
                    "attachments": [],
                    "inference_options": {},
                }
            )
        else:
            source = {"type": "url", "title": "Report", "url": "https://news.test/q3"}
            annotation = {"type": "annotation", "source": source, "index": 5}
            part = {"type": "output_text", "text": text, "annotations": [annotation]}
            found.append(base | {"type": "assistant_message", "content": [part]})
    return found


def card(module: Any, nodes: int) -> Any:
    """A Card of ``nodes`` components below the root, built from a widgets module of either library."""
    rows: list[Any] = []
    for number in range(nodes // 4):
        rows.append(
            module.Row(
                id=f"r{number}",
                gap=2,
                children=[
                    module.Text(id=f"t{number}", value=f"Line {number}", size="sm"),
                    module.Badge(label="new", color="success"),
                    module.Button(label="Open", size="sm"),
                ],
            )
        )
    return module.Card(size="md", children=rows)
