"""Without a mouse, and without sight: a whole conversation by keyboard, what a screen reader is told, reduced motion."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
from playwright.sync_api import expect

from chatkit_asgi.types import StructuredInputFreeform, StructuredInputItem
from tests.browser.conftest import Window
from tests.browser.stage import Stage, fields


def focus(window: Window) -> str:
    """The accessible name of what has the focus, or its text."""
    found: str = window.page.evaluate(
        """() => { const each = chat.shadowRoot.activeElement;
            return (each?.getAttribute('aria-label') || each?.textContent || '').trim().replace(/\\s+/g, ' ') }"""
    )
    return found


def tab_to(window: Window, name: str, *, back: bool = False) -> None:
    """Press Tab until that has the focus."""
    for _ in range(40):
        if focus(window).startswith(name):
            return
        window.page.keyboard.press("Shift+Tab" if back else "Tab")
    raise AssertionError(f"{name} cannot be reached; the focus is at {focus(window)}")


def test_a_whole_conversation_by_keyboard(window: Window, stage: Stage) -> None:
    async def ask(thread: Any, message: Any) -> AsyncIterator[Any]:
        yield StructuredInputItem(
            **fields(stage.store, thread), inputs=[StructuredInputFreeform(id="q", question="Why?")]
        )

    async def act(thread: Any, message: Any) -> AsyncIterator[Any]:
        button = {"type": "Button", "label": "Do it", "onClickAction": {"type": "do"}}
        yield stage.widget(thread, {"type": "Card", "children": [button]})

    async def endless(thread: Any, message: Any) -> AsyncIterator[Any]:
        for word in range(10_000):
            yield f"word{word} "
            await anyio.sleep(0.01)

    stage.plays.update(ask=ask, act=act, long=endless)
    window.open(
        {
            "startScreen": {"prompts": [{"label": "Begin", "prompt": "hello"}]},
            "threadItemActions": {"feedback": True, "retry": True},
        }
    )
    press = window.page.keyboard.press
    tab_to(window, "Begin")
    press("Enter")
    expect(window.answers).to_have_text(["You said: hello"])
    window.settled()
    tab_to(window, "Good answer")
    press("Space")
    expect(window.page.get_by_role("button", name="Good answer")).to_have_attribute(
        "aria-pressed", "true"
    )
    tab_to(window, "Message")
    window.page.keyboard.type("ask")
    press("Enter")
    window.settled()
    tab_to(window, "", back=False)
    window.page.get_by_role("textbox", name="Why?").focus()
    window.page.keyboard.type("Because")
    tab_to(window, "Send answers")
    press("Enter")
    expect(window.page.locator(".answer")).to_have_text("Because")
    window.settled()
    tab_to(window, "Message")
    window.page.keyboard.type("act")
    press("Enter")
    window.settled()
    tab_to(window, "Do it", back=True)
    press("Enter")
    expect(window.answers.last).to_have_text("Did do.")
    window.settled()
    tab_to(window, "Message")
    window.page.keyboard.type("long")
    press("Enter")
    expect(window.answers.last).to_contain_text("word2")
    press("Escape")
    window.settled()
    tab_to(window, "Chat history", back=True)
    press("Enter")
    expect(window.page.get_by_role("searchbox")).to_be_focused()
    tab_to(window, "Options of")
    press("Enter")
    expect(window.page.get_by_role("menuitem", name="Rename")).to_be_focused()
    press("ArrowDown")
    expect(window.page.get_by_role("menuitem", name="Delete")).to_be_focused()
    press("Escape")
    expect(window.page.get_by_role("menu")).to_have_count(0)
    press("Escape")
    expect(window.editor).to_be_focused()
    tab_to(window, "New chat", back=True)
    press("Enter")
    expect(window.page.get_by_role("button", name="Begin")).to_be_visible()


def test_a_screen_reader_hears_who_speaks_and_when_an_answer_is_there(
    window: Window, stage: Stage
) -> None:
    go = anyio.Event()

    async def play(thread: Any, message: Any) -> AsyncIterator[Any]:
        yield "Half "
        await go.wait()
        yield "and half."

    stage.plays["say"] = play
    window.open({"frameTitle": "Help desk"})
    expect(window.page.get_by_role("region", name="Help desk")).to_be_visible()
    live = window.page.locator("[aria-live=polite]")
    window.send("say", wait=False)
    expect(live).to_have_text("The assistant is answering")
    expect(window.page.get_by_role("region", name="Conversation")).to_have_attribute(
        "aria-busy", "true"
    )
    stage.call(go.set)
    window.settled()
    expect(live).to_have_text("Half and half.")
    expect(window.page.get_by_role("article", name="You said")).to_have_count(1)
    expect(window.page.get_by_role("article", name="The assistant said")).to_have_count(1)
    expect(window.page.get_by_role("region", name="Conversation")).to_have_attribute(
        "aria-busy", "false"
    )


def test_nothing_moves_for_those_who_want_it_still(window: Window, stage: Stage) -> None:
    go = anyio.Event()

    async def play(thread: Any, message: Any) -> AsyncIterator[Any]:
        await go.wait()
        yield "Done"

    stage.plays["wait"] = play
    window.open()  # with reduced motion, as every window here
    window.send("wait", wait=False)
    dots = window.page.locator(".dots i").first
    expect(dots).to_be_visible()
    assert dots.evaluate("(each) => getComputedStyle(each).animationIterationCount") == "1"
    stage.call(go.set)
    window.settled()
