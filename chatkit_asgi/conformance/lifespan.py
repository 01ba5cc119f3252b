"""Starts an ASGI app up and shuts it down, as a server would."""

from __future__ import annotations

from collections.abc import AsyncGenerator, MutableMapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio

__all__ = ["Lifespan"]


class Lifespan:
    """One app's lifespan. An app that has none is fine.

    Args:
        app: The app.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._state: dict[str, Any] = {}

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """The app is started on entry and stopped on exit.

        Raises:
            RuntimeError: It did not start, or not stop.
        """
        to_app_send, to_app = anyio.create_memory_object_stream[dict[str, Any]](2)
        said: set[str] = set()
        heard = anyio.Event()

        async def send(message: MutableMapping[str, Any]) -> None:
            nonlocal heard
            said.add(message["type"])
            heard.set()
            heard = anyio.Event()

        async def run() -> None:
            scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": self._state}
            with suppress(Exception):  # as servers do: it knows no lifespan
                await self._app(scope, to_app.receive, send)
            said.add("ended")
            heard.set()

        async def phase(name: str) -> None:
            await to_app_send.send({"type": f"lifespan.{name}"})
            while not said & {f"lifespan.{name}.complete", f"lifespan.{name}.failed", "ended"}:
                await heard.wait()
            if f"lifespan.{name}.failed" in said:
                raise RuntimeError(f"the app's {name} failed")

        failure: Exception | None = None
        async with to_app_send, to_app, anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            try:
                await phase("startup")
                try:
                    yield
                finally:
                    if "ended" not in said:
                        await phase("shutdown")
            except Exception as error:  # a task group would put it into a group
                failure = error
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure
