"""The list of all cases in ``docs/conformance/cases.md``; ``python -m tests.conformance.listing`` writes it."""

from __future__ import annotations

from chatkit_asgi.conformance.case import SECTIONS, catalogue
from tests.conformance.specification import ROOT

LISTING = ROOT / "docs" / "conformance" / "cases.md"


def listing() -> str:
    """The page."""
    cases = catalogue()
    lines = [
        "# The cases",
        "",
        f"{len(cases)} cases. Ids are permanent. A case that needs a trigger is not run against a server without it.",
    ]
    for section in SECTIONS:
        lines += [
            "",
            f"## {section}",
            "",
            "| Id | Level | Clause | Sent | Must happen | Needs |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        for case in cases:
            if case.section == section:
                page = f"../protocol/{case.clause.page}"
                needs = ", ".join(sorted(case.needs))
                cells = (
                    f"`{case.id}`",
                    case.level,
                    f"[{case.clause.id}]({page})",
                    case.sends,
                    case.expects,
                    needs,
                )
                lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    LISTING.write_text(listing(), encoding="utf-8")
