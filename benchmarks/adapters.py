"""What an adapter costs beside the plain app on the same server, and a request beside the framework's own endpoint.

Events per second of the server's CPU time, through each adapter and through ``ChatKitApp``, on uvicorn; one delta per
loop turn, which is where a way through a framework can cost most. Requests: CPU time of a ``threads.list`` of 20
threads beside the framework's smallest endpoint that reads the body and answers the same bytes.
"""

import asyncio
import statistics
from typing import Any

from ._http import load, requests, serving
from ._report import Row

__all__ = ["ADAPTERS", "NAME", "run"]

NAME = "adapters"

ADAPTERS = ("fastapi", "litestar", "quart")
STREAMS = 100


def run(quick: bool = False) -> list[Row]:
    """The rows of this subject."""
    rows = _events(quick)
    for adapter in ADAPTERS:
        rows.append(_request(adapter, quick))
    return rows


def _events(quick: bool) -> list[Row]:
    subjects = ("ours", *(f"adapter-{each}" for each in ADAPTERS))
    rates: dict[str, list[float]] = {each: [] for each in subjects}
    deltas = 20 if quick else 200
    for _ in range(1 if quick else 5):
        for subject in subjects:
            with serving(subject, deltas=deltas, burst=1) as served:
                asyncio.run(load(served.port, STREAMS))
                before = served.cpu_seconds()
                frames, _ = asyncio.run(load(served.port, STREAMS))
                rates[subject].append(frames / (served.cpu_seconds() - before))
    rate = {subject: statistics.median(each) for subject, each in rates.items()}
    return [
        Row(f"{each}, {STREAMS} streams, one delta per loop turn", rate[f"adapter-{each}"], rate["ours"],
            "events/CPU s", rate[f"adapter-{each}"] / rate["ours"], 0.9, "beside the plain app")
        for each in ADAPTERS
    ]  # fmt: skip


def _request(adapter: str, quick: bool) -> Row:
    """CPU time of one request, ours beside the framework's own."""
    count = 50 if quick else 2000
    spent: dict[str, list[float]] = {"adapter": [], "minimal": []}
    for _ in range(1 if quick else 5):
        for side, times in spent.items():
            with serving(f"{side}-{adapter}", deltas=1) as served:
                asyncio.run(requests(served.port, count // 10))
                before = served.cpu_seconds()
                asyncio.run(requests(served.port, count))
                times.append(max(served.cpu_seconds() - before, 1e-3) / count * 1e6)
    ours, theirs = (statistics.median(each) for each in spent.values())
    return Row(f"{adapter}, threads.list of 20", ours, theirs, "µs CPU", ours / theirs, 1.3,
               "at most; beside its own endpoint with the same bytes")  # fmt: skip


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
            from fastapi import FastAPI, Request, Response

            app = FastAPI()

            @app.post("/chatkit")
            async def by_fastapi(request: Request) -> Response:
                await request.body()
                return Response(answer, media_type="application/json")

            return app
        case "litestar":
            import litestar

            @litestar.post("/chatkit", status_code=200, media_type="application/json")
            async def by_litestar(request: litestar.Request[Any, Any, Any]) -> bytes:
                await request.body()
                return answer

            return litestar.Litestar([by_litestar], logging_config=None)
        case _:
            import quart

            app = quart.Quart(__name__)

            @app.post("/chatkit")
            async def by_quart() -> Any:
                await quart.request.get_data()
                return quart.Response(answer, content_type="application/json")

            return app


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
