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
    expect(window.answers).to_have_text(["Did save."])
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


# -- DatePicker ------------------------------------------------------------------------------------


def picker(**props: Any) -> Node:
    return {"type": "DatePicker", "name": "due.day", "placeholder": "Due day", **props}


def dates(window: Window, stage: Stage, *pickers: Node, **options: Any) -> Any:
    """A form with these in a running window, and the first one's button."""
    card = {
        "type": "Card",
        "asForm": True,
        "confirm": {"label": "Save", "action": action("save", streaming=False)},
        "children": list(pickers),
    }
    shows(stage, card)
    window.open(options)
    if options.get("locale", "en") == "en":
        window.send("w")
    else:  # words of another language
        window.page.get_by_role("textbox").fill("w")
        window.page.keyboard.press("Enter")
        window.settled()
    return window.page.locator(".w-date > .w-field").first


def saved(window: Window, stage: Stage) -> Any:
    with window.page.expect_response("**/chatkit"):
        window.page.get_by_role("button", name="Save").click()
    kind, payload = stage.actions[-1]
    assert kind == "save"
    return payload


def focused(window: Window) -> str:
    """The accessible name of what has the focus."""
    name: str = window.page.evaluate("() => chat.shadowRoot.activeElement?.ariaLabel ?? ''")
    return name


def test_a_date_is_chosen_with_the_mouse(window: Window, stage: Stage) -> None:
    day = dates(window, stage, picker(defaultValue="2026-03-14"))
    page = window.page
    expect(day).to_have_text("Mar 14, 2026")
    day.click()
    dialog = page.get_by_role("dialog", name="Due day")
    expect(dialog.get_by_role("grid", name="March 2026")).to_be_visible()
    expect(day).to_have_attribute("aria-expanded", "true")
    chosen = dialog.get_by_role("gridcell", selected=True)
    expect(chosen).to_have_attribute("aria-label", "Saturday, March 14, 2026")
    dialog.get_by_role("button", name="Next month").click()
    dialog.get_by_role("button", name="Next year").click()
    dialog.get_by_role("button", name="Previous month").click()
    dialog.get_by_role("button", name="Previous year").click()
    dialog.get_by_role("button", name="Next month").click()
    live = dialog.locator("[aria-live=polite]")
    expect(live).to_have_text("April 2026")
    # A day of the month before, which the weeks of April show too.
    dialog.get_by_role("gridcell", name="Monday, March 30, 2026").click()
    expect(dialog).to_have_count(0)
    expect(day).to_have_text("Mar 30, 2026")
    expect(day).to_be_focused()
    assert saved(window, stage) == {"due": {"day": "2026-03-30"}}
    day.click()
    page.mouse.click(5, 5)
    expect(dialog).to_have_count(0)
    day.click()
    day.click()
    expect(dialog).to_have_count(0)
    assert saved(window, stage) == {"due": {"day": "2026-03-30"}}


def test_a_date_is_chosen_by_keyboard_alone(window: Window, stage: Stage) -> None:
    day = dates(window, stage, picker(defaultValue="2026-03-14"))
    press = window.page.keyboard.press
    day.focus()
    press("Enter")
    expect(window.page.get_by_role("gridcell", selected=True)).to_be_focused()
    for key, name in (
        ("ArrowRight", "Sunday, March 15, 2026"),
        ("ArrowDown", "Sunday, March 22, 2026"),
        ("ArrowLeft", "Saturday, March 21, 2026"),
        ("ArrowUp", "Saturday, March 14, 2026"),
        ("Home", "Sunday, March 8, 2026"),
        ("End", "Saturday, March 14, 2026"),
        ("PageDown", "Tuesday, April 14, 2026"),
        ("PageUp", "Saturday, March 14, 2026"),
        ("Shift+PageUp", "Friday, March 14, 2025"),
        ("Shift+PageDown", "Saturday, March 14, 2026"),
        ("ArrowDown", "Saturday, March 21, 2026"),
        ("ArrowDown", "Saturday, March 28, 2026"),
        ("ArrowDown", "Saturday, April 4, 2026"),
    ):
        press(key)
        window.frame()
        assert focused(window) == name, key
    expect(window.page.locator("[aria-live=polite]", has_text="April 2026")).to_be_visible()
    # The focus stays in the dialog, both ways round.
    for key, names in (
        ("Tab", ["Previous year", "Previous month", "Next month", "Next year", "Saturday, April"]),
        ("Shift+Tab", ["Next year", "Next month", "Previous month", "Previous year", "Saturday"]),
    ):
        for name in names:
            press(key)
            assert focused(window).startswith(name)
    press("Escape")
    expect(window.page.get_by_role("dialog")).to_have_count(0)
    expect(day).to_be_focused()
    expect(day).to_have_text("Mar 14, 2026")
    for key, shown in (("Enter", "Mar 15, 2026"), ("Space", "Mar 16, 2026")):
        press("Space")
        expect(window.page.get_by_role("gridcell", selected=True)).to_be_focused()
        press("ArrowRight")
        press(key)
        expect(day).to_have_text(shown)
        expect(day).to_be_focused()
    assert stage.actions == [], "no key has submitted the form"
    assert saved(window, stage) == {"due": {"day": "2026-03-16"}}


def test_escape_closes_the_calendar_and_nothing_around_it(window: Window, stage: Stage) -> None:
    """The element may be in a dialog of the page, which closes by the same key."""
    day = dates(window, stage, picker())
    page = window.page
    page.evaluate(
        "() => { window.keys = []; document.addEventListener('keydown', ({ key }) => window.keys.push(key)) }"
    )
    day.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("() => window.keys") == []
    page.keyboard.press("Escape")
    assert page.evaluate("() => window.keys") == ["Escape"]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Los_Angeles", "UTC"])
def test_no_time_zone_shifts_a_date(windows: Any, stage: Stage, zone: str) -> None:
    window = windows(timezone_id=zone)
    window.page.clock.set_fixed_time("2026-03-14T11:00:00Z")
    dates(
        window,
        stage,
        picker(name="naive", placeholder="Naive", defaultValue="2026-03-14T00:00:00"),
        picker(name="aware", placeholder="Aware", defaultValue="2026-03-14T00:00:00+09:00"),
        picker(name="timed", placeholder="Timed", defaultValue="2026-03-14T23:30:00Z"),
        picker(name="now", placeholder="Now"),
        picker(name="moved", placeholder="Moved", defaultValue="2026-03-08"),
    )
    page = window.page
    expect(page.get_by_role("button", name="Naive")).to_have_text("Mar 14, 2026")
    expect(page.get_by_role("button", name="Aware")).to_have_text("Mar 14, 2026")
    expect(page.get_by_role("button", name="Timed")).to_have_text("Mar 14, 2026, 11:30\u202fPM")
    page.get_by_role("button", name="Now").click()
    current = page.locator("[aria-current=date]")
    here = "Sunday, March 15, 2026" if zone == "Pacific/Kiritimati" else "Saturday, March 14, 2026"
    expect(current).to_have_attribute("aria-label", here)
    expect(current).to_be_focused()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Moved").click()
    page.get_by_role("gridcell", name="Monday, March 9, 2026").click()
    assert saved(window, stage) == {
        "naive": "2026-03-14",
        "aware": "2026-03-14",
        "timed": "2026-03-14T23:30:00Z",
        "now": "",
        "moved": "2026-03-09",
    }


def test_a_date_acts_once_for_each_change_and_is_cleared(window: Window, stage: Stage) -> None:
    change = action("pick", handler="client", payload={"id": 1})
    day = picker(defaultValue="2026-03-14", clearable=True, onChangeAction=change)
    shows(stage, card(day))
    window.open(
        script="window.acted = []; options.widgets = { onAction: async (each) => void window.acted.push(each) };"
    )
    window.send("w")
    page = window.page
    button = page.get_by_role("button", name="Due day")
    for name in ("Friday, March 20, 2026", "Friday, March 20, 2026", "Saturday, March 21, 2026"):
        button.click()
        page.get_by_role("gridcell", name=name).click()
        expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Clear").click()
    expect(button).to_have_text("Due day")
    expect(button).to_be_focused()
    expect(page.get_by_role("button", name="Clear")).to_have_count(0)
    button.click()
    page.get_by_role("gridcell", selected=False).nth(10).click()
    page.wait_for_function("() => window.acted.length >= 4")
    window.frame()
    acted = page.evaluate("() => window.acted")
    assert acted[0] == {"type": "pick", "payload": {"id": 1, "due": {"day": "2026-03-20"}}}
    values = [each["payload"]["due"]["day"] for each in acted]
    assert values[:3] == ["2026-03-20", "2026-03-21", ""]
    assert len(values) == 4, "the same day again is no change"


def test_only_the_days_between_min_and_max_can_be_chosen(window: Window, stage: Stage) -> None:
    # A clock's reading says a day here: a time of day is asked for by the default only.
    limits = {"min": "2026-03-10T18:46:36.123456", "max": "2026-04-05T00:00:00"}
    day = dates(window, stage, picker(**limits))
    page = window.page
    day.click()
    # Today is later: the nearest day is the last one.
    last = page.get_by_role("gridcell", name="Sunday, April 5, 2026")
    expect(last).to_be_focused()
    too_late = page.get_by_role("gridcell", name="Monday, April 6, 2026")
    expect(too_late).to_have_attribute("aria-disabled", "true")
    too_late.click(force=True)
    expect(page.get_by_role("dialog")).to_be_visible()
    for name in ("Next month", "Next year"):
        expect(page.get_by_role("button", name=name)).to_have_attribute("aria-disabled", "true")
    last.focus()
    page.keyboard.press("ArrowRight")
    expect(last).to_be_focused()
    page.keyboard.press("Shift+PageUp")
    first = page.get_by_role("gridcell", name="Tuesday, March 10, 2026")
    expect(first).to_be_focused()
    before = page.get_by_role("gridcell", name="Monday, March 9, 2026")
    expect(before).to_have_attribute("aria-disabled", "true")
    expect(page.get_by_role("button", name="Previous month")).to_have_attribute(
        "aria-disabled", "true"
    )
    page.keyboard.press("Enter")
    assert saved(window, stage) == {"due": {"day": "2026-03-10"}}


def test_a_default_with_a_time_of_day_asks_for_one(window: Window, stage: Stage) -> None:
    day = dates(
        window,
        stage,
        picker(
            defaultValue="2026-03-14T14:30:00+02:00",
            min="2026-03-10T09:15:00",
            max="2026-03-20T16:00:00",
        ),
    )
    page = window.page
    press = page.keyboard.press
    time = page.get_by_label("Time", exact=True)
    dialog = page.get_by_role("dialog")
    assert saved(window, stage) == {"due": {"day": "2026-03-14T14:30:00+02:00"}}
    # The keyboard goes from the day to its time, and Enter there ends the choice, not the form.
    day.focus()
    press("Enter")
    press("ArrowRight")
    press("Enter")
    expect(time).to_be_focused()
    expect(time).to_have_value("14:30")
    time.fill("15:45")
    press("Enter")
    expect(dialog).to_have_count(0)
    expect(day).to_be_focused()
    expect(day).to_have_text("Mar 15, 2026, 3:45\u202fPM")
    assert len(stage.actions) == 1
    assert saved(window, stage) == {"due": {"day": "2026-03-15T15:45:00+02:00"}}
    # Escape takes it back.
    day.click()
    page.get_by_role("gridcell", name="March 17").click()
    press("Escape")
    expect(day).to_have_text("Mar 15, 2026, 3:45\u202fPM")
    # The time of a limit holds on its own day; what was chosen counts after a click elsewhere too.
    day.click()
    page.get_by_role("gridcell", name="March 10").click()
    time.fill("08:00")
    time.blur()
    expect(time).to_have_value("09:15")
    page.mouse.click(5, 5)
    expect(dialog).to_have_count(0)
    assert saved(window, stage) == {"due": {"day": "2026-03-10T09:15:00+02:00"}}
    day.click()
    time.fill("17:00")
    page.get_by_role("gridcell", name="March 20").click()
    expect(time).to_have_value("16:00")
    page.get_by_role("button", name="Done").click()
    assert saved(window, stage) == {"due": {"day": "2026-03-20T16:00:00+02:00"}}


def test_a_default_outside_its_limits_stays_until_it_is_changed(
    window: Window, stage: Stage
) -> None:
    limits = {"min": "2026-03-14T09:15", "max": "2026-03-14T10:00"}
    change = action("pick", streaming=False)
    day = dates(
        window, stage, picker(defaultValue="2026-03-14T08:00", onChangeAction=change, **limits)
    )
    for end in ("Escape", "Enter"):
        day.click()
        window.page.get_by_label("Time", exact=True).focus()
        window.page.keyboard.press(end)
        expect(window.page.get_by_role("dialog")).to_have_count(0)
        window.frame()
    assert stage.actions == []
    assert saved(window, stage) == {"due": {"day": "2026-03-14T08:00"}}


def test_a_time_is_typed_part_by_part_and_acts_once(window: Window, stage: Stage) -> None:
    change = action("pick", streaming=False)
    day = dates(
        window,
        stage,
        picker(
            defaultValue="2026-03-14T10:30",
            min="2026-03-14T09:45",
            clearable=True,
            onChangeAction=change,
        ),
    )
    page = window.page
    day.click()
    time = page.get_by_label("Time", exact=True)
    time.focus()
    page.keyboard.type("0930")
    time.blur()
    expect(time).to_have_value("09:45")
    time.focus()
    page.keyboard.type("0950")
    expect(time).to_have_value("09:50")
    with page.expect_response("**/chatkit"):
        page.get_by_role("button", name="Done").click()
    assert stage.actions == [("pick", {"due": {"day": "2026-03-14T09:50"}})]
    # Without a day there is no time; the next day has the default's.
    with page.expect_response("**/chatkit"):
        page.get_by_role("button", name="Clear").click()
    day.click()
    expect(time).to_be_disabled()
    page.get_by_role("button", name="Done").click()
    expect(day).to_have_text("Due day")
    assert [payload["due"]["day"] for _, payload in stage.actions] == ["2026-03-14T09:50", ""]


def test_a_disabled_date_is_neither_opened_nor_sent(window: Window, stage: Stage) -> None:
    day = dates(
        window,
        stage,
        picker(defaultValue="2026-03-14", disabled=True, clearable=True),
        {"type": "Input", "name": "note", "defaultValue": "x"},
    )
    expect(day).to_be_disabled()
    expect(window.page.get_by_role("button", name="Clear")).to_have_count(0)
    day.click(force=True)
    expect(window.page.get_by_role("dialog")).to_have_count(0)
    assert saved(window, stage) == {"note": "x"}


def test_a_label_names_the_date_and_opens_it(window: Window, stage: Stage) -> None:
    label = {"type": "Label", "value": "Deadline", "fieldName": "due.day"}
    dates(window, stage, picker(defaultValue="2026-03-14"), label)
    window.page.get_by_role("button", name="Deadline, Mar 14, 2026", exact=True).focus()
    window.page.get_by_text("Deadline").click()
    expect(window.page.get_by_role("dialog", name="Deadline")).to_be_visible()


def test_a_date_that_the_server_changes_is_shown_until_the_user_chooses(
    window: Window, stage: Stage
) -> None:
    def card(day: str) -> Node:
        button = {"type": "Button", "label": "Move", "onClickAction": action("m", streaming=False)}
        return {"type": "Card", "children": [picker(defaultValue=day), button]}

    def updated(sender: Any, _: Any) -> Any:
        return sender.model_copy(update={"widget": card("2026-05-0" + str(len(stage.actions)))})

    stage.updated = updated
    shows(stage, card("2026-03-14"))
    window.open()
    window.send("w")
    page = window.page
    day = page.get_by_role("button", name="Due day")
    page.get_by_role("button", name="Move").click()
    expect(day).to_have_text("May 1, 2026")
    day.click()
    page.get_by_role("gridcell", name="May 20").click()
    with page.expect_response("**/chatkit"):
        page.get_by_role("button", name="Move").click()
    window.frame()
    expect(day).to_have_text("May 20, 2026")


@pytest.mark.parametrize("side", ["top", "bottom", "left", "right"])
def test_a_calendar_is_on_its_side(windows: Any, stage: Stage, side: str) -> None:
    window = windows(viewport={"width": 1200, "height": 1000})
    shares = {"start": 0, "center": 0.5, "end": 1}
    rows = [
        {
            "type": "Row",
            "children": [{"type": "Box", "width": 340}, picker(side=side, align=align)],
        }
        for align in shares
    ]
    dates(window, stage, {"type": "Box", "height": 380, "children": []}, *rows)
    popup = window.page.get_by_role("dialog")
    middle = {"x": "width", "y": "height"}
    main, cross = ("y", "x") if side in ("top", "bottom") else ("x", "y")
    for n, share in enumerate(shares.values()):
        day = window.page.locator("ck-datepicker button.w-field").nth(n)
        day.click()
        expect(popup).to_have_attribute("data-side", side)
        window.frame()
        at, own = popup.bounding_box(), day.bounding_box()
        if side in ("top", "left"):
            assert at[main] + at[middle[main]] == pytest.approx(own[main] - 4, abs=1)
        else:
            assert at[main] == pytest.approx(own[main] + own[middle[main]] + 4, abs=1)
        assert at[cross] + at[middle[cross]] * share == pytest.approx(
            own[cross] + own[middle[cross]] * share, abs=1
        )
        window.page.keyboard.press("Escape")
        expect(popup).to_have_count(0)


def test_a_calendar_without_room_is_turned_over_and_stays_on_a_phone(
    windows: Any, stage: Stage
) -> None:
    window = windows(viewport={"width": 320, "height": 640}, has_touch=True)
    spacer = {"type": "Box", "height": 180, "children": []}
    day = dates(
        window, stage, spacer, picker(side="right", defaultValue="2026-03-14T09:30"), spacer
    )
    popup = window.page.get_by_role("dialog")
    # At the bottom of the screen there is room above only, and the other way round.
    for edge, side in (("end", "top"), ("start", "bottom")):
        day.evaluate("(each, block) => each.scrollIntoView({ block })", edge)
        window.frame()
        day.tap()
        expect(popup).to_have_attribute("data-side", side)
        at = popup.bounding_box()
        assert at["x"] >= 8
        assert at["x"] + at["width"] <= 312
        assert at["y"] >= 8
        assert at["y"] + at["height"] <= 632
        window.shot(f"date-phone-{side}")
        window.page.keyboard.press("Escape")


def test_a_calendar_goes_along_with_what_scrolls_under_it(windows: Any, stage: Stage) -> None:
    window = windows(viewport={"width": 800, "height": 1000})
    spacer = {"type": "Box", "height": 900, "children": []}
    day = dates(window, stage, picker(), spacer)
    scroll = window.page.locator(".scroll")
    scroll.evaluate("(each) => { each.scrollTop = 0 }")
    window.frame()
    day.click()
    popup = window.page.get_by_role("dialog")
    expect(popup).to_have_attribute("data-side", "bottom")
    before = day.bounding_box()["y"]
    scroll.evaluate("(each) => each.scrollBy(0, 40)")
    window.frame()
    own = day.bounding_box()
    assert own["y"] == pytest.approx(before - 40, abs=1)
    assert popup.bounding_box()["y"] == pytest.approx(own["y"] + own["height"] + 4, abs=1)


def test_a_calendar_in_arabic_reads_from_the_right(windows: Any, stage: Stage) -> None:
    window = windows(viewport={"width": 900, "height": 900})
    day = dates(window, stage, picker(defaultValue="2026-03-14"), locale="ar-EG")
    page = window.page
    day.click()
    popup = page.get_by_role("dialog")
    window.frame()
    at, own = popup.bounding_box(), day.bounding_box()
    assert at["x"] + at["width"] == pytest.approx(own["x"] + own["width"], abs=1)
    # Weeks begin with Saturday, at the right; the 14th is one.
    heads = popup.get_by_role("columnheader")
    assert heads.first.get_attribute("aria-label") == "السبت"
    assert heads.first.bounding_box()["x"] > heads.last.bounding_box()["x"]
    right = popup.get_by_role("gridcell", selected=True)
    expect(right).to_be_focused()
    assert right.bounding_box()["x"] == pytest.approx(heads.first.bounding_box()["x"], abs=1)
    page.keyboard.press("ArrowLeft")
    window.frame()
    assert focused(window).startswith("الأحد"), "the day after is at the left"
    page.keyboard.press("ArrowRight")
    expect(right).to_be_focused()
    back, on = (popup.get_by_role("button", name=name) for name in ("الشهر السابق", "الشهر التالي"))
    assert back.bounding_box()["x"] > on.bounding_box()["x"]
    page.wait_for_load_state("networkidle")
    window.shot("date-rtl")
    window.axe()


@pytest.mark.parametrize(
    ("locale", "shown", "first"),
    [
        ("de", "14.03.2026", "Montag"),
        ("en-GB", "14 Mar 2026", "Monday"),
        ("ja", "2026/03/14", "日曜日"),
        ("fr", "14 mars 2026", "lundi"),
        ("fa", "2026", "شنبه"),
    ],
)
def test_a_date_is_written_as_the_locale_does(
    window: Window, stage: Stage, locale: str, shown: str, first: str
) -> None:
    day = dates(window, stage, picker(defaultValue="2026-03-14"), locale=locale)
    if locale != "fa":  # whose digits are its own
        expect(day).to_have_text(shown)
    day.click()
    heads = window.page.get_by_role("columnheader")
    expect(heads).to_have_count(7)
    assert heads.first.get_attribute("aria-label") == first
    expect(window.page.get_by_role("gridcell")).to_have_count(42)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_open_calendar_is_accessible(windows: Any, stage: Stage, scheme: str) -> None:
    window = windows(viewport={"width": 700, "height": 900})
    window.page.clock.set_fixed_time("2026-03-18T12:00:00")
    looks = (
        {"variant": "soft", "clearable": True, "defaultValue": "2026-03-14", "min": "2026-03-05"},
        {"variant": "ghost", "size": "xl"},
        {"variant": "solid", "pill": True},
        {"block": True, "pill": True, "size": "sm"},
        {"disabled": True, "defaultValue": "2026-03-14"},
        {"defaultValue": "2026-03-14T14:30:00"},
    )
    pickers = [picker(name=str(n), **look) for n, look in enumerate(looks)]
    day = dates(window, stage, *pickers, theme=scheme)
    for name, each in (("date", day), ("date-time", window.page.get_by_text("2:30"))):
        each.click()
        expect(window.page.get_by_role("dialog")).to_be_visible()
        window.page.wait_for_load_state("networkidle")
        window.shot(f"{name}-{scheme}")
        window.axe()
        window.page.keyboard.press("Escape")


# -- props, one by one -----------------------------------------------------------------------------


def card(*children: Node, **props: Any) -> Node:
    return {"type": "Card", "children": list(children), **props}


def drawn(window: Window, stage: Stage, widget: Node) -> Any:
    """The widget on screen."""
    shows(stage, widget)
    window.open()
    window.send("w")
    return window.page.locator("ck-widget")


def css(part: Any, name: str) -> str:
    value: str = part.evaluate("(each, name) => getComputedStyle(each)[name]", name)
    return value


def test_gutters_rows_and_default_sizes(window: Window, stage: Stage) -> None:
    fields_ = [
        {"type": "Input", "name": "wide", "placeholder": "Wide", "gutterSize": "xl"},
        {"type": "Textarea", "name": "narrow", "placeholder": "Narrow", "gutterSize": "2xs"},
        {"type": "Textarea", "name": "four", "placeholder": "Four", "rows": 4, "autoResize": True},
    ]
    chart_ = {
        "type": "Chart",
        "data": [{"m": "Jan", "n": 1}],
        "series": [{"type": "bar", "label": "N", "dataKey": "n"}],
        "xAxis": "m",
    }
    drawn(window, stage, card(*fields_, chart_, {**chart_, "aspectRatio": 4}))
    page = window.page
    assert css(page.get_by_placeholder("Wide"), "paddingInlineStart") == "16px"
    assert css(page.get_by_placeholder("Narrow"), "paddingInlineStart") == "4px"
    four = page.get_by_placeholder("Four")
    lines = "(each) => each.clientHeight / parseFloat(getComputedStyle(each).lineHeight)"
    assert four.evaluate(lines) >= 4
    four.fill("line\n" * 8)
    assert four.evaluate(lines) >= 9
    plain, ratio = page.locator("ck-chart").all()
    assert css(plain, "height") == "260px"
    box = ratio.bounding_box()
    assert box["width"] / box["height"] == pytest.approx(4, rel=0.02)


def test_a_card_s_background_is_the_whole_card_s(window: Window, stage: Stage) -> None:
    confirm = {"label": "Save", "action": action("save")}
    look = {"background": "rgb(1, 2, 3)", "status": {"text": "Sent"}, "confirm": confirm}
    widget = drawn(window, stage, card({"type": "Spacer"}, **look))
    assert css(widget.locator(".w-card"), "backgroundColor") == "rgb(1, 2, 3)"
    for part in (".w-status", ".w-body", ".w-footer"):
        assert css(widget.locator(part), "backgroundColor") == "rgba(0, 0, 0, 0)"


def test_a_spacer_s_least_size_is_along_its_line(window: Window, stage: Stage) -> None:
    spacer = {"type": "Spacer", "minSize": 90}
    line = [{"type": "Text", "value": "a"}, spacer, {"type": "Text", "value": "b"}]
    rows = [
        {"type": "Row", "children": line},
        {"type": "Box", "direction": "row", "children": line},
        {"type": "Form", "direction": "row", "children": line},
        {"type": "Basic", "direction": "row", "children": line},
    ]
    widget = drawn(window, stage, card(*rows, {"type": "Col", "children": line}))
    *across, down = [each.bounding_box() for each in widget.locator(".w-spacer").all()]
    assert len(across) == 4
    for box in across:
        assert box["width"] >= 90
        assert box["height"] < 45
    assert down["height"] >= 90


def test_a_label_names_every_kind_of_field(window: Window, stage: Stage) -> None:
    options = [{"value": "a", "label": "Ada"}, {"value": "b", "label": "Bob"}]
    fields_ = [
        {"type": "Input", "name": "input"},
        {"type": "Textarea", "name": "area"},
        {"type": "Select", "name": "select", "options": options},
        {"type": "Select", "name": "search", "options": options, "searchable": True},
        {"type": "DatePicker", "name": "date"},
        {"type": "Checkbox", "name": "check"},
        {"type": "RadioGroup", "name": "radio", "options": options},
        {"type": "Text", "value": "", "editable": {"name": "text", "placeholder": "Here"}},
    ]
    labels = [
        {
            "type": "Label",
            "value": f"The {each.get('name', 'text')}",
            "fieldName": each.get("name", "text"),
        }
        for each in fields_
    ]
    drawn(
        window, stage, card(*(part for pair in zip(labels, fields_, strict=True) for part in pair))
    )
    page = window.page
    for role, name in (
        ("textbox", "input"),
        ("textbox", "area"),
        ("textbox", "text"),
        ("combobox", "select"),
        ("combobox", "search"),
        ("button", "date"),
        ("checkbox", "check"),
        ("radiogroup", "radio"),
    ):
        expect(page.get_by_role(role, name=f"The {name}", exact=True)).to_have_count(1)
    page.get_by_text("The text").click()
    expect(page.get_by_role("textbox", name="The text")).to_be_focused()


def test_a_submit_button_shows_that_its_form_runs_and_waits_for_the_answer(
    window: Window, stage: Stage
) -> None:
    form = {
        "type": "Form",
        "onSubmitAction": action("find", handler="client"),
        "children": [{"type": "Button", "submit": True, "label": "Find"}],
    }
    late = {**form, "onSubmitAction": action("late")}
    late["children"] = [{"type": "Button", "submit": True, "label": "Late"}]
    alone = {"type": "Button", "submit": True, "label": "Alone"}
    alone["onClickAction"] = action("alone", streaming=False)
    go = anyio.Event()

    async def play(thread: Any, message: Any) -> AsyncIterator[Any]:
        yield stage.widget(thread, card(form, late, alone))
        yield "Half"
        await go.wait()

    stage.plays["run"] = play
    window.open(
        script="options.widgets = { onAction: () => new Promise((done) => (window.done = done)) };"
    )
    window.send("run", wait=False)
    page = window.page
    expect(page.get_by_role("button", name="Late")).to_be_disabled()
    find = page.get_by_role("button", name="Find")
    find.click()
    expect(find).to_have_attribute("aria-busy", "true")
    expect(find).to_be_disabled()
    page.evaluate("() => window.done()")
    expect(find).to_be_enabled()
    stage.call(go.set)
    window.settled()
    expect(page.get_by_role("button", name="Late")).to_be_enabled()
    # Without a form its own action is all it has.
    with page.expect_response("**/chatkit"):
        page.get_by_role("button", name="Alone").click()
    assert stage.actions == [("alone", None)]


def test_enter_in_a_card_that_is_a_form_confirms_it(window: Window, stage: Stage) -> None:
    options = [{"value": "a", "label": "Ada"}, {"value": "b", "label": "Bob"}]
    fields_ = [
        {"type": "Input", "name": "one", "placeholder": "One", "required": True},
        {"type": "Input", "name": "two", "placeholder": "Two"},
        {
            "type": "Select",
            "name": "who",
            "placeholder": "Who",
            "options": options,
            "searchable": True,
        },
    ]
    confirm = {"label": "Save", "action": action("save", streaming=False)}
    cancel = {"label": "Cancel", "action": action("cancel", streaming=False)}
    drawn(window, stage, card(*fields_, asForm=True, confirm=confirm, cancel=cancel))
    page = window.page
    page.get_by_placeholder("Two").press("Enter")
    who = page.get_by_role("combobox", name="Who")
    page.get_by_placeholder("One").fill("x")
    who.focus()
    who.press("Enter")
    expect(page.get_by_role("listbox")).to_be_visible()
    who.press("ArrowDown")
    who.press("Enter")
    assert stage.actions == [], "what is required was missing; and Enter in the list chooses"
    with page.expect_response("**/chatkit"):
        page.get_by_placeholder("Two").press("Enter")
    assert stage.actions == [("save", {"one": "x", "two": "", "who": "b"})]


def test_what_a_select_knows_of_its_options(window: Window, stage: Stage) -> None:
    options = [
        {"value": "a", "label": "Ada", "description": "Counts"},
        {"value": "b", "label": "Bob", "description": "Builds"},
    ]
    plain = [{"value": "a", "label": "Ada"}]
    fields_ = [
        {"type": "Select", "name": "told", "options": options, "searchable": False},
        {
            "type": "Select",
            "name": "off",
            "options": options,
            "defaultValue": "a",
            "disabled": True,
        },
        {"type": "Select", "name": "unknown", "options": plain, "defaultValue": "z"},
    ]
    confirm = {"label": "Save", "action": action("save", streaming=False)}
    drawn(window, stage, card(*fields_, asForm=True, confirm=confirm))
    page = window.page
    told = page.get_by_role("combobox", name="told")
    expect(told).to_have_attribute("readonly", "")
    told.click()
    expect(page.get_by_role("option", name="Bob")).to_contain_text("Builds")
    page.keyboard.type("b")
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(2)
    told.press("ArrowDown")
    told.press("Enter")
    assert saved(window, stage) == {"told": "b", "unknown": ""}


def test_the_fields_of_a_row_that_acts_are_fields(window: Window, stage: Stage) -> None:
    options = [{"value": "a", "label": "Ada"}, {"value": "b", "label": "Bob"}]
    item = {
        "type": "ListViewItem",
        "onClickAction": action("open", streaming=False),
        "children": [
            {"type": "Text", "value": "Row"},
            {
                "type": "Select",
                "name": "who",
                "placeholder": "Who",
                "options": options,
                "searchable": True,
            },
            picker(defaultValue="2026-03-14"),
        ],
    }
    drawn(window, stage, {"type": "ListView", "children": [item]})
    page = window.page
    page.get_by_role("combobox", name="Who").click()
    page.get_by_role("option", name="Bob").click()
    expect(page.get_by_role("combobox", name="Who")).to_have_value("Bob")
    page.get_by_role("button", name="Due day").click()
    page.get_by_role("gridcell", name="March 20").click()
    expect(page.get_by_role("button", name="Due day")).to_have_text("Mar 20, 2026")
    assert stage.actions == []


def test_block_fields_fill_their_row(window: Window, stage: Stage) -> None:
    options = [{"value": "a", "label": "Ada"}]
    fields_ = [
        {"type": "Select", "name": "plain", "options": options},
        {"type": "Select", "name": "search", "options": options, "searchable": True},
        {"type": "DatePicker", "name": "date"},
    ]
    rows = [
        {"type": "Row", "children": [{**each, "block": block}]}
        for block in (True, False)
        for each in fields_
    ]
    widget = drawn(window, stage, card(*rows))
    for index, row in enumerate(widget.locator(".w-row").all()):
        field = row.locator(".w-field").bounding_box()["width"]
        whole = row.bounding_box()["width"]
        assert field == pytest.approx(whole, abs=1) if index < 3 else field < whole * 0.8, index


CONTROL_SIZES = ["3xs", "2xs", "xs", "sm", "md", "lg", "xl", "2xl", "3xl"]
VARIANTS = ["solid", "soft", "outline", "ghost"]
RADII = ["2xs", "xs", "sm", "md", "lg", "xl", "2xl", "3xl", "4xl", "full", "100%", "none"]
ALIGN = ["start", "center", "end", "baseline", "stretch"]
JUSTIFY = ["start", "center", "end", "between", "around", "evenly", "stretch"]
TEXT_ALIGN = ["start", "center", "end"]
WEIGHTS = ["normal", "medium", "semibold", "bold"]
GUTTERS = ["2xs", "xs", "sm", "md", "lg", "xl"]
LINES = ["solid", "dashed", "dotted", "double", "groove", "ridge", "inset", "outset"]
YES_NO = [False, True]
LENGTHS = [40, 80, "7rem"]
SIZES: dict[str, list[Any]] = {
    **dict.fromkeys(("width", "height", "size"), LENGTHS),
    **dict.fromkeys(("minWidth", "minHeight", "minSize"), LENGTHS),
    **dict.fromkeys(("maxWidth", "maxHeight", "maxSize"), LENGTHS),
    "aspectRatio": [1, 2, "3 / 1"],
}
SPACING: list[Any] = [1, 2, "3px", {"x": 1}, {"y": 1}, {"top": 1}, {"left": 1, "right": 2}]
COLOR: list[Any] = ["danger", "red-200", "#123456", {"light": "#111111", "dark": "#222222"}]
TYPE: dict[str, list[Any]] = {"color": COLOR, "weight": WEIGHTS, "textAlign": TEXT_ALIGN}
BOX: dict[str, list[Any]] = {
    **SIZES,
    "align": ALIGN,
    "justify": JUSTIFY,
    "wrap": ["nowrap", "wrap", "wrap-reverse"],
    "flex": [1, 2, "0 0 auto"],
    "gap": [1, 2, "3px"],
    "padding": SPACING,
    "margin": SPACING,
    "border": [
        1,
        {"top": 1},
        {"x": {"size": 2}},
        {"size": 1, "color": "strong"},
        *({"size": 3, "style": style} for style in LINES),
    ],
    "radius": RADII,
    "background": [
        "surface-secondary",
        "surface-tertiary",
        *COLOR[1:],
        "linear-gradient(red, blue)",
    ],
}
FIELD: dict[str, list[Any]] = {"size": CONTROL_SIZES, "pill": YES_NO, "disabled": YES_NO}
CHOICE = {**FIELD, "variant": VARIANTS, "block": YES_NO, "clearable": YES_NO}
OPTIONS = [{"value": "a", "label": "Ada"}]
LOOKS: list[tuple[Node, dict[str, list[Any]]]] = [
    (
        {"type": "Text", "value": "words " * 60},
        {
            **TYPE,
            **dict.fromkeys(("italic", "lineThrough", "truncate"), YES_NO),
            "width": LENGTHS,
            "size": ["xs", "sm", "md", "lg", "xl"],
            "maxLines": [1, 2, 3],
        },
    ),
    ({"type": "Text", "value": "a"}, {"minLines": [1, 2, 3]}),
    (
        {"type": "Title", "value": "words " * 60},
        {
            **TYPE,
            "size": ["sm", "md", "lg", "xl", "2xl", "3xl", "4xl", "5xl"],
            "truncate": YES_NO,
            "maxLines": [1, 2, 3],
        },
    ),
    (
        {"type": "Caption", "value": "words " * 60},
        {**TYPE, "size": ["sm", "md", "lg"], "truncate": YES_NO, "maxLines": [1, 2, 3]},
    ),
    (
        {"type": "Label", "value": "A label", "fieldName": "x"},
        {**TYPE, "size": ["xs", "sm", "md", "lg", "xl"]},
    ),
    (
        {"type": "Badge", "label": "New"},
        {
            "color": ["secondary", "success", "danger", "warning", "info", "discovery"],
            "variant": VARIANTS[:3],
            "size": ["sm", "md", "lg"],
            "pill": YES_NO,
        },
    ),
    (
        {"type": "Icon", "name": "check"},
        {"size": ["xs", "sm", "md", "lg", "xl", "2xl", "3xl"], "color": COLOR},
    ),
    (
        {"type": "Image", "src": "/picture.svg"},
        {
            **{name: values for name, values in SIZES.items() if not name.startswith("max")},
            "fit": ["cover", "contain", "fill", "scale-down", "none"],
            "position": [
                "top left",
                "top",
                "top right",
                "left",
                "center",
                "right",
                "bottom left",
                "bottom",
                "bottom right",
            ],
            "radius": RADII,
            "frame": YES_NO,
            "flush": YES_NO,
            "margin": SPACING,
            "background": BOX["background"],
            "flex": BOX["flex"],
        },
    ),
    (
        {"type": "Button", "label": "Go", "iconStart": "check"},
        {
            **FIELD,
            "style": ["primary", "secondary"],
            "iconSize": ["sm", "md", "lg", "xl", "2xl"],
            "iconEnd": ["check", None],
            "color": [
                "primary",
                "secondary",
                "info",
                "discovery",
                "success",
                "caution",
                "warning",
                "danger",
            ],
            "variant": VARIANTS,
            "uniform": YES_NO,
            "block": YES_NO,
        },
    ),
    ({"type": "Button", "color": "danger", "label": "Go"}, {"variant": VARIANTS}),
    ({"type": "Box"}, {**BOX, "direction": ["row", "col"]}),
    ({"type": "Row"}, BOX),
    ({"type": "Col"}, BOX),
    ({"type": "Form"}, {**BOX, "direction": ["row", "col"]}),
    (
        {"type": "Basic"},
        {name: BOX[name] for name in ("gap", "padding", "align", "justify")}
        | {"direction": ["row", "col"]},
    ),
    (
        {"type": "Card", "children": [{"type": "Divider", "flush": True}]},
        {
            "size": ["sm", "md", "lg", "full"],
            **{name: BOX[name] for name in ("padding", "background")},
            "border": [2, *BOX["border"][1:]],  # 1 is what it has without any
            "status": [None, {"text": "x"}, {"text": "x", "icon": "check"}],
            "collapsed": YES_NO,
        },
    ),
    (
        {"type": "ListViewItem", "children": [{"type": "Text", "value": "x"}]},
        {"gap": BOX["gap"], "align": ALIGN},
    ),
    (
        {"type": "Table.Cell", "children": [{"type": "Text", "value": "x"}]},
        {
            "width": LENGTHS,
            "padding": SPACING,
            "colSpan": [1, 2],
            "rowSpan": [1, 2],
            "align": TEXT_ALIGN,
            "vAlign": TEXT_ALIGN,
            "colSize": ["xs", "sm", "md", "lg", "xl"],
        },
    ),
    ({"type": "Spacer"}, {"minSize": LENGTHS}),
    (
        {"type": "Divider"},
        {
            "color": ["default", "subtle", "strong", *COLOR[1:]],
            "size": [1, 2, "3px"],
            "spacing": [1, 2, "3px"],
            "flush": YES_NO,
        },
    ),
    (
        {"type": "Input", "name": "x", "placeholder": "x"},
        {**FIELD, "variant": ["soft", "outline"], "gutterSize": GUTTERS},
    ),
    (
        {"type": "Textarea", "name": "x", "placeholder": "x", "rows": 1},
        {
            **FIELD,
            "variant": ["soft", "outline"],
            "gutterSize": GUTTERS,
            "rows": [1, 2, 3],
            "maxRows": [1, 2, 3],
            "autoResize": YES_NO,
        },
    ),
    ({"type": "Select", "name": "x", "options": OPTIONS, "defaultValue": "a"}, CHOICE),
    (
        {
            "type": "Select",
            "name": "x",
            "options": OPTIONS,
            "defaultValue": "a",
            "searchable": True,
        },
        CHOICE,
    ),
    ({"type": "DatePicker", "name": "x", "defaultValue": "2026-03-14"}, CHOICE),
    ({"type": "Checkbox", "name": "x", "label": "x"}, {"disabled": YES_NO}),
    (
        {"type": "RadioGroup", "name": "x", "options": [*OPTIONS, {"value": "b", "label": "Bob"}]},
        {"direction": ["row", "col"], "disabled": YES_NO},
    ),
    (
        {
            "type": "Chart",
            "data": [{"m": "Jan", "n": 1}, {"m": "Feb", "n": 2}],
            "series": [{"type": "bar", "label": "N", "dataKey": "n"}],
            "xAxis": "m",
        },
        {
            **SIZES,
            "flex": BOX["flex"],
            "showYAxis": YES_NO,
            "showLegend": YES_NO,
            "barCategoryGap": [2, 20],
            "xAxis": ["m", {"dataKey": "m", "hide": True}],
        },
    ),
]


def placed(node: Node) -> Node:
    """In what it can only be in."""
    if node["type"] != "Table.Cell":
        return node
    other = {"type": "Table.Cell", "children": [{"type": "Title", "value": "high", "size": "5xl"}]}
    rows = [{"type": "Table.Row", "children": cells} for cells in ([node, other], [other] * 3)]
    return {"type": "Table", "children": rows}


PAGES = 6
"""For all of :data:`LOOKS`: opening a page takes longer than looking at it."""


@pytest.mark.parametrize("page", range(PAGES))
def test_every_value_of_a_prop_has_a_look_of_its_own(windows: Any, stage: Stage, page: int) -> None:
    """A prop that nobody reads, or that another rule undoes, has the look of no prop."""
    inner = [{"type": "Text", "value": "one"}, {"type": "Text", "value": "two\nlines"}]
    tried: list[tuple[str, list[Any]]] = []
    frames: list[Node] = []
    for node, props in LOOKS[page::PAGES]:
        if node["type"] in ("Box", "Row", "Col", "Form", "Basic"):
            node = {**node, "children": inner}
        for name, values in props.items():
            tried.append((f"{node['type']}.{name}", values))
            for value in values:
                child = placed({**node, name: value})
                frames.append({"type": "Row", "id": f"row-{len(frames)}", "children": [child]})
    window = windows(viewport={"width": 900, "height": 900})
    widget = drawn(window, stage, card(*frames, size="full"))
    window.page.wait_for_load_state("networkidle")
    window.frame()
    looks: list[str] = widget.evaluate(
        """(each) => [...each.querySelectorAll('.w-body > .w-row')].map((row) => [...row.querySelectorAll('*')].map((part) => {
            const { width, height } = part.getBoundingClientRect();
            const style = getComputedStyle(part);
            return [part.tagName, width, height, ...[...style].map((each) => style.getPropertyValue(each))].join();
        }).join())"""
    )
    assert len(looks) == len(frames)
    same: list[str] = []
    for name, values in tried:
        own, looks = looks[: len(values)], looks[len(values) :]
        for n, value in enumerate(values):
            first = own.index(own[n])
            if first < n:
                same.append(f"{name}: {values[first]} = {value}")
    assert same == []


@pytest.mark.parametrize("base", [16, 14])
def test_controls_are_as_high_as_their_size_says(windows: Any, stage: Stage, base: int) -> None:
    kinds: list[Node] = [
        {"type": "Button", "label": "Go"},
        {"type": "Input", "placeholder": "x"},
        {"type": "Select", "options": OPTIONS},
        {"type": "Select", "options": OPTIONS, "searchable": True},
        {"type": "DatePicker"},
        {"type": "DatePicker", "defaultValue": "2026-03-14", "clearable": True},
    ]
    frames = [
        {"type": "Row", "children": [{**kind, "name": f"x{n}{size}", "size": size}]}
        for n, kind in enumerate(kinds)
        for size in CONTROL_SIZES
    ]
    window = windows(viewport={"width": 700, "height": 900})
    shows(stage, card(*frames))
    window.open({"theme": {"colorScheme": "light", "typography": {"baseSize": base}}})
    window.send("w")
    window.page.wait_for_load_state("networkidle")
    parts = window.page.locator("ck-widget :is(.w-field, .w-button)")
    heights = parts.evaluate_all("(all) => all.map((each) => each.getBoundingClientRect().height)")
    assert heights == [24, 26, 28, 30, 34, 38, 42, 46, 50] * len(kinds)
