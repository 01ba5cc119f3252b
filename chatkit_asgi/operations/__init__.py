"""Operations: one coroutine for each request type, found through one table.

An operation that streams checks everything that can be checked and returns a :class:`~chatkit_asgi.turns.Plan`; one
that does not returns the answer's struct. May import ``server``, ``turns``, ``protocol``, ``store.base`` and below.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..protocol.codec import encode
from ..turns import Repeat, Viewer
from ..types import (
    AttachmentsCreateReq,
    AttachmentsDeleteReq,
    InputTranscribeReq,
    ItemsFeedbackReq,
    ItemsListReq,
    ThreadsAddClientToolOutputReq,
    ThreadsAddStructuredInputReq,
    ThreadsAddUserMessageReq,
    ThreadsCreateReq,
    ThreadsCustomActionReq,
    ThreadsDeleteReq,
    ThreadsGetByIdReq,
    ThreadsListReq,
    ThreadsRetryAfterItemReq,
    ThreadsSyncCustomActionReq,
    ThreadsUpdateReq,
)
from . import actions, attachments, client_tools, items, streams, threads
from ._shared import told

if TYPE_CHECKING:
    from ..server import ChatKitServer

__all__ = ["OPERATIONS", "OPERATIONS_BY_NAME", "Operation", "answer", "told"]


class Operation(NamedTuple):
    """How one request type is answered."""

    run: Callable[[ChatKitServer[Any], Any, Any], Awaitable[Any]]
    streams: bool = False


OPERATIONS: Final[Mapping[type, Operation]] = MappingProxyType(
    {
        ThreadsCreateReq: Operation(streams.threads_create, streams=True),
        ThreadsAddUserMessageReq: Operation(streams.threads_add_user_message, streams=True),
        ThreadsAddClientToolOutputReq: Operation(
            client_tools.threads_add_client_tool_output, streams=True
        ),
        ThreadsAddStructuredInputReq: Operation(streams.threads_add_structured_input, streams=True),
        ThreadsRetryAfterItemReq: Operation(streams.threads_retry_after_item, streams=True),
        ThreadsCustomActionReq: Operation(actions.threads_custom_action, streams=True),
        ThreadsGetByIdReq: Operation(threads.threads_get_by_id),
        ThreadsListReq: Operation(threads.threads_list),
        ItemsListReq: Operation(items.items_list),
        ItemsFeedbackReq: Operation(items.items_feedback),
        AttachmentsCreateReq: Operation(attachments.attachments_create),
        AttachmentsDeleteReq: Operation(attachments.attachments_delete),
        ThreadsUpdateReq: Operation(threads.threads_update),
        ThreadsDeleteReq: Operation(threads.threads_delete),
        InputTranscribeReq: Operation(items.input_transcribe),
        ThreadsSyncCustomActionReq: Operation(actions.threads_sync_custom_action),
    }
)
"""Every request type. A test compares it with the union of requests."""

OPERATIONS_BY_NAME: Final[Mapping[str, Operation]] = MappingProxyType(
    {str(kind.__struct_config__.tag): operation for kind, operation in OPERATIONS.items()}  # type: ignore[attr-defined]
)


async def answer(
    server: ChatKitServer[Any],
    request: Any,
    context: Any,
    *,
    idempotency_key: str | None = None,
    frame: str | None = None,
    scope: Callable[[], str] | None = None,
    request_id: str = "",
) -> bytes | Viewer:
    """Answer one decoded request.

    Args:
        server: The author's hooks.
        request: One of the sixteen requests.
        context: Handed to every hook and store call.
        idempotency_key: The client's word for "this is the same request".
        frame: The instance of the page that asks, where the client names it: one page does not start two equal threads
            at once, so an equal body from it is a repeat even without a thread.
        scope: Tells who asks, where the store does not tell owners apart: repeats are only looked for in one scope.
        request_id: For the log.

    Returns:
        The body, or the viewer of the turn that was started or joined.

    Raises:
        RequestError: The client's mistake.
        HookMissing: A hook is missing.
    """
    operation = OPERATIONS[type(request)]
    if not operation.streams:
        run = server.replacement(request.type) or operation.run
        result = await run(server, request, context)
        return told(server, result if isinstance(result, bytes) else encode(result), context)
    owner = server.store.owner(context)
    thread_id: Any = getattr(request.params, "thread_id", None)

    async def may_see(thread_id: str) -> None:
        await server.store.load_thread(thread_id, context=context)

    tells_by_body = frame is not None or thread_id is not None
    repeat = None
    if idempotency_key or tells_by_body:
        from hashlib import blake2b  # loads OpenSSL, which an import of this library should not

        who = (owner, "" if owner or scope is None else scope())
        digest = blake2b(encode(request), digest_size=16).digest()
        repeat = Repeat(
            key=(*who, idempotency_key) if idempotency_key else None,
            body=(*who, frame, digest) if tells_by_body else None,
            digest=digest,
        )

    return await server.turns.start(
        lambda: operation.run(server, request, context),
        owner=owner,
        repeat=repeat,
        # A store may tell people apart by means of its own, and a repeat is not checked otherwise.
        may_see=None if owner else may_see,
        request_id=request_id,
    )
