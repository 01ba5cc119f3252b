"""The README's way from nothing to an image in a message, seen by a model: every request over a real socket."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

import httpx2 as httpx
import msgspec
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route

from tests.stacks.site import serve

README = Path(__file__).resolve().parents[2] / "README.md"


def snippet() -> str:
    section = README.read_text(encoding="utf-8").partition("\n## Attachments\n")[2]
    found = re.search(r"^```python\n(.*?)^```", section, re.M | re.S)
    assert found is not None
    return found[1]


def test_it_is_short() -> None:
    assert len(snippet().rstrip().splitlines()) <= 20


class Model:
    """A model server that tells what it sees."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    async def complete(self, request: Any) -> StreamingResponse:
        self.asked.append(await request.json())
        chunks = [
            {
                "choices": [
                    {"index": 0, "delta": {"role": "assistant", "content": "A red picture."}}
                ]
            },
            {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        ]
        base = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        frames = [b"data: " + msgspec.json.encode(base | each) + b"\n\n" for each in chunks]
        return StreamingResponse(
            iter([*frames, b"data: [DONE]\n\n"]), media_type="text/event-stream"
        )


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("strategy", ["direct", "two_phase"])
async def test_a_model_sees_an_image(
    strategy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    out = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(out, "PNG")
    picture, model = out.getvalue(), Model()
    routes = [Route("/v1/chat/completions", model.complete, methods=["POST"])]
    async with serve(Starlette(routes=routes)) as base:
        code = snippet().replace("http://127.0.0.1:11434", base)
        names: dict[str, Any] = {"__name__": "snippet"}
        exec(compile(code, "snippet", "exec"), names)
        async with serve(names["app"]) as url, httpx.AsyncClient(timeout=20) as client:
            names["files"].url = url
            attachment = await upload(client, url, picture, strategy)
            message = {
                "content": [{"type": "input_text", "text": "What is this?"}],
                "attachments": [attachment["id"]],
                "inference_options": {},
            }
            request = {"type": "threads.create", "params": {"input": message}}
            answer = await client.post(url, json=request)
            shown = await client.get(attachment["preview_url"])
        await names["client"].close()
        await names["store"].close()
    assert "A red picture." in answer.text
    (asked,) = model.asked
    (image,) = [each for each in asked["messages"][-1]["content"] if each["type"] == "image_url"]
    kind, _, data = image["image_url"]["url"].partition(";base64,")
    assert (kind, base64.b64decode(data)) == ("data:image/png", picture)
    assert shown.headers["content-type"] == "image/jpeg"


async def upload(client: Any, url: str, picture: bytes, strategy: str) -> Any:
    if strategy == "direct":
        files = {"file": ("red.png", picture, "image/png")}
        return (await client.post(f"{url}/attachments", files=files)).raise_for_status().json()
    params = {"name": "red.png", "size": len(picture), "mime_type": "image/png"}
    request = {"type": "attachments.create", "params": params}
    made = (await client.post(url, json=request)).raise_for_status().json()
    where = made["upload_descriptor"]
    sent = await client.request(
        where["method"], where["url"], content=picture, headers=where["headers"]
    )
    sent.raise_for_status()
    return made
