"""An answer to a client tool call or to questions, whose request ends at every await: the call is pending still, or a
turn has the answer. Never is it taken and nobody's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from chatkit_asgi import ChatKitApp, Options
from chatkit_asgi.testing import ASGIBridge, ChatKitClient
from chatkit_asgi.types import ThreadItemDoneEvent
from tests.faults.scene import (
    LIMIT,
    Fault,
    Scene,
    Stage,
    Steps,
    cancel_request,
    check_idle,
    disconnect,
    flush,
    make_store,
    outcomes,
    settle,
    shut_down,
    stepped,
)
from tests.http.served import questions, tool_call

JSON = dict[str, Any]


class Asking(Scene):
    """Asks when it is told to; otherwise says that it was answered."""

    asks: Any = None
    answered = 0

    async def respond(
        self, thread: Any, input_user_message: Any, context: Any
    ) -> AsyncIterator[Any]:
        if self.asks is not None:
            yield ThreadItemDoneEvent(item=self.asks(thread, "msg_it"))
            return
        self.answered += 1
        await self.steps.point("handler: start")
        yield "Thanks"
        await self.steps.point("handler")


class Task:
    """The app's own task, which some frameworks cancel once, as ``asyncio.timeout`` does. An anyio scope, as
    ``cancel_request`` is, cancels at every await from then on."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.task: asyncio.Future[Any] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.task = task = asyncio.ensure_future(self.app(scope, receive, send))
        await asyncio.wait([task])
        if task.cancelled():
            await anyio.sleep_forever()

    async def cancel(self, stage: Stage) -> None:
        """The fault."""
        assert self.task is not None
        self.task.cancel()
        await settle()
        await cancel_request(stage)


def answer_to(make: Any, thread_id: str) -> JSON:
    if make is tool_call:
        return {
            "type": "threads.add_client_tool_output",
            "params": {"thread_id": thread_id, "result": {"ok": True}},
        }
    return {
        "type": "threads.add_structured_input",
        "params": {
            "thread_id": thread_id,
            "item_id": "msg_it",
            "input": {"answers": {"size": {"values": ["S"]}}},
        },
    }


WAYS: dict[str, Fault | None] = {
    "request cancelled": cancel_request,
    "task cancelled once": None,
    "disconnect": disconnect,
    "shutdown": shut_down,
}


@pytest.mark.parametrize("make", [tool_call, questions])
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize(
    ("way", "policy"),
    [*((way, "cancel") for way in WAYS), *((way, "finish") for way in list(WAYS)[:2])],
)
async def test_what_is_asked_is_pending_or_a_turn_has_the_answer(
    way: str, kind: str, make: Any, policy: str, anyio_backend_name: str, tmp_path: Path
) -> None:
    """Invariant, at every await of the request, its turn and its store."""
    if way == "task cancelled once" and anyio_backend_name == "trio":
        pytest.skip("trio cancels scopes only")
    options = Options(handle_signals=False, on_disconnect=policy)  # type: ignore[arg-type]
    server = Asking(make_store(kind, tmp_path), options=options)
    found: set[str] = set()
    with outcomes() as heard:
        at = 0
        for at in range(1000):
            app = Task(stepped(ChatKitApp(server), server))
            async with ASGIBridge(app if way == "task cancelled once" else app.app) as bridge:
                server.arm(Steps())
                server.asks = make
                thread_id = str((await ChatKitClient(bridge).create("Hi")).thread.id)
                server.asks, server.answered = None, 0
                heard.ended.clear()
                steps = Steps(at)
                request = answer_to(make, thread_id)
                stage = Stage(server, bridge, steps)
                await stage.play(request, WAYS[way] or app.cancel)
                await nothing_taken(server)
                server.turns.resume()
                await flush(server.store)
                item: Any = await server.store.load_item(thread_id, "msg_it", context=None)
                where = f"{way} at {at}: {steps.struck} {heard.ended} {item.status}"
                found.add(item.status)
                if item.status == "pending":
                    assert server.answered == 0, where
                else:
                    assert len(heard.ended) == 1, where
                    assert server.answered == 1 or heard.ended != ["finished"], where
                assert heard.critical == [], where
                check_idle(server)
                server.arm(Steps())
                again = await ChatKitClient(bridge).request(request["type"], request["params"])
                assert again.status == (200 if item.status == "pending" else 409), where
                await nothing_taken(server)
            if steps.struck is None:
                break
    assert at > 8, "the scene has become shorter"
    assert ("pending" in found) or way in ("disconnect", "shutdown")
    assert found - {"pending"}
    await server.store.close()


async def nothing_taken(server: Any) -> None:
    """Wait until every turn is over, also one that is yet to begin although its request has left."""
    with anyio.fail_after(LIMIT):
        while server.turns._owners:  # noqa: ASYNC110 (nothing tells of it)
            await anyio.sleep(0.001)
