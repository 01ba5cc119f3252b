"""What an adapter costs beside the plain app on the same server, and a request beside the framework's own endpoint.

Events per second of the server's CPU time, through each adapter and through ``ChatKitApp``, on uvicorn; one delta per
loop turn, which is where a way through a framework can cost most. Requests: CPU time of a ``threads.list`` of 20
threads beside the framework's smallest endpoint that reads the body and answers the same bytes.
"""

import asyncio
from typing import Any

from ._http import Server, cpu_per_event, requests, serving
from ._measure import interleaved
from ._report import Row

__all__ = ["ADAPTERS", "NAME", "run"]

NAME = "adapters"

ADAPTERS = ("fastapi", "litestar", "quart", "django")
STREAMS = 30


def run(quick: bool = False) -> list[Row]:
    """The rows of this subject."""
    return [
        *(_events(adapter, quick) for adapter in ADAPTERS),
        *(_request(adapter, quick) for adapter in ADAPTERS),
    ]


def _events(adapter: str, quick: bool) -> Row:
    deltas = 20 if quick else 1000
    with (
        serving(f"adapter-{adapter}", deltas=deltas, burst=1) as adapted,
        serving("ours", deltas=deltas, burst=1) as plain,
    ):
        for each in (adapted, plain):
            cpu_per_event(each, STREAMS)
        ours, other, ratio = interleaved(
            lambda: cpu_per_event(adapted, STREAMS),
            lambda: cpu_per_event(plain, STREAMS),
            rounds=1 if quick else 11,
        )
    return Row(f"{adapter}, {STREAMS} streams, one delta per loop turn", 1 / ours, 1 / other, "events/CPU s", ratio,
               0.9, "beside the plain app")  # fmt: skip


def _request(adapter: str, quick: bool) -> Row:
    """CPU time of one request, ours beside the framework's own."""
    count = 50 if quick else 1000

    def cost(server: Server) -> float:
        before = server.cpu_seconds()
        asyncio.run(requests(server.port, count))
        return max(server.cpu_seconds() - before, 1e-3) / count * 1e6

    with (
        serving(f"adapter-{adapter}", deltas=1) as adapted,
        serving(f"minimal-{adapter}", deltas=1) as minimal,
    ):
        for each in (adapted, minimal):
            cost(each)
        ours, theirs, ratio = interleaved(
            lambda: cost(adapted), lambda: cost(minimal), rounds=1 if quick else 9
        )
    return Row(f"{adapter}, threads.list of 20", ours, theirs, "µs CPU", 1 / ratio, 1.3,
               "beside its own endpoint with the same bytes", at_most=True)  # fmt: skip


def make(adapter: str, **options: Any) -> Any:
    """The framework's app with our adapter, with 20 threads in the store."""
    server = _filled(**options)
    match adapter:
        case "fastapi":
            from chatkit_fastapi import chatkit_router
            from fastapi import FastAPI

            app = FastAPI()
            app.include_router(chatkit_router(server))
            return app
        case "litestar":
            from chatkit_litestar import ChatKitPlugin
            from litestar import Litestar

            return Litestar(plugins=[ChatKitPlugin(server)], logging_config=None)
        case "django":
            urls = _django()
            from chatkit_django import chatkit_urls

            urls += chatkit_urls(server, context=lambda _: None)
            from chatkit_django.asgi import get_asgi_application

            return get_asgi_application()
        case _:
            from chatkit_quart import chatkit_blueprint
            from quart import Quart

            quart = Quart(__name__)
            quart.register_blueprint(chatkit_blueprint(server))
            return quart


def minimal(adapter: str, **options: Any) -> Any:
    """The framework's app with the smallest endpoint that reads the body and answers the same bytes."""
    answer = _answer(_filled(**options))
    match adapter:
        case "fastapi":
            from fastapi import APIRouter, FastAPI, Request, Response

            router = APIRouter()  # as ours is: what is included costs FastAPI a second look

            @router.post("/chatkit")
            async def by_fastapi(request: Request) -> Response:
                await request.body()
                return Response(answer, media_type="application/json")

            app = FastAPI()
            app.include_router(router)
            return app
        case "litestar":
            import litestar

            @litestar.post("/chatkit", status_code=200, media_type="application/json")
            async def by_litestar(request: litestar.Request[Any, Any, Any]) -> bytes:
                await request.body()
                return answer

            return litestar.Litestar([by_litestar], logging_config=None)
        case "django":
            urls = _django()
            from django.core.asgi import get_asgi_application
            from django.http import HttpRequest, HttpResponse
            from django.urls import path

            async def by_django(request: HttpRequest) -> HttpResponse:
                request.read()
                headers = {"content-type": "application/json", "content-length": str(len(answer))}
                return HttpResponse(answer, headers=headers)

            urls.append(path("chatkit", by_django))
            return get_asgi_application()
        case _:
            import quart

            app = quart.Quart(__name__)

            @app.post("/chatkit")
            async def by_quart() -> Any:
                await quart.request.get_data()
                return quart.Response(answer, content_type="application/json")

            return app


def _django() -> list[Any]:
    """The URLs of a project without middleware, to be added to."""
    import sys
    from types import ModuleType

    from django.conf import settings

    urls: Any = ModuleType("benchmarks_urls")
    sys.modules["benchmarks_urls"] = urls
    urls.urlpatterns = []
    settings.configure(ROOT_URLCONF="benchmarks_urls", ALLOWED_HOSTS=["*"], LOGGING_CONFIG=None)
    found: list[Any] = urls.urlpatterns
    return found


def _filled(**options: Any) -> Any:
    from .ours import OurServer

    server = OurServer(**options)

    async def fill() -> None:
        from chatkit_asgi.types import ThreadMetadata

        for number in range(20):
            thread = ThreadMetadata(
                id=server.store.generate_thread_id(None), created_at=server.options.clock()
            )
            thread.title = f"Thread {number}"
            await server.store.save_thread(thread, context=None)

    asyncio.run(fill())
    return server


def _answer(server: Any) -> bytes:
    async def ask() -> bytes:
        result: Any = await server.process(b'{"type":"threads.list","params":{"limit":20}}', None)
        answer: bytes = result.json
        return answer

    return asyncio.run(ask())
