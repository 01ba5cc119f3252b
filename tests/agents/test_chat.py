"""Chat Completions streams, as many servers send them, through the real client and a turn into the store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from chatkit_asgi.agents import chat_parts
from chatkit_asgi.agents.chat import ChatReader
from chatkit_asgi.demo.model import LocalModel, ModelUnavailableError
from chatkit_asgi.store import MemoryStore
from chatkit_asgi.testing.scripted import (
    Fail,
    HangUp,
    Raw,
    Refuse,
    Say,
    Status,
    Stop,
    Think,
    Wait,
)
from chatkit_asgi.testing.scripted_chat import ChatHabits, ScriptedChatModel
from tests.agents.chatting import ChatAssistant, has_text, stopped
from tests.agents.conftest import Converse, Switch
from tests.agents.served import Conversation

# openai's client leaves generators of its own unfinished after [DONE] and after an error; trio warns of that.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Async generator '(httpx2|httpcore2|openai):ResourceWarning"
)

FAILED = "The model could not finish its answer."
INCOMPLETE = "The answer is not complete."
CITED = {"url": "https://news.test/q3", "title": "Q3", "start_index": 0, "end_index": 4}


def chunk(delta: Any = None, **choice: Any) -> Raw:
    return Raw({"choices": [{"index": 0, "delta": delta or {}, **choice}]})


def said(text: str) -> Raw:
    return chunk({"content": text})


ODD: dict[str, tuple[list[Any], list[Any], str | None, str | None]] = {
    "text only, nothing else in the chunk": (
        [said("Hel"), said("lo"), chunk(finish_reason="stop")],
        ["Hello"],
        None,
        None,
    ),
    "empty deltas, empty text, null content, empty choices, unknown fields": (
        [
            chunk({"role": "assistant", "content": None, "reasoning_content": None, "x": 1}),
            said(""),
            Raw({"choices": []}),
            Raw({"choices": None}),
            chunk({"content": "Hi", "tool_calls": None, "annotations": None}),
            chunk(None, finish_reason="stop"),
            Raw({"choices": [], "usage": {"total_tokens": 2}}),
        ],
        ["Hi"],
        None,
        None,
    ),
    "nothing at all": ([chunk(finish_reason="stop")], [], None, None),
    "comments and keep-alives between": (
        [
            Raw(b": keep-alive\n\n"),
            said("Hi"),
            Raw(b": OPENROUTER PROCESSING\n\n"),
            chunk(finish_reason="stop"),
        ],
        ["Hi"],
        None,
        None,
    ),
    "reasoning twice in one chunk": (
        [
            chunk({"reasoning": "Hm", "reasoning_content": "Hm"}),
            said("Hi"),
            chunk(finish_reason="stop"),
        ],
        [["Hm"], "Hi"],
        None,
        None,
    ),
    "thoughts after text": (
        [said("One."), chunk({"reasoning": "Hm"}), said(" Two."), chunk(finish_reason="stop")],
        ["One. Two.", ["Hm"]],
        None,
        None,
    ),
    "cut off by length": ([said("Hi"), chunk(finish_reason="length")], ["Hi"], None, "length"),
    "cut off by a filter": (
        [said("Hi"), chunk(finish_reason="content_filter")],
        ["Hi"],
        None,
        "filter",
    ),
    "no reason": ([said("Hi"), Raw(b"data: [DONE]\n\n")], ["Hi"], None, INCOMPLETE),
    "no end": ([said("Hi")], ["Hi"], None, INCOMPLETE),
    "an error in the stream": (
        [said("Hi"), Raw({"error": {"message": "internal details", "code": 500}})],
        ["Hi"],
        "",
        None,
    ),
    "an error as older vLLM sends it": (
        [said("Hi"), Raw({"object": "error", "message": "internal details", "code": 400})],
        ["Hi"],
        FAILED,
        None,
    ),
    "an error as the reason": (
        [said("Hi"), chunk(finish_reason="error", error={"code": "overloaded_error"})],
        ["Hi"],
        "The model is busy. Try again in a moment.",
        None,
    ),
    "not JSON": ([said("Hi"), Raw(b"data: {oh no\n\n")], ["Hi"], "", None),
    "a hang-up": ([said("Hi"), HangUp()], ["Hi"], "", None),
}
"""By name: what comes, what is stored, the error (``""``: the client's own words) and a word of the notice."""


@pytest.mark.parametrize("name", ODD)
async def test_an_odd_stream_ends_in_a_stored_thread(converse: Converse, name: str) -> None:
    steps, stored, error, notice = ODD[name]
    conversation = await converse(ScriptedChatModel([steps], bare=True), make=ChatAssistant)
    assert await conversation.stored() == stored
    await conversation.check()
    told = [event.get("message") or "" for event in conversation.errors]
    assert told == ([] if error is None else [error])
    assert all(event["allow_retry"] for event in conversation.errors)
    assert len(conversation.notices) == (notice is not None)
    assert (notice or "") in "".join(conversation.notices)
    assert "internal details" not in str(conversation.events)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
async def test_thoughts_text_refusals_and_citations(converse: Converse, field: str) -> None:
    steps = [Think(["Hm, what do I know?"]), Say("Fell.", citations=[CITED]), Refuse(" No more.")]
    model = ScriptedChatModel([steps], habits=ChatHabits(reasoning=field))
    conversation = await converse(model, make=ChatAssistant)
    assert await conversation.stored() == [["Hm, what do I know?"], "Fell. No more."]
    await conversation.check()
    [*_, message] = conversation.events
    [annotation] = message["item"]["content"][0]["annotations"]
    assert (annotation["source"]["url"], annotation["index"]) == ("https://news.test/q3", 4)
    thoughts = [each for each in conversation.events if "task" in each.get("update", {})]
    assert "Hm, what do I know?".startswith(thoughts[0]["update"]["task"]["content"])
    assert len(thoughts) > 1, "they stream"


async def test_the_whole_conversation_is_sent(converse: Converse) -> None:
    model = ScriptedChatModel([[Say("Hello.")], [Say("Fine.")]])
    await converse(model, "Hi", "How are you?", make=ChatAssistant)
    assert model.requests[1]["messages"] == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "How are you?"},
    ]


async def test_a_refused_request_is_an_error_that_says_nothing_of_the_server(
    converse: Converse,
) -> None:
    conversation = await converse(ScriptedChatModel([[Status(429)]]), make=ChatAssistant)
    assert [event["allow_retry"] for event in conversation.errors] == [True]
    assert await conversation.stored() == []
    assert "internal details" not in str(conversation.events)


@pytest.mark.parametrize(
    ("steps", "notices"),
    [([Say("a"), Stop("content_filter")], 1), ([Say("a"), Stop()], 1), ([Fail()], 0)],
)
async def test_what_is_cut_off_says_so_once(converse: Converse, steps: Any, notices: int) -> None:
    conversation = await converse(ScriptedChatModel([steps]), make=ChatAssistant)
    assert len(conversation.notices) == notices
    assert len(conversation.errors) == 1 - notices


async def test_stopping_closes_the_request_to_the_model(switch: Switch) -> None:
    """Invariant: the model's server sees the end of a stopped turn, and what was said is stored."""
    model = switch.app = ScriptedChatModel([[Say("Once upon", chunks=1), Wait(30)]])
    stored = await stopped(ChatAssistant(MemoryStore(), switch.url), has_text)
    assert stored == ["Once upon", "sdk_hidden_context"]
    with anyio.fail_after(5):
        while not model.hung_up:
            await anyio.lowlevel.checkpoint()


# -- what one chunk means --------------------------------------------------------------------------


async def calls(*deltas: Any) -> list[tuple[str, str]]:
    reader = ChatReader()
    for delta in deltas:
        await reader.receive({"choices": [{"delta": {"tool_calls": [delta]}}]})
    assert len({call.call_id for call in reader.calls}) == len(reader.calls), "each has an id"
    return [(call.name, call.arguments) for call in reader.calls]


def piece(name: str | None = None, arguments: str = "", **more: Any) -> Any:
    return {"function": {"name": name, "arguments": arguments}, **more}


async def test_calls_are_told_apart_by_index_id_or_name() -> None:
    two = [("f", '{"a":1}'), ("g", "{}")]
    mixed = [
        piece("f", index=0, id="1"),
        piece("g", index=1, id="2"),
        piece(None, '{"a"', index=0),
        piece(None, "{}", index=1),
        piece(None, ":1}", index=0),
    ]
    assert await calls(*mixed) == two
    assert (
        await calls(piece("f", '{"a":1}', index=0, id="1"), piece("g", "{}", index=0, id="2"))
        == two
    )
    assert await calls(piece("f", '{"a":1}'), piece("g", "{}")) == two, "no index, no id"
    assert await calls(piece("f", '{"a":1}', index=0), piece("g", "{}", index=0)) == two, "no id"
    repeated = [piece("f", '{"a"', index=0, id="1"), piece("f", ":1}", index=0, id="1")]
    assert await calls(*repeated) == two[:1], "everything in every piece"
    assert await calls({"index": 0}, {"index": 0, "function": None}) == [("", "")]


async def test_a_stream_that_is_given_up_is_closed() -> None:
    closed: list[str] = []

    async def chunks() -> AsyncIterator[Any]:
        try:
            while True:
                yield {"choices": [{"delta": {"content": "a"}}]}
        finally:
            closed.append("chunks")

    parts = chat_parts(chunks())
    assert await anext(parts)
    await parts.aclose()
    assert closed == ["chunks"]


# -- a real model ----------------------------------------------------------------------------------


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_real_model_answers_word_for_word() -> None:
    try:
        local = LocalModel()
    except ModelUnavailableError as error:
        pytest.skip(str(error))
    store: MemoryStore[Any] = MemoryStore()
    conversation = Conversation(
        store, local.base_url, ChatAssistant, model=local.name, max_tokens=12, seed=1
    )
    await conversation.say("Say hello.", "And now?")
    stored = await conversation.stored()
    assert len(stored) == 2
    assert all(stored)
    await conversation.check()
    deltas = [
        event["update"].get("delta", "") for event in conversation.events if "update" in event
    ]
    assert "".join(deltas) == stored[-1]
    assert len(deltas) > 3
