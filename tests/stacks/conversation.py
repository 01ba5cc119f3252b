"""A conversation that has every one of the sixteen requests in it, and refusals of every kind."""

from __future__ import annotations

from typing import Any

from chatkit_asgi.errors import CustomStreamError
from chatkit_asgi.testing import ChatKitClient
from chatkit_asgi.types import SyncCustomActionResponse
from tests.http.served import Served, card, done, questions, tool_call, yielding

__all__ = ["SHOWN", "hold", "prepare"]

SHOWN = ("content-type", "cache-control", "x-accel-buffering", "x-request-id", "allow")
"""The headers that every stack answers alike."""


def prepare(server: Served) -> None:
    """Give the server its answers: the message's text says which."""

    async def respond(thread: Any, message: Any, context: Any) -> Any:
        match message.content[0].text if message else "go on":
            case "card":
                yield done(card)(thread)
            case "tool":
                yield done(tool_call, "ctc_1")(thread)
            case "ask":
                yield done(questions)(thread)
            case "fail":
                yield "Half of it"
                raise CustomStreamError("Not today.", allow_retry=True)
            case text:
                thread.title = "About " + text
                yield "You said "
                yield text

    server.responding = respond
    server.acting = yielding("Sent.")
    server.sync_acting = lambda thread, action, sender, context: SyncCustomActionResponse(
        updated_item=card(thread, text="Sent")
    )


async def hold(client: ChatKitClient) -> list[Any]:
    """Hold the conversation, and return all that came: of each answer the request's type, status, headers and body."""
    transcript: list[Any] = []
    count = 0

    async def ask(type: str, params: Any) -> Any:
        nonlocal count
        count += 1
        headers = {"x-request-id": f"req-{count}"}
        answer = await client.request(type, params, headers=headers)
        shown = {name: answer.headers[name] for name in SHOWN if name in answer.headers}
        transcript.append((type, answer.status, shown, answer.body))
        return answer

    async def say(text: str, thread_id: str | None = None) -> Any:
        if thread_id is None:
            return await ask("threads.create", {"input": client.message(text)})
        params = {"thread_id": thread_id, "input": client.message(text)}
        return await ask("threads.add_user_message", params)

    thread = (await say("日本語 👩‍🚀 \u2028 'quoted'")).thread
    here = {"thread_id": thread.id}
    await say("card", thread.id)
    action = {**here, "item_id": "msg_card", "action": {"type": "send", "payload": {"id": 7}}}
    await ask("threads.custom_action", action)
    await ask("threads.sync_custom_action", action)
    await say("tool", thread.id)
    await ask("threads.add_client_tool_output", {**here, "result": {"ok": [1, None]}})
    await say("ask", thread.id)
    answers = {
        "size": {"values": ["M"]},
        "sizes": {"values": ["S", "L"]},
        "note": {"values": ["n"]},
    }
    given = {"status": "answered", "answers": answers}
    await ask("threads.add_structured_input", {**here, "item_id": "msg_ask", "input": given})
    await say("fail", thread.id)
    page = await ask("items.list", {**here, "order": "asc", "limit": 3})
    first = page.ids[0]
    await ask("items.list", {**here, "order": "asc", "limit": 3, "after": page.after})
    await ask("items.feedback", {**here, "item_ids": [first], "kind": "positive"})
    await ask("threads.retry_after_item", {**here, "item_id": first})
    await ask("threads.update", {**here, "title": "Renamed"})
    await ask("threads.get_by_id", here)
    await ask("threads.list", {})
    created = {"name": "a.txt", "size": 3, "mime_type": "text/plain"}
    attachment = await ask("attachments.create", created)
    await ask("attachments.delete", {"attachment_id": attachment.json["id"]})
    await ask("input.transcribe", {"audio_base64": "AAAA", "mime_type": "audio/webm"})
    await ask("threads.get_by_id", {"thread_id": "thr_nobody"})
    await ask("threads.add_user_message", {"thread_id": "thr_nobody", "input": client.message("a")})
    await ask("threads.dance", {})
    await ask("threads.create", {"input": 3})
    await ask("threads.delete", here)
    await ask("threads.get_by_id", here)
    return transcript
