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
    at_most: bool = False
    """Whether the budget is a ceiling; else it is a floor."""

    @property
    def missed(self) -> bool:
        """Whether the ratio, as it is printed, is on the wrong side of the budget."""
        if self.budget is None:
            return False
        ratio = round(self.ratio, 2)
        return ratio > self.budget if self.at_most else ratio < self.budget


def table(rows: Iterable[Row]) -> str:
    """The rows as a Markdown table."""
    lines = [
        "| measure | ours | other | unit | ratio | budget | note |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        budget = "" if row.budget is None else f"{'≤' if row.at_most else '≥'} {row.budget:g}"
        lines.append(
            f"| {row.measure} | {row.ours:,.4g} | {row.other:,.4g} | {row.unit}"
            f" | {row.ratio:.2f} | {budget}{', **missed**' if row.missed else ''} | {row.note} |"
        )
    return "\n".join(lines)
