"""The codec: any bytes give a value or the one error, and what is newer than this library survives."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatkit_asgi import types
from chatkit_asgi.errors import BadRequest
from chatkit_asgi.protocol import codec
from chatkit_asgi.protocol.codec import (
    ITEM_TYPES,
    REQUEST_TYPES,
    decode,
    decode_item,
    decode_request,
    encode,
    well_formed,
)
from chatkit_asgi.types import (
    ChatKitReq,
    ThreadItem,
    ThreadItemUpdate,
    ThreadStreamEvent,
    UnknownItem,
)

KINDS = {
    "request": ChatKitReq,
    "event": ThreadStreamEvent,
    "update": ThreadItemUpdate,
    "item": ThreadItem,
    "thread": types.Thread,
    "page": types.Page[Any],
}
BASE = {"id": "msg_1", "thread_id": "thr_1", "created_at": "2026-03-14T09:26:53.589793Z"}

fast = settings(max_examples=150, deadline=None, derandomize=True)

json_text = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
).map(json.dumps)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
@fast
@given(data=st.binary(max_size=60) | json_text.map(str.encode))
def test_any_bytes_give_a_value_or_the_one_error(kind: Any, data: bytes) -> None:
    with suppress(BadRequest):
        decode(data, kind)


@fast
@given(st.binary(max_size=60) | json_text.map(str.encode))
def test_so_do_items_and_requests(data: bytes) -> None:
    for decoding in (decode_item, decode_request):
        with suppress(BadRequest):
            decoding(data)


tricky = st.text(st.sampled_from('[]{}"\\\\/a\n,:\u00e9'), max_size=8)
nested = st.recursive(
    st.none() | st.integers() | tricky,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(tricky, inner, max_size=4),
    max_leaves=30,
)


def depth(value: Any) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@settings(max_examples=500, deadline=None)
@given(nested, st.booleans(), st.sampled_from([None, 1]))
def test_the_depth_is_that_of_the_value(value: Any, ascii: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii, indent=indent).encode()
    assert codec._depth(text) == codec._depth(bytearray(text)) == depth(value)


@pytest.mark.parametrize("unit", [b'"",', b'"\\"\\\\",', b'"[{",', b"[],"])
def test_looking_for_the_depth_takes_no_longer_than_reading(unit: bytes) -> None:
    """Nearly: the short strings took 25 times as long."""
    values = unit * (4_000_000 // len(unit))
    data = b'{"type":"threads.list","params":{},"metadata":{"a":[' + b"[]," * 250 + values + b"0]}}"
    began = time.process_time()
    msgspec.json.decode(data)
    read = time.process_time()
    decode_request(data)
    assert time.process_time() - read < 6 * (read - began) + 0.5


def test_the_names_are_those_of_the_unions() -> None:
    assert len(REQUEST_TYPES) == 16
    assert len(ITEM_TYPES) == 11
    assert {each.__struct_config__.tag for each in get_args(get_args(ThreadStreamEvent)[0])} == {
        "thread.created",
        "thread.updated",
        "thread.item.added",
        "thread.item.updated",
        "thread.item.done",
        "thread.item.removed",
        "thread.item.replaced",
        "stream_options",
        "progress_update",
        "client_effect",
        "error",
        "notice",
    }


@pytest.mark.parametrize("kind", ["image_generation", "end_of_turns", ""])
def test_an_item_of_an_unknown_type_is_kept_byte_for_byte(kind: str) -> None:
    data = json.dumps({**BASE, "type": kind, "new": {"a": [None, 1.50]}}).encode()
    item = decode_item(data)
    assert isinstance(item, UnknownItem)
    assert (item.id, item.thread_id, item.type) == ("msg_1", "thr_1", kind)
    assert encode(item) == data
    assert encode({"item": item}) == b'{"item":' + data + b"}"
    assert encode([item, item]) == b"[" + data + b"," + data + b"]"


@pytest.mark.parametrize(
    "damaged",
    [
        {**BASE, "type": "assistant_message"},
        {**BASE, "type": "end_of_turn", "created_at": "yesterday"},
        {"type": "image_generation"},
        {**BASE},
        {**BASE, "type": None},
        [],
        None,
    ],
)
def test_a_damaged_item_is_the_one_error(damaged: Any) -> None:
    with pytest.raises(BadRequest):
        decode_item(json.dumps(damaged).encode())


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b'{"a":' * 100_000])
def test_bytes_that_are_no_json_are_the_one_error(data: bytes) -> None:
    for decoding in (decode_item, decode_request, lambda data: decode(data, ThreadStreamEvent)):
        with pytest.raises(BadRequest) as found:
            decoding(data)
        assert found.value.code == "malformed_json"


def test_unknown_fields_are_ignored_and_unknown_types_are_named() -> None:
    request = decode_request(b'{"type":"threads.list","params":{"new":1},"new":2}')
    assert request == types.ThreadsListReq(params=types.ThreadListParams())
    with pytest.raises(BadRequest, match=r"threads\.share") as found:
        decode_request(b'{"params":{},"type":"threads.share"}')
    assert (found.value.code, found.value.path) == ("unknown_request_type", "$.type")


def test_decodes_text_and_bytes_alike() -> None:
    text = '{"type":"end_of_turn","id":"a","thread_id":"b","created_at":"2026-03-14T09:26:53Z"}'
    assert (
        decode(text, ThreadItem) == decode(text.encode(), ThreadItem) == decode_item(text.encode())
    )
    assert decode(bytearray(text.encode()), types.EndOfTurnItem).id == "a"


@fast
@given(st.text(alphabet=st.characters(codec=None), max_size=30))
def test_any_text_can_be_written(text: str) -> None:
    """Lone surrogates come from models and tools; they must not cost the turn."""
    event = types.NoticeEvent(level="info", message=text)
    assert decode(encode(event), ThreadStreamEvent).message == well_formed(text)
    nested = types.ClientEffectEvent(name="x", data={text: [text]})
    well = well_formed(text)
    assert decode(encode(nested), ThreadStreamEvent).data == {well: [well]}


@fast
@given(st.text(max_size=30))
def test_text_that_is_well_formed_is_untouched(text: str) -> None:
    assert well_formed(text) == text


def test_surrogate_pairs_are_joined_and_lone_ones_replaced() -> None:
    assert well_formed("\ud83d\ude00 \ud83d \ude00 a") == "\U0001f600 \ufffd \ufffd a"


SAMPLES = [
    # wire.md section 6.1, in the order of keys that msgspec writes
    b'{"type":"thread.item.removed","item_id":"msg_1c20e9d4"}',
    b'{"type":"stream_options","stream_options":{"allow_cancel":true}}',
    b'{"type":"progress_update","icon":"lucide:loader","text":"Reading files"}',
    b'{"type":"progress_update","text":"Reading files"}',
    b'{"type":"client_effect","name":"open_panel","data":{"panel":"orders","focus":null}}',
    b'{"type":"client_effect","name":"ping","data":{}}',
    b'{"type":"error","code":"custom","message":"Quota reached","allow_retry":false}',
    b'{"type":"error","code":"stream.error","allow_retry":true}',
    b'{"type":"notice","level":"info","message":"Saved"}',
    b'{"type":"thread.item.updated","item_id":"m","update":'
    b'{"type":"assistant_message.content_part.text_delta","content_index":0,"delta":"Rev"}}',
]


@pytest.mark.parametrize("sample", SAMPLES, ids=bytes.decode)
def test_samples_of_the_wire_come_back_as_they_are(sample: bytes) -> None:
    assert encode(decode(sample, ThreadStreamEvent)) == sample


def test_free_values_are_written_as_they_are() -> None:
    value: Any = {
        "a": None,
        "b": [None, 1.0, 1e22, 10**30, "é/<\u2028"],
        "c": float("nan"),
        "d": {},
    }
    event = types.ClientEffectEvent(name="x", data=value)
    written = msgspec.json.decode(encode(event))["data"]
    assert written == {**value, "c": None, "b": [None, 1.0, 1e22, written["b"][3], "é/<\u2028"]}
    assert b'"a":null' in encode(event)
    assert "é/<\u2028".encode() in encode(event)
