"""Model servers on real sockets, for the tests and for ``record.py``: ours in a thread, aimock in a process."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn

AIMOCK = Path(__file__).with_name("aimock")
COMMAND = AIMOCK / "node_modules" / "@copilotkit" / "aimock" / "dist" / "cli.js"

WHY_NO_AIMOCK = (
    ""
    if shutil.which("node") and COMMAND.exists()
    else "aimock is not installed: make test does it where npm is"
)
"""Why there is no aimock here, or nothing."""


@contextlib.contextmanager
def served(app: Any) -> Iterator[str]:
    """Serve an ASGI app with uvicorn in a thread; gives the base URL for an ``openai`` client."""
    config = uvicorn.Config(app, port=0, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)


@contextlib.contextmanager
def aimock() -> Iterator[str]:
    """Run aimock with our fixtures on a free port; gives the base URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        ["node", COMMAND, "-p", str(port), "-f", AIMOCK / "fixtures.json", "-c", "12"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert process.poll() is None, "aimock did not start"
            assert time.monotonic() < deadline, "aimock did not start"
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(10)


async def close_shared_client() -> None:
    """Close the HTTP client that the Agents SDK keeps for the whole process: the next test has another event loop."""
    provider: Any = sys.modules.get("agents.models.openai_provider")
    if provider is not None and provider._http_client is not None:
        client, provider._http_client = provider._http_client, None
        await client.aclose()
