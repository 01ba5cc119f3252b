"""Dictation (``docs/protocol/files.md``)."""

from __future__ import annotations

import base64
from typing import Any

from .. import expect
from ..case import case
from ..client import Client

ASK = "input.transcribe"


async def _transcribed(client: Client, data: bytes, kind: str) -> Any:
    audio = base64.b64encode(data).decode()
    answer = await client.get(ASK, audio_base64=audio, mime_type=kind)
    expect.that(isinstance(answer.get("text"), str), "a `text` string", answer)
    return answer["text"]


@case("TRS-1", sends="Five bytes of audio.", needs="transcribe")
async def text_comes_back(client: Client) -> None:
    """An object with a text."""
    await _transcribed(client, b"12345", "audio/webm")


@case("TRS-2", sends="256 different bytes of audio.", needs="transcribe")
async def bytes_arrive(client: Client) -> None:
    """The transcriber gets all 256."""
    text = await _transcribed(client, bytes(range(256)), "audio/mp4")
    expect.equal(text, "256 bytes of audio/mp4", "the text")


@case("TRS-3", sends="Audio as audio/webm;codecs=opus.", needs="transcribe")
async def media_type_with_parameters(client: Client) -> None:
    """The transcriber gets audio/webm."""
    text = await _transcribed(client, b"12345", "audio/webm;codecs=opus")
    expect.equal(text, "5 bytes of audio/webm", "the text")


@case("TRS-4", sends="400,000 bytes of audio.", needs="transcribe")
async def a_minute_of_audio(client: Client) -> None:
    """It is transcribed."""
    text = await _transcribed(client, b"\x01" * 400_000, "audio/webm")
    expect.equal(text, "400000 bytes of audio/webm", "the text")


@case("TRS-5", sends="Audio that is not base64.", needs="transcribe")
async def not_base64_is_refused(client: Client) -> None:
    """4xx."""
    answer = await client.ask(ASK, audio_base64="this is no audio!", mime_type="audio/webm")
    expect.one_of(answer, "a 4xx answer")


@case("TRS-5", sends="input.transcribe without mime_type.", needs="transcribe")
async def no_media_type_is_refused(client: Client) -> None:
    """4xx."""
    expect.one_of(await client.ask(ASK, audio_base64="AAAA"), "a 4xx answer")
