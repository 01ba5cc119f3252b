"""Isolation: with ``owner=``, another owner's ids behave exactly as ids that nobody has, for every request type.

Each request is sent twice by the same person, with somebody else's ids and with made-up ones: status, code and message
must not tell them apart, and nothing may change for either of the two.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from chatkit_asgi import Options
from chatkit_asgi.operations import OPERATIONS_BY_NAME
from chatkit_asgi.store import MemoryStore, SQLiteStore, Store
from chatkit_asgi.testing import ChatKitClient
from tests.http.served import (
    Held,
    Served,
    card,
    questions,
    rows,
    snapshot,
    talking,
    tool_call,
    yielding,
)

ALICE, MALLORY = "alice", "mallory"


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store[str]]:
    """Both stores, for several owners; random ids, as in real life."""

    def owner(context: str) -> str:
        return context

    found: Store[str] = (
        MemoryStore(owner=owner)
        if request.param == "memory"
        else SQLiteStore(tmp_path / "chat.db", owner=owner)
    )
    yield found
    await found.close()


@pytest.fixture
def server(store: Store[Any], options: Options) -> Served:
    return Served(store, options)


@pytest.fixture
async def client(server: Served) -> AsyncIterator[ChatKitClient]:
    async with talking(
        server, context=lambda request: request.headers["x-user"], headers={"x-user": ALICE}
    ) as found:
        yield found


AS_MALLORY = {"x-user": MALLORY}
THREAD, MESSAGE, WIDGET, QUESTIONS, ATTACHMENT, USED, OTHERS = (
    "<thread>", "<message>", "<widget>", "<questions>", "<attachment>", "<used>", "<own thread>",
)  # fmt: skip
INPUT = ChatKitClient.message("Hi")

REQUESTS: dict[str, list[dict[str, Any]]] = {
    "threads.create": [
        {"input": {**INPUT, "attachments": [ATTACHMENT]}},
        {"input": {**INPUT, "attachments": [USED]}},
    ],
    "threads.add_user_message": [
        {"thread_id": THREAD, "input": INPUT},
        {"thread_id": OTHERS, "input": {**INPUT, "attachments": [ATTACHMENT]}},
    ],
    "threads.add_client_tool_output": [{"thread_id": THREAD, "result": 1}],
    "threads.add_structured_input": [
        {"thread_id": THREAD, "item_id": QUESTIONS, "input": {}},
        {"thread_id": OTHERS, "item_id": QUESTIONS, "input": {}},
    ],
    "threads.retry_after_item": [
        {"thread_id": THREAD, "item_id": MESSAGE},
        {"thread_id": OTHERS, "item_id": MESSAGE},
    ],
    "threads.custom_action": [
        {"thread_id": THREAD, "item_id": WIDGET, "action": {"type": "a"}},
        {"thread_id": THREAD, "action": {"type": "a"}},
        {"thread_id": OTHERS, "item_id": WIDGET, "action": {"type": "a"}},
    ],
    "threads.sync_custom_action": [
        {"thread_id": THREAD, "item_id": WIDGET, "action": {"type": "a"}},
        {"thread_id": OTHERS, "item_id": WIDGET, "action": {"type": "a"}},
    ],
    "threads.get_by_id": [{"thread_id": THREAD}],
    "threads.list": [{"after": THREAD}],
    "items.list": [{"thread_id": THREAD}, {"thread_id": OTHERS, "after": MESSAGE}],
    "items.feedback": [
        {"thread_id": THREAD, "item_ids": [MESSAGE], "kind": "positive"},
        {"thread_id": THREAD, "item_ids": [], "kind": "positive"},
        {"thread_id": OTHERS, "item_ids": [MESSAGE], "kind": "positive"},
    ],
    "attachments.delete": [{"attachment_id": ATTACHMENT}, {"attachment_id": USED}],
    "threads.update": [{"thread_id": THREAD, "title": "Mine"}],
    "threads.delete": [{"thread_id": THREAD}],
}
WITHOUT_IDS = {"attachments.create", "input.transcribe"}


def test_every_request_type_is_here() -> None:
    assert set(REQUESTS) | WITHOUT_IDS == set(OPERATIONS_BY_NAME)


def filled(params: Any, ids: dict[str, str]) -> Any:
    text = msgspec.json.encode(params).decode()
    for name, value in ids.items():
        text = text.replace(name, value)
    return msgspec.json.decode(text)


async def alices(server: Served, client: ChatKitClient) -> dict[str, str]:
    """What Alice has."""

    async def respond(thread: Any, *_: Any) -> Any:
        for make in (card, questions, tool_call):
            item = make(thread, server.store.generate_item_id("message", thread, ALICE))
            yield item

    server.responding = respond
    used = (await client.attachments_create("used", 1)).json["id"]
    turn = (await client.create("Secret", attachments=[used])).check()
    free = (await client.attachments_create("free", 1)).json["id"]
    message, widget, asked, _ = turn.thread.items
    server.responding = yielding("Hello")
    return {
        THREAD: turn.thread.id or "",
        MESSAGE: message.id,
        WIDGET: widget.id,
        QUESTIONS: asked.id,
        ATTACHMENT: free,
        USED: used,
    }


@pytest.mark.parametrize(
    ("kind", "params"), [(kind, params) for kind, each in REQUESTS.items() for params in each]
)
async def test_anothers_ids_are_as_unknown_ids(
    server: Served, client: ChatKitClient, store: Store[str], kind: str, params: dict[str, Any]
) -> None:
    ids = await alices(server, client)
    own = (await client.create("Mine", headers=AS_MALLORY)).check().thread.id or ""
    made_up = {name: f"{value[:-4]}0000" for name, value in ids.items()}
    server.calls.clear()
    before = await snapshot(store, (ALICE, MALLORY))
    answers = [
        await client.request(kind, filled(params, {**each, OTHERS: own}), headers=AS_MALLORY)
        for each in (ids, made_up)
    ]
    theirs, unknown = answers
    assert theirs.status == unknown.status == (200 if kind == "threads.delete" else 404)
    assert theirs.code == unknown.code
    assert theirs.error.get("path") == unknown.error.get("path")
    lengths = {len(answer.body) for answer in answers}
    assert len(lengths) == 1, "not even by their length"
    assert await snapshot(store, (ALICE, MALLORY)) == before
    assert server.calls == [], "no hook hears of it"
    assert server.bytes.deleted == []
    for attachment in (ids[ATTACHMENT], ids[USED]):
        await store.load_attachment(attachment, ALICE)


async def test_lists_are_each_owners_own(server: Served, client: ChatKitClient) -> None:
    ids = await alices(server, client)
    own = (await client.create("Mine", headers=AS_MALLORY)).thread.id
    assert (await client.list_threads()).ids == [ids[THREAD]]
    assert (await client.list_threads(headers=AS_MALLORY)).ids == [own]


async def test_a_running_turn_of_another_is_neither_stopped_nor_seen(
    server: Served, client: ChatKitClient, store: Store[str]
) -> None:
    ids = await alices(server, client)
    held = Held()
    server.responding = held
    turns: list[Any] = []
    async with anyio.create_task_group() as tasks:

        async def send() -> None:
            turns.append(await client.send(ids[THREAD], "Secret"))

        tasks.start_soon(send)
        await held.started.wait()
        assert (await client.delete(ids[THREAD], headers=AS_MALLORY)).ok
        assert (await client.send(ids[THREAD], "Secret", headers=AS_MALLORY)).status == 404
        held.go.set()
    assert turns[0].check().text == "Hello world"
    assert (await rows(store, ids[THREAD], ALICE))[-1].content[0].text == "Hello world"


async def test_the_same_id_may_belong_to_two_owners(server: Served, client: ChatKitClient) -> None:
    """Ids from a model or a careless generator are no way into another's thread."""
    server.store.generate_thread_id = lambda context: "thr_same"  # type: ignore[method-assign]
    server.responding = yielding("For Alice")
    assert (await client.create("Hi")).ok
    server.responding = yielding("For Mallory")
    other = ChatKitClient(client.transport, headers=AS_MALLORY)
    assert (await other.create("Hi")).ok
    assert "For Alice" in str((await client.get_thread("thr_same")).json)
    assert "For Mallory" in str((await other.get_thread("thr_same")).json)
    assert (await other.delete("thr_same")).ok
    assert (await client.get_thread("thr_same")).ok


@pytest.mark.parametrize("nobody", ["", None, 7])
async def test_people_without_a_name_do_not_share_one(
    server: Served, store: Store[Any], nobody: Any
) -> None:
    async with talking(server, context=lambda _: nobody) as client:
        for answer in (await client.create("Hi"), await client.list_threads()):
            assert (answer.status, answer.code) == (500, "internal_error")
    assert server.answers() == 0
