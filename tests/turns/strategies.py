"""Arbitrary answers: events of every kind on a handful of items, in any order, sensible or not."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from chatkit_asgi.types import (
    AssistantMessageContent,
    AssistantMessageContentPartAdded,
    AssistantMessageContentPartAnnotationAdded,
    AssistantMessageContentPartDone,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    CustomTask,
    GeneratedImage,
    GeneratedImageItem,
    GeneratedImageUpdated,
    HiddenContextItem,
    NoticeEvent,
    ProgressUpdateEvent,
    SDKHiddenContextItem,
    ThoughtTask,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    WidgetComponentUpdated,
    WidgetItem,
    WidgetRootUpdated,
    WidgetStreamingTextValueDelta,
    Workflow,
    WorkflowItem,
    WorkflowTaskAdded,
    WorkflowTaskUpdated,
)
from tests.conftest import START

MESSAGES = [f"msg_{n:032x}" for n in range(1, 4)]
WIDGETS = [f"msg_{n:032x}" for n in range(11, 13)]
WORKFLOWS = [f"wf_{n:032x}" for n in range(1, 3)]
IMAGES = [f"msg_{n:032x}" for n in range(21, 23)]
HIDDEN = [f"shcx_{n:032x}" for n in range(1, 3)]

ODD_TEXTS = [
    "漢字かな",
    "👩\u200d👩\u200d👧",
    "\x00",
    "\ud800",
    "\udfff",
    "\ud83d",
    "\ude00",
    "\u2028\r\n\n",
    '"\\',
    "</script>",
]
"""What text can hold: CJK, joined emoji, NUL, halves of surrogate pairs, line ends, what JSON escapes."""

text = st.one_of(st.text(max_size=6), st.sampled_from(ODD_TEXTS))
whole_text = text.map(lambda value: value.encode("utf-8", "replace").decode())
"""Without lone surrogates."""

notes = whole_text.map(
    lambda title: {
        "type": "annotation",
        "source": {"type": "file", "filename": "f.txt", "title": title},
        "index": 1,
    }
)
contents = st.builds(AssistantMessageContent, text=text, annotations=st.lists(notes, max_size=1))
components = st.builds(
    lambda kind, name, value: {"type": kind, "id": name, "value": value},
    st.sampled_from(["Text", "Markdown"]),
    st.sampled_from(["a", "b"]),
    whole_text,
)
cards = st.lists(components, max_size=2, unique_by=lambda each: each["id"]).map(
    lambda children: {"type": "Card", "children": children}
)
tasks = st.one_of(
    st.builds(
        CustomTask,
        title=text,
        content=text,
        status_indicator=st.sampled_from(["none", "loading", "complete"]),
    ),
    st.builds(ThoughtTask, content=text),
)
images = st.builds(GeneratedImage, id=st.just("img_1"), url=whole_text)


def _head(item_id: str) -> dict[str, Any]:
    return {"id": item_id, "thread_id": "thr_1", "created_at": START}


def message(item_id: str, content: list[Any]) -> AssistantMessageItem:
    return AssistantMessageItem(**_head(item_id), content=content)


def widget(item_id: str, root: Any) -> WidgetItem:
    return WidgetItem(**_head(item_id), widget=root)


def workflow(item_id: str, of: list[Any]) -> WorkflowItem:
    return WorkflowItem(**_head(item_id), workflow=Workflow(type="custom", tasks=of))


def image(item_id: str, made: GeneratedImage | None) -> GeneratedImageItem:
    return GeneratedImageItem(**_head(item_id), image=made)


def hidden(item_id: str, content: str, *, ours: bool) -> Any:
    kind = SDKHiddenContextItem if ours else HiddenContextItem
    return kind(**_head(item_id), content=content)


items = st.one_of(
    st.builds(message, st.sampled_from(MESSAGES), st.lists(contents, max_size=2)),
    st.builds(widget, st.sampled_from(WIDGETS), cards),
    st.builds(workflow, st.sampled_from(WORKFLOWS), st.lists(tasks, max_size=2)),
    st.builds(image, st.sampled_from(IMAGES), st.none() | images),
)
hidden_items = st.builds(hidden, st.sampled_from(HIDDEN), whole_text, ours=st.booleans())

index = st.integers(-1, 2)
places = st.integers(0, 2)
deltas = st.builds(AssistantMessageContentPartTextDelta, content_index=index, delta=text)
message_updates = st.one_of(
    deltas,
    deltas,
    deltas,
    st.builds(AssistantMessageContentPartAdded, content_index=index, content=contents),
    st.builds(AssistantMessageContentPartDone, content_index=index, content=contents),
    st.builds(
        AssistantMessageContentPartAnnotationAdded,
        content_index=index,
        annotation_index=places,
        annotation=notes,
    ),
)
widget_updates = st.one_of(
    st.builds(
        WidgetStreamingTextValueDelta,
        component_id=st.sampled_from(["a", "b", "c"]),
        delta=whole_text,
        done=st.booleans(),
    ),
    components.map(lambda each: WidgetComponentUpdated(component_id=each["id"], component=each)),
    st.builds(WidgetRootUpdated, widget=cards),
)
workflow_updates = st.one_of(
    st.builds(WorkflowTaskAdded, task_index=places, task=tasks),
    st.builds(WorkflowTaskUpdated, task_index=index, task=tasks),
)
image_updates = st.builds(GeneratedImageUpdated, image=images, progress=st.just(0.5))


def _updated(ids: list[str], updates: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(ThreadItemUpdatedEvent, item_id=st.sampled_from(ids), update=updates)


fitting = st.one_of(
    _updated(MESSAGES, message_updates),
    _updated(MESSAGES, message_updates),
    _updated(WIDGETS, widget_updates),
    _updated(WORKFLOWS, workflow_updates),
    _updated(IMAGES, image_updates),
)
all_ids = [*MESSAGES, *WIDGETS, *WORKFLOWS, *IMAGES]
misfits = _updated(
    [*all_ids, *HIDDEN, "unknown"],
    st.one_of(message_updates, widget_updates, workflow_updates, image_updates, st.none()),
)
events = st.one_of(
    fitting,
    fitting,
    items.map(lambda item: ThreadItemAddedEvent(item=item)),
    items.map(lambda item: ThreadItemAddedEvent(item=item)),
    items.map(lambda item: ThreadItemDoneEvent(item=item)),
    items.map(lambda item: ThreadItemReplacedEvent(item=item)),
    hidden_items.map(lambda item: ThreadItemDoneEvent(item=item)),
    hidden_items.map(lambda item: ThreadItemAddedEvent(item=item)),
    st.sampled_from(all_ids).map(lambda each: ThreadItemRemovedEvent(item_id=each)),
    misfits,
    st.just(ProgressUpdateEvent(text="...")),
    st.just(NoticeEvent(level="info", message="n")),
)
anything = st.one_of(events, st.none(), st.integers(), st.just(object()), st.just("text"), items)
"""Also what is no event at all."""

answers = st.lists(events, max_size=15)
