"""Bad input: any bytes get an answer, and a mistake is always the client's: 4xx with code, request id and, where the
request does not fit, the path. Never a 500, never a stored change."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatkit_asgi import ChatKitApp, Options
from chatkit_asgi.store import MemoryStore
from chatkit_asgi.testing import ASGIBridge, ChatKitClient
from tests.http.served import Served, card, done, questions, snapshot, tool_call, yielding

INPUT = ChatKitClient.message("Hi")
VALID: list[dict[str, Any]] = [
    {"type": "threads.create", "params": {"input": {**INPUT, "quoted_text": "q"}}, "metadata": {}},
    {"type": "threads.add_user_message", "params": {"thread_id": "thr_x", "input": INPUT}},
    {
        "type": "threads.add_client_tool_output",
        "params": {"thread_id": "thr_x", "result": {"a": 1}},
    },
    {
        "type": "threads.add_structured_input",
        "params": {
            "thread_id": "thr_x",
            "item_id": "msg_ask",
            "input": {
                "status": "answered",
                "answers": {"size": {"values": ["S"], "skipped": False}},
            },
        },
    },
    {"type": "threads.retry_after_item", "params": {"thread_id": "thr_x", "item_id": "msg_x"}},
    {
        "type": "threads.custom_action",
        "params": {
            "thread_id": "thr_x",
            "item_id": "msg_x",
            "action": {"type": "a", "payload": {}},
        },
    },
    {"type": "threads.get_by_id", "params": {"thread_id": "thr_x"}},
    {"type": "threads.list", "params": {"limit": 20, "order": "desc", "after": None}},
    {"type": "items.list", "params": {"thread_id": "thr_x", "limit": 9999}},
    {
        "type": "items.feedback",
        "params": {"thread_id": "thr_x", "item_ids": ["a"], "kind": "positive"},
    },
    {"type": "attachments.create", "params": {"name": "a", "size": 1, "mime_type": "a/b"}},
    {"type": "attachments.delete", "params": {"attachment_id": "atc_x"}},
    {"type": "threads.update", "params": {"thread_id": "thr_x", "title": "t"}},
    {"type": "threads.delete", "params": {"thread_id": "thr_x"}},
    {"type": "input.transcribe", "params": {"audio_base64": "GkXf", "mime_type": "audio/webm"}},
    {
        "type": "threads.sync_custom_action",
        "params": {"thread_id": "thr_x", "item_id": "msg_x", "action": {"type": "a"}},
    },
]


def post(*bodies: bytes, **options: Any) -> list[Any]:
    """Each body to one fresh server; also checks what holds for every answer."""

    async def main() -> list[Any]:
        server = Served(MemoryStore(), Options(handle_signals=False, **options))
        answers = []
        async with ASGIBridge(ChatKitApp(server), lifespan=True, timeout=10) as bridge:
            for body in bodies:
                before = await snapshot(server.store)
                answer = await bridge.post(body)
                answers.append(answer)
                assert answer.status < 500, answer.body
                if answer.status >= 400:
                    check_refusal(answer)
                    assert await snapshot(server.store) == before
        return answers

    return anyio.run(main)


def check_refusal(answer: Any) -> None:
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    error = body["error"]
    assert error["code"]
    assert error["message"] == body["message"]
    assert error["request_id"] == answer.headers["x-request-id"]
    if error["code"] in ("invalid_request", "malformed_json", "unknown_request_type"):
        assert answer.status == 400
        assert error["path"].startswith("$")


def body_of(request: Any) -> bytes:
    return json.dumps(request).encode()


fast = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@fast
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=20))
def test_any_bytes_are_answered_400(bodies: list[bytes]) -> None:
    for answer in post(*bodies):
        assert answer.status == 400


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["asc", "answered", "input_text", 10**30, -1, 1e400, "\ud800", "\0"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid request with a few places changed: other values, keys gone, keys doubled, bytes changed."""
    request = json.loads(json.dumps(draw(st.sampled_from(VALID))))
    for _ in range(draw(st.integers(1, 3))):
        node, key = draw(st.sampled_from(list(places(request)) or [({}, "")]))
        if not node:
            continue
        if draw(st.booleans()):
            node[key] = draw(anything)
        elif isinstance(node, dict):
            node.pop(key)
    body = json.dumps(request).encode()
    change = draw(st.sampled_from(["none", "none", "byte", "cut", "insert"]))
    at = draw(st.integers(0, max(len(body) - 1, 0)))
    byte = draw(st.binary(min_size=1, max_size=2))
    if change == "byte":
        return body[:at] + byte + body[at + 1 :]
    if change == "cut":
        return body[:at]
    return body[:at] + byte + body[at:] if change == "insert" else body


def places(node: Any) -> Any:
    """Every container and key of a tree."""
    pairs = list(node.items() if isinstance(node, dict) else enumerate(node))
    for key, value in pairs:
        yield node, key
        if isinstance(value, dict | list):
            yield from places(value)


@fast
@given(st.lists(mutated(), min_size=10, max_size=30))
def test_mutated_requests_are_never_a_500(bodies: list[bytes]) -> None:
    post(*bodies)


@fast
@given(st.lists(mutated(), min_size=5, max_size=15))
def test_nor_where_the_things_they_name_exist(bodies: list[bytes]) -> None:
    async def main() -> None:
        server = Served(MemoryStore(), Options(handle_signals=False))
        names = {"thread": "thr_x", "message": "msg_x"}
        counted = iter(range(1000))
        server.store.generate_thread_id = lambda _: names["thread"]  # type: ignore[method-assign,assignment]
        server.store.generate_item_id = lambda *_: names.pop("message", f"msg_{next(counted)}")  # type: ignore[method-assign]
        server.responding = yielding(
            done(card, "msg_card"), done(questions), done(tool_call, "tc_1")
        )
        async with ASGIBridge(ChatKitApp(server), lifespan=True, timeout=10) as bridge:
            await ChatKitClient(bridge).create("Hi")
            server.store.generate_thread_id = lambda _: f"thr_{next(counted)}"  # type: ignore[method-assign,assignment]
            server.responding = yielding("Hello")
            for body in bodies:
                before = await snapshot(server.store)
                answer = await bridge.post(body)
                assert answer.status < 500, answer.body
                if answer.status >= 400:
                    check_refusal(answer)
                    assert await snapshot(server.store) == before
                else:
                    assert answer.complete
                    assert b'"type":"error"' not in answer.body

    anyio.run(main)


def deep(levels: int) -> bytes:
    return (
        b'{"type":"threads.list","params":{},"metadata":{"a":'
        + b"[" * levels
        + b"]" * levels
        + b"}}"
    )


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed_json"),
        (b" ", "malformed_json"),
        (b"null", "invalid_request"),
        (b"[]", "invalid_request"),
        (b'"threads.list"', "invalid_request"),
        (b"{}", "invalid_request"),
        (b'{"params":{}}', "invalid_request"),
        (b'{"type":null,"params":{}}', "invalid_request"),
        (b'{"type":7,"params":{}}', "invalid_request"),
        (b'{"type":"threads.list"}', "invalid_request"),
        (b'{"type":"threads.list","params":null}', "invalid_request"),
        (b'{"type":"threads.list","params":{},"metadata":null}', "invalid_request"),
        (b'{"type":"threads.list","params":{},"metadata":[]}', "invalid_request"),
        (b'{"type":"threads.lists","params":{}}', "unknown_request_type"),
        (b'{"type":"attachments.get_preview","params":{}}', "unknown_request_type"),
        (b'{"type":"threads.stop","params":{}}', "unknown_request_type"),
        (b'{"type":"threads.list","params":{}} x', "malformed_json"),
        (b'{"type":"threads.list","params":{},}', "malformed_json"),
        (b"{'type':'threads.list','params':{}}", "malformed_json"),
        (b'{"type":"threads.list","params":{}', "malformed_json"),
        (b'\xef\xbb\xbf{"type":"threads.list","params":{}}', "malformed_json"),
        (b'{"type":"threads.list","params":{"after":"\xff"}}', "malformed_json"),
        (b'{"type":"threads.list","params":{"after":"\\ud800"}}', "malformed_json"),
        (b'{"type":"threads.list","params":{"after":"a\nb"}}', "malformed_json"),
        (b'{"type":"threads.create","type":"threads.list","params":{}}', None),
        (b'{"type":"threads.list","params":{"limit":1e999}}', None),
        (b'{"type":"threads.list","params":{"limit":"x"}}', "invalid_request"),
        (b'{"type":"threads.list","params":{"order":"up"}}', "invalid_request"),
        (b'{"type":"threads.list","params":{"limit":' + b"9" * 5000 + b"}}", None),
        (deep(100_000), "malformed_json"),
        (b'{"type":"threads.lists","params":' + b"[" * 100_000, None),
        ('{"type":"threads.list","params":{}}'.encode("utf-16"), "malformed_json"),
        (b'{"type":"input.transcribe","params":{"audio_base64":"*","mime_type":"a/b"}}', "invalid_request"),
    ],
)  # fmt: skip
def test_what_is_refused(body: bytes, code: str | None) -> None:
    [answer] = post(body)
    assert answer.status == 400
    if code is not None:
        assert answer.json()["error"]["code"] == code


@pytest.mark.parametrize(
    "body",
    [
        b' \n{"type":"threads.list","params":{}}\t\n',
        b'{"type":"threads.list","params":{"limit":99999999999999999999999}}',
        b'{"type":"threads.list","params":{"limit":7},"params":{"limit":null}}',
        b'{"params":{"x":1,"limit":null},"unknown":[1e400],"type":"threads.list"}',
        b'{"type":"threads.list","params":{},"metadata":{"a":"\\u0000","b":"\\ud83d\\ude00"}}',
        deep(50),
    ],
)
def test_what_is_taken(body: bytes) -> None:
    [answer] = post(body)
    assert (answer.status, answer.json()["data"]) == (200, [])


def first_message(**changed: Any) -> dict[str, Any]:
    return {"input": {**INPUT, **changed}}


@pytest.mark.parametrize(
    ("kind", "params", "path"),
    [
        ("threads.get_by_id", {}, "$.params"),
        ("threads.get_by_id", {"thread_id": None}, "$.params.thread_id"),
        ("threads.update", {"thread_id": "a", "title": 7}, "$.params.title"),
        ("items.feedback", {"item_ids": ["a", 7]}, "$.params.item_ids[1]"),
        ("items.feedback", {"kind": "meh"}, "$.params.kind"),
        (
            "threads.create",
            first_message(content=[{"type": "x"}]),
            "$.params.input.content[0].type",
        ),
        (
            "threads.create",
            first_message(inference_options=None),
            "$.params.input.inference_options",
        ),
        ("threads.create", first_message(attachments=[{}]), "$.params.input.attachments[0]"),
        ("threads.custom_action", {"thread_id": "a", "action": {}}, "$.params.action"),
        ("threads.custom_action", {"action": {"type": 1}}, "$.params.action.type"),
    ],
)
def test_the_path_says_where(kind: str, params: Any, path: str) -> None:
    [answer] = post(body_of({"type": kind, "params": params}))
    assert (answer.status, answer.json()["error"]["path"]) == (400, path)


FREE = [
    b'{"type":"threads.add_client_tool_output","params":{"thread_id":"thr_1","result":%b}}',
    b'{"type":"threads.custom_action","params":{"thread_id":"thr_1","action":{"type":"a","payload":%b}}}',
    b'{"type":"threads.sync_custom_action","params":{"thread_id":"thr_1","action":{"type":"a","payload":%b}}}',
    b'{"type":"threads.list","params":{},"metadata":{"a":%b}}',
    b'{"type":"threads.create","params":{"input":{"content":[{"type":"input_tag","id":"a","text":"b",'
    b'"data":{"x":%b}}],"attachments":[],"inference_options":{}}}}',
]


@pytest.mark.parametrize("body", FREE, ids=lambda body: body.decode().split('"')[3])
@pytest.mark.parametrize("pair", [b"[]", (b'{"a":', b"}")], ids=["lists", "objects"])
def test_free_values_of_any_depth_are_taken_whole_or_refused(body: bytes, pair: Any) -> None:
    """A value that can be decoded but neither copied nor written would be a 500, or worse, a row that nobody reads."""
    opening, closing = (pair[:1], pair[1:]) if isinstance(pair, bytes) else pair

    async def main() -> None:
        for levels in (1, 150, 190, 201, 400, 600, 900, 990, 2000, 50_000):
            server = Served(MemoryStore(), Options(handle_signals=False))
            server.store.generate_thread_id = lambda _: "thr_1"  # type: ignore[method-assign,assignment]
            server.responding = yielding(done(tool_call, "tc_1"))
            async with ASGIBridge(ChatKitApp(server), lifespan=True, timeout=10) as bridge:
                client = ChatKitClient(bridge)
                thread_id = (await client.create("Hi")).thread.id
                server.store.generate_thread_id = lambda _: "thr_2"  # type: ignore[method-assign,assignment]
                server.responding = yielding("Hello")
                nested = opening * levels + (b"" if pair == b"[]" else b"1") + closing * levels
                answer = await bridge.post(body % nested)
                assert answer.status == (200 if levels < 195 else 400), levels
                assert b'"type":"error"' not in answer.body
                assert (await client.get_thread(thread_id)).ok
                assert (await client.list_threads()).ok

    anyio.run(main)


def test_brackets_in_text_are_no_nesting() -> None:
    text = '[{"\\"' * 10_000
    [answer] = post(
        body_of(
            {
                "type": "threads.create",
                "params": first_message(content=[{"type": "input_text", "text": text}]),
            }
        )
    )
    assert answer.status == 200
    [answer] = post(
        body_of({"type": "threads.list", "params": {}, "metadata": {"a": [[]] * 10_000}})
    )
    assert answer.status == 200


def test_nul_and_odd_characters_are_kept() -> None:
    """They are legal JSON; a store that cannot hold them would lose the message."""
    text = "a\0b\u2028\x7f\U0001f600\u0001"

    async def main() -> None:
        server = Served(MemoryStore(), Options(handle_signals=False))
        async with ASGIBridge(ChatKitApp(server), lifespan=True) as bridge:
            client = ChatKitClient(bridge)
            turn = (await client.create(text)).check()
            assert turn.thread.items[0].content[0].text == text
            page = await client.items(turn.thread.id)
            assert page.items[-1].content[0].text == text

    anyio.run(main)


def test_the_message_does_not_repeat_the_body() -> None:
    [answer] = post(
        b'{"type":"threads.update","params":{"thread_id":"a","title":{"text":"my secret diary"}}}'
    )
    assert b"diary" not in answer.body
    [answer] = post(body_of({"type": "x" * 100_000, "params": {}}))
    assert len(answer.body) < 1000
