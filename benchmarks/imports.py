"""Import: wall time, modules and resident memory of a fresh process; time to the first frame of an answer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from ._measure import pair_of
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


def _run(script: str) -> list[float]:
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    numbers: list[float] = json.loads(done.stdout.splitlines()[0])
    return numbers


def run(quick: bool = False) -> list[Row]:
    """The rows of this subject."""
    rounds = range(2 if quick else 7)
    rows: list[Row] = []
    for module, faster, lighter in (("chatkit_asgi.types", None, None), ("chatkit_asgi", 25, 20),
                                    ("chatkit_asgi.asgi", 15, 30)):  # fmt: skip
        both = [
            (_run(_IMPORT.format(module=module)), _run(_IMPORT.format(module="chatkit.server")))
            for _ in rounds
        ]
        wall, count, size = (
            pair_of([(ours[at], other[at]) for ours, other in both]) for at in range(3)
        )
        rows.append(Row(f"import {module}, wall time", wall.ours * 1e3, wall.other * 1e3, "ms", wall.ratio, faster,
                        f"{count.ours:.0f} modules against {count.other:.0f}"))  # fmt: skip
        rows.append(Row(f"import {module}, resident", size.ours, size.other, "MiB", size.ratio, None,
                        f"at most {lighter} MiB" if lighter else ""))  # fmt: skip
    first = (
        _FIRST.format(module="ours", server="OurServer"),
        _FIRST.format(module="official", server="OfficialServer"),
    )
    ours, theirs, ratio = pair_of([(_run(first[0])[0], _run(first[1])[0]) for _ in rounds])
    rows.append(
        Row(
            "fresh process to the first frame of an answer",
            ours * 1e3,
            theirs * 1e3,
            "ms",
            ratio,
            15,
            "",
        )
    )
    return rows
