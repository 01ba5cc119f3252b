"""The protocol client: what a page would show, over any transport, in pieces of any size."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from chatkit_asgi import ChatKitApp, ChatKitRouter, Options
from chatkit_asgi.store import MemoryStore
from chatkit_asgi.testing import (
    Answer,
    ASGIBridge,
    BridgeTransport,
    ChatKitClient,
    Failed,
    ThreadState,
)

BASE = {"thread_id": "thr_1", "created_at": "2026-03-14T09:26:53Z"}
THREAD = {"id": "thr_1", "created_at": "2026-03-14T09:26:53Z", "items": {"data": []}}


def message(item_id: str, text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text}] if text else []
    return {**BASE, "id": item_id, "type": "assistant_message", "content": content}


def delta(item_id: str, text: str) -> dict[str, Any]:
    update = {
        "type": "assistant_message.content_part.text_delta",
        "content_index": 0,
        "delta": text,
    }
    return {"type": "thread.item.updated", "item_id": item_id, "update": update}


def seen(*events: dict[str, Any]) -> ThreadState:
    state = ThreadState()
    for event in events:
        state.apply(event)
    return state


# -- the thread ----------------------------------------------------------------------------------------------------


def test_a_message_grows_and_is_done() -> None:
    state = seen(
        {"type": "thread.created", "thread": {**THREAD, "title": "t"}},
        {"type": "thread.item.added", "item": message("m1", "")},
        delta("m1", "Hel"),
        delta("m1", "lo"),
    )
    assert (state.id, state.title, state.text, state.unfinished) == ("thr_1", "t", "Hello", ["m1"])
    state.apply({"type": "thread.item.done", "item": message("m1", "Hello!")})
    assert (state.text, state.unfinished) == ("Hello!", [])


def test_items_are_replaced_in_their_place_and_removed() -> None:
    state = seen(
        *[{"type": "thread.item.done", "item": message(name, name)} for name in ("a", "b", "c")],
        {"type": "thread.item.replaced", "item": message("b", "better")},
        {"type": "thread.item.removed", "item_id": "a"},
    )
    assert [item.content[0].text for item in state.items] == ["better", "c"]
    assert state.item("b").content[0].text == "better"


def test_a_finished_item_can_be_updated() -> None:
    widget = {**BASE, "id": "w", "type": "widget", "widget": {"type": "Card", "children": []}}
    root = {"type": "widget.root.updated", "widget": {"type": "Card", "children": [], "size": "sm"}}
    state = seen(
        {"type": "thread.item.done", "item": widget},
        {"type": "thread.item.updated", "item_id": "w", "update": root},
    )
    assert state.item("w").widget.size == "sm"
    assert state.unfinished == []


def test_what_makes_no_sense_is_noted_and_changes_nothing() -> None:
    state = seen(
        delta("nobody", "x"),
        {"type": "thread.item.done", "item": message("m", "x")},
        {"type": "thread.item.updated", "item_id": "m", "update": {"type": "new.update"}},
        {"type": "thread.item.updated", "item_id": "m", "update": {"type": "workflow.task.added"}},
        {"type": "blocked_features"},
    )
    assert state.text == "x"
    assert len(state.problems) == 3


def test_an_unknown_item_is_kept() -> None:
    state = seen(
        {"type": "thread.item.done", "item": {**BASE, "id": "u", "type": "new_item", "x": 1}}
    )
    assert state.item("u").model_dump()["x"] == 1


def test_the_rest_of_the_screen() -> None:
    call = {
        **BASE,
        "id": "tc",
        "type": "client_tool_call",
        "call_id": "c",
        "name": "n",
        "arguments": {},
    }
    state = seen(
        {"type": "stream_options", "stream_options": {"allow_cancel": True}},
        {"type": "progress_update", "text": "Reading"},
    )
    assert state.options == {"allow_cancel": True}
    assert state.progress is not None
    state.apply({"type": "thread.item.done", "item": call})
    assert state.progress is None
    assert state.pending_tool_call.id == "tc"
    state.drop_after("nobody")
    assert len(state.items) == 1
    state.replace_items([])
    assert (state.items, state.text, state.pending_tool_call) == ([], "", None)


# -- answers -------------------------------------------------------------------------------------------------------


def test_a_refusal_in_any_form() -> None:
    answer = Answer({"type": "threads.list"})
    answer.status = 502
    for body, shown in (
        (b"", {}),
        (b"<html>", {"message": "<html>"}),
        (b'{"detail":"no"}', {"message": "{'detail': 'no'}"}),
        (b'{"error":{"code":"x","message":"y"}}', {"code": "x", "message": "y"}),
    ):
        answer.body = body
        assert answer.error == shown
    with pytest.raises(Failed, match=r"threads.list: 502 x y"):
        answer.check()


@pytest.fixture
async def client() -> AsyncIterator[ChatKitClient]:
    chat: ChatKitRouter[Any] = ChatKitRouter(MemoryStore(), options=Options(handle_signals=False))

    @chat.respond
    async def respond(thread: Any, message: Any, context: Any) -> Any:
        yield "Hello "
        yield "world"
        if message.content[0].text == "fail":
            raise ValueError

    async with ASGIBridge(ChatKitApp(chat), lifespan=True) as bridge:
        yield ChatKitClient(bridge)


async def test_the_client_keeps_threads_as_a_page_would(client: ChatKitClient) -> None:
    turn = (await client.create("Hi")).check()
    assert client.threads == {turn.thread.id: turn.thread}
    again = await client.send(turn.thread.id, "More")
    assert again.thread is turn.thread
    assert len(turn.thread.items) == 4
    assert len(again.items) == 2
    await client.update(turn.thread.id, "Title")
    assert turn.thread.title == "Title"
    await client.delete(turn.thread.id)
    assert client.threads == {}


async def test_a_failed_stream_is_not_ok(client: ChatKitClient) -> None:
    turn = await client.create("fail")
    assert not turn.ok
    assert turn.text == "Hello world"
    assert turn.code == "stream.error"
    with pytest.raises(Failed, match="create"):
        turn.check()


async def test_a_stream_that_is_left_is_not_complete(client: ChatKitClient) -> None:
    async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
        assert (await turn.wait_for("thread.created"))["type"] == "thread.created"
    assert not turn.complete
    await turn.read()  # what had come already can still be read
    assert await turn.next() is None
    async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
        with pytest.raises(LookupError, match="the stream ended"):
            await turn.wait_for("never")
    assert turn.complete


# -- sockets -------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def answering(*pieces: bytes) -> AsyncIterator[str]:
    """A server that answers one request with these bytes, piece by piece, and hangs up."""

    async def handle(stream: Any) -> None:
        async with stream:
            with anyio.fail_after(10):
                head = b""
                while b"\r\n\r\n" not in head:
                    head += await stream.receive()
                for piece in pieces:
                    await stream.send(piece)

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        yield f"http://127.0.0.1:{port}/chatkit"
        tasks.cancel_scope.cancel()


EVENT = b'data: {"type":"notice","level":"info","message":"\xc3\xa9"}\n\n'
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"


def chunked(data: bytes) -> bytes:
    return b"%x;ext=1\r\n%b\r\n" % (len(data), data)


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_chunked_answers_in_pieces_of_any_size(size: int) -> None:
    raw = (
        b"HTTP/1.1 100 Continue\r\n\r\n"
        + STREAM
        + b"Transfer-Encoding: Chunked\r\n\r\n"
        + chunked(EVENT[:50])
        + chunked(EVENT[50:] + EVENT)
        + b"0\r\ntrailer: x\r\n\r\n"
    )
    async with answering(*[raw[at : at + size] for at in range(0, len(raw), size)]) as url:
        turn = (await ChatKitClient(url).create("Hi")).check()
    assert [event["message"] for event in turn.events] == ["é", "é"]
    assert turn.frames[0] == EVENT[6:-2].decode()


@pytest.mark.parametrize(
    ("rest", "complete"),
    [
        (b"Transfer-Encoding: chunked\r\n\r\n" + chunked(EVENT), False),
        (b"Content-Length: 1000\r\n\r\n" + EVENT, False),
        (b"Content-Length: %d\r\n\r\n" % len(EVENT) + EVENT, True),
        (b"\r\n" + EVENT, True),
    ],
)
async def test_a_cut_answer_is_not_complete(rest: bytes, complete: bool) -> None:
    async with answering(STREAM + rest) as url:
        turn = await ChatKitClient(url).create("Hi")
    assert len(turn.events) == 1
    assert turn.complete is complete


async def test_no_answer_at_all_is_a_connection_error() -> None:
    async with answering() as url:
        with pytest.raises(ConnectionError):
            await ChatKitClient(url).list_threads()


async def test_json_over_a_socket() -> None:
    body = json.dumps({"data": [THREAD], "has_more": True, "after": "thr_1"}).encode()
    head = b"HTTP/1.1 200 OK\r\nX-Request-Id: r\r\nContent-Length: %d\r\n\r\n" % len(body)
    async with answering(head + body) as url:
        page = (await ChatKitClient(url).list_threads()).check()
    assert (page.ids, page.has_more, page.after, page.request_id) == (["thr_1"], True, "thr_1", "r")


async def test_a_silent_server_is_given_up() -> None:
    async def silent(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while (await receive())["type"] != "http.disconnect":
            pass

    async with ASGIBridge(silent) as bridge:
        client = ChatKitClient(BridgeTransport(bridge), timeout=0.05)
        with pytest.raises(TimeoutError):
            await client.create("Hi")
