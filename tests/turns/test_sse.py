"""Frames in, events out, however the bytes are cut; and frames joined for a viewer that has fallen behind."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatkit_asgi.protocol.sse import (
    DELTA_TAIL,
    KEEP_ALIVE,
    EventParser,
    ServerSentEvent,
    coalesce,
    delta_frame,
    delta_head,
    event_frame,
    split_frames,
)
from chatkit_asgi.types import (
    AssistantMessageContentPartTextDelta,
    ThreadItemUpdatedEvent,
)
from tests.turns.strategies import events, text

lines = st.one_of(
    st.sampled_from(
        ["data: x", "data:x", "data", "data:  two", ": comment", "id: 7", "id: a\0b", "event: e", "retry: 5",
         "retry: x", "unknown: y", "data: é漢👩", ""]
    ),
    st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=6),
)  # fmt: skip
streams = st.lists(st.tuples(lines, st.sampled_from(["\n", "\r\n", "\r"])), max_size=20).map(
    lambda parts: "".join(line + end for line, end in parts)
)


def reference(stream: str) -> list[ServerSentEvent]:
    """The WHATWG algorithm, on the whole text at once."""
    found: list[ServerSentEvent] = []
    data: list[str] = []
    event = last_id = ""
    retry = None
    *complete, _ = re.split("\r\n|\n|\r", stream.removeprefix("\ufeff"))
    for line in complete:
        name, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if not line:
            if data:
                found.append(ServerSentEvent("\n".join(data), event or "message", last_id, retry))
            data, event = [], ""
        elif name == "data":
            data.append(value)
        elif name == "event":
            event = value
        elif name == "id" and "\0" not in value:
            last_id = value
        elif name == "retry" and re.fullmatch("[0-9]+", value):
            retry = int(value)
    return found


@settings(deadline=None)
@given(streams, st.booleans(), st.data())
def test_any_chunking_gives_the_events_of_the_standards_algorithm(
    stream: str, mark: bool, data: st.DataObject
) -> None:
    """Invariant: where the bytes are cut does not matter, also inside a character, a CRLF or a byte order mark."""
    body = ("\ufeff" * mark + stream).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    parser = EventParser()
    found = [
        event
        for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)
        for event in parser.feed(body[start:end])
    ]
    # A lone CR at the very end may be half of a CRLF: the event comes with the next byte.
    found += parser.feed(b"\n" if body.endswith(b"\r") else b"")
    assert found == reference("\ufeff" * mark + stream)


@given(st.lists(events, max_size=8), st.integers(1, 9))
def test_our_frames_come_back_as_they_went(sent: list[object], size: int) -> None:
    frames = [event_frame(event) for event in sent]
    body = KEEP_ALIVE + b"".join(frames)
    parser = EventParser()
    found = [each for at in range(0, len(body), size) for each in parser.feed(body[at : at + size])]
    assert [each.data.encode() for each in found] == [frame[6:-2] for frame in frames]
    assert split_frames(body) == [KEEP_ALIVE, *frames]


@given(text, st.text(max_size=5), st.integers(0, 12))
def test_a_delta_built_from_its_head_is_the_event(delta: str, item_id: str, index: int) -> None:
    delta = delta.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    update = AssistantMessageContentPartTextDelta(content_index=index, delta=delta)
    whole = event_frame(ThreadItemUpdatedEvent(item_id=item_id, update=update))
    built = delta_frame(delta_head(item_id, index), delta)
    assert json.loads(built[6:]) == json.loads(whole[6:])
    assert built.endswith(DELTA_TAIL)


@pytest.mark.parametrize("odd", ['a"', "a\\", 'a","update":{"delta":"', "\n\n", "🙂"])
def test_ids_that_look_like_frames_do_not_confuse_coalescing(odd: str) -> None:
    frames = [delta_frame(delta_head(odd, 0), part) for part in ("a", '"', "\\", "")]
    other = delta_frame(delta_head(odd, 1), "b")
    joined = coalesce([*frames, other, frames[0]])
    assert joined == [delta_frame(delta_head(odd, 0), 'a"\\'), other, frames[0]]


def test_a_keep_alive_in_between_is_kept() -> None:
    frame = delta_frame(delta_head("m", 0), "a")
    assert coalesce([frame, KEEP_ALIVE, frame]) == [frame, KEEP_ALIVE, frame]
