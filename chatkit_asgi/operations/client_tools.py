"""Client tool calls: the client's answer, and what becomes of a call that gets none (semantics.md section 3.4).

A call ends once: answered, passed over by a new message, or expired. Each leaves an output that the model can read, and
an answer that comes later is refused by a code that says which it was. Nothing waits for the time: whether a call has
expired is found out when somebody next asks for its thread, so it holds after a restart and in any process.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final

from ..errors import Conflict
from ..protocol.sse import event_frame
from ..turns import Plan, Run
from ..types import (
    ClientToolCallItem,
    ThreadItemReplacedEvent,
    ThreadMetadata,
    ThreadsAddClientToolOutputReq,
)
from ..types.items import with_offset
from ._shared import check_open, require_respond, respond

if TYPE_CHECKING:
    from ..options import Options
    from ..server import ChatKitServer

__all__ = ["expire_calls", "pass_over_calls", "threads_add_client_tool_output"]

UNANSWERED: Final = {"error": "The client did not answer this call."}
"""The output of a call that was passed over."""
EXPIRED: Final = {"error": "The client did not answer this call in time."}
"""The output of a call that has expired."""

LOOK_BACK: Final = 100
"""Newest items among which the call is looked for that a late answer was meant for."""


async def threads_add_client_tool_output(
    server: ChatKitServer[Any], request: ThreadsAddClientToolOutputReq, context: Any
) -> Plan:
    """The client's answer to the newest pending client tool call, wherever it stands; each is answered once."""
    params = request.params
    thread = await server.store.load_thread(params.thread_id, context=context)
    check_open(thread, locked_too=False)
    require_respond(server)
    server.turns.check_conflict(server.store.owner(context), thread.id)
    pending = await expire_calls(server, thread, context)
    if not pending:
        raise await _too_late(server, thread.id, context)
    answered = _ended(pending[0], params.result)
    if not await server.store.settle_item(thread.id, answered, context=context):
        raise await _too_late(server, thread.id, context)

    async def begin(run: Run) -> AsyncIterator[Any]:
        for call in pending[1:]:
            await _settle(run, call, UNANSWERED)
        return await respond(run, None)

    async def give_back() -> None:
        await server.store.save_item(thread.id, pending[0], context=context)

    return Plan(thread=thread, context=context, begin=begin, give_back=give_back)


async def pass_over_calls(run: Run) -> None:
    """A new message has come: nobody will answer the calls that are still pending. Tells what becomes of them."""
    store, thread = run.server.store, run.thread
    for call in await store.load_pending_tool_calls(thread.id, context=run.context):
        expired = _has_expired(run.options, thread, call)
        await _settle(run, call, EXPIRED if expired else UNANSWERED)


async def expire_calls(
    server: ChatKitServer[Any], thread: ThreadMetadata, context: Any
) -> list[ClientToolCallItem]:
    """Store the outcome of the thread's calls that have expired; returns those that are still pending, newest first."""
    pending: list[ClientToolCallItem] = []
    for call in await server.store.load_pending_tool_calls(thread.id, context=context):
        if _has_expired(server.options, thread, call):
            await server.store.settle_item(thread.id, _ended(call, EXPIRED), context=context)
        else:
            pending.append(call)
    return pending


def _has_expired(options: Options, thread: ThreadMetadata, call: ClientToolCallItem) -> bool:
    limit, made = options.client_tool_timeout, call.created_at
    if limit is None or made.utcoffset() is None:  # whose clock a naive time is of is not known
        return False
    if thread.created_at.utcoffset() is not None and made <= thread.created_at:
        return False  # an author's placeholder: no call is made before its thread
    return (with_offset(options.clock()) - made).total_seconds() > limit


def _ended(call: ClientToolCallItem, output: Any) -> ClientToolCallItem:
    return call.model_copy(update={"status": "completed", "output": output})


async def _settle(run: Run, call: ClientToolCallItem, output: Any) -> None:
    settled = _ended(call, output)
    if await run.server.store.settle_item(run.thread.id, settled, context=run.context):
        run.tell(event_frame(ThreadItemReplacedEvent(item=settled)))


async def _too_late(server: ChatKitServer[Any], thread_id: str, context: Any) -> Conflict:
    """The error for an answer that no pending call is waiting for, chosen by what happened to the newest call."""
    page = await server.store.load_thread_items(thread_id, None, LOOK_BACK, "desc", context=context)
    call = next((item for item in page.data if isinstance(item, ClientToolCallItem)), None)
    if call is None:
        code, message = "no_pending_tool_call", "No client tool call is pending in this thread."
    elif call.output == EXPIRED:
        code, message = "tool_call_expired", "This client tool call has expired."
    elif call.output == UNANSWERED:
        code, message = (
            "tool_call_passed_over",
            "A later message has passed over this client tool call.",
        )
    else:
        code, message = "already_answered", "This client tool call was answered already."
    return Conflict(message, code=code)
