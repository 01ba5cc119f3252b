"""The tables at the end of a run: what was tried on which stack and server, and why something was not."""

from __future__ import annotations

from typing import Any

__all__ = ["pytest_terminal_summary"]

MARKS = {"passed": "+", "failed": "F", "error": "E", "skipped": "-"}


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print a table for every suite that runs its cases on several subjects: it records the properties ``table``,
    ``stack`` and ``case`` of each test."""
    tables: dict[str, dict[str, dict[str, str]]] = {}
    reasons: dict[str, dict[str, None]] = {}
    for outcome, mark in MARKS.items():
        for report in terminalreporter.stats.get(outcome, ()):
            told = dict(getattr(report, "user_properties", ()))
            if (table := told.get("table")) is None:
                continue
            row = tables.setdefault(table, {}).setdefault(told["case"], {})
            row[told["stack"]] = mark if row.get(told["stack"], "+") in "+-" else row[told["stack"]]
            if outcome == "skipped":
                reason = str(report.longrepr[2]).removeprefix("Skipped: ")
                told_once = reasons.setdefault(table, {})
                told_once[f"{told['stack']}: {_sentence(told['case'])}: {reason}"] = None
    for table, cells in tables.items():
        terminalreporter.section(table)
        columns = sorted({name for row in cells.values() for name in row})
        for number, name in enumerate(columns):
            terminalreporter.write_line("  " + "| " * number + f"+ {name}")
        for case in sorted(cells):
            marks = " ".join(cells[case].get(name, " ") for name in columns)
            terminalreporter.write_line(f"  {marks}  {_sentence(case)}")
        for reason in reasons.get(table, ()):
            terminalreporter.write_line(f"  not tried: {reason}")


def _sentence(case: str) -> str:
    return case.removeprefix("test_").replace("_", " ")
