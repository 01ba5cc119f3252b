"""The plain app inside frameworks that have no adapter: what works in them, and what does not."""

from __future__ import annotations

import inspect
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import falcon.asgi
import pytest
from aiohttp import web
from aiohttp_asgi import ASGIResource
from blacksheep import Application

from chatkit_asgi import ChatKitApp, ChatKitMiddleware, Options
from tests.stacks import site, test_lifespan, test_paths, test_people, test_requests, test_streams
from tests.stacks.asgi import Plain
from tests.stacks.conftest import make_server


class BlackSheep(Plain):
    """``mount``; BlackSheep starts only mounted apps that are its own."""

    path = "/chatkit"

    def around(self, app: ChatKitApp) -> Any:
        outer = Application()
        outer.mount("/chatkit", app)
        outer.on_stop += _stopping(app)
        return outer


class Falcon(Plain):
    """Falcon mounts no ASGI apps, so it is wrapped."""

    path = "/chatkit"

    def around(self, app: ChatKitApp) -> Any:
        return ChatKitMiddleware(falcon.asgi.App(), app, path="/chatkit")


class AioHTTP(Plain):
    """aiohttp's own server, with the app as a resource."""

    path = "/chatkit"
    skips: ClassVar[Mapping[str, str]] = {
        "test_leaving_stops_the_turn_and_keeps_what_was_said": "aiohttp-asgi tells of no disconnect; the next event or "
        "keep-alive comment finds it out",
        "test_leaving_a_silent_stream_is_noticed": "the same",
        "test_a_route_gets_the_whole_request": "aiohttp-asgi decodes the query string",
    }

    def around(self, app: ChatKitApp) -> Any:
        outer = web.Application()
        outer.router.register_resource(ASGIResource(app, root_path="/chatkit"))  # type: ignore[arg-type]
        outer.on_shutdown.append(_stopping(app))
        return outer


def _stopping(app: ChatKitApp) -> Callable[[Any], Any]:
    async def stop(_: Any) -> None:
        await app.shutdown()

    return stop


@asynccontextmanager
async def serve_by_aiohttp(app: Any) -> AsyncIterator[str]:
    """As :func:`tests.stacks.site.serve`, with aiohttp."""
    runner = web.AppRunner(app)
    await runner.setup()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        await web.SockSite(runner, listener).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            await runner.cleanup()


CASES: list[Any] = [
    test_requests.test_all_sixteen_requests_are_answered_as_by_the_plain_app,
    test_requests.test_bad_input_is_a_clear_error,
    test_streams.test_events_come_one_by_one,
    test_streams.test_leaving_stops_the_turn_and_keeps_what_was_said,
    test_streams.test_leaving_a_silent_stream_is_noticed,
    test_paths.test_a_route_gets_the_whole_request,
    test_people.test_no_other_path_is_a_way_in,
    test_lifespan.test_stopping_saves_what_still_runs_and_closes_the_store,
]
"""Of the suite: those that a framework can break."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__.removeprefix("test_"))
@pytest.mark.parametrize("framework", [BlackSheep, Falcon, AioHTTP])
async def test_the_plain_app_works_inside(
    framework: type[Plain],
    case: Any,
    record_property: Callable[[str, Any], None],
    options: Options,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record_property("table", "mounts")
    record_property("stack", framework.__name__)
    record_property("case", case.__name__)
    if case.__name__ in framework.skips:
        pytest.skip(framework.skips[case.__name__])
    if framework is AioHTTP:
        monkeypatch.setattr(site, "serve", serve_by_aiohttp)
    wants_server = "server" in inspect.signature(case).parameters
    await (case(framework(), make_server(options)) if wants_server else case(framework()))
