"""A user's file that imports the Django adapter from the built wheel type-checks, strictly, with both checkers."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
USERS_FILE = """
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


@pytest.mark.slow
def test_a_users_file_type_checks_against_the_wheel(tmp_path: Path) -> None:
    environment = {**os.environ, "NO_COLOR": "1"}
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, env=environment)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    (site,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(site)
    # The rest of the packages; what is in the wheel is found first.
    (site / "rest.pth").write_text(sysconfig.get_path("purelib"))
    project = tmp_path / "project"
    project.mkdir()
    (project / "chat.py").write_text(USERS_FILE)
    python = str(tmp_path / "venv" / "bin" / "python")
    for command in (
        ["mypy", "--strict", "--python-executable", python, "chat.py"],
        ["pyright", "--pythonpath", python, "chat.py"],
    ):
        (project / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}')
        result = subprocess.run(
            [sys.executable, "-m", *command], cwd=project, capture_output=True, text=True
        )
        assert result.returncode == 0, result.stdout + result.stderr
