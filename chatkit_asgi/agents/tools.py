"""Python functions as tools of a model behind the Chat Completions API: the loop that calls them, and nothing else.

A tool is an asynchronous function. Its name and docstring are what the model is told, its annotations what the
arguments are checked against (anything that msgspec knows: numbers, literals, lists, structs). A parameter annotated
with ``AgentContext`` gets the context of the run. What it returns is the output: text as it is, anything else as
JSON.

For retries, approvals, guardrails or handoffs take a framework: the bridges of this package have the same shape.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, get_args, get_origin, get_type_hints

import anyio
import msgspec

from .._base import encode
from ..errors import AuthorError, BaseStreamError
from ..types import CustomTask, ThreadStreamEvent
from .chat import ChatReader, FunctionCall, read_chat
from .context import AgentContext
from .conversions import DEFAULT_CONVERTER, ResponseStreamConverter, title_of
from .parts import Incomplete, Part, TaskUpdate
from .stream import stream_parts

__all__ = ["Tool", "run_chat"]

logger = logging.getLogger("chatkit_asgi.agents")

MAX_ROUNDS: Final = 10
"""Completions in one run; the Agents SDK takes the same by default."""


class Tool:
    """A function that a model may call.

    Args:
        function: Asynchronous, with annotated parameters.
        name: The function's own by default.
        description: The docstring by default.
        title: What the reader sees while it runs; by default made of the name. ``""`` shows nothing.

    Raises:
        AuthorError: It is not asynchronous, or a parameter has no annotation that JSON can be checked against.
    """

    def __init__(
        self,
        function: Callable[..., Awaitable[Any]],
        *,
        name: str | None = None,
        description: str | None = None,
        title: str | None = None,
    ) -> None:
        self._function = function
        self.name = name or function.__name__
        self.description = description or inspect.getdoc(function) or ""
        self.title = title_of(self.name) if title is None else title
        if not inspect.iscoroutinefunction(function):
            raise AuthorError(f"the tool {self.name} is not an asynchronous function")
        self._context_parameter, self._arguments = _arguments_of(function, self.name)

    def definition(self) -> dict[str, Any]:
        """What the model is told, as an entry of ``tools``."""
        schema = msgspec.json.schema(self._arguments)
        definitions: dict[str, Any] = schema["$defs"]
        parameters = definitions.pop(schema["$ref"].rpartition("/")[2])
        parameters.pop("title", None)
        if definitions:
            parameters["$defs"] = definitions
        function: dict[str, Any] = {
            "name": self.name,
            "description": self.description,
            "parameters": parameters,
        }
        return {"type": "function", "function": function}

    async def run(self, context: AgentContext[Any], arguments: str) -> str:
        """Call the function with arguments as the model wrote them. A mistake in them is an output for the model too.

        Raises:
            Exception: What the function raises.
        """
        try:
            given = msgspec.json.decode(arguments or "{}", type=self._arguments)
        except msgspec.DecodeError as error:
            return _error(f"These arguments are wrong: {error}")
        values = {name: getattr(given, name) for name in self._arguments.__struct_fields__}
        if self._context_parameter:
            values[self._context_parameter] = context
        output = await self._function(**values)
        if isinstance(output, str):
            return output
        return encode(output).decode()


def _arguments_of(
    function: Callable[..., Any], name: str
) -> tuple[str | None, type[msgspec.Struct]]:
    """The name of the parameter for the context, and a struct of the others."""
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError as error:
        raise AuthorError(f"the tool {name}: {error}; its types must be global names") from error
    context: str | None = None
    fields: list[Any] = []
    for parameter in inspect.signature(function).parameters.values():
        kind = hints.get(parameter.name)
        if kind is None or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise AuthorError(f"the tool {name} needs an annotation for {parameter.name}")
        if _is_context(kind):
            context = parameter.name
        elif parameter.default is parameter.empty:
            fields.append((parameter.name, kind))
        else:
            fields.append((parameter.name, kind, parameter.default))
    try:
        return context, msgspec.defstruct(name, fields, kw_only=True)
    except TypeError as error:
        raise AuthorError(f"the tool {name}: {error}") from error


def _is_context(kind: Any) -> bool:
    return any(
        isinstance(each, type) and issubclass(each, AgentContext)
        for each in (kind, get_origin(kind), *get_args(kind))
    )


def _error(text: str) -> str:
    return encode({"error": text}).decode()


def run_chat(
    context: AgentContext[Any],
    client: Any,
    *,
    model: str,
    messages: Iterable[Mapping[str, Any]],
    tools: Iterable[Tool | Callable[..., Awaitable[Any]]] = (),
    max_rounds: int = MAX_ROUNDS,
    converter: ResponseStreamConverter = DEFAULT_CONVERTER,
    **options: Any,
) -> AsyncGenerator[ThreadStreamEvent]:
    """The thread events of an answer for which the model may call tools: complete, call, complete again.

    Calls of one completion run side by side, each shown as a task of a workflow. A tool that fails gives the model an
    output that says so, and the log the reason; ``CustomStreamError`` and ``StreamError`` end the answer. A tool that
    asks for a client tool (``await context.call_client_tool(...)``) ends the run: the page's answer is a request of
    its own.

    Args:
        context: The context of the run; also what tools get.
        client: An ``openai.AsyncOpenAI``, of any server.
        model: The model's name there.
        messages: The conversation, as :meth:`ThreadItemConverter.to_chat_messages` makes it.
        tools: Asynchronous functions, or :class:`Tool` where the defaults do not fit.
        max_rounds: Completions at most; then the answer ends with a notice that it is not complete.
        converter: How citations and failures are shown.
        options: More for ``client.chat.completions.create``: ``temperature``, ``extra_body`` ...

    Raises:
        AuthorError: A function cannot be a tool, or two have one name; raised at once.
        ModelFailure: The model's server said, in the stream, that it failed; what had come before is stored.
        openai.OpenAIError: A request failed, or the connection broke.
    """
    table: dict[str, Tool] = {}
    for each in (t if isinstance(t, Tool) else Tool(t) for t in tools):
        if table.setdefault(each.name, each) is not each:
            raise AuthorError(f"there are two tools named {each.name}")
    if table:
        options["tools"] = [each.definition() for each in table.values()]
    loop = _Loop(context, table, converter)

    def complete(conversation: list[Any]) -> Any:
        return client.chat.completions.create(
            model=model, messages=conversation, stream=True, **options
        )

    return stream_parts(context, loop.parts(complete, [*messages], max_rounds))


class _Loop:
    def __init__(
        self,
        context: AgentContext[Any],
        tools: Mapping[str, Tool],
        converter: ResponseStreamConverter,
    ) -> None:
        self._context = context
        self._tools = tools
        self._converter = converter

    async def parts(
        self, complete: Callable[[list[Any]], Any], messages: list[Any], max_rounds: int
    ) -> AsyncGenerator[Part]:
        for number in range(max_rounds):
            reader = ChatReader(self._converter, key=number)
            completion = read_chat(reader, complete(messages))
            try:
                async for part in completion:
                    yield part
            finally:
                await completion.aclose()
            if not reader.calls or not reader.is_whole:
                return
            messages.append(reader.message())
            for task in self._tasks(reader.calls, "loading"):
                yield task
            messages += await self._outputs(reader.calls)
            for task in self._tasks(reader.calls, "complete"):
                yield task
            if self._context.client_tool_call is not None:
                return
        yield Incomplete(self._converter.incomplete_to_message(None))

    def _tasks(self, calls: list[FunctionCall], status: Any) -> list[Part]:
        shown = [(call, self._tools.get(call.name)) for call in calls]
        return [
            TaskUpdate(CustomTask(title=tool.title, status_indicator=status), key=call.call_id)
            for call, tool in shown
            if tool and tool.title
        ]

    async def _outputs(self, calls: list[FunctionCall]) -> list[dict[str, Any]]:
        outputs = [""] * len(calls)
        ending: list[BaseStreamError] = []

        async def run(number: int, call: FunctionCall) -> None:
            try:
                outputs[number] = await self._output(call)
            except BaseStreamError as error:  # raised below: a task group would wrap it
                ending.append(error)
                tasks.cancel_scope.cancel()

        async with anyio.create_task_group() as tasks:
            for number, call in enumerate(calls):
                tasks.start_soon(run, number, call)
        if ending:
            raise ending[0]
        return [
            {"role": "tool", "tool_call_id": call.call_id, "content": output}
            for call, output in zip(calls, outputs, strict=True)
        ]

    async def _output(self, call: FunctionCall) -> str:
        tool = self._tools.get(call.name)
        if tool is None:
            return _error(f"There is no tool {call.name!r}.")
        try:
            return await tool.run(self._context, call.arguments)
        except BaseStreamError:
            raise
        except Exception as error:
            logger.exception("the tool %s failed", call.name)
            return _error(f"The tool failed: {type(error).__name__}.")
