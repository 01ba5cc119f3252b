"""Servers that are wrong about idempotence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.conformance.broken import Asked, Reply, json_reply
from tests.conformance.mutants.building import Test, asks, kind, mutant, without
from tests.conformance.mutants.items import PLAIN


def counting(test: Test, change: Callable[[Any, int], Any]) -> dict[str, Any]:
    """Hooks of a server whose answers depend on how often it was asked."""
    count = 0

    def answer(asked: Asked, value: Any) -> Any:
        nonlocal count
        if test(asked):
            count += 1
            return change(value, count)
        return value

    return {"answer": answer}


@mutant("idempotence/reading-a-thread-changes-nothing")
def counts_readers() -> dict[str, Any]:
    return counting(
        kind("threads.get_by_id"),
        lambda value, count: (
            {**value, "title": f"{value.get('title')} {count}"}
            if count > 1 and "title" not in value
            else value
        ),
    )


@mutant("idempotence/reading-items-changes-nothing")
def turns_items_round() -> dict[str, Any]:
    return counting(
        lambda asked: asked.kind == "items.list" and PLAIN(asked),
        lambda value, count: {**value, "data": value["data"][::-1]} if count > 1 else value,
    )


@mutant("idempotence/renaming-twice")
def counts_renames() -> dict[str, Any]:
    return counting(
        kind("threads.update", title="Twice"),
        lambda value, count: {**value, "title": f"Twice {count}"},
    )


@mutant("idempotence/voting-twice")
def counts_votes() -> dict[str, Any]:
    return counting(kind("items.feedback"), lambda value, count: {"votes": count})


def _without_key(asked: Asked) -> Asked:
    return Asked(
        asked.method,
        without(asked.headers, "idempotency-key"),
        asked.query,
        asked.body,
        asked.value,
    )


asks(
    "ignores_keys",
    "idempotence/repeated-creation-makes-one-thread",
    when=lambda asked: "idempotency-key" in asked.headers,
    change=_without_key,
)


@mutant("idempotence/deleting-twice")
def crashes_on_second_deletions() -> dict[str, Any]:
    gone: set[str] = set()

    def early(asked: Asked) -> Reply | None:
        if asked.kind != "threads.delete":
            return None
        if asked.params["thread_id"] in gone:
            return json_reply({"message": "no"}, 500)
        gone.add(asked.params["thread_id"])
        return None

    return {"early": early}
