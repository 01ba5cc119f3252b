"""``process()`` for those who keep an endpoint of their own, with the two responses that people stream with."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

import anyio
import msgspec
import pytest

from chatkit_asgi import BadRequest, NonStreamingResult, NotFoundError, StreamingResult
from chatkit_asgi.errors import TooManyRequests, failure_of
from chatkit_asgi.store import Store
from chatkit_asgi.testing import ASGIBridge, BridgeTransport, ChatKitClient
from tests.http.served import Held, Served, all_over, hello, rows
from tests.http.test_streams import uvicorn_serving

CREATE = msgspec.json.encode(
    {"type": "threads.create", "params": {"input": ChatKitClient.message("Hi")}}
)


def decoded(frame: bytes) -> Any:
    assert frame.startswith(b"data: ")
    assert frame.endswith(b"\n\n")
    assert frame.count(b"\n") == 2
    return msgspec.json.decode(frame[6:])


@pytest.mark.parametrize("kind", [bytes, bytearray, bytes.decode])
async def test_one_frame_for_each_event(server: Served, kind: Any) -> None:
    result = await server.process(kind(CREATE), None)
    assert isinstance(result, StreamingResult)
    events = [decoded(frame) async for frame in result]
    assert [event["type"] for event in events][:3] == [
        "thread.created",
        "thread.item.done",
        "stream_options",
    ]
    assert [frame async for frame in result] == [], "it can be read once"


async def test_a_wrapper_of_the_authors_own(server: Served) -> None:
    async def beating(frames: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        yield b": beat\n\n"
        async for frame in frames:
            yield frame

    result = await server.process(CREATE, None)
    assert isinstance(result, StreamingResult)
    frames = [frame async for frame in StreamingResult(beating(result))]
    assert frames[0] == b": beat\n\n"
    assert decoded(frames[1])["type"] == "thread.created"
    assert NonStreamingResult(result=b"{}").json == b"{}"


async def test_a_body_for_what_does_not_stream(server: Served) -> None:
    result = await server.process(b'{"type":"threads.list","params":{}}', None)
    assert isinstance(result, NonStreamingResult)
    assert result.json == b'{"data":[],"has_more":false}'


async def test_what_can_be_checked_is_checked_before_it_returns(server: Served) -> None:
    with pytest.raises(BadRequest):
        await server.process(b"{", None)
    with pytest.raises(NotFoundError) as found:
        await server.process(b'{"type":"items.list","params":{"thread_id":"x"}}', None)
    assert failure_of(found.value).status == 404


UNKNOWN = b'{"type":"threads.retry_after_item","params":{"thread_id":"x","item_id":"y"}}'


async def test_an_endpoint_that_catches_nothing_tells_what_is_wrong_in_the_stream(
    server: Served,
) -> None:
    """It would answer 500 otherwise, and a client repeats a stream that is answered so."""
    result = await server.process(UNKNOWN, None)
    assert isinstance(result, StreamingResult)
    (event,) = [decoded(frame) async for frame in result]
    assert event == {
        "type": "error",
        "code": "custom",
        "message": "No thread 'x'.",
        "allow_retry": False,
    }


async def test_refusals_of_an_authors_own_kind_are_told_too(server: Served) -> None:
    class Busy(TooManyRequests):
        def __init__(self, who: str) -> None:
            self.who = who

    async def load_thread(thread_id: str, context: Any) -> Any:
        raise Busy("ada")

    server.store.load_thread = load_thread  # type: ignore[method-assign]
    (event,) = [decoded(frame) async for frame in await server.process(UNKNOWN, None)]  # type: ignore[union-attr]
    assert (event["type"], event["code"], event["allow_retry"]) == ("error", "custom", True)


async def test_an_endpoint_that_answers_by_itself_asks_for_the_error(server: Served) -> None:
    with pytest.raises(NotFoundError) as found:
        await server.process(UNKNOWN, None, raise_errors=True)
    assert failure_of(found.value).status == 404


@pytest.mark.parametrize(
    "wrong", ['"\ud800"', '{"type": "threads.list", "params": {"after": "\ud800"}}']
)
async def test_text_that_utf8_cannot_hold_is_a_bad_request(server: Served, wrong: str) -> None:
    with pytest.raises(BadRequest):
        await server.process(wrong, None)


async def test_closing_the_iterator_is_a_disconnect(server: Served, store: Store[Any]) -> None:
    server.responding = Held()
    result = await server.process(CREATE, None)
    assert isinstance(result, StreamingResult)
    frames = aiter(result)
    thread_id = decoded(await anext(frames))["thread"]["id"]
    while "update" not in (event := decoded(await anext(frames))) or "delta" not in event["update"]:
        pass
    await frames.aclose()  # type: ignore[attr-defined]
    await all_over(server)
    assert (await rows(store, thread_id))[1].content[0].text == "Hello "


@pytest.mark.parametrize("begun", [False, True])
async def test_a_result_that_is_dropped_is_a_disconnect(
    server: Served, store: Store[Any], begun: bool
) -> None:
    """Nobody reads it any more: the turn must not run on for ever, nor wait for a reader."""
    server.responding = Held()
    result = await server.process(CREATE, None)
    assert isinstance(result, StreamingResult)
    if begun:
        async for _ in result:
            break
    del result
    await all_over(server)


async def test_the_iterator_lives_without_the_result(server: Served) -> None:
    async def frames() -> Any:
        result = await server.process(CREATE, None)
        assert isinstance(result, StreamingResult)
        return result.json_events

    events = [decoded(frame) async for frame in await frames()]
    assert events[-1]["type"] == "thread.item.done"


async def test_a_reader_that_is_cancelled_is_a_disconnect(
    server: Served, store: Store[Any]
) -> None:
    server.responding = Held()
    result = await server.process(CREATE, None)
    assert isinstance(result, StreamingResult)
    seen: list[Any] = []
    async with anyio.create_task_group() as tasks:

        async def read() -> None:
            async for frame in result:
                seen.append(decoded(frame))
                if "delta" in seen[-1].get("update", {}):
                    tasks.cancel_scope.cancel()

        tasks.start_soon(read)
    await all_over(server)
    assert (await rows(store, seen[0]["thread"]["id"]))[1].content[0].text == "Hello "


async def test_reading_from_changing_tasks_is_fine(server: Served) -> None:
    """Heartbeat wrappers and merging helpers do it."""
    result = await server.process(CREATE, None)
    assert isinstance(result, StreamingResult)
    frames = aiter(result)
    events: list[Any] = []
    done = False

    async def one() -> None:
        nonlocal done
        frame = await anext(frames, None)
        done = frame is None
        if frame is not None:
            events.append(decoded(frame))

    while not done:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(one)
    assert events[-1]["type"] == "thread.item.done"


# -- with the responses of others ----------------------------------------------------------------------------------


def starlette_app(server: Served, response: Any) -> Any:
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Route

    async def endpoint(request: Any) -> Any:
        try:
            result = await server.process(await request.body(), None, raise_errors=True)
        except Exception as error:
            return Response(status_code=failure_of(error).status)
        if isinstance(result, StreamingResult):
            return response(result)
        return Response(result.json, media_type="application/json")

    return Starlette(routes=[Route("/chatkit", endpoint, methods=["POST"])])


def streaming_response(result: Any) -> Any:
    from starlette.responses import StreamingResponse

    return StreamingResponse(result, media_type="text/event-stream")


def event_source_response(result: Any) -> Any:
    from sse_starlette import EventSourceResponse

    return EventSourceResponse(result, media_type="text/event-stream")


@pytest.mark.parametrize("response", [streaming_response, event_source_response])
async def test_responses_of_others_take_it(
    server: Served, store: Store[Any], response: Any
) -> None:
    async with ASGIBridge(starlette_app(server, response)) as bridge:
        client = ChatKitClient(BridgeTransport(bridge))
        turn = (await client.create("Hi")).check()
        assert turn.text == "Hello world"
        assert (await client.get_thread("nope")).status == 404
        server.responding = Held()
        params = {"thread_id": turn.thread.id, "input": client.message("More")}
        async with client.stream("threads.add_user_message", params) as stopped:
            await stopped.wait_for(lambda event: event.get("update", {}).get("delta") == "Hello ")
        gc.collect()  # a response that is cancelled in the middle of sending is garbage in a cycle
        await all_over(server)
        stored = await rows(store, turn.thread.id)
        assert stored[3].content[0].text == "Hello "
    await server.turns.shutdown()
    server.turns.resume()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("response", [streaming_response, event_source_response])
async def test_they_take_it_behind_a_real_server(
    server: Served, store: Store[Any], response: Any
) -> None:
    async with uvicorn_serving(starlette_app(server, response)) as url:
        client = ChatKitClient(url)
        turn = (await client.create("Hi")).check()
        assert turn.text == "Hello world"
        server.responding = Held()
        params = {"thread_id": turn.thread.id, "input": client.message("More")}
        async with client.stream("threads.add_user_message", params) as stopped:
            await stopped.wait_for(lambda event: event.get("update", {}).get("delta") == "Hello ")
        await all_over(server)
        server.responding = hello
        assert (await client.send(turn.thread.id, "Again")).check().text == "Hello world"
    stored = await rows(store, turn.thread.id)
    assert stored[3].content[0].text == "Hello "
    await server.turns.shutdown()
    server.turns.resume()
