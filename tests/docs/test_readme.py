"""Every Python snippet of the documents runs as pasted, and every app in them answers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from chatkit_asgi.testing import ASGIBridge

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "docs/history.md")
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
    namespace: dict[str, Any] = {"__name__": "snippet"}
    exec(compile(code, "snippet", "exec"), namespace)
    return namespace


@pytest.mark.parametrize("code", snippets())
def test_a_snippet_runs_as_pasted(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(code, tmp_path, monkeypatch)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("code", [each for each in snippets() if "\napp = " in each.values[0]])
async def test_an_app_of_the_documents_answers(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    namespace = run(code, tmp_path, monkeypatch)
    async with ASGIBridge(namespace["app"]) as bridge:
        headers = {"authorization": "Bearer secret"}
        path = "/chatkit"
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
