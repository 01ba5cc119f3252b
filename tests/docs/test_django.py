"""The README's Django recipe, pasted into what ``startproject`` writes: checked, migrated, tested and served."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^```python (mysite/\S+)\n(.*?)^```", README, re.M | re.S))
MORE = '''
import threading

from chatkit_django.models import Thread
from django.test import TransactionTestCase
from mysite import tests


class Twice(tests.ChatTest):
    """A TestCase takes back what the store wrote: both tests find an empty database."""

    async def test_hello(self):
        assert not await Thread.objects.aexists()
        await super().test_hello()
        assert await Thread.objects.acount() == 1
        assert (await Thread.objects.aget()).owner == str((await tests.User.objects.aget()).pk)

    test_again = test_hello


class Committed(TransactionTestCase):
    test_hello = tests.ChatTest.test_hello
    test_again = tests.ChatTest.test_hello

    async def test_who_is_not_signed_in(self):
        response = await self.async_client.post("/chatkit", {}, content_type="application/json")
        assert response.status_code == 400
        listing = {"type": "threads.list", "params": {}}
        response = await self.async_client.post("/chatkit", listing, content_type="application/json")
        assert (response.status_code, response.json()["message"]) == (401, "Sign in first.")
        assert not any(each.name.startswith("chatkit-django") for each in threading.enumerate())
'''


def run(*command: str, at: Path) -> str:
    """Run a command of the newcomer's; it succeeds, without a warning."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "adapters")])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "error"}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    result = subprocess.run(
        [sys.executable, *command], cwd=at, env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The newcomer's project: settings and URLs are added to, the rest is new."""
    folder = tmp_path_factory.mktemp("newcomer")
    run("-m", "django", "startproject", "mysite", ".", at=folder)
    for name, text in FILES.items():
        with (folder / name).open("a") as file:
            file.write("\n" + text)
    return folder


def test_the_recipe_is_short() -> None:
    """Invariant: at most 15 lines that do something, tests aside."""
    assert set(FILES) == {f"mysite/{name}.py" for name in ("settings", "urls", "chat", "tests")}
    lines = "".join(text for name, text in FILES.items() if "tests" not in name).splitlines()
    assert len([line for line in lines if line.strip()]) <= 15


def test_the_recipe_works_as_pasted(project: Path) -> None:
    run("manage.py", "migrate", "-v0", at=project)
    assert "no issues" in run(
        "manage.py", "check", "--database", "default", "--fail-level", "WARNING", at=project
    )
    (project / "mysite" / "test_more.py").write_text(MORE)
    told = run("manage.py", "test", "-v2", at=project)
    assert re.search(r"Ran [6-9] tests", told), told
