"""ChatKitRouter: handlers by decorator, checked when they are registered."""

from __future__ import annotations

from functools import partial, wraps
from typing import Any

import msgspec
import pydantic
import pytest

from chatkit_asgi import ChatKitRouter, ChatKitServer
from chatkit_asgi.errors import AuthorError
from chatkit_asgi.store import MemoryStore, Store
from chatkit_asgi.types import Page, StreamOptions, Thread
from tests.http.served import Bytes, Held, all_over, card, rows, talking


@pytest.fixture
def store() -> Store[Any]:
    """One store is enough here."""
    return MemoryStore()


@pytest.fixture
def chat(store: Store[Any], options: Any) -> ChatKitRouter[Any]:
    """A router that answers."""
    router: ChatKitRouter[Any] = ChatKitRouter(store, Bytes(), options=options)

    @router.respond
    async def respond(thread: Any, message: Any, context: Any) -> Any:
        yield card(thread)
        yield "Hello"

    return router


# -- registration --------------------------------------------------------------------------------------------------


async def generator(*_: Any) -> Any:
    yield


async def coroutine(*_: Any) -> Any:
    return None


def plain(*_: Any) -> Any:
    return None


def registrations(router: Any) -> dict[str, Any]:
    return {
        "respond": router.respond,
        "action": router.action("a"),
        "sync_action": router.sync_action("a"),
        "feedback": router.feedback,
        "transcribe": router.transcribe,
        "stream_options": router.stream_options,
        "cancelled": router.cancelled,
        "operation": router.operation("threads.list"),
    }


@pytest.mark.parametrize(
    ("name", "handler"),
    [
        ("respond", plain),
        ("action", plain),
        *[
            (name, wrong)
            for name in ("sync_action", "feedback", "transcribe", "cancelled", "operation")
            for wrong in (plain, generator)
        ],
        ("stream_options", coroutine),
        ("stream_options", generator),
    ],
)
def test_a_handler_of_the_wrong_kind(name: str, handler: Any) -> None:
    with pytest.raises(AuthorError, match=r"async|plain"):
        registrations(ChatKitRouter(MemoryStore()))[name](handler)


@pytest.mark.parametrize("name", list(registrations(ChatKitRouter(MemoryStore()))))
def test_two_handlers_for_one_name(name: str) -> None:
    handler = {"respond": generator, "action": generator, "stream_options": plain}.get(
        name, coroutine
    )
    register = registrations(ChatKitRouter(MemoryStore()))[name]
    assert register(handler) is handler, "decorators give the handler back"
    with pytest.raises(AuthorError, match="two"):
        register(handler)


@pytest.mark.parametrize("name", ["action", "sync_action", "operation"])
def test_a_decorator_without_its_parentheses_registers_nothing_and_says_so(name: str) -> None:
    with pytest.raises(
        AuthorError, match=rf'write @chat.{name}\("name"\).*not the function'
    ) as said:
        getattr(ChatKitRouter(MemoryStore()), name)(generator)
    assert "generator" in str(said.value)


async def two(thread: Any, message: Any) -> Any:
    yield


async def three(thread: Any, action: Any, sender: Any) -> Any:
    return None


async def four(thread: Any, message: Any, context: Any, more: Any) -> Any:
    yield


async def named(*, thread: Any, message: Any, context: Any) -> Any:
    yield


def one(thread: Any) -> Any:
    return None


@pytest.mark.parametrize(
    ("name", "handler", "has"),
    [
        ("respond", two, "thread, message"),
        ("respond", four, "thread, message, context, more"),
        ("respond", named, "thread, message, context"),
        ("action", two, "thread, message"),
        ("sync_action", three, "thread, action, sender"),
        ("feedback", three, "thread, action, sender"),
        ("transcribe", three, "thread, action, sender"),
        ("cancelled", partial(three, None), "action, sender"),
        ("stream_options", one, "thread"),
    ],
)
def test_a_handler_that_takes_something_else(name: str, handler: Any, has: str) -> None:
    router = ChatKitRouter(MemoryStore())
    with pytest.raises(AuthorError, match=rf"takes \(.*, context\), and \w+ has \(.*{has}") as said:
        registrations(router)[name](handler)
    assert getattr(handler, "func", handler).__name__ in str(said.value)
    assert not router.handlers


class Team:
    async def respond(self, thread: Any, message: Any, context: Any, more: Any = 1) -> Any:
        yield "Hello"


def with_more(handler: Any) -> Any:
    @wraps(handler)
    async def calling(thread: Any, message: Any, context: Any) -> Any:
        async for each in handler(thread, message, context, "more"):
            yield each

    return calling


async def a_wrapped_one(*_: Any) -> Any:
    return one(1) or None


@pytest.mark.parametrize(
    "handler",
    [
        Team().respond,
        partial(four, more=1),
        partial(Team().respond, more=2),
        with_more(four),
        a_wrapped_one,
    ],
)
def test_whatever_can_be_called_so_will_do(handler: Any) -> None:
    assert ChatKitRouter(MemoryStore()).respond(handler) is handler


@pytest.mark.parametrize("handler", ["Hello", None, 7])
def test_a_handler_that_can_be_no_stream(handler: Any) -> None:
    router: Any = ChatKitRouter(MemoryStore())
    with pytest.raises(AuthorError, match="is a function of"):
        router.respond(handler)


async def test_a_handler_without_a_yield_says_so_at_its_first_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    chat: Any = ChatKitRouter(MemoryStore())

    @chat.respond
    async def respond(thread: Any, message: Any, context: Any) -> Any:
        return "Hello"

    async with talking(chat, handle_signals=False) as client:
        answer = await client.create("Hi")
    assert answer.events[-1]["code"] == "stream.error"
    assert "async generator" in caplog.text


class Plain:
    """Nothing that can be made of JSON."""


class Late(msgspec.Struct):
    later: "Later"  # noqa: UP037


class Later(msgspec.Struct):
    id: int


@pytest.mark.parametrize("payload", [5, "Booking", Plain, Plain | None, generator])
def test_a_payload_that_is_no_type_to_convert_to(payload: Any) -> None:
    router: Any = ChatKitRouter(MemoryStore())
    for register in (router.action, router.sync_action):
        with pytest.raises(AuthorError, match=r"payload= of \w+ 'book' takes a type") as said:
            register("book", payload=payload)
        assert getattr(payload, "__name__", str(payload)) in str(said.value)


@pytest.mark.parametrize("payload", [object, dict, list[int], int | None, Late, Any])
def test_a_payload_that_can_be_converted(payload: Any) -> None:
    ChatKitRouter(MemoryStore()).action("a", payload=payload)(generator)


def test_operations_that_there_are_not() -> None:
    router: Any = ChatKitRouter(MemoryStore())
    with pytest.raises(AuthorError, match="there is no operation"):
        router.operation("threads.lsit")
    with pytest.raises(AuthorError, match="streams"):
        router.operation("threads.create")


async def test_a_router_without_respond_answers_501() -> None:
    async with talking(ChatKitRouter(MemoryStore()), handle_signals=False) as client:
        answer = await client.create("Hi")
        assert (answer.status, answer.code) == (501, "not_implemented")
        assert (await client.action("x", "a")).status == 404
        assert (await client.transcribe(b"x")).status == 501


# -- what handlers get ---------------------------------------------------------------------------------------------


class Payload(msgspec.Struct):
    id: int
    name: str = "default"


class Model(pydantic.BaseModel):
    id: int


async def test_payloads_are_converted(chat: ChatKitRouter[Any]) -> None:
    seen: list[Any] = []

    @chat.action("struct", payload=Payload)
    async def struct(thread: Any, action: Any, sender: Any, context: Any) -> Any:
        seen.append(action.payload)
        yield f"{action.payload.id} {sender.id}"

    @chat.action("model", payload=Model)
    async def model(thread: Any, action: Any, sender: Any, context: Any) -> Any:
        seen.append(action.payload)
        yield "ok"

    @chat.sync_action("list", payload=list[int])
    async def numbers(thread: Any, action: Any, sender: Any, context: Any) -> Any:
        seen.append(action.payload)
        return card(thread, text="Changed")

    @chat.action("any")
    async def anything(thread: Any, action: Any, sender: Any, context: Any) -> Any:
        seen.append(action.payload)
        yield "ok"

    async with talking(chat, page_actions=["struct"]) as client:
        thread_id = (await client.create("Hi")).thread.id
        turn = await client.action(thread_id, "struct", {"id": 1}, item_id="msg_card")
        assert turn.check().text == "1 msg_card"
        assert (await client.action(thread_id, "model", {"id": 2})).ok
        answer = await client.sync_action(thread_id, "list", [1, 2])
        assert answer.check().json["updated_item"]["widget"]["children"][0]["value"] == "Changed"
        assert (await client.action(thread_id, "any", {"x": None})).ok
        assert seen == [Payload(1), Model(id=2), [1, 2], {"x": None}]

        for answer, path in (
            (await client.action(thread_id, "struct", {"id": "x"}), "$.params.action.payload.id"),
            (await client.action(thread_id, "struct", None), "$.params.action.payload"),
            (await client.action(thread_id, "model", {}), "$.params.action.payload.id"),
            (await client.sync_action(thread_id, "list", [1, "a"]), "$.params.action.payload[1]"),
        ):
            assert (answer.status, answer.code) == (400, "invalid_payload")
            assert answer.error["path"] == path
        assert len(seen) == 4


async def test_an_action_that_nobody_handles_is_400(chat: ChatKitRouter[Any]) -> None:
    async with talking(chat) as client:
        thread_id = (await client.create("Hi")).thread.id
        assert (await client.action(thread_id, "a")).status == 501, "no actions at all"
        chat.action("known")(generator)
        chat.sync_action("known")(coroutine)
        for answer in (
            await client.action(thread_id, "a"),
            await client.sync_action(thread_id, "a"),
        ):
            assert (answer.status, answer.code) == (400, "unknown_action")
            assert answer.error["path"] == "$.params.action.type"


async def test_the_other_handlers(chat: ChatKitRouter[Any], store: Store[Any]) -> None:
    seen: list[Any] = []

    @chat.feedback
    async def feedback(thread_id: Any, item_ids: Any, kind: Any, context: Any) -> None:
        seen.append((thread_id, item_ids, kind))

    @chat.transcribe
    async def transcribe(audio: Any, context: Any) -> str:
        return f"{len(audio.data)} bytes of {audio.media_type}"

    @chat.stream_options
    def stream_options(thread: Any, context: Any) -> StreamOptions:
        return StreamOptions(allow_cancel=False)

    @chat.operation("threads.list")
    async def threads_list(server: Any, request: Any, context: Any) -> Page[Thread]:
        assert isinstance(server, ChatKitServer)
        seen.append(request.params.limit)
        return Page(data=[])

    async with talking(chat) as client:
        turn = (await client.create("Hi")).check()
        assert turn.thread.options == {"allow_cancel": False}
        item_id = turn.thread.items[0].id
        assert (await client.feedback(turn.thread.id, [item_id])).ok
        assert (await client.transcribe(b"123")).json == {"text": "3 bytes of audio/webm"}
        assert (await client.list_threads(limit=7)).json == {"data": [], "has_more": False}
        assert seen == [(turn.thread.id, [item_id], "positive"), 7]
        assert await store.load_feedback(turn.thread.id or "", context=None) == {}
        assert (await client.list_threads(limit=-1)).ok, "the whole operation is the author's"


async def test_a_cancelled_handler_gets_what_was_unfinished(
    chat: ChatKitRouter[Any], store: Store[Any]
) -> None:
    seen: list[Any] = []
    chat.handlers.clear()
    held = Held()

    @chat.respond
    async def respond(*_: Any) -> Any:
        async for text in held():
            yield text

    @chat.cancelled
    async def cancelled(thread: Any, pending: Any, context: Any) -> None:
        seen.extend(pending)

    async with talking(chat) as client:
        async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
            await turn.wait_for(lambda event: "delta" in event.get("update", {}))
        await all_over(chat.server)  # type: ignore[arg-type]
    assert [item.content[0].text for item in seen] == ["Hello "]
    stored = await rows(store, turn.thread.id)
    assert [item.type for item in stored] == ["user_message", "assistant_message"], (
        "no note: it is the author's"
    )


async def test_process_of_a_router(chat: ChatKitRouter[Any]) -> None:
    result: Any = await chat.process(b'{"type":"threads.list","params":{}}', None)
    assert result.json == b'{"data":[],"has_more":false}'
    assert chat.store is chat.server.store


# -- what may be yielded -------------------------------------------------------------------------------------------


async def test_a_coroutine_that_returns_a_generator_will_do(chat: ChatKitRouter[Any]) -> None:
    @chat.action("later")
    async def later(*_: Any) -> Any:
        return generated()

    async def generated() -> Any:
        yield "Later"

    @chat.action("wrong")
    async def wrong(*_: Any) -> Any:
        return len("a number")

    async with talking(chat) as client:
        thread_id = (await client.create("Hi")).thread.id
        assert (await client.action(thread_id, "later")).check().text == "Later"
        assert (await client.action(thread_id, "wrong")).types == ["stream_options", "error"]


async def test_text_items_widgets_and_dicts_may_be_mixed(
    chat: ChatKitRouter[Any], store: Store[Any]
) -> None:
    from chatkit_asgi.types import EndOfTurnItem, ProgressUpdateEvent
    from chatkit_asgi.widgets import Card, Text
    from tests.http.served import base

    @chat.action("mixed")
    async def mixed(thread: Any, *_: Any) -> Any:
        yield "one "
        yield ProgressUpdateEvent(text="Working")
        yield "message"
        yield {"type": "Card", "children": [{"type": "Text", "value": "as JSON"}]}
        yield Card(children=[Text(value="as objects")])
        yield "another"
        yield EndOfTurnItem(**base(thread, "msg_end"))

    async with talking(chat) as client:
        thread_id = (await client.create("Hi")).thread.id
        turn = (await client.action(thread_id, "mixed")).check()
        stored = (await rows(store, thread_id))[3:]
        assert [item.type for item in stored] == [
            "assistant_message",
            "widget",
            "widget",
            "assistant_message",
            "end_of_turn",
        ]
        assert stored[0].content[0].text == "one message"
        assert turn.items == stored
        assert turn.types.index("progress_update") < turn.types.index("thread.item.done")
