"""Servers that are wrong about tools."""

from __future__ import annotations

import json

from tests.conformance.mutants.building import (
    accepts,
    answers,
    asks,
    each_item,
    events,
    having,
    kind,
    no_nulls,
    refuses,
    says,
    triggers,
)

OUTPUTS = kind("threads.add_client_tool_output")
events(
    "completes_calls_itself",
    "tools/tool-call-is-pending",
    when=triggers("tool"),
    change=lambda event: (
        {**event, "item": {**event["item"], "status": "completed"}}
        if having(event, "client_tool_call")
        else event
    ),
)
events(
    "drops_nulls_in_arguments",
    "tools/arguments-keep-their-nulls",
    when=triggers("tool"),
    change=lambda event: (
        {**event, "item": no_nulls(event["item"])} if having(event, "client_tool_call") else event
    ),
)
for name, type_ in (("object", dict), ("array", list), ("string", str)):
    asks(
        f"spoils_{name}_outputs",
        f"tools/output-{name}",
        when=lambda asked, type_=type_: (
            OUTPUTS(asked) and isinstance(asked.params.get("result"), type_)
        ),
        change=lambda asked: asked.with_params(result=repr(asked.params["result"])),
    )
refuses(
    "refuses_null_outputs",
    "tools/output-null",
    when=lambda asked: OUTPUTS(asked) and asked.params.get("result", 0) is None,
)
events(
    "forgets_outputs",
    "tools/assistant-gets-the-output",
    when=OUTPUTS,
    change=lambda event: json.loads(
        json.dumps(event).replace(
            'conformance result: {\\"seen\\": true}', "conformance result: null"
        )
    ),
)
accepts(
    "takes_outputs_without_a_call",
    "tools/output-without-a-call-is-refused",
    kind("threads.add_client_tool_output", result="x"),
)
accepts(
    "takes_second_outputs",
    "tools/second-output-is-refused",
    kind("threads.add_client_tool_output", result="second"),
)
accepts(
    "takes_outputs_nowhere",
    "tools/output-to-nowhere-is-refused",
    kind("threads.add_client_tool_output", thread_id="thr_conformance_nowhere"),
)
refuses(
    "looks_at_the_last_item",
    "tools/call-is-found-behind-a-message",
    when=kind("threads.add_client_tool_output", result="late"),
    status=409,
)
accepts(
    "takes_all_outputs",
    "tools/one-of-several-outputs-counts",
    lambda asked: OUTPUTS(asked) and asked.params.get("result") in (0, 1, 2),
)
refuses(
    "waits_for_the_output",
    "tools/message-instead-of-an-output",
    when=says("Never mind"),
    status=409,
)
answers(
    "leaves_calls_pending",
    "tools/no-call-stays-pending",
    kind="items.list",
    change=each_item(
        lambda each: (
            {**each, "status": "pending"}
            if each["type"] == "client_tool_call"
            and each.get("call_id") == "call_conformance"
            and isinstance(each.get("output"), dict)
            and "error" in each["output"]
            else each
        )
    ),
)
answers(
    "leaves_second_calls_pending",
    "tools/no-second-call-stays-pending",
    kind="items.list",
    change=each_item(
        lambda each: {**each, "status": "pending"} if each.get("call_id") == "call_one" else each
    ),
)
