"""No false alarms: our own servers pass everything, and openai-chatkit fails exactly what is explained."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from chatkit_asgi import Options
from chatkit_asgi.conformance.case import Outcome, catalogue
from chatkit_asgi.conformance.client import Target
from chatkit_asgi.conformance.runner import Known, Report, run
from chatkit_asgi.conformance.testee import make_app, owner
from chatkit_asgi.conformance.wire import AppTransport, SocketTransport
from chatkit_asgi.store import MemoryStore, SQLiteStore
from tests.conformance.specification import ROOT

OFFICIAL = ROOT / "docs" / "conformance" / "openai-chatkit.txt"
ADA = [("authorization", "Bearer ada")]
BOB = [("authorization", "Bearer bob")]
QUICK = {"options": Options(keep_alive=0.2, handle_signals=False), "pace": 0.1}


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Triggers fail on purpose, and loudly."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def failures(report: Report) -> dict[str, str]:
    return {
        each.case.id: f"expected {each.expected}; got {each.got}"
        for each in report.results
        if each.outcome is Outcome.FAILED
    }


@pytest.fixture(params=["memory", "sqlite"])
async def app(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Any]:
    """Our testee on each shipped store."""
    store: Any = (
        MemoryStore(owner=owner)
        if request.param == "memory"
        else SQLiteStore(tmp_path / "chat.db", owner=owner)
    )
    yield make_app(store, **QUICK)
    await store.close()


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_ours_passes_everything_on_every_store(app: Any) -> None:
    """Invariant: MUST, SHOULD and MAY, in another order than usual, side by side."""
    report = await run(Target(AppTransport(app, "/"), ADA, BOB), catalogue(), jobs=8, shuffle=7)
    assert failures(report) == {}
    left_out = {each.case.id for each in report.results if each.outcome is Outcome.NOT_RUN}
    assert left_out == {case.id for case in catalogue() if "socket" in case.needs}


async def test_ours_passes_over_a_socket(served: str) -> None:
    """What only a real connection shows, and a sample of the rest."""
    cases = [
        case
        for case in catalogue()
        if "socket" in case.needs or case.section in ("transport", "robustness", "attachments")
    ]
    cases = [case for case in cases if "silent" not in case.needs]
    report = await run(Target(SocketTransport(served), ADA, BOB), cases, jobs=8)
    assert failures(report) == {}
    assert report.count(Outcome.NOT_RUN) == 0


async def test_openai_chatkit_fails_what_is_explained_and_nothing_else() -> None:
    """Invariant: each of its failures is listed with the reason, each listed one fails, and all MUSTs but those hold."""
    pytest.importorskip("chatkit")
    from tests.conformance.official import make_app as make_official

    target = Target(AppTransport(make_official(pace=0.1), "/chatkit"), ADA, BOB)
    cases = [case for case in catalogue() if case.level != "MAY"]
    report = await run(target, cases, jobs=8, strict=True, known=Known(OFFICIAL))
    assert report.fixed == ()
    assert {each.case.id: each.got for each in report.failures} == {}
