"""The store of docs/stores.md, as pasted: it passes the contract as its own page runs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILES = dict(
    re.findall(
        r"^```python (\S+\.py)\n(.*?)^```",
        (ROOT / "docs" / "stores.md").read_text(encoding="utf-8"),
        re.M | re.S,
    )
)


def test_the_store_keeps_its_promises(tmp_path: Path) -> None:
    assert set(FILES) == {"my_store.py", "test_my_store.py"}
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "."],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\b\d{2,3} passed", done.stdout), done.stdout
    assert "failed" not in done.stdout
