"""Widgets: every component is drawn, forms and actions do what the specification says, nothing unknown breaks anything."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from playwright.sync_api import expect

from chatkit_asgi.types import (
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    WidgetComponentUpdated,
    WidgetRootUpdated,
    WidgetStreamingTextValueDelta,
)
from tests.browser.conftest import SCREENSHOTS, Window
from tests.browser.gallery import GALLERY, Node, action
from tests.browser.stage import Stage


def shows(stage: Stage, widget: Node, **more: Any) -> None:
    """The message `w` is answered with the widget."""

    async def play(thread: Any, message: Any) -> AsyncIterator[Any]:
        yield stage.widget(thread, widget, **more)

    stage.plays["w"] = play


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_component_is_drawn_and_accessible(windows: Any, stage: Stage, scheme: str) -> None:
    async def play(thread: Any, message: Any) -> AsyncIterator[Any]:
        for name, widget in GALLERY.items():
            yield stage.widget(thread, widget, copy_text=name)

    stage.plays["all"] = play
    # High enough to show all of them at once: rows beyond the screen do not exist.
    window = windows(viewport={"width": 700, "height": 5200})
    window.open({"theme": scheme})
    window.send("all")
    widgets = window.page.locator("ck-widget")
    expect(widgets).to_have_count(len(GALLERY))
    expect(window.page.locator(".w-unknown").first).to_contain_text("Map")
    expect(window.page.get_by_text("inside the unknown")).to_be_visible()
    expect(window.page.get_by_text("after all of it")).to_be_visible()
    window.page.wait_for_load_state("networkidle")
    for name, widget in zip(GALLERY, widgets.all(), strict=True):
        widget.screenshot(path=SCREENSHOTS / f"widget-{name}-{scheme}.png")
    # The order of headings is the author's.
    window.axe(rules={"heading-order": {"enabled": False}})


def test_a_form_sends_its_values_nested_under_the_action_s_own(
    window: Window, stage: Stage
) -> None:
    widget = {
        **GALLERY["controls"],
        "confirm": {"label": "Save", "action": action("save", payload={"id": 7, "note": "own"})},
    }
    shows(stage, widget)
    window.open()
    window.send("w")
    page = window.page
    save = page.get_by_role("button", name="Save")
    save.click()
    assert stage.actions == [], "the name is required"
    page.get_by_role("textbox", name="Name").fill("Ada")
    country = page.get_by_role("combobox", name="Country")
    country.fill("country 1")
    country.press("ArrowDown")
    country.press("Enter")
    page.get_by_role("radio", name="Small").check()
    page.get_by_role("checkbox", name="I agree").uncheck()
    save.click()
    window.settled()
    expect(window.answers).to_have_text("Did save.")
    ((kind, payload),) = stage.actions
    assert kind == "save"
    assert payload == {
        "id": 7,
        "person": {"name": "Ada", "age": 36},
        "note": "own",
        "city": "b",
        "country": "c10",
        "day": "2026-03-14",
        "agree": False,
        "size": "s",
        "title": "Edit me",
    }
    assert window.events("chatkit.error") == [
        {"error": "WidgetItemError: the form and the payload of save both have note"}
    ]


def test_a_form_component_submits_by_its_button_and_by_enter(window: Window, stage: Stage) -> None:
    form = {
        "type": "Form",
        "direction": "col",
        "gap": 2,
        "onSubmitAction": action("find", streaming=False),
        "children": [
            {"type": "Input", "name": "query", "placeholder": "Query", "pattern": "[a-z]+"},
            {"type": "Button", "submit": True, "label": "Find"},
            {"type": "Button", "label": "Other", "onClickAction": action("other", streaming=False)},
        ],
    }
    shows(stage, {"type": "Card", "children": [form]})
    window.open()
    window.send("w")
    query = window.page.get_by_role("textbox", name="Query")
    query.fill("123")
    query.press("Enter")
    assert stage.actions == [], "the pattern does not fit"
    query.fill("abc")
    query.press("Enter")
    expect(window.page.get_by_role("button", name="Find")).to_be_enabled()
    window.page.get_by_role("button", name="Other").click()
    expect(window.page.get_by_role("button", name="Other")).to_be_enabled()
    assert stage.actions == [("find", {"query": "abc"}), ("other", {"query": "abc"})]


def test_actions_of_the_page_stay_in_the_page(window: Window, stage: Stage) -> None:
    button = {
        "type": "Button",
        "label": "Ping",
        "onClickAction": action("ping", handler="client", payload={"a": 1}),
    }
    shows(stage, {"type": "Card", "id": "root", "children": [button]})
    window.open(
        script="options.widgets = { onAction: async (action, item) => { window.acted = [action, item] } };"
    )
    window.send("w")
    window.page.get_by_role("button", name="Ping").click()
    window.page.wait_for_function("() => window.acted")
    acted, item = window.page.evaluate("() => window.acted")
    assert acted == {"type": "ping", "payload": {"a": 1}}
    assert item["widget"]["id"] == "root"
    assert item["id"]
    assert stage.actions == []


def test_while_an_answer_runs_only_synchronous_actions_work(window: Window, stage: Stage) -> None:
    go = anyio.Event()
    buttons = [
        {"type": "Button", "label": "Later", "onClickAction": action("later")},
        {"type": "Button", "label": "Now", "onClickAction": action("now", streaming=False)},
    ]

    async def play(thread: Any, message: Any) -> AsyncIterator[Any]:
        yield stage.widget(thread, {"type": "Card", "children": buttons})
        yield "Going on"
        await go.wait()

    def updated(sender: Any, _: Any) -> Any:
        return sender.model_copy(
            update={"widget": {"type": "Card", "children": [{"type": "Text", "value": "Done now"}]}}
        )

    stage.plays["run"] = play
    stage.updated = updated
    window.open()
    window.send("run", wait=False)
    expect(window.page.get_by_role("button", name="Later")).to_be_disabled()
    window.page.get_by_role("button", name="Now").click()
    expect(window.page.get_by_text("Done now")).to_be_visible()
    stage.call(go.set)
    window.settled()
    assert [kind for kind, _ in stage.actions] == ["now"]


@pytest.mark.parametrize(
    ("behaviour", "inert"), [("container", True), ("self", False), ("none", False)]
)
def test_loading_behaviours(window: Window, stage: Stage, behaviour: str, inert: bool) -> None:
    card = {
        "type": "Card",
        "children": [
            {
                "type": "Button",
                "label": "Go",
                "onClickAction": action("go", handler="client", loadingBehavior=behaviour),
            }
        ],
    }
    shows(stage, card)
    window.open(
        script="options.widgets = { onAction: () => new Promise((done) => (window.done = done)) };"
    )
    window.send("w")
    window.page.get_by_role("button", name="Go").click()
    window.page.wait_for_function("() => window.done")
    window.frame()
    widget = window.page.locator(".widget")
    assert (widget.get_attribute("inert") is not None) == inert
    expect(widget.locator(".w-button")).to_have_attribute(
        "aria-busy", "true" if behaviour == "self" else "false"
    )
    window.page.evaluate("() => window.done()")
    expect(widget).to_have_attribute("aria-busy", "false")


def test_text_streams_into_a_widget_and_parts_are_replaced(window: Window, stage: Stage) -> None:
    steps = [anyio.Event() for _ in range(2)]
    children: list[Node] = [
        {"type": "Text", "id": "t", "value": "", "streaming": True},
        {"type": "Caption", "id": "c", "value": "one"},
        {"type": "Input", "name": "kept", "placeholder": "Kept"},
    ]

    async def play(thread: Any, message: Any) -> AsyncIterator[Any]:
        item = stage.widget(thread, {"type": "Card", "children": children})
        yield ThreadItemAddedEvent(item=item)
        for word in ("Hello ", "there"):
            yield ThreadItemUpdatedEvent(
                item_id=item.id,
                update=WidgetStreamingTextValueDelta(
                    component_id="t", delta=word, done=word == "there"
                ),
            )
        await steps[0].wait()
        yield ThreadItemUpdatedEvent(
            item_id=item.id,
            update=WidgetComponentUpdated(
                component_id="c", component={"type": "Caption", "id": "c", "value": "two"}
            ),
        )
        await steps[1].wait()
        root = {"type": "Card", "children": [{"type": "Title", "value": "Another root"}]}
        yield ThreadItemUpdatedEvent(item_id=item.id, update=WidgetRootUpdated(widget=root))
        yield ThreadItemDoneEvent(item=item.model_copy(update={"widget": root}))

    stage.plays["stream"] = play
    window.open()
    window.send("stream", wait=False)
    expect(window.page.get_by_text("Hello there")).to_be_visible()
    field = window.page.get_by_role("textbox", name="Kept")
    field.fill("what I typed")
    stage.call(steps[0].set)
    expect(window.page.get_by_text("two", exact=True)).to_be_visible()
    expect(field).to_have_value("what I typed")
    stage.call(steps[1].set)
    expect(window.page.get_by_text("Another root")).to_be_visible()
    window.settled()


def test_a_list_shows_more_and_its_rows_act(window: Window, stage: Stage) -> None:
    shows(stage, GALLERY["list"])
    window.open()
    window.send("w")
    expect(window.page.locator(".w-item")).to_have_count(3)
    window.page.get_by_role("button", name="Show 2 more").click()
    expect(window.page.locator(".w-item")).to_have_count(5)
    window.page.get_by_role("button", name="Thing 4").click()
    window.settled()
    assert stage.actions == [("open", {"n": 4})]


def test_a_collapsed_card_opens(window: Window, stage: Stage) -> None:
    card = {
        "type": "Card",
        "collapsed": True,
        "status": {"text": "Sent"},
        "children": [{"type": "Text", "value": "The letter"}],
    }
    shows(stage, card)
    window.open()
    window.send("w")
    expect(window.page.get_by_text("The letter")).to_have_count(0)
    window.page.get_by_role("button", name="Details").click()
    expect(window.page.get_by_text("The letter")).to_be_visible()


def test_a_chart_tells_its_values_by_keyboard_and_to_screen_readers(
    window: Window, stage: Stage
) -> None:
    shows(stage, GALLERY["charts"])
    window.open()
    window.send("w")
    plot = window.page.get_by_role("group", name="Chart: Sales, Costs").first
    plot.focus()
    window.page.keyboard.press("ArrowRight")
    window.page.keyboard.press("ArrowRight")
    expect(window.page.locator(".tooltip")).to_contain_text("Feb")
    expect(window.page.locator(".tooltip")).to_contain_text("160")
    expect(
        window.page.get_by_role("rowheader", name="March")
        .or_(window.page.get_by_role("rowheader", name="Mar"))
        .first
    ).to_be_attached()
    window.shot("chart-tooltip")


def test_controls_outside_a_form_send_their_own_value(window: Window, stage: Stage) -> None:
    children = [
        {
            "type": "Checkbox",
            "name": "todo.done",
            "label": "Done",
            "onChangeAction": action("check", streaming=False, payload={"id": 3}),
        },
        {
            "type": "Select",
            "name": "who",
            "options": [{"value": "a", "label": "Ada"}],
            "placeholder": "Who",
            "onChangeAction": action("assign", streaming=False),
        },
    ]
    shows(stage, {"type": "Card", "children": children})
    window.open()
    window.send("w")
    with window.page.expect_response("**/chatkit"):
        window.page.get_by_role("checkbox", name="Done").check()
    with window.page.expect_response("**/chatkit"):
        window.page.get_by_role("combobox", name="Who").select_option("a")
    assert stage.actions == [("check", {"id": 3, "todo": {"done": True}}), ("assign", {"who": "a"})]
