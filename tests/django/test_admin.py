"""The admin, with Django's client: threads, items, search, who may look, and what deleting does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from chatkit_django import DjangoStore
from chatkit_django.models import Attachment, Item, Thread
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from chatkit_asgi.errors import NotFoundError
from chatkit_asgi.testing.store_contract import every_item, file, message, said, thread

People: Any = get_user_model()
THREADS, ITEMS = "/admin/chatkit_django/thread/", "/admin/chatkit_django/item/"


@pytest.fixture(autouse=True)
def store(database: Path) -> Iterator[Any]:
    """Two threads of two people. Used by sync code: everything is done in this thread."""
    found: Any = DjangoStore(owner=str)
    save = async_to_sync(found.save_thread)
    add = async_to_sync(found.add_thread_item)
    save(thread("t", title="Planning <b>Paris</b>", metadata={"secret": 1}), context="ada")
    save(thread("u", title="Taxes"), context="bob")
    async_to_sync(found.save_attachment)(file("a1", thread_id="t"), context="ada")
    for item in every_item():
        add("t", item, context="ada")
    add("u", message("m", 'A "quoted" answer', thread_id="u"), context="bob")
    yield found
    async_to_sync(found.close)()


def staff(*permissions: str) -> Client:
    person = People.objects.create(username="staff", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(person)
    return client


def root() -> Client:
    client = Client()
    client.force_login(People.objects.create_superuser(username="root"))
    return client


def test_threads_are_listed_with_title_owner_and_number_of_items() -> None:
    page = root().get(THREADS).content.decode()
    assert "Planning &lt;b&gt;Paris&lt;/b&gt;" in page
    assert "<b>Paris" not in page
    assert '<td class="field-owner">ada</td>' in page
    assert f'<td class="field-items">{len(every_item())}</td>' in page
    assert page.index("Taxes") < page.index("Planning")


@pytest.mark.parametrize(
    ("at", "query", "found", "missing"),
    [
        (THREADS, "paris", "Planning", "Taxes"),
        (THREADS, "bob", "Taxes", "Planning"),
        (THREADS, "u", "Taxes", "nothing else"),
        (ITEMS, "quoted", "A &quot;quoted&quot; answer", "tool call"),
        (ITEMS, "hologram", "0 items", "assistant_message assistant"),
    ],
)
def test_search(at: str, query: str, found: str, missing: str) -> None:
    page = root().get(at, {"q": query}).content.decode()
    assert found in page
    assert missing not in page


def test_a_thread_s_page_shows_its_items_and_lets_nothing_be_changed() -> None:
    client, pk = root(), Thread.objects.get(public_id="t").pk
    page = client.get(f"{THREADS}{pk}/change/").content.decode()
    for item in every_item():
        assert item.type in page
    assert "secret" in page
    assert 'name="_save"' not in page
    for name in ("data", "private", "owner", "public_id", "items-0-type"):
        assert f'name="{name}"' not in page
    before = Thread.objects.values_list().get(pk=pk)
    refused = client.post(f"{THREADS}{pk}/change/", {"data": "{}", "owner": "bob", "_save": "Save"})
    assert refused.status_code == 403
    assert Thread.objects.values_list().get(pk=pk) == before


def test_every_item_has_a_page() -> None:
    client = root()
    for item in Item.objects.all():
        page = client.get(f"{ITEMS}{item.pk}/change/")
        assert page.status_code == 200
        assert item.type in page.content.decode()
        assert client.post(f"{ITEMS}{item.pk}/change/", {"data": "{}"}).status_code == 403
    assert client.get(f"{ITEMS}add/").status_code == 403
    assert client.get(f"{THREADS}add/").status_code == 403


def test_rows_of_another_version_have_pages_too() -> None:
    """What somebody else wrote may look like anything."""
    for number, data in enumerate(
        ('{"content": 7}', '{"content": [7, {"text": null}]}', "[]", "{")
    ):
        Item.objects.filter(public_id="assistant").update(data=data)
        pk = Item.objects.get(public_id="assistant").pk
        client = Client()
        client.force_login(People.objects.create_superuser(username=f"root{number}"))
        assert client.get(ITEMS).status_code == 200
        assert client.get(f"{ITEMS}{pk}/change/").status_code == 200


def test_looking_needs_the_permission_to_view() -> None:
    client = staff("view_thread")
    assert client.get(THREADS).status_code == 200
    assert client.get(ITEMS).status_code == 403
    pk = Thread.objects.get(public_id="t").pk
    assert client.get(f"{THREADS}{pk}/change/").status_code == 200
    assert client.post(f"{THREADS}{pk}/delete/", {"post": "yes"}).status_code == 403
    assert Thread.objects.filter(pk=pk).exists()
    assert Client().get(THREADS).status_code == 302


def test_the_permission_to_change_changes_nothing() -> None:
    client = staff("view_thread", "change_thread", "add_thread")
    pk = Thread.objects.get(public_id="t").pk
    assert client.post(f"{THREADS}{pk}/change/", {"data": "{}"}).status_code == 403


@pytest.mark.parametrize("way", ["page", "action"])
def test_a_deleted_thread_takes_everything_with_it(store: Any, way: str) -> None:
    """Invariant: as ``delete_thread`` does it, the records of attachments included; others keep theirs."""
    client, pk = root(), Thread.objects.get(public_id="t").pk
    if way == "page":
        client.post(f"{THREADS}{pk}/delete/", {"post": "yes"})
    else:
        chosen = {"action": "delete_selected", "_selected_action": [pk], "post": "yes"}
        client.post(THREADS, chosen)
    with pytest.raises(NotFoundError):
        async_to_sync(store.load_thread)("t", context="ada")
    assert list(Item.objects.values_list("public_id", flat=True)) == ["m"]
    assert not Attachment.objects.exists()
    with pytest.raises(NotFoundError):  # what an answer still writes does not bring it back
        async_to_sync(store.add_thread_item)("t", message("late"), context="ada")


def test_a_deleted_item_is_gone_and_leaves_the_order(store: Any) -> None:
    pk = Item.objects.get(public_id="call").pk
    root().post(f"{ITEMS}{pk}/delete/", {"post": "yes"})
    page = async_to_sync(store.load_thread_items)("t", None, 50, "asc", context="ada")
    assert [item.id for item in page.data] == [
        item.id for item in every_item() if item.id != "call"
    ]
    async_to_sync(store.add_thread_item)("t", said("last"), context="ada")
    page = async_to_sync(store.load_thread_items)("t", None, 50, "desc", context="ada")
    assert page.data[0].id == "last"


def test_a_long_thread_has_a_page_with_its_newest_items(store: Any) -> None:
    for number in range(120):
        async_to_sync(store.add_thread_item)(
            "u", message(f"m{number}", thread_id="u"), context="bob"
        )
    pk = Thread.objects.get(public_id="u").pk
    page = root().get(f"{THREADS}{pk}/change/").content.decode()
    assert page.count('<td class="field-type">') == 100
    assert page.index(f"/item/{Item.objects.get(public_id='m20').pk}/") < page.index(
        f"/item/{Item.objects.get(public_id='m119').pk}/"
    )
