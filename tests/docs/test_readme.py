"""Every Python snippet of the documents runs as pasted, and every app in them answers."""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from chatkit_asgi.testing import ASGIBridge

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    "README.md",
    "ARCHITECTURE.md",
    "docs/bridges.md",
    "docs/handlers.md",
    "docs/history.md",
    "docs/stores.md",
)
MESSAGE: dict[str, Any] = {
    "type": "threads.create",
    "params": {
        "input": {
            "content": [{"type": "input_text", "text": "Hi"}],
            "attachments": [],
            "inference_options": {},
        }
    },
}


def snippets() -> list[Any]:
    found: list[Any] = []
    for name in DOCUMENTS:
        text = (ROOT / name).read_text(encoding="utf-8")
        for number, match in enumerate(re.finditer(r"^```python\n(.*?)^```", text, re.M | re.S)):
            line = text[: match.start()].count("\n") + 1
            found.append(pytest.param(match[1], id=f"{name}:{line}-{number}"))
    return found


def run(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.chdir(tmp_path)
    ours = logging.getLogger("chatkit_asgi")  # of which one snippet says what is printed
    monkeypatch.setattr(ours, "handlers", [*ours.handlers])
    monkeypatch.setattr(ours, "level", ours.level)
    module = ModuleType("snippet")
    monkeypatch.setitem(sys.modules, "snippet", module)  # Pydantic looks for it there
    exec(compile(code, "snippet", "exec"), module.__dict__)
    return module.__dict__


@pytest.mark.parametrize("code", snippets())
def test_a_snippet_runs_as_pasted(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(code, tmp_path, monkeypatch)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize(
    "code",
    # The one that asks a model is in test_attachments.py, with a model.
    [
        each
        for each in snippets()
        if "\napp = " in each.values[0] and "AsyncOpenAI" not in each.values[0]
    ],
)
async def test_an_app_of_the_documents_answers(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    namespace = run(code, tmp_path, monkeypatch)
    async with ASGIBridge(namespace["app"]) as bridge:
        headers = {"authorization": "Bearer secret"}
        path = "/chatkit"
        if headers["authorization"] in code:
            refused = await bridge.post(MESSAGE, path=path)
            assert (refused.status, refused.json()["message"]) == (401, "Sign in first.")
        answer = await bridge.post(MESSAGE, path=path, headers=headers)
        if "chat.respond" in code or "def respond" in code:
            assert answer.status == 200
            assert b'"type":"assistant_message"' in answer.body
        else:
            assert answer.status == 501
    if (chat := namespace.get("chat")) is not None:
        await chat.store.close()


def test_the_commands_that_the_readme_names_are_targets_of_the_makefile() -> None:
    """Invariant: whatever ``make`` command the documents name exists."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    for name in DOCUMENTS:
        named = re.findall(r"(?:^|`)make ([a-z]+)", (ROOT / name).read_text(encoding="utf-8"), re.M)
        assert set(named) <= targets, name


def test_logs_are_printed_with_their_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = [each.values[0] for each in snippets() if "logging.Formatter" in each.values[0]]
    handler = run(code, tmp_path, monkeypatch)["handler"]
    record = logging.makeLogRecord(
        {"name": "chatkit_asgi.turns", "msg": "turn ended", "chatkit_thread_id": "thr_1"}
    )
    assert handler.format(record).endswith("chatkit_asgi.turns turn ended request=- thread=thr_1")


def test_a_recipe_for_a_framework_is_short() -> None:
    """Invariant: at most 15 lines that do something."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.split("## In your framework")[1].split("\n## ")[0]
    recipes = re.findall(r"^```python\n(.*?)^```", section, re.M | re.S)
    assert len(recipes) >= 5
    for recipe in recipes:
        lines = [line for line in recipe.splitlines() if line.strip()]
        assert len(lines) <= 15, recipe
        assert "owner=" in recipe, "with somebody signed in"
