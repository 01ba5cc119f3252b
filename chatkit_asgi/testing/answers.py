"""What comes back for a request, with everything that was on the wire. May import anyio, ``types`` and ``protocol``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Self, cast

import anyio
import msgspec

from ..errors import ChatKitError
from ..protocol.codec import decode_item, encode
from ..protocol.sse import EventParser
from .state import ThreadState
from .transports import TransportResponse

__all__ = ["Answer", "Failed", "PageAnswer", "Turn"]


class Failed(ChatKitError):
    """A request was refused, or its stream had an ``error`` event. Raised by :meth:`Answer.check` only.

    Args:
        answer: All that came.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(
            f"{answer.request['type']}: {answer.status} {answer.code} {answer.message}".rstrip()
        )


class Answer:
    """What came back for one request.

    Attributes:
        request: What was sent.
        status: The HTTP status; 0 before the answer has begun.
        headers: Names in lower case.
        body: All bytes of the body.
    """

    def __init__(self, request: dict[str, Any]) -> None:
        self.request = request
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.body = b""

    @property
    def json(self) -> Any:
        """The body as a JSON value."""
        return msgspec.json.decode(self.body)

    @property
    def ok(self) -> bool:
        """Whether the request was answered as it wished."""
        return 200 <= self.status < 300

    @property
    def error(self) -> dict[str, Any]:
        """The ``error`` object of a refusal: ``code``, ``message``, ``request_id``, perhaps ``path``. Else empty."""
        if 200 <= self.status < 300 or not self.body:
            return {}
        try:
            found: Any = self.json
        except msgspec.DecodeError:
            return {"message": self.body.decode("utf-8", "replace")}
        inner: Any = cast("Any", found).get("error") if isinstance(found, dict) else None
        if not isinstance(inner, dict):
            return {"message": str(cast("Any", found))}
        return cast("dict[str, Any]", inner)

    @property
    def code(self) -> str:
        """The error's code; empty without one."""
        return str(self.error.get("code", ""))

    @property
    def message(self) -> str:
        """The error's text for people."""
        return str(self.error.get("message", ""))

    @property
    def request_id(self) -> str:
        """The server's name for the request."""
        return self.headers.get("x-request-id", "")

    def check(self) -> Self:
        """The answer itself.

        Raises:
            Failed: It is not :attr:`ok`.
        """
        if not self.ok:
            raise Failed(self)
        return self


class PageAnswer(Answer):
    """A page of threads or items."""

    @property
    def data(self) -> list[Any]:
        """The records as JSON objects."""
        records: list[Any] = self.json["data"]
        return records

    @property
    def ids(self) -> list[str]:
        """The records' ids."""
        return [each["id"] for each in self.data]

    @property
    def items(self) -> list[Any]:
        """The records as items; for ``items.list``."""
        return [decode_item(encode(each)) for each in self.data]

    @property
    def has_more(self) -> bool:
        """Whether there are more."""
        return bool(self.json["has_more"])

    @property
    def after(self) -> str | None:
        """The cursor of the next page."""
        cursor: str | None = self.json.get("after")
        return cursor


class Turn(Answer):
    """A streamed answer, while it comes and afterwards.

    Attributes:
        thread: The thread as it looks after what has come so far. The client keeps it and goes on with it.
        frames: The data of every event, as text.
        events: Every event as a JSON object.
        complete: Whether the stream came to its proper end.
    """

    def __init__(self, request: dict[str, Any], thread: ThreadState) -> None:
        super().__init__(request)
        self.thread = thread
        self.frames: list[str] = []
        self.events: list[Any] = []
        self.complete = False
        self._parser = EventParser()
        self._response: TransportResponse | None = None
        self._chunks: AsyncIterator[bytes] | None = None
        self._timeout = 0.0
        self._read = 0

    @property
    def ok(self) -> bool:
        """Whether the stream was answered, complete and without an ``error`` event."""
        return super().ok and self.complete and not self.errors

    @property
    def errors(self) -> list[Any]:
        """The ``error`` events."""
        return self.of_type("error")

    @property
    def error(self) -> dict[str, Any]:
        """The refusal's ``error`` object, or the stream's first ``error`` event."""
        return super().error or (self.errors[0] if self.errors else {})

    @property
    def types(self) -> list[str]:
        """The events' types in order."""
        return [event["type"] for event in self.events]

    def of_type(self, *types: str) -> list[Any]:
        """The events of these types."""
        return [event for event in self.events if event["type"] in types]

    @property
    def text(self) -> str:
        """The assistant's text that this turn brought, from its deltas and finished messages."""
        messages = [item for item in self.items if item.type == "assistant_message"]
        return "".join(part.text for message in messages for part in message.content)

    @property
    def items(self) -> list[Any]:
        """The items that this turn brought or changed and that are still there, in the thread's order."""
        touched = {event["item"]["id"] for event in self.events if "item" in event}
        touched |= {event["item_id"] for event in self.events if "item_id" in event}
        return [item for item in self.thread.items if item.id in touched]

    async def next(self) -> Any:
        """The next event, or ``None`` at the end."""
        while self._read >= len(self.events):
            if self._chunks is None:
                return None
            with anyio.fail_after(self._timeout):
                chunk = await anext(self._chunks, None)
            if chunk is None:
                assert self._response is not None
                self._chunks, self.complete = None, self._response.complete
                self.thread.progress = None
            else:
                self._take(chunk)
        self._read += 1
        return self.events[self._read - 1]

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        event = await self.next()
        if event is None:
            raise StopAsyncIteration
        return event

    async def wait_for(self, wanted: str | Callable[[Any], object]) -> Any:
        """Read until an event of that type, or one that ``wanted`` is true of.

        Raises:
            LookupError: The stream ended without one.
        """
        while (event := await self.next()) is not None:
            if event["type"] == wanted if isinstance(wanted, str) else wanted(event):
                return event
        raise LookupError(f"the stream ended; it had {', '.join(self.types) or 'no events'}")

    async def read(self) -> Self:
        """Read to the end."""
        while await self.next() is not None:
            pass
        return self

    def opened(self, response: TransportResponse, timeout: float) -> None:
        """The answer has begun."""
        self.status, self.headers = response.status, response.headers
        self._response, self._chunks, self._timeout = response, response.chunks(), timeout

    async def closed(self) -> None:
        """Nothing more can be read."""
        chunks, self._chunks = self._chunks, None
        if (close := getattr(chunks, "aclose", None)) is not None:
            with anyio.CancelScope(shield=True):
                await close()

    def _take(self, chunk: bytes) -> None:
        self.body += chunk
        if not self.headers.get("content-type", "").startswith("text/event-stream"):
            return
        for sent in self._parser.feed(chunk):
            event = msgspec.json.decode(sent.data)
            self.frames.append(sent.data)
            self.events.append(event)
            self.thread.apply(event)
