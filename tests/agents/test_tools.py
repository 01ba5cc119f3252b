"""Python functions as tools: what the model is told of them, and the loop that calls them, in real turns."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import anyio
import pytest
from msgspec import Meta, Struct

from chatkit_asgi.agents import AgentContext, Tool, run_chat
from chatkit_asgi.errors import AuthorError, CustomStreamError
from chatkit_asgi.store import MemoryStore
from chatkit_asgi.testing.scripted import Call, Say, Stop, Together
from chatkit_asgi.testing.scripted_chat import ChatHabits, ScriptedChatModel
from chatkit_asgi.types import CustomTask
from tests.agents.chatting import ChatAssistant, stopped
from tests.agents.conftest import Converse, Switch

# openai's client leaves generators of its own unfinished after [DONE]; trio warns of that.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Async generator '(httpx2|httpcore2|openai):ResourceWarning"
)


class Place(Struct):
    """Somewhere."""

    city: str
    country: str = "CH"


async def get_weather(
    place: Place,
    days: Annotated[int, Meta(ge=1, le=7, description="From today.")] = 1,
    unit: Literal["C", "F"] = "C",
) -> dict[str, Any]:
    """The weather of a place."""
    return {"city": place.city, "days": days, "unit": unit}


async def fails(text: str) -> str:
    """Never works."""
    raise RuntimeError(f"internal details: {text}")


def outputs(model: ScriptedChatModel, request: int = 1) -> list[Any]:
    """What the model was given as outputs, decoded."""
    messages = model.requests[request]["messages"]
    return [json.loads(each["content"]) for each in messages if each["role"] == "tool"]


def test_two_tools_of_one_name_are_refused() -> None:
    tools = [Tool(get_weather), Tool(fails, name="get_weather")]
    with pytest.raises(AuthorError, match="two tools named get_weather"):
        run_chat(None, None, model="", messages=[], tools=tools)  # type: ignore[arg-type]


async def test_an_output_is_written_as_everything_is() -> None:
    async def odd() -> dict[str, str]:
        """Text that UTF-8 cannot hold."""
        return {"text": "a\ud800"}

    context: Any = None
    assert json.loads(await Tool(odd).run(context, "{}")) == {"text": "a\ufffd"}


def test_what_the_model_is_told() -> None:
    definition = Tool(get_weather).definition()
    assert definition["type"] == "function"
    function = definition["function"]
    assert (function["name"], function["description"]) == ("get_weather", "The weather of a place.")
    parameters = function["parameters"]
    assert parameters["required"] == ["place"]
    assert parameters["properties"]["days"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 7,
        "description": "From today.",
        "default": 1,
    }
    assert parameters["$defs"]["Place"]["required"] == ["city"]
    assert json.loads(json.dumps(definition)) == definition


def test_the_context_is_no_argument_of_the_models() -> None:
    async def note(context: AgentContext[Any], text: str) -> str:
        return text

    parameters = Tool(note, name="write", description="Writes.").definition()["function"]
    assert [*parameters["parameters"]["properties"]] == ["text"]
    assert (parameters["name"], parameters["description"]) == ("write", "Writes.")


def test_what_cannot_be_a_tool_is_refused_at_once() -> None:
    async def bare(text) -> str:  # type: ignore[no-untyped-def]
        return ""

    async def many(*texts: str) -> str:
        return ""

    def blocking(text: str) -> str:
        return ""

    for function, why in ((bare, "annotation"), (many, "annotation"), (blocking, "asynchronous")):
        with pytest.raises(AuthorError, match=why):
            run_chat(None, None, model="", messages=[], tools=[function])  # type: ignore[arg-type,list-item]


async def test_a_tool_is_called_and_shown_and_the_model_goes_on(converse: Converse) -> None:
    call = Call("get_weather", {"place": {"city": "Zürich"}, "days": 2}, call_id="call_1")
    model = ScriptedChatModel([[Say("Let me see."), call], [Say("Rain.")]])
    conversation = await converse(model, make=ChatAssistant, tools=[get_weather])
    shown = CustomTask(title="Get weather", status_indicator="complete")
    assert await conversation.stored() == ["Let me see.", [shown], "Rain."]
    await conversation.check()
    assert model.requests[0]["tools"] == [Tool(get_weather).definition()]
    assert model.requests[1]["messages"][-2:] == [
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {
                        "name": "get_weather",
                        "arguments": json.dumps({"place": {"city": "Zürich"}, "days": 2}),
                    },
                }
            ],
        },
        {
            "role": "tool",
            "tool_call_id": "call_1",
            "content": '{"city":"Zürich","days":2,"unit":"C"}',
        },
    ]


@pytest.mark.parametrize(
    "habits",
    [
        ChatHabits(),
        ChatHabits(call_ids=False, call_index="none", whole_calls=True, calls_finish="stop"),
        ChatHabits(call_index="zero", whole_calls=True),
    ],
    ids=["OpenAI", "nameless", "all zero"],
)
async def test_calls_side_by_side(converse: Converse, habits: ChatHabits) -> None:
    met = [anyio.Event(), anyio.Event()]

    async def meet(number: int) -> int:
        """Waits for the other call."""
        met[number].set()
        await met[1 - number].wait()
        return number

    calls = [Call("meet", {"number": number}) for number in (0, 1)]
    script = [Together(calls)] if habits == ChatHabits() else calls
    model = ScriptedChatModel([script, [Say("Done.")]], habits=habits)
    with anyio.fail_after(10):
        conversation = await converse(model, make=ChatAssistant, tools=[Tool(meet, title="")])
    assert await conversation.stored() == ["Done."]
    assert outputs(model) == [0, 1]
    sent = model.requests[1]["messages"]
    ids = [call["id"] for call in sent[-3]["tool_calls"]]
    assert [message["tool_call_id"] for message in sent[-2:]] == ids
    assert len(set(ids)) == 2


async def test_mistakes_are_told_to_the_model(converse: Converse, caplog: Any) -> None:
    calls = [
        Call("get_weather", {"place": {}}, call_id="1"),
        Call("unknown", {}, call_id="2"),
        Call("fails", {"text": "x"}, call_id="3"),
    ]
    model = ScriptedChatModel([calls, [Say("Sorry.")]])
    conversation = await converse(model, make=ChatAssistant, tools=[get_weather, fails])
    assert [each["error"] for each in outputs(model)] == [
        "These arguments are wrong: Object missing required field `city` - at `$.place`",
        "There is no tool 'unknown'.",
        "The tool failed: RuntimeError.",
    ]
    assert "internal details" in caplog.text, "the log has the reason"
    assert "internal details" not in str(conversation.events) + str(model.requests)
    assert (await conversation.stored())[-1] == "Sorry."


async def test_a_tool_can_end_the_answer(converse: Converse) -> None:
    async def quota() -> str:
        raise CustomStreamError("No more today.", allow_retry=False)

    model = ScriptedChatModel([[Say("Hm."), Call("quota")]])
    conversation = await converse(model, make=ChatAssistant, tools=[Tool(quota, title="")])
    assert [error["message"] for error in conversation.errors] == ["No more today."]
    assert await conversation.stored() == ["Hm."]
    assert len(model.requests) == 1


async def test_calls_that_were_cut_off_are_not_run(converse: Converse) -> None:
    model = ScriptedChatModel([[Call("fails", {"text": "x"}), Stop()]])
    conversation = await converse(model, make=ChatAssistant, tools=[fails])
    assert len(model.requests) == len(conversation.notices) == 1


async def test_a_model_that_never_stops_calling_is_stopped(converse: Converse) -> None:
    model = ScriptedChatModel([[Call("get_weather", {"place": {"city": "Bern"}})]])
    conversation = await converse(model, make=ChatAssistant, tools=[get_weather], max_rounds=3)
    assert len(model.requests) == 3
    assert conversation.notices == ["The answer is not complete."]


async def test_tools_speak_to_the_reader_and_ask_the_page(converse: Converse) -> None:
    async def select(context: AgentContext[Any], layer: str) -> str:
        await context.stream_progress("Looking")
        await context.call_client_tool("get_selection", {"layer": layer})
        return "asked"

    call = Call("select", {"layer": "roads"}, call_id="call_7")
    model = ScriptedChatModel([[call], [Say("Selected.")]])
    conversation = await converse(model, make=ChatAssistant, tools=[Tool(select, title="")])
    assert await conversation.stored() == [("get_selection", {"layer": "roads"}, "call_7")]
    assert len(model.requests) == 1, "the page's answer is a request of its own"
    assert any(event["type"] == "progress_update" for event in conversation.events)


async def test_stopping_stops_the_tool(switch: Switch) -> None:
    ends: list[str] = []

    async def endless() -> str:
        try:
            await anyio.sleep_forever()
        finally:
            ends.append("stopped")
        return ""

    switch.app = ScriptedChatModel([[Call("endless")]])
    server = ChatAssistant(MemoryStore(), switch.url, tools=[endless])
    stored = await stopped(server, lambda event: event["type"] == "thread.item.added")
    assert ends == ["stopped"]
    assert [*map(type, stored)] == [list, str], "the workflow, and the note that it was stopped"
