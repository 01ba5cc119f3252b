"""The store's contract on Django's ORM: on SQLite in the store's own threads, in the caller's thread, on PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from chatkit_django import DjangoStore

from chatkit_asgi.store import Store
from chatkit_asgi.testing.store_contract import StoreContract


class TestOnSQLite(StoreContract):
    @pytest.fixture(autouse=True)
    def fresh(self, database: Path) -> None:
        pass

    async def make_store(self, owner: Any = None, **options: Any) -> Store[Any]:
        return DjangoStore(owner, **options)


class TestOnPostgreSQL(StoreContract):
    @pytest.fixture(autouse=True)
    def fresh(self, postgres: None) -> None:
        pass

    async def make_store(self, owner: Any = None, **options: Any) -> Store[Any]:
        return DjangoStore(owner, **options)
