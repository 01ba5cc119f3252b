"""The store's tables.

A row is the record's JSON as clients get it (``data``), JSON that never leaves the server (``private``), and the few
columns that decide something. Only :mod:`.tables` writes here: what else changes a row may take promises from it that
:mod:`chatkit_asgi.store.base` makes.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from django.db import models

if TYPE_CHECKING:
    _TextColumn = models.CharField[str, str]
else:
    _TextColumn = models.CharField

__all__ = ["Aside", "Attachment", "Item", "KeyField", "Thread", "storable"]

MAX_KEY = 255


def storable(text: str) -> str:
    """A key without what PostgreSQL cannot hold in text; the store has already replaced what UTF-8 cannot."""
    return text.replace("\0", "\ufffd")


class KeyField(_TextColumn):
    """An id or an owner."""

    def get_prep_value(self, value: Any) -> Any:
        prepared = super().get_prep_value(value)
        return storable(prepared) if isinstance(prepared, str) else prepared


class Record(models.Model):
    """What every kind of record has."""

    data: models.TextField[str, str] = models.TextField()
    private: models.TextField[str | None, str | None] = models.TextField(null=True, blank=True)
    version: models.SmallIntegerField[int, int] = models.SmallIntegerField(default=0)
    """The vocabulary that wrote the row; see :mod:`chatkit_asgi.store.rows`."""

    class Meta:
        abstract = True

    @property
    def json(self) -> dict[str, Any]:
        """The record as clients get it; empty when something else has been written there."""
        with suppress(ValueError):
            found: Any = json.loads(self.data)
            if isinstance(found, dict):
                return cast("dict[str, Any]", found)
        return {}


class Thread(Record):
    """A thread. Threads are in the order of their primary keys."""

    owner = KeyField(max_length=MAX_KEY, blank=True)
    public_id = KeyField("id", max_length=MAX_KEY)
    last: models.BigIntegerField[int, int] = models.BigIntegerField(default=0)
    """The last place that was given out in this thread. Every change of the thread's items begins by taking the next,
    which also locks the thread until the change is committed."""

    class Meta(Record.Meta):
        constraints = [
            models.UniqueConstraint(fields=["owner", "public_id"], name="chatkit_thread_key"),
        ]
        indexes = [models.Index(fields=["owner", "id"], name="chatkit_thread_order")]

    def __str__(self) -> str:
        return self.title or self.public_id

    @property
    def title(self) -> str:
        """The title that clients see, or nothing."""
        return str(self.json.get("title") or "")


class Item(Record):
    """An item, at its place in its thread."""

    thread: models.ForeignKey[Thread, Thread] = models.ForeignKey(
        Thread, models.CASCADE, related_name="items", db_index=False
    )
    place: models.BigIntegerField[int, int] = models.BigIntegerField()
    public_id = KeyField("id", max_length=MAX_KEY)
    type: models.CharField[str, str] = models.CharField(max_length=MAX_KEY)
    hidden: models.BooleanField[bool, bool] = models.BooleanField(default=False)
    pending: models.BooleanField[bool, bool] = models.BooleanField(default=False)
    feedback: models.CharField[str | None, str | None] = models.CharField(
        max_length=16, null=True, blank=True
    )

    class Meta(Record.Meta):
        constraints = [
            models.UniqueConstraint(fields=["thread", "place"], name="chatkit_item_place"),
            models.UniqueConstraint(fields=["thread", "public_id"], name="chatkit_item_key"),
        ]
        indexes = [
            models.Index(
                fields=["thread", "place"],
                name="chatkit_item_pending",
                condition=models.Q(pending=True),
            ),
            models.Index(
                fields=["thread"],
                name="chatkit_item_feedback",
                condition=models.Q(feedback__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.public_id}"


class Aside(models.Model):
    """Items of a thread that are out of sight: places from ``first`` to ``last``, until a time (seconds since 1970)."""

    thread: models.ForeignKey[Thread, Thread] = models.ForeignKey(
        Thread, models.CASCADE, related_name="asides", db_index=False
    )
    token: models.CharField[str, str] = models.CharField(max_length=MAX_KEY)
    first: models.BigIntegerField[int, int] = models.BigIntegerField()
    last: models.BigIntegerField[int, int] = models.BigIntegerField()
    expires: models.FloatField[float, float] = models.FloatField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["thread", "token"], name="chatkit_aside_token"),
        ]


class Attachment(Record):
    """An attachment's record. Its thread may come later, or never."""

    owner = KeyField(max_length=MAX_KEY, blank=True)
    public_id = KeyField("id", max_length=MAX_KEY)
    thread = KeyField(max_length=MAX_KEY, null=True, blank=True)

    class Meta(Record.Meta):
        constraints = [
            models.UniqueConstraint(fields=["owner", "public_id"], name="chatkit_attachment_key"),
        ]
        indexes = [
            models.Index(
                fields=["owner", "thread"],
                name="chatkit_attachment_thread",
                condition=models.Q(thread__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.public_id
