"""The turn's table and its rules, one by one."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import chatkit_asgi.protocol.turn as turn_module
from chatkit_asgi.errors import AuthorError, StreamFailure
from chatkit_asgi.protocol.effects import (
    DeleteItem,
    LoadItem,
    PatchThread,
    SaveItem,
    Send,
    ThreadPatch,
)
from chatkit_asgi.protocol.turn import Turn
from chatkit_asgi.types import (
    AssistantMessageContentPartTextDelta,
    CustomTask,
    LockedStatus,
    NoticeEvent,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    WidgetRootUpdated,
    WorkflowTaskUpdated,
)
from chatkit_asgi.widgets import Card
from tests.conftest import START
from tests.turns.ledger import Ledger
from tests.turns.strategies import MESSAGES, WIDGETS, WORKFLOWS, message, widget, workflow

ONE, TWO = MESSAGES[:2]
CARD = {"type": "Card", "children": [{"type": "Text", "id": "a", "value": "v"}]}


def delta(item_id: str, text: Any, index: int = 0) -> ThreadItemUpdatedEvent:
    update = AssistantMessageContentPartTextDelta(content_index=index, delta=text)
    return ThreadItemUpdatedEvent(item_id=item_id, update=update)


def table() -> list[tuple[str, str, str]]:
    """The table of the module's docstring: event, state, what happens."""
    lines = (turn_module.__doc__ or "").splitlines()
    rules = [place for place, line in enumerate(lines) if line.startswith("=====")]
    columns = [
        i
        for i, c in enumerate(lines[rules[0]])
        if c == "=" and (i == 0 or lines[rules[0]][i - 1] == " ")
    ]
    rows = [
        [line[start:end].strip() for start, end in zip(columns, [*columns[1:], None], strict=True)]
        for line in lines[rules[0] + 1 : rules[2]]
        if not line.startswith("=")
    ]
    states = rows[0][1:]
    return [
        (row[0], state, cell)
        for row in rows[1:]
        for state, cell in zip(states, row[1:], strict=True)
    ]


@pytest.mark.parametrize(("name", "state", "promised"), table())
def test_the_table_is_what_happens(name: str, state: str, promised: str) -> None:
    """Invariant: the docstring's table is the machine's."""
    ledger = Ledger()
    item = widget(WIDGETS[0], CARD)
    if state != "absent":
        ledger.receive(ThreadItemAddedEvent(item=item))
    if state == "closed":
        ledger.receive(ThreadItemDoneEvent(item=item))
    elif state == "absent":
        ledger.stored[item.id] = item  # of an earlier turn
    event: Any = {
        "added": ThreadItemAddedEvent(item=item),
        "updated": ThreadItemUpdatedEvent(
            item_id=item.id, update=WidgetRootUpdated(widget=Card(children=[]))
        ),
        "done": ThreadItemDoneEvent(item=item),
        "replaced": ThreadItemReplacedEvent(item=item),
        "removed": ThreadItemRemovedEvent(item_id=item.id),
    }[name]
    turn = ledger.turn
    before = turn.open.get(item.id)
    version = before.version if before is not None else 0
    effects: Any = turn.receive_event(event)
    words: list[str] = []
    if isinstance(effects[0], LoadItem):
        words.append("load")
        effects = turn.receive_stored_item(event, item)
    kinds = [type(effect) for effect in effects]
    words += ["save"] * kinds.count(SaveItem) + ["delete"] * kinds.count(DeleteItem)
    after = turn.open.get(item.id)
    if after is not None and before is None:
        words.append("open")
    elif before is not None and after is None:
        words.append("close")
    elif before is not after:
        words.append("start")
    elif before is not None and before.version != version:
        words.append("fold")
    done, _, sent = promised.partition("; ")
    assert words == [word.split()[0] for word in done.split(", ")]
    assert (sent == "send") == (kinds[-1:] == [Send])


class TestRefusedEvents:
    """Invariant: what is refused, or cannot be written, changes nothing."""

    @pytest.mark.parametrize(
        "make",
        [
            pytest.param(lambda item: ThreadItemAddedEvent(item=item), id="added"),
            pytest.param(lambda item: ThreadItemDoneEvent(item=item), id="done"),
            pytest.param(lambda item: ThreadItemReplacedEvent(item=item), id="replaced"),
        ],
    )
    def test_an_item_that_cannot_be_written_leaves_the_open_one_with_its_text(
        self, make: Any
    ) -> None:
        ledger = Ledger()
        ledger.receive(ThreadItemAddedEvent(item=message(ONE, [])))
        ledger.receive(delta(ONE, "shown"))
        broken = message(ONE, [{"text": "x", "annotations": []}])
        broken.content[0].annotations = [object()]  # type: ignore[list-item]
        before = ledger.state()
        with pytest.raises((AuthorError, NotImplementedError)):
            ledger.receive(make(broken))
        assert ledger.state() == before
        ledger.close()
        assert ledger.visible[0]["content"][0]["text"] == "shown"

    def test_an_update_that_cannot_be_written_is_not_folded(self) -> None:
        ledger = Ledger()
        ledger.receive(ThreadItemAddedEvent(item=workflow(WORKFLOWS[0], [CustomTask(title="t")])))
        broken = CustomTask(title="u")
        broken.content = object()  # type: ignore[assignment]
        with pytest.raises(NotImplementedError):
            ledger.receive(
                ThreadItemUpdatedEvent(
                    item_id=WORKFLOWS[0], update=WorkflowTaskUpdated(task_index=0, task=broken)
                )
            )
        ledger.close()
        assert ledger.visible[0]["workflow"]["tasks"][0]["title"] == "t"

    @pytest.mark.parametrize("text", [None, 5, b"bytes", ["list"]])
    def test_text_that_is_no_text_is_the_authors_error(self, text: Any) -> None:
        ledger = Ledger()
        ledger.receive(ThreadItemAddedEvent(item=message(ONE, [])))
        with pytest.raises(AuthorError):
            ledger.receive(delta(ONE, text))
        part = message(ONE, [{"text": ""}])
        part.content[0].text = text
        with pytest.raises(AuthorError):
            ledger.receive(ThreadItemAddedEvent(item=part))
        ledger.receive(delta(ONE, "good"))
        ledger.close()
        assert ledger.visible[0]["content"][0]["text"] == "good"

    @pytest.mark.parametrize("value", [object(), {1, 2}])
    def test_metadata_that_cannot_be_copied_is_the_authors_error_and_loses_no_text(
        self, value: Any
    ) -> None:
        class Uncopyable:
            def __deepcopy__(self, memo: Any) -> Any:
                raise TypeError("cannot pickle")

        ledger = Ledger()
        ledger.receive(ThreadItemAddedEvent(item=message(ONE, [])))
        ledger.receive(delta(ONE, "shown"))
        ledger.turn.thread.metadata["client"] = Uncopyable()
        with pytest.raises(AuthorError):
            ledger.receive(ThreadItemDoneEvent(item=message(ONE, [{"text": "shown"}])))
        ledger.perform(ledger.turn.close())
        assert ledger.visible[0]["content"][0]["text"] == "shown"
        with pytest.raises(AuthorError):
            ledger.turn.thread_effects(deep=True)

    def test_an_update_as_a_dict_is_checked_like_any_other(self) -> None:
        ledger = Ledger()
        update: Any = {
            "type": "assistant_message.content_part.text_delta",
            "content_index": 0,
            "delta": "x",
        }
        nonsense: Any = {"type": "nonsense"}
        with pytest.raises(AuthorError):
            ledger.receive(ThreadItemUpdatedEvent(item_id=ONE, update=update))
        with pytest.raises(AuthorError):
            ledger.receive(ThreadItemUpdatedEvent(item_id=ONE, update=nonsense))
        ledger.receive(ThreadItemAddedEvent(item=message(ONE, [])))
        ledger.receive(ThreadItemUpdatedEvent(item_id=ONE, update=update))
        ledger.close()
        assert ledger.visible[0]["content"][0]["text"] == "x"


class TestStoredItems:
    """An update of an item that is not open opens it as the store has it."""

    def test_what_is_shown_of_an_earlier_widget_is_stored(self) -> None:
        ledger = Ledger(widget(WIDGETS[0], CARD))
        changed: Any = {"type": "Card", "children": [{"type": "Text", "id": "a", "value": "new"}]}
        ledger.receive(
            ThreadItemUpdatedEvent(item_id=WIDGETS[0], update=WidgetRootUpdated(widget=changed))
        )
        assert ledger.turn.checkpoint_due()
        ledger.close()
        assert ledger.visible[0]["widget"]["children"][0]["value"] == "new"

    def test_an_update_that_does_not_fit_the_stored_item_is_the_authors_error(self) -> None:
        ledger = Ledger(widget(WIDGETS[0], CARD))
        with pytest.raises(AuthorError):
            ledger.receive(
                ThreadItemUpdatedEvent(
                    item_id=WIDGETS[0],
                    update=WorkflowTaskUpdated(task_index=0, task=CustomTask(title="t")),
                )
            )
        assert ledger.sent == []

    def test_text_for_a_message_that_is_closed_is_the_authors_error(self) -> None:
        ledger = Ledger()
        ledger.receive(ThreadItemDoneEvent(item=message(ONE, [{"text": "a"}])))
        with pytest.raises(AuthorError):
            ledger.receive(delta(ONE, "b"))


class TestTheEnd:
    def test_what_is_open_is_closed_before_the_failure_is_told(self) -> None:
        ledger = Ledger()
        ledger.receive(ThreadItemAddedEvent(item=message(ONE, [])))
        ledger.receive(delta(ONE, "a"))
        ledger.receive(ThreadItemAddedEvent(item=workflow(WORKFLOWS[0], [])))
        ledger.receive(ThreadItemAddedEvent(item=message(TWO, [{"text": "b"}])))
        ledger.perform(ledger.turn.close(StreamFailure("stream.error", None, allow_retry=True)))
        assert [event["type"] for event in ledger.screen.events[-4:]] == [
            "thread.item.done",
            "thread.item.removed",
            "thread.item.done",
            "error",
        ]
        assert [each["id"] for each in ledger.visible] == [ONE, TWO]

    def test_a_workflow_at_rest_has_nothing_that_still_loads(self) -> None:
        ledger = Ledger()
        task = CustomTask(title="t", status_indicator="loading")
        ledger.receive(ThreadItemAddedEvent(item=workflow(WORKFLOWS[0], [task])))
        ledger.close()
        assert ledger.visible[0]["workflow"]["tasks"][0]["status_indicator"] == "none"
        assert task.status_indicator == "loading"

    def test_a_failed_checkpoint_is_due_again(self) -> None:
        ledger = Ledger()
        ledger.receive(ThreadItemAddedEvent(item=message(ONE, [])))
        ledger.receive(delta(ONE, "a"))
        for is_new in (True, True):
            (effect,) = ledger.turn.checkpoint()
            assert isinstance(effect, SaveItem)
            assert effect.is_new is is_new
            assert not ledger.turn.checkpoint_due()
            ledger.turn.unsaved(effect)
            assert ledger.turn.checkpoint_due()

    def test_an_item_that_is_started_again_is_due_again(self) -> None:
        """Also when it looks as long as it did."""
        ledger = Ledger()
        for text in ("old", "new"):
            ledger.receive(ThreadItemAddedEvent(item=message(ONE, [{"text": text}])))
            ledger.checkpoint()
        assert ledger.visible[0]["content"][0]["text"] == "new"

    def test_the_authors_objects_may_change_after_they_were_yielded(self) -> None:
        """Invariant: what is kept is what was sent, not what the object became."""
        ledger = Ledger()
        mine = workflow(WORKFLOWS[0], [CustomTask(title="t")])
        ledger.receive(ThreadItemAddedEvent(item=mine))
        mine.workflow.tasks.clear()
        said = message(ONE, [{"text": "a"}])
        ledger.receive(ThreadItemAddedEvent(item=said))
        said.content.clear()
        ledger.close()
        assert ledger.visible[0]["workflow"]["tasks"][0]["title"] == "t"
        assert ledger.visible[1]["content"][0]["text"] == "a"


class TestThread:
    """What a handler changes in the thread object."""

    def changed(self, ledger: Ledger) -> list[Any]:
        return list(ledger.turn.thread_effects(deep=True))

    def test_nothing_changed_is_nothing_to_do(self) -> None:
        ledger = Ledger()
        ledger.turn.thread.title = None
        ledger.turn.thread.metadata = {}
        assert self.changed(ledger) == []

    @pytest.mark.parametrize("changes", ["title", "status", "allowed_image_domains"])
    def test_what_a_client_can_see_is_told(self, changes: str) -> None:
        ledger = Ledger()
        values = {"title": "t", "status": LockedStatus(), "allowed_image_domains": ["a.example"]}
        setattr(ledger.turn.thread, changes, values[changes])
        (effect,) = self.changed(ledger)
        assert effect.announce
        ledger.perform([effect])
        assert [event["type"] for event in ledger.screen.events] == ["thread.updated"]
        assert "metadata" not in ledger.screen.thread or ledger.screen.thread["metadata"] == {}
        assert self.changed(ledger) == []

    def test_metadata_alone_is_saved_and_not_told(self) -> None:
        ledger = Ledger()
        ledger.turn.thread.metadata["k"] = 1
        (effect,) = self.changed(ledger)
        assert not effect.announce
        ledger.perform([effect])
        assert ledger.sent == []
        assert ledger.thread.metadata == {"k": 1}

    def test_values_changed_in_place_are_noticed(self) -> None:
        stored = ThreadMetadata(
            id="thr_1",
            created_at=START,
            status=LockedStatus(reason="a"),
            metadata={"deep": {"list": [1]}},
            allowed_image_domains=["a.example"],
        )
        turn = Turn(copy.deepcopy(stored))
        turn.thread.status.reason = "b"  # type: ignore[union-attr]
        turn.thread.metadata["deep"]["list"].append(2)
        assert turn.thread.allowed_image_domains is not None
        turn.thread.allowed_image_domains.append("b.example")
        (effect,) = turn.thread_effects(deep=True)
        assert isinstance(effect, PatchThread)
        effect.patch.apply(stored)
        assert stored == turn.thread

    def test_a_delta_notices_what_was_assigned_and_events_notice_the_rest(self) -> None:
        ledger = Ledger()
        ledger.receive(ThreadItemAddedEvent(item=message(ONE, [])))
        ledger.turn.thread.metadata["k"] = 1
        assert isinstance(ledger.turn.receive_event(delta(ONE, "a")), bytes)
        ledger.turn.thread.title = "t"
        ledger.receive(delta(ONE, "b"))
        assert ledger.thread.title == "t"
        assert ledger.thread.metadata == {"k": 1}
        ledger.turn.thread.metadata["k"] = 2
        ledger.receive(NoticeEvent(level="info", message="m"))
        assert ledger.thread.metadata == {"k": 2}

    def test_two_writers_keep_each_others_metadata(self) -> None:
        """Invariant: a patch changes the keys that its turn changed and no others."""
        stored = ThreadMetadata(id="thr_1", created_at=START, metadata={"both": 0, "gone": 1})
        one, two = Turn(copy.deepcopy(stored)), Turn(copy.deepcopy(stored))
        one.thread.metadata |= {"one": 1, "both": 1}
        two.thread.metadata["two"] = 2
        del two.thread.metadata["gone"]
        for turn in (one, two):
            (effect,) = turn.thread_effects(deep=True)
            assert isinstance(effect, PatchThread)
            effect.patch.apply(stored)
        assert stored.metadata == {"both": 1, "one": 1, "two": 2}

    def test_a_rename_in_between_wins_now_and_later(self) -> None:
        ledger = Ledger()
        ledger.thread.title = "renamed by a person"
        ledger.turn.thread.title = "made up"
        ledger.perform(self.changed(ledger))
        assert ledger.screen.thread["title"] == "renamed by a person"
        assert ledger.turn.thread.title == "renamed by a person"
        ledger.turn.thread.title = "made up again"
        ledger.turn.thread.metadata["k"] = 1
        ledger.perform(self.changed(ledger))
        assert ledger.thread.title == "renamed by a person"
        assert ledger.thread.metadata == {"k": 1}

    def test_a_title_that_nobody_else_touched_can_change_twice(self) -> None:
        ledger = Ledger()
        for title in ("one", "two", None):
            ledger.turn.thread.title = title
            ledger.perform(self.changed(ledger))
            assert ledger.thread.title == title

    def test_a_patch_that_is_applied_twice_changes_no_more(self) -> None:
        """A write that was interrupted is tried again, though it may have been done."""
        patch = ThreadPatch(title="t", metadata_set={"k": 1}, metadata_removed=["x"])
        thread = ThreadMetadata(id="thr_1", created_at=START, metadata={"x": 1})
        patch.apply(thread)
        once = copy.deepcopy(thread)
        patch.apply(thread)
        assert thread == once
