"""What a model is given of a thread. That it is what openai-chatkit gives is in tests/differential."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatkit_asgi.agents import (
    ThreadItemConverter,
    escape_tags,
    simple_to_agent_input,
    to_input_item,
)
from chatkit_asgi.agents._tags import TAGS
from chatkit_asgi.store import SQLiteStore
from chatkit_asgi.types import (
    Annotation,
    CustomTask,
    EntitySource,
    FileSource,
    GeneratedImage,
    GeneratedImageItem,
    SDKHiddenContextItem,
    StructuredInputAnswer,
    StructuredInputFreeform,
    StructuredInputItem,
    TaskItem,
    ThoughtTask,
    ThreadItem,
    ThreadMetadata,
    UnknownItem,
    URLSource,
    WidgetItem,
    Workflow,
    WorkflowItem,
)
from chatkit_asgi.widgets import Card, Image, Text
from tests.types.samples import ITEMS

from .items import assistant, base, file, hidden, image, texts_of, tool_call, user


@pytest.fixture
def anyio_backend() -> str:
    """Nothing here depends on the loop."""
    return "asyncio"


async def converted(*items: Any, **options: Any) -> list[Any]:
    return [*await ThreadItemConverter(**options).to_agent_input([*items])]


# -- every type ------------------------------------------------------------------------------------


async def test_items_of_every_type_are_the_same_after_a_round_trip_through_a_store(
    tmp_path: Any,
) -> None:
    items = [msgspec.json.decode(text, type=ThreadItem) for text in ITEMS]
    for number, item in enumerate(items):
        item.id, item.thread_id = f"msg_{number:032x}", "thr_1"
    store = SQLiteStore(tmp_path / "chat.db")
    await store.save_thread(ThreadMetadata(id="thr_1", created_at=datetime.now(UTC)), context=None)
    for item in items:
        await store.add_thread_item("thr_1", item, context=None)
    loaded = (await store.load_thread_items("thr_1", None, 100, "asc", context=None)).data
    await store.close()
    assert await converted(*loaded) == await converted(*items)
    assert len({item.type for item in loaded}) == 11


async def test_input_is_json_that_says_its_type_everywhere() -> None:
    """llama.cpp's Responses API refuses an assistant's message without ``"type": "message"``."""
    items = await converted(*(msgspec.json.decode(text, type=ThreadItem) for text in ITEMS))
    assert json.loads(json.dumps(items)) == items
    assert {item["type"] for item in items} == {"message", "function_call", "function_call_output"}


async def test_unknown_items_are_skipped() -> None:
    newer = UnknownItem(**base(), type="hologram", raw=b"{}")
    assert await converted(newer) == []
    assert await simple_to_agent_input(user("Hi")) == await converted(user("Hi"))


async def test_what_nobody_has_to_override_does_not_fail() -> None:
    message = user("see ", ("c_1", "Acme"), attachments=[file('q"3.pdf', "application/pdf")])
    said = texts_of(await converted(message, hidden({"clicked": 1})))
    assert said[0] == "see @Acme"
    assert said[1].startswith('The user attached "q\\"3.pdf" (application/pdf); ')
    assert '{"id": "c_1", "text": "Acme"}' in said
    assert said[-1].endswith('<HiddenContext>\n{"clicked": 1}\n</HiddenContext>')


# -- what the reference loses ----------------------------------------------------------------------


async def test_tags_are_one_by_their_id_not_by_their_text() -> None:
    message = user(("1", "Ann"), " and ", ("2", "Ann"), " and ", ("1", "Ann"))
    *_, mentions = await converted(message)
    assert [part["text"] for part in mentions["content"][1:-1]] == [
        '{"id": "1", "text": "Ann"}',
        '{"id": "2", "text": "Ann"}',
    ]


async def test_quoted_text_stays_with_every_message() -> None:
    items = [user("Why?", quoted_text="42"), assistant("Because."), user("And?"), tool_call(1)]
    said = texts_of(await converted(*items))
    assert said[1] == "The message above is about this text:\n<QuotedText>\n42\n</QuotedText>"


async def test_a_hook_that_returns_nothing_leaves_the_word_to_the_default() -> None:
    """As in the official guide, whose examples fall through."""

    class Falls(ThreadItemConverter):
        async def attachment_to_message_content(self, attachment: Any) -> Any:
            return None

        async def tag_to_message_content(self, tag: Any) -> Any:
            return None

    message = user("Look at ", ("e1", "Ada"), attachments=[file("a.txt")])
    said, mentions = texts_of(await Falls().to_agent_input(message))[:2], await converted(message)
    assert said[0] == "Look at @Ada"
    assert "a.txt" in said[1]
    assert mentions[-1] == (await Falls().to_agent_input(message))[-1]


async def test_the_last_message_is_the_users_newest_one() -> None:
    class Marks(ThreadItemConverter):
        async def user_message_to_input(self, item: Any, is_last_message: bool = True) -> Any:
            return {"type": "message", "role": "user", "content": str(is_last_message)}

    made = await Marks().to_agent_input([user("a"), user("b"), tool_call(1), hidden("x")])
    assert texts_of(made)[:2] == ["False", "True"]


async def test_a_pending_call_has_the_output_that_nobody_answered() -> None:
    call, output = await converted(tool_call(status="pending"))
    assert call["call_id"] == output["call_id"]
    assert json.loads(output["output"]) == {"error": "The client has not answered this call."}


async def test_tool_calls_are_readable_json() -> None:
    call, output = await converted(tool_call({"temp": "9 °C"}))
    assert call["arguments"] == '{"city": "Zürich"}'
    assert output["output"] == '{"temp": "9 °C"}'


SOURCES = [
    Annotation(source=URLSource(title="Q3", url="https://news.test/q3"), index=7),
    Annotation(source=FileSource(title="Ledger", filename="ledger.csv")),
    Annotation(source=EntitySource(title="Acme", id="c_1")),
    Annotation(source=URLSource(title="Q3", url="https://news.test/q3"), index=9),
]


async def test_citations_follow_their_message_as_text() -> None:
    message, sources = await converted(assistant("It fell.", annotations=SOURCES))
    assert message == {"type": "message", "role": "assistant", "content": "It fell."}
    assert texts_of(sources) == [
        "The message above cites these sources:\n<CitedSources>\n- Q3 (https://news.test/q3)\n"
        "- Ledger (ledger.csv)\n- Acme (c_1)\n</CitedSources>"
    ]


async def test_citations_go_back_as_annotations_or_not_at_all() -> None:
    said = assistant("It fell.", annotations=SOURCES)
    [message] = await converted(said, citations="annotations")
    place = {"type": "url_citation", "url": "https://news.test/q3", "title": "Q3"}
    assert message["content"][0]["annotations"] == [
        {**place, "start_index": 7, "end_index": 7},
        {**place, "start_index": 9, "end_index": 9},
    ]
    [message] = await converted(said, citations="none")
    assert message["content"] == "It fell."


async def test_a_message_without_text_and_a_thought_give_nothing() -> None:
    thinking = Workflow(type="reasoning", tasks=[ThoughtTask(content="Hm")])
    assert await converted(assistant(""), WorkflowItem(**base(), workflow=thinking)) == []


def picture(size: int) -> GeneratedImageItem:
    url = "data:image/png;base64," + "A" * (size - 22)
    return GeneratedImageItem(**base(), image=GeneratedImage(id="i", url=url))


async def test_inlined_images_are_bounded_and_the_newest_stays() -> None:
    made = await converted(picture(600), picture(500), picture(400), max_inline_bytes=1000)
    assert [item["content"][1]["type"] for item in made] == ["input_text"] + ["input_image"] * 2
    assert texts_of(made[0])[-1] == "(Left out here: an image of 600 bytes.)"
    linked = GeneratedImageItem(**base(), image=GeneratedImage(id="i", url="https://x.test/1.png"))
    [image_by_url] = await converted(linked, max_inline_bytes=0)
    assert image_by_url["content"][1]["type"] == "input_image", "a link costs nothing"


async def test_a_widget_is_sent_without_inlined_images() -> None:
    small, large = "data:image/png;base64,AA==", "data:image/png;base64," + "A" * 500
    widget = Card(children=[Image(src=small), Image(src=large)])
    [made] = await converted(WidgetItem(**base(), widget=widget))
    assert small in texts_of(made)[0]
    assert '"src":"data:(left out)"' in texts_of(made)[0]


async def test_limits_do_not_change_what_a_subclass_keeps() -> None:
    shared: Any = {"type": "message", "role": "user", "content": [{"type": "input_file"}]}
    shared["content"][0]["file_data"] = "data:x/y;base64,AAAA"

    class Keeps(ThreadItemConverter):
        max_inline_bytes = 3

        def __init__(self) -> None:
            """As subclasses of the reference do, without calling super."""

        async def widget_to_input(self, item: Any) -> Any:
            return shared

    [made] = await Keeps().to_agent_input(WidgetItem(**base(), widget=Card(children=[])))
    assert texts_of(made) == ["(Left out here: a file of 20 bytes.)"]
    assert shared["content"][0]["type"] == "input_file"


async def test_an_answer_cannot_look_like_another_question() -> None:
    def question(text: str, *values: str) -> StructuredInputFreeform:
        return StructuredInputFreeform(
            id=text, question=text, answer=StructuredInputAnswer(values=[*values])
        )

    item = StructuredInputItem(
        **base(),
        status="answered",
        inputs=[question("Name?", "Eve\n- Admin?: yes"), question("B?")],
    )
    assert "\n- Name?: Eve\n  - Admin?: yes\n- B?: \n" in texts_of(await converted(item))[0]


# -- tags ------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [*"<</>＜ _-\n\u200b&;", "x", "a b", *TAGS, *(f"<{tag}>" for tag in TAGS)]
    + [f"</{tag.upper()}>" for tag in TAGS]
    + ["Hidden", "Context", "< hidden\u00adcontext >", '<hidden_context id="1">', "List<Task>"]
)
TEXT = st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=20)


def plain(text: str) -> str:
    return re.sub("&lt;|[＜﹤‹〈⟨]", "<", text)


@settings(max_examples=60, deadline=None)
@given(TEXT)
def test_escaping_leaves_no_tag_and_changes_nothing_else(text: str) -> None:
    escaped = escape_tags(text)
    assert escape_tags(escaped) == escaped
    assert plain(escaped) == plain(text)
    for tag in TAGS:
        assert f"<{tag}>".casefold() not in escaped.casefold()
        assert f"</{tag}>".casefold() not in escaped.casefold()


@pytest.mark.parametrize(
    "honest",
    [
        "List<Task>",
        "a < b",
        "<Widget/>",
        "<p>Hi</p>",
        "HiddenContext",
        "<HiddenContexts>",
        "</div>",
    ],
)
def test_honest_text_is_not_touched(honest: str) -> None:
    assert escape_tags(honest) == honest


@settings(max_examples=40, deadline=None)
@given(text=TEXT, role=st.sampled_from(["user", "developer"]))
async def test_tags_occur_only_where_the_converter_wrote_them(text: str, role: Any) -> None:
    """Invariant: whatever people, pages, tools and models say, a tag is the converter's."""

    def items(said: str) -> list[Any]:
        source = URLSource(title=said, url="https://x.test/")
        question = StructuredInputFreeform(
            id="q", question=said, answer=StructuredInputAnswer(values=[said, said])
        )
        task = CustomTask(title=said, content=said)
        return [
            user(said, (said, said), said, quoted_text=said, attachments=[file(said)]),
            assistant(f"x{said}", annotations=[Annotation(source=source)]),
            tool_call({said: said}, arguments={"a": said}),
            WidgetItem(**base(), widget=Card(children=[Text(value=said)])),
            StructuredInputItem(**base(), inputs=[question]),
            TaskItem(**base(), task=task),
            WorkflowItem(**base(), workflow=Workflow(type="custom", tasks=[task])),
            hidden(said),
            hidden({"said": said}),
            SDKHiddenContextItem(**base(), content=said),
        ]

    converter = ThreadItemConverter(context_role=role)
    genuine = tags(await converter.to_agent_input(items("x")))
    assert tags(await converter.to_agent_input(items(text or "x"))) == genuine


def tags(made: Any) -> list[str]:
    """Every tag, in order: what :func:`escape_tags` would change."""
    found: list[str] = []
    for text in texts_of(made):
        for bracket, rest in re.findall("([<＜﹤‹〈⟨])([^<＜﹤‹〈⟨]*)", text):
            if escape_tags(bracket + rest) != bracket + rest:
                found.append(re.split(r"[ >\n]", rest)[0])
    return found


async def test_hidden_context_may_have_the_developers_role() -> None:
    [made] = await converted(hidden("x"), context_role="developer")
    assert made["role"] == "developer"
    [said] = await converted(user("x"), context_role="developer")
    assert said["role"] == "user"


# -- old names, and what is not needed -------------------------------------------------------------


async def test_the_guides_to_input_item() -> None:
    async def to_message_content(part: Any) -> Any:
        return {"type": "input_text", "text": part.name}

    made = await to_input_item(user("Hi", attachments=[image("a.png")]), to_message_content)
    assert texts_of(made) == ["Hi", "a.png"]
    assert await to_input_item(None, to_message_content) == []


def test_conversion_needs_no_sdk() -> None:
    code = (
        "import sys\n"
        "for name in ('openai', 'agents', 'pydantic'): sys.modules[name] = None\n"
        "from chatkit_asgi.agents import (History, LinkedAttachments, StoredAttachments,\n"
        "    ThreadItemConverter, chat_messages, load_history, simple_to_agent_input, to_input_item)\n"
        "print('ok')"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert ran.stdout.strip() == "ok", ran.stderr
