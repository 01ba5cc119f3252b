"""The ``chatkit-asgi`` command: ``demo`` and ``serve``.

What lives here: options, help texts and exit codes. What each command does is imported when it runs, so that ``--help``
answers at once and needs nothing installed but the library itself.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

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

SERVE = """\
Runs the application MODULE:ATTR, for example main:app, under uvicorn, with the
settings that streaming answers need: Ctrl-C ends open streams after a moment."""


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
        if options.command == "demo":
            from chatkit_asgi.demo.run import demo

            demo(
                host=options.host,
                port=options.port,
                database=options.database,
                assistant="scripted" if options.scripted else options.model,
                openai_model=options.openai_model,
                pace=options.pace,
            )
        else:
            from chatkit_asgi.demo.run import serve

            serve(options.app, host=options.host, port=options.port)
    except CommandError as error:
        print(f"chatkit-asgi: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        pass
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="chatkit-asgi",
        description="The ChatKit protocol as one ASGI application.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    demo = commands.add_parser(
        "demo",
        help="run a ChatKit server with a real assistant, to try it with curl or a ChatKit page",
        description=DEMO,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
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
    serve.add_argument("app", metavar="MODULE:ATTR", help="the application, for example main:app")
    _address(serve)
    return parser


def _address(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: %(default)s)"
    )
    command.add_argument(
        "--port",
        type=int,
        default=8000,
        help="port to listen on; 0 picks a free one (default: %(default)s)",
    )
