"""A streaming turn, ended at every await in every way that a process survives."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chatkit_asgi import ChatKitApp
from chatkit_asgi.testing import ASGIBridge
from tests.faults.scene import (
    CREATE,
    Boom,
    Fault,
    Outcomes,
    Scene,
    Stage,
    Steps,
    cancel_request,
    check_ended_properly,
    check_idle,
    check_note,
    check_nothing_lost,
    disconnect,
    flush,
    make_scene,
    make_store,
    next_turn_works,
    nothing,
    outcomes,
    shut_down,
    stepped,
    stored_items,
    time_out,
)

WAYS: dict[str, tuple[str, Fault, BaseException | None, set[str]]] = {
    "disconnect": ("", disconnect, None, {"stopped"}),
    "disconnect, and the store raises": ("", disconnect, None, {"stopped", "failed"}),
    "request cancelled": ("", cancel_request, None, {"stopped"}),
    "shutdown": ("", shut_down, None, {"shut down"}),
    "deadline": ("", time_out, None, {"timed out"}),
    "handler raises": ("handler", nothing, Boom("handler"), {"failed"}),
    "store raises before": ("store: write", nothing, Boom("store"), {"failed"}),
    "store raises after": ("store: written", nothing, Boom("store"), {"failed"}),
}
"""How a turn ends: the awaits that are struck, what happens there, and how the turn may end then, unless it had
finished already."""

READ_TO_THE_END = {
    "shutdown",
    "deadline",
    "handler raises",
    "store raises before",
    "store raises after",
}


async def strike(server: Scene, way: str, at: int, heard: Outcomes) -> bool:
    """One run with one fault. Returns whether there was such an await."""
    only, fault, error, endings = WAYS[way]
    next_write = Boom("store") if way.endswith("store raises") else None
    steps = Steps(at, only=only, error=error, next_write=next_write)
    heard.ended.clear()
    known = {
        each.id for each in (await server.store.load_threads(1000, None, "asc", context=None)).data
    }
    opened, closed = server.opened, server.closed
    async with ASGIBridge(stepped(ChatKitApp(server), server)) as bridge:
        stage = Stage(server, bridge, steps)
        screen = await stage.play(CREATE, fault)
        struck = steps.struck
        await flush(server.store)
        server.turns.resume()
        where = f"{way} at {at}: {struck}"
        assert server.opened - opened == server.closed - closed, where  # the generator was closed
        assert heard.critical == [], where
        threads = (await server.store.load_threads(1000, None, "asc", context=None)).data
        new = [thread for thread in threads if thread.id not in known]
        if not heard.ended:  # refused, or left, before there was a turn
            assert stage.response.status in (0, 500, 503), where
            assert new == [], where
            return struck is not None
        assert len(heard.ended) == 1, where
        (outcome,) = heard.ended
        assert outcome in {*endings, "finished"}, where
        if struck is None:
            assert outcome == "finished", where
        if new:
            (thread,) = new
            stored = await stored_items(server.store, thread.id)
            check_nothing_lost(screen, stored)
            check_note(stored, outcome)
            if screen.thread.get("title") is not None:
                assert thread.title == screen.thread["title"], where
            if stage.response.complete:
                check_ended_properly(screen, stored, error=outcome != "finished")
                assert screen.thread.get("title") == thread.title, where
            await next_turn_works(server, bridge, thread.id)
        else:
            assert not screen.items, where
        if struck is not None and way in READ_TO_THE_END:
            assert stage.response.complete, where
        check_idle(server)
    return struck is not None


async def strike_everywhere(server: Scene, way: str, places: Any) -> int:
    with outcomes() as heard:
        for at in places:
            if not await strike(server, way, at, heard):
                return int(at)
    return -1


@pytest.mark.parametrize("way", WAYS)
async def test_nothing_is_lost_at_any_await_in_memory(
    way: str, anyio_backend_name: str, tmp_path: Path
) -> None:
    """Invariant: wherever and however the turn ends, what was shown is stored."""
    server = make_scene(make_store("memory", tmp_path))
    # Every await on asyncio; on trio every third, with another beginning for every way.
    step = 1 if anyio_backend_name == "asyncio" else 3
    last = await strike_everywhere(server, way, range(list(WAYS).index(way) % step, 10_000, step))
    assert last > {"handler": 30, "": 80}.get(WAYS[way][0], 2), "the scene has become shorter"


@pytest.mark.parametrize("way", WAYS)
async def test_nothing_is_lost_on_a_disk(way: str, anyio_backend_name: str, tmp_path: Path) -> None:
    """The same with SQLite, where every await is a real one; every seventh."""
    server = make_scene(make_store("sqlite", tmp_path))
    start = list(WAYS).index(way) + (anyio_backend_name == "trio") * 3
    wide = WAYS[way][0] in ("", "handler")
    await strike_everywhere(
        server, way, range(start % 7, 10_000, 7) if wide else range(0, 10_000, 2)
    )
    await server.store.close()


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
async def test_nothing_is_lost_at_any_await_on_a_disk(way: str, tmp_path: Path) -> None:
    """All of them."""
    server = make_scene(make_store("sqlite", tmp_path))
    await strike_everywhere(server, way, range(10_000))
    await server.store.close()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_cancelled_child_of_the_handler_is_a_failure_and_not_a_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody pressed stop: the reader is told of an error, and the model is not told to keep quiet."""
    monkeypatch.setitem(
        WAYS, "child cancelled", ("handler", nothing, asyncio.CancelledError(), {"failed"})
    )
    server = make_scene(make_store("memory", tmp_path))
    assert await strike_everywhere(server, "child cancelled", range(0, 10_000, 2)) > 30


@pytest.mark.parametrize("way", ["disconnect", "handler raises", "shutdown"])
async def test_nothing_is_lost_with_a_store_that_takes_its_time(way: str, tmp_path: Path) -> None:
    """Every write takes 50 ms: the writes at the end of a turn outlive the request by far."""
    server = make_scene(make_store("memory", tmp_path))

    async def play(at: int) -> None:
        only, fault, error, _ = WAYS[way]
        steps = Steps(at, only=only, error=error, pause=0.05)
        with outcomes() as heard:
            async with ASGIBridge(stepped(ChatKitApp(server), server)) as bridge:
                screen = await Stage(server, bridge, steps).play(CREATE, fault)
                server.turns.resume()
                threads = (await server.store.load_threads(1, None, "desc", context=None)).data
                stored = await stored_items(server.store, threads[0].id)
                check_nothing_lost(screen, stored)
                check_note(stored, *heard.ended)

    for at in (12, 40):
        await play(at)


@pytest.mark.parametrize("way", ["disconnect", "request cancelled"])
async def test_with_finish_all_of_it_is_stored(way: str, tmp_path: Path) -> None:
    """``on_disconnect="finish"``: the reader leaves anywhere, the answer is completed and stored all the same."""
    server = make_scene(make_store("memory", tmp_path), on_disconnect="finish")
    whole: list[Any] = []
    with outcomes() as heard:
        for at in range(0, 10_000, 5):
            steps = Steps(at)
            async with ASGIBridge(stepped(ChatKitApp(server), server)) as bridge:
                screen = await Stage(server, bridge, steps).play(CREATE, WAYS[way][1])
            threads = (await server.store.load_threads(1000, None, "asc", context=None)).data
            if len(heard.ended) == len(threads):
                assert set(heard.ended) <= {"finished"}
            if heard.ended and heard.ended[-1] == "finished":
                stored = await stored_items(server.store, threads[-1].id)
                check_nothing_lost(screen, stored)
                check_note(stored, "finished")
                assert threads[-1].title == "A tale"
                whole.append([item.type for item in stored])
            if steps.struck is None:
                break
    assert len(whole) > 15
    assert all(each == whole[0] for each in whole)
    check_idle(server)
