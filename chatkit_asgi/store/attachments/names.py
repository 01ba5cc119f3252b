"""Names of files: as a person may see them, and as an HTTP header carries them."""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import quote

__all__ = ["MAX_NAME", "clean_name", "content_disposition"]

MAX_NAME: Final = 200
"""Bytes of a name in UTF-8. Most file systems end at 255, and a browser may add `` (1)``."""

_JOINERS: Final = frozenset("\u200c\u200d")
"""Format characters that scripts and emoji need; the others hide or turn text around."""
_UNSAFE: Final = frozenset(["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"])
_QUOTED: Final = re.compile(r"[^ !#$&+\-.0-9A-Z^_`a-z{}~(),;=@\[\]']")


def clean_name(name: str) -> str:
    """The last part of a path, in normal form, without what a person cannot see, no longer than :data:`MAX_NAME`.

    Never empty, ``.`` or ``..``; keeps the extension when it shortens. The same name cleaned again stays as it is.
    """
    name = name[max(name.rfind("/"), name.rfind("\\")) + 1 :]
    name = _bounded(" ".join(_visible(name).split()).strip(" ."))
    name = unicodedata.normalize("NFC", name)
    name = " ".join(_visible(name).split()).strip(" .")
    return _shortened(name).strip(" .") or "file"


def _visible(name: str) -> str:
    return "".join(
        " " if each.isspace() else each
        for each in name
        if each in _JOINERS or each.isspace() or unicodedata.category(each) not in _UNSAFE
    )


def _bounded(name: str) -> str:
    """As much of both ends as can be left in the end: putting the marks of a letter in order takes a time that is
    quadratic in their number, and a client may send a hundred thousand. A byte has at most one and a half characters
    before they are composed."""
    if len(name) <= 5 * MAX_NAME:
        return name
    return name[: 4 * MAX_NAME] + name[-MAX_NAME:]


def _shortened(name: str) -> str:
    if len(name.encode()) <= MAX_NAME:
        return name
    stem, dot, extension = name.rpartition(".")
    tail = (dot + extension).encode()
    if not stem or len(tail) > MAX_NAME // 4:
        stem, tail = name, b""
    head = stem.encode()[: MAX_NAME - len(tail)].decode(errors="ignore").rstrip(" .")
    return head + tail.decode()


def content_disposition(kind: str, name: str) -> str:
    """The header's value (RFC 6266): plain ASCII for old clients, UTF-8 (RFC 8187) where the name needs it."""
    plain = _QUOTED.sub("_", name)
    value = f'{kind}; filename="{plain}"'
    return value if plain == name else f"{value}; filename*=UTF-8''{quote(name, safe='')}"
