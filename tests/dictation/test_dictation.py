"""Dictation: audio judged by its bytes, and a transcription endpoint over real HTTP."""

from __future__ import annotations

import base64
import io
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import AsyncOpenAI
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from chatkit_asgi import ChatKitApp, ChatKitRouter
from chatkit_asgi.dictation import (
    AudioLimits,
    audio_seconds,
    audio_type,
    check_audio,
    openai_transcriber,
)
from chatkit_asgi.errors import RequestError
from chatkit_asgi.store import MemoryStore
from chatkit_asgi.testing import ASGIBridge, ChatKitClient
from chatkit_asgi.types import AudioInput
from tests.stacks.site import serve

SAMPLES = Path(__file__).parent / "samples"
WEBM, LIVE, OGG, MP4 = (
    (SAMPLES / name).read_bytes() for name in ("tone.webm", "live.webm", "tone.ogg", "tone.mp4")
)


def wav(seconds: float) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 1, 8000, 0, "NONE", ""))
        file.writeframes(bytes(int(8000 * seconds)))
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (WEBM, "audio/webm"),
        (LIVE, "audio/webm"),
        (OGG, "audio/ogg"),
        (MP4, "audio/mp4"),
        (wav(1), "audio/wav"),
    ],
)
def test_real_recordings_tell_what_they_are_and_how_long(data: bytes, kind: str) -> None:
    assert audio_type(data) == kind
    assert audio_seconds(data) == pytest.approx(1, abs=0.05)


@given(st.sampled_from([WEBM, LIVE, OGG, MP4, wav(0.01)]), st.data())
def test_no_bytes_make_the_check_fail(sample: bytes, data: Any) -> None:
    """Cut, changed or made up: an answer, and quickly."""
    place = data.draw(st.integers(0, len(sample)))
    junk = data.draw(st.binary(max_size=40))
    for broken in (
        sample[:place],
        sample[:place] + junk + sample[place + len(junk) :],
        sample[:12] + junk,
    ):
        audio_seconds(broken)


def test_what_may_not_be_dictated_is_refused() -> None:
    for data, limits, status, code in (
        (b"", AudioLimits(), 400, "empty_audio"),
        (b"<html>", AudioLimits(), 415, "audio_type"),
        (WEBM, AudioLimits(accept=("audio/wav",)), 415, "audio_type"),
        (WEBM, AudioLimits(max_size=100), 413, "audio_size"),
        (LIVE, AudioLimits(max_seconds=0.5), 413, "audio_seconds"),
        (OGG, AudioLimits(max_seconds=0.5), 413, "audio_seconds"),
        (MP4, AudioLimits(max_seconds=0.5), 413, "audio_seconds"),
        (wav(601), AudioLimits(), 413, "audio_seconds"),
    ):
        with pytest.raises(RequestError) as refused:
            check_audio(AudioInput(data=data, mime_type="audio/webm;codecs=opus"), limits)
        assert (refused.value.status, refused.value.code) == (status, code)
        assert refused.value.path == "$.params.audio_base64"


class Endpoint:
    """A transcription endpoint whose answers a test chooses."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answer: tuple[int, Any] = (200, {"text": "Hello there"})

    async def transcribe(self, request: Any) -> JSONResponse:
        form = await request.form()
        file = form["file"]
        self.asked.append(
            {
                "name": file.filename,
                "type": file.content_type,
                "data": await file.read(),
                "model": form["model"],
                "language": form.get("language"),
                "key": request.headers["authorization"],
            }
        )
        await form.close()
        status, body = self.answer
        return JSONResponse(body, status)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    found = Endpoint()
    app = Starlette(routes=[Route("/v1/audio/transcriptions", found.transcribe, methods=["POST"])])
    async with serve(app) as base:
        found.base = f"{base}/v1"  # type: ignore[attr-defined]
        yield found


async def dictate(endpoint: Any, data: bytes, **options: Any) -> Any:
    async with AsyncOpenAI(base_url=endpoint.base, api_key="k", max_retries=0) as model:
        chat: ChatKitRouter[Any] = ChatKitRouter(MemoryStore())
        chat.transcribe(openai_transcriber(model, model="whisper-x", **options))
        async with ASGIBridge(ChatKitApp(chat)) as bridge:
            params = {
                "audio_base64": base64.b64encode(data).decode(),
                "mime_type": "audio/webm;codecs=opus",
            }
            return await ChatKitClient(bridge).request("input.transcribe", params)


@pytest.mark.anyio
async def test_speech_becomes_text(endpoint: Endpoint) -> None:
    answer = await dictate(endpoint, LIVE, language="en")
    assert answer.check().json == {"text": "Hello there"}
    assert endpoint.asked == [
        {
            "name": "speech.webm",
            "type": "audio/webm",
            "data": LIVE,
            "model": "whisper-x",
            "language": "en",
            "key": "Bearer k",
        }
    ]


@pytest.mark.anyio
async def test_what_the_bytes_are_counts_and_not_what_is_said(endpoint: Endpoint) -> None:
    (await dictate(endpoint, MP4)).check()
    assert (endpoint.asked[0]["name"], endpoint.asked[0]["type"]) == ("speech.mp4", "audio/mp4")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        (400, 400, "audio_unreadable"),
        (429, 429, "too_many_requests"),
        (401, 500, "internal_error"),
        (503, 500, "internal_error"),
    ],
)
async def test_failures_of_the_endpoint_are_clear_and_tell_no_secrets(
    endpoint: Endpoint, given: int, status: int, code: str
) -> None:
    endpoint.answer = (given, {"error": {"message": "SECRET"}})
    answer = await dictate(endpoint, OGG)
    assert answer.status == status
    assert msgspec.json.decode(answer.body)["error"]["code"] == code
    assert b"SECRET" not in answer.body


@pytest.mark.anyio
async def test_nothing_is_sent_that_does_not_come_in(endpoint: Endpoint) -> None:
    answer = await dictate(endpoint, b"<html>")
    assert answer.status == 415
    assert endpoint.asked == []
