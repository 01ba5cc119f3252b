"""Stores: what they promise (:mod:`.base`), and the ones that come with the library.

Also importable from here: the names that code written for openai-chatkit takes from ``chatkit.store``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..ids import default_generate_id
from ..types import Attachment, Page, ThreadItem, ThreadMetadata
from .base import Aside, AttachmentStore, NotFoundError, Store, StoreItemType, ThreadPatch
from .memory import MemoryStore

if TYPE_CHECKING:
    from .sqlite import SQLiteStore

__all__ = [
    "Aside",
    "Attachment",
    "AttachmentStore",
    "FileStore",
    "MemoryStore",
    "NotFoundError",
    "Page",
    "SQLiteStore",
    "Store",
    "StoreItemType",
    "ThreadItem",
    "ThreadMetadata",
    "ThreadPatch",
    "default_generate_id",
]

FileStore = AttachmentStore
"""The older name in OpenAI's custom-server guide."""


def __getattr__(name: str) -> Any:
    if name == "SQLiteStore":  # loads sqlite3, which not everybody needs
        from .sqlite import SQLiteStore

        globals()[name] = SQLiteStore
        return SQLiteStore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
