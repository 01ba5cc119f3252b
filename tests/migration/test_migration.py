"""A backend written for openai-chatkit answers the same with nothing but its import changed."""

from __future__ import annotations

import json
import re
import sys
import types
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from chatkit_asgi.testing import ASGIBridge
from chatkit_asgi.testing.scripted import Call, Say, ScriptedModel
from tests.agents.servers import close_shared_client, served

pytest.importorskip("chatkit")

BACKEND = Path(__file__).with_name("backend.py.txt")
ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "migrating-from-openai-chatkit.md"
ARCHITECTURE = ROOT / "ARCHITECTURE.md"

IDS = re.compile(r"\b(?:thr|msg|wf|tc|atc|shcx)_[0-9a-f]{8,32}\b|\bitem_\d+_\d+\b")
"""Both packages' ids, and the model's, which the reference takes for items."""


@pytest.fixture
def anyio_backend() -> str:
    """The Agents SDK and the reference need asyncio."""
    return "asyncio"


def backend(package: str) -> Any:
    """The backend on one of the two packages, in a module of its own."""
    source = BACKEND.read_text(encoding="utf-8")
    changed = re.sub(r"^from chatkit\.", f"from {package}.", source, flags=re.M)
    module = types.ModuleType(f"shop_on_{package}")
    sys.modules[module.__name__] = module  # Pydantic looks names up there
    exec(compile(changed, str(BACKEND), "exec"), module.__dict__)
    return module


class Talk:
    """Asks one side, and keeps what a client saw, with ids and times as they would be on the other."""

    def __init__(self, bridge: ASGIBridge) -> None:
        self.bridge = bridge
        self.seen: list[Any] = []
        self._names: dict[str, str] = {}

    async def ask(self, kind: str, params: dict[str, Any]) -> Any:
        body = json.dumps({"type": kind, "params": params}).encode()
        answer = await self.bridge.request(body)
        text = b"".join(answer.sent).decode()
        if answer.headers["content-type"].startswith("text/event-stream"):
            read: Any = [
                json.loads(line[6:]) for line in text.split("\n") if line.startswith("data: ")
            ]
        else:
            read = json.loads(text)
        self.seen.append((kind, answer.status, self.plain(read)))
        return read

    def plain(self, read: Any) -> Any:
        text = IDS.sub(
            lambda found: self._names.setdefault(found[0], f"#{len(self._names)}"), json.dumps(read)
        )
        return json.loads(re.sub(r'"created_at": "[^"]*"', '"created_at": "<time>"', text))


def message(text: str, *attachments: str) -> dict[str, Any]:
    return {
        "content": [{"type": "input_text", "text": text}],
        "attachments": list(attachments),
        "inference_options": {},
    }


async def conversation(talk: Talk) -> None:
    """A customer's visit."""
    file = {"name": "list.txt", "size": 4, "mime_type": "text/plain"}
    attachment = await talk.ask("attachments.create", file)
    path = attachment["upload_descriptor"]["url"].removeprefix("https://shop.test")
    assert (await talk.bridge.request(b"tea", method="PUT", path=path)).status == 200
    events = await talk.ask("threads.create", {"input": message("I need tea", attachment["id"])})
    thread_id = events[0]["thread"]["id"]
    here = {"thread_id": thread_id}
    await talk.ask("threads.get_by_id", here)
    listed = await talk.ask("items.list", {**here, "order": "asc"})
    products = next(item for item in listed["data"] if item["type"] == "widget")
    add = {"type": "basket.add", "payload": {"sku": "tea"}}
    await talk.ask("threads.custom_action", {**here, "item_id": products["id"], "action": add})
    await talk.ask("threads.sync_custom_action", {**here, "item_id": products["id"], "action": add})
    events = await talk.ask(
        "threads.add_user_message", {**here, "input": message("A draft, please")}
    )
    draft = events[-1]["item"]
    send = {"type": "letter.send"}
    await talk.ask("threads.custom_action", {**here, "item_id": draft["id"], "action": send})
    await talk.ask("items.feedback", {**here, "item_ids": [draft["id"]], "kind": "positive"})
    await talk.ask("threads.update", {**here, "title": "Tea"})
    await talk.ask("threads.list", {})
    first = listed["data"][0]["id"]
    await talk.ask("threads.retry_after_item", {**here, "item_id": first})
    await talk.ask("threads.get_by_id", here)
    await talk.ask("threads.delete", here)
    await talk.ask("threads.list", {})


async def visit(package: str, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    model = ScriptedModel(
        [[Call("find_products", {"query": "tea"})], [Say("Here is our tea.")]] * 3
    )
    with served(model) as url, warnings.catch_warnings():
        # The reference's classes are deprecated, its client is left open.
        warnings.simplefilter("ignore")
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        monkeypatch.setenv("OPENAI_AGENTS_DISABLE_TRACING", "1")
        shop = backend(package)
        async with ASGIBridge(shop.app) as bridge:
            talk = Talk(bridge)
            await conversation(talk)
            await close_shared_client()
        assert [feedback for _, feedback in shop.FEEDBACK] == ["positive"]
    return talk.seen


@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore")
async def test_only_the_import_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = await visit("chatkit", monkeypatch)
    ours = await visit("chatkit_asgi", monkeypatch)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine == other
    assert len(ours) == 15


def test_the_guide_speaks_of_names_and_departures_that_exist() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    listed = set(
        re.findall(r"^- \*\*([A-Z]\d+)\.\*\*", ARCHITECTURE.read_text(encoding="utf-8"), re.M)
    )
    spoken_of = set(re.findall(r"\b([A-Z]\d{1,2})\b", text))
    assert spoken_of <= listed, spoken_of - listed
    for module, names in {
        "server": ["ChatKitServer", "ChatKitRouter", "StreamingResult", "NonStreamingResult", "stream_widget"],
        "store": ["Store", "AttachmentStore", "NotFoundError", "SQLiteStore", "FileStore", "DiskFileStore"],
        "types": ["ThreadItem", "ClientToolCallOutputItem", "Event", "FilePart", "ImagePart"],
        "agents": ["AgentContext", "stream_agent_response", "ThreadItemConverter", "simple_to_agent_input",
                   "ClientToolCall", "to_input_item"],
        "widgets": ["WidgetTemplate"],
        "actions": ["Action", "ActionConfig"],
        "errors": ["StreamError", "CustomStreamError"],
    }.items():  # fmt: skip
        found = import_module(f"chatkit_asgi.{module}")
        for name in names:
            assert hasattr(found, name)
            assert name in text
