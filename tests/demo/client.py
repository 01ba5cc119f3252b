"""One way to talk to an ASGI application in process, and what its answers say."""

from __future__ import annotations

import json
from typing import Any

import anyio


async def post(app: Any, body: dict[str, Any]) -> Any:
    """One request through the bare ASGI interface."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/chatkit",
        "raw_path": b"/chatkit",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }
    request = [{"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}]
    head: dict[str, Any] = {}
    chunks: list[bytes] = []

    async def receive() -> dict[str, Any]:
        if not request:
            await anyio.sleep_forever()
        return request.pop()

    async def send(message: dict[str, Any]) -> None:
        head.update(message) if message["type"] == "http.response.start" else chunks.append(
            message["body"]
        )

    with anyio.fail_after(20):
        await app(scope, receive, send)
    answer = b"".join(chunks).decode()
    assert head["status"] == 200, answer
    if not dict(head["headers"])[b"content-type"].startswith(b"text/event-stream"):
        return json.loads(answer)
    frames = answer.removesuffix("\n\n").split("\n\n")
    return [
        json.loads(frame.removeprefix("data: ")) for frame in frames if not frame.startswith(":")
    ]


def message(text: str) -> dict[str, Any]:
    """The ``input`` of a user's message."""
    return {
        "content": [{"type": "input_text", "text": text}],
        "attachments": [],
        "inference_options": {},
    }


def texts(events: list[dict[str, Any]]) -> list[str]:
    """The assistant's finished messages."""
    items = [event["item"] for event in events if event["type"] == "thread.item.done"]
    return [item["content"][0]["text"] for item in items if item["type"] == "assistant_message"]
