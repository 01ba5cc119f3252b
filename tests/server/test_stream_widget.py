"""``stream_widget``: a root is one event; states are the events between them."""

from __future__ import annotations

from typing import Any

import pytest

from chatkit_asgi.errors import AuthorError
from chatkit_asgi.ids import utc_now
from chatkit_asgi.protocol.fold import fold
from chatkit_asgi.server import stream_widget
from chatkit_asgi.types import ThreadMetadata
from chatkit_asgi.widgets import Card, Text

THREAD = ThreadMetadata(id="thr_1", created_at=utc_now())


def card(text: str, streaming: bool = True) -> Any:
    return Card(children=[Text(id="t", value=text, streaming=streaming)])


async def events(widget: Any, **options: Any) -> list[Any]:
    return [event async for event in stream_widget(THREAD, widget, **options)]


async def states(*roots: Any) -> Any:
    for root in roots:
        yield root


@pytest.mark.parametrize("root", [card("Hi"), {"type": "Card", "children": []}])
async def test_a_root_is_one_done_event(root: Any) -> None:
    [done] = await events(root, copy_text="c", generate_id=lambda kind: f"{kind}_1")
    assert done.type == "thread.item.done"
    assert (done.item.id, done.item.thread_id, done.item.copy_text) == ("message_1", "thr_1", "c")


async def test_states_are_added_updated_and_done() -> None:
    added, delta, *rest, done = await events(states(card(""), card("He"), card("Hello", False)))
    assert added.type == "thread.item.added"
    assert delta.update.type == "widget.streaming_text.value_delta"
    assert (delta.item_id, delta.update.delta) == (added.item.id, "He")
    updates = [delta.update, *[event.update for event in rest]]
    assert fold(added.item, updates).widget == done.item.widget
    assert done.item.created_at == added.item.created_at


async def test_one_object_may_be_changed_in_place() -> None:
    async def growing() -> Any:
        root = card("")
        for _ in range(3):
            yield root
            root.children[0].value += "x"

    added, *updates, done = await events(growing())
    assert [event.update.delta for event in updates] == ["x", "x"]
    assert added.item.widget == card("").model_dump()
    assert done.item.widget == card("xx").model_dump()


async def test_equal_states_say_nothing() -> None:
    assert len(await events(states(card("a"), card("a")))) == 2


async def test_an_iterator_that_is_no_generator_will_do() -> None:
    class Two:
        def __init__(self) -> None:
            self.left = ["ab", "a"]

        def __aiter__(self) -> Any:
            return self

        async def __anext__(self) -> Any:
            if not self.left:
                raise StopAsyncIteration
            return card(self.left.pop())

    assert len(await events(Two())) == 3


async def test_no_state_is_the_authors_mistake() -> None:
    with pytest.raises(AuthorError, match="single state"):
        await events(states())


async def test_no_widget_is_the_authors_mistake() -> None:
    with pytest.raises(ValueError, match="widget"):
        await events(7)


async def test_the_iterator_is_closed_with_the_stream() -> None:
    closed: list[str] = []

    async def states() -> Any:
        try:
            yield card("")
            yield card("a")
        finally:
            closed.append("closed")

    stream = stream_widget(THREAD, states())
    await anext(stream)
    await stream.aclose()
    assert closed == ["closed"]
