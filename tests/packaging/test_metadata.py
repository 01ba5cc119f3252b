"""pyproject, the pinned requirements, the Makefile and the README say the same thing."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import chatkit_asgi

ROOT = Path(__file__).parents[2]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
PINNED = sorted((ROOT / "requirements").glob("*.txt"))


def lines(path: Path) -> set[str]:
    """The requirements of a ``.in`` file."""
    return {line for line in path.read_text().splitlines() if line and line[0] not in "#-"}


def make_targets() -> set[str]:
    """The targets that ``make help`` lists."""
    return set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_the_core_needs_msgspec_and_anyio_and_nothing_else() -> None:
    names = {re.split(r"[<>=\[]", each)[0] for each in PROJECT["dependencies"]}
    assert names == {"anyio", "msgspec"}
    assert set(PROJECT["dependencies"]) <= lines(ROOT / "requirements/core.in")


def test_the_design_s_extras_are_there() -> None:
    """design.md section 3: one wheel holds everything, extras bring the rest."""
    promised = {
        "agents",
        "conformance",
        "demo",
        "django",
        "fastapi",
        "litestar",
        "postgres",
        "quart",
        "s3",
    }
    assert promised <= PROJECT["optional-dependencies"].keys()


def test_the_version_is_the_changelog_s_newest() -> None:
    heads = re.findall(r"^## \[?([^\]\s]+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    newest = next(head for head in heads if head.lower() != "unreleased")
    assert newest == chatkit_asgi.__version__


@pytest.mark.parametrize("path", PINNED, ids=lambda path: path.name)
def test_requirements_are_pinned_by_hash_and_name_no_address(path: Path) -> None:
    text = path.read_text()
    assert "://" not in text
    for entry in re.split(r"\n(?=\S)", text):
        if not entry.startswith("#"):
            assert re.match(r"[\w.\[\]-]+==\S+", entry), entry
            assert "--hash=sha256:" in entry, entry


def test_every_requirements_file_has_its_source() -> None:
    sources = {path.stem for path in (ROOT / "requirements").glob("*.in")} - {"core"}
    assert sources == {path.stem for path in PINNED}


def test_demo_and_test_environments_pin_the_same_versions() -> None:
    """They are installed on top of each other into one environment."""

    def pins(name: str) -> dict[str, str]:
        text = (ROOT / f"requirements/{name}.txt").read_text()
        return dict(re.findall(r"^([\w.\[\]-]+)==(\S+)", text, re.MULTILINE))

    test = pins("test")
    assert {name: test.get(name) for name in pins("demo")} == pins("demo")


def test_the_readme_names_only_make_targets_that_exist() -> None:
    named = set(re.findall(r"\bmake ([a-z-]+)\b(?=[`\s])", (ROOT / "README.md").read_text()))
    assert {"demo", "test"} <= named
    assert named <= make_targets()


def test_the_readme_names_only_extras_that_exist() -> None:
    readme = (ROOT / "README.md").read_text()
    named = re.findall(r"(?:`|chatkit-asgi)\[([a-z0-9,-]+)\]", readme)
    extras = {extra for group in named for extra in group.split(",")}
    assert {"demo"} <= extras <= PROJECT["optional-dependencies"].keys()


def test_ci_runs_what_the_readme_and_the_makefile_call() -> None:
    called = set(re.findall(r"^\s*make ([a-z]+)", (ROOT / ".ci/run").read_text(), re.MULTILINE))
    assert called == {"lint", "types", "build", "test", "newest"}
    assert called <= make_targets()
