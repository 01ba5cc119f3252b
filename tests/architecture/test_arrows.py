"""The shape of the package (design.md section 3): who may import whom, and what importing it loads.

Read from the source, so that an import that is never executed counts too.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path
from typing import NamedTuple

import pytest

import chatkit_asgi

ROOT = Path(chatkit_asgi.__file__).parent
PACKAGE = "chatkit_asgi"

ARROWS: dict[str, set[str]] = {
    # The core, from the ground up. Each may import those named and itself.
    "_base": set(),
    "_closing": set(),
    "_expected": set(),
    "_handlers": {"_expected", "errors"},
    "errors": set(),
    "ids": set(),
    "icons": set(),
    "options": {"ids"},
    "actions": {"_base"},
    "widgets": {"_closing", "_base", "actions", "errors", "icons"},
    "types": {"_base", "actions", "icons", "widgets"},
    "protocol": {"_base", "errors", "types", "widgets"},
    "store.base": {"errors", "ids", "protocol", "types"},
    "turns": {"errors", "ids", "protocol", "types", "store.base"},
    "server": {
        "_closing",
        "_expected",
        "_handlers",
        "actions",
        "errors",
        "ids",
        "options",
        "protocol",
        "store.base",
        "turns",
        "types",
        "widgets",
    },
    "operations": {
        "actions",
        "errors",
        "options",
        "protocol",
        "server",
        "store.base",
        "turns",
        "types",
        "widgets",
    },
    "http": {
        "_closing",
        "_expected",
        "errors",
        "ids",
        "operations",
        "options",
        "protocol",
        "server",
        "turns",
    },
    "files": {"_closing", "errors", "http", "operations", "protocol", "store", "types"},
    "asgi": {"_closing", "_expected", "http", "options", "server", "turns"},
    # What stands beside it.
    "openapi": {"schemas", "types"},
    "store": {"_expected", "errors", "ids", "protocol", "store.base", "types"},
    "testing": {"errors", "ids", "protocol", "store.base", "types"},
    "agents": {
        "_base",
        "_closing",
        "actions",
        "errors",
        "ids",
        "icons",
        "server",
        "store.base",
        "turns",  # the primitives of the event loop
        "types",
        "widgets",
    },
    "dictation": {"errors", "types"},
    "conformance": set(),
    "conformance.testee": {"*"},
    "schemas": {"types"},
    "playground": {"errors", "files", "http"},
    "owners": {"errors", "operations", "protocol", "server", "store", "store.base", "types"},
    # What stands on everything.
    "<root>": set(),
    "demo": {"*"},
    "cli": {"*"},
    "__main__": {"cli"},
}
"""By layer: the layers that its modules may import when they are imported."""

OWN_LAYERS = {"store.base", "conformance.testee"}
"""Modules that are layers by themselves: one is below its package, one is a server that its package tests."""

EXCEPTIONS = {
    ("widgets.diff", "types"): "a diff makes item updates; nothing that types import imports it",
    ("<root>", "asgi"): "the curated names",
    ("<root>", "errors"): "the curated names",
    ("<root>", "http"): "the curated names",
    ("<root>", "options"): "the curated names",
    ("<root>", "server"): "the curated names",
}
INSIDE_FUNCTIONS = {
    (
        "server",
        "operations",
    ): "process() and operation() look into the table, which is made of functions of servers",
    ("http", "files"): "the route is mounted where the server's attachment store serves files",
    ("asgi", "playground"): "where an app asks for it",
}
"""Arrows that only exist while a function runs."""

OUTSIDE: dict[str, set[str]] = {
    "": {"msgspec"},
    "turns": {"anyio"},
    "store": {"anyio"},
    "asgi": {"anyio"},
    "testing": {"anyio"},
    "owners": {"anyio"},
}
"""Libraries that a layer may import at import time, besides the standard library; "" is for all."""

OUTSIDE_INSIDE_FUNCTIONS = {
    ("asgi", "starlette"): "CORS, when it is asked for",
    ("turns", "trio"): "where it is running already",
    ("_base", "pydantic_core"): "when Pydantic asks for a schema",
    ("store", "trio"): "where it is running already",
    ("widgets", "jinja2"): "when a widget template is compiled",
    ("widgets", "jsonschema_rs"): "when a widget template has a schema",
    ("store", "filetype"): "when a file comes in",
    ("store", "PIL"): "when a picture comes in",
    ("store", "obstore"): "when a bucket is used",
    ("files", "python_multipart"): "when a form comes in",
    ("dictation", "openai"): "when somebody dictates",
}

WHOLE_MODULES = {
    ("turns._trio", "trio"): "only imported where trio is running",
    ("testing.attachment_contract", "pytest"): "only imported by tests",
    ("testing.store_contract", "pytest"): "only imported by tests",
    ("widgets._sandbox", "jinja2"): "only imported when a widget template is compiled",
}
"""Modules that exist for one library; nothing imports them before it is there."""

FREE = {"demo", "cli", "agents", "conformance", "conformance.testee", "playground", "__main__"}
"""Layers that may use the libraries of their extras."""


class Import(NamedTuple):
    """One import statement."""

    module: str
    """Where it stands, without the package's name; "<root>" is ``__init__``."""
    target: str
    lazy: bool
    """Inside a function."""

    @property
    def layer(self) -> str:
        return layer_of(self.module)


def layer_of(module: str) -> str:
    return module if module in OWN_LAYERS else module.split(".")[0]


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(ROOT.rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix("__init__")
        yield name.removesuffix(".") or "<root>", path


def imports() -> list[Import]:
    found: list[Import] = []
    for module, path in modules():
        is_package = path.name == "__init__.py"
        full = PACKAGE if module == "<root>" else f"{PACKAGE}.{module}"
        parent = full if is_package else full.rpartition(".")[0]
        for node, lazy in nodes(ast.parse(path.read_text()), lazy=False):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                target = resolve_name("." * node.level + (node.module or ""), parent)
                submodules = [f"{target}.{alias.name}" for alias in node.names]
                names = [name if is_module(name) else target for name in submodules]
            found += [Import(module, name, lazy) for name in dict.fromkeys(names)]
    return found


def nodes(tree: ast.AST, *, lazy: bool) -> Iterator[tuple[ast.AST, bool]]:
    """Every node that is executed, and whether a function has to run for it."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for each in node.orelse:
                yield each, lazy
                yield from nodes(each, lazy=lazy)
            continue
        yield node, lazy
        inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from nodes(node, lazy=lazy or inside)


def is_module(name: str) -> bool:
    if not name.startswith(PACKAGE + "."):
        return False
    path = ROOT.joinpath(*name.split(".")[1:])
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


ALL = imports()


def test_every_layer_is_in_the_table() -> None:
    assert {layer_of(module) for module, _ in modules()} <= set(ARROWS)


def test_arrows_point_one_way() -> None:
    wrong: list[str] = []
    for each in ALL:
        if each.target.split(".")[0] != PACKAGE:
            continue
        inner = each.target.removeprefix(PACKAGE).removeprefix(".") or "<root>"
        target = layer_of(inner)
        allowed = ARROWS[each.layer]
        if target == each.layer or target in allowed or "*" in allowed:
            continue
        if (each.module, target) in EXCEPTIONS or (each.layer, target) in EXCEPTIONS:
            continue
        if each.lazy and (each.layer, target) in INSIDE_FUNCTIONS:
            continue
        wrong.append(f"{each.module} -> {inner}{' (in a function)' if each.lazy else ''}")
    assert wrong == []


def test_the_table_itself_has_no_cycle() -> None:
    done: set[str] = set()
    left = {layer: arrows - {layer, "*"} for layer, arrows in ARROWS.items()}
    while left:
        ready = {layer for layer, arrows in left.items() if arrows <= done}
        assert ready, f"a cycle among {sorted(left)}"
        done |= ready
        left = {layer: arrows for layer, arrows in left.items() if layer not in ready}


def test_nobody_but_the_demo_imports_agents() -> None:
    importing = {each.layer for each in ALL if f"{PACKAGE}.agents" in each.target}
    assert importing <= {"agents", "demo"}


def test_libraries_are_imported_where_they_may_be() -> None:
    wrong: list[str] = []
    for each in ALL:
        library = each.target.split(".")[0]
        if library in sys.stdlib_module_names or library == PACKAGE or each.layer in FREE:
            continue
        layer = "store" if each.layer == "store.base" else each.layer
        if library in OUTSIDE[""] | OUTSIDE.get(layer, set()):
            continue
        if each.lazy and (layer, library) in OUTSIDE_INSIDE_FUNCTIONS:
            continue
        if (each.module, library) in WHOLE_MODULES:
            continue
        wrong.append(f"{each.module} -> {library}{' (in a function)' if each.lazy else ''}")
    assert wrong == []


@pytest.mark.parametrize(
    "module",
    [
        "",
        ".server",
        ".types",
        ".widgets",
        ".store",
        ".actions",
        ".errors",
        ".asgi",
        ".protocol.turn",
    ],
)
def test_importing_loads_no_framework_and_no_sdk(module: str) -> None:
    """Even though all of them are installed here."""
    heavy = {
        *(
            "agents",
            "chatkit",
            "django",
            "fastapi",
            "httpx2",
            "jinja2",
            "jsonschema",
            "litestar",
            "filetype",
            "multipart",
            "obstore",
            "PIL",
            "python_multipart",
        ),
        *(
            "openai",
            "pydantic",
            "quart",
            "sqlite3",
            "sse_starlette",
            "starlette",
            "trio",
            "uvicorn",
        ),
    }
    code = (
        f"import sys, {PACKAGE}{module}\nprint([name for name in {heavy!r} if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT.parent,
        timeout=30,
    )
    assert found.stdout.strip() == "[]"


LISTS = {
    "widgets.components": "a class for each component",
    "testing.store_contract": "a test for each promise",
}
"""Long modules that are lists of small things of one kind."""


def test_modules_can_be_read() -> None:
    lines = {module: len(path.read_text().splitlines()) for module, path in modules()}
    assert {
        module: count for module, count in lines.items() if count > 700 and module not in LISTS
    } == {}
