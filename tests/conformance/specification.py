"""Reads the specification in ``docs/protocol``: its clauses and its examples.

``python -m tests.conformance.specification`` writes the clauses to where the suite has them.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import chatkit_asgi.conformance

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "protocol"
STORED = Path(chatkit_asgi.conformance.__file__).parent / "clauses.json"

CLAUSE = re.compile(
    r"^\*\*([A-Z]{3}-\d+)\s\((MUST|SHOULD|MAY)(?:; untestable: ([^)]+))?\)\*\*\s(.+?)(?=\n\n|\Z)",
    re.MULTILINE | re.DOTALL,
)


def clauses() -> list[dict[str, Any]]:
    """Every clause, page by page."""
    found: list[dict[str, Any]] = []
    for page in sorted(PAGES.glob("*.md")):
        if page.name == "README.md":
            continue
        for identity, level, reason, text in CLAUSE.findall(page.read_text(encoding="utf-8")):
            found.append(
                {
                    "id": identity,
                    "level": level,
                    "text": " ".join(text.split()),
                    "page": page.name,
                    "untestable": " ".join(reason.split()),
                }
            )
    return found


def mentions() -> set[str]:
    """Every bold id in the pages, to find clauses that the pattern above misses."""
    text = "".join(
        page.read_text(encoding="utf-8") for page in PAGES.glob("*.md") if page.name != "README.md"
    )
    return set(re.findall(r"^\*\*([A-Z]{3}-\d+)", text, re.MULTILINE))


def examples() -> list[tuple[str, Any]]:
    """Every JSON value in the pages, with the page's name and its line."""
    found: list[tuple[str, Any]] = []
    for page in sorted(PAGES.glob("*.md")):
        inside = False
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
            if line.startswith("```"):
                inside = line == "```json"
            elif inside and line:
                found.append((f"{page.name}:{number}", json.loads(line)))
            elif line.startswith("data: "):
                found.append((f"{page.name}:{number}", json.loads(line[6:])))
    return found


def rendered() -> str:
    """What ``clauses.json`` must hold."""
    lines = ",\n".join(json.dumps(each, ensure_ascii=False) for each in clauses())
    return f"[\n{lines}\n]\n"


if __name__ == "__main__":
    STORED.write_text(rendered(), encoding="utf-8")
