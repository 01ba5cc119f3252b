"""Stores: what they promise (:mod:`.base`), and the ones that come with the library.

Also importable from here: the names that code written for openai-chatkit takes from ``chatkit.store``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..ids import default_generate_id
from ..types import Attachment, Page, ThreadItem, ThreadMetadata
from .base import Aside, AttachmentStore, NotFoundError, Owner, Store, StoreItemType, ThreadPatch

if TYPE_CHECKING:
    from .attachments import AttachmentLimits
    from .attachments.disk import DiskAttachmentStore, DiskFileStore
    from .attachments.s3 import S3AttachmentStore
    from .memory import MemoryStore
    from .rows import read_item
    from .sqlite import SQLiteStore

__all__ = [
    "Aside",
    "Attachment",
    "AttachmentLimits",
    "AttachmentStore",
    "DiskAttachmentStore",
    "DiskFileStore",
    "FileStore",
    "MemoryStore",
    "NotFoundError",
    "Owner",
    "Page",
    "S3AttachmentStore",
    "SQLiteStore",
    "Store",
    "StoreItemType",
    "ThreadItem",
    "ThreadMetadata",
    "ThreadPatch",
    "default_generate_id",
    "read_item",
]

FileStore = AttachmentStore
"""The older name in OpenAI's custom-server guide."""


_MODULES = {
    "MemoryStore": "memory",
    "SQLiteStore": "sqlite",
    "AttachmentLimits": "attachments",
    "DiskAttachmentStore": "attachments.disk",
    "DiskFileStore": "attachments.disk",
    "S3AttachmentStore": "attachments.s3",
    "read_item": "rows",
}
"""Loaded on use: who brings a store of their own needs neither these nor sqlite3."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f".{_MODULES[name]}", __name__), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
