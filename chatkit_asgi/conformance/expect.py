"""What is right: the legal answers by name, and the shapes of what the protocol sends.

Every function raises :class:`~chatkit_asgi.conformance.case.Unmet`, with what was expected and what came, in words for
somebody who knows neither this suite nor the server.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from .case import Unmet
from .shapes import (
    EVENT,
    ITEM,
    PAGE_OF_ITEMS,
    PAGE_OF_THREADS,
    THREAD,
    is_array,
    is_object,
    mismatch,
)

if TYPE_CHECKING:
    from .client import Answer

__all__ = [
    "ANSWERS",
    "REFUSED",
    "equal",
    "event_of",
    "item",
    "json_object",
    "kinds",
    "listed",
    "one_of",
    "refused",
    "same",
    "shape",
    "stream",
    "text_of",
    "that",
    "thread",
]


def that(true: object, expected: str, got: object) -> None:
    """``expected`` holds."""
    if not true:
        raise Unmet(expected, got if isinstance(got, str) else _shown(got))


def equal(got: object, wanted: object, what: str) -> None:
    """``what`` is ``wanted``, as JSON."""
    as_bool = type(got) is bool or type(wanted) is bool  # 1 == True, but not on the wire
    that(got is wanted if as_bool else got == wanted, f"{what} is {_shown(wanted)}", got)


def same(got: object, wanted: object, what: str) -> None:
    """``what`` is ``wanted``, where a field that is null and one that is missing are the same."""
    that(_without_nulls(got) == _without_nulls(wanted), f"{what} is {_shown(wanted)}", got)


def _without_nulls(value: Any) -> Any:
    if is_object(value):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if is_array(value) else value


# -- answers by name ---------------------------------------------------------------------------


def _error_event(answer: Answer) -> bool:
    return (
        answer.status == 200
        and answer.is_stream
        and answer.complete
        and any(event["type"] == "error" for event in answer.events)
    )


ANSWERS: dict[str, Callable[[Answer], bool]] = {
    "a 4xx answer": lambda answer: 400 <= answer.status < 500,
    "a 5xx answer": lambda answer: answer.status >= 500,
    "401 or 403": lambda answer: answer.status in (401, 403),
    "404": lambda answer: answer.status == 404,
    "405": lambda answer: answer.status == 405,
    "409": lambda answer: answer.status == 409,
    "413": lambda answer: answer.status == 413,
    "an error event": _error_event,
    "a cut connection": lambda answer: not answer.complete,
    "a JSON answer": lambda answer: (
        answer.status == 200 and answer.header("content-type").startswith("application/json")
    ),
    "an event stream": lambda answer: (
        answer.status == 200 and answer.is_stream and answer.complete and not _error_event(answer)
    ),
}
"""What an answer may be. A case names those that are legal."""

REFUSED = ("a 4xx answer", "a 5xx answer", "an error event", "a cut connection")
"""Whatever a client cannot take for success."""


def one_of(answer: Answer, *names: str) -> None:
    """The answer is one of those in :data:`ANSWERS`."""
    if not any(ANSWERS[name](answer) for name in names):
        raise Unmet(" or ".join(names), answer)


def refused(answer: Answer) -> None:
    """A client can see that the request was not carried out."""
    one_of(answer, *REFUSED)


def json_object(answer: Answer) -> Any:
    """The JSON object of a 200 answer."""
    one_of(answer, "a JSON answer")
    value = answer.json()
    that(is_object(value), "a JSON object", answer)
    return value


def stream(answer: Answer) -> list[Any]:
    """The events of an event stream that came to its end, each in its shape."""
    that(answer.status == 200 and answer.is_stream, "200 with an event stream", str(answer))
    events = answer.events
    that(answer.complete, "a stream that comes to its proper end", str(answer))
    for event in events:
        shape(event, EVENT, f"the {event.get('type')} event")
    return events


def event_of(data: str) -> Any:
    """The event in a frame's data."""
    try:
        event = json.loads(data)
    except ValueError:
        raise Unmet("each frame's data is one JSON object", data[:300]) from None
    that(
        is_object(event) and isinstance(event.get("type"), str),
        "each frame's data is a JSON object with a `type`",
        data[:300],
    )
    return event


# -- shapes ------------------------------------------------------------------------------------


def shape(value: Any, wanted: Any, what: str) -> Any:
    """``value`` has the shape; returns it."""
    problem = mismatch(value, wanted)
    if problem is not None:
        path, expected, got = problem
        raise Unmet(f"in {what}, `{path.lstrip('.') or '(all)'}` is {expected}", _shown(got))
    return value


def item(value: Any) -> Any:
    """A thread item."""
    return shape(value, ITEM, "the item")


def thread(value: Any) -> Any:
    """A thread."""
    return shape(value, THREAD, "the thread")


def listed(page: Any) -> list[Any]:
    """The records of a page of threads or items."""
    data = page.get("data")
    records: list[Any] = data if is_array(data) else []
    kind = PAGE_OF_ITEMS if any("thread_id" in each for each in records) else PAGE_OF_THREADS
    shape(page, kind, "the page")
    return records


def text_of(message: Any) -> str:
    """All text of an assistant's message."""
    return "".join(part["text"] for part in message["content"])


def kinds(events: Iterable[Any]) -> str:
    """The types of events, for a person."""
    names: list[str] = []
    for event in events:
        name: str = event["type"]
        if name.startswith("thread.item.") and "item" in event:
            name += f" ({event['item'].get('type')})"
        if name == "thread.item.updated":
            name += f" ({event['update'].get('type')})"
        names.append(name)
    runs: list[str] = []
    for name in names:
        if runs and runs[-1].split(" x")[0] == name:
            count = int(runs[-1].partition(" x")[2] or 1) + 1
            runs[-1] = f"{name} x{count}"
        else:
            runs.append(name)
    return ", ".join(runs) or "no events"


def _shown(value: object) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False)
    except TypeError:
        text = str(value)
    return text if len(text) < 600 else f"{text[:500]} ... ({len(text)} characters)"
