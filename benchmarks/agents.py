"""Streams of the Agents SDK through both bridges, from the SDK's events to frames, with the same events on both sides.

The events are real ones of the SDK and the ``openai`` package, made before; the run that gives them is a stand-in, so
neither the SDK's nor a model's own work is measured. In process both run on uvloop, as both do over HTTP: what one
delta per loop turn costs is for a good part the loop's. HTTP is counted as in ``app``: frames per second of the
server's CPU time.
"""

# pyright: basic
# mypy: ignore-errors
from __future__ import annotations

import asyncio
import gc
import statistics
import time
from functools import cache

import uvloop

from ._http import cpu_per_event, serving
from ._measure import interleaved, pair_of
from ._report import Row
from .data import CREATE_BODY

__all__ = ["NAME", "official_app", "our_app", "run"]

NAME = "agents"


class FakeRun:
    """What ``Runner.run_streamed`` returns, as far as a bridge looks: gives events, letting the loop turn after every
    ``burst`` of them (0: never)."""

    is_complete = True

    def __init__(self, events, burst):
        self._events, self._burst = events, burst

    async def stream_events(self):
        burst = self._burst
        for number, event in enumerate(self._events, 1):
            yield event
            if burst and number % burst == 0:
                await asyncio.sleep(0)

    def cancel(self):
        """Nothing to cancel."""


@cache
def _message(deltas, text):
    """The events of a message."""
    from openai.types import responses as r

    item = {"type": "message", "id": "msg_model", "role": "assistant"}
    at = {"item_id": "msg_model", "output_index": 0, "content_index": 0, "sequence_number": 0}
    part = r.ResponseOutputText(type="output_text", text="", annotations=[])
    whole = r.ResponseOutputText(type="output_text", text=text * deltas, annotations=[])
    delta = r.ResponseTextDeltaEvent(
        type="response.output_text.delta", delta=text, logprobs=[], **at
    )
    return _raw(
        [
            r.ResponseOutputItemAddedEvent(
                type="response.output_item.added", output_index=0, sequence_number=0,
                item=r.ResponseOutputMessage(**item, status="in_progress", content=[]),
            ),
            r.ResponseContentPartAddedEvent(type="response.content_part.added", part=part, **at),
            *[delta] * deltas,
            r.ResponseTextDoneEvent(
                type="response.output_text.done", text=text * deltas, logprobs=[], **at
            ),
            r.ResponseOutputItemDoneEvent(
                type="response.output_item.done", output_index=0, sequence_number=0,
                item=r.ResponseOutputMessage(**item, status="completed", content=[whole]),
            ),
        ]
    )  # fmt: skip


@cache
def _thought(deltas, text):
    """The events of one long thought."""
    from openai.types import responses as r

    at = {"item_id": "rs_model", "output_index": 0, "summary_index": 0, "sequence_number": 0}
    kind = "response.reasoning_summary_text"
    return _raw(
        [
            r.ResponseOutputItemAddedEvent(
                type="response.output_item.added", output_index=0, sequence_number=0,
                item=r.ResponseReasoningItem(type="reasoning", id="rs_model", summary=[]),
            ),
            *[r.ResponseReasoningSummaryTextDeltaEvent(type=f"{kind}.delta", delta=text, **at)] * deltas,
            r.ResponseReasoningSummaryTextDoneEvent(type=f"{kind}.done", text=text * deltas, **at),
        ]
    )  # fmt: skip


def _raw(events):
    from agents import RawResponsesStreamEvent

    return [RawResponsesStreamEvent(data=event) for event in events]


def ours(make=_message, *, deltas=100, burst=0, text="hello wor"):
    """Our server in front of a run."""
    from chatkit_asgi.agents import AgentContext, stream_agent_response
    from chatkit_asgi.server import ChatKitServer
    from chatkit_asgi.store import MemoryStore

    class Server(ChatKitServer):
        async def respond(self, thread, input_user_message, context):
            agent_context = AgentContext(thread=thread, store=self.store, request_context=context)
            result = FakeRun(make(deltas, text), burst)
            async for event in stream_agent_response(agent_context, result):
                yield event

    return Server(MemoryStore())


def official(make=_message, *, deltas=100, burst=0, text="hello wor"):
    """The official server in front of a run."""
    from chatkit.agents import AgentContext, stream_agent_response

    from .official import ChatKitServer, DictStore

    class Server(ChatKitServer):
        async def respond(self, thread, input_user_message, context):
            agent_context = AgentContext(thread=thread, store=self.store, request_context=context)
            result = FakeRun(make(deltas, text), burst)
            async for event in stream_agent_response(agent_context, result):
                yield event

    return Server(DictStore())


def our_app(**options):
    """Our app."""
    from chatkit_asgi import ChatKitApp

    return ChatKitApp(ours(**options))


def official_app(**options):
    """The documented wiring of the official server."""
    from .official import app

    return app(official(**options))


async def _read_chunks(server, every=0):
    """Read to the end, as the app does, or with only one look in so many loop turns: seconds and bytes."""
    began = time.process_time()
    result = await server.process(CREATE_BODY, {})
    size = 0
    async for chunk in result.viewer:
        size += len(chunk)
        for _ in range(every):
            await asyncio.sleep(0)
    return time.process_time() - began, size


async def _read(server):
    began = time.process_time()
    result = await server.process(CREATE_BODY, {})
    size = 0
    async for frame in result:
        size += len(frame)
    return time.process_time() - began, size


def run(quick: bool = False) -> list[Row]:
    """The rows of this subject."""
    deltas, rounds = (200, 2) if quick else (1000, 15)
    rows = [
        _on_uvloop(_per_delta(0, "ready", 12, deltas, rounds)),
        _on_uvloop(_per_delta(1, "one per loop turn", 5, deltas, rounds)),
        *_on_uvloop(_behind(500 if quick else 5000)),
    ]
    if not quick:
        rows += [_http(1, "one per loop turn", 4.3), _http(8, "8 per loop turn", 11)]
    return rows


def _on_uvloop(work):
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


async def _per_delta(burst, name, budget, deltas, rounds):
    sides = [
        (_read_chunks, ours(deltas=deltas, burst=burst), 5),
        (_read, official(deltas=deltas, burst=burst), 1),
    ]
    for read, server, _ in sides:
        await read(server)
    measured = []
    for _ in range(rounds):
        costs = []
        for read, server, repeats in sides:
            gc.collect()
            spent = [(await read(server))[0] for _ in range(repeats)]
            costs.append(statistics.mean(spent) / deltas * 1e6)
        measured.append(tuple(costs))
    our, other, ratio = pair_of(measured)
    name = f"SDK stream to frames, per delta in process, {name}"
    return Row(name, our, other, "µs", ratio, budget, "")


async def _behind(deltas):
    """Bytes of a long thought for a viewer that does not keep up."""
    _, other = await _read(official(_thought, deltas=deltas, burst=1, text="toke"))
    rows = []
    for name, burst, every in (
        ("the model is faster than the viewer", 0, 0),
        ("the viewer looks every 64 deltas", 1, 64),
    ):
        _, size = await _read_chunks(ours(_thought, deltas=deltas, burst=burst, text="toke"), every)
        rows.append(
            Row(f"thought of {deltas:,} deltas, {name}", size / 1e6, other / 1e6, "MB", other / size, None,
                "at most 7 MB")
        )  # fmt: skip
    return rows


def _http(burst, name, budget):
    with (
        serving("our-agents", deltas=300, burst=burst) as mine,
        serving("official-agents", deltas=300, burst=burst) as theirs,
    ):
        for each in (mine, theirs):
            cpu_per_event(each, 100)
        our, other, ratio = interleaved(
            lambda: cpu_per_event(mine, 100), lambda: cpu_per_event(theirs, 100), rounds=7
        )
    return Row(f"SDK stream over HTTP, uvicorn, 100 streams, {name}", 1 / our, 1 / other, "events/CPU s", ratio,
               budget, "")  # fmt: skip
