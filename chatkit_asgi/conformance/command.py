"""``chatkit-asgi conformance`` and ``chatkit-asgi probe``: options, progress and exit codes."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

__all__ = ["add_commands"]

CONFORMANCE = """\
Asks the server at URL, in any language, everything that the ChatKit protocol says
about servers, and tells where it departs from it.

A server needs nothing for most cases. For the others its assistant plays a table of
triggers (--triggers prints it; docs/conformance/testee.md explains it); cases whose
trigger the server does not have are not run, and named.

Exit code: 0 when all that is required holds, 1 when something does not, 2 when the
suite could not be run. Required is every MUST, with --strict every SHOULD too."""

PROBE = """\
Looks at a deployment from outside and says what is wrong with it, and what to do:
address, TLS, authentication, content types, buffering, compression, keep-alive
comments, CORS.

Exit code: 0 when nothing is wrong, 1 when something is, 2 when there is no server."""

UNUSABLE = 2


def add_commands(commands: Any) -> None:
    """Add both to the command line."""
    suite = commands.add_parser(
        "conformance",
        help="test whether a server, in any language, speaks the ChatKit protocol",
        description=CONFORMANCE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    suite.set_defaults(run=_conformance)
    suite.add_argument("url", metavar="URL", nargs="?", help="the server's endpoint")
    _server(suite).add_argument(
        "--upload-url", default="", metavar="URL",
        help="where files are uploaded directly, or its path; without it those cases are not run",
    )  # fmt: skip
    which = suite.add_argument_group("which cases")
    which.add_argument(
        "--select", action="append", default=[], metavar="ID",
        help="cases or clauses by id, * for anything; may be repeated",
    )  # fmt: skip
    which.add_argument(
        "--section", action="append", default=[], metavar="NAME", help="a section; may be repeated"
    )
    which.add_argument(
        "--level", default="may", choices=["must", "should", "may"],
        help="cases of this level and stricter (default: all)",
    )  # fmt: skip
    which.add_argument("--list", action="store_true", help="list the cases instead of running them")
    which.add_argument("--triggers", action="store_true", help="print the table of triggers")
    how = suite.add_argument_group("how")
    how.add_argument("--strict", action="store_true", help="a SHOULD counts like a MUST")
    how.add_argument("--timeout", type=float, metavar="SECONDS", help="of one case (default: 40)")
    how.add_argument("--jobs", type=int, metavar="N", help="cases at a time (default: 16)")
    how.add_argument("--shuffle", type=int, metavar="SEED", help="another order")
    how.add_argument(
        "--expected-failures", type=Path, metavar="FILE",
        help="ids of cases that are known to fail, each with a reason after #; one that passes fails the run",
    )  # fmt: skip
    how.add_argument(
        "--forget-fixed", action="store_true", help="take cases that pass out of that file"
    )
    reports = suite.add_argument_group("reports")
    for name in ("json", "junit", "sarif", "html", "badge"):
        reports.add_argument(
            f"--{name}", type=Path, metavar="FILE", help=f"write a report as {name}"
        )
    reports.add_argument("--title", default="", help="what is tested, for the HTML page")
    reports.add_argument("--quiet", action="store_true", help="failures and the summary only")

    probe = commands.add_parser(
        "probe",
        help="explain what is wrong with a deployed endpoint, from outside",
        description=PROBE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    probe.set_defaults(run=_probe)
    probe.add_argument("url", metavar="URL", help="the server's endpoint")
    probe.add_argument("--origin", default="", help="of the page, for CORS: https://my.app")
    probe.add_argument("--json", type=Path, metavar="FILE", help="write the findings as JSON")
    _server(probe)


def _server(command: argparse.ArgumentParser) -> Any:
    server = command.add_argument_group("the server")
    server.add_argument(
        "--header", action="append", default=[], metavar="'NAME: VALUE'",
        help="of every request, for example credentials; may be repeated",
    )  # fmt: skip
    server.add_argument(
        "--cookie", action="append", default=[], metavar="NAME=VALUE", help="the same for cookies"
    )
    server.add_argument(
        "--other-header", action="append", default=[], metavar="'NAME: VALUE'",
        help="of a second person, for the cases about isolation",
    )  # fmt: skip
    server.add_argument(
        "--other-cookie",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="the same for cookies",
    )
    server.add_argument(
        "--cacert", metavar="FILE", help="trust the certificates in this file (PEM), and no others"
    )
    server.add_argument("--insecure", action="store_true", help="do not check the TLS certificate")
    return server


class _Usage(Exception):
    """Something the user can put right."""


def _conformance(options: argparse.Namespace) -> int:
    import anyio

    from .case import catalogue, select
    from .runner import JOBS, TIMEOUT, Known, run
    from .wire import Unreachable

    try:
        if options.triggers:
            print((Path(__file__).parent / "triggers.json").read_text(encoding="utf-8"))
            return 0
        cases = select(
            catalogue(),
            patterns=options.select,
            sections=options.section,
            level=options.level.upper(),
        )
        if options.list:
            _list(cases, options.json)
            return 0
        known = Known(options.expected_failures) if options.expected_failures else None
        progress = _Progress(len(cases), quiet=options.quiet)
        target = _target(options)

        async def go() -> Any:
            return await run(
                target,
                cases,
                jobs=options.jobs or JOBS,
                timeout=options.timeout or TIMEOUT,
                strict=options.strict,
                known=known,
                shuffle=options.shuffle,
                on_result=progress.show,
            )

        report: Any = anyio.run(go)
    except (_Usage, ValueError, Unreachable, OSError) as error:
        print(f"chatkit-asgi: {error}", file=sys.stderr)
        return UNUSABLE
    if known is not None and options.forget_fixed:
        known.forget(report.fixed)
    _write(report, options)
    _tell(report, options)
    return 0 if report.ok else 1


def _target(options: argparse.Namespace) -> Any:
    from .client import Target
    from .wire import SocketTransport

    if not options.url:
        raise _Usage("which server? chatkit-asgi conformance URL")
    other = _headers(options.other_header, options.other_cookie)
    uploads = getattr(options, "upload_url", "") and urljoin(options.url, options.upload_url)
    if uploads and not uploads.startswith(("http://", "https://")):
        raise _Usage(f"--upload-url is http:// or https://, not {uploads!r}")
    return Target(
        SocketTransport(options.url, verify=not options.insecure, cacert=options.cacert),
        _headers(options.header, options.cookie),
        other or None,
        uploads,
    )


def _headers(headers: list[str], cookies: list[str]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for each in headers:
        name, colon, value = each.partition(":")
        if not colon or not name.strip():
            raise _Usage(f"a header is 'NAME: VALUE', not {each!r}")
        found.append((name.strip().lower(), value.strip()))
    if cookies:
        found.append(("cookie", "; ".join(cookies)))
    return found


def _list(cases: Any, path: Path | None) -> None:
    if path is not None:
        listed = [
            {
                "id": each.id,
                "level": each.level,
                "clause": each.clause.id,
                "sends": each.sends,
                "expects": each.expects,
                "needs": sorted(each.needs),
            }
            for each in cases
        ]
        path.write_text(json.dumps(listed, indent=1, ensure_ascii=False), encoding="utf-8")
    for each in cases:
        needs = f"  (needs {', '.join(sorted(each.needs))})" if each.needs else ""
        print(f"{each.level:<6} {each.id}  [{each.clause.id}]  {each.expects}{needs}")


class _Progress:
    """A line for each case, and on a terminal how far it is."""

    def __init__(self, total: int, *, quiet: bool) -> None:
        self._total = total
        self._quiet = quiet
        self._done = 0

    def show(self, result: Any) -> None:
        from .report import line

        self._done += 1
        if not self._quiet:
            print(line(result), flush=True)
        elif sys.stderr.isatty():
            print(f"\r{self._done}/{self._total}", end="", file=sys.stderr, flush=True)


def _write(report: Any, options: argparse.Namespace) -> None:
    from .page import in_html
    from .report import WRITERS

    for name, write in WRITERS.items():
        if path := getattr(options, name):
            path.write_text(write(report), encoding="utf-8", errors="replace")
    if options.html:
        options.html.write_text(in_html(report, options.title), encoding="utf-8", errors="replace")


def _tell(report: Any, options: argparse.Namespace) -> None:
    from .case import Outcome
    from .report import failure, summary

    failed = [
        each
        for each in report.results
        if each.outcome is Outcome.FAILED and each.case.level != "MAY"
    ]
    for each in failed:
        if not each.known:
            text = f"\n{failure(each)}"
            print(text.encode("utf-8", "replace").decode())
    print(f"\n{summary(report)}")
    if not report.features:
        print(
            "  The server did not answer `conformance: triggers`, so cases that need its assistant were not run;"
            "\n  docs/conformance/testee.md says how to make it answer."
        )


def _probe(options: argparse.Namespace) -> int:
    import anyio

    from .probe import probe, told
    from .wire import Unreachable

    try:
        target = _target(options)
        findings = anyio.run(probe, target, options.origin)
    except (_Usage, ValueError, Unreachable, OSError) as error:
        print(f"chatkit-asgi: {error}", file=sys.stderr)
        return UNUSABLE
    if options.json:
        listed = [each._asdict() for each in findings]
        options.json.write_text(json.dumps(listed, indent=1, ensure_ascii=False), encoding="utf-8")
    print(told(findings))
    return 1 if any(each.verdict == "wrong" for each in findings) else 0
