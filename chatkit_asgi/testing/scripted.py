"""A model server that says what a test tells it to: the streaming Responses API, as an ASGI app.

What lives here: the steps of a script, the events that OpenAI's API makes of them, and the faults of real servers. Give
the app to any ASGI server, or to an in-process client, and point an ``openai`` client at it. May import the standard
library and anyio.
"""

from __future__ import annotations

import json
import time
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import anyio

__all__ = [
    "Call",
    "Draw",
    "Fail",
    "HangUp",
    "Raw",
    "Refuse",
    "Say",
    "ScriptedModel",
    "Status",
    "Step",
    "Stop",
    "Think",
    "Together",
    "Wait",
]

Event = dict[str, Any]


@dataclass(frozen=True)
class Say:
    """A message."""

    text: str
    chunks: int = 3
    """In how many deltas it comes."""
    citations: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Refuse:
    """A refusal."""

    text: str
    chunks: int = 3


@dataclass(frozen=True)
class Think:
    """Reasoning, with summaries, or as raw text."""

    summaries: Sequence[str] = ()
    chunks: int = 3
    raw: str = ""


@dataclass(frozen=True)
class Call:
    """A call of a function tool."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    call_id: str = ""
    """Made up if it is empty."""


@dataclass(frozen=True)
class Draw:
    """An image, in base64; without ``image`` it cannot be made."""

    image: str = ""
    partial: Sequence[str] = ()


@dataclass(frozen=True)
class Together:
    """Steps whose events take turns."""

    steps: Sequence[Say | Refuse | Think | Call | Draw]


@dataclass(frozen=True)
class Fail:
    """The response fails, by its own event or by an ``error``."""

    code: str = "server_error"
    message: str = "internal details"
    event: Literal["response.failed", "error"] = "response.failed"


@dataclass(frozen=True)
class Stop:
    """The response ends before it is complete."""

    reason: str = "max_output_tokens"


@dataclass(frozen=True)
class Status:
    """The request is answered with an error; the first step of its script."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    message: str = "internal details"


@dataclass(frozen=True)
class HangUp:
    """The connection breaks here. An ASGI app can only let its server do that: by ending in the middle."""


@dataclass(frozen=True)
class Wait:
    """Nothing comes for a while: until an event is set, or for some seconds."""

    until: Callable[[], Awaitable[object]] | float


@dataclass(frozen=True)
class Raw:
    """Bytes as they are: an event that makes no sense, or what was recorded elsewhere."""

    data: bytes | Mapping[str, Any]


Step: TypeAlias = (
    Say | Refuse | Think | Call | Draw | Together | Fail | Stop | Status | HangUp | Wait | Raw
)

Ids = Literal["own", "placeholder", "none", "late"]
Script = Sequence[Step]


class ScriptedModel:
    """An ASGI app that answers ``POST .../responses``, a script for each request.

    Example::

        model = ScriptedModel([[Think(["Hm."]), Call("lookup")], [Say("Hello")]])
        uvicorn.run(model)

    Args:
        scripts: What to say, request by request, or a function that makes the steps of a request's body. The last one
            is repeated.
        ids: How items are named: as OpenAI does, all by one placeholder, not at all, or only after they have begun.
        indexed: Whether events say the ``output_index``.
        bare: Whether the stream is the bytes of its :class:`Raw` steps and nothing else.
    """

    def __init__(
        self,
        scripts: Sequence[Script] | Callable[[dict[str, Any]], Script],
        *,
        ids: Ids = "own",
        indexed: bool = True,
        bare: bool = False,
    ) -> None:
        self._scripts = scripts
        self._ids: Ids = ids
        self._indexed = indexed
        self._bare = bare
        self.requests: list[dict[str, Any]] = []
        """The bodies of the requests."""
        self.headers: list[dict[str, str]] = []
        """Their headers."""
        self.hung_up: list[float] = []
        """When a client left before the end, on :func:`time.perf_counter`."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return await _lifespan(receive, send)
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.requests.append(json.loads(body or b"{}"))
        self.headers.append({key.decode(): value.decode() for key, value in scope["headers"]})
        steps = self._script()
        if steps and isinstance(steps[0], Status):
            return await _refuse(send, steps[0])
        if not self.requests[-1].get("stream"):
            return await self._answer_whole(send, steps)
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", b"text/event-stream")],
            }
        )
        async with anyio.create_task_group() as tasks:

            async def watch() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                self.hung_up.append(time.perf_counter())
                tasks.cancel_scope.cancel()

            tasks.start_soon(watch)
            async for frame in self._frames(steps):
                await send({"type": "http.response.body", "body": frame, "more_body": True})
            tasks.cancel_scope.cancel()
        if not any(isinstance(step, HangUp) for step in steps):
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _answer_whole(self, send: Any, steps: Script) -> None:
        """The response at the end of the stream, for a request that asks for no stream."""
        frames = [frame async for frame in self._frames(steps)]
        document = json.loads(frames[-1].partition(b"data: ")[2])["response"]
        await _send_json(send, 200, [], document)

    def _script(self) -> Script:
        if callable(self._scripts):
            return self._scripts(self.requests[-1])
        return self._scripts[min(len(self.requests), len(self._scripts)) - 1]

    async def _frames(self, steps: Script) -> AsyncIterator[bytes]:
        response = _Response(len(self.requests), self._ids, self._indexed)
        if not self._bare:
            yield _frame({"type": "response.created", "response": response.document("in_progress")})
        ended = self._bare
        for step in steps:
            match step:
                case Wait():
                    if callable(step.until):
                        await step.until()
                    else:
                        await anyio.sleep(step.until)
                case HangUp():
                    return
                case Raw():
                    yield step.data if isinstance(step.data, bytes) else _frame(dict(step.data))
                case Status():
                    raise ValueError("Status is the first step of a script")
                case Fail() | Stop():
                    yield _frame(response.end(step))
                    ended = True
                case _:
                    for event in response.events(step):
                        yield _frame(event)
        if not ended:
            yield _frame({"type": "response.completed", "response": response.document("completed")})


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


async def _refuse(send: Any, step: Status) -> None:
    headers = [(key.encode(), value.encode()) for key, value in step.headers.items()]
    document = {"error": {"message": step.message, "code": None, "type": "error"}}
    await _send_json(send, step.status, headers, document)


async def _send_json(send: Any, status: int, headers: list[Any], document: Any) -> None:
    headers = [*headers, (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(document).encode()})


def _frame(event: Event) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


class _Response:
    """One response: numbers its events and collects its output."""

    def __init__(self, number: int, ids: Ids, indexed: bool) -> None:
        self.id = f"resp_{number:04}"
        self._number = number
        self._ids: Ids = ids
        self._indexed = indexed
        self._sequence = 0
        self.output: list[Event] = []

    def document(self, status: str, **more: Any) -> Event:
        return {
            "id": self.id,
            "object": "response",
            "created_at": 1_773_480_413,
            "model": "scripted",
            "status": status,
            "output": self.output,
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "usage": None,
            **more,
        }

    def end(self, step: Fail | Stop) -> Event:
        if isinstance(step, Stop):
            more = {"incomplete_details": {"reason": step.reason}}
            return {
                "type": "response.incomplete",
                "response": self.document("incomplete", **more),
            }
        error = {"code": step.code, "message": step.message}
        if step.event == "error":
            return {"type": "error", "param": None, "sequence_number": 0, **error}
        return {"type": "response.failed", "response": self.document("failed", error=error)}

    def events(self, step: Any) -> Iterator[Event]:
        streams = [self._item(each) for each in getattr(step, "steps", (step,))]
        while streams:
            for stream in [*streams]:
                event = next(stream, None)
                if event is None:
                    streams.remove(stream)
                    continue
                self._sequence += 1
                yield event | {"sequence_number": self._sequence}

    def _item(self, step: Any) -> Iterator[Event]:
        index = len(self.output)
        self.output.append({})
        names: dict[Ids, str] = {
            "own": f"item_{self._number:04}_{index:04}",
            "late": f"item_{self._number:04}_{index:04}",
            "placeholder": "__fake_id__",
            "none": "",
        }
        item_id = names[self._ids]
        where: Event = {"item_id": item_id} | ({"output_index": index} if self._indexed else {})
        item, inner = _ITEMS[type(step)](step)

        def whole(kind: str, item: Event, item_id: str) -> Event:
            named = item if self._ids == "none" else {"id": item_id, **item}
            event = {"type": f"response.output_item.{kind}", "item": named}
            return event | ({"output_index": index} if self._indexed else {})

        begun: Event = {
            key: [] if isinstance(value, list) else value for key, value in item.items()
        }
        for name in ("result", "arguments"):
            if begun.get(name):
                begun[name] = None if name == "result" else ""
        yield whole("added", begun, "" if self._ids == "late" else item_id)
        for event in inner:
            yield {**event, **where}
        self.output[index] = {"id": item_id, **item}
        yield whole("done", item, item_id)


def pieces(text: str, chunks: int) -> list[str]:
    """The text in at most ``chunks`` pieces, all but the last of the same length."""
    size = max(1, -(-len(text) // max(1, chunks)))
    return [text[start : start + size] for start in range(0, len(text), size)]


def _say(step: Say) -> tuple[Event, list[Event]]:
    part = {"type": "output_text", "text": step.text, "annotations": [*map(dict, step.citations)]}
    at = {"content_index": 0}
    inner: list[Event] = [
        {
            "type": "response.content_part.added",
            **at,
            "part": part | {"text": "", "annotations": []},
        }
    ]
    for piece in pieces(step.text, step.chunks):
        inner.append({"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []})
    for number, citation in enumerate(step.citations):
        inner.append(
            {
                "type": "response.output_text.annotation.added",
                **at,
                "annotation_index": number,
                "annotation": dict(citation),
            }
        )
    inner.append({"type": "response.output_text.done", **at, "text": step.text, "logprobs": []})
    inner.append({"type": "response.content_part.done", **at, "part": part})
    return _message([part]), inner


def _refuse_to(step: Refuse) -> tuple[Event, list[Event]]:
    part = {"type": "refusal", "refusal": step.text}
    at = {"content_index": 0}
    inner: list[Event] = [
        {"type": "response.content_part.added", **at, "part": part | {"refusal": ""}}
    ]
    for piece in pieces(step.text, step.chunks):
        inner.append({"type": "response.refusal.delta", **at, "delta": piece})
    inner.append({"type": "response.refusal.done", **at, "refusal": step.text})
    inner.append({"type": "response.content_part.done", **at, "part": part})
    return _message([part]), inner


def _message(content: list[Event]) -> Event:
    return {"type": "message", "role": "assistant", "status": "completed", "content": content}


def _think(step: Think) -> tuple[Event, list[Event]]:
    inner: list[Event] = []
    for number, summary in enumerate(step.summaries):
        at = {"summary_index": number}
        kind = "response.reasoning_summary_"
        inner.append({"type": kind + "part.added", **at, "part": _summary("")})
        for piece in pieces(summary, step.chunks):
            inner.append({"type": kind + "text.delta", **at, "delta": piece})
        inner.append({"type": kind + "text.done", **at, "text": summary})
        inner.append({"type": kind + "part.done", **at, "part": _summary(summary)})
    if step.raw:
        at = {"content_index": 0}
        for piece in pieces(step.raw, step.chunks):
            inner.append({"type": "response.reasoning_text.delta", **at, "delta": piece})
        inner.append({"type": "response.reasoning_text.done", **at, "text": step.raw})
    item: Event = {"type": "reasoning", "summary": [_summary(each) for each in step.summaries]}
    if step.raw:
        item["content"] = [{"type": "reasoning_text", "text": step.raw}]
    return item, inner


def _summary(text: str) -> Event:
    return {"type": "summary_text", "text": text}


def _call(step: Call) -> tuple[Event, list[Event]]:
    arguments = json.dumps(dict(step.arguments))
    inner: list[Event] = [
        {"type": "response.function_call_arguments.delta", "delta": arguments},
        {
            "type": "response.function_call_arguments.done",
            "name": step.name,
            "arguments": arguments,
        },
    ]
    item = {
        "type": "function_call",
        "status": "completed",
        "call_id": step.call_id or f"call_{step.name}",
        "name": step.name,
        "arguments": arguments,
    }
    return item, inner


def _draw(step: Draw) -> tuple[Event, list[Event]]:
    inner: list[Event] = [
        {
            "type": "response.image_generation_call.partial_image",
            "partial_image_index": number,
            "partial_image_b64": image,
        }
        for number, image in enumerate(step.partial)
    ]
    item = {
        "type": "image_generation_call",
        "status": "completed" if step.image else "failed",
        "result": step.image or None,
    }
    return item, inner


_ITEMS: dict[type, Callable[[Any], tuple[Event, list[Event]]]] = {
    Say: _say,
    Refuse: _refuse_to,
    Think: _think,
    Call: _call,
    Draw: _draw,
}
