"""How what a model streams is turned into what the reader sees, where authors differ: images, citations, failures."""

from __future__ import annotations

from typing import Any, Final, cast

from ..types import Annotation, FileSource, URLSource

__all__ = ["ResponseStreamConverter"]

CUT_OFF_REASONS: Final = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""By the Chat Completions API's ``finish_reason`` of an answer that was cut off: the Responses API's word for it."""
_CUT_OFF: Final = {
    "max_output_tokens": "The answer was cut off: it has reached the model's length limit.",
    "content_filter": "The answer was cut off by the model's content filter.",
}
_BUSY: Final = {"rate_limit_exceeded", "server_overloaded", "overloaded_error"}
_NO_FIELDS: Final[dict[str, Any]] = {}
_NO_MODEL: Final = object()


def attribute(value: Any, name: str) -> Any:
    """An entry of a dict or an attribute of an SDK's object; ``None`` if there is none. Of a Pydantic model only its
    fields, declared or not: asking for an attribute that it does not have takes ten times as long."""
    if isinstance(value, dict):
        return cast("dict[str, Any]", value).get(name)
    fields: dict[str, Any] = getattr(value, "__dict__", _NO_FIELDS)
    if name in fields:
        return fields[name]
    extra: Any = getattr(value, "__pydantic_extra__", _NO_MODEL)
    if extra is _NO_MODEL:
        return getattr(value, name, None)
    return extra.get(name) if extra else None


def title_of(name: str) -> str:
    """What the reader sees of a tool that has a name only."""
    return name.replace("_", " ").capitalize()


def url_annotation(url: str, title: str | None, index: int | None) -> Annotation:
    """A citation of a page."""
    return Annotation(source=URLSource(url=url, title=title or url), index=index)


class ResponseStreamConverter:
    """Subclass it and give it to ``stream_agent_response`` or ``stream_response``.

    Args:
        partial_images: How many partial images are asked for; without it their progress is 0.
        reasoning_text: Also show raw reasoning (``response.reasoning_text.*``, which open models send) as thoughts,
            not only its summaries.
    """

    def __init__(self, *, partial_images: int | None = None, reasoning_text: bool = False) -> None:
        self.partial_images = partial_images
        self.reasoning_text = reasoning_text

    async def base64_image_to_url(
        self, image_id: str, base64_image: str, partial_image_index: int | None = None
    ) -> str:
        """The URL of an image, final or partial; the default is a ``data:`` URL. Store the image to keep it short.

        Args:
            image_id: The model's name for the image; the same for all its partial forms.
            base64_image: The bytes.
            partial_image_index: Which partial form it is, from 0; ``None`` for the final one.
        """
        return f"data:image/png;base64,{base64_image}"

    def partial_image_index_to_progress(self, partial_image_index: int) -> float:
        """How much of the image is made, between 0 and 1."""
        if not self.partial_images or self.partial_images < 0:
            return 0.0
        return min(1.0, partial_image_index / self.partial_images)

    async def file_citation_to_annotation(self, file_citation: Any) -> Annotation | None:
        """A ``file_citation``; ``None`` drops it, as one without a file name."""
        return _file_annotation(file_citation, attribute(file_citation, "index"))

    async def container_file_citation_to_annotation(
        self, container_file_citation: Any
    ) -> Annotation | None:
        """A ``container_file_citation``; ``None`` drops it."""
        return _file_annotation(
            container_file_citation, attribute(container_file_citation, "end_index")
        )

    async def url_citation_to_annotation(self, url_citation: Any) -> Annotation | None:
        """A ``url_citation``; ``None`` drops it, as one without a URL."""
        url = attribute(url_citation, "url")
        if not url:
            return None
        title, index = attribute(url_citation, "title"), attribute(url_citation, "end_index")
        return url_annotation(url, title, index)

    async def citation_to_annotation(self, citation: Any) -> Annotation | None:
        """Any citation, by its ``type``: an SDK's object or a dict. Other types are dropped."""
        match attribute(citation, "type"):
            case "file_citation":
                return await self.file_citation_to_annotation(citation)
            case "container_file_citation":
                return await self.container_file_citation_to_annotation(citation)
            case "url_citation":
                return await self.url_citation_to_annotation(citation)
            case _:
                return None

    def failure_to_message(self, code: str | None, message: str | None) -> str:
        """What the reader is told when the model fails. ``message`` is the model server's own text, which may name
        things that are not the reader's business; the default does not show it, it goes to the log."""
        if code in _BUSY:
            return "The model is busy. Try again in a moment."
        return "The model could not finish its answer."

    def incomplete_to_message(self, reason: str | None) -> str:
        """What the reader is told when the model stops before its answer is complete."""
        return _CUT_OFF.get(reason or "", "The answer is not complete.")


DEFAULT_CONVERTER: Final = ResponseStreamConverter()


def _file_annotation(citation: Any, index: Any) -> Annotation | None:
    filename = attribute(citation, "filename")
    if not filename:
        return None
    return Annotation(source=FileSource(filename=filename, title=filename), index=index)
