"""Streams, on every stack, over real sockets: at once, one by one, and stopped when the client leaves."""

from __future__ import annotations

from typing import Any

import anyio

from chatkit_asgi import Options
from chatkit_asgi.protocol.codec import encode
from tests.http.served import Held, Served, all_over, rows
from tests.stacks.conftest import make_server
from tests.stacks.site import PATIENCE, serving
from tests.stacks.stack import Stack


def is_delta(event: Any) -> bool:
    return "delta" in event.get("update", {})


async def test_the_first_bytes_come_while_the_handler_thinks(stack: Stack, server: Served) -> None:
    """Invariant: headers and what is known at once are sent at once, before the handler says anything."""
    held = Held()

    async def thinking(*arguments: Any) -> Any:
        held.started.set()
        await held.go.wait()
        yield "At last."

    server.responding = thinking
    async with serving(stack, server) as site:
        client = site.client()
        async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
            assert turn.status == 200
            assert turn.headers["content-type"] == "text/event-stream; charset=utf-8"
            assert turn.headers["cache-control"] == "no-cache, no-transform"
            assert turn.headers["x-accel-buffering"] == "no"
            assert "content-length" not in turn.headers
            assert (await turn.next())["type"] == "thread.created"
            await turn.wait_for("thread.item.done")
            await held.started.wait()
            held.go.set()
            await turn.read()
        assert turn.check().text == "At last."


async def test_events_come_one_by_one(stack: Stack, server: Served) -> None:
    """Invariant: nothing is held back: the handler says the next word only when the client has read the last."""
    send, receive = anyio.create_memory_object_stream[str](0)

    async def dictated(*_: Any) -> Any:
        async for word in receive:
            yield word

    server.responding = dictated
    async with send, receive, serving(stack, server) as site:
        client = site.client()
        async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
            for number in range(50):
                with anyio.fail_after(PATIENCE):
                    await send.send(f"word{number} ")
                event = await turn.wait_for(is_delta)
                assert event["update"]["delta"] == f"word{number} "
            send.close()
            await turn.read()
        assert turn.check().text == "".join(f"word{number} " for number in range(50))


async def test_silence_is_kept_alive_with_comments(stack: Stack) -> None:
    server = make_server(Options(keep_alive=0.05, handle_signals=False))
    held = Held()
    server.responding = held
    async with serving(stack, server) as site:
        client = site.client()
        async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
            await turn.wait_for(is_delta)
            reading = turn.body
            with anyio.fail_after(PATIENCE):
                async for chunk in turn._chunks or ():  # type: ignore[attr-defined, union-attr]
                    reading += chunk
                    if reading.count(b": keep-alive\n\n") >= 3:
                        break
            held.go.set()
        await all_over(server)


async def test_leaving_stops_the_turn_and_keeps_what_was_said(stack: Stack, server: Served) -> None:
    held = Held()
    server.responding = held
    async with serving(stack, server) as site:
        client = site.client()
        async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
            await turn.wait_for(is_delta)
        await all_over(server)
        assert held.ends in (["cancelled"], ["closed"])
        stored = await rows(server.store, turn.thread.id)
        assert [item.type for item in stored] == [
            "user_message", "assistant_message", "sdk_hidden_context",
        ]  # fmt: skip
        assert stored[1].content[0].text == "Hello "
        seen = (await client.items(turn.thread.id)).check().items
        assert len(seen) == 2


async def test_leaving_a_silent_stream_is_noticed(stack: Stack, server: Served) -> None:
    """A stream on which nothing is sent has nothing to fail with: only the server can tell."""
    held = Held(before="")

    async def silent(*arguments: Any) -> Any:
        held.started.set()
        async for event in held(*arguments):
            yield event

    server.responding = silent
    async with serving(stack, server) as site:
        client = site.client()
        async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
            await turn.wait_for("stream_options")
            await held.started.wait()
        await all_over(server)
    assert held.ends in ([], ["cancelled"], ["closed"])


async def test_leaving_lets_a_turn_finish_that_may(stack: Stack) -> None:
    server = make_server(Options(on_disconnect="finish", handle_signals=False))
    held = Held()
    server.responding = held
    async with serving(stack, server) as site:
        client = site.client()
        async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
            await turn.wait_for(is_delta)
        held.go.set()
        await all_over(server)
        assert held.ends == ["finished"]
        stored = await rows(server.store, turn.thread.id)
        assert stored[-1].content[0].text == "Hello world"


async def test_a_client_that_does_not_read_holds_the_handler_back(stack: Stack) -> None:
    """Invariant: what waits for a slow client is bounded, and comes when it reads again."""
    server = make_server(Options(viewer_buffer=32 * 1024, handle_signals=False))
    said, words, word = 0, 4000, "x" * 16_000

    async def endless(*_: Any) -> Any:
        nonlocal said
        for said in range(words):  # noqa: B007 (told to the test)
            yield word
            await anyio.lowlevel.checkpoint()

    server.responding = endless
    async with serving(stack, server) as site:
        client = site.client()
        create = encode({"type": "threads.create", "params": {"input": client.message("Hi")}})
        async with client.transport.stream(create, client.headers) as response:
            before = -1
            with anyio.fail_after(PATIENCE):
                while said == 0 or said != before:  # until it has not gone on for a while
                    before = said
                    await anyio.sleep(0.2)
            assert said < words / 2, (
                "64 MB: sockets and servers, a proxy too, hold some; nobody all"
            )
            body = b"".join([chunk async for chunk in response.chunks()])
            assert response.complete
        assert body.count(b"x") >= words * len(word)
        assert said == words - 1


async def test_an_error_ends_the_stream_properly(stack: Stack, server: Served) -> None:
    async def failing(*_: Any) -> Any:
        yield "Half of it"
        raise RuntimeError("SECRET")

    server.responding = failing
    async with serving(stack, server) as site:
        turn = await site.client().create("Hi")
        assert turn.status == 200
        assert turn.complete
        assert [event["code"] for event in turn.errors] == ["stream.error"]
        assert b"SECRET" not in turn.body
        assert turn.text == "Half of it"


async def test_many_streams_at_once_do_not_mix(stack: Stack, server: Served) -> None:
    async def echo(thread: Any, message: Any, context: Any) -> Any:
        for _ in range(20):
            yield message.content[0].text + " "
            await anyio.lowlevel.checkpoint()

    server.responding = echo
    async with serving(stack, server) as site, anyio.create_task_group() as tasks:

        async def one(number: int) -> None:
            turn = await site.client().create(f"n{number}")
            assert turn.check().text == f"n{number} " * 20

        for number in range(25):
            tasks.start_soon(one, number)
