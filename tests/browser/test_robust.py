"""Bad networks, reloads, second tabs, long threads, fast answers: nothing is lost, doubled or jumps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import pytest
from playwright.sync_api import expect
from starlette.responses import JSONResponse, Response, StreamingResponse

from chatkit_asgi.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    InferenceOptions,
    ThreadMetadata,
    UserMessageItem,
    UserMessageTextContent,
)
from tests.browser.conftest import Window
from tests.browser.stage import Stage, fields


def answer(make: Callable[[], Response]) -> Callable[[], Awaitable[Response]]:
    async def made() -> Response:
        return make()

    return made


def long_thread(stage: Stage, count: int) -> str:
    """A thread of ``count`` items, of which every second is the user's."""
    id = "thr_long"

    async def fill() -> None:
        thread = ThreadMetadata(id=id, created_at=stage.now(), title="Long")
        await stage.store.save_thread(thread, None)
        for number in range(count // 2):
            content = [UserMessageTextContent(text=f"question {number}")]
            asked = UserMessageItem(
                **fields(stage.store, thread), content=content, inference_options=InferenceOptions()
            )
            await stage.store.add_thread_item(id, asked, None)
            text = f"answer {number}\n\n" + "and **more** of it. " * (number % 7 * 6)
            said = AssistantMessageItem(
                **fields(stage.store, thread), content=[AssistantMessageContent(text=text)]
            )
            await stage.store.add_thread_item(id, said, None)

    stage.run(fill)
    return id


def test_a_spoilt_answer_is_repeated_under_its_key_and_the_message_is_there_once(
    window: Window, stage: Stage
) -> None:
    window.expected = ["status of 502"]
    window.open({"history": {"enabled": False}})
    stage.faults.append(answer(lambda: Response("bad gateway", 502)))
    window.send("once")
    expect(window.answers).to_have_text(["You said: once"])
    keys = [
        headers["idempotency-key"]
        for body, headers in stage.requests
        if body["type"] == "threads.create"
    ]
    assert len(keys) == 2
    assert len(set(keys)) == 1
    expect(window.page.locator(".user")).to_have_count(1)
    assert [each["name"] for each in window.events("chatkit.log")] == ["request.again"]


def test_an_unreachable_server_leaves_the_message_to_be_sent_again(
    window: Window, stage: Stage
) -> None:
    window.expected = ["ERR_INTERNET_DISCONNECTED"]
    window.open({"history": {"enabled": False}})
    window.page.context.set_offline(True)
    window.send("hello")
    alert = window.page.get_by_role("alert")
    expect(alert).to_contain_text("could not be reached")
    expect(window.page.locator(".user")).to_have_text("hello")
    window.shot("offline")
    window.page.context.set_offline(False)
    alert.get_by_role("button", name="Try again").click()
    expect(window.answers).to_have_text(["You said: hello"])
    expect(window.page.locator(".user")).to_have_count(1)
    assert len(stage.of_type("threads.create")) == 1


def test_an_answer_that_breaks_off_shows_what_the_server_kept_and_is_not_asked_for_again(
    window: Window, stage: Stage
) -> None:
    window.open({"history": {"enabled": False}})
    window.send("first")

    async def cut() -> AsyncIterator[bytes]:
        yield b'data: {"type":"stream_options","stream_options":{"allow_cancel":true}}\n\n'
        raise ConnectionResetError

    stage.faults.append(answer(lambda: StreamingResponse(cut(), media_type="text/event-stream")))
    window.expected = ["ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION"]
    window.send("second")
    expect(window.page.get_by_role("alert")).to_contain_text("The connection broke off")
    expect(window.answers).to_have_text(["You said: first"])
    assert len(stage.of_type("threads.add_user_message")) == 1


def test_a_refusal_is_shown_in_the_server_s_words(window: Window, stage: Stage) -> None:
    window.expected = ["status of 403"]
    window.open({"history": {"enabled": False}})
    body = {
        "error": {"code": "forbidden", "message": "No."},
        "message": "Your plan does not include this.",
    }
    stage.faults.append(answer(lambda: JSONResponse(body, 403)))
    window.send("x")
    expect(window.page.get_by_role("alert")).to_have_text("Your plan does not include this.")
    assert window.events("chatkit.error") == [
        {"error": "StreamError: Your plan does not include this."}
    ]


def test_a_reload_in_mid_answer_shows_what_is_stored(windows: Any, stage: Stage) -> None:
    window = windows()

    async def endless(thread: Any, message: Any) -> AsyncIterator[Any]:
        for word in range(10_000):
            yield f"word{word} "
            await anyio.sleep(0.01)

    stage.plays["long"] = endless
    window.open()
    window.send("long", wait=False)
    expect(window.answers).to_contain_text(["word9"])
    thread = window.events("chatkit.thread.change")[0]["threadId"]
    window.page.reload()
    window.set_options({"initialThread": thread})
    expect(window.answers).to_contain_text(["word9"])
    assert window.page.locator(".user").count() == 1
    # What it said up to the reload is stored at once, and nothing of it after.
    window.settled()


def test_two_tabs_on_one_thread_show_the_same(windows: Any, stage: Stage) -> None:
    one = windows()
    one.open()
    one.send("from one")
    thread = one.events("chatkit.thread.change")[0]["threadId"]
    two = windows(one.page.context)
    two.open({"initialThread": thread})
    expect(two.answers).to_have_text(["You said: from one"])
    two.send("from two")
    expect(one.answers).to_have_text(["You said: from one", "You said: from two"])
    one.page.get_by_role("button", name="Chat history").click()
    expect(one.page.locator(".thread-open")).to_have_count(1)


def test_a_thread_that_is_not_there_says_so(window: Window, stage: Stage) -> None:
    window.expected = ["status of 404"]
    window.open({"initialThread": "thr_none"})
    expect(window.page.get_by_role("alert")).to_contain_text("does not exist")
    assert "InitialThreadLoadError" in window.events("chatkit.error")[0]["error"]
    window.page.get_by_role("button", name="New chat").click()
    expect(window.page.locator(".start")).to_be_visible()


def test_a_long_thread_opens_at_its_end_and_pages_without_a_jump(
    window: Window, stage: Stage
) -> None:
    window.open({"initialThread": long_thread(stage, 400)})
    page = window.page
    expect(page.get_by_text("answer 199", exact=True)).to_be_visible()
    assert page.locator(".row").count() < 60, "rows beyond the screen do not exist"
    box = page.locator(".scroll")
    # To the top of what is there, again and again; the row that one reads stays where it is while older ones come in.
    assert box.is_visible()
    page.wait_for_function(
        """() => {
            chat.shadowRoot.querySelector('.scroll').scrollTop = 0;
            const [first] = chat.shadowRoot.querySelectorAll('.user');
            return first && Number(first.textContent.match(/[0-9]+/)[0]) <= 125;
        }"""
    )
    jump = page.evaluate(
        """async () => {
            const box = chat.shadowRoot.querySelector('.scroll');
            const frame = () => new Promise(requestAnimationFrame);
            let worst = 0;
            for (let step = 0; step < 60; step++) {
                const rows = [...box.querySelectorAll('.row')];
                const edge = box.getBoundingClientRect().top;
                const row = rows.find((each) => each.getBoundingClientRect().bottom > edge + 30);
                const before = row.getBoundingClientRect().top;
                const from = box.scrollTop;
                box.scrollTop += 90;
                await frame(); await frame(); await frame();
                if (!row.isConnected) continue;
                const expected = before - 90;
                if (box.scrollTop !== from) worst = Math.max(worst, Math.abs(row.getBoundingClientRect().top - expected));
            }
            return worst;
        }"""
    )
    assert jump <= 91, "scrolling moves what is read by as much as one scrolls"


def test_the_reader_is_left_alone_while_an_answer_grows(window: Window, stage: Stage) -> None:
    async def grows(thread: Any, message: Any) -> AsyncIterator[Any]:
        for line in range(80):
            yield f"Line {line}\n\n"
            await anyio.sleep(0.005)

    stage.plays["grow"] = grows
    window.open({"initialThread": long_thread(stage, 20)})
    window.send("grow", wait=False)
    expect(window.page.get_by_text("Line 3", exact=True)).to_be_visible()
    top = window.page.locator(".user").last.bounding_box()["y"]
    window.settled()
    assert abs(window.page.locator(".user").last.bounding_box()["y"] - top) < 1, (
        "the question stays where it was"
    )
    assert top < 120, "and that is the top of the screen"
    expect(window.page.get_by_role("button", name="To the newest message")).to_be_visible()
    window.shot("long-answer")


def test_with_auto_scroll_the_newest_line_stays_in_sight_unless_one_scrolls_away(
    window: Window, stage: Stage
) -> None:
    go = anyio.Event()

    async def grows(thread: Any, message: Any) -> AsyncIterator[Any]:
        for line in range(60):
            yield f"Line {line}\n\n"
        yield "Half\n\n"
        await go.wait()
        for line in range(60, 120):
            yield f"Line {line}\n\n"

    stage.plays["grow"] = grows
    window.open({"thread": {"autoScroll": True}})
    window.send("grow", wait=False)
    expect(window.page.get_by_text("Half", exact=True)).to_be_in_viewport()
    window.page.locator(".scroll").hover()
    window.page.mouse.wheel(0, -800)
    window.frame()
    top = window.page.evaluate("() => chat.shadowRoot.querySelector('.scroll').scrollTop")
    stage.call(go.set)
    window.settled()
    assert (
        abs(window.page.evaluate("() => chat.shadowRoot.querySelector('.scroll').scrollTop") - top)
        < 2
    )


@pytest.mark.parametrize("older", [True, False])
def test_pages_written_for_the_hosted_script_and_for_the_first_guides_work(
    window: Window, stage: Stage, older: bool
) -> None:
    window.page.goto(stage.url)
    window.page.evaluate(
        """async (older) => {
            await customElements.whenDefined('openai-chatkit');
            const now = { api: { url: '/chatkit', domainKey: 'domain_pk_live' }, startScreen: { greeting: 'Hello' }, locale: 'en',
                          threadItemActions: { feedback: true } };
            const then = { apiURL: '/chatkit', newThreadView: { greeting: 'Hello', starterPrompts: [{ name: 'Go', prompt: 'go' }] },
                           messages: { feedback: true }, locale: 'en', clientTools: {} };
            window.chat = Object.assign(document.createElement('openai-chatkit'), { className: 'made' });
            chat.setOptions(older ? then : now);
            document.querySelector('openai-chatkit').replaceWith(chat);
            await new Promise((done) => chat.addEventListener('chatkit.ready', done));
        }""",
        older,
    )
    expect(window.page.get_by_role("heading", name="Hello")).to_be_visible()
    window.send("hi")
    expect(window.page.get_by_role("button", name="Good answer")).to_be_visible()


def test_options_that_cannot_work_are_refused_by_name(window: Window, stage: Stage) -> None:
    window.open()
    tell = "(given) => { try { chat.setOptions(given) } catch (error) { return `${error.name}: ${error.message}` } }"
    assert (
        window.page.evaluate(tell, {})
        == "IntegrationError: api must be an object with a url, not undefined"
    )
    assert "composer.tools must be an array" in window.page.evaluate(
        tell, {"api": {"url": "/"}, "composer": {"tools": {}}}
    )
    window.set_options({"colour": "red"})
    assert window.events("chatkit.log") == [{"name": "options.unknown", "data": {"path": "colour"}}]
