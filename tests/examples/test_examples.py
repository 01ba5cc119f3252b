"""Every example runs with its one command, answers over a real socket, and does what it says; a script stands in for
the model."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from chatkit_asgi.testing import ASGIBridge, ChatKitClient, SocketTransport
from chatkit_asgi.testing.answers import Turn
from chatkit_asgi.testing.transports import BridgeTransport
from examples.stand_in import STAND_INS
from tests.agents.servers import close_shared_client, served

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "examples" / "README.md"


@pytest.fixture
def anyio_backend() -> str:
    """The client's loop; the server's is uvicorn's."""
    return "asyncio"


@contextmanager
def running(name: str, folder: Path) -> Iterator[str]:
    """The URL of an example that runs in a process of its own."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("OPENAI_")}
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "examples", name, "--port", "0"],
        cwd=folder,
        env={**env, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        said = ""
        for line in process.stdout:
            said += line
            if found := re.match(r"Serving \w+: (http://\S+)", line):
                yield found[1]
                break
        else:
            pytest.fail(f"{name} did not start:\n{said}")
    finally:
        process.terminate()
        assert process.wait(15) is not None
        process.stdout.close()


def said(turn: Turn) -> str:
    """What the assistant said last."""
    messages = [item for item in turn.items if item.type == "assistant_message"]
    text: str = messages[-1].content[0].text
    return text


def client_of(url: str) -> ChatKitClient:
    return ChatKitClient(SocketTransport(url), timeout=30)


async def test_the_agents_sdk_assistant_shows_widgets_and_takes_its_form(tmp_path: Path) -> None:
    with running("agents_sdk", tmp_path) as url:
        client = client_of(url)
        menu = (await client.create("What is on the menu?")).check()
        assert "progress_update" in menu.types
        [shown] = [item for item in menu.thread.items if item.type == "widget"]
        assert [dish.children[0].value for dish in shown.widget.children] == [
            "Risotto",
            "Gnocchi",
            "Panna cotta",
        ]
        assert said(menu).startswith("Done")
        table = (await client.send(menu.thread.id, "A table, please")).check()
        [form] = [item for item in table.items if item.type == "widget"]
        offer = form.widget.children[1].onSubmitAction.payload
        values = {**offer, "name": "Ada", "guests": "3", "terrace": True}
        click: dict[str, Any] = {"type": "table.book", "payload": values, "item_id": form.id}
        booked = (await client.action(menu.thread.id, **click)).check()
        assert said(booked) == "See you soon, Ada!"
        assert booked.thread.item(form.id).widget.children[0].value == "Booked for Ada"
        assert booked.thread.title == "Table for 3"
        again = await client.action(menu.thread.id, **click)
        assert (again.status, again.code) == (409, "stale_action")


@asynccontextmanager
async def in_this_process(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ASGIBridge]:
    """An example's app: what it imports is loaded for other tests too."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setenv("OPENAI_AGENTS_DISABLE_TRACING", "1")
    with served(STAND_INS[name]()) as base_url:
        monkeypatch.setenv("OPENAI_BASE_URL", base_url)
        module = import_module(f"examples.{name}")
        async with ASGIBridge(module.app, path="/chatkit") as bridge:
            yield bridge
            await close_shared_client()
        store = getattr(module, "store", None) or module.data_store
        await store.close()


WEATHER = ["local_model", "pydantic_ai_agent", "langgraph_graph"]
UNCLOSED = pytest.mark.filterwarnings(
    # an example's model client lives as long as its process
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)


@UNCLOSED
async def test_the_custom_server_guide_runs_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with in_this_process("custom_server_guide", tmp_path, monkeypatch) as bridge:
        await check_guide(ChatKitClient(bridge), ChatKitClient(BridgeTransport(bridge, "/widget")))


@UNCLOSED
@pytest.mark.parametrize("name", WEATHER)
async def test_the_assistants_without_the_agents_sdk_answer(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with in_this_process(name, tmp_path, monkeypatch) as bridge:
        await check_weather(ChatKitClient(bridge), name)


@pytest.mark.slow
@pytest.mark.parametrize("name", WEATHER)
async def test_they_do_so_in_a_process_of_their_own(name: str, tmp_path: Path) -> None:
    with running(name, tmp_path) as url:
        await check_weather(client_of(url), name)


@pytest.mark.slow
async def test_the_guide_does_so_in_a_process_of_its_own(tmp_path: Path) -> None:
    with running("custom_server_guide", tmp_path) as url:
        await check_guide(client_of(url), client_of(url.replace("/chatkit", "/widget")))


async def check_guide(client: ChatKitClient, widget_client: ChatKitClient) -> None:
    turn = (await client.create("Hi")).check()
    thread_id = turn.thread.id
    assert said(turn).startswith("Hello")
    profile = (await client.send(thread_id, "Load my profile")).check()
    assert "progress_update" in profile.types
    assert said(profile).startswith("Done")
    todo = (await client.send(thread_id, "Put it on my todo list")).check()
    call = todo.thread.pending_tool_call
    assert (call.name, call.arguments) == ("add_to_todo_list", {"item": "Buy milk"})
    after = (await client.tool_output(thread_id, {"ok": True})).check()
    assert after.errors == []
    widget = (await widget_client.create("Show me")).check()
    assert widget.thread.items[-1].widget.children[0].value == "Text widget"


async def check_weather(client: ChatKitClient, name: str) -> None:
    turn = (await client.create("How is the weather in Bern?")).check()
    assert turn.errors == []
    assert "progress_update" in turn.types
    assert said(turn).startswith("Hello" if name == "langgraph_graph" else "Done")
    second = (await client.send(turn.thread.id, "Thanks")).check()
    assert said(second).startswith("Hello")


def test_the_readme_names_every_example_and_its_command() -> None:
    text = README.read_text(encoding="utf-8")
    modules = {path.stem for path in README.parent.glob("*.py")} - {
        "__init__",
        "__main__",
        "stand_in",
    }
    assert modules == {*STAND_INS, "dictation"}
    assert "(dictation.py)" in text, "which needs packages that the others do not"
    for name in STAND_INS:
        assert f"({name}.py)" in text
        assert f"make example ARGS={name}" in text
