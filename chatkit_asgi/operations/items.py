"""Requests about items that do not stream, and dictation (semantics.md section 2)."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from ..errors import AuthorError, TooLarge
from ..protocol.codec import encode_stored
from ..protocol.effects import PatchThread
from ..protocol.turn import Turn
from ..protocol.visibility import is_hidden, item_on_wire
from ..types import (
    AudioInput,
    InputTranscribeReq,
    ItemsFeedbackReq,
    ItemsListReq,
    SyncCustomActionResponse,
    ThreadItemBase,
    ThreadsSyncCustomActionReq,
    TranscriptionResult,
    UnknownItem,
)
from ._shared import check_open, load_sender, page_limit

if TYPE_CHECKING:
    from ..server import ChatKitServer

__all__ = ["input_transcribe", "items_feedback", "items_list", "threads_sync_custom_action"]


async def items_list(server: ChatKitServer[Any], request: ItemsListReq, context: Any) -> bytes:
    """A page of the items that a client may see."""
    params = request.params
    store = server.store
    limit = page_limit(server.options, params.limit)
    if not store.knows_threads:
        await store.load_thread(params.thread_id, context=context)
    page = await store.load_visible_items(
        params.thread_id, params.after, limit, params.order, context=context
    )
    return encode_stored(page)


async def items_feedback(
    server: ChatKitServer[Any], request: ItemsFeedbackReq, context: Any
) -> dict[str, Any]:
    """Thumbs up or down, for items that exist."""
    params = request.params
    if len(params.item_ids) > server.options.max_page_size:
        raise TooLarge(
            f"At most {server.options.max_page_size} items at once.",
            code="max_page_size",
            path="$.params.item_ids",
        )
    await server.store.load_thread(params.thread_id, context=context)
    for item_id in params.item_ids:
        await server.store.load_item(params.thread_id, item_id, context=context)
    await server.add_feedback(params.thread_id, params.item_ids, params.kind, context)
    return {}


async def input_transcribe(
    server: ChatKitServer[Any], request: InputTranscribeReq, context: Any
) -> TranscriptionResult:
    """Speech to text."""
    params = request.params
    audio = AudioInput(data=params.audio_base64, mime_type=params.mime_type)
    result: Any = await server.transcribe(audio, context=context)
    if isinstance(result, str):
        return TranscriptionResult(text=result)
    if not isinstance(result, TranscriptionResult):
        raise AuthorError(
            f"transcribe returns a TranscriptionResult or a str, not {type(result).__qualname__}"
        )
    return result


async def threads_sync_custom_action(
    server: ChatKitServer[Any], request: ThreadsSyncCustomActionReq, context: Any
) -> SyncCustomActionResponse:
    """A widget's action that is answered with one item, which is stored, as are changes of the thread."""
    params = request.params
    store = server.store
    thread = await store.load_thread(params.thread_id, context=context)
    check_open(thread, locked_too=False)
    sender = await load_sender(server, params.thread_id, params.item_id, context)
    action = server.accept_action(params.action, streams=False)
    turn = Turn(thread)
    answer: Any = await server.sync_action(thread, action, sender, context)
    if answer is None:
        answer = SyncCustomActionResponse()
    elif isinstance(answer, ThreadItemBase | UnknownItem):
        answer = SyncCustomActionResponse(updated_item=answer)  # type: ignore[arg-type]
    if not isinstance(answer, SyncCustomActionResponse):
        raise AuthorError(
            f"sync_action returns a SyncCustomActionResponse, not {type(answer).__qualname__}"
        )
    item = answer.updated_item
    if item is not None:
        await store.save_item(params.thread_id, item, context=context)
    for effect in turn.thread_effects(deep=True):
        assert isinstance(effect, PatchThread)
        await store.update_thread(params.thread_id, effect.patch, context=context)
    if item is None or is_hidden(item):
        return SyncCustomActionResponse()
    return SyncCustomActionResponse(updated_item=item_on_wire(copy.copy(item)))
