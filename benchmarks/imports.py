"""Import: wall time, modules and resident memory of a fresh process; time to the first frame of an answer."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

from ._report import Row

__all__ = ["NAME", "run"]

NAME = "import"

ROOT = Path(__file__).resolve().parent.parent

_IMPORT = """
import json, sys, time
before = len(sys.modules)
began = time.perf_counter()
import {module}
spent = time.perf_counter() - began
kib = next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("VmRSS"))
print(json.dumps([spent, len(sys.modules) - before, kib / 1024]))
"""

_FIRST = """
import json, time
began = time.perf_counter()
import asyncio
from benchmarks.data import CREATE_BODY
from benchmarks.{module} import {server}
async def main():
    result = await {server}(deltas=1).process(CREATE_BODY, {{}})
    async for frame in result:
        print(json.dumps([time.perf_counter() - began]))
        return
asyncio.run(main())
"""


def _median(script: str, rounds: int) -> list[float]:
    results: list[list[float]] = []
    for _ in range(rounds):
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
        )
        results.append(json.loads(done.stdout.splitlines()[0]))
    return [statistics.median(column) for column in zip(*results, strict=True)]


def run(quick: bool = False) -> list[Row]:
    """The rows of this subject."""
    rounds = 2 if quick else 7
    official = _median(_IMPORT.format(module="chatkit.server"), rounds)
    rows: list[Row] = []
    for module, faster, lighter in (("chatkit_asgi.types", None, None), ("chatkit_asgi", 25, 20),
                                    ("chatkit_asgi.asgi", 15, 30)):  # fmt: skip
        ours = _median(_IMPORT.format(module=module), rounds)
        rows.append(Row(f"import {module}, wall time", ours[0] * 1e3, official[0] * 1e3, "ms", official[0] / ours[0],
                        faster, f"{ours[1]:.0f} modules against {official[1]:.0f}"))  # fmt: skip
        rows.append(Row(f"import {module}, resident", ours[2], official[2], "MiB", official[2] / ours[2], None,
                        f"at most {lighter} MiB" if lighter else ""))  # fmt: skip
    ours = _median(_FIRST.format(module="ours", server="OurServer"), rounds)
    theirs = _median(_FIRST.format(module="official", server="OfficialServer"), rounds)
    rows.append(Row("fresh process to the first frame of an answer", ours[0] * 1e3, theirs[0] * 1e3, "ms",
                    theirs[0] / ours[0], 15, ""))  # fmt: skip
    return rows
