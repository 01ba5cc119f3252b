"""Records what model servers send, byte by byte, through the real ``openai`` client: ``python -m tests.agents.record``.

Three sources: the local model (llama.cpp with SmolLM2), our scripted server, and aimock from npm. The recordings are
committed, so the tests need none of them.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx2
import openai

from chatkit_asgi.demo.model import LocalModel
from chatkit_asgi.testing.scripted import (
    Call,
    Draw,
    Fail,
    Refuse,
    Say,
    ScriptedModel,
    Stop,
    Think,
    Together,
)
from tests.agents.servers import aimock, served

RECORDINGS = Path(__file__).with_name("recordings")

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

URL = {
    "type": "url_citation",
    "url": "https://news.test/q3",
    "title": "Q3",
    "start_index": 0,
    "end_index": 4,
}
FILE = {"type": "file_citation", "file_id": "f1", "filename": "report.pdf", "index": 6}
PATH = {"type": "file_path", "file_id": "f2", "index": 1}

SCRIPTS: dict[str, list[Any]] = {
    "text": [Say("Hello, world. How are you?", chunks=5)],
    "reasoning": [Think(["First I look.", "Then I answer."]), Say("Done.")],
    "raw-reasoning": [Think(raw="Hm, hm."), Say("Done.")],
    "tool": [Say("I look it up."), Call("lookup", {"city": "Paris"})],
    "citations": [Say("Revenue fell, as the report says.", citations=[URL, FILE, PATH])],
    "refusal": [Refuse("I cannot help with that.")],
    "images": [Together([Draw(PIXEL, partial=[PIXEL, PIXEL]), Draw(PIXEL, partial=[PIXEL])])],
    "no-image": [Draw(), Say("It could not be drawn.")],
    "parallel": [
        Together([Say("One, two, three."), Say("Four, five, six."), Call("a"), Call("b")])
    ],
    "failed": [Say("It begins"), Fail()],
    "error": [Say("It begins"), Fail(event="error")],
    "incomplete": [Say("It begins"), Stop()],
}


async def record(name: str, base_url: str, text: str, model: str = "gpt-5") -> None:
    """Ask one question and keep the answer's bytes."""
    body = b""
    async with openai.AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0) as client:
        create = client.responses.with_streaming_response.create
        async with create(model=model, input=text, max_output_tokens=60, stream=True) as response:
            try:
                async for chunk in response.iter_bytes():
                    body += chunk
            except httpx2.RemoteProtocolError as error:  # it hung up: what came is the recording
                print(f"{name}: {error}")
    body = re.sub(rb'"model":"/[^"]*/', b'"model":"/models/', body)  # not this machine's paths
    RECORDINGS.joinpath(f"{name}.sse").write_bytes(body)
    print(f"{name}: {len(body)} bytes")


def main() -> None:
    """Record everything again."""
    RECORDINGS.mkdir(exist_ok=True)
    for name, script in SCRIPTS.items():
        with served(ScriptedModel([script])) as url:
            asyncio.run(record(f"scripted-{name}", url, name))
    with aimock() as url:
        for name in ("text", "reasoning", "tool", "both", "cut"):
            asyncio.run(record(f"aimock-{name}", url, name))
    local = LocalModel()
    local.warm_up()
    for name, text in {"hello": "Say hello.", "story": "Tell me a story about a cat."}.items():
        asyncio.run(record(f"local-{name}", local.base_url, text, local.name))


if __name__ == "__main__":
    main()
