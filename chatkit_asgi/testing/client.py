"""A client of the ChatKit protocol: sends the sixteen requests and rebuilds threads from events.

:class:`ChatKitClient` shows what a page would show, and keeps everything that came over the wire. May import anyio,
``types`` and ``protocol``; knows no server.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, Literal, get_args

import anyio

from ..protocol.codec import encode
from ..types import StreamingReq
from .answers import Answer, PageAnswer, Turn
from .asgi import ASGIBridge
from .state import ThreadState
from .transports import BridgeTransport, SocketTransport, Transport, TransportResponse

__all__ = ["ChatKitClient"]

STREAMING: Final = frozenset(each.__struct_config__.tag for each in get_args(StreamingReq))


class ChatKitClient:
    """Speaks the protocol.

    Example::

        client = ChatKitClient("http://127.0.0.1:8000/chatkit")
        turn = (await client.create("Hello")).check()
        print(turn.text)
        turn = await client.send(turn.thread.id, "And now?")

    Nothing raises for a refusal or a failed stream: look at the answer, or call its ``check()``.

    Args:
        to: A URL, an open :class:`~chatkit_asgi.testing.asgi.ASGIBridge`, or any transport.
        headers: Of every request.
        timeout: Seconds to wait for an answer to begin, and for each piece of it.

    Attributes:
        threads: Every thread that was seen, as a page would show it.
    """

    def __init__(
        self,
        to: str | ASGIBridge | Transport,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = 60.0,
    ) -> None:
        self.transport: Transport = (
            SocketTransport(to)
            if isinstance(to, str)
            else BridgeTransport(to)
            if isinstance(to, ASGIBridge)
            else to
        )
        self.headers = {"content-type": "application/json"} | dict(headers or {})
        self.timeout = timeout
        self.threads: dict[str, ThreadState] = {}

    # -- any request ---------------------------------------------------------------------------

    @asynccontextmanager
    async def stream(
        self,
        type: str,
        params: Mapping[str, Any],
        *,
        metadata: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncGenerator[Turn]:
        """Send a request that streams; leaving the context before the end is what a stop button does."""
        request = _request(type, params, metadata)
        thread_id = params.get("thread_id")
        turn = Turn(request, self.threads.get(thread_id or "") or ThreadState(thread_id))
        if type == "threads.retry_after_item":
            turn.thread.drop_after(params["item_id"])
        try:
            async with self._open(request, headers) as response:
                turn.opened(response, self.timeout)
                try:
                    yield turn
                finally:
                    await turn.closed()
        finally:
            if turn.thread.id is not None and 200 <= turn.status < 300:
                self.threads[turn.thread.id] = turn.thread

    async def request(
        self,
        type: str,
        params: Mapping[str, Any],
        *,
        metadata: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send any request and read the whole answer: a :class:`Turn`, a :class:`PageAnswer` or an :class:`Answer`."""
        if type in STREAMING:
            async with self.stream(type, params, metadata=metadata, headers=headers) as turn:
                return await turn.read()
        request = _request(type, params, metadata)
        answer = PageAnswer(request) if type.endswith(".list") else Answer(request)
        async with self._open(request, headers) as response:
            answer.status, answer.headers = response.status, response.headers
            with anyio.fail_after(self.timeout):
                answer.body = b"".join([chunk async for chunk in response.chunks()])
        return answer

    @asynccontextmanager
    async def _open(
        self, request: Any, headers: Mapping[str, str] | None
    ) -> AsyncGenerator[TransportResponse]:
        merged = {**self.headers, **(headers or {})}
        context = self.transport.stream(encode(request), merged)
        with anyio.fail_after(self.timeout):
            response = await context.__aenter__()
        try:
            yield response
        except BaseException as error:
            if not await context.__aexit__(type(error), error, error.__traceback__):
                raise
        else:
            await context.__aexit__(None, None, None)

    async def _turn(self, type: str, params: Mapping[str, Any], options: Any) -> Turn:
        turn = await self.request(type, params, **options)
        assert isinstance(turn, Turn)
        return turn

    # -- requests that stream ------------------------------------------------------------------

    async def create(self, text: str | Sequence[Any], **options: Any) -> Turn:
        """Start a thread. Takes the options of :func:`message`, ``metadata`` and ``headers``."""
        input, options = _input(text, options)
        return await self._turn("threads.create", {"input": input}, options)

    async def send(self, thread_id: str | None, text: str | Sequence[Any], **options: Any) -> Turn:
        """Say something in a thread. Takes the options of :meth:`create`."""
        input, options = _input(text, options)
        params = {"thread_id": thread_id, "input": input}
        return await self._turn("threads.add_user_message", params, options)

    async def tool_output(self, thread_id: str | None, result: Any, **options: Any) -> Turn:
        """Answer the pending client tool call."""
        params = {"thread_id": thread_id, "result": result}
        return await self._turn("threads.add_client_tool_output", params, options)

    async def structured_input(
        self,
        thread_id: str | None,
        item_id: str,
        answers: Mapping[str, str | Sequence[str] | Mapping[str, Any]] | None = None,
        *,
        status: Literal["answered", "skipped"] = "answered",
        **options: Any,
    ) -> Turn:
        """Answer questions, or skip them. An answer is a value, several values, or the wire's own object."""
        given = {
            name: answer
            if isinstance(answer, Mapping)
            else {"values": [answer] if isinstance(answer, str) else list(answer)}
            for name, answer in (answers or {}).items()
        }
        params = {
            "thread_id": thread_id,
            "item_id": item_id,
            "input": {"status": status, "answers": given},
        }
        return await self._turn("threads.add_structured_input", params, options)

    async def retry(self, thread_id: str | None, item_id: str, **options: Any) -> Turn:
        """Ask for another answer to a user message."""
        params = {"thread_id": thread_id, "item_id": item_id}
        return await self._turn("threads.retry_after_item", params, options)

    async def action(
        self,
        thread_id: str | None,
        type: str,
        payload: Any = None,
        *,
        item_id: str | None = None,
        **options: Any,
    ) -> Turn:
        """Send a widget's action."""
        params = _action(thread_id, type, payload, item_id)
        return await self._turn("threads.custom_action", params, options)

    # -- requests that do not ------------------------------------------------------------------

    async def sync_action(
        self,
        thread_id: str | None,
        type: str,
        payload: Any = None,
        *,
        item_id: str | None = None,
        **options: Any,
    ) -> Answer:
        """Send a widget's action that is answered with an item, which the thread then shows."""
        params = _action(thread_id, type, payload, item_id)
        answer = await self.request("threads.sync_custom_action", params, **options)
        item = answer.json.get("updated_item") if answer.ok else None
        if item is not None and (thread := self.threads.get(thread_id or "")) is not None:
            thread.apply({"type": "thread.item.replaced", "item": item})
        return answer

    async def get_thread(self, thread_id: str | None, **options: Any) -> Answer:
        """Load a thread; :attr:`threads` then shows what came and nothing else."""
        answer = await self.request("threads.get_by_id", {"thread_id": thread_id}, **options)
        if answer.ok:
            thread = self.threads.setdefault(answer.json["id"], ThreadState())
            thread.replace_items([])
            thread.show_thread(answer.json)
        return answer

    async def list_threads(
        self,
        *,
        limit: int | None = None,
        order: Literal["asc", "desc"] | None = None,
        after: str | None = None,
        **options: Any,
    ) -> PageAnswer:
        """A page of threads."""
        return await self._page("threads.list", _page_params(limit, order, after), options)

    async def items(
        self,
        thread_id: str | None,
        *,
        limit: int | None = None,
        order: Literal["asc", "desc"] | None = None,
        after: str | None = None,
        **options: Any,
    ) -> PageAnswer:
        """A page of a thread's items."""
        params = {"thread_id": thread_id, **_page_params(limit, order, after)}
        return await self._page("items.list", params, options)

    async def _page(self, type: str, params: Mapping[str, Any], options: Any) -> PageAnswer:
        answer = await self.request(type, params, **options)
        assert isinstance(answer, PageAnswer)
        return answer

    async def feedback(
        self,
        thread_id: str | None,
        item_ids: Sequence[str],
        kind: Literal["positive", "negative"] = "positive",
        **options: Any,
    ) -> Answer:
        """Thumbs up or down."""
        params = {"thread_id": thread_id, "item_ids": list(item_ids), "kind": kind}
        return await self.request("items.feedback", params, **options)

    async def update(self, thread_id: str | None, title: str, **options: Any) -> Answer:
        """Rename a thread."""
        answer = await self.request(
            "threads.update", {"thread_id": thread_id, "title": title}, **options
        )
        if answer.ok and (thread := self.threads.get(thread_id or "")) is not None:
            thread.show_thread(answer.json)
        return answer

    async def delete(self, thread_id: str | None, **options: Any) -> Answer:
        """Delete a thread."""
        answer = await self.request("threads.delete", {"thread_id": thread_id}, **options)
        if answer.ok:
            self.threads.pop(thread_id or "", None)
        return answer

    async def attachments_create(
        self,
        name: str,
        size: int,
        mime_type: str = "application/octet-stream",
        **options: Any,
    ) -> Answer:
        """Announce an upload."""
        params = {"name": name, "size": size, "mime_type": mime_type}
        return await self.request("attachments.create", params, **options)

    async def attachments_delete(self, attachment_id: str, **options: Any) -> Answer:
        """Take an attachment back."""
        return await self.request("attachments.delete", {"attachment_id": attachment_id}, **options)

    async def transcribe(
        self,
        audio: bytes,
        mime_type: str = "audio/webm;codecs=opus",
        **options: Any,
    ) -> Answer:
        """Turn speech into text."""
        params = {"audio_base64": base64.b64encode(audio).decode(), "mime_type": mime_type}
        return await self.request("input.transcribe", params, **options)

    @staticmethod
    def message(
        text: str | Sequence[Any],
        *,
        attachments: Sequence[str] = (),
        quoted_text: str | None = None,
        tool: str | None = None,
        model: str | None = None,
    ) -> dict[str, Any]:
        """The ``input`` of a message.

        Args:
            text: The text, or a list of texts and content objects (for tags).
            attachments: Their ids.
            quoted_text: What it replies to.
            tool: The id of the composer's tool.
            model: The id of the composer's model.
        """
        parts = [text] if isinstance(text, str) else text
        content = [
            {"type": "input_text", "text": part} if isinstance(part, str) else part
            for part in parts
        ]
        options: dict[str, Any] = {}
        if tool is not None:
            options["tool_choice"] = {"id": tool}
        if model is not None:
            options["model"] = model
        input: dict[str, Any] = {
            "content": content,
            "attachments": list(attachments),
            "inference_options": options,
        }
        return input if quoted_text is None else {**input, "quoted_text": quoted_text}


def _request(
    type: str,
    params: Mapping[str, Any],
    metadata: Mapping[str, Any] | None,
) -> dict[str, Any]:
    request: dict[str, Any] = {"type": type, "params": dict(params)}
    return request if metadata is None else {**request, "metadata": dict(metadata)}


def _input(
    text: str | Sequence[Any], options: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    transport: dict[str, Any] = {}
    for name in ("metadata", "headers"):
        if name in options:
            transport[name] = options.pop(name)
    return ChatKitClient.message(text, **options), transport


def _action(
    thread_id: str | None,
    type: str,
    payload: Any,
    item_id: str | None,
) -> dict[str, Any]:
    params: dict[str, Any] = {
        "thread_id": thread_id,
        "action": {"type": type, "payload": payload},
    }
    return params if item_id is None else {**params, "item_id": item_id}


def _page_params(limit: int | None, order: str | None, after: str | None) -> dict[str, Any]:
    given = {"limit": limit, "order": order, "after": after}
    return {name: value for name, value in given.items() if value is not None}
