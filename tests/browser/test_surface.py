"""Around the conversation: header, history, start screen, composer, theme, languages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.sync_api import expect

from chatkit_asgi.types import ClosedStatus, LockedStatus
from tests.browser.conftest import Window
from tests.browser.stage import Stage

PROMPTS = {
    "startScreen": {
        "greeting": "Good to see you",
        "prompts": [
            {"label": "Tell a story", "prompt": "story", "icon": "book-open"},
            {
                "label": "With a tag",
                "prompt": [
                    {"type": "input_text", "text": "tag "},
                    {"type": "input_tag", "id": "x", "text": "X"},
                ],
            },
        ],
    }
}


def test_prompts_start_a_thread(window: Window, stage: Stage) -> None:
    window.open(PROMPTS)
    window.axe()
    window.shot("start-light")
    window.page.get_by_role("button", name="With a tag").click()
    expect(window.answers).to_have_text(["You said: tag X"])
    content = stage.of_type("threads.create")[0]["input"]["content"]
    assert [part["type"] for part in content] == ["input_text", "input_tag"]
    (change,) = window.events("chatkit.thread.change")
    assert change["threadId"].startswith("thr_")


def test_the_header_has_the_page_s_buttons_and_the_title(window: Window, stage: Stage) -> None:
    async def play(thread: Any, message: Any) -> AsyncIterator[Any]:
        thread.title = "A lighthouse"
        yield "Once upon a time"

    stage.plays["story"] = play
    script = """options.header = {
        leftAction: { icon: 'sidebar-left', onClick: () => (window.clicked = 'left') },
        rightAction: { icon: 'settings-cog', onClick: () => (window.clicked = 'right') } };"""
    window.open(script=script)
    window.send("story")
    expect(window.page.get_by_role("heading", name="A lighthouse")).to_be_visible()
    window.page.get_by_role("button", name="sidebar left").click()
    assert window.page.evaluate("() => window.clicked") == "left"
    window.page.get_by_role("button", name="settings cog").click()
    assert window.page.evaluate("() => window.clicked") == "right"
    window.set_options({"header": {"title": {"text": "Ours"}}})
    expect(window.page.get_by_role("heading", name="Ours")).to_be_visible()
    window.set_options({"header": {"enabled": False}})
    expect(window.page.locator(".header")).to_have_count(0)


def test_the_history_lists_searches_renames_and_deletes(window: Window, stage: Stage) -> None:
    async def play(thread: Any, message: Any) -> AsyncIterator[Any]:
        thread.title = message.content[0].text.removeprefix("name ")
        yield "Done"

    stage.plays["name"] = play
    window.open()
    for title in ("Apples", "Pears", "Plums"):
        window.page.get_by_role("button", name="New chat").click()
        window.send(f"name {title}")
    page = window.page
    page.get_by_role("button", name="Chat history").click()
    history = page.get_by_role("region", name="Chat history")
    rows = history.locator(".thread-open")
    expect(rows).to_have_text(["Plums", "Pears", "Apples"])
    window.axe()
    window.shot("history")
    search = history.get_by_role("searchbox", name="Search chats")
    search.fill("pe")
    expect(rows).to_have_text(["Pears"])
    search.fill("")
    history.get_by_role("button", name="Options of Apples").click()
    window.shot("history-menu")
    page.get_by_role("menuitem", name="Rename").click()
    field = history.get_by_role("textbox", name="Rename")
    field.fill("Green apples")
    field.press("Enter")
    expect(rows).to_have_text(["Plums", "Pears", "Green apples"])
    history.get_by_role("button", name="Options of Plums").click()
    page.get_by_role("menuitem", name="Delete").click()
    window.axe()
    history.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    expect(rows).to_have_text(["Pears", "Green apples"])
    rows.first.click()
    expect(page.get_by_role("heading", name="Pears")).to_be_visible()
    expect(window.answers).to_have_text(["Done"])
    assert len(window.events("chatkit.history.open")) == 1
    assert len(window.events("chatkit.history.close")) == 1
    load = window.events("chatkit.thread.load.start")
    assert load == window.events("chatkit.thread.load.end") != []
    # Only now: a row changes before the server is asked.
    assert stage.of_type("threads.update")[0]["title"] == "Green apples"
    assert len(stage.of_type("threads.delete")) == 1


def test_the_history_loads_more_as_one_scrolls(window: Window, stage: Stage) -> None:
    async def fill() -> None:
        from chatkit_asgi.types import ThreadMetadata

        for number in range(95):
            id = stage.store.generate_thread_id(None)
            await stage.store.save_thread(
                ThreadMetadata(id=id, created_at=stage.now(), title=f"Chat {number}"), None
            )

    stage.run(fill)
    window.open()
    window.page.evaluate("() => chat.showHistory()")
    rows = window.page.locator(".thread-open")
    expect(rows).to_have_count(40)
    rows.last.scroll_into_view_if_needed()
    expect(rows).to_have_count(80)
    window.page.get_by_role("searchbox").fill("0 chat")
    expect(rows).to_have_count(10)
    window.page.evaluate("() => chat.hideHistory()")
    expect(rows).to_have_count(0)


TOOLS = {
    "composer": {
        "placeholder": "Ask away",
        "tools": [
            {
                "id": "search",
                "label": "Search the web",
                "shortLabel": "Search",
                "icon": "globe",
                "placeholderOverride": "Search for what?",
            },
            {"id": "draw", "label": "Draw", "icon": "images", "pinned": True, "persistent": True},
        ],
        "models": [
            {"id": "fast", "label": "Fast", "description": "For everyday things"},
            {"id": "deep", "label": "Deep", "default": True},
            {"id": "old", "label": "Old", "disabled": True},
        ],
    },
    "disclaimer": {"text": "It can be [wrong](https://example.com/w).", "highContrast": True},
}


def test_tools_and_models_go_with_the_message(window: Window, stage: Stage) -> None:
    window.open(TOOLS)
    page = window.page
    page.get_by_role("button", name="Tools").click()
    page.get_by_role("menuitemradio", name="Search the web").click()
    expect(window.editor).to_have_attribute("aria-placeholder", "Search for what?")
    page.get_by_role("button", name="Deep").click()
    window.shot("composer-models")
    window.axe()
    page.get_by_role("menuitemradio", name="Fast").click()
    window.shot("composer-tools")
    window.axe()
    window.send("one")
    page.get_by_role("button", name="Draw").click()
    window.send("two")
    window.send("three")
    created = stage.of_type("threads.create")[0]["input"]["inference_options"]
    later = [
        each["input"]["inference_options"] for each in stage.of_type("threads.add_user_message")
    ]
    assert created == {"tool_choice": {"id": "search"}, "model": "fast"}
    assert later == [{"tool_choice": {"id": "draw"}, "model": "fast"}] * 2, (
        "a persistent tool stays"
    )
    changes = [each["toolId"] for each in window.events("chatkit.tool.change")]
    assert changes == ["search", None, "draw"]
    expect(page.get_by_role("link", name="wrong")).to_be_visible()


ENTITIES = """
const people = [{ id: 'a', title: 'Ada Lovelace', group: 'People', icon: 'user', interactive: true, data: { n: '1' } },
                { id: 'g', title: 'Grace Hopper', group: 'People' }];
options.entities = { showComposerMenu: true,
    onTagSearch: async (query) => people.filter(({ title }) => title.toLowerCase().includes(query)) };
"""


def test_entities_are_found_and_sent_as_tags(window: Window, stage: Stage) -> None:
    window.open(script=ENTITIES)
    editor = window.editor
    editor.press_sequentially("Ask @ad")
    expect(window.page.get_by_role("option", name="Ada Lovelace")).to_be_visible()
    window.shot("entities")
    window.axe()
    editor.press("Enter")
    editor.press_sequentially("about it")
    editor.press("Enter")
    window.settled()
    assert stage.of_type("threads.create")[0]["input"]["content"] == [
        {"type": "input_text", "text": "Ask "},
        {
            "type": "input_tag",
            "id": "a",
            "text": "Ada Lovelace",
            "data": {"n": "1"},
            "group": "People",
            "interactive": True,
        },
        {"type": "input_text", "text": " about it"},
    ]
    window.page.get_by_role("button", name="Mention something").click()
    expect(window.page.get_by_role("option")).to_have_count(2)
    editor.press("ArrowDown")
    editor.press("Tab")
    expect(editor.locator(".tag")).to_have_text("Grace Hopper")
    editor.press("Escape")


def test_commands_run_open_menus_and_insert_entities(window: Window, stage: Stage) -> None:
    script = """options.commands = { enabled: true,
        onSearch: async (query) => [{ id: 'more', label: 'More commands', icon: 'bolt' }, { id: 'run', label: 'Run it' }]
            .filter(({ label }) => label.toLowerCase().includes(query)),
        onSelect: async ({ id }) => {
            window.ran = [...(window.ran ?? []), id];
            if (id === 'more') return { type: 'menu', commands: [{ id: 'ada', label: 'Insert Ada' }] };
            if (id === 'ada') return { type: 'entity', entity: { id: 'a', title: 'Ada' } };
        } };"""
    window.open(TOOLS, script)
    editor = window.editor
    editor.press_sequentially("/")
    # Two of the page, two tools, two models.
    expect(window.page.get_by_role("option")).to_have_count(6)
    editor.press("Enter")
    expect(window.page.get_by_role("option", name="Insert Ada")).to_be_visible()
    editor.press("Enter")
    expect(editor.locator(".tag")).to_have_text("Ada")
    editor.press_sequentially("/run")
    expect(window.page.get_by_role("option", name="Run it")).to_be_visible()
    editor.press("Enter")
    window.page.wait_for_function("() => window.ran.length === 3")
    assert window.page.evaluate("() => window.ran") == ["more", "ada", "run"]
    expect(editor).to_have_text("Ada ")
    assert stage.of_type("threads.create") == []


def test_dictation_puts_what_was_said_into_the_composer(windows: Any, stage: Stage) -> None:
    window = windows(permissions=["microphone"])
    window.open({"composer": {"dictation": {"enabled": True}}})
    window.page.get_by_role("button", name="Dictate", exact=True).click()
    stop = window.page.get_by_role("button", name="Stop dictating")
    expect(stop).to_be_visible()
    window.shot("dictating")
    stop.click()
    expect(window.editor).to_have_text("spoken audio/webm")
    (sent,) = stage.of_type("input.transcribe")
    assert sent["mime_type"] == "audio/webm;codecs=opus"
    assert len(sent["audio_base64"]) > 100


def test_a_locked_thread_says_why_and_a_closed_one_takes_nothing(
    window: Window, stage: Stage
) -> None:
    async def lock(thread: Any, message: Any) -> AsyncIterator[Any]:
        thread.status = LockedStatus(reason="Under review")
        yield "Locked."

    async def close(thread: Any, message: Any) -> AsyncIterator[Any]:
        thread.status = ClosedStatus()
        yield "Closed."

    stage.plays.update(lock=lock, close=close)
    window.open()
    window.send("lock")
    expect(window.editor).to_have_attribute("aria-placeholder", "Under review")
    expect(window.editor).to_have_attribute("aria-disabled", "true")
    window.shot("locked")
    window.axe()
    window.page.get_by_role("button", name="New chat").click()
    window.send("close")
    expect(window.page.get_by_role("note")).to_have_text("This chat is closed.")
    expect(window.editor).to_have_count(0)


def test_the_methods_of_the_element(window: Window, stage: Stage) -> None:
    window.open(TOOLS)
    evaluate = window.page.evaluate
    evaluate(
        "() => chat.setComposerValue({ text: 'draft', reply: 'quoted', selectedToolId: 'draw', selectedModelId: 'fast' })"
    )
    expect(window.editor).to_have_text("draft")
    evaluate("() => chat.focusComposer()")
    expect(window.editor).to_be_focused()
    window.editor.press("Enter")
    window.settled()
    sent = stage.of_type("threads.create")[0]["input"]
    assert sent["quoted_text"] == "quoted"
    assert sent["inference_options"] == {"tool_choice": {"id": "draw"}, "model": "fast"}
    thread = window.events("chatkit.thread.change")[0]["threadId"]
    evaluate("() => chat.sendUserMessage({ text: 'more', toolChoice: { id: 't' }, model: 'm' })")
    assert stage.of_type("threads.add_user_message")[0]["input"]["inference_options"] == {
        "tool_choice": {"id": "t"},
        "model": "m",
    }
    evaluate("() => chat.sendCustomAction({ type: 'own', payload: { a: 1 } })")
    assert stage.actions == [("own", {"a": 1})]
    evaluate("() => chat.setThreadId(null)")
    expect(window.page.locator(".start")).to_be_visible()
    evaluate("(id) => chat.setThreadId(id)", thread)
    expect(window.answers).to_have_count(3)
    evaluate("() => chat.sendUserMessage({ text: 'apart', newThread: true })")
    expect(window.answers).to_have_text(["You said: apart"])
    assert len(stage.of_type("threads.create")) == 2
    assert window.events("chatkit.ready") == [None]


THEMES: dict[str, Any] = {
    "dark": {"colorScheme": "dark"},
    "rich": {
        "colorScheme": "light",
        "radius": "soft",
        "density": "compact",
        "typography": {"baseSize": 14, "fontFamily": "serif", "fontFamilyMono": "monospace"},
        "color": {
            "grayscale": {"hue": 220, "tint": 6, "shade": -1},
            "accent": {"primary": "#7c3aed", "level": 2},
        },
    },
    "surface": {
        "colorScheme": "dark",
        "radius": "sharp",
        "density": "spacious",
        "typography": {"baseSize": 18},
        "color": {
            "accent": {"primary": "orange", "level": 1},
            "surface": {"background": "#0b1d2a", "foreground": "#e8f1f8"},
        },
    },
}


@pytest.mark.parametrize("name", THEMES)
def test_themes_stay_readable(window: Window, stage: Stage, name: str) -> None:
    window.open({**PROMPTS, **TOOLS, "theme": THEMES[name]})
    window.axe()
    window.shot(f"theme-{name}-start")
    window.send("Something [linked](https://example.com/x)")
    window.axe()
    window.shot(f"theme-{name}")
    size = window.page.evaluate("() => getComputedStyle(chat).fontSize")
    assert size == f"{THEMES[name].get('typography', {}).get('baseSize', 16)}px"


def test_fonts_of_the_theme_are_the_document_s(window: Window, stage: Stage) -> None:
    font = {
        "family": "Own",
        "src": "/own.woff2",
        "weight": 600,
        "style": "italic",
        "display": "swap",
        "unicodeRange": "U+41",
    }
    window.expected = [r"own\.woff2"]  # there is no such file; that it is asked for is the point
    window.open({"theme": {"typography": {"fontFamily": "Own", "fontSources": [font]}}})
    faces = window.page.evaluate(
        "() => [...document.fonts].map(({ family, weight, style }) => [family, weight, style])"
    )
    assert faces == [["Own", "600", "italic"]]
    assert window.page.evaluate("() => getComputedStyle(chat).fontFamily").startswith("Own")


LANGUAGES = {
    "de-DE": ("Womit kann ich heute helfen?", "ltr", "de-DE"),
    "fr": ("En quoi puis-je vous aider aujourd’hui ?", "ltr", "fr"),
    "es-419": ("¿En qué puedo ayudarte hoy?", "ltr", "es-419"),
    "ja-JP": ("今日はどのようなお手伝いをしましょうか？", "ltr", "ja-JP"),
    "zh": ("今天我能帮您做什么？", "ltr", "zh"),
    "zh-SG": ("今天我能帮您做什么？", "ltr", "zh-SG"),
    "zh-Hant": ("今天需要什麼協助？", "ltr", "zh-Hant"),
    "zh-TW": ("今天需要什麼協助？", "ltr", "zh-TW"),
    "zh-HK": ("今天需要什麼協助？", "ltr", "zh-HK"),
    "ar": ("كيف يمكنني مساعدتك اليوم؟", "rtl", "ar"),
    "ur": ("What can I help with today?", "rtl", "en"),
    "nonsense!": ("What can I help with today?", "ltr", "en"),
}


@pytest.mark.parametrize("tag", LANGUAGES)
def test_languages_and_their_direction(window: Window, stage: Stage, tag: str) -> None:
    greeting, direction, lang = LANGUAGES[tag]
    window.open({"locale": tag})
    expect(window.page.get_by_role("heading", name=greeting)).to_be_visible()
    assert window.page.evaluate("() => [chat.dir, chat.lang]") == [direction, lang]
    window.page.locator(".editor").fill("?")
    window.page.keyboard.press("Enter")
    window.settled()
    if tag in ("ar", "ja-JP"):
        window.axe()
        window.shot(f"locale-{tag}")
    accepted = stage.requests[-1][1]["accept-language"]
    assert accepted == ("en" if "!" in tag else tag)


def test_it_fits_a_phone(windows: Any, stage: Stage) -> None:
    window = windows(viewport={"width": 340, "height": 640}, has_touch=True, is_mobile=True)
    window.open({**PROMPTS, **TOOLS})
    window.shot("mobile-start")
    window.send(
        "A longer message that has to wrap on a narrow screen, and `code_that_is_very_long_and_has_no_spaces_in_it_at_all`"
    )
    assert window.page.evaluate("() => document.scrollingElement.scrollWidth <= innerWidth")
    assert window.page.evaluate(
        "() => { const box = chat.shadowRoot.querySelector('.scroll'); return box.scrollWidth <= box.clientWidth }"
    )
    window.axe()
    window.shot("mobile")
    window.page.get_by_role("button", name="Chat history").click()
    window.shot("mobile-history")
