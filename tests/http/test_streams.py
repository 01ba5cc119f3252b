"""How a stream travels: at once, many frames in one message, held back by a slow reader, on real servers."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from chatkit_asgi import ChatKitApp
from chatkit_asgi.store import Store
from chatkit_asgi.testing import ChatKitClient, SocketTransport
from tests.http.served import Held, Served, all_over, rows, talking

CREATE = {"type": "threads.create", "params": {"input": ChatKitClient.message("Hi")}}


async def test_the_first_frames_go_out_while_the_handler_works(
    server: Served, client: ChatKitClient
) -> None:
    async def respond(*_: Any) -> Any:
        await anyio.sleep_forever()
        yield

    server.responding = respond
    async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
        assert (await turn.next())["type"] == "thread.created"
        assert (await turn.next())["type"] == "thread.item.done"
        assert (await turn.next())["type"] == "stream_options"


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # trio runs ready tasks in any order
async def test_the_first_frames_go_out_before_a_handler_that_keeps_the_loop_to_itself(
    server: Served, client: ChatKitClient
) -> None:
    """The first call of a model's SDK builds types for a second or more without letting anybody else run."""
    sent: list[bytes] = []
    seen = b""

    async def respond(*_: Any) -> Any:
        nonlocal seen
        seen = b"".join(sent)
        yield "Hello"

    server.responding = respond
    transport: Any = client.transport
    app = transport._bridge.app

    async def recording(scope: Any, receive: Any, send: Any) -> None:
        async def sending(message: Any) -> None:
            sent.append(message.get("body", b""))
            await send(message)

        await app(scope, receive, sending)

    transport._bridge.app = recording
    await client.create("Hi")
    assert seen.count(b"data: ") == 3, "thread.created, thread.item.done, stream_options"


@pytest.mark.parametrize("store", ["memory"], indirect=True)
async def test_what_is_ready_goes_out_as_one_message(server: Served, client: ChatKitClient) -> None:
    async def respond(*_: Any) -> Any:
        for n in range(50):
            yield str(n)

    server.responding = respond
    async with client.transport._bridge.stream(CREATE) as response:  # type: ignore[attr-defined]
        await response.read()
    assert len(response.all_events()) > 50
    assert len(response.sent) < 10


@pytest.mark.parametrize("store", ["memory"], indirect=True)
async def test_a_reader_that_stops_holds_the_handler_back(server: Served) -> None:
    said = 0

    async def respond(*_: Any) -> Any:
        nonlocal said
        while True:
            said += 1
            yield "x" * 1000
            await anyio.lowlevel.checkpoint()

    server.responding = respond
    async with talking(server, viewer_buffer=10_000) as client:
        async with client.transport._bridge.stream(CREATE, high_water=10_000) as response:  # type: ignore[attr-defined]
            await response.wait_blocked()
            before = -1
            with anyio.fail_after(10):
                while before != said:
                    before = said
                    for _ in range(50):
                        await anyio.lowlevel.checkpoint()
            assert said < 1000
        await all_over(server)
        [thread] = (await client.list_threads()).data
        stored = await rows(server.store, thread["id"])
        assert len(stored[1].content[0].text) == 1000 * said or len(
            stored[1].content[0].text
        ) == 1000 * (said - 1)


@pytest.mark.parametrize("store", ["memory"], indirect=True)
async def test_a_reader_that_never_takes_anything_is_given_up(server: Served) -> None:
    async def respond(*_: Any) -> Any:
        while True:
            yield "x" * 1000
            await anyio.lowlevel.checkpoint()

    server.responding = respond
    async with (
        talking(server, viewer_buffer=10_000, send_timeout=0.05) as client,
        client.transport._bridge.stream(CREATE, high_water=100) as response,  # type: ignore[attr-defined]
    ):
        await response.wait_ended()
        response.error = None  # the answer ends in the middle: there is nobody to tell
        await all_over(server)


async def test_the_request_task_being_cancelled_keeps_what_was_said(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    server.responding = Held()
    async with client.transport._bridge.stream(CREATE) as response:  # type: ignore[attr-defined]
        await response.wait_for(lambda event: "delta" in event.get("update", {}))
        await response.cancel()
    await all_over(server)
    [thread] = (await client.list_threads()).data
    assert (await rows(store, thread["id"]))[1].content[0].text == "Hello "


async def test_a_server_that_reports_a_disconnect_as_an_error_of_send(
    server: Served, client: ChatKitClient, store: Store[Any]
) -> None:
    held = Held()
    server.responding = held
    async with client.transport._bridge.stream(CREATE, send_raises=True) as response:  # type: ignore[attr-defined]
        await response.wait_for(lambda event: "delta" in event.get("update", {}))
    await all_over(server)
    [thread] = (await client.list_threads()).data
    assert (await rows(store, thread["id"]))[1].content[0].text == "Hello "


# -- real sockets --------------------------------------------------------------------------------------------------


@asynccontextmanager
async def uvicorn_serving(app: Any, *, lifespan: Any = "on") -> AsyncIterator[str]:
    """``app`` behind uvicorn on a free port, which takes connections before uvicorn does."""
    import uvicorn

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        config = uvicorn.Config(
            app,
            log_config=None,
            lifespan=lifespan,
            timeout_graceful_shutdown=5,
            ws="none",
        )
        running = uvicorn.Server(config)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(running._serve, [listening])
            try:
                yield f"http://127.0.0.1:{listening.getsockname()[1]}/chatkit"
            finally:
                running.should_exit = True


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_over_a_real_socket(server: Served, store: Store[Any]) -> None:
    async with uvicorn_serving(ChatKitApp(server)) as url:
        client = ChatKitClient(url)
        turn = (await client.create("Hi")).check()
        assert turn.text == "Hello world"
        assert turn.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert (await client.get_thread(turn.thread.id)).ok
        assert (await client.get_thread("nope")).code == "not_found"
        held = Held()
        server.responding = held
        params = {"thread_id": turn.thread.id, "input": client.message("More")}
        async with client.stream("threads.add_user_message", params) as turn:
            await turn.wait_for(lambda event: event.get("update", {}).get("delta") == "Hello ")
        await all_over(server)
        assert not turn.complete
    stored = await rows(store, turn.thread.id)
    assert [item.type for item in stored[2:]] == [
        "user_message", "assistant_message", "sdk_hidden_context",
    ]  # fmt: skip
    assert stored[3].content[0].text == "Hello "


def test_a_transport_wants_a_url() -> None:
    for wrong in ("localhost:8000", "ftp://x/", "/chatkit"):
        with pytest.raises(ValueError, match="URL"):
            SocketTransport(wrong)
    transport = SocketTransport("https://example.com/chat?x=1")
    assert (transport.host, transport.port, transport.tls, transport.target) == (
        "example.com", 443, True, "/chat?x=1",
    )  # fmt: skip
