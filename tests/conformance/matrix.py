"""Which cases each broken server fails.

``python -m tests.conformance.matrix`` runs every case against every mutant and writes ``matrix.json``; every case gets a
server of its own.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable
from pathlib import Path

import anyio

from chatkit_asgi import Options
from chatkit_asgi.conformance.case import Case, Outcome, Result, catalogue
from chatkit_asgi.conformance.client import Target
from chatkit_asgi.conformance.runner import discover, run_case
from chatkit_asgi.conformance.testee import make_app
from chatkit_asgi.conformance.wire import AppTransport
from tests.conformance.mutants import MUTANTS, Mutant

STORED = Path(__file__).parent / "matrix.json"
PACE = 0.1
"""The testee's pauses are this much of those in the table."""
TIMEOUT = 20.0
JOBS = 4

IN_PROCESS = tuple(case for case in catalogue() if "socket" not in case.needs)


def target(mutant: Mutant | None, features: frozenset[str] = frozenset()) -> Target:
    """A new testee, broken or not."""
    options = Options(keep_alive=0.2, handle_signals=False)
    app = make_app(options=options, pace=PACE)
    return Target(
        AppTransport(app if mutant is None else mutant.around(app), "/"),
        [("authorization", "Bearer ada")],
        [("authorization", "Bearer bob")],
        features=features,
    )


async def outcomes(mutant: Mutant | None, cases: Iterable[Case], jobs: int = JOBS) -> list[Result]:
    """The results of cases, each against a server of its own."""
    features = await discover(target(None))
    limiter = anyio.CapacityLimiter(jobs)
    results: list[Result] = []

    async def one(case: Case) -> None:
        async with limiter:
            results.append(await run_case(target(mutant, features), case, timeout=TIMEOUT))

    async with anyio.create_task_group() as tasks:
        for case in sorted(cases, key=lambda case: not case.slow):
            tasks.start_soon(one, case)
    return results


def failed(results: Iterable[Result]) -> list[str]:
    """The ids of cases that failed."""
    return sorted(each.case.id for each in results if each.outcome is Outcome.FAILED)


def recorded() -> dict[str, list[str]]:
    """The matrix as it is committed."""
    loaded: dict[str, list[str]] = json.loads(STORED.read_text(encoding="utf-8"))
    return loaded


def write(matrix: dict[str, list[str]]) -> None:
    """Commit a matrix."""
    lines = [f"{json.dumps(name)}: {json.dumps(matrix[name])}" for name in MUTANTS if name in matrix]
    STORED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    matrix = recorded() if STORED.exists() else {}
    for name in sys.argv[1:] or MUTANTS:
        matrix[name] = failed(anyio.run(outcomes, MUTANTS[name], IN_PROCESS))
        write(matrix)
