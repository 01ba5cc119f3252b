"""Actions: a click is taken while its widget offers it, once; its widget is replaced by one yield; forms have types."""

from __future__ import annotations

from typing import Any

import anyio
import msgspec
import pydantic
import pytest

from chatkit_asgi import ChatKitRouter, Options
from chatkit_asgi._base import Wire
from chatkit_asgi.server import stream_widget
from chatkit_asgi.store import MemoryStore, Store
from chatkit_asgi.testing import ChatKitClient
from chatkit_asgi.types import (
    SyncCustomActionResponse,
    ThreadItemUpdatedEvent,
    WidgetStreamingTextValueDelta,
)
from chatkit_asgi.widgets import Button, Card, Text
from tests.http.served import Held, Served, all_over, card, done, rows, talking, yielding

SENT: dict[str, Any] = {"type": "Card", "children": [{"type": "Text", "id": "t1", "value": "Sent"}]}
CLICK: dict[str, Any] = {"type": "send", "payload": {"id": 7}, "item_id": "msg_card"}
BUTTON: Any = Card(
    children=[Text(value="Again"), Button(onClickAction={"type": "send", "payload": {"id": 7}})]  # type: ignore[arg-type]
)


async def shown(server: Served, client: ChatKitClient) -> str:
    """A thread with the card that has a button."""
    server.responding = yielding(done(card))
    return str((await client.create("Hi")).thread.id)


async def replace(thread: Any, action: Any, sender: Any, context: Any) -> Any:
    yield "On its way."
    yield sender.replaced_by(SENT, copy_text="Sent")


async def test_the_senders_widget_is_replaced_and_stored_by_one_yield(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    thread_id = await shown(server, client)
    server.acting = replace
    turn = (await client.action(thread_id, **CLICK)).check()
    assert turn.types[-1] == "thread.item.replaced"
    stored = await rows(store, thread_id)
    assert [item.type for item in stored] == ["user_message", "widget", "assistant_message"]
    assert (stored[1].id, stored[1].widget, stored[1].copy_text) == ("msg_card", SENT, "Sent")
    assert turn.thread.item("msg_card") == stored[1]


async def test_a_second_click_is_a_clear_error_and_runs_nothing(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    thread_id = await shown(server, client)
    server.acting = replace
    (await client.action(thread_id, **CLICK)).check()
    calls = len(server.calls)
    for again in (
        await client.action(thread_id, **CLICK),
        await client.sync_action(thread_id, **CLICK),
    ):
        assert (again.status, again.code) == (409, "stale_action")
        assert again.error["path"] == "$.params.action"
    assert len(server.calls) == calls


async def test_a_second_click_that_waited_for_the_first_is_stale_too(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    """It was offered when it came; the first has changed the widget since."""
    thread_id = await shown(server, client)
    held = Held()

    async def slowly(*args: Any) -> Any:
        async for event in held(*args):
            yield event
        yield args[2].replaced_by(SENT)

    server.acting = slowly
    turns: list[Any] = []

    async def click(**options: Any) -> None:
        turns.append(await client.action(thread_id, **CLICK, **options))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(click)
        await held.started.wait()
        # another tab: the same body from the same page would join the first
        other = ChatKitClient(client.transport, headers={"chatkit-frame-instance-id": "2"})

        async def click_again() -> None:
            turns.append(await other.action(thread_id, **CLICK))

        tasks.start_soon(click_again)
        await anyio.wait_all_tasks_blocked()
        held.go.set()
    first, second = sorted(turns, key=lambda turn: len(turn.errors))
    assert first.thread.item("msg_card").widget == SENT
    [error] = second.errors
    assert (error["code"], error["allow_retry"]) == ("stale_action", False)
    assert sum(call[0] == "action" for call in server.calls) == 1


async def test_synchronous_clicks_on_one_widget_come_one_after_the_other(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    thread_id = await shown(server, client)
    inside = anyio.Event()
    go = anyio.Event()

    async def star(*_: Any) -> Any:
        inside.set()
        await go.wait()
        return SENT

    server.sync_acting = star
    answers: list[Any] = []

    async def click() -> None:
        answers.append(await client.sync_action(thread_id, **CLICK))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(click)
        await inside.wait()
        tasks.start_soon(click)
        await anyio.wait_all_tasks_blocked()
        go.set()
    assert sorted(answer.status for answer in answers) == [200, 409]
    assert (await rows(store, thread_id))[1].widget == SENT
    assert not server.turns._locks  # pyright: ignore[reportPrivateUsage]


async def test_a_synchronous_action_may_answer_with_a_widget_an_item_or_nothing(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    thread_id = await shown(server, client)
    server.sync_acting = lambda *_: BUTTON
    answer = (await client.sync_action(thread_id, **CLICK)).check().json
    assert answer["updated_item"]["widget"]["children"][0]["value"] == "Again"
    server.sync_acting = lambda *_: None
    assert (await client.sync_action(thread_id, **CLICK)).check().json == {}
    server.sync_acting = lambda thread, action, sender, context: SyncCustomActionResponse(
        updated_item=sender.replaced_by(SENT).item
    )
    answer = (await client.sync_action(thread_id, **CLICK)).check().json
    assert (await rows(store, thread_id))[1].widget == answer["updated_item"]["widget"] == SENT
    server.sync_acting = lambda *_: SENT
    assert (await client.sync_action(thread_id, "send")).status == 500, "there is no sender"


@pytest.mark.parametrize(
    ("answer", "told"), [(SENT, "names no sender"), (BUTTON, "names no sender"), ("x", "not str")]
)
async def test_the_log_says_why_an_answer_is_none(
    server: Served, client: ChatKitClient, caplog: pytest.LogCaptureFixture, answer: Any, told: str
) -> None:
    thread_id = await shown(server, client)
    server.sync_acting = lambda *_: answer
    assert (await client.sync_action(thread_id, "send")).status == 500
    assert told in caplog.text


async def test_an_action_without_a_sender_is_the_pages_own(
    server: Served, client: ChatKitClient
) -> None:
    thread_id = await shown(server, client)
    server.acting = yielding("ok")
    assert (await client.action(thread_id, "whatever", {"page": "made"})).ok


async def test_page_actions_are_not_looked_for(server: Served, store: Store[Any]) -> None:
    async with talking(server, page_actions=["upload.done"]) as client:
        thread_id = await shown(server, client)
        server.acting = yielding("ok")
        assert (await client.action(thread_id, "upload.done", 1, item_id="msg_card")).ok
        assert (await client.action(thread_id, "other", 1, item_id="msg_card")).status == 409
    async with talking(server, page_actions=("*",)) as client:
        assert (await client.action(thread_id, "other", 1, item_id="msg_card")).ok


async def test_a_widget_is_taken_as_it_is_shown_while_it_streams(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    """Synchronous actions are allowed while an answer streams, so the store may not have the widget yet."""
    ready = anyio.Event()
    go = anyio.Event()

    async def respond(thread: Any, *_: Any) -> Any:
        async def states() -> Any:
            yield card(thread).widget
            ready.set()
            await go.wait()
            yield SENT

        async for event in stream_widget(thread, states(), generate_id=lambda _: "msg_card"):
            yield event

    server.responding = respond
    server.sync_acting = lambda *_: None
    async with client.stream("threads.create", _hello()) as turn:
        await turn.wait_for("thread.item.added")
        await ready.wait()
        assert (await client.sync_action(turn.thread.id, **CLICK)).check().json == {}
        wrong = {**CLICK, "payload": {"id": 8}}
        assert (await client.sync_action(turn.thread.id, **wrong)).status == 409
        go.set()
        await turn.wait_for(_ends_widget)


def _log(text: str, note: str) -> dict[str, Any]:
    button = {"type": "Button", "label": "Order", "onClickAction": {"type": "order"}}
    log, said = (
        {"type": "Text", "id": name, "value": value}
        for name, value in (("log", text), ("note", note))
    )
    return {"type": "Card", "children": [log, said, button]}


@pytest.mark.parametrize("keeps_log", [True, False])
@pytest.mark.parametrize("ends", ["finished", "failed", "stopped"])
async def test_what_a_synchronous_action_has_changed_stays_while_a_turn_writes_the_same_widget(
    server: Served, client: ChatKitClient, store: Store[Any], ends: str, keeps_log: bool
) -> None:
    """A turn streams text into a widget of an earlier one; meanwhile somebody clicks on it, and is shown the result."""
    server.responding = yielding(
        done(lambda thread: card(thread).model_copy(update={"widget": _log("", "Not ordered")}))
    )
    thread_id = (await client.create("Hi")).thread.id
    clicked = anyio.Event()

    async def respond(*_: Any) -> Any:
        def line(text: str) -> ThreadItemUpdatedEvent:
            update = WidgetStreamingTextValueDelta(component_id="log", delta=text, done=False)
            return ThreadItemUpdatedEvent(item_id="msg_card", update=update)

        yield line("one ")
        await clicked.wait()
        yield line("two")
        if ends == "failed":
            raise RuntimeError
        if ends == "stopped":
            await anyio.sleep_forever()

    async def order(thread: Any, action: Any, sender: Any, context: Any) -> Any:
        widget = _log(sender.widget.children[0].value, "Ordered")
        return widget if keeps_log else {**widget, "children": widget["children"][1:]}

    server.responding, server.sync_acting = respond, order
    params = {"thread_id": thread_id, "input": client.message("Log")}
    async with client.stream("threads.add_user_message", params) as turn:
        await turn.wait_for("thread.item.updated")
        answer = await client.sync_action(thread_id, "order", item_id="msg_card")
        assert b"Ordered" in msgspec.json.encode(answer.check().json)
        clicked.set()
        await turn.wait_for(lambda event: event.get("update", {}).get("delta") == "two")
        if ends != "stopped":
            await turn.read()
    await all_over(server)
    widget = next(item for item in await rows(store, thread_id) if item.id == "msg_card").widget
    assert [text.value for text in widget.children[:-1]] == (
        ["one two", "Ordered"] if keeps_log else ["Ordered"]
    )


async def test_what_a_synchronous_action_has_changed_is_stored_when_it_answers(
    options: Options,
) -> None:
    """Also when a checkpoint was under way, which has the widget as it was and comes later."""

    class Slow(MemoryStore[Any]):
        async def save_item(self, thread_id: str, item: Any, context: Any) -> None:
            if item.type == "widget" and item.widget["children"][1]["value"] == "Not ordered":
                checkpointing.set()
                await ordered.wait()
                await anyio.sleep(0.01)
            else:
                ordered.set()
            await super().save_item(thread_id, item, context)

    checkpointing, ordered = anyio.Event(), anyio.Event()
    server = Served(Slow(), options)
    server.responding = yielding(
        done(lambda thread: card(thread).model_copy(update={"widget": _log("", "Not ordered")}))
    )
    server.sync_acting = lambda *_: _log("one", "Ordered")
    async with talking(server, checkpoint_interval=0.02) as client:
        thread_id = (await client.create("Hi")).thread.id
        held = Held()

        async def respond(*_: Any) -> Any:
            update = WidgetStreamingTextValueDelta(component_id="log", delta="one", done=False)
            yield ThreadItemUpdatedEvent(item_id="msg_card", update=update)
            async for text in held():
                yield text

        server.responding = respond
        params = {"thread_id": thread_id, "input": client.message("Log")}
        async with client.stream("threads.add_user_message", params) as turn:
            with anyio.fail_after(10):
                await checkpointing.wait()
                answer = await client.sync_action(thread_id, "order", item_id="msg_card")
            assert answer.check().json
            for _ in range(2):
                stored: Any = await server.store.load_item(thread_id, "msg_card", context=None)
                assert stored.widget.children[1].value == "Ordered"
                await anyio.sleep(0.05)
            held.go.set()
            await turn.read()


def _ends_widget(event: Any) -> bool:
    return event["type"] == "thread.item.done" and event["item"]["type"] == "widget"


def _second_delta(event: Any) -> bool:
    return event["type"] == "thread.item.updated" and event["update"].get("delta") == " a"


def _hello() -> dict[str, Any]:
    content = [{"type": "input_text", "text": "Hi"}]
    return {"input": {"content": content, "attachments": [], "inference_options": {}}}


async def test_a_senders_widget_may_be_streamed_in_its_place(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    thread_id = await shown(server, client)

    async def act(thread: Any, action: Any, sender: Any, context: Any) -> Any:
        async def states() -> Any:
            for text in ("Draft sent", "Draft sent."):
                yield {
                    **sender.widget,
                    "children": [
                        {"type": "Text", "id": "t1", "value": text},
                        *sender.widget.children[1:],
                    ],
                }

        async for event in stream_widget(thread, states(), sender=sender):
            yield event

    server.acting = act
    turn = (await client.action(thread_id, **CLICK)).check()
    updates = [event["update"] for event in turn.of_type("thread.item.updated")]
    assert [update["delta"] for update in updates] == [" sent", "."]
    assert turn.types[-1] == "thread.item.replaced"
    stored = (await rows(store, thread_id))[1]
    assert stored.widget.children[0].value == "Draft sent."
    assert turn.thread.item("msg_card") == stored


async def test_a_widget_that_streams_is_stored_as_it_was_shown_when_the_answer_is_stopped(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    closed: list[str] = []

    async def respond(thread: Any, *_: Any) -> Any:
        async def states() -> Any:
            try:
                for text in ("", "Half", "Half a"):
                    yield {"type": "Card", "children": [{"type": "Text", "id": "t", "value": text}]}
                await anyio.sleep_forever()
            finally:
                closed.append("states")

        async for event in stream_widget(thread, states()):
            yield event

    server.responding = respond
    async with client.stream("threads.create", _hello()) as turn:
        await turn.wait_for(_second_delta)
    await all_over(server)
    assert closed == ["states"]
    [_, stored, note] = await rows(store, turn.thread.id)
    assert stored.widget.children[0].value == "Half a"
    assert note.type == "sdk_hidden_context"


# -- forms


class Todo(msgspec.Struct):
    title: str
    due: str | None = None
    hours: float | None = None
    done: bool = False


class Save(msgspec.Struct):
    todo: Todo
    id: int


class WireTodo(Wire):
    title: str
    due: str | None = None
    hours: float | None = None
    done: bool = False


class WireSave(Wire):
    todo: WireTodo
    id: int


class ModelTodo(pydantic.BaseModel):
    title: str
    due: str | None = None
    hours: float | None = None
    done: bool = False


class ModelSave(pydantic.BaseModel):
    todo: ModelTodo
    id: int


@pytest.mark.parametrize("kind", [Save, WireSave, ModelSave])
@pytest.mark.parametrize(
    ("sent", "got"),
    [
        ({"title": "x", "hours": "1.5", "done": "true"}, Todo("x", None, 1.5, True)),
        ({"title": "", "due": "", "hours": "", "done": False}, Todo("", "", None, False)),
        ({"title": "x"}, Todo("x")),
    ],
)
async def test_form_values_are_converted(
    store: Store[Any], sent: Any, got: Todo, kind: Any
) -> None:
    chat: ChatKitRouter[Any] = ChatKitRouter(store)
    controls = [
        {"type": "Input", "name": f"todo.{name}"} for name in ("title", "due", "hours", "done")
    ]
    form = {
        "type": "Card",
        "children": [
            {
                "type": "Form",
                "children": controls,
                "onSubmitAction": {"type": "save", "payload": {"id": 3}},
            }
        ],
    }
    seen: list[Any] = []

    @chat.respond
    async def respond(thread: Any, message: Any, context: Any) -> Any:
        yield form

    @chat.action("save", payload=kind, form=True)
    async def save(thread: Any, action: Any, sender: Any, context: Any) -> Any:
        seen.append(action.payload)
        yield "Saved."

    async with talking(chat) as client:
        first = await client.create("Hi")
        sender = first.thread.items[-1].id
        payload = {"id": 3, "todo": sent}
        assert (
            await client.action(first.thread.id, "save", payload, item_id=sender)
        ).text == "Saved."
        assert type(seen[0]) is kind
        assert seen[0].id == 3
        assert [getattr(seen[0].todo, name) for name in msgspec.structs.asdict(got)] == [
            *msgspec.structs.astuple(got)
        ]
        wrong = {"id": 3, "todo": {"title": "x", "hours": "soon"}}
        answer = await client.action(first.thread.id, "save", wrong, item_id=sender)
        assert (answer.status, answer.code) == (400, "invalid_payload")
        assert answer.error["path"] == "$.params.action.payload.todo.hours"
