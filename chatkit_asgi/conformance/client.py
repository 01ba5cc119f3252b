"""What a case holds in its hands: a ChatKit client that hides nothing and assumes nothing.

``get`` and ``say`` are for the steps that a case takes for granted; they fail it when the server does not answer as the
protocol says. ``ask``, ``post`` and ``open`` give whatever came, for :mod:`~chatkit_asgi.conformance.expect` to judge.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import anyio

from . import expect
from .case import NotRun, Unmet
from .wire import Chunks, Connection, Headers, Log, Reply, SocketTransport, Transport

__all__ = ["Answer", "Client", "Stream", "Target", "Turn", "at_once", "message"]

T = TypeVar("T")

JSON: Headers = [("content-type", "application/json")]
TOO_MUCH = 32 * 1024 * 1024
"""Bytes of an answer after which a case gives up."""


@dataclass(frozen=True)
class Target:
    """The server to be tested, and who asks."""

    transport: Transport
    headers: Headers = field(default_factory=Headers)
    """Of every request of the first person: credentials, for example."""
    other: Headers | None = None
    """The same of a second person, for the cases about isolation."""
    upload_url: str = ""
    """Where files are uploaded directly, if the server offers it."""
    features: frozenset[str] = frozenset()
    """What the server can be made to do; found out by the runner."""


def message(text: str, **fields: Any) -> dict[str, Any]:
    """A user's message as the client sends it, with one text."""
    return {
        "content": [{"type": "input_text", "text": text}],
        "attachments": [],
        "inference_options": {},
        **fields,
    }


class Answer:
    """A whole answer."""

    status: int
    """0 when the connection was closed without an answer."""
    headers: Headers
    body: bytes
    complete: bool
    """Whether it came to its proper end."""

    def __init__(self, status: int, headers: Headers, body: bytes, *, complete: bool) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.complete = complete
        self._frames: list[str] | None = None

    def header(self, name: str) -> str:
        """The values of a header, joined by a comma; empty when there is none."""
        return ", ".join(value for key, value in self.headers if key.lower() == name)

    @property
    def text(self) -> str:
        """The body."""
        return self.body.decode("utf-8", "replace")

    @property
    def is_stream(self) -> bool:
        """Whether it says that it is an event stream."""
        return self.header("content-type").lower().startswith("text/event-stream")

    @property
    def frames(self) -> list[str]:
        """The data of each frame, as a client joins it."""
        if self._frames is None:
            reader = FrameReader()
            self._frames = reader.feed(self.body)
        return self._frames

    @property
    def events(self) -> list[Any]:
        """The events of a stream.

        Raises:
            Unmet: A frame is not a JSON object.
        """
        return [expect.event_of(data) for data in self.frames]

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            Unmet: It is not.
        """
        try:
            return json.loads(self.body)
        except ValueError:
            raise Unmet("a JSON body", self.text[:300] or "an empty body") from None

    def __str__(self) -> str:
        if not self.status:
            return "no answer: the connection was closed"
        kind = self.header("content-type") or "no content-type"
        cut = "" if self.complete else ", cut in the middle"
        shown = self.text if len(self.text) < 400 else f"{self.text[:300]} ... {self.text[-80:]}"
        return f"{self.status} ({kind}{cut}) {shown.strip() or 'without a body'}"


class FrameReader:
    """Bytes of an event stream in, data of frames out (WHATWG HTML, section 9.2.6)."""

    def __init__(self) -> None:
        self._rest = b""
        self.comments: list[str] = []

    def feed(self, chunk: bytes) -> list[str]:
        """The frames that ``chunk`` completes."""
        text = self._rest + chunk
        whole = text.replace(b"\r\n", b"\n")
        *blocks, self._rest = whole.split(b"\n\n")
        found: list[str] = []
        for block in blocks:
            data: list[str] = []
            for line in block.decode("utf-8", "replace").split("\n"):
                name, _, value = line.partition(":")
                if not name and line:
                    self.comments.append(value.strip())
                elif name == "data":
                    data.append(value.removeprefix(" "))
            if data:
                found.append("\n".join(data))
        return found


class Stream:
    """An event stream that is being read."""

    def __init__(self, reply: Reply, log: Log) -> None:
        self.reply = reply
        self.events: list[Any] = []
        """What came so far."""
        self._log = log
        self._reader = FrameReader()
        self.ready: list[Any] = []
        """What has arrived and was not read yet."""

    @property
    def comments(self) -> list[str]:
        """Comments that came so far."""
        return self._reader.comments

    async def next_chunk(self) -> bool:
        """Read until something comes; whether anything did."""
        chunk = await self.reply.next()
        if chunk is None:
            self._log.received(_ending(self.reply))
            return False
        self._log.received(chunk.decode("utf-8", "replace"))
        self.ready += [expect.event_of(data) for data in self._reader.feed(chunk)]
        return True

    async def next(self) -> Any:
        """The next event, or ``None`` at the end."""
        while not self.ready:
            if not await self.next_chunk():
                return None
        event = self.ready.pop(0)
        self.events.append(event)
        return event

    async def until(self, wanted: Callable[[Any], object], what: str) -> Any:
        """Read to the first event that ``wanted`` is true of.

        Raises:
            Unmet: The stream ended without ``what``.
        """
        while (event := await self.next()) is not None:
            if wanted(event):
                return event
        raise Unmet(what, expect.kinds(self.events) or "a stream without events")

    async def rest(self) -> list[Any]:
        """Read to the end; all events."""
        while await self.next() is not None:
            pass
        return self.events

    async def meanwhile(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Do ``work`` while the stream goes on; whether it still did when the work was done."""
        failure: Exception | None = None
        ended = on_time = False

        async def reading() -> None:
            nonlocal ended, failure
            try:
                await self.rest()
            except Unmet as unmet:
                failure = unmet
            ended = True

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(reading)
            try:
                await work()
            except Exception as error:  # a task group would put it into a group
                failure = error
            on_time = not ended
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure
        return on_time


class Turn:
    """A streamed answer that came to its end."""

    def __init__(self, events: list[Any], thread_id: str) -> None:
        self.events = events
        self.thread_id = thread_id

    def of(self, kind: str) -> list[Any]:
        """The events of a type."""
        return [event for event in self.events if event["type"] == kind]

    def updates(self, kind: str) -> list[Any]:
        """The item updates of a type."""
        found = [event["update"] for event in self.of("thread.item.updated")]
        return [update for update in found if update["type"] == kind]

    @property
    def done(self) -> list[Any]:
        """The items that were finished, in order."""
        return [event["item"] for event in self.of("thread.item.done")]

    @property
    def user(self) -> Any:
        """The user's message."""
        return self.item("user_message")

    def item(self, kind: str) -> Any:
        """The last finished item of a type.

        Raises:
            Unmet: There is none.
        """
        for item in reversed(self.done):
            if item["type"] == kind:
                return item
        raise Unmet(f"a thread.item.done with an item of type {kind}", expect.kinds(self.events))

    @property
    def text(self) -> str:
        """The text of the last assistant's message."""
        return expect.text_of(self.item("assistant_message"))


class Client:
    """One person's client.

    Args:
        target: The server.
        log: Where to write what goes over the wire.
    """

    def __init__(self, target: Target, log: Log) -> None:
        self.target = target
        self.log = log

    @property
    def other(self) -> Client:
        """The second person."""
        if self.target.other is None:
            raise NotRun("needs a second person's credentials")
        return Client(replace(self.target, headers=self.target.other), self.log)

    @property
    def anonymous(self) -> Client:
        """Nobody: without credentials."""
        return Client(replace(self.target, headers=[]), self.log)

    # -- whatever comes ------------------------------------------------------------------------

    @asynccontextmanager
    async def exchange(
        self, method: str, headers: Headers, body: bytes | Chunks, *, url: str | None = None
    ) -> AsyncGenerator[Reply]:
        """Send a request, read the head of the answer."""
        shown = body if isinstance(body, bytes) else b" | ".join(body)
        sent = [*headers, *self.target.headers] if url is None else headers
        self.log.sent(
            self.log.head(f"{method} {url or self.target.transport.url}", sent)
            + (f"\n\n{shown[:20_000].decode('utf-8', 'backslashreplace')}" if shown else "")
        )
        try:
            async with self.target.transport.request(method, sent, body, url=url) as reply:
                self.log.received(self.log.head(f"HTTP {reply.status}", reply.headers))
                yield reply
        except ConnectionError as error:
            self.log.received(f"({error})")
            raise

    async def send(
        self,
        body: bytes | Chunks = b"",
        *,
        method: str = "POST",
        headers: Headers = JSON,
        url: str | None = None,
    ) -> Answer:
        """Send a request as it is and read whatever comes."""
        try:
            async with self.exchange(method, headers, body, url=url) as reply:
                return await read(reply, self.log)
        except ConnectionError:
            return Answer(0, [], b"", complete=False)

    async def post(self, value: Any, *, headers: Headers = ()) -> Answer:  # type: ignore[assignment]
        """Send a JSON value, whether or not it is a request."""
        return await self.send(json.dumps(value).encode(), headers=[*JSON, *headers])

    async def ask(self, kind: str, /, *, headers: Headers = (), **params: Any) -> Answer:  # type: ignore[assignment]
        """Send a request of a type, with parameters."""
        return await self.post({"type": kind, "params": params}, headers=headers)

    @asynccontextmanager
    async def open(self, kind: str, /, **params: Any) -> AsyncGenerator[Stream]:
        """Send a streaming request and read its events one by one. Leaving early is what a stop button does.

        Raises:
            Unmet: The answer is not an event stream.
        """
        body = json.dumps({"type": kind, "params": params}).encode()
        async with self.exchange("POST", JSON, body) as reply:
            answer = Answer(reply.status, reply.headers, b"", complete=True)
            if reply.status != 200 or not answer.is_stream:
                answer = await read(reply, self.log)
                raise Unmet("200 with an event stream", answer)
            stream = Stream(reply, self.log)
            yield stream
            if not reply.complete:
                self.log.sent("(the client closes the connection)")

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[Connection]:
        """A connection of its own, for cases about connections."""
        transport = self.target.transport
        if not isinstance(transport, SocketTransport):
            raise NotRun("needs a real connection")
        async with transport.connect() as connection:
            yield connection

    def raw(self, body: bytes, headers: Headers = JSON, *, method: str = "POST") -> bytes:
        """The bytes of a whole request, for :meth:`connect`."""
        transport = self.target.transport
        assert isinstance(transport, SocketTransport)
        given = [*headers, *self.target.headers]
        if not any(name == "content-length" for name, _ in given):
            given.append(("content-length", str(len(body))))
        self.log.sent(
            self.log.head(f"{method} {transport.url}", given)
            + f"\n\n{body.decode('utf-8', 'replace')}"
        )
        return transport.head(method, given) + body

    # -- what a case takes for granted ---------------------------------------------------------

    async def get(self, kind: str, /, **params: Any) -> Any:
        """The JSON object that answers a request that does not stream."""
        return expect.json_object(await self.ask(kind, **params))

    async def run(self, kind: str, /, **params: Any) -> Turn:
        """The events that answer a streaming request."""
        answer = await self.ask(kind, **params)
        events = expect.stream(answer)
        created = [each["thread"]["id"] for each in events if each["type"] == "thread.created"]
        thread_id: str = params.get("thread_id") or (created or [""])[0]
        if not thread_id:
            raise Unmet("a thread.created event", expect.kinds(events))
        return Turn(events, thread_id)

    async def say(self, text: str, thread_id: str = "", **fields: Any) -> Turn:
        """Send a message; without ``thread_id`` in a new thread."""
        said = message(text, **fields)
        if not thread_id:
            return await self.run("threads.create", input=said)
        return await self.run("threads.add_user_message", thread_id=thread_id, input=said)

    async def trigger(self, name: str, thread_id: str = "") -> Turn:
        """Make the server do what the table of triggers says."""
        return await self.say(f"conformance: {name}", thread_id)

    async def thread(self, thread_id: str) -> Any:
        """The thread, as ``threads.get_by_id`` gives it."""
        return await self.get("threads.get_by_id", thread_id=thread_id)

    async def items(self, thread_id: str) -> list[Any]:
        """All items of a thread, oldest first."""
        return [item async for item in self.walk("items.list", thread_id=thread_id, order="asc")]

    def walk(self, kind: str, /, *, limit: int = 100, **params: Any) -> Walk:
        """Every record of a list, page by page."""
        return Walk(self, kind, {"limit": limit, **params})


class Walk(AsyncIterator[Any]):
    """Goes through a list. Not a generator: a case may stop anywhere."""

    def __init__(self, client: Client, kind: str, params: dict[str, Any]) -> None:
        self._client = client
        self._kind = kind
        self._params = params
        self._records: list[Any] = []
        self._after: str | None = None
        self._more = True
        self._pages = 0

    async def __anext__(self) -> Any:
        while not self._records:
            if not self._more:
                raise StopAsyncIteration
            await self._turn_over()
        return self._records.pop(0)

    async def _turn_over(self) -> None:
        page = await self._client.get(self._kind, after=self._after, **self._params)
        self._records = list(expect.listed(page))
        self._more = bool(page.get("has_more"))
        after = page.get("after")
        if self._more and (not after or after == self._after):
            raise Unmet("a new cursor in `after`, because `has_more` is true", after)
        self._after = after
        self._pages += 1
        if self._pages == 1000:
            raise Unmet("pages that come to an end", "a thousand pages, and more")


async def at_once(*calls: Callable[[], Awaitable[T]]) -> list[T]:
    """Make several calls side by side; their results in the order in which they finished. Raises the first failure."""
    results: list[T] = []
    failures: list[Exception] = []

    async def one(call: Callable[[], Awaitable[T]]) -> None:
        try:
            results.append(await call())
        except Exception as error:  # a task group would put it into a group
            failures.append(error)

    async with anyio.create_task_group() as tasks:
        for call in calls:
            tasks.start_soon(one, call)
    if failures:
        raise failures[0]
    return results


async def read(reply: Reply, log: Log) -> Answer:
    """The rest of an answer."""
    body = bytearray()
    while (chunk := await reply.next()) is not None:
        log.received(chunk.decode("utf-8", "replace"))
        body += chunk
        if len(body) > TOO_MUCH:
            raise Unmet("an answer of some size", f"more than {TOO_MUCH} bytes")
    log.received(_ending(reply))
    return Answer(reply.status, reply.headers, bytes(body), complete=reply.complete)


def _ending(reply: Reply) -> str:
    return "(end of the answer)" if reply.complete else "(the connection was cut)"
