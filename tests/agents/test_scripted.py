"""The scripted model itself, asked by the real client."""

from __future__ import annotations

import httpx
import pytest
from openai import AsyncOpenAI

from chatkit_asgi.testing.scripted import Call, Say, ScriptedModel


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_who_asks_for_no_stream_gets_the_whole_response() -> None:
    """As the SDK's ``Runner.run`` does, and an agent that is a tool."""
    model = ScriptedModel([[Call("lookup"), Say("Hello")]])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(model)) as http:
        client = AsyncOpenAI(base_url="http://model.test/v1", api_key="none", http_client=http)
        response = await client.responses.create(model="any", input="Hi")
    assert response.status == "completed"
    assert [item.type for item in response.output] == ["function_call", "message"]
    assert response.output_text == "Hello"
