"""Typed components are written as openai-chatkit writes them; open ones keep what they are given."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
import pydantic
import pytest

from chatkit_asgi import widgets
from chatkit_asgi.protocol.codec import decode, encode
from chatkit_asgi.types import (
    ThreadItemDoneEvent,
    WidgetComponentUpdated,
    WidgetItem,
    WidgetRootUpdated,
)
from chatkit_asgi.widgets import (
    ActionConfig,
    BarSeries,
    Basic,
    BasicRoot,
    Box,
    Button,
    Card,
    Chart,
    DatePicker,
    DynamicWidgetComponent,
    DynamicWidgetRoot,
    Form,
    ListView,
    ListViewItem,
    Markdown,
    Row,
    Select,
    Table,
    TableCell,
    TableRow,
    Text,
    Title,
    Transition,
    WidgetComponent,
    WidgetRoot,
    without_nulls,
)

NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
CARD: dict[str, Any] = {
    "type": "Card",
    "zoom": 3,
    "status": {"text": "ready"},
    "children": [
        {"type": "Text", "id": "t", "value": "Hello", "future": {"a": [None]}},
        {"type": "Map", "points": [{"x": 1}]},
        {"type": "Transition", "children": {"type": "Text", "value": "in"}},
    ],
}


def plain(value: Any) -> Any:
    return json.loads(encode(value))


def item(widget: Any) -> WidgetItem:
    return WidgetItem(id="i", thread_id="t", created_at=NOW, widget=widget)


def test_everything_exported_is_there_once() -> None:
    assert sorted(set(widgets.__all__)) == sorted(widgets.__all__)
    assert all(hasattr(widgets, name) for name in widgets.__all__)


# --- typed


def test_children_may_be_typed_open_and_plain_in_any_mixture() -> None:
    card = Card(
        children=[
            Text(value="a"),
            DynamicWidgetComponent(type="Map", zoom=3),
            {"type": "Box", "children": [Text(value="b"), {"type": "Text", "value": "c"}]},
            Form(children=[Transition(children={"type": "Text", "value": "d"})]),
        ]
    )
    assert plain(card)["children"] == [
        {"type": "Text", "value": "a"},
        {"type": "Map", "zoom": 3},
        {
            "type": "Box",
            "children": [{"type": "Text", "value": "b"}, {"type": "Text", "value": "c"}],
        },
        {
            "type": "Form",
            "children": [{"type": "Transition", "children": {"type": "Text", "value": "d"}}],
        },
    ]


def test_actions_and_series_given_as_dicts_get_their_defaults() -> None:
    action = {"type": "go", "payload": {"k": None}}
    written = {**action, "handler": "server", "loadingBehavior": "auto", "streaming": True}
    anything = cast("Any", action)
    assert plain(Button(onClickAction=anything))["onClickAction"] == written
    assert plain(Form(onSubmitAction=anything))["onSubmitAction"] == written
    assert plain(ListViewItem(children=[], onClickAction=anything))["onClickAction"] == written
    assert plain(Select(name="s", options=[], onChangeAction=anything))["onChangeAction"] == written
    card = Card(children=[], confirm={"label": "OK", "action": anything})
    assert plain(card)["confirm"] == {"label": "OK", "action": written}
    chart = Chart(data=[{"m": 1}], series=cast("Any", [{"type": "bar", "dataKey": "m"}]), xAxis="m")
    assert chart.series == [BarSeries(dataKey="m")]
    assert (
        plain(Button(onClickAction=ActionConfig(type="go", payload={"k": None})))["onClickAction"]
        == written
    )


def test_dates_are_datetimes_or_iso_strings() -> None:
    picker = DatePicker(
        name="d", min="2026-01-01", max=datetime(2026, 1, 2, 3, 4, 5), defaultValue=NOW
    )
    assert plain(picker) == {
        "type": "DatePicker",
        "name": "d",
        "min": "2026-01-01",
        "max": "2026-01-02T03:04:05",
        "defaultValue": "2026-03-14T09:26:53Z",
    }


def test_tables_basic_and_borders_are_typed_too() -> None:
    table = Table(
        children=[
            TableRow(header=True, children=[TableCell(colSpan=2, children=[Text(value="x")])])
        ]
    )
    assert plain(table)["children"][0] == {
        "type": "Table.Row",
        "header": True,
        "children": [
            {"type": "Table.Cell", "colSpan": 2, "children": [{"type": "Text", "value": "x"}]}
        ],
    }
    assert (Table.Row, Table.Cell) == (TableRow, TableCell)
    assert plain(Basic(direction="row", gap=0.5)) == {
        "type": "Basic",
        "direction": "row",
        "gap": 0.5,
    }
    assert plain(Card(children=[], border={"size": 0.5}))["border"] == {"size": 0.5}


def test_model_validate_checks_and_opens_the_children() -> None:
    card = Card.model_validate(
        {"type": "Card", "size": "sm", "gap": 1, "children": [{"type": "Text", "value": "x"}]}
    )
    assert cast("Any", card).children[0].value == "x"
    assert plain(card) == {
        "type": "Card",
        "size": "sm",
        "children": [{"type": "Text", "value": "x"}],
    }
    assert Card.model_validate_json(encode(card)) == card
    assert Card.model_validate(card) is card
    assert pydantic.TypeAdapter(Card).validate_python({"type": "Card", "children": []}) == Card(
        children=[]
    )
    for wrong in (
        {"type": "Card"},
        {"type": "Card", "children": [], "size": "huge"},
        {"type": "Box", "children": []},
    ):
        with pytest.raises(msgspec.ValidationError):
            Card.model_validate(wrong)


def test_model_dump_has_no_nulls() -> None:
    card = Card(
        children=[Text(value="a"), {"type": "Text", "value": None}],
        status={"text": "x", "icon": None},
    )  # type: ignore[typeddict-item]
    expected = {
        "type": "Card",
        "children": [{"type": "Text", "value": "a"}, {"type": "Text"}],
        "status": {"text": "x"},
    }
    assert (
        card.model_dump()
        == card.model_dump(mode="json")
        == json.loads(card.model_dump_json())
        == expected
    )
    assert item(card).model_dump()["widget"] == expected


# --- open


def test_a_stored_widget_comes_back_open_and_unchanged() -> None:
    stored = encode({**plain(item(CARD)), "widget": CARD})
    widget = decode(stored, WidgetItem).widget
    assert type(widget) is DynamicWidgetRoot
    assert plain(widget) == CARD
    typed = decode(encode(item(Card(children=[Text(value="a")]))), WidgetItem).widget
    assert type(typed) is DynamicWidgetRoot


def test_props_are_attributes_at_every_depth_and_can_be_changed() -> None:
    widget: Any = DynamicWidgetRoot.model_validate(copy.deepcopy(CARD))
    assert widget.status.text == widget["status"]["text"] == widget.get("status").text == "ready"
    assert widget.children[1].points[0].x == 1
    assert isinstance(widget.children[0], DynamicWidgetComponent)
    assert not isinstance(widget.status, DynamicWidgetComponent)
    assert (widget.id, widget.key, widget.children[0].children) == (None, None, None)
    widget.children[0].value += "!"
    widget.children[2].children.value = "out"
    widget["children"][1]["zoom"] = 4
    widget.children.append(Text(value="new"))
    del widget.status
    written = plain(widget)
    assert [child.get("value") for child in written["children"]] == ["Hello!", None, None, "new"]
    assert written["children"][2]["children"]["value"] == "out"
    assert written["children"][1]["zoom"] == 4
    assert "status" not in written
    for missing in ("nothing", "status"):
        with pytest.raises(AttributeError, match=missing):
            getattr(widget, missing)
        with pytest.raises(AttributeError, match=missing):
            delattr(widget, missing)
    assert widget.get("nothing", 5) == 5


def test_open_widgets_have_pydantics_methods() -> None:
    widget = DynamicWidgetRoot(
        type="Card", children=[DynamicWidgetComponent(type="Text", value=None, id="x")]
    )
    assert widget.model_dump() == {"type": "Card", "children": [{"type": "Text", "id": "x"}]}
    assert (
        DynamicWidgetRoot.model_validate_json(widget.model_dump_json()).model_dump()
        == widget.model_dump()
    )
    assert DynamicWidgetRoot.model_validate(Card(children=[])) == {"type": "Card", "children": []}
    deep = widget.model_copy(update={"theme": "dark"}, deep=True)
    deep.children[0].id = "y"
    assert (widget.children[0].id, deep.theme, type(deep)) == ("x", "dark", DynamicWidgetRoot)
    assert type(pickle.loads(pickle.dumps(widget)).children[0]) is DynamicWidgetComponent
    assert widget.model_fields_set == {"type", "children"}
    assert BasicRoot(children=[], gap=1) == {"type": "Basic", "children": [], "gap": 1}


@pytest.mark.parametrize(
    "wrong", [{"type": "Text"}, {"type": 3}, {}, [], "Card", None, Text(value="x"), NOW]
)
def test_what_is_no_root_is_refused_wherever_one_is_expected(wrong: Any) -> None:
    for make in (
        item,
        lambda widget: WidgetRootUpdated(widget=widget),
        pydantic.TypeAdapter(WidgetRoot).validate_python,
        DynamicWidgetRoot.model_validate,
    ):
        with pytest.raises(ValueError, match=r"widget|type"):
            make(wrong)


@pytest.mark.parametrize("wrong", [{"type": 3}, {}, [], "Card", None, NOW])
def test_what_is_no_component_is_refused_wherever_one_is_expected(wrong: Any) -> None:
    for make in (
        lambda component: WidgetComponentUpdated(component_id="x", component=component),
        pydantic.TypeAdapter(WidgetComponent).validate_python,
        DynamicWidgetComponent.model_validate,
    ):
        with pytest.raises(ValueError, match=r"widget|type"):
            make(wrong)
    with pytest.raises(ValueError, match="root"):
        BasicRoot.model_validate({"type": "Card"})


def test_widgets_are_fields_of_pydantic_models() -> None:
    class Holder(pydantic.BaseModel):
        root: WidgetRoot
        component: WidgetComponent | None = None
        typed: Card | None = None

    holder = Holder.model_validate({"root": CARD, "component": {"type": "Text", "value": None}})
    assert type(holder.root) is DynamicWidgetRoot
    assert type(holder.component) is DynamicWidgetComponent
    assert holder.model_dump() == {"root": CARD, "component": {"type": "Text"}, "typed": None}
    assert Holder(root=Card(children=[])).root == Card(children=[])
    assert Holder.model_json_schema()["properties"]["root"]["type"] == "object"


# --- nulls


@pytest.mark.parametrize("filler", [0, 100])
def test_nulls_are_left_out_of_the_vocabularys_own_objects_only(filler: int) -> None:
    """However the widget is made, and however large its frame is."""
    children = [
        {"type": "Text", "value": "x", "color": None, "editable": {"name": "n", "pattern": None}},
        {
            "type": "Button",
            "label": None,
            "onClickAction": {
                "type": "go",
                "handler": None,
                "payload": {"k": None, "l": [None, 1]},
            },
        },
        {
            "type": "Chart",
            "data": [{"a": None}],
            "series": [{"type": "bar", "label": None}],
            "xAxis": {"hide": None},
        },
        {"type": "Map", "zoom": None, "layers": [{"on": None}]},
        {
            "type": "Box",
            "border": {"top": {"size": 1, "color": None}, "left": None},
            "children": None,
        },
        None,
    ]
    written = [
        {"type": "Text", "value": "x", "editable": {"name": "n"}},
        {"type": "Button", "onClickAction": {"type": "go", "payload": {"k": None, "l": [None, 1]}}},
        {"type": "Chart", "data": [{"a": None}], "series": [{"type": "bar"}], "xAxis": {}},
        {"type": "Map", "layers": [{"on": None}]},
        {"type": "Box", "border": {"top": {"size": 1}}},
    ]
    more = [{"type": "Text", "value": "filler"}] * filler
    expected = {"type": "Card", "children": [*written, *more]}
    as_is = copy.deepcopy(children)
    for widget in (
        {"type": "Card", "size": None, "children": [*children, *more]},
        DynamicWidgetRoot(type="Card", size=None, children=[*children, *more]),
        DynamicWidgetRoot(
            type="Card", children=[*map(lambda c: c and DynamicWidgetComponent(c), children), *more]
        ),
        Card(children=cast("Any", [*children[:-1], *more])),
    ):
        event = ThreadItemDoneEvent(item=item(widget))
        assert plain(event)["item"]["widget"] == expected
        assert event.item.model_dump()["widget"] == expected
        assert plain(WidgetRootUpdated(widget=widget))["widget"] == expected
    nested = ListView(children=[ListViewItem(children=[Box(children=cast("Any", children[:-1]))])])
    assert plain(nested)["children"][0]["children"][0]["children"] == written
    update = WidgetComponentUpdated(component_id="x", component=children[1])
    assert plain(update)["component"] == written[1]
    assert children == as_is


def test_a_widget_without_nulls_is_written_as_it_is() -> None:
    widget = DynamicWidgetRoot.model_validate(copy.deepcopy(CARD))
    assert without_nulls(widget) is widget
    assert encode(widget) == encode(CARD)


def test_text_that_says_null_is_text() -> None:
    assert plain(item(DynamicWidgetRoot(type="Card", children=[Markdown(value="null")])))["widget"][
        "children"
    ] == [{"type": "Markdown", "value": "null"}]


def test_a_widget_that_was_stored_is_the_one_that_was_saved() -> None:
    """It reads back open (departure V12)."""
    card = Card(
        size="md",
        children=[
            Row(children=[widgets.Text(id="t", value="x")], gap=2),
            {"type": "Badge", "label": "new", "color": None},
            Button(label="Open", onClickAction={"type": "open", "payload": {"a": None}}),
        ],
    )
    opened = DynamicWidgetRoot.model_validate(json.loads(card.model_dump_json()))
    assert opened == card
    assert card == opened
    assert (card != opened) is False
    opened["children"][0]["gap"] = 3
    assert opened != card
    assert card != Card(size="sm", children=[])


def test_components_of_different_types_are_different() -> None:
    assert Text(value="a") == Text(value="a")
    for other in (Title(value="a"), Text(value="b"), None, 5, "Text"):
        assert Text(value="a") != other
        assert (Text(value="a") == other) is False
    assert Card(children=[Text(value="a")]) != Card(children=[Title(value="a")])
    kept = [Text(value="x"), Button(id="b"), Button(id="c")]
    kept.remove(kept[1])
    assert [type(each) for each in kept] == [Text, Button]
