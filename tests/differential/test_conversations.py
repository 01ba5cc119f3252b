"""Conversations with openai-chatkit and with this library, answer by answer.

The same scripted server (scripted.py) is asked the same things: the reference through its ``process()``, this library
through ``process()``, through the ASGI app on the same store and through the app on a shipped store. The answers must
be equal as JSON, up to ids and times, but for the departures of the one table below. What the reference answers is
recorded in ``recordings/conversations.json``, so the comparison also runs where it is not installed; where it is, the
recording must be what it says today. ``python -m tests.differential.test_conversations`` records anew.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import pytest

from chatkit_asgi import ChatKitApp, StreamingResult
from chatkit_asgi.errors import failure_of
from chatkit_asgi.operations import OPERATIONS_BY_NAME
from chatkit_asgi.store import MemoryStore
from chatkit_asgi.testing import ASGIBridge

from .scripted import CONVERSATIONS, Library, make_server, make_store

# The reference's named widget classes say that they are deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

RECORDING = Path(__file__).parent / "recordings" / "conversations.json"


class Step(NamedTuple):
    """One request, and what came back."""

    type: str
    departs: tuple[int, ...]
    answer: Any
    """Events, a JSON body, ``{"raises", "events"}`` of the reference, or ``{"status", "code"}`` of ours."""


# -- the departures ------------------------------------------------------------------------------------------------


class Departure(NamedTuple):
    """What is different on purpose."""

    sentence: str
    expected: Callable[[Any, Any], Any]
    """From the reference's answer, and ours where ids or texts are taken from it, to what ours must be."""


def without_invisible_updates(theirs: Any, ours: Any) -> Any:
    seen: Any = None
    kept: list[Any] = []
    for event in theirs:
        thread = event.get("thread")
        if event["type"] == "thread.updated" and thread == seen:
            continue
        seen = thread or seen
        kept.append(event)
    return kept


def half_said(theirs: Any, ours: Any) -> Any:
    """The open item is finished and stored with what it has; the one without anything is removed."""
    if isinstance(theirs, dict):
        expected = copy.deepcopy(theirs)
        expected["items"]["data"].append(ours["items"]["data"][-1])
        assert expected["items"]["data"][-1]["content"][0]["text"] == "Half a sen"
        return expected
    added = [event["item"] for event in theirs if event["type"] == "thread.item.added"]
    content = {"type": "output_text", "annotations": [], "text": "Half a sen"}
    return [
        *theirs[:-1],
        {"type": "thread.item.done", "item": {**added[0], "content": [content]}},
        {"type": "thread.item.removed", "item_id": added[1]["id"]},
        theirs[-1],
    ]


def without_secrets(theirs: Any, ours: Any) -> Any:
    kept = [
        copy.deepcopy(event)
        for event in theirs
        if "hidden" not in event.get("item", {}).get("type", "")
    ]
    for event in kept:
        if "thread" in event:
            event["thread"]["metadata"] = {}
            data = event["thread"]["items"]["data"]
            data[:] = [item for item in data if "hidden" not in item["type"]]
    return kept


def failed(answer: Any) -> bool:
    """Whether the reference failed: raised, an error event at once, or a stream of nothing."""
    if isinstance(answer, dict):
        return "raises" in answer
    return [event["type"] for event in answer] in ([], ["error"])


def refused(*allowed: tuple[int, str]) -> Callable[[Any, Any], Any]:
    def expected(theirs: Any, ours: Any) -> Any:
        assert failed(theirs), theirs
        assert ours in [{"status": status, "code": code} for status, code in allowed], ours
        return ours

    return expected


def not_found(theirs: Any, ours: Any) -> Any:
    assert not failed(theirs), theirs
    return {"status": 404, "code": "not_found"}


def answered_anyway(theirs: Any, ours: Any) -> Any:
    assert failed(theirs), theirs
    assert [event["type"] for event in ours] == ["stream_options", "thread.item.done"]
    return ours


UNANSWERED = {"error": "The client did not answer this call."}


def passed_over(theirs: Any, ours: Any) -> Any:
    """The older of two pending calls is completed and stays, where the reference deletes it."""
    expected = copy.deepcopy(theirs)
    if isinstance(theirs, dict):
        older = ours["items"]["data"][1]
        assert (older["status"], older["output"]) == ("completed", UNANSWERED)
        expected["items"]["data"].insert(1, older)
        return expected
    assert (ours[0]["type"], ours[0]["item"]["output"]) == ("thread.item.replaced", UNANSWERED)
    return [ours[0], *expected]


def settled(theirs: Any, ours: Any) -> Any:
    """The pending call is completed when the user goes on without answering it."""
    if isinstance(theirs, dict):
        expected = copy.deepcopy(theirs)
        expected["items"]["data"][1] |= {"status": "completed", "output": UNANSWERED}
        return expected
    assert (ours[0]["type"], ours[0]["item"]["output"]) == ("thread.item.replaced", UNANSWERED)
    return [ours[0], *theirs]


def synchronously_saved(theirs: Any, ours: Any) -> Any:
    expected = copy.deepcopy(theirs)
    expected["items"]["data"][1]["copy_text"] = "synchronously"
    return expected


def newest_page(theirs: Any, ours: Any) -> Any:
    """Of 30 items the newest 20, oldest first, with a cursor to the older ones."""
    assert len(theirs["items"]["data"]) == len(ours["items"]["data"]) == 20
    assert theirs["items"]["has_more"]
    newest = ours["items"]["data"]
    overlap = [item for item in theirs["items"]["data"] if item["type"] == "user_message"]
    assert len(overlap) < len(theirs["items"]["data"])
    items = {"data": newest, "has_more": True, "after": newest[0]["id"]}
    return {**theirs, "items": items}


def whole_pages(theirs: Any, ours: Any) -> Any:
    """As many visible items as were asked for; the cursor is one of them."""
    limit = {1: 2, 2: 2, 4: 5}[len(theirs["data"])]
    assert len(theirs["data"]) <= limit
    assert len(ours["data"]) == min(limit, 4)
    shown = theirs["data"]
    assert [item["type"] for item in ours["data"]][: len(shown)] == [item["type"] for item in shown]
    assert ours.get("after", ours["data"][-1]["id"]) == ours["data"][-1]["id"]
    assert ours["has_more"] == (limit == 2)
    return ours


def without_descriptors(theirs: Any, ours: Any) -> Any:
    text = re.sub(r', "upload_descriptor": \{[^{}]*\{[^{}]*\}[^{}]*\}', "", json.dumps(theirs))
    assert text != json.dumps(theirs)
    return json.loads(text)


def once_each(theirs: Any, ours: Any) -> Any:
    expected = copy.deepcopy(theirs)
    for event in expected:
        if "item" in event:
            attached = event["item"]["attachments"]
            event["item"]["attachments"] = [
                each for index, each in enumerate(attached) if each not in attached[:index]
            ]
    assert expected != theirs
    return expected


def nulls_in_payloads(theirs: Any, ours: Any) -> Any:
    text = json.dumps(theirs).replace(
        '"payload": {"list": [1]}', '"payload": {"id": null, "list": [1, null]}'
    )
    return json.loads(text)


DEPARTURES: dict[int, Departure] = {
    1: Departure(
        "`thread.updated` is not sent for a change that a client cannot see (metadata).",
        without_invisible_updates,
    ),
    2: Departure(
        "Before an `error` event everything open is closed: an item with content is saved and `done` as it is, an empty"
        " one `removed`.",
        half_said,
    ),
    3: Departure(
        "Hidden items and thread metadata are kept back whatever carries them: `added`, `replaced`, a thread inside an"
        " event.",
        without_secrets,
    ),
    4: Departure(
        "An unknown thread, item, attachment or cursor is a 404 before the stream, where the reference cuts the stream,"
        " answers 500 or (retry) an empty stream.",
        refused((404, "not_found")),
    ),
    5: Departure(
        "The wrong kind of item is a 400 and a second answer a 409, where the reference cuts the stream, answers 500 or"
        " sends an `error` event.",
        refused(
            (409, "already_answered"),
            (409, "no_pending_tool_call"),
            (400, "not_a_widget"),
            (400, "not_a_user_message"),
            (400, "not_a_structured_input"),
        ),
    ),
    6: Departure(
        "A client tool's output finds its pending call wherever it stands, not only as the newest item.",
        answered_anyway,
    ),
    7: Departure(
        "Other pending client tool calls are completed with an error as output and told by `replaced`, where the"
        " reference deletes them without a word.",
        passed_over,
    ),
    8: Departure(
        "A new user message settles pending client tool calls the same way; the reference leaves them pending.",
        settled,
    ),
    9: Departure(
        "What a synchronous action returns and changes is saved; the reference only sends it.",
        synchronously_saved,
    ),
    10: Departure(
        "`threads.get_by_id` gives the newest page, oldest item first, and `after` leads to older ones; the reference"
        " gives the oldest page.",
        newest_page,
    ),
    11: Departure(
        "Items and feedback of an unknown thread, feedback on an unknown item and deletion of an unknown attachment are"
        " a 404, where the reference answers 200.",
        not_found,
    ),
    12: Departure(
        "Hidden items are skipped before paging: pages are full and no cursor is the id of a hidden item.",
        whole_pages,
    ),
    13: Departure(
        "`upload_descriptor` is sent in the answer to `attachments.create` and never again.",
        without_descriptors,
    ),
    14: Departure("An attachment that a message names twice is attached once.", once_each),
    15: Departure(
        "An attachment that a message carries cannot be deleted by itself: 409.",
        lambda theirs, ours: {"status": 409, "code": "attachment_in_use"} if theirs == {} else None,
    ),
    16: Departure(
        "A request that cannot be decoded is a 400 with the path of the mistake, where the reference raises (500).",
        refused((400, "invalid_request"), (400, "unknown_request_type"), (400, "malformed_json")),
    ),
    17: Departure(
        "A locked thread refuses messages and retries, a closed one everything that would change it: 409.",
        lambda theirs, ours: {"status": 409, "code": "thread_locked"},
    ),
    18: Departure(
        "Nulls are left out of a widget's own objects only: those in an action's payload are the application's.",
        nulls_in_payloads,
    ),
    19: Departure(
        "An action that its widget does not offer is a 409, where the reference hands it to the author.",
        lambda theirs, ours: None if failed(theirs) else {"status": 409, "code": "stale_action"},
    ),
}
"""Every way in which the answers below differ from openai-chatkit 1.6.5. Times in UTC with ``Z`` are tested by
themselves, because times are not compared."""


# -- asking --------------------------------------------------------------------------------------------------------


def body_of(kind: str, params: Any) -> bytes:
    return json.dumps({"type": kind, "params": params}).encode()


async def converse(conversation: Any, answer_to: Callable[[bytes], Any]) -> list[Step]:
    steps: list[Step] = []

    async def ask(kind: str, params: Any, departs: tuple[int, ...] = ()) -> Any:
        answer = await answer_to(body_of(kind, params))
        steps.append(Step(kind, departs, answer))
        return answer

    with anyio.fail_after(20):
        await conversation(ask)
    return steps


def event_of(frame: bytes) -> Any:
    assert frame.startswith(b"data: ")
    assert frame.endswith(b"\n\n")
    return json.loads(frame[6:])


async def reference(conversation: Any) -> list[Step]:
    """The reference's answers, through its ``process()``."""
    lib = Library("chatkit")
    server = make_server(lib, make_store(lib))

    async def answer_to(body: bytes) -> Any:
        events: list[Any] = []
        try:
            result = await server.process(body, None)
            if isinstance(result, lib.server.NonStreamingResult):
                return json.loads(result.json)
            async for frame in result:
                events.append(event_of(frame))
        except Exception as error:
            return {"raises": type(error).__name__, "events": events}
        return events

    return await converse(conversation, answer_to)


async def through_process(conversation: Any) -> list[Step]:
    lib = Library("chatkit_asgi")
    server = make_server(lib, make_store(lib))

    async def answer_to(body: bytes) -> Any:
        try:
            result = await server.process(body, None, raise_errors=True)
        except Exception as error:
            failure = failure_of(error)
            return {"status": failure.status, "code": failure.code}
        if isinstance(result, StreamingResult):
            return [event_of(frame) async for frame in result]
        return json.loads(result.json)

    return await converse(conversation, answer_to)


async def through_the_app(conversation: Any, *, shipped_store: bool = False) -> list[Step]:
    lib = Library("chatkit_asgi")
    server = make_server(lib, MemoryStore() if shipped_store else make_store(lib))

    async with ASGIBridge(ChatKitApp(server), lifespan=True) as bridge:

        async def answer_to(body: bytes) -> Any:
            response = await bridge.post(body)
            if response.status != 200:
                return {"status": response.status, "code": response.json()["error"]["code"]}
            if response.headers["content-type"].startswith("text/event-stream"):
                assert response.complete
                return response.all_events()
            return response.json()

        return await converse(conversation, answer_to)


async def through_the_app_on_a_shipped_store(conversation: Any) -> list[Step]:
    return await through_the_app(conversation, shipped_store=True)


# -- comparing -----------------------------------------------------------------------------------------------------

MADE_ID = re.compile(r"[a-z]+_[0-9a-f]{32}")


def normalised(value: Any, ids: dict[str, str]) -> Any:
    """``value`` with ids numbered by their first appearance, and without times."""
    if isinstance(value, dict):
        # In the order of the keys: the two libraries write them in different ones.
        return {
            key: "<time>" if key == "created_at" else normalised(value[key], ids)
            for key in sorted(value)
        }
    if isinstance(value, list):
        return [normalised(each, ids) for each in value]
    if isinstance(value, str) and MADE_ID.fullmatch(value):
        return ids.setdefault(value, f"#{len(ids) + 1}")
    return value


def without_times(value: Any) -> Any:
    return json.loads(re.sub(r'"created_at": "[^"]*"', '"created_at": "<time>"', json.dumps(value)))


def recorded() -> dict[str, list[Step]]:
    loaded = json.loads(RECORDING.read_text())
    return {
        name: [Step(kind, tuple(departs), answer) for kind, departs, answer in steps]
        for name, steps in loaded.items()
    }


@pytest.mark.parametrize("name", list(CONVERSATIONS))
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_recording_is_what_the_reference_says(name: str) -> None:
    pytest.importorskip("chatkit")
    steps = await reference(CONVERSATIONS[name])
    assert without_times(steps) == json.loads(RECORDING.read_text())[name]


@pytest.mark.parametrize(
    "ours", [through_process, through_the_app, through_the_app_on_a_shipped_store]
)
@pytest.mark.parametrize("name", list(CONVERSATIONS))
async def test_answers_are_equal_but_for_the_departures(name: str, ours: Any) -> None:
    theirs = recorded()[name]
    answers = await ours(CONVERSATIONS[name])
    assert [step.type for step in answers] == [step.type for step in theirs]
    our_ids: dict[str, str] = {}
    their_ids: dict[str, str] = {}
    for mine, their in zip(answers, theirs, strict=True):
        ours_again = normalised(mine.answer, our_ids)
        numbered = dict(their_ids)
        expected = normalised(their.answer, numbered)
        for number in their.departs:
            different = DEPARTURES[number].expected(expected, ours_again)
            assert different != expected, f"departure {number} shows nothing in {their.type}"
            expected = different
        assert ours_again == expected, f"{their.type} of {name!r}"
        if expected is not ours_again:  # what we refuse shows no ids
            their_ids = numbered


def test_every_departure_is_shown() -> None:
    shown = {number for steps in recorded().values() for step in steps for number in step.departs}
    assert shown == set(DEPARTURES)


def test_every_request_type_is_asked() -> None:
    asked = {step.type for steps in recorded().values() for step in steps}
    assert asked >= set(OPERATIONS_BY_NAME)


async def test_times_are_in_utc_and_say_so() -> None:
    """Departure: the reference writes the server's local time without an offset."""
    [step, *_] = await through_the_app(CONVERSATIONS["scene: text"])
    for event in step.answer:
        for record in (event.get("thread"), event.get("item")):
            if record is not None:
                assert record["created_at"].endswith("Z")


if __name__ == "__main__":
    steps = {name: anyio.run(reference, each) for name, each in CONVERSATIONS.items()}
    RECORDING.parent.mkdir(exist_ok=True)
    lines = [
        f"{json.dumps(name)}: {json.dumps(each)}" for name, each in without_times(steps).items()
    ]
    RECORDING.write_text("{\n" + ",\n".join(lines) + "\n}\n")
