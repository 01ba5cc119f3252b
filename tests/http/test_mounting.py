"""Where the app can stand: alone, with CORS, in front of another app, mounted under Starlette and FastAPI."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import Any

import pytest

from chatkit_asgi import ChatKitApp, ChatKitMiddleware, ContextRequest, Options, Unauthorized
from chatkit_asgi.store import Store
from chatkit_asgi.testing import ASGIBridge, BridgeTransport, ChatKitClient
from tests.http.served import Held, Served, rows, talking

pytestmark = pytest.mark.parametrize("store", ["memory"], indirect=True)

LIST = {"type": "threads.list", "params": {}}


class Inner:
    """An app that others are put in front of. Notes the scopes it gets."""

    def __init__(self) -> None:
        self.scopes: list[Any] = []
        self.phases: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        if scope["type"] == "lifespan":
            for phase in ("startup", "shutdown"):
                self.phases.append((await receive())["type"])
                await send({"type": f"lifespan.{phase}.complete"})
        elif scope["type"] == "http":
            await send({"type": "http.response.start", "status": 299, "headers": []})
            await send({"type": "http.response.body", "body": b"inner"})


# -- CORS ----------------------------------------------------------------------------------------------------------

PREFLIGHT = {
    "origin": "https://page.test",
    "access-control-request-method": "POST",
    "access-control-request-headers": "content-type, accept-language, chatkit-frame-instance-id, authorization",
}


async def test_no_cors_unless_asked_for(server: Served) -> None:
    async with ASGIBridge(ChatKitApp(server)) as bridge:
        response = await bridge.request(method="OPTIONS", headers=PREFLIGHT)
        assert response.status == 405
        response = await bridge.post(LIST, headers={"origin": "https://page.test"})
        assert not [name for name in response.headers if name.startswith("access-control")]


async def test_cors_for_named_origins(server: Served) -> None:
    async with talking(
        server, cors_origins=("https://page.test",), cors_credentials=True, max_body=500
    ) as client:
        bridge = client.transport._bridge  # type: ignore[attr-defined]
        response = await bridge.request(method="OPTIONS", headers=PREFLIGHT)
        assert response.status == 200
        assert response.headers["access-control-allow-origin"] == "https://page.test"
        assert response.headers["access-control-allow-credentials"] == "true"
        for name in PREFLIGHT["access-control-request-headers"].split(", "):
            assert name in response.headers["access-control-allow-headers"].lower()
        response = await bridge.request(
            method="OPTIONS", headers={**PREFLIGHT, "origin": "https://evil.test"}
        )
        assert "access-control-allow-origin" not in response.headers
        origin = {"origin": "https://page.test"}
        for body, status in ((LIST, 200), (b"{", 400), (b"x" * 501, 413)):
            response = await bridge.post(body, headers=origin)
            assert response.status == status
            assert response.headers["access-control-allow-origin"] == "https://page.test"
            assert response.headers["access-control-expose-headers"] == "x-request-id"
        turn = (await client.create("Hi", headers=origin)).check()
        assert turn.headers["access-control-allow-origin"] == "https://page.test"
        assert turn.headers["cache-control"] == "no-cache, no-transform"


async def test_cors_for_all(server: Served) -> None:
    async with talking(server, cors_origins=("*",)) as client:
        answer = await client.list_threads(headers={"origin": "https://any.test"})
        assert answer.headers["access-control-allow-origin"] == "*"


async def test_cors_on_what_the_context_refuses(server: Served) -> None:
    def refuse(request: ContextRequest) -> Any:
        raise Unauthorized

    async with talking(server, context=refuse, cors_origins=("*",)) as client:
        answer = await client.create("Hi", headers={"origin": "https://any.test"})
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (401, "*")


# -- the app itself ------------------------------------------------------------------------------------------------


async def test_the_app_answers_every_path(server: Served) -> None:
    async with ASGIBridge(ChatKitApp(server)) as bridge:
        for path in ("/", "/chatkit", "/a/b"):
            assert (await bridge.post(LIST, path=path)).status == 200


async def test_a_websocket_is_closed(server: Served) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await ChatKitApp(server)({"type": "websocket"}, None, send)  # type: ignore[arg-type]
    assert sent[0]["type"] == "websocket.close"


async def test_an_unknown_scope_is_an_error(server: Served) -> None:
    with pytest.raises(ValueError, match="scope"):
        await ChatKitApp(server)({"type": "quic"}, None, None)  # type: ignore[arg-type]


# -- the middleware ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "path", "ours"),
    [
        ("/chatkit", "/chatkit", True),
        ("/chatkit", "/chatkit/", True),
        ("/chatkit/", "/chatkit", True),
        ("/chatkit", "/chatkit/more", True),
        ("/chatkit", "/chatkitten", False),
        ("/chatkit", "/", False),
        ("/chatkit", "/a/chatkit", False),
        ("/a/b", "/a/b", True),
        ("/a/b", "/a", False),
    ],
)
@pytest.mark.parametrize("root_path", ["", "/root"])
async def test_the_middleware_answers_its_path_only(
    server: Served, given: str, path: str, ours: bool, root_path: str
) -> None:
    inner = Inner()
    app = ChatKitMiddleware(inner, ChatKitApp(server), given)
    async with ASGIBridge(app, root_path=root_path) as bridge:
        response = await bridge.post(LIST, path=path)
        assert response.status == (200 if ours else 299)
        if not ours:
            assert inner.scopes == [response.scope], "untouched"
            assert inner.scopes[0] is response.scope


@pytest.mark.parametrize(
    ("root_path", "path"),
    [("/chat", "/chatkit"), ("/root", "/chatkit"), ("/root/", "/root//chatkit")],
)
async def test_a_root_path_that_is_not_part_of_the_path(
    server: Served, root_path: str, path: str
) -> None:
    """Some servers leave it out, and then the path may begin with the same letters."""
    app = ChatKitMiddleware(Inner(), ChatKitApp(server))

    async def rooted(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "root_path": root_path, "path": path}, receive, send)

    async with ASGIBridge(rooted) as bridge:
        assert (await bridge.post(LIST)).status == 200


async def test_turns_end_before_the_inner_app_closes_what_they_need(
    server: Served, store: Store[Any]
) -> None:
    held = Held()
    server.responding = held
    at_shutdown: list[Any] = []

    class Closing(Inner):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            async def receiving() -> Any:
                message = await receive()
                if message["type"] == "lifespan.shutdown":
                    at_shutdown.extend([len(server.turns), *held.ends])
                return message

            await super().__call__(scope, receiving, send)

    options = Options(on_disconnect="finish", handle_signals=False)
    app = ChatKitMiddleware(Closing(), ChatKitApp(server, options=options))
    async with ASGIBridge(app, lifespan=True) as bridge:
        client = ChatKitClient(bridge)
        async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
            await turn.wait_for("thread.item.updated")
    assert at_shutdown in ([0, "cancelled"], [0, "closed"])


async def test_a_shutdown_that_fails_behind_the_middleware_is_told(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def close() -> None:
        raise OSError("disk is gone")

    inner = Inner()
    monkeypatch.setattr(server.store, "close", close)
    with pytest.raises(RuntimeError, match="disk is gone"):
        async with ASGIBridge(ChatKitMiddleware(inner, ChatKitApp(server)), lifespan=True):
            pass
    assert inner.phases == ["lifespan.startup", "lifespan.shutdown"]
    monkeypatch.undo()


async def test_the_middleware_wants_a_path(server: Served) -> None:
    with pytest.raises(ValueError, match="slash"):
        ChatKitMiddleware(Inner(), ChatKitApp(server), "chatkit")


async def test_other_scopes_pass_through(server: Served) -> None:
    inner = Inner()
    app = ChatKitMiddleware(inner, ChatKitApp(server))
    scope = {"type": "websocket", "path": "/chatkit"}
    await app(scope, None, None)  # type: ignore[arg-type]
    assert inner.scopes[0] is scope


async def test_the_lifespan_reaches_the_inner_app_and_ends_turns(
    server: Served, store: Store[Any]
) -> None:
    inner = Inner()
    held = Held()
    server.responding = held
    options = Options(on_disconnect="finish", handle_signals=False)
    app = ChatKitMiddleware(inner, ChatKitApp(server, options=options))
    async with ASGIBridge(app, lifespan=True) as bridge:
        client = ChatKitClient(bridge)
        async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
            await turn.wait_for("thread.item.updated")
    assert inner.phases == ["lifespan.startup", "lifespan.shutdown"]
    assert held.ends in (["cancelled"], ["closed"])
    stored = await rows(store, turn.thread.id)
    assert stored[1].content[0].text == "Hello "


async def test_an_inner_app_without_lifespan_is_fine(server: Served) -> None:
    async def bare(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"

    app = ChatKitMiddleware(bare, ChatKitApp(server))
    async with ASGIBridge(app) as bridge:
        assert (await bridge.post(LIST)).status == 200


# -- under a framework ---------------------------------------------------------------------------------------------


async def test_mounted_under_starlette(server: Served) -> None:
    from starlette.applications import Starlette
    from starlette.routing import Mount, Route

    seen: list[Any] = []

    def context(request: ContextRequest) -> None:
        seen.append((request.scope["root_path"], request.scope["path"]))

    chatkit = ChatKitApp(server, context=context)

    @asynccontextmanager
    async def lifespan(app: Any) -> Any:
        await chatkit.startup()
        yield
        await chatkit.shutdown()

    # Starlette redirects "/api/chatkit" to "/api/chatkit/" for a Mount; a Route does not.
    routes = [
        Mount("/api/chatkit", chatkit),
        Route("/exactly", chatkit, methods=["POST"]),
    ]
    app = Starlette(routes=routes, lifespan=lifespan)
    async with ASGIBridge(app, lifespan=True) as bridge:
        for path in ("/api/chatkit/", "/api/chatkit/x", "/exactly"):
            response = await bridge.post(LIST, path=path)
            assert response.status == 200
        client = ChatKitClient(BridgeTransport(bridge, "/api/chatkit/"))
        assert (await client.create("Hi")).check().text == "Hello world"
        assert (await bridge.post(LIST, path="/other")).status == 404
    assert seen[0][0] == "/api/chatkit"


async def test_the_middleware_inside_fastapi(server: Served) -> None:
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/hello")
    async def hello() -> str:
        return "hello"

    app.add_middleware(ChatKitMiddleware, chatkit_app=ChatKitApp(server), path="/chatkit")
    async with ASGIBridge(app, lifespan=True) as bridge:
        assert (await ChatKitClient(bridge).create("Hi")).check().text == "Hello world"
        response = await bridge.request(method="GET", path="/hello")
        assert response.json() == "hello"


async def test_leaving_through_a_middleware_that_runs_the_app_in_a_task_of_its_own(
    server: Served, store: Store[Any]
) -> None:
    """Starlette's BaseHTTPMiddleware cancels and forwards in its own way; what was said is kept all the same."""
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.base import BaseHTTPMiddleware
    from starlette.routing import Mount

    async def passing(request: Any, call_next: Any) -> Any:
        return await call_next(request)

    held = Held()
    server.responding = held
    app = Starlette(
        routes=[Mount("/chatkit", ChatKitApp(server))],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=passing)],
    )
    async with ASGIBridge(app, path="/chatkit/") as bridge:
        client = ChatKitClient(bridge)
        async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
            await turn.wait_for(lambda event: "delta" in event.get("update", {}))
        await server.turns.shutdown()
    stored = await rows(store, turn.thread.id)
    assert stored[1].content[0].text == "Hello "
