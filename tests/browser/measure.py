"""How fast the element is: ``python -m tests.browser.measure`` prints the table of docs/element.md.

Times depend on the machine, so they are no tests; what they may be is in the last column (the team's budgets).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import AsyncIterator
from typing import Any

import anyio
from playwright.sync_api import sync_playwright

from chatkit_asgi import Options
from chatkit_asgi.playground.files import STATIC
from tests.browser.conftest import FLAGS, Window, chromium
from tests.browser.stage import Stage

DELTAS_PER_SECOND = 200
SECONDS = 10

FRAMES = """(seconds) => new Promise((done) => {
    const found = [];
    let last = performance.now();
    const end = last + seconds * 1000;
    const tick = (now) => {
        found.push(now - last);
        last = now;
        now < end ? requestAnimationFrame(tick) : done(found.slice(10).sort((a, b) => a - b));
    };
    requestAnimationFrame(tick);
})"""

FIRST = """() => new Promise((done) => {
    const look = () => {
        const text = chat.shadowRoot.querySelector('.assistant')?.textContent.trim();
        text ? requestAnimationFrame(() => done(Date.now() - Number(text.split(' ')[0]))) : requestAnimationFrame(look);
    };
    look();
})"""

OPENED = """async (items) => {
    const body = JSON.stringify({ id: 'thr_x', created_at: '2026-01-01T00:00:00Z', items: { data: items, has_more: false } });
    let arrived = 0;
    const fetch = async (_, init) => {
        const type = JSON.parse(init.body).type;
        const answer = type === 'threads.get_by_id' ? body : '{"data":[],"has_more":false}';
        arrived = performance.now();
        return new Response(answer, { headers: { 'content-type': 'application/json' } });
    };
    chat.setOptions({ api: { url: '/chatkit', domainKey: '', fetch }, history: { enabled: false }, locale: 'en', initialThread: 'thr_x' });
    return new Promise((done) => {
        const look = () => [...chat.shadowRoot.querySelectorAll('.assistant ck-markdown p strong')].some((each) => each.textContent === '4999')
            ? requestAnimationFrame(() => done([performance.now() - arrived, chat.shadowRoot.querySelectorAll('.row').length]))
            : requestAnimationFrame(look);
        look();
    });
}"""


def items(count: int) -> list[dict[str, Any]]:
    def item(number: int) -> dict[str, Any]:
        base = {"id": f"msg_{number}", "thread_id": "thr_x", "created_at": "2026-01-01T00:00:00Z"}
        if number % 2 == 0:
            content: list[Any] = [{"type": "input_text", "text": f"question {number}"}]
            return {
                **base,
                "type": "user_message",
                "content": content,
                "attachments": [],
                "inference_options": {},
            }
        text = f"Answer **{number}** with a list:\n\n- one\n- two `code`\n\n" + "And words. " * 30
        return {
            **base,
            "type": "assistant_message",
            "content": [{"type": "output_text", "text": text, "annotations": []}],
        }

    return [item(number) for number in range(count)]


def main() -> None:
    stage = Stage(Options(handle_signals=False))
    stage.start()

    async def first(thread: Any, message: Any) -> AsyncIterator[Any]:
        yield f"{time.time() * 1000} words"

    async def stream(thread: Any, message: Any) -> AsyncIterator[Any]:
        begun = time.monotonic()
        for number in range(DELTAS_PER_SECOND * (SECONDS + 2)):
            yield (
                "**word** "
                if number % 9 == 0
                else "\n\n"
                if number % 60 == 59
                else f"word{number} "
            )
            await anyio.sleep(max(0, begun + number / DELTAS_PER_SECOND - time.monotonic()))

    stage.plays.update(first=first, stream=stream)
    rows: list[tuple[str, str, str]] = []
    sizes = json.loads((STATIC / "sizes.json").read_text())
    rows.append(
        ("element, gzip, before on-demand parts", f"{sizes['main'] / 1000:.1f} kB", "≤ 75 kB")
    )
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium(), args=FLAGS)
        paints, firsts, opened = [], [], []
        for _ in range(5):
            window = Window(browser.new_page(viewport={"width": 900, "height": 700}), stage)
            window.open({"thread": {"autoScroll": True}})
            paints.append(
                window.page.evaluate(
                    "() => new Promise((done) => requestAnimationFrame(() => done(performance.now())))"
                )
            )
            window.send("first", wait=False)
            firsts.append(window.page.evaluate(FIRST))
            window.settled()
            took, drawn = window.page.evaluate(OPENED, items(5000))
            opened.append(took)
            window.page.close()
        window = Window(browser.new_page(viewport={"width": 900, "height": 700}), stage)
        window.open({"thread": {"autoScroll": True}})
        window.send("stream", wait=False)
        window.page.wait_for_timeout(1000)
        frames = window.page.evaluate(FRAMES, SECONDS)
        browser.close()
    stage.stop()
    median = sorted(paints)[2]
    rows += [
        ("navigation to the composer on screen, no cache", f"{median:.0f} ms", ""),
        ("a delta leaves the handler, and is on screen", f"{sorted(firsts)[2]:.0f} ms", ""),
        (
            f"frames while {DELTAS_PER_SECOND} deltas/s stream, p50 / p99",
            f"{at(frames, 0.5):.1f} / {at(frames, 0.99):.1f} ms",
            "",
        ),
        ("slowest frame", f"{frames[-1]:.1f} ms", "≤ 50 ms"),
        ("frames over 50 ms", f"{sum(each > 50 for each in frames)} of {len(frames)}", "0"),
        (
            f"first screen of 5,000 items, after their bytes ({drawn} rows drawn)",
            f"{sorted(opened)[2]:.0f} ms",
            "≤ 300 ms",
        ),
    ]
    print("| measure | value | budget |\n| --- | --- | --- |")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print(f"\n{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}.")


def at(values: list[float], part: float) -> float:
    return values[min(len(values) - 1, int(len(values) * part))]


if __name__ == "__main__":
    main()
