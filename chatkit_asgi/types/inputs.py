"""What a person puts in: messages, and answers to structured input (wire.md sections 4.1, 9.1, 9.6)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from .._base import Checked, PydanticUnion, Wire, convert

__all__ = [
    "InferenceOptions",
    "StructuredInput",
    "StructuredInputAnswer",
    "StructuredInputAnswerSubmission",
    "StructuredInputBase",
    "StructuredInputFreeform",
    "StructuredInputMultipleChoice",
    "StructuredInputMultipleChoiceOption",
    "StructuredInputSubmission",
    "ToolChoice",
    "UserMessageContent",
    "UserMessageInput",
    "UserMessageTagContent",
    "UserMessageTextContent",
]


class UserMessageTextContent(Wire):
    """``input_text``: plain text."""

    type: Literal["input_text"] = "input_text"
    text: str


class UserMessageTagContent(Wire):
    """``input_tag``: a mention of an entity."""

    type: Literal["input_tag"] = "input_tag"
    id: str
    text: str
    data: dict[str, Any] = {}
    """The client may leave it out."""
    group: str | None = None
    interactive: bool = False


UserMessageContent = Annotated[UserMessageTextContent | UserMessageTagContent, PydanticUnion()]


class ToolChoice(Wire):
    """The tool that the composer has selected."""

    id: str


class InferenceOptions(Wire):
    """The composer's tool and model. Both are the client's word: check them against what you offer."""

    tool_choice: ToolChoice | None = None
    model: str | None = None

    def __post_init__(self) -> None:
        given: Any = self.tool_choice
        if isinstance(given, dict):
            self.tool_choice = convert(given, ToolChoice)


class UserMessageInput(Wire):
    """A message as the client sends it."""

    content: list[UserMessageContent]
    attachments: list[str]
    """Ids, at most :attr:`chatkit_asgi.options.Options.max_attachments` of them."""
    quoted_text: str | None = None
    inference_options: InferenceOptions


class StructuredInputAnswerSubmission(Wire):
    """The client's answer to one question."""

    values: list[str] = []
    skipped: bool = False


class StructuredInputSubmission(Wire):
    """The client's answers to a pending structured input."""

    status: Literal["answered", "skipped"] = "answered"
    answers: dict[str, StructuredInputAnswerSubmission] = {}
    """By question id."""


class StructuredInputAnswer(Wire):
    """An answer as it is stored."""

    values: list[str] = []
    skipped: bool = False


class StructuredInputBase(Checked):
    """What every question has."""

    id: str
    question: str
    answer: StructuredInputAnswer | None = None


class StructuredInputMultipleChoiceOption(Wire):
    """One choice."""

    value: str


class StructuredInputMultipleChoice(StructuredInputBase):
    """``multiple_choice``: one or, with ``multiple``, several of the options, or a free value."""

    type: Literal["multiple_choice"] = "multiple_choice"
    options: list[StructuredInputMultipleChoiceOption]
    multiple: bool = False


class StructuredInputFreeform(StructuredInputBase):
    """``freeform``: text."""

    type: Literal["freeform"] = "freeform"
    description: str | None = None


StructuredInput = Annotated[
    StructuredInputMultipleChoice | StructuredInputFreeform, PydanticUnion()
]
