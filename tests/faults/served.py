"""The app that real servers serve in processes of their own. The environment says which answer it gives."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Any

import anyio

from chatkit_asgi import ChatKitApp, ChatKitServer, Options
from chatkit_asgi.store import SQLiteStore

WORD = "word{:06d} "
GRACE = 3.0
CHECKPOINT = 0.2
KEEP_ALIVE = 0.4


class Endless(ChatKitServer[Any]):
    """Never comes to an end by itself.

    ``endless`` writes a word every 5 ms; ``untidy`` does so too and takes long to clean up; ``stubborn`` cannot even be
    cancelled there; ``silent`` says nothing; ``flood`` writes as fast as it may; ``plain`` says "Plain." and is done.
    """

    async def respond(
        self, thread: Any, input_user_message: Any, context: Any
    ) -> AsyncIterator[Any]:
        text = input_user_message.content[0].text
        if text == "silent":
            await anyio.sleep_forever()
        if text == "plain":
            yield "Plain."
            return
        if text == "flood":
            while True:
                yield "x" * 16_000
                await anyio.lowlevel.checkpoint()
        try:
            for number in range(1_000_000):
                yield WORD.format(number)
                await anyio.sleep(0.005)
        finally:
            if text == "untidy":
                await anyio.sleep(1000)
            if text == "stubborn":
                with anyio.CancelScope(shield=True):
                    for _ in range(1000):
                        try:
                            await anyio.sleep(1)
                        except BaseException:
                            continue


def make_app(database: str) -> ChatKitApp:
    options = Options(shutdown_grace=GRACE, checkpoint_interval=CHECKPOINT, keep_alive=KEEP_ALIVE)
    return ChatKitApp(Endless(SQLiteStore(database), options=options))


def app() -> ChatKitApp:
    """For ``--factory``."""
    return make_app(os.environ["CHATKIT_TEST_DB"])


hypercorn_app = make_app(os.environ.get("CHATKIT_TEST_DB", ":memory:"))
