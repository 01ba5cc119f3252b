"""Cases about connections, each against a proxy that is wrong in that way and only in that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chatkit_asgi.conformance.case import catalogue
from chatkit_asgi.conformance.client import Target
from chatkit_asgi.conformance.runner import run
from chatkit_asgi.conformance.wire import SocketTransport
from tests.conformance.matrix import failed
from tests.conformance.serving import Proxy

ABOUT_CONNECTIONS = [case for case in catalogue() if "socket" in case.needs]
ADA = [("authorization", "Bearer ada")]

WRONG = {
    "keeps_connections": (False, {"transport/connection-is-kept", "robustness/pipelined-requests"}),
    "says_continue": (False, {"robustness/expect-continue"}),
    "minds_half_closed": (True, {"robustness/half-closed-connection"}),
    "dies_of_garbage": (True, {"robustness/no-http"}),
    "completes_requests": (True, {"cancellation/half-a-request-does-nothing"}),
}


def test_every_case_about_connections_has_a_proxy() -> None:
    broken = {identity for _, cases in WRONG.values() for identity in cases}
    assert broken == {case.id for case in ABOUT_CONNECTIONS}


async def _failed(proxy: Proxy) -> set[str]:
    """Each case against a proxy of its own: one of them does not survive."""
    found: set[str] = set()
    for case in ABOUT_CONNECTIONS:
        async with replace(proxy).serving() as url:
            report = await run(Target(SocketTransport(url), ADA), [case], timeout=15)
            found |= set(failed(report.results))
    return found


async def test_a_sound_proxy_passes(served: str) -> None:
    assert await _failed(Proxy(served)) == set()


@pytest.mark.parametrize("flag", WRONG)
async def test_a_wrong_proxy_fails_what_is_about_it(flag: str, served: str) -> None:
    value, broken = WRONG[flag]
    assert await _failed(replace(Proxy(served), **{flag: value})) == broken
