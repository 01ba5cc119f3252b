"""Proof that the suite bites: for every case at least one server that is broken in the way that the case looks for."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator
from statistics import median

import pytest

from chatkit_asgi.conformance.case import Outcome, catalogue
from chatkit_asgi.conformance.runner import discover
from tests.conformance.broken import Asked, Reply
from tests.conformance.matrix import IN_PROCESS, outcomes, recorded, sound, target, work_out
from tests.conformance.mutants import MUTANTS, Mutant

CASES = {case.id: case for case in catalogue()}
WIDE = 12
"""Cases that a mutant may break; those that break something that most cases need say so."""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Mutants and triggers fail on purpose, and loudly."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_every_case_has_a_mutant() -> None:
    """Those about connections have theirs in ``test_connections.py``."""
    made_for = {target for mutant in MUTANTS.values() for target in mutant.targets}
    assert {case.id for case in IN_PROCESS} == made_for


def test_the_matrix_has_every_mutant_and_what_it_was_made_for() -> None:
    matrix = recorded()
    assert set(matrix) == set(MUTANTS)
    for name, broken in matrix.items():
        assert set(MUTANTS[name].targets) <= set(broken), name
        assert set(broken) <= set(CASES)


def test_mutants_break_little() -> None:
    """Invariant: a server that is wrong about one thing fails the cases about that thing, and not the rest."""
    matrix = recorded()
    assert median(map(len, matrix.values())) == 1
    for name, broken in matrix.items():
        assert MUTANTS[name].wide or len(broken) <= WIDE, name


SHARES = 10
"""The mutants are shared out over so many tests, which can run side by side."""


@pytest.mark.parametrize("share", range(SHARES))
async def test_every_mutant_is_caught_by_the_cases_that_it_was_made_for(share: int) -> None:
    features = await discover(target(sound()))
    missed: dict[str, list[str]] = defaultdict(list)
    for mutant in list(MUTANTS.values())[share::SHARES]:
        cases = [CASES[identity] for identity in mutant.targets]
        for result in await outcomes(mutant, cases, features):
            if result.outcome is not Outcome.FAILED:
                missed[result.case.id].append(str(result.got))
    assert missed == {}


async def test_a_preview_may_be_reached_by_a_redirect() -> None:
    """No false alarm: browsers follow them."""

    def elsewhere(asked: Asked) -> Reply | None:
        is_first = asked.method == "GET" and not asked.query
        return (307, {"location": "?elsewhere"}, b"") if is_first else None

    mutant = Mutant((), lambda: {"files": True, "early": elsewhere}, wide=False)
    cases = [each for identity, each in CASES.items() if "preview" in identity]
    found = await outcomes(mutant, cases, await discover(target(sound())))
    assert [each.outcome for each in found] == [Outcome.PASSED] * 4


async def test_a_failure_says_what_was_sent_what_came_and_what_was_expected() -> None:
    """To somebody who knows neither the suite nor the server."""
    from chatkit_asgi.conformance.report import failure

    features = await discover(target(sound()))
    mutant = MUTANTS["answers_the_old_title"]
    (result,) = await outcomes(mutant, [CASES["threads/rename"]], features)
    text = failure(result)
    for part in (
        'the title in the answer is "New title"',
        '"old"',
        "THR-19 in docs/protocol/threads.md",
        "`threads.update` sets the title and answers with the thread",
        '> {"type": "threads.update", "params": {"thread_id": "thr_',
        '"title": "old"',
        "authorization: (not shown)",
    ):
        assert part in text
    assert "Bearer ada" not in text


@pytest.mark.slow
@pytest.mark.parametrize("share", range(SHARES))
async def test_the_matrix_is_what_is_committed(share: int) -> None:
    """Every mutant fails exactly the cases that are recorded; ``python -m tests.conformance.matrix`` records anew."""
    names = list(MUTANTS)[share::SHARES]
    committed = recorded()
    assert await work_out(names) == {name: committed[name] for name in names}
