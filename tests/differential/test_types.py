"""The wire types beside openai-chatkit's: what is accepted and refused, and what is written.

Documents are made from a fixed seed for every struct and union, valid ones and ones with a single damage. Both sides
must agree, but for the departures of one table. A difference that no departure explains fails, and so does a departure
that explains nothing any more.
"""
# ruff: noqa: E402 (the reference is imported first, where it is installed)

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

import pytest

pydantic = pytest.importorskip("pydantic")
pydantic_core = pytest.importorskip("pydantic_core")
pytest.importorskip("chatkit")
with warnings.catch_warnings():
    # The reference's named widget classes say that they are deprecated.
    warnings.simplefilter("ignore")
    import chatkit.actions as their_actions
    import chatkit.types as their_types
    import chatkit.widgets as their_widgets

from chatkit_asgi import actions, types, widgets
from chatkit_asgi.errors import BadRequest
from chatkit_asgi.protocol.codec import decode, encode
from chatkit_asgi.protocol.visibility import attachment_on_wire
from chatkit_asgi.widgets import as_root
from chatkit_asgi.widgets.diff import diff_widget

from .documents import Damage, Documents, structs

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

VALID, DAMAGED = 6, 20
OURS_ALONE = {"Basic", "Table", "TableCell", "TableRow"}
"""Components that the reference has no class for (widgets.md, "Summary of differences")."""
NOT_ON_THE_WIRE = {"AudioInput", "BoxBase", "Page", "WidgetComponentBase"}
"""Never decoded by themselves. Pages are compared with their records, below."""
OLDER_NAMES = {"ClientToolCallOutputItem", "FilePart", "ImagePart"}
"""Of OpenAI's custom-server guide; the reference has dropped them."""
UNIONS = [
    "Attachment",
    "ChatKitReq",
    "Source",
    "StructuredInput",
    "Task",
    "ThreadItem",
    "ThreadItemUpdate",
    "ThreadStatus",
    "ThreadStreamEvent",
    "UserMessageContent",
]


@dataclass(frozen=True)
class Outcome:
    """What one side makes of a document: JSON, or the reason why it refuses it."""

    written: Any = None
    refused: str | None = None


@dataclass(frozen=True)
class Case:
    """One document on both sides."""

    name: str
    document: dict[str, Any]
    damage: Damage | None
    ours: Outcome
    theirs: Outcome

    @property
    def text(self) -> str:
        return json.dumps(self.document)

    @property
    def is_widget(self) -> bool:
        return hasattr(their_widgets, self.name)

    def we_refuse(self, pattern: str) -> bool:
        return self.theirs.refused is None and bool(re.search(pattern, self.ours.refused or ""))

    def they_refuse(self, pattern: str) -> bool:
        return self.ours.refused is None and bool(re.search(pattern, self.theirs.refused or ""))

    def same_when(self, change: Callable[[Any], Any]) -> bool:
        """Whether both write the same once ``change`` was made to what they write."""
        both = self.ours.refused is None and self.theirs.refused is None
        return both and change(self.ours.written) == change(self.theirs.written)


def without_nulls(value: Any) -> Any:
    """What the reference does to every widget, to the end of its payloads."""
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [without_nulls(inner) for inner in value if inner is not None]
    return value


def without_free_nulls(value: Any) -> Any:
    """Required fields that may hold any JSON, without those that hold null."""
    if isinstance(value, dict):
        return {
            key: without_free_nulls(inner)
            for key, inner in value.items()
            if inner is not None or key not in ("content", "result")
        }
    return value


def normalised(value: Any) -> Any:
    """URLs as a URL parser may write them."""
    if isinstance(value, dict):
        return {key: normalised(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [normalised(inner) for inner in value]
    return (
        value.lower().replace("/?", "?").rstrip("/")
        if isinstance(value, str) and "://" in value
        else value
    )


def carried(value: Any) -> Any:
    """The widget or component in an item, update or event; ``None`` if there is none."""
    if not isinstance(value, dict):
        return None
    inner = value.get("item") or value.get("update") or value.get("updated_item") or value
    return (inner.get("widget") or inner.get("component")) if isinstance(inner, dict) else None


def without_carried(value: Any) -> Any:
    """An item, update or event without its widget."""
    if not isinstance(value, dict):
        return value
    return {
        key: without_carried(inner)
        for key, inner in value.items()
        if key not in ("widget", "component")
    }


def cut(*names: str) -> Callable[[Any], Any]:
    """What leaves these props of a component out, and every null."""
    return lambda value: without_nulls({key: value[key] for key in value if key not in names})


def stays_open(case: Case) -> bool:
    """We keep the widget as it is, and agree on the rest."""
    if case.is_widget or carried(case.ours.written) is None:
        return False
    kept = carried(case.ours.written) == widgets.without_nulls(carried(case.document))
    if case.theirs.refused is not None:
        return kept and bool(re.search(r"(widget|component)\.", case.theirs.refused))
    return kept and case.same_when(without_carried)


@dataclass(frozen=True)
class Departure:
    """A difference that is meant."""

    number: int
    why: str
    explains: Callable[[Case], bool]


DEPARTURES = [
    Departure(
        1,
        "A number, boolean or string is read from its own JSON type; the reference reads '5', 5.0 and true as 5.",
        lambda case: case.we_refuse(
            r"Expected `[^`]*(int|bool|float)[^`]*`, got `(str|bool|int|float)`"
        ),
    ),
    Departure(
        2,
        "A datetime is an RFC 3339 string; the reference also reads Unix times and dates without a time.",
        lambda case: case.we_refuse(r"Expected `datetime`|Invalid RFC3339"),
    ),
    Departure(
        3,
        "An unknown icon becomes no icon, and in a widget it is passed on; the reference refuses it.",
        lambda case: case.they_refuse(r"(?i)icon|name\.literal"),
    ),
    Departure(
        4,
        "The data of an input_tag may be missing and is then {}; the reference requires it.",
        lambda case: case.they_refuse(r"input_tag\.data|UserMessageTagContent\s+data"),
    ),
    Departure(
        5,
        "An action needs its type; the reference reads one without, and cannot write it again.",
        lambda case: (
            case.we_refuse("missing required field `type`") and case.theirs.written == UNWRITABLE
        ),
    ),
    Departure(
        6,
        "The source of an annotation and an item update need their type; the reference guesses it.",
        lambda case: (
            case.we_refuse("missing required field `type`")
            and case.damage is not None
            and case.damage.path[-2:] in {("source", "type"), ("update", "type"), ("type",)}
        ),
    ),
    Departure(
        7,
        "audio_base64 has to be base64; the reference finds out when the hook is about to be called.",
        lambda case: case.we_refuse("base64"),
    ),
    Departure(
        8,
        "A required field that may hold any JSON is written when it is null; the reference drops it and can not read "
        "the item again.",
        lambda case: case.same_when(without_free_nulls),
    ),
    Departure(
        9,
        "URLs are written as they are given; the reference writes its parser's form.",
        lambda case: case.same_when(normalised),
    ),
    Departure(
        10,
        "The code of an error event is any string; the reference knows two.",
        lambda case: case.they_refuse("ErrorCode"),
    ),
    Departure(
        11,
        "Nulls in an action's payload, in a chart's data and in props that the vocabulary does not know are kept; the "
        "reference drops every null in a widget.",
        lambda case: case.same_when(without_nulls),
    ),
    Departure(
        12,
        "A widget that is read stays as it is; the reference drops the props that its classes do not know, adds the "
        "defaults of actions, and refuses children that are no components.",
        stays_open,
    ),
    Departure(
        13,
        "Numbers in widgets may have fractions wherever the client takes them.",
        lambda case: case.is_widget and case.they_refuse("fractional part"),
    ),
    Departure(
        14,
        "The label of a series and the child of a Transition may be missing, since a null one is not written.",
        lambda case: case.is_widget and case.they_refuse(r"(label|children)\n\s+Field required"),
    ),
    Departure(
        15,
        "A typed component does not look into its children, border, status line and dates.",
        lambda case: (
            case.is_widget
            and (
                case.they_refuse(r"\n(children|border|status|min|max|defaultValue)\b")
                or case.same_when(cut("children", "border", "status", "min", "max", "defaultValue"))
            )
        ),
    ),
]
UNWRITABLE = "not writable"


# --- the two sides


@cache
def adapter(name: str) -> Any:
    modules = (their_types, their_widgets, their_actions)
    return pydantic.TypeAdapter(
        next(getattr(module, name) for module in modules if hasattr(module, name))
    )


def ours(kind: Any, text: str) -> Outcome:
    try:
        return Outcome(json.loads(encode(decode(text, kind))))
    except BadRequest as error:
        return Outcome(refused=str(error))


def theirs(name: str, text: str) -> Outcome:
    try:
        value = adapter(name).validate_json(text)
    except ValueError as error:
        return Outcome(refused=str(error))
    try:
        return Outcome(json.loads(adapter(name).dump_json(value, by_alias=True, exclude_none=True)))
    except pydantic_core.PydanticSerializationError:
        return Outcome(UNWRITABLE)


STRUCTS = {
    name: kind
    for name, kind in structs(types, widgets, actions).items()
    if name not in OURS_ALONE | NOT_ON_THE_WIRE | OLDER_NAMES
}


@cache
def cases(name: str) -> list[Case]:
    """Documents for the struct or union of that name, on both sides."""
    documents = Documents(Random(name))
    kind = STRUCTS.get(name) or getattr(types, name)
    members = [kind] if name in STRUCTS else kind.__origin__.__args__
    made: list[Case] = []
    for number in range(VALID + DAMAGED * min(len(members), 3)):
        document, damage = documents.of(documents.pick(members)), None
        if number >= VALID * min(len(members), 3):
            document, damage = documents.damaged(document)
        text = json.dumps(document)
        made.append(Case(name, document, damage, ours(kind, text), theirs(name, text)))
    return made


def explanation(case: Case) -> int | None:
    """The number of the departure that explains the case; ``None`` if there is nothing to explain."""
    if case.ours.written == case.theirs.written and (case.ours.refused is None) == (
        case.theirs.refused is None
    ):
        return None
    for departure in DEPARTURES:
        if departure.explains(case):
            return departure.number
    raise AssertionError(
        f"{case.name} {case.damage}\n{case.text}\nours:   {case.ours}\ntheirs: {case.theirs}"
    )


@pytest.mark.parametrize("name", [*STRUCTS, *UNIONS])
def test_a_type_is_read_and_written_as_the_reference_does(name: str) -> None:
    for case in cases(name):
        explanation(case)


def test_every_departure_is_still_there() -> None:
    numbers = [departure.number for departure in DEPARTURES]
    assert numbers == [*range(1, len(numbers) + 1)]
    used = {explanation(case) for name in [*STRUCTS, *UNIONS] for case in cases(name)}
    assert used == {None, *numbers}


def test_no_type_is_forgotten() -> None:
    """What the reference has, and is on the wire, is compared here."""
    for module in (their_types, their_widgets, their_actions):
        models = {
            name
            for name, kind in vars(module).items()
            if getattr(kind, "__module__", "") == module.__name__
        }
        models = {name for name in models if hasattr(getattr(module, name), "model_fields")}
        opened = {"BasicRoot", "DynamicWidgetComponent", "DynamicWidgetRoot"}
        assert models - opened - NOT_ON_THE_WIRE <= set(STRUCTS)


# --- what documents from a generator do not reach

REQUEST = '{"type":"threads.list","params":{"limit":%s}}'


@pytest.mark.parametrize(
    ("text", "departs"),
    [
        (REQUEST % "1", False),
        (REQUEST % "5.5", False),
        (REQUEST % "-3", False),
        (REQUEST % "null", False),
        (REQUEST % "[]", False),
        ('{"params":{},"type":"threads.list"}', False),
        (' \n{"type":"threads.list","params":{},"new":1}\t', False),
        ('{"type":"threads.list","params":null}', False),
        ('{"type":"threads.list"}', False),
        ('{"type":"threads.list","params":{},"metadata":null}', False),
        ('{"type":"threads.list","params":{"order":null}}', False),
        ('{"type":"threads.list","params":{"after":""}}', False),
        ('{"type":"threads.lists","params":{}}', False),
        ('{"type":3,"params":{}}', False),
        ('{"params":{}}', False),
        ("null", False),
        ("[]", False),
        ('"threads.list"', False),
        ("", False),
        ('{"type":"threads.list","params":{}}x', False),
        ('{"type":"threads.list","params":{},}', False),
        ("{'type':'threads.list','params':{}}", False),
        ('\ufeff{"type":"threads.list","params":{}}', False),
        ('{"type":"threads.list","params":{"after":"a\nb"}}', False),
        ('{"type":"threads.list","params":{"after":"\\u0000"}}', False),
        ('{"type":"threads.list","params":{"after":"\\ud800"}}', False),
        ('{"type":"threads.list","type":"threads.list","params":{}}', False),
        (
            '{"type":"threads.list","params":{},"metadata":{"a":123456789012345678901234567890}}',
            False,
        ),
        # Departure 1: an integer is written as one.
        (REQUEST % "5.0", True),
        (REQUEST % "1e1", True),
        # Departure 16: NaN and Infinity are not JSON.
        ('{"type":"threads.list","params":{},"metadata":{"a":NaN}}', True),
        ('{"type":"threads.list","params":{},"metadata":{"a":-Infinity}}', True),
        # Departure 17: how deep JSON may be nested is the parser's limit.
        ('{"type":"threads.list","params":{},"metadata":{"a":%s}}' % ("[" * 300 + "]" * 300), True),
    ],
)
def test_text_is_json_to_both_or_to_neither(text: str, departs: bool) -> None:
    one, other = ours(types.ChatKitReq, text), theirs("ChatKitReq", text)
    assert (one == other or (one.refused is not None and other.refused is not None)) is not departs


def test_pages_are_written_as_the_reference_writes_them() -> None:
    items = [
        case.document
        for case in cases("ThreadItem")
        if case.damage is None and explanation(case) is None
    ]
    page = json.dumps({"data": items, "has_more": True, "after": "m"})
    thread = json.dumps(
        {"id": "t", "created_at": "2026-03-14T09:26:53Z", "items": json.loads(page)}
    )
    their_page = pydantic.TypeAdapter(their_types.Page[their_types.ThreadItem])
    written = their_page.dump_json(their_page.validate_json(page), exclude_none=True)
    assert len(items) > 5
    assert ours(types.Page[types.ThreadItem], page).written == json.loads(written)
    assert ours(types.Thread, thread) == theirs("Thread", thread)


def test_what_a_client_sees_of_an_attachment_is_what_the_reference_shows() -> None:
    hidden = {"exclude_metadata": True}
    for case in cases("Attachment"):
        if case.damage is None and explanation(case) is None:
            value = adapter("Attachment").validate_json(case.text)
            shown = adapter("Attachment").dump_json(value, exclude_none=True, context=hidden)
            attachment = attachment_on_wire(decode(case.text, types.Attachment), upload=True)
            assert json.loads(encode(attachment)) == json.loads(shown)


# --- diffs


def _card(**text: Any) -> dict[str, Any]:
    row = {"type": "Row", "children": [{"type": "Text", "id": "x", "value": "Hel", **text}]}
    return {"type": "Card", "children": [row, {"type": "Markdown", "id": "y", "value": ""}]}


@pytest.mark.parametrize("streaming", [{}, {"streaming": True}, {"streaming": False}])
def test_text_that_grows_gives_the_references_deltas(streaming: dict[str, bool]) -> None:
    from chatkit.server import diff_widget as their_diff

    before, after = _card(**streaming), _card(value="Hello", **streaming)
    after["children"][1]["value"] = "*!*"
    read = pydantic.TypeAdapter(their_widgets.WidgetRoot).validate_python
    expected = [update.model_dump() for update in their_diff(read(before), read(after))]
    for form in (widgets.DynamicWidgetRoot.model_validate, widgets.Card.model_validate):
        assert [
            json.loads(encode(update)) for update in diff_widget(form(before), form(after))
        ] == expected
    assert [update["component_id"] for update in expected] == ["x", "y"]


def test_a_change_of_the_root_itself_gives_the_references_update() -> None:
    from chatkit.server import diff_widget as their_diff

    before, after = _card(), {**_card(), "size": "lg"}
    read = pydantic.TypeAdapter(their_widgets.WidgetRoot).validate_python
    [expected] = their_diff(read(before), read(after))
    [update] = diff_widget(as_root(before), as_root(after))
    assert json.loads(encode(update)) == expected.model_dump(exclude_none=True)
    assert (
        diff_widget(as_root(before), as_root(_card()))
        == their_diff(read(before), read(_card()))
        == []
    )
