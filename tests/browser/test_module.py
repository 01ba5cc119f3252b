"""What is built from ui/: pure parts under Node, types against the hosted element's, size, and React's binding."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from chatkit_asgi.demo.app import build
from chatkit_asgi.demo.scenes import SCENES
from chatkit_asgi.playground.files import STATIC, is_built
from tests.browser.conftest import ROOT, Window, aside
from tests.browser.stage import Stage
from tests.demo.client import message, post

UI = ROOT / "ui"

needs_node = pytest.mark.skipif(
    shutil.which("node") is None or not (UI / "node_modules").is_dir(),
    reason="no Node, or no `make ui` yet",
)
needs_build = pytest.mark.skipif(
    not is_built(), reason="the element is not built; `make ui` builds it where Node is"
)


def node(*command: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=UI,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@needs_node
def test_the_fold_and_the_client_under_node(tmp_path: Path) -> None:
    """The fold is given what our server sends for each scene of the demo, and must come to what it stores."""

    async def record() -> list[dict[str, Any]]:
        app = build(
            database=str(tmp_path / "demo.db"), choice="scripted", openai_model="", pace=0
        ).app
        recordings: list[dict[str, Any]] = []
        for scene in (*SCENES, "tour"):
            events = await post(
                app, {"type": "threads.create", "params": {"input": message(f"/{scene}")}}
            )
            thread = events[0]["thread"]["id"]
            page = {"thread_id": thread, "order": "asc", "limit": 100}
            stored = await post(app, {"type": "items.list", "params": page})
            recordings.append({"scene": scene, "events": events, "stored": stored["data"]})
        return recordings

    recordings = tmp_path / "recordings.json"
    recordings.write_text(json.dumps(aside(record)))
    done = node("node", "build.mjs", "--test", RECORDINGS=str(recordings))
    assert done.returncode == 0, done.stdout
    assert f"# pass {len(SCENES) + 1 + 22}" in done.stdout, (
        "every scene and every test of ui/tests ran"
    )


@needs_node
def test_options_methods_and_events_have_the_types_of_the_hosted_element() -> None:
    done = node("npx", "--no-install", "tsc", "--noEmit")
    assert done.returncode == 0, done.stdout


@needs_build
def test_the_element_is_small_and_the_rest_is_loaded_on_demand() -> None:
    sizes = json.loads((STATIC / "sizes.json").read_text())
    assert sizes["main"] <= 75_000
    assert {"lazy/highlight.ts", "lazy/math.ts", "widgets/widget.ts"} <= set(sizes["parts"])


@needs_build
def test_the_licences_of_what_is_bundled_come_along() -> None:
    text = (STATIC / "licenses.txt").read_text()
    for name in ("lit", "marked", "dompurify", "d3-shape", "lucide", "highlight.js", "katex"):
        assert f"\n{name} " in text, name


@needs_node
def test_reacts_own_binding_drives_it(window: Window, stage: Stage, tmp_path: Path) -> None:
    """`@openai/chatkit-react` as it is published."""
    source = tmp_path / "app.jsx"
    source.write_text(
        """
        import { createElement } from 'react';
        import { createRoot } from 'react-dom/client';
        import { ChatKit, useChatKit } from '@openai/chatkit-react';
        window.events = [];
        function Chat() {
            const chat = useChatKit({
                api: { url: '/chatkit', domainKey: 'x' }, locale: 'en', startScreen: { greeting: 'From React' },
                onThreadChange: ({ threadId }) => window.events.push(['thread', threadId]),
                onResponseEnd: () => window.events.push(['end']),
                onClientTool: ({ name }) => ({ name }),
            });
            window.react = chat;
            return createElement(ChatKit, { control: chat.control, className: 'from-react' });
        }
        document.querySelector('openai-chatkit').remove();
        createRoot(document.querySelector('main')).render(createElement(Chat));
        """
    )
    bundle = tmp_path / "app.js"
    command = [
        "npx",
        "--no-install",
        "esbuild",
        str(source),
        "--bundle",
        f"--outfile={bundle}",
        "--log-level=error",
        '--define:process.env.NODE_ENV="production"',
    ]
    done = node(*command, NODE_PATH=str(UI / "node_modules"))
    assert done.returncode == 0, done.stderr
    window.page.goto(stage.url)
    window.page.evaluate(bundle.read_text() + "\n;undefined")
    expect(window.page.get_by_role("heading", name="From React")).to_be_visible()
    window.page.evaluate("() => { window.chat = document.querySelector('.from-react') }")
    window.page.evaluate("() => window.react.sendUserMessage({ text: 'hi' })")
    expect(window.answers).to_have_text(["You said: hi"])
    window.settled()
    names = [name for name, *_ in window.page.evaluate("() => window.events")]
    assert names == ["thread", "thread", "end"] or names == ["thread", "end"]
    window.page.evaluate("() => window.react.setThreadId(null)")
    expect(window.page.get_by_role("heading", name="From React")).to_be_visible()
