"""What Pydantic asks of a struct. Pydantic itself is imported when it does."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from msgspec import Struct

from .encoding import as_written
from .plain import convert, to_plain

__all__ = ["PydanticUnion", "pydantic_schema", "pydantic_serializer", "tags_of"]


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
    if not (tags := tags_of(source)):
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
def pydantic_serializer() -> Any:
    """What writes a struct where Pydantic knows no type.

    Raises:
        AttributeError: Pydantic is not installed.
    """
    try:
        from pydantic_core import SchemaSerializer, core_schema
    except ImportError as error:
        raise AttributeError("_pydantic_serializer__: Pydantic is not installed") from error
    return SchemaSerializer(core_schema.any_schema(serialization=_serialization()))


def tags_of(kind: Any) -> list[str]:
    """The values of ``type`` by which a struct, an action or a union of them is known."""
    if get_origin(kind) is Annotated:
        return tags_of(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        members = [tags_of(member) for member in get_args(kind)]
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
