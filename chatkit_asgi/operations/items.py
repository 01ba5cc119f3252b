"""Requests about items that do not stream, and dictation (semantics.md section 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import AuthorError, TooLarge
from ..protocol.codec import encode_stored
from ..types import (
    AudioInput,
    InputTranscribeReq,
    ItemsFeedbackReq,
    ItemsListReq,
    TranscriptionResult,
)
from ._shared import page_limit

if TYPE_CHECKING:
    from ..server import ChatKitServer

__all__ = ["input_transcribe", "items_feedback", "items_list"]


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
