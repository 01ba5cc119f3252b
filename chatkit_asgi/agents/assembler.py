"""The assembler: parts of one run in, thread events out.

Sans-I/O: it never awaits; ids and the time come from functions that it is given. What tools say beside the model
(:meth:`Assembler.receive_event` and the workflow methods) goes through the same object, so that what happened first is
also told first and both work on one workflow.

Invariant: an event never shares a mutable object with the assembler or with the caller; what changes later is not seen
in an event that is still waiting to be read.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final, Protocol, cast, get_args

from ..errors import AuthorError
from ..ids import StoreItemType, default_generate_id, utc_now
from ..types import (
    Annotation,
    AssistantMessageContent,
    AssistantMessageContentPartAdded,
    AssistantMessageContentPartAnnotationAdded,
    AssistantMessageContentPartDone,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    ClientToolCallItem,
    DurationSummary,
    GeneratedImage,
    GeneratedImageItem,
    GeneratedImageUpdated,
    HiddenContextItem,
    NoticeEvent,
    SDKHiddenContextItem,
    Task,
    ThoughtTask,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
    Workflow,
    WorkflowItem,
    WorkflowSummary,
    WorkflowTaskAdded,
    WorkflowTaskUpdated,
)
from .parts import (
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

__all__ = ["Assembler", "Board"]

_LEAVE_OPEN = (ClientToolCallItem, HiddenContextItem, SDKHiddenContextItem)
"""Items that do not end the open workflow: the page's work for it, and what nobody sees."""


class Board(Protocol):
    """Where the open workflow and the image in progress are, for whoever wants to look: an ``AgentContext``."""

    workflow_item: WorkflowItem | None
    generated_image_item: GeneratedImageItem | None


class _OwnBoard:
    workflow_item: WorkflowItem | None = None
    generated_image_item: GeneratedImageItem | None = None


class _Text:
    """One content part."""

    __slots__ = ("annotations", "chunks", "index")

    def __init__(self, index: int, content: AssistantMessageContent | None = None) -> None:
        self.index = index
        self.chunks = [content.text] if content is not None and content.text else []
        self.annotations: list[Annotation] = [] if content is None else list(content.annotations)

    def content(self) -> AssistantMessageContent:
        return AssistantMessageContent(
            text="".join(self.chunks), annotations=list(self.annotations)
        )


class _Message:
    """One message that is open."""

    __slots__ = ("base", "id", "parts")

    def __init__(self, base: dict[str, Any]) -> None:
        self.base = base
        self.id: str = base["id"]
        self.parts: dict[Hashable, _Text] = {}

    def item(self, content: Sequence[AssistantMessageContent] | None = None) -> Any:
        if content is None:
            content = [part.content() for part in self.parts.values()]
        return AssistantMessageItem(**self.base, content=list(content))


class _Thought:
    """One task of a workflow that streams."""

    __slots__ = ("index", "text", "workflow_id")

    def __init__(self, workflow_id: str, index: int, text: str) -> None:
        self.workflow_id = workflow_id
        self.index = index
        self.text = text


_NOWHERE: Final[Any] = object()


class Assembler:
    """Makes thread events of parts.

    Args:
        thread_id: The thread that the items belong to.
        generate_id: Makes an item's id of its type.
        clock: Aware time of what is made here.
        board: Where to keep the open workflow and the image in progress.
    """

    def __init__(
        self,
        thread_id: str,
        *,
        generate_id: Callable[[StoreItemType], str] = default_generate_id,
        clock: Callable[[], datetime] = utc_now,
        board: Board | None = None,
    ) -> None:
        self._thread_id = thread_id
        self._generate_id = generate_id
        self._clock = clock
        self._board: Board = board if board is not None else _OwnBoard()
        self._messages: dict[Hashable, _Message] = {}
        self._images: dict[Hashable, GeneratedImageItem] = {}
        self._thoughts: dict[tuple[Hashable, Hashable], _Thought] = {}
        self._tasks: dict[Hashable, _Thought] = {}
        self._shown = False
        """Whether there is an open workflow that has been added; one without tasks waits for the first."""
        self._resumed: WorkflowItem | None = None
        """The workflow of an earlier answer, as that has left it."""
        self.produced: dict[str, None] = {}
        """Ids of the items of this run, in the order of their appearance."""
        self.tool_calls: list[ToolCall] = []
        """The calls that the model has made in this run."""
        # where the last text went
        self._key: Any = _NOWHERE
        self._part: Any = _NOWHERE
        self._item_id = ""
        self._index = 0
        self._append: Callable[[str], None] = cast("list[str]", []).append

    # -- what the model says -------------------------------------------------------------------

    def receive(self, part: Any) -> list[Any]:
        """The thread events of one part. A thread event may come as a part too: see :meth:`receive_event`.

        Raises:
            AuthorError: Neither a part nor an event.
        """
        handle = self._TABLE.get(type(part))  # pyright: ignore[reportUnknownArgumentType]
        if handle is None:
            raise AuthorError(
                f"a bridge gives parts and thread events, not {type(part).__qualname__}"
            )
        return handle(self, part)

    def more_text(self, text: str, key: Hashable, part: Hashable) -> ThreadItemUpdatedEvent | None:
        """The one event of a :class:`TextDelta` that goes where the last text went; for others ask :meth:`receive`."""
        if key != self._key or part != self._part or not text:
            return None
        self._append(text)
        return ThreadItemUpdatedEvent(
            item_id=self._item_id,
            update=AssistantMessageContentPartTextDelta(content_index=self._index, delta=text),
        )

    def _message_start(self, part: MessageStart) -> list[Any]:
        events = self._close_message(part.key)
        events += self.end_workflow()
        message = _Message(self._base("message"))
        for index, content in enumerate(part.content):
            message.parts[index] = _Text(index, content)
        self._messages[part.key] = message
        return [*events, ThreadItemAddedEvent(item=message.item())]

    def _text_start(self, part: TextStart) -> list[Any]:
        events, message = self._message(part.key)
        if part.part in message.parts:
            return events + (self._delta(message, part.part, part.text) if part.text else [])
        text = _Text(len(message.parts), AssistantMessageContent(text=part.text))
        message.parts[part.part] = text
        update = AssistantMessageContentPartAdded(content_index=text.index, content=text.content())
        return [*events, ThreadItemUpdatedEvent(item_id=message.id, update=update)]

    def _text_delta(self, part: TextDelta) -> list[Any]:
        if not part.text:
            return []
        events, message = self._message(part.key)
        if part.part not in message.parts:
            events += self._text_start(TextStart(key=part.key, part=part.part))
        events += self._delta(message, part.part, part.text)
        text = message.parts[part.part]
        self._key, self._part = part.key, part.part
        self._item_id, self._index, self._append = message.id, text.index, text.chunks.append
        return events

    def _delta(self, message: _Message, part: Hashable, text: str) -> list[Any]:
        slot = message.parts[part]
        slot.chunks.append(text)
        update = AssistantMessageContentPartTextDelta(content_index=slot.index, delta=text)
        return [ThreadItemUpdatedEvent(item_id=message.id, update=update)]

    def _citation(self, part: Citation) -> list[Any]:
        events, message = self._message(part.key)
        if part.part not in message.parts:
            events += self._text_start(TextStart(key=part.key, part=part.part))
        text = message.parts[part.part]
        text.annotations.append(part.annotation)
        update = AssistantMessageContentPartAnnotationAdded(
            content_index=text.index,
            annotation_index=len(text.annotations) - 1,
            annotation=part.annotation,
        )
        return [*events, ThreadItemUpdatedEvent(item_id=message.id, update=update)]

    def _text_done(self, part: TextDone) -> list[Any]:
        message = self._messages.get(part.key)
        events: list[Any] = []
        if message is None or part.part not in message.parts:
            if not part.text:
                return []  # nothing was streamed, and nothing comes
            events = self._text_start(TextStart(key=part.key, part=part.part))
            message = self._messages[part.key]
        text = message.parts[part.part]
        if part.text is not None:
            text.chunks[:] = [part.text]
        update = AssistantMessageContentPartDone(content_index=text.index, content=text.content())
        return [*events, ThreadItemUpdatedEvent(item_id=message.id, update=update)]

    def _message_done(self, part: MessageDone) -> list[Any]:
        events: list[Any] = []
        if part.key not in self._messages:
            if not _says_something(part.content):
                return []
            events = self.end_workflow()
            self._messages[part.key] = _Message(self._base("message"))
        return events + self._close_message(part.key, part.content)

    def _message(self, key: Hashable) -> tuple[list[Any], _Message]:
        """The open message of that key; the events that open it if there is none."""
        message = self._messages.get(key)
        if message is not None:
            return [], message
        events = self._message_start(MessageStart(key))
        return events, self._messages[key]

    def _close_message(
        self, key: Hashable, content: Sequence[AssistantMessageContent] | None = None
    ) -> list[Any]:
        message = self._messages.pop(key, None)
        if message is None:
            return []
        self._key = _NOWHERE
        item = message.item(content if _says_something(content) else None)
        if _says_something(item.content):
            return [ThreadItemDoneEvent(item=item)]
        return self._remove(message.id)

    def _remove(self, item_id: str) -> list[Any]:
        self.produced.pop(item_id, None)
        return [ThreadItemRemovedEvent(item_id=item_id)]

    # -- what it thinks and does ---------------------------------------------------------------

    def _reasoning_start(self, part: ReasoningStart) -> list[Any]:
        if self._board.workflow_item is not None:
            return []
        return self.start_workflow(Workflow(type="reasoning", tasks=[]))

    def _reasoning_delta(self, part: ReasoningDelta) -> list[Any]:
        if not part.text:
            return []
        events = self._reasoning_start(ReasoningStart(part.key))
        thought = self._open_thought((part.key, part.part))
        return events + self._think(
            part, part.text if thought is None else thought.text + part.text
        )

    def _reasoning_done(self, part: ReasoningDone) -> list[Any]:
        key = part.key, part.part
        if key in self._thoughts and self._open_thought(key) is None:
            del self._thoughts[key]  # its workflow has ended, with all that was said
            return []
        events: list[Any] = []
        if part.text:
            events = self._reasoning_start(ReasoningStart(part.key)) + self._think(part, part.text)
        self._thoughts.pop(key, None)
        return events

    def _open_thought(self, key: tuple[Hashable, Hashable]) -> _Thought | None:
        thought, workflow = self._thoughts.get(key), self._board.workflow_item
        if thought is None or workflow is None or thought.workflow_id != workflow.id:
            return None
        return thought

    def _think(self, part: ReasoningDelta | ReasoningDone, text: str) -> list[Any]:
        """A thought as it is now, in the open workflow."""
        key = part.key, part.part
        workflow = cast("WorkflowItem", self._board.workflow_item)
        if (thought := self._open_thought(key)) is not None:
            thought.text = text
            return self._put_task(
                ThoughtTask(content=text), ThoughtTask(content=text), thought.index
            )
        self._thoughts[key] = _Thought(workflow.id, len(workflow.workflow.tasks), text)
        return self._put_task(ThoughtTask(content=text), ThoughtTask(content=text))

    def _task_update(self, part: TaskUpdate) -> list[Any]:
        workflow = self._board.workflow_item
        known = self._tasks.get(part.key)
        if known is not None and workflow is not None and known.workflow_id == workflow.id:
            return self.update_task(part.task, known.index)
        events = self.add_task(part.task)
        workflow = cast("WorkflowItem", self._board.workflow_item)
        self._tasks[part.key] = _Thought(workflow.id, len(workflow.workflow.tasks) - 1, "")
        return events

    def _tool_call(self, part: ToolCall) -> list[Any]:
        self.tool_calls.append(part)
        return []

    # -- images --------------------------------------------------------------------------------

    def _image_start(self, part: ImageStart) -> list[Any]:
        events = self._image_done(ImageDone(key=part.key))
        item = GeneratedImageItem(**self._base("message"))
        self._images[part.key] = self._board.generated_image_item = item
        return [*events, ThreadItemAddedEvent(item=copy.copy(item))]

    def _image_update(self, part: ImageUpdate) -> list[Any]:
        events = [] if part.key in self._images else self._image_start(ImageStart(part.key))
        item = self._images[part.key]
        item.image = GeneratedImage(id=part.image_id or item.id, url=part.url)
        update = GeneratedImageUpdated(image=item.image, progress=part.progress)
        return [*events, ThreadItemUpdatedEvent(item_id=item.id, update=update)]

    def _image_done(self, part: ImageDone) -> list[Any]:
        item = self._images.pop(part.key, None)
        if item is None:
            if part.url is None:
                return []
            item = GeneratedImageItem(**self._base("message"))
        if self._board.generated_image_item is item:
            self._board.generated_image_item = next(reversed(self._images.values()), None)
        if part.url is None:
            return self._remove(item.id)
        item.image = GeneratedImage(id=part.image_id or item.id, url=part.url)
        return [ThreadItemDoneEvent(item=item)]

    # -- the workflow --------------------------------------------------------------------------

    def resume(self, newest: Sequence[Any]) -> None:
        """Go on with the workflow that an earlier answer has left: the newest item, or the one before the client tool
        calls that interrupted it.

        Args:
            newest: The newest items of the thread, the newest first; hidden ones are passed over.
        """
        for item in newest:
            if isinstance(item, WorkflowItem) and self._board.workflow_item is None:
                self._board.workflow_item = copy.deepcopy(item)
                self._resumed = item
                self._shown = True
            if not isinstance(item, _LEAVE_OPEN):
                return

    def start_workflow(self, workflow: Workflow) -> list[Any]:
        """A new workflow is open; one that was ends. Without tasks it is shown with its first, unless it is about
        reasoning, which is shown at once. The object stays the caller's to change, as in openai-chatkit."""
        events = self.end_workflow() if self._shown else []
        item = WorkflowItem(**self._base("workflow", produced=False), workflow=workflow)
        self._board.workflow_item = item
        self._shown = False
        if workflow.type == "reasoning" or workflow.tasks:
            events += self._show_workflow(item)
        return events

    def _show_workflow(self, item: WorkflowItem) -> list[Any]:
        self._shown = True
        self.produced[item.id] = None
        return [ThreadItemAddedEvent(item=copy.deepcopy(item))]

    def add_task(self, task: Task) -> list[Any]:
        """Append a task to the open workflow, a new ``custom`` one if none is open."""
        if self._board.workflow_item is None:
            self.start_workflow(Workflow(type="custom", tasks=[]))
        return self._put_task(task, copy.deepcopy(task))

    def update_task(self, task: Task, index: int) -> list[Any]:
        """Replace a task of the open workflow.

        Raises:
            ValueError: No workflow is open.
            IndexError: It has no such task.
        """
        if self._board.workflow_item is None:
            raise ValueError("No workflow is open: start one, or add a task.")
        return self._put_task(task, copy.deepcopy(task), index)

    def _put_task(self, task: Task, told: Task, index: int | None = None) -> list[Any]:
        item = cast("WorkflowItem", self._board.workflow_item)
        tasks = item.workflow.tasks
        if index is not None:
            tasks[index] = task
            update: Any = WorkflowTaskUpdated(task=told, task_index=index % len(tasks))
        else:
            tasks.append(task)
            if not self._shown:
                return self._show_workflow(item)
            update = WorkflowTaskAdded(task=told, task_index=len(tasks) - 1)
        return [ThreadItemUpdatedEvent(item_id=item.id, update=update)]

    def end_workflow(
        self, summary: WorkflowSummary | None = None, *, expanded: bool = False
    ) -> list[Any]:
        """End the open workflow, if there is one, with the summary given, its own, or how long it took."""
        item = self._board.workflow_item
        if item is None:
            return []
        workflow = item.workflow
        if summary is not None or workflow.summary is None:
            workflow.summary = summary or DurationSummary(duration=self._seconds(item.created_at))
        workflow.expanded = expanded
        return self._leave_workflow()

    def _leave_workflow(self) -> list[Any]:
        """Store the open workflow as it is."""
        item = cast("WorkflowItem", self._board.workflow_item)
        self._board.workflow_item = None
        if not self._shown:
            self.produced[item.id] = None
        self._shown = False
        return [ThreadItemDoneEvent(item=copy.deepcopy(item))]

    def _seconds(self, since: datetime) -> int:
        # A naive time is local time, as stores written for openai-chatkit have it.
        return max(0, int((self._clock() - since.astimezone()).total_seconds()))

    # -- what tools say ------------------------------------------------------------------------

    def receive_event(self, event: Any, *, is_copy: bool = False) -> list[Any]:
        """A thread event from beside the model, with what has to come before it: a visible item ends the workflow.

        Args:
            event: Any event of a stream.
            is_copy: Whether nobody else can change it any more.
        """
        if isinstance(event, ThreadItemUpdatedEvent):
            return [self._own_update(event)]
        if isinstance(event, ThreadItemRemovedEvent):
            self.produced.pop(event.item_id, None)
        event = event if is_copy else copy.deepcopy(event)
        if not isinstance(event, ThreadItemAddedEvent | ThreadItemDoneEvent):
            return [event]
        item: Any = event.item
        events: list[Any] = []
        workflow = self._board.workflow_item
        if workflow is not None and workflow.id != item.id and not isinstance(item, _LEAVE_OPEN):
            events = self.end_workflow()
        if isinstance(item, WorkflowItem):
            self._shown = isinstance(event, ThreadItemAddedEvent)
            self._board.workflow_item = copy.deepcopy(item) if self._shown else None
        self.produced[item.id] = None
        return [*events, event]

    def _own_update(self, event: ThreadItemUpdatedEvent) -> ThreadItemUpdatedEvent:
        update: Any = event.update
        if isinstance(update, AssistantMessageContentPartTextDelta):
            return event  # nothing in it can change
        event = copy.deepcopy(event)
        item = self._board.workflow_item
        if item is not None and event.item_id == item.id:
            tasks = item.workflow.tasks
            if isinstance(update, WorkflowTaskAdded):
                tasks.insert(update.task_index, update.task)
            elif isinstance(update, WorkflowTaskUpdated) and update.task_index < len(tasks):
                tasks[update.task_index] = update.task
        return event

    def client_tool_call(
        self, name: str, arguments: dict[str, Any], call_id: str | None = None
    ) -> list[Any]:
        """A pending call of a tool of the page. It takes the ``call_id`` of the model's call that it answers: the one
        given, else that of the last call of its name, else that of the last call."""
        if call_id is None:
            calls = [call for call in self.tool_calls if call.name == name] or self.tool_calls
            call = calls[-1] if calls else None
            call_id = call.call_id if call is not None else None
            if call is not None:
                self.tool_calls.remove(call)
        item = ClientToolCallItem(
            **self._base("tool_call"),
            call_id=call_id or self._generate_id("tool_call"),
            name=name,
            arguments=copy.deepcopy(arguments),
        )
        return [ThreadItemDoneEvent(item=item)]

    # -- the end -------------------------------------------------------------------------------

    def close(self) -> list[Any]:
        """The source has ended: what is open is done, what has nothing to show is removed, and an open workflow is
        stored without a summary, so that the next answer can go on with it."""
        events = self._close_items()
        if self._shown and self._board.workflow_item != self._resumed:
            events += self._leave_workflow()
        self._board.workflow_item = None
        self._thoughts.clear()
        self._tasks.clear()
        return events

    def _close_items(self) -> list[Any]:
        events: list[Any] = []
        for key in list(self._messages):
            events += self._close_message(key)
        for key, item in list(self._images.items()):
            shown = item.image  # what was seen of it stays
            done = ImageDone(shown.url, key, shown.id) if shown else ImageDone(key=key)
            events += self._image_done(done)
        return events

    def _incomplete(self, part: Incomplete) -> list[Any]:
        return [*self._close_items(), NoticeEvent(level="warning", message=part.message)]

    def _failure(self, part: Failure) -> list[Any]:
        return self.close()

    def _withdraw(self, part: Withdraw) -> list[Any]:
        events: list[Any] = [
            ThreadItemRemovedEvent(item_id=item_id) for item_id in reversed(self.produced)
        ]
        if self._resumed is not None and self._board.workflow_item != self._resumed:
            events.append(ThreadItemReplacedEvent(item=copy.deepcopy(self._resumed)))
        self.forget()
        return events

    def forget(self) -> None:
        """Be as if there had been no run."""
        self._messages.clear()
        self._images.clear()
        self._thoughts.clear()
        self._tasks.clear()
        self._board.workflow_item = self._board.generated_image_item = self._resumed = None
        self._shown = False
        self._key = _NOWHERE
        self.produced.clear()
        self.tool_calls.clear()

    def _base(self, item_type: StoreItemType, *, produced: bool = True) -> dict[str, Any]:
        item_id = self._generate_id(item_type)
        if produced:
            self.produced[item_id] = None
        return {"id": item_id, "thread_id": self._thread_id, "created_at": self._clock()}

    _TABLE: ClassVar[dict[type, Callable[[Assembler, Any], list[Any]]]] = {
        MessageStart: _message_start,
        TextStart: _text_start,
        TextDelta: _text_delta,
        Citation: _citation,
        TextDone: _text_done,
        MessageDone: _message_done,
        ReasoningStart: _reasoning_start,
        ReasoningDelta: _reasoning_delta,
        ReasoningDone: _reasoning_done,
        TaskUpdate: _task_update,
        ToolCall: _tool_call,
        ImageStart: _image_start,
        ImageUpdate: _image_update,
        ImageDone: _image_done,
        Incomplete: _incomplete,
        Failure: _failure,
        Withdraw: _withdraw,
        **dict.fromkeys(get_args(get_args(ThreadStreamEvent)[0]), receive_event),
    }


def _says_something(content: Sequence[AssistantMessageContent] | None) -> bool:
    return any(part.text or part.annotations for part in content or ())
