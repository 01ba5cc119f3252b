"""A thread's items as a model's input, in the format of the Responses API.

:class:`ThreadItemConverter` has the methods, defaults and signatures of openai-chatkit's, so that subclasses go on
working, and makes plain dicts, so that neither ``openai`` nor ``openai-agents`` has to be installed. Departures are
numbered H1, H2 ... in ARCHITECTURE.md. Which items to convert is decided in :mod:`.history`; what becomes of
attachments' bytes in :mod:`.attachments`; Chat Completions messages are made of the same input in :mod:`.messages`.

May import ``types`` only.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from ..types import (
    Annotation,
    AssistantMessageContent,
    AssistantMessageItem,
    Attachment,
    ClientToolCallItem,
    CustomTask,
    EndOfTurnItem,
    EntitySource,
    FileSource,
    GeneratedImageItem,
    HiddenContextItem,
    SDKHiddenContextItem,
    StructuredInputItem,
    Task,
    TaskItem,
    ThreadItem,
    URLSource,
    UserMessageItem,
    UserMessageTagContent,
    UserMessageTextContent,
    WidgetItem,
    WorkflowItem,
)
from ._tags import Tag, escape_tags, tagged
from .messages import chat_messages

if TYPE_CHECKING:
    from openai.types.responses import ResponseInputContentParam as ContentPart
    from openai.types.responses import ResponseInputItemParam as InputItem
else:
    ContentPart = InputItem = dict[str, Any]

__all__ = [
    "ContentPart",
    "InputItem",
    "ThreadItemConverter",
    "escape_tags",
    "simple_to_agent_input",
    "to_input_item",
]

logger = logging.getLogger("chatkit_asgi")

Converted: TypeAlias = "InputItem | list[InputItem] | None"
AttachmentReader = Callable[[Attachment], Awaitable[ContentPart]]
"""Makes a content part of an attachment; see :class:`chatkit_asgi.agents.StoredAttachments`."""

UNANSWERED = {"error": "The client has not answered this call."}
"""The output of a client tool call that is still pending."""


class ThreadItemConverter:
    """Converts thread items to input items. Every method may be overridden and may return one input item, a list, or
    ``None``.

    Attributes:
        context_role: The role of hidden context, which is the application's own word. ``"developer"`` (or
            ``"system"``) puts it above the user's; many chat templates of open models refuse those roles in a
            conversation.
        citations: What becomes of an assistant's annotations. ``"text"``: a list of the sources after the message,
            which every model reads. ``"annotations"``: ``url_citation`` annotations of the message, as the Responses
            API gave them (llama.cpp's server accepts and ignores them); other sources have no such form and stay
            away. ``"none"``: nothing.
        max_inline_bytes: How much of ``data:`` URLs and inlined files one input may hold, in bytes as they are sent.
            What is over it, the oldest first, becomes a line that says so.
        attachments: Makes a content part of an attachment. Without it the model is told name and type.
    """

    context_role: Literal["user", "developer", "system"] = "user"
    citations: Literal["text", "annotations", "none"] = "text"
    max_inline_bytes: int = 10 * 1024 * 1024
    attachments: AttachmentReader | None = None

    def __init__(
        self,
        *,
        context_role: Literal["user", "developer", "system"] | None = None,
        citations: Literal["text", "annotations", "none"] | None = None,
        max_inline_bytes: int | None = None,
        attachments: AttachmentReader | None = None,
    ) -> None:
        # Defaults are the class's, so that a subclass may set them, or may have an __init__ that does not call this
        # one.
        self.context_role = context_role or self.context_role
        self.citations = citations or self.citations
        if max_inline_bytes is not None:
            self.max_inline_bytes = max_inline_bytes
        if attachments is not None:
            self.attachments = attachments

    async def to_agent_input(
        self, thread_items: Sequence[ThreadItem] | ThreadItem
    ) -> list[InputItem]:
        """One item or several, oldest first, as input for the Responses API or the Agents SDK.

        Items of a type that this version does not know are skipped.
        """
        items: list[Any] = [*thread_items] if isinstance(thread_items, Sequence) else [thread_items]
        newest = next((each for each in reversed(items) if isinstance(each, UserMessageItem)), None)
        converted: list[InputItem] = []
        for item in items:
            if (method := _METHODS.get(getattr(item, "type", ""))) is None:
                continue
            convert: Callable[..., Coroutine[Any, Any, Converted]] = getattr(self, method)
            extra = (item is newest,) if isinstance(item, UserMessageItem) else ()
            found = await convert(item, *extra)
            converted += found if isinstance(found, list) else [found] if found else []
        return _bounded(converted, self.max_inline_bytes)

    async def to_chat_messages(
        self, thread_items: Sequence[ThreadItem] | ThreadItem
    ) -> list[dict[str, Any]]:
        """The same as ``messages`` of the Chat Completions API; see :func:`~chatkit_asgi.agents.chat_messages`."""
        return chat_messages(await self.to_agent_input(thread_items))

    # -- what people say -----------------------------------------------------------------------

    async def user_message_to_input(
        self, item: UserMessageItem, is_last_message: bool = True
    ) -> Converted:
        """The message with tags as ``@text``, then its attachments; what it quotes and mentions as messages of their
        own.

        Args:
            item: The message.
            is_last_message: Whether no newer user message is among the items. Nothing here depends on it.
        """
        tags = [part for part in item.content if isinstance(part, UserMessageTagContent)]
        said = "".join(
            part.text if isinstance(part, UserMessageTextContent) else f"@{part.text}"
            for part in item.content
        )
        parts = [
            _text(escape_tags(said)),
            *[
                await self.attachment_to_message_content(each)
                or attachment_note(each, "the application shows nothing of it")
                for each in item.attachments
            ],
        ]
        made = [_message("user", parts)]
        if item.quoted_text:
            quote = tagged("QuotedText", item.quoted_text)
            made.append(
                _message("user", [_text(f"The message above is about this text:\n{quote}")])
            )
        if tags:
            unique: dict[str, UserMessageTagContent] = {}
            for tag in tags:
                unique.setdefault(tag.id, tag)
            mentions = [
                await self.tag_to_message_content(tag) or _tag_note(tag) for tag in unique.values()
            ]
            made.append(
                _message("user", [_text(_MENTIONS), *mentions, _text("</MentionedEntities>")])
            )
        return made

    async def attachment_to_message_content(self, attachment: Attachment) -> ContentPart:
        """An attachment as a part of its message. An override that returns ``None`` leaves a note in its place."""
        if self.attachments is not None:
            return await self.attachments(attachment)
        logger.warning(
            "The model is not shown an attachment: give ThreadItemConverter `attachments`, or override "
            "attachment_to_message_content."
        )
        return attachment_note(attachment, "its content is not available")

    async def tag_to_message_content(self, tag: UserMessageTagContent) -> ContentPart:
        """A mentioned entity as the model should know it. Override this to look it up by ``tag.id``; for ``None`` it is
        what this returns.

        What the tag says of itself is the client's word.
        """
        return _tag_note(tag)

    async def structured_input_to_input(self, item: StructuredInputItem) -> Converted:
        """Questions and answers, a line for each question."""
        lines: list[str] = []
        for question in item.inputs:
            answer = question.answer
            if answer is None:
                said = "unanswered"
            elif answer.skipped:
                said = "skipped"
            else:
                said = ", ".join(answer.values)
            # An answer of several lines is indented: it cannot begin a line that looks like another question.
            lines.append("\n  ".join(f"- {question.question}: {said}".splitlines()))
        return _note(
            f"The user was asked for structured input. Status: {item.status}",
            "StructuredInput",
            "\n".join(lines),
        )

    # -- what the assistant said and did -------------------------------------------------------

    async def assistant_message_to_input(self, item: AssistantMessageItem) -> Converted:
        """The message, and its citations as :attr:`citations` says. A message without text is left out.

        The content is a string: servers and the Agents SDK's model for Chat Completions refuse parts of a message
        that has no id of theirs. With ``citations="annotations"`` it is ``output_text`` parts, which OpenAI and
        llama.cpp take.
        """
        said = [part for part in item.content if part.text]
        if not said:
            return None
        if self.citations == "annotations":
            return _message("assistant", [_annotated(part) for part in said])
        message = _message("assistant", "\n\n".join(escape_tags(part.text) for part in said))
        sources = [_source_line(each) for part in said for each in part.annotations]
        if not sources or self.citations == "none":
            return message
        lines = "\n".join(dict.fromkeys(sources))
        return [message, _note("The message above cites these sources:", "CitedSources", lines)]

    async def client_tool_call_to_input(self, item: ClientToolCallItem) -> Converted:
        """The call and its output; a pending call has the output that it is not answered."""
        output = UNANSWERED if item.status == "pending" else item.output
        call = {
            "type": "function_call",
            "call_id": item.call_id,
            "name": item.name,
            "arguments": escape_tags(_json(item.arguments)),
        }
        answer = {
            "type": "function_call_output",
            "call_id": item.call_id,
            "output": escape_tags(_json(output)),
        }
        return cast("list[InputItem]", [call, answer])

    async def widget_to_input(self, item: WidgetItem) -> Converted:
        """The widget as JSON, without the data of inlined images."""
        shown = item.widget.model_dump_json(exclude_unset=True, exclude_none=True)
        shown = _INLINED.sub('"data:(left out)"', shown)
        return _note("This widget was shown to the user:", "ShownWidget", shown, id=item.id)

    async def generated_image_to_input(self, item: GeneratedImageItem) -> Converted:
        """The image by its URL. Override this where the model cannot reach it."""
        if item.image is None:
            return None
        image = {"type": "input_image", "detail": "auto", "image_url": item.image.url}
        return _message(
            "user", [_text("This image was made by the assistant."), cast("ContentPart", image)]
        )

    async def task_to_input(self, item: TaskItem) -> Converted:
        """A custom task with title or content; nothing of others."""
        return _task_note(item.task)

    async def workflow_to_input(self, item: WorkflowItem) -> Converted:
        """Its custom tasks, a message for each.

        Thoughts are summaries for people. A model cannot be given them as its reasoning (that is bound to the
        response it came with, by an id or encrypted), so they are not sent back as anything.
        """
        return [note for task in item.workflow.tasks if (note := _task_note(task))]

    # -- what nobody said ----------------------------------------------------------------------

    async def hidden_context_to_input(self, item: HiddenContextItem) -> Converted:
        """The content, which is for the model only; JSON when it is not a string."""
        content = item.content if isinstance(item.content, str) else _json(item.content)
        return self._hidden(content)

    async def sdk_hidden_context_to_input(self, item: SDKHiddenContextItem) -> Converted:
        """The content, which this library wrote: a turn that was stopped, a history that was cut."""
        return self._hidden(item.content)

    def _hidden(self, content: str) -> InputItem:
        text = f"Context from the application; the user does not see it:\n{tagged('HiddenContext', content)}"
        return _message(self.context_role, [_text(text)])

    async def end_of_turn_to_input(self, item: EndOfTurnItem) -> Converted:
        """Nothing."""
        return None


_METHODS: dict[str, str] = {
    "user_message": "user_message_to_input",
    "assistant_message": "assistant_message_to_input",
    "client_tool_call": "client_tool_call_to_input",
    "widget": "widget_to_input",
    "generated_image": "generated_image_to_input",
    "structured_input": "structured_input_to_input",
    "task": "task_to_input",
    "workflow": "workflow_to_input",
    "end_of_turn": "end_of_turn_to_input",
    "hidden_context_item": "hidden_context_to_input",
    "sdk_hidden_context": "sdk_hidden_context_to_input",
}
"""By the type of an item."""

_MENTIONS = (
    "What the user mentions with @ in the message above. Call these by their names, without the @.\n"
    "<MentionedEntities>"
)


_INLINED = re.compile(r'"data:[^"]{200,}"', re.IGNORECASE)


def _message(role: str, content: str | list[ContentPart]) -> InputItem:
    # llama.cpp's Responses API needs the type, OpenAI's does not.
    return cast("InputItem", {"type": "message", "role": role, "content": content})


def _text(text: str) -> ContentPart:
    return {"type": "input_text", "text": text}


def _note(lead: str, tag: Tag, text: str, **attributes: str) -> InputItem:
    return _message("user", [_text(f"{lead}\n{tagged(tag, text, **attributes)}")])


def _task_note(task: Task) -> InputItem | None:
    if not isinstance(task, CustomTask) or not (task.title or task.content):
        return None
    text = ": ".join(filter(None, (task.title, task.content)))
    return _note("The user was shown that this task was performed:", "ShownTask", text)


def attachment_note(attachment: Attachment, why: str) -> ContentPart:
    """A line that tells the model of an attachment that it is not shown."""
    text = f"The user attached {_json(attachment.name)} ({attachment.mime_type}); {why}."
    return _text(escape_tags(text))


def _annotated(part: AssistantMessageContent) -> Any:
    found = [citation for each in part.annotations if (citation := _url_citation(each))]
    return {"type": "output_text", "text": escape_tags(part.text), "annotations": found}


def _url_citation(annotation: Annotation) -> dict[str, Any] | None:
    if not isinstance(source := annotation.source, URLSource):
        return None
    place = annotation.index or 0
    return {
        "type": "url_citation",
        "url": source.url,
        "title": source.title,
        "start_index": place,
        "end_index": place,
    }


def _source_line(annotation: Annotation) -> str:
    source = annotation.source
    match source:
        case URLSource():
            place = source.url
        case FileSource():
            place = source.filename
        case EntitySource():
            place = source.id
    return "- " + " ".join(f"{source.title} ({place})".split())


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _tag_note(tag: UserMessageTagContent) -> ContentPart:
    known = {"id": tag.id, "text": tag.text, "group": tag.group, "data": tag.data}
    return _text(escape_tags(_json({name: value for name, value in known.items() if value})))


# -- limits --------------------------------------------------------------------------------------


def _bounded(items: list[InputItem], limit: int) -> list[InputItem]:
    """``items`` with a line in place of inlined data over ``limit``; the newest keeps its place longest."""
    kept: list[InputItem] = []
    for item in reversed(items):
        content: Any = item.get("content")
        if isinstance(content, list) and any(map(_inlined, cast("list[Any]", content))):
            parts: list[Any] = []
            for part in reversed(cast("list[Any]", content)):
                size = _inlined(part)
                fits = size <= limit
                limit -= size if fits else 0
                parts.append(part if fits else _left_out(part, size))
            item = cast("InputItem", {**item, "content": parts[::-1]})
        kept.append(item)
    return kept[::-1]


def _inlined(part: Any) -> int:
    if part.get("type") == "input_file":
        return len(part.get("file_data") or "")
    url = part.get("image_url") if part.get("type") == "input_image" else None
    return len(url) if url and url[:5].lower() == "data:" else 0


def _left_out(part: Any, size: int) -> ContentPart:
    kind = "an image" if part["type"] == "input_image" else "a file"
    return _text(f"(Left out here: {kind} of {size:,} bytes.)")


# -- the functions of openai-chatkit and of its guides ---------------------------------------------

_DEFAULT = ThreadItemConverter()


async def simple_to_agent_input(
    thread_items: Sequence[ThreadItem] | ThreadItem,
) -> list[InputItem]:
    """:meth:`ThreadItemConverter.to_agent_input` of a converter with defaults."""
    return await _DEFAULT.to_agent_input(thread_items)


async def to_input_item(
    input: ThreadItem | None,
    to_message_content: Callable[[Any], Awaitable[ContentPart]] | None = None,
) -> list[InputItem]:
    """The custom-server guide's name: one item as input, attachments by ``to_message_content``.

    ``None``, which ``respond`` gets after a client tool's output, gives no input: load the history for that.
    """
    converter = ThreadItemConverter(attachments=to_message_content)
    return [] if input is None else await converter.to_agent_input(input)
