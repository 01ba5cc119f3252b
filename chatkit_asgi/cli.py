"""The ``chatkit-asgi`` command: ``demo`` and ``serve``.

What lives here: options, help texts and exit codes. What each command does is imported when it runs, so that ``--help``
answers at once and needs nothing installed but the library itself.
"""

from __future__ import annotations

import argparse
import errno
import importlib.util
import json
import os
import socket
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chatkit_asgi.demo.app import Choice, Demo

__all__ = ["CommandError", "main"]

DEMO = """\
Runs a ChatKit server on this machine, with an assistant that answers, on an
embedded SQLite file. Prints the address and commands to talk to it.

The assistant is, by default, the first of these that can be had:
  openai    OpenAI's own API, when OPENAI_API_KEY is set
  local     a small language model on this machine (SmolLM2, 135M parameters,
            run by llama.cpp); no internet, no key; `make demo` installs it
  scripted  no model: plays every kind of event ChatKit knows, by keyword

In each of them a message such as "/tour", "/widget" or "/help" plays the
scripted scenes, so that everything can be seen beside a real model too."""

WELCOME = """\
Open {url}/playground/ in a browser, or talk to {url} yourself.

  assistant  {demo.assistant}
  threads    {database} (SQLite)
{note}
Say something, and watch the answer arrive:

  {hello}

Go on in that thread, with the id from its first event ("/tour" plays every kind of event):

  {again}

Read it again, also after you stopped an answer in the middle:

  {read}

Press Ctrl-C to stop."""

SERVE = """\
Runs the application MODULE:ATTR, for example main:app, under uvicorn, with the
settings that streaming answers need: Ctrl-C ends open streams after a moment."""


GRACE = 2
"""Seconds that streaming answers have to end after Ctrl-C."""


class CommandError(Exception):
    """Something the user can put right; printed as one line, exit code 2."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: The arguments, without the program's name; ``sys.argv`` when not given.

    Returns:
        The exit code: 0, also after Ctrl-C, or 2 when the command could not be carried out.
    """
    options = _parser().parse_args(argv)
    try:
        if importlib.util.find_spec("uvicorn") is None:
            raise CommandError("this needs uvicorn: pip install 'chatkit-asgi[demo]'")
        options.run(options)
    except CommandError as error:
        print(f"chatkit-asgi: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        pass
    return 0


def _demo(options: argparse.Namespace) -> None:
    with _listen(options.host, options.port) as listener:
        from chatkit_asgi.demo.app import DemoError, build

        choice: Choice = "scripted" if options.scripted else options.model
        if choice != "scripted":
            print("Loading the assistant ...", flush=True)
        try:
            demo = build(
                database=options.database,
                choice=choice,
                openai_model=options.openai_model,
                pace=options.pace,
            )
        except DemoError as error:
            raise CommandError(str(error)) from error
        print(_welcome(_shown(listener), demo, options.database), flush=True)
        _run(demo.app, listener, log_level="warning")


def _serve(options: argparse.Namespace) -> None:
    from uvicorn.importer import ImportFromStringError, import_from_string

    sys.path.insert(0, os.getcwd())
    try:
        app = import_from_string(options.app)
    except ImportFromStringError as error:
        raise CommandError(str(error)) from error
    with _listen(options.host, options.port) as listener:
        print(f"{options.app} is at http://{_shown(listener)}; press Ctrl-C to stop.", flush=True)
        _run(app, listener, log_level="info")


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket; taken here, so that a taken port is known before anything slow begins."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)  # pyright: ignore[reportArgumentType]
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            hint = (
                f"port {port} on {host} is taken; choose another with --port (0 picks a free one)"
            )
            raise CommandError(hint) from error
        raise CommandError(
            f"cannot listen on {host} port {port}: {error.strerror or error}"
        ) from error


def _run(app: Any, listener: socket.socket, *, log_level: str) -> None:
    """Serve until Ctrl-C; open streams then have ``GRACE`` seconds to end."""
    import uvicorn

    config = uvicorn.Config(app, log_level=log_level, timeout_graceful_shutdown=GRACE)
    server = uvicorn.Server(config)
    server.run(sockets=[listener])
    if not server.started:
        raise CommandError("the application did not start")


def _welcome(address: str, demo: Demo, database: str) -> str:
    url = f"http://{address}/chatkit"
    hello = _message("Tell me a short story about a lighthouse.")
    return WELCOME.format(
        url=url,
        demo=demo,
        database=database,
        note=f"\n{demo.note}\n" if demo.note else "",
        hello=_curl(url, "threads.create", input=hello),
        again=_curl(
            url, "threads.add_user_message", thread_id="THREAD_ID", input=_message("/tour")
        ),
        read=_curl(url, "threads.get_by_id", thread_id="THREAD_ID"),
    )


def _shown(listener: socket.socket) -> str:
    """The address to paste into a command on this machine."""
    host: str
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host) or host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _message(text: str) -> dict[str, Any]:
    return {
        "content": [{"type": "input_text", "text": text}],
        "attachments": [],
        "inference_options": {},
    }


def _curl(url: str, kind: str, **params: Any) -> str:
    body = json.dumps({"type": kind, "params": params}, separators=(",", ":"))
    return f"curl -N {url} -H 'content-type: application/json' -d '{body}'"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="chatkit-asgi",
        description="The ChatKit protocol as one ASGI application.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser(
        "demo",
        help="run a ChatKit server with a real assistant, to try it with curl or a ChatKit page",
        description=DEMO,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    demo.set_defaults(run=_demo)
    _address(demo)
    demo.add_argument(
        "--database",
        default="chatkit-demo.db",
        metavar="FILE",
        help="SQLite file that keeps the threads; made when missing (default: %(default)s)",
    )
    demo.add_argument(
        "--model",
        default="auto",
        choices=["auto", "local", "openai", "scripted"],
        help="the assistant, see above (default: %(default)s)",
    )
    demo.add_argument("--scripted", action="store_true", help="the same as --model scripted")
    demo.add_argument(
        "--openai-model",
        default="gpt-5-mini",
        metavar="NAME",
        help="which of OpenAI's models answers (default: %(default)s)",
    )
    demo.add_argument(
        "--pace",
        type=float,
        default=0.03,
        metavar="SECONDS",
        help="pause between the words of the scripted scenes (default: %(default)s)",
    )

    serve = commands.add_parser(
        "serve",
        help="run your own application, MODULE:ATTR, under uvicorn",
        description=SERVE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    serve.set_defaults(run=_serve)
    serve.add_argument("app", metavar="MODULE:ATTR", help="the application, for example main:app")
    _address(serve)
    return parser


def _port(text: str) -> int:
    if text.isdecimal() and int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text} is not a port; ports go from 0 to 65535")


def _address(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: %(default)s)"
    )
    command.add_argument(
        "--port",
        type=_port,
        default=8000,
        help="port to listen on; 0 picks a free one (default: %(default)s)",
    )
