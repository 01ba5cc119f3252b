"""A form with one file, read as it arrives (RFC 7578)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, Final, TypeVar

from ..errors import BadRequest

__all__ = ["is_form", "read_form"]

R = TypeVar("R")

MAX_PREAMBLE: Final = 16 * 1024
"""Bytes before the file begins, and after it has ended: boundaries and headers, which nobody makes long."""


def is_form(content_type: str) -> bool:
    """Whether the body says that it is a form."""
    return content_type.split(";", 1)[0].strip().lower() == "multipart/form-data"


async def read_form(
    content_type: str,
    body: AsyncIterator[bytes],
    take: Callable[[str, str, AsyncIterator[bytes]], Awaitable[R]],
) -> R:
    """Hand the form's file to ``take`` while it arrives: its name, its media type, its bytes.

    Nothing is held but the chunk at hand.

    Raises:
        BadRequest: The body is no form, or has something else in it than one part named ``file``.
    """
    form = _Form(content_type)
    chunks = form.parse(body)
    async with aclosing(chunks):
        first = await anext(chunks)
        if form.name is None:
            raise form.wrong("there is no part named file")

        async def rest() -> AsyncGenerator[bytes]:
            yield first
            async for chunk in chunks:
                yield chunk

        async with aclosing(rest()) as data:
            return await take(form.name, form.type, data)


class _Form:
    """What the parser has found. Its callbacks come while a chunk is written to it."""

    def __init__(self, content_type: str) -> None:
        from python_multipart.multipart import MultipartParser, parse_options_header

        _, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if not 0 < len(boundary) <= 70:  # RFC 2046, section 5.1.1
            raise self.wrong("it has no boundary")
        self.name: str | None = None
        """The file's, once its part has begun."""
        self.type = ""
        self._parse_header = parse_options_header
        self._field = self._value = b""
        self._headers: dict[bytes, bytes] = {}
        self._data: list[bytes] = []
        self._between = 0
        self._ended = False
        self._parser: Any = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
        )

    async def parse(self, body: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
        """The file's bytes; first of all an empty chunk when its part has begun, or when there is none."""
        from python_multipart.exceptions import FormParserError

        told = False
        async for chunk in body:
            self._between += len(chunk)
            try:
                self._parser.write(chunk)
            except FormParserError as error:
                raise self.wrong(str(error)) from None
            if self.name is not None and not told:
                told = True
                yield b""
            for data in self._data:
                yield data
            self._data.clear()
            if self._between > MAX_PREAMBLE + len(chunk):
                raise self.wrong("it is too long beside its file")
        if not self._ended:
            raise self.wrong("it ends in the middle")
        if not told:
            yield b""

    def wrong(self, why: str) -> BadRequest:
        return BadRequest(f"Send a form with one part named file: {why}.", code="invalid_form")

    def _on_part_begin(self) -> None:
        self._headers = {}

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._field.lower()] = self._value
        self._field = self._value = b""

    def _on_headers_finished(self) -> None:
        _, options = self._parse_header(self._headers.get(b"content-disposition", b""))
        if options.get(b"name") != b"file" or b"filename" not in options:
            raise self.wrong("it has another part")
        if self.name is not None:
            raise self.wrong("it has two files")
        # Browsers send names in UTF-8 and write a quote as %22 (the HTML standard, multipart/form-data encoding).
        name = options[b"filename"].decode("utf-8", "replace")
        self.name = name.replace("%22", '"').replace("%0D", " ").replace("%0A", " ")
        self.type = self._headers.get(b"content-type", b"").decode("latin-1")

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._data.append(data[start:end])
        self._between = 0

    def _on_part_end(self) -> None:
        self._between = 0

    def _on_end(self) -> None:
        self._ended = True
