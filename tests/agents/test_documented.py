"""The documents' snippets with a model behind them: not only do they run, they answer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from chatkit_asgi import ChatKitServer, Options
from chatkit_asgi.store import MemoryStore
from chatkit_asgi.testing.scripted import Call, Say
from chatkit_asgi.testing.scripted_chat import ScriptedChatModel
from chatkit_asgi.types import CustomTask
from tests.agents.conftest import Switch
from tests.agents.served import Conversation, openai_client
from tests.agents.test_langgraph import Pieces, graph_of

ROOT = Path(__file__).resolve().parents[2]
TASK = CustomTask(title="Get weather", status_indicator="complete")


@pytest.fixture
def anyio_backend() -> str:
    """Some of the frameworks need asyncio."""
    return "asyncio"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The snippets make files."""
    monkeypatch.chdir(tmp_path)


def snippet(document: str, word: str) -> dict[str, Any]:
    """Run the snippet with that word in it."""
    text = ROOT.joinpath(document).read_text(encoding="utf-8")
    [code] = [
        each for each in re.findall(r"^```python\n(.*?)^```", text, re.M | re.S) if word in each
    ]
    namespace: dict[str, Any] = {"__name__": "snippet"}
    exec(compile(code, document, "exec"), namespace)
    return namespace


async def conversed(server: Any) -> list[Any]:
    conversation = Conversation(server.store, "", lambda *_: server)
    await conversation.say("Hi")
    await conversation.check()
    assert conversation.errors == []
    return await conversation.stored()


@pytest.mark.parametrize("document", ["README.md", "docs/history.md"])
async def test_run_chat(switch: Switch, document: str) -> None:
    switch.app = model = ScriptedChatModel(
        [[Call("get_weather", {"city": "Bern"})], [Say("Rain.")]]
    )
    namespace = snippet(document, "def get_weather(")
    await namespace["client"].close()
    namespace["client"] = openai_client(switch.url)
    server = namespace["chat"].server
    server.client = namespace["client"]
    server.options = Options(handle_signals=False)
    assert await conversed(server) == [[TASK], "Rain."]
    assert model.requests[1]["messages"][-1]["content"].startswith("Rain, 9")
    await server.store.close()


class Assistant(ChatKitServer[Any]):
    """Answers with a function of a snippet."""

    def __init__(self, answer: Any) -> None:
        super().__init__(MemoryStore(), options=Options(handle_signals=False))
        self.answer = answer
        self.client = openai_client("http://127.0.0.1:1")

    async def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
        async for event in self.answer(self.store, thread, context):
            yield event


async def test_pydantic_ai() -> None:
    answer = snippet("docs/history.md", "stream_pydantic_ai(")["answer"]
    assert await conversed(Assistant(answer)) == ["success (no tool calls)"]


async def test_langgraph() -> None:
    answer = snippet("docs/history.md", "stream_langgraph(")["answer"]
    graph = graph_of(Pieces(answers=iter([["Hel", "lo"]])))
    assert await conversed(Assistant(lambda *given: answer(graph, *given))) == ["Hello"]


async def test_the_overridden_converter() -> None:
    from tests.agents.items import texts_of, user

    converter = snippet("docs/history.md", "class Converter(")["Converter"]()
    said = texts_of(await converter.to_agent_input(user("about ", ("a_1", "Acme"))))
    assert "Acme: {'id': 'a_1', 'tier': 'gold'}" in said
