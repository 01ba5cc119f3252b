"""AgentContext and the stream around it: what tools say, and what becomes of it. No SDK is needed for any of this."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import anyio
import pytest

import chatkit_asgi.agents as bridges
from chatkit_asgi.agents import (
    AgentContext,
    ClientToolCall,
    Failure,
    ImageStart,
    ImageUpdate,
    MessageDone,
    ModelFailure,
    Part,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    Withdraw,
    accumulate_text,
    stream_parts,
)
from chatkit_asgi.agents.stream import QUEUE_LIMIT, UNREAD_LIMIT
from chatkit_asgi.errors import AuthorError
from chatkit_asgi.ids import utc_now
from chatkit_asgi.store import MemoryStore
from chatkit_asgi.types import (
    ClientToolCallItem,
    CustomSummary,
    CustomTask,
    HiddenContextItem,
    ProgressUpdateEvent,
    ThoughtTask,
    ThreadItemDoneEvent,
    ThreadMetadata,
    Workflow,
    WorkflowItem,
)
from chatkit_asgi.widgets import Card, Text

WHEN = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)


class MyContext(AgentContext[dict[str, Any]]):
    """A team's own context."""

    tenant: str = "none"
    seen: list[str] = []


@pytest.fixture
def context() -> MyContext:
    store = MemoryStore[Any]()
    thread = ThreadMetadata(id="thr_1", created_at=WHEN)
    anyio.run(partial(store.save_thread, thread, context={}))
    return MyContext(thread=thread, store=store, request_context={"user": "ada"}, tenant="t1")


def parts(*given: Any) -> Callable[[], AsyncGenerator[Part]]:
    """A source of these parts; a function among them is called and awaited."""

    async def source() -> AsyncGenerator[Part]:
        for each in given:
            if callable(each):
                await each()
            else:
                yield each

    return source


async def read(context: Any, *given: Any, store: bool = True) -> list[Any]:
    """Every event; items that are done are stored, as a turn does it."""
    events = []
    async for event in stream_parts(context, parts(*given)()):
        events.append(event)
        if store and isinstance(event, ThreadItemDoneEvent):
            await context.store.save_item("thr_1", event.item, context={})
    return events


def kinds(events: list[Any]) -> list[str]:
    return [event.update.type if hasattr(event, "update") else event.type for event in events]


# -- what it is --------------------------------------------------------------------------------


def test_it_is_a_model_with_the_fields_of_the_reference(context: MyContext) -> None:
    assert (context.tenant, context.seen) == ("t1", [])
    assert context.previous_response_id is context.client_tool_call is context.workflow_item is None
    assert context.generated_image_item is None
    context.thread.title = "changed"
    assert context.thread.title == "changed", "the handler's own object"
    assert context.generate_id("thread").startswith("thr_")
    assert context.generate_id("workflow").startswith("wf_")
    with pytest.raises(ValueError, match="thread"):
        AgentContext(store=context.store, request_context={})  # type: ignore[call-arg]


# -- telling -----------------------------------------------------------------------------------


async def test_what_a_tool_says_is_told_while_the_model_is_silent(context: MyContext) -> None:
    go = anyio.Event()

    async def tool() -> None:
        await context.stream_progress("Looking", "search")
        await go.wait()

    events = stream_parts(context, parts(TextDelta("Hi"), MessageDone(), tool)())
    seen = []
    with anyio.fail_after(5):
        async for event in events:
            seen.append(event.type)
            if event == ProgressUpdateEvent(icon="search", text="Looking"):
                go.set()
    assert seen[-1] == "progress_update"
    assert go.is_set()


async def test_every_way_to_tell_is_one_call(context: MyContext) -> None:
    async def states() -> AsyncIterator[Any]:
        yield Card(children=[Text(id="t", value="a", streaming=True)])
        yield Card(children=[Text(id="t", value="ab", streaming=True)])

    async def tool() -> None:
        await context.stream_progress("Looking")
        await context.stream_notice("Careful", level="warning", title="Oh")
        await context.stream_effect("confetti", {"n": 1})
        await context.stream_widget(Card(children=[]), copy_text="c")
        await context.stream_widget(states())
        await context.call_client_tool("pick", {"a": 1})

    events = await read(context, tool)
    assert kinds(events) == [
        "progress_update",
        "notice",
        "client_effect",
        "thread.item.done",
        "thread.item.added",
        "widget.streaming_text.value_delta",
        "thread.item.done",
        "thread.item.done",
    ]
    assert events[1].title == "Oh"
    assert events[3].item.copy_text == "c"
    assert (events[-1].item.name, events[-1].item.status) == ("pick", "pending")


async def test_a_queued_event_is_a_copy(context: MyContext) -> None:
    """Whatever the tool does with its objects before the event is read."""

    async def tool() -> None:
        workflow = Workflow(type="custom", tasks=[CustomTask(title="1")])
        await context.start_workflow(workflow)
        task = CustomTask(title="2", status_indicator="loading")
        await context.add_workflow_task(task)
        task.status_indicator = "complete"
        await context.update_workflow_task(task, 1)
        await context.end_workflow(CustomSummary(title="Done"))
        workflow.tasks.clear()

    added, second, update, done = await read(context, tool)
    assert [task.title for task in added.item.workflow.tasks] == ["1"]
    assert (second.update.task_index, second.update.task.status_indicator) == (1, "loading")
    assert update.update.task.status_indicator == "complete"
    assert [task.title for task in done.item.workflow.tasks] == ["1", "2"]


async def test_a_tool_that_says_more_than_is_read_has_to_wait(context: MyContext) -> None:
    said = 0

    async def tool() -> None:
        nonlocal said
        for said in range(10 * QUEUE_LIMIT):
            await context.stream_progress(str(said))

    events = stream_parts(context, parts(tool)())
    count = 0
    async for event in events:
        assert isinstance(event, ProgressUpdateEvent)
        assert event.text == str(count), "in order, none lost"
        count += 1
        assert said - count <= QUEUE_LIMIT
    assert count == 10 * QUEUE_LIMIT


async def test_a_context_that_nobody_reads_says_so_in_the_end(context: MyContext) -> None:
    for number in range(UNREAD_LIMIT):
        await context.stream_progress(str(number))
    with pytest.raises(AuthorError, match="nobody reads"):
        await context.stream_progress("one too many")


async def test_what_was_said_before_the_run_comes_first(context: MyContext) -> None:
    await context.stream_progress("Before")
    events = await read(context, TextDelta("Hi"))
    assert events[0].text == "Before"


# -- workflows ---------------------------------------------------------------------------------


async def test_equal_tasks_are_told_by_their_places(context: MyContext) -> None:
    async def tool() -> None:
        for _ in range(3):
            await context.add_workflow_task(CustomTask(title="same"))

    events = await read(context, tool)
    assert kinds(events) == ["thread.item.added", *["workflow.task.added"] * 2, "thread.item.done"]
    assert [event.update.task_index for event in events[1:3]] == [1, 2]


async def test_a_task_of_no_workflow_cannot_be_changed(context: MyContext) -> None:
    with pytest.raises(ValueError, match="No workflow is open"):
        await context.update_workflow_task(CustomTask(), 0)
    await context.add_workflow_task(CustomTask())
    with pytest.raises(IndexError):
        await context.update_workflow_task(CustomTask(), 5)
    await context.end_workflow()
    await context.end_workflow()


@pytest.mark.parametrize("between", [[], ["hidden"], ["tool"], ["tool", "tool", "hidden"]])
@pytest.mark.parametrize("zone", [UTC, None])
async def test_a_workflow_goes_on_where_an_earlier_answer_has_left_it(
    context: MyContext, between: list[str], zone: Any
) -> None:
    """Stores written for openai-chatkit keep naive local times."""
    began = utc_now().astimezone() - timedelta(seconds=100)
    began = began.replace(tzinfo=None) if zone is None else began.astimezone(zone)
    base: dict[str, Any] = {"thread_id": "thr_1", "created_at": began}
    workflow = Workflow(type="reasoning", tasks=[ThoughtTask(content="One.")])
    items: list[Any] = [WorkflowItem(id="wf_1", **base, workflow=workflow)]
    for number, kind in enumerate(between):
        items.append(
            HiddenContextItem(id=f"h{number}", **base, content="x")
            if kind == "hidden"
            else ClientToolCallItem(
                id=f"t{number}", **base, status="completed", call_id="c", name="n", arguments={}
            )
        )
    for item in items:
        await context.store.add_thread_item("thr_1", item, context={})
    events = await read(context, ReasoningDelta("Two."), TextDelta("Hi"))
    assert kinds(events)[:3] == ["workflow.task.added", "thread.item.done", "thread.item.added"]
    assert events[0].item_id == "wf_1"
    assert events[0].update.task_index == 1
    assert [task.content for task in events[1].item.workflow.tasks] == ["One.", "Two."]
    assert events[1].item.workflow.summary.duration in range(99, 110)
    stored = await context.store.load_thread_items("thr_1", None, 99, "asc", context={})
    assert [item.id for item in stored.data].count("wf_1") == 1


async def test_a_workflow_that_is_open_at_the_end_is_stored_and_goes_on_next_time(
    context: MyContext,
) -> None:
    async def tool() -> None:
        await context.call_client_tool("pick")

    first = await read(context, ReasoningDelta("One."), ToolCall("call_1", "pick"), tool)
    assert kinds(first)[-2:] == ["thread.item.done"] * 2
    assert first[-2].item.workflow.summary is None
    for _ in range(2):
        again = await read(context, ReasoningDelta("More."))
        assert {event.item.id for event in again if hasattr(event, "item")} == {first[-2].item.id}
    stored = await context.store.load_thread_items("thr_1", None, 99, "asc", context={})
    assert [item.type for item in stored.data] == ["workflow", "client_tool_call"]


# -- client tools ------------------------------------------------------------------------------


async def test_each_client_tool_call_is_told_once_with_the_models_call_id(
    context: MyContext,
) -> None:
    async def tools() -> None:
        context.client_tool_call = ClientToolCall(name="a", arguments={"n": 1})
        await context.call_client_tool("b", {"n": 2})
        await context.call_client_tool("c", call_id="call_own")

    calls = [ToolCall("call_a", "a"), ToolCall("call_b", "b"), ToolCall("call_x", "x")]
    events = await read(context, *calls, tools)
    told = [(event.item.name, event.item.call_id, event.item.arguments) for event in events]
    assert told == [("a", "call_a", {"n": 1}), ("b", "call_b", {"n": 2}), ("c", "call_own", {})]
    assert len({event.item.id for event in events}) == 3
    assert context.client_tool_call is None
    assert await read(context) == [], "a context that is used again tells it no more"


async def test_calls_of_one_client_tool_answer_the_models_calls_in_order(
    context: MyContext,
) -> None:
    async def tools() -> None:
        for number in (1, 2):
            await context.call_client_tool("pick", {"n": number})

    calls = [ToolCall(f"call_{number}", "pick") for number in (0, 1, 2)]  # the first was refused
    events = await read(context, *calls, tools)
    told = [(event.item.call_id, event.item.arguments["n"]) for event in events]
    assert told == [("call_1", 1), ("call_2", 2)]


async def test_a_client_tool_call_can_be_taken_back(context: MyContext) -> None:
    context.client_tool_call = ClientToolCall(name="a", arguments={})
    context.client_tool_call = None
    assert await read(context) == []


async def test_a_client_tool_call_of_no_model_has_a_call_id_of_its_own(context: MyContext) -> None:
    await context.call_client_tool("a")
    (event,) = await read(context)
    assert event.item.call_id.startswith("tc_")


# -- ends --------------------------------------------------------------------------------------


async def test_a_source_that_fails_closes_what_is_open_and_raises_its_error(
    context: MyContext,
) -> None:
    async def source() -> AsyncGenerator[Part]:
        yield TextDelta("Half")
        raise KeyError("lost")

    events: list[Any] = []

    async def read_all() -> None:
        async for event in stream_parts(context, source()):
            events.append(event)

    with pytest.raises(KeyError, match="lost"):
        await read_all()
    assert events[-1].type == "thread.item.done"
    assert events[-1].item.content[0].text == "Half"


async def test_an_image_that_was_seen_stays_when_the_model_fails(context: MyContext) -> None:
    seen, unseen = ImageUpdate("data:half", 0.5, "a"), ImageStart("b")
    events = stream_parts(context, parts(seen, unseen, Failure("Sorry."))())
    found: list[Any] = []

    async def read_all() -> None:
        async for event in events:
            found.append(event)

    with pytest.raises(ModelFailure):
        await read_all()
    assert [event.type for event in found[-2:]] == ["thread.item.done", "thread.item.removed"]
    assert found[-2].item.image.url == "data:half"


async def test_a_workflow_that_a_run_has_not_touched_is_left_alone(context: MyContext) -> None:
    workflow = Workflow(type="reasoning", tasks=[])
    item = WorkflowItem(id="wf_1", thread_id="thr_1", created_at=WHEN, workflow=workflow)
    await context.store.add_thread_item("thr_1", item, context={})
    assert await read(context) == []
    assert await read(context, Withdraw()) == []
    events = await read(context, ReasoningDelta("bad"), TextDelta("bad"), Withdraw(), store=False)
    assert events[-1].type == "thread.item.replaced"
    assert events[-1].item == item


async def test_a_failure_is_raised_with_a_text_for_the_reader_and_a_cause_for_the_log(
    context: MyContext,
) -> None:
    context.client_tool_call = ClientToolCall(name="never", arguments={})
    with pytest.raises(ModelFailure) as raised:
        await read(context, TextDelta("x"), Failure("Sorry.", cause="secret"), TextDelta("never"))
    assert (raised.value.message, raised.value.allow_retry) == ("Sorry.", True)
    assert "secret" in str(raised.value)
    assert context.client_tool_call is None


async def test_what_is_withdrawn_before_it_was_read_is_never_seen(context: MyContext) -> None:
    events = await read(
        context, TextDelta("One."), MessageDone(), TextDelta("bad"), Withdraw(), store=False
    )
    assert "bad" not in str(events)
    shown = {event.item.id for event in events if hasattr(event, "item")}
    assert {event.item_id for event in events if event.type == "thread.item.removed"} <= shown


async def test_a_run_leaves_nothing_in_its_context_for_the_next(context: MyContext) -> None:
    events = stream_parts(context, parts(*[TextDelta("x")] * 50)())
    await anext(events)
    await events.aclose()
    assert context.workflow_item is None
    second = await read(context, TextDelta("Hi"))
    assert second[-1].item.content[0].text == "Hi"


variable: ContextVar[str] = ContextVar("variable", default="outside")


async def test_context_variables_go_in_and_do_not_come_out(context: MyContext) -> None:
    seen: list[str] = []

    async def source() -> AsyncGenerator[Part]:
        seen.append(variable.get())
        variable.set("inside")
        yield TextDelta("Hi")

    token = variable.set("handler")
    try:
        async for _ in stream_parts(context, source()):
            assert variable.get() == "handler"
    finally:
        variable.reset(token)
    assert seen == ["handler"]


async def test_a_run_inside_a_run_tells_through_the_outer_one(context: MyContext) -> None:
    """An agent that is a tool."""

    async def tool() -> None:
        async for event in stream_parts(context, parts(TextDelta("inner"))()):
            await context.stream(event)

    events = await read(context, TextDelta("before"), MessageDone(), tool, TextDelta("after"))
    texts = [event.item.content[0].text for event in events if event.type == "thread.item.done"]
    assert texts == ["before", "inner", "after"]


# -- the rest ----------------------------------------------------------------------------------


async def test_accumulated_text_begins_where_the_widget_does() -> None:
    async def events() -> AsyncIterator[Any]:
        class Event:
            type = "response.output_text.delta"

            def __init__(self, delta: str) -> None:
                self.delta = delta

        yield Event("Hi ")
        yield Event("there")

    base = Text(id="t", value="init: ", streaming=True)
    states = [state async for state in accumulate_text(events(), base)]
    assert [state.value for state in states] == ["init: ", "init: Hi ", *["init: Hi there"] * 2]
    assert [state.streaming for state in states] == [True, True, True, False]
    plain: dict[str, Any] = {"type": "Text", "id": "t", "value": ""}
    dicts = [state async for state in accumulate_text(events(), plain)]
    assert dicts[-1] == {"type": "Text", "id": "t", "value": "Hi there", "streaming": False}


async def test_accumulated_text_that_is_left_closes_the_events() -> None:
    closed: list[str] = []

    async def events() -> AsyncIterator[Any]:
        class Event:
            type = "response.output_text.delta"
            delta = "Hi "

        try:
            while True:
                yield Event()
        finally:
            closed.append("model")

    states = accumulate_text(events(), Text(id="t", value="", streaming=True))
    for _ in range(3):
        await anext(states)
    await states.aclose()
    assert closed == ["model"]


WITHOUT = """
import sys

class Gone:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {gone}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Gone())
import chatkit_asgi.agents as bridges
{code}
"""


def without(gone: set[str], code: str) -> str:
    """What a program prints where these libraries are not installed."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(gone=gone, code=code)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip()


def test_the_names_that_are_loaded_on_use_are_the_public_ones() -> None:
    assert len(bridges.__all__) == len(set(bridges.__all__))
    assert vars(bridges)["_MODULES"].keys() == {*bridges.__all__}


def test_everything_but_the_sdk_itself_works_without_the_sdk() -> None:
    code = """
from chatkit_asgi.agents import AgentContext, accumulate_text, stream_agent_response, stream_parts, stream_response
print([name for name in ("agents", "openai") if name in sys.modules])
"""
    assert without({"agents", "openai"}, code) == "[]"


def test_a_missing_library_is_named_with_its_extra() -> None:
    code = """
try:
    bridges.AgentContext
except ImportError as error:
    print(error)
"""
    assert without({"pydantic"}, code) == (
        "AgentContext needs pydantic: pip install 'chatkit-asgi[openai]'"
    )
