"""Bridges: what a model says becomes a ChatKit stream.

``stream_agent_response`` for the Agents SDK, ``stream_response`` for a plain ``openai`` client, and the seam that they
are built on (``parts``, ``stream_parts``), which makes a bridge for any other framework a short function. Names are
loaded on use: each needs only its own SDK. May import ``types``, ``store/base``, ``server`` and below; only the demo
imports it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .assembler import Assembler
    from .attachments import LinkedAttachments, StoredAttachments
    from .chat import chat_parts, stream_chat
    from .context import (
        AgentContext,
        ClientToolCall,
        ClientToolCallOutputItem,
        Event,
        stream_widget,
    )
    from .conversions import ResponseStreamConverter
    from .converter import (
        ThreadItemConverter,
        escape_tags,
        simple_to_agent_input,
        to_input_item,
    )
    from .history import History, estimate_tokens, load_history
    from .langgraph import langgraph_messages, langgraph_parts, stream_langgraph
    from .messages import chat_messages
    from .parts import (
        Citation,
        Failure,
        ImageDone,
        ImageStart,
        ImageUpdate,
        Incomplete,
        MessageDone,
        MessageStart,
        Part,
        ReasoningDelta,
        ReasoningDone,
        ReasoningStart,
        TaskUpdate,
        TextDelta,
        TextDone,
        TextStart,
        ToolCall,
        Withdraw,
    )
    from .pydantic_ai import pydantic_ai_parts, stream_pydantic_ai
    from .pydantic_ai_messages import pydantic_ai_messages
    from .responses import response_parts, stream_response
    from .sdk import accumulate_text, agent_parts, stream_agent_response
    from .stream import ModelFailure, stream_parts
    from .tools import Tool, run_chat

__all__ = [
    "AgentContext",
    "Assembler",
    "Citation",
    "ClientToolCall",
    "ClientToolCallOutputItem",
    "Event",
    "Failure",
    "History",
    "ImageDone",
    "ImageStart",
    "ImageUpdate",
    "Incomplete",
    "LinkedAttachments",
    "MessageDone",
    "MessageStart",
    "ModelFailure",
    "Part",
    "ReasoningDelta",
    "ReasoningDone",
    "ReasoningStart",
    "ResponseStreamConverter",
    "StoredAttachments",
    "TaskUpdate",
    "TextDelta",
    "TextDone",
    "TextStart",
    "ThreadItemConverter",
    "Tool",
    "ToolCall",
    "Withdraw",
    "accumulate_text",
    "agent_parts",
    "chat_messages",
    "chat_parts",
    "escape_tags",
    "estimate_tokens",
    "langgraph_messages",
    "langgraph_parts",
    "load_history",
    "pydantic_ai_messages",
    "pydantic_ai_parts",
    "response_parts",
    "run_chat",
    "simple_to_agent_input",
    "stream_agent_response",
    "stream_chat",
    "stream_langgraph",
    "stream_parts",
    "stream_pydantic_ai",
    "stream_response",
    "stream_widget",
    "to_input_item",
]

_MODULES: dict[str, str] = {
    **dict.fromkeys(
        ["AgentContext", "ClientToolCall", "ClientToolCallOutputItem", "Event", "stream_widget"],
        "context",
    ),
    **dict.fromkeys(["ModelFailure", "stream_parts"], "stream"),
    **dict.fromkeys(["response_parts", "stream_response"], "responses"),
    **dict.fromkeys(["accumulate_text", "agent_parts", "stream_agent_response"], "sdk"),
    "Assembler": "assembler",
    **dict.fromkeys(["chat_parts", "stream_chat"], "chat"),
    **dict.fromkeys(["Tool", "run_chat"], "tools"),
    **dict.fromkeys(["LinkedAttachments", "StoredAttachments"], "attachments"),
    **dict.fromkeys(
        ["ThreadItemConverter", "escape_tags", "simple_to_agent_input", "to_input_item"],
        "converter",
    ),
    **dict.fromkeys(["History", "estimate_tokens", "load_history"], "history"),
    "chat_messages": "messages",
    "pydantic_ai_messages": "pydantic_ai_messages",
    **dict.fromkeys(["pydantic_ai_parts", "stream_pydantic_ai"], "pydantic_ai"),
    **dict.fromkeys(["langgraph_messages", "langgraph_parts", "stream_langgraph"], "langgraph"),
    "ResponseStreamConverter": "conversions",
    **dict.fromkeys(
        [
            "Citation",
            "Failure",
            "ImageDone",
            "ImageStart",
            "ImageUpdate",
            "Incomplete",
            "MessageDone",
            "MessageStart",
            "Part",
            "ReasoningDelta",
            "ReasoningDone",
            "ReasoningStart",
            "TaskUpdate",
            "TextDelta",
            "TextDone",
            "TextStart",
            "ToolCall",
            "Withdraw",
        ],
        "parts",
    ),
}
"""By name: the module that has it."""

_EXTRAS = {
    "agents": "agents",
    "openai": "openai",
    "pydantic": "openai",
    "pydantic_ai": "pydantic-ai",
    "langgraph": "langgraph",
    "langchain_core": "langgraph",
}
"""By library: the extra that brings it."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = import_module(f".{_MODULES[name]}", __name__)
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        raise ImportError(
            f"{name} needs {error.name}: pip install 'chatkit-asgi[{extra}]'", name=error.name
        ) from error
    found = globals()[name] = getattr(module, name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
