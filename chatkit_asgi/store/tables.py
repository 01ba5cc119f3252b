"""For authors of a store over a shared database: everything but the statements.

Write a class with the methods of :class:`Tables`, and subclass :class:`RowStore` with two methods that run functions of
it, ``_read`` and ``_write``. Rows come ready (:mod:`.rows`), with owners and keys already decided.
``chatkit_asgi.testing.store_contract`` tells whether it keeps the promises of :mod:`.base`.
"""

from ._pages import KEPT, LEASE, MAX_SEQUENCE, Hidden, ItemQuery, Slice, missing, shown_ranges
from ._tables import AttachmentEntry, RowStore, Tables
from ._worker import Call, Session, Worker, Workers, in_breaths

__all__ = [
    "AttachmentEntry",
    "Call",
    "Hidden",
    "ItemQuery",
    "KEPT",
    "LEASE",
    "MAX_SEQUENCE",
    "RowStore",
    "Session",
    "Slice",
    "Tables",
    "Worker",
    "Workers",
    "in_breaths",
    "missing",
    "shown_ranges",
]
