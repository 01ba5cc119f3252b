"""The base of every wire struct: how values become JSON, and Pydantic's few methods.

What lives here: the one omission policy, the hooks that the serializer needs, and the small mixin that lets code
written for Pydantic models go on working. What does not: any wire type. May import msgspec only; Pydantic is imported
when a Pydantic model asks for a schema.

The omission policy (wire.md section 2): a field whose default is ``None`` is left out while it is ``None``; every other
field is always written, also when it holds its default. msgspec has no such mode, so the metaclass spells it in
msgspec's own terms: ``omit_defaults`` drops a value that *is* its default, and a default made by a factory is never
dropped. A ``type: Literal["..."] = "..."`` line becomes the struct's tag.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from functools import cache
from itertools import repeat
from operator import is_
from typing import Any, ClassVar, Literal, Self, TypeVar, cast, dataclass_transform, get_type_hints

import msgspec
from msgspec import Struct, StructMeta

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
    """Turns plain declarations into the omission policy and the tag."""

    def __new__(
        mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **config: Any
    ) -> Any:
        config.setdefault("kw_only", True)
        config.setdefault("omit_defaults", True)
        nested = [name for base in bases for name in getattr(base, "_nested", ())]
        for field, annotation in namespace.get("__annotations__", {}).items():
            default = namespace.get(field)
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


_FREE_OR_SCALAR = re.compile(
    r"ClassVar|\bAny\b|\bT\b|Literal|Widget|^(list\[)?(str|int|float|bool|bytes|datetime|Url|IconName)\b"
)
"""Annotations of fields that hold no structs."""

_FIELD: Any = msgspec.field(default=None)


class PydanticMethods:
    """The methods of a Pydantic model that ChatKit backends use, for any struct."""

    __slots__ = ()

    _drop_none: ClassVar[bool] = False
    _nested: ClassVar[tuple[str, ...]] = ()

    def _as_written(self) -> Any:
        """The value without what is not written of it. Widgets leave out the nulls in their own objects."""
        return self

    def model_dump(
        self,
        *,
        mode: Literal["python", "json"] | str = "python",
        include: set[str] | Mapping[str, Any] | None = None,
        exclude: set[str] | Mapping[str, Any] | None = None,
        exclude_none: bool = False,
        exclude_unset: bool = False,
        exclude_defaults: bool = False,
        **_: Any,
    ) -> dict[str, Any]:
        """The value as nested dicts and lists, private fields included.

        Args:
            mode: ``"json"`` also turns datetimes and other leaves into JSON types.
            include: Only these top-level keys.
            exclude: Not these top-level keys.
            exclude_none: Leave out every ``None`` field, at every level.
            exclude_unset: The same here: a struct does not remember what was passed to it.
            exclude_defaults: The same here.
        """
        plain = to_plain(
            as_written(self),
            json=mode == "json",
            drop_none=exclude_none or exclude_unset or exclude_defaults,
        )
        return {
            key: value
            for key, value in plain.items()
            if (include is None or key in include) and (exclude is None or key not in exclude)
        }

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


# The same again for mypy, which takes the nearest base's word before the metaclass's, and Struct has one too.
@dataclass_transform(kw_only_default=True, field_specifiers=(msgspec.field,))
class Wire(PydanticMethods, Struct, metaclass=WireMeta):
    """A struct of the protocol."""


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
    """What the serializer asks about a value it does not know: wire forms and Pydantic models."""
    if (encode := getattr(value, "__wire__", None)) is not None:
        return encode()
    if (dump := getattr(value, "model_dump", None)) is not None:
        return dump(mode="json")
    raise NotImplementedError(f"{type(value).__qualname__} cannot be written as JSON")


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


def to_plain(value: Any, *, json: bool = False, drop_none: bool = False) -> Any:
    """Structs as nested dicts, everything else copied container by container."""
    if isinstance(value, Struct):
        drop = drop_none or getattr(value, "_drop_none", False)
        names = value.__struct_fields__
        plain = {
            n: to_plain(v, json=json, drop_none=drop)
            for n in names
            if (v := getattr(value, n)) is not None or not drop
        }
        tag = value.__struct_config__.tag
        return plain if tag is None else {**plain, value.__struct_config__.tag_field or "type": tag}
    if isinstance(value, dict):
        entries: dict[Any, Any] = cast("Any", value)
        return {
            key: to_plain(each, json=json, drop_none=drop_none) for key, each in entries.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        elements: Any = cast("Any", value)
        return [to_plain(each, json=json, drop_none=drop_none) for each in elements]
    return msgspec.to_builtins(value, enc_hook=enc_hook) if json else value


def convert(value: Any, kind: Any) -> Any:
    """Convert plain data, or plain data that holds structs, to ``kind``.

    Raises:
        msgspec.ValidationError: It does not fit; the message carries the path.
    """
    return msgspec.convert(to_plain(value), kind)


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

    def serialize(value: Any, info: Any) -> Any:
        return to_plain(
            as_written(value), json=info.mode == "json", drop_none=bool(info.exclude_none)
        )

    return core_schema.no_info_plain_validator_function(
        fits,
        serialization=core_schema.plain_serializer_function_ser_schema(serialize, info_arg=True),
    )


def _is_mismatch(value: Struct, source: Any) -> bool:
    return isinstance(source, type) and not isinstance(value, source)


class PydanticUnion:
    """Annotation that makes an alias of tagged structs usable as one Pydantic type."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return pydantic_schema(source)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "object"}
