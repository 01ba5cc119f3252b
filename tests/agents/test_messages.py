"""Input of the Responses API as Chat Completions messages. The Agents SDK's own conversion is the oracle."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatkit_asgi.agents import ThreadItemConverter, chat_messages
from chatkit_asgi.types import ThreadItem
from tests.types.samples import ITEMS

from .items import assistant, hidden, image, tool_call, user


@pytest.fixture
def anyio_backend() -> str:
    """Nothing here depends on the loop."""
    return "asyncio"


def atoms(messages: list[Any]) -> list[Any]:
    """What is said, one by one: neighbours of one role may be one message or several."""
    found: list[Any] = []
    for message in messages:
        role = {"developer": "system"}.get(message["role"], message["role"])
        content = message.get("content")
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
        for part in parts:
            said = [part[part["type"]]] if part["type"] != "text" else part["text"].split("\n\n")
            found += [(role, message.get("tool_call_id"), each) for each in said if each]
        found += [(role, "calls", call) for call in message.get("tool_calls") or []]
    return found


def back(messages: list[Any]) -> list[Any]:
    """The inverse: Chat Completions messages as input of the Responses API, one item for each."""
    made: list[Any] = []
    for message in messages:
        if message["role"] == "tool":
            output = {"call_id": message["tool_call_id"], "output": message["content"]}
            made.append({"type": "function_call_output", **output})
        elif message.get("content"):
            made.append({"type": "message", "role": message["role"], "content": message["content"]})
        for call in message.get("tool_calls", ()):
            made.append({"type": "function_call", "call_id": call["id"], **call["function"]})
    return made


SIMPLE = st.lists(
    st.one_of(
        st.sampled_from(["a", "b"]).map(user),
        st.sampled_from(["c", "d"]).map(assistant),
        st.sampled_from(["1", "2"]).map(lambda name: tool_call(1, call_id=name)),
        st.just("e").map(hidden),
    ),
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(items=SIMPLE)
async def test_there_and_back_is_the_same(items: list[Any]) -> None:
    once = await ThreadItemConverter().to_chat_messages(items)
    assert chat_messages(back(once)) == once


@settings(max_examples=60, deadline=None)
@given(items=SIMPLE)
async def test_messages_are_of_the_shape_that_chat_templates_take(items: list[Any]) -> None:
    messages = await ThreadItemConverter().to_chat_messages(items)
    roles = [message["role"] for message in messages]
    for before, after in itertools.pairwise(roles):
        assert before != after or after == "tool", "neighbours of one role are one message"
    for n, message in enumerate(messages):
        assert isinstance(message["content"], str) or message.get("tool_calls")
        calls = [call["id"] for call in message.get("tool_calls", ())]
        answers = [each.get("tool_call_id") for each in messages[n + 1 : n + 1 + len(calls)]]
        assert calls == answers, "each call is answered at once"


async def test_every_item_says_the_same_as_in_the_agents_sdks_conversion() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        converter = pytest.importorskip("agents.models.chatcmpl_converter").Converter
    items = [msgspec.json.decode(text, type=ThreadItem) for text in ITEMS]
    given = await ThreadItemConverter(context_role="developer").to_agent_input(items)
    theirs = converter.items_to_messages(given)
    assert atoms(chat_messages(given)) == atoms(theirs)
    assert len(atoms(theirs)) > 12


async def test_images_files_and_instructions() -> None:
    async def read(attachment: Any) -> Any:
        data = "data:application/pdf;base64,AA=="
        return {"type": "input_file", "filename": attachment.name, "file_data": data}

    made = await ThreadItemConverter(attachments=read).to_agent_input(
        [user("", attachments=[image()])]
    )
    picture = {"type": "input_image", "detail": "low", "image_url": "https://x.test/a.png"}
    uploaded = {"type": "input_image", "detail": "auto", "file_id": "file_1"}
    item: Any = {
        "role": "user",
        "content": [{"type": "input_text", "text": "see"}, picture, uploaded],
    }
    reasoning: Any = {"type": "reasoning", "id": "rs_1", "summary": []}
    assert chat_messages([*made, reasoning, item], instructions="Be brief.") == [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {
                    "type": "file",
                    "file": {"filename": "a.png", "file_data": "data:application/pdf;base64,AA=="},
                },
                {"type": "text", "text": "see"},
                {
                    "type": "image_url",
                    "image_url": {"url": "https://x.test/a.png", "detail": "low"},
                },
            ],
        },
    ]


def test_calls_of_neighbours_are_one_message() -> None:
    calls = [
        {"type": "function_call", "call_id": str(n), "name": "f", "arguments": "{}"} for n in (1, 2)
    ]
    outputs = [{"type": "function_call_output", "call_id": str(n), "output": "ok"} for n in (1, 2)]
    said = {"role": "assistant", "content": "Looking."}
    first, *rest = chat_messages([said, *calls, *outputs])
    assert (first["content"], [call["id"] for call in first["tool_calls"]]) == (
        "Looking.",
        ["1", "2"],
    )
    assert [each["tool_call_id"] for each in rest] == ["1", "2"]
