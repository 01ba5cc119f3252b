"""What is said, as it is seen: messages, work, questions, images, errors, and what one can do with them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from playwright.sync_api import expect

from chatkit_asgi.errors import CustomStreamError
from chatkit_asgi.types import (
    Annotation,
    AssistantMessageContent,
    AssistantMessageItem,
    ClientEffectEvent,
    ClientToolCallItem,
    CustomSummary,
    CustomTask,
    EntitySource,
    GeneratedImage,
    GeneratedImageItem,
    GeneratedImageUpdated,
    NoticeEvent,
    ProgressUpdateEvent,
    SearchTask,
    StructuredInputFreeform,
    StructuredInputItem,
    StructuredInputMultipleChoice,
    StructuredInputMultipleChoiceOption,
    TaskItem,
    ThoughtTask,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    URLSource,
    Workflow,
    WorkflowItem,
    WorkflowTaskAdded,
)
from tests.browser.conftest import Window
from tests.browser.stage import Stage, fields

MARKDOWN = """# A heading

Some **bold**, *emphasis*, `code`, ~~struck~~ and a [link](https://example.com/a).

| Name | Count |
| ---- | ----: |
| One  | 1     |

- [x] done
- [ ] open

> A quotation

```python
def greet(name: str) -> str:
    return f"Hello {name}"
```

Inline $a^2 + b^2$ and a block:

$$
\\int_0^1 x\\,dx = \\frac{1}{2}
$$
"""


def test_an_answer_streams_as_markdown_with_code_tables_and_math(
    window: Window, stage: Stage
) -> None:
    async def play(thread: Any, message: Any) -> AsyncIterator[Any]:
        for start in range(0, len(MARKDOWN), 7):
            yield MARKDOWN[start : start + 7]
            await anyio.sleep(0.001)

    stage.plays["md"] = play
    window.open()
    window.send("md")
    answer = window.answers
    expect(answer.get_by_role("heading", name="A heading")).to_be_visible()
    expect(answer.locator("strong")).to_have_text("bold")
    link = answer.get_by_role("link", name="link")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    expect(answer.get_by_role("cell", name="One")).to_be_visible()
    expect(answer.get_by_role("checkbox")).to_have_count(2)
    expect(answer.locator(".hljs-keyword").first).to_have_text("def")
    expect(answer.locator("math")).to_have_count(2)
    assert window.page.evaluate("() => chat.shadowRoot.querySelector('math mfrac') !== null")
    window.shot("markdown-light")
    window.axe()


def test_code_and_answers_are_copied_as_they_were_written(windows: Any, stage: Stage) -> None:
    window = windows(permissions=["clipboard-read", "clipboard-write"])

    async def play(thread: Any, message: Any) -> AsyncIterator[Any]:
        yield "Look:\n\n```js\nlet a = 1;\n```\n"

    stage.plays["code"] = play
    window.open()
    window.send("code")
    window.page.get_by_role("button", name="Copy code").click()
    assert window.page.evaluate("() => navigator.clipboard.readText()") == "let a = 1;\n"
    window.page.get_by_role("button", name="Copy", exact=True).click()
    window.page.wait_for_function(
        "async () => (await navigator.clipboard.readText()).startsWith('Look:')"
    )


def test_citations_stand_where_they_belong_and_show_their_sources(
    window: Window, stage: Stage
) -> None:
    text = "**Revenue fell.** 🙂 The end"
    sources = [
        (
            17,
            URLSource(
                title="Q3 report",
                url="https://news.test/q3",
                description="A press note",
                attribution="News",
            ),
        ),
        (
            19,
            EntitySource(
                title="Acme", id="acct_1", icon="suitcase", interactive=True, data={"tier": "gold"}
            ),
        ),
    ]

    async def play(thread: Any, message: Any) -> AsyncIterator[Any]:
        annotations = [Annotation(source=source, index=index) for index, source in sources]
        content = [AssistantMessageContent(text=text, annotations=annotations)]
        yield AssistantMessageItem(**fields(stage.store, thread), content=content)

    stage.plays["cite"] = play
    window.open(
        {"entities": {}}, script="options.entities.onClick = (entity) => (window.clicked = entity);"
    )
    window.send("cite")
    answer = window.answers
    expect(answer.locator("strong")).to_have_text("Revenue fell.")
    # An index counts characters: the second mark comes right after the emoji, which is two UTF-16 units.
    assert answer.locator("p").inner_text().replace("\n", "") == "Revenue fell.News 🙂Acme The end"
    first = answer.get_by_role("button", name="Source 1")
    first.click()
    dialog = window.page.get_by_role("dialog", name="Sources")
    expect(dialog.get_by_role("link")).to_have_attribute("href", "https://news.test/q3")
    window.shot("citations")
    window.axe()
    window.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(first).to_be_focused()
    answer.get_by_role("button", name="Source 2").click()
    assert window.page.evaluate("() => window.clicked.data.tier") == "gold"


def test_a_user_message_shows_tags_quotes_and_attachments(window: Window, stage: Stage) -> None:
    window.open(
        {"entities": {}}, script="options.entities.onClick = (entity) => (window.clicked = entity);"
    )
    window.page.evaluate(
        """() => chat.sendUserMessage({ reply: 'What about <b>this</b>?', content: [
            { type: 'input_text', text: 'Ask ' }, { type: 'input_tag', id: 'p1', text: 'Ada', interactive: true }] })"""
    )
    window.settled()
    user = window.page.locator(".user")
    expect(user).to_contain_text("What about <b>this</b>?")
    user.get_by_role("button", name="Ada").click()
    assert window.page.evaluate("() => window.clicked.id") == "p1"
    sent = stage.of_type("threads.create")[0]["input"]
    assert sent["quoted_text"] == "What about <b>this</b>?"
    assert sent["content"][1]["id"] == "p1"
    window.shot("user-message")


def test_a_workflow_shows_its_steps_and_folds_into_its_summary(
    window: Window, stage: Stage
) -> None:
    go = anyio.Event()

    async def play(thread: Any, message: Any) -> AsyncIterator[Any]:
        item = WorkflowItem(
            **fields(stage.store, thread, "workflow"),
            workflow=Workflow(type="custom", tasks=[], expanded=True),
        )
        yield ThreadItemAddedEvent(item=item)
        search = SearchTask(
            title="Search",
            queries=["lighthouse"],
            sources=[URLSource(title="L", url="https://l.test")],
        )
        search.status_indicator = "loading"
        yield ThreadItemUpdatedEvent(
            item_id=item.id, update=WorkflowTaskAdded(task_index=0, task=search)
        )
        await go.wait()
        tasks: list[Any] = [
            search,
            ThoughtTask(title="Think", content="It is **tall**."),
            CustomTask(title="Check", icon="check-circle"),
        ]
        search.status_indicator = "complete"
        done = Workflow(
            type="custom", tasks=tasks, summary=CustomSummary(title="Did 3 things", icon="bolt")
        )
        yield ThreadItemDoneEvent(item=item.model_copy(update={"workflow": done}))
        yield TaskItem(
            **fields(stage.store, thread, "task"),
            task=CustomTask(title="Filed the report", icon="document"),
        )

    stage.plays["flow"] = play
    window.open()
    window.send("flow", wait=False)
    expect(window.page.locator(".query")).to_have_text("lighthouse")
    window.shot("workflow-running")
    stage.call(go.set)
    window.settled()
    head = window.page.get_by_role("button", name="Did 3 things")
    expect(head).to_have_attribute("aria-expanded", "false")
    head.click()
    expect(window.page.locator(".tasks strong")).to_have_text("tall")
    expect(window.page.locator(".lone-task")).to_contain_text("Filed the report")
    window.shot("workflow-done")
    window.axe()


def test_progress_gives_way_to_the_answer_and_notices_stay(window: Window, stage: Stage) -> None:
    go = anyio.Event()

    async def play(thread: Any, message: Any) -> AsyncIterator[Any]:
        yield ProgressUpdateEvent(icon="search", text="Looking around")
        await go.wait()
        yield "Found it."
        yield NoticeEvent(level="warning", message="Two **messages** left.", title="Limit")
        yield ClientEffectEvent(name="confetti", data={"pieces": 3})

    stage.plays["look"] = play
    window.open()
    window.send("look", wait=False)
    progress = window.page.locator(".progress")
    expect(progress).to_have_text("Looking around")
    stage.call(go.set)
    window.settled()
    expect(progress).to_have_count(0)
    notice = window.page.locator(".notice")
    expect(notice.locator("ck-markdown strong")).to_have_text("messages")
    window.shot("notice")
    notice.get_by_role("button", name="Dismiss").click()
    expect(notice).to_have_count(0)
    assert window.events("chatkit.effect") == [{"name": "confetti", "data": {"pieces": 3}}]
    assert window.events("chatkit.response.start") == [None]
    assert window.events("chatkit.response.end") == [None]


def test_an_error_offers_a_retry_that_answers_the_same_message(
    window: Window, stage: Stage
) -> None:
    async def fails(thread: Any, message: Any) -> AsyncIterator[Any]:
        yield "Half an"
        raise CustomStreamError("The quota is used up.", allow_retry=True)

    async def works(thread: Any, message: Any) -> AsyncIterator[Any]:
        yield "All of it."

    stage.plays["try"] = fails
    window.open()
    window.send("try")
    alert = window.page.get_by_role("alert")
    expect(alert).to_contain_text("The quota is used up.")
    expect(window.answers).to_have_text(["Half an"])
    window.shot("error")
    window.axe()
    stage.plays["try"] = works
    alert.get_by_role("button", name="Try again").click()
    expect(window.answers).to_have_text(["All of it."])
    expect(alert).to_have_count(0)
    expect(window.page.locator(".user")).to_have_count(1)
    assert window.events("chatkit.error") == [{"error": "StreamError: The quota is used up."}]


def test_an_image_sharpens_and_stays(window: Window, stage: Stage) -> None:
    go = anyio.Event()

    async def play(thread: Any, message: Any) -> AsyncIterator[Any]:
        item = GeneratedImageItem(**fields(stage.store, thread))
        image = GeneratedImage(id="ig_1", url=f"{stage.url}/picture.svg")
        yield ThreadItemAddedEvent(item=item)
        yield ThreadItemUpdatedEvent(
            item_id=item.id, update=GeneratedImageUpdated(image=image, progress=0.5)
        )
        await go.wait()
        yield ThreadItemDoneEvent(item=item.model_copy(update={"image": image}))

    stage.plays["draw"] = play
    window.open()
    window.send("draw", wait=False)
    expect(window.page.get_by_role("progressbar")).to_have_attribute("value", "0.5")
    stage.call(go.set)
    window.settled()
    expect(window.page.get_by_role("img", name="Generated image")).to_be_visible()
    expect(window.page.get_by_role("progressbar")).to_have_count(0)


@pytest.mark.parametrize("skip", [False, True])
def test_questions_are_answered_or_skipped(window: Window, stage: Stage, skip: bool) -> None:
    async def ask(thread: Any, message: Any) -> AsyncIterator[Any]:
        options = [StructuredInputMultipleChoiceOption(value=size) for size in ("Small", "Large")]
        yield StructuredInputItem(
            **fields(stage.store, thread),
            inputs=[
                StructuredInputMultipleChoice(id="size", question="Which size?", options=options),
                StructuredInputFreeform(
                    id="note", question="Anything else?", description="Optional"
                ),
            ],
        )

    stage.plays["ask"] = ask
    window.open()
    window.send("ask")
    window.shot("questions")
    window.axe()
    if skip:
        window.page.get_by_role("button", name="Skip").click()
    else:
        window.page.get_by_role("radio", name="Large").check()
        window.page.get_by_role("textbox", name="Anything else?").fill("In blue")
        window.page.get_by_role("button", name="Send answers").click()
    expect(window.answers).to_have_text(["You said: then"])
    answers = window.page.locator(".questions.done .answer")
    expect(answers).to_have_text(["Skipped", "Skipped"] if skip else ["Large", "In blue"])
    (sent,) = stage.of_type("threads.add_structured_input")
    assert sent["input"]["status"] == ("skipped" if skip else "answered")


def test_a_tool_of_the_page_is_called_and_its_result_continues_the_turn(
    window: Window, stage: Stage
) -> None:
    async def call(thread: Any, message: Any) -> AsyncIterator[Any]:
        base = fields(stage.store, thread, "tool_call")
        yield ClientToolCallItem(
            **base, call_id=base["id"], name="get_selection", arguments={"layer": "roads"}
        )

    stage.plays["tool"] = call
    window.open(
        script="options.onClientTool = async ({ name, params }) => ({ name, ids: [params.layer] });"
    )
    window.send("tool")
    expect(window.answers).to_have_text(["You said: then"])
    (sent,) = stage.of_type("threads.add_client_tool_output")
    assert sent["result"] == {"name": "get_selection", "ids": ["roads"]}
    assert window.events("chatkit.response.start") == [None], "it is one response"


def test_a_tool_that_throws_tells_the_assistant_why(window: Window, stage: Stage) -> None:
    async def call(thread: Any, message: Any) -> AsyncIterator[Any]:
        base = fields(stage.store, thread, "tool_call")
        yield ClientToolCallItem(**base, call_id=base["id"], name="x", arguments={})

    stage.plays["tool"] = call
    window.open(script="options.onClientTool = () => { throw new Error('no such layer') };")
    window.send("tool")
    assert stage.of_type("threads.add_client_tool_output")[0]["result"] == {
        "error": "no such layer"
    }
    assert window.events("chatkit.error") == [{"error": "Error: no such layer"}]


def test_feedback_retry_and_stop(window: Window, stage: Stage) -> None:
    async def endless(thread: Any, message: Any) -> AsyncIterator[Any]:
        for word in range(10_000):
            yield f"word{word} "
            await anyio.sleep(0.01)

    stage.plays["long"] = endless
    window.open({"threadItemActions": {"feedback": True, "retry": True}})
    window.send("hello")
    good = window.page.get_by_role("button", name="Good answer")
    good.click()
    expect(good).to_have_attribute("aria-pressed", "true")
    window.page.get_by_role("button", name="Try again").click()
    window.settled()
    expect(window.answers).to_have_count(1)
    (ids, kind) = stage.feedback[0]
    assert (len(ids), kind) == (1, "positive")
    window.send("long", wait=False)
    expect(window.answers.last).to_contain_text("word3")
    window.page.get_by_role("button", name="Stop answering").click()
    window.settled()
    expect(window.page.get_by_role("button", name="Send message")).to_be_visible()
    kept = window.answers.last.inner_text()
    assert kept.startswith("word0 word1")
    window.page.reload()
    thread = window.stage.of_type("threads.add_user_message")[0]["thread_id"]
    window.set_options({"initialThread": thread})
    expect(window.answers.last).to_contain_text("word3")


def test_selected_text_is_quoted_in_the_reply(window: Window, stage: Stage) -> None:
    window.open()
    window.send("one two")
    window.answers.locator("p").dblclick(position={"x": 100, "y": 10})
    window.page.locator(".reply-button").click()
    expect(window.page.locator(".quote-strip")).to_be_visible()
    expect(window.editor).to_be_focused()
    quoted = window.page.locator(".quote-strip .grow").inner_text()
    window.send("why?")
    assert stage.of_type("threads.add_user_message")[0]["input"]["quoted_text"] == quoted


def test_deeplinks_go_to_the_page(window: Window, stage: Stage) -> None:
    async def play(thread: Any, message: Any) -> AsyncIterator[Any]:
        yield "[Open the order](chatkit-link://order?id=7&tab=lines)"

    stage.plays["link"] = play
    window.open()
    window.send("link")
    window.page.get_by_role("link", name="Open the order").click()
    assert window.events("chatkit.deeplink") == [
        {"name": "order", "data": {"id": "7", "tab": "lines"}}
    ]
