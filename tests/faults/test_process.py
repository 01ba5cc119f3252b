"""Those who keep an endpoint of their own: ``process()``, its result closed, cancelled or dropped anywhere; and the
loop torn down under it."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
import trio

from chatkit_asgi.server import StreamingResult
from tests.faults.scene import (
    CREATE,
    LIMIT,
    Scene,
    Steps,
    check_idle,
    check_note,
    check_nothing_lost,
    flush,
    make_scene,
    make_store,
    outcomes,
    stored_items,
    until_idle,
)
from tests.turns.screen import Screen

BODY = json.dumps(CREATE)


async def begin(server: Scene) -> StreamingResult:
    result = await server.process(BODY, None)
    assert isinstance(result, StreamingResult)
    return result


async def close(frames: Any, tasks: Any) -> None:
    await frames.aclose()


async def cancel(frames: Any, tasks: Any) -> None:
    """Whoever reads is cancelled, and never reads again."""
    tasks.cancel_scope.cancel()
    await anyio.lowlevel.checkpoint()


WAYS: dict[str, Callable[[Any, Any], Awaitable[None]] | None] = {
    "closed": close,
    "cancelled": cancel,
    "dropped": None,
}


async def read(server: Scene, way: str, at: int) -> tuple[Screen, bool]:
    """Read ``at`` frames, then stop in that way."""
    received = b""
    found: Any = await begin(server)
    frames = aiter(found)
    struck = False
    async with anyio.create_task_group() as tasks:
        for _ in range(at):
            frame = await anext(frames, None)
            if frame is None:
                break
            received += frame
        else:
            struck = True
            leave = WAYS[way]
            if leave is not None:
                await leave(frames, tasks)
    del frames, found
    gc.collect(0)
    await until_idle(server)
    return Screen().read(received), struck


async def check(server: Scene, screen: Screen, ended: list[str]) -> None:
    await flush(server.store)
    (outcome,) = ended
    threads = (await server.store.load_threads(1, None, "desc", context=None)).data
    stored = await stored_items(server.store, threads[0].id) if threads else []
    check_nothing_lost(screen, stored)
    check_note(stored, outcome)
    check_idle(server)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("way", WAYS)
async def test_reading_ends_anywhere(way: str, kind: str, tmp_path: Path) -> None:
    """Invariant: what was read from the result is stored, and the turn is stopped, however the reading ends."""
    server = make_scene(make_store(kind, tmp_path))
    ended_early = 0
    with outcomes() as heard:
        for at in range(0, 10_000, 1 if kind == "memory" else 5):
            heard.ended.clear()
            with anyio.fail_after(LIMIT):
                screen, struck = await read(server, way, at)
                await check(server, screen, heard.ended)
            ended_early += heard.ended == ["stopped"]
            if not struck:
                assert heard.ended == ["finished"]
                break
    assert ended_early > (30 if kind == "memory" else 5)
    await server.store.close()


# -- the loop is torn down -----------------------------------------------------------------------------


def tear_down_asyncio(server: Scene, at: int, received: list[bytes]) -> Steps:
    async def main() -> Steps:
        steps = Steps(at)
        server.arm(steps)
        frames = aiter(await begin(server))

        async def reading() -> None:
            async for frame in frames:
                received.append(frame)
            steps.reached.set()

        reader = asyncio.create_task(reading())
        await steps.reached.wait()
        asyncio.get_running_loop().call_later(0.002, steps.let_go)
        assert reader.done() is (steps.struck is None)
        return steps

    return asyncio.run(main())


def tear_down_trio(server: Scene, at: int, received: list[bytes]) -> Steps:
    async def main() -> Steps:
        steps = Steps(at)
        server.arm(steps)
        frames = aiter(await begin(server))

        async def reading() -> None:
            async for frame in frames:
                received.append(frame)
            steps.reached.set()

        async def release() -> None:
            with trio.CancelScope(shield=True):
                await trio.sleep(0.002)
                steps.let_go()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(reading)
            await steps.reached.wait()
            trio.lowlevel.spawn_system_task(release)
            nursery.cancel_scope.cancel()
        return steps

    return trio.run(main)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("tear_down", [tear_down_asyncio, tear_down_trio])
def test_the_loop_is_torn_down_anywhere(tear_down: Any, kind: str, tmp_path: Path) -> None:
    """Invariant: a program that returns from its main function in the middle of a turn saves what was shown."""
    held = 0
    with outcomes() as heard:
        for at in range(0, 10_000, 1 if kind == "memory" else 9):
            folder = tmp_path / str(at)
            folder.mkdir()
            server = make_scene(make_store(kind, folder))
            heard.ended.clear()
            received: list[bytes] = []
            steps = tear_down(server, at, received)
            screen = Screen().read(b"".join(received))

            async def look(server: Scene = server, screen: Screen = screen) -> None:
                server.arm(Steps())
                await flush(server.store)
                (outcome,) = heard.ended
                threads = (await server.store.load_threads(1, None, "desc", context=None)).data
                stored = await stored_items(server.store, threads[0].id) if threads else []
                check_nothing_lost(screen, stored)
                assert outcome in ("shut down", "stopped", "finished")
                check_note(stored, outcome)
                await server.store.close()

            asyncio.run(look())
            assert heard.critical == []
            if steps.struck is None:
                break
            held += 1
    assert held > (40 if kind == "memory" else 4)
