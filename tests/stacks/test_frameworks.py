"""What is special to one framework: its own words for context, its document, its middleware, its timeouts."""

from __future__ import annotations

import gzip
import json
import re
from typing import Annotated, Any
from urllib.parse import unquote

import anyio
import fastapi
import jsonschema_rs
import pytest
from chatkit_fastapi import chatkit_router
from chatkit_litestar import ChatKitPlugin
from chatkit_quart import chatkit_blueprint
from fastapi import BackgroundTasks, Depends, FastAPI, Header, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from litestar import Litestar
from litestar import Request as LitestarRequest
from litestar.config.compression import CompressionConfig
from litestar.config.cors import CORSConfig
from litestar.di import NamedDependency, Provide
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from quart import Quart, abort, g, request, session
from quart_cors import cors as quart_cors
from starlette.middleware.sessions import SessionMiddleware

from chatkit_asgi import ChatKitApp, Options, Unauthorized
from chatkit_asgi.http import Response
from chatkit_asgi.openapi import REF, components
from chatkit_asgi.testing import ASGIBridge, ChatKitClient
from tests.http.served import Held, Served
from tests.stacks import conversation
from tests.stacks.conftest import make_server
from tests.stacks.site import LIST, Site, serve
from tests.stacks.stack import STACKS, Stack, load
from tests.stacks.test_streams import is_delta


def site_of(base: str, server: Served, path: str = "/chatkit") -> Site:
    stack = Stack()
    stack.path = path  # type: ignore[misc]
    return Site(stack, base, server)


# -- the documents -------------------------------------------------------------------------------------------------


def fastapi_document() -> Any:
    app = FastAPI()
    app.include_router(chatkit_router(make_server()), prefix="/api")
    app.include_router(chatkit_router(make_server(), path="/second"), prefix="/api")
    return app.openapi()


def litestar_document() -> Any:
    security = Components(security_schemes={"token": SecurityScheme(type="http", scheme="bearer")})
    config = OpenAPIConfig(title="Mine", version="1", components=[security])
    plugins = [
        ChatKitPlugin(make_server(), path="/api/chatkit"),
        ChatKitPlugin(make_server(), path="/api/second"),
    ]
    document = Litestar(plugins=plugins, openapi_config=config).openapi_schema.to_schema()
    assert document["components"]["securitySchemes"]["token"]
    return document


@pytest.mark.parametrize("document", [fastapi_document, litestar_document])
def test_the_endpoint_is_documented(document: Any) -> None:
    """Invariant: requests, answers and refusals have schemas and examples, and every reference leads somewhere."""
    found = document()
    for path in ("/api/chatkit", "/api/second"):
        (described,) = found["paths"][path].values()
        body = described["requestBody"]["content"]["application/json"]
        assert body["schema"] == {"$ref": REF + "ChatKitRequest"}
        assert {"threads.create", "threads.list"} <= body["examples"].keys()
        answers = described["responses"]["200"]["content"]
        assert answers["application/json"]["schema"]["$ref"] == REF + "ChatKitAnswer"
        assert answers["text/event-stream"]["schema"]["contentSchema"] == {
            "$ref": REF + "ChatKitEvent"
        }
        refused = described["responses"]["4XX"]["content"]["application/json"]["schema"]
        assert refused == {"$ref": REF + "ChatKitError"}
    schemas = found["components"]["schemas"]
    assert set(components()) <= set(schemas)
    for name in re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(found)):
        assert name in schemas
    assert schemas["ChatKitThread"] == components()["ChatKitThread"]


async def test_what_is_documented_is_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Invariant: every request, answer, event and refusal of a whole conversation fits its schema, and a request that
    does not is refused."""
    document = {"components": {"schemas": components()}}

    def fits(name: str, value: Any) -> bool:
        schema = {**document, "$ref": f"#/components/schemas/ChatKit{name}"}
        return jsonschema_rs.is_valid(schema, value)  # type: ignore[no-any-return]

    server = make_server()
    conversation.prepare(server)
    asked: list[Any] = []
    events: list[Any] = []
    async with ASGIBridge(ChatKitApp(server)) as bridge:
        client = ChatKitClient(bridge)
        ask = client.request

        async def noting(type: str, params: Any, **options: Any) -> Any:
            answer = await ask(type, params, **options)
            asked.append(({"type": type, "params": params}, answer.status))
            events.extend(getattr(answer, "events", ()))
            return answer

        monkeypatch.setattr(client, "request", noting)
        transcript = await conversation.hold(client)
    for value, status in asked:
        assert fits("Request", value) is (status != 400), value
    for event in events:
        assert fits("Event", event), event
    for _, status, headers, body in transcript:
        if headers["content-type"] == "application/json":
            assert fits("Answer" if status == 200 else "Error", json.loads(body)), body
    assert len(events) > 40
    for _, example in _examples():
        assert fits("Request", example)


def _examples() -> list[tuple[str, Any]]:
    from chatkit_asgi.openapi import operation

    examples = operation()["requestBody"]["content"]["application/json"]["examples"]
    return [(name, each["value"]) for name, each in examples.items()]


# -- CORS ----------------------------------------------------------------------------------------------------------

CORS: dict[str, list[str]] = {
    "allow_origins": ["https://page.test"],
    "allow_methods": ["POST", "PUT"],
    "allow_headers": ["*"],
    "expose_headers": ["x-request-id"],
}


@pytest.mark.parametrize("name", ["fastapi", "litestar", "quart", "django"])
def test_an_adapter_does_not_ignore_cors_origins(name: str) -> None:
    """Invariant: an option that does nothing is refused, with the framework's own way in the words."""
    server = make_server(Options(cors_origins=["https://page.test"], handle_signals=False))
    assert name in STACKS
    with pytest.raises(ValueError, match=r"(?i)is for ChatKitApp; .* use .*cors"):
        load(name).app(server)

    with pytest.raises(ValueError, match=r"(?i)is for ChatKitApp; .* use .*cors"):
        ADAPTERS[name](make_server(), options=server.options)


def django_view(server: Any, **options: Any) -> Any:
    from chatkit_django import ChatKitView

    return ChatKitView(server, **options)


ADAPTERS: dict[str, Any] = {
    "fastapi": chatkit_router,
    "litestar": ChatKitPlugin,
    "quart": chatkit_blueprint,
    "django": django_view,
}


@pytest.mark.parametrize("name", ["fastapi", "litestar", "quart"])
def test_a_path_without_its_slash_is_refused(name: str) -> None:
    """FastAPI takes it and never finds it."""
    for path in ("chatkit", "a/b", 7, None):
        with pytest.raises(ValueError, match=f"path begins with a slash, unlike {path!r}"):
            ADAPTERS[name](make_server(), path=path)


@pytest.mark.parametrize("name", ["plain", "fastapi", "litestar", "quart"])
async def test_headers_that_come_twice_are_joined(name: str) -> None:
    """HTTP/2 may send each cookie in a header of its own (RFC 9113, section 8.2.3)."""
    seen: list[Any] = []

    def context(request: Any) -> str:
        seen.append((request.headers["cookie"], request.headers["x-many"]))
        return "ada"

    app = load(name).app(make_server(), context=context)
    twice = [(b"cookie", b"a=1"), (b"x-many", b"1"), (b"cookie", b"b=2"), (b"x-many", b"2")]

    async def doubled(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope = {**scope, "headers": [*scope["headers"], *twice]}
        await app(scope, receive, send)

    async with ASGIBridge(doubled) as bridge:
        assert (await bridge.post(LIST, path="/chatkit")).status == 200
    ((cookie, many),) = seen
    assert (cookie, many.replace(", ", ",")) == ("a=1; b=2", "1,2")


@pytest.mark.parametrize("name", list(ADAPTERS))
def test_options_are_the_servers_everywhere(name: str) -> None:
    server, options = make_server(), Options(max_body=5, handle_signals=False)
    ADAPTERS[name](server, options=options)
    assert server.options is options


def fastapi_with_cors(server: Served) -> Any:
    async def refuse(authorization: Annotated[str | None, Header()] = None) -> str:
        if authorization is None:
            raise fastapi.HTTPException(401, "Sign in first.")
        return "ada"

    app = FastAPI()
    app.include_router(chatkit_router(server, context=Depends(refuse)))
    app.add_middleware(CORSMiddleware, **CORS)  # type: ignore[arg-type]
    return app


def litestar_with_cors(server: Served) -> Any:
    def refuse(connection: Any, _: Any) -> None:
        if "authorization" not in connection.headers:
            raise NotAuthorizedException("Sign in first.")

    cors: Any = CORSConfig(**CORS)  # type: ignore[arg-type]
    plugin = ChatKitPlugin(server, guards=[refuse])
    return Litestar(plugins=[plugin], cors_config=cors, logging_config=None)


def quart_with_cors(server: Served) -> Any:
    def refuse(_: Any) -> str:
        return request.headers.get("authorization") or abort(401, "Sign in first.")

    app = Quart(__name__)
    app.register_blueprint(chatkit_blueprint(server, context=refuse))
    names = ("allow_methods", "allow_headers", "expose_headers")
    given: Any = {name: CORS[name] for name in names}
    return quart_cors(app, allow_origin=CORS["allow_origins"], **given)


def django_with_cors(server: Served) -> Any:
    from django.conf import settings
    from django.test import override_settings

    def refuse(asked: Any) -> str:
        if "authorization" not in asked.headers:
            raise Unauthorized("Sign in first.")
        return "ada"

    Django = load("django")
    cors = "corsheaders.middleware.CorsMiddleware"
    with override_settings(MIDDLEWARE=[cors, *settings.MIDDLEWARE]):
        app = Django.app(server, context=refuse)
    return app


MAKERS = [fastapi_with_cors, litestar_with_cors, quart_with_cors, django_with_cors]


@pytest.mark.parametrize("make", MAKERS)
async def test_a_framework_s_own_cors_answers_for_everything(server: Served, make: Any) -> None:
    """Invariant: preflights need nobody signed in; answers, streams and refusals may be read by the page named only."""
    page = {"origin": "https://page.test"}
    asks = {
        "access_control_request_method": "POST",
        "access_control_request_headers": "authorization,content-type",
    }
    async with serve(make(server)) as base:
        site = site_of(base, server)
        preflight = await site.fetch("OPTIONS", site.url, **page, **asks)
        assert preflight.status < 300
        assert "authorization" in preflight.headers["access-control-allow-headers"].lower()
        refused = await site.post(**page)
        assert refused.status == 401
        answers = [preflight, refused, await site.post(**page, authorization="Bearer x")]
        answers.append(await site.client(**page, authorization="Bearer x").create("Hi"))
        for answer in answers:
            assert answer.headers["access-control-allow-origin"] == page["origin"]
        stranger = await site.post(origin="https://evil.test", authorization="Bearer x")
        assert "access-control-allow-origin" not in stranger.headers


# -- FastAPI -------------------------------------------------------------------------------------------------------


async def test_fastapi_s_middleware_goes_on_working_and_holds_no_stream_back(
    server: Served,
) -> None:
    """Invariant: CORS, sessions and compression of JSON work; events still come one by one, as they are."""
    app = FastAPI()
    app.add_middleware(GZipMiddleware, minimum_size=10)
    app.add_middleware(SessionMiddleware, secret_key="secret")
    app.add_middleware(CORSMiddleware, allow_origins=["https://page.test"])
    ran: list[str] = []

    async def context(
        request: Request, tasks: BackgroundTasks, x_user: Annotated[str, Header()] = "?"
    ) -> str:
        request.session["seen"] = request.session.get("seen", 0) + 1
        tasks.add_task(ran.append, x_user)
        return f"{x_user}{request.session['seen']}"

    app.include_router(chatkit_router(server, context=Depends(context)))
    held = Held()
    server.responding = held
    async with serve(app) as base:
        site = site_of(base, server)
        client = site.client(accept_encoding="gzip", origin="https://page.test", x_user="ada")
        async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
            await turn.wait_for(is_delta)
            assert "content-encoding" not in turn.headers
            assert turn.headers["access-control-allow-origin"] == "https://page.test"
            cookie = turn.headers["set-cookie"].split(";")[0]
            assert ran == []
            held.go.set()
            await turn.read()
        assert turn.check().text == "Hello world"
        with anyio.fail_after(5):
            while ran != ["ada"]:
                await anyio.lowlevel.checkpoint()
        answer = await site.post(LIST, accept_encoding="gzip", cookie=cookie, x_user="ada")
        assert answer.headers["content-encoding"] == "gzip"
        assert json.loads(gzip.decompress(answer.body))["data"] == []
    assert [call[-1] for call in server.calls] == ["ada1"]


async def test_fastapi_s_dependencies_may_be_overridden_and_may_guard_everything(
    server: Served,
) -> None:
    async def user() -> str:
        return "real"

    async def locked(x_key: Annotated[str, Header()] = "") -> None:
        from fastapi import HTTPException

        if x_key != "open":
            raise HTTPException(403, "Locked.")

    app = FastAPI()
    routes = {"files": _file}
    router = chatkit_router(
        server, context=Depends(user), routes=routes, dependencies=[Depends(locked)]
    )
    app.include_router(router, prefix="/api")
    app.dependency_overrides[user] = lambda: "pretended"
    async with serve(app) as base:
        site = site_of(base, server, "/api/chatkit")
        for answer in (await site.post(), await site.fetch("GET", site.below("/files/a"))):
            assert (answer.status, answer.json["message"]) == (403, "Locked.")
        assert (await site.client(x_key="open").create("Hi")).check()
        assert (await site.fetch("GET", site.below("/files/a"), x_key="open")).body == b"/a"
    assert server.calls[0][-1] == "pretended"


async def test_fastapi_s_dependencies_may_set_headers_and_cookies(server: Served) -> None:
    """As one does that gives a newcomer a session."""

    async def visitor(response: fastapi.Response) -> str:
        response.set_cookie("visitor", "v1", httponly=True)
        response.headers["x-limit"] = "9"
        return "v1"

    app = FastAPI()
    app.include_router(chatkit_router(server, context=Depends(visitor)))
    async with serve(app) as base:
        site = site_of(base, server)
        for answer in (
            await site.post(),
            await site.client().create("Hi"),
        ):
            assert answer.status == 200
            assert answer.headers["set-cookie"].startswith("visitor=v1; HttpOnly")
            assert answer.headers["x-limit"] == "9"
            assert "content-length" in answer.headers or "transfer-encoding" in answer.headers


async def _file(request: Any, rest: str) -> Any:
    from chatkit_asgi.http import Response

    return Response(status=200, headers={}, body=rest.encode())


# -- Litestar ------------------------------------------------------------------------------------------------------


async def test_litestar_s_dependencies_and_guards_give_and_refuse(server: Served) -> None:
    async def current_user(
        request: LitestarRequest[Any, Any, Any], realm: NamedDependency[str]
    ) -> str:
        return f"{request.headers['x-user']}@{realm}"

    def guard(connection: Any, _: Any) -> None:
        if connection.headers.get("x-key") != "open":
            raise PermissionDeniedException("Locked.")

    plugin = ChatKitPlugin(
        server, context=Provide(current_user), guards=[guard], routes={"files": _file}
    )
    dependencies = {"realm": Provide(lambda: "home", sync_to_thread=False)}
    app = Litestar(plugins=[plugin], dependencies=dependencies, logging_config=None)
    async with serve(app) as base:
        site = site_of(base, server)
        for answer in (await site.post(), await site.fetch("GET", site.below("/files/a"))):
            assert (answer.status, answer.json["message"]) == (403, "Locked.")
        assert (await site.client(x_key="open", x_user="ada").create("Hi")).check()
        assert (await site.fetch("GET", site.below("/files/a"), x_key="open")).body == b"/a"
    assert server.calls[0][-1] == "ada@home"


@pytest.mark.parametrize("exclude", [None, "/other", ["/other"]])
async def test_litestar_s_compression_leaves_streams_alone(server: Served, exclude: Any) -> None:
    """It would keep what has not filled a block."""
    held = Held()
    server.responding = held
    compression = CompressionConfig(backend="gzip", minimum_size=10, exclude=exclude)
    app = Litestar(
        plugins=[ChatKitPlugin(server)], compression_config=compression, logging_config=None
    )
    async with serve(app) as base:
        client = site_of(base, server).client(accept_encoding="gzip")
        async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
            await turn.wait_for(is_delta)
            held.go.set()
            await turn.read()
        assert turn.check().text == "Hello world"


@pytest.mark.parametrize(
    ("prefix", "path", "where"),
    [
        ("/chatkit", "/chatkit", "/chatkit/chatkit"),
        ("/", "/teams/{team:str}/chat", "/teams/a%20tell/chat"),
        ("/tell", "/", "/tell"),
        ("/", "/", ""),
    ],
)
@pytest.mark.parametrize("root_path", ["", "/tell/outer"])
async def test_litestar_s_prefixes_may_repeat_themselves_and_have_parameters(
    server: Served, prefix: str, path: str, where: str, root_path: str
) -> None:
    async def tell(request: Any, rest: str) -> Response:
        return Response(status=200, headers={}, body=rest.encode())

    plugin = ChatKitPlugin(server, path=path, routes={"tell": tell})
    app = Litestar(path=prefix, plugins=[plugin], openapi_config=None, logging_config=None)
    async with ASGIBridge(app, root_path=root_path) as bridge:
        for rest in ("", "/", "/a/b", "/tell//a/", "/a%20b%252Fc"):
            answer = await bridge.request(method="GET", path=f"{where}/tell{rest}")
            assert (answer.status, answer.body.decode()) == (200, unquote(rest))
        answer = await bridge.request(json.dumps(LIST).encode(), path=where or "/")
        assert answer.status == 200


# -- Quart ---------------------------------------------------------------------------------------------------------


async def test_quart_s_timeout_does_not_cut_streams(server: Served) -> None:
    held = Held()
    server.responding = held
    app = Quart(__name__)
    app.config["RESPONSE_TIMEOUT"] = 0.05
    app.register_blueprint(chatkit_blueprint(server))
    async with serve(app) as base:
        client = site_of(base, server).client()
        async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
            await turn.wait_for(is_delta)
            await anyio.sleep(0.2)  # longer than the timeout
            held.go.set()
            await turn.read()
        assert turn.check().text == "Hello world"


async def test_quart_s_own_words_for_who_asks(server: Served) -> None:
    """``before_request``, ``g``, ``session`` and ``abort`` work, and two endpoints stand side by side."""
    other = make_server()
    blueprint = chatkit_blueprint(
        server, context=lambda _: f"{g.user}{session['seen']}", routes={"files": _file}
    )

    @blueprint.before_request
    async def sign_in() -> None:
        g.user = request.headers.get("x-user") or abort(403, "Locked.")
        session["seen"] = session.get("seen", 0) + 1

    app = Quart(__name__)
    app.secret_key = "secret"
    app.register_blueprint(blueprint, url_prefix="/api")
    app.register_blueprint(chatkit_blueprint(other, path="/other", name="other"))
    async with serve(app) as base:
        site = site_of(base, server, "/api/chatkit")
        for answer in (await site.post(), await site.fetch("GET", site.below("/files/a"))):
            assert (answer.status, answer.json["message"]) == (403, "Locked.")
        turn = (await site.client(x_user="ada").create("Hi")).check()
        assert "session=" in turn.headers["set-cookie"]
        assert (await site.fetch("GET", site.below("/files/a"), x_user="ada")).body == b"/a"
        assert (await site_of(base, other, "/other").client().create("Hi")).check()
    assert server.calls[0][-1] == "ada1"
    assert len(other.calls) == 1
