"""Runs the whole suite against every server that we have, over real sockets, and writes ``docs/conformance/reports``.

``python -m tests.conformance.reports [NAME ...]``. ``node`` needs ``npm install`` in ``tests/conformance/node`` before.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio

from chatkit_asgi import Options
from chatkit_asgi.conformance.case import LEVELS, Outcome, catalogue
from chatkit_asgi.conformance.client import Target
from chatkit_asgi.conformance.page import in_html
from chatkit_asgi.conformance.runner import Report, run
from chatkit_asgi.conformance.wire import SocketTransport
from tests.conformance.specification import ROOT
from tests.conformance.subjects import SignIn, bearer, names, subject

REPORTS = ROOT / "docs" / "conformance" / "reports"
SUMMARY = REPORTS / "summary.json"
SERVE = "--serve"
OTHERS = {
    "openai-chatkit": "openai-chatkit 1.6.5, FastAPI, a store in memory",
    "node": "chatkit-node-backend-sdk 1.1.2, Express, a store in memory",
}


@contextmanager
def _process(*command: str, port: int) -> Generator[None]:
    """A server in a process of its own, which listens on the port."""
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "NODE_ENV": "production"},
    )  # fmt: skip
    try:
        for _ in range(600):
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(20)


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@contextmanager
def serving(name: str, folder: Path) -> Iterator[tuple[str, SignIn]]:
    """A server by name: its address, and how people sign in there."""
    port = _free()
    sign_in: SignIn = bearer
    uvicorn = (sys.executable, "-m", "uvicorn", "--port", str(port), "--log-level", "critical")
    if name == "openai-chatkit":
        command: tuple[str, ...] = (*uvicorn, "tests.conformance.official:app")
        path = "/chatkit"
    elif name == "node":
        command = ("node", "tests/conformance/node/testee.mjs", str(port))
        path = "/chatkit"
    else:
        served = subject(name)
        path, sign_in = served.path, served.sign_in
        command = (
            sys.executable,
            "-m",
            "tests.conformance.reports",
            SERVE,
            name,
            str(folder),
            str(port),
        )
    with _process(*command, port=port):
        yield f"http://127.0.0.1:{port}{path}", sign_in


def serve(name: str, folder: str, port: str) -> None:
    """Serve a subject in this process."""
    import uvicorn

    # uvicorn ends by the signal that it was sent; so that what the subject uses ends too, it has to be an exit.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    served = subject(name)
    base = f"http://127.0.0.1:{port}{served.path}"
    app = served.make(base, Path(folder), Options(), 1.0)
    uvicorn.run(app, port=int(port), log_level="critical", timeout_graceful_shutdown=1)


async def target_at(name: str, url: str, sign_in: SignIn) -> Target:
    """How the suite reaches a server that is served: two people, and where files go directly."""
    root = url[: url.index("/", len("http://"))]
    ada, bob = [list((await sign_in(root, user)).items()) for user in ("ada", "bob")]
    uploads = "" if name in OTHERS else f"{url.rstrip('/')}/attachments"
    return Target(SocketTransport(url), ada, bob, uploads)


def report_on(name: str) -> Report:
    """The whole suite, as ``chatkit-asgi conformance --strict`` runs it."""
    with tempfile.TemporaryDirectory() as folder, serving(name, Path(folder)) as (url, sign_in):

        async def go() -> Report:
            return await run(await target_at(name, url, sign_in), catalogue(), strict=True)

        return anyio.run(go)


def _row(name: str, title: str, report: Report) -> dict[str, Any]:
    def ids(level: str) -> list[str]:
        return [
            each.case.id
            for each in report.results
            if each.outcome is Outcome.FAILED and each.case.level == level
        ]

    return {
        "title": title,
        "passed": {level: report.count(Outcome.PASSED, level) for level in LEVELS},
        "failed": {level: ids(level) for level in LEVELS},
        "not run": report.count(Outcome.NOT_RUN),
        "seconds": round(report.seconds, 1),
    }


def main(chosen: list[str]) -> None:
    """Run, and write."""
    titles = {name: subject(name).title for name in names()} | OTHERS
    REPORTS.mkdir(parents=True, exist_ok=True)
    rows = json.loads(SUMMARY.read_text(encoding="utf-8")) if SUMMARY.exists() else {}
    for name in chosen or titles:
        report = report_on(name)
        rows[name] = _row(name, titles[name], report)
        print(f"{name}: {rows[name]['passed']}, failed {rows[name]['failed']}", flush=True)
        report.url = titles[name]
        told = in_html(report, titles[name])
        (REPORTS / f"{name}.html").write_text(told, encoding="utf-8", errors="replace")
        SUMMARY.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    (REPORTS / "README.md").write_text(page(rows), encoding="utf-8")


def page(rows: dict[str, Any]) -> str:
    """The table of all servers, from ``summary.json``."""
    lines = [
        "# Servers that were tried",
        "",
        "The whole suite over real sockets, on one machine, 16 cases at a time; 15 seconds are waiting for a"
        " keep-alive comment. `python -m tests.conformance.reports` makes all of this.",
        "",
        "| Server | MUST | SHOULD | MAY | not run | seconds |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, row in rows.items():
        cells = [f"[{row['title']}]({name}.html)"]
        for level in LEVELS:
            passed = row["passed"][level]
            cells.append(f"{passed} of {passed + len(row['failed'][level])}")
        cells += [str(row["not run"]), str(row["seconds"])]
        lines.append(f"| {' | '.join(cells)} |")
    explained = ROOT / "docs" / "conformance"
    for name in OTHERS:
        path = explained / f"{name}.txt"
        if path.exists():
            lines += ["", f"Why {OTHERS[name]} fails what it fails: [{name}.txt](../{name}.txt)."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if sys.argv[1:2] == [SERVE]:
        serve(*sys.argv[2:])
    else:
        main(sys.argv[1:])
