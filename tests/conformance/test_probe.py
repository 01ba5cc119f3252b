"""``chatkit-asgi probe``: each misconfiguration is named, with advice; a sound deployment has none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from chatkit_asgi.cli import main
from chatkit_asgi.conformance.client import Target
from chatkit_asgi.conformance.probe import Finding, probe, told
from chatkit_asgi.conformance.wire import AppTransport
from tests.conformance.broken import Asked, Broken
from tests.conformance.matrix import sound
from tests.conformance.mutants import MUTANTS

ADA = [("authorization", "Bearer ada")]
PAGE = "https://my.app"


async def findings(app: Any, headers: Any = ADA, origin: str = "") -> dict[str, Finding]:
    found = await probe(Target(AppTransport(app, "/"), headers), origin)
    return {each.check: each for each in found}


def with_cors(app: Any, **options: Any) -> Any:
    allowed = {"allow_origins": [PAGE], "allow_methods": ["POST"], "allow_headers": ["*"]}
    return CORSMiddleware(app, **(allowed | options))


def page_for_everything(app: Any) -> Any:
    page = (200, {"content-type": "text/html"}, b"<!doctype html>Sign in")
    return Broken(app, early=lambda asked: page)


def answering(status: int, **headers: str) -> Callable[[Any], Any]:
    return lambda app: Broken(
        app, early=lambda asked: (status, {"content-type": "text/plain", **headers}, b"x")
    )


def collecting(app: Any) -> Any:
    """What a buffering proxy does."""
    return Broken(app, whole=lambda asked: True)


def compressing(app: Any) -> Any:
    """A middleware that compresses event streams too."""

    def head(asked: Asked, status: int, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
        wanted = "gzip" in asked.headers.get("accept-encoding", "")
        return status, {**headers, "content-encoding": "gzip"} if wanted else headers

    return Broken(app, head=head)


def silencing(app: Any) -> Any:
    return Broken(app, raw=lambda asked, body: body.replace(b": keep-alive\n\n", b""))


def mutant(name: str) -> Callable[[Any], Any]:
    """The server that is broken in that way, for a case of the suite."""
    return lambda app: MUTANTS[name].around(app)


open_to_all = mutant("takes_nobody_for_somebody")


def calling_json_text(app: Any) -> Any:
    def head(asked: Asked, status: int, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
        is_json = headers["content-type"] == "application/json"
        return status, {**headers, "content-type": "text/plain"} if is_json else headers

    return Broken(app, head=head)


async def test_a_sound_deployment_has_nothing_wrong() -> None:
    found = await findings(with_cors(sound()), origin=PAGE)
    assert {each.check for each in found.values() if each.verdict == "ok"} >= {
        "address", "method", "json", "authentication", "stream", "compression", "buffering", "keep-alive", "cors",
    }  # fmt: skip
    assert [each for each in found.values() if each.verdict != "ok"] == []
    assert told(list(found.values())).endswith("Nothing is wrong.")


@pytest.mark.parametrize(
    ("wrong", "check", "advice"),
    [
        (page_for_everything, "json", "login page"),
        (answering(404), "path", "trailing slash"),
        (answering(307, location="/chatkit/"), "redirect", "/chatkit/"),
        (answering(502), "upstream", "behind it does not"),
        (calling_json_text, "json", "Answer with application/json"),
        (mutant("streams_as_octets"), "stream", "answered with 200 and text/event-stream"),
        (mutant("cuts_streams"), "stream", "a worker's time limit"),
        (collecting, "buffering", "proxy_buffering off"),
        (compressing, "compression", "Except text/event-stream"),
        (open_to_all, "authentication", "Refuse whoever is not signed in"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_each_mistake_is_named(wrong: Any, check: str, advice: str) -> None:
    finding = (await findings(wrong(sound())))[check]
    assert finding.verdict == "wrong"
    assert advice in finding.advice


async def test_missing_comments_are_noted() -> None:
    finding = (await findings(silencing(sound())))["keep-alive"]
    assert finding.verdict == "note"
    assert "every 15 seconds" in finding.advice


async def test_missing_credentials_are_asked_for() -> None:
    finding = (await findings(sound(), headers=[]))["authentication"]
    assert finding.verdict == "wrong"
    assert "--header" in finding.advice


@pytest.mark.parametrize(
    ("cors", "found"),
    [
        ({"allow_origins": ["https://other.app"]}, "the preflight"),
        ({"allow_headers": ["content-type"]}, "the preflight"),
    ],
)
async def test_wrong_cors_is_named(cors: Any, found: str) -> None:
    finding = (await findings(with_cors(sound(), **cors), origin=PAGE))["cors"]
    assert finding.verdict == "wrong"
    assert found in finding.found


async def test_a_preflight_that_needs_credentials_is_named() -> None:
    finding = (await findings(sound(), origin=PAGE))["cors"]
    assert finding.verdict == "wrong"
    assert "without credentials first" in finding.advice


async def test_ordinary_compression_that_spares_streams_is_fine() -> None:
    """Starlette's middleware does so by default."""
    found = await findings(GZipMiddleware(sound()))
    assert found["compression"].verdict == "ok"


def test_the_command_says_when_there_is_no_server(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "http://127.0.0.1:9/chatkit"]) == 2
    assert "no connection" in capsys.readouterr().err


def test_the_command_gives_1_for_what_is_wrong(
    served: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["probe", served]) == 1
    assert "WRONG authentication: 401" in capsys.readouterr().out
