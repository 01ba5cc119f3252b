"""Serves one subject in a process of its own: ``python -m benchmarks.serve SUBJECT PORT SERVER OPTIONS``."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any

SUBJECTS = {
    "ours": "benchmarks.ours:app",
    "official": "benchmarks.official:app",
    "limit": "benchmarks.ours:Limit",
    "our-agents": "benchmarks.agents:our_app",
    "official-agents": "benchmarks.agents:official_app",
    "files": "benchmarks.attachments:ours",
    "files-starlette": "benchmarks.attachments:minimal",
    "sse-starlette": "benchmarks.ours:sse_starlette_app",
}


def build(subject: str, options: dict[str, Any]) -> Any:
    """The ASGI app of a subject."""
    kind, _, adapter = subject.partition("-")
    if kind in ("adapter", "minimal"):
        from . import adapters

        return (adapters.make if kind == "adapter" else adapters.minimal)(adapter, **options)
    module, _, name = SUBJECTS[subject].partition(":")
    return getattr(import_module(module), name)(**options)


def application() -> Any:
    """What granian imports: the subject named by the environment."""
    import os

    return build(os.environ["BENCH_SUBJECT"], json.loads(os.environ["BENCH_OPTIONS"]))


def main() -> None:
    subject, port, server, options = sys.argv[1:5]
    if server == "uvicorn":
        import uvicorn

        app = build(subject, json.loads(options))
        uvicorn.run(app, port=int(port), log_level="critical", loop="uvloop", http="httptools", access_log=False,
                    timeout_graceful_shutdown=1, backlog=8192)  # fmt: skip
    elif server == "granian":
        import os

        from granian import Granian  # type: ignore[attr-defined]
        from granian.constants import Interfaces, Loops

        os.environ["BENCH_SUBJECT"], os.environ["BENCH_OPTIONS"] = subject, options
        Granian(
            "benchmarks.serve:application", port=int(port), interface=Interfaces.ASGI, loop=Loops.uvloop,
            log_enabled=False, factory=True, workers=1, backlog=8192, workers_kill_timeout=1,
        ).serve()  # fmt: skip


if __name__ == "__main__":
    main()
