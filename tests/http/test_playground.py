"""The element and the playground, as they are served: only when asked for, under any mount, and never a traceback."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from chatkit_asgi import ChatKitApp, ChatKitMiddleware, ChatKitRouter
from chatkit_asgi.playground import files
from chatkit_asgi.store import MemoryStore
from chatkit_asgi.testing import ASGIBridge


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As if `make ui` had been run, whether or not it was."""
    (tmp_path / "chatkit.js").write_text('import("./element.js");')
    (tmp_path / "chunk-AAAAAAA1.js").write_text("export {}")
    (tmp_path / "playground.html").write_text("<!doctype html>")
    (tmp_path.parent / "secret.js").write_text("secret")
    monkeypatch.setattr(files, "STATIC", tmp_path)
    return tmp_path


def app(**options: Any) -> ChatKitApp:
    chat = ChatKitRouter(MemoryStore())

    @chat.respond
    async def respond(thread: Any, message: Any, context: Any) -> Any:
        yield "Hello"

    return ChatKitApp(chat, **options)


async def get(app: Any, path: str, method: str = "GET", **headers: str) -> Any:
    async with ASGIBridge(app) as bridge:
        return await bridge.request(method=method, path=path, headers=headers)


async def nowhere(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("the middleware passed it on")


async def test_nothing_is_served_unless_it_is_asked_for(built: Path) -> None:
    for path in ("", "/", "/element/chatkit.js", "/playground/"):
        answer = await get(app(), path)
        assert (answer.status, answer.headers["allow"]) == (405, "POST")
        assert answer.headers["x-request-id"]
    assert (await get(app(element=True), "/playground/")).status == 405
    assert (await get(app(element=True), "/")).status == 405


async def test_the_element_alone_is_served_to_any_page(built: Path) -> None:
    answer = await get(app(element=True), "/element/chatkit.js")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "no-cache"
    tag = answer.headers["etag"]
    for condition in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again = await get(app(element=True), "/element/chatkit.js", **{"if-none-match": condition})
        assert (again.status, again.body) == (304, b"")
        assert "content-length" not in again.headers
    chunk = await get(app(element=True), "/element/chunk-AAAAAAA1.js")
    assert chunk.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("mount", ["alone", "middleware", "mount"])
async def test_the_endpoint_leads_to_the_playground_wherever_it_is_mounted(
    built: Path, mount: str
) -> None:
    chatkit = app(playground=True)
    path = "/chat/kit" if mount != "alone" else "/"
    served: Any = {
        "alone": chatkit,
        "middleware": ChatKitMiddleware(nowhere, chatkit, path="/chat/kit"),
        "mount": Starlette(routes=[Mount("/chat/kit", chatkit)]),
    }[mount]
    answer = await get(served, path + "/" if mount == "mount" else path)
    assert answer.status == 307
    assert answer.headers["x-request-id"]
    location = answer.headers["location"]
    base = (path + "/" if mount == "mount" else path).rpartition("/")[0]
    page = f"{base}/{location.removeprefix('./')}"
    found = await get(served, page)
    assert (found.status, found.body) == (200, b"<!doctype html>")
    assert "script-src 'self'" in found.headers["content-security-policy"]
    without_slash = await get(served, page.removesuffix("/"))
    assert without_slash.headers["location"] == "playground/"


@pytest.mark.parametrize(
    "name", ["none.js", "../secret.js", "..%2fsecret.js", ".hidden.js", "a/b.js", "x.py", "é.js"]
)
async def test_nothing_but_built_files_is_found(built: Path, name: str) -> None:
    answer = await get(app(playground=True), f"/playground/{name}")
    assert answer.status == 404
    assert answer.json()["error"]["code"] == "not_found"


async def test_files_are_only_read(built: Path) -> None:
    answer = await get(app(playground=True), "/playground/chatkit.js", "DELETE")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_without_its_build_the_server_works_and_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(files, "STATIC", tmp_path / "none")
    with caplog.at_level(logging.WARNING, "chatkit_asgi"):
        served = app(playground=True)
    assert "the playground is on" in caplog.text
    assert "make ui" in caplog.text
    answer = await get(served, "/playground/")
    assert answer.status == 503
    assert b"make ui" in answer.body
    async with ASGIBridge(served) as bridge:
        listed = await bridge.post({"type": "threads.list", "params": {}})
    assert listed.status == 200
