"""Threads and connections behind real sockets: what a handler asks of the ORM, and what an open stream holds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import anyio
import pytest
from chatkit_django import DjangoStore
from django.contrib.auth import get_user_model
from django.core.signals import request_finished
from django.db import connection, connections
from django.test import override_settings

from chatkit_asgi import Options
from tests.django.settings import MIDDLEWARE
from tests.http.served import Held, Served, all_over, rows
from tests.stacks.conftest import make_server
from tests.stacks.django import Django
from tests.stacks.site import serving

People: Any = get_user_model()
LIMIT = 10.0


def sync_middleware(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """As many write it: Django gives it a thread, and runs the view from there."""

    def middleware(request: Any) -> Any:
        return get_response(request)

    return middleware


SYNC = f"{__name__}.sync_middleware"
AROUND = {
    "async": MIDDLEWARE,
    "sync": [SYNC, *MIDDLEWARE],
    "sync inside": [*MIDDLEWARE, SYNC],
    "buffering": [
        "django.middleware.gzip.GZipMiddleware",
        "django.middleware.http.ConditionalGetMiddleware",
        SYNC,
        *MIDDLEWARE,
    ],
}


@pytest.fixture(params=AROUND)
def middleware(request: pytest.FixtureRequest, database: Path) -> Any:
    """What stands around the view."""
    with override_settings(MIDDLEWARE=AROUND[request.param]):
        yield request.param


async def test_no_middleware_holds_a_stream_back(middleware: str) -> None:
    """Invariant: the next word is only said when the last has been read; and nobody compresses it."""
    server = make_server(Options(handle_signals=False))
    send, receive = anyio.create_memory_object_stream[str](0)

    async def dictated(*_: Any) -> Any:
        async for word in receive:
            yield word

    server.responding = dictated
    async with send, receive, serving(Django(), server) as site:
        client = site.client(accept_encoding="gzip, deflate, br")
        async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
            assert "content-encoding" not in turn.headers
            for number in range(20):
                with anyio.fail_after(LIMIT):
                    await send.send(f"word{number} ")
                    event = await turn.wait_for(lambda event: "delta" in event.get("update", {}))
                assert event["update"]["delta"] == f"word{number} "
            send.close()
            await turn.read()
    await all_over(server)


async def test_a_handler_may_ask_the_orm_while_it_streams_and_when_nobody_watches_any_more(
    middleware: str,
) -> None:
    """Invariant: that the request, its thread and its middleware are over means nothing to the turn."""
    server = make_server(Options(on_disconnect="finish", handle_signals=False))
    left = anyio.Event()
    seen: list[int] = []

    async def counting(*_: Any) -> Any:
        seen.append(await People.objects.acount())
        yield "one "
        await left.wait()
        seen.append(await People.objects.acount())
        await People.objects.acreate(username=f"guest{len(seen)}")
        yield "two"

    server.responding = counting
    async with serving(Django(), server) as site:
        client = site.client()
        async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
            await turn.wait_for(lambda event: "delta" in event.get("update", {}))
        left.set()
        await all_over(server)
        assert seen == [0, 0]
        stored = await rows(server.store, turn.thread.id)
        assert stored[-1].content[0].text == "one two"
        assert await People.objects.acount() == 1
    await no_thread_is_left("chatkit-turn")


async def test_leaving_stops_the_turn_whatever_stands_around(middleware: str) -> None:
    server = make_server(Options(handle_signals=False))
    held = Held()
    server.responding = held
    async with serving(Django(), server) as site:
        client = site.client()
        async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
            await turn.wait_for(lambda event: "delta" in event.get("update", {}))
        await all_over(server)
    assert held.ends in (["cancelled"], ["closed"])


async def no_thread_is_left(prefix: str) -> None:
    """Wait until the threads of that name have ended."""
    with anyio.fail_after(LIMIT):
        while any(  # noqa: ASYNC110 (a thread tells no event)
            thread.name.startswith(prefix) for thread in threading.enumerate()
        ):
            await anyio.sleep(0.01)


async def test_a_client_that_never_reads_is_given_up(database: Path) -> None:
    """Invariant: a send that takes too long ends the request, and not only the turn."""
    options = Options(send_timeout=0.4, viewer_buffer=1024, handle_signals=False)
    server = make_server(options)

    async def endless(*_: Any) -> Any:
        while True:
            yield "x" * 64_000
            await anyio.lowlevel.checkpoint()

    server.responding = endless
    async with serving(Django(), server) as site:
        client = site.client()
        async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
            await turn.wait_for("stream_options")
            await all_over(server)
            with suppress(OSError, anyio.BrokenResourceError):
                await turn.read()
            assert not turn.complete


# -- connections, as PostgreSQL counts them --------------------------------------------------------------------------


def open_connections() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return int(cursor.fetchone()[0])


async def connections_come_down_to(number: int) -> None:
    from asgiref.sync import sync_to_async

    with anyio.fail_after(LIMIT):
        while (found := await sync_to_async(open_connections)()) > number:  # noqa: ASYNC110 (nor does a database)
            await anyio.sleep(0.02)
    assert found <= number


async def test_open_streams_share_two_connections(postgres: None) -> None:
    """Invariant: however many answers are open, and although each request asked its session and its user first."""
    server = Served(DjangoStore(), Options(handle_signals=False))
    go = anyio.Event()

    async def waiting(thread: Any, message: Any, context: Any) -> Any:
        yield context.user_id
        await go.wait()
        yield "!"

    server.responding = waiting
    async with serving(Django(), server, guarded=True) as site, AsyncExitStack() as stack:
        turns: list[Any] = []
        for number in range(12):
            client = await site.signed_in(f"user{number}")
            params = {"input": client.message("Hi")}
            turn = await stack.enter_async_context(client.stream("threads.create", params))
            await turn.wait_for(lambda event: "delta" in event.get("update", {}))
            turns.append(turn)
        assert len(server.turns) == 12
        await connections_come_down_to(2)
        go.set()
        for turn in turns:
            await turn.read()
            assert turn.complete
        await all_over(server)
    await server.store.close()
    await connections_come_down_to(0)


async def test_what_a_handler_opened_is_closed_with_its_turn(postgres: None) -> None:
    server = Served(DjangoStore(), Options(handle_signals=False))
    counted: list[int] = []

    async def asking(thread: Any, message: Any, context: Any) -> Any:
        counted.append(await People.objects.acount())
        yield "asked"

    server.responding = asking
    async with serving(Django(), server, guarded=True) as site:
        for number in range(3):
            await (await site.signed_in(f"user{number}")).create("Hi")
        await all_over(server)
        await connections_come_down_to(2)
    assert counted == [1, 2, 3]
    await server.store.close()
    await connections_come_down_to(0)
    await no_thread_is_left("chatkit")
    assert connections["default"].vendor == "postgresql"


async def test_what_listens_for_the_end_of_requests_is_run_in_a_few_threads(postgres: None) -> None:
    """Invariant: a receiver of ``request_finished`` may ask the ORM, and what it opened is closed; however many streams
    end, they end in the same few threads."""
    server = Served(DjangoStore(), Options(handle_signals=False))
    ended: list[str] = []

    def receiver(**_: Any) -> None:
        name = threading.current_thread().name
        if name.startswith("request-end") and People.objects.count() == 1:
            ended.append(name)

    request_finished.connect(receiver)
    try:
        async with serving(Django(), server, guarded=True) as site:
            client = await site.signed_in("user")
            for _ in range(8):
                await client.create("Hi")
            await all_over(server)
            with anyio.fail_after(LIMIT):
                while len(ended) < 8:  # noqa: ASYNC110 (the client has its answer before)
                    await anyio.sleep(0.01)
            await connections_come_down_to(2)
    finally:
        request_finished.disconnect(receiver)
    assert len(ended) == 8
    assert len(set(ended)) <= 4
    await server.store.close()
    await connections_come_down_to(0)
