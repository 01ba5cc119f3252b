"""A real Chromium on a real server. Each page fails its test when it logs an error or asks another host for anything."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import pytest

from chatkit_asgi import Options
from chatkit_asgi.playground.files import is_built
from tests.browser.stage import Stage

playwright = pytest.importorskip("playwright.sync_api")

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / "screenshots"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--force-color-profile=srgb",
]
WAIT = 20_000
"""Milliseconds that anything may take on a machine that is busy with other tests."""
playwright.expect.set_options(timeout=WAIT)


def aside(function: Callable[[], Any]) -> Any:
    """Run an async function in a loop of its own: Playwright's runs in this thread."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(anyio.run, function).result(60)


def chromium() -> str | None:
    """The browser, where there is one."""
    names = (
        os.environ.get("CHROMIUM"),
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    )
    return next((found for name in names if name and (found := shutil.which(name))), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """For one module: while Playwright is open its loop runs in this thread, and asynchronous tests could have none."""
    path = chromium()
    if path is None:
        pytest.skip("no Chromium; `make browser` installs it where apt-get may")
    if not is_built():
        pytest.skip("the element is not built; `make ui` builds it where Node is")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def running(browser: Any) -> Iterator[Stage]:
    """Only where there is a browser for it."""
    stage = Stage(Options(handle_signals=False, keep_alive=1.0))
    stage.start()
    yield stage
    stage.stop()


@pytest.fixture
def stage(running: Stage) -> Stage:
    running.reset()
    return running


class Window:
    """A page with the element, and what goes on in it."""

    def __init__(self, page: Any, stage: Stage) -> None:
        self.page = page
        self.stage = stage
        self.errors: list[str] = []
        self.foreign: list[str] = []
        self.expected: list[str] = []
        """Regular expressions for console errors that belong to the test."""
        page.set_default_timeout(WAIT)
        page.on("console", self._log)
        page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))
        page.on("request", self._request)

    def _log(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    def _request(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and not self.stage.url.endswith(parts.netloc):
            self.foreign.append(request.url)

    def check(self) -> None:
        left = [e for e in self.errors if not any(re.search(each, e) for each in self.expected)]
        assert left == []
        assert self.foreign == []

    # -- doing -------------------------------------------------------------------------------------

    def open(
        self, options: dict[str, Any] | None = None, script: str = "", path: str = "/"
    ) -> Window:
        """Open the page and set the options; ``script`` may add functions to ``options``."""
        self.page.goto(self.stage.url + path)
        self.set_options(options or {}, script)
        return self

    def set_options(self, options: dict[str, Any], script: str = "") -> None:
        given = {"api": {"url": "/chatkit", "domainKey": "local"}, "locale": "en", **options}
        self.page.evaluate(
            f"""async (options) => {{
                await customElements.whenDefined('openai-chatkit');
                const element = document.querySelector('openai-chatkit');
                window.chat = element;
                if (!window.events) {{
                    window.events = [];
                    for (const name of {json.dumps(EVENTS)})
                        element.addEventListener(name, ({{ detail }}) => window.events.push([name,
                            detail?.error ? {{ error: detail.error.name + ': ' + detail.error.message }} : detail ?? null]));
                }}
                {script}
                element.setOptions(options);
                await element.updateComplete;
            }}""",
            given,
        )

    def send(self, text: str, *, wait: bool = True) -> None:
        self.editor.fill(text)
        self.page.keyboard.press("Enter")
        if wait:
            self.settled()

    def settled(self) -> None:
        """Until no answer is running."""
        self.page.wait_for_function("() => !window.chat.hasAttribute('data-running')")
        self.frame()

    def frame(self) -> None:
        self.page.evaluate(
            "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    @property
    def editor(self) -> Any:
        return self.page.get_by_role("textbox", name="Message")

    @property
    def answers(self) -> Any:
        return self.page.locator(".assistant")

    def events(self, name: str) -> list[Any]:
        """The details of the element's events of that name."""
        found: list[Any] = self.page.evaluate("() => window.events")
        return [detail for each, detail in found if each == name]

    def shot(self, name: str) -> None:
        """A picture to look at."""
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")

    def axe(self, **options: Any) -> None:
        """No rule of WCAG 2.2 A and AA, and none of the best practices, is broken."""
        script = ROOT / "ui/node_modules/axe-core/axe.min.js"
        # Through the debugger: the page's own policy lets no foreign script in.
        self.page.evaluate(script.read_text() + "\n;undefined")
        found = self.page.evaluate(
            """async (options) => {
                const { violations } = await axe.run(document, options);
                return violations.map(({ id, nodes }) => [id, nodes.map(({ target, failureSummary }) =>
                    JSON.stringify(target) + ' ' + failureSummary)]);
            }""",
            {
                "runOnly": [
                    "wcag2a",
                    "wcag2aa",
                    "wcag21a",
                    "wcag21aa",
                    "wcag22aa",
                    "best-practice",
                ],
                **options,
            },
        )
        assert found == []


EVENTS = [
    f"chatkit.{name}"
    for name in (
        "ready",
        "error",
        "effect",
        "deeplink",
        "response.start",
        "response.end",
        "history.open",
        "history.close",
        "thread.change",
        "thread.load.start",
        "thread.load.end",
        "tool.change",
        "log",
    )
]


@pytest.fixture
def windows(browser: Any, stage: Stage) -> Iterator[Callable[..., Window]]:
    """Makes windows; those of one ``context`` are tabs of one browser."""
    made: list[Window] = []
    contexts: list[Any] = []

    def make(context: Any = None, **options: Any) -> Window:
        if context is None:
            context = browser.new_context(
                **{"viewport": {"width": 900, "height": 700}, "reduced_motion": "reduce", **options}
            )
            contexts.append(context)
        window = Window(context.new_page(), stage)
        made.append(window)
        return window

    yield make
    for window in made:
        window.check()
    for context in contexts:
        context.close()


@pytest.fixture
def window(windows: Callable[..., Window]) -> Window:
    return windows()
