"""Property test: any sequence of calls leaves both stores as it leaves a list in plain Python.

The model is deliberately naive; what it says about order, pages and asides is the contract.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.from_thread
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from chatkit_asgi.errors import NotFoundError
from chatkit_asgi.store import MemoryStore, SQLiteStore, Store
from chatkit_asgi.testing.store_contract import message, note, thread

IDS = [f"m{number}" for number in range(8)]
ids = st.sampled_from(IDS)


class Model:
    """Items in order, each with the asides that hide it."""

    def __init__(self) -> None:
        self.items: list[tuple[Any, set[str]]] = []

    def shown(self) -> list[Any]:
        return [item for item, hiding in self.items if not hiding]

    def place(self, item_id: str) -> int | None:
        return next(
            (n for n, (item, hiding) in enumerate(self.items) if item.id == item_id and not hiding),
            None,
        )

    def save(self, item: Any) -> None:
        place = self.place(item.id)
        if place is not None:
            self.items[place] = (item, set())
            return
        self.items = [each for each in self.items if each[0].id != item.id]
        self.items.append((item, set()))

    def delete(self, item_id: str) -> None:
        self.items = [each for each in self.items if each[0].id != item_id]

    def set_aside(self, item_id: str, token: str) -> bool:
        place = self.place(item_id)
        if place is None:
            return False
        for _, hiding in self.items[place + 1 :]:
            hiding.add(token)
        return True

    def restore(self, token: str) -> None:
        for _, hiding in self.items:
            hiding.discard(token)

    def discard(self, token: str) -> None:
        self.items = [each for each in self.items if token not in each[1]]


class Machine(RuleBasedStateMachine):
    """Calls on a store and on the model, compared after each."""

    make: Callable[[], Store[Any]]

    @initialize()
    def start(self) -> None:
        self.portal_context = anyio.from_thread.start_blocking_portal("asyncio")
        self.portal = self.portal_context.__enter__()
        self.store: Any = type(self).make()
        self.model = Model()
        self.asides: list[tuple[str, Any]] = []
        self.call(self.store.save_thread, thread())

    def teardown(self) -> None:
        if hasattr(self, "portal"):
            self.call_plain(self.store.close)
            self.portal_context.__exit__(None, None, None)

    def call_plain(
        self, function: Callable[..., Awaitable[Any]], *arguments: Any, **named: Any
    ) -> Any:
        async def run() -> Any:
            return await function(*arguments, **named)

        return self.portal.call(run)

    def call(self, function: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        return self.call_plain(function, *arguments, context=None)

    @rule(item_id=ids, text=st.text(max_size=3), hidden=st.booleans(), add=st.booleans())
    def save(self, item_id: str, text: str, hidden: bool, add: bool) -> None:
        item = note(item_id) if hidden else message(item_id, text)
        self.call(self.store.add_thread_item if add else self.store.save_item, "t", item)
        self.model.save(item)

    @rule(item_id=ids)
    def delete(self, item_id: str) -> None:
        self.call(self.store.delete_thread_item, "t", item_id)
        self.model.delete(item_id)

    @rule(item_id=ids)
    def set_aside(self, item_id: str) -> None:
        token = f"aside{len(self.asides)}"
        if self.model.set_aside(item_id, token):
            self.asides.append((token, self.call(self.store.set_aside_after, "t", item_id)))
        else:
            with pytest.raises(NotFoundError):
                self.call(self.store.set_aside_after, "t", item_id)

    @rule(which=st.integers(0, 10), discard=st.booleans())
    def finish(self, which: int, discard: bool) -> None:
        if which < len(self.asides):
            token, aside = self.asides[which]
            self.call(self.store.discard_aside if discard else self.store.restore_aside, aside)
            (self.model.discard if discard else self.model.restore)(token)

    @invariant()
    def pages_are_the_models(self) -> None:
        if not hasattr(self, "model"):
            return
        shown = self.model.shown()
        for order, expected in (("asc", shown), ("desc", shown[::-1])):
            for limit in (2, 100):
                read: list[Any] = []
                after = None
                while True:
                    page = self.call(self.store.load_thread_items, "t", after, limit, order)
                    read += page.data
                    if not page.has_more:
                        break
                    after = page.after
                assert read == expected
            visible = [item for item in expected if item.type == "assistant_message"]
            page = self.call(self.store.load_visible_items, "t", None, 3, order)
            assert len(page.data) == min(3, len(visible))
            assert page.after == (visible[2].id if len(visible) > 3 else None)
        for item_id in IDS:
            place = self.model.place(item_id)
            if place is None:
                with pytest.raises(NotFoundError):
                    self.call(self.store.load_item, "t", item_id)
            else:
                assert self.call(self.store.load_item, "t", item_id) == self.model.items[place][0]


@pytest.mark.parametrize(
    ("name", "make", "examples"),
    [("memory", MemoryStore, 25), ("sqlite", lambda: SQLiteStore(":memory:"), 15)],
    ids=["memory", "sqlite"],
)
def test_any_calls_leave_a_store_as_they_leave_the_model(
    name: str, make: Any, examples: int
) -> None:
    machine = type(name, (Machine,), {"make": staticmethod(make)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )
