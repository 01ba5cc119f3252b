"""Breaks an ASGI app in one way: what it is asked, what it answers, or how it sends it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import anyio

App = Callable[..., Awaitable[None]]
Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Asked:
    """A request to a broken app."""

    method: str
    headers: dict[str, str]
    query: str
    body: bytes
    value: Any
    """The decoded body; ``{}`` where it is no JSON object."""

    @property
    def kind(self) -> str:
        """The request's type."""
        found = self.value.get("type")
        return found if isinstance(found, str) else ""

    @property
    def params(self) -> Any:
        """The request's parameters."""
        found = self.value.get("params")
        return found if isinstance(found, dict) else {}

    @property
    def text(self) -> str:
        """What a message says."""
        content = (self.params.get("input") or {}).get("content") or [{}]
        return content[0].get("text", "") if isinstance(content[0], dict) else ""

    def with_value(self, value: Any) -> Asked:
        """The request with another body."""
        return replace(self, value=value, body=json.dumps(value).encode())

    def with_params(self, **params: Any) -> Asked:
        """The request with other parameters."""
        return self.with_value({**self.value, "params": {**self.params, **params}})


Events = Callable[[Any], list[Any]]


@dataclass
class Broken:
    """An app that is broken in one way. Every field is a hook; what it returns takes the place of what was right."""

    app: App
    early: Callable[[Asked], Reply | None] | None = None
    """Answers instead of the app."""
    asks: Callable[[Asked], Asked] | None = None
    """Changes the request."""
    head: Callable[[Asked, int, dict[str, str]], tuple[int, dict[str, str]]] | None = None
    """Changes status and headers."""
    answer: Callable[[Asked, Any], Any] | None = None
    """Changes the JSON of a 200 answer, or its bytes when it gives bytes."""
    refusal: Callable[[Asked, int, Any], Reply | None] | None = None
    """Takes the place of an answer that refuses."""
    events: Callable[[Asked], Events] | None = None
    """For each stream: from an event, or ``None`` at the end, to the events to send."""
    raw: Callable[[Asked, bytes], bytes] | None = None
    """Changes the bytes of each chunk of a stream."""
    whole: Callable[[Asked], bool] | None = None
    """Whether a stream is held back until its end."""
    cut: Callable[[Asked], bool] | None = None
    """Whether the connection is cut where the answer should end."""
    deaf: bool = False
    """Whether the app never hears that a client has left."""
    lock: Callable[[Asked], str | None] | None = None
    """One request at a time for each key."""
    files: bool = False
    """Whether all this happens to what is served beside the protocol, uploads and previews, and not to the endpoint."""

    def __post_init__(self) -> None:
        self.waits = False
        """Whether it has held anything back."""
        self._locks: dict[str, anyio.Lock] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or self.files != ("/attachments" in scope["path"]):
            await self.app(scope, receive, send)
            return
        asked = await _read(scope, receive)
        if asked is None:
            return
        key = None if self.lock is None else self.lock(asked)
        if key is None:
            await self._answer(asked, scope, receive, send)
        else:
            self.waits = True
            async with self._locks.setdefault(key, anyio.Lock()):
                await self._answer(asked, scope, receive, send)

    async def _answer(self, asked: Asked, scope: Any, receive: Any, send: Any) -> None:
        if self.early is not None and (reply := self.early(asked)) is not None:
            await _send(send, reply)
            return
        if self.asks is not None:
            asked = self.asks(asked)
            scope = {
                **scope,
                "method": asked.method,
                "query_string": asked.query.encode(),
                "headers": [
                    (name.encode("latin-1"), value.encode("latin-1"))
                    for name, value in {
                        **asked.headers,
                        "content-length": str(len(asked.body)),
                    }.items()
                    if name != "transfer-encoding"
                ],
            }
        sender = _Sender(self, asked, send)
        sent = False

        async def receiving() -> Any:
            nonlocal sent
            if not sent:
                sent = True
                return {"type": "http.request", "body": asked.body, "more_body": False}
            if self.deaf:
                await sender.ended.wait()
            return await receive()

        await self.app(scope, receiving, sender.send)


class _Sender:
    """Takes what the app sends, and sends what is left of it."""

    def __init__(self, broken: Broken, asked: Asked, send: Any) -> None:
        self.ended = anyio.Event()
        self._broken = broken
        self._asked = asked
        self._send = send
        self._status = 0
        self._headers: dict[str, str] = {}
        self._body = b""
        self._streams = False
        self._events: Events | None = None
        self._held = b""

    async def send(self, message: Any) -> None:
        """See :class:`Broken`."""
        broken, asked = self._broken, self._asked
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = {
                name.decode("latin-1"): value.decode("latin-1")
                for name, value in message["headers"]
            }
            self._streams = self._headers.get("content-type", "").startswith("text/event-stream")
            if self._streams:
                if broken.events is not None:
                    self._events = broken.events(asked)
                await self._start()
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if not self._streams:
            self._body += body
            if not more:
                await self._finish()
            return
        body = self._changed(body, more)
        if broken.whole is not None and broken.whole(asked):
            broken.waits = True
            self._held += body
            body, self._held = (b"", self._held) if more else (self._held, b"")
        if not more:
            self.ended.set()
            if broken.cut is not None and broken.cut(asked):
                await self._send({"type": "http.response.body", "body": body, "more_body": True})
                raise ConnectionResetError("cut")
        if body or not more:
            await self._send({"type": "http.response.body", "body": body, "more_body": more})

    def _changed(self, body: bytes, more: bool) -> bytes:
        if self._events is not None:
            self._body += body
            *frames, self._body = self._body.split(b"\n\n")
            body = b""
            for frame in frames:
                if frame.startswith(b"data: "):
                    body += self._reframed(frame)
                else:
                    body += frame + b"\n\n"
            if not more:
                body += b"".join(map(_frame, self._events(None)))
        return body if self._broken.raw is None else self._broken.raw(self._asked, body)

    def _reframed(self, frame: bytes) -> bytes:
        assert self._events is not None
        event = json.loads(frame[6:])
        changed = self._events(event)
        if changed == [json.loads(frame[6:])]:
            return frame + b"\n\n"
        return b"".join(map(_frame, changed))

    async def _start(self) -> None:
        status, headers = self._status, self._headers
        if self._broken.head is not None:
            status, headers = self._broken.head(self._asked, status, dict(headers))
        await self._send(_start(status, headers))

    async def _finish(self) -> None:
        broken, asked, body = self._broken, self._asked, self._body
        if self._status >= 400 and broken.refusal is not None:
            try:
                told = json.loads(body)
            except ValueError:
                told = None
            reply = broken.refusal(asked, self._status, told)
            if reply is not None:
                await _send(self._send, reply)
                return
        is_json = self._headers.get("content-type", "").startswith("application/json")
        if self._status == 200 and is_json and broken.answer is not None:
            value = json.loads(body)
            changed = broken.answer(asked, value)
            if isinstance(changed, bytes):
                body = changed
            elif changed is not value and changed != json.loads(body):
                body = json.dumps(changed, ensure_ascii=False).encode()
            self._headers["content-length"] = str(len(body))
        self.ended.set()
        await self._start()
        await self._send({"type": "http.response.body", "body": body})


def _frame(event: Any) -> bytes:
    if isinstance(event, bytes):
        return event
    return (
        b"data: "
        + json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode(
            "utf-8", "surrogatepass"
        )
        + b"\n\n"
    )


def _start(status: int, headers: dict[str, str]) -> dict[str, Any]:
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": pairs}


async def _send(send: Any, reply: Reply) -> None:
    status, headers, body = reply
    await send(_start(status, {**headers, "content-length": str(len(body))}))
    await send({"type": "http.response.body", "body": body})


async def _read(scope: Any, receive: Any) -> Asked | None:
    """The request; ``None`` when the client left in the middle of it."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = {}
    headers = {name.decode("latin-1"): text.decode("latin-1") for name, text in scope["headers"]}
    value = value if isinstance(value, dict) else {}
    return Asked(scope["method"], headers, scope["query_string"].decode(), body, value)


JSON = {"content-type": "application/json"}
STREAM = {"content-type": "text/event-stream"}


def json_reply(value: Any, status: int = 200) -> Reply:
    """A whole JSON answer."""
    return status, JSON, json.dumps(value).encode()


def stream_reply(*events: Any) -> Reply:
    """A whole event stream."""
    return 200, STREAM, b"".join(map(_frame, events))
