"""The pytest plugin: every case is a test."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

APP = """
import pytest
from chatkit_asgi import Options
from chatkit_asgi.conformance.testee import make_app
from tests.conformance.mutants import MUTANTS


@pytest.fixture(scope="session")
def chatkit_app():
    return MUTANTS["answers_the_old_title"].around(
        make_app(options=Options(handle_signals=False), pace=0.1)
    )


@pytest.fixture(scope="session")
def chatkit_headers():
    return {"authorization": "Bearer ada"}


@pytest.fixture(scope="session")
def chatkit_path():
    return "/"


def test_chatkit(chatkit_case):
    chatkit_case.check()
"""


def test_an_app_is_tested_without_a_server(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(APP)
    result = pytester.runpytest_inprocess(
        "-p",
        "no:xdist",
        "--chatkit-select=threads/rename*",
        "--chatkit-select=isolation/cannot-write",
    )
    result.assert_outcomes(passed=2, failed=1, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "*clause:   THR-19 in docs/protocol/threads.md*",
            "*FAILED*test_chatkit?threads/rename?*",
        ]
    )


def test_a_running_server_is_tested_without_a_test_file(
    pytester: pytest.Pytester, served: str
) -> None:
    result = pytester.runpytest_inprocess(
        "-p", "no:xdist", "-v",
        f"--chatkit-url={served}",
        "--chatkit-header=authorization: Bearer ada",
        "--chatkit-other-header=authorization: Bearer bob",
        "--chatkit-select=retry/old-answer-is-gone", "--chatkit-select=isolation/cannot-write",
    )  # fmt: skip
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*retry/old-answer-is-gone*PASSED*"])
