"""Widget diffs: applying them gives the new widget, and they are as small as the client's copy allows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatkit_asgi.protocol.codec import encode
from chatkit_asgi.protocol.sse import event_frame
from chatkit_asgi.types import (
    ThreadItemUpdatedEvent,
    WidgetComponentUpdated,
    WidgetRootUpdated,
    WidgetStreamingTextValueDelta,
)
from chatkit_asgi.widgets import (
    Badge,
    Box,
    Button,
    Card,
    Col,
    DynamicWidgetRoot,
    ListView,
    ListViewItem,
    Markdown,
    Row,
    Text,
    Title,
    Transition,
)
from chatkit_asgi.widgets.diff import ShownWidget, apply_update, diff_widget


def plain(widget: Any) -> Any:
    """The widget as its JSON says it."""
    return json.loads(encode(widget))


def open_form(widget: Any) -> DynamicWidgetRoot:
    return DynamicWidgetRoot.model_validate(plain(widget))


def check(before: Any, after: Any) -> list[Any]:
    """The updates, after making sure that they do what they should and leave their arguments alone."""
    was = plain(before), plain(after)
    updates = diff_widget(before, after)
    folded = before
    for update in updates:
        folded = apply_update(folded, update)
    assert plain(folded) == plain(after)
    assert (plain(before), plain(after)) == was
    return updates


# --- any trees

any_tree = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
ids = st.sampled_from([None, "a", "b", "c", "d", ""])
texts = st.sampled_from(["", "H", "He", "Hello", "Hello world", "null", "é"])
scalars = (
    st.none()
    | st.booleans()
    | st.integers(0, 2)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
payloads = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "k", "type"]), inner)
    ),
)
typed_leaves = st.one_of(
    st.builds(Text, id=ids, value=texts, streaming=st.none() | st.booleans()),
    st.builds(Markdown, id=ids, value=texts),
    st.builds(Title, id=ids, key=ids, value=texts),
    st.builds(Badge, label=texts),
    st.builds(
        Button, id=ids, onClickAction=st.fixed_dictionaries({"type": texts, "payload": payloads})
    ),
)
open_leaves = st.fixed_dictionaries(
    {"type": st.sampled_from(["Text", "Markdown", "Title", "Map"])},
    optional={
        "id": ids,
        "value": texts | scalars,
        "streaming": scalars,
        "points": payloads,
        "status": payloads,
    },
)


def parents(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    children = st.lists(inner, max_size=4)
    return st.one_of(
        st.builds(Col, id=ids, children=children | st.none()),
        st.builds(Row, id=ids, children=children, gap=st.none() | st.integers(0, 1)),
        st.builds(Transition, id=ids, children=inner | st.none()),
        st.fixed_dictionaries(
            {"type": st.sampled_from(["Box", "Map"]), "children": children | inner},
            optional={"id": ids, "flex": scalars},
        ),
    )


components = st.recursive(typed_leaves | open_leaves, parents, max_leaves=12)
roots = st.one_of(
    st.builds(
        Card, id=ids, children=st.lists(components, max_size=5), collapsed=st.none() | st.booleans()
    ),
    st.builds(
        lambda **props: DynamicWidgetRoot(type="Card", **props),
        children=st.lists(components, max_size=5),
    ),
    st.builds(
        ListView,
        children=st.lists(
            st.builds(ListViewItem, id=ids, children=st.lists(components, max_size=3))
        ),
    ),
)


@st.composite
def steps(draw: st.DrawFn) -> tuple[Any, Any]:
    """A widget and a later state of it: the same but for a few places, in the same or the open form."""
    before = draw(roots)
    after = plain(before)
    for _ in range(draw(st.integers(0, 3))):
        node: Any = after
        while (
            isinstance(children := node.get("children"), list | dict)
            and children
            and draw(st.booleans())
        ):
            child = draw(st.sampled_from(children)) if isinstance(children, list) else children
            if not isinstance(child, dict):
                break
            node = child
        change = draw(st.integers(0, 3))
        if change == 0 and isinstance(node.get("value"), str):
            node["value"] += draw(texts)
        elif change == 1:
            node[draw(st.sampled_from(["size", "streaming", "status"]))] = draw(scalars)
        elif change == 2 and node is not after:
            node["id"] = draw(ids)
        elif isinstance(node.get("children"), list):
            node["children"].append(plain(draw(components)))
    return before, DynamicWidgetRoot.model_validate(after)


@any_tree
@given(roots, roots)
def test_the_updates_turn_any_widget_into_any_other(before: Any, after: Any) -> None:
    check(before, after)


@any_tree
@given(steps())
def test_the_updates_turn_a_widget_into_its_next_state(step: tuple[Any, Any]) -> None:
    check(*step)


@any_tree
@given(roots)
def test_equal_widgets_need_no_update_in_whatever_form(widget: Any) -> None:
    assert diff_widget(widget, widget.model_copy(deep=True)) == []
    assert diff_widget(widget, open_form(widget)) == []
    assert diff_widget(open_form(widget), widget) == []


@any_tree
@given(
    roots,
    st.lists(st.sampled_from(["", "a", '"', "\\", '",', "é", '"}', "\ud83d", "\n"]), min_size=1),
)
def test_text_that_goes_on_growing_is_told_from_anything_else(root: Any, pieces: list[str]) -> None:
    """The short way for more of the same text gives what a comparison gives."""
    target = {"type": "Text", "id": "grows", "value": "", "streaming": True}
    state = plain(root)
    state["children"] = [*state.get("children", []), target]
    folded: Any = open_form(state)
    shown = ShownWidget(state)
    for piece in pieces:
        before = plain(state)
        target["value"] += piece
        updates = shown.update(state)
        assert updates == diff_widget(before, state)
        for update in updates:
            folded = apply_update(folded, update)
        assert plain(folded) == plain(state) == plain(shown.widget())


def frame_size(updates: list[Any]) -> int:
    item_id = "msg_" + "0" * 32
    return sum(
        len(event_frame(ThreadItemUpdatedEvent(item_id=item_id, update=update)))
        for update in updates
    )


@any_tree
@given(steps() | st.tuples(roots, roots))
def test_no_other_single_update_is_smaller(step: tuple[Any, Any]) -> None:
    """But for deltas, which the client shows as they come: they are only compared where a component goes with them."""
    before, after = step
    updates = check(before, after)
    if all(isinstance(update, WidgetStreamingTextValueDelta) for update in updates):
        return
    size = frame_size(updates)
    assert size <= frame_size([WidgetRootUpdated(widget=after)])
    for component in all_components(plain(after)):
        name = component.get("id")
        was = [each for each in all_components(plain(before)) if each.get("id") == name]
        now = [each for each in all_components(plain(after)) if each.get("id") == name]
        in_roots = name in (plain(before).get("id"), plain(after).get("id"))  # no component's place
        if name and len(was) == len(now) == 1 and not in_roots:
            one = WidgetComponentUpdated(component_id=name, component=component)
            if plain(apply_update(before, one)) == plain(after):
                assert size <= frame_size([one])


def all_components(component: Any) -> Iterator[dict[str, Any]]:
    if isinstance(component, dict):
        yield component
        children = component.get("children")
        for child in children if isinstance(children, list) else [children]:
            yield from all_components(child)


# --- which update


def card(*children: Any, **props: Any) -> Card:
    filler = [
        Text(value=f"line {number} of a longer text that stays as it is") for number in range(20)
    ]
    return Card(children=[*children, *filler], **props)


@pytest.mark.parametrize(
    "wrap", [lambda text: text, lambda text: Col(children=[Row(children=[text])])]
)
@pytest.mark.parametrize("streaming", [None, True, False])
@pytest.mark.parametrize("component", [Text, Markdown])
def test_text_that_grows_is_a_delta(component: Any, streaming: bool | None, wrap: Any) -> None:
    before = card(wrap(component(id="x", value="Hel", streaming=streaming)))
    after = card(wrap(component(id="x", value="Hello", streaming=streaming)))
    expected = [WidgetStreamingTextValueDelta(component_id="x", delta="lo", done=not streaming)]
    assert check(before, after) == expected
    assert check(open_form(before), open_form(after)) == expected
    assert check(before, open_form(after)) == expected


def test_several_texts_that_grow_are_one_delta_each_in_tree_order() -> None:
    before = card(Text(id="b", value=""), Box(children=[Text(id="a", value="x")]))
    after = card(Text(id="b", value="1"), Box(children=[Text(id="a", value="xy")]))
    assert [(update.component_id, update.delta) for update in check(before, after)] == [
        ("b", "1"),
        ("a", "y"),
    ]


@pytest.mark.parametrize(
    "wrap", [lambda text: Transition(children=text), lambda text: {"type": "Box", "children": text}]
)
def test_text_under_a_single_child_is_a_delta_too(wrap: Any) -> None:
    updates = check(card(wrap(Text(id="x", value="a"))), card(wrap(Text(id="x", value="ab"))))
    assert updates == [WidgetStreamingTextValueDelta(component_id="x", delta="b", done=True)]


def test_text_without_an_id_goes_with_the_lowest_component_that_has_one() -> None:
    def state(value: str) -> Card:
        return card(
            Col(
                id="outer",
                children=[Row(id="inner", children=[Text(value=value)]), Text(value="y")],
            )
        )

    [update] = check(state("a"), state("ab"))
    assert isinstance(update, WidgetComponentUpdated)
    assert update.component_id == "inner"


def test_text_whose_id_is_not_its_own_goes_with_the_component_around() -> None:
    def state(value: str) -> Card:
        return card(Row(id="row", children=[Text(id="x", value=value), Text(id="x", value="b")]))

    [update] = check(state("a"), state("aa"))
    assert isinstance(update, WidgetComponentUpdated)
    assert update.component_id == "row"


def test_an_id_in_a_payload_is_not_a_components_id() -> None:
    def state(value: str) -> Card:
        button = Button(label="x", onClickAction={"type": "open", "payload": {"id": "x"}})  # type: ignore[arg-type]
        return card(Text(id="x", value=value), button)

    assert check(state("a"), state("ab")) == [
        WidgetStreamingTextValueDelta(component_id="x", delta="b", done=True)
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            Text(id="x", value="Hello", streaming=True),
            Text(id="x", value="Hello!", streaming=False),
        ),
        (Text(id="x", value="Hello", streaming=True), Text(id="x", value="Hello", streaming=False)),
        (Text(id="x", value="Hello"), Text(id="x", value="Help")),
        (Title(id="x", value="Hello"), Title(id="x", value="Hello!")),
        (Col(id="x", children=[]), Col(id="x", children=[Text(value="a")])),
        ({"type": "Map", "id": "x"}, {"type": "Map", "id": "x", "zoom": 3}),
        ({"type": "Map", "id": "x", "zoom": 1}, {"type": "Map", "id": "x", "zoom": True}),
    ],
)
def test_any_other_change_resends_the_component_only(before: Any, after: Any) -> None:
    [update] = check(card(before), card(after))
    assert isinstance(update, WidgetComponentUpdated)
    assert update.component_id == "x"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (card(Text(value="a")), card(Text(value="b"))),
        (card(size="sm"), card(size="md")),
        (card(Text(id="x", value="a")), card(Text(id="y", value="a"))),
        (card(), card(Text(id="x", value="a"))),
        (card(id="x", size="sm"), card(id="x", size="md")),
        (card(), ListView(children=[])),
    ],
)
def test_the_rest_replaces_the_root(before: Any, after: Any) -> None:
    assert_replaced(check(before, after), after)


def assert_replaced(updates: list[Any], after: Any) -> None:
    [update] = updates
    assert isinstance(update, WidgetRootUpdated)
    assert plain(update.widget) == plain(after)


def test_several_changes_in_one_component_are_told_at_once_where_that_is_shorter() -> None:
    def state(value: str, length: int) -> Card:
        titles = [Title(id=f"t{number}", value=value * length) for number in range(5)]
        return card(Col(id="col", children=titles))

    [update] = check(state("a", 1), state("b", 1))
    assert isinstance(update, WidgetComponentUpdated)
    assert update.component_id == "col"
    before = state("a", 500)
    after = plain(before)
    after["children"][0]["children"][3]["value"] = "b"
    [update] = check(before, after)
    assert isinstance(update, WidgetComponentUpdated)
    assert update.component_id == "t3"


def test_many_components_cost_more_than_the_root() -> None:
    before = Card(children=[Title(id=f"t{number}", value="a") for number in range(50)])
    after = Card(children=[Title(id=f"t{number}", value="b") for number in range(50)])
    assert_replaced(check(before, after), after)


def test_a_null_is_a_change_in_a_payload_and_nowhere_else() -> None:
    def state(**props: Any) -> Any:
        return DynamicWidgetRoot(type="Card", children=[{"type": "Button", **props}])

    assert check(state(), state(label=None)) == []
    assert (
        check(
            state(onClickAction={"type": "a"}), state(onClickAction={"type": "a", "payload": None})
        )
        == []
    )
    with_null = state(onClickAction={"type": "a", "payload": {"k": None}})
    assert check(state(onClickAction={"type": "a", "payload": {}}), with_null) == [
        WidgetRootUpdated(widget=with_null)
    ]


def test_trees_too_deep_to_walk_and_text_that_is_not_unicode_replace_the_root() -> None:
    def deep(value: str, levels: int) -> Any:
        tree: Any = Text(id="x", value=value)
        for _ in range(levels):
            tree = Box(children=[tree])
        return Card(children=[tree])

    assert isinstance(
        diff_widget(deep("a", 300), deep("ab", 300))[0],
        WidgetRootUpdated | WidgetStreamingTextValueDelta,
    )
    broken, other = Card(children=[Text(value="\ud800")]), Card(children=[Text(value="\udc00x")])
    assert_replaced(diff_widget(broken, other), other)
    assert diff_widget(broken, broken.model_copy(deep=True)) == []


# --- applying


def test_an_update_finds_its_component_anywhere_and_shares_the_rest() -> None:
    still = Text(id="s", value="still")
    widget = Card(
        children=[
            still,
            Transition(children={"type": "Box", "children": {"type": "Text", "id": "x"}}),
        ]
    )
    changed = apply_update(
        widget, WidgetStreamingTextValueDelta(component_id="x", delta="a", done=False)
    )
    assert plain(changed)["children"][1]["children"]["children"] == {
        "type": "Text",
        "id": "x",
        "value": "a",
    }
    assert changed.children[0] is still


def test_an_update_without_its_component_changes_nothing() -> None:
    widget = Card(children=[Text(id="x", value="a")])
    assert (
        apply_update(widget, WidgetStreamingTextValueDelta(component_id="y", delta="a", done=False))
        is widget
    )
    assert (
        apply_update(widget, WidgetComponentUpdated(component_id="y", component=Text(value="b")))
        is widget
    )
