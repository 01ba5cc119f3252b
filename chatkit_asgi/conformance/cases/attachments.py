"""Attachments, uploaded in two phases or directly (``docs/protocol/files.md``)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urljoin

from .. import expect
from ..case import NotRun, case
from ..client import Answer, Client, message
from ..uploads import NOTE, PICTURE, announce, post_form, send_bytes, upload

LARGE = NOTE._replace(name="large.txt", data=NOTE.data * 120_000)
"""Two megabytes: twice what nginx lets through unless it is told."""
ODD = NOTE._replace(name="Ünïcödé 日本語 😀.txt")
DIRECT = "upload-url"
REDIRECTS = 5
"""On the way to a preview."""


async def _uploaded(client: Client, *, direct: bool = False) -> str:
    identity: str = (await upload(client, direct=direct))["id"]
    return identity


async def _send(client: Client, ids: list[str], thread_id: str = "") -> Any:
    return await client.say("See this", thread_id, attachments=ids)


def _said(ids: list[str]) -> dict[str, Any]:
    return message("See this", attachments=ids)


def _is_note(attachment: Any) -> None:
    expect.equal(attachment["type"], "file", "the type")
    got = [attachment["name"], attachment["mime_type"]]
    expect.equal(got, [NOTE.name, NOTE.kind], "the name and the media type")


def _is_image(attachment: Any) -> None:
    expect.equal(attachment["type"], "image", "the type")
    url = attachment["preview_url"]
    right = url.startswith(("http://", "https://", "data:", "blob:"))
    expect.that(right, "an absolute preview_url", url)


async def _is_carried(client: Client, identity: str) -> None:
    turn = await _send(client, [identity])
    stored = [item for item in await client.items(turn.thread_id) if item["type"] == "user_message"]
    for item in (turn.user, *stored):
        expect.equal([each["id"] for each in item["attachments"]], [identity], "the attachments")
        expect.equal(item["attachments"][0]["name"], NOTE.name, "the name")


async def _is_private(client: Client, uploaded: Answer) -> None:
    turn = await client.ask("threads.create", input=_said([expect.json_object(uploaded)["id"]]))
    thread_id = expect.stream(turn)[0]["thread"]["id"]
    read = await client.ask("items.list", thread_id=thread_id)
    for answer in (uploaded, turn, read):
        expect.that("conformance-secret" not in answer.text, "no private metadata", answer)


async def _is_deleted(client: Client, identity: str) -> None:
    await client.get("attachments.delete", attachment_id=identity)
    expect.refused(await client.ask("threads.create", input=_said([identity])))


async def _preview(client: Client, attachment: Any) -> str:
    """What ``preview_url`` leads to, as a browser goes: its media type when it is there, else what was answered."""
    url: str = attachment.get("preview_url") or ""
    if url.startswith("data:"):
        return url.removeprefix("data:")
    if not url.startswith(("http://", "https://")):
        raise NotRun("needs an image with a preview_url that can be fetched")
    answer = await client.send(method="GET", headers=[], url=url)
    for _ in range(REDIRECTS):
        if 300 <= answer.status < 400:
            url = urljoin(url, answer.header("location"))
            answer = await client.send(method="GET", headers=[], url=url)
    there = answer.status == 200 and answer.complete and answer.body
    return answer.header("content-type") if there else str(answer)


async def _has_preview(client: Client, attachment: Any) -> None:
    got = await _preview(client, attachment)
    expect.that(got.startswith("image/"), "200 with a media type of image/*", got)


async def _leaves_no_preview(client: Client, attachment: Any) -> None:
    if not (await _preview(client, attachment)).startswith("image/"):
        raise NotRun("needs a preview_url that leads to an image")
    await client.get("attachments.delete", attachment_id=attachment["id"])
    if not attachment["preview_url"].startswith("data:"):
        got = await _preview(client, attachment)
        expect.that(not got.startswith("image/"), "no image any more", got)


@case("ATT-1", sends="attachments.create for a text file.", needs="attachments")
async def file_is_announced(client: Client) -> None:
    """An attachment of type file with the name and media type."""
    _is_note(await announce(client))


@case("ATT-1", sends="attachments.create for a PNG.", needs="attachments")
async def image_is_announced(client: Client) -> None:
    """An attachment of type image with an absolute preview_url."""
    _is_image(await announce(client, PICTURE))


@case("ATT-1", sends="attachments.create for a file with an odd name.", needs="attachments")
async def any_file_name(client: Client) -> None:
    """The name comes back as it was sent."""
    name = 'Ünïcödé 日本語 😀 "x".txt'
    expect.equal((await announce(client, NOTE._replace(name=name)))["name"], name, "the name")


@case("ATT-1", sends="attachments.create twice.", needs="attachments")
async def attachment_ids_differ(client: Client) -> None:
    """Two ids."""
    first, second = await announce(client), await announce(client)
    expect.that(first["id"] != second["id"], "two different ids", first["id"])


@case("ATT-2", sends="attachments.create.", needs="attachments")
async def upload_is_described(client: Client) -> None:
    """An absolute URL, a method and headers."""
    where = (await announce(client)).get("upload_descriptor")
    expect.that(where, "an upload_descriptor", "none")
    expect.that(where["url"].startswith(("http://", "https://")), "an absolute URL", where["url"])


@case(
    "ATT-3",
    sends="attachments.create; then the bytes to where its answer says.",
    needs="attachments",
)
async def bytes_are_taken(client: Client) -> None:
    """2xx."""
    await upload(client)


@case("ATT-4", sends="An upload; then a message with its id; then items.list.", needs="attachments")
async def message_carries_the_attachment(client: Client) -> None:
    """The message has the attachment, in the stream and when it is read again."""
    await _is_carried(client, await _uploaded(client))


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
    announced = await client.ask(
        "attachments.create", name=NOTE.name, size=len(NOTE.data), mime_type=NOTE.kind
    )
    await send_bytes(client, expect.json_object(announced), NOTE.data)
    await _is_private(client, announced)


@case(
    "ATT-7",
    sends="An upload; then attachments.delete; then a message with its id.",
    needs="attachments",
)
async def deleted_attachment_is_gone(client: Client) -> None:
    """A JSON object, and then a refusal."""
    await _is_deleted(client, await _uploaded(client))


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
    answer = await client.ask("attachments.create", name=NOTE.name, size=-1, mime_type=NOTE.kind)
    expect.one_of(answer, "a 4xx answer")


@case("ATT-17", sends="An upload of two megabytes of text.", needs="attachments")
async def large_file_is_taken(client: Client) -> None:
    """2xx."""
    await upload(client, LARGE)


@case(
    "ATT-18",
    sends="An upload of a PNG; then GET of its preview_url, without credentials.",
    needs="attachments",
)
async def preview_is_served(client: Client) -> None:
    """200 with an image."""
    await _has_preview(client, await upload(client, PICTURE))


@case(
    "ATT-19",
    sends="An upload of a PNG; then attachments.delete; then GET of its preview_url.",
    needs="attachments",
)
async def deleted_preview_is_gone(client: Client) -> None:
    """No image."""
    await _leaves_no_preview(client, await upload(client, PICTURE))


# -- direct uploads ----------------------------------------------------------------------------


@case("ATT-13", sends="A form with a text file.", needs=DIRECT)
async def form_gives_an_attachment(client: Client) -> None:
    """200 with an attachment of type file with the name and media type."""
    _is_note(await upload(client, direct=True))


@case("ATT-4", sends="A form with a file; then a message with its id.", needs=DIRECT)
async def message_carries_what_a_form_brought(client: Client) -> None:
    """The message has the attachment, in the stream and when it is read again."""
    await _is_carried(client, await _uploaded(client, direct=True))


@case("THR-5", sends="A form with a file; then a message with its id.", needs=DIRECT)
async def form_tells_no_metadata(client: Client) -> None:
    """What the server keeps with an attachment is in no answer."""
    await _is_private(client, await post_form(client))


@case(
    "ATT-13",
    sends="A form with a file; then attachments.delete; then a message with its id.",
    needs=DIRECT,
)
async def what_a_form_brought_can_be_deleted(client: Client) -> None:
    """A JSON object, and then a refusal."""
    await _is_deleted(client, await _uploaded(client, direct=True))


@case("ATT-14", sends="A form with a PNG.", needs=DIRECT)
async def picture_in_a_form_is_an_image(client: Client) -> None:
    """An attachment of type image with an absolute preview_url."""
    _is_image(await upload(client, PICTURE, direct=True))


@case("ATT-15", sends="A form with a file with an odd name.", needs=DIRECT)
async def any_file_name_in_a_form(client: Client) -> None:
    """The name comes back as it was sent."""
    expect.equal((await upload(client, ODD, direct=True))["name"], ODD.name, "the name")


@case("ATT-16", sends="A form whose file is in a part named other; then plain text.", needs=DIRECT)
async def form_without_a_file_is_refused(client: Client) -> None:
    """4xx, twice."""
    expect.one_of(await post_form(client, field="other"), "a 4xx answer")
    headers = [("content-type", "text/plain"), *client.target.headers]
    plain = await client.send(NOTE.data, headers=headers, url=client.target.upload_url)
    expect.one_of(plain, "a 4xx answer")


@case("ATT-17", sends="A form with two megabytes of text.", needs=DIRECT)
async def large_file_in_a_form_is_taken(client: Client) -> None:
    """200 with an attachment."""
    await upload(client, LARGE, direct=True)


@case(
    "ATT-18",
    sends="A form with a PNG; then GET of its preview_url, without credentials.",
    needs=DIRECT,
)
async def preview_of_a_form_is_served(client: Client) -> None:
    """200 with an image."""
    await _has_preview(client, await upload(client, PICTURE, direct=True))


@case(
    "ATT-19",
    sends="A form with a PNG; then attachments.delete; then GET of its preview_url.",
    needs=DIRECT,
)
async def deleted_preview_of_a_form_is_gone(client: Client) -> None:
    """No image."""
    await _leaves_no_preview(client, await upload(client, PICTURE, direct=True))
