"""Every way of serving this library that the suite is run on: each store, each stack of the adapters."""

from __future__ import annotations

import atexit
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from chatkit_asgi import Options
from chatkit_asgi.conformance.testee import Files, KeepsSecrets, make_app, make_chat, owner
from chatkit_asgi.store import MemoryStore, S3AttachmentStore, SQLiteStore

SignIn = Callable[[str, str], Awaitable[dict[str, str]]]
"""From the server's address, without the path, and a name to that person's headers."""


_resources = ExitStack()
"""Databases and buckets that servers of this process use; they go with it."""
atexit.register(_resources.close)


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
        return make_app(store, options=options, pace=pace, files=Files(base))

    return Subject(f"chatkit-asgi, {kind} store", "/", bearer, make)


def _stack(name: str) -> Subject:
    from tests.stacks.stack import load, owner_of  # type: ignore[import-not-found,unused-ignore]

    stack = load(name)

    def make(base: str, folder: Path, options: Options, pace: float) -> Any:
        chat = make_chat(MemoryStore(owner=owner_of), Files(base), options=options, pace=pace)
        return stack.guarded(chat.server)

    return Subject(f"chatkit-asgi, {name}", stack.path, stack.credentials, make)


def _django_store(database: str) -> Subject:
    """Django's store under its own adapter, for the people of its sessions. Serve it in a process of its own: it takes
    the process's default database."""
    stack = _stack("django")

    def make(base: str, folder: Path, options: Options, pace: float) -> Any:
        from tests.django.project import database as sqlite
        from tests.django.project import postgres_database, postgres_server
        from tests.stacks.stack import load

        if database == "postgresql":
            settings = _resources.enter_context(postgres_server())
            _resources.enter_context(postgres_database(settings))
        else:
            _resources.enter_context(sqlite())
        from chatkit_django import DjangoStore

        chat = make_chat(DjangoStore(), Files(base), options=options, pace=pace)
        return load("django").guarded(chat.server)

    return stack._replace(title=f"chatkit-asgi, Django's store on {database}", make=make)


def _bucket() -> Subject:
    """Attachments in a bucket, where clients send them themselves."""

    def make(base: str, folder: Path, options: Options, pace: float) -> Any:
        from tests.attachments.s3server import BUCKET, KEY, SECRET, seaweed

        class Bucket(KeepsSecrets, S3AttachmentStore[Any]):
            pass

        endpoint = _resources.enter_context(seaweed(folder))
        credentials = {"access_key": KEY, "secret_key": SECRET}
        files = Bucket(BUCKET, url=base, keys=["k" * 32], endpoint=endpoint, **credentials)
        return make_app(options=options, pace=pace, files=files)

    return Subject("chatkit-asgi, attachments in S3 (SeaweedFS)", "/", bearer, make)


STORES = ("memory", "sqlite", "django-sqlite", "django-postgresql", "s3")


def names() -> list[str]:
    """Of all subjects; the stacks where this checkout has them."""
    found = list(STORES)
    if find_spec("tests.stacks") is not None and find_spec("tests.stacks.stack") is not None:
        from tests.stacks.stack import STACKS  # type: ignore[import-not-found,unused-ignore]

        found += [name for name in STACKS if name != "plain"]
    return found


def subject(name: str) -> Subject:
    """One of them. Frameworks are loaded when they are asked for."""
    if name not in STORES:
        return _stack(name)
    if name == "s3":
        return _bucket()
    kind, _, database = name.partition("-")
    return _django_store(database) if database else _store(kind)
