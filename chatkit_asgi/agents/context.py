"""AgentContext: what tools use to speak to the reader while a model runs. Works with every bridge; needs Pydantic."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, cast

from pydantic import BaseModel, ConfigDict, PrivateAttr, SkipValidation

from ..icons import IconName
from ..ids import StoreItemType
from ..server import stream_widget
from ..store.base import Store, TContext
from ..types import (
    ClientEffectEvent,
    ClientToolCallItem,
    GeneratedImageItem,
    NoticeEvent,
    ProgressUpdateEvent,
    Task,
    ThreadMetadata,
    ThreadStreamEvent,
    Workflow,
    WorkflowItem,
    WorkflowSummary,
)
from .assembler import Assembler
from .stream import Outbox

__all__ = ["AgentContext", "ClientToolCall", "ClientToolCallOutputItem", "Event", "stream_widget"]

ClientToolCallOutputItem = ClientToolCallItem
"""The name in OpenAI's custom-server guide."""
Event = ThreadStreamEvent
"""The name in OpenAI's custom-server guide."""


class ClientToolCall(BaseModel):
    """A tool of the page that is to be run when the model's run has ended."""

    name: str
    arguments: dict[str, Any]
    call_id: str | None = None
    """The model's call that it answers. Default: found by the name, otherwise the last call."""


class AgentContext(BaseModel, Generic[TContext]):
    """The context of one run of a model: what tools use to tell the reader something.

    Subclass it to add fields of your own; subscript it with the type of ``request_context``. Every method that tells
    something waits while the reader is far behind. Events are copies: later changes of an object are not told.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    thread: Annotated[ThreadMetadata, SkipValidation]
    """The handler's own object: a title that is set here is saved and told."""
    store: Annotated[Store[TContext], SkipValidation]
    request_context: Annotated[TContext, SkipValidation]
    previous_response_id: str | None = None
    """For you to use; nothing here reads it."""
    client_tool_call: ClientToolCall | None = None
    """Set by a tool to let the page run one of its tools. Each call that was set is told once, when the run has ended;
    setting ``None`` withdraws them."""
    workflow_item: Annotated[WorkflowItem | None, SkipValidation] = None
    """The open workflow."""
    generated_image_item: Annotated[GeneratedImageItem | None, SkipValidation] = None
    """The image that is being made, the newest if there are several."""

    _outbox: Outbox | None = PrivateAttr(default=None)
    _calls: list[ClientToolCall] = PrivateAttr(default_factory=lambda: [])

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "client_tool_call":
            self._calls = [] if value is None else [*self._calls, value]

    def generate_id(self, type: StoreItemType, thread: ThreadMetadata | None = None) -> str:
        """A new id from the store.

        Args:
            type: ``"thread"``, or the type of an item.
            thread: The thread that the item is for; this one by default.
        """
        if type == "thread":
            return self.store.generate_thread_id(self.request_context)
        return self.store.generate_item_id(type, thread or self.thread, self.request_context)

    # -- telling -------------------------------------------------------------------------------

    async def stream(self, event: ThreadStreamEvent) -> None:
        """Tell any event. A visible item ends the open workflow."""
        await self._send(self._assembler.receive_event(event))

    async def stream_progress(self, text: str, icon: IconName | None = None) -> None:
        """A passing line about what is going on, until the next message, widget or line; not stored."""
        await self.stream(ProgressUpdateEvent(text=text, icon=icon))

    async def stream_notice(
        self,
        message: str,
        level: Literal["info", "warning", "danger"] = "info",
        title: str | None = None,
    ) -> None:
        """A banner; ``message`` is Markdown. Not stored."""
        await self.stream(NoticeEvent(level=level, message=message, title=title))

    async def stream_effect(self, name: str, data: dict[str, Any] | None = None) -> None:
        """Something for the page to do, without an answer (``onEffect``). Not stored."""
        await self.stream(ClientEffectEvent(name=name, data=data or {}))

    async def stream_widget(self, widget: Any, copy_text: str | None = None) -> None:
        """Show a widget: a root, or an asynchronous iterator of its states. Returns when the widget is complete."""
        events = stream_widget(self.thread, widget, copy_text, self.generate_id)
        try:
            async for event in events:
                await self._send(self._assembler.receive_event(event, is_copy=True))
        finally:
            await events.aclose()

    async def call_client_tool(
        self, name: str, arguments: dict[str, Any] | None = None, *, call_id: str | None = None
    ) -> None:
        """Let the page run one of its tools (``onClientTool``) when this run has ended.

        The run should end with this tool (``StopAtTools`` in the Agents SDK): the answer comes with a request of its
        own. May be called several times.
        """
        self.client_tool_call = ClientToolCall(
            name=name, arguments=arguments or {}, call_id=call_id
        )

    # -- workflows -----------------------------------------------------------------------------

    async def start_workflow(self, workflow: Workflow) -> None:
        """Open a workflow. It is shown at once if it is about reasoning or has tasks, else with its first task."""
        await self._send(self._assembler.start_workflow(workflow))

    async def add_workflow_task(self, task: Task) -> None:
        """Append a task to the open workflow; opens a ``custom`` one if none is open."""
        await self._send(self._assembler.add_task(task))

    async def update_workflow_task(self, task: Task, task_index: int) -> None:
        """Replace a task of the open workflow.

        Raises:
            ValueError: No workflow is open.
            IndexError: It has no such task.
        """
        await self._send(self._assembler.update_task(task, task_index))

    async def end_workflow(
        self, summary: WorkflowSummary | None = None, expanded: bool = False
    ) -> None:
        """End the open workflow, if there is one: with ``summary``, the one it has, or the seconds it took."""
        await self._send(self._assembler.end_workflow(summary, expanded=expanded))

    # -- for bridges ---------------------------------------------------------------------------

    def outbox(self) -> Outbox:
        """Where the events of a run wait. A run inside a run, an agent that is a tool, gets one of its own."""
        own = self._own_outbox()
        if own.ready is None:
            return own
        return Outbox(Assembler(self.thread.id, generate_id=self.generate_id), lambda: [])

    def _take_client_tool_calls(self) -> list[ClientToolCall]:
        calls = self._calls or ([self.client_tool_call] if self.client_tool_call else [])
        self.client_tool_call = None
        return calls

    def _own_outbox(self) -> Outbox:
        if self._outbox is None:
            assembler = Assembler(
                self.thread.id, generate_id=self.generate_id, board=cast("Any", self)
            )
            self._outbox = Outbox(assembler, self._take_client_tool_calls)
        return self._outbox

    @property
    def _assembler(self) -> Assembler:
        return self._own_outbox().assembler

    async def _send(self, events: list[Any]) -> None:
        await self._own_outbox().send(events)
