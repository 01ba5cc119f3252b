"""Files in the composer: both strategies, progress, limits, drag and paste."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Window
from tests.browser.stage import Stage

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


def options(strategy: str, **limits: Any) -> dict[str, Any]:
    how = (
        {"type": "two_phase"}
        if strategy == "two_phase"
        else {"type": "direct", "uploadUrl": "/upload"}
    )
    return {
        "api": {"url": "/chatkit", "domainKey": "local", "uploadStrategy": how},
        "composer": {"attachments": {"enabled": True, **limits}},
    }


def choose(window: Window, *files: dict[str, Any]) -> None:
    window.page.get_by_role("button", name="Add files").click()
    with window.page.expect_file_chooser() as chooser:
        window.page.get_by_role("menuitem", name="Add files").click()
    chooser.value.set_files(list(files))


def file(name: str, mime: str = "text/plain", body: bytes = b"hello") -> dict[str, Any]:
    return {"name": name, "mimeType": mime, "buffer": body}


@pytest.mark.parametrize(
    ("strategy", "name"),
    [("direct", "note.txt"), ("two_phase", "note.txt"), ("two_phase", "post.txt")],
)
def test_a_file_is_uploaded_and_goes_with_the_message(
    window: Window, stage: Stage, strategy: str, name: str
) -> None:
    window.open(options(strategy))
    choose(window, file(name))
    upload = window.page.get_by_role("list", name="Attachments").get_by_role("listitem")
    expect(upload).to_contain_text(name)
    expect(upload.get_by_role("progressbar")).to_have_count(0)
    window.send("look at this")
    (id,) = stage.uploads
    assert stage.uploads[id] == b"hello"
    assert stage.of_type("threads.create")[0]["input"]["attachments"] == [id]
    expect(window.page.locator(".user .file")).to_contain_text(name)
    expect(upload).to_have_count(0)


def test_a_picture_is_shown_before_and_after(window: Window, stage: Stage) -> None:
    window.open(options("direct"))
    choose(window, file("dot.png", "image/png", PNG))
    expect(window.page.locator(".upload .thumb")).to_be_visible()
    expect(window.page.get_by_role("progressbar")).to_have_count(0)
    window.shot("composer-picture")
    window.axe()
    window.send("see")
    expect(window.page.locator(".user").get_by_role("img", name="dot.png")).to_be_visible()


def test_limits_are_told_before_anything_is_sent(window: Window, stage: Stage) -> None:
    limits = {
        "maxSize": {"text/*": 10, "*": 20},
        "maxCount": 2,
        "accept": {"text/plain": [".txt"], "image/*": []},
    }
    window.open(options("direct", **limits))
    choose(
        window,
        file("long.txt", body=b"x" * 11),
        file("virus.exe", "application/x-msdownload"),
        file("ok.txt"),
    )
    problem = window.page.locator(".problem")
    expect(problem).to_contain_text("long.txt is larger than 0 kB.")
    expect(problem).to_contain_text("virus.exe is not of an accepted type.")
    expect(window.page.locator(".upload")).to_have_count(1)
    choose(window, file("a.txt"), file("b.txt"), file("c.txt"))
    expect(problem).to_have_text("At most 2 files.")
    expect(window.page.locator(".upload")).to_have_count(2)
    window.shot("composer-limits")
    window.axe()


def test_a_file_that_is_removed_is_forgotten(window: Window, stage: Stage) -> None:
    window.open(options("two_phase"))
    choose(window, file("note.txt"))
    expect(window.page.get_by_role("progressbar")).to_have_count(0)
    with window.page.expect_response(
        lambda response: "attachments.delete" in (response.request.post_data or "")
    ):
        window.page.get_by_role("button", name="Remove note.txt").click()
    expect(window.page.locator(".upload")).to_have_count(0)
    assert stage.uploads == {}


def test_an_upload_that_fails_says_so_and_can_be_removed(window: Window, stage: Stage) -> None:
    window.expected = [r"status of 404"]
    given = options("direct")
    given["api"]["uploadStrategy"]["uploadUrl"] = "/nowhere"
    window.open(given)
    choose(window, file("note.txt"))
    expect(window.page.locator(".upload.failed")).to_be_visible()
    window.page.wait_for_function("() => window.events.some(([name]) => name === 'chatkit.error')")
    assert (
        "FileAttachmentError: note.txt: upload: HTTP 404"
        in window.events("chatkit.error")[0]["error"]
    )
    window.axe()
    window.page.get_by_role("button", name="Remove note.txt").click()
    expect(window.page.locator(".upload")).to_have_count(0)


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_files_are_dropped_and_pasted(window: Window, stage: Stage, way: str) -> None:
    window.open(options("direct"))
    window.page.evaluate(
        """(way) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File(['hello'], 'dragged.txt', { type: 'text/plain' }));
            const root = chat.shadowRoot;
            if (way === 'paste')
                root.querySelector('.editor').dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true }));
            else for (const type of ['dragover', 'drop'])
                root.querySelector('.shell').dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }""",
        way,
    )
    expect(window.page.locator(".upload")).to_contain_text("dragged.txt")
    window.send("there")
    assert [*stage.uploads.values()] == [b"hello"]


def test_files_and_stored_attachments_come_by_method_too_and_through_the_page_s_fetch(
    window: Window, stage: Stage
) -> None:
    script = """window.fetched = [];
        options.api.fetch = (url, init) => { window.fetched.push(String(url)); return fetch(url, init) };"""
    window.open(options("direct"), script)
    window.page.evaluate(
        "() => chat.setComposerValue({ text: 'two', files: [new File(['x'], 'own.txt', { type: 'text/plain' })] })"
    )
    expect(window.page.locator(".upload")).to_contain_text("own.txt")
    expect(window.page.get_by_role("progressbar")).to_have_count(0)
    window.editor.press("Enter")
    window.settled()
    assert "/upload" in window.page.evaluate("() => window.fetched")
