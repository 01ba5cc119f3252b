"""The endpoint's schemas in FastAPI's document. FastAPI takes components from Pydantic types only, so this is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from pydantic_core import core_schema

from chatkit_asgi.openapi import REF, components

__all__ = ["Schemas"]

Handler = Callable[[Any], Any]


class Schemas:
    """A Pydantic type whose JSON Schema brings all of ChatKit's components with it."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Handler) -> Any:
        return core_schema.any_schema()

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Handler) -> Any:
        return {name: _document(name, handler) for name in components()}["ChatKitAnswer"]


def _document(name: str, handler: Handler) -> Any:
    """Put a component into the document, and what it refers to; returns the reference to it."""

    def schema_of(_: Any, handler: Handler) -> Any:
        return _resolve(components()[name], handler)

    component = core_schema.any_schema(ref=name, metadata={"pydantic_js_functions": [schema_of]})
    # A handler looks at what is inside a schema, not at its own metadata.
    return handler(core_schema.definitions_schema(component, []))


def _resolve(value: Any, handler: Handler) -> Any:
    if isinstance(value, dict):
        found = cast("dict[str, Any]", value)
        if "$ref" in found:
            return _document(found["$ref"].removeprefix(REF), handler)
        return {key: _resolve(each, handler) for key, each in found.items()}
    if isinstance(value, list):
        return [_resolve(each, handler) for each in cast("list[Any]", value)]
    return value
