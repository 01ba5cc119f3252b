"""What mutants are made of, and the register of all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.conformance.broken import Asked, Broken, Events, Reply, json_reply, stream_reply


class Mutant(NamedTuple):
    """One way to be wrong."""

    targets: tuple[str, ...]
    """The cases that it was made for."""
    hooks: Callable[[], dict[str, Any]]
    """Makes the hooks of :class:`Broken`."""
    wide: bool
    """Whether it breaks something that most cases need."""

    def around(self, app: Any) -> Broken:
        """The broken server."""
        return Broken(app, **self.hooks())


MUTANTS: dict[str, Mutant] = {}


def mutant(*targets: str, wide: bool = False) -> Callable[[Callable[[], dict[str, Any]]], None]:
    """Register the hooks that a function makes under its name."""

    def register(hooks: Callable[[], dict[str, Any]]) -> None:
        name = getattr(hooks, "__name__")  # noqa: B009 (a callable need not have one)
        assert name not in MUTANTS, name
        MUTANTS[name] = Mutant(targets, hooks, wide)

    return register


def simple(name: str, *targets: str, wide: bool = False, **hooks: Any) -> None:
    """Register hooks that keep no state."""
    assert name not in MUTANTS, name
    MUTANTS[name] = Mutant(targets, lambda: hooks, wide)


Test = Callable[[Asked], Any]
STREAMS = {
    "threads.create",
    "threads.add_user_message",
    "threads.add_client_tool_output",
    "threads.add_structured_input",
    "threads.retry_after_item",
    "threads.custom_action",
}
NOW = "2026-03-14T09:26:53Z"


def thread(identity: str = "thr_fake", **fields: Any) -> dict[str, Any]:
    items = {"data": [], "has_more": False}
    return {
        "id": identity,
        "created_at": NOW,
        "status": {"type": "active"},
        "items": items,
        **fields,
    }


def item(kind: str = "end_of_turn", **fields: Any) -> dict[str, Any]:
    return {"id": "msg_fake", "thread_id": "thr_fake", "created_at": NOW, "type": kind, **fields}


def success(asked: Asked) -> Reply:
    """An answer as if the request had been carried out."""
    options = {"type": "stream_options", "stream_options": {"allow_cancel": True}}
    if asked.kind == "threads.create":
        return stream_reply({"type": "thread.created", "thread": thread()}, options)
    if asked.kind in STREAMS:
        return stream_reply(options)
    if asked.kind in ("threads.get_by_id", "threads.update"):
        return json_reply(thread())
    if asked.kind == "input.transcribe":
        return json_reply({"text": ""})
    if asked.kind == "attachments.create":
        return json_reply({"id": "atc", "name": "a", "mime_type": "a/b", "type": "file"})
    return json_reply({"data": [], "has_more": False})


def accepts(name: str, target: str, when: Test) -> None:
    """A server that takes what it should refuse."""
    simple(
        name, target, refusal=lambda asked, status, told: success(asked) if when(asked) else None
    )


def refuses(name: str, *targets: str, when: Test, status: int = 400) -> None:
    """A server that refuses what it should take."""
    reply = json_reply({"message": "no"}, status)
    simple(name, *targets, early=lambda asked: reply if when(asked) else None)


def crashes(name: str, target: str, when: Test) -> None:
    """A server that answers 500 where the client is wrong."""
    reply = json_reply({"message": "no"}, 500)
    simple(name, target, refusal=lambda asked, status, told: reply if when(asked) else None)


def answers(
    name: str,
    *targets: str,
    kind: str,
    change: Callable[[Asked, Any], Any],
    when: Test = bool,
    wide: bool = False,
) -> None:
    """A server that changes the JSON of one kind of answer."""
    simple(
        name, *targets, wide=wide,
        answer=lambda asked, value: change(asked, value) if asked.kind == kind and when(asked) else value,
    )  # fmt: skip


def events(
    name: str, *targets: str, change: Callable[[Any], Any], when: Test = bool, wide: bool = False
) -> None:
    """A server that changes the events of its streams, each by itself: to one, several or none."""

    def each(event: Any) -> list[Any]:
        if event is None:
            return []
        changed = change(event)
        return changed if isinstance(changed, list) else [] if changed is None else [changed]

    def hook(asked: Asked) -> Events:
        return each if when(asked) else lambda event: [] if event is None else [event]

    simple(name, *targets, wide=wide, events=hook)


def asks(
    name: str,
    *targets: str,
    change: Callable[[Asked], Asked],
    when: Test = bool,
    wide: bool = False,
) -> None:
    """A server that understands something else than it was asked."""
    simple(name, *targets, wide=wide, asks=lambda asked: change(asked) if when(asked) else asked)


def head(
    name: str,
    *targets: str,
    change: Callable[[Asked, dict[str, str]], Any],
    when: Test = bool,
    wide: bool = False,
) -> None:
    """A server that sends other headers."""

    def hook(asked: Asked, status: int, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
        if when(asked):
            change(asked, headers)
        return status, headers

    simple(name, *targets, wide=wide, head=hook)


def says(*texts: str) -> Test:
    return lambda asked: asked.text in texts


def triggers(*names: str) -> Test:
    return says(*(f"conformance: {name}" for name in names))


def kind(name: str, **params: Any) -> Test:
    return lambda asked: (
        asked.kind == name and all(asked.params.get(key) == value for key, value in params.items())
    )


def having(event: Any, kind: str) -> bool:
    """Whether the event finishes, or brings, an item of the type."""
    return (
        event["type"] in ("thread.item.done", "thread.item.replaced")
        and event["item"]["type"] == kind
    )


def without(value: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: inner for key, inner in value.items() if key not in keys}


def page(change: Callable[[list[Any]], list[Any]]) -> Callable[[Asked, Any], Any]:
    """Changes the records of a page."""
    return lambda asked, value: {**value, "data": change(value["data"])}


def each_item(change: Callable[[Any], Any]) -> Callable[[Asked, Any], Any]:
    """Changes each item of a page."""
    return page(lambda data: [found for found in map(change, data) if found is not None])


def in_thread(change: Callable[[list[Any]], list[Any]]) -> Callable[[Asked, Any], Any]:
    """Changes the items of a thread."""
    return lambda asked, value: {
        **value,
        "items": {**value["items"], "data": change(value["items"]["data"])},
    }


def text_of(item: Any) -> str:
    return "".join(part.get("text", "") for part in item.get("content", []))


def with_text(item: Any, text: str) -> Any:
    return {**item, "content": [{**item["content"][0], "text": text}]}


def no_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: no_nulls(inner) for key, inner in value.items() if inner is not None}
    return (
        [no_nulls(inner) for inner in value if inner is not None]
        if isinstance(value, list)
        else value
    )


NO_LIMIT: Test = lambda asked: "limit" not in asked.params  # noqa: E731
NO_ORDER: Test = lambda asked: "order" not in asked.params  # noqa: E731
CREATES = kind("threads.create")
LISTS = kind("threads.list")
