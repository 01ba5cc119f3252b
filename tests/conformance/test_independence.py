"""Every case is independent: alone, in any order, side by side. And all of them take less than a minute."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from chatkit_asgi.conformance.case import Outcome, catalogue
from chatkit_asgi.conformance.runner import Report, discover, run
from tests.conformance.matrix import IN_PROCESS, failed, outcomes, sound, target
from tests.conformance.reports import serving, target_at
from tests.conformance.subjects import STORES, SignIn

pytestmark = pytest.mark.slow

MINUTE = 60.0


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Triggers fail on purpose, and loudly."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


async def test_every_case_passes_alone_on_a_server_that_has_seen_nothing() -> None:
    """No case needs what another one has left behind."""
    alone = await outcomes(None, IN_PROCESS, await discover(target(sound())))
    assert failed(alone) == []
    assert {each.outcome for each in alone} == {Outcome.PASSED}
    assert len(alone) == len(IN_PROCESS)


@pytest.mark.parametrize("name", STORES)
def test_another_order_side_by_side_changes_nothing(name: str, tmp_path: Path) -> None:
    """The whole suite twice, sixteen at a time, in two orders, against one server that keeps what it has seen."""

    async def twice(url: str, sign_in: SignIn) -> list[Report]:
        reached = await target_at(name, url, sign_in)
        return [await run(reached, catalogue(), shuffle=seed) for seed in (1, 2)]

    with serving(name, tmp_path) as served:
        first, second = anyio.run(twice, *served)
    assert _required(first) == _required(second)
    assert set(_required(first).values()) == {"passed: "}
    assert first.seconds < MINUTE
    assert second.seconds < MINUTE


def _required(report: Report) -> dict[str, str]:
    found = [each for each in report.results if each.case.level != "MAY"]
    return {each.case.id: f"{each.outcome.value}: {each.got}" for each in found}
