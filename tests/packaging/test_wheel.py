"""What is in the built wheel, and what is not."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from chatkit_asgi.playground.files import is_built

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(
        command, cwd=ROOT, check=True, capture_output=True, env={**os.environ, "NO_COLOR": "1"}
    )
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def test_the_wheel_carries_the_package_and_its_types(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert {"chatkit_asgi/__init__.py", "chatkit_asgi/py.typed", "chatkit_asgi/cli.py"} <= names


def test_the_wheel_carries_every_module_of_the_checkout(wheel: zipfile.ZipFile) -> None:
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "chatkit_asgi").rglob("*.py")}
    adapters = ROOT / "adapters"
    modules |= {str(path.relative_to(adapters)) for path in adapters.rglob("*.py")}
    assert modules <= set(wheel.namelist())


@pytest.mark.skipif(not is_built(), reason="the element is not built; `make ui` builds it")
def test_the_wheel_carries_the_element_though_git_does_not(wheel: zipfile.ZipFile) -> None:
    static = "chatkit_asgi/playground/static"
    built = {f"{static}/{path.name}" for path in (ROOT / static).iterdir()}
    assert f"{static}/chatkit.js" in built
    assert built <= set(wheel.namelist())


def test_the_wheel_carries_nothing_but_packages(wheel: zipfile.ZipFile) -> None:
    """Tests, benchmarks and the folder `adapters` itself stay at home."""
    packages = {path.name for path in (ROOT / "adapters").iterdir() if path.is_dir()}
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} <= {"chatkit_asgi", *packages}


def test_the_wheel_names_its_command_and_its_licence(wheel: zipfile.ZipFile) -> None:
    (entry_points,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "chatkit-asgi = chatkit_asgi.cli:main" in wheel.read(entry_points).decode()
    (metadata,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    assert "License-Expression: Apache-2.0" in wheel.read(metadata).decode()
