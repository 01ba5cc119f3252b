"""The table at the end of a run: what was tried on which stack, and why something was not."""

from __future__ import annotations

from typing import Any

from tests.stacks.stack import STACKS

__all__ = ["pytest_terminal_summary"]

MARKS = {"passed": "+", "failed": "F", "error": "E", "skipped": "-"}


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table when tests of the suite were run."""
    cells: dict[str, dict[str, str]] = {}
    reasons: dict[str, None] = {}
    for outcome, mark in MARKS.items():
        for report in terminalreporter.stats.get(outcome, ()):
            told = dict(getattr(report, "user_properties", ()))
            if (stack := told.get("stack")) is None:
                continue
            row = cells.setdefault(told["case"], {})
            row[stack] = mark if row.get(stack, "+") in "+-" else row[stack]
            if outcome == "skipped":
                reason = str(report.longrepr[2]).removeprefix("Skipped: ")
                reasons[f"{stack}: {told['case']}: {reason}"] = None
    if not cells:
        return
    columns = [name for name in STACKS if any(name in row for row in cells.values())]
    terminalreporter.section("stacks")
    for number, name in enumerate(columns):
        terminalreporter.write_line(" " * 2 + "| " * number + f"+ {name}")
    for case in sorted(cells):
        marks = " ".join(cells[case].get(name, " ") for name in columns)
        terminalreporter.write_line(f"  {marks}  {case.removeprefix('test_').replace('_', ' ')}")
    for reason in reasons:
        terminalreporter.write_line(f"  not tried: {reason}")
