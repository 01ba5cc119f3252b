"""Streams that real servers have sent, byte by byte, through the real client and the bridge into the store.

``record.py`` made the recordings: llama.cpp with SmolLM2, aimock from npm, and our scripted server.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from chatkit_asgi.agents import ResponseStreamConverter
from chatkit_asgi.testing.scripted import Raw, ScriptedModel
from tests.agents.conftest import Converse
from tests.agents.record import PIXEL

RECORDINGS = Path(__file__).with_name("recordings")
IMAGE = f"data:image/png;base64,{PIXEL}"
FAILED = "The model could not finish its answer."
CUT_OFF = "The answer was cut off: it has reached the model's length limit."

STORED: dict[str, list[Any]] = {
    "scripted-text": ["Hello, world. How are you?"],
    "scripted-reasoning": [["First I look.", "Then I answer."], "Done."],
    "scripted-raw-reasoning": [[], "Done."],
    "scripted-tool": ["I look it up."],
    "scripted-citations": ["Revenue fell, as the report says."],
    "scripted-refusal": ["I cannot help with that."],
    "scripted-images": [IMAGE, IMAGE],
    "scripted-no-image": ["It could not be drawn."],
    "scripted-parallel": ["One, two, three.", "Four, five, six."],
    "scripted-failed": ["It begins"],
    "scripted-error": ["It begins"],
    "scripted-incomplete": ["It begins"],
    "aimock-text": ["A model server of somebody else says this, in several pieces."],
    "aimock-reasoning": [["The question is known; so is the answer."], "Forty-two."],
    "aimock-tool": [],
    "aimock-both": ["I look it up."],
    "aimock-cut": ["This answer does not reach its end b"],
}
ERRORS = {"scripted-failed": FAILED, "scripted-error": FAILED}
"""By recording: the text of the ``error`` event."""

NOTICES = {"scripted-incomplete": CUT_OFF, "aimock-cut": "The answer is not complete."}
"""The same for notices. Of aimock's broken connection only what came is recorded: here it ends as if by a proxy."""


def recorded(name: str) -> bytes:
    return RECORDINGS.joinpath(f"{name}.sse").read_bytes()


def replayed(name: str) -> ScriptedModel:
    return ScriptedModel([[Raw(recorded(name))]], bare=True)


def test_every_recording_is_played() -> None:
    local = {path.stem for path in RECORDINGS.glob("local-*.sse")}
    assert {path.stem for path in RECORDINGS.glob("*.sse")} == {*STORED, *local}
    assert local


@pytest.mark.parametrize("name", STORED)
async def test_a_recording_ends_in_a_stored_thread(converse: Converse, name: str) -> None:
    conversation = await converse(replayed(name))
    assert await conversation.stored() == STORED[name]
    await conversation.check()
    errors = [event.get("message") for event in conversation.errors]
    assert errors == ([ERRORS[name]] if name in ERRORS else [])
    assert conversation.notices == ([NOTICES[name]] if name in NOTICES else [])
    assert "internal details" not in str(conversation.events)


@pytest.mark.parametrize("name", [path.stem for path in sorted(RECORDINGS.glob("local-*.sse"))])
async def test_a_real_models_answer_is_stored_word_for_word(converse: Converse, name: str) -> None:
    """llama.cpp sends no indexes at all."""
    deltas = re.findall(
        r'"type":"response.output_text.delta".*?"delta":"((?:[^"\\]|\\.)*)"',
        recorded(name).decode(),
    )
    text = "".join(
        delta.encode().decode("unicode_escape") if "\\" in delta else delta for delta in deltas
    )
    conversation = await converse(replayed(name))
    assert len(deltas) > 5
    assert await conversation.stored() == [text]
    await conversation.check()


async def test_citations_stream_and_are_stored_and_unknown_kinds_are_dropped(
    converse: Converse,
) -> None:
    """openai 3 has classes of its own for the annotations of the streamed event."""
    conversation = await converse(replayed("scripted-citations"))
    streamed = [
        event["update"]["annotation"]
        for event in conversation.events
        if event.get("update", {}).get("type", "").endswith("annotation_added")
    ]
    sources = [
        (each["source"]["type"], each["source"]["title"], each["index"]) for each in streamed
    ]
    assert sources == [("url", "Q3", 4), ("file", "report.pdf", 6)]
    dones = [
        event["update"]["content"]["annotations"]
        for event in conversation.events
        if event.get("update", {}).get("type", "").endswith("content_part.done")
    ]
    assert dones == [streamed], "the end of a part keeps its citations"
    assert conversation.events[-1]["item"]["content"][0]["annotations"] == streamed


async def test_every_thought_streams(converse: Converse) -> None:
    conversation = await converse(replayed("scripted-reasoning"))
    updates = [event["update"] for event in conversation.events if "update" in event]
    thoughts = [
        (update["type"], update["task_index"], update["task"]["content"])
        for update in updates
        if update["type"].startswith("workflow.task")
    ]
    for index, text in enumerate(["First I look.", "Then I answer."]):
        mine = [each for each in thoughts if each[1] == index]
        assert mine[0][0] == "workflow.task.added"
        assert text.startswith(mine[0][2])
        assert mine[-1][2] == text


async def test_raw_reasoning_is_shown_to_those_who_ask_for_it(converse: Converse) -> None:
    converter = ResponseStreamConverter(reasoning_text=True)
    conversation = await converse(replayed("scripted-raw-reasoning"), converter=converter)
    assert await conversation.stored() == [["Hm, hm."], "Done."]


async def test_refusals_stream(converse: Converse) -> None:
    conversation = await converse(replayed("scripted-refusal"))
    deltas = [event["update"].get("delta") for event in conversation.events if "update" in event]
    assert "".join(filter(None, deltas)) == "I cannot help with that."
    assert len([*filter(None, deltas)]) == 3


async def test_images_show_their_progress(converse: Converse) -> None:
    converter = ResponseStreamConverter(partial_images=2)
    conversation = await converse(replayed("scripted-images"), converter=converter)
    updates = [
        (event["item_id"], event["update"]) for event in conversation.events if "update" in event
    ]
    first, second = dict.fromkeys(item_id for item_id, _ in updates)
    assert [update["progress"] for item_id, update in updates if item_id == first] == [0, 0.5]
    assert [update["progress"] for item_id, update in updates if item_id == second] == [0]
