"""A report as one HTML page that needs nothing else, with the wire log of each failure."""

from __future__ import annotations

from html import escape

from .case import LEVELS, SECTIONS, Outcome, Result
from .report import SPECIFICATION
from .runner import Report

__all__ = ["in_html"]

STYLE = """
:root{color-scheme:light dark;--line:#8884;--bad:#c62828;--good:#2e7d32;--soft:#8881}
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin-bottom:.2rem}h2{font-size:1.1rem;margin-top:2rem}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid var(--line);padding:.25rem .5rem;
text-align:left;vertical-align:top}td.n,th.n{text-align:right}.failed{color:var(--bad)}.passed{color:var(--good)}
.not{opacity:.65}summary{cursor:pointer}pre{background:var(--soft);padding:.7rem;overflow-x:auto;font-size:12px;
white-space:pre-wrap;overflow-wrap:anywhere}dl{display:grid;grid-template-columns:7rem 1fr;gap:.2rem 1rem}dd{margin:0}
code{overflow-wrap:anywhere}
"""


def in_html(report: Report, title: str = "") -> str:
    """The page.

    Args:
        report: A run.
        title: What was tested; the URL when empty.
    """
    verdict = (
        "All that is required holds."
        if report.ok
        else f"{len(report.failures)} required cases fail."
    )
    rows = "".join(
        f"<tr><td>{level}</td>"
        + "".join(f'<td class="n">{report.count(outcome, level)}</td>' for outcome in Outcome)
        + "</tr>"
        for level in LEVELS
    )
    sections = "".join(
        _section(name, [each for each in report.results if each.case.section == name])
        for name in SECTIONS
        if any(each.case.section == name for each in report.results)
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>ChatKit conformance: {escape(title or report.url)}</title><style>{STYLE}</style>"
        f"<h1>ChatKit conformance: {escape(title or report.url)}</h1>"
        f'<p class="{"passed" if report.ok else "failed"}">{verdict}</p>'
        '<table><tr><th>Level</th><th class="n">passed</th><th class="n">failed</th><th class="n">not run</th></tr>'
        f"{rows}</table>"
        "<p>A MAY that fails is a choice that this server has not made. The clauses are in "
        f"<code>{SPECIFICATION}</code>.</p>{sections}</html>\n"
    )


def _section(name: str, results: list[Result]) -> str:
    return f"<h2>{name}</h2><table>{''.join(map(_row, results))}</table>"


def _row(result: Result) -> str:
    case, clause = result.case, result.case.clause
    kind = {Outcome.PASSED: "passed", Outcome.FAILED: "failed", Outcome.NOT_RUN: "not"}[
        result.outcome
    ]
    word = result.outcome.value
    if result.outcome is Outcome.FAILED:
        word = "no" if case.level == "MAY" else "expected failure" if result.known else "failed"
        kind = "not" if case.level == "MAY" else kind
        told = (
            f"<details><summary>{escape(result.expected)}</summary><dl>"
            f"<dt>sent</dt><dd>{escape(case.sends)}</dd><dt>must be</dt><dd>{escape(case.expects)}</dd>"
            f"<dt>expected</dt><dd>{escape(result.expected)}</dd><dt>came</dt><dd><code>{escape(result.got)}</code></dd>"
            f"<dt>{clause.id}</dt><dd>{escape(clause.text)} ({escape(clause.page)})</dd></dl>"
            f"<pre>{escape(result.wire)}</pre></details>"
        )
    else:
        told = escape(result.got if result.outcome is Outcome.NOT_RUN else case.expects)
    return (
        f'<tr id="{escape(case.id)}"><td class="{kind}">{word}</td><td>{case.level}</td>'
        f"<td><code>{escape(case.id)}</code></td><td>{clause.id}</td><td>{told}</td></tr>"
    )
