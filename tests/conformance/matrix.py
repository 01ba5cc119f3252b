"""Which cases each broken server fails.

``python -m tests.conformance.matrix`` works it out and writes ``matrix.json``. Every case gets a server of its own, so
state that a mutant keeps is that of one case.

Three hundred mutants times three hundred cases are too many to run, and need not be: what a case has asked a sound
server, and what it was answered, is recorded once and replayed to every mutant. Where a mutant changes neither a
question nor an answer of a case, the case sees the sound server, and cannot fail because of it. The others are run.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import anyio

from chatkit_asgi import Options
from chatkit_asgi.conformance.case import Case, Outcome, Result, catalogue
from chatkit_asgi.conformance.client import Target
from chatkit_asgi.conformance.runner import discover, run_case
from chatkit_asgi.conformance.testee import make_app
from chatkit_asgi.conformance.wire import AppTransport
from tests.conformance.broken import Broken
from tests.conformance.mutants import MUTANTS, Mutant

STORED = Path(__file__).parent / "matrix.json"
PACE = 0.1
"""The testee's pauses are this much of those in the table."""
TIMEOUT = 20.0
JOBS = 4

IN_PROCESS = tuple(case for case in catalogue() if "socket" not in case.needs)


def sound() -> Any:
    """A new testee."""
    return make_app(options=Options(keep_alive=0.2, handle_signals=False), pace=PACE)


def target(app: Any, features: frozenset[str] = frozenset()) -> Target:
    """How a case reaches an app."""
    ada, bob = ([("authorization", f"Bearer {name}")] for name in ("ada", "bob"))
    return Target(AppTransport(app, "/"), ada, bob, "http://testserver/attachments", features)


async def outcomes(
    mutant: Mutant | None, cases: Iterable[Case], features: frozenset[str]
) -> list[Result]:
    """The results of cases, each against a server of its own."""
    limiter = anyio.CapacityLimiter(JOBS)
    results: list[Result] = []

    async def one(case: Case) -> None:
        async with limiter:
            app = sound() if mutant is None else mutant.around(sound())
            results.append(await run_case(target(app, features), case, timeout=TIMEOUT))

    async with anyio.create_task_group() as tasks:
        for case in sorted(cases, key=lambda case: not case.slow):
            tasks.start_soon(one, case)
    return results


def failed(results: Iterable[Result]) -> list[str]:
    """The ids of cases that failed."""
    return sorted(each.case.id for each in results if each.outcome is Outcome.FAILED)


# -- what a case asks and gets -----------------------------------------------------------------

Exchange = tuple[dict[str, Any], bytes, list[dict[str, Any]]]
"""Scope, the request's body, and the messages of the answer."""


class Recorder:
    """Passes everything through to a sound app, and keeps it."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self._app = sound()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body: list[bytes] = []
        sent: list[dict[str, Any]] = []
        self.exchanges.append((dict(scope), b"", sent))
        place = len(self.exchanges) - 1

        async def receiving() -> Any:
            message = await receive()
            body.append(message.get("body", b""))
            self.exchanges[place] = (dict(scope), b"".join(body), sent)
            return message

        async def sending(message: Any) -> None:
            sent.append(dict(message))
            await send(message)

        await self._app(scope, receiving, sending)


async def record(features: frozenset[str]) -> dict[str, list[Exchange]]:
    """The exchanges of every case."""
    recorders = {case.id: Recorder() for case in IN_PROCESS}
    limiter = anyio.CapacityLimiter(JOBS)

    async def one(case: Case) -> None:
        async with limiter:
            await run_case(target(recorders[case.id], features), case, timeout=TIMEOUT)

    async with anyio.create_task_group() as tasks:
        for case in IN_PROCESS:
            tasks.start_soon(one, case)
    return {identity: recorder.exchanges for identity, recorder in recorders.items()}


async def touches(mutant: Mutant, exchanges: Sequence[Exchange]) -> bool:
    """Whether the mutant changes a question or an answer."""
    now: Exchange

    async def replay(scope: Any, receive: Any, send: Any) -> None:
        got = (await receive())["body"]
        heard.append((scope["method"], scope["query_string"], _headers(scope), got))
        for message in now[2]:
            await send(dict(message))

    broken: Broken = mutant.around(replay)
    if broken.deaf:
        return True
    for scope, body, messages in exchanges:
        now = (scope, body, messages)
        heard: list[Any] = []
        sent: list[Any] = []

        async def receive(body: bytes = body) -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any, sent: list[Any] = sent) -> None:
            sent.append(message)

        try:
            await broken(scope, receive, send)
        except Exception:  # a cut, or a mutant that breaks down over this question
            return True
        if broken.waits:
            return True
        asked = (scope["method"], scope["query_string"], _headers(scope), body)
        if heard != [asked] or _answer(sent) != _answer(messages):
            return True
    return False


def _headers(scope: Any) -> list[Any]:
    return sorted(
        pair
        for pair in scope["headers"]
        if pair[0] not in (b"content-length", b"transfer-encoding")
    )


def _answer(messages: Sequence[Any]) -> Any:
    if not messages:
        return None
    body = b"".join(message.get("body", b"") for message in messages[1:])
    headers = dict(messages[0]["headers"])
    headers.pop(b"content-length", None)
    return messages[0]["status"], headers, body


# -- the matrix --------------------------------------------------------------------------------


async def work_out(names: Iterable[str]) -> dict[str, list[str]]:
    """The rows of some mutants."""
    features = await discover(target(sound()))
    recordings = await record(features)
    rows: dict[str, list[str]] = {}
    for name in names:
        mutant = MUTANTS[name]
        cases = [each for each in IN_PROCESS if await touches(mutant, recordings[each.id])]
        print(f"{name}: {len(cases)} cases", file=sys.stderr)
        rows[name] = failed(await outcomes(mutant, cases, features))
    return rows


def recorded() -> dict[str, list[str]]:
    """The matrix as it is committed."""
    loaded: dict[str, list[str]] = json.loads(STORED.read_text(encoding="utf-8"))
    return loaded


def write(matrix: dict[str, list[str]]) -> None:
    """Commit a matrix."""
    lines = [
        f"{json.dumps(name)}: {json.dumps(matrix[name])}" for name in MUTANTS if name in matrix
    ]
    STORED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    matrix = recorded() if STORED.exists() else {}
    write(matrix | anyio.run(work_out, sys.argv[1:] or list(MUTANTS)))
