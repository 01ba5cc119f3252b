"""The bridge streams, and its client can do what clients do: leave, stop reading, send slowly, be cancelled."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from chatkit_asgi.testing import HANG_UP, ASGIBridge, NoResponse


async def echo(scope: Any, receive: Any, send: Any) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body, more = body + message["body"], message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"1")]})
    await send({"type": "http.response.body", "body": body})


class Endless:
    """Sends a frame whenever it may, until somebody stops it."""

    def __init__(self, frame: bytes = b'data: {"type":"n"}\n\n') -> None:
        self.frame = frame
        self.sent = 0
        self.how = "running"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            async with anyio.create_task_group() as tasks:

                async def watch() -> None:
                    while (await receive())["type"] != "http.disconnect":
                        pass
                    self.how = "disconnected"
                    tasks.cancel_scope.cancel()

                tasks.start_soon(watch)
                while True:
                    await send(
                        {"type": "http.response.body", "body": self.frame, "more_body": True}
                    )
                    self.sent += 1
        except* OSError:
            self.how = "send failed"
        finally:
            if self.how == "running":
                self.how = "cancelled"


async def test_posts_a_body_and_reads_the_answer() -> None:
    async with ASGIBridge(echo) as bridge:
        response = await bridge.post({"a": [1]})
        assert (response.status, response.headers, response.json()) == (
            200,
            {"x-a": "1"},
            {"a": [1]},
        )


async def test_sends_a_body_in_chunks() -> None:
    async with ASGIBridge(echo) as bridge:
        async with bridge.stream([b"a", b"", b"b"]) as response:
            assert await response.read() == b"ab"
        assert response.received == 3


async def test_gives_each_frame_when_it_is_sent() -> None:
    async with ASGIBridge(Endless()) as bridge, bridge.stream() as response:
        assert await response.next_event() == {"type": "n"}
        assert await response.next_event() == {"type": "n"}


async def test_leaving_is_a_disconnect() -> None:
    app = Endless()
    async with ASGIBridge(app) as bridge, bridge.stream() as response:
        await response.next_event()
    assert app.how == "disconnected"


async def test_sending_fails_after_a_disconnect_where_asked_for() -> None:
    app = Endless()

    async def deaf(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, anyio.sleep_forever, send)

    async with ASGIBridge(deaf) as bridge, bridge.stream(send_raises=True) as response:
        await response.next_event()
    assert app.how == "send failed"


async def test_a_client_that_stops_reading_blocks_the_app() -> None:
    app = Endless(b"data: 0123456789\n\n")
    async with ASGIBridge(app) as bridge:
        async with bridge.stream(high_water=100) as response:
            await response.wait_blocked()
            sent = app.sent
            await anyio.lowlevel.checkpoint()
            assert app.sent == sent == 100 // len(app.frame)
        assert app.how == "disconnected"


async def test_cancels_the_task_of_the_request() -> None:
    app = Endless()
    async with ASGIBridge(app) as bridge, bridge.stream() as response:
        await response.next_event()
        await response.cancel()
        assert app.how == "cancelled"


async def test_a_client_can_leave_before_its_request_is_complete() -> None:
    async with ASGIBridge(echo) as bridge:
        with pytest.raises(NoResponse):
            await bridge.request([b"half", HANG_UP])


async def test_what_the_app_raises_comes_out_as_it_is() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise KeyError("app")

    async with ASGIBridge(broken) as bridge:
        with pytest.raises(KeyError, match="app"):
            await bridge.request()


async def test_what_the_test_raises_comes_out_as_it_is() -> None:
    with pytest.raises(KeyError, match="test"):
        async with ASGIBridge(Endless()) as bridge, bridge.stream():
            raise KeyError("test")


async def test_runs_the_lifespan_and_hands_on_its_state() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            seen.append(scope["state"])
            await echo(scope, receive, send)
            return
        scope["state"]["answer"] = 42
        for phase in ("startup", "shutdown"):
            seen.append((await receive())["type"])
            await send({"type": f"lifespan.{phase}.complete"})

    async with ASGIBridge(app, lifespan=True) as bridge:
        await bridge.request()
    assert seen == ["lifespan.startup", {"answer": 42}, "lifespan.shutdown"]


async def test_says_when_startup_fails() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(RuntimeError, match="no database"):
        async with ASGIBridge(app, lifespan=True):
            pass
