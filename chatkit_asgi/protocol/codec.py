"""Bytes to values and back: wire values are encoded and decoded here.

Decoders are built once: one for requests, one for each type that is asked for. Encoding follows the omission policy of
:mod:`chatkit_asgi._base`. Malformed bytes end in exactly one exception, :class:`~chatkit_asgi.errors.BadRequest`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import accumulate
from typing import Any, Final, TypeVar, overload

import msgspec

from .._base import encode, json_encoder, well_formed
from ..errors import BadRequest
from ..types import ChatKitReq, ThreadItem, UnknownItem

__all__ = [
    "decode",
    "decode_item",
    "decode_request",
    "encode",
    "encode_stored",
    "unknown_item",
    "well_formed",
]

T = TypeVar("T")


def _tags(union: Any) -> frozenset[str]:
    return frozenset(str(kind.__struct_config__.tag) for kind in union.__origin__.__args__)


REQUEST_TYPES: Final = _tags(ChatKitReq)

_decode_request: Callable[[bytes | bytearray], ChatKitReq] = msgspec.json.Decoder(ChatKitReq).decode
_item: msgspec.json.Decoder[Any] = msgspec.json.Decoder(ThreadItem)
_lenient_item: msgspec.json.Decoder[Any] = msgspec.json.Decoder(ThreadItem, strict=False)

_UNDECODABLE: Final = (msgspec.DecodeError, UnicodeError, RecursionError)

MAX_DEPTH: Final = 200
"""Levels of nesting that a request may have; pydantic's limit, and so the reference's, is 201. The decoder alone would
take as many as the stack has room for, and what it took could then be neither copied nor written."""

_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
"""What an opening and a closing bracket add to the depth, as signed bytes."""
_NEITHER: Final = bytes(set(range(256)) - set(b'[]{}"'))


class _Tag(msgspec.Struct):
    type: str


_tag = msgspec.json.Decoder(_Tag)


@lru_cache(maxsize=256)
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


@overload
def decode(data: bytes | bytearray | str, kind: type[T]) -> T: ...
@overload
def decode(data: bytes | bytearray | str, kind: Any) -> Any: ...
def decode(data: bytes | bytearray | str, kind: Any) -> Any:
    """Decode one JSON value of a public type or union.

    Raises:
        BadRequest: Not JSON (code ``malformed_json``) or JSON that does not fit (``invalid_request``, with ``path``).
    """
    return _run(_decoder(kind), data)


def decode_request(data: bytes | bytearray) -> ChatKitReq:
    """Decode the body of a request.

    Raises:
        BadRequest: As :func:`decode`, and with code ``unknown_request_type`` for a ``type`` that this version lacks.
    """
    try:
        request = _decode_request(data)
        if len(data) > 2 * MAX_DEPTH and _may_be_deep(data) and _depth(data) > MAX_DEPTH:
            raise RecursionError
        return request
    except _UNDECODABLE as problem:
        error = _bad_request(problem)
    if error.path == "$.type" and (name := _peek(data)) is not None:
        raise BadRequest(
            f"Unknown request type {name[:100]!r}.", code="unknown_request_type", path="$.type"
        )
    raise error


def encode_stored(value: Any) -> bytes:
    """:func:`encode` for a page or thread whose items are already JSON: skips the search for nulls, which would cost
    more than joining the bytes."""
    try:
        return json_encoder.encode(value)
    except UnicodeEncodeError:
        return encode(value)


def decode_item(data: bytes, *, strict: bool = True) -> Any:
    """Decode a stored item; one whose type is unknown comes back as :class:`~chatkit_asgi.types.UnknownItem`.

    Args:
        data: The item's JSON.
        strict: Whether a number in a text and the like does not fit.

    Raises:
        BadRequest: It is not an item at all, or a known one that is damaged.
    """
    try:
        return (_item if strict else _lenient_item).decode(data)
    except _UNDECODABLE as problem:
        name = _peek(data)
        if name is None or name in ITEM_TYPES:
            raise _bad_request(problem) from None
        return unknown_item(data)


def unknown_item(data: bytes) -> UnknownItem:
    """A stored item of which only the head is read, whatever its type.

    Raises:
        BadRequest: It is not an item at all.
    """
    try:
        return UnknownItem.of(bytes(data))
    except _UNDECODABLE as problem:
        raise _bad_request(problem) from None


ITEM_TYPES: Final = _tags(ThreadItem)


def _may_be_deep(data: bytes | bytearray) -> bool:
    """Whether there are enough brackets. Stepping from one to the next passes over a megabyte of audio at the speed of
    memory; counting does not."""
    found = 0
    for bracket in (b"{", b"["):
        place = data.find(bracket)
        while place >= 0:
            found += 1
            if found > MAX_DEPTH:
                return True
            place = data.find(bracket, place + 1)
    return False


def _depth(data: bytes | bytearray) -> int:
    """How deep a JSON text is nested. It is known to be JSON, so every second run between quotes is a string's; a
    pattern for strings took twenty times as long."""
    if data.find(b"\\") >= 0:
        data = data.replace(rb"\\", b"").replace(rb"\"", b"")
    steps = data.translate(_STEPS, _NEITHER).replace(b'""', b"")
    steps = b"".join(steps.split(b'"')[::2])
    return max(accumulate(memoryview(steps).cast("b")), default=0)


def _peek(data: bytes | bytearray) -> str | None:
    try:
        return _tag.decode(data).type
    except _UNDECODABLE:
        return None


def _run(decoder: msgspec.json.Decoder[Any], data: bytes | bytearray | str) -> Any:
    try:
        return decoder.decode(data)
    except _UNDECODABLE as problem:
        raise _bad_request(problem) from None


def _bad_request(problem: Exception) -> BadRequest:
    match problem:
        case msgspec.ValidationError():
            message, _, where = str(problem).rpartition(" - at `")
            path = where.removesuffix("`") if message else "$"
            return BadRequest(message or str(problem), code="invalid_request", path=path)
        case UnicodeError():
            return BadRequest("The body is not UTF-8.", code="malformed_json", path="$")
        case RecursionError():
            return BadRequest("The body is nested too deeply.", code="malformed_json", path="$")
        case _:
            return BadRequest(f"The body is not JSON: {problem}", code="malformed_json", path="$")
