"""``manage.py check``: each message where it belongs, and none where it does not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from chatkit_django import DjangoStore, chatkit_urls
from django.core import checks
from django.db import connections
from django.test import override_settings

from chatkit_asgi import ChatKitRouter, Options
from chatkit_asgi.store import MemoryStore
from tests.django.project import database, using
from tests.django.settings import DATABASES, MIDDLEWARE

chat: ChatKitRouter[Any] = ChatKitRouter(MemoryStore())
HERE = "tests.django.test_checks"


def ids(**options: Any) -> list[str]:
    """The ids of what is said about ChatKit; of databases where some are named: to Django 6.1 none means all."""
    tags = ["chatkit", "database"] if options else ["chatkit"]
    found = checks.run_checks(tags=tags, **options)
    return [str(each.id) for each in found if str(each.id).startswith("chatkit")]


@contextmanager
def mounted(router: Any = chat, **options: Any) -> Iterator[None]:
    """A project with an endpoint."""
    urls: Any = ModuleType("urls")
    urls.urlpatterns = chatkit_urls(router, **options)
    with override_settings(ROOT_URLCONF=urls):
        yield


def without(name: str) -> list[str]:
    return [path for path in MIDDLEWARE if not path.endswith(name)]


def sync_middleware(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """As many write it."""

    def middleware(request: Any) -> Any:
        return get_response(request)

    return middleware


def test_a_project_that_works_is_left_in_peace() -> None:
    setting = {
        "SERVER": f"{HERE}.chat",
        "PATH": "chat",
        "CONTEXT": f"{HERE}.without",
        "OWNER": without,
        "OPTIONS": {"page_size": 5},
    }
    with database(), mounted(), override_settings(CHATKIT=setting):
        assert ids(databases=["default"]) == []
    with override_settings(CHATKIT={"SERVER": chat, "OPTIONS": Options()}):
        assert ids() == []


@pytest.mark.parametrize(
    ("setting", "id"),
    [
        ([], "E001"),
        ({"SEVER": "x"}, "E001"),
        ({"PATH": "chat"}, "E002"),
        ({"SERVER": "nothing.here"}, "E002"),
        ({"SERVER": f"{HERE}.without"}, "E002"),
        ({"SERVER": chat, "CONTEXT": "nothing.here"}, "E003"),
        ({"SERVER": chat, "CONTEXT": f"{HERE}.MIDDLEWARE"}, "E003"),
        ({"SERVER": chat, "OWNER": 5}, "E003"),
        ({"SERVER": chat, "OPTIONS": {"page_sice": 5}}, "E003"),
        ({"SERVER": chat, "OPTIONS": {"page_size": 0}}, "E003"),
    ],
)
def test_a_wrong_setting_is_an_error(setting: Any, id: str) -> None:
    with override_settings(CHATKIT=setting):
        assert ids() == [f"chatkit.{id}"]


@pytest.mark.parametrize("middleware", [without("AuthenticationMiddleware"), []])
def test_nobody_says_who_is_asking(middleware: list[str]) -> None:
    with override_settings(MIDDLEWARE=middleware):
        with mounted():
            assert "chatkit.E004" in ids()
        with mounted(context=lambda request: None):
            assert "chatkit.E004" not in ids()


def test_people_who_are_not_signed_in_need_sessions() -> None:
    with override_settings(MIDDLEWARE=without("SessionMiddleware")):
        with mounted(anonymous=True):
            assert ids() == ["chatkit.E004"]
        with mounted():  # AuthenticationMiddleware itself says so
            assert ids() == []


def test_a_project_without_asgi() -> None:
    with override_settings(ASGI_APPLICATION=None):
        with override_settings(ROOT_URLCONF="tests.docs.urls", WSGI_APPLICATION="tests.wsgi.app"):
            assert ids() == ["chatkit.E005"]
        with override_settings(ROOT_URLCONF="chatkit_asgi.urls"):  # chatkit_asgi.asgi is there
            assert ids() == []


def test_runserver_speaks_wsgi_unless_something_better_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", ["manage.py", "runserver"])
    assert ids() == ["chatkit.W001"]
    monkeypatch.setattr("chatkit_django.checks.get_commands", lambda: {"runserver": "daphne"})
    assert ids() == []
    monkeypatch.undo()
    monkeypatch.setattr(sys, "argv", ["manage.py", "check"])
    assert ids() == []


def test_a_middleware_that_is_not_async() -> None:
    with override_settings(MIDDLEWARE=[*MIDDLEWARE, f"{HERE}.sync_middleware"]):
        (message,) = checks.run_checks(tags=["chatkit"])
        assert message.id == "chatkit.W002"
        assert f"{HERE}.sync_middleware" in message.msg
    more = [
        "django.middleware.gzip.GZipMiddleware",
        "django.middleware.http.ConditionalGetMiddleware",
    ]
    with override_settings(MIDDLEWARE=[*more, *MIDDLEWARE]):
        assert ids() == []  # tests/django/test_middleware.py shows that they hold nothing back


def test_nobody_has_a_token_to_show() -> None:
    with override_settings(MIDDLEWARE=without("CsrfViewMiddleware")):
        with mounted():
            assert ids() == ["chatkit.W003"]
        with mounted(context=lambda request: None):
            assert ids() == []


def test_cookies_that_do_not_arrive() -> None:
    with mounted(), override_settings(SESSION_COOKIE_SAMESITE="None"):
        assert ids() == ["chatkit.W004"]
        with override_settings(SESSION_COOKIE_SECURE=True):
            assert ids() == []


@pytest.mark.parametrize("name", ["CSRF_USE_SESSIONS", "CSRF_COOKIE_HTTPONLY"])
def test_tokens_that_scripts_cannot_read(name: str) -> None:
    with mounted(), override_settings(**{name: True}):
        assert ids() == ["chatkit.I001"]


def test_a_database_that_is_not_there() -> None:
    with mounted(ChatKitRouter(DjangoStore(using="elsewhere"))):
        assert ids() == ["chatkit.E006"]


@pytest.mark.parametrize("name", [":memory:", "file:x?mode=memory&cache=shared"])
def test_a_database_in_memory(name: str) -> None:
    with using({"NAME": name}), mounted(ChatKitRouter(DjangoStore())):
        assert ids() == ["chatkit.W005"]


def test_a_database_that_was_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with mounted(ChatKitRouter(DjangoStore())):
        monkeypatch.setattr(connections["default"], "vendor", "oracle")
        assert ids() == ["chatkit.W006"]


def test_tables_that_are_not_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with mounted(ChatKitRouter(DjangoStore())):
        with using({"NAME": str(tmp_path / "new.db")}):
            assert ids() == []  # nobody asked about databases
            assert ids(databases=["default"]) == ["chatkit.W007"]
            monkeypatch.setattr(sys, "argv", ["manage.py", "migrate"])
            assert ids(databases=["default"]) == []
        monkeypatch.undo()
        with database():
            assert ids(databases=["default"]) == []


def test_the_models_have_their_migrations() -> None:
    from django.core.management import call_command

    call_command("makemigrations", "--check", "--dry-run", "chatkit_django", verbosity=0)


def test_every_id_is_listed_once_and_tested() -> None:
    """Invariant: the module's list is what it says, and nothing is said without a test."""
    import re

    from chatkit_django import checks as module

    assert module.__doc__
    assert module.__file__
    listed = re.findall(r"^(chatkit\.[EWI]\d{3})", module.__doc__, re.M)
    code = Path(module.__file__).read_text().replace(module.__doc__, "")
    assert sorted(listed) == sorted(set(re.findall(r"chatkit\.[EWI]\d{3}", code)))
    here = Path(__file__).read_text()
    assert all(id.removeprefix("chatkit.") in here for id in listed)
    assert DATABASES
