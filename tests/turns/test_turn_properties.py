"""The turn as a machine of values: whatever a handler yields, the store has what the screen shows."""

from __future__ import annotations

import copy
import os
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from chatkit_asgi.errors import AuthorError
from chatkit_asgi.protocol.sse import coalesce
from chatkit_asgi.types import (
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
)
from tests.turns.ledger import Ledger, as_json
from tests.turns.screen import Screen
from tests.turns.strategies import MESSAGES, answers, anything, events, items, message, workflow

some = settings(max_examples=int(os.environ.get("EXAMPLES", "80")), deadline=None)

earlier_items = st.lists(items, max_size=3, unique_by=lambda item: item.id)
"""What the thread held before this turn."""


def play(answer: list[Any], earlier: list[Any], checkpoints: set[int] = frozenset()) -> Ledger:  # type: ignore[assignment]
    """The ledger after an answer; what is the author's error is skipped, and a checkpoint is made where asked."""
    ledger = Ledger(*earlier)
    for place, event in enumerate(answer):
        if place in checkpoints:
            ledger.checkpoint()
        try:
            ledger.receive(copy.deepcopy(event))
        except AuthorError:
            continue
    return ledger


@some
@given(st.lists(anything, max_size=15), earlier_items)
def test_any_event_in_any_state_gives_a_known_state_or_an_author_error(
    values: list[Any], earlier: list[Any]
) -> None:
    """Invariant: an AuthorError leaves the turn, the store and the screen as they were."""
    ledger = Ledger(*earlier)
    for value in values:
        before = copy.deepcopy((ledger.state(), ledger.visible, len(ledger.sent)))
        try:
            ledger.receive(value)
        except AuthorError:
            assert (ledger.state(), ledger.visible, len(ledger.sent)) == before
        assert set(ledger.turn.saved) >= set(ledger.turn.saved) & set(ledger.turn.open)


@some
@given(answers, earlier_items, st.sets(st.integers(0, 25)))
def test_at_the_end_the_store_is_the_screen(
    answer: list[Any], earlier: list[Any], checkpoints: set[int]
) -> None:
    """Invariant: folding what a viewer was sent gives what the store has: every item, every character, in the order of
    appearance on the screen; and no final form was told before it was stored."""
    ledger = play(answer, earlier, checkpoints)
    ledger.close()
    assert ledger.visible == list(ledger.screen.items.values())
    assert not ledger.turn.open
    assert not ledger.told_unsaved


@some
@given(answers, earlier_items)
def test_a_checkpoint_makes_the_store_the_screen_but_for_what_is_empty(
    answer: list[Any], earlier: list[Any]
) -> None:
    """Invariant: after a checkpoint a killed process has lost nothing, and what it keeps is in its place."""
    ledger = play(answer, earlier)
    ledger.checkpoint()
    shown = ledger.screen.items
    empty = [
        open_item.id
        for open_item in ledger.turn.open.values()
        if not open_item.has_content() and open_item.id not in ledger.turn.saved
    ]
    assert [each for each in ledger.visible if each["id"] not in empty] == [
        item for id, item in shown.items() if id not in empty
    ]
    assert not ledger.turn.checkpoint_due()


@some
@given(answers)
def test_closing_twice_does_nothing_more(answer: list[Any]) -> None:
    ledger = play(answer, [])
    ledger.close()
    assert ledger.turn.close() == []
    assert ledger.turn.checkpoint() == []


@some
@given(answers, earlier_items)
def test_hidden_items_are_stored_and_never_sent(answer: list[Any], earlier: list[Any]) -> None:
    ledger = play(answer, earlier)
    ledger.close()
    assert b"hidden_context" not in b"".join(ledger.sent)
    done = {
        event.item.id
        for event in answer
        if isinstance(event, ThreadItemDoneEvent) and event.item.id.startswith("shcx")
    }
    assert {id for id in ledger.stored if id.startswith("shcx")} == done


@some
@given(answers, earlier_items)
@example([ThreadItemAddedEvent(item=message(MESSAGES[0], []))], [])
def test_coalesced_frames_show_the_same_and_are_never_more(
    answer: list[Any], earlier: list[Any]
) -> None:
    """Invariant: a viewer that has fallen behind is shown the same items with no more frames and no more bytes."""
    ledger = play(answer, earlier)
    frames = coalesce(ledger.sent)
    assert len(frames) <= len(ledger.sent)
    assert sum(map(len, frames)) <= sum(map(len, ledger.sent))
    again = Screen([as_json(item) for item in earlier]).read(b"".join(frames))
    assert list(again.items.values()) == list(ledger.screen.items.values())
    assert coalesce(frames) == frames


@some
@given(st.lists(events, max_size=8), st.data())
def test_an_empty_item_keeps_its_place(answer: list[Any], data: st.DataObject) -> None:
    """What has a place on the screen and no content yet is stored before what appeared after it."""
    first = workflow("wf_" + "f" * 32, [])
    second = message("msg_" + "f" * 32, [{"text": "x"}])
    ledger = Ledger()
    ledger.receive(ThreadItemAddedEvent(item=first))
    ledger.receive(ThreadItemAddedEvent(item=second))
    for event in answer:
        try:
            ledger.receive(event)
        except AuthorError:
            continue
    if data.draw(st.booleans()):
        ledger.checkpoint()
    ledger.receive(ThreadItemDoneEvent(item=second))
    ledger.receive(ThreadItemDoneEvent(item=first))
    ids = [each["id"] for each in ledger.visible]
    assert ids.index(first.id) < ids.index(second.id)


def test_an_item_that_comes_again_after_its_removal_is_in_its_new_place() -> None:
    ledger = Ledger()
    one, two = message(MESSAGES[0], [{"text": "1"}]), message(MESSAGES[1], [{"text": "2"}])
    for event in (
        ThreadItemDoneEvent(item=one),
        ThreadItemRemovedEvent(item_id=one.id),
        ThreadItemAddedEvent(item=one),
        ThreadItemDoneEvent(item=two),
        ThreadItemDoneEvent(item=one),
    ):
        ledger.receive(event)
    assert [each["id"] for each in ledger.visible] == [one.id, two.id] == list(ledger.screen.items)
