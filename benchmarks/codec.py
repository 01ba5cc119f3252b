"""Decoding and encoding, value by value.

What this does not show: HTTP, the store, or the turn. "As each side does it" for decoding: the official server builds
its decoder for every request; a second row compares with a decoder that is built once.
"""

# pyright: basic
# mypy: ignore-errors
from __future__ import annotations

import base64

from chatkit_asgi import types as our_types
from chatkit_asgi import widgets as our_widgets
from chatkit_asgi.protocol.codec import decode_request
from chatkit_asgi.protocol.sse import delta_frame, delta_head, event_frame

from . import data
from ._measure import interleaved, seconds_per_call
from ._report import Row

__all__ = ["NAME", "run"]

NAME = "codec"


def _dump(event) -> bytes:
    """A frame as the official server writes it."""
    text = event.model_dump_json(
        by_alias=True, exclude_none=True, context={"exclude_metadata": True}
    )
    return f"data: {text}\n\n".encode()


def run(quick: bool = False) -> list[Row]:
    """The rows of this subject."""
    import chatkit.types as their_types
    import chatkit.widgets as their_widgets
    from pydantic import TypeAdapter

    rounds = 3 if quick else 7
    span = 0.02 if quick else 0.2
    rows = []

    def compare(measure, ours, theirs, budget, note=""):
        mine, other, ratio = interleaved(
            lambda: seconds_per_call(ours, at_least=span), lambda: seconds_per_call(theirs, at_least=span),
            rounds=rounds,
        )  # fmt: skip
        rows.append(Row(measure, mine * 1e6, other * 1e6, "µs", ratio, budget, note))

    compare(
        "decode threads.create, as each side does it",
        lambda: decode_request(data.CREATE_BODY),
        lambda: TypeAdapter(their_types.ChatKitReq).validate_json(data.CREATE_BODY),
        2000,
        "official builds a TypeAdapter per request",
    )
    shared = TypeAdapter(their_types.ChatKitReq)
    compare(
        "decode threads.create, shared adapter",
        lambda: decode_request(data.CREATE_BODY),
        lambda: shared.validate_json(data.CREATE_BODY),
        4,
    )
    compare(
        "decode 1 MiB of base64 audio to bytes",
        lambda: decode_request(data.AUDIO_BODY),
        lambda: base64.b64decode(
            TypeAdapter(their_types.ChatKitReq).validate_json(data.AUDIO_BODY).params.audio_base64
        ),
        5,
        "as each side does it",
    )
    item_id = "msg_0123456789abcdef0123456789abcdef"
    compare(
        "text delta: build the event and its frame",
        lambda: event_frame(
            our_types.ThreadItemUpdatedEvent(
                item_id=item_id,
                update=our_types.AssistantMessageContentPartTextDelta(
                    content_index=0, delta="hello wor"
                ),
            )
        ),
        lambda: _dump(
            their_types.ThreadItemUpdatedEvent(
                item_id=item_id,
                update=their_types.AssistantMessageContentPartTextDelta(
                    content_index=0, delta="hello wor"
                ),
            )
        ),
        None,
        "for any event, as outside a turn",
    )
    head = delta_head(item_id, 0)

    def prepared():
        event = our_types.ThreadItemUpdatedEvent(
            item_id=item_id,
            update=our_types.AssistantMessageContentPartTextDelta(
                content_index=0, delta="hello wor"
            ),
        )
        return delta_frame(head, event.update.delta)

    compare(
        "the same with the head prepared, as a turn does it",
        prepared,
        lambda: _dump(
            their_types.ThreadItemUpdatedEvent(
                item_id=item_id,
                update=their_types.AssistantMessageContentPartTextDelta(
                    content_index=0, delta="hello wor"
                ),
            )
        ),
        12,
    )
    cards = []
    for types, widgets in ((our_types, our_widgets), (their_types, their_widgets)):
        item = types.WidgetItem(
            id=item_id,
            thread_id="thr_1",
            created_at="2026-03-14T09:26:53Z",
            widget=data.card(widgets, 200),
        )
        cards.append(types.ThreadItemDoneEvent(item=item))
    compare(
        "frame of a Card with 201 nodes", lambda: event_frame(cards[0]), lambda: _dump(cards[1]), 50
    )
    return rows
