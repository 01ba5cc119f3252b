"""Dictation: speech to text by any endpoint that speaks OpenAI's transcription API.

:func:`openai_transcriber` is a ready handler; :func:`check_audio` is what one of your own checks first. Audio is judged
by its bytes. May import ``errors`` and ``types``; the ``openai`` package comes with ``chatkit-asgi[openai]``.
"""

from __future__ import annotations

import io
import wave
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .errors import BadRequest, TooLarge, TooManyRequests, UnsupportedMediaType
from .types import AudioInput, TranscriptionResult

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["AudioLimits", "audio_seconds", "audio_type", "check_audio", "openai_transcriber"]

EXTENSIONS: Final = {
    "audio/webm": "webm",
    "audio/ogg": "ogg",
    "audio/mp4": "mp4",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
}
"""Every type that is known; endpoints go by the name's extension."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AudioLimits:
    """What may be dictated."""

    max_size: int = 10 * 1024 * 1024
    """Bytes (413). OpenAI takes 25 MB; the whole request is limited by ``Options.max_body`` too."""
    max_seconds: float = 600.0
    """How long it lasts (413), where the file tells: everything but MP3 and what was cut into fragments."""
    accept: tuple[str, ...] = ("audio/webm", "audio/mp4", "audio/ogg", "audio/wav", "audio/mpeg")
    """Types (415). The component records the first three (client.md section 7.4)."""


def check_audio(audio: AudioInput, limits: AudioLimits) -> str:
    """The audio's type, as its bytes tell.

    Raises:
        BadRequest: It is empty.
        UnsupportedMediaType: It is no audio, or of a type that is not accepted.
        TooLarge: It is too large or too long.
    """
    path = "$.params.audio_base64"
    if not audio.data:
        raise BadRequest("There is no audio.", code="empty_audio", path=path)
    if len(audio.data) > limits.max_size:
        raise TooLarge(f"At most {limits.max_size} bytes of audio.", code="audio_size", path=path)
    kind = audio_type(audio.data)
    if kind is None or kind not in limits.accept:
        raise UnsupportedMediaType(
            f"Send {', '.join(limits.accept)}, not {kind or 'something else'}.",
            code="audio_type",
            path=path,
        )
    seconds = audio_seconds(audio.data)
    if seconds is not None and seconds > limits.max_seconds:
        raise TooLarge(
            f"At most {limits.max_seconds:g} seconds of audio, not {seconds:.0f}.",
            code="audio_seconds",
            path=path,
        )
    return kind


def openai_transcriber(
    client: AsyncOpenAI | None = None,
    *,
    model: str = "gpt-4o-mini-transcribe",
    limits: AudioLimits | None = None,
    **options: Any,
) -> Callable[[AudioInput, Any], Awaitable[TranscriptionResult]]:
    """A handler for ``chat.transcribe``, or to await in :meth:`ChatKitServer.transcribe`.

    Args:
        client: Where to ask, for example ``AsyncOpenAI(base_url="http://127.0.0.1:8001/v1", api_key="none")``. Default:
            OpenAI's own, with ``OPENAI_API_KEY``.
        model: The model's name there.
        limits: What may be dictated.
        options: More of the API's parameters, for example ``language="de"`` or ``prompt="ChatKit, msgspec"``.

    Returns:
        The handler. It raises BadRequest for audio that the endpoint cannot read and TooManyRequests when that has too
        much to do; whatever else goes wrong there is the server's failure (500).
    """
    bounds = limits or AudioLimits()
    asked = client

    async def transcribe(audio: AudioInput, context: Any) -> TranscriptionResult:
        nonlocal asked
        import openai

        kind = check_audio(audio, bounds)
        if asked is None:
            asked = openai.AsyncOpenAI()
        file = (f"speech.{EXTENSIONS[kind]}", audio.data, kind)
        try:
            # ``Any``: its overloads ask for more than the options' type says.
            create: Any = asked.audio.transcriptions.create
            found = await create(file=file, model=model, **options)
        except openai.RateLimitError as error:
            raise TooManyRequests("Too much is being dictated; try again.") from error
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            raise BadRequest(
                "This audio cannot be understood.",
                code="audio_unreadable",
                path="$.params.audio_base64",
            ) from error
        return TranscriptionResult(text=found.text)

    return transcribe


# -- what the bytes tell -----------------------------------------------------------------------


def audio_type(data: bytes) -> str | None:
    """The media type by the first bytes; ``None`` for what is none of :data:`EXTENSIONS`."""
    if data.startswith(b"\x1a\x45\xdf\xa3"):
        return "audio/webm"
    if data.startswith(b"OggS"):
        return "audio/ogg"
    if data[4:8] == b"ftyp":
        return "audio/mp4"
    if data.startswith(b"RIFF") and data[8:12] == b"WAVE":
        return "audio/wav"
    if data.startswith(b"ID3") or (len(data) > 1 and data[0] == 0xFF and data[1] & 0xE6 == 0xE2):
        return "audio/mpeg"
    return None


def audio_seconds(data: bytes) -> float | None:
    """How long it lasts; ``None`` where that is not written in it."""
    try:
        match audio_type(data):
            case "audio/webm":
                return _webm_seconds(data)
            case "audio/ogg":
                return _ogg_seconds(data)
            case "audio/mp4":
                return _mp4_seconds(data)
            case "audio/wav":
                with wave.open(io.BytesIO(data)) as file:
                    return float(file.getnframes() / file.getframerate())
            case _:
                return None
    except (ArithmeticError, EOFError, IndexError, RuntimeError, ValueError, wave.Error):
        return None  # damaged: the endpoint will say so


def _webm_seconds(data: bytes) -> float | None:
    """The time of the last block (RFC 9559): recorders do not know the duration when they write the header."""
    scale, cluster = 1_000_000, 0
    last: int | None = None
    for kind, start, stop in _ebml(data, 0, len(data)):
        if kind == 0x2AD7B1:  # TimestampScale, in nanoseconds
            scale = int.from_bytes(data[start:stop])
        elif kind == 0xE7:  # a cluster's Timestamp
            cluster = int.from_bytes(data[start:stop])
        elif kind in (0xA3, 0xA1):
            # SimpleBlock, Block: a track's number, then a time within the cluster.
            place = start + 9 - data[start].bit_length()
            time = cluster + int.from_bytes(data[place : place + 2], signed=True)
            last = max(last or 0, time)
    return None if last is None else last * scale / 1e9


_MASTERS: Final = frozenset({0x18538067, 0x1549A966, 0x1F43B675, 0xA0})
"""Segment, Info, Cluster, BlockGroup: elements whose inside is looked into."""


def _ebml(data: bytes, place: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Every element's id, and where its data is; masters are entered. A size of all ones means: to the end."""
    while place < end:
        width = 9 - data[place].bit_length()
        kind = int.from_bytes(data[place : place + width])
        place += width
        width = 9 - data[place].bit_length()
        size = int.from_bytes(data[place : place + width]) & ((1 << 7 * width) - 1)
        unknown = size == (1 << 7 * width) - 1
        place += width
        if kind in _MASTERS:
            continue  # its children follow, whatever its size
        if unknown or width > 8:
            return
        yield kind, place, min(place + size, end)
        place += size


def _ogg_seconds(data: bytes) -> float | None:
    """The last page's position (RFC 7845: in samples of 48 kHz, whatever the input was)."""
    last = data.rfind(b"OggS")
    if b"OpusHead" not in data[:200]:
        return None
    return int.from_bytes(data[last + 6 : last + 14], "little", signed=True) / 48_000


def _mp4_seconds(data: bytes) -> float | None:
    """The movie header's duration; none in files that were cut into fragments."""
    place = data.find(b"mvhd")
    if place < 0:
        return None
    wide = data[place + 4] == 1
    start = place + (24 if wide else 16)
    scale = int.from_bytes(data[start : start + 4])
    duration = int.from_bytes(data[start + 4 : start + (12 if wide else 8)])
    return duration / scale if duration and scale else None
