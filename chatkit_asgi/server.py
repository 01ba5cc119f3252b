"""The hooks that an author provides, as a class to subclass or as handler callables to register."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import Any, Generic, NamedTuple, TypeVar, cast

import msgspec

from ._closing import closing
from ._expected import unexpected
from ._handlers import check_handler, check_name, check_payload
from .actions import Action, form_values
from .errors import (
    AuthorError,
    BadRequest,
    Failure,
    HookMissing,
    RequestError,
    failure_of,
)
from .ids import StoreItemType, default_generate_id, utc_now
from .options import DEFAULT_OPTIONS, Options
from .protocol.sse import event_frame, split_frames
from .store.base import AttachmentStore, Store, TContext
from .turns import Turns, Viewer
from .types import (
    AudioInput,
    ErrorEvent,
    FeedbackKind,
    Page,
    SDKHiddenContextItem,
    StreamOptions,
    SyncCustomActionResponse,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    TranscriptionResult,
    UserMessageItem,
    WidgetItem,
    is_streaming_req,
)
from .widgets import DynamicWidgetRoot
from .widgets.diff import ShownWidget, diff_widget

__all__ = [
    "Action",
    "ChatKitRouter",
    "ChatKitServer",
    "NonStreamingResult",
    "Page",
    "StreamingResult",
    "ThreadItemDoneEvent",
    "ThreadStreamEvent",
    "diff_widget",
    "stream_widget",
]

logger = logging.getLogger("chatkit_asgi")

_STOPPED_NOTE = "The user stopped the previous response before it was complete. Do not continue it unless asked to."

F = TypeVar("F", bound=Callable[..., Any])
Stream = AsyncIterator[Any] | Awaitable[AsyncIterator[Any]]
Respond = TypeVar("Respond", bound=Callable[[ThreadMetadata, UserMessageItem | None, Any], Stream])
OnAction = TypeVar(
    "OnAction", bound=Callable[[ThreadMetadata, Action[Any, Any], WidgetItem | None, Any], Stream]
)
OnSyncAction = TypeVar(
    "OnSyncAction",
    bound=Callable[[ThreadMetadata, Action[Any, Any], WidgetItem | None, Any], Awaitable[Any]],
)
Feedback = TypeVar("Feedback", bound=Callable[[str, list[str], FeedbackKind, Any], Awaitable[None]])
Transcribe = TypeVar(
    "Transcribe", bound=Callable[[AudioInput, Any], Awaitable[TranscriptionResult | str]]
)
GetStreamOptions = TypeVar("GetStreamOptions", bound=Callable[[ThreadMetadata, Any], StreamOptions])
Cancelled = TypeVar("Cancelled", bound=Callable[[ThreadMetadata, list[Any], Any], Awaitable[None]])
Operate = TypeVar("Operate", bound=Callable[[Any, Any, Any], Awaitable[Any]])


class StreamingResult(AsyncIterable[bytes]):
    """The frames of a streaming answer, one ``bytes`` each; or whatever an author's own wrapper makes of them.

    Starlette's ``StreamingResponse`` and sse-starlette's ``EventSourceResponse`` both take it. It can be read once.
    Cancelling, closing or dropping the reader counts as a disconnect.
    """

    def __init__(self, stream: AsyncIterable[bytes]) -> None:
        self.viewer = stream
        """Faster: iterating over it gives all frames that are ready as one chunk."""
        self.json_events: AsyncIterator[bytes] = (
            _Frames(stream) if isinstance(stream, Viewer) else aiter(stream)
        )

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.json_events


class _Frames(AsyncIterator[bytes]):
    """The iterator. Not a generator: one that is dropped in the middle is closed some time later, in a task of the
    event loop's choice, if at all; and a reader that is cancelled while it sends drops it in the middle."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._ready: deque[bytes] = deque()

    async def __anext__(self) -> bytes:
        if not self._ready:
            try:
                self._ready += split_frames(await anext(self._viewer))
            except BaseException:  # the end too
                self._viewer.close()
                raise
        return self._ready.popleft()

    async def aclose(self) -> None:
        """Stop reading: a disconnect."""
        self._ready.clear()
        self._viewer.close()

    def __del__(self) -> None:
        self._viewer.close()


async def _refusal(failure: Failure) -> AsyncGenerator[bytes]:
    """A client shows the message of an error whose code is ``custom``; it offers a retry where one may soon succeed."""
    yield event_frame(
        ErrorEvent(code="custom", message=failure.message, allow_retry=failure.status == 429)
    )


class NonStreamingResult:
    """A complete answer: ``json`` is the body."""

    def __init__(self, result: bytes) -> None:
        self.json = result


async def stream_widget(
    thread: ThreadMetadata,
    widget: Any,
    copy_text: str | None = None,
    generate_id: Callable[[StoreItemType], str] = default_generate_id,
    *,
    sender: WidgetItem | None = None,
) -> AsyncGenerator[ThreadStreamEvent]:
    """The events that show a widget.

    Args:
        thread: The thread that it belongs to.
        widget: A root, or an asynchronous iterator of the states of one, which may be the same object changed.
        copy_text: What the copy button copies.
        generate_id: Makes the item's id.
        sender: The widget to replace, such as the sender of an action; without it a new one is shown.

    Yields:
        ``thread.item.done`` for a root. For states: ``thread.item.added``, the updates between them, and
        ``thread.item.done`` with the last one. With a sender: updates of it, and ``thread.item.replaced``.

    Raises:
        AuthorError: The iterator yielded no state at all.
    """
    item = sender or WidgetItem(
        id=generate_id("message"),
        thread_id=thread.id,
        created_at=utc_now(),
        widget=DynamicWidgetRoot(type="Card"),
    )

    def end(root: Any) -> ThreadStreamEvent:
        replaced = item.replaced_by(root, copy_text=copy_text)
        return replaced if sender is not None else ThreadItemDoneEvent(item=replaced.item)

    if not hasattr(widget, "__aiter__"):
        yield end(widget)
        return
    states: AsyncIterator[Any] = aiter(widget)
    shown = None if sender is None else ShownWidget(sender.widget)
    last: ShownWidget | None = None
    async with closing(states):
        async for state in states:
            if shown is None:
                shown = ShownWidget(state)
                added = item.replaced_by(shown.widget(), copy_text=copy_text).item
                yield ThreadItemAddedEvent(item=added)
            else:
                for update in shown.update(state):
                    yield ThreadItemUpdatedEvent(item_id=item.id, update=update)
            last = shown
        if last is None:
            raise AuthorError("stream_widget was given an iterator without a single state")
        yield end(last.widget())


class ChatKitServer(Generic[TContext]):
    """The server as a class: override :meth:`respond` and whatever else your app needs.

    ``context`` is whatever the app's ``context=`` callable made of the request, or what was passed to
    :meth:`process`; every hook and every store call gets it.

    Args:
        store: Where threads live.
        attachment_store: Where attachments' bytes live; without it attachments are answered 501.
        options: Limits, times and policies.

    Raises:
        TypeError: A store is none, or the options are none.
    """

    # Looked up as an attribute, never via ``vars(self)``: materialising ``__dict__`` slows every later attribute access
    # in CPython.
    _turns: Turns | None = None

    def __init__(
        self,
        store: Store[TContext],
        attachment_store: AttachmentStore[TContext] | None = None,
        *,
        options: Options = DEFAULT_OPTIONS,
    ) -> None:
        _check_stores(store, attachment_store)
        if not isinstance(cast("Any", options), Options):
            raise unexpected("options is an Options(...)", options)
        self.store = store
        self.attachment_store = attachment_store
        self.options = options
        if isinstance(attachment_store, AttachmentStore):
            attachment_store.bind(store)

    @property
    def turns(self) -> Turns:
        """The turns that run. Made on first use, so a subclass need not call ``super().__init__`` early."""
        found = self._turns
        if found is None:
            found = self._turns = Turns(self)
        return found

    # -- hooks ---------------------------------------------------------------------------------

    @abstractmethod
    def respond(
        self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: TContext
    ) -> AsyncIterator[ThreadStreamEvent]:
        """Answer a message: an async generator of events, items, widgets or text.

        ``input_user_message`` is ``None`` after a client tool's output and after structured input. Changes of
        ``thread.title``, ``.status``, ``.allowed_image_domains`` and ``.metadata`` are saved and told.
        """
        raise HookMissing("This server does not answer messages: override respond.")

    def action(
        self,
        thread: ThreadMetadata,
        action: Action[str, Any],
        sender: WidgetItem | None,
        context: TContext,
    ) -> AsyncIterator[ThreadStreamEvent]:
        """Answer a widget's action with a stream, as :meth:`respond` does."""
        raise HookMissing("This server does not take actions: override action.")

    async def sync_action(
        self,
        thread: ThreadMetadata,
        action: Action[str, Any],
        sender: WidgetItem | None,
        context: TContext,
    ) -> SyncCustomActionResponse:
        """Answer a widget's action with one item, or a widget that takes the sender's place, or nothing. The item and
        changes of the thread are saved."""
        raise HookMissing("This server does not take synchronous actions: override sync_action.")

    async def add_feedback(
        self, thread_id: str, item_ids: list[str], feedback: FeedbackKind, context: TContext
    ) -> None:
        """Keep thumbs up or down; the default keeps them in the store, if it keeps feedback."""
        try:
            await self.store.save_feedback(thread_id, item_ids, feedback, context)
        except HookMissing:
            # A store written for openai-chatkit, which by default accepts a vote and forgets it.
            logger.info("feedback is not kept: neither the store nor the server overrides it")

    async def transcribe(self, audio_input: AudioInput, context: TContext) -> TranscriptionResult:
        """Turn speech into text."""
        raise HookMissing("This server does not transcribe: override transcribe.")

    def get_stream_options(self, thread: ThreadMetadata, context: TContext) -> StreamOptions:
        """What the client may do while an answer streams; the default allows stopping it."""
        return StreamOptions(allow_cancel=True)

    async def handle_stream_cancelled(
        self, thread: ThreadMetadata, pending_items: list[Any], context: TContext
    ) -> None:
        """An answer was stopped. ``pending_items`` are copies of what was unfinished, which may be stored already.

        The default leaves a hidden note for the model. The note is also left when an override raises or calls
        ``super()``; a call at any other time does nothing. Pending items that an override does not save are saved as
        they were shown.
        """
        self.turns.leave_note(thread.id)

    # -- entry points --------------------------------------------------------------------------

    async def process(
        self, request: str | bytes | bytearray, context: TContext, *, raise_errors: bool = False
    ) -> StreamingResult | NonStreamingResult:
        """Answer one request body, for endpoints of your own.

        Everything that can be checked is checked before this returns.

        Args:
            request: The body.
            context: Handed to every hook and store call.
            raise_errors: Also raise errors of streaming requests, for endpoints that build their own error answer
                (``failure_of(error)`` gives status and text). Otherwise the result is a stream of one ``error`` event,
                because the client retries a stream that fails with 500.

        Raises:
            RequestError: The client's mistake.
            HookMissing: The request needs a hook that this server does not have (501).
        """
        from .operations import answer
        from .protocol.codec import decode_request

        # A lone surrogate is refused where the body is decoded, like any other bytes that are not UTF-8.
        data = (
            request.encode("utf-8", "surrogatepass") if isinstance(request, str) else bytes(request)
        )
        decoded = decode_request(data)
        try:
            result = await answer(self, decoded, context)
        except RequestError as error:
            failure = failure_of(error)
            if raise_errors or not is_streaming_req(decoded) or failure.status >= 500:
                raise
            logger.info("request refused", extra={"chatkit_code": failure.code})
            return StreamingResult(_refusal(failure))
        return StreamingResult(result) if isinstance(result, Viewer) else NonStreamingResult(result)

    # -- what operations and turns ask ---------------------------------------------------------

    def stopped_note(self, thread: ThreadMetadata, context: TContext) -> SDKHiddenContextItem:
        """The note that tells the model that it was stopped."""
        return SDKHiddenContextItem(
            id=self.store.generate_item_id("sdk_hidden_context", thread, context),
            thread_id=thread.id,
            created_at=self.options.clock(),
            content=_STOPPED_NOTE,
        )

    def overrides(self, hook: str) -> bool:
        """Whether the author provides ``hook``."""
        return getattr(type(self), hook) is not getattr(ChatKitServer, hook)

    async def delete_unused_attachments(self, thread_id: str, context: TContext) -> None:
        """Delete the attachments of a thread that none of its messages carries any more.

        Called after a turn that deleted items. Call it yourself when you delete messages in the store.
        """
        if self.attachment_store is None:
            return
        named = await self.store.load_thread_attachments(thread_id, context=context)
        if not named:
            return
        carried: set[str] = set()
        async for item in self.store.scan_items(thread_id, "asc", context):
            if isinstance(item, UserMessageItem):
                carried.update(each.id for each in item.attachments)
        for attachment in named:
            if attachment.id not in carried:
                await self.store.delete_attachment(attachment.id, context=context)
                await self.attachment_store.delete_attachment(attachment.id, context=context)

    def replacement(self, operation: str) -> Callable[..., Awaitable[Any]] | None:
        """The author's own operation for a request type, if there is one."""
        return None

    def accept_action(self, action: Action[str, Any], *, streams: bool) -> Action[str, Any]:
        """The action as its handler gets it, checked before the answer begins.

        Raises:
            HookMissing: There is no handler for actions.
            BadRequest: There is none for this one, or its payload does not fit.
        """
        hook = "action" if streams else "sync_action"
        if not self.overrides(hook):
            raise HookMissing(
                f"This server does not take {'' if streams else 'synchronous '}actions: override {hook}."
            )
        return action


def _check_stores(store: Any, attachment_store: Any) -> None:
    """Stores are known by what they do: some are written for openai-chatkit, some wrap another."""
    if isinstance(store, type) or not hasattr(store, "load_thread"):
        raise unexpected(
            "store is a Store that has been made, such as SQLiteStore('chat.db')", store
        )
    if attachment_store is None:
        return
    kind: Any = attachment_store.__class__
    is_store = issubclass(kind, Store) and not issubclass(kind, AttachmentStore)
    is_class = isinstance(attachment_store, type)
    if is_store or is_class or not hasattr(attachment_store, "delete_attachment"):
        raise unexpected(
            "attachment_store is an AttachmentStore that has been made, such as DiskAttachmentStore(...)",
            attachment_store,
        )


class ChatKitRouter(Generic[TContext]):
    """The same hooks from handler callables.

    Example::

        chat = ChatKitRouter(SQLiteStore("chat.db"))

        @chat.respond
        async def respond(thread, message, context):
            yield "Hello"

    Every registration raises :class:`~chatkit_asgi.errors.AuthorError` when the name is taken or unknown, or when the
    handler is of the wrong kind.

    Args:
        store: Where threads live.
        attachment_store: Where attachments' bytes live.
        options: Limits, times and policies.
    """

    def __init__(
        self,
        store: Store[TContext],
        attachment_store: AttachmentStore[TContext] | None = None,
        *,
        options: Options = DEFAULT_OPTIONS,
    ) -> None:
        self.server: ChatKitServer[TContext] = _RoutedServer(
            self, store, attachment_store, options=options
        )
        self.handlers: dict[tuple[str, str], tuple[Callable[..., Any], Any]] = {}
        """By kind and name: the handler, and the type of its payload if it has one."""

    @property
    def store(self) -> Store[TContext]:
        """Where threads live."""
        return self.server.store

    async def process(
        self, request: str | bytes | bytearray, context: TContext, *, raise_errors: bool = False
    ) -> StreamingResult | NonStreamingResult:
        """:meth:`ChatKitServer.process`."""
        return await self.server.process(request, context, raise_errors=raise_errors)

    def respond(self, handler: Respond, /) -> Respond:
        """Register the answer to messages: an async generator of ``(thread, message, context)``.

        ``message`` is ``None`` after a client tool's output and after structured input: what the person has answered is
        the thread's newest item then.
        """
        return self._register("respond", "", handler, "thread message context", streams=True)

    def action(
        self, type: str, /, *, payload: Any = None, form: bool = False
    ) -> Callable[[OnAction], OnAction]:
        """Register the streaming answer to a widget's action.

        Args:
            type: The action's type.
            payload: A type to convert the payload to; one that does not fit is the client's error (400).
            form: Whether it holds form values: see :func:`~chatkit_asgi.actions.form_values`.

        Returns:
            A decorator for an async generator of ``(thread, action, sender, context)``.
        """
        kind = _Payload.checked("action", type, payload, form)
        taken = "thread action sender context"
        return lambda handler: self._register(
            "action", type, handler, taken, streams=True, payload=kind
        )

    def sync_action(
        self, type: str, /, *, payload: Any = None, form: bool = False
    ) -> Callable[[OnSyncAction], OnSyncAction]:
        """Register the synchronous answer: ``async (thread, action, sender, context)`` that returns a widget for the
        sender's place, an item, a ``SyncCustomActionResponse`` or ``None``. Arguments as for :meth:`action`."""
        kind = _Payload.checked("sync_action", type, payload, form)
        taken = "thread action sender context"
        return lambda handler: self._register("sync_action", type, handler, taken, payload=kind)

    def feedback(self, handler: Feedback, /) -> Feedback:
        """Register ``async (thread_id, item_ids, kind, context)``; without it votes are kept in the store."""
        return self._register("add_feedback", "", handler, "thread_id item_ids kind context")

    def transcribe(self, handler: Transcribe, /) -> Transcribe:
        """Register ``async (audio, context)`` that returns a ``TranscriptionResult`` or the text."""
        return self._register("transcribe", "", handler, "audio context")

    def stream_options(self, handler: GetStreamOptions, /) -> GetStreamOptions:
        """Register a plain function ``(thread, context) -> StreamOptions``."""
        return self._register("get_stream_options", "", handler, "thread context", plain=True)

    def cancelled(self, handler: Cancelled, /) -> Cancelled:
        """Register ``async (thread, pending_items, context)``, called when an answer was stopped."""
        return self._register(
            "handle_stream_cancelled", "", handler, "thread pending_items context"
        )

    def operation(self, type: str, /) -> Callable[[Operate], Operate]:
        """Replace one whole request type that does not stream, for example ``threads.list``.

        Returns:
            A decorator for ``async (server, request, context)`` that returns the answer's struct.
        """
        from .operations import OPERATIONS_BY_NAME

        check_name("operation", type)
        if type not in OPERATIONS_BY_NAME:
            raise AuthorError(
                f"there is no operation {type!r}; there are {', '.join(sorted(OPERATIONS_BY_NAME))}"
            )
        if OPERATIONS_BY_NAME[type].streams:
            raise AuthorError(f"{type} streams: register a respond or action handler")
        return lambda handler: self._register("operation", type, handler, "server request context")

    def _register(
        self,
        kind: str,
        name: str,
        handler: F,
        parameters: str,
        *,
        streams: bool = False,
        payload: Any = None,
        plain: bool = False,
    ) -> F:
        label = f"{kind} handler" + (f" for {name!r}" if name else "")
        if (kind, name) in self.handlers:
            raise AuthorError(f"there are two {label}s")
        check_handler(label, handler, parameters, streams=streams, plain=plain)
        self.handlers[kind, name] = handler, payload
        return handler


class _RoutedServer(ChatKitServer[TContext]):
    """The server whose hooks are a router's handlers."""

    def __init__(self, router: ChatKitRouter[TContext], *stores: Any, options: Options) -> None:
        super().__init__(*stores, options=options)
        self._router = router

    def _handler(self, kind: str, name: str = "") -> Any:
        found = self._router.handlers.get((kind, name))
        return None if found is None else found[0]

    def overrides(self, hook: str) -> bool:
        return any(kind == hook for kind, _ in self._router.handlers)

    def replacement(self, operation: str) -> Callable[..., Awaitable[Any]] | None:
        found: Callable[..., Awaitable[Any]] | None = self._handler("operation", operation)
        return found

    def accept_action(self, action: Action[str, Any], *, streams: bool) -> Action[str, Any]:
        super().accept_action(action, streams=streams)
        found = self._router.handlers.get(("action" if streams else "sync_action", action.type))
        if found is None:
            raise BadRequest(
                f"No handler for the action {action.type[:100]!r}.",
                code="unknown_action",
                path="$.params.action.type",
            )
        payload: _Payload = found[1]
        return action.model_copy(update={"payload": payload.of(action.payload)})

    def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
        handler = self._handler("respond")
        if handler is None:
            raise HookMissing("This server does not answer messages: register a respond handler.")
        return handler(thread, input_user_message, context)

    def action(self, thread: Any, action: Any, sender: Any, context: Any) -> Any:
        return self._handler("action", action.type)(thread, action, sender, context)

    async def sync_action(self, thread: Any, action: Any, sender: Any, context: Any) -> Any:
        return await self._handler("sync_action", action.type)(thread, action, sender, context)

    async def add_feedback(
        self, thread_id: Any, item_ids: Any, feedback: Any, context: Any
    ) -> None:
        handler = self._handler("add_feedback") or super().add_feedback
        await handler(thread_id, item_ids, feedback, context)

    async def transcribe(self, audio_input: Any, context: Any) -> Any:
        handler = self._handler("transcribe") or super().transcribe
        return await handler(audio_input, context)

    def get_stream_options(self, thread: Any, context: Any) -> StreamOptions:
        handler = self._handler("get_stream_options") or super().get_stream_options
        options: StreamOptions = handler(thread, context)
        return options

    async def handle_stream_cancelled(self, thread: Any, pending_items: Any, context: Any) -> None:
        handler = self._handler("handle_stream_cancelled") or super().handle_stream_cancelled
        await handler(thread, pending_items, context)


class _Payload(NamedTuple):
    """What a handler expects of an action's payload."""

    kind: Any
    """Anything that msgspec converts to, or a Pydantic model; ``None`` for any payload."""
    form: bool

    @classmethod
    def checked(cls, decorator: str, name: Any, kind: Any, form: bool) -> _Payload:
        """What a registration says of a payload.

        Raises:
            AuthorError: The action has no name, or nothing can become a ``kind``.
        """
        check_name(decorator, name)
        check_payload(decorator, name, kind)
        return cls(kind, form)

    def of(self, value: Any) -> Any:
        """``value`` as the handler gets it.

        Raises:
            BadRequest: It does not fit.
        """
        kind = self.kind
        if kind is None:
            return value
        try:
            if self.form:
                return form_values(value, kind)
            validate = getattr(kind, "model_validate", None)
            return msgspec.convert(value, kind) if validate is None else validate(value)
        except (msgspec.ValidationError, ValueError) as error:
            message, where = _misfit(error)
            path = f"$.params.action.payload{where}"
            raise BadRequest(message, code="invalid_payload", path=path) from None


def _misfit(error: Any) -> tuple[str, str]:
    """What msgspec, or Pydantic first, says of a payload, and of which place in it."""
    if (errors := getattr(error, "errors", None)) is not None:
        first = errors()[0]
        steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"])
        return first["msg"], "".join(steps)
    message, _, where = str(error).rpartition(" - at `$")
    return (message, where.removesuffix("`")) if message else (str(error), "")
