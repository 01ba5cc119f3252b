"""Streams as they should not be, from a model server on a real socket: each ends in a correct, stored thread."""

from __future__ import annotations

from typing import Any

import pytest

from chatkit_asgi.testing.scripted import (
    Call,
    Draw,
    Fail,
    HangUp,
    Raw,
    Refuse,
    Say,
    ScriptedModel,
    Status,
    Step,
    Stop,
    Think,
    Together,
)
from tests.agents.conftest import Converse
from tests.agents.served import short

IMAGE = "data:image/png;base64,AAAA"

ANSWERS: dict[str, tuple[list[Step], list[Any]]] = {
    "text": ([Say("Hello, world.")], ["Hello, world."]),
    "thought, text": ([Think(["One.", "Two."]), Say("Three.")], [["One.", "Two."], "Three."]),
    "text, tool, text": ([Say("Before."), Call("lookup"), Say("After.")], ["Before.", "After."]),
    "thought, tool, thought": (
        [Think(["One."]), Call("lookup"), Think(["Two."]), Say("Three.")],
        [["One.", "Two."], "Three."],
    ),
    "thought, text, thought, text": (
        [Think(["One."]), Say("Two."), Think(["Three."]), Say("Four.")],
        [["One."], "Two.", ["Three."], "Four."],
    ),
    "refusal": ([Refuse("I would rather not.")], ["I would rather not."]),
    "no text": ([Say("")], []),
    "no text, text": ([Say(""), Say("Hello.")], ["Hello."]),
    "no thought": ([Think([]), Say("Hello.")], [[], "Hello."]),
    "nothing": ([], []),
    "image, no image": ([Draw("AAAA", partial=["BBBB"]), Draw(partial=["CCCC"])], [IMAGE]),
}

PARALLEL: dict[str, tuple[list[Step], list[Any]]] = {
    "messages": (
        [Together([Say("One, two, three."), Say("Four, five, six.", chunks=5)])],
        ["One, two, three.", "Four, five, six."],
    ),
    "images": (
        [Together([Draw("AAAA", partial=["BB"]), Draw("CCCC", partial=["DD", "EE"])])],
        [IMAGE, "data:image/png;base64,CCCC"],
    ),
    "tools and text": (
        [Together([Call("a"), Call("b"), Say("Wait.")])],
        ["Wait."],
    ),
}

WAYS: dict[str, dict[str, Any]] = {
    "own ids": {"ids": "own"},
    "one placeholder": {"ids": "placeholder"},
    "no ids": {"ids": "none"},
    "late ids": {"ids": "late"},
    "no indexes": {"ids": "own", "indexed": False},
    "neither": {"ids": "none", "indexed": False},
    "placeholder, no indexes": {"ids": "placeholder", "indexed": False},
}


@pytest.mark.parametrize("way", WAYS)
async def test_any_naming_of_items_gives_the_same_thread(converse: Converse, way: str) -> None:
    """All in one thread: no name of an answer is mistaken for one of another."""
    scripts = [script for script, _ in ANSWERS.values()]
    conversation = await converse(ScriptedModel(scripts, **WAYS[way]), *ANSWERS)
    assert await conversation.stored() == [
        each for _, stored in ANSWERS.values() for each in stored
    ]
    for turn in conversation.turns:
        assert {event["type"] for event in turn.events}.isdisjoint({"error", "notice"})
    await conversation.check()


@pytest.mark.parametrize("way", ["own ids", "one placeholder", "no ids", "late ids", "no indexes"])
async def test_parallel_items_do_not_mix(converse: Converse, way: str) -> None:
    """As long as the server gives either an index or an id to tell them apart."""
    scripts = [script for script, _ in PARALLEL.values()]
    conversation = await converse(ScriptedModel(scripts, **WAYS[way]), *PARALLEL)
    assert await conversation.stored() == [
        each for _, stored in PARALLEL.values() for each in stored
    ]
    await conversation.check()


async def test_a_placeholder_never_collides_with_one_of_an_earlier_answer(
    converse: Converse,
) -> None:
    model = ScriptedModel(
        [[Say("One.")], [Say("Two.")], [Think(["Hm."]), Say("Three.")]], ids="placeholder"
    )
    conversation = await converse(model, "a", "b", "c")
    assert await conversation.stored() == ["One.", "Two.", ["Hm."], "Three."]
    await conversation.check()


@pytest.mark.parametrize(
    ("script", "stored"),
    [
        ([Say("Hello, world."), HangUp()], ["Hello, world."]),
        ([Raw({"type": "response.output_item.added", "item": {"type": "message"}, "output_index": 0}),
          Raw({"type": "response.output_text.delta", "output_index": 0, "delta": "Half an an"}),
          HangUp()], ["Half an an"]),
        ([Think(["Hm."]), HangUp()], [["Hm."]]),
        ([HangUp()], []),
    ],
    ids=["after a message", "in a message", "after a thought", "at once"],
)  # fmt: skip
async def test_a_connection_that_breaks_is_an_error_and_what_came_is_stored(
    converse: Converse, script: list[Step], stored: list[Any]
) -> None:
    conversation = await converse(ScriptedModel([script]))
    assert await conversation.stored() == stored
    (error,) = conversation.errors
    assert (error["code"], error["allow_retry"]) == ("stream.error", True)
    await conversation.check()


async def test_a_refused_request_is_an_error_without_internals(converse: Converse) -> None:
    scripts: list[Any] = [
        [Status(status, {"retry-after": "1"}, "organization org-secret")]
        for status in (400, 401, 429, 500, 503)
    ]
    conversation = await converse(ScriptedModel([*scripts, [Say("Hello.")]]), *"abcdef")
    assert await conversation.stored() == ["Hello."], "the thread goes on"
    for turn in conversation.turns[:-1]:
        (error,) = [event for event in turn.events if event["type"] == "error"]
        assert (error["code"], error["allow_retry"]) == ("stream.error", True)
        assert "org-secret" not in str(turn.events)


@pytest.mark.parametrize("event", ["response.failed", "error"])
@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("server_error", "The model could not finish its answer."),
        ("rate_limit_exceeded", "The model is busy. Try again in a moment."),
    ],
)
async def test_a_failure_in_the_middle_is_shown_after_what_came(
    converse: Converse, event: Any, code: str, told: str
) -> None:
    script = [Think(["Hm."]), Say("It begins"), Fail(code, "org-secret", event)]
    conversation = await converse(ScriptedModel([script]))
    assert await conversation.stored() == [["Hm."], "It begins"]
    assert [
        (each["code"], each["message"], each["allow_retry"]) for each in conversation.errors
    ] == [("custom", told, True)]
    assert "org-secret" not in str(conversation.events)
    await conversation.check()


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("max_output_tokens", "The answer was cut off: it has reached the model's length limit."),
        ("content_filter", "The answer was cut off by the model's content filter."),
        ("something new", "The answer is not complete."),
    ],
)
async def test_an_incomplete_answer_says_why(converse: Converse, reason: str, told: str) -> None:
    conversation = await converse(ScriptedModel([[Say("It begins"), Stop(reason)]]))
    assert await conversation.stored() == ["It begins"]
    assert conversation.notices == [told]
    assert not conversation.errors


NONSENSE: list[dict[str, Any]] = [
    {"type": "response.output_text.delta"},
    {"type": "response.output_text.delta", "delta": None, "item_id": "x", "output_index": 0},
    {"type": "response.output_text.delta", "delta": 5, "item_id": "x", "output_index": 0},
    {"type": "response.output_text.done", "item_id": "nobody"},
    {"type": "response.output_text.annotation.added"},
    {"type": "response.output_text.annotation.added", "annotation": {"type": "new_kind"}},
    {"type": "response.output_text.annotation.added", "annotation": {"type": "url_citation"}},
    {"type": "response.output_item.added"},
    {"type": "response.output_item.added", "item": None, "output_index": 3},
    {"type": "response.output_item.added", "item": {"type": "new_kind", "id": "n"}},
    {"type": "response.output_item.done", "item": {"type": "function_call"}},
    {"type": "response.output_item.done", "item": {"type": "message", "id": "nobody"}},
    {"type": "response.output_item.done", "item": {"type": "message", "content": None}},
    {"type": "response.content_part.added", "part": None},
    {"type": "response.content_part.added", "part": {"type": "new_kind"}},
    {"type": "response.reasoning_summary_text.delta"},
    {"type": "response.reasoning_summary_text.done", "item_id": "nobody"},
    {"type": "response.image_generation_call.partial_image"},
    {"type": "response.something.new", "delta": "x"},
    {"type": "response.completed"},
]


async def test_an_event_that_makes_no_sense_is_passed_over(converse: Converse) -> None:
    scripts = [[Think(["Hm."]), Raw(event), Say("Hello."), Raw(event)] for event in NONSENSE]
    conversation = await converse(ScriptedModel(scripts), *map(str, range(len(scripts))))
    for number, turn in enumerate(conversation.turns):
        said = [short(item) for item in turn.thread.items[3 * number + 1 : 3 * number + 3]]
        assert said == [["Hm."], "Hello."], NONSENSE[number]
        assert {event["type"] for event in turn.events}.isdisjoint({"error", "notice"})
    await conversation.check()


@pytest.mark.parametrize(
    "data", [b"event: x\ndata: {not json\n\n", b'data: "a string"\n\n', b"\xff\xfe\n\n"]
)
async def test_bytes_that_are_no_event_end_the_answer_with_an_error_at_most(
    converse: Converse, data: bytes
) -> None:
    conversation = await converse(ScriptedModel([[Say("Hello."), Raw(data), Say("World.")]]))
    if conversation.errors:
        assert await conversation.stored() == ["Hello."]
        assert conversation.errors[0]["code"] == "stream.error"
    else:
        assert await conversation.stored() == ["Hello.", "World."]
    await conversation.check()


async def test_deltas_that_do_not_say_their_place_are_one_text(converse: Converse) -> None:
    event = {"type": "response.output_text.delta", "item_id": "m", "output_index": 0}
    steps = [Raw({**event, "delta": delta}) for delta in ("Hel", "lo", ".")]
    conversation = await converse(ScriptedModel([steps], bare=True))
    assert await conversation.stored() == ["Hello."]
    (added,) = [each for each in conversation.turns[0].events if "content_part.added" in str(each)]
    assert added["update"]["content_index"] == 0
    await conversation.check()


async def test_text_that_only_comes_with_the_end_is_shown(converse: Converse) -> None:
    """A proxy in front of a server that does not stream sends the whole response as one event."""
    output = [
        {"type": "reasoning", "id": "r", "summary": []},
        {
            "type": "message",
            "id": "m",
            "content": [{"type": "output_text", "text": "All at once."}],
        },
    ]
    completed = {"type": "response.completed", "response": {"output": output}}
    conversation = await converse(ScriptedModel([[Raw(completed)]], bare=True))
    assert await conversation.stored() == ["All at once."]
    await conversation.check()


async def test_events_that_come_twice_say_nothing_twice(converse: Converse) -> None:
    item = {"type": "message", "id": "m", "content": [{"type": "output_text", "text": "Once."}]}
    done = {"type": "response.output_item.done", "item": item, "output_index": 0}
    late = {"type": "response.output_text.done", "item_id": "m", "output_index": 0, "text": "Once."}
    conversation = await converse(ScriptedModel([[Raw(done), Raw(done), Raw(late)]]))
    assert await conversation.stored() == ["Once."]


@pytest.mark.parametrize("kind", ["message", "reasoning", "image_generation_call"])
async def test_an_item_that_never_ends_is_closed(converse: Converse, kind: str) -> None:
    added = {
        "type": "response.output_item.added",
        "item": {"type": kind, "id": "x"},
        "output_index": 0,
    }
    conversation = await converse(ScriptedModel([[Raw(added), Say("Hello.")]], ids="none"))
    stored = await conversation.stored()
    assert stored == ([[], "Hello."] if kind == "reasoning" else ["Hello."])
    await conversation.check()


async def test_a_beginning_that_comes_again_before_every_word_is_one_message() -> None:
    """What llama.cpp does when the first token of an answer is half a character."""
    from chatkit_asgi.agents import Assembler, response_parts

    begun = {"type": "response.created", "response": {"id": "resp_1"}}
    item = {"type": "message", "id": "msg_1", "content": []}

    async def events(words: str) -> Any:
        yield begun
        yield {"type": "response.output_item.added", "item": item}
        for word in words:
            yield {"type": "response.output_text.delta", "item_id": "msg_1", "delta": word}
            yield begun
            yield {"type": "response.in_progress", "response": {"id": "resp_1"}}
        yield {"type": "response.output_item.done", "item": item}

    async def twice() -> Any:  # a server with one id for all responses, whose first was cut off
        async for event in events("ab"):
            if event["type"] != "response.output_item.done":
                yield event
        async for event in events("cd"):
            yield event

    async def messages(source: Any) -> list[str]:
        assembler = Assembler("thr_1")
        done = []
        async for part in response_parts(source):
            done += [e for e in assembler.receive(part) if e.type == "thread.item.done"]
        done += [e for e in assembler.close() if e.type == "thread.item.done"]
        return ["".join(content.text for content in event.item.content) for event in done]

    assert await messages(events("👩🏨!")) == ["👩🏨!"]
    assert await messages(twice()) == ["ab", "cd"]
