"""Builds the element into the wheel and the sdist, where Node is; without it only the element is missing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ElementHook(BuildHookInterface):  # type: ignore[type-arg]
    """``make ui`` has mostly been there before; what it built is taken as it is."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        ui = Path(self.root) / "ui"
        static = Path(self.root) / "chatkit_asgi/playground/static"
        if (
            version == "editable"
            or (static / "chatkit.js").exists()
            or not (ui / "build.mjs").exists()
        ):
            return
        npm = shutil.which("npm")
        if npm is None:
            print(
                "The element is not in this build: there is no npm (Node 20 or newer).",
                file=sys.stderr,
            )
            return
        subprocess.run([npm, "ci", "--silent", "--ignore-scripts"], cwd=ui, check=True)
        subprocess.run(["node", "build.mjs"], cwd=ui, check=True)
