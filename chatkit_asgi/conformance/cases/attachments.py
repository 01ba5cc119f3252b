"""Two-phase uploads (``docs/protocol/files.md``)."""

from __future__ import annotations

import json
from typing import Any

from .. import expect
from ..case import case
from ..client import Client, message
from ..shapes import ATTACHMENT

DATA = b"conformance bytes \x00\x01\xff"


async def _create(client: Client, kind: str = "text/plain", name: str = "note.txt") -> Any:
    attachment = await client.get("attachments.create", name=name, size=len(DATA), mime_type=kind)
    return expect.shape(attachment, ATTACHMENT, "the attachment")


async def _uploaded(client: Client, kind: str = "text/plain") -> str:
    attachment = await _create(client, kind)
    upload = attachment.get("upload_descriptor")
    expect.that(upload, "an upload_descriptor", attachment)
    given: dict[str, str] = upload.get("headers") or {}
    headers = list(given.items())
    answer = await client.send(DATA, method=upload["method"], url=upload["url"], headers=headers)
    expect.that(200 <= answer.status < 300, "2xx for the upload", answer)
    identity: str = attachment["id"]
    return identity


async def _send(client: Client, ids: list[str], thread_id: str = "") -> Any:
    return await client.say("See this", thread_id, attachments=ids)


def _said(ids: list[str]) -> dict[str, Any]:
    return message("See this", attachments=ids)


@case("ATT-1", sends="attachments.create for a text file.", needs="attachments")
async def file_is_announced(client: Client) -> None:
    """An attachment of type file with the name and media type."""
    attachment = await _create(client)
    expect.equal(attachment["type"], "file", "the type")
    got = [attachment["name"], attachment["mime_type"]]
    expect.equal(got, ["note.txt", "text/plain"], "the name and the media type")


@case("ATT-1", sends="attachments.create for a PNG.", needs="attachments")
async def image_is_announced(client: Client) -> None:
    """An attachment of type image with an absolute preview_url."""
    attachment = await _create(client, "image/png", "plot.png")
    expect.equal(attachment["type"], "image", "the type")
    url = attachment["preview_url"]
    right = url.startswith(("http://", "https://", "data:", "blob:"))
    expect.that(right, "an absolute preview_url", url)


@case("ATT-1", sends="attachments.create for a file with an odd name.", needs="attachments")
async def any_file_name(client: Client) -> None:
    """The name comes back as it was sent."""
    name = '../Ünïcödé 日本語 😀 "x".txt'
    expect.equal((await _create(client, name=name))["name"], name, "the name")


@case("ATT-1", sends="attachments.create twice.", needs="attachments")
async def attachment_ids_differ(client: Client) -> None:
    """Two ids."""
    first, second = await _create(client), await _create(client)
    expect.that(first["id"] != second["id"], "two different ids", first["id"])


@case("ATT-2", sends="attachments.create.", needs="attachments")
async def upload_is_described(client: Client) -> None:
    """An absolute URL, a method and headers."""
    upload = (await _create(client)).get("upload_descriptor")
    expect.that(upload, "an upload_descriptor", "none")
    expect.that(upload["url"].startswith(("http://", "https://")), "an absolute URL", upload["url"])


@case(
    "ATT-3",
    sends="attachments.create; then the bytes to where its answer says.",
    needs="attachments",
)
async def bytes_are_taken(client: Client) -> None:
    """2xx."""
    await _uploaded(client)


@case("ATT-4", sends="An upload; then a message with its id; then items.list.", needs="attachments")
async def message_carries_the_attachment(client: Client) -> None:
    """The message has the attachment, in the stream and when it is read again."""
    identity = await _uploaded(client)
    turn = await _send(client, [identity])
    stored = [item for item in await client.items(turn.thread_id) if item["type"] == "user_message"]
    for item in (turn.user, *stored):
        expect.equal([each["id"] for each in item["attachments"]], [identity], "the attachments")
        expect.equal(item["attachments"][0]["name"], "note.txt", "the name")


@case("ATT-4", sends="Two uploads; then a message with both ids.", needs="attachments")
async def attachments_keep_their_order(client: Client) -> None:
    """Both, in the order of the message."""
    first, second = await _uploaded(client), await _uploaded(client)
    turn = await _send(client, [second, first])
    expect.equal([each["id"] for each in turn.user["attachments"]], [second, first], "the order")


@case("ATT-5", sends="An upload; then a message with its id; then items.list.", needs="attachments")
async def descriptor_is_sent_once(client: Client) -> None:
    """No upload_descriptor in the message."""
    turn = await _send(client, [await _uploaded(client)])
    text = json.dumps([turn.events, await client.items(turn.thread_id)])
    expect.that('"upload_descriptor": {' not in text, "no upload_descriptor", text)


@case("ATT-6", sends="An upload; then a message with its id.", needs="attachments")
async def attachment_names_its_thread(client: Client) -> None:
    """It has the thread's id."""
    turn = await _send(client, [await _uploaded(client)])
    got = turn.user["attachments"][0].get("thread_id")
    expect.equal(got, turn.thread_id, "thread_id of the attachment")


@case("THR-5", sends="An upload; then a message with its id; then items.list.", needs="attachments")
async def attachment_metadata_is_private(client: Client) -> None:
    """What the server keeps with an attachment is in no answer."""
    announced = await client.ask("attachments.create", name="a", size=1, mime_type="a/b")
    turn = await client.ask("threads.create", input=_said([announced.json()["id"]]))
    thread_id = expect.stream(turn)[0]["thread"]["id"]
    read = await client.ask("items.list", thread_id=thread_id)
    for answer in (announced, turn, read):
        expect.that("conformance-secret" not in answer.text, "no private metadata", answer)


@case(
    "ATT-7",
    sends="attachments.create, attachments.delete; then a message with its id.",
    needs="attachments",
)
async def deleted_attachment_is_gone(client: Client) -> None:
    """A JSON object, and then a refusal."""
    identity = (await _create(client))["id"]
    await client.get("attachments.delete", attachment_id=identity)
    expect.refused(await client.ask("threads.create", input=_said([identity])))


@case("ATT-8", sends="A message with an id that no attachment has.")
async def unknown_attachment_is_refused(client: Client) -> None:
    """It is refused."""
    expect.refused(await client.ask("threads.create", input=_said(["atc_nowhere"])))


@case("ATT-9", sends="A message with an id that no attachment has; then items.list.")
async def refused_message_leaves_nothing(client: Client) -> None:
    """A thread that was there has no new item."""
    turn = await client.say("Hello")
    before = len(await client.items(turn.thread_id))
    said = _said(["atc_nowhere"])
    await client.ask("threads.add_user_message", thread_id=turn.thread_id, input=said)
    expect.equal(len(await client.items(turn.thread_id)), before, "how many items there are")


@case("ATT-9", sends="threads.create with an id that no attachment has.")
async def refused_creation_leaves_no_thread(client: Client) -> None:
    """No thread.created is told."""
    answer = await client.ask("threads.create", input=_said(["atc_nowhere"]))
    expect.that("thread.created" not in answer.text, "no new thread", answer)


@case("ATT-10", sends="An upload in a message; then attachments.delete.", needs="attachments")
async def carried_attachment_stays(client: Client) -> None:
    """The deletion is refused."""
    identity = await _uploaded(client)
    await _send(client, [identity])
    expect.refused(await client.ask("attachments.delete", attachment_id=identity))


@case(
    "ATT-10",
    sends="An upload in a message; then in a message of another thread.",
    needs="attachments",
)
async def carried_attachment_is_not_moved(client: Client) -> None:
    """The second message is refused."""
    identity = await _uploaded(client)
    await _send(client, [identity])
    expect.refused(await client.ask("threads.create", input=_said([identity])))


@case("ATT-11", sends="An upload; then a message that names it twice.", needs="attachments")
async def attachment_is_attached_once(client: Client) -> None:
    """Once."""
    identity = await _uploaded(client)
    turn = await _send(client, [identity, identity])
    expect.equal(len(turn.user["attachments"]), 1, "how often it is attached")


@case("ATT-12", sends="attachments.create with size -1.", needs="attachments")
async def negative_size_is_refused(client: Client) -> None:
    """4xx."""
    answer = await client.ask("attachments.create", name="a", size=-1, mime_type="a/b")
    expect.one_of(answer, "a 4xx answer")
