"""A case: one thing that a server must, should or may do, and the function that finds out.

Also the clauses of the specification that cases refer to (``clauses.json``, made of ``docs/protocol``), and the
catalogue of all cases. Knows nothing of how a case is run.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from .client import Client

__all__ = [
    "LEVELS",
    "SECTIONS",
    "Case",
    "Clause",
    "Level",
    "NotRun",
    "Outcome",
    "Result",
    "Unmet",
    "case",
    "catalogue",
    "clauses",
    "select",
]

Level = Literal["MUST", "SHOULD", "MAY"]
LEVELS: tuple[Level, ...] = get_args(Level)

SECTIONS = (
    "transport",
    "threads",
    "items",
    "streams",
    "deltas",
    "failures",
    "cancellation",
    "retry",
    "tools",
    "inputs",
    "widgets",
    "attachments",
    "transcription",
    "errors",
    "isolation",
    "robustness",
    "concurrency",
    "idempotence",
)
"""The modules in ``cases/``, in the order of reports."""


class Unmet(Exception):
    """The server did something else than the clause says.

    Args:
        expected: What would have been right, for a stranger.
        got: What came instead.
    """

    def __init__(self, expected: str, got: object) -> None:
        super().__init__(f"expected {expected}; got {got}")
        self.expected = expected
        self.got = str(got)


class NotRun(Exception):
    """The case cannot be run against this server, and why."""


@dataclass(frozen=True)
class Clause:
    """One numbered sentence of the specification."""

    id: str
    level: Level
    text: str
    page: str
    """File name in ``docs/protocol``."""
    untestable: str = ""
    """Why no case can show it; empty for most."""


Check = Callable[["Client"], Awaitable[None]]


@dataclass(frozen=True)
class Case:
    """One case. Made by :func:`case`."""

    id: str
    """``section/name``; permanent: expected-failures files and other people's CI name it."""
    clause: Clause
    sends: str
    expects: str
    needs: frozenset[str]
    """Triggers and features of ``triggers.json``, ``socket`` for a real connection, ``two-users`` for a second person's
    credentials, ``credentials`` for the first one's, ``upload-url`` for the address of direct uploads."""
    slow: bool
    list_of_threads: bool
    """Whether it deletes threads, or pages through a person's threads: a cursor may be a thread that another case
    deletes. Of these cases only one runs at a time."""
    check: Check

    @property
    def section(self) -> str:
        """The part before the slash."""
        return self.id.partition("/")[0]

    @property
    def level(self) -> Level:
        """The level of the clause."""
        return self.clause.level


class Outcome(Enum):
    """How a case ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not run"


@dataclass
class Result:
    """What came of a case."""

    case: Case
    outcome: Outcome
    seconds: float = 0.0
    expected: str = ""
    got: str = ""
    """Of a failure; or why it was not run."""
    wire: str = ""
    """What was sent and what came back, of a failure."""
    known: bool = False
    """Listed in the expected-failures file."""


_CASES: dict[str, Case] = {}


def case(
    clause: str,
    *,
    sends: str,
    needs: Iterable[str] | str = (),
    slow: bool = False,
    list_of_threads: bool = False,
) -> Callable[[Check], Check]:
    """Make a case of a function. Its module and its name are the id, its docstring says what must happen.

    Args:
        clause: The clause that says so.
        sends: What is sent, for a stranger.
        needs: See :attr:`Case.needs`.
        slow: Begun first, because it waits.
        list_of_threads: See :attr:`Case.list_of_threads`.
    """

    def decorate(check: Check) -> Check:
        name: str = check.__name__
        section = check.__module__.rpartition(".")[2]
        identity = f"{section}/{name.replace('_', '-')}"
        if identity in _CASES:
            raise ValueError(f"two cases {identity}")
        _CASES[identity] = Case(
            id=identity,
            clause=clauses()[clause],
            sends=sends,
            expects=" ".join((check.__doc__ or "").split()),
            needs=frozenset([needs] if isinstance(needs, str) else needs),
            slow=slow,
            list_of_threads=list_of_threads,
            check=check,
        )
        return check

    return decorate


@cache
def clauses() -> dict[str, Clause]:
    """The clauses of the specification, by id."""
    stored: list[dict[str, Any]] = json.loads(
        (Path(__file__).parent / "clauses.json").read_text(encoding="utf-8")
    )
    return {each["id"]: Clause(**each) for each in stored}


@cache
def catalogue() -> tuple[Case, ...]:
    """Every case, in the order of sections."""
    for section in SECTIONS:
        import_module(f"{__package__}.cases.{section}")
    return tuple(_CASES.values())


def select(
    cases: Iterable[Case],
    *,
    patterns: Iterable[str] = (),
    sections: Iterable[str] = (),
    level: Level = "MAY",
) -> list[Case]:
    """The cases that any pattern and any section names, of ``level`` or stricter.

    Args:
        cases: From these.
        patterns: Ids of cases or of clauses, with ``*`` for anything; none for all.
        sections: Names of sections; none for all.
        level: ``MAY`` for all, ``MUST`` for what is required.

    Raises:
        ValueError: A pattern or a section names nothing.
    """
    cases = list(cases)
    for section in sections:
        if section not in SECTIONS:
            raise ValueError(f"there is no section {section}; there are {', '.join(SECTIONS)}")
    for pattern in patterns:
        if not any(_named(each, pattern) for each in cases):
            raise ValueError(f"no case is named {pattern}; --list shows all")
    allowed = LEVELS[: LEVELS.index(level) + 1]
    return [
        each
        for each in cases
        if (not patterns or any(_named(each, pattern) for pattern in patterns))
        and (not sections or each.section in sections)
        and each.level in allowed
    ]


def _named(case: Case, pattern: str) -> bool:
    return fnmatchcase(case.id, pattern) or fnmatchcase(case.clause.id, pattern)
