"""Dictation by a speech model on this machine: no key, no internet.

    pip install chatkit-asgi uvicorn av pocketsphinx
    uvicorn examples.dictation:app

PocketSphinx brings its English model along (38 MB): small, quick and of its time, good for short clear sentences. For
more, run a Whisper server that speaks OpenAI's API and use ``openai_transcriber``.
"""

import io
from functools import cache
from threading import Lock
from typing import Any

import av
from anyio import to_thread
from pocketsphinx import Decoder

from chatkit_asgi import ChatKitApp, ChatKitRouter
from chatkit_asgi.dictation import AudioLimits, check_audio
from chatkit_asgi.errors import BadRequest
from chatkit_asgi.store import MemoryStore

RATE = 16_000
LIMITS = AudioLimits(max_seconds=60)
ONE_AT_A_TIME = Lock()

chat: ChatKitRouter[Any] = ChatKitRouter(MemoryStore())


@cache
def decoder() -> Any:
    """The model, loaded once."""
    return Decoder(samprate=RATE)


def recognize(data: bytes) -> str:
    """What is said in a recording."""
    try:
        with av.open(io.BytesIO(data)) as file:
            resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
            frames = [*file.decode(audio=0), None]
            parts = [
                out.to_ndarray().tobytes() for frame in frames for out in resampler.resample(frame)
            ]
    except av.FFmpegError as error:
        raise BadRequest("This audio cannot be read.", code="audio_unreadable") from error
    with ONE_AT_A_TIME:
        model = decoder()
        model.start_utt()
        model.process_raw(b"".join(parts), full_utt=True)
        model.end_utt()
        found = model.hyp()
    return found.hypstr if found else ""


@chat.transcribe
async def transcribe(audio, context):
    """Away from the event loop."""
    check_audio(audio, LIMITS)
    return await to_thread.run_sync(recognize, audio.data)


app = ChatKitApp(chat)
