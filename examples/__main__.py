"""``python -m examples NAME [--port N]``: serve one example.

The examples talk to a model through the ``openai`` client, which reads ``OPENAI_API_KEY`` and ``OPENAI_BASE_URL``.
Where neither is set, a script stands in for the model, so that every example runs at once and without internet.
"""

from __future__ import annotations

import argparse
import os
import socket
import threading
from importlib import import_module

import uvicorn

from .stand_in import STAND_INS

__all__ = ["main"]


def main() -> None:
    """Read the command line and serve until Ctrl+C."""
    parser = argparse.ArgumentParser(prog="python -m examples", description=__doc__)
    parser.add_argument("name", choices=sorted(STAND_INS))
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    if not os.environ.get("OPENAI_API_KEY") and not os.environ.get("OPENAI_BASE_URL"):
        os.environ["OPENAI_BASE_URL"] = _serve_stand_in(options.name)
        os.environ["OPENAI_AGENTS_DISABLE_TRACING"] = "1"
        print("No OPENAI_API_KEY and no OPENAI_BASE_URL: a script stands in for the model.")
    os.environ.setdefault("OPENAI_API_KEY", "none")  # local servers want none, the client wants one
    app = import_module(f"examples.{options.name}").app
    listener = socket.create_server(("127.0.0.1", options.port))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/chatkit"
    print(f"Serving {options.name}: {url}", flush=True)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    server.run(sockets=[listener])


def _serve_stand_in(name: str) -> str:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(STAND_INS[name](), log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


if __name__ == "__main__":
    main()
