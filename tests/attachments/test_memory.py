"""A gigabyte goes through a server that hardly notices."""

from __future__ import annotations

import pytest

from benchmarks import attachments


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_gigabyte_up_and_down_takes_less_than_32_mib() -> None:
    for row in attachments.memory(1024 * attachments.MiB):
        assert row.ours < 32, row


def test_memory_does_not_grow_with_a_file() -> None:
    for row in attachments.memory(64 * attachments.MiB):
        assert row.ours < 32, row
