"""Two people (``docs/protocol/safety.md``)."""

from __future__ import annotations

from typing import Any

from .. import expect
from ..case import case
from ..client import Client, Turn, message
from ..uploads import post_form, upload

TWO = ("two-users",)


async def _kept_out(
    client: Client, request: str, turn: Turn | None = None, /, **params: Any
) -> None:
    """The other person is refused, and the thread is as before."""
    turn = turn or await client.say("Private words")
    before = await client.items(turn.thread_id)
    answer = await client.other.ask(request, thread_id=turn.thread_id, **params)
    expect.refused(answer)
    expect.that("Private words" not in answer.text, "nothing of the thread", answer)
    expect.equal(await client.items(turn.thread_id), before, "the thread afterwards")


@case("ISO-1", sends="threads.get_by_id of somebody else's thread.", needs=TWO)
async def cannot_read_a_thread(client: Client) -> None:
    """It is refused."""
    await _kept_out(client, "threads.get_by_id")


@case("ISO-1", sends="items.list of somebody else's thread.", needs=TWO)
async def cannot_read_items(client: Client) -> None:
    """It is refused, or the page is empty."""
    turn = await client.say("Private words")
    answer = await client.other.ask("items.list", thread_id=turn.thread_id)
    expect.that("Private words" not in answer.text, "nothing of the thread", answer)
    if answer.status == 200:
        expect.equal(answer.json().get("data"), [], "somebody else's items")


@case("ISO-1", sends="A message in somebody else's thread.", needs=TWO)
async def cannot_write(client: Client) -> None:
    """It is refused, and the thread is as before."""
    await _kept_out(client, "threads.add_user_message", input=message("Hello"))


@case("ISO-1", sends="threads.update of somebody else's thread.", needs=TWO)
async def cannot_rename(client: Client) -> None:
    """It is refused, and the title is as before."""
    turn = await client.say("Private words")
    await _kept_out(client, "threads.update", turn, title="Mine now")
    thread = await client.thread(turn.thread_id)
    expect.that(thread.get("title") != "Mine now", "the old title", thread.get("title"))


@case("ISO-1", sends="threads.delete of somebody else's thread.", needs=TWO)
async def cannot_delete(client: Client) -> None:
    """The thread is there afterwards, whatever was answered."""
    turn = await client.say("Private words")
    await client.other.ask("threads.delete", thread_id=turn.thread_id)
    await client.thread(turn.thread_id)


@case("ISO-1", sends="threads.retry_after_item in somebody else's thread.", needs=TWO)
async def cannot_retry(client: Client) -> None:
    """It is refused, and the thread is as before."""
    turn = await client.say("Private words")
    await _kept_out(client, "threads.retry_after_item", turn, item_id=turn.user["id"])


@case("ISO-6", sends="items.feedback on somebody else's items.", needs=TWO)
async def cannot_vote(client: Client) -> None:
    """It is refused."""
    turn = await client.say("Private words")
    params = {"item_ids": [turn.done[-1]["id"]], "kind": "negative"}
    await _kept_out(client, "items.feedback", turn, **params)


@case("ISO-1", sends="An output for somebody else's tool call.", needs=("two-users", "tool"))
async def cannot_answer_a_tool_call(client: Client) -> None:
    """It is refused, and the call is pending."""
    turn = await client.trigger("tool")
    await _kept_out(client, "threads.add_client_tool_output", turn, result="mine")


@case(
    "ISO-1", sends="A submission for somebody else's questions.", needs=("two-users", "structured")
)
async def cannot_answer_questions(client: Client) -> None:
    """It is refused, and the item is pending."""
    turn = await client.trigger("structured")
    item_id = turn.item("structured_input")["id"]
    params: dict[str, Any] = {"item_id": item_id, "input": {"answers": {}}}
    await _kept_out(client, "threads.add_structured_input", turn, **params)


@case(
    "ISO-1", sends="An action from somebody else's widget.", needs=("two-users", "widget", "action")
)
async def cannot_act(client: Client) -> None:
    """It is refused."""
    turn = await client.trigger("widget")
    action = {"type": "conformance.replace"}
    params = {"item_id": turn.item("widget")["id"], "action": action}
    await _kept_out(client, "threads.custom_action", turn, **params)


@case(
    "ISO-1",
    sends="A synchronous action from somebody else's widget.",
    needs=("two-users", "widget", "sync-action"),
)
async def cannot_act_synchronously(client: Client) -> None:
    """It is refused."""
    turn = await client.trigger("widget")
    params = {"item_id": turn.item("widget")["id"], "action": {"type": "conformance.sync"}}
    await _kept_out(client, "threads.sync_custom_action", turn, **params)


@case("ISO-2", sends="A new thread of one person; then threads.list of the other.", needs=TWO)
async def lists_are_private(client: Client) -> None:
    """The thread is not in it."""
    turn = await client.say("Private words")
    ids = [thread["id"] for thread in expect.listed(await client.other.get("threads.list"))]
    expect.that(turn.thread_id not in ids, "the other person's own threads", ids)


@case(
    "ISO-3", sends="A message with somebody else's attachment.", needs=("two-users", "attachments")
)
async def cannot_attach(client: Client) -> None:
    """It is refused."""
    await _is_theirs(client, await upload(client))


@case(
    "ISO-3",
    sends="attachments.delete of somebody else's attachment.",
    needs=("two-users", "attachments"),
)
async def cannot_delete_an_attachment(client: Client) -> None:
    """The attachment can be sent afterwards, whatever was answered."""
    made = await upload(client)
    await client.other.ask("attachments.delete", attachment_id=made["id"])
    await client.say("See this", attachments=[made["id"]])


@case(
    "ISO-3",
    sends="A message with what somebody else has uploaded in a form.",
    needs=("two-users", "upload-url"),
)
async def cannot_attach_what_a_form_brought(client: Client) -> None:
    """It is refused."""
    await _is_theirs(client, await upload(client, direct=True))


async def _is_theirs(client: Client, attachment: Any) -> None:
    said = message("See this", attachments=[attachment["id"]])
    expect.refused(await client.other.ask("threads.create", input=said))


@case("ISO-4", sends="threads.get_by_id of somebody else's thread, and of none.", needs=TWO)
async def ids_cannot_be_tried(client: Client) -> None:
    """The two answers have the same status."""
    turn = await client.say("Private words")
    theirs = await client.other.ask("threads.get_by_id", thread_id=turn.thread_id)
    none = await client.other.ask("threads.get_by_id", thread_id="thr_conformance_nowhere")
    expect.equal(theirs.status, none.status, "the status for somebody else's thread")


@case("ISO-5", sends="threads.list without credentials.", needs="credentials")
async def nobody_is_refused(client: Client) -> None:
    """401 or 403."""
    expect.one_of(await client.anonymous.ask("threads.list"), "401 or 403")


@case(
    "ISO-5", sends="A form with a file, without credentials.", needs=("credentials", "upload-url")
)
async def nobody_uploads(client: Client) -> None:
    """401 or 403."""
    expect.one_of(await post_form(client.anonymous), "401 or 403")
