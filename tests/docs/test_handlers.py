"""The apps of docs/handlers.md do what the page says of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from chatkit_asgi.testing import ASGIBridge, ChatKitClient

PAGE = Path(__file__).resolve().parents[2] / "docs" / "handlers.md"

pytestmark = pytest.mark.anyio


def names_of(heading: str) -> dict[str, Any]:
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1]
    found = re.search(r"^```python\n(.*?)^```", section, re.M | re.S)
    assert found is not None
    names: dict[str, Any] = {"__name__": "snippet"}
    exec(compile(found[1], "snippet", "exec"), names)
    return names


async def test_the_message_or_none() -> None:
    async with ASGIBridge(names_of("The message, or none")["app"]) as bridge:
        client = ChatKitClient(bridge)
        tag = {"type": "input_tag", "id": "1", "text": "@ada", "data": {}}
        said = [{"type": "input_text", "text": "Hi "}, tag]
        assert (await client.create(said)).check().text == "You said 'Hi @ada' and sent 0 files."
        assert (await client.create([])).check().text == "You said '' and sent 0 files."


async def test_a_question() -> None:
    async with ASGIBridge(names_of("A question with fields to fill in")["app"]) as bridge:
        client = ChatKitClient(bridge)
        for given, told in (
            (
                {"answers": {"size": {"values": ["large"]}, "note": {"values": ["Soon"]}}},
                "A large one, then. Soon",
            ),
            ({"answers": {}}, "A usual one, then. "),
            ({"status": "skipped"}, "As you like."),
        ):
            turn = (await client.create("One, please")).check()
            params = {"thread_id": turn.thread.id, "item_id": turn.items[-1].id, "input": given}
            answer: Any = await client.request("threads.add_structured_input", params)
            assert answer.check().text == told


async def test_a_tool_of_the_page() -> None:
    async with ASGIBridge(names_of("A tool of the page")["app"]) as bridge:
        client = ChatKitClient(bridge)
        turn = (await client.create("Mend it")).check()
        assert turn.items[-1].type == "client_tool_call"
        turn = (await client.tool_output(turn.thread.id, {"text": "tee"})).check()
        assert turn.text == "You have selected 'tee'."


async def test_thumbs(capsys: pytest.CaptureFixture[str]) -> None:
    names = names_of("Thumbs up and down")
    async with ASGIBridge(names["app"]) as bridge:
        client = ChatKitClient(bridge)
        turn = (await client.create("Hi")).check()
        item_id = turn.items[-1].id
        assert (await client.feedback(turn.thread.id, [item_id])).ok
        kept = await names["chat"].store.load_feedback(turn.thread.id, context=None)
        assert kept == {item_id: "positive"}
        assert capsys.readouterr().out == f"positive {turn.thread.id} {[item_id]}\n"


async def test_the_thread_itself() -> None:
    async with ASGIBridge(names_of("The thread itself")["app"]) as bridge:
        client = ChatKitClient(bridge)
        turn = (await client.create("Hi")).check()
        assert (turn.thread.title, turn.thread.status) == ("An order", {"type": "active"})
        turn = (await client.send(turn.thread.id, "And?")).check()
        refused = await client.send(turn.thread.id, "More")
        assert refused.status in (403, 409)
        shown = (await client.get_thread(turn.thread.id)).check().json
        assert shown["status"] == {"type": "locked", "reason": "This order is complete."}
        assert "asked" not in str(shown)
