"""What every store promises, as tests that anyone can run on their own store.

Subclass :class:`StoreContract` in a test module and say how to make an empty store::

    class TestMyStore(StoreContract):
        async def make_store(self, owner=None, clock=None):
            return MyStore(owner=owner)

pytest runs it with anyio's plugin, on asyncio and trio; override the ``anyio_backend`` fixture for one of them. A store
that only has the abstract methods of :class:`~chatkit_asgi.store.base.Store` passes too: switch off what it does not
promise with the class attributes. May import ``store``, ``types``, ``protocol`` and pytest.
"""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast

import anyio
import msgspec
import pytest

from ..errors import Conflict, NotFoundError
from ..protocol.codec import decode_item, encode
from ..protocol.visibility import item_on_wire, thread_on_wire
from ..store.base import Store, ThreadPatch
from ..types import (
    ActiveStatus,
    Annotation,
    AssistantMessageContent,
    AssistantMessageItem,
    AttachmentUploadDescriptor,
    ClientToolCallItem,
    ClosedStatus,
    CustomSummary,
    DurationSummary,
    EndOfTurnItem,
    EntitySource,
    FileAttachment,
    GeneratedImage,
    GeneratedImageItem,
    HiddenContextItem,
    ImageAttachment,
    InferenceOptions,
    LockedStatus,
    Page,
    SDKHiddenContextItem,
    StructuredInputFreeform,
    StructuredInputItem,
    StructuredInputMultipleChoice,
    StructuredInputMultipleChoiceOption,
    TaskItem,
    ThoughtTask,
    Thread,
    ThreadMetadata,
    ToolChoice,
    UnknownItem,
    URLSource,
    UserMessageItem,
    UserMessageTagContent,
    UserMessageTextContent,
    WidgetItem,
    Workflow,
    WorkflowItem,
)

__all__ = [
    "NOW",
    "StoreContract",
    "every_item",
    "file",
    "message",
    "note",
    "question",
    "said",
    "thread",
    "tool_call",
]

NOW = datetime(2026, 5, 4, 3, 2, 1, 123456, tzinfo=UTC)

Owner = Callable[[Any], str]
Clock = Callable[[], float]


# -- records -----------------------------------------------------------------------------------


def thread(id: str = "t", **fields: Any) -> ThreadMetadata:
    """A thread."""
    return ThreadMetadata(id=id, created_at=NOW, **fields)


def message(id: str, text: str = "Hello", *, thread_id: str = "t", at: datetime = NOW) -> Any:
    """An assistant's message."""
    content = [AssistantMessageContent(text=text)]
    return AssistantMessageItem(id=id, thread_id=thread_id, created_at=at, content=content)


def note(id: str, *, thread_id: str = "t") -> Any:
    """A hidden item."""
    return HiddenContextItem(id=id, thread_id=thread_id, created_at=NOW, content={"why": id})


def tool_call(id: str, *, status: Any = "pending", output: Any = None) -> Any:
    """A client tool call."""
    return ClientToolCallItem(
        id=id,
        thread_id="t",
        created_at=NOW,
        call_id=f"call_{id}",
        name="look",
        arguments={"a": [1, None, {"b": 2.5}]},
        status=status,
        output=output,
    )


def question(id: str, *, status: Any = "pending") -> Any:
    """A structured input."""
    inputs = [StructuredInputFreeform(id="q", question="Why?")]
    return StructuredInputItem(id=id, thread_id="t", created_at=NOW, status=status, inputs=inputs)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def file(id: str, *, thread_id: str | None = None, private: bool = False) -> FileAttachment:
    """An attachment's record, on request with everything that must not be sent."""
    upload = AttachmentUploadDescriptor(
        url="https://up.example/1", method="PUT", headers={"a": "b"}
    )
    return FileAttachment(
        id=id,
        name="a.txt",
        mime_type="text/plain",
        thread_id=thread_id,
        upload_descriptor=upload if private else None,
        metadata={"secret": [1, {"x": None}]} if private else None,
    )


def said(id: str, *attachments: Any, thread_id: str = "t") -> UserMessageItem:
    """A person's message."""
    return UserMessageItem(
        id=id,
        thread_id=thread_id,
        created_at=NOW,
        content=[UserMessageTextContent(text="Look at this")],
        attachments=list(attachments),
        inference_options=InferenceOptions(),
    )


def every_item() -> list[Any]:
    """An item of every type, with everything optional in it."""
    head: dict[str, Any] = {"thread_id": "t", "created_at": NOW}
    picture = ImageAttachment(
        id="a2", name="b.png", mime_type="image/png", preview_url="https://a.example/b?x=%20"
    )
    annotations = [
        Annotation(source=URLSource(title="Page", url="https://e.example", group="g"), index=3),
        Annotation(source=EntitySource(id="e", title="E", data={"n": None}, interactive=True)),
    ]
    choice = StructuredInputMultipleChoice(
        id="c",
        question="Which?",
        options=[StructuredInputMultipleChoiceOption(value="x")],
        multiple=True,
    )
    user = UserMessageItem(
        id="user",
        content=[
            UserMessageTextContent(text="Hi \U0001f600"),
            UserMessageTagContent(id="1", text="@a", data={"k": None}),
        ],
        attachments=[file("a1", thread_id="t", private=True), picture],
        quoted_text="before",
        inference_options=InferenceOptions(model="m", tool_choice=ToolChoice(id="search")),
        **head,
    )
    thought: Any = ThoughtTask(content="Hm", status_indicator="loading")
    return [
        user,
        AssistantMessageItem(
            id="assistant",
            content=[AssistantMessageContent(text="a\n\x00b", annotations=annotations)],
            **head,
        ),
        tool_call("call", status="completed", output={"ok": [None, True]}),
        WidgetItem(
            id="widget",
            widget=cast(
                "Any",
                {
                    "type": "Card",
                    "children": [{"type": "Text", "value": "x", "new": {"deep": None}}],
                },
            ),
            copy_text="x",
            **head,
        ),
        GeneratedImageItem(
            id="image", image=GeneratedImage(id="i", url="data:image/png;base64,AA=="), **head
        ),
        StructuredInputItem(id="input", inputs=[choice], **head),
        TaskItem(id="task", task=thought, **head),
        WorkflowItem(
            id="workflow",
            workflow=Workflow(
                type="reasoning", tasks=[thought], summary=DurationSummary(duration=3)
            ),
            **head,
        ),
        WorkflowItem(
            id="workflow2",
            workflow=Workflow(
                type="custom", tasks=[], summary=CustomSummary(title="Done"), expanded=True
            ),
            **head,
        ),
        EndOfTurnItem(id="end", **head),
        HiddenContextItem(id="hidden", content=["any", {"thing": None}], **head),
        SDKHiddenContextItem(id="sdk_hidden", content="stopped", **head),
    ]


# -- the promises ------------------------------------------------------------------------------


class StoreContract:
    """The tests. Each makes a store of its own and closes it."""

    pytestmark = pytest.mark.anyio

    owners: bool = True
    """``make_store(owner=...)`` isolates owners from each other."""
    strict_threads: bool = True
    """Items of a thread that does not exist can be neither saved nor listed."""
    atomic: bool = True
    """Concurrent changes of one record do not overwrite each other; several records are saved all or none."""
    asides: bool = True
    """Items that are aside come back to their places, and at once when their lease has run out."""
    feedback: bool = True
    """The store keeps votes."""

    async def make_store(
        self, owner: Owner | None = None, clock: Clock | None = None
    ) -> Store[Any]:
        """An empty store. To be overridden.

        Args:
            owner: From a context to whose rows it sees; never passed where ``owners`` is false.
            clock: Seconds since 1970 for leases; never passed where ``asides`` is false.
        """
        raise NotImplementedError("Override make_store() to return an empty store.")

    @asynccontextmanager
    async def open(
        self, owner: Owner | None = None, clock: Clock | None = None
    ) -> AsyncGenerator[Any, None]:
        """A store that is closed at the end."""
        given: dict[str, Any] = {"owner": owner, "clock": clock}
        options = {name: value for name, value in given.items() if value is not None}
        store: Any = await self.make_store(**options)
        try:
            yield store
        finally:
            with anyio.CancelScope(shield=True):
                await store.close()

    @asynccontextmanager
    async def filled(self, *items: Any, **options: Any) -> AsyncGenerator[Any, None]:
        """A store with one thread of these items."""
        async with self.open(**options) as store:
            await store.save_thread(thread(), context=None)
            for item in items:
                await store.add_thread_item("t", item, context=None)
            yield store

    # -- threads -------------------------------------------------------------------------------

    async def test_a_thread_comes_back_as_it_was_saved(self) -> None:
        async with self.open() as store:
            for number, status in enumerate((LockedStatus(reason="a\x00b"), ClosedStatus())):
                saved = thread(
                    f"t{number}",
                    title="Title é",
                    status=status,
                    allowed_image_domains=["a.example"],
                    metadata={"deep": {"list": [1, None, 2.5, "x"]}},
                )
                await store.save_thread(saved, context=None)
                assert await store.load_thread(f"t{number}", context=None) == saved

    async def test_a_thread_with_items_is_saved_without_them(self) -> None:
        async with self.open() as store:
            items: Page[Any] = Page(data=[message("m")])
            with_items = Thread(id="t", created_at=NOW, title="x", metadata={"a": 1}, items=items)
            await store.save_thread(with_items, context=None)
            loaded = await store.load_thread("t", context=None)
            assert type(loaded) is ThreadMetadata
            assert (loaded.title, loaded.metadata) == ("x", {"a": 1})

    async def test_an_unknown_thread_is_not_found(self) -> None:
        async with self.open() as store:
            with pytest.raises(NotFoundError):
                await store.load_thread("nope", context=None)
            with pytest.raises(NotFoundError):
                await store.update_thread("nope", ThreadPatch(title="x"), context=None)
            await store.delete_thread("nope", context=None)

    async def test_items_of_an_unknown_thread_are_not_found_and_not_saved(self) -> None:
        if not self.strict_threads:
            pytest.skip("this store does not check threads")
        async with self.open() as store:
            with pytest.raises(NotFoundError):
                await store.load_thread_items("t", None, 10, "asc", context=None)
            with pytest.raises(NotFoundError):
                await store.load_visible_items("t", None, 10, "asc", context=None)
            with pytest.raises(NotFoundError):
                await store.load_item("t", "m", context=None)
            for save in (store.add_thread_item, store.save_item):
                with pytest.raises(NotFoundError):
                    await save("t", message("m"), context=None)
            await store.save_thread(thread(), context=None)
            assert await _all(store) == []

    async def test_threads_are_listed_in_the_order_of_their_creation(self) -> None:
        """Invariant: the order is a sequence, never a clock: all times here are equal or run backwards."""
        async with self.open() as store:
            names = [f"t{number}" for number in (3, 1, 4, 0, 5, 9, 2, 6)]
            for number, name in enumerate(names):
                saved = thread(name)
                saved.created_at -= timedelta(seconds=number // 2)
                await store.save_thread(saved, context=None)
            await store.save_thread(thread("t4", title="renamed"), context=None)
            assert await _walk_threads(store, "asc", 3) == names
            assert await _walk_threads(store, "desc", 3) == names[::-1]

    async def test_a_page_of_threads_ends_with_a_cursor_only_when_there_are_more(self) -> None:
        async with self.open() as store:
            empty = await store.load_threads(limit=2, after=None, order="desc", context=None)
            assert (empty.data, empty.has_more, empty.after) == ([], False, None)
            for name in ("a", "b", "c", "d"):
                await store.save_thread(thread(name), context=None)
            first = await store.load_threads(limit=2, after=None, order="asc", context=None)
            assert ([each.id for each in first.data], first.has_more, first.after) == (
                ["a", "b"],
                True,
                "b",
            )
            last = await store.load_threads(limit=2, after="b", order="asc", context=None)
            assert ([each.id for each in last.data], last.has_more, last.after) == (
                ["c", "d"],
                False,
                None,
            )
            with pytest.raises(NotFoundError):
                await store.load_threads(limit=2, after="nope", order="asc", context=None)

    async def test_a_deleted_thread_takes_everything_with_it(self) -> None:
        async with self.filled(message("m")) as store:
            await store.save_attachment(file("a", thread_id="t"), context=None)
            await store.add_thread_item("t", said("u", file("a", thread_id="t")), context=None)
            await store.save_attachment(file("other"), context=None)
            for _ in range(2):
                await store.delete_thread("t", context=None)
            with pytest.raises(NotFoundError):
                await store.load_thread("t", context=None)
            with pytest.raises(NotFoundError):
                await store.load_attachment("a", None)
            assert await store.load_attachment("other", None) == file("other")
            await store.save_thread(thread(), context=None)
            assert await _all(store) == []

    async def test_a_patch_changes_only_what_it_names(self) -> None:
        async with self.open() as store:
            await store.save_thread(
                thread(title="old", metadata={"keep": 1, "drop": 2, "change": 3}), context=None
            )
            patch = ThreadPatch(
                status=LockedStatus(),
                metadata_set={"change": [4], "new": None},
                metadata_removed=["drop"],
            )
            result = await store.update_thread("t", patch, context=None)
            expected = thread(
                title="old", status=LockedStatus(), metadata={"keep": 1, "change": [4], "new": None}
            )
            assert result == await store.load_thread("t", context=None) == expected

    async def test_a_rename_in_between_wins_over_a_patch(self) -> None:
        async with self.open() as store:
            await store.save_thread(thread(title="renamed by hand"), context=None)
            stale = ThreadPatch(title="from the turn", title_was="old")
            assert (await store.update_thread("t", stale, context=None)).title == "renamed by hand"
            fresh = ThreadPatch(title="new", title_was="renamed by hand")
            assert (await store.update_thread("t", fresh, context=None)).title == "new"

    async def test_concurrent_patches_are_all_kept(self) -> None:
        if not self.atomic:
            pytest.skip("this store's updates are not atomic")
        async with self.filled() as store:
            patches = [ThreadPatch(metadata_set={f"k{number}": number}) for number in range(20)]
            await _at_once(
                partial(store.update_thread, "t", each, context=None) for each in patches
            )
            assert len((await store.load_thread("t", context=None)).metadata) == 20

    # -- items ---------------------------------------------------------------------------------

    async def test_an_item_of_every_type_comes_back_as_it_was_saved(self) -> None:
        async with self.filled(*every_item()) as store:
            for item in every_item():
                assert await store.load_item("t", item.id, context=None) == item
            assert await _all(store) == every_item()

    async def test_items_are_ordered_by_their_first_save(self) -> None:
        """Invariant: the order is a sequence, never a clock: all times here are equal or run backwards."""
        names = [f"m{number}" for number in (5, 3, 8, 1, 9, 2, 7)]
        async with self.filled() as store:
            for number, name in enumerate(names):
                at = NOW - timedelta(hours=number // 3)
                await store.add_thread_item("t", message(name, at=at), context=None)
            assert await _walk(store, "asc", 2) == names
            assert await _walk(store, "desc", 2) == names[::-1]

    async def test_replacing_an_item_keeps_its_place(self) -> None:
        async with self.filled(*(message(f"m{number}") for number in range(4))) as store:
            await store.save_item(
                "t", message("m1", "saved", at=NOW + timedelta(days=1)), context=None
            )
            await store.add_thread_item("t", message("m2", "added again"), context=None)
            await store.save_item("t", message("m4", "new"), context=None)
            items = await _all(store)
            assert [each.id for each in items] == ["m0", "m1", "m2", "m3", "m4"]
            texts = [each.content[0].text for each in items]
            assert texts == ["Hello", "saved", "added again", "Hello", "new"]

    async def test_a_deleted_item_is_gone_and_may_come_again_at_the_end(self) -> None:
        async with self.filled(message("a"), message("b"), message("c")) as store:
            for _ in range(2):
                await store.delete_thread_item("t", "b", context=None)
            await store.delete_thread_item("t", "c", context=None)
            with pytest.raises(NotFoundError):
                await store.load_item("t", "b", context=None)
            await store.add_thread_item("t", message("d"), context=None)
            await store.add_thread_item("t", message("b"), context=None)
            assert [each.id for each in await _all(store)] == ["a", "d", "b"]

    async def test_the_same_id_in_two_threads_is_two_items(self) -> None:
        async with self.filled(message("m", "one")) as store:
            await store.save_thread(thread("t2"), context=None)
            with pytest.raises(NotFoundError):
                await store.load_item("t2", "m", context=None)
            await store.add_thread_item("t2", message("m", "two", thread_id="t2"), context=None)
            assert (await store.load_item("t", "m", context=None)).content[0].text == "one"
            await store.delete_thread_item("t", "m", context=None)
            assert (await store.load_item("t2", "m", context=None)).content[0].text == "two"

    async def test_pages_cut_a_thread_without_gaps(self) -> None:
        names = [f"m{number}" for number in range(7)]
        async with self.filled(*map(message, names)) as store:
            for limit in (1, 2, 3, 6, 7, 8, 1000):
                assert await _walk(store, "asc", limit) == names
                assert await _walk(store, "desc", limit) == names[::-1]
            exact = await store.load_thread_items("t", "m3", 3, "asc", context=None)
            assert (len(exact.data), exact.has_more, exact.after) == (3, False, None)
            beyond = await store.load_thread_items("t", "m6", 3, "asc", context=None)
            assert (beyond.data, beyond.has_more, beyond.after) == ([], False, None)

    async def test_an_unknown_cursor_is_not_found(self) -> None:
        async with self.filled(message("m")) as store:
            for load in (store.load_thread_items, store.load_visible_items):
                with pytest.raises(NotFoundError):
                    await load("t", "nope", 10, "asc", context=None)

    @pytest.mark.parametrize("order", ["asc", "desc"])
    @pytest.mark.parametrize("seed", range(4))
    async def test_inserts_and_deletes_between_pages_lose_and_repeat_nothing(
        self, order: str, seed: int
    ) -> None:
        """Every item that was there all the time is read exactly once, whatever happens around it."""
        chance = random.Random(seed)
        names = [f"m{number}" for number in range(30)]
        async with self.filled(*map(message, names)) as store:
            staying, read, after, extra = set(names), list[str](), None, 0
            while True:
                page = await store.load_thread_items(
                    "t", after, chance.randint(1, 5), order, context=None
                )
                read += [each.id for each in page.data]
                if not page.has_more:
                    break
                after = page.after
                for _ in range(chance.randint(0, 3)):
                    extra += 1
                    await store.add_thread_item("t", message(f"x{extra}"), context=None)
                rest = sorted(staying - {after})
                for name in chance.sample(rest, min(len(rest), 2)):
                    staying.discard(name)
                    await store.delete_thread_item("t", name, context=None)
            assert len(read) == len(set(read))
            assert staying <= set(read)
            in_order = [name for name in names if name in read]
            assert [name for name in read if name in names] == (
                in_order if order == "asc" else in_order[::-1]
            )

    async def test_concurrent_appends_all_get_a_place_of_their_own(self) -> None:
        async with self.filled() as store:
            items = [message(f"m{number}") for number in range(50)]
            await _at_once(
                partial(store.add_thread_item, "t", each, context=None) for each in items
            )
            names = await _walk(store, "asc", 7)
            assert sorted(names) == sorted(f"m{number}" for number in range(50))
            assert await _walk(store, "desc", 9) == names[::-1]

    # -- copies --------------------------------------------------------------------------------

    async def test_changing_what_was_saved_does_not_change_the_store(self) -> None:
        saved, item, attachment = thread(metadata={"a": [1]}), message("m"), file("f", private=True)
        async with self.open() as store:
            await store.save_thread(saved, context=None)
            await store.add_thread_item("t", item, context=None)
            await store.save_attachment(attachment, context=None)
            saved.metadata["a"].append(2)
            saved.title = "changed"
            item.content[0].text = "changed"
            attachment.name = "changed"
            assert await store.load_thread("t", context=None) == thread(metadata={"a": [1]})
            assert await store.load_item("t", "m", context=None) == message("m")
            assert await store.load_attachment("f", None) == file("f", private=True)

    async def test_changing_what_was_loaded_does_not_change_the_store(self) -> None:
        async with self.filled(message("m")) as store:
            loaded = await store.load_thread("t", context=None)
            loaded.metadata["x"] = 1
            (await store.load_item("t", "m", context=None)).content[0].text = "changed"
            page = await store.load_thread_items("t", None, 10, "asc", context=None)
            page.data[0].content.clear()
            page.data.clear()
            (await store.load_threads(10, None, "asc", context=None)).data.clear()
            assert await store.load_thread("t", context=None) == thread()
            assert await _all(store) == [message("m")]

    # -- what a client may see -----------------------------------------------------------------

    async def test_visible_pages_are_full_and_never_end_on_a_hidden_item(self) -> None:
        pattern = "hvhhvvhvhhhhvvvhvh"
        items = [
            (note if kind == "h" else message)(f"{kind}{place}")
            for place, kind in enumerate(pattern)
        ]
        shown = [item.id for item in items if item.id[0] == "v"]
        async with self.filled(*items) as store:
            for order, expected in (("asc", shown), ("desc", shown[::-1])):
                for limit in (1, 2, 3, 50):
                    read: list[str] = []
                    after = None
                    while True:
                        page = await store.load_visible_items(
                            "t", after, limit, order, context=None
                        )
                        names = [msgspec.json.decode(each)["id"] for each in page.data]
                        read += names
                        assert page.after == (names[-1] if page.has_more else None)
                        if not page.has_more:
                            break
                        assert len(names) == limit
                        after = page.after
                    assert read == expected

    async def test_a_thread_of_hidden_items_only_looks_empty(self) -> None:
        async with self.filled(*(note(f"h{number}") for number in range(30))) as store:
            page = await store.load_visible_items("t", None, 5, "desc", context=None)
            assert (page.data, page.has_more, page.after) == ([], False, None)
            assert len(await _all(store)) == 30

    async def test_visible_items_are_the_wire_and_nothing_private(self) -> None:
        async with self.filled(*every_item()) as store:
            page = await store.load_visible_items("t", None, 50, "asc", context=None)
            visible = [item for item in every_item() if "hidden" not in item.type]
            wire = [encode(item_on_wire(item)) for item in visible]
            assert [msgspec.json.decode(each) for each in page.data] == [
                msgspec.json.decode(e) for e in wire
            ]
            text = encode(page)
            assert b"secret" not in text
            assert b"upload_descriptor" not in text

    async def test_visible_threads_are_the_wire_and_nothing_private(self) -> None:
        async with self.open() as store:
            for number in range(5):
                each = thread(f"t{number}", title=f"No. {number}", metadata={"a": "secret"})
                each.status = LockedStatus(reason="busy") if number == 3 else ActiveStatus()
                each.allowed_image_domains = ["example.com"] if number == 2 else None
                await store.save_thread(each, context=None)
            for order in ("asc", "desc"):
                after = None
                while True:
                    page = await store.load_visible_threads(2, after, order, context=None)
                    threads = await store.load_threads(2, after, order, context=None)
                    assert (page.has_more, page.after) == (threads.has_more, threads.after)
                    assert [msgspec.json.decode(each) for each in page.data] == [
                        msgspec.json.decode(encode(thread_on_wire(each))) for each in threads.data
                    ]
                    assert b"secret" not in encode(page)
                    after = page.after
                    if not page.has_more:
                        break

    async def test_nul_and_lone_surrogates_do_not_lose_a_save(self) -> None:
        async with self.filled() as store:
            bad = "a\x00b\ud800c\udfff \U0001f600"
            await store.add_thread_item("t", message("m", bad), context=None)
            await store.add_thread_item("t", tool_call("c", output={bad: [bad]}), context=None)
            await store.save_thread(thread(title=bad, metadata={bad: bad}), context=None)
            loaded = await store.load_item("t", "m", context=None)
            assert loaded.content[0].text in (bad, "a\x00b\ufffdc\ufffd \U0001f600")
            assert (await store.load_thread("t", context=None)).title.startswith("a\x00b")
            page = await store.load_visible_items("t", None, 10, "asc", context=None)
            assert len(msgspec.json.decode(encode(page))["data"]) == 2

    async def test_an_item_of_an_unknown_type_is_kept_byte_for_byte(self) -> None:
        raw = b'{"id":"n","thread_id":"t","created_at":"2026-01-01T00:00:00Z","type":"hologram","z":[1, {"y":null}]}'
        unknown = decode_item(raw)
        assert isinstance(unknown, UnknownItem)
        async with self.filled(message("a"), unknown, message("b")) as store:
            loaded = await store.load_item("t", "n", context=None)
            assert (loaded, loaded.raw, loaded.type) == (unknown, raw, "hologram")
            await store.save_item("t", loaded, context=None)
            assert [each.id for each in await _all(store)] == ["a", "n", "b"]
            page = await store.load_visible_items("t", None, 10, "asc", context=None)
            assert bytes(page.data[1]) == raw

    # -- one message, several records ----------------------------------------------------------

    async def test_a_message_is_saved_with_its_thread_and_attachments(self) -> None:
        async with self.open() as store:
            attachment = file("a", thread_id="t", private=True)
            await store.save_attachment(file("a"), context=None)
            await store.save_user_message(
                thread(title="new"),
                said("u", attachment),
                [attachment],
                new_thread=True,
                context=None,
            )
            await store.save_user_message(thread(), said("u2"), [], new_thread=False, context=None)
            assert (await store.load_thread("t", context=None)).title == "new"
            assert await _all(store) == [said("u", attachment), said("u2")]
            assert await store.load_attachment("a", None) == attachment
            assert await store.load_thread_attachments("t", context=None) == [attachment]

    async def test_a_message_that_cannot_be_saved_leaves_nothing(self) -> None:
        if not (self.atomic and self.strict_threads):
            pytest.skip("this store saves the parts one after the other")
        async with self.open() as store:
            attachment = file("a", thread_id="t")
            await store.save_attachment(file("a"), context=None)
            with pytest.raises(NotFoundError):
                await store.save_user_message(
                    thread(), said("u", attachment), [attachment], new_thread=False, context=None
                )
            assert await store.load_attachment("a", None) == file("a")
            with pytest.raises(NotFoundError):
                await store.load_thread("t", context=None)

    async def test_an_attachment_that_has_gone_is_in_no_message(self) -> None:
        if not self.atomic:
            pytest.skip("this store saves the parts one after the other")
        async with self.open() as store:
            gone = file("a", thread_id="t")
            with pytest.raises(NotFoundError):
                await store.save_user_message(
                    thread(), said("u", gone), [gone], new_thread=True, context=None
                )
            with pytest.raises(NotFoundError):
                await store.load_attachment("a", None)
            with pytest.raises(NotFoundError):
                await store.load_thread("t", context=None)

    async def test_of_two_threads_that_want_one_attachment_one_gets_it(self) -> None:
        if not self.atomic:
            pytest.skip("this store saves the parts one after the other")
        async with self.open() as store:
            await store.save_attachment(file("a"), context=None)
            refused: list[str] = []

            async def say(name: str) -> None:
                mine = file("a", thread_id=name)
                try:
                    await store.save_user_message(
                        thread(name),
                        said("u", mine, thread_id=name),
                        [mine],
                        new_thread=True,
                        context=None,
                    )
                except Conflict:
                    refused.append(name)

            await _at_once(partial(say, name) for name in ("t1", "t2"))
            assert len(refused) == 1
            (winner,) = {"t1", "t2"} - set(refused)
            assert (await store.load_attachment("a", None)).thread_id == winner
            assert [
                each.id for each in (await store.load_threads(9, None, "asc", context=None)).data
            ] == [winner]

    async def test_only_a_free_attachment_is_deleted_as_one(self) -> None:
        async with self.open() as store:
            await store.save_attachment(file("free"), context=None)
            await store.save_attachment(file("used", thread_id="t"), context=None)
            assert await store.delete_free_attachment("free", context=None)
            assert await store.delete_free_attachment("free", context=None)
            assert not await store.delete_free_attachment("used", context=None)
            assert await store.load_attachment("used", None) == file("used", thread_id="t")
            with pytest.raises(NotFoundError):
                await store.load_attachment("free", None)

    # -- attachments' records ------------------------------------------------------------------

    async def test_an_attachment_comes_back_with_what_is_never_sent(self) -> None:
        picture = ImageAttachment(
            id="p", name="é\x00", mime_type="image/png", preview_url="https://a.example/b?x=%20"
        )
        async with self.open() as store:
            for saved in (file("f"), file("f", private=True), file("f", thread_id="t"), picture):
                await store.save_attachment(saved, context=None)
                assert await store.load_attachment(saved.id, None) == saved

    async def test_a_missing_attachment_is_not_found_and_deleting_it_does_nothing(self) -> None:
        async with self.open() as store:
            await store.save_attachment(file("f"), context=None)
            for _ in range(2):
                await store.delete_attachment("f", context=None)
            with pytest.raises(NotFoundError):
                await store.load_attachment("f", None)

    # -- pending items -------------------------------------------------------------------------

    async def test_pending_tool_calls_are_found_wherever_they_are(self) -> None:
        filler = [message(f"m{number}") for number in range(150)]
        items = [tool_call("c1"), *filler, tool_call("c2"), tool_call("c3", status="completed")]
        async with self.filled(*items, question("q"), note("h")) as store:
            found = await store.load_pending_tool_calls("t", context=None)
            assert found == [tool_call("c2"), tool_call("c1")]

    async def test_an_item_is_settled_once(self) -> None:
        async with self.filled(tool_call("c"), question("q"), message("m")) as store:
            done = tool_call("c", status="completed", output={"ok": 1})
            assert await store.settle_item("t", done, context=None) is True
            again = tool_call("c", status="completed", output={"ok": 2})
            assert await store.settle_item("t", again, context=None) is False
            assert await store.load_item("t", "c", context=None) == done
            assert (
                await store.settle_item("t", question("q", status="skipped"), context=None) is True
            )
            assert (
                await store.settle_item("t", question("q", status="answered"), context=None)
                is False
            )
            assert await store.settle_item("t", message("m", "changed"), context=None) is False
            assert [each.id for each in await _all(store)] == ["c", "q", "m"]
            assert await store.load_pending_tool_calls("t", context=None) == []
            with pytest.raises(NotFoundError):
                await store.settle_item("t", tool_call("nope"), context=None)

    async def test_of_many_that_settle_at_once_one_succeeds(self) -> None:
        if not self.atomic:
            pytest.skip("this store's updates are not atomic")
        async with self.filled(tool_call("c")) as store:
            won: list[int] = []

            async def settle(number: int) -> None:
                if await store.settle_item(
                    "t", tool_call("c", status="completed", output=number), context=None
                ):
                    won.append(number)

            async with anyio.create_task_group() as group:
                for number in range(20):
                    group.start_soon(settle, number)
            assert len(won) == 1
            assert (await store.load_item("t", "c", context=None)).output == won[0]

    # -- asides --------------------------------------------------------------------------------

    async def test_items_that_are_aside_are_out_of_sight(self) -> None:
        async with self.filled(message("a"), message("b"), tool_call("c"), note("d")) as store:
            await store.set_aside_after("t", "b", context=None)
            assert [each.id for each in await _all(store)] == ["a", "b"]
            assert await _walk(store, "desc", 1) == ["b", "a"]
            page = await store.load_visible_items("t", None, 10, "desc", context=None)
            assert len(page.data) == 2
            assert await store.load_pending_tool_calls("t", context=None) == []
            for name in ("c", "d"):
                with pytest.raises(NotFoundError):
                    await store.load_item("t", name, context=None)
            with pytest.raises(NotFoundError):
                await store.settle_item("t", tool_call("c", status="completed"), context=None)

    async def test_items_that_are_aside_can_be_put_back(self) -> None:
        items = [message("a"), tool_call("b"), note("c"), message("d", "text")]
        async with self.filled(*items) as store:
            aside = await store.set_aside_after("t", "a", context=None)
            await store.restore_aside(aside, context=None)
            assert await _all(store) == items
            assert await store.load_pending_tool_calls("t", context=None) == [tool_call("b")]

    async def test_items_that_are_aside_can_be_discarded(self) -> None:
        async with self.filled(message("a"), message("b"), message("c")) as store:
            aside = await store.set_aside_after("t", "a", context=None)
            await store.add_thread_item("t", message("d"), context=None)
            await store.discard_aside(aside, context=None)
            assert [each.id for each in await _all(store)] == ["a", "d"]
            with pytest.raises(NotFoundError):
                await store.load_item("t", "b", context=None)
            await store.add_thread_item("t", message("b", "again"), context=None)
            assert [each.id for each in await _all(store)] == ["a", "d", "b"]

    async def test_the_first_item_of_a_new_answer_replaces_what_is_aside(self) -> None:
        async with self.filled(message("a"), message("b"), message("c")) as store:
            aside = await store.set_aside_after("t", "a", context=None)
            await store.replace_aside(aside, message("d"), context=None)
            await store.add_thread_item("t", message("e"), context=None)
            if self.asides:
                await store.restore_aside(aside, context=None)  # too late
            assert [each.id for each in await _all(store)] == ["a", "d", "e"]

    async def test_what_is_aside_stays_when_it_cannot_be_replaced(self) -> None:
        if not (self.asides and self.strict_threads and self.owners):
            pytest.skip("this store does one thing after the other")
        async with self.open(owner=str) as store:
            await store.save_thread(thread(), context="alice")
            for item in (message("a"), message("b")):
                await store.add_thread_item("t", item, context="alice")
            aside = await store.set_aside_after("t", "a", context="alice")
            with pytest.raises(NotFoundError):
                await store.replace_aside(aside, message("x"), context="bob")
            await store.restore_aside(aside, context="alice")
            page = await store.load_thread_items("t", None, 10, "asc", context="alice")
            assert page.data == [message("a"), message("b")]

    async def test_there_may_be_nothing_to_set_aside(self) -> None:
        async with self.filled(message("a"), message("b")) as store:
            with pytest.raises(NotFoundError):
                await store.set_aside_after("t", "nope", context=None)
            for finish in (store.restore_aside, store.discard_aside):
                await finish(await store.set_aside_after("t", "b", context=None), context=None)
                assert [each.id for each in await _all(store)] == ["a", "b"]

    async def test_items_added_meanwhile_come_after_those_put_back(self) -> None:
        if not self.asides:
            pytest.skip("this store puts items back at the end")
        async with self.filled(message("a"), message("b"), message("c")) as store:
            aside = await store.set_aside_after("t", "a", context=None)
            await store.delete_thread_item("t", "c", context=None)
            await store.add_thread_item("t", message("d"), context=None)
            assert [each.id for each in await _all(store)] == ["a", "d"]
            await store.restore_aside(aside, context=None)
            assert [each.id for each in await _all(store)] == ["a", "b", "d"]

    async def test_an_id_that_is_aside_may_be_used_again(self) -> None:
        if not self.asides:
            pytest.skip("this store puts items back at the end")
        async with self.filled(message("a"), message("b"), message("c")) as store:
            aside = await store.set_aside_after("t", "a", context=None)
            await store.add_thread_item("t", message("b", "new"), context=None)
            await store.save_item("t", message("b", "newer"), context=None)
            assert [each.id for each in await _all(store)] == ["a", "b"]
            await store.discard_aside(aside, context=None)
            assert await _all(store) == [message("a"), message("b", "newer")]

    async def test_one_aside_within_another(self) -> None:
        if not self.asides:
            pytest.skip("this store puts items back at the end")
        names = ["a", "b", "c", "d", "e"]
        async with self.filled(*map(message, names)) as store:
            inner = await store.set_aside_after("t", "c", context=None)
            outer = await store.set_aside_after("t", "a", context=None)
            await store.add_thread_item("t", message("f"), context=None)
            await store.restore_aside(outer, context=None)
            assert await _walk(store, "asc", 2) == ["a", "b", "c", "f"]
            assert await _walk(store, "desc", 2) == ["f", "c", "b", "a"]
            await store.restore_aside(inner, context=None)
            assert await _walk(store, "asc", 2) == [*names, "f"]

    async def test_a_lease_that_ran_out_brings_the_items_back(self) -> None:
        if not self.asides:
            pytest.skip("this store has no leases")
        time = [1000.0]
        async with self.filled(message("a"), tool_call("b"), clock=lambda: time[0]) as store:
            aside = await store.set_aside_after("t", "a", context=None)
            time[0] += 599
            assert [each.id for each in await _all(store)] == ["a"]
            time[0] += 2
            assert [each.id for each in await _all(store)] == ["a", "b"]
            assert await store.load_item("t", "b", context=None) == tool_call("b")
            assert await store.load_pending_tool_calls("t", context=None) == [tool_call("b")]
            await store.discard_aside(aside, context=None)
            assert [each.id for each in await _all(store)] == ["a"]

    # -- feedback ------------------------------------------------------------------------------

    async def test_a_vote_replaces_the_earlier_one(self) -> None:
        if not self.feedback:
            pytest.skip("this store keeps no votes")
        async with self.filled(message("a"), message("b")) as store:
            assert await store.load_feedback("t", context=None) == {}
            await store.save_feedback("t", ["a", "b"], "positive", context=None)
            await store.save_feedback("t", ["a", "a"], "negative", context=None)
            assert await store.load_feedback("t", context=None) == {
                "a": "negative",
                "b": "positive",
            }
            await store.delete_thread_item("t", "b", context=None)
            assert await store.load_feedback("t", context=None) == {"a": "negative"}
            await store.delete_thread("t", context=None)
            await store.save_thread(thread(), context=None)
            assert await store.load_feedback("t", context=None) == {}

    async def test_a_vote_on_what_is_not_in_the_thread_saves_nothing(self) -> None:
        if not self.feedback:
            pytest.skip("this store keeps no votes")
        async with self.filled(message("a")) as store:
            with pytest.raises(NotFoundError):
                await store.save_feedback("t", ["a", "nope"], "positive", context=None)
            with pytest.raises(NotFoundError):
                await store.save_feedback("nope", ["a"], "positive", context=None)
            assert await store.load_feedback("t", context=None) == {}

    # -- owners --------------------------------------------------------------------------------

    async def test_records_of_another_owner_do_not_exist(self) -> None:
        """Every method, with ids that are somebody else's: not found, no effect."""
        if not self.owners:
            pytest.skip("this store is for a single user")
        async with self.open(owner=str) as store:
            items = [message("m"), tool_call("c"), said("u", file("f", thread_id="t"))]
            await store.save_thread(thread(), context="alice")
            for item in items:
                await store.add_thread_item("t", item, context="alice")
            await store.save_attachment(file("f", thread_id="t"), context="alice")
            aside = await store.set_aside_after("t", "u", context="alice")
            done = tool_call("c", status="completed")
            bob: Any = {"context": "bob"}
            refused: list[Callable[[], Any]] = [
                lambda: store.load_thread("t", **bob),
                lambda: store.update_thread("t", ThreadPatch(metadata_set={"x": 1}), **bob),
                lambda: store.load_threads(10, "t", "asc", **bob),
                lambda: store.load_thread_items("t", "m", 10, "asc", **bob),
                lambda: store.load_item("t", "m", **bob),
                lambda: store.settle_item("t", done, **bob),
                lambda: store.set_aside_after("t", "m", **bob),
                lambda: store.load_attachment("f", "bob"),
            ]
            listings: list[Callable[[], Any]] = [
                lambda: store.load_thread_items("t", None, 10, "asc", **bob),
                lambda: store.load_visible_items("t", None, 10, "asc", **bob),
                lambda: store.load_pending_tool_calls("t", **bob),
            ]
            writes: list[Callable[[], Any]] = [
                lambda: store.add_thread_item("t", message("x"), **bob),
                lambda: store.save_item("t", message("m", "changed"), **bob),
                lambda: store.save_user_message(thread(), said("y"), [], new_thread=False, **bob),
            ]
            if self.strict_threads:
                refused += listings + writes
            if self.feedback:
                refused += [
                    lambda: store.save_feedback("t", ["m"], "positive", **bob),
                    lambda: store.load_feedback("t", **bob),
                ]
            for call in refused:
                with pytest.raises(NotFoundError):
                    await call()
            if not self.strict_threads:  # a thread that is not there has no items, and may get some
                for call in listings:
                    listed: Any = await call()
                    assert getattr(listed, "data", listed) == []
                for call in writes:
                    with suppress(NotFoundError):
                        await call()
                own = (await store.load_thread_items("t", None, 10, "asc", **bob)).data
                assert [each.id for each in own] in ([], ["x", "m", "y"])
                assert not [each for each in own if each in items]
            assert (await store.load_threads(10, None, "asc", **bob)).data == []
            assert await store.load_thread_attachments("t", **bob) == []
            await store.delete_thread_item("t", "m", **bob)
            await store.delete_attachment("f", **bob)
            await store.delete_thread("t", **bob)
            await store.discard_aside(aside, **bob)
            await store.restore_aside(aside, **bob)
            alice = "alice"
            page = await store.load_thread_items("t", None, 10, "asc", context=alice)
            assert page.data == items
            assert await store.load_thread("t", context=alice) == thread()
            assert await store.load_attachment("f", alice) == file("f", thread_id="t")

    async def test_ids_may_be_equal_across_owners(self) -> None:
        if not self.owners:
            pytest.skip("this store is for a single user")
        async with self.open(owner=str) as store:
            for name in ("alice", "bob"):
                await store.save_thread(thread(title=name), context=name)
                await store.add_thread_item("t", message("m", name), context=name)
                await store.save_attachment(file("f", thread_id=name), context=name)
                if self.feedback:
                    vote = "positive" if name == "alice" else "negative"
                    await store.save_feedback("t", ["m"], vote, context=name)
            await store.save_thread(thread("only"), context="bob")
            for name, threads in (("alice", ["t"]), ("bob", ["t", "only"])):
                assert (await store.load_thread("t", context=name)).title == name
                assert (await store.load_item("t", "m", context=name)).content[0].text == name
                assert (await store.load_attachment("f", name)).thread_id == name
                listed = await store.load_threads(10, None, "asc", context=name)
                assert [each.id for each in listed.data] == threads
            await store.delete_thread("t", context="alice")
            assert (await store.load_thread("t", context="bob")).title == "bob"
            assert (await store.load_item("t", "m", context="bob")).content[0].text == "bob"
            if self.feedback:
                assert await store.load_feedback("t", context="bob") == {"m": "negative"}

    # -- the store itself ----------------------------------------------------------------------

    async def test_a_closed_store_opens_again_on_use(self) -> None:
        async with self.filled() as store:
            for _ in range(2):
                await store.close()
            await store.save_thread(thread("again"), context=None)
            assert await store.load_thread("again", context=None) == thread("again")

    async def test_a_long_thread_is_as_good_as_a_short_one(self) -> None:
        names = [f"m{number}" for number in range(1200)]
        async with self.filled() as store:
            for start in range(0, len(names), 100):
                items = map(message, names[start : start + 100])
                await _at_once(
                    partial(store.add_thread_item, "t", each, context=None) for each in items
                )
            everything = await _walk(store, "asc", 250)
            assert sorted(everything) == sorted(names)
            middle = everything[600]
            page = await store.load_thread_items("t", middle, 20, "desc", context=None)
            assert [each.id for each in page.data] == everything[580:600][::-1]


async def _at_once(calls: Iterable[Callable[[], Coroutine[Any, Any, Any]]]) -> None:
    async with anyio.create_task_group() as group:
        for call in calls:
            group.start_soon(call)


async def _all(store: Any) -> list[Any]:
    page = await store.load_thread_items("t", None, 10_000, "asc", context=None)
    assert not page.has_more
    return list(page.data)


async def _walk(store: Any, order: str, limit: int) -> list[str]:
    return await _pages(
        lambda after: store.load_thread_items("t", after, limit, order, context=None), limit
    )


async def _walk_threads(store: Any, order: str, limit: int) -> list[str]:
    return await _pages(
        lambda after: store.load_threads(limit=limit, after=after, order=order, context=None), limit
    )


async def _pages(load: Callable[[str | None], Any], limit: int) -> list[str]:
    """The ids of all pages. Every page but the last is full and ends in the cursor of the next."""
    read: list[str] = []
    after: str | None = None
    while True:
        page = await load(after)
        read += [each.id for each in page.data]
        assert page.after == (page.data[-1].id if page.has_more else None)
        if not page.has_more:
            return read
        assert len(page.data) == limit
        after = page.after
