"""Server-sent events: bytes of frames, and an incremental parser (wire.md section 1.1).

A frame is ``data: `` + one line of JSON + a blank line. A text delta's frame is built from a head that is constant for
one content part, so that only the new text is encoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final, NamedTuple

from .._base import json_encoder
from ..types import AssistantMessageContentPartTextDelta, ThreadItemUpdatedEvent
from .codec import encode

__all__ = [
    "DELTA_TAIL",
    "KEEP_ALIVE",
    "EventParser",
    "ServerSentEvent",
    "coalesce",
    "delta_frame",
    "delta_head",
    "event_frame",
    "split_frames",
]

KEEP_ALIVE: Final = b": keep-alive\n\n"
"""A comment, which clients ignore and proxies count as traffic."""

DELTA_TAIL: Final = b"}}\n\n"

_IN_ONE_LINE: Final = bytes.maketrans(b"\r\n", b"  ")

_encode_text = json_encoder.encode


def event_frame(event: Any) -> bytes:
    """The frame of any event."""
    if (
        type(event) is ThreadItemUpdatedEvent
        and type(update := event.update) is AssistantMessageContentPartTextDelta
    ):
        try:
            return (
                delta_head(event.item_id, update.content_index)
                + _encode_text(update.delta)
                + DELTA_TAIL
            )
        except UnicodeEncodeError:
            pass
    data = encode(event)
    # White space in an item that is passed on byte for byte; see encode for why not with "in".
    if data.find(b"\n") >= 0 or data.find(b"\r") >= 0:
        data = data.translate(_IN_ONE_LINE)
    return b"data: " + data + b"\n\n"


@lru_cache(maxsize=1024)
def delta_head(item_id: str, content_index: int) -> bytes:
    """What the frames of all text deltas of one content part begin with."""
    return (
        b'data: {"type":"thread.item.updated","item_id":%b,"update":'
        b'{"type":"assistant_message.content_part.text_delta","content_index":%d,"delta":'
    ) % (encode(item_id), content_index)


def delta_frame(head: bytes, text: str) -> bytes:
    """The frame of one text delta. Raises UnicodeEncodeError for lone surrogates."""
    return head + _encode_text(text) + DELTA_TAIL


def split_frames(chunk: bytes) -> list[bytes]:
    """The frames of a chunk that holds whole frames."""
    return [part + b"\n\n" for part in chunk.split(b"\n\n")[:-1]]


_DELTA = re.compile(
    rb'(data: \{"type":"thread\.item\.updated","item_id":"(?:[^"\\]|\\.)*","update":'
    rb'\{"type":"assistant_message\.content_part\.text_delta","content_index":\d+,"delta":)"'
)
_WHOLE = re.compile(
    rb'(data: \{"type":"thread\.item\.updated","item_id":"(?:[^"\\]|\\.)*","update":'
    rb'\{"type":"(?:workflow\.task\.updated","task_index":\d+|widget\.root\.updated"|generated_image\.updated"))'
)


def coalesce(frames: Iterable[bytes]) -> list[bytes]:
    """Fewer frames that fold to the same items: for a viewer that has fallen behind.

    Neighbouring text deltas of one content part become one. An update that replaces a whole value is dropped when the
    next frames, up to the first of another kind, replace the same value again.
    """
    joined: list[bytes] = []
    texts: list[bytes] = []
    head = whole = b""
    for frame in frames:
        delta = _DELTA.match(frame)
        if delta is not None and delta[1] == head:
            texts.append(frame[len(head) + 1 : -len(DELTA_TAIL) - 1])
            continue
        if texts:
            joined[-1] = head + b'"' + b"".join(texts) + b'"' + DELTA_TAIL
            texts = []
        head = b""
        if delta is not None:
            head = delta[1]
            texts = [frame[len(head) + 1 : -len(DELTA_TAIL) - 1]]
        found = _WHOLE.match(frame)
        if found is not None and found[1] == whole:
            joined[-1] = frame
            continue
        whole = found[1] if found is not None else b""
        joined.append(frame)
    if texts:
        joined[-1] = head + b'"' + b"".join(texts) + b'"' + DELTA_TAIL
    return joined


class ServerSentEvent(NamedTuple):
    """One dispatched event."""

    data: str
    event: str = "message"
    id: str = ""
    retry: int | None = None


class EventParser:
    """Parses an event stream that arrives in any chunks (the WHATWG algorithm)."""

    def __init__(self) -> None:
        self._buffer = b""
        self._begun = False
        self._data: list[str] = []
        self._event = ""
        self._id = ""
        self._retry: int | None = None

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """The events that ``chunk`` completes."""
        self._buffer += chunk
        if not self._begun:
            if len(self._buffer) < 3 and b"\xef\xbb\xbf".startswith(self._buffer):
                return []
            self._begun = True
            self._buffer = self._buffer.removeprefix(b"\xef\xbb\xbf")
        held = b""
        if self._buffer.endswith(b"\r"):  # perhaps the first half of CRLF
            self._buffer, held = self._buffer[:-1], b"\r"
        *lines, rest = re.split(rb"\r\n|\n|\r", self._buffer)
        self._buffer = rest + held
        return [
            event
            for line in lines
            if (event := self._line(line.decode("utf-8", "replace"))) is not None
        ]

    def _line(self, line: str) -> ServerSentEvent | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "data":
                self._data.append(value)
            case "event":
                self._event = value
            case "id" if "\0" not in value:
                self._id = value
            case "retry" if value.isascii() and value.isdigit():
                self._retry = int(value)
            case _:
                pass
        return None

    def _dispatch(self) -> ServerSentEvent | None:
        data, event = self._data, self._event
        self._data, self._event = [], ""
        return (
            ServerSentEvent("\n".join(data), event or "message", self._id, self._retry)
            if data
            else None
        )
