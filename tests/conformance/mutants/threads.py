"""Servers that are wrong about threads."""

from __future__ import annotations

from typing import Any

from tests.conformance.broken import Asked, Events, Reply, json_reply
from tests.conformance.mutants.building import (
    NO_ORDER,
    accepts,
    answers,
    asks,
    events,
    in_thread,
    item,
    kind,
    mutant,
    page,
    refuses,
    says,
    simple,
    without,
)

answers(
    "loses_the_last_item",
    "threads/created-thread-can-be-read",
    kind="threads.get_by_id",
    change=in_thread(lambda data: data[:-1]),
)
answers(
    "locks_new_threads",
    "threads/new-thread-is-active",
    kind="threads.get_by_id",
    change=lambda asked, value: {**value, "status": {"type": "locked"}},
)
events(
    "has_one_thread_id",
    "threads/thread-ids-differ",
    when=says("Hello"),
    wide=True,
    change=lambda event: (
        {**event, "thread": {**event["thread"], "id": "thr_one"}}
        if event["type"] == "thread.created"
        else event
    ),
)
answers(
    "counts_from_1970",
    "threads/times-are-iso",
    kind="threads.get_by_id",
    change=lambda asked, value: {**value, "created_at": "1970-01-01T00:00:00Z"},
)
answers(
    "tells_local_time",
    "threads/times-have-an-offset",
    kind="threads.get_by_id",
    change=lambda asked, value: {**value, "created_at": value["created_at"].removesuffix("Z")},
)
answers(
    "shows_metadata",
    "threads/metadata-is-private",
    kind="threads.update",
    change=lambda asked, value: {**value, "metadata": {"private": "conformance-secret"}},
)
answers(
    "turns_threads_round",
    "threads/items-stand-in-order",
    kind="threads.get_by_id",
    change=in_thread(lambda data: data[::-1]),
)
answers(
    "opens_at_the_beginning",
    "threads/long-thread-opens-at-its-end",
    kind="threads.get_by_id",
    change=in_thread(lambda data: data[:-1] if len(data) >= 20 else data),
)
accepts(
    "makes_up_threads",
    "threads/unknown-thread-is-refused",
    lambda asked: (
        asked.kind == "threads.get_by_id" and "does_not_exist" in str(asked.params.get("thread_id"))
    ),
)
asks(
    "ignores_the_cursor",
    "threads/pages-repeat-and-skip-nothing",
    when=lambda asked: asked.kind == "threads.list" and asked.params.get("after"),
    change=lambda asked: asked.with_params(after=None),
)
asks(
    "gives_one_more",
    "threads/limit-is-an-upper-bound",
    when=kind("threads.list", limit=1),
    change=lambda asked: asked.with_params(limit=2),
)
answers(
    "takes_0_for_none",
    "threads/no-limit-is-the-servers-choice",
    kind="threads.list",
    when=lambda asked: asked.params.get("limit", 1) == 0,
    change=page(lambda data: []),
)
answers(
    "has_no_cursor",
    "threads/has-more-and-a-cursor",
    kind="threads.list",
    when=kind("threads.list", limit=1),
    change=lambda asked, value: without(value, "after"),
)
answers(
    "always_has_more",
    "threads/last-page-says-so",
    kind="items.list",
    when=NO_ORDER,
    change=lambda asked, value: {**value, "has_more": True, "after": "msg_x"},
)
refuses(
    "refuses_9999",
    "threads/huge-limit-is-answered",
    "items/huge-limit-is-answered",
    when=lambda asked: asked.params.get("limit") == 9999,
)
answers(
    "always_has_a_cursor",
    "threads/no-cursor-on-the-last-page",
    kind="items.list",
    change=lambda asked, value: {
        **value,
        "after": value["data"][-1]["id"] if value["data"] else "x",
    },
)
accepts(
    "begins_again",
    "threads/unknown-cursor-is-refused",
    kind("threads.list", after="thr_conformance_does_not_exist"),
)
asks(
    "takes_minus_one",
    "threads/negative-limit-is-refused",
    when=kind("threads.list", limit=-1),
    change=lambda asked: asked.with_params(limit=1),
)
asks(
    "lists_oldest_first",
    "threads/newest-first",
    when=lambda asked: asked.kind == "threads.list" and "order" not in asked.params,
    change=lambda asked: asked.with_params(order="asc"),
)
asks(
    "lists_newest_first",
    "threads/oldest-first",
    when=kind("threads.list", order="asc"),
    change=lambda asked: asked.with_params(order="desc"),
)
answers(
    "lists_items_too",
    "threads/list-has-no-items",
    kind="threads.list",
    change=page(
        lambda data: [{**each, "items": {"data": [item()], "has_more": False}} for each in data]
    ),
)
answers(
    "lists_late",
    "threads/new-thread-is-listed",
    kind="threads.list",
    change=page(lambda data: data[1:]),
)
answers(
    "answers_the_old_title",
    "threads/rename",
    kind="threads.update",
    change=lambda asked, value: {**value, "title": "old"},
)
answers(
    "lists_no_titles",
    "threads/rename-is-listed",
    kind="threads.list",
    change=page(lambda data: [without(each, "title") for each in data]),
)
accepts(
    "renames_nothing",
    "threads/rename-of-nothing-is-refused",
    lambda asked: (
        asked.kind == "threads.update" and "does_not_exist" in str(asked.params.get("thread_id"))
    ),
)
asks(
    "titles_in_ascii",
    "threads/any-title",
    when=kind("threads.update"),
    change=lambda asked: asked.with_params(
        **(
            {"title": asked.params["title"].encode("ascii", "ignore").decode()}
            if isinstance(asked.params.get("title"), str)
            else {}
        )
    ),
)
refuses("wants_a_title", "threads/empty-title", when=kind("threads.update", title=""))
simple(
    "never_deletes",
    "threads/deleted-thread-cannot-be-read",
    "threads/deleted-thread-is-not-listed",
    "threads/deleted-thread-has-no-items",
    "threads/deleted-thread-takes-no-message",
    "cancellation/delete-meanwhile-counts",
    early=lambda asked: json_reply({}) if asked.kind == "threads.delete" else None,
)
refuses(
    "cannot_delete_nothing",
    "threads/deleting-nothing-is-fine",
    when=kind("threads.delete", thread_id="thr_conformance_does_not_exist"),
    status=404,
)


@mutant("threads/other-threads-stay")
def deletes_too_much() -> dict[str, Any]:
    gone: set[str] = set()
    made: set[str] = set()

    def hook(asked: Asked) -> Events:
        def each(event: Any) -> list[Any]:
            if event is None:
                return []
            if event["type"] == "thread.created":
                made.add(event["thread"]["id"])
            return [event]

        return each

    def early(asked: Asked) -> Reply | None:
        if asked.kind == "threads.delete":
            gone.update(made)
        if asked.kind == "threads.get_by_id" and asked.params["thread_id"] in gone:
            return json_reply({"message": "gone"}, 404)
        return None

    return {"events": hook, "early": early}
