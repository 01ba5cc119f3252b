"""Stopping an answer ends the request to the model, as the model server sees it, and stores what came."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any, ClassVar, cast

import anyio
import pytest

from chatkit_asgi import ChatKitApp, ChatKitServer, Options
from chatkit_asgi.agents import AgentContext, TextDelta, stream_agent_response, stream_parts
from chatkit_asgi.agents.stream import QUEUE_LIMIT
from chatkit_asgi.ids import utc_now
from chatkit_asgi.testing import ASGIBridge, ChatKitClient
from chatkit_asgi.testing.scripted import Call, Say, ScriptedModel, Think, Wait
from chatkit_asgi.types import ThreadMetadata
from tests.agents.conftest import Switch
from tests.agents.served import Assistant, message, openai_client, short, until


@pytest.fixture
def anyio_backend() -> str:
    """One loop for the SDK's sake, one thread for the model server's."""
    return "asyncio"


class SDKAssistant(ChatKitServer[Any]):
    """Answers with a run of the Agents SDK."""

    def __init__(self, store: Any, base_url: str, tools: Any = ()) -> None:
        super().__init__(store, options=Options(handle_signals=False))
        self.client = openai_client(base_url)
        self.tools = tools
        self.results: list[Any] = []

    async def respond(
        self, thread: Any, input_user_message: Any, context: Any
    ) -> AsyncIterator[Any]:
        from agents import Agent, OpenAIResponsesModel, RunConfig, Runner

        agent_context = AgentContext[Any](thread=thread, store=self.store, request_context=context)
        agent = Agent[Any](
            name="a", model=OpenAIResponsesModel("gpt-5", self.client), tools=[*self.tools]
        )
        config = RunConfig(tracing_disabled=True)
        result = Runner.run_streamed(agent, "Hi", context=agent_context, run_config=config)
        self.results.append(result)
        async for event in stream_agent_response(agent_context, result):
            yield event


SCRIPTS: dict[str, tuple[list[Any], list[Any]]] = {
    "while it speaks": ([Say("One."), Wait(60.0), Say("Two.")], ["One."]),
    "while it thinks": ([Think(["Hm."]), Wait(60.0), Say("Two.")], [["Hm."]]),
}


async def stop_at(server: Any, text: str) -> tuple[str, float]:
    """Stop an answer when it has come to a text; the thread, and when that was."""
    async with ASGIBridge(ChatKitApp(server)) as bridge:
        client = ChatKitClient(bridge, timeout=20)
        async with client.stream("threads.create", message()) as turn:
            async for event in turn:
                if text in str(event):
                    break
            left = time.perf_counter()
        await until(lambda: not len(server.turns))
    return turn.thread.id or "", left


@pytest.mark.parametrize("kind", [Assistant, SDKAssistant])
@pytest.mark.parametrize("script", SCRIPTS)
async def test_the_model_server_sees_the_stop_within_100_ms(
    switch: Switch, store: Any, kind: Any, script: str
) -> None:
    steps, stored = SCRIPTS[script]
    model = switch.app = ScriptedModel([steps])
    server = kind(store, switch.url)
    times: list[float] = []
    async with server.client:
        # several attempts, because the machine may be busy with something else
        while not times or (min(times) >= 0.1 and len(times) < 5):
            thread_id, left = await stop_at(server, stored[0][0])
            await until(lambda: len(model.hung_up) > len(times))
            times.append(model.hung_up[-1] - left)
            found = [item async for item in store.scan_items(thread_id, "asc", None)]
            assert [short(item) for item in found][1:] == [*stored, "sdk_hidden_context"]
    assert min(times) < 0.1


async def test_a_stopped_run_goes_no_further(switch: Switch, store: Any) -> None:
    """Neither its tools nor its next request to the model."""
    from agents import RunContextWrapper, function_tool

    ends: list[str] = []

    async def slow(ctx: Any) -> str:
        await ctx.context.stream_progress("Working")
        try:
            await anyio.sleep(60)
        except BaseException as error:
            ends.append(type(error).__name__)
            raise
        return "done"

    slow.__annotations__["ctx"] = RunContextWrapper[Any]
    model = switch.app = ScriptedModel([[Call("slow")], [Say("Never.")]])
    server = SDKAssistant(store, switch.url, [function_tool(slow)])
    async with server.client:
        await stop_at(server, "Working")
        await until(lambda: ends)
    assert ends == ["CancelledError"]
    assert len(model.requests) == 1
    assert server.results[0].is_complete


async def test_a_run_that_waits_for_a_slow_reader_is_stopped_too(store: Any) -> None:
    """It waits for room then, not for the model."""
    ended: list[str] = []

    async def endless() -> AsyncIterator[Any]:
        try:
            while True:
                yield TextDelta("word ")
        finally:
            ended.append("closed")

    thread = ThreadMetadata(id="thr_1", created_at=utc_now())
    await store.save_thread(thread, context=None)
    context = AgentContext[Any](thread=thread, store=store, request_context=None)
    events = stream_parts(context, endless())
    for _ in range(10):
        await anext(events)
    await events.aclose()
    assert ended == ["closed"]


async def test_a_run_of_the_sdk_does_not_run_ahead_of_a_slow_reader(store: Any) -> None:
    """Its text goes past the parts, straight to where the events wait."""
    from agents import RawResponsesStreamEvent
    from openai.types.responses import ResponseTextDeltaEvent

    class Endless:
        is_complete = False
        given = 0
        ended: ClassVar[list[str]] = []

        async def stream_events(self) -> AsyncIterator[Any]:
            try:
                while self.given < 100 * QUEUE_LIMIT:  # endless, but for a bridge that never waits
                    self.given += 1
                    delta = ResponseTextDeltaEvent(
                        type="response.output_text.delta",
                        delta=f"{self.given} ",
                        item_id="msg_model",
                        output_index=0,
                        content_index=0,
                        sequence_number=0,
                        logprobs=[],
                    )
                    yield RawResponsesStreamEvent(data=delta)
            finally:
                self.ended.append("closed")

        def cancel(self) -> None:
            self.ended.append("cancelled")

    thread = ThreadMetadata(id="thr_1", created_at=utc_now())
    await store.save_thread(thread, context=None)
    context = AgentContext[Any](thread=thread, store=store, request_context=None)
    run = Endless()
    events = stream_agent_response(context, cast("Any", run))
    text = ""
    for read in range(3 * QUEUE_LIMIT):
        event: Any = await anext(events)
        text += getattr(getattr(event, "update", None), "delta", "")
        assert run.given <= read + QUEUE_LIMIT
        if read == QUEUE_LIMIT // 2:
            await context.stream_progress("in between")
    assert text.split() == [str(number) for number in range(1, len(text.split()) + 1)]
    await events.aclose()
    assert run.ended == ["cancelled", "closed"]
