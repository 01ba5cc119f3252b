"""Every request, on every stack, over real sockets: answered as the plain app answers it, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from chatkit_asgi import ChatKitApp, Options
from chatkit_asgi.operations import OPERATIONS_BY_NAME
from chatkit_asgi.testing import ASGIBridge, ChatKitClient
from tests.conftest import START
from tests.http.served import Served
from tests.stacks import conversation
from tests.stacks.conftest import make_server
from tests.stacks.site import LIST, serving
from tests.stacks.stack import Stack


def still() -> Options:
    """A clock that stands: other stacks look at it in other moments."""
    return Options(clock=lambda: START, handle_signals=False)


async def test_all_sixteen_requests_are_answered_as_by_the_plain_app(stack: Stack) -> None:
    """Invariant: status, headers and every byte of a conversation are those of the plain app."""
    plain, served = make_server(still()), make_server(still())
    conversation.prepare(plain)
    conversation.prepare(served)
    async with ASGIBridge(ChatKitApp(plain)) as bridge:
        expected = await conversation.hold(ChatKitClient(bridge))
    async with serving(stack, served) as site:
        given = await conversation.hold(site.client())
    assert {type for type, *_ in expected} > set(OPERATIONS_BY_NAME)
    for got, wanted in zip(given, expected, strict=True):
        assert got == wanted
    assert [call[:1] for call in served.calls] == [call[:1] for call in plain.calls]


BAD: list[tuple[bytes, dict[str, str], int, str]] = [
    (b"", {}, 400, "malformed_json"),
    (b'{"type": "threads.li', {}, 400, "malformed_json"),
    (b'{"type": "threads.list", "params": {"limit": "7"}}', {}, 400, "invalid_request"),
    (b"{}", {"content_type": "text/plain"}, 415, "unsupported_media_type"),
    (b"a=1", {"content_type": "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"),
    (b"{}", {"idempotency_key": "k" * 300}, 400, "invalid_idempotency_key"),
]


async def test_bad_input_is_a_clear_error(stack: Stack, server: Served) -> None:
    async with serving(stack, server) as site:
        for body, headers, status, code in BAD:
            answer = await site.post(body, x_request_id="mine-7", **headers)
            assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
            error = answer.json["error"]
            assert (error["code"], error["request_id"]) == (code, "mine-7")
            assert answer.json["message"] == error["message"]
            assert answer.headers["x-request-id"] == "mine-7"
        assert (await site.post()).status == 200


async def test_other_methods_are_refused(stack: Stack, server: Served) -> None:
    async with serving(stack, server) as site:
        for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"):
            answer = await site.fetch(method, site.url)
            # Some frameworks answer it themselves.
            options = method == "OPTIONS" and answer.status in (200, 204)
            assert answer.status == 405 or options
            assert "POST" in answer.headers["allow"]
        assert server.calls == []


async def test_a_failing_hook_tells_nothing(stack: Stack, server: Served) -> None:
    """Invariant: a 500 has an id to find it by, and nothing of its cause."""

    def fail(*_: Any) -> Any:
        raise RuntimeError("SECRET")

    server.store.load_threads = fail  # type: ignore[method-assign]
    async with serving(stack, server) as site:
        answer = await site.post()
        assert (answer.status, answer.json["error"]["code"]) == (500, "internal_error")
        assert answer.json["error"]["request_id"] == answer.headers["x-request-id"]
        assert b"SECRET" not in answer.body


async def test_every_answer_has_a_request_id(stack: Stack, server: Served) -> None:
    async with serving(stack, server) as site:
        client = site.client()
        turn = await client.create("Hi")
        listed = await client.list_threads()
        refused = await client.get_thread("thr_nobody")
        ids = [each.request_id for each in (turn, listed, refused)]
        assert all(each.startswith("req_") for each in ids)
        assert len(set(ids)) == 3
        assert refused.error["request_id"] == ids[2]


async def test_the_context_gets_the_http_request(stack: Stack, server: Served) -> None:
    seen: list[Any] = []

    def context(request: Any) -> None:
        seen.append(request)

    async with serving(stack, server, context=context) as site:
        headers = {"content-type": "application/json", "x-thing": "caf\xe9", "cookie": "a=1; b=2"}
        answer = await site.fetch(
            "POST", site.url + "?a=1&b=%20", json.dumps(LIST).encode(), **headers
        )
        assert answer.status == 200
    (request,) = seen
    assert (request.type, request.params.limit) == ("threads.list", None)
    assert request.headers["x-thing"] == "caf\xe9"
    assert request.headers["cookie"] == "a=1; b=2"
    assert request.query == "a=1&b=%20"
    assert request.client == "127.0.0.1"
    assert request.scope["type"] == "http"


async def test_a_context_may_be_async_and_may_refuse(stack: Stack, server: Served) -> None:
    from chatkit_asgi import Forbidden

    async def context(request: Any) -> str:
        await anyio.lowlevel.checkpoint()
        if request.type == "threads.list":
            raise Forbidden("Not for you.", headers={"x-why": "because"})
        return "ada"

    async with serving(stack, server, context=context) as site:
        answer = await site.post()
        assert (answer.status, answer.json["message"]) == (403, "Not for you.")
        assert answer.headers["x-why"] == "because"
        assert (await site.client().create("Hi")).check().text == "Hello world"
    assert [call[-1] for call in server.calls] == ["ada"]


async def test_a_key_joins_the_turn_that_it_repeats(stack: Stack, server: Served) -> None:
    async with serving(stack, server) as site:
        client = site.client(idempotency_key="once")
        first, second = await client.create("Hi"), await client.create("Hi")
        assert first.check().thread.id == second.check().thread.id
        assert server.answers() == 1


# -- large bodies ----------------------------------------------------------------------------------------------------

SPEECH = b"A" * (4 * 1024 * 1024)
TRANSCRIBE = (
    b'{"type":"input.transcribe","params":{"mime_type":"audio/webm","audio_base64":"%b"}}' % SPEECH
)


def pieces(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 50_000):
        yield body[start : start + 50_000]


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_large_body_comes_through(stack: Stack, server: Served, chunked: bool) -> None:
    body: Any = pieces(TRANSCRIBE) if chunked else TRANSCRIBE
    async with serving(stack, server) as site:
        answer = await site.fetch("POST", site.url, body, content_type="application/json")
        assert (answer.status, answer.json) == (200, {"text": "spoken"})
    assert len(server.calls[0][1].data) == len(SPEECH) * 3 // 4


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_the_limit_is_refused(stack: Stack, chunked: bool) -> None:
    server = make_server(Options(max_body=100_000, handle_signals=False))
    body = b'"' + b"x" * 110_000
    async with serving(stack, server) as site:
        data: Any = pieces(body) if chunked else body
        answer = await site.fetch("POST", site.url, data, content_type="application/json")
        assert (answer.status, answer.json["error"]["code"]) == (413, "max_body")
        assert (await site.post()).status == 200


async def test_who_leaves_while_sending_is_not_answered(stack: Stack, server: Served) -> None:
    """Invariant: half a request does nothing, and nobody complains of it."""
    async with serving(stack, server) as site:
        host, port = site.base.removeprefix("http://").split(":")
        stream = await anyio.connect_tcp(host, int(port))
        head = f"POST {stack.path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        await stream.send(f"{head}content-length: 500\r\n\r\n{{".encode())
        await anyio.aclose_forcefully(stream)
        assert (await site.post()).status == 200
    assert server.calls == []
