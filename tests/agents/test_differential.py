"""The same runs of the Agents SDK through openai-chatkit and through ours give the same events, but for the departures
that ARCHITECTURE.md numbers (A1 ...). Both sides talk to one scripted model server over HTTP; nothing is faked.

A departure is an eraser: a function that takes the difference out of the events of either side. A scenario names its
departures. Its events must be equal once they are erased, and must not be equal if any one of them is left in: so a
departure that does not occur fails, and so does one that is not listed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from chatkit_asgi.protocol.codec import encode
from chatkit_asgi.testing.scripted import (
    Call,
    Draw,
    Fail,
    Refuse,
    Say,
    ScriptedModel,
    Stop,
    Think,
    Together,
)
from tests.agents.conftest import Switch
from tests.agents.record import FILE, URL
from tests.agents.served import openai_client

# The reference deprecates its own widget classes, and leaves a task behind when a run raises.
pytestmark = [
    pytest.mark.filterwarnings("default:Direct usage of named widget classes:DeprecationWarning"),
    pytest.mark.filterwarnings("default::pytest.PytestUnraisableExceptionWarning"),
]

Event = dict[str, Any]
Events = list[Event]


@pytest.fixture
def anyio_backend() -> str:
    """The SDK runs on asyncio only."""
    return "asyncio"


# -- the two sides -----------------------------------------------------------------------------


def side(name: str) -> Any:
    """The modules and the store of one library."""
    from importlib import import_module

    modules = {each: import_module(f"{name}.{each}") for each in ("agents", "types", "widgets")}
    if name == "chatkit":
        from benchmarks.official import DictStore

        return SimpleNamespace(**modules, name=name, store=DictStore())
    from chatkit_asgi.store import MemoryStore

    return SimpleNamespace(**modules, name=name, store=MemoryStore())


def dumped(event: Any) -> Event:
    found: Event = (
        msgspec.json.decode(encode(event))
        if isinstance(event, msgspec.Struct)
        else event.model_dump(mode="json", exclude_none=True)
    )
    return found


async def run(name: str, scenario: Scenario, switch: Switch) -> tuple[Events, str]:
    """The events of a scenario on one side, and what was raised."""
    from agents import OpenAIResponsesModel, RunConfig, Runner

    lib = side(name)
    agent = scenario.agent(lib)
    switch.app = ScriptedModel(scenario.scripts)
    thread = lib.types.ThreadMetadata(id="thr_1", created_at=datetime(2026, 1, 1, tzinfo=UTC))
    await lib.store.save_thread(thread, context={})
    events: Events = []
    raised = ""
    async with openai_client(switch.url) as client:
        for each in [agent, *agent.handoffs]:
            each.model = OpenAIResponsesModel("gpt-5", client)
        for _ in range(scenario.runs):
            context = lib.agents.AgentContext(thread=thread, store=lib.store, request_context={})
            if scenario.before is not None:
                await scenario.before(context, lib)
            result = Runner.run_streamed(
                agent, "Hi", context=context, run_config=RunConfig(tracing_disabled=True)
            )
            try:
                async for event in lib.agents.stream_agent_response(context, result):
                    events.append(dumped(event))
                    if event.type == "thread.item.done":
                        await lib.store.save_item("thr_1", event.item, context={})
            except Exception as error:
                raised = type(error).__name__
    return events, raised


# -- departures --------------------------------------------------------------------------------


def own_ids(events: Events) -> Events:
    """A1: an item's id is made here, not by the model."""
    names: dict[str, str] = {}

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: names.setdefault(each, f"#{len(names)}")
                if key in ("id", "item_id") and isinstance(each, str)
                else renamed(each)
                for key, each in value.items()
            }
        return [renamed(each) for each in value] if isinstance(value, list) else value

    return [renamed(event) for event in events]


def one_time(events: Events) -> Events:
    """A2: an item keeps its time from beginning to end. (Times differ between the sides anyhow, and so do seconds.)"""
    for event in events:
        if "item" in event:
            event["item"].pop("created_at")
            summary = event["item"].get("workflow", {}).get("summary", {})
            if "duration" in summary:
                summary["duration"] = 0
    return events


def refusals_stream(events: Events) -> Events:
    """A4: a refusal streams."""
    kinds = ("content_part.text_delta", "content_part.done")
    return [e for e in events if not e.get("update", {}).get("type", "").endswith(kinds)]


def thoughts_stream(events: Events) -> Events:
    """A5: every thought streams, not only the first. A6: an update of a task that nobody has read is dropped for the
    next. Left of a thought: that it was added, with its last text."""
    last: dict[Any, Event] = {}
    kept: Events = []
    for event in events:
        update = event.get("update", {})
        if (
            update.get("type", "").startswith("workflow.task")
            and update["task"]["type"] == "thought"
        ):
            key = event["item_id"], update["task_index"]
            if key in last:
                last[key]["update"]["task"] = update["task"]
                continue
            last[key] = event
        kept.append(event)
    return kept


def unfinished_workflow_told(events: Events) -> Events:
    """A7: a workflow that is open at the end of a run is stored by an event, not behind the client's back."""
    return [
        event
        for event in events
        if not (
            event["type"] == "thread.item.done"
            and event["item"]["type"] == "workflow"
            and "summary" not in event["item"]["workflow"]
        )
    ]


def failed_images_go(events: Events) -> Events:
    """A8: an image that cannot be made is removed."""
    images = {
        event["item"]["id"]
        for event in events
        if event.get("item", {}).get("type") == "generated_image"
    }
    return [
        event
        for event in events
        if event["type"] != "thread.item.removed" or event["item_id"] not in images
    ]


def images_are_told_apart(events: Events) -> Events:
    """A9: images that are made at the same time are items of their own, each with its image."""
    return [event for event in events if "image" not in str(event.get("item", event.get("update")))]


def empty_messages_go(events: Events) -> Events:
    """A10: a message without a word is removed, not stored."""
    empty = {
        event["item"]["id"]
        for event in events
        if event["type"] == "thread.item.added" and event["item"]["type"] == "assistant_message"
    } - {event["item_id"] for event in events if event.get("update", {}).get("delta")}
    return [
        event
        for event in events
        if event.get("item_id", event.get("item", {}).get("id")) not in empty
    ]


def failures_close(events: Events) -> Events:
    """A11: when a run fails, what is open is closed first. (Both sides raise; see the scenario's ``raises``.)"""
    open_items = {e["item"]["id"] for e in events if e["type"] == "thread.item.added"}
    kept = [
        e for e in events if e["type"] != "thread.item.done" or e["item"]["id"] not in open_items
    ]
    return [e for e in kept if e["type"] != "notice"]


def removals_in_order(events: Events) -> Events:
    """A12: a guardrail's removals name items only, the newest first."""
    shown = list(dict.fromkeys(event["item"]["id"] for event in events if "item" in event))
    removed = [event for event in events if event["type"] == "thread.item.removed"]
    return [event for event in events if event not in removed] + sorted(
        (event for event in removed if event["item_id"] in shown),
        key=lambda event: shown.index(event["item_id"]),
    )


def copies_are_queued(events: Events) -> Events:
    """A13: a queued event is a copy; it does not tell what happened after it."""
    for event in events:
        if event["type"] == "thread.item.added" and event["item"]["type"] == "workflow":
            event["item"]["workflow"] = {}
        elif event.get("update", {}).get("type") == "workflow.task.added":
            event["update"]["task_index"] = None
    return events


def stored_once(events: Events) -> Events:
    """A14: a workflow that begins and ends before anybody reads is not open afterwards."""
    seen: list[str] = []
    kept: Events = []
    for event in events:
        is_workflow = event.get("item", {}).get("type") == "workflow"
        if event["type"] == "thread.item.done" and is_workflow and event["item"]["id"] in seen:
            continue
        if event["type"] == "thread.item.done" and is_workflow:
            seen.append(event["item"]["id"])
        kept.append(event)
    return kept


def client_tools_each(events: Events) -> Events:
    """A15: every client tool call that was set is told, and takes the ``call_id`` of the model's call of its name."""
    return [e for e in events if e.get("item", {}).get("type") != "client_tool_call"]


def citations_are_taken(events: Events) -> Events:
    """A16: a citation with classes of the openai package's own does not end the answer."""
    at = next(
        (
            i
            for i, e in enumerate(events)
            if e.get("update", {}).get("type", "").endswith("annotation_added")
        ),
        len(events),
    )
    return [e for e in events[:at] if not e.get("update", {}).get("type", "").endswith("part.done")]


def in_order(events: Events) -> Events:
    """A17: what a tool tells comes after what the model said before it. (The reference takes whichever it sees first,
    so this need not occur in every run.)"""
    return [e for e in events if e["type"] != "progress_update" and "widget" not in str(e)]


ALWAYS = (own_ids, one_time)
"""Ids and times differ in every scenario."""


@dataclass(frozen=True)
class Scenario:
    """A run, or several in one thread."""

    scripts: list[Any]
    departures: tuple[Callable[[Events], Events], ...] = ()
    agent: Callable[[Any], Any] = field(default=lambda lib: plain(lib))
    sometimes: tuple[Callable[[Events], Events], ...] = ()
    """Departures that depend on the reference's luck."""
    before: Callable[[Any, Any], Any] | None = None
    runs: int = 1
    raises: tuple[str, str] = ("", "")
    """What the reference and ours raise."""


def plain(lib: Any, **options: Any) -> Any:
    from agents import Agent

    return Agent(name="assistant", instructions="Help.", **options)


def with_tools(*make: Callable[[Any], Any], **options: Any) -> Callable[[Any], Any]:
    def build(lib: Any) -> Any:
        from agents import function_tool

        return plain(lib, tools=[function_tool(each(lib)) for each in make], **options)

    return build


def lookup(lib: Any) -> Any:
    async def lookup(ctx: Any, city: str = "") -> str:
        await ctx.context.stream(lib.types.ProgressUpdateEvent(icon="search", text="Looking it up"))
        card = lib.widgets.Card(children=[lib.widgets.Text(value=city)])
        await ctx.context.stream_widget(card, copy_text=city)
        return "sunny"

    return _annotated(lookup)


def steps(lib: Any) -> Any:
    async def steps(ctx: Any) -> str:
        await ctx.context.start_workflow(lib.types.Workflow(type="custom", tasks=[]))
        await ctx.context.add_workflow_task(lib.types.CustomTask(title="one"))
        return "done"

    return _annotated(steps)


def hasty_steps(lib: Any) -> Any:
    async def hasty_steps(ctx: Any) -> str:
        for _ in range(2):
            await ctx.context.add_workflow_task(lib.types.CustomTask(title="same"))
        return "done"

    return _annotated(hasty_steps)


def whole_workflow(lib: Any) -> Any:
    async def whole_workflow(ctx: Any) -> str:
        workflow = lib.types.Workflow(type="custom", tasks=[lib.types.CustomTask(title="one")])
        await ctx.context.start_workflow(workflow)
        await ctx.context.end_workflow(lib.types.CustomSummary(title="Worked"))
        return "done"

    return _annotated(whole_workflow)


def switch_theme(lib: Any) -> Any:
    async def switch_theme(ctx: Any, theme: str = "") -> str:
        ctx.context.client_tool_call = lib.agents.ClientToolCall(
            name="switch_theme", arguments={"theme": theme}
        )
        return "ok"

    return _annotated(switch_theme)


def open_page(lib: Any) -> Any:
    async def open_page(ctx: Any) -> str:
        ctx.context.client_tool_call = lib.agents.ClientToolCall(name="open_page", arguments={})
        return "ok"

    return _annotated(open_page)


def _annotated(function: Any) -> Any:
    from agents import RunContextWrapper

    function.__annotations__["ctx"] = RunContextWrapper[Any]
    return function


def stopping_at(*names: str) -> Any:
    from agents.agent import StopAtTools

    return StopAtTools(stop_at_tool_names=[*names])


def ending_with(*make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda lib: with_tools(
        *make, tool_use_behavior=stopping_at(*(m.__name__ for m in make))
    )(lib)


def guarded(lib: Any) -> Any:
    from agents import Agent, GuardrailFunctionOutput, OutputGuardrail, function_tool

    async def refuse(ctx: Any, agent: Any, output: Any) -> Any:
        return GuardrailFunctionOutput(output_info=None, tripwire_triggered=True)

    return Agent(
        name="assistant",
        tools=[function_tool(lookup(lib))],
        output_guardrails=[OutputGuardrail(guardrail_function=refuse)],
    )


def handing_off(lib: Any) -> Any:
    from agents import Agent

    return plain(lib, handoffs=[Agent(name="expert", instructions="Know.")])


def failing_tool(lib: Any) -> Any:
    from agents import function_tool

    async def broken(ctx: Any) -> str:
        raise ValueError("broken")

    return plain(lib, tools=[function_tool(_annotated(broken), failure_error_function=None)])


async def begin_steps(context: Any, lib: Any) -> None:
    await context.start_workflow(lib.types.Workflow(type="custom", tasks=[]))
    await context.add_workflow_task(lib.types.CustomTask(title="prepare"))


SCENARIOS: dict[str, Scenario] = {
    "text": Scenario([[Say("Hello, world.")]]),
    "several messages": Scenario([[Say("One."), Say("Two.")]]),
    "one thought": Scenario([[Think(["First."], chunks=1), Say("Then.")]]),
    "thoughts": Scenario([[Think(["One two three.", "Four five six."]), Say("Then.")]], (thoughts_stream,)),
    "no thought": Scenario([[Think([]), Say("Then.")]]),
    "raw reasoning": Scenario([[Think(raw="Hm."), Say("Then.")]]),
    "tool": Scenario(
        [[Think(["Look."], chunks=1), Call("lookup", {"city": "Paris"})], [Say("Sunny.")]],
        agent=with_tools(lookup),
    ),
    "text, tool, text": Scenario(
        [[Say("I look."), Call("lookup", {"city": "Paris"})], [Say("Sunny.")]],
        agent=with_tools(lookup),
        sometimes=(in_order,),
    ),
    "handoff": Scenario(
        [[Say("I ask."), Call("transfer_to_expert")], [Say("I know.")]], agent=handing_off
    ),
    "steps of a tool": Scenario(
        [[Call("steps")], [Say("Done.")]], agent=with_tools(steps)
    ),
    "steps before the run": Scenario([[Say("Done.")]], before=begin_steps),
    "hasty steps": Scenario(
        [[Call("hasty_steps")], [Say("Done.")]], (copies_are_queued,), with_tools(hasty_steps)
    ),
    "whole workflow": Scenario(
        [[Call("whole_workflow")], [Say("Done.")]], (stored_once, copies_are_queued), with_tools(whole_workflow)
    ),
    "citations": Scenario(
        [[Say("As the report says.", citations=[URL, FILE])]],
        (citations_are_taken,),
        raises=("ValidationError", ""),
    ),
    "refusal": Scenario(
        [[Refuse("I would rather not.")]],
        (refusals_stream, failures_close),
        raises=("ModelRefusalError",) * 2,
    ),
    "no text": Scenario([[Say(""), Say("Hello.")]], (empty_messages_go,)),
    "image": Scenario([[Draw("AAAA", partial=["BB"]), Say("Here.")]]),
    "no image": Scenario([[Draw(partial=["BB"]), Say("It failed.")]], (failed_images_go,)),
    "images": Scenario(
        [[Together([Draw("AAAA", partial=["BB"]), Draw("CCCC", partial=["DD"])]), Say("Here.")]],
        (images_are_told_apart,),
    ),
    "client tool": Scenario(
        [[Say("I switch."), Call("switch_theme", {"theme": "dark"}, "call_9")]],
        agent=ending_with(switch_theme),
    ),
    "client tool in a workflow": Scenario(
        [[Think(["Switch."], chunks=1), Call("switch_theme", {"theme": "dark"})],
         [Think(["So."], chunks=1), Say("Done.")]],
        (unfinished_workflow_told, thoughts_stream),
        ending_with(switch_theme),
        runs=2,
    ),
    "two client tools": Scenario(
        [[Say("I do."), Call("switch_theme", {"theme": "dark"}, "call_1"), Call("open_page", {}, "call_2")]],
        (client_tools_each,),
        ending_with(switch_theme, open_page),
    ),
    "guardrail": Scenario(
        [[Think(["Look."], chunks=1), Call("lookup", {"city": "Paris"})], [Say("Sunny.")]],
        (removals_in_order,),
        guarded,
        raises=("OutputGuardrailTripwireTriggered",) * 2,
    ),
    "failing tool": Scenario(
        [[Think(["Look."], chunks=1), Call("broken")]], (failures_close,), failing_tool, raises=("UserError",) * 2
    ),
    "failed": Scenario(
        [[Think(["Look."], chunks=1), Fail()]], (failures_close,), raises=("ModelBehaviorError", "ModelFailure")
    ),
    "error": Scenario(
        [[Think(["Look."], chunks=1), Fail(event="error")]],
        (failures_close,),
        raises=("ModelBehaviorError", "ModelFailure"),
    ),
    "incomplete": Scenario(
        [[Think(["Look."], chunks=1), Stop()]], (failures_close,), raises=("ModelBehaviorError", "")
    ),
}  # fmt: skip


def erased(events: Events, departures: tuple[Callable[[Events], Events], ...]) -> Events:
    events = msgspec.json.decode(msgspec.json.encode(events))
    for erase in departures:
        events = erase(events)
    return own_ids(events) if own_ids in departures else events  # ids are counted by what is left


@pytest.mark.parametrize("name", SCENARIOS)
async def test_events_are_equal_but_for_the_departures(switch: Switch, name: str) -> None:
    scenario = SCENARIOS[name]
    theirs, they_raised = await run("chatkit", scenario, switch)
    ours, we_raised = await run("chatkit_asgi", scenario, switch)
    assert (they_raised, we_raised) == scenario.raises
    assert ours
    departures = (*scenario.departures, *scenario.sometimes, *ALWAYS)
    assert erased(ours, departures) == erased(theirs, departures)
    for each in (*scenario.departures, *ALWAYS):
        rest = tuple(other for other in departures if other is not each)
        assert erased(ours, rest) != erased(theirs, rest), f"{each.__name__} does not occur"
