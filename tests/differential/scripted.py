"""One scripted server and one set of conversations, written once for openai-chatkit and for this library.

Everything here uses names that exist in both; ``lib`` is either. ``SCENES`` are the answers, by the text of the user's
message; ``CONVERSATIONS`` what a client asks, one or more for each request type.
"""

from __future__ import annotations

import warnings
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

Ask = Callable[..., Awaitable[Any]]
WHEN = datetime(2026, 3, 14, 9, 26, 53, 589793, tzinfo=UTC)


class Library:
    """The modules of one of the two."""

    def __init__(self, package: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the reference's named widget classes are deprecated
            for name in ("server", "types", "store", "errors", "actions", "widgets"):
                setattr(self, name, import_module(f"{package}.{name}"))
        self.package = package

    server: Any
    types: Any
    store: Any
    errors: Any
    actions: Any
    widgets: Any


# -- the server ----------------------------------------------------------------------------------------------------


def make_store(lib: Library) -> Any:
    """A store in memory, as a team would have written it for the reference."""
    types = lib.types

    class Memory(lib.store.Store):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            self.threads: dict[str, Any] = {}
            self.items: dict[str, list[Any]] = {}
            self.attachments: dict[str, Any] = {}
            self.made = 0

        def generate_thread_id(self, context: Any) -> str:
            return self.generate_item_id("thread", None, context)

        def generate_item_id(self, item_type: Any, thread: Any, context: Any) -> str:
            self.made += 1
            return f"{item_type.replace('_', '')}_{self.made:032x}"

        async def load_thread(self, thread_id: str, context: Any) -> Any:
            if thread_id not in self.threads:
                raise lib.store.NotFoundError(thread_id)
            return self.threads[thread_id].model_copy(deep=True)

        async def save_thread(self, thread: Any, context: Any) -> None:
            self.items.setdefault(thread.id, [])
            self.threads[thread.id] = types.ThreadMetadata(
                id=thread.id,
                title=thread.title,
                created_at=thread.created_at,
                status=thread.status.model_copy(deep=True),
                allowed_image_domains=thread.allowed_image_domains,
                metadata=dict(thread.metadata),
            )

        def page(self, records: list[Any], limit: int, after: Any, order: str) -> Any:
            records = records[::-1] if order == "desc" else list(records)
            if after is not None:
                ids = [record.id for record in records]
                if after not in ids:
                    raise lib.store.NotFoundError(after)
                records = records[ids.index(after) + 1 :]
            more = len(records) > limit
            data = [record.model_copy(deep=True) for record in records[:limit]]
            return types.Page(data=data, has_more=more, after=data[-1].id if more else None)

        async def load_threads(self, limit: int, after: Any, order: str, context: Any) -> Any:
            return self.page(list(self.threads.values()), limit, after, order)

        async def delete_thread(self, thread_id: str, context: Any) -> None:
            self.threads.pop(thread_id, None)
            self.items.pop(thread_id, None)

        async def load_thread_items(
            self, thread_id: str, after: Any, limit: int, order: str, context: Any
        ) -> Any:
            return self.page(self.items.get(thread_id, []), limit, after, order)

        async def add_thread_item(self, thread_id: str, item: Any, context: Any) -> None:
            await self.save_item(thread_id, item, context=context)

        async def save_item(self, thread_id: str, item: Any, context: Any) -> None:
            items = self.items[thread_id]
            ids = [each.id for each in items]
            if item.id in ids:
                items[ids.index(item.id)] = item.model_copy(deep=True)
            else:
                items.append(item.model_copy(deep=True))

        async def load_item(self, thread_id: str, item_id: str, context: Any) -> Any:
            for item in self.items.get(thread_id, []):
                if item.id == item_id:
                    return item.model_copy(deep=True)
            raise lib.store.NotFoundError(item_id)

        async def delete_thread_item(self, thread_id: str, item_id: str, context: Any) -> None:
            self.items[thread_id] = [item for item in self.items[thread_id] if item.id != item_id]

        async def save_attachment(self, attachment: Any, context: Any) -> None:
            self.attachments[attachment.id] = attachment.model_copy(deep=True)

        async def load_attachment(self, attachment_id: str, context: Any) -> Any:
            if attachment_id not in self.attachments:
                raise lib.store.NotFoundError(attachment_id)
            return self.attachments[attachment_id].model_copy(deep=True)

        async def delete_attachment(self, attachment_id: str, context: Any) -> None:
            self.attachments.pop(attachment_id, None)

    return Memory()


def make_server(lib: Library, store: Any) -> Any:
    """The scripted server on ``store``."""
    types = lib.types

    class Bytes(lib.store.AttachmentStore):  # type: ignore[name-defined,misc]
        async def create_attachment(self, input: Any, context: Any) -> Any:
            fields: dict[str, Any] = {
                "id": store.generate_item_id("attachment", None, context),
                "name": input.name,
                "mime_type": input.mime_type,
                "metadata": {"size": input.size},
                "upload_descriptor": types.AttachmentUploadDescriptor(
                    url="https://blobs.test/up?x=1", method="PUT", headers={"x-a": "b"}
                ),
            }
            if input.mime_type.startswith("image/"):
                return types.ImageAttachment(**fields, preview_url="https://blobs.test/p.png")
            return types.FileAttachment(**fields)

        async def delete_attachment(self, attachment_id: str, context: Any) -> None:
            pass

    class Scripted(lib.server.ChatKitServer):  # type: ignore[name-defined,misc]
        async def respond(self, thread: Any, item: Any, ctx: Any) -> Any:
            text = "after an answer" if item is None else item.content[0].text
            async for event in SCENES[text](lib, Maker(lib, store, thread)):
                yield event

        async def action(self, thread: Any, action: Any, sender: Any, ctx: Any) -> Any:
            make = Maker(lib, store, thread)
            if sender is not None:
                changed = sender.model_copy(update={"copy_text": f"{action.type} {action.payload}"})
                yield types.ThreadItemReplacedEvent(item=changed)
            else:
                yield types.ThreadItemDoneEvent(item=make.message(f"{action.type} from nowhere"))

        async def sync_action(self, thread: Any, action: Any, sender: Any, ctx: Any) -> Any:
            if action.type == "nothing":
                return types.SyncCustomActionResponse()
            changed = sender.model_copy(update={"copy_text": "synchronously"})
            return types.SyncCustomActionResponse(updated_item=changed)

        async def transcribe(self, audio_input: Any, context: Any) -> Any:
            text = f"{audio_input.data!r} {audio_input.mime_type} {audio_input.media_type}"
            return types.TranscriptionResult(text=text)

    return Scripted(store, Bytes())


class Maker:
    """Makes items of a thread."""

    def __init__(self, lib: Library, store: Any, thread: Any) -> None:
        self.lib, self.types, self.store, self.thread = lib, lib.types, store, thread

    def base(self, kind: str = "message") -> dict[str, Any]:
        item_id = self.store.generate_item_id(kind, self.thread, None)
        return {"id": item_id, "thread_id": self.thread.id, "created_at": WHEN}

    def text(self, text: str) -> Any:
        return self.types.AssistantMessageContent(text=text)

    def message(self, *texts: str) -> Any:
        content = [self.text(text) for text in texts]
        return self.types.AssistantMessageItem(**self.base(), content=content)

    def added(self, item: Any) -> Any:
        return self.types.ThreadItemAddedEvent(item=item)

    def done(self, item: Any) -> Any:
        return self.types.ThreadItemDoneEvent(item=item)

    def updated(self, item: Any, update: Any) -> Any:
        return self.types.ThreadItemUpdatedEvent(item_id=item.id, update=update)

    def delta(self, item: Any, text: str, index: int = 0) -> Any:
        update = self.types.AssistantMessageContentPartTextDelta(content_index=index, delta=text)
        return self.updated(item, update)

    def widget(self, *texts: str, payload: Any = None) -> Any:
        widgets = self.lib.widgets
        children = [widgets.Text(id=f"t{n}", value=text) for n, text in enumerate(texts)]
        action = self.lib.actions.ActionConfig(type="send", payload=payload or {"id": 7})
        button = widgets.Button(label="Send", onClickAction=action)
        return widgets.Card(children=[*children, button], size="sm")


# -- scenes --------------------------------------------------------------------------------------------------------


async def text(lib: Library, make: Maker) -> Any:
    types = lib.types
    item = make.message()
    yield make.added(item)
    part = types.AssistantMessageContentPartAdded(content_index=0, content=make.text(""))
    yield make.updated(item, part)
    for delta in ("Rev", "enue ", "fell.", '\u2028\n"\\/<é\U0001f600'):
        yield make.delta(item, delta)
    annotation = types.Annotation(
        source=types.URLSource(title="Q3", url="https://news.test/q3", timestamp="2026"), index=3
    )
    yield make.updated(
        item,
        types.AssistantMessageContentPartAnnotationAdded(
            content_index=0, annotation_index=0, annotation=annotation
        ),
    )
    content = types.AssistantMessageContent(text="Revenue fell.", annotations=[annotation])
    yield make.updated(
        item, types.AssistantMessageContentPartDone(content_index=0, content=content)
    )
    yield make.done(item.model_copy(update={"content": [content]}))


async def several(lib: Library, make: Maker) -> Any:
    first, second = make.message(), make.message()
    yield make.added(first)
    yield make.delta(first, "a")
    yield make.added(second)
    yield make.delta(second, "b")
    yield make.delta(first, "c", index=1)
    yield make.done(first.model_copy(update={"content": [make.text("a"), make.text("c")]}))
    yield make.done(second.model_copy(update={"content": [make.text("b")]}))


async def nothing(lib: Library, make: Maker) -> Any:
    events: tuple[Any, ...] = ()
    for event in events:
        yield event


async def title(lib: Library, make: Maker) -> Any:
    make.thread.title = "Q3 questions"
    yield make.done(make.message("one"))
    make.thread.title = "Q3 again"


async def status(lib: Library, make: Maker) -> Any:
    make.thread.status = lib.types.LockedStatus(reason="Under review")
    make.thread.allowed_image_domains = ["cdn.test"]
    yield make.done(make.message("one"))


async def metadata(lib: Library, make: Maker) -> Any:
    make.thread.metadata["response"] = "resp_1"
    yield make.done(make.message("one"))


async def passing(lib: Library, make: Maker) -> Any:
    types = lib.types
    yield types.ProgressUpdateEvent(text="Reading")
    yield types.ProgressUpdateEvent(text="Reading", icon="lucide:loader")
    yield types.NoticeEvent(level="warning", message="2 left", title="Limit")
    yield types.NoticeEvent(level="info", message="Saved")
    yield types.ClientEffectEvent(name="open", data={"panel": "orders", "focus": None})
    yield types.ClientEffectEvent(name="ping")
    yield types.StreamOptionsEvent(stream_options=types.StreamOptions(allow_cancel=False))
    yield types.ErrorEvent(message="Not so bad", allow_retry=True)


async def widget(lib: Library, make: Maker) -> Any:
    item = lib.types.WidgetItem(**make.base(), widget=make.widget("Draft"), copy_text="Draft")
    yield make.done(item)


async def widget_with_nulls(lib: Library, make: Maker) -> Any:
    root = make.widget("x", payload={"id": None, "list": [1, None]})
    yield make.done(lib.types.WidgetItem(**make.base(), widget=root))


async def widget_streamed(lib: Library, make: Maker) -> Any:
    async def states() -> Any:
        yield make.widget("", "")
        yield make.widget("He", "")
        yield make.widget("Hello", "Wo")
        yield make.widget("Hello", "World")

    async for event in lib.server.stream_widget(
        make.thread, states(), "copy", generate_id=make_id(make)
    ):
        yield event


async def widget_static(lib: Library, make: Maker) -> Any:
    async for event in lib.server.stream_widget(
        make.thread, make.widget("x"), generate_id=make_id(make)
    ):
        yield event


def make_id(make: Maker) -> Callable[[str], str]:
    return lambda kind: make.store.generate_item_id(kind, make.thread, None)


async def widget_updates(lib: Library, make: Maker) -> Any:
    types = lib.types
    item = types.WidgetItem(**make.base(), widget=make.widget("v1"))
    yield make.added(item)
    yield make.updated(item, types.WidgetRootUpdated(widget=make.widget("v2")))
    component = lib.widgets.Text(id="t0", value="v3")
    yield make.updated(item, types.WidgetComponentUpdated(component_id="t0", component=component))
    yield make.updated(
        item, types.WidgetStreamingTextValueDelta(component_id="t0", delta="!", done=True)
    )
    yield make.done(item.model_copy(update={"widget": make.widget("v3!")}))


async def workflow(lib: Library, make: Maker) -> Any:
    types = lib.types
    item = types.WorkflowItem(
        **make.base("workflow"), workflow=types.Workflow(type="reasoning", tasks=[], expanded=True)
    )
    yield make.added(item)
    tasks = [
        types.ThoughtTask(content="Check"),
        types.CustomTask(title="Fetch", icon="globe", status_indicator="loading"),
        types.SearchTask(
            title_query="q3", queries=["acme"], sources=[types.URLSource(title="a", url="b")]
        ),
        types.FileTask(title="Read", sources=[types.FileSource(title="Q3", filename="q3.pdf")]),
        types.ImageTask(title="Draw"),
    ]
    for index, task in enumerate(tasks):
        yield make.updated(item, types.WorkflowTaskAdded(task_index=index, task=task))
    finished = tasks[1].model_copy(update={"status_indicator": "complete"})
    yield make.updated(item, types.WorkflowTaskUpdated(task_index=1, task=finished))
    tasks[1] = finished
    summary = types.DurationSummary(duration=7)
    whole = types.Workflow(type="reasoning", tasks=tasks, summary=summary)
    yield make.done(item.model_copy(update={"workflow": whole}))


async def tasks(lib: Library, make: Maker) -> Any:
    types = lib.types
    source = types.EntitySource(id="acct", title="Acme", icon="suitcase", data={"href": None})
    annotation = types.Annotation(source=source)
    content = types.AssistantMessageContent(text="See", annotations=[annotation])
    yield make.done(types.AssistantMessageItem(**make.base(), content=[content]))
    yield make.done(types.TaskItem(**make.base("task"), task=types.CustomTask(content="done")))
    yield make.done(types.EndOfTurnItem(**make.base()))


async def image(lib: Library, make: Maker) -> Any:
    types = lib.types
    item = types.GeneratedImageItem(**make.base())
    yield make.added(item)
    for progress in (None, 0.5, 1.0):
        partial = types.GeneratedImage(id="ig_1", url="data:image/png;base64,iVBO")
        yield make.updated(item, types.GeneratedImageUpdated(image=partial, progress=progress))
    final = types.GeneratedImage(id="ig_1", url="https://cdn.test/1.png")
    yield make.done(item.model_copy(update={"image": final}))


async def structured(lib: Library, make: Maker) -> Any:
    types = lib.types
    options = [types.StructuredInputMultipleChoiceOption(value=value) for value in "SL"]
    inputs = [
        types.StructuredInputMultipleChoice(id="size", question="Which?", options=options),
        types.StructuredInputMultipleChoice(
            id="more", question="Which?", options=options, multiple=True
        ),
        types.StructuredInputFreeform(id="note", question="Else?", description="Optional"),
    ]
    yield make.done(types.StructuredInputItem(**make.base(), inputs=inputs))


def tool_call(lib: Library, make: Maker) -> Any:
    return lib.types.ClientToolCallItem(
        **make.base("tool_call"), call_id="call_1", name="select", arguments={"limit": None}
    )


async def tool(lib: Library, make: Maker) -> Any:
    yield make.done(tool_call(lib, make))


async def tool_and_more(lib: Library, make: Maker) -> Any:
    yield make.done(tool_call(lib, make))
    yield make.done(make.message("Waiting."))


async def two_tools(lib: Library, make: Maker) -> Any:
    yield make.done(tool_call(lib, make))
    yield make.done(tool_call(lib, make))


async def hidden(lib: Library, make: Maker) -> Any:
    yield make.done(lib.types.HiddenContextItem(**make.base(), content={"clicked": None}))
    yield make.done(make.message("one"))


async def hidden_last(lib: Library, make: Maker) -> Any:
    yield make.done(make.message("one"))
    yield make.done(lib.types.HiddenContextItem(**make.base(), content="SECRET"))


async def hidden_added(lib: Library, make: Maker) -> Any:
    yield make.added(lib.types.HiddenContextItem(**make.base(), content="SECRET"))


async def hidden_replaced(lib: Library, make: Maker) -> Any:
    yield lib.types.ThreadItemReplacedEvent(
        item=lib.types.HiddenContextItem(**make.base(), content="SECRET")
    )


async def secret_thread(lib: Library, make: Maker) -> Any:
    types = lib.types
    thread = types.Thread(
        id=make.thread.id,
        created_at=WHEN,
        title="Shown",
        metadata={"secret": 1},
        items=types.Page(data=[lib.types.HiddenContextItem(**make.base(), content="SECRET")]),
    )
    yield types.ThreadUpdatedEvent(thread=thread)


async def replaced_and_removed(lib: Library, make: Maker) -> Any:
    first, second = make.message("one"), make.message("two")
    yield make.done(first)
    yield make.done(second)
    changed = first.model_copy(update={"content": [make.text("one, better")]})
    yield lib.types.ThreadItemReplacedEvent(item=changed)
    yield lib.types.ThreadItemRemovedEvent(item_id=second.id)


async def stream_error(lib: Library, make: Maker) -> Any:
    yield make.done(make.message("one"))
    raise lib.errors.StreamError(lib.errors.ErrorCode.STREAM_ERROR, allow_retry=False)


async def custom_error(lib: Library, make: Maker) -> Any:
    yield make.done(make.message("one"))
    raise lib.errors.CustomStreamError("Quota reached", allow_retry=True)


async def exception(lib: Library, make: Maker) -> Any:
    make.thread.title = "Before"
    yield make.done(make.message("one"))
    raise ValueError("SECRET")


async def exception_at_once(lib: Library, make: Maker) -> Any:
    raise ValueError("SECRET")
    yield


async def exception_in_text(lib: Library, make: Maker) -> Any:
    item, empty = make.message(), make.message()
    yield make.added(item)
    yield make.delta(item, "Half a sen")
    yield make.added(empty)
    raise ValueError("SECRET")


async def title_then_exception(lib: Library, make: Maker) -> Any:
    yield make.done(make.message("one"))
    make.thread.title = "After"
    raise ValueError("SECRET")


async def after_an_answer(lib: Library, make: Maker) -> Any:
    yield make.done(make.message("Thanks."))


SCENES: dict[str, Callable[[Library, Maker], Any]] = {
    scene.__name__.replace("_", " "): scene
    for scene in (
        text, several, nothing, title, status, metadata, passing, widget, widget_with_nulls, widget_streamed,
        widget_static, widget_updates, workflow, tasks, image, structured, tool, tool_and_more, two_tools, hidden,
        hidden_last, hidden_added, hidden_replaced, secret_thread, replaced_and_removed, stream_error,
        custom_error, exception, exception_at_once, exception_in_text, title_then_exception, after_an_answer,
    )
}  # fmt: skip


# -- conversations -------------------------------------------------------------------------------------------------
#
# ``departs`` names the departures that an answer shows, by number; see test_conversations.py.


def message(text: str, **more: Any) -> dict[str, Any]:
    content = [{"type": "input_text", "text": text}]
    return {"content": content, "attachments": [], "inference_options": {}, **more}


async def begin(ask: Ask, scene: str, **options: Any) -> tuple[str, list[Any]]:
    """A new thread; its id and the items that were told."""
    events = await ask("threads.create", {"input": message(scene)}, **options)
    items = [event["item"] for event in events if event["type"] == "thread.item.done"]
    return events[0]["thread"]["id"], items


def scene_conversation(scene: str, *departures: int) -> Callable[[Ask], Awaitable[None]]:
    async def conversation(ask: Ask) -> None:
        thread_id, _ = await begin(ask, scene, departs=departures)
        await ask("threads.get_by_id", {"thread_id": thread_id}, departs=LATER.get(scene, ()))

    return conversation


DEPARTING: dict[str, tuple[int, ...]] = {
    "metadata": (1,),
    "exception in text": (2,),
    "hidden added": (3,),
    "hidden replaced": (3,),
    "secret thread": (3,),
    "widget with nulls": (18,),
}
LATER: dict[str, tuple[int, ...]] = {"exception in text": (2,), "widget with nulls": (18,)}


async def add_user_message(ask: Ask) -> None:
    thread_id, _ = await begin(ask, "text")
    tag = {"type": "input_tag", "id": "acct", "text": "Acme", "data": {"a": None}, "group": "g"}
    content = [{"type": "input_text", "text": "several"}, tag]
    options = {"tool_choice": {"id": "search"}, "model": "fast"}
    more = message("", content=content, quoted_text="fell", inference_options=options)
    await ask("threads.add_user_message", {"thread_id": thread_id, "input": more})
    await ask("threads.get_by_id", {"thread_id": thread_id})
    await ask("threads.add_user_message", {"thread_id": "thr_x", "input": more}, departs=(4,))


async def client_tool_output(ask: Ask) -> None:
    thread_id, _ = await begin(ask, "tool")
    params = {"thread_id": thread_id, "result": {"ids": ["a"], "cursor": None}}
    await ask("threads.add_client_tool_output", params)
    await ask("threads.get_by_id", {"thread_id": thread_id})
    await ask("threads.add_client_tool_output", params, departs=(5,))
    await ask("threads.add_client_tool_output", {**params, "thread_id": "thr_x"}, departs=(4,))


async def client_tool_output_that_is_not_the_newest(ask: Ask) -> None:
    thread_id, _ = await begin(ask, "tool and more")
    await ask("threads.add_client_tool_output", {"thread_id": thread_id, "result": 1}, departs=(6,))


async def client_tool_output_of_two(ask: Ask) -> None:
    thread_id, _ = await begin(ask, "two tools")
    params = {"thread_id": thread_id, "result": None}
    await ask("threads.add_client_tool_output", params, departs=(7,))
    await ask("threads.get_by_id", {"thread_id": thread_id}, departs=(7,))


async def message_instead_of_a_tool_output(ask: Ask) -> None:
    thread_id, _ = await begin(ask, "tool")
    params = {"thread_id": thread_id, "input": message("nothing")}
    await ask("threads.add_user_message", params, departs=(8,))
    await ask("threads.get_by_id", {"thread_id": thread_id}, departs=(8,))


async def structured_input(ask: Ask) -> None:
    for submission in (
        {"answers": {"size": {"values": ["S", "L"]}, "more": {"values": ["S", "own"]}, "x": {}}},
        {"status": "answered", "answers": {"note": {"values": ["a"], "skipped": True}}},
        {"status": "skipped", "answers": {"note": {"values": ["a"]}}},
    ):
        thread_id, items = await begin(ask, "structured")
        item_id = items[1]["id"]
        params = {"thread_id": thread_id, "item_id": item_id, "input": submission}
        await ask("threads.add_structured_input", params)
        await ask("threads.get_by_id", {"thread_id": thread_id})
        await ask("threads.add_structured_input", params, departs=(5,))
    user = items[0]["id"]
    await ask("threads.add_structured_input", {**params, "item_id": user}, departs=(5,))
    await ask("threads.add_structured_input", {**params, "item_id": "msg_x"}, departs=(4,))


async def retry(ask: Ask) -> None:
    thread_id, items = await begin(ask, "several")
    await ask("threads.add_user_message", {"thread_id": thread_id, "input": message("text")})
    params = {"thread_id": thread_id, "item_id": items[0]["id"]}
    await ask("threads.retry_after_item", params)
    await ask("threads.get_by_id", {"thread_id": thread_id})
    await ask("threads.retry_after_item", {**params, "item_id": items[1]["id"]}, departs=(4,))
    await ask("threads.retry_after_item", {**params, "item_id": "msg_x"}, departs=(4,))
    await ask("threads.retry_after_item", {**params, "thread_id": "thr_x"}, departs=(4,))


async def retry_of_the_wrong_kind(ask: Ask) -> None:
    thread_id, items = await begin(ask, "text")
    params = {"thread_id": thread_id, "item_id": items[1]["id"]}
    await ask("threads.retry_after_item", params, departs=(5,))


async def custom_action(ask: Ask) -> None:
    thread_id, items = await begin(ask, "widget")
    action = {"type": "send", "payload": {"id": 7}, "handler": "server", "loadingBehavior": "self"}
    params = {"thread_id": thread_id, "item_id": items[1]["id"], "action": action}
    await ask("threads.custom_action", params)
    await ask("threads.get_by_id", {"thread_id": thread_id})
    for made_up in ({"type": "buy"}, {"type": "send", "payload": {"id": 8}}):
        await ask("threads.custom_action", {**params, "action": made_up}, departs=(19,))
    for item_id in (None, ""):
        await ask("threads.custom_action", {**params, "item_id": item_id, "action": {"type": "go"}})
    await ask("threads.custom_action", {**params, "item_id": items[0]["id"]}, departs=(5,))
    await ask("threads.custom_action", {**params, "item_id": "msg_x"}, departs=(4,))
    await ask("threads.custom_action", {**params, "thread_id": "thr_x"}, departs=(4,))


async def sync_custom_action(ask: Ask) -> None:
    thread_id, items = await begin(ask, "widget")
    action = {"type": "send", "payload": {"id": 7}}
    params = {"thread_id": thread_id, "item_id": items[1]["id"], "action": action}
    await ask("threads.sync_custom_action", params)
    await ask("threads.get_by_id", {"thread_id": thread_id}, departs=(9,))
    nothing = {"thread_id": thread_id, "action": {"type": "nothing", "payload": 1}}
    await ask("threads.sync_custom_action", nothing)
    await ask("threads.sync_custom_action", {**params, "action": {"type": "buy"}}, departs=(19,))
    await ask("threads.sync_custom_action", {**params, "item_id": items[0]["id"]}, departs=(5,))
    await ask("threads.sync_custom_action", {**params, "item_id": "msg_x"}, departs=(4,))


async def get_by_id(ask: Ask) -> None:
    thread_id, _ = await begin(ask, "title")
    await ask("threads.get_by_id", {"thread_id": thread_id})
    for _ in range(7):
        await ask("threads.add_user_message", {"thread_id": thread_id, "input": message("several")})
    await ask("threads.get_by_id", {"thread_id": thread_id}, departs=(10,))
    await ask("threads.get_by_id", {"thread_id": "thr_x"}, departs=(4,))


async def list_threads(ask: Ask) -> None:
    await ask("threads.list", {})
    for scene in ("title", "status", "nothing"):
        await begin(ask, scene)
    await ask("threads.list", {})
    await ask("threads.list", {"limit": 0, "order": "asc"})
    page = await ask("threads.list", {"limit": 2, "order": "asc"})
    await ask("threads.list", {"limit": 2, "order": "asc", "after": page["after"]})
    page = await ask("threads.list", {"limit": 1, "order": "desc", "after": None})
    await ask("threads.list", {"limit": 9999, "order": "desc", "after": page["after"]})
    await ask("threads.list", {"after": "thr_x"}, departs=(4,))


async def list_items(ask: Ask) -> None:
    thread_id, _ = await begin(ask, "several")
    await ask("threads.add_user_message", {"thread_id": thread_id, "input": message("tasks")})
    params = {"thread_id": thread_id}
    await ask("items.list", params)
    await ask("items.list", {**params, "limit": None, "order": "asc"})
    for order in ("asc", "desc"):
        after = None
        for _ in range(4):
            page = await ask("items.list", {**params, "limit": 2, "order": order, "after": after})
            after = page.get("after")
            if after is None:
                break
    await ask("items.list", {**params, "limit": 9999})
    await ask("items.list", {**params, "after": "msg_x"}, departs=(4,))
    await ask("items.list", {"thread_id": "thr_x"}, departs=(11,))


async def list_hidden_items(ask: Ask) -> None:
    thread_id, _ = await begin(ask, "hidden")
    await ask("threads.add_user_message", {"thread_id": thread_id, "input": message("hidden last")})
    params = {"thread_id": thread_id, "order": "asc"}
    await ask("items.list", params)
    await ask("items.list", {**params, "limit": 2}, departs=(12,))
    await ask("items.list", {**params, "limit": 5}, departs=(12,))


async def feedback(ask: Ask) -> None:
    thread_id, items = await begin(ask, "text")
    params = {"thread_id": thread_id, "item_ids": [items[1]["id"]], "kind": "positive"}
    await ask("items.feedback", params)
    await ask("items.feedback", {**params, "kind": "negative"})
    await ask("items.feedback", {**params, "item_ids": []})
    await ask("items.feedback", {**params, "item_ids": ["msg_x"]}, departs=(11,))
    await ask("items.feedback", {**params, "thread_id": "thr_x"}, departs=(11,))


async def attachments(ask: Ask) -> None:
    made: list[Any] = []
    for name, kind in (("q3.pdf", "application/pdf"), ("plot.png", "image/png")):
        params = {"name": name, "size": 10, "mime_type": kind}
        made.append(await ask("attachments.create", params))
    ids = [each["id"] for each in made]
    params = {"input": message("text", attachments=ids)}
    events = await ask("threads.create", params, departs=(13,))
    thread_id = events[0]["thread"]["id"]
    await ask("threads.get_by_id", {"thread_id": thread_id}, departs=(13,))
    again = {"thread_id": thread_id, "input": message("nothing", attachments=[ids[0], ids[0]])}
    await ask("threads.add_user_message", again, departs=(13, 14))
    await ask("threads.create", {"input": message("nothing", attachments=["atc_x"])}, departs=(4,))
    free = await ask("attachments.create", {"name": "a", "size": 0, "mime_type": "a/b"})
    await ask("attachments.delete", {"attachment_id": free["id"]})
    await ask("attachments.delete", {"attachment_id": ids[0]}, departs=(15,))
    await ask("attachments.delete", {"attachment_id": "atc_x"}, departs=(11,))


async def update(ask: Ask) -> None:
    thread_id, _ = await begin(ask, "status")
    for title in ("New", ""):
        await ask("threads.update", {"thread_id": thread_id, "title": title})
    await ask("threads.get_by_id", {"thread_id": thread_id})
    await ask("threads.update", {"thread_id": "thr_x", "title": "New"}, departs=(4,))


async def delete(ask: Ask) -> None:
    thread_id, _ = await begin(ask, "text")
    await ask("threads.delete", {"thread_id": thread_id})
    await ask("threads.list", {})
    await ask("threads.get_by_id", {"thread_id": thread_id}, departs=(4,))
    await ask("threads.delete", {"thread_id": thread_id})


async def transcribe(ask: Ask) -> None:
    params = {"audio_base64": "GkXfo59C", "mime_type": "audio/webm;codecs=opus"}
    await ask("input.transcribe", params)
    await ask("input.transcribe", {**params, "audio_base64": "G"}, departs=(16,))


async def locked(ask: Ask) -> None:
    thread_id, _ = await begin(ask, "status")
    params = {"thread_id": thread_id, "input": message("text")}
    await ask("threads.add_user_message", params, departs=(17,))


async def malformed(ask: Ask) -> None:
    await ask("threads.stop", {}, departs=(16,))
    await ask("threads.get_by_id", {}, departs=(16,))
    await ask("threads.create", {"input": message("text", attachments=None)}, departs=(16,))
    await ask("threads.custom_action", {"thread_id": "a", "action": 7}, departs=(16,))


CONVERSATIONS: dict[str, Callable[[Ask], Awaitable[None]]] = {
    **{
        f"scene: {scene}": scene_conversation(scene, *DEPARTING.get(scene, ()))
        for scene in SCENES
        if scene != "after an answer"
    },
    **{
        conversation.__name__.replace("_", " "): conversation
        for conversation in (
            add_user_message, client_tool_output, client_tool_output_that_is_not_the_newest,
            client_tool_output_of_two, message_instead_of_a_tool_output, structured_input, retry,
            retry_of_the_wrong_kind, custom_action, sync_custom_action, get_by_id, list_threads, list_items,
            list_hidden_items, feedback, attachments, update, delete, transcribe, locked, malformed,
        )
    },
}  # fmt: skip
