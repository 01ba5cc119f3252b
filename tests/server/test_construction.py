"""What constructors are given by mistake is said there, not by the first request."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from chatkit_fastapi import chatkit_router
from chatkit_litestar import ChatKitPlugin
from chatkit_quart import chatkit_blueprint

from chatkit_asgi import ChatKitApp, ChatKitMiddleware, ChatKitRouter, ChatKitServer, Options
from chatkit_asgi.errors import ErrorCode, StreamError
from chatkit_asgi.store import (
    AttachmentStore,
    DiskAttachmentStore,
    MemoryStore,
    SQLiteStore,
    Store,
)


class Server(ChatKitServer[Any]):
    async def respond(self, *_: Any) -> Any:
        yield "Hello"


class Files(AttachmentStore[Any]):
    async def delete_attachment(self, attachment_id: str, context: Any) -> None: ...


async def other(scope: Any, receive: Any, send: Any) -> None: ...


def app() -> ChatKitApp:
    return ChatKitApp(ChatKitRouter(MemoryStore()))


WRONG: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a path": (lambda make: make("chat.db"), r"store is a Store .*not 'chat.db'"),
    "nothing": (lambda make: make(None), r"store is a Store .*not None"),
    "a class": (lambda make: make(SQLiteStore), r"store is .*not the class SQLiteStore itself"),
    "files for a store": (lambda make: make(Files()), r"store is a Store .*Files"),
    "swapped": (lambda make: make(Files(), MemoryStore()), r"store is a Store .*Files"),
    "a store for files": (
        lambda make: make(MemoryStore(), MemoryStore()),
        r"attachment_store is an AttachmentStore .*MemoryStore",
    ),
    "a class for files": (
        lambda make: make(MemoryStore(), DiskAttachmentStore),
        r"attachment_store .*not the class DiskAttachmentStore itself",
    ),
    "a folder for files": (
        lambda make: make(MemoryStore(), "files"),
        r"attachment_store .*'files'",
    ),
    "a dict of options": (
        lambda make: make(MemoryStore(), options={"max_body": 5}),
        r"options is an Options\(...\), not {'max_body': 5}",
    ),
}


@pytest.mark.parametrize("make", [Server, ChatKitRouter])
@pytest.mark.parametrize("name", list(WRONG))
def test_a_server_of_something_else(name: str, make: Any) -> None:
    call, said = WRONG[name]
    with pytest.raises(TypeError, match=said):
        call(make)


@pytest.mark.parametrize("make", [ChatKitApp, chatkit_router, ChatKitPlugin, chatkit_blueprint])
def test_an_endpoint_of_something_else(make: Any) -> None:
    chat: Any = ChatKitRouter(MemoryStore())
    for server in (MemoryStore(), Server, None, "chat"):
        with pytest.raises(TypeError, match="server is a ChatKitServer or ChatKitRouter that has"):
            make(server)
    with pytest.raises(TypeError, match="context is a function of the request, not 'x'"):
        make(chat, context="x")
    with pytest.raises(TypeError, match=r"options is an Options\(...\), not {}"):
        make(chat, options={})


def test_a_middleware_of_something_else() -> None:
    make: Any = ChatKitMiddleware
    with pytest.raises(TypeError, match="chatkit_app, the second argument, is a ChatKitApp, not"):
        make(app(), other)
    with pytest.raises(TypeError, match="chatkit_app, the second argument, is a ChatKitApp, not"):
        make(other, ChatKitRouter(MemoryStore()))
    with pytest.raises(TypeError, match="app, the first argument, is the ASGI application"):
        make("main:app", app())


def test_an_owner_that_is_no_function() -> None:
    for make in (MemoryStore, SQLiteStore):
        with pytest.raises(TypeError, match=r"owner is a function: .*, not 'user_id'"):
            make(owner="user_id")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"owner is a function: .*, not 'chat.db'"):
        MemoryStore("chat.db")  # type: ignore[arg-type]


def test_what_works_may_be_of_another_family() -> None:
    """A store that wraps another, one object that is both, an app that is an object."""

    class Wrapping:
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

    class Both(MemoryStore[Any], AttachmentStore[Any]):
        async def delete_attachment(self, attachment_id: str, context: Any) -> None: ...

    wrapping: Any = Wrapping(MemoryStore())
    both: Any = Both()
    assert isinstance(both, Store)
    Server(wrapping, SimpleNamespace(delete_attachment=None), options=Options())  # type: ignore[arg-type]
    assert Server(both, both).attachment_store is both
    ChatKitMiddleware(SimpleNamespace(__call__=other).__call__, app())


def test_an_error_says_its_code_in_logs() -> None:
    assert str(StreamError(ErrorCode.STREAM_ERROR)) == "stream.error"
    assert str(StreamError("mine")) == "mine"
