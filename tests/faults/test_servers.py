"""Real servers, real sockets, real processes: the client closes its connection, the server is asked to stop, the
process is killed."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
import uvicorn

from chatkit_asgi import ChatKitApp
from chatkit_asgi.store import SQLiteStore
from chatkit_asgi.testing import ASGIBridge, ChatKitClient, SocketTransport
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
    message,
    outcomes,
    stepped,
    stored_items,
    until_idle,
)
from tests.faults.served import CHECKPOINT, GRACE, WORD
from tests.servers.process import create, load, serving
from tests.turns.screen import Screen

ROOT = Path(__file__).parents[2]

# -- a socket that is closed -------------------------------------------------------------------------


async def leave_at(server: Scene, url: str, at: int) -> tuple[Screen, Steps]:
    """Close the connection while the turn is held at an await."""
    steps = Steps(at)
    server.arm(steps)
    received: list[bytes] = []
    with anyio.fail_after(LIMIT):
        async with anyio.create_task_group() as tasks:

            async def client() -> None:
                transport = SocketTransport(url)
                headers = {"content-type": "application/json"}
                async with transport.stream(json.dumps(CREATE).encode(), headers) as response:
                    async for chunk in response.chunks():
                        received.append(chunk)
                steps.reached.set()

            tasks.start_soon(client)
            await steps.reached.wait()
            tasks.cancel_scope.cancel()
        # The server hears of it in its own time; the turn is stopped when it does, or when it goes on.
        if steps.struck is not None:
            while not any(run.stopping for run in server.turns._runs) and len(server.turns):  # pyright: ignore[reportPrivateUsage]
                await anyio.sleep(0.001)
                if "send" in steps.struck:
                    break
            steps.let_go()
        await until_idle(server)
    steps.at = -1
    return Screen().read(b"".join(received)), steps


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_a_closed_socket_loses_nothing(kind: str, tmp_path: Path) -> None:
    """Invariant: wherever the connection is closed, what came through it is stored, and the turn is stopped."""
    server = make_scene(make_store(kind, tmp_path))
    app: Any = stepped(ChatKitApp(server), server)
    config = uvicorn.Config(app, log_level="critical", lifespan="off", ws="none")
    web = uvicorn.Server(config)
    web.capture_signals = _no_signals  # type: ignore[method-assign]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/chatkit"
        stopped = await _leave_everywhere(server, web, listener, url)
    assert stopped > 8
    await server.store.close()


async def _leave_everywhere(server: Scene, web: Any, listener: socket.socket, url: str) -> int:
    stopped = 0
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(web.serve, [listener])
        with outcomes() as heard:
            for at in range(1, 10_000, 9):
                heard.ended.clear()
                screen, steps = await leave_at(server, url, at)
                (outcome,) = heard.ended
                assert (
                    outcome == "finished"
                    if steps.struck is None
                    else outcome in ("stopped", "finished")
                )
                await flush(server.store)
                threads = (await server.store.load_threads(1, None, "desc", context=None)).data
                stored = await stored_items(server.store, threads[0].id) if threads else []
                check_nothing_lost(screen, stored)
                check_note(stored, outcome)
                check_idle(server)
                stopped += outcome == "stopped"
                if steps.struck is None:
                    break
        web.should_exit = True
    return stopped


@contextmanager
def _no_signals() -> Iterator[None]:
    yield


# -- a process ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("uvicorn", "endless"),
        ("uvicorn", "silent"),
        ("uvicorn", "untidy"),
        ("uvicorn", "stubborn"),
        ("hypercorn-asyncio", "endless"),
        ("hypercorn-trio", "endless"),
    ],
)
async def test_a_server_that_is_asked_to_stop_does_so_and_loses_nothing(
    kind: str, text: str, tmp_path: Path
) -> None:
    """Invariant: on SIGTERM the process exits by itself within the grace, although the client keeps its stream open and
    the handler never ends; the stream is closed properly and all of it is stored."""
    database = tmp_path / "chat.db"
    with serving(kind, database) as served:
        reader = served.post(create(text))
        reader.read_until("stream_options" if text == "silent" else "thread.item.updated")
        if text != "silent":
            reader.read(0.3)
        served.process.send_signal(signal.SIGTERM)
        asked = time.monotonic()
        screen = reader.read()
        # The interpreter waits for it, not we; but nothing depends on it any more.
        if text == "stubborn":
            assert time.monotonic() - asked < GRACE
            served.process.kill()
        else:
            served.process.wait(GRACE + 3)
            assert time.monotonic() - asked < GRACE + 2
    stored = await load(database, screen.thread["id"])
    check_nothing_lost(screen, stored)
    if kind == "uvicorn":
        assert reader.complete
        assert [event["code"] for event in screen.errors] == ["stream.error"]
        assert screen.open == []
        check_note(stored, "shut down")
        assert len(stored) == (1 if text == "silent" else 2)
    else:  # its parent process takes the signal, and its worker cancels the request: a stop, for us
        check_note(stored, "stopped")


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_killed_process_loses_one_checkpoint_at_most(tmp_path: Path) -> None:
    """Invariant: after ``kill -9`` the store has everything that was on the screen one checkpoint interval ago, and the
    thread can be used."""
    database = tmp_path / "chat.db"
    with serving("uvicorn", database) as served:
        reader = served.post(create("endless"))
        reader.read(1.2)
        killed = time.monotonic()
        served.process.kill()
        screen = reader.read()
    assert not reader.complete
    stored = await load(database, screen.thread["id"])
    # The clockwork looks twice in an interval; a slow machine gets a little more.
    check_nothing_lost(reader.screen_at(killed - 1.5 * CHECKPOINT - 0.2), stored)
    assert [item.type for item in stored] == ["user_message", "assistant_message"]
    text = stored[1].content[0].text
    assert len(text) > 100
    assert text == "".join(map(WORD.format, range(len(text) // len(WORD.format(0)))))
    with serving("uvicorn", database) as served:
        params = {"thread_id": screen.thread["id"], "input": message("plain")}
        again = served.post({"type": "threads.add_user_message", "params": params})
        assert again.read().items
        assert again.complete


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("text", ["silent", "endless"])
async def test_a_killed_retry_leaves_one_answer(text: str, tmp_path: Path) -> None:
    """Invariant: when nothing of the new answer was stored, the old one comes back when its lease is over; else the old
    one is gone for good. Never both, never none."""
    database = tmp_path / "chat.db"
    with serving("uvicorn", database) as served:
        first = served.post(create("plain"))
        thread_id = first.read().thread["id"]
        before = await load(database, thread_id)
        # The question decides the answer; the store lets us change it.
        store: Any = SQLiteStore(database)
        question = before[0]
        question.content[0].text = text
        await store.save_item(thread_id, question, context=None)
        await store.close()
        params = {"thread_id": thread_id, "item_id": question.id}
        retry = served.post({"type": "threads.retry_after_item", "params": params})
        retry.read_until("stream_options")
        if text != "silent":
            retry.read(0.8)
        served.process.kill()
    now = await load(database, thread_id)
    later = await load(database, thread_id, clock=lambda: time.time() + 601)
    ids = [item.id for item in later if item.type == "assistant_message"]
    if text == "silent":
        assert [item.type for item in now] == ["user_message"]
        assert ids == [before[1].id]
    else:
        assert [item.id for item in now] == [item.id for item in later]
        assert len(ids) == 1
        assert ids != [before[1].id]


# -- kill -9 at every await --------------------------------------------------------------------------


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_process_killed_at_any_await_leaves_one_answer_and_every_final_form(
    tmp_path: Path,
) -> None:
    """The files as they are at an await are what a process that is killed there leaves behind.

    Invariant: what was shown in its final form is in them; and of a retry's answers exactly one is, the old one unless
    something of the new one was stored.
    """
    server = make_scene(make_store("sqlite", tmp_path))
    seen_old = seen_new = 0
    async with ASGIBridge(stepped(ChatKitApp(server), server)) as bridge:
        client = ChatKitClient(bridge)
        for at in range(0, 10_000, 3):
            server.arm(Steps())
            server.plain = True
            thread = (await client.create("plain")).thread
            question, old = thread.items
            server.plain = False
            steps = Steps(at)
            server.arm(steps)
            response = bridge.stream(
                {
                    "type": "threads.retry_after_item",
                    "params": {"thread_id": thread.id, "item_id": question.id},
                }
            )
            copied = tmp_path / f"copy{at}"
            copied.mkdir()
            with anyio.fail_after(LIMIT):
                async with anyio.create_task_group() as tasks:

                    async def read(response: Any = response, steps: Steps = steps) -> None:
                        async with response:
                            await response.read()
                        steps.reached.set()

                    tasks.start_soon(read)
                    await steps.reached.wait()
                    body = response.body
                    for name in ("chat.db", "chat.db-wal"):
                        shutil.copy(tmp_path / name, copied / name)
                    steps.let_go()
            stored = await load(copied / "chat.db", str(thread.id), clock=lambda: time.time() + 601)
            screen = Screen().read(body)
            by_id = {item.id: item for item in stored}
            assert screen.done <= set(by_id)
            shown = [item for item in stored if item.id not in (question.id, old.id)]
            visible = [item for item in shown if "hidden" not in item.type]
            assert (old.id in by_id) is (not visible)
            seen_old += old.id in by_id
            seen_new += bool(visible)
            shutil.rmtree(copied)
            if steps.struck is None:
                break
    assert seen_old > 2
    assert seen_new > 10
    await server.store.close()
