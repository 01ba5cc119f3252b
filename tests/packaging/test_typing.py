"""A user's own file under mypy strict and pyright strict, with the built wheel and nothing of this checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

USER = """
from collections.abc import AsyncIterator
from typing import Any, Literal

from chatkit_asgi import ChatKitApp, ChatKitMiddleware, ChatKitRouter, ContextRequest
from chatkit_asgi.actions import Action
from chatkit_asgi.store import MemoryStore
from chatkit_asgi.types import ThreadMetadata, UserMessageItem, WidgetItem
from chatkit_asgi.widgets import Button, Card, Form, Input, Text
from chatkit_fastapi import chatkit_router
from chatkit_litestar import ChatKitPlugin
from chatkit_quart import chatkit_blueprint
from fastapi import Depends, FastAPI
from litestar import Litestar
from litestar.di import Provide
from quart import Quart
from starlette.applications import Starlette
from starlette.routing import Route


async def user() -> str:
    return "ada"


def by_token(request: ContextRequest) -> str:
    return request.headers["authorization"]


chat = ChatKitRouter(MemoryStore[Any]())


@chat.respond
async def respond(
    thread: ThreadMetadata, message: UserMessageItem | None, context: str
) -> AsyncIterator[str]:
    yield f"Hello {context}"


@chat.action("send")
async def send(
    thread: ThreadMetadata, action: Action[Literal["send"], int], sender: WidgetItem | None, context: str
) -> AsyncIterator[Card | str]:
    card = Card(
        children=[
            Text(value="Dear Ada"),
            Button(label="Send", onClickAction={"type": "send", "payload": {"to": 7}}),
        ],
        confirm={"label": "Yes", "action": {"type": "send"}},
    )
    card.children.append(Text(value="Yours"))
    yield card
    yield Card(
        children=[
            Form(
                children=[Input(name="x"), Button(label="Book", submit=True)],
                onSubmitAction={"type": "book"},
            )
        ]
    )
    yield "Sent."


by_fastapi = FastAPI()
by_fastapi.include_router(chatkit_router(chat, path="/chatkit", context=Depends(user)))
by_fastapi.include_router(chatkit_router(chat, path="/other", context=by_token, tags=["chat"]))
by_litestar = Litestar(
    plugins=[
        ChatKitPlugin(chat, path="/chatkit", context=Provide(user)),
        ChatKitPlugin(chat, path="/other", context=by_token),
    ]
)
by_quart = Quart(__name__)
by_quart.register_blueprint(chatkit_blueprint(chat, path="/chatkit", context=by_token))
app = ChatKitApp(chat, context=by_token)
by_starlette = Starlette(routes=[Route("/chatkit", app)], lifespan=app.lifespan)
wrapped = ChatKitMiddleware(by_quart, app, path="/chatkit")
"""
DJANGO = """
from collections.abc import AsyncIterator

from chatkit_asgi import ChatKitRouter, ContextRequest, RequestContext
from chatkit_asgi.types import ThreadMetadata, UserMessageItem
from chatkit_django import DjangoContext, DjangoStore, chatkit_urls
from chatkit_django.models import Thread
from django.urls import URLPattern

store: DjangoStore[DjangoContext] = DjangoStore(using="default")
chat: ChatKitRouter[DjangoContext] = ChatKitRouter(store)


@chat.respond
async def respond(
    thread: ThreadMetadata, message: UserMessageItem | None, context: DjangoContext
) -> AsyncIterator[str]:
    name: str | None = context.user_id
    found = await Thread.objects.aget(public_id=thread.id)
    title: str = found.title
    yield f"Hello {name} {title} {context.request.path}"


def context(request: ContextRequest) -> RequestContext:
    return RequestContext(user_id="ada", headers=request.headers)


urlpatterns: list[URLPattern] = [
    *chatkit_urls(chat, "help/chat", anonymous=True),
    *chatkit_urls(chat, context=context, name="other"),
]
"""
WRONG_DJANGO = '\nchatkit_urls("not a server")\nchatkit_urls(chat, anonymous="perhaps")\n'
WRONG_HANDLERS = """
@chat.respond
async def too_few(thread: ThreadMetadata, message: UserMessageItem | None) -> AsyncIterator[str]:
    yield "Hello"


@chat.respond
async def never_none(thread: ThreadMetadata, message: UserMessageItem, context: str) -> AsyncIterator[str]:
    yield "Hello"


@chat.feedback
async def votes(thread_id: int, item_ids: list[str], kind: Any, context: str) -> None: ...
"""
WRONG = (
    WRONG_HANDLERS
    + '\nchatkit_router(chat, path=7)\nchatkit_blueprint("not a server")\nChatKitPlugin(chat, context=7)\n'
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the unpacked wheel, and a user's files."""
    folder = tmp_path_factory.mktemp("typing")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    (folder / "user").mkdir()
    (folder / "user" / "right.py").write_text(USER)
    (folder / "user" / "right_django.py").write_text(DJANGO)
    (folder / "user" / "wrong.py").write_text(USER + WRONG)
    (folder / "user" / "wrong_django.py").write_text(DJANGO + WRONG_DJANGO)
    return folder


def check(project: Path, *command: str) -> tuple[int, str]:
    """Run a checker in the user's folder, where the wheel is a library and this checkout is not to be found."""
    environment = {**os.environ, "MYPYPATH": "", "PYTHONPATH": ""}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project / "user",
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def settings(project: Path) -> None:
    (project / "user" / "mypy.ini").write_text(
        f"[mypy]\nstrict = true\nmypy_path = {project / 'site'}\nfollow_imports = silent\n"
    )
    (project / "user" / "pyrightconfig.json").write_text(
        f'{{"typeCheckingMode": "strict", "extraPaths": ["{project / "site"}"], "pythonVersion": "3.11"}}'
    )


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "checker",
    [
        pytest.param(["mypy", "--python-executable", sys.executable], id="mypy"),
        pytest.param(["pyright", "--pythonpath", sys.executable], id="pyright"),
    ],
)
def test_a_user_s_files_are_right_and_wrong_ones_are_not(project: Path, checker: list[str]) -> None:
    """Invariant: the wheel's packages are typed: no ignores, no ``Any`` that swallows a mistake."""
    for package in ("asgi", "fastapi", "litestar", "quart", "django"):
        assert (project / "site" / f"chatkit_{package}" / "py.typed").exists()
    settings(project)
    files = sorted(path.name for path in (project / "user").glob("*.py"))
    code, said = check(project, *checker, *files)
    errors = [line for line in said.splitlines() if ".py:" in line and "error" in line]
    assert code != 0
    assert sum("wrong.py:" in line for line in errors) >= 6, said
    assert sum("wrong_django.py:" in line for line in errors) >= 2, said
    assert not [line for line in errors if "wrong" not in line], said
