"""The element beside the library's own store: files from a person's disk to what a model is given, nothing in between made
for the test."""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import anyio
import pytest
from PIL import Image
from playwright.sync_api import expect

from chatkit_asgi import Options
from chatkit_asgi.agents import StoredAttachments, ThreadItemConverter
from chatkit_asgi.store import AttachmentLimits, DiskAttachmentStore
from chatkit_asgi.store.attachments import FileAttachmentStore, Scanned, Verdict
from tests.attachments.served import files_in_bucket
from tests.browser.conftest import Window
from tests.browser.stage import PAGE_POLICY, Stage
from tests.browser.test_attachments import choose, file

STRATEGIES = ["direct", "two_phase"]
MAX = 200_000
TEXT = "Dear Ada, grüße aus dem Garten.\n".encode() * 1000


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (640, 320), "teal").save(out, "PNG")
    return out.getvalue()


PICTURE = picture()


class Archive(Stage):
    """A server that takes files. ``given`` is what a model is given of each message."""

    files: FileAttachmentStore[Any]

    def __init__(self, make_files: Callable[..., FileAttachmentStore[Any]]) -> None:
        super().__init__(Options(handle_signals=False, keep_alive=1.0))
        limits = AttachmentLimits(max_size=MAX)
        self.files = self.attachment_store = make_files(
            url="http://to.be.told", limits=limits, scan=self.scan
        )
        self.given: list[Any] = []
        self.scanned = threading.Event()

    async def scan(self, scanned: Scanned) -> Verdict:
        """An upload lasts until the test has seen it."""
        assert await anyio.to_thread.run_sync(self.scanned.wait, 20)
        return "accept"

    async def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
        converter = ThreadItemConverter(attachments=StoredAttachments(self.files, context))
        self.given += await converter.to_chat_messages([input_user_message])
        yield "Seen."

    def start(self) -> None:
        super().start()
        self.files.url = f"{self.url}/chatkit"

    def reset(self) -> None:
        super().reset()
        self.given.clear()
        self.scanned.set()

    def stored(self) -> list[str]:
        """The name of every file that is here or awaited."""

        async def names() -> list[str]:
            return [each.name async for each in self.files.stored_attachments()]

        return sorted(self.run(names))


@pytest.fixture(scope="module")
def running(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Archive(partial(DiskAttachmentStore, tmp_path_factory.mktemp("files")))
    stage.start()
    yield stage
    stage.stop()


@pytest.fixture
def bucket(browser: Any, s3: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    """Of a page that may talk to it, by its own policy and by the CORS rules there."""
    policy = PAGE_POLICY.replace("connect-src 'self'", f"connect-src 'self' {s3}")
    monkeypatch.setattr("tests.browser.stage.PAGE_POLICY", policy)
    stage = Archive(partial(files_in_bucket, s3))
    stage.reset()
    stage.start()
    yield stage
    stage.stop()


def options(strategy: str, **limits: Any) -> dict[str, Any]:
    how = {"type": strategy} | (
        {"uploadUrl": "/chatkit/attachments"} if strategy == "direct" else {}
    )
    return {
        "api": {"url": "/chatkit", "domainKey": "local", "uploadStrategy": how},
        "composer": {"attachments": {"enabled": True, **limits}},
    }


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_model_is_given_the_files_that_a_person_chose(
    window: Window, stage: Archive, strategy: str
) -> None:
    """And the person sees how far they are, what they have chosen and what they have sent, after a reload too."""
    before = stage.stored()
    window.open(options(strategy))
    stage.scanned.clear()
    choose(window, file("garden.png", "image/png", PICTURE), file("Brief.txt", body=TEXT))
    uploads = window.page.get_by_role("list", name="Attachments").get_by_role("listitem")
    expect(uploads.get_by_role("progressbar")).to_have_count(2)
    expect(uploads.locator(".thumb")).to_be_visible()
    expect(window.page.get_by_role("button", name="Send")).to_be_disabled()
    stage.scanned.set()
    expect(uploads.get_by_role("progressbar")).to_have_count(0)
    window.send("What is this?")
    expect(uploads).to_have_count(0)

    (message,) = stage.given
    shown = [part["image_url"]["url"] for part in message["content"] if part["type"] == "image_url"]
    assert [base64.b64decode(each.partition(",")[2]) for each in shown] == [PICTURE]
    assert TEXT.decode().strip() in str(message["content"]).replace("\\n", "\n")
    assert stage.stored() == sorted([*before, "Brief.txt", "garden.png"])

    seen = window.page.locator(".user").get_by_role("img", name="garden.png")
    expect(seen).to_be_visible()
    width = "async (image) => { await image.decode(); return image.naturalWidth }"
    assert seen.evaluate(width) == 640
    expect(window.page.locator(".user .file")).to_contain_text("Brief.txt")
    thread = window.events("chatkit.thread.change")[-1]["threadId"]
    window.open({**options(strategy), "initialThread": thread})
    assert seen.evaluate(width) == 640


def test_a_page_sends_files_to_the_bucket_itself(window: Window, bucket: Archive, s3: str) -> None:
    window.stage = bucket
    window.open(options("two_phase"))
    choose(window, file("garden.png", "image/png", PICTURE), file("Brief.txt", body=TEXT))
    expect(window.page.locator(".upload")).to_have_count(2)
    expect(window.page.get_by_role("progressbar")).to_have_count(0)
    assert len(window.foreign) == 2
    assert all(each.startswith(s3) for each in window.foreign)
    window.foreign.clear()
    window.send("What is this?")
    given = str(bucket.given)
    assert base64.b64encode(PICTURE).decode() in given
    assert TEXT.decode().splitlines()[-1] in given
    seen = window.page.locator(".user").get_by_role("img", name="garden.png")
    assert (
        seen.evaluate("async (image) => { await image.decode(); return image.naturalWidth }") == 640
    )


def test_progress_is_how_far_the_upload_is(window: Window, stage: Archive) -> None:
    window.open(options("two_phase"))
    devtools = window.page.context.new_cdp_session(window.page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 150_000}
    devtools.send("Network.emulateNetworkConditions", slow)
    choose(window, file("long.txt", body=b"long " * 36_000))
    window.page.wait_for_function(
        """() => {
            const bar = chat.shadowRoot.querySelector('progress');
            return bar && bar.value > 10 && bar.value < 95;
        }"""
    )
    expect(window.page.get_by_role("progressbar")).to_have_count(0)
    window.send("long")
    assert "long long" in str(stage.given)


REFUSED = {
    "large.txt": ("text/plain", b"x" * (MAX + 1), f"could not be uploaded. At most {MAX} bytes."),
    "page.txt": ("text/plain", b"<!doctype html><script>1</script>", "is not of an accepted type."),
    "drawing.png": ("image/png", b"<svg onload='alert(1)'>", "is not of an accepted type."),
    "broken.png": ("image/png", PICTURE[:100], "could not be uploaded. The image is damaged."),
    "empty.txt": ("text/plain", b"", "could not be uploaded. The file is empty."),
}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_the_server_refuses_is_told_and_nothing_of_it_stays(
    window: Window, stage: Archive, strategy: str
) -> None:
    window.expected = [r"status of 4(00|13|15)"]
    before = stage.stored()
    window.open(options(strategy))
    choose(window, *(file(name, kind, data) for name, (kind, data, _) in REFUSED.items()))
    expect(window.page.locator(".upload.failed")).to_have_count(len(REFUSED))
    for name, (_, _, why) in REFUSED.items():
        expect(window.page.get_by_role("alert")).to_contain_text(f"{name} {why}")
    told = [each["error"] for each in window.events("chatkit.error")]
    assert sorted(each.split(": ")[1] for each in told) == sorted(REFUSED)
    window.shot(f"composer-refused-{strategy}")
    window.axe()
    for name in REFUSED:
        window.page.get_by_role("button", name=f"Remove {name}").click()
    expect(window.page.locator(".problem")).to_have_count(0)
    window.send("never mind")
    assert stage.of_type("threads.create")[0]["input"]["attachments"] == []
    # What was announced has been taken back meanwhile; a form leaves nothing from the start.
    window.page.wait_for_load_state("networkidle")
    assert stage.stored() == before


def test_a_file_that_is_taken_out_again_is_deleted(window: Window, stage: Archive) -> None:
    before = stage.stored()
    window.open(options("direct"))
    choose(window, file("note.txt"))
    expect(window.page.get_by_role("progressbar")).to_have_count(0)
    assert stage.stored() == sorted([*before, "note.txt"])
    with window.page.expect_response(
        lambda response: "attachments.delete" in (response.request.post_data or "")
    ):
        window.page.get_by_role("button", name="Remove note.txt").click()
    assert stage.stored() == before
