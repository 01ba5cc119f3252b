"""Smoke test of the installed wheel: what a first user does, with the core dependencies alone.

Run with ``python -I`` in an environment that holds the wheel and nothing else; needs no other file.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import chatkit_asgi
import chatkit_asgi.asgi

FORBIDDEN = {
    "agents",
    "django",
    "fastapi",
    "jinja2",
    "litestar",
    "openai",
    "pydantic",
    "quart",
    "starlette",
    "uvicorn",
}
MEGABYTES = 4
ELEMENT = "chatkit_asgi/playground/static/"
ELEMENT_MEGABYTES = 1.5
"""The chat element in the wheel, which browsers load and Python does not, has a limit of its own."""
DISTRIBUTIONS = 6


def check_environment() -> None:
    loaded = FORBIDDEN & sys.modules.keys()
    assert not loaded, f"import chatkit_asgi loads {loaded}"
    assert "site-packages" in chatkit_asgi.__file__, f"not the wheel: {chatkit_asgi.__file__}"
    distributions = {each.name: each for each in importlib.metadata.distributions()}
    size = element = 0.0
    for each in distributions.values():
        for file in each.files or ():
            if (path := Path(str(file.locate()))).is_file():
                megabytes = path.stat().st_size / 2**20
                if str(file).startswith(ELEMENT):
                    element += megabytes
                else:
                    size += megabytes
    print(
        f"{len(distributions)} distributions, {size:.1f} MB, and {element:.1f} MB of the element: "
        f"{', '.join(sorted(distributions))}"
    )
    assert len(distributions) <= DISTRIBUTIONS, "more distributions than the budget"
    assert size <= MEGABYTES, "more megabytes than the budget"
    assert element <= ELEMENT_MEGABYTES, "the element has more megabytes than its limit"


async def post(app: Any, body: dict[str, Any]) -> tuple[int, bytes]:
    """One request through the bare ASGI interface."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/chatkit",
        "raw_path": b"/chatkit",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    requests = [{"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}]
    status, answer = 0, b""

    async def receive() -> dict[str, Any]:
        if requests:
            return requests.pop()
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async def send(message: dict[str, Any]) -> None:
        nonlocal status, answer
        status = message.get("status", status)
        answer += message.get("body", b"")

    await asyncio.wait_for(app(scope, receive, send), 10)
    return status, answer


async def check_conversation(store: Any) -> None:
    """A streamed answer, and the same answer read back from the store."""
    chat = chatkit_asgi.ChatKitRouter(store)

    @chat.respond
    async def respond(thread: Any, message: Any, context: Any) -> Any:
        yield "Hello "
        yield "world"

    app = chatkit_asgi.ChatKitApp(chat)
    message = {
        "content": [{"type": "input_text", "text": "Hi"}],
        "attachments": [],
        "inference_options": {},
    }
    status, answer = await post(app, {"type": "threads.create", "params": {"input": message}})
    events = [
        json.loads(frame[6:])
        for frame in answer.decode().split("\n\n")
        if frame.startswith("data: ")
    ]
    assert status == 200, answer
    done = [event["item"] for event in events if event["type"] == "thread.item.done"]
    assert done[-1]["content"][0]["text"] == "Hello world", events

    thread_id = events[0]["thread"]["id"]
    status, answer = await post(
        app, {"type": "threads.get_by_id", "params": {"thread_id": thread_id}}
    )
    kept = [item["type"] for item in json.loads(answer)["items"]["data"]]
    assert (status, kept) == (200, ["user_message", "assistant_message"]), answer
    status, answer = await post(app, {"type": "no.such.request", "params": {}})
    assert status == 400, answer
    print(f"{type(store).__name__}: streamed, stored and read back")


async def main() -> None:
    check_environment()
    from chatkit_asgi.store import MemoryStore, SQLiteStore

    await check_conversation(MemoryStore())
    with tempfile.TemporaryDirectory() as folder:
        await check_conversation(SQLiteStore(Path(folder) / "smoke.db"))
    check_environment()


asyncio.run(main())
