"""Servers that are broken in one way each, and the case that each was made for.

Every mutant is our testee with one wrong habit. :data:`MUTANTS` has them by name; ``matrix.json`` says which cases each
of them fails. State lives in the closures: an app is made anew for every case.
"""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

from .broken import Asked, Broken, Events, Reply, json_reply, stream_reply


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


# -- building blocks ---------------------------------------------------------------------------

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

# -- transport ---------------------------------------------------------------------------------

refuses("minds_the_query", "transport/query-says-nothing", when=lambda asked: asked.query)
answers(
    "lists_in_an_array",
    "transport/json-answer",
    kind="threads.list",
    when=lambda asked: asked.params == {},
    change=lambda asked, value: [value],
)
head(
    "streams_as_octets",
    "transport/stream-answer",
    when=says("Hello"),
    wide=True,
    change=lambda asked, headers: headers.update({"content-type": "application/octet-stream"}),
)
events(
    "sends_an_array",
    "transport/frames-hold-events",
    when=says("Hello"),
    wide=True,
    change=lambda event: [[event]],
)
simple(
    "names_its_frames",
    "transport/frames-are-one-line",
    raw=lambda asked, body: body.replace(b"data: {", b"event: message\ndata: {"),
)
simple("cuts_streams", "transport/stream-ends-properly", wide=True, cut=says("Hello"))
events(
    "indents_json",
    "transport/frames-are-one-line",
    when=says("Hello"),
    change=lambda event: b"data: " + json.dumps(event).encode() + b"\n\n",
)


@mutant("transport/no-done-frame", wide=True)
def says_done() -> dict[str, Any]:
    def hook(asked: Asked) -> Events:
        def each(event: Any) -> list[Any]:
            return (
                ([b"data: [DONE]\n\n"] if asked.text == "Hello" else [])
                if event is None
                else [event]
            )

        return each

    return {"events": hook}


simple(
    "marks_byte_order",
    "transport/bodies-are-utf8",
    answer=lambda asked, value: (
        b"\xef\xbb\xbf" + json.dumps(value).encode() if asked.kind == "threads.get_by_id" else value
    ),
)
simple("buffers_the_stream", "transport/events-come-as-they-happen", whole=triggers("slow"))
simple("waits_for_the_model", "transport/first-frames-do-not-wait", whole=triggers("silent"))
head(
    "forgets_cache_control",
    "transport/stream-is-not-cached",
    change=lambda asked, headers: headers.pop("cache-control", ""),
)
head(
    "forgets_nginx",
    "transport/stream-asks-not-to-be-buffered",
    change=lambda asked, headers: headers.pop("x-accel-buffering", ""),
)
simple(
    "keeps_silent",
    "transport/silence-is-broken-by-comments",
    raw=lambda asked, body: body.replace(b": keep-alive\n\n", b""),
)


@mutant("transport/stream-is-not-compressed")
def compresses() -> dict[str, Any]:
    packer = zlib.compressobj(wbits=31)

    def wants(asked: Asked) -> bool:
        return "gzip" in asked.headers.get("accept-encoding", "")

    def change(asked: Asked, status: int, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
        return status, {**headers, **({"content-encoding": "gzip"} if wants(asked) else {})}

    def raw(asked: Asked, body: bytes) -> bytes:
        return packer.compress(body) + packer.flush(zlib.Z_SYNC_FLUSH) if wants(asked) else body

    return {"head": change, "raw": raw}


def _as_post(asked: Asked) -> Asked:
    return Asked(
        "POST",
        asked.headers,
        asked.query,
        asked.body or b'{"type":"threads.list","params":{}}',
        asked.value,
    )


asks(
    "takes_every_method",
    "transport/other-methods-do-nothing",
    when=lambda asked: asked.method != "POST",
    change=_as_post,
)
refuses(
    "answers_404_to_put",
    "transport/other-methods-get-405",
    when=lambda asked: asked.method != "POST",
    status=404,
)
refuses(
    "minds_the_charset",
    "transport/content-type-with-charset",
    when=lambda asked: ";" in asked.headers.get("content-type", ""),
    status=415,
)


def _as_json(asked: Asked) -> Asked:
    headers = {**asked.headers, "content-type": "application/json"}
    return Asked(asked.method, headers, asked.query, asked.body, asked.value)


asks(
    "takes_plain_text",
    "transport/plain-text-is-refused",
    when=lambda asked: "plain" in asked.headers.get("content-type", ""),
    change=_as_json,
)
asks(
    "takes_forms",
    "transport/form-is-refused",
    when=lambda asked: "form" in asked.headers.get("content-type", ""),
    change=_as_json,
)
simple(
    "obeys_accept_json",
    "transport/accept-json-still-streams",
    early=lambda asked: (
        json_reply({"events": []}) if asked.headers.get("accept") == "application/json" else None
    ),
)
head(
    "obeys_accept_stream",
    "transport/accept-stream-still-gets-json",
    when=lambda asked: asked.headers.get("accept") == "text/event-stream",
    change=lambda asked, headers: headers.update({"content-type": "text/event-stream"}),
)
refuses(
    "minds_odd_headers", "transport/unknown-headers", when=lambda asked: "x-odd" in asked.headers
)
refuses(
    "needs_a_length",
    "transport/chunked-body",
    "robustness/slow-body",
    when=lambda asked: "transfer-encoding" in asked.headers,
    status=411,
)
head(
    "opens_to_every_page",
    "transport/no-credentials-for-every-origin",
    when=lambda asked: "origin" in asked.headers,
    change=lambda asked, headers: headers.update(
        {"access-control-allow-origin": "*", "access-control-allow-credentials": "true"}
    ),
)
head(
    "has_no_request_id",
    "transport/request-id",
    change=lambda asked, headers: headers.pop("x-request-id", ""),
)

# -- threads -----------------------------------------------------------------------------------

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


# -- items -------------------------------------------------------------------------------------

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

# -- streams -----------------------------------------------------------------------------------


def holding(wanted: Callable[[Any], bool], when: Test) -> dict[str, Any]:
    """Hooks that send some events at the end."""

    def hook(asked: Asked) -> Events:
        held: list[Any] = []

        def each(event: Any) -> list[Any]:
            if event is None:
                return held
            if when(asked) and wanted(event):
                held.append(event)
                return []
            return [event]

        return each

    return {"events": hook}


simple(
    "creates_late",
    "streams/begins-with-thread-created",
    **holding(lambda event: event["type"] == "thread.created", says("Hello")),
)
simple(
    "tells_the_message_late",
    "streams/user-message-comes-first",
    **holding(
        lambda event: having(event, "user_message"),
        lambda asked: CREATES(asked) and asked.text == "Hello",
    ),
)
events(
    "creates_again",
    "streams/thread-is-created-once",
    when=says("Two"),
    change=lambda event: (
        [{"type": "thread.created", "thread": thread()}, event]
        if event["type"] == "stream_options"
        else event
    ),
)


def user(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda event: (
        {**event, "item": change(event["item"])} if having(event, "user_message") else event
    )


events(
    "drops_tags_data",
    "streams/user-message-has-its-content",
    change=user(
        lambda each: {
            **each,
            "content": [
                {**part, "data": {}} if "data" in part else part for part in each["content"]
            ],
        }
    ),
)
events(
    "drops_quotes",
    "streams/user-message-has-its-quote",
    change=user(lambda each: without(each, "quoted_text")),
)
events(
    "drops_options",
    "streams/user-message-has-its-options",
    change=user(lambda each: {**each, "inference_options": {}}),
)
events(
    "has_no_stream_options",
    "streams/stream-options-come-before-the-answer",
    when=says("Hello"),
    change=lambda event: None if event["type"] == "stream_options" else event,
)
events(
    "never_finishes_text",
    "streams/added-items-are-done",
    when=triggers("text"),
    change=lambda event: None if having(event, "assistant_message") else event,
)
events(
    "finishes_without_text",
    "streams/done-carries-everything",
    when=triggers("text"),
    change=lambda event: (
        {**event, "item": with_text(event["item"], "The")}
        if having(event, "assistant_message")
        else event
    ),
)
events(
    "finishes_another_type",
    "streams/done-has-the-added-items-type",
    when=triggers("workflow"),
    change=lambda event: (
        {**event, "item": {**event["item"], "type": "end_of_turn"}}
        if event["type"] == "thread.item.added"
        else event
    ),
)
events(
    "updates_what_is_done",
    "streams/updates-are-for-open-items",
    when=triggers("two-messages"),
    change=lambda event: (
        [
            event,
            {
                "type": "thread.item.updated",
                "item_id": event["item"]["id"],
                "update": {
                    "type": "assistant_message.content_part.text_delta",
                    "content_index": 0,
                    "delta": "",
                },
            },
        ]
        if having(event, "assistant_message")
        else event
    ),
)
answers(
    "stores_late",
    "streams/done-items-are-stored",
    kind="items.list",
    when=PLAIN,
    change=page(
        lambda data: [] if any(text_of(each) == "conformance: slow" for each in data) else data
    ),
)
answers(
    "keeps_what_was_replaced",
    "streams/replaced-items-are-stored",
    kind="items.list",
    change=each_item(lambda each: with_text(each, "old") if text_of(each) == "new" else each),
)
answers(
    "adds_what_replaces",
    "streams/replaced-items-keep-their-place",
    kind="items.list",
    change=page(
        lambda data: (
            [*data, {**data[-1], "id": "msg_again"}]
            if data and text_of(data[-1]) == "new"
            else data
        )
    ),
)


@mutant("streams/removed-items-are-gone")
def keeps_what_was_removed() -> dict[str, Any]:
    seen: dict[str, Any] = {}
    removed: list[Any] = []

    def hook(asked: Asked) -> Events:
        def each(event: Any) -> list[Any]:
            if event is None:
                return []
            if event["type"] == "thread.item.done":
                seen[event["item"]["id"]] = event["item"]
            if event["type"] == "thread.item.removed":
                removed.append(seen[event["item_id"]])
            return [event]

        return each

    return {
        "events": hook,
        "answer": lambda asked, value: (
            {**value, "data": [*value["data"], *removed]} if asked.kind == "items.list" else value
        ),
    }


def drops(*kinds: str) -> Callable[[Any], Any]:
    return lambda event: None if event["type"] in kinds else event


for name in ("title", "lock", "close"):
    events(
        f"keeps_{name}_secret",
        f"streams/{name}-is-told",
        when=triggers(name),
        change=drops("thread.updated"),
    )
events(
    "updates_with_items",
    "streams/updated-thread-has-no-items",
    change=lambda event: (
        {**event, "thread": {**event["thread"], "items": {"data": [item()], "has_more": False}}}
        if event["type"] == "thread.updated"
        else event
    ),
)
events("makes_no_progress", "streams/progress-is-for-the-moment", change=drops("progress_update"))
events(
    "takes_no_notice",
    "streams/notices-are-for-the-moment",
    change=lambda event: {**event, "level": "warning"} if event["type"] == "notice" else event,
)
events(
    "has_no_effect",
    "streams/effects-are-for-the-moment",
    change=lambda event: {**event, "data": {}} if event["type"] == "client_effect" else event,
)
events(
    "always_allows_to_stop",
    "streams/stream-options-can-change",
    change=lambda event: (
        {**event, "stream_options": {"allow_cancel": True}}
        if event["type"] == "stream_options"
        else event
    ),
)
answers(
    "stores_progress",
    "streams/progress-is-for-the-moment",
    kind="items.list",
    change=page(
        lambda data: (
            [*data, item()]
            if any(text_of(each) == "conformance: progress" for each in data)
            else data
        )
    ),
)
events(
    "uses_ids_again",
    "streams/ids-are-not-used-again",
    when=triggers("items"),
    change=lambda event: (
        {**event, "item": {**event["item"], "id": "msg_again"}}
        if event["type"] == "thread.item.done" and text_of(event["item"]) == "item 3"
        else event
    ),
)
events(
    "wants_an_answer",
    "streams/turn-without-an-answer",
    when=triggers("nothing"),
    change=lambda event: (
        [event, {"type": "error", "code": "stream.error", "allow_retry": True}]
        if event["type"] == "stream_options"
        else event
    ),
)
asks(
    "mishears",
    "streams/further-message",
    when=says("Two"),
    change=lambda asked: asked.with_params(
        input={**asked.params["input"], "content": [{"type": "input_text", "text": "Too"}]}
    ),
)
accepts(
    "answers_in_nowhere",
    "streams/message-to-nowhere-is-refused",
    lambda asked: (
        asked.kind == "threads.add_user_message"
        and asked.params["thread_id"] == "thr_conformance_nowhere"
    ),
)


@mutant("streams/locked-thread-takes-no-message", "streams/closed-thread-takes-no-message")
def opens_what_is_locked() -> dict[str, Any]:
    return {
        "refusal": lambda asked, status, told: (
            success(asked)
            if (status == 409 and told["error"]["code"] == "thread_locked")
            or (status == 409 and "closed" in told["error"]["code"])
            else None
        )
    }


events(
    "sends_half_an_event",
    "streams/events-have-their-shape",
    when=says("Hello"),
    wide=True,
    change=lambda event: (
        [event, {"type": "notice"}] if event["type"] == "stream_options" else event
    ),
)
events(
    "items_name_another_thread",
    "streams/items-name-their-thread",
    when=says("Hello"),
    change=lambda event: (
        {**event, "item": {**event["item"], "thread_id": "thr_other"}}
        if event["type"] == "thread.item.done"
        else event
    ),
)
events(
    "renames_tasks",
    "streams/task-item",
    when=triggers("task"),
    change=lambda event: (
        {**event, "item": {**event["item"], "task": {"type": "custom", "title": "Done"}}}
        if having(event, "task")
        else event
    ),
)
answers(
    "stores_no_end",
    "streams/end-of-turn-item",
    kind="items.list",
    change=each_item(lambda each: None if each["type"] == "end_of_turn" else each),
)
events(
    "cites_pages_only",
    "streams/annotations-are-stored",
    when=triggers("annotations"),
    change=lambda event: (
        {
            **event,
            "item": {
                **event["item"],
                "content": [
                    {**part, "annotations": part["annotations"][:1]}
                    for part in event["item"]["content"]
                ],
            },
        }
        if having(event, "assistant_message")
        else event
    ),
)

# -- deltas ------------------------------------------------------------------------------------

PART = "assistant_message.content_part."


def update(kind: str, change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Changes updates of a type."""

    def each(event: Any) -> Any:
        if event["type"] != "thread.item.updated" or event["update"]["type"] != kind:
            return event
        changed = change(event["update"])
        return None if changed is None else {**event, "update": changed}

    return each


events(
    "loses_a_delta",
    "deltas/text-folds",
    when=triggers("text"),
    change=update(f"{PART}text_delta", lambda each: None if "brown" in each["delta"] else each),
)
events(
    "tidies_separators",
    "deltas/odd-text-folds",
    when=triggers("unicode"),
    change=lambda event: json.loads(json.dumps(event).replace("\\u2028", "\\n")),
)
events(
    "puts_all_in_one_part",
    "deltas/parts-alternate",
    when=triggers("parts"),
    change=update(f"{PART}text_delta", lambda each: {**each, "content_index": 0}),
)
events(
    "cites_twice",
    "deltas/annotations-fold",
    when=triggers("annotations"),
    change=lambda event: (
        [event, event] if event.get("update", {}).get("annotation_index") == 2 else event
    ),
)


@mutant("deltas/messages-alternate")
def mixes_messages() -> dict[str, Any]:
    def hook(asked: Asked) -> Events:
        first = ""

        def each(event: Any) -> list[Any]:
            nonlocal first
            if event is None:
                return []
            if asked.text == "conformance: two-messages" and event["type"] == "thread.item.added":
                first = first or event["item"]["id"]
            if event["type"] == "thread.item.updated" and "delta" in event["update"] and first:
                event = {**event, "item_id": first}
            return [event]

        return each

    return {"events": hook}


def _halved(event: Any) -> Any:
    if event.get("update", {}).get("delta") != "\U0001f600":
        return event
    return [
        {**event, "update": {**event["update"], "delta": half}} for half in ("\ud83d", "\ude00")
    ]


def _parted(event: Any) -> Any:
    delta = event.get("update", {}).get("delta", "")
    if "\U0001f600" not in delta:
        return event
    return [
        {**event, "update": {**event["update"], "delta": half}}
        for half in (delta.replace("\U0001f600", "\ud83d"), "\ude00")
    ]


events(
    "halves_characters", "deltas/characters-stay-whole", when=triggers("unicode"), change=_parted
)
events(
    "forgets_the_root",
    "deltas/widget-folds",
    when=triggers("widget-stream"),
    change=update(
        "widget.root.updated", lambda each: {**each, "widget": {"type": "Card", "children": []}}
    ),
)
events(
    "never_finishes_widget_text",
    "deltas/widget-text-streams",
    when=triggers("widget-stream"),
    change=update("widget.streaming_text.value_delta", lambda each: {**each, "done": False}),
)
events(
    "forgets_a_task",
    "deltas/workflow-folds",
    when=triggers("workflow"),
    change=update("workflow.task.updated", lambda each: None),
)
answers(
    "stores_no_summary",
    "deltas/workflow-is-stored",
    kind="items.list",
    change=each_item(
        lambda each: (
            {**each, "workflow": without(each["workflow"], "summary")}
            if "workflow" in each
            else each
        )
    ),
)
events(
    "progresses_in_percent",
    "deltas/image-folds",
    when=triggers("image"),
    change=update(
        "generated_image.updated", lambda each: {**each, "progress": each["progress"] * 100}
    ),
)


@mutant("deltas/many-deltas-keep-their-order")
def overtakes() -> dict[str, Any]:
    def hook(asked: Asked) -> Events:
        held: list[Any] = []

        def each(event: Any) -> list[Any]:
            if (
                event is not None
                and event.get("update", {}).get("delta") == "word7 "
                and asked.text == "conformance: long"
            ):
                held.append(event)
                return []
            late, held[:] = list(held), []
            return [*([] if event is None else [event]), *late]

        return each

    return {"events": hook}


events(
    "loses_words",
    "deltas/many-deltas-keep-their-order",
    when=triggers("long"),
    change=update(
        f"{PART}text_delta", lambda each: {**each, "delta": each["delta"].replace("word150 ", "")}
    ),
)

# -- failures ----------------------------------------------------------------------------------

events(
    "fails_without_a_word",
    "failures/failure-is-an-event",
    when=triggers("fail"),
    change=drops("error"),
)
events(
    "fails_early_without_a_word",
    "failures/early-failure-is-an-event",
    when=triggers("fail-early"),
    change=drops("error"),
)
events(
    "has_its_own_codes",
    "failures/error-has-a-code",
    when=triggers("fail"),
    change=lambda event: {**event, "code": "oops"} if event["type"] == "error" else event,
)
events(
    "hides_the_message",
    "failures/custom-error-has-its-text",
    when=triggers("fail-custom"),
    change=lambda event: without(event, "message"),
)
events(
    "tells_the_exception",
    "failures/error-tells-nothing",
    when=triggers("fail"),
    change=lambda event: (
        {**event, "message": "RuntimeError: conformance-secret"}
        if event["type"] == "error"
        else event
    ),
)


def about(text: str) -> Callable[[list[Any]], bool]:
    return lambda data: any(text_of(each) == text for each in data)


answers(
    "forgets_the_message_that_failed",
    "failures/failed-turn-keeps-the-message",
    kind="items.list",
    change=each_item(lambda each: None if text_of(each) == "conformance: fail" else each),
)
answers(
    "forgets_half_a_sentence",
    "failures/shown-text-is-kept",
    kind="items.list",
    change=each_item(lambda each: None if text_of(each) == "Half a sentence" else each),
)
events(
    "leaves_items_open",
    "failures/open-items-are-closed",
    when=triggers("fail"),
    change=lambda event: None if having(event, "assistant_message") else event,
)
events(
    "goes_on_after_the_error",
    "failures/error-comes-last",
    when=triggers("fail"),
    change=lambda event: (
        [event, {"type": "progress_update", "text": "x"}] if event["type"] == "error" else event
    ),
)


@mutant("failures/thread-goes-on-after-a-failure")
def never_recovers() -> dict[str, Any]:
    failed: set[str] = set()

    def hook(asked: Asked) -> Events:
        def each(event: Any) -> list[Any]:
            if event is None:
                return []
            if event["type"] == "thread.created" and asked.text == "conformance: fail":
                failed.add(event["thread"]["id"])
            return [event]

        return each

    return {
        "events": hook,
        "early": lambda asked: (
            json_reply({"message": "broken"}, 409)
            if asked.kind == "threads.add_user_message" and asked.params["thread_id"] in failed
            else None
        ),
    }


# -- cancellation ------------------------------------------------------------------------------

SLOW = about("conformance: slow")
answers(
    "forgets_who_left",
    "cancellation/thread-can-be-read",
    kind="threads.get_by_id",
    change=in_thread(lambda data: [each for each in data if text_of(each) != "conformance: slow"]),
)
refuses("stays_busy", "cancellation/thread-goes-on", when=says("Still there?"), status=409)
answers(
    "forgets_stopped_answers",
    "cancellation/shown-text-is-kept",
    kind="items.list",
    change=each_item(lambda each: None if text_of(each).startswith("tick") else each),
)
simple("never_stops", "cancellation/assistant-stops", deaf=True)
answers(
    "shows_its_notes",
    "cancellation/note-is-hidden",
    kind="items.list",
    change=page(lambda data: [*data, item("sdk_note", content="stopped")] if SLOW(data) else data),
)
simple(
    "reads_after_the_turn",
    "cancellation/thread-can-be-read-meanwhile",
    lock=lambda asked: (
        "thread"
        if asked.text == "conformance: slow" or asked.kind in ("threads.get_by_id", "items.list")
        else None
    ),
)
asks(
    "renames_to_something_else",
    "cancellation/rename-meanwhile-counts",
    when=kind("threads.update", title="Meanwhile"),
    change=lambda asked: asked.with_params(title="Before"),
)


@mutant("cancellation/leaving-at-once-harms-nobody")
def breaks_when_somebody_leaves() -> dict[str, Any]:
    slow: list[Asked] = []

    def early(asked: Asked) -> Reply | None:
        if asked.text == "conformance: slow":
            slow.append(asked)
        return (
            json_reply({"message": "down"}, 503) if slow and asked.kind == "threads.list" else None
        )

    return {"early": early}


# -- retry -------------------------------------------------------------------------------------

RETRIES = kind("threads.retry_after_item")
events(
    "retries_without_an_answer",
    "retry/retry-gives-a-new-answer",
    when=RETRIES,
    change=drops("thread.item.done"),
)
events(
    "sends_the_message_again",
    "retry/message-is-not-sent-again",
    when=RETRIES,
    change=lambda event: (
        [
            {
                "type": "thread.item.done",
                "item": item("user_message", content=[], attachments=[], inference_options={}),
            },
            event,
        ]
        if event["type"] == "stream_options"
        else event
    ),
)
accepts(
    "retries_answers",
    "retry/retry-of-an-answer-is-refused",
    lambda asked: (
        RETRIES(asked)
        and asked.params["item_id"].startswith("msg_")
        and len(asked.params["item_id"]) > 30
    ),
)
accepts(
    "retries_nothing",
    "retry/retry-of-nothing-is-refused",
    kind("threads.retry_after_item", item_id="msg_conformance_nowhere"),
)


def old_answers(
    when: Callable[[Asked, int], bool], which: Callable[[list[Any]], list[Any]]
) -> dict[str, Any]:
    """Hooks of a server that keeps what a retry should take away."""
    said: dict[str, list[Any]] = defaultdict(list)
    kept: dict[str, list[Any]] = {}
    retries = 0

    def hook(asked: Asked) -> Events:
        nonlocal retries
        if RETRIES(asked):
            retries += 1
            if when(asked, retries):
                kept[asked.params["thread_id"]] = which(list(said[asked.params["thread_id"]]))

        def each(event: Any) -> list[Any]:
            if event is not None and event["type"] == "thread.item.done":
                said[event["item"]["thread_id"]].append(event["item"])
            return [] if event is None else [event]

        return each

    def answer(asked: Asked, value: Any) -> Any:
        if asked.kind != "items.list":
            return value
        have = {each["id"] for each in value["data"]}
        return {
            **value,
            "data": [
                *value["data"],
                *(
                    each
                    for each in kept.get(asked.params["thread_id"], [])
                    if each["id"] not in have
                ),
            ],
        }

    return {"events": hook, "answer": answer}


@mutant("retry/old-answer-is-gone")
def keeps_old_answers() -> dict[str, Any]:
    return old_answers(lambda asked, count: True, lambda said: said[1:2])


@mutant("retry/later-messages-are-gone")
def keeps_later_messages() -> dict[str, Any]:
    return old_answers(
        lambda asked, count: True,
        lambda said: said[2:] if text_of(said[1]) == "You said: One" and asked_first(said) else [],
    )


def asked_first(said: list[Any]) -> bool:
    return len(said) == 4


@mutant("idempotence/retrying-twice")
def keeps_answers_of_second_retries() -> dict[str, Any]:
    return old_answers(lambda asked, count: count == 2, lambda said: said[2:])


@mutant("retry/earlier-turns-stay")
def retries_the_first_message() -> dict[str, Any]:
    first: dict[str, str] = {}

    def hook(asked: Asked) -> Events:
        def each(event: Any) -> list[Any]:
            if event is not None and having(event, "user_message"):
                first.setdefault(event["item"]["thread_id"], event["item"]["id"])
            return [] if event is None else [event]

        return each

    return {
        "events": hook,
        "asks": lambda asked: (
            asked.with_params(item_id=first[asked.params["thread_id"]])
            if RETRIES(asked)
            and asked.params["item_id"].startswith("msg_")
            and asked.params["thread_id"] in first
            and len(first) == 1
            and asked.params["item_id"] != "msg_conformance_nowhere"
            else asked
        ),
    }


@mutant("retry/retry-of-another-threads-message-is-refused")
def retries_in_other_threads() -> dict[str, Any]:
    owner: dict[str, str] = {}

    def hook(asked: Asked) -> Events:
        def each(event: Any) -> list[Any]:
            if event is not None and having(event, "user_message"):
                owner[event["item"]["id"]] = event["item"]["thread_id"]
            return [] if event is None else [event]

        return each

    return {
        "events": hook,
        "asks": lambda asked: (
            asked.with_params(thread_id=owner[asked.params["item_id"]])
            if RETRIES(asked) and asked.params["item_id"] in owner
            else asked
        ),
    }


@mutant("retry/failed-retry-keeps-the-old-answer")
def loses_answers_to_failed_retries() -> dict[str, Any]:
    lost: set[str] = set()

    def early(asked: Asked) -> Reply | None:
        if RETRIES(asked):
            lost.add(asked.params["thread_id"])
        return None

    return {
        "early": early,
        "answer": lambda asked, value: (
            {**value, "data": [each for each in value["data"] if text_of(each) != "first"]}
            if asked.kind == "items.list" and asked.params["thread_id"] in lost
            else value
        ),
    }


# -- tools -------------------------------------------------------------------------------------

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

# -- inputs ------------------------------------------------------------------------------------

SUBMITS = kind("threads.add_structured_input")


def replaced(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda event: (
        {**event, "item": change(event["item"])}
        if event["type"] == "thread.item.replaced"
        else event
    )


def submission(asked: Asked) -> Any:
    return asked.params.get("input") if SUBMITS(asked) else {}


def given(asked: Asked, name: str) -> Any:
    return (submission(asked).get("answers") or {}).get(name) or {}


def answering(asked: Asked, **answers: Any) -> Asked:
    now = submission(asked)
    return asked.with_params(input={**now, "answers": {**now.get("answers", {}), **answers}})


events(
    "answers_questions_itself",
    "inputs/questions-are-pending",
    when=triggers("structured"),
    change=lambda event: (
        {**event, "item": {**event["item"], "status": "answered"}}
        if having(event, "structured_input")
        else event
    ),
)
events(
    "keeps_answers_secret",
    "inputs/answers-are-told-and-stored",
    when=SUBMITS,
    change=drops("thread.item.replaced"),
)
events(
    "ends_with_the_answer",
    "inputs/turn-goes-on-after-the-answer",
    when=SUBMITS,
    change=drops("thread.item.done"),
)
asks(
    "answers_skipped_submissions",
    "inputs/skipped-submission",
    when=lambda asked: submission(asked).get("status") == "skipped",
    change=lambda asked: asked.with_params(input={**submission(asked), "status": "answered"}),
)
events(
    "forgets_unanswered_questions",
    "inputs/unanswered-questions-are-skipped",
    when=SUBMITS,
    change=replaced(
        lambda each: {
            **each,
            "inputs": [
                without(one, "answer")
                if one.get("answer") == {"values": [], "skipped": True}
                else one
                for one in each["inputs"]
            ],
        }
    ),
)
asks(
    "takes_skipped_answers",
    "inputs/empty-answers-are-skipped",
    when=lambda asked: given(asked, "note").get("skipped"),
    change=lambda asked: answering(asked, note={"values": given(asked, "note")["values"]}),
)
refuses(
    "wants_answers",
    "inputs/empty-submission",
    when=lambda asked: SUBMITS(asked) and submission(asked) == {},
)
events(
    "keeps_every_choice",
    "inputs/one-choice-keeps-one-value",
    when=lambda asked: len(given(asked, "size").get("values", [])) == 2,
    change=replaced(
        lambda each: {
            **each,
            "inputs": [
                {**one, "answer": {"values": ["L", "S"], "skipped": False}}
                if one["id"] == "size"
                else one
                for one in each["inputs"]
            ],
        }
    ),
)
asks(
    "keeps_one_of_several",
    "inputs/several-choices-keep-all-values",
    when=lambda asked: len(given(asked, "more").get("values", [])) > 1,
    change=lambda asked: answering(asked, more={"values": given(asked, "more")["values"][:1]}),
)
asks(
    "takes_options_only",
    "inputs/own-answers-are-kept",
    when=lambda asked: given(asked, "size").get("values") == ["Enormous"],
    change=lambda asked: answering(asked, size={"values": []}),
)
refuses(
    "minds_unknown_questions",
    "inputs/unknown-questions-are-ignored",
    when=lambda asked: given(asked, "what"),
)
accepts(
    "takes_second_submissions",
    "inputs/second-submission-is-refused",
    lambda asked: given(asked, "size").get("values") == ["L"],
)
accepts(
    "asks_messages",
    "inputs/submission-for-a-message-is-refused",
    lambda asked: (
        SUBMITS(asked)
        and asked.params["item_id"] != "msg_nowhere"
        and submission(asked) == {"answers": {}}
    ),
)
accepts(
    "asks_nothing",
    "inputs/submission-for-nothing-is-refused",
    kind("threads.add_structured_input", item_id="msg_nowhere"),
)
accepts(
    "takes_all_submissions",
    "inputs/one-of-several-submissions-counts",
    lambda asked: given(asked, "note").get("values") in (["a"], ["b"], ["c"]),
)

# -- widgets -----------------------------------------------------------------------------------

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

# -- attachments -------------------------------------------------------------------------------


def attachment(change: Callable[[Any], Any]) -> dict[str, Any]:
    return {"kind": "attachments.create", "change": lambda asked, value: change(value)}


def attached(change: Callable[[list[Any]], list[Any]]) -> dict[str, Any]:
    return {"change": user(lambda each: {**each, "attachments": change(each["attachments"])})}


def upload(**fields: Any) -> Callable[[Any], Any]:
    return lambda value: {**value, "upload_descriptor": {**value["upload_descriptor"], **fields}}


NOWHERE = "atc_nowhere"
answers(
    "knows_one_media_type",
    "attachments/file-is-announced",
    **attachment(lambda value: {**value, "mime_type": "application/octet-stream"}),
)
answers(
    "has_relative_previews",
    "attachments/image-is-announced",
    **attachment(
        lambda value: {**value, "preview_url": "/preview"} if "preview_url" in value else value
    ),
)
answers(
    "file_names_in_ascii",
    "attachments/any-file-name",
    **attachment(lambda value: {**value, "name": value["name"].encode("ascii", "ignore").decode()}),
)
answers(
    "has_one_attachment_id",
    "attachments/attachment-ids-differ",
    **attachment(lambda value: {**value, "id": "atc_one"}),
)
answers(
    "describes_no_upload",
    "attachments/upload-is-described",
    **attachment(lambda value: without(value, "upload_descriptor")),
)
answers(
    "uploads_elsewhere",
    "attachments/bytes-are-taken",
    **attachment(lambda value: upload(url=value["upload_descriptor"]["url"] + "x")(value)),
)
events(
    "drops_attachments", "attachments/message-carries-the-attachment", **attached(lambda found: [])
)
events(
    "turns_attachments_round",
    "attachments/attachments-keep-their-order",
    **attached(lambda found: found[::-1]),
)
events(
    "describes_uploads_again",
    "attachments/descriptor-is-sent-once",
    **attached(
        lambda found: [
            {**each, "upload_descriptor": {"url": "http://x/", "method": "PUT", "headers": {}}}
            for each in found
        ]
    ),
)
events(
    "attachments_have_no_thread",
    "attachments/attachment-names-its-thread",
    **attached(lambda found: [without(each, "thread_id") for each in found]),
)
events(
    "shows_attachment_metadata",
    "attachments/attachment-metadata-is-private",
    **attached(
        lambda found: [{**each, "metadata": {"private": "conformance-secret"}} for each in found]
    ),
)
simple(
    "never_deletes_attachments",
    "attachments/deleted-attachment-is-gone",
    early=lambda asked: json_reply({}) if asked.kind == "attachments.delete" else None,
)
accepts(
    "makes_up_attachments",
    "attachments/unknown-attachment-is-refused",
    lambda asked: CREATES(asked) and asked.params["input"]["attachments"] == [NOWHERE],
)
asks(
    "ignores_unknown_attachments",
    "attachments/refused-message-leaves-nothing",
    "attachments/refused-creation-leaves-no-thread",
    when=lambda asked: NOWHERE in str(asked.params.get("input")),
    change=lambda asked: asked.with_params(input={**asked.params["input"], "attachments": []}),
)
accepts(
    "deletes_what_is_carried", "attachments/carried-attachment-stays", kind("attachments.delete")
)
accepts(
    "moves_attachments",
    "attachments/carried-attachment-is-not-moved",
    lambda asked: (
        CREATES(asked) and asked.params["input"].get("attachments") not in (None, [], [NOWHERE])
    ),
)
events(
    "attaches_twice",
    "attachments/attachment-is-attached-once",
    **attached(lambda found: found * 2 if len(found) == 1 else found),
)
asks(
    "takes_negative_sizes",
    "attachments/negative-size-is-refused",
    when=kind("attachments.create", size=-1),
    change=lambda asked: asked.with_params(size=1),
)

# -- transcription -----------------------------------------------------------------------------

TRANSCRIBES = kind("input.transcribe")
answers(
    "says_transcript",
    "transcription/text-comes-back",
    kind="input.transcribe",
    change=lambda asked, value: {"transcript": value["text"]},
)
asks(
    "hears_the_first_half",
    "transcription/bytes-arrive",
    when=lambda asked: len(asked.params.get("audio_base64", "")) == 344,
    change=lambda asked: asked.with_params(audio_base64=asked.params["audio_base64"][:172]),
)
refuses(
    "minds_codecs",
    "transcription/media-type-with-parameters",
    when=lambda asked: ";" in asked.params.get("mime_type", ""),
)
refuses(
    "hears_short_words_only",
    "transcription/a-minute-of-audio",
    when=lambda asked: len(asked.params.get("audio_base64", "")) > 100_000,
    status=413,
)
accepts(
    "hears_what_it_likes",
    "transcription/not-base64-is-refused",
    lambda asked: "!" in asked.params.get("audio_base64", ""),
)
accepts(
    "guesses_media_types",
    "transcription/no-media-type-is-refused",
    lambda asked: TRANSCRIBES(asked) and "mime_type" not in asked.params,
)

# -- errors ------------------------------------------------------------------------------------

refuses(
    "minds_white_space",
    "errors/keys-in-any-order",
    when=lambda asked: asked.body.startswith(b" \n"),
)
refuses(
    "minds_unknown_keys", "errors/unknown-keys-are-ignored", when=lambda asked: "odd" in asked.value
)
refuses("minds_metadata", "errors/metadata-is-taken", when=lambda asked: "metadata" in asked.value)
refuses(
    "wants_type_first",
    "errors/type-comes-last",
    when=lambda asked: asked.body.startswith(b'{"params": {"input"'),
)
for name, body in {
    "no_json": b"{'type': 'threads.list'}",
    "empty_body": b"",
    "text_after_the_request": b'{"type":"threads.list","params":{}} extra',
    "array_instead_of_a_request": b'["threads.list"]',
    "no_type": b'{"params":{}}',
    "type_is_no_string": b'{"type":7,"params":{}}',
    "unknown_type": b'{"type":"threads.conformance","params":{}}',
    "no_thread_id": b'{"type":"threads.get_by_id","params":{}}',
    "no_params": b'{"type":"threads.get_by_id"}',
    "no_content": b'{"type":"threads.create","params":{"input":{"attachments":[],"inference_options":{}}}}',
    "not_utf8": b'{"type":"threads.get_by_id","params":{"thread_id":"\xff\xfe"}}',
}.items():
    accepts(
        f"accepts_{name}",
        f"errors/{name.replace('_', '-')}",
        lambda asked, body=body: asked.method == "POST" and asked.body == body,
    )
accepts(
    "accepts_unknown_content",
    "errors/unknown-content",
    lambda asked: b"input_conformance" in asked.body,
)
crashes(
    "crashes_on_bad_json", "errors/no-json-is-the-clients-mistake", lambda asked: asked.body == b"{"
)
crashes(
    "crashes_on_unknown_types",
    "errors/unknown-type-is-the-clients-mistake",
    kind("attachments.get_preview"),
)


@mutant(
    "errors/unknown-thread-is-seen-before-the-stream", "errors/wrong-item-is-seen-before-the-stream"
)
def fails_in_the_stream() -> dict[str, Any]:
    error = stream_reply({"type": "error", "code": "stream.error", "allow_retry": False})
    return {
        "refusal": lambda asked, status, told: (
            error if asked.kind in STREAMS and status in (400, 404) else None
        )
    }


simple(
    "refuses_without_a_message",
    "errors/refusal-has-a-message",
    refusal=lambda asked, status, told: json_reply({"detail": "no"}, status),
)
simple(
    "knows_no_404",
    "errors/unknown-thread-is-404",
    "errors/unknown-item-is-404",
    refusal=lambda asked, status, told: json_reply(told, 400) if status == 404 else None,
)
simple(
    "knows_no_409",
    "errors/second-answer-is-409",
    refusal=lambda asked, status, told: json_reply(told, 400) if status == 409 else None,
)
simple(
    "shows_tracebacks",
    "errors/refusals-tell-nothing",
    refusal=lambda asked, status, told: (
        json_reply({"message": 'Traceback (most recent call last):\n  File "/app/main.py"'}, status)
        if status == 400 and asked.body != b""
        else None
    ),
)
accepts(
    "takes_numbers_for_strings",
    "errors/number-instead-of-a-string",
    kind("threads.get_by_id", thread_id=7),
)
accepts("takes_any_order", "errors/unknown-order", kind("threads.list", order="newest"))
accepts(
    "takes_words_for_numbers", "errors/word-instead-of-a-number", kind("threads.list", limit="many")
)
accepts("takes_any_vote", "errors/unknown-vote", kind("items.feedback", kind="great"))
accepts(
    "needs_no_title",
    "errors/no-title",
    lambda asked: asked.kind == "threads.update" and "title" not in asked.params,
)
accepts(
    "needs_no_options",
    "errors/no-options",
    lambda asked: (
        CREATES(asked)
        and "content" in asked.params["input"]
        and "inference_options" not in asked.params["input"]
    ),
)
accepts(
    "needs_no_result",
    "errors/no-result",
    lambda asked: OUTPUTS(asked) and "result" not in asked.params,
)
accepts(
    "takes_attachment_objects",
    "errors/attachments-are-ids",
    lambda asked: b'"attachments": [{"id"' in asked.body,
)


@mutant("errors/server-goes-on")
def gives_up_after_ten_mistakes() -> dict[str, Any]:
    mistakes: list[int] = []

    def refusal(asked: Asked, status: int, told: Any) -> None:
        mistakes.append(status)

    return {
        "refusal": refusal,
        "early": lambda asked: (
            json_reply({"message": "tired"}, 503) if len(mistakes) >= 10 else None
        ),
    }


# -- isolation ---------------------------------------------------------------------------------


def _as_ada(asked: Asked) -> Asked:
    return Asked(
        asked.method,
        {**asked.headers, "authorization": "Bearer ada"},
        asked.query,
        asked.body,
        asked.value,
    )


for target, name in {
    "cannot-read-a-thread": "threads.get_by_id",
    "cannot-read-items": "items.list",
    "cannot-write": "threads.add_user_message",
    "cannot-rename": "threads.update",
    "cannot-delete": "threads.delete",
    "cannot-retry": "threads.retry_after_item",
    "cannot-vote": "items.feedback",
    "cannot-answer-a-tool-call": "threads.add_client_tool_output",
    "cannot-answer-questions": "threads.add_structured_input",
    "cannot-act": "threads.custom_action",
    "cannot-act-synchronously": "threads.sync_custom_action",
    "lists-are-private": "threads.list",
    "cannot-attach": "threads.create",
    "cannot-delete-an-attachment": "attachments.delete",
}.items():
    asks(
        f"shares_{name.replace('.', '_')}",
        f"isolation/{target}",
        when=lambda asked, name=name: (
            asked.kind == name and asked.headers.get("authorization") == "Bearer bob"
        ),
        change=_as_ada,
    )
simple(
    "tells_which_ids_exist",
    "isolation/ids-cannot-be-tried",
    refusal=lambda asked, status, told: (
        json_reply(told, 403)
        if status == 404
        and asked.headers.get("authorization") == "Bearer bob"
        and "nowhere" not in str(asked.params.get("thread_id"))
        else None
    ),
)
asks(
    "takes_nobody_for_somebody",
    "isolation/nobody-is-refused",
    when=lambda asked: "authorization" not in asked.headers,
    change=_as_ada,
)

# -- robustness --------------------------------------------------------------------------------


def dies_of(when: Test) -> dict[str, Any]:
    """Hooks of a server that never answers again."""
    dead: list[bool] = []

    def early(asked: Asked) -> Reply | None:
        if dead:
            return json_reply({"message": "dead"}, 503)
        if when(asked):
            dead.append(True)
        return None

    return {"early": early}


DEEP: Test = lambda asked: asked.body.count(b"[") > 5_000  # noqa: E731


@mutant("robustness/deep-nesting")
def dies_of_depth() -> dict[str, Any]:
    return dies_of(DEEP)


@mutant("robustness/odd-strings")
def dies_of_surrogates() -> dict[str, Any]:
    return dies_of(lambda asked: b"\\ud800" in asked.body and b"get_by_id" in asked.body)


crashes("crashes_on_depth", "robustness/deep-nesting-is-no-5xx", DEEP)
crashes(
    "crashes_on_surrogates",
    "robustness/odd-strings-are-no-5xx",
    lambda asked: b"\\ud800" in asked.body,
)
crashes(
    "crashes_on_fractions", "robustness/odd-numbers-are-no-5xx", lambda asked: b"5.5" in asked.body
)
simple(
    "crashes_on_repeated_keys",
    "robustness/repeated-keys-are-no-5xx",
    early=lambda asked: (
        json_reply({}, 500) if b'"type":"threads.list","type"' in asked.body else None
    ),
)
crashes(
    "crashes_on_byte_order_marks",
    "robustness/byte-order-mark-is-no-5xx",
    lambda asked: asked.body.startswith(b"\xef\xbb\xbf"),
)
events(
    "tidies_text",
    "robustness/text-comes-back",
    change=user(
        lambda each: json.loads(json.dumps(each).replace("\\u200b", "").replace("\\r\\n", "\\n"))
    ),
)
refuses(
    "refuses_long_messages",
    "robustness/long-message",
    when=lambda asked: len(asked.text) > 50_000,
    status=413,
)
refuses(
    "refuses_many_parts",
    "robustness/many-parts",
    when=lambda asked: len((asked.params.get("input") or {}).get("content") or []) > 100,
    status=413,
)
refuses(
    "wants_content",
    "robustness/empty-message",
    when=lambda asked: CREATES(asked) and asked.params["input"].get("content") == [],
)
simple(
    "knows_no_413",
    "robustness/huge-body",
    refusal=lambda asked, status, told: json_reply(told, 400) if status == 413 else None,
)
accepts("reads_any_id", "robustness/odd-ids-lead-nowhere", kind("threads.get_by_id", thread_id="*"))
refuses(
    "wants_tags_data",
    "robustness/tag-without-data",
    when=lambda asked: b"input_tag" in asked.body and b'"data"' not in asked.body,
)

# -- concurrency -------------------------------------------------------------------------------


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


# -- idempotence -------------------------------------------------------------------------------


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
