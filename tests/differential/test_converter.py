"""Threads as model input beside openai-chatkit's ThreadItemConverter.

One subclass, as a team has written it, on both. Both outputs are read into neutral form, where the words around a text
do not matter; then they must be equal but for the departures listed here (H1, H2 ... of ARCHITECTURE.md). Each of them
must occur.
"""
# ruff: noqa: E402 (the reference is imported first, where it is installed)

from __future__ import annotations

import json
import re
import warnings
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any, get_args

import msgspec
import pytest

pydantic = pytest.importorskip("pydantic")
pytest.importorskip("chatkit")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import chatkit.types as their_types
    from chatkit.agents import ThreadItemConverter as TheirConverter

from chatkit_asgi import types
from chatkit_asgi.agents.converter import ThreadItemConverter

from .documents import Documents
from .test_types import without_nulls

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

THREADS = 100
KINDS = [kind for kind in get_args(get_args(types.ThreadItem)[0])]


@pytest.fixture
def anyio_backend() -> str:
    """The reference needs asyncio."""
    return "asyncio"


def team_converter(base: Any) -> Any:
    """What the reference asks every team to override."""

    class Converter(base):  # type: ignore[misc]
        async def attachment_to_message_content(self, attachment: Any) -> Any:
            return {"type": "input_text", "text": f"attachment {attachment.id}"}

        async def tag_to_message_content(self, tag: Any) -> Any:
            return {"type": "input_text", "text": f"tag {tag.id} {tag.text}"}

        async def user_message_to_input(self, item: Any, is_last_message: bool = True) -> Any:
            made = await super().user_message_to_input(item, is_last_message)
            mark = {"type": "message", "role": "user", "content": f"last: {is_last_message}"}
            return [*made, mark]

        async def hidden_context_to_input(self, item: Any) -> Any:
            if isinstance(item.content, str):
                return await super().hidden_context_to_input(item)
            return {"type": "message", "role": "user", "content": "not a string"}

    return Converter()


# -- neutral form ----------------------------------------------------------------------------------

THEIR_FORMS: list[tuple[str, str]] = [
    (r"Hidden context.*?<HiddenContext>\n(.*)\n</HiddenContext>", "HiddenContext"),
    (r".*?<Task>\n(.*)\n</Task>", "ShownTask"),
    (
        r".*?following status: (\w+)\n<StructuredInput>(\n.*)\n</StructuredInput>",
        "StructuredInput",
    ),
    (r".*?\(id: (m\d+)\) was displayed to the user:(.*)", "ShownWidget"),
    (r"The user is referring to this in particular: \n(.*)", "QuotedText"),
    (r"# User-provided context.*", "MentionedEntities"),
    (r"The following image was generated.*", "image"),
]
OUR_FORMS: list[tuple[str, str]] = [
    (r".*?Status: (\w+)\n<StructuredInput>(\n.*)\n</StructuredInput>", "StructuredInput"),
    (r'.*?<ShownWidget id="(m\d+)">\n(.*)\n</ShownWidget>', "ShownWidget"),
    (r"What the user mentions.*<MentionedEntities>", "MentionedEntities"),
    (r"This image was made.*", "image"),
    *(
        (rf".*?<{tag}>\n(.*)\n</{tag}>", tag)
        for tag in ("HiddenContext", "ShownTask", "QuotedText", "CitedSources")
    ),
]


def neutral(items: Any, forms: list[tuple[str, str]]) -> list[Any]:
    """Messages with what is said in them, in no one's words."""
    made: list[Any] = []
    for item in json.loads(json.dumps(items, default=lambda model: model.model_dump())):
        if item["type"] != "message":
            made.append(decoded(item))
        elif isinstance(item["content"], str):
            made.append([item["role"], item["content"]])
        else:
            parts = [neutral_part(part, forms) for part in item["content"]]
            made.append([item["role"], *(part for part in parts if part != "</MentionedEntities>")])
    return made


def neutral_part(part: Any, forms: list[tuple[str, str]]) -> Any:
    if part["type"] == "output_text":
        return part["text"]
    if part["type"] != "input_text":
        return part
    for pattern, name in forms:
        if found := re.fullmatch(pattern, part["text"], re.DOTALL):
            if name == "ShownWidget":
                return name, found[1], without_nulls(json.loads(found[2]))
            return name, "".join(found.groups())
    return part["text"]


def decoded(item: Any) -> Any:
    return {
        name: json.loads(value) if name in ("arguments", "output") else value
        for name, value in item.items()
    }


# -- threads ---------------------------------------------------------------------------------------


def random_thread(random: Random) -> list[Any]:
    documents = Documents(random)
    made: list[Any] = []
    for number in range(random.randrange(1, 9)):
        item = documents.of(random.choice(KINDS))
        item["id"] = f"m{number}"
        if item["type"] == "widget":  # how widgets are read and written is compared in test_types
            text = {"type": "Text", "value": random.choice(["é", "a b"])}
            item["widget"] = {"type": "Card", "children": [text], "size": "sm"}
        if item["type"] == "user_message":
            item["content"] += [documents.of(types.UserMessageTagContent) for _ in range(2)]
        for part in item["content"] if item["type"] == "user_message" else ():
            part["text"] = random.choice(["Acme", "Beta"])
            if part["type"] == "input_tag":
                part["id"] = random.choice(["1", "2"])
                part.setdefault("data", {})  # V4
        made.append(item)
    return made


def expected(theirs: list[Any], thread: list[Any], occurred: Counter[str]) -> list[Any]:
    """The reference's output of each item, with the departures made to it."""
    newest = max((n for n, item in enumerate(thread) if item["type"] == "user_message"), default=-1)
    changed: list[Any] = []
    for number, (item, made) in enumerate(zip(thread, theirs, strict=True)):
        match item["type"]:
            case "user_message":
                made = said(item, made, occurred)
                if number == newest != len(thread) - 1:
                    occurred["H3"] += 1
                    made[-1] = ["user", "last: True"]
            case "client_tool_call" if item.get("status", "pending") == "pending":
                occurred["H5"] += 1
                call = {name: item[name] for name in ("call_id", "name", "arguments")}
                made = [
                    {"type": "function_call", **call},
                    {
                        "type": "function_call_output",
                        "call_id": item["call_id"],
                        "output": {"error": "The client has not answered this call."},
                    },
                ]
            case "assistant_message":
                made, cited = answered(item, made)
                occurred["H4"] += len(cited)
                occurred["H9"] += not made
                made += cited
            case "structured_input":
                made, before = indented(made), made
                occurred["H8"] += made != before
            case _:
                pass
        changed += made
    return changed


def said(item: Any, made: list[Any], occurred: Counter[str]) -> list[Any]:
    text, *context, last = made
    quoted = item.get("quoted_text")
    found = [("QuotedText", quoted)] if quoted else []
    if found and not any(each[1][0] == "QuotedText" for each in context):
        occurred["H3"] += 1
        context.insert(0, ["user", *found])
    mentions: dict[str, str] = {}
    for part in item["content"]:
        if part["type"] == "input_tag":
            mentions.setdefault(part["id"], f"tag {part['id']} {part['text']}")
    if mentions and context[-1][2:] != [*mentions.values()]:
        occurred["H2"] += 1
        context[-1][2:] = mentions.values()
    return [text, *context, last]


def answered(item: Any, made: list[Any]) -> tuple[list[Any], list[Any]]:
    said = [part for part in item["content"] if part["text"]]
    texts = ["\n\n".join(part["text"] for part in said)] if said else []
    sources: list[str] = []
    for part in said:
        for annotation in part.get("annotations", ()):
            source = annotation["source"]
            place = source.get("url") or source.get("filename") or source.get("id") or ""
            sources.append("- " + " ".join(f"{source['title']} ({place})".split()))
    cited = [["user", ("CitedSources", "\n".join(dict.fromkeys(sources)))]] if sources else []
    return ([["assistant", *texts]] if texts else []), cited


def indented(made: list[Any]) -> list[Any]:
    [[role, (name, text)]] = made
    lines = re.split(r"\n(?=- |$)", text)
    inner = [("\n  ".join(line.splitlines()) if line else line) for line in lines]
    return [[role, (name, "\n".join(inner))]]


END = [
    their_types.EndOfTurnItem(
        id="e", thread_id="t", created_at="2026-03-14T09:26:53Z", type="end_of_turn"
    )
]
"""Gives no input; whatever it follows is not the last item."""


async def test_input_is_the_references_but_for_the_departures() -> None:
    random = Random(20260314)
    theirs, ours = team_converter(TheirConverter), team_converter(ThreadItemConverter)
    read: Callable[[bytes], Any] = pydantic.TypeAdapter(their_types.ThreadItem).validate_json
    occurred: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for _ in range(THREADS):
        thread = random_thread(random)
        texts = [json.dumps(item).encode() for item in thread]
        their_items = [read(text) for text in texts]
        each = [
            neutral(await theirs.to_agent_input([item, *END][: len(thread) - at]), THEIR_FORMS)
            for at, item in enumerate(their_items)
        ]
        together = neutral(await theirs.to_agent_input(their_items), THEIR_FORMS)
        assert together == [made for item in each for made in item], "item by item is the same"
        our_items = [msgspec.json.decode(text, type=types.ThreadItem) for text in texts]
        made = neutral(await ours.to_agent_input(our_items), OUR_FORMS)
        assert made == expected(each, thread, occurred), thread
        seen.update(item["type"] for item in thread)
    assert {each for each, count in occurred.items() if count} == {
        "H2",
        "H3",
        "H4",
        "H5",
        "H8",
        "H9",
    }
    assert len(seen) == len(KINDS)
