"""Laws of the assembler: whatever a source says in whatever order, a turn accepts it and nothing of it is lost."""

from __future__ import annotations

import itertools
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chatkit_asgi.agents import (
    Assembler,
    Citation,
    Failure,
    ImageDone,
    ImageStart,
    ImageUpdate,
    Incomplete,
    MessageDone,
    MessageStart,
    ReasoningDelta,
    ReasoningDone,
    ReasoningStart,
    TaskUpdate,
    TextDelta,
    TextDone,
    TextStart,
    ToolCall,
    Withdraw,
)
from chatkit_asgi.ids import PREFIXES
from chatkit_asgi.protocol.codec import encode
from chatkit_asgi.types import (
    Annotation,
    AssistantMessageContent,
    AssistantMessageItem,
    CustomTask,
    HiddenContextItem,
    ProgressUpdateEvent,
    ThoughtTask,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    URLSource,
    WidgetItem,
    Workflow,
    WorkflowItem,
)
from tests.turns.ledger import Ledger

WHEN = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)

keys = st.sampled_from(["", "a", 7])
pieces = st.sampled_from([0, 1, "x"])
texts = st.sampled_from(["", "a", "bc ", "é", "👩‍🚀", "\n\n"])
annotation = Annotation(source=URLSource(title="t", url="https://a.test"), index=1)
task = CustomTask(title="step")

texty = st.one_of(
    st.builds(MessageStart, keys),
    st.builds(TextStart, texts, keys, pieces),
    st.builds(TextDelta, texts, keys, pieces),
    st.builds(TextDone, st.none(), keys, pieces),
    st.builds(MessageDone, st.none(), keys),
)
thoughts = st.one_of(
    st.builds(ReasoningStart, keys),
    st.builds(ReasoningDelta, texts, keys, pieces),
    st.builds(ReasoningDone, st.none(), keys, pieces),
)
others = st.one_of(
    st.builds(Citation, st.just(annotation), keys, pieces),
    st.builds(TaskUpdate, st.just(task), keys),
    st.builds(ToolCall, st.sampled_from(["call_1", "call_2"]), st.just("tool")),
    st.builds(ImageStart, keys),
    st.builds(ImageUpdate, st.just("data:x"), st.none(), keys),
    st.builds(ImageDone, st.sampled_from([None, "data:y"]), keys),
    st.builds(Incomplete, st.just("cut off")),
)
replacing = st.one_of(
    st.builds(TextDone, texts, keys, pieces),
    st.builds(ReasoningDone, texts, keys, pieces),
    st.builds(MessageDone, texts.map(lambda text: [AssistantMessageContent(text=text)]), keys),
)
helpers = st.sampled_from(
    ["custom", "reasoning", "with tasks", "add", "update", "end", "end with", "widget", "hidden", "progress",
     "client tool", "own workflow", "own workflow done"]
)  # fmt: skip


class Played:
    """An assembler before a turn and its store."""

    def __init__(self) -> None:
        self.ids = itertools.count(1)
        self.ticks = itertools.count()
        self.ledger = Ledger()
        self.events: list[Any] = []
        self.as_made: list[bytes] = []
        self.assembler = Assembler(
            "thr_1",
            generate_id=lambda kind: f"{PREFIXES[kind]}_{next(self.ids):032x}",
            clock=lambda: WHEN + timedelta(seconds=next(self.ticks)),
        )
        self.own: list[Any] = []

    @property
    def stored(self) -> dict[str, Any]:
        return self.ledger.stored

    def take(self, events: list[Any]) -> None:
        self.events += events
        self.as_made += [encode(event) for event in events]
        for event in events:
            self.ledger.receive(event)

    def help(self, what: str) -> None:
        """Something that a tool does."""
        assembler = self.assembler
        base: dict[str, Any] = {
            "id": f"msg_{next(self.ids):032x}",
            "thread_id": "thr_1",
            "created_at": WHEN,
        }
        match what:
            case "custom" | "reasoning":
                self.take(assembler.start_workflow(Workflow(type=what, tasks=[])))
            case "with tasks":
                self.take(
                    assembler.start_workflow(Workflow(type="custom", tasks=[CustomTask(title="0")]))
                )
            case "add":
                self.take(assembler.add_task(CustomTask(title="1")))
            case "update":
                self.take(assembler.add_task(CustomTask(title="2")))
                self.take(assembler.update_task(CustomTask(title="3"), -1))
            case "end" | "end with":
                self.take(assembler.end_workflow(expanded=what == "end with"))
            case "widget":
                item: Any = WidgetItem(**base, widget={"type": "Card", "children": []})
                self.take(assembler.receive_event(ThreadItemDoneEvent(item=item)))
                item.widget = {
                    "type": "Card",
                    "children": [{"type": "Text", "value": "changed later"}],
                }
            case "hidden":
                item = HiddenContextItem(**base, content="note")
                self.take(assembler.receive_event(ThreadItemDoneEvent(item=item)))
            case "progress":
                self.take(assembler.receive(ProgressUpdateEvent(text="busy")))
            case "client tool":
                self.take(assembler.client_tool_call("tool", {"a": 1}))
            case "own workflow":
                item = WorkflowItem(**base, workflow=Workflow(type="custom", tasks=[task]))
                self.own.append(item)
                self.take(assembler.receive_event(ThreadItemAddedEvent(item=item)))
            case "own workflow done":
                if self.own:
                    self.take(assembler.receive_event(ThreadItemDoneEvent(item=self.own.pop())))

    def play(self, steps: list[Any]) -> None:
        for step in steps:
            if isinstance(step, str):
                self.help(step)
            else:
                self.take(self.assembler.receive(step))
        self.take(self.assembler.close())


@settings(max_examples=80, deadline=None)
@given(st.lists(st.one_of(texty, thoughts, others, replacing, helpers), max_size=40))
def test_a_turn_accepts_every_event_and_nothing_stays_open(steps: list[Any]) -> None:
    played = Played()
    played.play(steps)
    own = {item.id for item in played.own}
    assert set(played.ledger.turn.open) <= own, "only what the author opened and did not close"
    dones = [event.item for event in played.events if isinstance(event, ThreadItemDoneEvent)]
    assert played.stored.keys() - own <= {item.id for item in dones}
    assert not played.ledger.told_unsaved


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(texty, thoughts, others, replacing, helpers), max_size=40))
def test_an_event_never_changes_after_it_was_made(steps: list[Any]) -> None:
    played = Played()
    played.play(steps)
    assert [encode(event) for event in played.events] == played.as_made


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(texty, thoughts, others, replacing, helpers), max_size=40))
def test_an_item_begins_once_and_keeps_its_time(steps: list[Any]) -> None:
    played = Played()
    played.play(steps)
    times: dict[str, set[datetime]] = defaultdict(set)
    ended: set[str] = set()
    for event in played.events:
        if not isinstance(event, ThreadItemAddedEvent | ThreadItemDoneEvent):
            continue
        times[event.item.id].add(event.item.created_at)
        assert event.item.id not in ended, "nothing is done twice"
        if isinstance(event, ThreadItemDoneEvent):
            ended.add(event.item.id)
    assert all(len(each) == 1 for each in times.values())


@settings(max_examples=80, deadline=None)
@given(st.lists(st.one_of(texty, thoughts, others, helpers), max_size=40))
def test_the_text_that_went_in_is_stored(steps: list[Any]) -> None:
    """Where the source replaces nothing, each part of each message is the text that was given for it."""
    played = Played()
    played.play(steps)
    said: list[list[str]] = []
    going: dict[Any, dict[Any, str]] = {}

    def end(key: Any) -> None:
        parts = [text for text in going.pop(key, {}).values() if text]
        if parts:
            said.append(parts)

    for step in steps:
        if isinstance(step, MessageStart | MessageDone):
            end(step.key)
        elif isinstance(step, TextStart | TextDelta):
            parts = going.setdefault(step.key, {})
            parts[step.part] = parts.get(step.part, "") + step.text
        elif isinstance(step, Incomplete):
            for key in [*going]:
                end(key)
    for key in [*going]:
        end(key)
    stored = [
        [part.text for part in item.content if part.text]
        for item in played.stored.values()
        if isinstance(item, AssistantMessageItem)
    ]
    assert sorted(filter(None, stored)) == sorted(said)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.one_of(texty, thoughts, helpers), max_size=40))
def test_the_thoughts_that_went_in_are_stored(steps: list[Any]) -> None:
    played = Played()
    played.play(steps)
    thought = "".join(
        sorted("".join(step.text for step in steps if isinstance(step, ReasoningDelta)))
    )
    stored = [
        each.content
        for item in played.stored.values()
        if isinstance(item, WorkflowItem)
        for each in item.workflow.tasks
        if isinstance(each, ThoughtTask)
    ]
    assert "".join(sorted("".join(stored))) == thought


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(texty, thoughts, others, replacing, helpers), max_size=30),
    st.sampled_from([Withdraw(), Failure("failed")]),
)
def test_a_run_that_is_withdrawn_leaves_nothing_and_one_that_fails_leaves_what_came(
    steps: list[Any], end: Any
) -> None:
    played = Played()
    for step in steps:
        if isinstance(step, str):
            played.help(step)
        else:
            played.take(played.assembler.receive(step))
    before = len(played.events)
    appeared = [*played.assembler.produced]
    played.take(played.assembler.receive(end))
    if isinstance(end, Withdraw):
        assert played.stored == {}
        assert not played.ledger.turn.open
        removed = [event.item_id for event in played.events[before:]]
        assert removed == appeared[::-1], "the newest first, and nothing that was never an item"
    else:
        assert played.assembler.close() == []
