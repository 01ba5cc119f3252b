"""Public names: listed once, real, documented; and the table of operations is the union of requests."""

from __future__ import annotations

import inspect
import os
import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import pytest

import chatkit_asgi
from chatkit_asgi import types
from chatkit_asgi.operations import OPERATIONS, OPERATIONS_BY_NAME
from chatkit_asgi.types import ChatKitReq, NonStreamingReq, StreamingReq, is_streaming_req

OPTIONAL = (
    "chatkit_asgi.agents",
    "chatkit_asgi.demo",
    "chatkit_asgi.conformance",
    "chatkit_asgi.playground",
)
MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(chatkit_asgi.__path__, "chatkit_asgi.")
    if not name.startswith(OPTIONAL) and not name.endswith("__main__")
]


@pytest.mark.parametrize("name", ["chatkit_asgi", *MODULES])
def test_all_is_true(name: str) -> None:
    module = import_module(name)
    exported: list[str] = getattr(module, "__all__", [])
    assert len(exported) == len(set(exported)), "each once"
    for each in exported:
        assert hasattr(module, each), f"{name}.{each} does not exist"
        assert not each.startswith("_") or each == "__version__"


@pytest.mark.parametrize(
    "name", ["chatkit_asgi", "chatkit_asgi.agents", "chatkit_asgi.store", "chatkit_django"]
)
def test_names_that_are_loaded_on_use_are_listed_before(name: str) -> None:
    code = f"import {name} as it; print(sorted({{*it.__all__}} - {{*dir(it)}}))"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_path()
    )
    assert found.stdout.strip() == "[]"


def _path() -> dict[str, str]:
    root = Path(chatkit_asgi.__file__).parents[1]
    return {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{root / 'adapters'}"}


@pytest.mark.parametrize("name", [name for name in MODULES if "._" not in name])
def test_every_public_module_says_what_it_offers(name: str) -> None:
    module = import_module(name)
    assert module.__doc__, "a sentence about the module"
    if name not in ("chatkit_asgi.protocol", "chatkit_asgi.cli"):
        assert hasattr(module, "__all__")


@pytest.mark.parametrize("name", [name for name in MODULES if "._" not in name])
def test_public_names_are_documented(name: str) -> None:
    module = import_module(name)
    missing: list[str] = []
    for each in getattr(module, "__all__", []):
        found: Any = getattr(module, each)
        if getattr(found, "__module__", None) != name:
            continue
        if (inspect.isclass(found) or inspect.isfunction(found)) and not inspect.getdoc(found):
            missing.append(each)
        if inspect.isclass(found):
            missing += [
                f"{each}.{member}"
                for member, value in vars(found).items()
                if not member.startswith(("_", "test_"))  # a test's name is its sentence
                and inspect.isfunction(value)
                and not inspect.getdoc(value)
                and not any(
                    getattr(getattr(base, member, None), "__doc__", None)
                    for base in found.__mro__[1:]
                )
            ]
    assert missing == []


def test_operations_are_the_union_of_requests() -> None:
    """Nothing is listed twice, nothing is missing, and the table knows what streams."""
    union = get_args(get_args(ChatKitReq)[0])
    assert set(OPERATIONS) == set(union)
    assert len(union) == len(set(union)) == 16
    streaming = set(get_args(StreamingReq))
    assert {kind for kind, operation in OPERATIONS.items() if operation.streams} == streaming
    assert set(get_args(NonStreamingReq)) == set(union) - streaming
    for kind in union:
        name = kind.__struct_config__.tag
        assert OPERATIONS_BY_NAME[name] is OPERATIONS[kind]
        assert OPERATIONS[kind].run.__name__ in (name.replace(".", "_"),)


def test_struct_names_follow_from_wire_types() -> None:
    for kind in OPERATIONS:
        tag = str(getattr(kind, "__struct_config__").tag)  # noqa: B009 (structs only)
        words = "".join(word.capitalize() for word in tag.replace(".", "_").split("_"))
        assert kind.__name__ == f"{words}Req"
        assert getattr(types, kind.__name__) is kind


def test_streaming_requests_are_told_apart() -> None:
    listing = types.ThreadsListReq(params=types.ThreadListParams())
    retry = types.ThreadsRetryAfterItemReq(
        params=types.ThreadRetryAfterItemParams(thread_id="a", item_id="b")
    )
    assert not is_streaming_req(listing)
    assert is_streaming_req(retry)
