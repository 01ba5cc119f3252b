"""The wire vocabulary: what is written and left out, and Pydantic's manners."""

from __future__ import annotations

import copy
import dataclasses
import json
import sys
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
import pydantic
import pytest
from msgspec import NODEFAULT, Struct

from chatkit_asgi import types as t
from chatkit_asgi.actions import Action, ActionConfig
from chatkit_asgi.errors import BadRequest, StoreError
from chatkit_asgi.icons import ICON_NAMES, known_icon
from chatkit_asgi.protocol.codec import decode, decode_item, encode
from chatkit_asgi.store import read_item
from chatkit_asgi.types import EndOfTurnItem, ThreadItem, UnknownItem

from .samples import ITEMS, REQUESTS, SAMPLES
from .structs import STRUCTS, document, fields, instance

NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)


def plain(value: Any) -> Any:
    return json.loads(encode(value))


def message(text: str = "Hi") -> t.AssistantMessageItem:
    return t.AssistantMessageItem(
        id="m", thread_id="t", created_at=NOW, content=[t.AssistantMessageContent(text=text)]
    )


# --- what is written


@pytest.mark.parametrize("kind", STRUCTS, ids=lambda kind: kind.__name__)
def test_null_defaults_are_left_out_and_all_others_are_written(kind: type[Struct]) -> None:
    bare = plain(instance(kind, optional=False))
    for field in fields(kind):
        if field.required:
            assert field.encode_name in bare
        elif field.default is None:
            assert field.encode_name not in bare
        else:
            assert bare[field.encode_name] == plain(
                field.default if field.default is not NODEFAULT else field.default_factory()
            )
    assert bare.get("type") == (kind.__struct_config__.tag or bare.get("type"))


@pytest.mark.parametrize("kind", STRUCTS, ids=lambda kind: kind.__name__)
def test_every_struct_survives_json_and_copies(kind: type[Struct]) -> None:
    for optional in (False, True):
        value = instance(kind, optional=optional)
        again = decode(encode(value), kind)
        assert again == value
        assert plain(again) == plain(value)
        assert copy.deepcopy(value) == value.model_copy() == value.model_copy(deep=True) == value
        assert kind.model_validate_json(value.model_dump_json()) == value  # type: ignore[attr-defined]
        assert kind.model_validate(value.model_dump()) == value  # type: ignore[attr-defined]
        adapter = pydantic.TypeAdapter(kind)
        assert adapter.validate_json(encode(value)) == adapter.validate_python(value) == value
        assert adapter.dump_python(value, mode="json", exclude_none=True) == adapter.dump_python(
            value, exclude_none=True, mode="json"
        )
        assert set(document(kind, optional=optional)) <= {
            *plain(value),
            *(f.name for f in fields(kind)),
        }


def test_defaults_are_not_shared() -> None:
    first, second = t.ClientEffectEvent(name="a"), t.ClientEffectEvent(name="a")
    first.data["x"] = 1
    assert second.data == {}


@pytest.mark.parametrize(
    ("kind", "text"), SAMPLES, ids=lambda value: value[:60] if isinstance(value, str) else ""
)
def test_samples_are_read_and_written_back(kind: Any, text: str) -> None:
    assert plain(decode(text.encode(), kind)) == json.loads(text)


@pytest.mark.parametrize("text", REQUESTS)
def test_unknown_keys_of_a_request_are_ignored(text: str) -> None:
    request = json.loads(text)
    request["new"] = request["params"]["new"] = {"a": 1}
    assert decode(json.dumps(request), t.ChatKitReq) == decode(text, t.ChatKitReq)


@pytest.mark.parametrize("name", ["widget", "".join(["wid", "get"]), sys.intern("widget")])
def test_type_may_be_passed_by_hand(name: Any) -> None:
    """Also as a string that is equal to the default but another object."""
    item = t.WidgetItem(id="i", thread_id="t", created_at=NOW, type=name, widget={"type": "Card"})  # type: ignore[arg-type]
    assert plain(item) == {
        "type": "widget",
        "id": "i",
        "thread_id": "t",
        "created_at": "2026-03-14T09:26:53Z",
        "widget": {"type": "Card"},
    }
    delta = t.AssistantMessageContentPartTextDelta(
        type="".join(["assistant_message", ".content_part.text_delta"]),  # type: ignore[arg-type]
        content_index=0,
        delta='a","~chatkit_asgi.type":"b"',
    )
    event = t.ThreadItemUpdatedEvent(item_id="i", update=delta)
    assert plain(event)["update"] == {
        "type": "assistant_message.content_part.text_delta",
        "content_index": 0,
        "delta": 'a","~chatkit_asgi.type":"b"',
    }


def test_lone_surrogates_become_replacement_characters_and_nothing_else_changes() -> None:
    item = t.ClientToolCallItem(
        id="i",
        thread_id="t",
        created_at=NOW,
        call_id="c",
        name="n",
        arguments={"a\ud800": ["\udc00", None]},
    )
    assert plain(item) == {
        **plain(t.ClientToolCallItem(**{**item.model_dump(), "arguments": {}})),
        "arguments": {"a\ufffd": ["\ufffd", None]},
    }
    event = t.ThreadItemUpdatedEvent(
        item_id="i", update=t.AssistantMessageContentPartTextDelta(content_index=0, delta="x\ud83d")
    )
    assert plain(event)["update"]["delta"] == "x\ufffd"


def test_nulls_in_free_form_values_are_kept() -> None:
    effect = t.ClientEffectEvent(name="x", data={"a": None, "b": [None]})
    assert plain(effect)["data"] == {"a": None, "b": [None]}


# --- items of a newer version


def test_an_unknown_item_is_kept_byte_for_byte() -> None:
    stored = b'{"id":"i","thread_id":"t","created_at":"2026-03-14T09:26:53Z", "type":"hologram","depth":[null,1.0]}'
    item = decode_item(stored)
    assert isinstance(item, t.UnknownItem)
    assert (item.id, item.thread_id, item.created_at, item.type) == ("i", "t", NOW, "hologram")
    assert encode(item) == stored
    assert stored in encode(t.Page(data=[item]))
    assert item == decode_item(stored) != decode_item(stored.replace(b"1.0", b"2"))
    assert item.model_dump()["depth"] == [None, 1.0]


# --- Pydantic's manners


def test_constructors_take_dicts_for_nested_structs() -> None:
    item = t.UserMessageItem(
        id="i",
        thread_id="t",
        created_at=NOW,
        content=[{"type": "input_text", "text": "a"}],  # type: ignore[list-item]
        attachments=[{"type": "file", "id": "f", "name": "n", "mime_type": "a/b"}],  # type: ignore[list-item]
        inference_options={"tool_choice": {"id": "x"}},  # type: ignore[arg-type]
    )
    assert isinstance(item.content[0], t.UserMessageTextContent)
    assert isinstance(item.attachments[0], t.FileAttachment)
    assert item.inference_options.tool_choice == t.ToolChoice(id="x")
    assert t.InferenceOptions(tool_choice={"id": "x"}).tool_choice == t.ToolChoice(id="x")  # type: ignore[arg-type]
    event = t.ThreadItemDoneEvent(item=item.model_dump())  # type: ignore[arg-type]
    assert event.item == item
    for summary, kind in (
        ({"title": "a", "duration": 1}, t.CustomSummary),
        ({"duration": 1}, t.DurationSummary),
    ):
        workflow = t.Workflow(
            type="custom", tasks=[{"type": "thought", "content": "x"}], summary=summary
        )  # type: ignore[arg-type, list-item]
        assert isinstance(workflow.tasks[0], t.ThoughtTask)
        assert isinstance(workflow.summary, kind)
    with pytest.raises(msgspec.ValidationError):
        t.ThreadItemDoneEvent(item={"type": "nothing"})  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ITEMS)
def test_items_in_type_adapters_and_models(text: str) -> None:
    class Row(pydantic.BaseModel):
        item: t.ThreadItem
        extra: t.Attachment | None = None

    adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(t.ThreadItem)
    item = adapter.validate_json(text)
    assert item == adapter.validate_python(json.loads(text)) == decode(text, t.ThreadItem)
    assert adapter.validate_python(item) is item
    assert json.loads(adapter.dump_json(item, exclude_none=True)) == json.loads(text)
    row = Row.model_validate({"item": json.loads(text)})
    assert row.item == item
    assert Row.model_validate_json(row.model_dump_json()) == row
    assert Row(item=item).item is item


def test_what_does_not_fit_is_a_pydantic_error() -> None:
    with pytest.raises(pydantic.ValidationError, match="hologram"):
        pydantic.TypeAdapter(t.ThreadItem).validate_python({"type": "hologram"})
    with pytest.raises(pydantic.ValidationError):
        pydantic.TypeAdapter(t.TaskItem).validate_python(message())


def test_model_dump_takes_pydantics_options() -> None:
    item = t.ClientToolCallItem(
        id="i",
        thread_id="t",
        created_at=NOW,
        call_id="c",
        name="n",
        arguments={"when": NOW, "x": None},
    )
    assert item.model_dump()["created_at"] is NOW
    assert item.model_dump()["output"] is None
    assert item.model_dump(mode="json", exclude_none=True) == {
        "type": "client_tool_call",
        "id": "i",
        "thread_id": "t",
        "created_at": "2026-03-14T09:26:53Z",
        "status": "pending",
        "call_id": "c",
        "name": "n",
        "arguments": {"when": "2026-03-14T09:26:53Z", "x": None},
    }
    assert item.model_dump(include={"id", "name"}) == {"id": "i", "name": "n"}
    assert "arguments" not in item.model_dump(exclude={"arguments"})
    assert item.model_dump_json(indent=2).startswith('{\n  "')
    assert item.model_fields_set == {
        "type",
        "id",
        "thread_id",
        "created_at",
        "status",
        "call_id",
        "name",
        "arguments",
    }


def test_model_copy_is_shallow_or_deep_and_takes_updates() -> None:
    item = message()
    shallow, deep = item.model_copy(update={"id": "n"}), item.model_copy(deep=True)
    assert (shallow.id, item.id) == ("n", "m")
    assert shallow.content is item.content
    deep.content[0].text = "changed"
    assert item.content[0].text == "Hi"


# --- actions


class Payload(pydantic.BaseModel):
    id: int


Send = Action[Literal["mail.send"], Payload]


class Star(Action[Literal["mail.star"], dict[str, Any]]):
    """An action with a name of its own."""


def test_a_typed_action_makes_configs() -> None:
    config = Send.create(Payload(id=7), handler="client", loading_behavior="none", streaming=False)
    assert plain(config) == {
        "type": "mail.send",
        "payload": {"id": 7},
        "handler": "client",
        "loadingBehavior": "none",
        "streaming": False,
    }
    assert Star.create({"id": 7}) == ActionConfig(type="mail.star", payload={"id": 7})
    assert plain(ActionConfig(type="x")) == {
        "type": "x",
        "handler": "server",
        "loadingBehavior": "auto",
        "streaming": True,
    }
    for untyped in (Action, Action[str, Any], Action[Literal["a", "b"], Any]):
        with pytest.raises(TypeError, match="type"):
            untyped.create(None)


class Plain(msgspec.Struct):
    id: int


@dataclasses.dataclass
class Data:
    id: int


@pytest.mark.parametrize("kind", [Payload, Plain, Data])
def test_a_typed_action_has_a_typed_payload(kind: Any) -> None:
    typed = Action[Literal["mail.send"], kind]
    assert typed(payload={"id": 7}).payload == kind(id=7)
    assert decode(b'{"type":"mail.send","payload":{"id":7}}', typed).payload == kind(id=7)
    with pytest.raises(ValueError, match="id"):
        typed(payload={"id": "bad"})
    with pytest.raises(BadRequest):
        decode(b'{"type":"mail.send","payload":{"id":"bad"}}', typed)


def test_actions_are_values() -> None:
    action = Action(type="x", payload=None)
    assert plain(action) == {"type": "x"}
    assert Send(payload=Payload(id=1)).type == "mail.send"
    assert Send(payload=Payload(id=1)).payload == Payload(id=1)
    assert Star(payload={}).type == "mail.star"
    assert isinstance(Star(payload={}), Action)
    assert decode(b'{"type":"x","handler":"client"}', Action) == action
    assert pydantic.TypeAdapter(Action).validate_python({"type": "x"}) == action
    assert (
        Action.model_validate({"type": "x"})
        == Action[str, Any].model_validate({"type": "x"})
        == action
    )


# --- icons and urls


def test_an_unknown_icon_degrades_to_none() -> None:
    assert len(ICON_NAMES) == 64
    for known in ("bolt", "vendor:x", "lucide:", None):
        assert known_icon(known) == known
        assert t.ProgressUpdateEvent(icon=known, text="x").icon == known
    for unknown in ("upload", "Vendor:x", ""):
        assert t.ProgressUpdateEvent(icon=unknown, text="x").icon is None
        assert t.CustomTask(icon=unknown).icon is None
        assert t.CustomSummary(title="x", icon=unknown).icon is None
        assert t.EntitySource(id="x", title="x", icon=unknown).icon is None


def test_urls_are_absolute_and_kept_as_given() -> None:
    for url in ("https://Example.COM:443/a b", "data:image/png;base64,iVBO", "blob:https://x/1"):
        text = json.dumps(
            {"type": "image", "id": "i", "name": "n", "mime_type": "a/b", "preview_url": url}
        )
        if " " not in url:
            assert plain(decode(text, t.Attachment))["preview_url"] == url
    for url in ("/relative", "", "nothing"):
        text = json.dumps(
            {"type": "image", "id": "i", "name": "n", "mime_type": "a/b", "preview_url": url}
        )
        with pytest.raises(BadRequest, match="regex"):
            decode(text, t.Attachment)


# -- what is newer than this library -------------------------------------------------------------------------------

NEWER = '{"id":"n","thread_id":"t","created_at":"2026-01-01T00:00:00Z","type":"hologram","z":[1, {"y":null}]}'


def test_an_item_of_a_newer_type_has_the_methods_of_an_item() -> None:
    item: Any = read_item(NEWER)
    assert isinstance(item, UnknownItem)
    assert item == read_item(NEWER.encode())
    assert item.model_dump_json() == NEWER
    assert item.model_copy() == item
    moved = item.model_copy(update={"thread_id": "other", "created_at": item.created_at})
    assert (moved.thread_id, moved.created_at, item.thread_id) == ("other", item.created_at, "t")
    assert moved.model_dump() == {**item.model_dump(), "thread_id": "other"}


def test_a_newer_item_does_not_hide_its_page_from_pydantic() -> None:
    adapter: Any = pydantic.TypeAdapter(list[ThreadItem])
    note = {
        "id": "e",
        "thread_id": "t",
        "created_at": "2026-01-01T00:00:00Z",
        "type": "end_of_turn",
    }
    rows = f"[{NEWER},{msgspec.json.encode(note).decode()}]"
    for items in (adapter.validate_json(rows), adapter.validate_python(msgspec.json.decode(rows))):
        assert [type(each) for each in items] == [UnknownItem, EndOfTurnItem]
        assert items[0] == read_item(NEWER)
        assert msgspec.json.decode(adapter.dump_json(items)) == msgspec.json.decode(rows)
        assert adapter.validate_python(items) == items
    for wrong in ({"type": "hologram"}, {**note, "type": 5}, {**note, "id": 5}, {"id": "x"}, 5):
        with pytest.raises(pydantic.ValidationError):
            adapter.validate_python([wrong])


def test_what_is_no_item_is_the_stores_failure() -> None:
    for wrong in ("{}", '{"type":"hologram"}', "nothing"):
        with pytest.raises(StoreError):
            read_item(wrong)
