"""The scenes: one for every kind of event, update and item that ChatKit knows.

A scene is an async generator that yields what any handler may yield: text, items and events. Its
name is the keyword that plays it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

import anyio

from chatkit_asgi.actions import ActionConfig
from chatkit_asgi.store import Store, StoreItemType
from chatkit_asgi.types import (
    ActiveStatus,
    Annotation,
    AssistantMessageContent,
    AssistantMessageContentPartAdded,
    AssistantMessageContentPartAnnotationAdded,
    AssistantMessageContentPartDone,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    ClientEffectEvent,
    ClientToolCallItem,
    ClosedStatus,
    CustomSummary,
    CustomTask,
    DurationSummary,
    EndOfTurnItem,
    EntitySource,
    ErrorEvent,
    FileSource,
    FileTask,
    GeneratedImage,
    GeneratedImageItem,
    GeneratedImageUpdated,
    HiddenContextItem,
    ImageTask,
    LockedStatus,
    NoticeEvent,
    ProgressUpdateEvent,
    SearchTask,
    StreamOptions,
    StreamOptionsEvent,
    StructuredInputFreeform,
    StructuredInputItem,
    StructuredInputMultipleChoice,
    StructuredInputMultipleChoiceOption,
    Task,
    TaskItem,
    ThoughtTask,
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    URLSource,
    WidgetComponentUpdated,
    WidgetItem,
    WidgetRootUpdated,
    WidgetStreamingTextValueDelta,
    Workflow,
    WorkflowItem,
    WorkflowTaskAdded,
    WorkflowTaskUpdated,
)
from chatkit_asgi.widgets import Button, Caption, Card, Row, Text, Title

__all__ = ["SCENES", "Reply", "Scene", "Stage", "card"]

Reply: TypeAlias = str | ThreadStreamEvent | ThreadItem
"""What a scene may yield."""


@dataclass(frozen=True)
class Stage:
    """What a scene needs to make items of its thread, at the pace of the demo."""

    store: Store[Any]
    thread: ThreadMetadata
    context: Any
    pace: float

    def new(self, kind: StoreItemType = "message") -> dict[str, Any]:
        """The fields that every item begins with."""
        return {
            "id": self.store.generate_item_id(kind, self.thread, self.context),
            "thread_id": self.thread.id,
            "created_at": datetime.now(UTC),
        }

    async def words(self, text: str) -> AsyncIterator[str]:
        """``text`` word by word, as a model would send it."""
        for word in re.findall(r"\S+\s*|\s+", text):
            await self.beat()
            yield word

    async def beat(self, count: float = 1) -> None:
        """Let ``count`` words' time pass."""
        await anyio.sleep(self.pace * count)


Scene: TypeAlias = Callable[[Stage], AsyncIterator[Reply]]

SCENES: dict[str, Scene] = {}
"""Keyword to scene, in the order of the tour. A scene's docstring is its entry in the help."""


def _scene(play: Scene) -> Scene:
    SCENES[play.__name__] = play
    return play


@_scene
async def text(stage: Stage) -> AsyncIterator[Reply]:
    """Markdown text, streamed word by word."""
    markdown = "A `str` that a handler yields is a **text delta**:\n\n1. first\n2. last"
    async for word in stage.words(markdown):
        yield word


@_scene
async def long(stage: Stage) -> AsyncIterator[Reply]:
    """A long answer: stop it in the middle, and what you have read is kept."""
    for line in range(1, 11):
        async for word in stage.words(f"Line {line} of 10, and each of its words is kept.\n\n"):
            yield word


@_scene
async def citations(stage: Stage) -> AsyncIterator[Reply]:
    """Text with citations of a page, a file and an entity."""
    sources: dict[str, URLSource | FileSource | EntitySource] = {
        "The protocol is open to any server": URLSource(
            title="ChatKit", url="https://platform.openai.com/docs/guides/chatkit"
        ),
        ", it is written down": FileSource(title="Wire protocol", filename="wire.md"),
        ", and somebody looks after it": EntitySource(
            title="The maintainers", id="maintainers", icon="user"
        ),
    }
    message = AssistantMessageItem(**stage.new(), content=[])
    part = AssistantMessageContent(text="")
    yield ThreadItemAddedEvent(item=message)

    def update(change: Any) -> ThreadItemUpdatedEvent:
        return ThreadItemUpdatedEvent(item_id=message.id, update=change)

    yield update(AssistantMessageContentPartAdded(content_index=0, content=part))
    whole, cited = "", list[Annotation]()
    for index, (claim, source) in enumerate(sources.items()):
        async for word in stage.words(claim):
            yield update(AssistantMessageContentPartTextDelta(content_index=0, delta=word))
        whole += claim
        cited.append(Annotation(source=source, index=len(whole)))
        yield update(
            AssistantMessageContentPartAnnotationAdded(
                content_index=0, annotation_index=index, annotation=cited[-1]
            )
        )
    final = AssistantMessageContent(text=whole, annotations=cited)
    yield update(AssistantMessageContentPartDone(content_index=0, content=final))
    yield ThreadItemDoneEvent(item=message.model_copy(update={"content": [final]}))


@_scene
async def progress(stage: Stage) -> AsyncIterator[Reply]:
    """Progress lines, which the next message replaces."""
    for icon, line in (
        ("search", "Looking around"),
        ("lucide:loader", "Reading"),
        ("write", "Writing"),
    ):
        yield ProgressUpdateEvent(icon=icon, text=line)
        await stage.beat(10)
    yield "Done."


@_scene
async def reasoning(stage: Stage) -> AsyncIterator[Reply]:
    """A chain of thought that folds into how long it took."""
    item = WorkflowItem(**stage.new("workflow"), workflow=Workflow(type="reasoning", tasks=[]))
    yield ThreadItemAddedEvent(item=item)
    thought = ""
    for index, line in enumerate(("What is asked? ", "A demonstration. ", "Then think aloud.")):
        thought += line
        change = WorkflowTaskUpdated if index else WorkflowTaskAdded
        yield ThreadItemUpdatedEvent(
            item_id=item.id,
            update=change(task_index=0, task=ThoughtTask(title="Thinking", content=thought)),
        )
        await stage.beat(5)
    tasks: list[Task] = [ThoughtTask(title="Thinking", content=thought)]
    done = Workflow(type="reasoning", tasks=tasks, summary=DurationSummary(duration=2))
    yield ThreadItemDoneEvent(item=item.model_copy(update={"workflow": done}))


@_scene
async def workflow(stage: Stage) -> AsyncIterator[Reply]:
    """Steps of work, each loading and then complete."""
    page = URLSource(title="ChatKit", url="https://platform.openai.com/docs/guides/chatkit")
    steps: list[Task] = [
        SearchTask(
            title="Search", title_query="chatkit", queries=["chatkit protocol"], sources=[page]
        ),
        FileTask(title="Read", sources=[FileSource(title="Wire protocol", filename="wire.md")]),
        ImageTask(title="Draw"),
        CustomTask(title="Check", icon="check-circle", content="All is well."),
    ]
    item = WorkflowItem(
        **stage.new("workflow"), workflow=Workflow(type="custom", tasks=[], expanded=True)
    )
    yield ThreadItemAddedEvent(item=item)
    for index, step in enumerate(steps):
        loading = step.model_copy(update={"status_indicator": "loading"})
        yield ThreadItemUpdatedEvent(
            item_id=item.id, update=WorkflowTaskAdded(task_index=index, task=loading)
        )
        await stage.beat(10)
        step.status_indicator = "complete"
        yield ThreadItemUpdatedEvent(
            item_id=item.id, update=WorkflowTaskUpdated(task_index=index, task=step)
        )
    summary = CustomSummary(title=f"Did {len(steps)} things", icon="bolt")
    done = Workflow(type="custom", tasks=steps, summary=summary)
    yield ThreadItemDoneEvent(item=item.model_copy(update={"workflow": done}))


@_scene
async def task(stage: Stage) -> AsyncIterator[Reply]:
    """One task that stands alone."""
    yield TaskItem(**stage.new("task"), task=CustomTask(title="Filed the report", icon="document"))


@_scene
async def widget(stage: Stage) -> AsyncIterator[Reply]:
    """A card that fills while it streams, with buttons for each kind of action."""
    item = WidgetItem(**stage.new(), widget=card(body="", streaming=True), copy_text=CARD_TEXT)
    yield ThreadItemAddedEvent(item=item)

    def update(change: Any) -> ThreadItemUpdatedEvent:
        return ThreadItemUpdatedEvent(item_id=item.id, update=change)

    async for word in stage.words(CARD_TEXT):
        yield update(WidgetStreamingTextValueDelta(component_id="body", delta=word, done=False))
    yield update(WidgetStreamingTextValueDelta(component_id="body", delta="", done=True))
    yield update(
        WidgetComponentUpdated(
            component_id="state", component=Caption(id="state", value="Ready soon")
        )
    )
    await stage.beat(5)
    yield update(WidgetRootUpdated(widget=card()))
    yield ThreadItemDoneEvent(item=item.model_copy(update={"widget": card()}))


CARD_TEXT = (
    "The first button streams an answer, the second changes this card, the third asks your page."
)


def card(
    likes: int = 0, *, starred: bool = False, body: str = CARD_TEXT, streaming: bool = False
) -> Card:
    payload = {"likes": likes}
    state = f"{likes} likes{', starred' * starred}"
    return Card(
        size="sm",
        children=[
            Title(value="A card"),
            Text(id="body", value=body, streaming=streaming or None),
            Caption(id="state", value="" if streaming else state),
            Row(
                children=[
                    Button(
                        label="Like", onClickAction=ActionConfig(type="demo.like", payload=payload)
                    ),
                    Button(
                        label="Star",
                        onClickAction=ActionConfig(
                            type="demo.star", payload=payload, streaming=False
                        ),
                    ),
                    Button(
                        label="Ping", onClickAction=ActionConfig(type="demo.ping", handler="client")
                    ),
                ]
            ),
        ],
    )


@_scene
async def image(stage: Stage) -> AsyncIterator[Reply]:
    """An image that sharpens while it is generated."""
    item = GeneratedImageItem(**stage.new())
    yield ThreadItemAddedEvent(item=item)
    final = GeneratedImage(id=f"{item.id}-image", url="")
    for rings in range(1, 5):
        final = GeneratedImage(id=final.id, url=_picture(rings))
        yield ThreadItemUpdatedEvent(
            item_id=item.id, update=GeneratedImageUpdated(image=final, progress=rings / 4)
        )
        await stage.beat(8)
    yield ThreadItemDoneEvent(item=item.model_copy(update={"image": final}))


def _picture(rings: int) -> str:
    circles = "".join(f'<circle cx="50" cy="50" r="{11 * ring}"/>' for ring in range(1, rings + 1))
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"'
        f' fill="none" stroke="teal" stroke-width="4">{circles}</svg>'
    )
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


@_scene
async def notice(stage: Stage) -> AsyncIterator[Reply]:
    """Banners of the three levels."""
    yield NoticeEvent(level="info", message="For your **information**.")
    yield NoticeEvent(level="warning", message="Two messages left today.", title="Limit")
    yield NoticeEvent(level="danger", message="This cannot be undone.", title="Careful")


@_scene
async def error(stage: Stage) -> AsyncIterator[Reply]:
    """An error with a text of its own and a retry button."""
    yield ErrorEvent(
        message="This is what a failure looks like; nothing really went wrong.", allow_retry=True
    )


@_scene
async def effect(stage: Stage) -> AsyncIterator[Reply]:
    """A client effect, which the page around the chat acts on."""
    yield ClientEffectEvent(name="confetti", data={"pieces": 100})


@_scene
async def title(stage: Stage) -> AsyncIterator[Reply]:
    """A new title for the thread."""
    stage.thread.title = "A thread with a new title"
    yield "I renamed this thread."


@_scene
async def status(stage: Stage) -> AsyncIterator[Reply]:
    """The thread locked, closed, and open again."""
    for state in (
        LockedStatus(reason="Locked for a moment"),
        ClosedStatus(reason="Closed"),
        ActiveStatus(),
    ):
        stage.thread.status = state
        yield ProgressUpdateEvent(text=f"The thread is {state.type}.")
        await stage.beat(15)


@_scene
async def options(stage: Stage) -> AsyncIterator[Reply]:
    """The stop button taken away and given back."""
    for allowed in (False, True):
        yield StreamOptionsEvent(stream_options=StreamOptions(allow_cancel=allowed))
        await stage.beat(15)


@_scene
async def edit(stage: Stage) -> AsyncIterator[Reply]:
    """A message replaced after it was done, and another removed."""
    kept, dropped = (
        AssistantMessageItem(**stage.new(), content=[AssistantMessageContent(text=line)])
        for line in ("This will be replaced.", "This will go.")
    )
    yield ThreadItemDoneEvent(item=kept)
    yield ThreadItemDoneEvent(item=dropped)
    await stage.beat(15)
    better = [AssistantMessageContent(text="This was replaced, and another message was removed.")]
    yield ThreadItemReplacedEvent(item=kept.model_copy(update={"content": better}))
    yield ThreadItemRemovedEvent(item_id=dropped.id)


@_scene
async def hidden(stage: Stage) -> AsyncIterator[Reply]:
    """A note for the model that never reaches the client."""
    yield HiddenContextItem(**stage.new(), content={"note": "nobody sees this"})
    yield "I noted something down that only a model will read."


@_scene
async def end(stage: Stage) -> AsyncIterator[Reply]:
    """The mark that a turn is over."""
    yield EndOfTurnItem(**stage.new())


@_scene
async def ask(stage: Stage) -> AsyncIterator[Reply]:
    """Questions to answer or skip."""
    sizes = [
        StructuredInputMultipleChoiceOption(value=size) for size in ("Small", "Medium", "Large")
    ]
    yield StructuredInputItem(
        **stage.new(),
        inputs=[
            StructuredInputMultipleChoice(id="size", question="Which size?", options=sizes),
            StructuredInputFreeform(id="note", question="Anything else?", description="Optional"),
        ],
    )


@_scene
async def tool(stage: Stage) -> AsyncIterator[Reply]:
    """A call of a tool that runs in your page."""
    fields = stage.new("tool_call")
    yield ClientToolCallItem(
        **fields, call_id=fields["id"], name="get_selection", arguments={"layer": "roads"}
    )
