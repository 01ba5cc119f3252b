"""The command line: options, exit codes, and every report."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from chatkit_asgi.cli import main
from chatkit_asgi.conformance.case import catalogue
from tests.conformance.matrix import sound
from tests.conformance.mutants import MUTANTS
from tests.conformance.serving import uvicorn_serving

ADA = ["--header", "authorization: Bearer ada", "--other-header", "authorization: Bearer bob"]


@pytest.fixture(scope="module")
def broken() -> object:
    """The address of a server that answers renames with the old title."""
    with uvicorn_serving(MUTANTS["answers_the_old_title"].around(sound())) as url:
        yield url


def test_a_sound_server_is_chatkit(served: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conformance", served, *ADA, "--section", "threads", "--strict"]) == 0
    out = capsys.readouterr().out
    assert f"{served} is ChatKit" in out
    assert "   ok  MUST   threads/rename  [THR-19]" in out


def test_a_broken_server_is_not_and_all_reports_say_why(
    broken: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = {
        name: tmp_path / f"report.{name}" for name in ("json", "junit", "sarif", "html", "badge")
    }
    options = [part for name, path in paths.items() for part in (f"--{name}", str(path))]
    select = [
        "--select",
        "threads/rename",
        "--select",
        "threads/rename-is-listed",
        "--select",
        "THR-23",
    ]
    assert main(["conformance", broken, *ADA, *select, *options, "--quiet"]) == 1
    out = capsys.readouterr().out
    assert 'expected: the title in the answer is "New title"' in out
    assert "clause:   THR-19 in docs/protocol/threads.md" in out

    told = json.loads(paths["json"].read_text())
    assert told["ok"] is False
    failed = [each for each in told["results"] if each["outcome"] == "failed"]
    assert [each["id"] for each in failed] == ["threads/rename"]
    assert "threads.update" in failed[0]["wire"]

    suite = ElementTree.fromstring(paths["junit"].read_text())
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
    assert suite.find("testcase/failure") is not None

    (run,) = json.loads(paths["sarif"].read_text())["runs"]
    assert [(each["ruleId"], each["level"]) for each in run["results"]] == [("THR-19", "error")]

    page = paths["html"].read_text()
    assert "<pre>" in page
    assert "&quot;title&quot;: &quot;old&quot;" in page
    assert "<script" not in page
    assert ElementTree.fromstring(paths["badge"].read_text()).get("aria-label") == "ChatKit: 1/2"
    for path in paths.values():
        assert "Bearer ada" not in path.read_text(), "reports are published"


def test_expected_failures_can_only_shrink(
    broken: str, served: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = tmp_path / "known.txt"
    known.write_text("# a remark\nthreads/rename  # we shall fix it\n")
    options = [*ADA, "--select", "threads/rename", "--expected-failures", str(known)]
    assert main(["conformance", broken, *options]) == 0
    assert main(["conformance", served, *options]) == 1
    assert "threads/rename passes, but is listed as an expected failure" in capsys.readouterr().out
    assert main(["conformance", served, *options, "--forget-fixed"]) == 1
    assert known.read_text() == "# a remark\n"
    assert main(["conformance", served, *options]) == 0
    for wrong in ("threads/nothing  # a reason\n", "threads/rename\n"):
        known.write_text(wrong)
        assert main(["conformance", served, *options]) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["ftp://127.0.0.1/"],
        ["http://127.0.0.1:9/chatkit"],
        ["http://127.0.0.1:9/", "--select", "nothing/at-all"],
        ["http://127.0.0.1:9/", "--section", "nothing"],
        ["http://127.0.0.1:9/", "--header", "no colon"],
    ],
    ids=lambda arguments: " ".join(arguments) or "nothing",
)
def test_what_cannot_be_run_says_so(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["conformance", *arguments]) == 2
    assert capsys.readouterr().err.startswith("chatkit-asgi: ")


def test_cases_and_triggers_can_be_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cases.json"
    assert main(["conformance", "--list", "--json", str(path)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(catalogue())
    assert len(json.loads(path.read_text())) == len(catalogue())
    assert main(["conformance", "--triggers"]) == 0
    assert "triggers" in json.loads(capsys.readouterr().out)


def test_a_server_without_triggers_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    """Its other cases are run."""
    from chatkit_asgi import ChatKitApp, ChatKitRouter
    from chatkit_asgi.store import MemoryStore

    chat: ChatKitRouter[object] = ChatKitRouter(MemoryStore())

    @chat.respond
    async def respond(thread: object, message: object, context: object) -> object:
        yield "I am a real assistant."

    with uvicorn_serving(ChatKitApp(chat)) as url:
        assert main(["conformance", url, "--section", "retry", "--section", "tools"]) == 0
    out = capsys.readouterr().out
    assert "    -  MUST   tools/tool-call-is-pending  [TOL-1]  (needs the trigger tool)" in out
    assert "did not answer `conformance: triggers`" in out
