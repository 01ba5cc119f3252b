"""Pydantic's manners, for code that moves over from openai-chatkit by its imports alone.

Where it is installed, the reference says what is expected: the same lines run on both libraries.
"""

from __future__ import annotations

import enum
import ipaddress
import json
import re
import subprocess
import sys
import warnings
from collections import deque, namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import msgspec
import pydantic
import pydantic_core
import pytest
from fastapi import FastAPI
from fastapi.encoders import jsonable_encoder
from pydantic import AnyUrl, BaseModel, ConfigDict, Field, HttpUrl, RootModel, TypeAdapter

from chatkit_asgi import actions, types, widgets
from chatkit_asgi.protocol.codec import decode, encode

pytest.importorskip("chatkit")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import chatkit.actions as their_actions
    import chatkit.types as their_types
    import chatkit.widgets as their_widgets

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

OURS = SimpleNamespace(t=types, a=actions, w=widgets)
THEIRS = SimpleNamespace(t=their_types, a=their_actions, w=their_widgets)
NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)


def on_both(run: Callable[[Any], Any]) -> Any:
    """What ``run`` gives with each of the libraries: the same."""
    ours = run(OURS)
    assert ours == run(THEIRS)
    return ours


def thread(of: Any, **values: Any) -> Any:
    return of.t.ThreadMetadata(**{"id": "t", "created_at": NOW, **values})


# --- values that users put into fields


class Colour(enum.Enum):
    RED = "red"


class Prefs(BaseModel):
    size: int | None = None
    when: datetime = NOW
    tone: str = Field(default="warm", alias="toneOfVoice")


@dataclass
class Place:
    x: int | None = None
    prefs: Prefs = field(default_factory=Prefs)


Pair = namedtuple("Pair", "a b")

LEAVES: list[Any] = [
    AnyUrl("https://x.test"),
    HttpUrl("https://é.test/a"),
    pydantic_core.Url("https://x.test"),
    Path("/a/b"),
    UUID(int=7),
    Decimal("1.50"),
    Colour.RED,
    {1},
    frozenset({1}),
    (1, Path("a")),
    Pair(1, Path("a")),
    deque([1, Path("a")]),
    NOW,
    NOW.astimezone(timezone(timedelta(hours=2))),
    date(2026, 3, 14),
    time(9, 26, 53, 5),
    timedelta(days=1, seconds=2.5),
    ipaddress.ip_address("192.0.2.1"),
    re.compile("a+"),
    1 + 2j,
    pydantic.SecretStr("secret"),
    Place(),
    Prefs(),
    RootModel[list[Prefs]]([Prefs()]),
    {1: {UUID(int=7): {Path("a"): {Colour.RED: {NOW: None}}}}},
    {True: 1, None: {False: 2}},
]


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: type(leaf).__name__)
def test_what_users_put_into_free_values_is_written_as_the_reference_writes_it(leaf: Any) -> None:
    def dumped(of: Any, **options: Any) -> Any:
        value = thread(of, metadata={"a": [leaf]})
        assert json.loads(value.model_dump_json(**options)) == value.model_dump(
            mode="json", **options
        )
        return value.model_dump(mode="json", **options)["metadata"]

    on_both(dumped)
    on_both(lambda of: dumped(of, by_alias=True))
    on_both(lambda of: dumped(of, exclude_none=True))
    on_both(lambda of: thread(of, metadata={"a": [leaf]}).model_dump()["metadata"])


def test_urls_and_paths_in_fields_are_text() -> None:
    values = {"id": "a", "name": "n", "mime_type": "image/png"}
    on_both(
        lambda of: json.loads(
            of.t.ImageAttachment(preview_url=AnyUrl("https://x.test/a"), **values).model_dump_json()
        )
    )
    url: Any = AnyUrl("https://x.test/a")
    assert json.loads(encode(types.URLSource(url=url, title="x")))["url"] == "https://x.test/a"


def test_models_go_to_the_client_by_their_aliases() -> None:
    """As the reference's endpoint writes them; their nulls are kept, as all in free values (V11)."""
    payload = Prefs(size=1)

    def config(of: Any) -> Any:
        return of.a.ActionConfig(type="x", payload={"prefs": payload})

    written = json.loads(config(THEIRS).model_dump_json(by_alias=True, exclude_none=True))
    assert json.loads(encode(config(OURS))) == written
    assert written["payload"]["prefs"]["toneOfVoice"] == "warm"
    button = widgets.Button(label="b", onClickAction=config(OURS))
    assert json.loads(encode(button))["onClickAction"] == written


def test_what_nobody_can_write_is_an_error() -> None:
    value = thread(OURS, metadata={"a": object()})
    for write in (encode, lambda it: it.model_dump_json(), lambda it: it.model_dump(mode="json")):
        with pytest.raises(NotImplementedError, match="object"):
            write(value)


def test_paths_need_no_pydantic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydantic_core", None)
    value = thread(OURS, metadata={"a": PurePosixPath("b")})
    assert json.loads(value.model_dump_json())["metadata"] == {"a": "b"}
    with pytest.raises(NotImplementedError, match="complex"):
        encode(thread(OURS, metadata={"a": 1j}))


def test_bytes_and_durations_are_the_serializers() -> None:
    """V20."""
    value = thread(OURS, metadata={"a": b"\xff", "b": timedelta(hours=1)})
    written = json.loads(encode(value))["metadata"]
    assert written == value.model_dump(mode="json")["metadata"] == {"a": "/w==", "b": "PT3600S"}
    theirs = thread(THEIRS, metadata={"b": timedelta(hours=1)})
    assert theirs.model_dump(mode="json")["metadata"] == {"b": "PT1H"}
    with pytest.raises(ValueError, match="utf-8"):
        thread(THEIRS, metadata={"a": b"\xff"}).model_dump_json()


# --- dumps


def test_a_dump_goes_into_models_and_dataclasses_at_any_depth() -> None:
    def dumped(of: Any) -> Any:
        free = {"a": [Place(x=1, prefs=Prefs(size=1))], "b": (Prefs(size=1), {1})}
        config = of.a.ActionConfig(type="x", payload=free)
        card = of.w.Card(children=[of.w.Button(label="b", onClickAction=config)])
        item = of.t.WidgetItem(id="i", thread_id="t", created_at=NOW, widget=card)
        return item.model_dump()["widget"]["children"][0]["onClickAction"]["payload"]

    prefs = {"size": 1, "when": NOW, "tone": "warm"}
    assert on_both(dumped) == {"a": [{"x": 1, "prefs": prefs}], "b": (prefs, {1})}


def test_constructors_keep_the_models_that_they_are_given() -> None:
    payload = Prefs()
    button: Any = widgets.Button(label="b", onClickAction={"type": "x", "payload": payload})
    assert button.onClickAction.payload is payload


FILTERS: list[dict[str, Any]] = [
    {"exclude": {"metadata"}},
    {"exclude": {"metadata": {"secret"}}},
    {"exclude": {"metadata": {"secret": True, "a": {"b"}}}},
    {"exclude": {"metadata": {"secret": ...}}},
    {"exclude": {"metadata": {"__all__"}}},
    {"exclude": {"metadata": {"a": {"c": {"__all__": {"x"}}}}}},
    {"exclude": {"metadata": {"a": {"c": {"__all__": {"x"}, 0: {"y"}}}}}},
    {"exclude": {"metadata": {"a": {"c": {"__all__": {"z": {"p"}}, 0: {"z": {"q"}}}}}}},
    {"exclude": {"metadata": {"a": {"c": {"__all__": True, 0: {"y"}}}}}},
    {"exclude": {"metadata": {"a": {"c": {-1, 0}}}}},
    {"exclude": {"status": {"type"}}},
    {"include": set()},
    {"include": {"id": ..., "metadata": {"a": {"b"}}}},
    {"include": {"metadata": {"a": {"c": {1: {"x"}}}}}},
    {"include": {"metadata": {"a": {"c": {-1: {"x"}, "__all__": {"y"}}}}}},
    {"include": {"metadata": {"model": {"tone"}, "place": {"prefs": {"size"}}}}},
    {"include": {"metadata": {"a"}}, "exclude": {"metadata": {"a": {"c": {0}}}}},
]


@pytest.mark.parametrize("choice", FILTERS, ids=str)
@pytest.mark.parametrize("mode", ["python", "json"])
def test_what_is_included_and_excluded_may_be_said_at_any_depth(
    choice: dict[str, Any], mode: str
) -> None:
    def value(of: Any) -> Any:
        rows = [{"x": 1, "y": 2, "z": {"p": 1, "q": 2}}, {"x": 3}]
        free = {"secret": 1, "a": {"b": 1, "c": rows}, "model": Prefs(), "place": Place()}
        return thread(of, metadata=free)

    def nested(of: Any) -> Any:
        class Row(BaseModel):
            threads: list[of.t.ThreadMetadata]  # type: ignore[name-defined]
            any: Any

        Row.model_rebuild(_types_namespace={"of": of})
        return Row(threads=[value(of)] * 2, any=value(of))

    on_both(lambda of: value(of).model_dump(mode=mode, **choice))
    for places in ({"__all__"}, {0}, {-1, 0}):
        options = {
            key: {"threads": dict.fromkeys(places, said), "any": said}
            for key, said in choice.items()
        }
        on_both(lambda of: nested(of).model_dump(mode=mode, **options))  # noqa: B023
        on_both(lambda of: json.loads(nested(of).model_dump_json(**options)))  # noqa: B023


def test_items_of_a_page_can_be_cut() -> None:
    item = {"id": "i", "thread_id": "t", "created_at": NOW, "content": "hidden"}

    def dumped(of: Any) -> Any:
        page = {"data": [of.t.HiddenContextItem(**item)]}
        return of.t.Thread(id="t", created_at=NOW, items=page).model_dump(
            exclude={"items": {"data": {"__all__": {"content", "created_at"}}}}
        )

    assert on_both(dumped)["items"]["data"] == [
        {"type": "hidden_context_item", "id": "i", "thread_id": "t"}
    ]


# --- inside Pydantic's unions and models, and FastAPI's encoder


class Mail(actions.Action[Literal["mail"], Prefs]):
    """An action that is a class of its own."""


Star = actions.Action[Literal["star", "unstar"], dict[str, Any]]


def test_unions_with_a_discriminator_take_actions() -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(Annotated[Mail | Star, Field(discriminator="type")])
    mail = Mail(payload=Prefs(size=1))
    assert adapter.validate_python(mail) is mail
    sent = {"type": "mail", "payload": {"size": 1}}
    assert adapter.validate_python(sent) == adapter.validate_json(json.dumps(sent)) == mail
    star = adapter.validate_python({"type": "unstar", "payload": {}})
    assert isinstance(star, Star)
    assert adapter.dump_python(star) == {"type": "unstar", "payload": {}}
    assert json.loads(adapter.dump_json(mail, exclude_none=True))["payload"]["size"] == 1
    with pytest.raises(pydantic.ValidationError, match="'mail', 'star', 'unstar'"):
        adapter.validate_python({"type": "other", "payload": {}})


def test_unions_with_a_discriminator_take_structs_and_unions_of_them() -> None:
    class Recording(types.AttachmentBase):
        type: Literal["recording"] = "recording"
        seconds: int

    kinds = types.FileAttachment | types.ImageAttachment
    head: dict[str, Any] = {"id": "a", "name": "n", "mime_type": "a/b"}
    for union in (kinds | Recording, types.Attachment | Recording):
        adapter: TypeAdapter[Any] = TypeAdapter(Annotated[union, Field(discriminator="type")])
        for tag, more in (("file", {}), ("image", {"preview_url": "https://x.test/"})):
            value = adapter.validate_python({"type": tag, **head, **more})
            assert value.type == tag
            assert adapter.validate_json(adapter.dump_json(value, exclude_none=True)) == value
        recorded = adapter.validate_json(json.dumps({"type": "recording", "seconds": 7, **head}))
        assert recorded == Recording(seconds=7, **head)
        assert adapter.validate_python(recorded) is recorded
        assert adapter.json_schema()


def test_structs_in_fields_that_are_any() -> None:
    class Row(BaseModel):
        x: Any

    def dumped(of: Any) -> Any:
        config = of.a.ActionConfig(type="x")
        card = of.w.Card(children=[of.w.Button(label="b", onClickAction=config)])
        row = Row(x=[thread(of, metadata={"a": Prefs()}), {"widget": card}])
        assert json.loads(row.model_dump_json()) == row.model_dump(mode="json")
        plain = pydantic_core.to_jsonable_python(row.x, by_alias=False)
        assert plain == row.model_dump(mode="json")["x"]
        return row.model_dump(), row.model_dump(mode="json", exclude_none=True)

    on_both(dumped)
    delta = types.AssistantMessageContentPartTextDelta(content_index=0, delta="x")
    assert Row(x=delta).model_dump()["x"] == delta.model_dump()
    root = widgets.DynamicWidgetRoot(type="Card", children=[{"type": "Text", "id": None}])
    assert Row(x=root).model_dump()["x"] == root.model_dump()


def test_pydantic_is_asked_for_only_when_it_asks() -> None:
    script = """
import sys
from chatkit_asgi import types, widgets
attachment = types.FileAttachment(id="a", name="n", mime_type="m", metadata={"a": {1}})
attachment.model_dump_json(), dict(attachment), attachment.model_copy()
assert not [name for name in sys.modules if name.startswith("pydantic")]
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)


def test_fastapis_encoder_takes_structs_wherever_they_are() -> None:
    def encoded(of: Any) -> Any:
        config = of.a.ActionConfig(type="x", payload=Prefs(size=1))
        card = of.w.Card(children=[of.w.Button(label="b", onClickAction=config)])
        return jsonable_encoder(
            {
                "thread": thread(of, metadata={"a": Place()}),
                "items": [of.t.WidgetItem(id="i", thread_id="t", created_at=NOW, widget=card)],
            },
            exclude_none=True,
        )

    ours = encoded(OURS)
    for times in (ours["thread"], ours["items"][0]):
        assert times["created_at"] == NOW.isoformat()  # FastAPI's own way with a datetime
        times["created_at"] = "2026-03-14T09:26:53Z"
    assert ours["thread"]["metadata"]["a"]["prefs"].pop("when")
    theirs = encoded(THEIRS)
    assert theirs["thread"]["metadata"]["a"]["prefs"].pop("when")
    assert ours == theirs


def test_iterating_gives_pairs_of_field_and_value() -> None:
    def pairs(of: Any) -> Any:
        value = thread(of, metadata={"a": 1})
        assert dict([*value]) == dict(value)
        assert dict(value)["status"] is value.status
        assert of.t.ThreadMetadata(**dict(value)) == value
        return {**dict(value), "status": dict(value.status)}

    on_both(pairs)
    event = types.ThreadItemUpdatedEvent(
        item_id="i", update=types.AssistantMessageContentPartTextDelta(content_index=0, delta="x")
    )
    assert dict(event)["update"] is event.update
    assert "payload" not in dict(actions.ActionConfig(type="x"))


def test_a_struct_is_no_list_for_anything_else() -> None:
    value = thread(OURS)
    assert not isinstance(value, Sequence | Mapping)
    assert json.loads(encode((value, [value]))) == [plain := json.loads(encode(value)), [plain]]
    with pytest.raises(msgspec.ValidationError, match="array"):
        msgspec.convert(value, list[Any])
    assert isinstance(msgspec.to_builtins(value), dict)
    assert value == thread(OURS)
    assert value != [*value]


def test_an_open_widget_iterates_as_the_dict_that_it_is() -> None:
    for kind in (widgets.DynamicWidgetComponent, widgets.DynamicWidgetRoot, widgets.BasicRoot):
        root = kind(type="Basic", gap=1)
        assert [*root] == ["type", "gap"]
        assert dict(root) == {"type": "Basic", "gap": 1}
        assert kind.__iter__ is dict.__iter__


# --- classes of one's own


class Upload(types.FileAttachment):
    tags: list[str] = Field(default_factory=list, description="What it is about")
    size: int = Field(default=0)
    folder: str | None = Field(None)
    notes: dict[str, str] = Field({}, title="Notes")
    owner: str = Field(alias="ownedBy")
    shelf: str | None = Field(default=None, alias="onShelf")
    colours: list[str] = Field(default=["red"], alias="colors")
    kind: ClassVar[str] = "upload"


def test_fields_of_a_subclass_may_be_pydantics() -> None:
    head: dict[str, Any] = {"id": "a", "name": "n", "mime_type": "m"}
    upload = Upload(owner="me", **head)
    assert (upload.tags, upload.size, upload.folder, upload.notes) == ([], 0, None, {})
    written = {
        **{"type": "file", **head, "tags": [], "size": 0, "notes": {}},
        **{"ownedBy": "me", "colors": ["red"]},
    }
    assert json.loads(encode(upload)) == written
    assert upload.model_dump(mode="json", by_alias=True, exclude_none=True) == written
    assert upload.model_dump(by_alias=True, include={"owner", "type"}) == {
        "type": "file",
        "ownedBy": "me",
    }
    assert "ownedBy" not in upload.model_dump(by_alias=True, exclude={"owner"})
    assert upload.model_dump()["owner"] == "me"
    assert Upload.model_validate(written) == decode(encode(upload), Upload) == upload
    other = Upload(owner="me", **head)
    other.tags.append("x")
    other.notes["x"] = other.colours[0] = "y"
    assert (upload.tags, upload.notes, upload.colours) == ([], {}, ["red"])
    with pytest.raises(TypeError, match="owner"):
        Upload(**head)


def test_a_tag_may_be_pydantics() -> None:
    class Recording(types.AttachmentBase):
        type: Literal["recording"] = Field(default="recording")

    value = Recording(id="a", name="n", mime_type="m")
    assert json.loads(encode(value))["type"] == value.type == "recording"


def validated() -> type:
    class Own(types.FileAttachment):
        size: int = 0

        @pydantic.field_validator("size")
        @classmethod
        def check(cls, value: int) -> int:
            return value

    return Own


def validated_whole() -> type:
    class Own(types.FileAttachment):
        @pydantic.model_validator(mode="after")
        def check(self) -> Any:
            return self

    return Own


def computed() -> type:
    class Own(types.FileAttachment):
        @pydantic.computed_field  # type: ignore[prop-decorator]
        @property
        def check(self) -> int:
            return 1

    return Own


def serialized() -> type:
    class Own(types.FileAttachment):
        @pydantic.field_serializer("name")
        def check(self, value: str) -> str:
            return value

    return Own


def private() -> type:
    class Own(types.FileAttachment):
        _check: int = pydantic.PrivateAttr(default=0)

    return Own


def underscored() -> type:
    class Own(types.FileAttachment):
        _check: int = 0

    return Own


def after_init() -> type:
    class Own(types.FileAttachment):
        def model_post_init(self, context: Any, /) -> None: ...

    return Own


def open_ended() -> type:
    class Own(types.FileAttachment):
        model_config = ConfigDict(extra="allow")

    return Own


def constrained() -> type:
    class Own(types.FileAttachment):
        check: int = Field(default=0, ge=0)

    return Own


def kept_back() -> type:
    class Own(types.FileAttachment):
        check: int = Field(default=0, exclude=True)

    return Own


def read_otherwise() -> type:
    class Own(types.FileAttachment):
        check: int = Field(default=0, validation_alias="x")

    return Own


def made_of_others() -> type:
    class Own(types.FileAttachment):
        check: int = Field(default_factory=lambda values: len(values))

    return Own


def annotated() -> type:
    class Own(types.FileAttachment):
        check: Annotated[int, Field(alias="x")] = 0

    return Own


@pytest.mark.parametrize(
    "define",
    [
        *(validated, validated_whole, computed, serialized, private, underscored, after_init),
        *(open_ended, constrained, kept_back, read_otherwise, made_of_others, annotated),
    ],
)
def test_what_pydantic_would_do_and_a_struct_cannot_is_an_error(define: Callable[[], Any]) -> None:
    """At the definition of the class, with the place and the way out; msgspec would pass it over in silence."""
    with pytest.raises(TypeError, match=r"^Own(\.(_?check|model_post_init))?[ :]"):
        define()


def test_what_only_describes_is_welcome() -> None:
    class Own(types.FileAttachment):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        size: Annotated[int, Field(description="In bytes")] = 0
        _shared: ClassVar[dict[str, int]] = {}

        @property
        def large(self) -> bool:
            return self.size > 1

    assert Own(id="a", name="n", mime_type="m", size=2).large


def test_model_construct_takes_what_fits() -> None:
    values = {"id": "t", "created_at": NOW, "more": 1}
    on_both(lambda of: of.t.ThreadMetadata.model_construct(**values).model_dump(mode="json"))
    on_both(lambda of: of.t.ThreadMetadata.model_construct({"id"}, **values).id)
    assert widgets.DynamicWidgetRoot.model_construct(type="Card", x=1) == {"type": "Card", "x": 1}


def test_model_fields_is_a_mapping_by_name() -> None:
    on_both(lambda of: {*of.t.ThreadMetadata.model_fields})
    assert types.ThreadMetadata.model_fields["title"].default is None
    assert types.ThreadMetadata.model_fields["id"].required
    assert Upload.model_fields["owner"].encode_name == "ownedBy"


@pytest.mark.parametrize("value", [{True: 1}, {None: 1}, {1: {False: 2}}])
def test_keys_of_any_kind_become_text(value: Any) -> None:
    item = types.HiddenContextItem(
        id="i", thread_id="t", created_at=datetime.now(UTC), content=value
    )
    assert json.loads(encode(item))["content"] == json.loads(item.model_dump_json())["content"]


def test_an_iterator_is_refused_and_not_consumed() -> None:
    """A value is written more than once."""
    numbers = iter([1, 2])
    with pytest.raises(NotImplementedError):
        encode(numbers)
    assert list(numbers) == [1, 2]


def test_fields_that_say_too_much_are_refused_whatever_they_say() -> None:
    for more in ({"exclude_if": lambda _: True}, {"frozen": True}, {"strict": True}):
        with pytest.raises(TypeError):

            class _(types.FileAttachment):  # pyright: ignore[reportUnusedClass]
                secret: str = Field("k", **more)  # type: ignore[call-overload]


def test_descriptions_may_speak_of_defaults() -> None:
    class Described(types.FileAttachment):
        path: Annotated[str, Field(description="the default=3 is used")] = ""

    assert Described(id="a", name="n", mime_type="m", path="p").path == "p"


def test_openapi_names_the_members_of_a_union() -> None:
    app = FastAPI()
    either = Annotated[
        types.AssistantMessageItem | types.UserMessageItem, Field(discriminator="type")
    ]
    app.add_api_route("/items", lambda: None, response_model=list[either])  # type: ignore[valid-type]
    schemas = app.openapi()["components"]["schemas"]
    assert {"AssistantMessageItem", "UserMessageItem"} <= set(schemas)
