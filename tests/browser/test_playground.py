"""The playground and the demo's opening page: what one sees of a server within a minute."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.stage import Stage


def test_a_browser_that_opens_the_endpoint_gets_the_playground(
    windows: Any, stage: Stage, tmp_path: Path
) -> None:
    window = windows(
        viewport={"width": 1300, "height": 800}, permissions=["clipboard-read", "clipboard-write"]
    )
    page = window.page
    page.goto(stage.url + "/chatkit")
    page.evaluate("() => { window.chat = document.querySelector('openai-chatkit') }")
    assert page.url == stage.url + "/chatkit/playground/"
    window.send("hello")
    expect(page.get_by_text("thread.item.done · assistant_message")).to_be_visible()
    window.shot("playground-frames")
    window.axe()
    page.get_by_text("thread.item.done · assistant_message").click()
    expect(page.locator("details[open] pre")).to_contain_text("You said: hello")
    for tab in ("Requests", "Items", "Timings", "Options", "Replay"):
        page.get_by_role("tab", name=tab).click()
        expect(page.get_by_role("tabpanel", name=tab)).to_be_visible()
        if tab == "Items":
            expect(
                page.locator(".entry .type").filter(has_text="assistant_message")
            ).to_be_visible()
        if tab == "Timings":
            expect(page.get_by_role("cell", name="threads.create")).to_be_visible()
        window.shot(f"playground-{tab.lower()}")
        window.axe()
    page.get_by_role("tab", name="Options").click()
    page.get_by_label("Scheme").select_option("dark")
    assert page.evaluate("() => getComputedStyle(chat).colorScheme") == "dark"
    window.shot("playground-dark")
    window.axe()
    options = page.get_by_role("textbox", name="The options, as JSON")
    options.fill(json.dumps({"header": {"title": {"text": "Edited live"}}, "locale": "en"}))
    expect(page.get_by_role("heading", name="Edited live")).to_be_visible()
    options.fill("{")
    expect(page.get_by_role("tabpanel").get_by_role("alert")).to_be_visible()
    options.fill(json.dumps({"locale": "en"}))
    page.get_by_role("button", name="Copy as React").click()
    page.wait_for_function(
        "async () => (await navigator.clipboard.readText()).includes('useChatKit({')"
    )
    # A reload shows the same thread; a recording of it plays without the server.
    page.get_by_role("tab", name="Replay").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save this conversation").click()
    recording = tmp_path / "conversation.json"
    download.value.save_as(recording)
    page.reload()
    expect(window.answers).to_have_text(["You said: hello"])
    page.evaluate("() => { window.chat = document.querySelector('openai-chatkit') }")
    asked = len(stage.of_type("threads.create"))
    page.get_by_role("tab", name="Replay").click()
    page.get_by_label("Play a recording").set_input_files(recording)
    expect(window.answers).to_have_text(["You said: hello"])
    window.settled()
    assert len(stage.of_type("threads.create")) == asked


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[str]:
    """`make demo ARGS=--scripted`, at full speed."""
    command = [
        sys.executable,
        "-m",
        "chatkit_asgi",
        "demo",
        "--scripted",
        "--port",
        "0",
        "--pace",
        "0",
    ]
    with subprocess.Popen(
        [*command, "--database", str(tmp_path / "demo.db")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout
        first = process.stdout.readline()
        yield first.split()[1]
        process.terminate()


def test_the_demo_opens_on_the_playground_and_plays_all_scenes(
    windows: Any, stage: Stage, demo: str
) -> None:
    window = windows(viewport={"width": 1300, "height": 1000})
    window.stage = type("Demo", (), {"url": demo.removesuffix("/chatkit/playground/")})()
    page = window.page
    page.goto(demo.removesuffix("chatkit/playground/"))
    assert page.url == demo
    page.evaluate("() => { window.chat = document.querySelector('openai-chatkit') }")
    page.get_by_role("button", name="Everything that ChatKit can show").click()
    expect(page.get_by_text("Your page ran get_selection").last).to_be_attached(timeout=30_000)
    window.settled()
    expect(
        page.get_by_role("alert").filter(has_text="This is what a failure looks like")
    ).to_be_attached()
    expect(page.locator(".notice")).to_have_count(3)
    window.shot("demo-tour")
    page.get_by_role("button", name="Like").click()
    expect(window.answers.filter(has_text="You like it 1 time over.")).to_be_attached()
    window.settled()
    page.reload()
    expect(page.get_by_role("heading", name="A thread with a new title")).to_be_visible()
