"""Admin pages: threads with their items, and items by themselves. To look at and to delete; nothing can be edited,
because what a client has seen, and what a row says beside its JSON, must stay one."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from .models import Item, Record, Thread
from .tables import DjangoTables

__all__ = ["ItemAdmin", "ThreadAdmin"]

NEWEST = 100
"""Items on a thread's page."""

SHOWN = 120
"""Characters of an item in a list."""


if TYPE_CHECKING:
    _Inline = admin.TabularInline[Item, Thread]
    _ThreadAdmin = admin.ModelAdmin[Thread]
    _ItemAdmin = admin.ModelAdmin[Item]
else:
    _Inline = admin.TabularInline
    _ThreadAdmin = _ItemAdmin = admin.ModelAdmin


class _ReadOnly:
    """Looking needs the permission to view, deleting that to delete, and nothing else can be done."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="text")
    def text(self, item: Item) -> str:
        """What a person reads of an item."""
        record = item.json
        parts: Any = record.get("content")
        texts = [
            str(cast("dict[str, Any]", part)["text"])
            for part in (cast("list[Any]", parts) if isinstance(parts, list) else [])
            if isinstance(part, dict) and "text" in part
        ]
        text = " ".join(texts) or str(record.get("copy_text") or "")
        return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"

    @admin.display(description="created at")
    def created_at(self, record: Record) -> str:
        """As the record says it."""
        return str(record.json.get("created_at", ""))

    @admin.display(description="JSON")
    def as_client(self, record: Record) -> str:
        """The record as clients get it."""
        return _pre(record.data)

    @admin.display(description="private JSON")
    def not_sent(self, record: Record) -> str:
        """What never leaves the server."""
        return _pre(record.private) if record.private else "–"


def _pre(text: str) -> str:
    with suppress(ValueError):
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return format_html("<pre>{}</pre>", text)


class ItemInline(_ReadOnly, _Inline):
    """The newest items of a thread, in their order; there may be thousands."""

    model = Item
    verbose_name_plural = f"last {NEWEST} items"
    fields = readonly_fields = (
        "place",
        "type",
        "text",
        "created_at",
        "hidden",
        "pending",
        "feedback",
    )
    ordering = ("place",)
    can_delete = False
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Item]:
        items = super().get_queryset(request)
        match = request.resolver_match
        thread = match.kwargs.get("object_id") if match else None
        places = (
            Item.objects.filter(thread=thread).order_by("-place").values_list("place", flat=True)
        )
        oldest = places[NEWEST - 1 : NEWEST].first()
        return items if oldest is None else items.filter(place__gte=oldest)


@admin.register(Thread)
class ThreadAdmin(_ReadOnly, _ThreadAdmin):
    """Threads, newest first; found by title, id and owner."""

    list_display = ("__str__", "owner", "items", "created_at")
    ordering = ("-pk",)
    search_fields = ("public_id", "owner", "data")
    fields = ("public_id", "owner", "title", "created_at", "as_client", "not_sent")
    readonly_fields = ("title", "created_at", "as_client", "not_sent")
    inlines = (ItemInline,)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Thread]:
        return super().get_queryset(request).annotate(number=Count("items"))

    @admin.display(ordering="number")
    def items(self, thread: Any) -> int:
        """How many items it has."""
        number: int = thread.number
        return number

    def delete_model(self, request: HttpRequest, obj: Thread) -> None:
        self.delete_queryset(request, [obj])

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """As the store does it, with the records of attachments."""
        for thread in queryset:
            using = thread._state.db
            with transaction.atomic(using=using):
                DjangoTables(using).delete_thread(thread.owner, thread.public_id)


@admin.register(Item)
class ItemAdmin(_ReadOnly, _ItemAdmin):
    """Items, newest first; found by what is in them."""

    list_display = ("public_id", "type", "text", "thread", "hidden", "pending", "feedback")
    list_filter = ("type", "hidden", "pending", "feedback")
    list_select_related = ("thread",)
    ordering = ("-pk",)
    search_fields = ("public_id", "data", "thread__public_id", "thread__owner")
    fields = (
        "thread",
        "place",
        "public_id",
        "type",
        "created_at",
        "hidden",
        "pending",
        "feedback",
        "as_client",
        "not_sent",
    )
    readonly_fields = ("created_at", "as_client", "not_sent")
    show_full_result_count = False
