"""examples/django runs with one command, and a person can sign in and talk."""

from __future__ import annotations

import http.cookiejar
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_example_runs_with_one_command(tmp_path: Path) -> None:
    folder = tmp_path / "django"
    shutil.copytree(ROOT / "examples" / "django", folder, ignore=shutil.ignore_patterns("*.db*"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    main = folder / "__main__.py"
    main.write_text(main.read_text().replace("lifespan=", f"port={port}, lifespan="))
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'adapters'}"}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    process = subprocess.Popen([sys.executable, str(folder)], env=environment)
    try:
        cookies = http.cookiejar.CookieJar()
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
        base = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 40
        while True:
            try:
                page = browser.open(f"{base}/").read().decode()
                break
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
        form = {
            "username": "ada",
            "password": "ada",
            "next": "/",
            "csrfmiddlewaretoken": found(r'csrfmiddlewaretoken" value="(\w+)"', page),
        }
        page = (
            browser.open(f"{base}/admin/login/", urllib.parse.urlencode(form).encode())
            .read()
            .decode()
        )
        assert "Hello ada" in page
        message = {
            "content": [{"type": "input_text", "text": "Hi"}],
            "attachments": [],
            "inference_options": {},
        }
        request = urllib.request.Request(
            base + found(r'fetch\("(.+?)"', page),
            json.dumps({"type": "threads.create", "params": {"input": message}}).encode(),
            {
                "content-type": "application/json",
                "X-CSRFToken": found(r'"X-CSRFToken": "(\w+)"', page),
            },
        )
        answer = browser.open(request).read().decode()
        assert "thread number 1 of yours. You said: Hi" in answer
    finally:
        process.terminate()
        process.wait(20)


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match, pattern
    return match[1]
