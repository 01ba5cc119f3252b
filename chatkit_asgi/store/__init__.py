"""Stores: what they promise (:mod:`.base`), and the ones that come with the library."""

from .base import Aside, AttachmentStore, NotFoundError, Store, StoreItemType, ThreadPatch

__all__ = ["Aside", "AttachmentStore", "NotFoundError", "Store", "StoreItemType", "ThreadPatch"]
