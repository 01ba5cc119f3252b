"""LangGraph behind a ChatKit server, with langchain-core's fake chat models."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import nullcontext
from typing import Any

import anyio
import pytest

pytest.importorskip("langgraph")

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.tools import tool
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from chatkit_asgi import ChatKitServer, Options
from chatkit_asgi.agents import (
    AgentContext,
    ThreadItemConverter,
    langgraph_messages,
    load_history,
    stream_langgraph,
)
from chatkit_asgi.store import MemoryStore
from chatkit_asgi.types import CustomTask, ProgressUpdateEvent
from tests.agents.chatting import has_text, stopped
from tests.agents.items import assistant, hidden, tool_call, user
from tests.agents.served import Conversation


@pytest.fixture
def anyio_backend() -> str:
    """The framework needs asyncio."""
    return "asyncio"


class Pieces(GenericFakeChatModel):
    """Streams the chunks that it is given, an answer a call. The fake that it is made of loses calls of tools."""

    messages: Any = iter(())
    answers: Any = iter(())
    seen: list[Any] = []

    async def _astream(self, messages: Any, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        self.seen.append(messages)
        for chunk in next(self.answers):
            if callable(chunk):
                await chunk()
                continue
            message = AIMessageChunk(content=chunk) if isinstance(chunk, str) else chunk
            yield ChatGenerationChunk(message=message)


def call(name: str, arguments: str = "{}") -> list[AIMessageChunk]:
    """A call of a tool, in two pieces."""
    pieces = [(name, arguments[:1], "c1"), (None, arguments[1:], None)]
    return [
        AIMessageChunk(
            content="",
            tool_call_chunks=[{"name": name, "args": args, "id": id, "index": 0}],
        )
        for name, args, id in pieces
    ]


@tool
async def get_weather(city: str) -> str:
    """The weather."""
    get_stream_writer()(ProgressUpdateEvent(text=f"Looking at {city}"))
    return "rain"


def graph_of(model: Any, *tools: Any) -> Any:
    async def ask(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("model", ask)
    graph.add_node("tools", ToolNode([*tools]))
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", tools_condition)
    graph.add_edge("tools", "model")
    return graph.compile()


class Assistant(ChatKitServer[Any]):
    """Answers with a run of a graph."""

    def __init__(self, store: Any, base_url: str, *, graph: Any, **options: Any) -> None:
        super().__init__(store, options=Options(handle_signals=False))
        self.client = nullcontext()
        self.graph = graph
        self.modes = options.pop("modes", "messages")
        self.asking = options

    async def respond(
        self, thread: Any, input_user_message: Any, context: Any
    ) -> AsyncIterator[Any]:
        agent_context = AgentContext[Any](thread=thread, store=self.store, request_context=context)
        history = await load_history(self.store, thread, context)
        messages = langgraph_messages(await ThreadItemConverter().to_agent_input(history.items))
        stream = self.graph.astream({"messages": messages}, stream_mode=self.modes)
        async for event in stream_langgraph(agent_context, stream, **self.asking):
            yield event


async def converse(graph: Any, *lines: str, **options: Any) -> Conversation:
    conversation = Conversation(MemoryStore(), "", Assistant, graph=graph, **options)
    await conversation.say(*lines or ("Hi",))
    return conversation


async def test_a_fake_models_text_streams_and_is_stored() -> None:
    model = GenericFakeChatModel(messages=iter([AIMessage(content="Hello, world. How are you?")]))
    conversation = await converse(graph_of(model))
    assert await conversation.stored() == ["Hello, world. How are you?"]
    await conversation.check()
    assert len([event for event in conversation.events if has_text(event)]) > 3


async def test_thoughts_text_tool_text_in_this_order() -> None:
    thought = AIMessageChunk(content="", additional_kwargs={"reasoning_content": "Hm"})
    block: Any = [{"type": "reasoning", "reasoning": ", rain?"}]
    first = [
        thought,
        AIMessageChunk(content=block),
        "Let me ",
        "see.",
        *call("get_weather", '{"city":"Bern"}'),
    ]
    model = Pieces(answers=iter([first, ["Rain", "."]]))
    conversation = await converse(graph_of(model, get_weather), modes=["messages", "custom"])
    task = CustomTask(title="Get weather", status_indicator="complete")
    assert await conversation.stored() == [["Hm, rain?"], "Let me see.", [task], "Rain."]
    await conversation.check()
    progress = [
        event["text"] for event in conversation.events if event["type"] == "progress_update"
    ]
    assert progress == ["Looking at Bern"], "what a tool writes to the custom stream is told"


async def test_the_conversation_goes_on_from_what_is_stored() -> None:
    model = Pieces(answers=iter([["One."], ["Two."]]), seen=[])
    await converse(graph_of(model), "A", "B")
    assert [message.content for message in model.seen[1]] == ["A", "One.", "B"]


async def test_only_the_nodes_that_are_asked_for_are_shown() -> None:
    async def think(state: MessagesState) -> dict[str, Any]:
        await Pieces(answers=iter([["not for the reader"]])).ainvoke("x")
        return {}

    async def answer(state: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage(content="Hello", id="m1")]}

    graph = StateGraph(MessagesState)
    graph.add_node("think", think)
    graph.add_node("answer", answer)
    graph.add_edge(START, "think")
    graph.add_edge("think", "answer")
    conversation = await converse(graph.compile(), nodes={"answer"})
    assert await conversation.stored() == ["Hello"]


async def test_citations_and_an_answer_that_is_cut_off() -> None:
    place = {"type": "citation", "url": "https://news.test/q3", "title": "Q3", "end_index": 4}
    cited: Any = [{"type": "text", "text": "Fell.", "annotations": [place]}]
    last = AIMessageChunk(content="", response_metadata={"finish_reason": "length"})
    conversation = await converse(
        graph_of(Pieces(answers=iter([[AIMessageChunk(content=cited), last]])))
    )
    item = next(
        event["item"] for event in conversation.events[::-1] if event["type"] == "thread.item.done"
    )
    [annotation] = item["content"][0]["annotations"]
    assert (annotation["source"]["title"], annotation["index"]) == ("Q3", 4)
    assert len(conversation.notices) == 1


async def test_a_failing_run_keeps_what_was_said_and_says_so() -> None:
    async def fail() -> None:
        raise RuntimeError("internal details")

    conversation = await converse(graph_of(Pieces(answers=iter([["It begins", fail]]))))
    assert await conversation.stored() == ["It begins"]
    assert [error["allow_retry"] for error in conversation.errors] == [True]
    assert "internal details" not in str(conversation.events)
    await conversation.check()


async def test_stopping_stops_the_model() -> None:
    ends: list[str] = []

    async def endless() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ends.append("stopped")

    graph = graph_of(Pieces(answers=iter([["Once upon", endless]])))
    stored = await stopped(Assistant(MemoryStore(), "", graph=graph), has_text)
    assert stored == ["Once upon", "sdk_hidden_context"]
    assert ends == ["stopped"]


async def test_stopping_stops_a_tool() -> None:
    ends: list[str] = []

    @tool
    async def endless() -> str:
        """Never returns."""
        get_stream_writer()(ProgressUpdateEvent(text="Begun"))
        try:
            await anyio.sleep_forever()
        finally:
            ends.append("stopped")
        return ""

    graph = graph_of(Pieces(answers=iter([call("endless")])), endless)
    server = Assistant(MemoryStore(), "", graph=graph, modes=["messages", "custom"])
    await stopped(server, lambda event: event["type"] == "progress_update")
    assert ends == ["stopped"]


async def test_history_as_messages() -> None:
    items = [user("Hi"), assistant("Hello."), hidden("x"), tool_call({"ok": True}), user("And?")]
    messages = langgraph_messages(await ThreadItemConverter().to_agent_input(items))
    assert [type(message) for message in messages] == [
        HumanMessage,
        AIMessage,
        HumanMessage,
        AIMessage,
        ToolMessage,
        HumanMessage,
    ]
    made = messages[3]
    assert isinstance(made, AIMessage)
    assert [(each["name"], each["args"]) for each in made.tool_calls] == [
        ("weather", {"city": "Zürich"})
    ]
    assert messages[4].content == '{"ok": true}'
