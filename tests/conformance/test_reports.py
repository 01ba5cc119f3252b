"""The committed reports and pages say what they should."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from chatkit_asgi.conformance.case import catalogue
from chatkit_asgi.conformance.runner import Known
from tests.conformance.mutants import MUTANTS
from tests.conformance.reports import OTHERS, REPORTS, SUMMARY, page
from tests.conformance.specification import ROOT
from tests.conformance.subjects import names

ROWS: dict[str, Any] = json.loads(SUMMARY.read_text(encoding="utf-8"))
PAGES = [*(ROOT / "docs" / "protocol").glob("*.md"), *(ROOT / "docs" / "conformance").rglob("*.md")]


def test_our_servers_pass_every_must_and_should() -> None:
    """On every store and every stack, over real sockets, in less than a minute."""
    ours = {name: row for name, row in ROWS.items() if name not in OTHERS}
    assert set(names()) == set(ours)
    for name, row in ours.items():
        assert row["failed"]["MUST"] == row["failed"]["SHOULD"] == [], name
        assert row["not run"] == 0, name
        assert row["seconds"] < 60, name


@pytest.mark.parametrize("name", OTHERS)
def test_each_failure_of_another_server_is_explained(name: str) -> None:
    explained = Known(ROOT / "docs" / "conformance" / f"{name}.txt").reasons
    failed = {*ROWS[name]["failed"]["MUST"], *ROWS[name]["failed"]["SHOULD"]}
    assert failed <= set(explained)


@pytest.mark.parametrize("name", OTHERS)
def test_what_was_not_run_is_explained_too(name: str) -> None:
    text = (ROOT / "docs" / "conformance" / f"{name}.txt").read_text(encoding="utf-8")
    assert f"those {ROWS[name]['not run']} cases are not run" in text


def test_every_report_is_there_and_listed() -> None:
    assert {path.stem for path in REPORTS.glob("*.html")} == set(ROWS)
    assert (REPORTS / "README.md").read_text(encoding="utf-8") == page(ROWS)


def test_no_report_shows_credentials() -> None:
    for path in REPORTS.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"Bearer (ada|bob)|csrftoken=|sessionid=\w", text), path.name


def test_the_pages_count_right() -> None:
    cases, servers = f"{len(catalogue())} cases", f"{len(MUTANTS)} servers"
    readme = (ROOT / "docs" / "conformance" / "README.md").read_text(encoding="utf-8")
    assert cases in readme
    assert servers in readme
    assert cases in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_links_between_pages_lead_somewhere() -> None:
    for path in PAGES:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            assert (path.parent / link).exists(), f"{path.name}: {link}"
