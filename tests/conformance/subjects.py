"""Every way of serving this library that the suite is run on: each store, each stack of the adapters."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from chatkit_asgi import Options
from chatkit_asgi.conformance.testee import Files, make_app, make_chat, owner
from chatkit_asgi.store import MemoryStore, SQLiteStore

SignIn = Callable[[str, str], Awaitable[dict[str, str]]]
"""From the server's address, without the path, and a name to that person's headers."""


class Subject(NamedTuple):
    """A server of this library."""

    title: str
    path: str
    """Of the endpoint."""
    sign_in: SignIn
    make: Callable[[str, Path, Options, float], Any]
    """From the endpoint's address, a folder, options and the pace to the app."""


async def bearer(url: str, user: str) -> dict[str, str]:
    """How people sign in at our testee."""
    return {"authorization": f"Bearer {user}"}


def _store(kind: str) -> Subject:
    def make(base: str, folder: Path, options: Options, pace: float) -> Any:
        store: Any = (
            MemoryStore(owner=owner)
            if kind == "memory"
            else SQLiteStore(folder / "conformance.db", owner=owner)
        )
        return make_app(store, options=options, pace=pace, base=base.rstrip("/"))

    return Subject(f"chatkit-asgi, {kind} store", "/", bearer, make)


def _stack(name: str) -> Subject:
    from tests.stacks.stack import load, owner_of  # type: ignore[import-not-found,unused-ignore]

    stack = load(name)

    def make(base: str, folder: Path, options: Options, pace: float) -> Any:
        chat = make_chat(MemoryStore(owner=owner_of), Files(base), options=options, pace=pace)
        return stack.guarded(chat.server)

    return Subject(f"chatkit-asgi, {name}", stack.path, stack.credentials, make)


STORES = ("memory", "sqlite")


def names() -> list[str]:
    """Of all subjects; the stacks where this checkout has them."""
    found = list(STORES)
    if find_spec("tests.stacks") is not None and find_spec("tests.stacks.stack") is not None:
        from tests.stacks.stack import STACKS  # type: ignore[import-not-found,unused-ignore]

        found += [name for name in STACKS if name != "plain"]
    return found


def subject(name: str) -> Subject:
    """One of them. Frameworks are loaded when they are asked for."""
    return _store(name) if name in STORES else _stack(name)
