"""What is special to Django's view: who is asking, CSRF, the test client, and what a project does around a view."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import anyio
import pytest
from chatkit_django import DjangoContext, DjangoStore, chatkit_urls
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import AsyncClient, Client, override_settings
from django.urls import include, path, reverse

from chatkit_asgi import ChatKitRouter, Options, RequestContext
from chatkit_asgi.store import MemoryStore
from tests.django.settings import MIDDLEWARE
from tests.django.urls import urlpatterns

pytestmark = pytest.mark.usefixtures("database")

People: Any = get_user_model()
LIST = {"type": "threads.list", "params": {}}


def create(text: str = "Hi") -> dict[str, Any]:
    content = [{"type": "input_text", "text": text}]
    message = {"content": content, "attachments": [], "inference_options": {}}
    return {"type": "threads.create", "params": {"input": message}}


def router(store: Any = None) -> ChatKitRouter[Any]:
    """Says who asked, and keeps each context that it got."""
    chat: Any = ChatKitRouter(store or DjangoStore(), options=Options(handle_signals=False))
    chat.contexts = []

    @chat.respond
    async def respond(thread: Any, message: Any, context: Any) -> Any:
        chat.contexts.append(context)
        yield "Hello "
        yield str(getattr(context, "user_id", None))

    found: ChatKitRouter[Any] = chat
    return found


@contextmanager
def project(*patterns: Any, **changes: Any) -> Iterator[None]:
    """The project with these URLs and settings."""
    urls: Any = ModuleType("urls")
    urls.urlpatterns = [*urlpatterns, *patterns]
    with override_settings(ROOT_URLCONF=urls, **changes):
        yield


async def post(client: AsyncClient, body: Any = LIST, at: str = "/chatkit", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.post(at, json.dumps(body), content_type="application/json", headers=named)


async def read(response: Any) -> bytes:
    return b"".join([chunk async for chunk in response.streaming_content])


async def signed_in(name: str = "ada", *, check: bool = False) -> AsyncClient:
    client = AsyncClient(enforce_csrf_checks=check)
    person, _ = await People.objects.aget_or_create(username=name)
    await client.aforce_login(person)
    return client


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


# -- who is asking ---------------------------------------------------------------------------------------------------


async def test_who_is_not_signed_in_is_refused_as_json() -> None:
    with project(*chatkit_urls(router())):
        response = await post(AsyncClient())
        assert code(response) == (401, "unauthorized")
        assert response["content-type"] == "application/json"


async def test_the_user_is_the_owner_and_the_context_has_the_request() -> None:
    chat: Any = router()
    middleware = [*MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"]
    with project(*chatkit_urls(chat), MIDDLEWARE=middleware):
        ada, bob = await signed_in("ada"), await signed_in("bob")
        assert b"ada" in await read(await post(ada, create(), accept_language="de-AT,de"))
        (context,) = chat.contexts
        assert isinstance(context, DjangoContext)
        assert (context.user_id, context.user.username, context.locale) == ("ada", "ada", "de")
        assert context.request.path == "/chatkit"
        assert len((await post(ada)).json()["data"]) == 1
        assert (await post(bob)).json()["data"] == []
    await chat.store.close()


async def test_a_context_of_ones_own_gets_the_django_request() -> None:
    seen: list[Any] = []

    async def context(request: Any) -> RequestContext:
        seen.append(request.raw)
        assert await request.raw.auser() == await People.objects.aget(username="ada")
        return RequestContext(user_id="team", headers=request.headers)

    chat: Any = router()
    with project(*chatkit_urls(chat, context=context)):
        assert b"team" in await read(await post(await signed_in(), create()))
    assert seen[0].resolver_match.url_name == "chatkit"
    await chat.store.close()


def token_middleware(get_response: Any) -> Any:
    """Signs in who has a token, as middleware for bearer tokens does; puts nobody into ``auser``."""

    async def middleware(request: Any) -> Any:
        if request.headers.get("authorization") == "Bearer secret":
            request.user = await People.objects.aget(username="ada")
        return await get_response(request)

    return middleware


token_middleware.async_capable = True  # type: ignore[attr-defined]
token_middleware.sync_capable = False  # type: ignore[attr-defined]


async def test_a_user_whom_a_middleware_put_there_is_the_user() -> None:
    await People.objects.acreate(username="ada")
    middleware = [*MIDDLEWARE, f"{__name__}.token_middleware"]
    with project(*chatkit_urls(router()), MIDDLEWARE=middleware):
        client = AsyncClient(enforce_csrf_checks=True)
        assert (await post(client, authorization="Bearer secret")).status_code == 200
        assert (await post(client, authorization="Bearer other")).status_code == 401


async def test_people_without_accounts_see_their_session_s_threads() -> None:
    chat: Any = router()
    with project(*chatkit_urls(chat, anonymous=True)):
        one, other = AsyncClient(), AsyncClient()
        for client in (one, other):
            created: Any = await post(client, create())
            assert created.status_code == 200
            # To its end: then all is stored.
            assert [chunk async for chunk in created.streaming_content]
            assert settings.SESSION_COOKIE_NAME in client.cookies
            assert len((await post(client)).json()["data"]) == 1
        key = one.cookies[settings.SESSION_COOKIE_NAME].value
        owners = {context.user_id for context in chat.contexts}
        assert len(owners) == 2
        assert not any(key in owner for owner in owners), "the key is the session"
    await chat.store.close()


async def test_login_required_middleware_does_not_send_a_script_to_a_page() -> None:
    middleware = [*MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    with project(*chatkit_urls(router()), MIDDLEWARE=middleware):
        assert (await post(AsyncClient())).status_code == 401
        assert (await post(await signed_in())).status_code == 200


async def test_a_project_that_does_not_know_users_is_told_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with project(*chatkit_urls(router()), MIDDLEWARE=[]):
        assert code(await post(AsyncClient())) == (500, "internal_error")
    assert "AuthenticationMiddleware" in caplog.text


# -- cross-site requests ---------------------------------------------------------------------------------------------


async def token_of(client: AsyncClient, name: str = "ada") -> str:
    """Sign in as a page does, and take its token."""
    token: str = (await client.get(f"/sign-in/{name}")).json()["token"]
    return token


@pytest.mark.parametrize("in_session", [False, True])
async def test_a_session_needs_the_token(in_session: bool) -> None:
    """Invariant: the cookie alone, which a browser sends for any page, does nothing."""
    with project(*chatkit_urls(router()), CSRF_USE_SESSIONS=in_session):
        client = AsyncClient(enforce_csrf_checks=True)
        token = await token_of(client)
        assert code(await post(client)) == (403, "csrf_failed")
        assert code(await post(client, create())) == (403, "csrf_failed")
        assert code(await post(client, x_csrftoken="x" * 64)) == (403, "csrf_failed")
        response = await post(client, x_csrftoken=token)
        assert (response.status_code, response.json()["data"]) == (200, [])


async def test_a_page_of_another_origin_is_refused_even_with_the_token() -> None:
    with project(*chatkit_urls(router())):
        client = AsyncClient(enforce_csrf_checks=True)
        token = await token_of(client)
        evil = {"x_csrftoken": token, "origin": "https://evil.test"}
        assert code(await post(client, **evil)) == (403, "csrf_failed")
        with override_settings(CSRF_TRUSTED_ORIGINS=["https://evil.test"]):
            assert (await post(client, **evil)).status_code == 200


async def test_a_bearer_token_needs_no_other() -> None:
    with project(*chatkit_urls(router())):
        client = await signed_in(check=True)
        assert (await post(client, authorization="Bearer anything")).status_code == 200


@pytest.mark.parametrize("scheme", ["Basic", "basic", "Digest", "Negotiate", "NTLM"])
async def test_credentials_that_a_browser_adds_by_itself_need_the_token(scheme: str) -> None:
    with project(*chatkit_urls(router(), context=lambda request: None)):
        client = AsyncClient(enforce_csrf_checks=True)
        refused = await post(client, authorization=f"{scheme} YTpi")
        assert code(refused) == (403, "csrf_failed")


async def test_the_session_of_somebody_unknown_needs_the_token_too() -> None:
    with project(*chatkit_urls(router(), anonymous=True)):
        client = AsyncClient(enforce_csrf_checks=True)
        assert (await post(client)).status_code == 200  # nothing came with it that is anybody's
        assert code(await post(client)) == (403, "csrf_failed")


async def test_a_context_of_ones_own_is_asked_after_the_check() -> None:
    asked: list[Any] = []
    with project(*chatkit_urls(router(MemoryStore()), context=asked.append)):
        client = await signed_in(check=True)
        assert code(await post(client)) == (403, "csrf_failed")
        assert asked == []
        assert (await post(AsyncClient(enforce_csrf_checks=True))).status_code == 200


# -- what a project does around a view -------------------------------------------------------------------------------


async def test_the_test_client_reads_a_stream_while_it_is_made() -> None:
    """Invariant: ``AsyncClient`` waits for the view, not for the handler."""
    chat: Any = ChatKitRouter(MemoryStore(), options=Options(handle_signals=False))
    go = anyio.Event()

    @chat.respond
    async def respond(thread: Any, message: Any, context: Any) -> Any:
        yield "first"
        await go.wait()
        yield "second"

    with project(*chatkit_urls(chat)):
        response = await post(await signed_in(), create())
        assert response.streaming
        assert response["content-type"] == "text/event-stream; charset=utf-8"
        seen = b""
        async for chunk in response.streaming_content:
            seen += chunk
            if b"first" in seen:
                assert go.is_set() or b"second" not in seen
                go.set()
        assert b"second" in seen


async def test_a_client_that_stops_reading_stops_the_turn() -> None:
    chat: Any = ChatKitRouter(MemoryStore(), options=Options(handle_signals=False))
    ended = anyio.Event()

    @chat.respond
    async def respond(thread: Any, message: Any, context: Any) -> Any:
        try:
            while True:
                yield "word "
                await anyio.lowlevel.checkpoint()
        finally:
            ended.set()

    with project(*chatkit_urls(chat)):
        response = await post(await signed_in(), create())
        content = response.streaming_content
        async for chunk in content:
            if b"word" in chunk:
                break
        await content.aclose()
        response.close()
        with anyio.fail_after(10):
            await ended.wait()


def failing_middleware(get_response: Any) -> Any:
    """Fails when the view has answered."""

    async def middleware(request: Any) -> Any:
        await get_response(request)
        raise RuntimeError("too late")

    return middleware


failing_middleware.async_capable = True  # type: ignore[attr-defined]
failing_middleware.sync_capable = False  # type: ignore[attr-defined]


async def test_an_answer_that_is_never_sent_stops_the_turn() -> None:
    """Nobody closes it, and no generator of it has begun, whose end could be noticed."""
    import gc

    chat: Any = ChatKitRouter(MemoryStore(), options=Options(handle_signals=False))

    @chat.respond
    async def respond(thread: Any, message: Any, context: Any) -> Any:
        yield "word"
        await anyio.sleep_forever()

    middleware = [*MIDDLEWARE, f"{__name__}.failing_middleware"]
    with project(*chatkit_urls(chat), MIDDLEWARE=middleware):
        client = await signed_in()
        client.raise_request_exception = False
        assert (await post(client, create())).status_code == 500
        with anyio.fail_after(10):
            while len(chat.server.turns):
                gc.collect()
                await anyio.sleep(0.01)


def test_wsgi_is_refused() -> None:
    chat = router()
    with project(*chatkit_urls(chat)):
        response = Client().post("/chatkit", json.dumps(LIST), content_type="application/json")
        assert code(response) == (501, "not_implemented")
        assert "ASGI" in response.json()["message"]


async def test_atomic_requests_do_not_forbid_the_view(database: Path) -> None:
    from django.db import connections

    connections.settings["default"]["ATOMIC_REQUESTS"] = True
    try:
        chat: Any = router()
        with project(*chatkit_urls(chat)):
            client = await signed_in()
            assert b"ada" in await read(await post(client, create()))
            assert len((await post(client)).json()["data"]) == 1
        await chat.store.close()
    finally:
        connections.settings["default"]["ATOMIC_REQUESTS"] = False


async def test_a_body_may_be_larger_than_django_s_limit_for_forms() -> None:
    with project(*chatkit_urls(router())):
        body = {**LIST, "metadata": {"padding": "x" * 3_000_000}}
        assert (await post(await signed_in(), body)).status_code == 200


async def test_two_endpoints_and_their_names() -> None:
    patterns = [
        *chatkit_urls(router(MemoryStore()), path="/help/chat/", name="help"),
        path("api/", include(chatkit_urls(router(MemoryStore()), path="a.b", name="api"))),
    ]
    with project(*patterns):
        assert (reverse("help"), reverse("api")) == ("/help/chat", "/api/a.b")
        client = await signed_in()
        for at in ("/help/chat", "/help/chat/", "/api/a.b"):
            assert (await post(client, at=at)).status_code == 200
        for at in ("/api/aXb", "/help/chats", "/help/chat%0A"):
            assert (await post(client, at=at)).status_code == 404


async def test_the_setting_says_what_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib
    import sys

    chat: Any = router(DjangoStore())
    monkeypatch.setattr(sys.modules[__name__], "chat", chat, raising=False)
    setting = {
        "SERVER": f"{__name__}.chat",
        "PATH": "talk",
        "OPTIONS": {"page_size": 3, "handle_signals": False},
        "OWNER": f"{__name__}.everybody",
    }
    with override_settings(CHATKIT=setting):
        sys.modules.pop("chatkit_django.urls", None)
        urls = importlib.import_module("chatkit_django.urls")
        with project(path("", include(urls.urlpatterns))):
            ada, bob = await signed_in("ada"), await signed_in("bob")
            for client in (ada, ada, bob, bob):
                await read(await post(client, create(), at="/talk"))
            page = (await post(ada, at="/talk")).json()
            assert (len(page["data"]), page["has_more"]) == (3, True)
    await chat.store.close()


def everybody(context: Any) -> str:
    return "everybody"
