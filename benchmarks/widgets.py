"""Streaming a widget of 202 nodes: states in, frames out, through each side's ``stream_widget``.

The states are made before the clock starts, unless the row says otherwise: both sides are given complete widgets, and
have to find out what has changed. What this does not show: the turn around it, the store and HTTP.
"""

# pyright: basic
# mypy: ignore-errors
from __future__ import annotations

import asyncio
import copy
import json
import time
import warnings
from datetime import UTC, datetime

from chatkit_asgi import server as our_server
from chatkit_asgi import types as our_types
from chatkit_asgi import widgets as our_widgets
from chatkit_asgi.protocol.sse import event_frame

from . import data
from ._measure import interleaved
from ._report import Row
from .codec import _dump

__all__ = ["NAME", "run"]

NAME = "widgets"
NODES = 200

TEMPLATE = """{"type": "Card", "size": "md", "children": [
{% for n in rows %}{"type": "Row", "id": {{ ("r%d" % n) | tojson }}, "gap": 2, "children": [
  {"type": "Text", "id": {{ ("t%d" % n) | tojson }}, "value": {{ ("Line %d" % n) | tojson }}, "size": "sm"},
  {"type": "Badge", "label": "new", "color": "success"}, {"type": "Button", "label": "Open", "size": "sm"}
]},{% endfor %}
{"type": "Markdown", "id": "body", "value": {{ body | tojson }}, "streaming": true}]}"""
DEFINITION = {"version": "1.0", "name": "rows", "template": TEMPLATE}


def _card(widgets, text, color="success"):
    card = data.card(widgets, NODES)
    card.children[40].children[1].color = color
    card.children.append(widgets.Markdown(id="body", value=text, streaming=True))
    return card


def _seconds_per_update(server, frame, thread, states, updates) -> float:
    async def read() -> int:
        return sum([len(frame(event)) async for event in server.stream_widget(thread, states())])

    began = time.perf_counter()
    asyncio.run(read())
    return (time.perf_counter() - began) / updates


def run(quick: bool = False) -> list[Row]:
    """The rows of this subject."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the reference's named widget classes are deprecated
        return _run(quick)


def _run(quick: bool) -> list[Row]:
    import chatkit.server as their_server
    import chatkit.types as their_types
    import chatkit.widgets as their_widgets

    rounds, updates = (3, 20) if quick else (5, 100)
    now = datetime.now(UTC)
    ours = (
        our_server,
        event_frame,
        our_types.ThreadMetadata(id="thr_1", created_at=now),
        our_widgets,
    )
    theirs = (
        their_server,
        _dump,
        their_types.ThreadMetadata(id="thr_1", created_at=now),
        their_widgets,
    )
    rows = []

    def compare(measure, states_of, budget, note=""):
        """``states_of(widgets)`` returns a function that gives an async generator of states."""
        measures = []
        for server, frame, thread, widgets in (ours, theirs):
            states = states_of(widgets)
            measures.append(
                lambda server=server, frame=frame, thread=thread, states=states: (
                    _seconds_per_update(server, frame, thread, states, updates)
                )
            )
        mine, other, ratio = interleaved(*measures, rounds=rounds)
        rows.append(Row(measure, mine * 1e6, other * 1e6, "µs", ratio, budget, note))

    def made_before(states):
        async def generate():
            for state in states:
                yield state

        return generate

    def text_grows(widgets):
        return made_before([_card(widgets, "word " * count) for count in range(updates)])

    def badge_changes(widgets):
        colors = "success", "danger"
        return made_before([_card(widgets, "", colors[count % 2]) for count in range(updates)])

    def built_anew(widgets):
        async def generate():
            for count in range(updates):
                yield _card(widgets, "word " * count)

        return generate

    def from_template(widgets):
        template = widgets.WidgetTemplate(copy.deepcopy(DEFINITION))
        variables = {"rows": list(range(NODES // 4)), "body": ""}
        assert json.loads(template.build(variables).model_dump_json())

        async def build():
            for count in range(updates):
                yield template.build({**variables, "body": "word " * count})

        async def words():
            for _ in range(updates):
                yield "word "

        return (
            (lambda: template.grow(variables, "body", words())) if widgets is our_widgets else build
        )

    compare("widget of 202 nodes, per update: its text grows", text_grows, 20)
    compare(
        "the same, a badge in a row with an id changes",
        badge_changes,
        None,
        "ours sends the row, theirs the whole card",
    )
    compare(
        "its text grows, building the states included",
        built_anew,
        None,
        "the classes' own constructors",
    )
    compare("its text grows through a template", from_template, None, "ours: WidgetTemplate.grow")
    return rows
