"""The base classes: the metaclass with the omission policy, and Pydantic's few methods."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Literal,
    Self,
    cast,
    dataclass_transform,
    get_type_hints,
)

import msgspec
from msgspec import Struct, StructMeta, structs

from .declaring import factory, field_of, refuse_pydantics_hooks
from .encoding import SHADOW, as_written, encode
from .plain import convert, fields_of, to_plain
from .schema import pydantic_schema, pydantic_serializer

__all__ = ["Checked", "PydanticMethods", "Wire", "WireMeta"]


@dataclass_transform(kw_only_default=True, field_specifiers=(msgspec.field,))
class WireMeta(StructMeta):
    """Turns plain declarations, and Pydantic's ``Field(...)``, into the omission policy and the tag."""

    def __new__(
        mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **config: Any
    ) -> Any:
        config.setdefault("kw_only", True)
        config.setdefault("omit_defaults", True)
        nested = [name for base in bases for name in getattr(base, "_nested", ())]
        refuse_pydantics_hooks(name, namespace)
        for field, annotation in namespace.get("__annotations__", {}).items():
            if type(default := namespace.get(field)).__name__ == "FieldInfo":
                default = namespace[field] = field_of(f"{name}.{field}", default)
            if not _FREE_OR_SCALAR.search(str(annotation)):
                nested.append(field)
            if default is None or "ClassVar" in str(annotation):
                continue
            if field == "type":
                config.setdefault("tag_field", "type")
                config.setdefault("tag", default)
                namespace["type"] = msgspec.field(default=default, name=SHADOW)
            elif not isinstance(default, type(_FIELD)):
                namespace[field] = msgspec.field(default_factory=factory(default))
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
            return iter(fields_of(as_written(self)).items())

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
        return pydantic_serializer()


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
