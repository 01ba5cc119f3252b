"""The benchmarks keep working: every subject runs, quickly, and measures both sides.

How fast anything is, is not asserted here: that is for ``make bench`` on a quiet machine.
"""

from __future__ import annotations

from importlib import import_module

import pytest

from benchmarks.__main__ import SUBJECTS, machine
from benchmarks._report import Row, table

QUICK = ("codec", "turn", "widgets", "threads")


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "subject",
    [pytest.param(each, marks=() if each in QUICK else pytest.mark.slow) for each in SUBJECTS],
)
@pytest.mark.filterwarnings("default")
def test_a_subject_measures_both_sides(subject: str) -> None:
    module = import_module(f"benchmarks.{subject}")
    rows = module.run(quick=True)
    assert rows
    for row in rows:
        least = 0 if row.measure.startswith("memory") else 1e-9  # it need not grow
        assert min(row.ours, row.other, row.ratio) >= least, row
    assert table(rows).count("\n") == len(rows) + 1


def test_results_name_the_versions_and_the_machine() -> None:
    assert "openai-chatkit 1.6.5" in machine()
    assert "cores" in machine()


def test_a_budget_that_was_missed_is_marked() -> None:
    rows = [
        Row("faster", 1, 14.9, "ms", 14.9, 15, ""),
        Row("faster still", 1, 15, "ms", 15, 15, ""),
        Row("flat", 1.21, 1, "ms", 1.21, 1.2, "", at_most=True),
        Row("flatter", 1.2, 1, "ms", 1.2, 1.2, "", at_most=True),
        Row("of no budget", 1, 1, "ms", 0.1, None, ""),
    ]
    marked = [line.split(" | ")[5] for line in table(rows).splitlines()[2:]]
    assert marked == ["≥ 15, **missed**", "≥ 15", "≤ 1.2, **missed**", "≤ 1.2", ""]
