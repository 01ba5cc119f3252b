"""HTTP itself: methods, media types, sizes, request ids, headers."""

from __future__ import annotations

from typing import Any

import pytest

from chatkit_asgi import ChatKitApp
from chatkit_asgi.store import Store
from chatkit_asgi.testing import HANG_UP, ASGIBridge, ChatKitClient, NoResponse
from tests.http.served import Served, talking

pytestmark = pytest.mark.parametrize("store", ["memory"], indirect=True)


async def raw(app: Any, body: Any, **options: Any) -> Any:
    async with ASGIBridge(app) as bridge:
        return await bridge.post(body, **options)


def error(response: Any) -> tuple[int, str, str | None]:
    found = response.json()
    assert found["message"] == found["error"]["message"]
    assert found["error"]["request_id"] == response.headers["x-request-id"]
    assert response.headers["content-type"] == "application/json"
    return response.status, found["error"]["code"], found["error"].get("path")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_405(server: Served, method: str) -> None:
    response = await raw(ChatKitApp(server), b"", method=method)
    assert error(response) == (405, "method_not_allowed", None)
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json, text/plain",
        "text/plain; application/json",
        "",
    ],
)
async def test_other_media_types_are_415(server: Served, kind: str, store: Store[Any]) -> None:
    """Nor none at all: a page of any origin can send bytes without a media type, cookies and all, unasked."""
    body = {"type": "threads.create", "params": {"input": ChatKitClient.message("Hi")}}
    response = await raw(ChatKitApp(server), body, headers={"content-type": kind})
    assert error(response) == (415, "unsupported_media_type", None)
    assert server.calls == []


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/x+json"]
)
async def test_json_by_any_name_is_taken(server: Served, kind: str) -> None:
    body = {"type": "threads.list", "params": {}}
    response = await raw(ChatKitApp(server), body, headers={"content-type": kind})
    assert response.status == 200


async def test_an_announced_body_over_the_limit_is_not_even_read(server: Served) -> None:
    async with talking(server, max_body=100) as client:
        bridge = client.transport._bridge  # type: ignore[attr-defined]
        response = await bridge.post([b"x"] * 10, headers={"content-length": "101"})
        assert error(response) == (413, "max_body", None)
        assert response.received == 0
        assert response.headers["connection"] == "close"


async def test_http_2_has_no_header_for_the_connection(server: Served) -> None:
    async with talking(server, max_body=100) as client:
        bridge = client.transport._bridge  # type: ignore[attr-defined]
        app = bridge.app

        async def second(scope: Any, receive: Any, send: Any) -> None:
            await app({**scope, "http_version": "2"}, receive, send)

        async with ASGIBridge(second) as other:
            response = await other.post(b"x" * 101)
        assert error(response) == (413, "max_body", None)
        assert "connection" not in response.headers


@pytest.mark.parametrize("length", ["\xb2", "9" * 5000, "-1", "x"])
async def test_a_length_that_is_none_is_not_believed(server: Served, length: str) -> None:
    body = {"type": "threads.list", "params": {}}
    response = await raw(ChatKitApp(server), body, headers={"content-length": length})
    assert response.status == 200


async def test_a_body_over_the_limit_is_refused_while_it_arrives(server: Served) -> None:
    async with talking(server, max_body=100) as client:
        bridge = client.transport._bridge  # type: ignore[attr-defined]

        async def endless() -> Any:
            while True:
                yield b"x" * 30

        response = await bridge.post(endless())
        assert error(response) == (413, "max_body", None)
        assert response.received == 4


async def test_a_body_of_exactly_the_limit_is_taken(server: Served) -> None:
    body = b'{"type":"threads.list","params":{}}'
    async with talking(server, max_body=len(body)) as client:
        bridge = client.transport._bridge  # type: ignore[attr-defined]
        assert (await bridge.post(body)).status == 200
        assert (await bridge.post([body[:10], body[10:]])).status == 200
        assert (await bridge.post([body, b" "])).status == 413


async def test_a_client_that_leaves_before_its_request_is_complete_gets_nothing(
    server: Served, store: Store[Any]
) -> None:
    body = b'{"type":"threads.create","params":{"input":{"content":[],"attachments":[],"inference_options":{}}}}'
    with pytest.raises(NoResponse):
        await raw(ChatKitApp(server), [body, HANG_UP])
    assert server.calls == []


@pytest.mark.parametrize("given", ["abc-123", "x" * 128])
async def test_a_request_id_comes_back(client: ChatKitClient, given: str) -> None:
    headers = {"x-request-id": given}
    assert (await client.list_threads(headers=headers)).request_id == given
    assert (await client.create("Hi", headers=headers)).request_id == given
    answer = await client.get_thread("x", headers=headers)
    assert answer.error["request_id"] == given


@pytest.mark.parametrize("given", ["", "with space", "x" * 129, "\x80"])
async def test_a_request_id_that_could_do_harm_is_replaced(
    client: ChatKitClient, given: str
) -> None:
    answer = await client.list_threads(headers={"x-request-id": given})
    assert answer.request_id.startswith("req_")
