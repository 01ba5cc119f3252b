"""The command line as a user meets it: a process, its output, its exit code."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from chatkit_asgi.cli import main
from tests.demo.client import message

COMMAND = [sys.executable, "-m", "chatkit_asgi"]


def refused(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """Run a command that cannot be carried out; its one line."""
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("chatkit-asgi: ")
    assert err.count("\n") == 1
    return err


def test_a_taken_port_is_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert f"port {port} on 127.0.0.1 is taken" in refused(
            capsys, "demo", "--scripted", "--port", port
        )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--host", "no-such-host.invalid"], "cannot listen on no-such-host.invalid"),
        (["--host", "192.0.2.1"], "cannot listen on 192.0.2.1"),
        (["--database", "no/such/folder/chat.db"], "no/such/folder/chat.db"),
        (["--database", __file__], "not a database"),
    ],
)
def test_what_cannot_be_used_is_one_clear_line(
    capsys: pytest.CaptureFixture[str], options: list[str], told: str
) -> None:
    assert told in refused(capsys, "demo", "--scripted", "--port", "0", *options)


@pytest.mark.parametrize("app", ["no_such_module:app", "json:no_such_app", "json"])
def test_an_application_that_is_not_there_is_one_clear_line(
    capsys: pytest.CaptureFixture[str], app: str
) -> None:
    refused(capsys, "serve", app, "--port", "0")


@pytest.mark.parametrize("port", ["99999", "80.5", "http"])
def test_a_port_that_cannot_be_is_refused(capsys: pytest.CaptureFixture[str], port: str) -> None:
    with pytest.raises(SystemExit) as end:
        main(["demo", "--port", port])
    assert end.value.code == 2
    assert "not a port" in capsys.readouterr().err


def test_help_explains_the_assistants(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["demo", "--help"])
    assert end.value.code == 0
    told = capsys.readouterr().out
    for word in (
        "OPENAI_API_KEY",
        "SmolLM2",
        "--scripted",
        "/tour",
        "--port",
        "--database",
        "--host",
    ):
        assert word in told


@contextmanager
def running(*argv: str, cwd: Path) -> Generator[tuple[subprocess.Popen[str], str, str], None, None]:
    """A started command: the process, what it printed by then, and its address."""
    environment = {key: value for key, value in os.environ.items() if key != "OPENAI_API_KEY"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    process = subprocess.Popen(
        [*COMMAND, *argv],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        printed = ""
        assert process.stdout is not None
        for line in process.stdout:
            printed += line
            if "Ctrl-C" in line:
                break
        address = re.search(r"http://[\w.:]+(/chatkit)?", printed)
        assert address is not None, printed
        yield process, printed, address[0]
    finally:
        process.kill()
        process.communicate()


def send(url: str, kind: str, **params: Any) -> IO[bytes]:
    body = json.dumps({"type": kind, "params": params}).encode()
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    answer: IO[bytes] = urllib.request.urlopen(request, timeout=20)
    return answer


def interrupt(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Ctrl-C; the exit code and what was printed after it."""
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=20)
    return process.returncode, rest


def test_the_demo_prints_how_to_talk_to_it_and_its_commands_work(tmp_path: Path) -> None:
    with running("demo", "--scripted", "--port", "0", "--pace", "0", cwd=tmp_path) as (
        process,
        printed,
        _,
    ):
        commands = re.findall(r"^ +(curl -N .*)$", printed, re.MULTILINE)
        assert len(commands) == 3
        thread_id = ""
        for command in commands:
            line = command.replace("THREAD_ID", thread_id).replace("curl", "curl -sS")
            done = subprocess.run(
                line, shell=True, check=True, capture_output=True, text=True, timeout=20
            )
            thread_id = thread_id or re.findall(r'"id":"(\w+)"', done.stdout)[0]
            assert thread_id in done.stdout
        assert interrupt(process) == (0, "")
    assert (tmp_path / "chatkit-demo.db").exists()


def test_ctrl_c_ends_an_open_stream_and_keeps_what_was_read(tmp_path: Path) -> None:
    demo = ["demo", "--scripted", "--port", "0", "--pace", "0.01"]
    with (
        running(*demo, cwd=tmp_path) as (process, _, url),
        send(url, "threads.create", input=message("/long")) as answer,
    ):
        frames = iter(answer)
        read, thread_id = "", ""
        for frame in frames:
            if not frame.startswith(b"data: "):
                continue
            event: dict[str, Any] = json.loads(frame.removeprefix(b"data: "))
            thread_id = thread_id or event.get("thread", {}).get("id", "")
            read += event.get("update", {}).get("delta", "")
            if len(read) > 100:
                break
        code, rest = interrupt(process)
        assert code == 0
        assert "Traceback" not in rest

    with running(*demo, cwd=tmp_path) as (process, _, url):
        with send(url, "threads.get_by_id", thread_id=thread_id) as answer:
            kept = json.load(answer)["items"]["data"][-1]
        assert kept["content"][0]["text"].startswith(read)
        assert interrupt(process) == (0, "")


def test_serve_runs_an_application_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(
        "from chatkit_asgi import ChatKitApp, ChatKitRouter\n"
        "from chatkit_asgi.store import MemoryStore\n"
        "app = ChatKitApp(ChatKitRouter(MemoryStore()))\n"
    )
    with running("serve", "main:app", "--port", "0", cwd=tmp_path) as (process, _, url):
        with send(url, "threads.list") as answer:
            assert json.load(answer)["data"] == []
        code, _ = interrupt(process)
        assert code == 0
