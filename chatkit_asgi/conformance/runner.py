"""Runs cases against a server, each by itself, several at a time."""

from __future__ import annotations

import random
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import anyio

from .case import Case, NotRun, Outcome, Result, Unmet, catalogue
from .client import Client, Target
from .wire import Log, SocketTransport, Unreachable

__all__ = ["Known", "Report", "discover", "run", "run_case"]

TIMEOUT = 40.0
"""Seconds of one case. The longest waits for a comment in a stream that is silent for half a minute."""
JOBS = 16
"""Cases at a time."""
LAST = 1 << 30


class Known:
    """The expected failures: a file of ids of cases, each with its reason after ``#``. It can only shrink: a listed
    case that passes fails the run.

    Args:
        path: The file.

    Raises:
        ValueError: A line names no case, or gives no reason.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reasons: dict[str, str] = {}
        ids = {each.id for each in catalogue()}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            name, _, reason = (part.strip() for part in line.partition("#"))
            if not name:
                continue
            if name not in ids:
                raise ValueError(f"{path}:{number}: there is no case {name}")
            if not reason:
                raise ValueError(f"{path}:{number}: say after a # why {name} fails")
            self.reasons[name] = reason

    def forget(self, passed: Iterable[str]) -> None:
        """Take cases that pass out of the file."""
        gone = set(passed)
        kept = [
            line
            for line in self.path.read_text(encoding="utf-8").splitlines()
            if line.partition("#")[0].strip() not in gone
        ]
        self.path.write_text("\n".join(kept) + "\n", encoding="utf-8")


@dataclass
class Report:
    """What came of a run."""

    url: str
    results: list[Result]
    seconds: float
    features: frozenset[str]
    strict: bool = False
    """Whether a SHOULD counts like a MUST."""
    fixed: tuple[str, ...] = ()
    """Expected failures that passed."""

    def count(self, outcome: Outcome, level: str | None = None) -> int:
        """How many cases ended so."""
        return sum(
            each.outcome is outcome and level in (None, each.case.level) for each in self.results
        )

    def counts(self, result: Result) -> bool:
        """Whether this failure fails the run."""
        levels = ("MUST", "SHOULD") if self.strict else ("MUST",)
        return result.outcome is Outcome.FAILED and result.case.level in levels and not result.known

    @property
    def failures(self) -> list[Result]:
        """What fails the run."""
        return [each for each in self.results if self.counts(each)]

    @property
    def ok(self) -> bool:
        """Whether the server passed."""
        return not self.failures and not self.fixed


async def run(
    target: Target,
    cases: Iterable[Case],
    *,
    jobs: int = JOBS,
    timeout: float = TIMEOUT,
    strict: bool = False,
    known: Known | None = None,
    shuffle: int | None = None,
    on_result: Callable[[Result], None] | None = None,
) -> Report:
    """Run ``cases`` against ``target``.

    Args:
        target: The server. What it can be made to do is found out first.
        cases: What to run.
        jobs: How many at a time.
        timeout: Seconds of one case.
        strict: Whether a SHOULD counts like a MUST.
        known: Failures that are expected.
        shuffle: A seed for another order; cases that wait begin first otherwise.
        on_result: Called with each result as it comes.

    Raises:
        Unreachable: There is no server.
    """
    began = time.monotonic()
    target = replace(target, features=target.features or await discover(target))
    order = list(cases)
    if shuffle is None:
        order.sort(key=lambda each: not each.slow)
    else:
        random.Random(shuffle).shuffle(order)
    results: dict[str, Result] = {}
    limiter = anyio.CapacityLimiter(max(jobs, 1))
    list_of_threads = anyio.Lock()

    async def one(each: Case) -> None:
        async with list_of_threads if each.list_of_threads else nullcontext(), limiter:
            result = await run_case(target, each, timeout=timeout)
        result.known = known is not None and each.id in known.reasons
        results[each.id] = result
        if on_result is not None:
            on_result(result)

    async with anyio.create_task_group() as tasks:
        for each in order:
            tasks.start_soon(one, each)
    places = {each.id: place for place, each in enumerate(catalogue())}
    found = sorted(results.values(), key=lambda result: places.get(result.case.id, LAST))
    fixed = tuple(each.case.id for each in found if each.known and each.outcome is Outcome.PASSED)
    return Report(
        target.transport.url, found, time.monotonic() - began, target.features, strict, fixed
    )


async def discover(target: Target) -> frozenset[str]:
    """What the server can be made to do: its answer to ``conformance: triggers``.

    Raises:
        Unreachable: There is no server.
    """
    client = Client(target, Log())
    try:
        with anyio.fail_after(TIMEOUT):
            said = await client.say("conformance: triggers")
            head, _, names = said.text.partition(":")
    except (Unmet, TimeoutError):
        return frozenset()
    return frozenset(names.split()) if head.strip() == "conformance triggers" else frozenset()


async def run_case(target: Target, case: Case, *, timeout: float = TIMEOUT) -> Result:
    """Run a case against a server whose features are known."""
    log = Log([*target.headers, *(target.other or [])])
    began = time.monotonic()
    result = Result(case, Outcome.PASSED)
    try:
        _require(case, target)
        with anyio.fail_after(timeout):
            await case.check(Client(target, log))
    except NotRun as reason:
        result.outcome, result.got = Outcome.NOT_RUN, str(reason)
    except Unmet as unmet:
        result.outcome, result.expected, result.got = Outcome.FAILED, unmet.expected, unmet.got
    except TimeoutError:
        result.outcome = Outcome.FAILED
        result.expected, result.got = f"an end within {timeout:g} seconds", "none"
    except (Unreachable, ConnectionError) as error:
        result.outcome = Outcome.FAILED
        result.expected, result.got = "an answer over HTTP", str(error)
    except Exception as error:  # what came had such a shape that the case itself fell over it
        result.outcome = Outcome.FAILED
        result.expected = "an answer of the protocol's shape"
        where = traceback.extract_tb(error.__traceback__)[-1]
        result.got = (
            f"one that the case cannot read: {error!r} at {where.name}, line {where.lineno}"
        )
    result.seconds = time.monotonic() - began
    if result.outcome is Outcome.FAILED:
        result.wire = str(log)
    return result


def _require(case: Case, target: Target) -> None:
    reasons = {
        "socket": (isinstance(target.transport, SocketTransport), "needs a real connection"),
        "two-users": (target.other is not None, "needs a second person's credentials"),
        "credentials": (bool(target.headers), "needs credentials that can be left out"),
        "upload-url": (
            bool(target.upload_url),
            "needs the address of direct uploads (--upload-url)",
        ),
    }
    for need in sorted(case.needs):
        met, reason = reasons.get(need, (need in target.features, f"needs the trigger {need}"))
        if not met:
            raise NotRun(reason)
