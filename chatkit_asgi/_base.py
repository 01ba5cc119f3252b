"""The base of every wire struct: how values become JSON, and Pydantic's few methods.

What lives here: the one omission policy, the hooks that the serializer needs, and the small mixin that lets code
written for Pydantic models go on working. What does not: any wire type. May import msgspec only; Pydantic is imported
when it asks for a schema or a serializer, and for a value that only it may know how to write.

The omission policy (wire.md section 2): a field whose default is ``None`` is left out while it is ``None``; every other
field is always written, also when it holds its default. msgspec has no such mode, so the metaclass spells it in
msgspec's own terms: ``omit_defaults`` drops a value that *is* its default, and a default made by a factory is never
dropped. A ``type: Literal["..."] = "..."`` line becomes the struct's tag.
"""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from itertools import repeat
from operator import is_
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Literal,
    Self,
    TypeVar,
    Union,
    cast,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec
from msgspec import Struct, StructMeta, structs

__all__ = [
    "SHADOW",
    "Checked",
    "PydanticMethods",
    "PydanticUnion",
    "Wire",
    "WireMeta",
    "as_written",
    "convert",
    "enc_hook",
    "encode",
    "json_encoder",
    "pydantic_schema",
    "to_plain",
    "well_formed",
]

T = TypeVar("T")

SHADOW = "~chatkit_asgi.type"
"""Encoded name of the ``type`` field, which is only there for ``x.type`` and ``X(type=...)``; the tag is what is
written. The field is dropped as a default, or cut by :func:`encode` where an equal string was passed by hand."""


def _factory(value: object) -> Callable[[], Any]:
    container: Any = value
    return container.copy if isinstance(value, list | dict) else repeat(value).__next__


@dataclass_transform(kw_only_default=True, field_specifiers=(msgspec.field,))
class WireMeta(StructMeta):
    """Turns plain declarations, and Pydantic's ``Field(...)``, into the omission policy and the tag."""

    def __new__(
        mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **config: Any
    ) -> Any:
        config.setdefault("kw_only", True)
        config.setdefault("omit_defaults", True)
        nested = [name for base in bases for name in getattr(base, "_nested", ())]
        _refuse_pydantics_hooks(name, namespace)
        for field, annotation in namespace.get("__annotations__", {}).items():
            if type(default := namespace.get(field)).__name__ == "FieldInfo":
                default = namespace[field] = _field(f"{name}.{field}", default)
            if not _FREE_OR_SCALAR.search(str(annotation)):
                nested.append(field)
            if default is None or "ClassVar" in str(annotation):
                continue
            if field == "type":
                config.setdefault("tag_field", "type")
                config.setdefault("tag", default)
                namespace["type"] = msgspec.field(default=default, name=SHADOW)
            elif not isinstance(default, type(_FIELD)):
                namespace[field] = msgspec.field(default_factory=_factory(default))
        namespace["_nested"] = tuple(nested)
        return super().__new__(mcls, name, bases, namespace, **config)

    @property
    def model_fields(cls) -> dict[str, structs.FieldInfo]:
        """What msgspec knows of each field, by name."""
        return {field.name: field for field in structs.fields(cast("type[Struct]", cls))}


_FREE_OR_SCALAR = re.compile(
    r"ClassVar|\bAny\b|\bT\b|Literal|Widget|^(list\[)?(str|int|float|bool|bytes|datetime|Url|IconName)\b"
)
"""Annotations of fields that hold no structs."""

_FIELD: Any = msgspec.field(default=None)

_PYDANTICS_HOOKS = {
    "PydanticDescriptorProxy": "say in __post_init__ what must hold, and compute in a property",
    "ModelPrivateAttr": "every field of a struct is written; hold what is not in a place of your own",
    "model_post_init": "rename it to __post_init__(self), and call super().__post_init__() in it",
}
"""What a subclass may bring from Pydantic that msgspec would pass over in silence, and the way out."""

_SAID = frozenset(
    {
        *("annotation", "default", "default_factory", "deprecated", "description", "examples"),
        *("alias", "alias_priority", "serialization_alias", "validation_alias"),
        *("json_schema_extra", "repr", "title"),
    }
)
"""What a ``Field()`` of Pydantic may say: a default and a name, and what only describes."""

_LITERAL = re.compile(r"'[^']*'|\"[^\"]*\"")
_ANNOTATED_FIELD = re.compile(
    r"\bField(Info)?\(.*\b(default|default_factory|\w*alias|exclude|metadata|g[te]|l[te]|m(in|ax)_length|pattern)="
)


def _refuse_pydantics_hooks(name: str, namespace: dict[str, Any]) -> None:
    """What Pydantic would do here, and a struct does not, is an error instead of a surprise."""
    for attribute, value in namespace.items():
        for hook in (attribute, type(value).__name__):
            if hook in _PYDANTICS_HOOKS:
                raise TypeError(
                    f"{name}.{attribute} has no effect in a struct: {_PYDANTICS_HOOKS[hook]}"
                )
    if namespace.get("model_config", {}).get("extra") == "allow":
        raise TypeError(f"{name}: a struct keeps no extra keys; give it a field for them")
    for field, annotation in namespace.get("__annotations__", {}).items():
        if field.startswith("_") and "ClassVar" not in str(annotation):
            raise TypeError(
                f"{name}.{field} would be written: {_PYDANTICS_HOOKS['ModelPrivateAttr']}"
            )
        if "Field" in (text := str(annotation)) and _ANNOTATED_FIELD.search(_LITERAL.sub("", text)):
            raise TypeError(
                f"{name}.{field}: write `= Field(...)`, for an annotation says nothing here"
            )


def _field(name: str, info: Any) -> Any:
    """Pydantic's ``Field(...)`` as a plain default, or as msgspec's. Titles and descriptions say nothing here.

    Raises:
        TypeError: It asks for more than a default and an alias.
    """
    if (
        info.metadata
        or not set(getattr(info, "_attributes_set", ())) <= _SAID
        or getattr(info, "default_factory_takes_validated_data", False)
        or not info.alias == info.validation_alias == info.serialization_alias
    ):
        raise TypeError(
            f"{name}: a struct takes no more of Field() than default, default_factory and alias"
        )
    if info.is_required():
        return msgspec.field(name=info.alias)
    if (make := info.default_factory) is not None:  # never ``list`` itself: msgspec drops its []
        return msgspec.field(default_factory=lambda: make(), name=info.alias)
    if info.alias is None:
        return info.default
    if info.default is None:
        return msgspec.field(default=None, name=info.alias)
    return msgspec.field(default_factory=_factory(info.default), name=info.alias)


class PydanticMethods:
    """The methods of a Pydantic model that ChatKit backends use, for any struct."""

    __slots__ = ()

    _drop_none: ClassVar[bool] = False
    _nested: ClassVar[tuple[str, ...]] = ()

    def _as_written(self) -> Any:
        """The value without what is not written of it. Widgets leave out the nulls in their own objects."""
        return self

    if not TYPE_CHECKING:  # where the type of a dict's iterator would be in its way

        def __init_subclass__(cls):
            super().__init_subclass__()
            if issubclass(cls, dict) and cls.__iter__ is PydanticMethods.__iter__:
                cls.__iter__ = dict.__iter__  # an open widget keeps a dict's ways and their speed

        def __iter__(self):
            return iter(_fields(as_written(self)).items())

    def model_dump(
        self,
        *,
        mode: Literal["python", "json"] | str = "python",
        include: set[str] | Mapping[str, Any] | None = None,
        exclude: set[str] | Mapping[str, Any] | None = None,
        exclude_none: bool = False,
        exclude_unset: bool = False,
        exclude_defaults: bool = False,
        by_alias: bool | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        """The value as nested dicts and lists, private fields included.

        Args:
            mode: ``"json"`` also turns datetimes and other leaves into JSON types.
            include: Only these keys. A mapping says for each what of it: ``True``, or keys again; those of a list are
                its places, and ``"__all__"`` is every place.
            exclude: Not these keys, said in the same way.
            exclude_none: Leave out every ``None`` field, at every level.
            exclude_unset: The same here: a struct does not remember what was passed to it.
            exclude_defaults: The same here.
            by_alias: Fields by their names on the wire.
        """
        plain: dict[str, Any] = to_plain(
            as_written(self),
            json=mode == "json",
            drop_none=exclude_none or exclude_unset or exclude_defaults,
            by_alias=by_alias,
            include=include,
            exclude=exclude,
        )
        return plain

    def model_dump_json(self, *, indent: int | None = None, **options: Any) -> str:
        """:meth:`model_dump` as JSON text; takes the same options."""
        options["mode"] = "json"
        encoded = encode(self.model_dump(**options))
        return (msgspec.json.format(encoded, indent=indent) if indent else encoded).decode()

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with the fields of ``update`` changed; ``deep`` copies nested values too."""
        duplicate = copy.deepcopy(self) if deep else copy.copy(self)
        for name, value in (update or {}).items():
            setattr(duplicate, name, value)
        return duplicate

    @property
    def model_fields_set(self) -> set[str]:
        """The fields that are written: all but the optional ones that hold ``None``."""
        fields: tuple[str, ...] = cast("Any", self).__struct_fields__
        return {name for name in fields if getattr(self, name) is not None}

    @classmethod
    def model_construct(cls, _fields_set: set[str] | None = None, **values: Any) -> Self:
        """What the constructor does, for no constructor validates; unknown names are passed over."""
        names = getattr(cls, "__struct_fields__", values)
        return cls(**{name: value for name, value in values.items() if name in names})

    @classmethod
    def model_validate(cls, obj: Any, **_: Any) -> Self:
        """Build from a dict or return an instance as it is.

        Raises:
            msgspec.ValidationError: ``obj`` does not fit; the message carries the path.
        """
        return obj if isinstance(obj, cls) else convert(obj, cls)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **_: Any) -> Self:
        """Build from JSON text.

        Raises:
            msgspec.DecodeError: Not JSON, or JSON that does not fit (``msgspec.ValidationError``).
        """
        return msgspec.json.decode(json_data, type=cls)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        return pydantic_schema(source)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "object", "title": cls.__name__}

    @property
    def __pydantic_serializer__(self) -> Any:
        """For Pydantic, where it meets the value in a field that is ``Any``."""
        return _pydantic_serializer()


# The same again for mypy, which takes the nearest base's word before the metaclass's, and Struct has one too.
@dataclass_transform(kw_only_default=True, field_specifiers=(msgspec.field,))
class Wire(PydanticMethods, Struct, metaclass=WireMeta):
    """A struct of the protocol."""

    if TYPE_CHECKING:

        def __iter__(self) -> Iterator[tuple[str, Any]]:
            """The fields and their values, which stay as they are: for ``dict(x)``, and FastAPI's
            ``jsonable_encoder``."""
            ...


class Checked(Wire):
    """A struct whose constructor takes plain dicts for nested structs, as the reference's does.

    Structs with nothing nested, and those of a request, are plain :class:`Wire`: a ``__post_init__`` in Python costs
    more than decoding them.
    """

    def __post_init__(self) -> None:
        for name in self._nested:
            value: Any = getattr(self, name)
            kind: object = type(value)  # pyright: ignore[reportUnknownVariableType]
            if kind is dict or (kind is list and value and dict in map(type, value)):
                setattr(self, name, convert(value, _hints(self.__class__)[name]))


@cache
def _hints(cls: type) -> dict[str, Any]:
    """Resolved only for a class that is given a dict: resolving all would cost the import its speed."""
    return get_type_hints(cls, include_extras=True)


def enc_hook(value: Any) -> Any:
    """What the serializer asks about a value it does not know: wire forms, models, and what else Pydantic writes."""
    if (encode := getattr(value, "__wire__", None)) is not None:
        return encode()
    if (dump := getattr(value, "model_dump", None)) is not None:
        return dump(mode="json", by_alias=True)  # as the reference's endpoint does
    if isinstance(value, os.PathLike):
        return os.fsdecode(cast("Any", value))
    if value is None or isinstance(value, bool):  # as a key; elsewhere nobody asks
        return _json_key(value)
    if hasattr(value, "__next__"):  # a value is written more than once
        raise NotImplementedError("an iterator cannot be written as JSON: make a list of it")
    try:
        from pydantic_core import to_jsonable_python

        return to_jsonable_python(value)
    except (ImportError, ValueError):
        raise NotImplementedError(f"{type(value).__qualname__} cannot be written as JSON") from None


json_encoder = msgspec.json.Encoder(enc_hook=enc_hook)

_SHADOW_KEY = b',"' + SHADOW.encode() + b'":"'


def encode(value: Any) -> bytes:
    """``value`` as compact JSON. Text that UTF-8 cannot hold (lone surrogates) becomes U+FFFD."""
    encoded = _encode(value)
    # find, because ``in`` first takes its left side for a number, and raises and drops an exception that costs more
    # than the search
    if not (len(encoded) > 1024 and _carries_typed_widget(value)) and encoded.find(b"null") >= 0:
        written = as_written(value)
        encoded = encoded if written is value else _encode(written)
    if encoded.find(b"~") >= 0 and _SHADOW_KEY in encoded:  # one character is found 20 times faster
        encoded = re.sub(rb',"' + SHADOW.encode() + rb'":"[^"]*"', b"", encoded)
    return encoded


def _encode(value: Any) -> bytes:
    try:
        return json_encoder.encode(value)
    except UnicodeEncodeError:
        return json_encoder.encode(_well_formed(msgspec.to_builtins(value, enc_hook=enc_hook)))


def _carries_typed_widget(value: Any) -> bool:
    """Whether this is an item, update or event with a typed widget, which has no nulls: to know this is ten times
    faster than to look for one in the frame of a large widget."""
    value = getattr(value, "item", None) or getattr(value, "update", value)
    return isinstance(getattr(value, "widget", None) or getattr(value, "component", None), Struct)


def as_written(value: Any) -> Any:
    """``value`` with the widgets in it as they are written; itself if none of them has anything to leave out."""
    if type(value) in _JSON_LEAVES:
        return value
    if isinstance(value, PydanticMethods):
        value = value._as_written()  # pyright: ignore[reportPrivateUsage]
    if isinstance(value, list):
        elements: list[Any] = cast("Any", value)
        written = [as_written(each) for each in elements]
        return elements if all(map(is_, written, elements)) else written
    if not isinstance(value, Struct):
        return value
    copied = value
    for name in value.__struct_fields__:
        if (new := as_written(old := getattr(value, name))) is not old:
            copied = copy.copy(value) if copied is value else copied
            setattr(copied, name, new)
    return copied


def well_formed(text: str) -> str:
    """``text`` with every lone surrogate replaced by U+FFFD, and every pair joined."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _well_formed(value: Any) -> Any:
    if isinstance(value, str):
        return well_formed(value)
    if isinstance(value, dict):
        entries: dict[Any, Any] = cast("Any", value)
        return {_well_formed(key): _well_formed(each) for key, each in entries.items()}
    if isinstance(value, list):
        elements: list[Any] = cast("Any", value)
        return [_well_formed(each) for each in elements]
    return value


def to_plain(
    value: Any,
    *,
    json: bool = False,
    drop_none: bool = False,
    by_alias: bool | None = None,
    include: Any = None,
    exclude: Any = None,
    models: bool = True,
) -> Any:
    """Structs as nested dicts, and models and dataclasses where asked for; everything else copied container by
    container."""
    kind = cast("Any", type(value))
    if kind in _JSON_LEAVES:
        return value
    inner = partial(to_plain, json=json, drop_none=drop_none, by_alias=by_alias, models=models)
    if isinstance(value, list | tuple):
        elements: list[Any] = cast("Any", value)
        places = enumerate(elements)
        parts = [each for _, each in _parts(inner, places, include, exclude, len(elements))]
        return parts if json or isinstance(value, list) else tuple(parts)
    if isinstance(value, set | frozenset):
        members: Any = cast("Any", value)
        return [inner(each) for each in members] if json else members.copy()
    if isinstance(value, dict):
        entries: dict[Any, Any] = cast("Any", value)
        if json and not all(isinstance(key, str) for key in entries):
            entries = {_json_key(key): each for key, each in entries.items()}
    elif isinstance(value, Struct):
        entries = _fields(value, drop_none)
    elif models and hasattr(kind, "model_dump"):
        return value.model_dump(
            mode="json" if json else "python",
            exclude_none=drop_none,
            include=include,
            exclude=exclude,
            **({} if by_alias is None else {"by_alias": by_alias}),  # Pydantic 2.10 takes no None
        )
    elif models and hasattr(kind, "__dataclass_fields__"):
        entries = {name: getattr(value, name) for name in kind.__dataclass_fields__}
    else:
        return msgspec.to_builtins(value, enc_hook=enc_hook) if json else value
    plain = dict(_parts(inner, entries.items(), include, exclude))
    if by_alias and isinstance(value, Struct):
        alias = dict(zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True))
        alias["type"] = "type"
        plain = {alias.get(name, name): each for name, each in plain.items()}
    return plain


_JSON_LEAVES = frozenset({str, int, float, bool, NoneType})


def _fields(value: Struct, drop_none: bool = False) -> dict[str, Any]:
    """The fields of a struct and its tag by name, without nulls where they are dropped."""
    drop = drop_none or getattr(value, "_drop_none", False)
    names = value.__struct_fields__
    fields = {n: v for n in names if (v := getattr(value, n)) is not None or not drop}
    tag = value.__struct_config__.tag
    return fields if tag is None else {**fields, value.__struct_config__.tag_field or "type": tag}


def _json_key(key: Any) -> str:
    if key is None or isinstance(key, bool):  # which msgspec refuses as keys
        return {None: "None", True: "true", False: "false"}[key]
    (text,) = msgspec.to_builtins({key: None}, str_keys=True, enc_hook=enc_hook)
    return cast("str", text)


def _parts(
    inner: Callable[..., Any],
    entries: Iterable[tuple[Any, Any]],
    include: Any,
    exclude: Any,
    length: int = 0,
) -> Iterable[tuple[Any, Any]]:
    """The entries that are wanted, made plain; the places of a list of that length count from its end too."""
    if include is None and exclude is None:
        return ((key, each if type(each) in _JSON_LEAVES else inner(each)) for key, each in entries)
    return (
        (key, inner(each, include=None if shown is True else shown, exclude=hidden))
        for key, each in entries
        for places in [(key, key - length) if length else (key,)]
        for shown in [True if include is None else _said(include, places)]
        for hidden in [None if exclude is None else _said(exclude, places)]
        if shown is not None and hidden is not True
    )


def _said(choice: Any, places: tuple[Any, ...]) -> Any:
    """What a choice says of a place: ``None`` (nothing), ``True`` (all of it), or a choice in it."""
    told = _as_mapping(choice)
    return _united(next((told[at] for at in places if at in told), None), told.get("__all__"))


def _united(own: Any, of_all: Any) -> Any:
    """What is said of a place itself and of all places. Its own word goes first where one of them is on the whole."""
    if own is None or of_all is None:
        return of_all if own is None else own
    if own is True or of_all is True:
        return own
    first, second = _as_mapping(own), _as_mapping(of_all)
    return {at: _united(first.get(at), second.get(at)) for at in {*first, *second}}


def _as_mapping(choice: Any) -> dict[Any, Any]:
    if not isinstance(choice, Mapping):
        return dict.fromkeys(choice, True)
    entries: Mapping[Any, Any] = cast("Any", choice)
    return {at: True if said is ... else said for at, said in entries.items()}


def convert(value: Any, kind: Any) -> Any:
    """Convert plain data, or plain data that holds structs, to ``kind``.

    Raises:
        msgspec.ValidationError: It does not fit; the message carries the path.
    """
    return msgspec.convert(to_plain(value, by_alias=True, models=False), kind)


def pydantic_schema(source: Any, *, validate: Callable[[Any], Any] | None = None) -> Any:
    """A Pydantic core schema that validates with msgspec, or with a function of your own, and serializes like
    :meth:`Wire.model_dump`."""
    from pydantic_core import core_schema

    def fits(value: Any) -> Any:
        try:
            if validate is not None:
                return validate(value)
            return (
                value
                if isinstance(value, Struct) and not _is_mismatch(value, source)
                else convert(value, source)
            )
        except msgspec.ValidationError as error:
            raise ValueError(str(error)) from error

    serialization = _serialization()
    if not (tags := _tags(source)):
        return core_schema.no_info_plain_validator_function(fits, serialization=serialization)
    # the inner schema is never asked: a union with a discriminator reads there which tags are whose
    field = core_schema.typed_dict_field(core_schema.literal_schema(tags))
    return core_schema.no_info_wrap_validator_function(
        lambda value, _: fits(value),
        core_schema.typed_dict_schema({"type": field}),
        # a name of its own, as Pydantic makes them: JSON Schema's discriminators point to names
        ref=f"{source.__module__}.{source.__qualname__}:{id(source)}"
        if isinstance(source, type)
        else None,
        serialization=serialization,
    )


def _serialization() -> Any:
    from pydantic_core import core_schema

    def serialize(value: Any, info: Any) -> Any:
        return to_plain(
            as_written(value),
            json=info.mode == "json",
            drop_none=bool(info.exclude_none or info.exclude_unset or info.exclude_defaults),
            by_alias=info.by_alias,
            include=info.include,
            exclude=info.exclude,
        )

    return core_schema.plain_serializer_function_ser_schema(serialize, info_arg=True)


@cache
def _pydantic_serializer() -> Any:
    try:
        from pydantic_core import SchemaSerializer, core_schema
    except ImportError as error:
        raise AttributeError("__pydantic_serializer__: Pydantic is not installed") from error
    return SchemaSerializer(core_schema.any_schema(serialization=_serialization()))


def _tags(kind: Any) -> list[str]:
    """The values of ``type`` by which a struct, an action or a union of them is known."""
    if get_origin(kind) is Annotated:
        return _tags(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        members = [_tags(member) for member in get_args(kind)]
        return [tag for tags in members for tag in tags] if all(members) else []
    tag = getattr(getattr(kind, "__struct_config__", None), "tag", None)
    return [*getattr(kind, "_names", [tag] if isinstance(tag, str) else ())]


def _is_mismatch(value: Struct, source: Any) -> bool:
    return isinstance(source, type) and not isinstance(value, source)


class PydanticUnion:
    """Annotation that makes an alias of tagged structs usable as one Pydantic type."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return pydantic_schema(source)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "object"}
