"""What a struct's declaration may bring from Pydantic, and what it may not."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import repeat
from typing import Any

import msgspec

__all__ = ["factory", "field_of", "refuse_pydantics_hooks"]


def factory(value: object) -> Callable[[], Any]:
    """Makes a default that is always written: ``omit_defaults`` drops none that a factory has made."""
    container: Any = value
    return container.copy if isinstance(value, list | dict) else repeat(value).__next__


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


def refuse_pydantics_hooks(name: str, namespace: dict[str, Any]) -> None:
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


def field_of(name: str, info: Any) -> Any:
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
    return msgspec.field(default_factory=factory(info.default), name=info.alias)
