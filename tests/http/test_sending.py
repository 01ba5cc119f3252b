"""A stream is sent by a task of its own, while the request's task waits for the client to go. What lies around an app
must not notice: servers and middleware that fail, cancel, limit the time or keep something in context variables."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import anyio
import pytest

from chatkit_asgi import ChatKitApp, Options
from chatkit_asgi.http import Response
from chatkit_asgi.store import Store
from chatkit_asgi.testing import ASGIBridge, ASGIResponse, ChatKitClient
from tests.http.served import Held, Served, all_over, rows

pytestmark = pytest.mark.parametrize("store", ["memory"], indirect=True)

CREATE = {"type": "threads.create", "params": {"input": ChatKitClient.message("Hi")}}
ASGI = Callable[[Any, Any, Any], Awaitable[None]]


def is_delta(event: Any) -> bool:
    return "delta" in event.get("update", {})


def around_send(app: ASGI, wrapped: Callable[[Any, Any], Awaitable[None]]) -> ASGI:
    """``app`` within a middleware whose ``send`` is ``wrapped(send, message)``."""

    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, lambda message: wrapped(send, message))

    return middleware


async def text_of(server: Served, store: Store[Any]) -> str:
    """What is stored of the only answer, when the turn is over."""
    await all_over(server)
    page = await store.load_threads(limit=9, after=None, order="asc", context=None)
    [thread] = page.data
    text: str = (await rows(store, thread.id))[1].content[0].text
    return text


class Broken(Exception):
    """Of some middleware or server."""


@pytest.mark.parametrize("when", ["first", "delta", "last"])
async def test_what_send_raises_reaches_the_server(
    server: Served, store: Store[Any], when: str
) -> None:
    """Invariant: the very exception, once; the turn is stopped, and what was said is kept."""
    problem = Broken(when)

    async def failing(send: Any, message: Any) -> None:
        body = message.get("body", b"")
        if message["type"] == "http.response.body" and (
            when == "first"
            or (when == "delta" and b"delta" in body)
            or (when == "last" and not message.get("more_body"))
        ):
            raise problem
        await send(message)

    held = Held()
    held.go.set()
    server.responding = held if when == "last" else Held()
    async with ASGIBridge(around_send(ChatKitApp(server), failing)) as bridge:
        async with bridge.stream(CREATE) as response:
            await response.wait_ended()
            assert response.error is problem
            response.error = None
        if when != "first":
            said = "Hello world" if when == "last" else "Hello "
            assert await text_of(server, store) == said
        await all_over(server)


async def test_a_server_whose_receive_fails_has_lost_its_client(
    server: Served, store: Store[Any]
) -> None:
    app = ChatKitApp(server)
    server.responding = Held()
    lost = anyio.Event()

    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        async def failing() -> Any:
            message = await receive()
            if message["type"] == "http.disconnect":
                lost.set()
                raise Broken
            return message

        await app(scope, failing, send)

    async with ASGIBridge(middleware) as bridge:
        async with bridge.stream(CREATE) as response:
            await response.wait_for(is_delta)
        assert lost.is_set()
        assert await text_of(server, store) == "Hello "


async def blocked(response: ASGIResponse) -> None:
    """Read the first event, then wait until the app is held in ``send``."""
    await response.wait_for(is_delta)
    await response.wait_blocked()


async def endless(*_: Any) -> Any:
    while True:
        yield "x" * 1000
        await anyio.lowlevel.checkpoint()


@pytest.mark.parametrize("how", ["cancelled", "left", "silent"])
async def test_nothing_is_sent_any_more_when_the_app_has_returned(
    server: Served, store: Store[Any], how: str
) -> None:
    """Invariant: cancelled from outside or left in the middle of a send, the app takes it with it."""
    app = ChatKitApp(server)
    server.responding = Held() if how == "silent" else endless
    under_way = 0
    when_over: list[int] = []
    too_late: list[int] = []

    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        async def counting(message: Any) -> None:
            nonlocal under_way
            too_late.extend(when_over)
            under_way += 1
            try:
                await send(message)
            finally:
                under_way -= 1

        try:
            await app(scope, receive, counting)
        finally:
            when_over.append(under_way)

    async with ASGIBridge(middleware) as bridge:
        async with bridge.stream(CREATE, high_water=5000) as response:
            if how == "silent":
                await response.wait_for(is_delta)
            else:
                await blocked(response)
                assert under_way == 1
            if how == "cancelled":
                await response.cancel()
        await text_of(server, store)
    assert (when_over, too_late) == ([0], [])


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_what_came_in_is_told_in_the_step_that_reads_the_request(
    server: Served, store: Store[Any]
) -> None:
    """So that of many requests that come together, none waits for the others with its first event."""
    sent: list[tuple[int, Any]] = []
    turns_of_the_loop = 0
    read = False

    def turn() -> None:
        nonlocal turns_of_the_loop
        turns_of_the_loop += 1

    async def receive() -> Any:
        nonlocal read
        if read:
            await anyio.sleep_forever()
        read = True
        asyncio.get_running_loop().call_soon(turn)  # when what runs now lets go
        return {"type": "http.request", "body": json.dumps(CREATE).encode()}

    async def send(message: Any) -> None:
        sent.append((turns_of_the_loop, message))

    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/chatkit", "headers": headers}
    await ChatKitApp(server)(scope, receive, send)
    await all_over(server)
    start, *pieces = (message for _, message in sent)
    assert start["status"] == 200
    assert sent[1][0] == 0
    assert pieces[0]["body"].count(b"data: ") == 3  # the thread, the message, the options
    # The last event and the end of the stream are one message, and nothing comes after it.
    assert [piece["more_body"] for piece in pieces] == [True] * (len(pieces) - 1) + [False]
    assert pieces[-1]["body"]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_handlers_begin_when_what_came_in_is_told_for_all(
    server: Served, store: Store[Any]
) -> None:
    """Invariant: also for a request that comes one turn of the loop later, as when many are accepted one by one."""
    order: list[str] = []

    async def busy(*_: Any) -> Any:
        order.append("handler")
        yield "Hello"

    async def noting(send: Any, message: Any) -> None:
        if b"thread.created" in message.get("body", b""):
            order.append("told")
        await send(message)

    server.responding = busy
    async with ASGIBridge(around_send(ChatKitApp(server), noting)) as bridge:

        async def ask() -> None:
            async with bridge.stream(CREATE) as response:
                await response.wait_ended()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await asyncio.sleep(0)
            tasks.start_soon(ask)
        await all_over(server)
    assert order == ["told", "told", "handler", "handler"]


async def test_to_who_leaves_at_once_nothing_is_sent(server: Served, store: Store[Any]) -> None:
    """As with a middleware that has read the body, and says that there is no more."""
    app = ChatKitApp(server)
    server.responding = Held("")
    sent: list[str] = []

    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        complete = False

        async def hasty() -> Any:
            nonlocal complete
            if complete:
                return {"type": "http.disconnect"}
            message = await receive()
            complete = not message.get("more_body")
            return message

        async def noting(message: Any) -> None:
            sent.append(message["type"])
            await send(message)

        await app(scope, hasty, noting)
        sent.append("returned")

    async with ASGIBridge(middleware) as bridge:
        async with bridge.stream(CREATE) as response:
            await response.wait_ended()
            response.error = None
        await all_over(server)
    assert sent[-1] == "returned"


@pytest.mark.parametrize("what", ["app", "send"])
async def test_a_time_limit_around_the_app_or_its_send_cuts_a_stream(
    server: Served, store: Store[Any], what: str
) -> None:
    """Invariant: whoever limits the time gets their TimeoutError from the app, and a client that was given up in
    ``send`` has gone, for ``TimeoutError`` is an ``OSError``; the turn is stopped and kept either way."""
    app = ChatKitApp(server)
    server.responding = endless
    expired: list[str] = []

    async def impatient(send: Any, message: Any) -> None:
        try:
            with anyio.fail_after(0.05):
                await send(message)
        except TimeoutError:
            expired.append("send")
            raise

    async def limited(scope: Any, receive: Any, send: Any) -> None:
        try:
            with anyio.fail_after(0.3):
                await app(scope, receive, send)
        except TimeoutError:
            expired.append("app")

    outer = limited if what == "app" else around_send(app, impatient)
    async with ASGIBridge(outer) as bridge:
        async with bridge.stream(CREATE, high_water=5000) as response:
            await blocked(response)
            await response.wait_ended()
            response.error = None  # the bridge says that the answer is not complete
        assert (await text_of(server, store)).startswith("xxx")
    assert expired == [what]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_asyncio_s_own_time_limits_work_too(server: Served, store: Store[Any]) -> None:
    app = ChatKitApp(server)
    server.responding = Held()
    expired: list[int] = []

    async def idle(scope: Any, receive: Any, send: Any) -> None:
        """What an idle timeout does: every message puts it off."""
        try:
            async with asyncio.timeout(10) as limit:

                async def postponing(message: Any) -> None:
                    limit.reschedule(asyncio.get_running_loop().time() + 0.1)
                    async with asyncio.timeout(5):
                        await send(message)

                await app(scope, receive, postponing)
        except TimeoutError:
            task = asyncio.current_task()
            assert task is not None
            expired.append(task.cancelling())

    async with ASGIBridge(idle) as bridge:
        async with bridge.stream(CREATE) as response:
            await response.wait_for(is_delta)
            await response.wait_ended()
            response.error = None
        assert await text_of(server, store) == "Hello "
    assert expired == [0]


USER: ContextVar[str] = ContextVar("USER")


async def test_context_variables_of_a_middleware_are_seen_by_send_and_by_hooks(
    server: Served,
) -> None:
    seen: set[str] = set()
    app = ChatKitApp(server)

    async def respond(*_: Any) -> Any:
        seen.add("hook " + USER.get())
        yield "Hello"

    async def seeing(send: Any, message: Any) -> None:
        seen.add(f"{message['type']} {USER.get()}")
        await send(message)

    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        token = USER.set("ada")
        try:
            await around_send(app, seeing)(scope, receive, send)
        finally:
            USER.reset(token)

    server.responding = respond
    async with ASGIBridge(middleware) as bridge:
        await bridge.post(CREATE)
    assert seen == {"hook ada", "http.response.start ada", "http.response.body ada"}


async def test_middleware_of_starlette_that_runs_the_app_in_a_task_of_its_own(
    server: Served, store: Store[Any]
) -> None:
    """Invariant: through two of Starlette's BaseHTTPMiddleware a stream is whole, and one that fails fails there."""
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.base import BaseHTTPMiddleware
    from starlette.routing import Mount

    broken = False

    async def passing(request: Any, call_next: Any) -> Any:
        return await call_next(request)

    async def breaking(send: Any, message: Any) -> None:
        if broken and b"delta" in message.get("body", b""):
            raise Broken
        await send(message)

    app = Starlette(
        routes=[Mount("/chatkit", around_send(ChatKitApp(server), breaking))],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=passing)] * 2,
    )
    async with ASGIBridge(app, path="/chatkit/") as bridge:
        for _ in range(3):
            assert (await ChatKitClient(bridge).create("Hi")).check().text == "Hello world"
        broken = True
        async with bridge.stream(CREATE) as response:
            await response.wait_ended()
            assert isinstance(response.error, Broken)
            response.error = None
        await all_over(server)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("eager", [False, True])
async def test_no_cancellation_is_left_behind(server: Served, eager: bool) -> None:
    """Invariant: a stream that ends by itself leaves its request's task as it was, whatever the middleware does next,
    also where tasks start at once (Python 3.12's eager tasks), and where all there is to send is there at once."""
    if eager:
        if sys.version_info < (3, 12):
            pytest.skip("Python 3.12 brings eager tasks")
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    app = ChatKitApp(server)
    after: list[int] = []

    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        over = False

        async def forgetful() -> Any:
            """As servers' own: does not wait when the answer is over."""
            return {"type": "http.disconnect"} if over else await receive()

        async def direct(message: Any) -> None:
            nonlocal over
            over = message["type"] == "http.response.body" and not message.get("more_body")
            await send(message)

        await app(scope, forgetful, direct)
        await asyncio.sleep(0)
        task = asyncio.current_task()
        assert task is not None
        after.append(task.cancelling())

    try:
        async with ASGIBridge(middleware) as bridge:
            client = ChatKitClient(bridge, headers={"idempotency-key": "k"})
            for _ in range(3):  # the second and third are repeats: all is there
                assert (await client.create("Hi")).check().text == "Hello world"
    finally:
        asyncio.get_running_loop().set_task_factory(None)
    assert after == [0, 0, 0]
    assert server.answers() == 1


async def pieces(_: Any, __: str) -> Response:
    """A file of two pieces."""

    async def chunks() -> Any:
        yield b"one"
        yield b"two"

    return Response(status=200, headers={}, body=chunks())


async def told_of_the_end_in_the_last_send(
    app: ASGI, path: str, last: Callable[[], Awaitable[None]]
) -> None:
    """Ask the app as a server that tells of the end as soon as it gets the last of the answer; ``last`` is the rest of
    that send."""
    told = anyio.Event()
    coming = [{"type": "http.request", "body": json.dumps(CREATE).encode(), "more_body": False}]

    async def receive() -> Any:
        if coming:
            return coming.pop()
        await told.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body"):
            told.set()
            await last()

    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
    with anyio.fail_after(5):
        await app(scope, receive, send)


@pytest.mark.parametrize("path", ["/", "/file"])
async def test_the_last_send_is_let_to_its_end(
    server: Served, store: Store[Any], path: str
) -> None:
    """Invariant: a server that tells of the end while it takes the last of an answer, as Hypercorn does, is not
    cancelled there: it has its connection to close or to use again."""
    app = ChatKitApp(server)
    app.endpoint.routes["file"] = pieces
    steps: list[str] = []

    async def last() -> None:
        steps.append("begun")
        await anyio.sleep(0.05)
        steps.append("done")

    await told_of_the_end_in_the_last_send(app, path, last)
    assert steps == ["begun", "done"]


async def test_a_last_send_that_hangs_is_given_up(server: Served) -> None:
    """Invariant: after ``send_timeout``."""
    server.options = Options(send_timeout=0.1, handle_signals=False)
    await told_of_the_end_in_the_last_send(ChatKitApp(server), "/", anyio.sleep_forever)


@pytest.mark.parametrize("problem", [OSError("disk"), TimeoutError("slow"), Broken("other")])
async def test_what_the_source_of_a_file_raises_reaches_the_server(
    server: Served, problem: Exception
) -> None:
    """Invariant: only what ``send`` raises may mean that the client has gone."""

    async def failing(_: Any, __: str) -> Response:
        async def chunks() -> Any:
            yield b"one"
            raise problem

        return Response(status=200, headers={}, body=chunks())

    app = ChatKitApp(server)
    app.endpoint.routes["file"] = failing
    async with ASGIBridge(app) as bridge, bridge.stream(path="/file", method="GET") as response:
        await response.wait_ended()
        assert response.error is problem
        response.error = None
