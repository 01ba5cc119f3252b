"""Requests that a widget's action makes (semantics.md sections 2 and 3.7).

A click is only taken while the widget offers it: one on a widget that has changed since, in another tab or by a second
click, is a clear error instead of a second letter. It is looked at when the request comes, so that the answer is a
plain 409, and again when it is the turn's turn.
"""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, cast

from ..actions import Action
from ..errors import AuthorError, BadRequest, Conflict, StreamError
from ..protocol.checking import check_item
from ..protocol.effects import PatchThread
from ..protocol.turn import Turn
from ..protocol.visibility import is_hidden, item_on_wire
from ..turns import Plan, Run
from ..types import (
    SyncCustomActionResponse,
    ThreadItemBase,
    ThreadsCustomActionReq,
    ThreadsSyncCustomActionReq,
    UnknownItem,
    WidgetItem,
)
from ..widgets.dynamic import Widget
from ..widgets.offers import offers
from ._shared import check_open, iterator, tell_options

if TYPE_CHECKING:
    from ..server import ChatKitServer
    from ..widgets import WidgetRoot

__all__ = ["threads_custom_action", "threads_sync_custom_action"]


async def threads_custom_action(
    server: ChatKitServer[Any], request: ThreadsCustomActionReq, context: Any
) -> Plan:
    """A widget's action; the answer streams."""
    params = request.params
    thread = await server.store.load_thread(params.thread_id, context=context)
    check_open(thread, locked_too=False)
    await _load_sender(server, thread.id, params.item_id, params.action, context)
    action = server.accept_action(params.action, streams=True)

    async def begin(run: Run) -> AsyncIterator[Any]:
        try:
            sender = await _load_sender(server, thread.id, params.item_id, params.action, context)
        except Conflict as stale:
            raise StreamError(stale.code, allow_retry=False) from stale
        tell_options(run)
        return await iterator(run, server.action(run.thread, action, sender, context), "action")

    return Plan(thread=thread, context=context, begin=begin)


async def threads_sync_custom_action(
    server: ChatKitServer[Any], request: ThreadsSyncCustomActionReq, context: Any
) -> SyncCustomActionResponse:
    """A widget's action that is answered with one item, which is stored, as are changes of the thread.

    Those of one widget come one after the other, in this process.
    """
    params = request.params
    owner = server.store.owner(context)
    async with server.turns.one_at_a_time(owner, params.thread_id, params.item_id):
        return await _sync_custom_action(server, request, context)


async def _sync_custom_action(
    server: ChatKitServer[Any], request: ThreadsSyncCustomActionReq, context: Any
) -> SyncCustomActionResponse:
    params = request.params
    store = server.store
    thread = await store.load_thread(params.thread_id, context=context)
    check_open(thread, locked_too=False)
    sender = await _load_sender(server, thread.id, params.item_id, params.action, context)
    action = server.accept_action(params.action, streams=False)
    turn = Turn(thread)
    item = _item_of(await server.sync_action(thread, action, sender, context), sender)
    changes = turn.thread_effects(deep=True)  # what is wrong here or there comes before any write
    if item is not None:
        check_item(item, whole=True)
        await store.save_item(params.thread_id, item, context=context)
    for effect in changes:
        assert isinstance(effect, PatchThread)
        await store.update_thread(params.thread_id, effect.patch, context=context)
    if item is None or is_hidden(item):
        return SyncCustomActionResponse()
    return SyncCustomActionResponse(updated_item=item_on_wire(copy.copy(item)))


def _item_of(answer: Any, sender: WidgetItem | None) -> Any:
    """The item that a synchronous answer means: itself, or the sender with another widget."""
    if answer is None or isinstance(answer, ThreadItemBase | UnknownItem):
        return answer
    if isinstance(answer, SyncCustomActionResponse):
        return answer.updated_item
    if sender is not None and isinstance(answer, dict | Widget):
        return sender.replaced_by(cast("WidgetRoot", answer)).item
    raise AuthorError(
        f"sync_action returns a SyncCustomActionResponse, an item, a widget or nothing, not {type(answer).__qualname__}"
    )


async def _load_sender(
    server: ChatKitServer[Any],
    thread_id: str,
    item_id: str | None,
    action: Action[str, Any],
    context: Any,
) -> WidgetItem | None:
    """The widget that an action came from, as it is shown now; none when the request names none.

    Raises:
        NotFoundError: The thread has no such item.
        BadRequest: It is not a widget.
        Conflict: The widget does not offer this action, or not any more.
    """
    if not item_id:
        return None
    item: Any = server.turns.open_item(server.store.owner(context), thread_id, item_id)
    if item is None:
        item = await server.store.load_item(thread_id, item_id, context=context)
    if not isinstance(item, WidgetItem):
        raise BadRequest(
            "Only a widget can send an action.", code="not_a_widget", path="$.params.item_id"
        )
    ours = server.options.page_actions
    if action.type in ours or "*" in ours or offers(item.widget, action.type, action.payload):
        return item
    raise Conflict(
        "The widget does not offer this action, or not any more. (Server: see Options.page_actions.)",
        code="stale_action",
        path="$.params.action",
    )
