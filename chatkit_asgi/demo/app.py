"""The demo's application: a router on a SQLite file, with the assistant that was asked for."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import aclosing, closing
from dataclasses import dataclass
from typing import Any, Literal

from chatkit_asgi import ChatKitApp, ChatKitMiddleware, ChatKitRouter
from chatkit_asgi.asgi import Receive, Scope, Send
from chatkit_asgi.demo.model import LocalModel, Model, ModelUnavailableError
from chatkit_asgi.demo.scenes import Reply
from chatkit_asgi.demo.scripted import Scripted, text_of
from chatkit_asgi.store import SQLiteStore
from chatkit_asgi.types import ThreadMetadata, UserMessageItem

__all__ = ["Choice", "Demo", "DemoError", "build"]

Choice = Literal["auto", "local", "openai", "scripted"]

TITLE_LENGTH = 60


class DemoError(Exception):
    """The demo cannot run as asked; the text is one line for the user."""


@dataclass(frozen=True)
class Demo:
    """An application that is ready to be served.

    Attributes:
        app: The ASGI application; ChatKit is at ``/chatkit``, its playground below it.
        assistant: Who answers, in words.
        note: Why somebody else does not, where that was not asked for.
    """

    app: ChatKitMiddleware
    assistant: str
    note: str | None = None


def build(*, database: str, choice: Choice, openai_model: str, pace: float) -> Demo:
    """Build the demo.

    Args:
        database: SQLite file; made when missing.
        choice: The assistant; ``auto`` is OpenAI with a key, else the local model, else the script.
        openai_model: Which of OpenAI's models.
        pace: Seconds between the words of the scripted scenes.

    Raises:
        DemoError: The database cannot be used, or the assistant that was asked for by name.
    """
    _check_database(database)
    store = SQLiteStore(database)
    chat = ChatKitRouter(store)
    scripted = Scripted(chat, pace=pace)
    model, who, note = _model(store, choice, openai_model)

    @chat.respond
    async def respond(
        thread: ThreadMetadata, message: UserMessageItem | None, context: Any
    ) -> AsyncIterator[Reply]:
        text = text_of(message) if message else ""
        thread.title = thread.title or text[:TITLE_LENGTH] or None
        assistant = model if model and text and not text.startswith("/") else scripted
        async with aclosing(assistant.respond(thread, message, context)) as replies:
            async for reply in replies:
                yield reply

    app = ChatKitApp(chat, playground=True)
    return Demo(ChatKitMiddleware(_FrontDoor(model), app, path="/chatkit"), who, note)


class _FrontDoor:
    """Beside the endpoint: whoever comes to the front door is shown in. At the end, the connections to the model are
    closed."""

    def __init__(self, model: Model | None) -> None:
        self.model = model

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await _show_in(scope, send)
            return
        while True:
            kind = (await receive())["type"]
            if kind == "lifespan.shutdown" and self.model is not None:
                await self.model.client.close()
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return


async def _show_in(scope: Scope, send: Send) -> None:
    home = scope["path"] == "/"
    headers = [(b"location", b"chatkit/playground/")] if home else []
    status = 307 if home else 404
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _model(
    store: SQLiteStore, choice: Choice, openai_model: str
) -> tuple[Model | None, str, str | None]:
    """The model that was chosen, who it is in words, and why it is not the one hoped for."""
    scripted = "scripted: plays every kind of event, by keyword"
    key = os.environ.get("OPENAI_API_KEY")
    if choice == "scripted":
        return None, scripted, None
    if choice == "openai" and not key:
        raise DemoError("--model openai needs OPENAI_API_KEY in the environment")
    try:
        from openai import AsyncOpenAI

        if key and choice != "local":
            model = Model(AsyncOpenAI(), openai_model, store)
            return model, f"{openai_model}, by OpenAI's API", None
        local = LocalModel()
        local.warm_up()
    except (ImportError, ModelUnavailableError) as error:
        reason = f"the model cannot be loaded ({error})"
        if choice != "auto":
            raise DemoError(f"{reason}; --scripted needs none") from error
        return None, scripted, f"Going on scripted: {reason}."
    client = AsyncOpenAI(base_url=local.base_url, api_key="none")
    model = Model(client, local.name, store, local.history_bytes, local.answer_tokens, server=local)
    return model, f"{local.name}, a small language model on this machine", None


def _check_database(path: str) -> None:
    """Open the file for writing once, so that a bad path is an answer and not a traceback."""
    try:
        with closing(sqlite3.connect(path, timeout=1)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.rollback()
    except sqlite3.Error as error:
        raise DemoError(f"cannot use the database {path}: {error}") from error
