"""Icon names (wire.md section 10). An unknown name is cosmetic: it degrades to no icon, it never ends an answer."""

from __future__ import annotations

from typing import Final, Literal, get_args

__all__ = ["ICON_NAMES", "IconName", "LucideIconName", "VendorIconName", "known_icon"]

VendorIconName = str
"""A name that starts with ``vendor:``."""
LucideIconName = str
"""A name that starts with ``lucide:``."""

_BuiltinIcon = Literal[
    "agent", "analytics", "atom", "batch", "bolt", "book-open", "book-closed", "book-clock", "bug", "calendar", "chart",
    "check", "check-circle", "check-circle-filled", "chevron-left", "chevron-right", "circle-question", "clock",
    "compass", "confetti", "cube", "desktop", "document", "dot", "dots-horizontal", "dots-vertical", "empty-circle",
    "external-link", "globe", "keys", "lab", "images", "info", "lifesaver", "lightbulb", "mail", "map-pin", "maps",
    "mobile", "name", "notebook", "notebook-pencil", "page-blank", "phone", "play", "plus", "profile", "profile-card",
    "reload", "star", "star-filled", "search", "sparkle", "sparkle-double", "square-code", "square-image",
    "square-text", "suitcase", "settings-slider", "user", "wreath", "write", "write-alt", "write-alt2",
]  # fmt: skip

IconName = _BuiltinIcon | VendorIconName | LucideIconName
"""One of the 64 built-in names, or any string that starts with ``vendor:`` or ``lucide:``."""

ICON_NAMES: Final[frozenset[str]] = frozenset(get_args(_BuiltinIcon))


def known_icon(name: str | None) -> str | None:
    """``name`` if the client can draw it, else ``None``."""
    if name is None or name in ICON_NAMES or name.startswith(("vendor:", "lucide:")):
        return name
    return None
