"""What a benchmark reports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["Row", "table"]


class Row(NamedTuple):
    """One measurement of ours beside another's."""

    measure: str
    ours: float
    other: float
    unit: str
    ratio: float
    """How many times better ours is; for a cost that should stay flat, how many times more it is."""
    budget: float | None
    note: str


def table(rows: Iterable[Row]) -> str:
    """The rows as a Markdown table."""
    lines = [
        "| measure | ours | other | unit | ratio | budget | note |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        budget = "" if row.budget is None else f"{row.budget:g}"
        lines.append(
            f"| {row.measure} | {row.ours:,.4g} | {row.other:,.4g} | {row.unit}"
            f" | {row.ratio:.2f} | {budget} | {row.note} |"
        )
    return "\n".join(lines)
