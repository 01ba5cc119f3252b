"""The application stops, on every stack: turns are ended and saved, and the store is closed."""

from __future__ import annotations

from typing import Any

import anyio

from chatkit_asgi import Options
from tests.http.served import Held, Served, rows
from tests.stacks.conftest import make_server
from tests.stacks.site import serving
from tests.stacks.stack import Stack


async def test_stopping_saves_what_still_runs_and_closes_the_store(stack: Stack) -> None:
    server = make_server(Options(on_disconnect="finish", handle_signals=False))
    held = Held()
    server.responding = held
    closed: list[int] = []

    async def close() -> None:
        closed.append(len(server.turns))

    server.store.close = close  # type: ignore[method-assign]
    async with serving(stack, server) as site:
        client = site.client()
        async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
            await turn.wait_for(lambda event: "delta" in event.get("update", {}))
        assert len(server.turns) == 1
    assert closed == [0]
    assert held.ends in (["cancelled"], ["closed"])
    stored = await rows(server.store, turn.thread.id)
    assert stored[1].content[0].text == "Hello "


async def test_a_stopping_server_ends_the_streams(stack: Stack, server: Served) -> None:
    """What a signal does first (chatkit_asgi/turns/_signals.py): viewers are told, turns are saved."""
    held = Held()
    server.responding = held
    async with serving(stack, server) as site:
        client = site.client()
        async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
            await turn.wait_for(lambda event: "delta" in event.get("update", {}))
            server.turns.begin_shutdown()
            await turn.read()
        assert turn.complete
        assert [event["code"] for event in turn.errors] == ["stream.error"]
        assert turn.errors[0]["allow_retry"]
        refused = await client.create("Hi")
        assert (refused.status, refused.code) == (503, "shutting_down")
        server.turns.resume()


async def test_an_application_may_be_started_twice(stack: Stack, server: Served) -> None:
    app: Any = stack.app(server)
    from tests.stacks.site import serve

    for _ in range(2):
        async with serve(app) as base:
            answer = await anyio.to_thread.run_sync(_say, base + stack.path)
            assert answer == 200


def _say(url: str) -> int:
    import urllib.request

    body = b'{"type":"threads.list","params":{}}'
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return int(answer.status)
