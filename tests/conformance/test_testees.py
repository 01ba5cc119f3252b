"""No false alarms: our own servers pass everything, and openai-chatkit fails exactly what is explained."""

from __future__ import annotations

import logging
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from chatkit_asgi import Options
from chatkit_asgi.conformance.case import Case, Outcome, catalogue
from chatkit_asgi.conformance.client import Target
from chatkit_asgi.conformance.runner import Known, Report, run
from chatkit_asgi.conformance.testee import make_app, owner
from chatkit_asgi.conformance.wire import AppTransport, SocketTransport
from chatkit_asgi.store import MemoryStore, SQLiteStore
from tests.conformance.serving import uvicorn_serving
from tests.conformance.specification import ROOT
from tests.conformance.subjects import STORES, Subject, names, subject

OFFICIAL = ROOT / "docs" / "conformance" / "openai-chatkit.txt"
ADA = [("authorization", "Bearer ada")]
BOB = [("authorization", "Bearer bob")]
QUICK: dict[str, Any] = {"options": Options(keep_alive=0.2, handle_signals=False), "pace": 0.1}


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


@pytest.fixture
async def app(store_kind: str, tmp_path: Path) -> AsyncIterator[Any]:
    """Our testee on a shipped store."""
    store: Any = (
        MemoryStore(owner=owner)
        if store_kind == "memory"
        else SQLiteStore(tmp_path / "chat.db", owner=owner)
    )
    yield make_app(store, **QUICK)
    await store.close()


@pytest.mark.parametrize(
    ("store_kind", "anyio_backend"), [("memory", "asyncio"), ("sqlite", "trio")]
)
async def test_ours_passes_everything(app: Any) -> None:
    """Invariant: MUST, SHOULD and MAY, on every store, in another order than usual, side by side."""
    target = Target(AppTransport(app, "/"), ADA, BOB, "http://testserver/attachments")
    report = await run(target, catalogue(), jobs=8, shuffle=7)
    assert failures(report) == {}
    left_out = {each.case.id for each in report.results if each.outcome is Outcome.NOT_RUN}
    assert left_out == {case.id for case in catalogue() if "socket" in case.needs}


STACKS = [name for name in names() if name not in STORES]
SAMPLE = ("transport", "failures", "attachments", "isolation")
"""What an adapter could spoil. ``python -m tests.conformance.reports`` runs everything."""


@pytest.fixture(params=STACKS)
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Subject]]:
    """The address of our testee behind an adapter. Frameworks are set up outside of any event loop."""
    served = subject(request.param)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = served.make(f"{url}{served.path}", tmp_path, QUICK["options"], QUICK["pace"])
        with uvicorn_serving(app, listener):
            yield url, served


async def test_ours_passes_on_every_stack(stack: tuple[str, Subject]) -> None:
    """Invariant: an adapter changes nothing that a client sees."""
    url, served = stack
    ada, bob = [list((await served.sign_in(url, user)).items()) for user in ("ada", "bob")]
    cases = [each for each in catalogue() if each.section in SAMPLE and not each.slow]
    cases = [each for each in cases if each.level != "MAY" and "silent" not in each.needs]
    endpoint = f"{url}{served.path}"
    target = Target(SocketTransport(endpoint), ada, bob, f"{endpoint.rstrip('/')}/attachments")
    report = await run(target, cases, jobs=8)
    assert failures(report) == {}
    assert report.count(Outcome.NOT_RUN) == 0


async def test_ours_passes_over_a_socket(served: str) -> None:
    """What only a real connection shows, and a sample of the rest."""
    cases = [
        case
        for case in catalogue()
        if "socket" in case.needs or case.section in ("transport", "robustness", "attachments")
    ]
    # Whether a half-closed connection is answered depends on which of two things uvicorn hears of first.
    cases = [case for case in cases if "silent" not in case.needs and case.level != "MAY"]
    target = Target(SocketTransport(served), ADA, BOB, f"{served}/attachments")
    report = await run(target, cases, jobs=8)
    assert failures(report) == {}
    assert report.count(Outcome.NOT_RUN) == 0


RACY = {
    "cancellation/shown-text-is-kept",  # lost when the client leaves while the server writes
    "inputs/one-of-several-submissions-counts",  # check and save are two steps
    "tools/one-of-several-outputs-counts",  # the same
}
"""What openai-chatkit does or does not, as it happens."""


async def _official(cases: list[Case]) -> Report:
    pytest.importorskip("chatkit")
    from tests.conformance.official import make_app as make_official

    target = Target(AppTransport(make_official(pace=0.1), "/chatkit"), ADA, BOB)
    return await run(target, cases, jobs=8, strict=True, known=Known(OFFICIAL))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the reference's own
@pytest.mark.timeout(180)  # the reference takes long to import
@pytest.mark.parametrize("every", [8, pytest.param(1, marks=pytest.mark.slow)])
async def test_each_explained_failure_of_openai_chatkit_is_one(every: int) -> None:
    """Invariant: the list of expected failures can only shrink. A sample of it, quickly."""
    listed = Known(OFFICIAL).reasons
    cases = [case for case in catalogue() if case.id in listed and not case.slow][::every]
    report = await _official(cases)
    assert report.fixed == ()
    assert len(report.results) == len(cases) > 5


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the reference's own
async def test_openai_chatkit_has_no_other_failure() -> None:
    """No false alarms: every MUST and SHOULD that is not explained holds."""
    cases = [each for each in catalogue() if each.level != "MAY" and each.id not in RACY]
    report = await _official(cases)
    assert {each.case.id: each.got for each in report.failures} == {}
