"""A model as the assistant: what it is sent, what comes back, and what happens when it fails."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from chatkit_asgi import ChatKitApp, ChatKitRouter
from chatkit_asgi.demo.app import DemoError, build
from chatkit_asgi.demo.model import LocalModel, Model, ModelUnavailableError
from chatkit_asgi.store import MemoryStore
from chatkit_asgi.testing import ASGIBridge
from tests.demo.client import message, post, texts

Answer = Callable[[], Response]


def responses_api(
    answer: Answer,
) -> tuple[openai.AsyncOpenAI, list[dict[str, Any]]]:
    """A client of a Responses API that always gives this answer, and the bodies that it was sent."""
    bodies: list[dict[str, Any]] = []

    async def create(request: Request) -> Response:
        bodies.append(await request.json())
        return answer()

    transport = httpx2.ASGITransport(
        app=Starlette(routes=[Route("/v1/responses", create, methods=["POST"])])
    )
    http = httpx2.AsyncClient(transport=transport)
    client = openai.AsyncOpenAI(
        base_url="http://model/v1", api_key="k", http_client=http, max_retries=0
    )
    return client, bodies


def stream(*events: dict[str, Any]) -> Answer:
    async def frames() -> AsyncIterator[str]:
        for event in events:
            yield f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"

    return lambda: StreamingResponse(frames(), media_type="text/event-stream")


def delta(text: str) -> dict[str, Any]:
    return {"type": "response.output_text.delta", "delta": text, "item_id": "m", "output_index": 0}


async def converse(
    answer: Answer, *lines: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Say ``lines`` in one thread; the events of the last answer, and what the model was sent."""
    client, bodies = responses_api(answer)
    chat = ChatKitRouter(MemoryStore())
    chat.respond(Model(client, "m-1", chat.store).respond)
    app = ChatKitApp(chat)
    events: list[dict[str, Any]] = []
    thread: dict[str, str] = {}
    for line in lines:
        kind = "threads.add_user_message" if thread else "threads.create"
        events = await post(app, {"type": kind, "params": {**thread, "input": message(line)}})
        thread = thread or {"thread_id": events[0]["thread"]["id"]}
    return events, bodies


async def test_the_models_deltas_become_one_message() -> None:
    events, bodies = await converse(stream(delta("Hel"), delta("lo")), "Hi")
    assert texts(events) == ["Hello"]
    assert bodies[0]["model"] == "m-1"


async def test_the_model_is_sent_the_whole_conversation() -> None:
    _, bodies = await converse(stream(delta("Fine.")), "How are you?", "And now?")
    said = [(each["role"], _text(each["content"])) for each in bodies[-1]["input"]]
    assert said == [("user", "How are you?"), ("assistant", "Fine."), ("user", "And now?")]


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


@pytest.mark.parametrize(
    "answer",
    [
        lambda: JSONResponse({"error": {"message": "secret"}}, status_code=401),
        stream(delta("Hel"), {"type": "error", "code": "x", "message": "secret", "param": None}),
    ],
    ids=["refused", "broken off"],
)
async def test_a_model_that_fails_is_an_error_with_retry_and_no_internals(answer: Answer) -> None:
    events, _ = await converse(answer, "Hi")
    (error,) = [event for event in events if event["type"] == "error"]
    assert error["allow_retry"] is True
    assert "did not answer" in error["message"]
    assert "secret" not in str(events)


def test_a_model_that_cannot_be_loaded_leaves_the_demo_scripted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: LocalModel) -> None:
        raise ModelUnavailableError("No module named 'xllamacpp'")

    monkeypatch.setattr(LocalModel, "__init__", fail)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    options: dict[str, Any] = {
        "database": str(tmp_path / "demo.db"),
        "openai_model": "m",
        "pace": 0,
    }
    demo = build(choice="auto", **options)
    assert demo.assistant.startswith("scripted")
    assert (
        demo.note == "Going on scripted: the model cannot be loaded (No module named 'xllamacpp')."
    )
    with pytest.raises(DemoError, match="xllamacpp"):
        build(choice="local", **options)


def test_openai_answers_when_there_is_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {
        "database": str(tmp_path / "demo.db"),
        "openai_model": "m-1",
        "pace": 0,
    }
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    assert build(choice="auto", **options).assistant == "m-1, by OpenAI's API"
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(DemoError, match="OPENAI_API_KEY"):
        build(choice="openai", **options)


async def test_the_local_model_really_answers(tmp_path: Path) -> None:
    """SmolLM2 under llama.cpp, through the real client: real tokens, streamed and stored."""
    pytest.importorskip("xllamacpp", reason="the local model is not installed")
    demo = build(database=str(tmp_path / "demo.db"), choice="local", openai_model="", pace=0)
    async with ASGIBridge(demo.app, lifespan=True):
        events = await post(
            demo.app, {"type": "threads.create", "params": {"input": message("Say hello.")}}
        )
        thread = {"thread_id": events[0]["thread"]["id"]}
        kept = await post(demo.app, {"type": "threads.get_by_id", "params": thread})
    deltas = [event["update"] for event in events if event["type"] == "thread.item.updated"]
    text = "".join(update.get("delta", "") for update in deltas)
    assert len(deltas) > 2
    assert texts(events) == [text]
    assert kept["items"]["data"][-1]["content"][0]["text"] == text
