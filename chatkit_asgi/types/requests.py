"""The sixteen requests (wire.md section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from .._base import Checked, PydanticUnion, Wire
from ..actions import Action
from .inputs import StructuredInputSubmission, UserMessageInput
from .items import ThreadItem

if TYPE_CHECKING:
    from typing_extensions import TypeIs

__all__ = [
    "AttachmentCreateParams",
    "AttachmentDeleteParams",
    "AttachmentsCreateReq",
    "AttachmentsDeleteReq",
    "BaseReq",
    "ChatKitReq",
    "FeedbackKind",
    "InputTranscribeParams",
    "InputTranscribeReq",
    "ItemFeedbackParams",
    "ItemsFeedbackReq",
    "ItemsListParams",
    "ItemsListReq",
    "NonStreamingReq",
    "StreamingReq",
    "SyncCustomActionResponse",
    "ThreadAddClientToolOutputParams",
    "ThreadAddStructuredInputParams",
    "ThreadAddUserMessageParams",
    "ThreadCreateParams",
    "ThreadCustomActionParams",
    "ThreadDeleteParams",
    "ThreadGetByIdParams",
    "ThreadListParams",
    "ThreadRetryAfterItemParams",
    "ThreadUpdateParams",
    "ThreadsAddClientToolOutputReq",
    "ThreadsAddStructuredInputReq",
    "ThreadsAddUserMessageReq",
    "ThreadsCreateReq",
    "ThreadsCustomActionReq",
    "ThreadsDeleteReq",
    "ThreadsGetByIdReq",
    "ThreadsListReq",
    "ThreadsRetryAfterItemReq",
    "ThreadsSyncCustomActionReq",
    "ThreadsUpdateReq",
    "is_streaming_req",
]

FeedbackKind = Literal["positive", "negative"]


class BaseReq(Wire):
    """The envelope of every request."""

    metadata: dict[str, Any] = {}
    """Whatever the page put there; the ``context`` callable sees it."""


class ThreadCreateParams(Wire):
    """Parameters of ``threads.create``."""

    input: UserMessageInput


class ThreadAddUserMessageParams(Wire):
    """Parameters of ``threads.add_user_message``."""

    input: UserMessageInput
    thread_id: str


class ThreadAddClientToolOutputParams(Wire):
    """Parameters of ``threads.add_client_tool_output``."""

    thread_id: str
    result: Any
    """Any JSON; the key must be there."""


class ThreadAddStructuredInputParams(Wire):
    """Parameters of ``threads.add_structured_input``."""

    thread_id: str
    item_id: str
    input: StructuredInputSubmission


class ThreadRetryAfterItemParams(Wire):
    """Parameters of ``threads.retry_after_item``."""

    thread_id: str
    item_id: str
    """The id of a user message."""


class ThreadCustomActionParams(Wire):
    """Parameters of ``threads.custom_action`` and ``threads.sync_custom_action``."""

    thread_id: str
    item_id: str | None = None
    """The widget that sent it; an empty string counts as none."""
    action: Action[str, Any]


class ThreadGetByIdParams(Wire):
    """Parameters of ``threads.get_by_id``."""

    thread_id: str


class ThreadListParams(Wire):
    """Parameters of ``threads.list``."""

    limit: int | None = None
    """``None`` and 0 mean :attr:`chatkit_asgi.options.Options.page_size`."""
    order: Literal["asc", "desc"] = "desc"
    after: str | None = None


class ItemsListParams(ThreadListParams):
    """Parameters of ``items.list``."""

    thread_id: str


class ItemFeedbackParams(Wire):
    """Parameters of ``items.feedback``."""

    thread_id: str
    item_ids: list[str]
    kind: FeedbackKind


class AttachmentCreateParams(Wire):
    """Parameters of ``attachments.create``."""

    name: str
    size: int
    """Bytes, as the client claims."""
    mime_type: str


class AttachmentDeleteParams(Wire):
    """Parameters of ``attachments.delete``."""

    attachment_id: str


class ThreadUpdateParams(Wire):
    """Parameters of ``threads.update``."""

    thread_id: str
    title: str


class ThreadDeleteParams(Wire):
    """Parameters of ``threads.delete``."""

    thread_id: str


class InputTranscribeParams(Wire):
    """Parameters of ``input.transcribe``."""

    audio_base64: bytes
    """The audio: base64 on the wire, bytes here."""
    mime_type: str


class ThreadsCreateReq(BaseReq):
    """Start a thread with a message."""

    type: Literal["threads.create"] = "threads.create"
    params: ThreadCreateParams


class ThreadsAddUserMessageReq(BaseReq):
    """Say something in a thread."""

    type: Literal["threads.add_user_message"] = "threads.add_user_message"
    params: ThreadAddUserMessageParams


class ThreadsAddClientToolOutputReq(BaseReq):
    """Answer the pending client tool call."""

    type: Literal["threads.add_client_tool_output"] = "threads.add_client_tool_output"
    params: ThreadAddClientToolOutputParams


class ThreadsAddStructuredInputReq(BaseReq):
    """Answer or skip a pending structured input."""

    type: Literal["threads.add_structured_input"] = "threads.add_structured_input"
    params: ThreadAddStructuredInputParams


class ThreadsRetryAfterItemReq(BaseReq):
    """Answer a user message again."""

    type: Literal["threads.retry_after_item"] = "threads.retry_after_item"
    params: ThreadRetryAfterItemParams


class ThreadsCustomActionReq(BaseReq):
    """A widget's action; the answer streams."""

    type: Literal["threads.custom_action"] = "threads.custom_action"
    params: ThreadCustomActionParams


class ThreadsGetByIdReq(BaseReq):
    """One thread with items."""

    type: Literal["threads.get_by_id"] = "threads.get_by_id"
    params: ThreadGetByIdParams


class ThreadsListReq(BaseReq):
    """A page of threads."""

    type: Literal["threads.list"] = "threads.list"
    params: ThreadListParams


class ItemsListReq(BaseReq):
    """A page of a thread's items."""

    type: Literal["items.list"] = "items.list"
    params: ItemsListParams


class ItemsFeedbackReq(BaseReq):
    """Thumbs up or down."""

    type: Literal["items.feedback"] = "items.feedback"
    params: ItemFeedbackParams


class AttachmentsCreateReq(BaseReq):
    """Announce an upload."""

    type: Literal["attachments.create"] = "attachments.create"
    params: AttachmentCreateParams


class AttachmentsDeleteReq(BaseReq):
    """Take an attachment back."""

    type: Literal["attachments.delete"] = "attachments.delete"
    params: AttachmentDeleteParams


class ThreadsUpdateReq(BaseReq):
    """Rename a thread."""

    type: Literal["threads.update"] = "threads.update"
    params: ThreadUpdateParams


class ThreadsDeleteReq(BaseReq):
    """Delete a thread."""

    type: Literal["threads.delete"] = "threads.delete"
    params: ThreadDeleteParams


class InputTranscribeReq(BaseReq):
    """Speech to text."""

    type: Literal["input.transcribe"] = "input.transcribe"
    params: InputTranscribeParams


class ThreadsSyncCustomActionReq(BaseReq):
    """A widget's action; the answer is one item."""

    type: Literal["threads.sync_custom_action"] = "threads.sync_custom_action"
    params: ThreadCustomActionParams


class SyncCustomActionResponse(Checked):
    """The answer to ``threads.sync_custom_action``."""

    updated_item: ThreadItem | None = None


StreamingReq = (
    ThreadsCreateReq
    | ThreadsAddUserMessageReq
    | ThreadsAddClientToolOutputReq
    | ThreadsAddStructuredInputReq
    | ThreadsRetryAfterItemReq
    | ThreadsCustomActionReq
)
NonStreamingReq = (
    ThreadsGetByIdReq
    | ThreadsListReq
    | ItemsListReq
    | ItemsFeedbackReq
    | AttachmentsCreateReq
    | AttachmentsDeleteReq
    | ThreadsUpdateReq
    | ThreadsDeleteReq
    | InputTranscribeReq
    | ThreadsSyncCustomActionReq
)
ChatKitReq = Annotated[StreamingReq | NonStreamingReq, PydanticUnion()]


def is_streaming_req(request: ChatKitReq) -> TypeIs[StreamingReq]:
    """Whether the answer to ``request`` is a stream of events."""
    return isinstance(request, StreamingReq)
