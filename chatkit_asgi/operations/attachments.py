"""Requests about attachments (semantics.md section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import BadRequest, Conflict, HookMissing
from ..protocol.visibility import attachment_on_wire
from ..store.base import AttachmentStore
from ..types import AttachmentsCreateReq, AttachmentsDeleteReq
from ._shared import check_length

if TYPE_CHECKING:
    from ..server import ChatKitServer

__all__ = ["attachments_create", "attachments_delete"]


def _attachment_store(server: ChatKitServer[Any]) -> AttachmentStore[Any]:
    if server.attachment_store is None:
        raise HookMissing("This server takes no attachments: give it an attachment_store.")
    return server.attachment_store


async def attachments_create(
    server: ChatKitServer[Any], request: AttachmentsCreateReq, context: Any
) -> Any:
    """Announce an upload; the answer is the one place that carries the upload descriptor."""
    attachment_store = _attachment_store(server)
    params = request.params
    if params.size < 0:
        raise BadRequest(
            "A file cannot have fewer than 0 bytes.", code="invalid_request", path="$.params.size"
        )
    check_length(server.options, params.name, "$.params.name")
    check_length(server.options, params.mime_type, "$.params.mime_type")
    attachment = await attachment_store.create_attachment(params, context)
    await server.store.save_attachment(attachment, context=context)
    return attachment_on_wire(attachment, upload=True)


async def attachments_delete(
    server: ChatKitServer[Any], request: AttachmentsDeleteReq, context: Any
) -> dict[str, Any]:
    """Take an attachment back that no message carries yet: the record first, so that no message points to nothing."""
    attachment_store = _attachment_store(server)
    attachment_id = request.params.attachment_id
    await server.store.load_attachment(attachment_id, context)
    if not await server.store.delete_free_attachment(attachment_id, context=context):
        raise Conflict("A message carries this attachment.", code="attachment_in_use")
    await attachment_store.delete_attachment(attachment_id, context=context)
    return {}
