"""Frames, byte by byte (wire.md section 1.1). Parsing and coalescing are tested with the turn's properties."""

from __future__ import annotations

import pytest

from chatkit_asgi.protocol.sse import (
    KEEP_ALIVE,
    EventParser,
    delta_frame,
    delta_head,
    event_frame,
    split_frames,
)
from chatkit_asgi.types import (
    AssistantMessageContentPartTextDelta,
    NoticeEvent,
    StreamOptions,
    StreamOptionsEvent,
    ThreadItemUpdatedEvent,
)


def test_a_frame_is_data_one_line_of_json_and_a_blank_line() -> None:
    event = StreamOptionsEvent(stream_options=StreamOptions(allow_cancel=True))
    assert (
        event_frame(event)
        == b'data: {"type":"stream_options","stream_options":{"allow_cancel":true}}\n\n'
    )


@pytest.mark.parametrize("text", ["a\nb", "a\r\n\r\nb", "\n\n", "data: x\n\n", "\u2028\u2029\x85"])
def test_line_breaks_in_text_never_break_a_frame(text: str) -> None:
    for frame in (
        event_frame(NoticeEvent(level="info", message=text)),
        delta_frame(delta_head("msg_1", 0), text),
    ):
        assert frame.count(b"\n") == 2
        assert frame.count(b"\r") == 0
        assert frame.endswith(b"\n\n")
        assert split_frames(frame + frame) == [frame, frame]


def test_a_delta_frame_is_the_frame_of_its_event() -> None:
    update = AssistantMessageContentPartTextDelta(content_index=3, delta='é"\\\n')
    event = ThreadItemUpdatedEvent(item_id='m"1', update=update)
    assert delta_frame(delta_head('m"1', 3), 'é"\\\n') == event_frame(event)


def test_keep_alive_is_a_comment_and_no_event() -> None:
    parser = EventParser()
    assert KEEP_ALIVE.startswith(b":")
    assert parser.feed(KEEP_ALIVE * 3) == []
    assert [event.data for event in parser.feed(b"data: x\n\n" + KEEP_ALIVE)] == ["x"]


def test_an_event_that_is_cut_off_is_not_dispatched() -> None:
    assert EventParser().feed(b'data: {"type":"error"}\n') == []
