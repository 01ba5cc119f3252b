"""Servers that are wrong about items."""

from __future__ import annotations

from tests.conformance.mutants.building import (
    NO_LIMIT,
    NO_ORDER,
    Test,
    accepts,
    answers,
    asks,
    each_item,
    in_thread,
    item,
    kind,
    page,
    refuses,
    text_of,
    with_text,
    without,
)

PLAIN: Test = lambda asked: NO_LIMIT(asked) and NO_ORDER(asked)  # noqa: E731
asks(
    "items_newest_first",
    "items/oldest-first",
    when=lambda asked: (
        asked.kind == "items.list" and NO_LIMIT(asked) and asked.params.get("order") == "asc"
    ),
    change=lambda asked: asked.with_params(order="desc"),
)
asks(
    "items_oldest_first",
    "items/newest-first",
    when=lambda asked: asked.kind == "items.list" and NO_ORDER(asked),
    change=lambda asked: asked.with_params(order="asc"),
)
answers(
    "mixes_items",
    "items/only-this-threads-items",
    kind="items.list",
    when=PLAIN,
    change=page(lambda data: [*data, item()]),
)
answers(
    "items_without_time",
    "items/items-have-their-shape",
    kind="items.list",
    when=PLAIN,
    change=each_item(lambda each: without(each, "created_at")),
)
answers(
    "items_share_an_id",
    "items/item-ids-differ",
    kind="items.list",
    change=page(
        lambda data: [
            {**each, "id": "msg_same"} if text_of(each) in ("item 3", "item 4") else each
            for each in data
        ]
    ),
)
asks(
    "ignores_the_items_cursor",
    "items/pages-repeat-and-skip-nothing",
    when=lambda asked: asked.kind == "items.list" and asked.params.get("after"),
    change=lambda asked: asked.with_params(after=None),
)
asks(
    "gives_one_item_more",
    "items/limit-is-an-upper-bound",
    when=kind("items.list", limit=3),
    change=lambda asked: asked.with_params(limit=4),
)
answers(
    "pages_by_offset",
    "items/pages-hold-while-a-thread-grows",
    kind="items.list",
    when=lambda asked: asked.params.get("limit") == 10 and asked.params.get("after"),
    change=page(lambda data: data[1:]),
)
accepts(
    "begins_items_again", "items/unknown-cursor-is-refused", kind("items.list", after="msg_nowhere")
)
answers(
    "threads_have_bad_cursors",
    "items/cursor-of-a-thread-leads-on",
    kind="threads.get_by_id",
    change=lambda asked, value: {
        **value,
        "items": {**value["items"], **({"after": "msg_bad"} if value["items"]["has_more"] else {})},
    },
)
answers(
    "shows_hidden_items",
    "items/hidden-items-are-hidden",
    kind="items.list",
    change=page(
        lambda data: (
            [*data, item("hidden_context_item", content="x")]
            if any(text_of(each) == "before" for each in data)
            else data
        )
    ),
)
answers(
    "pages_have_gaps",
    "items/hidden-items-leave-no-gaps",
    kind="items.list",
    when=kind("items.list", limit=2),
    change=page(lambda data: data[:1]),
)
accepts(
    "lists_items_of_nothing",
    "items/unknown-thread-is-refused",
    lambda asked: (
        asked.kind == "items.list" and "does_not_exist" in str(asked.params.get("thread_id"))
    ),
)
answers(
    "stores_another_text",
    "items/stored-items-are-those-that-were-done",
    kind="items.list",
    when=kind("items.list", order="asc"),
    change=each_item(
        lambda each: (
            with_text(each, "You said hello") if text_of(each) == "You said: Hello" else each
        )
    ),
)
refuses("cannot_like", "items/thumbs-up", when=kind("items.feedback", kind="positive"))
refuses("cannot_dislike", "items/thumbs-down", when=kind("items.feedback", kind="negative"))
accepts(
    "votes_on_nothing",
    "items/feedback-on-nothing-is-refused",
    lambda asked: (
        asked.kind == "items.feedback" and "does_not_exist" in str(asked.params.get("thread_id"))
    ),
)
answers(
    "writes_nulls",
    "items/no-nulls",
    kind="threads.get_by_id",
    change=in_thread(lambda data: [{**each, "quoted_text": None} for each in data]),
)
answers(
    "drops_empty_arrays",
    "items/empty-arrays-are-there",
    kind="items.list",
    when=PLAIN,
    change=each_item(lambda each: {key: value for key, value in each.items() if value != []}),
)
answers(
    "stores_one_part",
    "items/stored-parts-are-those-that-were-done",
    kind="items.list",
    change=each_item(
        lambda each: (
            {**each, "content": each["content"][:1]}
            if text_of(each) == "one moretwo more"
            else each
        )
    ),
)
