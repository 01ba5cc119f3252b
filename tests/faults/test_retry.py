"""A retry replaces the old answer or leaves it: at every await, in every way."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from chatkit_asgi import ChatKitApp
from chatkit_asgi.store._pages import LEASE
from chatkit_asgi.testing import ASGIBridge, ChatKitClient
from tests.faults.scene import (
    Boom,
    Fault,
    Stage,
    Steps,
    cancel_request,
    check_idle,
    check_nothing_lost,
    disconnect,
    flush,
    make_scene,
    make_store,
    nothing,
    outcomes,
    shut_down,
    stepped,
    stored_items,
)

WAYS: dict[str, tuple[str, Fault, BaseException | None]] = {
    "disconnect": ("", disconnect, None),
    "request cancelled": ("", cancel_request, None),
    "shutdown": ("", shut_down, None),
    "handler raises": ("handler", nothing, Boom("handler")),
    "store raises before": ("store: write", nothing, Boom("store")),
    "store raises after": ("store: written", nothing, Boom("store")),
}


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("way", WAYS)
async def test_a_retry_that_ends_anywhere_leaves_one_answer(
    way: str, kind: str, anyio_backend_name: str, tmp_path: Path
) -> None:
    """Invariant: the old answer is there if and only if nothing of the new one is; what was shown of that one is."""
    server = make_scene(make_store(kind, tmp_path))
    only, fault, error = WAYS[way]
    step = {"memory": 1, "sqlite": 6}[kind] * (2 if anyio_backend_name == "trio" else 1)
    step = 1 if only.startswith("store") else step
    old_ones = new_ones = 0
    with outcomes() as heard:
        for at in range(0, 10_000, step):
            async with ASGIBridge(stepped(ChatKitApp(server), server)) as bridge:
                server.arm(Steps())
                server.plain = True
                thread = (await ChatKitClient(bridge).create("plain")).thread
                server.plain = False
                question, old = thread.items
                heard.ended.clear()
                steps = Steps(at, only=only, error=error)
                params = {"thread_id": thread.id, "item_id": question.id}
                stage = Stage(server, bridge, steps)
                screen = await stage.play(
                    {"type": "threads.retry_after_item", "params": params}, fault
                )
                server.turns.resume()
                assert server.opened == server.closed
                await flush(server.store)
                if way == "store raises after" and at == 0:
                    # Nobody knows that the old answer was put aside: its lease brings it back.
                    server.store._clock = lambda: time.time() + LEASE + 1  # type: ignore[attr-defined]
                stored: list[Any] = await stored_items(server.store, str(thread.id))
                new = [
                    item
                    for item in stored
                    if item.id not in (question.id, old.id) and "hidden" not in item.type
                ]
                where = f"{way} at {at}: {steps.struck} {heard.ended}"
                assert (old.id in [item.id for item in stored]) is (not new), where
                check_nothing_lost(screen, stored)
                if not new:
                    assert [item.id for item in stored if "hidden" not in item.type] == [
                        question.id,
                        old.id,
                    ], where
                old_ones += not new
                new_ones += bool(new)
                assert heard.critical == [], where
                check_idle(server)
            if steps.struck is None:
                break
    assert new_ones > 0
    assert old_ones > 0 or kind == "sqlite"  # where not every await is struck
    await server.store.close()
