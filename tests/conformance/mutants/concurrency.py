"""Servers that are wrong about concurrency."""

from __future__ import annotations

from typing import Any

from tests.conformance.broken import Asked, Events, Reply, json_reply
from tests.conformance.mutants.building import answers, having, mutant, page, simple, text_of


@mutant("concurrency/threads-do-not-mix")
def mixes_parallel_threads() -> dict[str, Any]:
    latest: list[Any] = []

    def hook(asked: Asked) -> Events:
        def each(event: Any) -> list[Any]:
            if event is None:
                return []
            if having(event, "user_message") and asked.text.startswith("Parallel"):
                latest.append(event["item"])
                return [{**event, "item": latest[0]}]
            return [event]

        return each

    return {"events": hook}


answers(
    "loses_one_of_two_turns",
    "concurrency/two-turns-in-one-thread",
    kind="items.list",
    change=page(
        lambda data: (
            [each for each in data if text_of(each) != "The quick brown fox."]
            if any(text_of(each) == "Me too" for each in data)
            else data
        )
    ),
)
simple(
    "does_one_thing_at_a_time", "concurrency/slow-turn-holds-nobody-up", lock=lambda asked: "all"
)
answers(
    "loses_parallel_threads",
    "concurrency/parallel-threads-are-listed",
    kind="threads.list",
    change=page(lambda data: data[:-1] if len(data) >= 8 else data),
)


@mutant("concurrency/one-of-several-renames-counts")
def refuses_parallel_renames() -> dict[str, Any]:
    count: list[Asked] = []

    def early(asked: Asked) -> Reply | None:
        if asked.kind == "threads.update" and asked.params.get("title") in (
            "a",
            "b",
            "c",
            "d",
            "e",
        ):
            count.append(asked)
            return json_reply({"message": "busy"}, 409) if len(count) == 3 else None
        return None

    return {"early": early}
