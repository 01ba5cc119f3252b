"""``python -m benchmarks [--quick] [--save] [SUBJECT ...]``: run, print, and with ``--save`` write RESULTS.md."""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
import time
from importlib import import_module
from pathlib import Path

from ._report import table

SUBJECTS = (
    "imports",
    "codec",
    "turn",
    "widgets",
    "threads",
    "stores",
    "app",
    "agents",
    "adapters",
    "attachments",
)
PACKAGES = ("msgspec", "anyio", "openai-chatkit", "openai-agents", "openai", "pydantic", "fastapi", "starlette",
            "uvicorn", "uvloop", "httptools", "granian", "aiosqlite", "litestar", "quart", "django")  # fmt: skip
RESULTS = Path(__file__).with_name("RESULTS.md")


def machine() -> str:
    """Versions and machine, for the head of the results."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    cores = Path("/proc/cpuinfo").read_text().count("processor\t")
    return f"{platform.python_implementation()} {platform.python_version()}, {cores} cores ({model}); {versions}."


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "subjects", nargs="*", metavar="SUBJECT", help=f"of {', '.join(SUBJECTS)}; default: all"
    )
    parser.add_argument(
        "--quick", action="store_true", help="few rounds: shows that it works, not how fast"
    )
    parser.add_argument("--save", action="store_true", help=f"write {RESULTS.name}")
    options = parser.parse_args()
    if unknown := set(options.subjects) - set(SUBJECTS):
        parser.error(f"no such subject: {', '.join(sorted(unknown))}")
    today = time.strftime("%Y-%m-%d", time.gmtime())
    head = (
        "# Results\n\n"
        "Of `make bench ARGS=--save`. Each round measures both sides in turn. Numbers are medians of the rounds, and\n"
        "the ratio is the median of the rounds' ratios: a shared machine changes its speed between them. A budget of\n"
        "≥ is a floor that the project set itself; one of ≤ is a ceiling, for costs that should stay flat, and there\n"
        "the ratio is how many times more ours is. What this run missed is marked.\n\n"
        f"{machine()}\n"
    )
    print(head, flush=True)
    for subject in options.subjects or SUBJECTS:
        module = import_module(f"benchmarks.{subject}")
        about = f"{' '.join(module.__doc__.split())} Run on {today}."
        part = f"## {module.NAME}\n\n{about}\n\n{table(module.run(options.quick))}\n"
        print(part, flush=True)
        if options.save:  # after each, so that a long run is not lost with its last subject
            _save(head, module.NAME, part)


def _save(head: str, name: str, part: str) -> None:
    """Put one part into the results, in the place of what they have of that name."""
    parts = {
        each.partition("\n")[0].lower(): f"## {each}"
        for each in RESULTS.read_text().split("\n## ")[1:]
    }
    parts[name.lower()] = part
    names = [import_module(f"benchmarks.{subject}").NAME.lower() for subject in SUBJECTS]
    text = "\n".join([head, *(parts[each].rstrip("\n") + "\n" for each in names if each in parts)])
    RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
