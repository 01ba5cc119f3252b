"""A real nginx with its default settings in front of a real uvicorn: what a proxy can do to streams, it does not do.

Needs nothing but the binary: ``.ci/run`` installs Debian's package where it can.
"""

from __future__ import annotations

import inspect
import os
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from chatkit_asgi import Options
from tests.http.served import Held
from tests.stacks import site, test_paths, test_people, test_requests, test_streams
from tests.stacks.asgi import Plain
from tests.stacks.conftest import make_server

NGINX = shutil.which("nginx") or ("/usr/sbin/nginx" if Path("/usr/sbin/nginx").exists() else None)
pytestmark = pytest.mark.skipif(
    NGINX is None, reason="nginx is not installed: apt-get install nginx-light"
)

CONFIG = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass {upstream}; {settings} }}
  }}
}}
"""
"""Where files lie, and where the app is; everything else is as nginx has it."""

serve_directly = site.serve


class Proxied:
    """Instead of :func:`tests.stacks.site.serve`: with nginx in front."""

    def __init__(self, folder: Path, settings: str = "") -> None:
        self.folder = folder
        self.settings = settings

    @asynccontextmanager
    async def __call__(self, app: Any) -> AsyncIterator[str]:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        async with serve_directly(app) as upstream:
            config = self.folder / "nginx.conf"
            config.write_text(
                CONFIG.format(
                    folder=self.folder, port=port, upstream=upstream, settings=self.settings
                )
            )
            if os.geteuid() == 0:  # its workers are another user then
                for parent in [self.folder, *self.folder.parents][:3]:
                    parent.chmod(0o755)
            assert NGINX is not None
            with subprocess.Popen(
                [NGINX, "-p", str(self.folder), "-c", str(config), "-e", "stderr"],
                stderr=subprocess.DEVNULL,
            ) as process:
                try:
                    await _until_open(port)
                    yield f"http://127.0.0.1:{port}"
                finally:
                    process.terminate()
                    process.wait(10)


async def _until_open(port: int) -> None:
    with anyio.fail_after(10):
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                await anyio.sleep(0.01)


CASES: list[Any] = [
    test_requests.test_all_sixteen_requests_are_answered_as_by_the_plain_app,
    test_streams.test_events_come_one_by_one,
    test_streams.test_silence_is_kept_alive_with_comments,
    test_streams.test_leaving_stops_the_turn_and_keeps_what_was_said,
    test_streams.test_leaving_a_silent_stream_is_noticed,
    test_streams.test_a_client_that_does_not_read_holds_the_handler_back,
    test_people.test_two_people_do_not_meet,
    test_paths.test_leaving_in_the_middle_of_a_download_ends_it,
]
"""Of the suite: those that a proxy can break."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__.removeprefix("test_"))
async def test_nginx_with_default_settings_breaks_nothing(
    case: Any,
    record_property: Callable[[str, Any], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record_property("table", "proxies")
    record_property("stack", "nginx")
    record_property("case", case.__name__)
    monkeypatch.setattr(site, "serve", Proxied(tmp_path))
    server = make_server(Options(handle_signals=False))
    wants_server = "server" in inspect.signature(case).parameters
    await (case(Plain(), server) if wants_server else case(Plain()))


@pytest.mark.parametrize(
    ("timeout", "keep_alive", "silence"),
    [
        pytest.param(1, 0.3, 2.5, id="shortened"),
        pytest.param(
            None, None, 70, id="default", marks=[pytest.mark.slow, pytest.mark.timeout(150)]
        ),
    ],
)
async def test_silence_longer_than_the_proxy_s_patience_is_survived(
    timeout: int | None,
    keep_alive: float | None,
    silence: float,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Invariant: the answer of a handler that says nothing for longer than ``proxy_read_timeout`` arrives. Without
    comments nginx would cut it, which is shown first where that is quick."""
    settings = "" if timeout is None else f"proxy_read_timeout {timeout}s;"
    monkeypatch.setattr(site, "serve", Proxied(tmp_path, settings))
    for comments in (False, True) if timeout else (True,):
        given = {} if keep_alive is None else {"keep_alive": keep_alive if comments else 60.0}
        server = make_server(Options(handle_signals=False, **given))
        held = Held()
        server.responding = held
        async with site.serving(Plain(), server) as served:
            client = served.client()
            client.timeout = silence + 20
            began = time.monotonic()
            async with client.stream("threads.create", {"input": client.message("Hi")}) as turn:
                await turn.wait_for(test_streams.is_delta)
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(_let_go_after, silence, held)
                    await turn.read()
            if comments:
                assert time.monotonic() - began > silence
                assert turn.check().text == "Hello world"
            else:
                assert not turn.ok
                assert turn.text == "Hello "


async def _let_go_after(seconds: float, held: Held) -> None:
    await anyio.sleep(seconds)
    held.go.set()
