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


@pytest.fixture(scope="session")
def chatkit_upload_url():
    return "/attachments"


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
        "--chatkit-select=attachments/form-gives-an-attachment",
    )
    result.assert_outcomes(passed=3, failed=1, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "*clause:   THR-19 in docs/protocol/threads.md*",
            "*FAILED*test_chatkit?threads/rename?*",
        ]
    )


@pytest.mark.parametrize(
    ("listed", "outcomes"),
    [
        ("threads/rename  # it answers the old title", {"xfailed": 1, "passed": 1}),
        ("threads/rename-is-listed  # not true", {"failed": 2}),
    ],
)
def test_expected_failures_can_only_shrink(
    pytester: pytest.Pytester, listed: str, outcomes: dict[str, int]
) -> None:
    pytester.makepyfile(APP)
    known = pytester.makefile(".txt", known=listed)
    select = ("--chatkit-select=threads/rename", "--chatkit-select=threads/rename-is-listed")
    expected = f"--chatkit-expected-failures={known}"
    result = pytester.runpytest_inprocess("-p", "no:xdist", *select, expected)
    result.assert_outcomes(**outcomes)


def test_a_wrong_list_of_expected_failures_is_told(pytester: pytest.Pytester, served: str) -> None:
    known = pytester.makefile(".txt", known="threads/nothing  # a reason")
    result = pytester.runpytest_inprocess(
        "-p", "no:xdist", f"--chatkit-url={served}", f"--chatkit-expected-failures={known}"
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*there is no case threads/nothing*"])


def test_a_running_server_is_tested_without_a_test_file(
    pytester: pytest.Pytester, served: str
) -> None:
    result = pytester.runpytest_inprocess(
        "-p", "no:xdist", "-v",
        f"--chatkit-url={served}",
        "--chatkit-header=authorization: Bearer ada",
        "--chatkit-other-header=authorization: Bearer bob",
        "--chatkit-upload-url=/attachments",
        "--chatkit-select=retry/old-answer-is-gone", "--chatkit-select=isolation/cannot-write",
        "--chatkit-select=attachments/form-gives-an-attachment",
    )  # fmt: skip
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["*retry/old-answer-is-gone*PASSED*"])
