"""Thousands of turns that end anyhow leave nothing behind."""

from __future__ import annotations

import asyncio
import gc
import random
import resource
import sys
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from chatkit_asgi import ChatKitApp, ChatKitServer, Options
from chatkit_asgi.store import MemoryStore
from chatkit_asgi.testing import ASGIBridge
from tests.faults.scene import CREATE, check_idle, until_idle

TURNS = 2000
AT_ONCE = 40


class Chatty(ChatKitServer[Any]):
    """Says a lot, with waits in between, and fails now and then."""

    chance = random.Random(7)

    async def respond(
        self, thread: Any, input_user_message: Any, context: Any
    ) -> AsyncIterator[Any]:
        for number in range(self.chance.randrange(60)):
            yield f"word {number} " * 20
            if self.chance.random() < 0.3:
                await anyio.lowlevel.checkpoint()
            if self.chance.random() < 0.005:
                raise RuntimeError("now and then")


def memory() -> int:
    """Bytes of this process at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_thousands_of_turns_leave_nothing_behind(anyio_backend_name: str) -> None:
    """Invariant: tasks, registries and memory do not grow with the turns that have been."""
    chance = random.Random(11)
    server = Chatty(MemoryStore(), options=Options(handle_signals=False, replay=0.05))
    async with ASGIBridge(ChatKitApp(server)) as bridge:

        async def one(number: int) -> None:
            headers = {"idempotency-key": f"k{number}"} if number % 3 == 0 else {}
            stop_after = chance.randrange(25) if chance.random() < 0.6 else 10_000
            response = bridge.stream(CREATE, headers=headers)
            async with response:
                for _ in range(stop_after):
                    if await response.next_event() is None:
                        return
                if chance.random() < 0.5:
                    await response.cancel()

        async def many(first: int, last: int) -> None:
            for start in range(first, last, AT_ONCE):
                async with anyio.create_task_group() as tasks:
                    for number in range(start, start + AT_ONCE):
                        tasks.start_soon(one, number)
            await until_idle(server)
            for thread in (await server.store.load_threads(10_000, None, "asc", context=None)).data:
                await server.store.delete_thread(thread.id, context=None)
            gc.collect()

        await many(0, TURNS // 4)
        before = memory()
        await many(TURNS // 4, TURNS)
        assert memory() - before < 16 * 1024 * 1024
        turns: Any = server.turns
        # Kept for repeats, then forgotten by the clockwork, which then stops.
        with anyio.fail_after(10):
            while turns._kept or turns._ticking is not None:  # noqa: ASYNC110 (nobody is told)
                await anyio.sleep(0.05)
        check_idle(server)
        if anyio_backend_name == "asyncio":
            names = {getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()}
            assert not {name for name in names if name.startswith(("Run.", "Turns.", "_stream"))}
