"""A report for people and for programs: text, JSON, JUnit, SARIF and a badge. HTML is in :mod:`.page`."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from .case import LEVELS, Outcome, Result
from .runner import Report

__all__ = [
    "SPECIFICATION",
    "WRITERS",
    "badge",
    "failure",
    "in_json",
    "in_junit",
    "in_sarif",
    "line",
    "summary",
]

SPECIFICATION = "docs/protocol"
"""Where the clauses are, from the root of this project."""

MARKS = {Outcome.PASSED: "ok", Outcome.FAILED: "FAIL", Outcome.NOT_RUN: "-"}


def line(result: Result) -> str:
    """One line about a case."""
    case = result.case
    mark = "known" if result.known and result.outcome is Outcome.FAILED else MARKS[result.outcome]
    if result.outcome is Outcome.FAILED and case.level == "MAY":
        mark = "no"
    why = f"  ({result.got})" if result.outcome is Outcome.NOT_RUN else ""
    return f"{mark:>5}  {case.level:<6} {case.id}  [{case.clause.id}]{why}"


def failure(result: Result) -> str:
    """All about a failure, for somebody who knows neither the suite nor the server."""
    case, clause = result.case, result.case.clause
    parts = [
        f"{case.id} ({case.level})",
        f"  sent:     {case.sends}",
        f"  must be:  {case.expects}",
        f"  expected: {result.expected}",
        f"  came:     {result.got}",
        f"  clause:   {clause.id} in {SPECIFICATION}/{clause.page}",
        textwrap.indent(textwrap.fill(clause.text, 100), "            "),
        "  wire:",
        textwrap.indent(result.wire, "    "),
    ]
    return "\n".join(parts)


def summary(report: Report) -> str:
    """A few lines about a run."""
    lines: list[str] = []
    for level in LEVELS:
        passed = report.count(Outcome.PASSED, level)
        failed = report.count(Outcome.FAILED, level)
        words = "no" if level == "MAY" else "failed"
        lines.append(f"  {level:<6} {passed} passed, {failed} {words}")
    missing = sorted({each.got for each in report.results if each.outcome is Outcome.NOT_RUN})
    if count := report.count(Outcome.NOT_RUN):
        lines.append(f"  not run: {count} ({'; '.join(missing)})")
    known = sum(each.known and each.outcome is Outcome.FAILED for each in report.results)
    if known:
        lines.append(f"  expected failures: {known}")
    for identity in report.fixed:
        lines.append(f"  {identity} passes, but is listed as an expected failure: remove it")
    verdict = "is ChatKit" if report.ok else "is not ChatKit yet"
    if not any(each.outcome is Outcome.PASSED for each in report.results):
        verdict = "was not tested"
    return f"{report.url} {verdict} ({report.seconds:.1f} s)\n" + "\n".join(lines)


def in_json(report: Report) -> str:
    """Every result, as one JSON document."""
    return json.dumps(
        {
            "url": report.url,
            "ok": report.ok,
            "strict": report.strict,
            "seconds": round(report.seconds, 3),
            "features": sorted(report.features),
            "fixed": list(report.fixed),
            "results": [_as_json(each) for each in report.results],
        },
        indent=1,
        ensure_ascii=False,
    )


def _as_json(result: Result) -> dict[str, Any]:
    case = result.case
    found: dict[str, Any] = {
        "id": case.id,
        "level": case.level,
        "clause": case.clause.id,
        "outcome": result.outcome.value,
        "seconds": round(result.seconds, 3),
    }
    if result.outcome is Outcome.FAILED:
        found |= {
            "known": result.known,
            "sends": case.sends,
            "expects": case.expects,
            "expected": result.expected,
            "got": result.got,
            "wire": result.wire,
        }
    elif result.outcome is Outcome.NOT_RUN:
        found["reason"] = result.got
    return found


def in_junit(report: Report) -> str:
    """JUnit's XML, as CI servers read it. What does not fail the run is ``skipped`` with its reason."""
    cases: list[str] = []
    for result in report.results:
        case = result.case
        inner = ""
        if report.counts(result):
            text = escape(_printable(failure(result)))
            inner = f"<failure message={quoteattr(_printable(result.expected))}>{text}</failure>"
        elif result.outcome is not Outcome.PASSED:
            reason = (
                result.got
                if result.outcome is Outcome.NOT_RUN
                else f"{case.level}: {result.expected}"
            )
            inner = f"<skipped message={quoteattr(_printable(reason))}/>"
        cases.append(
            f'  <testcase classname="chatkit.{case.section}" name={quoteattr(case.id)}'
            f' time="{result.seconds:.3f}">{inner}</testcase>'
        )
    skipped = sum("<skipped" in each for each in cases)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<testsuite name="chatkit-conformance" tests="{len(cases)}" failures="{len(report.failures)}"'
        f' skipped="{skipped}" errors="0" time="{report.seconds:.3f}">\n'
        + "\n".join(cases)
        + "\n</testsuite>\n"
    )


def _printable(text: str) -> str:
    """Without characters that XML 1.0 cannot hold."""
    return "".join(
        char
        if char in "\t\n\r"
        or (char >= " " and not "\ud800" <= char <= "\udfff" and char < "\ufffe")
        else "\ufffd"
        for char in text
    )


def in_sarif(report: Report) -> str:
    """SARIF 2.1.0, as code scanning reads it: a rule for each clause, a result for each failure."""
    failed = [
        each
        for each in report.results
        if each.outcome is Outcome.FAILED and each.case.level != "MAY"
    ]
    rules = {each.case.clause.id: each.case.clause for each in failed}
    return json.dumps(
        {
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [
                {
                    "tool": {
                        "driver": {
                            "name": "chatkit-asgi conformance",
                            "rules": [
                                {
                                    "id": clause.id,
                                    "shortDescription": {"text": clause.text},
                                    "properties": {"level": clause.level, "page": clause.page},
                                }
                                for clause in rules.values()
                            ],
                        }
                    },
                    "results": [
                        {
                            "ruleId": each.case.clause.id,
                            "level": "error" if each.case.level == "MUST" else "warning",
                            "message": {
                                "text": f"{each.case.id}: expected {each.expected}; got {each.got}"
                            },
                            "locations": [
                                {"physicalLocation": {"artifactLocation": {"uri": report.url}}}
                            ],
                            "suppressions": [{"kind": "external"}] if each.known else [],
                        }
                        for each in failed
                    ],
                }
            ],
        },
        indent=1,
        ensure_ascii=False,
    )


def badge(report: Report) -> str:
    """An SVG with the number of MUST and SHOULD cases that passed."""
    required = [
        each
        for each in report.results
        if each.case.level != "MAY" and each.outcome is not Outcome.NOT_RUN
    ]
    passed = sum(each.outcome is Outcome.PASSED for each in required)
    colour = (
        "#2e7d32"
        if report.ok and passed == len(required)
        else "#f9a825"
        if report.ok
        else "#c62828"
    )
    text = f"{passed}/{len(required)}"
    left, right = 58, 14 + 7 * len(text)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img"'
        f' aria-label="ChatKit: {text}"><rect width="{left}" height="20" fill="#444"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{colour}"/>'
        '<g fill="#fff" font-family="Verdana,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{left / 2}" y="14">ChatKit</text><text x="{left + right / 2}" y="14">{text}</text></g></svg>\n'
    )


WRITERS: dict[str, Callable[[Report], str]] = {
    "json": in_json,
    "junit": in_junit,
    "sarif": in_sarif,
    "badge": badge,
}
"""What can be written to a file, by the name of its option."""
