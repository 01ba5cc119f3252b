"""Servers that are wrong about widgets."""

from __future__ import annotations

import json
from typing import Any

from tests.conformance.broken import Asked
from tests.conformance.mutants.building import (
    accepts,
    answers,
    asks,
    each_item,
    events,
    having,
    item,
    kind,
    no_nulls,
    refuses,
    simple,
    triggers,
    without,
)
from tests.conformance.mutants.streams import drops

ACTS = kind("threads.custom_action")
SYNC = kind("threads.sync_custom_action")


def action(asked: Asked) -> Any:
    return asked.params.get("action") or {} if ACTS(asked) or SYNC(asked) else {}


def paying(asked: Asked, payload: Any) -> Asked:
    return asked.with_params(action={**action(asked), "payload": payload})


events(
    "forgets_copy_text",
    "widgets/widget-item",
    when=triggers("widget"),
    change=lambda event: (
        {**event, "item": without(event["item"], "copy_text")} if having(event, "widget") else event
    ),
)
answers(
    "stores_no_buttons",
    "widgets/widget-is-stored",
    kind="items.list",
    change=each_item(
        lambda each: (
            {**each, "widget": {**each["widget"], "children": each["widget"]["children"][:2]}}
            if each["type"] == "widget" and len(each["widget"].get("children", [])) == 3
            else each
        )
    ),
)
asks(
    "flattens_payloads",
    "widgets/action-reaches-its-handler",
    when=lambda asked: (
        isinstance(action(asked).get("payload"), dict) and "deep" in action(asked)["payload"]
    ),
    change=lambda asked: paying(asked, {"id": 7}),
)
refuses(
    "wants_a_payload",
    "widgets/action-without-payload",
    when=lambda asked: (
        action(asked).get("type") == "conformance.echo" and "payload" not in action(asked)
    ),
)
asks(
    "takes_objects_only",
    "widgets/action-with-a-string",
    when=lambda asked: isinstance(action(asked).get("payload"), str),
    change=lambda asked: paying(asked, None),
)
asks(
    "drops_nulls_in_payloads",
    "widgets/action-with-an-array",
    when=lambda asked: isinstance(action(asked).get("payload"), list),
    change=lambda asked: paying(asked, no_nulls(action(asked)["payload"])),
)
accepts(
    "acts_nowhere",
    "widgets/action-in-no-thread-is-refused",
    kind("threads.custom_action", thread_id="thr_conformance_nowhere"),
)
events(
    "actions_fail_without_a_word",
    "widgets/failing-action-is-an-error-event",
    when=lambda asked: action(asked).get("type") == "conformance.fail",
    change=drops("error"),
)
refuses(
    "minds_the_clients_keys",
    "widgets/action-with-the-clients-own-keys",
    when=lambda asked: "handler" in action(asked),
)
refuses(
    "wants_a_sender",
    "widgets/action-with-item-id-null",
    when=lambda asked: ACTS(asked) and asked.params.get("item_id", 0) is None,
)
refuses(
    "wants_an_item_id",
    "widgets/action-without-item-id",
    when=lambda asked: ACTS(asked) and "item_id" not in asked.params,
)
refuses(
    "looks_for_an_empty_id",
    "widgets/action-with-an-empty-item-id",
    when=kind("threads.custom_action", item_id=""),
    status=404,
)
accepts(
    "takes_actions_of_nothing",
    "widgets/action-of-nothing-is-refused",
    kind("threads.custom_action", item_id="msg_nowhere"),
)
accepts(
    "takes_sync_actions_of_nothing",
    "widgets/sync-action-of-nothing-is-refused",
    kind("threads.sync_custom_action", item_id="msg_nowhere"),
)
accepts(
    "takes_actions_of_messages",
    "widgets/action-of-a-message-is-refused",
    lambda asked: (
        ACTS(asked)
        and action(asked) == {"type": "conformance.echo"}
        and asked.params["item_id"] != "msg_nowhere"
    ),
)
accepts(
    "takes_sync_actions_of_messages",
    "widgets/sync-action-of-a-message-is-refused",
    lambda asked: (
        SYNC(asked)
        and action(asked) == {"type": "conformance.sync"}
        and asked.params["item_id"] != "msg_nowhere"
    ),
)
events(
    "replaces_in_secret",
    "widgets/replaced-widget-is-told-and-stored",
    when=ACTS,
    change=drops("thread.item.replaced"),
)
answers(
    "syncs_in_secret",
    "widgets/sync-action-gives-the-item",
    kind="threads.sync_custom_action",
    change=lambda asked, value: (
        {**value, "updated_item": {**value["updated_item"], "id": "msg_x"}}
        if "updated_item" in value
        else value
    ),
)
answers(
    "syncs_too_much",
    "widgets/sync-action-gives-nothing",
    kind="threads.sync_custom_action",
    change=lambda asked, value: {"updated_item": item(), **value},
)
answers(
    "forgets_sync_actions",
    "widgets/sync-action-is-stored",
    kind="items.list",
    change=lambda asked, value: json.loads(json.dumps(value).replace('"synced"', '"Draft"')),
)
simple(
    "syncs_after_the_turn",
    "widgets/sync-action-during-a-turn",
    lock=lambda asked: "sync" if asked.text == "conformance: slow" or SYNC(asked) else None,
)
accepts(
    "takes_actions_without_type",
    "widgets/action-without-type-is-refused",
    lambda asked: ACTS(asked) and "type" not in action(asked),
)
events(
    "drops_nulls_in_widgets",
    "widgets/nulls-in-a-payload-stay",
    when=triggers("widget-nulls"),
    change=lambda event: (
        {**event, "item": no_nulls(event["item"])} if having(event, "widget") else event
    ),
)
answers(
    "stores_known_props",
    "widgets/unknown-props-are-kept",
    kind="items.list",
    change=each_item(
        lambda each: (
            {**each, "widget": without(each["widget"], "odd")} if each["type"] == "widget" else each
        )
    ),
)
