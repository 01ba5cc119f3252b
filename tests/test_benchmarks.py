"""The benchmarks keep working: every subject runs, quickly, and measures both sides.

How fast anything is, is not asserted here: that is for ``make bench`` on a quiet machine.
"""

from __future__ import annotations

from importlib import import_module

import pytest

from benchmarks.__main__ import SUBJECTS, machine
from benchmarks._report import table

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
