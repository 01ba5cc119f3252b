"""Stand-ins for the models of the examples: they call a tool when a message speaks of it, and answer in a sentence."""

from __future__ import annotations

import json
from typing import Any

from chatkit_asgi.testing.scripted import Call, Say, Script, ScriptedModel
from chatkit_asgi.testing.scripted_chat import ScriptedChatModel

__all__ = ["STAND_INS"]


def _script(body: dict[str, Any], *calls: tuple[str, Call]) -> Script:
    """Answer what a tool has found; call the tool whose word the message has; else greet."""
    talk: Any = body.get("input") or body.get("messages") or [{}]
    newest = talk[-1] if isinstance(talk, list) else {"content": talk}
    if newest.get("type") == "function_call_output" or newest.get("role") == "tool":
        return [Say("Done: that is what I found.")]
    words = json.dumps(newest)
    found = next((call for word, call in calls if word in words), None)
    return [found or Say("Hello, I am a script that stands in for a model.")]


def _guide() -> ScriptedModel:
    todo, profile = Call("add_to_todo_list", {"item": "Buy milk"}), Call("load_profile")
    return ScriptedModel(lambda body: _script(body, ("todo", todo), ("profile", profile)))


def _restaurant() -> ScriptedModel:
    menu, table = Call("show_menu", {"cuisine": "Italian"}), Call("offer_table", {"guests": 2})
    return ScriptedModel(lambda body: _script(body, ("menu", menu), ("table", table)))


def _weather() -> ScriptedChatModel:
    return ScriptedChatModel(
        lambda body: _script(body, ("weather", Call("get_weather", {"city": "Bern"})))
    )


STAND_INS = {
    "agents_sdk": _restaurant,
    "custom_server_guide": _guide,
    "langgraph_graph": lambda: ScriptedChatModel(_script),
    "local_model": _weather,
    "pydantic_ai_agent": _weather,
}
"""By example: makes the app of its model server."""
