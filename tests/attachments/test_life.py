"""The life of a file: with its message, and never a row without bytes; sweep, export and erase."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from chatkit_asgi import ChatKitServer, Options, cli
from chatkit_asgi.errors import AuthorError, NotFoundError, StoreError, TooLarge
from chatkit_asgi.owners import PAGE, erase_owner, export_owner, sweep
from chatkit_asgi.store import DiskAttachmentStore, MemoryStore, SQLiteStore
from chatkit_asgi.store.attachments import AttachmentLimits
from chatkit_asgi.store.attachments.files import folder_of
from chatkit_asgi.testing import ASGIBridge, ChatKitClient
from chatkit_asgi.types import AttachmentCreateParams, ThreadItemRemovedEvent, ThreadMetadata
from tests.attachments.served import files_in_bucket, files_on_disk, kept, picture

pytestmark = pytest.mark.anyio


class Chat(ChatKitServer[Any]):
    """Answers with one word, or deletes the message that it is asked to forget."""

    async def respond(
        self, thread: Any, input_user_message: Any, context: Any
    ) -> AsyncIterator[Any]:
        text = input_user_message.content[0].text
        if text.startswith("forget "):
            yield ThreadItemRemovedEvent(item_id=text.removeprefix("forget "))
        yield "Yes."


class World:
    """A server with its stores, where an hour is a number."""

    def __init__(self, make_files: Callable[..., Any]) -> None:
        self.hours = 0.0
        self.store: Any = MemoryStore(str)
        self.files: Any = make_files("http://a", clock=self.now)
        self.server = Chat(
            self.store,
            self.files,
            options=Options(
                handle_signals=False, clock=lambda: datetime.fromtimestamp(self.now(), UTC)
            ),
        )

    def now(self) -> float:
        return 1_800_000_000 + self.hours * 3600

    async def upload(self, data: bytes = b"Hello", owner: str = "ada") -> str:
        """A file with its record, in no message."""

        async def chunks() -> AsyncIterator[bytes]:
            yield data

        attachment = await self.files.receive_attachment("a.txt", "text/plain", chunks(), owner)
        await self.store.save_attachment(attachment, context=owner)
        return str(attachment.id)

    async def announce(self, owner: str = "ada") -> str:
        params = AttachmentCreateParams(name="a.txt", size=5, mime_type="text/plain")
        attachment = await self.files.create_attachment(params, owner)
        await self.store.save_attachment(attachment, context=owner)
        return str(attachment.id)

    async def say(
        self, *ids: str, text: str = "Hi", thread: str | None = None, owner: str = "ada"
    ) -> Any:
        from chatkit_asgi import ChatKitApp

        app = ChatKitApp(self.server, context=lambda _: owner)
        async with ASGIBridge(app) as bridge:
            client = ChatKitClient(bridge)
            if thread is None:
                return (await client.create(text, attachments=ids)).check().thread
            return (await client.send(thread, text, attachments=ids)).check().thread


@pytest.fixture(params=["disk"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    if request.param == "disk":
        return World(partial(files_on_disk, tmp_path / "files"))
    return World(partial(files_in_bucket, request.getfixturevalue("s3")))


anywhere = pytest.mark.parametrize("world", ["disk", "s3"], indirect=True)


@anywhere
async def test_what_no_message_carries_is_swept_after_its_grace(world: World) -> None:
    """Files that were never sent, uploads that were never finished, bytes whose record is gone; nothing else."""
    sent, free, orphan = [await world.upload(data) for data in (b"sent", b"free", b"orphan")]
    awaited, other = await world.announce(), await world.upload(b"bob's", "bob")
    await world.store.delete_attachment(orphan, context="ada")
    await world.say(sent)
    world.hours = 23
    assert await sweep(world.server) == 0
    young = await world.upload(b"young")
    world.hours = 25
    assert await sweep(world.server) == 4
    for gone in (free, orphan, awaited):
        with pytest.raises(NotFoundError):
            await world.files.load_stored(gone, "ada")
        with pytest.raises(NotFoundError):
            await world.store.load_attachment(gone, "ada")
    with pytest.raises(NotFoundError):
        await world.files.load_stored(other, "bob")
    assert await world.files.read_attachment(sent, "ada", limit=9) == b"sent"
    assert await world.files.read_attachment(young, "ada", limit=9) == b"young"
    assert await sweep(world.server) == 0


async def test_leftovers_of_a_killed_process_are_swept(world: World, tmp_path: Path) -> None:
    import os

    left = tmp_path / "files" / "incoming" / "tmp1"
    left.write_bytes(b"half a file")
    os.utime(left, (world.now() - 1, world.now() - 1))
    world.hours = 25
    await sweep(world.server)
    assert kept(world.files) == []


@anywhere
async def test_a_message_that_is_removed_takes_its_files_along(world: World) -> None:
    first, second = await world.upload(b"one"), await world.upload(b"two")
    thread = await world.say(first)
    message = thread.items[0]
    await world.say(second, thread=thread.id)
    await world.say(text=f"forget {message.id}", thread=thread.id)
    for place in (world.files.load_stored, world.store.load_attachment):
        with pytest.raises(NotFoundError):
            await place(first, "ada")
        assert (await place(second, "ada")).id == second


async def test_a_retry_takes_the_files_of_the_messages_it_drops(world: World) -> None:
    from chatkit_asgi import ChatKitApp

    first, second = await world.upload(b"one"), await world.upload(b"two")
    thread = await world.say(first)
    asked = thread.items[0]
    await world.say(second, thread=thread.id)
    async with ASGIBridge(ChatKitApp(world.server, context=lambda _: "ada")) as bridge:
        (await ChatKitClient(bridge).retry(thread.id, asked.id)).check()
    assert await world.files.read_attachment(first, "ada", limit=9) == b"one"
    with pytest.raises(NotFoundError):
        await world.files.load_stored(second, "ada")
    with pytest.raises(NotFoundError):
        await world.store.load_attachment(second, "ada")


@pytest.mark.parametrize("store", [MemoryStore, SQLiteStore])
@pytest.mark.parametrize("other", ["a message", "a new thread", "a deletion"])
async def test_who_loses_a_race_for_a_file_has_said_nothing(
    world: World, store: Any, other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have been found good before either is stored: one is, the other's answer is an error, and of its message
    nothing is there. Who comes later is refused before a stream begins."""
    from chatkit_asgi import ChatKitApp

    world.store = world.server.store = (
        MemoryStore(str) if store is MemoryStore else SQLiteStore(tmp_path / "chat.db", owner=str)
    )
    wanted, own = await world.upload(), await world.upload()
    thread = await world.say()
    loser = await world.say()
    before = [each.id for each in loser.items]
    waiting, go = anyio.Event(), anyio.Event()
    confirm = world.files.confirm_attachment

    async def confirm_and_wait(attachment: Any, context: Any) -> Any:
        found = await confirm(attachment, context)
        if not waiting.is_set():
            waiting.set()
            with anyio.fail_after(20):
                await go.wait()
        return found

    monkeypatch.setattr(world.files, "confirm_attachment", confirm_and_wait)
    answers: list[Any] = []
    async with ASGIBridge(ChatKitApp(world.server, context=lambda _: "ada")) as bridge:
        client = ChatKitClient(bridge)

        async def lose() -> None:
            answers.append(await client.send(loser.id, "Mine", attachments=[wanted, own]))

        async with anyio.create_task_group() as group:
            group.start_soon(lose)
            with anyio.fail_after(20):
                await waiting.wait()
            if other == "a message":
                (await client.send(thread.id, "Mine", attachments=[wanted])).check()
            elif other == "a new thread":
                (await client.create("Mine", attachments=[wanted])).check()
            else:
                (await client.attachments_delete(wanted)).check()
            go.set()
        (answer,) = answers
        kinds = [each["type"] for each in answer.events]
        assert "thread.item.done" not in kinds
        (error,) = [each for each in answer.events if each["type"] == "error"]
        why = "has been deleted" if other == "a deletion" else "carries this attachment"
        assert why in error["message"], error
        assert error["allow_retry"] is False
        page = await world.store.load_thread_items(loser.id, None, 20, "asc", context="ada")
        assert [each.id for each in page.data] == before
        assert (await world.store.load_attachment(own, "ada")).thread_id is None
        refused = await client.send(loser.id, "Mine", attachments=[wanted])
        assert refused.status == (404 if other == "a deletion" else 409)
        (await client.send(loser.id, "Then this", attachments=[own])).check()


METHODS = ("write", "take", "read", "delete_one", "usage")


@anywhere
@pytest.mark.parametrize("when", range(8))
@pytest.mark.parametrize("after", [False, True])
async def test_a_crash_never_leaves_a_row_without_bytes(
    world: World, monkeypatch: pytest.MonkeyPatch, when: int, after: bool
) -> None:
    """The process dies before or after the n-th thing that it does to the place; whatever is told is whole."""
    calls = 0
    blobs = world.files._blobs

    def dying(name: str) -> Any:
        real = getattr(blobs, name)

        def call(*values: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls - 1 == when and not after:
                raise OSError("the machine is gone")
            found = real(*values)
            if calls - 1 == when:
                raise OSError("the machine is gone")
            return found

        return call

    for name in METHODS:
        monkeypatch.setattr(blobs, name, dying(name))

    async def chunks() -> AsyncIterator[bytes]:
        yield picture()

    attachment = None
    try:
        attachment = await world.files.receive_attachment("a.png", "image/png", chunks(), "ada")
        await world.store.save_attachment(attachment, context="ada")
    except StoreError:
        pass
    monkeypatch.undo()
    if attachment is None:
        assert world.store._tables._of("ada").attachments == {}
    else:
        assert await world.files.read_attachment(attachment.id, "ada", limit=10**6) == picture()
    async for stored in world.files.stored_attachments():
        if stored.state == "ready":
            assert b"".join([each async for each in world.files.read_stored(stored)]) == picture()
    world.hours = 25
    await sweep(world.server)
    async for each in world.files.stored_attachments():
        pytest.fail(f"{each.id} was not swept")


@anywhere
async def test_an_upload_that_died_can_be_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    attachment_id = await world.announce()
    folder = world.files._place(attachment_id, "ada").partition("/")[0]
    from chatkit_asgi.store.attachments.links import Link

    link = Link("upload", folder, attachment_id, 2**40)

    async def chunks() -> AsyncIterator[bytes]:
        yield b"Hello"

    real = world.files._blobs.write

    def failing(key: str, data: bytes) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(world.files._blobs, "write", failing)
    with pytest.raises(StoreError):
        await world.files.receive_upload(link, chunks())
    monkeypatch.setattr(world.files._blobs, "write", real)
    await world.files.receive_upload(link, chunks())
    assert await world.files.read_attachment(attachment_id, "ada", limit=9) == b"Hello"


@anywhere
async def test_export_has_everything_of_one_person(world: World, tmp_path: Path) -> None:
    sent, free = await world.upload(b"sent"), await world.upload(b"free")
    thread = await world.say(sent)
    other = await world.say(await world.upload(b"bob's", "bob"), owner="bob")
    out = tmp_path / "out"
    assert await export_owner(world.server, "ada", out) == 1
    (line,) = (out / "threads.jsonl").read_text().splitlines()
    told = json.loads(line)
    assert told["id"] == thread.id
    assert [each["type"] for each in told["items"]["data"]] == ["user_message", "assistant_message"]
    files = {each.parent.name: each.read_bytes() for each in (out / "attachments").rglob("a.txt")}
    assert files == {sent: b"sent", free: b"free"}
    assert other.id not in line
    with pytest.raises(FileExistsError):
        await export_owner(world.server, "ada", out)


@pytest.mark.parametrize("lost", ["the cursor", "another"])
async def test_an_export_has_every_thread_although_one_is_deleted_meanwhile(
    tmp_path: Path, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryStore(str)
    made = [store.generate_thread_id("ada") for _ in range(PAGE * 2 + 9)]
    for number, id in enumerate(made):
        created = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number)
        await store.save_thread(ThreadMetadata(id=id, created_at=created), context="ada")
    gone = made[PAGE - 1 if lost == "the cursor" else PAGE - 2]
    scan_items, scanned = store.scan_items, list[str]()

    async def scan(thread_id: str, order: Any, context: Any) -> AsyncIterator[Any]:
        scanned.append(thread_id)
        if len(scanned) == (PAGE if lost == "the cursor" else 3):
            await store.delete_thread(gone, context="ada")
        async for item in scan_items(thread_id, order, context):
            yield item

    monkeypatch.setattr(store, "scan_items", scan)
    count = await export_owner(Chat(store), "ada", tmp_path / "out", context_of=str)
    lines = (tmp_path / "out" / "threads.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == [id for id in made if id != gone]
    assert count == len(made) - 1


@anywhere
async def test_erase_leaves_nothing_of_one_person_and_all_of_the_others(world: World) -> None:
    for _ in range(3):
        await world.say(await world.upload(b"sent"))
    await world.upload(b"free")
    await world.announce()
    bobs = await world.upload(b"bob's", "bob")
    await world.say(bobs, owner="bob")
    await erase_owner(world.server, "ada")
    await erase_owner(world.server, "ada")
    assert world.store._tables._of("ada").attachments == {}
    assert (await world.store.load_threads(9, None, "asc", context="ada")).data == []
    assert kept(world.files) == ["data", "stored.json"]
    assert await world.files.read_attachment(bobs, "bob", limit=9) == b"bob's"


async def test_a_store_for_one_person_is_not_erased_by_a_name(tmp_path: Path) -> None:
    server = Chat(MemoryStore(), DiskAttachmentStore(tmp_path, url="http://a"))
    with pytest.raises(AuthorError):
        await erase_owner(server, "ada")


async def test_a_stray_file_in_the_directory_is_in_nobodys_way(tmp_path: Path) -> None:
    """People look into the directory, and their file managers leave something there."""
    files: Any = DiskAttachmentStore(
        tmp_path, url="http://a", limits=AttachmentLimits(max_files=2, quota=10_000)
    )

    async def upload() -> str:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"Hello"

        return str((await files.receive_attachment("a.txt", "text/plain", chunks(), None)).id)

    first = await upload()
    owner = files._blobs._files / folder_of("")
    for place in (owner.parent, owner, owner / first):
        (place / ".DS_Store").touch()
    ids = {first, await upload()}
    with pytest.raises(TooLarge):
        await upload()
    assert {each.id async for each in files.stored_attachments()} == ids
    assert {each.id async for each in files.stored_attachments("")} == ids


# -- the command -------------------------------------------------------------------------------

APP = """
from chatkit_asgi import ChatKitApp, ChatKitRouter
from chatkit_asgi.store import DiskAttachmentStore, SQLiteStore

store = SQLiteStore("chat.db", owner=lambda context: context)
chat = ChatKitRouter(store, DiskAttachmentStore("files", url="http://a"))
app = ChatKitApp(chat)
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A directory with an application, and one free file of Ada's in it."""
    monkeypatch.chdir(tmp_path)
    name = f"app_{re.sub('[^a-z0-9]', '', tmp_path.name.lower())}"
    (tmp_path / f"{name}.py").write_text(APP)
    monkeypatch.syspath_prepend(tmp_path)

    async def fill() -> None:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"Hello"

        store: Any = SQLiteStore("chat.db", owner=str)
        files: Any = DiskAttachmentStore("files", url="http://a", owner=str)
        attachment = await files.receive_attachment("a.txt", "text/plain", chunks(), "ada")
        await store.save_attachment(attachment, context="ada")
        await store.close()

    anyio.run(fill)
    return f"{name}:app"


def test_the_command_sweeps_exports_and_erases(
    project: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["sweep", project]) == 0
    assert cli.main(["export", project, "ada", "out"]) == 0
    assert next((tmp_path / "out" / "attachments").rglob("a.txt")).read_bytes() == b"Hello"
    assert cli.main(["export", project, "ada", "out"]) == 2
    assert cli.main(["erase", project, "ada"]) == 2
    assert list((tmp_path / "files" / "files").rglob("data_*")) != []
    assert cli.main(["erase", project, "ada", "--yes"]) == 0
    assert list((tmp_path / "files" / "files").rglob("data_*")) == []
    told = capsys.readouterr()
    assert "0 files deleted." in told.out
    assert "out is not empty" in told.err
    assert "--yes" in told.err


def test_the_command_sweeps_what_is_old_enough(
    project: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["sweep", project, "--grace", "0"]) == 0
    assert "1 files deleted." in capsys.readouterr().out


def test_the_command_says_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("nowhere:app", "json:nothing", "json:dumps"):
        assert cli.main(["sweep", name]) == 2
        assert name in capsys.readouterr().err


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_reader_that_leaves_while_a_piece_is_read_closes_the_file(tmp_path: Path) -> None:
    """Invariant: a thread that reads cannot be cancelled, so it closes the file; nobody gets an error for it. Servers
    and Django cancel the task itself, which no shield of anyio's holds back."""
    reading, go, closed = (threading.Event() for _ in range(3))

    def pieces(*_: Any) -> Iterator[bytes]:
        try:
            reading.set()
            assert go.wait(10)
            yield b"a piece"
        finally:
            closed.set()

    files: Any = DiskAttachmentStore(tmp_path, url="http://a")
    files._blobs.open = pieces
    task = asyncio.ensure_future(anext(files._chunks("key", 0, 9)))
    await anyio.to_thread.run_sync(reading.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not closed.is_set()
    go.set()
    assert await anyio.to_thread.run_sync(closed.wait, 10)
