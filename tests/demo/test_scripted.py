"""The scripted assistant shows all of the protocol, and answers what the client hands in."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from chatkit_asgi.demo.scenes import SCENES
from chatkit_asgi.types import ThreadItem, ThreadItemUpdate, ThreadStreamEvent
from tests.demo.client import message, texts
from tests.demo.conftest import Ask


def tags(union: Any) -> set[str]:
    """The wire types of a union of structs."""
    members = get_args(union)
    if members and not isinstance(members[0], type):  # Annotated
        return tags(members[0])
    return {member.__struct_config__.tag for member in members}


async def start(ask: Ask, text: str) -> tuple[str, list[dict[str, Any]]]:
    events: list[dict[str, Any]] = await ask("threads.create", input=message(text))
    return events[0]["thread"]["id"], events


def item_of(events: list[dict[str, Any]]) -> dict[str, Any]:
    """The last item that was finished."""
    items: list[dict[str, Any]] = [
        each["item"] for each in events if each["type"] == "thread.item.done"
    ]
    return items[-1]


async def test_the_tour_shows_every_event_every_update_and_every_item(ask: Ask) -> None:
    """Taken from the library's own unions, so a kind that is added there must be added here."""
    _, events = await start(ask, "/tour")
    updates = [event["update"] for event in events if event["type"] == "thread.item.updated"]
    items = [event["item"] for event in events if "item" in event]
    hidden = {"hidden_context_item", "sdk_hidden_context"}
    assert {event["type"] for event in events} == tags(ThreadStreamEvent)
    assert {update["type"] for update in updates} == tags(ThreadItemUpdate)
    assert {item["type"] for item in items} == tags(ThreadItem) - hidden
    assert {event["level"] for event in events if event["type"] == "notice"} == {
        "info",
        "warning",
        "danger",
    }


async def test_what_the_tour_left_can_be_read_back(ask: Ask) -> None:
    thread_id, events = await start(ask, "tour")
    shown: dict[str, Any] = {}
    for event in events:
        if event["type"] in {"thread.item.done", "thread.item.replaced"}:
            shown[event["item"]["id"]] = event["item"]
        elif event["type"] == "thread.item.removed":
            del shown[event["item_id"]]
    page = await ask("items.list", thread_id=thread_id, limit=100, order="asc")
    assert page["data"] == list(shown.values())


@pytest.mark.parametrize("keyword", SCENES)
async def test_each_scene_plays_alone(ask: Ask, keyword: str) -> None:
    _, events = await start(ask, f" /{keyword.upper()} ")
    failed = [event for event in events if event["type"] == "error"]
    assert bool(failed) == (keyword == "error"), failed
    assert len(events) > 3


async def test_anything_else_lists_the_keywords(ask: Ask) -> None:
    _, events = await start(ask, "what can you do?")
    (answer,) = texts(events)
    assert [f"- `/{name}` " in answer for name in (*SCENES, "tour")] == [True] * (len(SCENES) + 1)


async def test_the_result_of_a_client_tool_is_answered(ask: Ask) -> None:
    thread_id, _ = await start(ask, "tool")
    events = await ask("threads.add_client_tool_output", thread_id=thread_id, result={"ids": [7]})
    assert texts(events) == ['Your page ran `get_selection` and answered `{"ids": [7]}`.']


@pytest.mark.parametrize(
    ("submission", "answer"),
    [
        ({"answers": {"size": {"values": ["Large"]}}}, "You answered: Large."),
        ({"status": "skipped"}, "You answered: nothing."),
    ],
)
async def test_a_structured_input_is_answered(
    ask: Ask, submission: dict[str, Any], answer: str
) -> None:
    thread_id, events = await start(ask, "ask")
    item_id = item_of(events)["id"]
    events = await ask(
        "threads.add_structured_input", thread_id=thread_id, item_id=item_id, input=submission
    )
    assert texts(events) == [answer]


async def test_the_card_s_buttons_do_what_they_say(ask: Ask) -> None:
    thread_id, events = await start(ask, "widget")
    item = item_of(events)
    like, star, ping = (
        button["onClickAction"] for button in item["widget"]["children"][-1]["children"]
    )
    assert ping["handler"] == "client"

    events = await ask(
        "threads.custom_action", thread_id=thread_id, item_id=item["id"], action=like
    )
    (replaced,) = [event["item"] for event in events if event["type"] == "thread.item.replaced"]
    assert replaced["id"] == item["id"]
    assert "1 likes" in str(replaced["widget"])
    assert texts(events) == ["You like it 1 time over."]

    answer = await ask(
        "threads.sync_custom_action", thread_id=thread_id, item_id=item["id"], action=star
    )
    assert "starred" in str(answer["updated_item"]["widget"])


async def test_a_thread_is_named_after_its_first_message(ask: Ask) -> None:
    thread_id, _ = await start(ask, "text")
    await ask("threads.add_user_message", thread_id=thread_id, input=message("progress"))
    assert (await ask("threads.get_by_id", thread_id=thread_id))["title"] == "text"
