"""The window on a thread: what it keeps, what it says it left out, and what that costs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatkit_asgi.agents import History, ThreadItemConverter, estimate_tokens, load_history
from chatkit_asgi.agents.history import IMAGE_TOKENS
from chatkit_asgi.store import MemoryStore
from chatkit_asgi.store.base import SCAN_PAGE
from chatkit_asgi.types import Page, ThreadMetadata, UserMessageItem

from .items import assistant, hidden, image, texts_of, tool_call, user

THREAD = ThreadMetadata(id="thr_1", created_at=datetime(2026, 3, 14, tzinfo=UTC))


@pytest.fixture
def anyio_backend() -> str:
    """Nothing here depends on the loop."""
    return "asyncio"


class Counting(MemoryStore[Any]):
    """Counts the items that are read."""

    read = 0

    async def load_thread_items(self, *args: Any, **kwargs: Any) -> Page[Any]:
        page = await super().load_thread_items(*args, **kwargs)
        self.read += len(page.data)
        return page


async def stored(items: list[Any]) -> Counting:
    store = Counting()
    await store.save_thread(THREAD, context=None)
    for item in items:
        await store.add_thread_item("thr_1", item, context=None)
    return store


async def window(items: list[Any], **limits: Any) -> History:
    return await load_history(await stored(items), THREAD, None, **limits)


LENGTH = st.integers(1, 12).map("x".__mul__)
ITEM = st.one_of(
    LENGTH.map(user),
    LENGTH.map(assistant),
    LENGTH.map(hidden),
    LENGTH.map(lambda text: tool_call(text, call_id=text)),
)
LIMIT = st.none() | st.integers(1, 40)


@settings(max_examples=150, deadline=None)
@given(items=st.lists(ITEM, max_size=25), max_items=LIMIT, max_tokens=LIMIT)
async def test_laws_of_the_window(items: list[Any], max_items: Any, max_tokens: Any) -> None:
    """Invariants: limits hold, the newest message is there, nothing but the end of the newest turn is parted, and what
    is said to be left out is what is left out."""
    found = await window(items, max_items=max_items, max_tokens=max_tokens, count_tokens=len)
    ids = [item.id for item in items]
    kept = [item.id for item in found.items]
    messages = [n for n, item in enumerate(items) if isinstance(item, UserMessageItem)]
    newest = messages[-1] if messages else None

    # what it left out
    assert kept == [each for each in ids if each in kept], "in order, each once"
    missing = len(ids) - len(kept)
    assert found.left_out <= missing
    assert (found.left_out == 0) == (missing == 0)
    if found.is_beginning_read:
        assert found.left_out == missing
    assert (found.with_note() == found.items) == (missing == 0 or not kept)

    # what it kept
    if newest is not None:
        assert ids[newest] in kept
    assert max_items is None or len(kept) <= max_items
    alone = len(kept) == 1 and newest is not None
    assert max_tokens is None or found.tokens <= max_tokens or alone

    # where it is cut
    places = [ids.index(each) for each in kept]
    if newest is not None and missing:
        assert places[0] in messages, "it begins with what the user said"
        after = [place for place in places if place > newest]
        assert after == [*range(len(ids) - len(after), len(ids))], "the newest of the newest turn"
        if places[0] < newest or len(after) == len(ids) - newest - 1:
            assert places == [*range(places[0], len(ids))], (
                "older turns only after the whole newest"
            )
    elif missing:
        assert places == [*range(len(ids) - len(kept), len(ids))]


@settings(max_examples=60, deadline=None)
@given(items=st.lists(ITEM, max_size=25), max_items=st.integers(1, 40))
async def test_a_call_is_never_parted_from_its_output(items: list[Any], max_items: int) -> None:
    found = await window(items, max_items=max_items)
    made: Any = await ThreadItemConverter().to_agent_input(found.with_note())
    calls = [item for item in made if item["type"] != "message"]
    pairs = [[item["type"] for item in calls[n : n + 2]] for n in range(0, len(calls), 2)]
    assert all(pair == ["function_call", "function_call_output"] for pair in pairs)


@settings(max_examples=60, deadline=None)
@given(items=st.lists(ITEM, max_size=25), limit=st.integers(1, 40))
async def test_a_larger_window_keeps_what_a_smaller_one_keeps(items: list[Any], limit: int) -> None:
    small = await window(items, max_items=limit)
    large = await window(items, max_items=limit + 1)
    assert {item.id for item in small.items} <= {item.id for item in large.items}


async def test_the_note_says_how_much_is_missing() -> None:
    items = [user("a"), assistant("b"), user("c"), assistant("d")]
    exact = await window([*items[:3], *items[3:]], max_items=2)
    made = await ThreadItemConverter().to_agent_input(exact.with_note())
    said = "Not the whole conversation is shown: at least 1 of its items are left out."
    assert said in texts_of(made)[0]
    assert [texts_of(item) for item in made[1:]] == [["c"], ["d"]]
    cut = await window([user("a"), assistant("b"), assistant("c")], max_items=2)
    assert (cut.left_out, cut.is_beginning_read) == (1, True)
    assert "shown: 1 of its items" in cut.with_note()[0].content  # type: ignore[union-attr]
    store = await stored(items)
    await load_history(store, THREAD, None, max_items=2)
    assert len((await store.load_thread_items("thr_1", None, 9, "asc", context=None)).data) == 4


async def test_cost_does_not_grow_with_the_thread() -> None:
    turns = [each for n in range(600) for each in (user(f"q{n}"), assistant(f"a{n}"))]
    store = await stored(turns)
    found = await load_history(store, THREAD, None, max_items=50)
    assert (len(found.items), found.is_beginning_read) == (50, False)
    assert store.read <= 2 * SCAN_PAGE
    store.read = 0
    await load_history(store, THREAD, None, max_items=None, max_tokens=20)
    assert store.read <= SCAN_PAGE


async def test_tokens_are_of_what_the_model_reads() -> None:
    assert (await window([user("x" * 40)])).tokens == 11
    assert (await window([user("x", attachments=[image()])])).tokens == IMAGE_TOKENS + 1
    assert estimate_tokens("") == 0
    assert estimate_tokens("語" * 4) == 3
    counted = await window(
        [user("one two"), assistant("three")], count_tokens=lambda t: len(t.split())
    )
    assert counted.tokens == 3


@pytest.mark.parametrize("limits", [{"max_items": 0}, {"max_tokens": 0}, {"max_items": -1}])
async def test_limits_that_make_no_sense_are_refused(limits: Any) -> None:
    with pytest.raises(ValueError, match="must be at least 1"):
        await window([], **limits)
