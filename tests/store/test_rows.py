"""Rows: what is kept of a record, and that nothing which this version does not know is lost."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatkit_asgi.errors import StoreError
from chatkit_asgi.protocol.codec import encode
from chatkit_asgi.protocol.visibility import attachment_on_wire, item_on_wire
from chatkit_asgi.store.rows import (
    FOREIGN,
    VERSION,
    Row,
    attachment_of,
    attachment_row,
    item_of,
    item_row,
    key,
    merged_item,
    merged_thread,
    thread_of,
    thread_row,
)
from chatkit_asgi.testing.store_contract import (
    every_item,
    file,
    message,
    question,
    said,
    thread,
    tool_call,
)
from chatkit_asgi.types import ActiveStatus, UnknownItem, Workflow

AT = "2026-01-01T00:00:00Z"


def foreign(plain: Any, private: Any = None, **fields: Any) -> Row:
    """A row that somebody else wrote."""
    return Row(
        json.dumps(plain).encode(),
        None if private is None else json.dumps(private).encode(),
        **fields,
    )


def changed(old: Row, change: Any) -> Any:
    """The JSON after load, change and save."""
    item = item_of(old)
    change(item)
    return json.loads(merged_item(item_row(item), old).data)


@pytest.mark.parametrize("item", every_item(), ids=lambda item: item.id)
def test_an_item_is_kept_as_the_wire_has_it_and_comes_back(item: Any) -> None:
    row = item_row(item)
    assert row.data == encode(item_on_wire(item))
    assert item_of(row) == item
    assert (row.version, row.type) == (VERSION, item.type)
    assert row.hidden == ("hidden" in item.type)


def test_what_is_pending_is_told() -> None:
    assert item_row(tool_call("c")).pending
    assert item_row(question("q")).pending
    assert not item_row(tool_call("c", status="completed")).pending
    assert not item_row(message("m")).pending


def test_private_parts_are_kept_apart() -> None:
    item = said("u", file("a"), file("b", private=True))
    row = item_row(item)
    assert b"secret" not in row.data
    assert row.private is not None
    assert json.loads(row.private)["attachments"][0]["id"] == "b"
    assert item_of(row) == item
    assert item_row(said("u", file("a"))).private is None
    record = file("b", private=True)
    assert attachment_row(record).data == encode(attachment_on_wire(record))
    assert attachment_of(attachment_row(record)) == record
    kept = thread_row(thread(metadata={"a": 1}))
    assert json.loads(kept.data)["metadata"] == {}
    assert thread_of(kept) == thread(metadata={"a": 1})


def test_unknown_fields_survive_a_change_at_every_depth() -> None:
    old = foreign(
        {
            "id": "m",
            "thread_id": "t",
            "created_at": AT,
            "type": "assistant_message",
            "mood": {"name": "calm"},
            "content": [
                {"type": "output_text", "text": "one", "annotations": [], "language": "en"},
                {
                    "type": "output_text",
                    "text": "two",
                    "annotations": [
                        {
                            "type": "annotation",
                            "index": 1,
                            "weight": 0.5,
                            "source": {"type": "url", "title": "x", "url": "u", "rank": 1},
                        }
                    ],
                },
            ],
        }
    )

    def change(item: Any) -> None:
        item.content[0].text = "changed"
        item.content[1].annotations[0].source.title = "changed"

    result = changed(old, change)
    expected = json.loads(old.data)
    expected["content"][0]["text"] = "changed"
    expected["content"][1]["annotations"][0]["source"]["title"] = "changed"
    assert result == expected


def test_unknown_fields_follow_their_element_by_id() -> None:
    inputs = [
        {"type": "freeform", "id": "a", "question": "A?", "hint": "for a"},
        {"type": "freeform", "id": "b", "question": "B?", "hint": "for b"},
    ]
    old = foreign(
        {
            "id": "q",
            "thread_id": "t",
            "created_at": AT,
            "type": "structured_input",
            "status": "pending",
            "inputs": inputs,
        }
    )

    def change(item: Any) -> None:
        item.inputs.reverse()
        item.inputs.pop()
        item.inputs[0].question = "changed"

    assert changed(old, change)["inputs"] == [
        {"type": "freeform", "id": "b", "question": "changed", "hint": "for b"}
    ]


def test_what_was_removed_stays_removed() -> None:
    old = foreign(
        {
            "id": "w",
            "thread_id": "t",
            "created_at": AT,
            "type": "workflow",
            "extra": 1,
            "workflow": {
                "type": "custom",
                "tasks": [],
                "summary": {"title": "x", "new": 1},
                "expanded": True,
            },
        }
    )

    def change(item: Any) -> None:
        item.workflow = Workflow(type="custom", tasks=[])

    result = changed(old, change)
    assert result["workflow"] == {"type": "custom", "tasks": [], "expanded": False}
    assert result["extra"] == 1


def test_an_element_of_another_kind_takes_nothing_over() -> None:
    old = foreign(
        {
            "id": "k",
            "thread_id": "t",
            "created_at": AT,
            "type": "task",
            "task": {"type": "thought", "content": "x", "status_indicator": "none", "depth": 3},
        }
    )

    def change(item: Any) -> None:
        from chatkit_asgi.types import ImageTask

        item.task = ImageTask(title="y")

    assert changed(old, change)["task"] == {
        "type": "image",
        "title": "y",
        "status_indicator": "none",
    }


def test_a_row_of_this_version_is_replaced_without_a_look() -> None:
    old = item_row(message("m"))._replace(data=b"never read")
    new = item_row(message("m", "new"))
    assert merged_item(new, old) is new


def test_a_merged_row_is_looked_at_again_only_while_it_holds_something_foreign() -> None:
    plain = json.loads(item_row(message("m")).data)
    new = item_row(message("m", "new"))
    assert merged_item(new, foreign(plain)).version == VERSION
    assert merged_item(new, foreign({**plain, "x": 1})).version == FOREIGN
    assert merged_item(new, foreign({**plain, "quoted": None})) == new


def test_unknown_private_parts_survive() -> None:
    plain = json.loads(thread_row(thread()).data)
    old = foreign(plain, {"metadata": {"a": 1}, "audit": ["x"]})
    current = thread_of(old)
    assert current.metadata == {"a": 1}
    current.metadata.clear()
    row = merged_thread(thread_row(current), old)
    assert row.private is not None
    assert json.loads(row.private) == {"audit": ["x"]}


def test_an_unknown_type_is_kept_byte_for_byte_and_stays_hidden() -> None:
    raw = b'{"type" : "hologram", "id":"h","thread_id":"t","created_at":"2026-01-01T00:00:00Z", "a":[null]}'
    item = item_of(Row(raw))
    assert isinstance(item, UnknownItem)
    row = item_row(item)
    assert (row.data, row.hidden, row.version) == (raw, False, FOREIGN)
    assert merged_item(row, Row(raw, b"{}", 7, "hologram", True)) == row._replace(
        hidden=True, private=b"{}"
    )
    hidden = item_of(Row(raw.replace(b"hologram", b"hidden_plan")))
    assert item_row(hidden).hidden


def test_something_newer_inside_a_known_type_is_passed_on_whole() -> None:
    plain = {
        "id": "w",
        "thread_id": "t",
        "created_at": AT,
        "type": "workflow",
        "workflow": {"type": "custom", "tasks": [{"type": "dance"}], "expanded": False},
    }
    item = item_of(foreign(plain))
    assert isinstance(item, UnknownItem)
    assert json.loads(item_row(item).data) == plain


def test_an_unknown_status_reads_as_active_and_is_kept() -> None:
    plain = {"id": "t", "created_at": AT, "status": {"type": "archived", "by": "me"}, "title": "x"}
    current = thread_of(foreign(plain))
    assert current.status == ActiveStatus()
    current.title = "y"
    row = merged_thread(thread_row(current), foreign(plain))
    assert json.loads(row.data)["status"] == {"type": "archived", "by": "me"}
    assert json.loads(row.data)["title"] == "y"


def test_json_of_other_programs_is_read() -> None:
    head = f'"id":"m","thread_id":"t","created_at":"{AT}","type":"hidden_context_item"'
    text = f'{{{head},"content":[NaN,"\\ud800"]}}'
    assert item_of(Row(text.encode())).content == [None, "\ufffd"]


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b"nonsense", b'{"id":"x","type":"y"}', b"\xff"]
)
def test_what_is_no_record_is_the_stores_failure(data: bytes) -> None:
    for read in (item_of, thread_of, attachment_of):
        with pytest.raises(StoreError):
            read(Row(data))
    with pytest.raises(StoreError):
        thread_of(thread_row(thread())._replace(private=b"["))
    new = item_row(message("m"))
    assert merged_item(new, Row(data)) == new


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_can_be_saved(text: str) -> None:
    row = item_row(message("m", text))
    assert row.data.decode().count("\x00") == 0
    loaded = item_of(row).content[0].text
    assert loaded == text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    assert key(text) == loaded


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(
    json_values.filter(lambda value: value is not None), json_values, st.sampled_from(every_item())
)
def test_any_unknown_field_survives_a_save_of_any_item(value: Any, other: Any, item: Any) -> None:
    old_row = item_row(item)
    plain = {**json.loads(old_row.data), "zz": value}
    old = Row(msgspec.json.encode(plain), old_row.private)
    loaded = item_of(old)
    loaded.thread_id = "moved"
    row = merged_item(item_row(loaded), old)
    assert json.loads(row.data) == {**plain, "thread_id": "moved"}
    assert item_of(row) == loaded
