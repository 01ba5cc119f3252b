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
from typing import Any

from chatkit_asgi import ChatKitApp, ChatKitMiddleware, ChatKitRouter, ContextRequest
from chatkit_asgi.store import MemoryStore
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
async def respond(thread: Any, message: Any, context: str) -> AsyncIterator[str]:
    yield f"Hello {context}"


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
WRONG = '\nchatkit_router(chat, path=7)\nchatkit_blueprint("not a server")\nChatKitPlugin(chat, context=7)\n'


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
    (folder / "user" / "wrong.py").write_text(USER + WRONG)
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
        pytest.param(
            ["pyright", "--pythonpath", sys.executable], id="pyright", marks=pytest.mark.slow
        ),
    ],
)
def test_a_user_s_file_is_right_and_a_wrong_one_is_not(project: Path, checker: list[str]) -> None:
    """Invariant: the wheel's packages are typed: no ignores, no ``Any`` that swallows a mistake."""
    for package in ("chatkit_asgi", "chatkit_fastapi", "chatkit_litestar", "chatkit_quart"):
        assert (project / "site" / package / "py.typed").exists()
    settings(project)
    code, said = check(project, *checker, "right.py", "wrong.py")
    errors = [line for line in said.splitlines() if ".py:" in line and "error" in line]
    assert code != 0
    assert len(errors) >= 3, said
    assert all("wrong.py:" in line for line in errors), said
