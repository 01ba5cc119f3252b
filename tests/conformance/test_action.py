"""The GitHub action: its steps are run by bash as a runner runs them, against a real server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.conformance.matrix import sound
from tests.conformance.mutants import MUTANTS
from tests.conformance.serving import uvicorn_serving
from tests.conformance.specification import ROOT

ACTION: dict[str, Any] = yaml.safe_load(
    (ROOT / "docs" / "conformance" / "action.yml").read_text(encoding="utf-8")
)
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
RUNNERS_BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
"""What ``shell: bash`` means, as GitHub's documentation of workflow syntax has it."""
REPORTS = {"html", "xml", "sarif", "svg", "txt"}
PEOPLE = {"header": "authorization: Bearer ada", "other-header": "authorization: Bearer bob"}


class Ran(NamedTuple):
    """What came of the action."""

    code: int
    """The exit code of the first step that failed; 0 if none did."""
    folder: Path
    summary: str
    installed: str
    """What the first step asked pip for."""


def filled(text: str, inputs: dict[str, str]) -> str:
    """The text with its ``${{ inputs.NAME }}``; any other expression is not known here, and fails."""
    return re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda found: inputs[found[1]], text)


def act(folder: Path, **given: str) -> Ran:
    """Run the steps that are commands, as a runner does.

    ``pip install`` is not run: this checkout is what is tested, and it is installed already. A ``python`` that comes
    first in the path writes down what it was asked for.
    """
    inputs = {name: str(each.get("default", "")) for name, each in ACTION["inputs"].items()}
    inputs |= {name.replace("_", "-"): value for name, value in given.items()}
    tools = folder / "tools"
    tools.mkdir()
    shim = tools / "python"
    shim.write_text('#!/bin/sh\n[ "$1 $2 $3" = "-m pip install" ] && echo "$*" > "$PIP_LOG"\n')
    shim.chmod(0o755)
    work = folder / "work"
    work.mkdir()
    summary, pip = folder / "summary.md", folder / "pip.txt"
    path = os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.environ["PATH"]])
    code = 0
    for step in STEPS:
        if "uses" in step or (code and step.get("if") != "always()"):
            continue
        assert step["shell"] == "bash"
        script = folder / "step.sh"
        script.write_text(filled(step["run"], inputs), encoding="utf-8")
        env = {name: filled(value, inputs) for name, value in step.get("env", {}).items()}
        done = subprocess.run(
            [*RUNNERS_BASH, str(script)], cwd=work, check=False, timeout=60,
            env={**os.environ, **env, "PATH": path, "GITHUB_STEP_SUMMARY": str(summary), "PIP_LOG": str(pip)},
        )  # fmt: skip
        code = code or done.returncode
    return Ran(code, work, summary.read_text(encoding="utf-8"), pip.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def healthy() -> Iterator[str]:
    """The address of our testee, which does not take its time."""
    with uvicorn_serving(sound()) as url:
        yield url


@pytest.fixture(scope="module")
def broken() -> Iterator[str]:
    """The address of one that answers renames with the old title."""
    with uvicorn_serving(MUTANTS["answers_the_old_title"].around(sound())) as url:
        yield url


def test_it_is_a_composite_action_of_known_parts() -> None:
    assert ACTION["runs"]["using"] == "composite"
    used = [step["uses"] for step in STEPS if "uses" in step]
    assert used == ["actions/setup-python@v5", "actions/upload-artifact@v4"]
    assert [name for name, each in ACTION["inputs"].items() if each.get("required")] == ["url"]
    assert all(each["description"] for each in ACTION["inputs"].values())


def test_no_input_becomes_part_of_a_script() -> None:
    """Inputs reach scripts as variables only, so that none can be a command."""
    assert not any("${{" in step["run"] for step in STEPS if "run" in step)


def test_a_sound_server_passes_and_leaves_every_report(healthy: str, tmp_path: Path) -> None:
    ran = act(
        tmp_path, url=healthy, **PEOPLE, upload_url="/attachments", level="must", strict="true",
        version="==1.2.3",
    )  # fmt: skip
    assert ran.code == 0
    assert ran.installed.split()[-1] == "chatkit-asgi==1.2.3"
    uploaded = next(step["with"]["path"] for step in STEPS if "upload-artifact" in str(step))
    assert {path.suffix[1:] for path in ran.folder.glob(uploaded)} == REPORTS
    suite = ElementTree.parse(ran.folder / "conformance.xml").getroot()
    assert (suite.get("failures"), suite.get("skipped")) == ("0", "0")
    assert "is ChatKit" in ran.summary
    assert "0 failed" in ran.summary


def test_a_broken_server_fails_and_is_reported_all_the_same(broken: str, tmp_path: Path) -> None:
    ran = act(tmp_path, url=broken, header=PEOPLE["header"], level="must")
    assert ran.code == 1
    assert "is not ChatKit yet" in ran.summary
    (run,) = json.loads((ran.folder / "conformance.sarif").read_text(encoding="utf-8"))["runs"]
    assert {each["ruleId"] for each in run["results"] if each["level"] == "error"} == {"THR-19"}


def test_known_failures_are_forgiven(broken: str, tmp_path: Path) -> None:
    known = tmp_path / "known.txt"
    known.write_text("threads/rename  # it answers the old title\n")
    ran = act(
        tmp_path, url=broken, header=PEOPLE["header"], level="must", expected_failures=str(known)
    )
    assert ran.code == 0
    assert "expected failures: 1" in ran.summary


def test_no_server_is_an_error_of_its_own(tmp_path: Path) -> None:
    assert act(tmp_path, url="http://127.0.0.1:9/chatkit").code == 2
