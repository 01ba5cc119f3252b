"""Which actions a widget offers: what a legal client sends is never refused, and nothing else of its types passes."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatkit_asgi.widgets import ActionConfig, Button, Card, Form, Input, Text, Transition
from chatkit_asgi.widgets.offers import offers

GO = {"type": "go", "payload": {"id": 7, "tags": ["a", None], "note": None}}
PAYLOAD = GO["payload"]


def card(*children: Any, **props: Any) -> dict[str, Any]:
    return {"type": "Card", "children": [*children], **props}


BUTTON = {"type": "Button", "onClickAction": GO}


@pytest.mark.parametrize(
    "widget",
    [
        card(BUTTON),
        card({"type": "Box", "children": [{"type": "Transition", "children": BUTTON}]}),
        {
            "type": "ListView",
            "children": [{"type": "ListViewItem", "children": [], "onClickAction": GO}],
        },
        card({"type": "Form", "onSubmitAction": GO}),
        *[
            card({"type": kind, "name": "n", "onChangeAction": GO})
            for kind in ("Select", "DatePicker", "Checkbox", "RadioGroup")
        ],
        card(confirm={"label": "OK", "action": GO}),
        card(cancel={"label": "No", "action": GO}),
        card({"type": "Map", "markers": [{"at": 1, "onPress": GO}]}),
        Card(children=[Transition(children=Button(onClickAction=ActionConfig(**GO)))]),
    ],
)
def test_an_action_is_found_wherever_a_widget_may_have_one(widget: Any) -> None:
    before = copy.deepcopy(widget)
    assert offers(widget, "go", PAYLOAD)
    assert not offers(widget, "stop", PAYLOAD)
    assert not offers(widget, "go", {**PAYLOAD, "id": 8})  # type: ignore[dict-item]
    assert widget == before


@pytest.mark.parametrize("hidden", [{"payload": GO}, {"payload": {"inner": GO}}])
def test_what_is_inside_a_payload_is_no_action(hidden: Any) -> None:
    assert not offers(
        card({"type": "Button", "onClickAction": {"type": "a", **hidden}}), "go", PAYLOAD
    )


@pytest.mark.parametrize(
    "sent",
    [
        PAYLOAD,
        {"id": 7, "tags": ["a", None]},
        {"id": 7.0, "tags": ["a", None], "note": None, "more": None},
    ],
)
def test_nulls_and_numbers_may_come_back_as_javascript_has_them(sent: Any) -> None:
    assert offers(card(BUTTON), "go", sent)


def test_large_numbers_come_back_with_the_precision_of_javascript() -> None:
    def big(value: int) -> Any:
        return card({"type": "Button", "onClickAction": {"type": "go", "payload": {"n": value}}})

    assert offers(big(12345678901234567), "go", {"n": 12345678901234568})
    assert not offers(big(12345678901234567), "go", {"n": 12345678901239999})


@pytest.mark.parametrize(
    "sent",
    [
        None,
        {},
        {"id": 7},
        {"id": True, "tags": ["a", None]},
        {"id": "7", "tags": ["a", None]},
        {"id": 7, "tags": ["a"]},
        {"id": 7, "tags": ["a", None], "admin": True},
        [7],
        "go",
    ],
)
def test_a_payload_that_was_changed_is_not_offered(sent: Any) -> None:
    assert not offers(card(BUTTON), "go", sent)


@pytest.mark.parametrize("value", ["text", 5, True, "", ["a", "b"], {"from": "2026-01-01"}])
def test_form_values_come_with_every_action_of_a_widget_with_controls(value: Any) -> None:
    widget = card({"type": "Form", "children": [{"type": "Input", "name": "todo.title"}, BUTTON]})
    assert offers(widget, "go", {**PAYLOAD, "todo": {"title": value}})  # type: ignore[dict-item]
    assert not offers(widget, "go", {**PAYLOAD, "todo": {"owner": value}})  # type: ignore[dict-item]
    assert not offers(widget, "go", {**PAYLOAD, "other": value})  # type: ignore[dict-item]
    editable = card({"type": "Text", "value": "", "editable": {"name": "note2"}}, BUTTON)
    assert offers(editable, "go", {**PAYLOAD, "note2": value})  # type: ignore[dict-item]


def test_form_values_may_join_an_object_of_the_actions_own() -> None:
    action = {"type": "save", "payload": {"todo": {"id": 1}}}
    widget = card(
        {"type": "Input", "name": "todo.title"}, confirm={"label": "Save", "action": action}
    )
    assert offers(widget, "save", {"todo": {"id": 1, "title": "x"}})
    assert offers(widget, "save", {"todo": {"id": 1}})
    assert not offers(widget, "save", {"todo": {"id": 2, "title": "x"}})
    assert not offers(widget, "save", {"todo": {"id": 1, "owner": "x"}})


def test_a_form_without_a_payload_of_its_own_sends_its_values() -> None:
    typed = Card(
        asForm=True,
        children=[Form(children=[Input(name="name")]), Text(value="x")],
        confirm={"label": "Save", "action": ActionConfig(type="save")},
    )
    assert offers(typed, "save", {"name": "Ada"})
    assert offers(typed, "save", None)
    assert not offers(typed, "save", {"admin": True})


def test_the_name_of_an_icon_is_no_control() -> None:
    assert not offers(card({"type": "Icon", "name": "bolt"}, BUTTON), "go", {**PAYLOAD, "bolt": 1})  # type: ignore[dict-item]


def test_which_key_a_changed_control_adds_is_not_specified() -> None:
    widget = card({"type": "Select", "name": "size", "onChangeAction": {"type": "pick"}})
    for sent in ({"size": "S"}, {"value": "S"}, "S", None):
        assert offers(widget, "pick", sent)


def test_a_widget_with_an_action_for_the_page_may_send_anything_in_its_name() -> None:
    widget = card(
        {"type": "Button", "onClickAction": {"type": "open", "handler": "client"}}, BUTTON
    )
    assert offers(widget, "page.made", {"anything": 1})
    assert offers(widget, "go", None)
    assert not offers(
        card({"type": "Button", "onClickAction": {"type": "open", "handler": "server"}}),
        "page.made",
        {},
    )


names = st.sampled_from(["a", "b", "a.b", "b.c.d"])
plain = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3)
payloads = st.none() | st.dictionaries(
    st.sampled_from(["a", "b", "k", "l"]),
    plain | st.dictionaries(st.sampled_from(["b", "c"]), plain),
)


def submitted(own: Any, values: dict[str, Any]) -> Any:
    """What a client makes of an action's payload and its form's values (widgets.md section 5.1)."""
    merged = copy.deepcopy(own) or {}
    for name, value in values.items():
        *above, last = name.split(".")
        place = merged
        for key in above:
            place = place.setdefault(key, {}) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place.setdefault(last, value)
    return json.loads(json.dumps(merged))


@settings(deadline=None)
@given(payloads, st.dictionaries(names, plain))
def test_whatever_a_form_submits_is_offered(own: Any, values: dict[str, Any]) -> None:
    controls = [{"type": "Input", "name": name} for name in values]
    form = {"type": "Form", "children": controls, "onSubmitAction": {"type": "go", "payload": own}}
    assert offers(card(form), "go", submitted(own, values))


@pytest.mark.parametrize("number", [10**400, -(10**400)])
def test_a_number_that_is_too_large_for_javascript_is_another_number(number: int) -> None:
    widget = card({"type": "Button", "onClickAction": {"type": "go", "payload": {"id": 7.5}}})
    assert not offers(card(BUTTON), "go", {**PAYLOAD, "id": number})  # type: ignore[dict-item]
    assert not offers(widget, "go", {"id": number})
    own = card({"type": "Button", "onClickAction": {"type": "go", "payload": {"id": number}}})
    assert offers(own, "go", {"id": number})
    assert not offers(own, "go", {"id": -number})
