"""The requests that stream and are about messages and answers (semantics.md section 3).

Each checks what can be checked and returns a plan; the plan's ``begin`` runs in the turn's own task, when it is the
turn's turn, and returns the handler's events.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from ..errors import (
    BadRequest,
    Conflict,
    CustomStreamError,
    NotFoundError,
    RequestError,
    TooLarge,
)
from ..protocol.sse import event_frame
from ..protocol.visibility import item_on_wire, thread_on_wire
from ..turns import Plan, Run
from ..types import (
    Attachment,
    StructuredInputAnswer,
    StructuredInputItem,
    StructuredInputMultipleChoice,
    StructuredInputSubmission,
    ThreadCreatedEvent,
    ThreadItemDoneEvent,
    ThreadItemReplacedEvent,
    ThreadMetadata,
    ThreadsAddStructuredInputReq,
    ThreadsAddUserMessageReq,
    ThreadsCreateReq,
    ThreadsRetryAfterItemReq,
    UserMessageInput,
    UserMessageItem,
)
from ._shared import check_length, check_open, require_respond, respond, told
from .client_tools import give_back_item, pass_over_calls

if TYPE_CHECKING:
    from ..server import ChatKitServer

__all__ = [
    "threads_add_structured_input",
    "threads_add_user_message",
    "threads_create",
    "threads_retry_after_item",
]


async def threads_create(
    server: ChatKitServer[Any], request: ThreadsCreateReq, context: Any
) -> Plan:
    """A new thread with its first message."""
    message = request.params.input
    attachments = await _check_message(server, message, None, context)
    thread = ThreadMetadata(
        id=server.store.generate_thread_id(context), created_at=server.options.clock()
    )

    async def begin(run: Run) -> AsyncIterator[Any]:
        return await _say(run, message, attachments, new_thread=True)

    return Plan(thread=thread, context=context, begin=begin, is_new=True)


async def threads_add_user_message(
    server: ChatKitServer[Any], request: ThreadsAddUserMessageReq, context: Any
) -> Plan:
    """One more message. Client tool calls that are still pending are settled: nobody will answer them now."""
    message = request.params.input
    thread = await server.store.load_thread(request.params.thread_id, context=context)
    check_open(thread, locked_too=True)
    attachments = await _check_message(server, message, thread.id, context)

    async def begin(run: Run) -> AsyncIterator[Any]:
        await pass_over_calls(run)
        return await _say(run, message, attachments, new_thread=False)

    return Plan(thread=thread, context=context, begin=begin)


async def threads_add_structured_input(
    server: ChatKitServer[Any], request: ThreadsAddStructuredInputReq, context: Any
) -> Plan:
    """The answers to a pending structured input; each is answered or skipped once."""
    params = request.params
    thread = await server.store.load_thread(params.thread_id, context=context)
    check_open(thread, locked_too=False)
    require_respond(server)
    item: Any = await server.store.load_item(thread.id, params.item_id, context=context)
    if not isinstance(item, StructuredInputItem):
        raise BadRequest(
            "This item asks nothing.", code="not_a_structured_input", path="$.params.item_id"
        )
    _check_answers(server, params.input)
    settled = _answered(item, params.input)
    server.turns.check_conflict(server.store.owner(context), thread.id)
    if item.status != "pending":
        raise _answered_already()

    async def take() -> None:
        if not await server.store.settle_item(thread.id, settled, context=context):
            raise _answered_already()

    async def begin(run: Run) -> AsyncIterator[Any]:
        events = await respond(run, None)
        run.tell(event_frame(ThreadItemReplacedEvent(item=settled)))
        return events

    async def give_back() -> None:
        await give_back_item(server, thread.id, item, context)

    return Plan(thread=thread, context=context, begin=begin, take=take, give_back=give_back)


async def threads_retry_after_item(
    server: ChatKitServer[Any], request: ThreadsRetryAfterItemReq, context: Any
) -> Plan:
    """Another answer to a user message. What came after it is put aside, and is gone with the first new item."""
    params = request.params
    thread = await server.store.load_thread(params.thread_id, context=context)
    check_open(thread, locked_too=True)
    require_respond(server)
    item: Any = await server.store.load_item(thread.id, params.item_id, context=context)
    if not isinstance(item, UserMessageItem):
        raise BadRequest("Only a user message can be answered again.", code="not_a_user_message",
                         path="$.params.item_id")  # fmt: skip

    async def begin(run: Run) -> AsyncIterator[Any]:
        await run.put_aside(item.id)
        return await respond(run, item)

    return Plan(thread=thread, context=context, begin=begin)


# -- messages ----------------------------------------------------------------------------------


async def _check_message(
    server: ChatKitServer[Any], message: UserMessageInput, thread_id: str | None, context: Any
) -> list[Attachment]:
    """The attachments of a message, each once.

    Raises:
        TooLarge: Too many attachments, or a quote that is too long.
        NotFoundError: An attachment is unknown.
        Conflict: It belongs to another thread, or its bytes are not there.
    """
    require_respond(server)
    options = server.options
    check_length(options, message.quoted_text, "$.params.input.quoted_text")
    if not message.attachments:
        return []
    ids = list(dict.fromkeys(message.attachments))
    if len(ids) > options.max_attachments:
        raise TooLarge(
            f"At most {options.max_attachments} attachments.",
            code="max_attachments",
            path="$.params.input.attachments",
        )
    attachments: list[Attachment] = []
    for index, attachment_id in enumerate(ids):
        path = f"$.params.input.attachments[{index}]"
        try:
            attachment = await server.store.load_attachment(attachment_id, context)
        except NotFoundError:
            raise NotFoundError("No such attachment.", path=path) from None
        if attachment.thread_id not in (None, thread_id):
            raise Conflict(
                "Another thread's message carries this attachment.",
                code="attachment_in_use",
                path=path,
            )
        if server.attachment_store is not None:
            try:
                attachment = await server.attachment_store.confirm_attachment(attachment, context)
            except RequestError as error:
                error.path = path
                raise
        attachments.append(attachment)
    return attachments


async def _say(
    run: Run, message: UserMessageInput, attachments: list[Attachment], *, new_thread: bool
) -> AsyncIterator[Any]:
    store, thread, context = run.server.store, run.thread, run.context
    attachments = [each.model_copy(update={"thread_id": thread.id}) for each in attachments]
    item = UserMessageItem(
        id=store.generate_item_id("message", thread, context),
        thread_id=thread.id,
        created_at=run.options.clock(),
        content=message.content,
        attachments=attachments,
        quoted_text=message.quoted_text,
        inference_options=message.inference_options,
    )
    try:
        await store.save_user_message(
            thread, item, attachments, new_thread=new_thread, context=context
        )
    except Conflict as error:  # another message was faster
        raise CustomStreamError(error.message) from error
    except NotFoundError as error:  # so was who deletes
        raise CustomStreamError("A file of this message has been deleted, or the chat.") from error
    if new_thread:
        run.tell(event_frame(ThreadCreatedEvent(thread=thread_on_wire(thread))))
    run.tell(told(run.server, event_frame(ThreadItemDoneEvent(item=item_on_wire(item))), context))
    return await respond(run, item)


# -- structured input --------------------------------------------------------------------------


def _check_answers(server: ChatKitServer[Any], submission: StructuredInputSubmission) -> None:
    limit = server.options.max_values
    path = "$.params.input.answers"
    if len(submission.answers) > limit:
        raise TooLarge(f"At most {limit} answers.", code="max_values", path=path)
    for answer in submission.answers.values():
        if len(answer.values) > limit:
            raise TooLarge(f"At most {limit} values.", code="max_values", path=path)
        for value in answer.values:
            check_length(server.options, value, path)


def _answered_already() -> Conflict:
    return Conflict("This structured input was answered already.", code="already_answered")


def _answered(
    item: StructuredInputItem, submission: StructuredInputSubmission
) -> StructuredInputItem:
    """The item with its answers (semantics.md section 3.5). Answers to questions that it does not ask are ignored."""
    inputs: list[Any] = []
    for question in item.inputs:
        given = submission.answers.get(question.id)
        if submission.status == "skipped" or given is None or given.skipped or not given.values:
            answer = StructuredInputAnswer(skipped=True)
        elif isinstance(question, StructuredInputMultipleChoice) and not question.multiple:
            answer = StructuredInputAnswer(values=given.values[:1])
        else:
            answer = StructuredInputAnswer(values=list(given.values))
        inputs.append(question.model_copy(update={"answer": answer}))
    return item.model_copy(update={"status": submission.status, "inputs": inputs})
