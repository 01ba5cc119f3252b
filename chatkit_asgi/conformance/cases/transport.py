"""One endpoint, JSON answers and event streams (``docs/protocol/transport.md``)."""

from __future__ import annotations

import json

import anyio

from .. import expect
from ..case import Unmet, case
from ..client import Answer, Client, message

LIST = json.dumps({"type": "threads.list", "params": {}}).encode()
CREATE = json.dumps({"type": "threads.create", "params": {"input": message("Hello")}}).encode()
JSON = ("content-type", "application/json")


@case("TRN-1", sends="threads.list to the endpoint with a query string of nonsense.")
async def query_says_nothing(client: Client) -> None:
    """The answer is the same page as without one."""
    url = client.target.transport.url
    answer = await client.send(
        LIST, headers=[JSON, *client.target.headers], url=f"{url}?type=threads.delete"
    )
    expect.listed(expect.json_object(answer))


@case("TRN-2", sends="threads.list.")
async def json_answer(client: Client) -> None:
    """200 with application/json and one JSON object."""
    expect.json_object(await client.send(LIST))


@case("TRN-3", sends="threads.create with a message.")
async def stream_answer(client: Client) -> None:
    """200 with a content-type that begins with text/event-stream."""
    expect.one_of(await client.send(CREATE), "an event stream")


@case("TRN-4", sends="threads.create with a message.")
async def frames_hold_events(client: Client) -> None:
    """Each frame's data is one JSON object with a type."""
    answer = await client.send(CREATE)
    expect.that(answer.events, "at least one event", answer)


@case("TRN-5", sends="threads.create with a message.")
async def frames_are_one_line(client: Client) -> None:
    """Nothing but `data: ` lines of compact JSON, comments, and blank lines after each."""
    answer = await client.send(CREATE)
    for block in answer.text.removesuffix("\n\n").split("\n\n"):
        if block.startswith(":"):
            continue
        right = block.startswith("data: {") and "\n" not in block and "\r" not in block
        expect.that(right, "a frame of one line, `data: ` and JSON, ended by LF LF", block[:200])
        data = block[6:].replace("\\/", "/")
        compact = json.dumps(json.loads(data), separators=(",", ":"), ensure_ascii=False)
        expect.that(len(compact) >= len(data), "JSON without spaces between tokens", block[:200])


@case("TRN-6", sends="threads.create with a message.")
async def stream_ends_properly(client: Client) -> None:
    """The body comes to its proper end, and the last frame is complete."""
    answer = await client.send(CREATE)
    expect.that(answer.complete, "a stream with a proper end", answer)
    last = answer.text.replace("\r\n", "\n")
    expect.that(last.endswith("\n\n"), "a blank line after the last frame", last[-60:])


@case("TRN-6", sends="threads.create with a message.")
async def no_done_frame(client: Client) -> None:
    """No frame says [DONE]: the client would fail to parse it."""
    answer = await client.send(CREATE)
    expect.that(answer.frames, "at least one frame", answer)
    for data in answer.frames:
        expect.that("[DONE]" not in data[:10], "frames of JSON only", data)


@case("TRN-7", sends="threads.create with a message in several scripts; then threads.get_by_id.")
async def bodies_are_utf8(client: Client) -> None:
    """Stream and JSON are UTF-8 without a byte order mark."""
    created = await client.ask("threads.create", input=message("日本語 é 😀"))
    thread_id = expect.stream(created)[0]["thread"]["id"]
    for answer in (created, await client.ask("threads.get_by_id", thread_id=thread_id)):
        try:
            answer.body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Unmet("a body in UTF-8", str(error)) from None
        expect.that(not answer.body.startswith(b"\xef\xbb\xbf"), "no byte order mark", answer)


@case("TRN-8", sends="conformance: slow, and reads the first delta.", needs="slow")
async def events_come_as_they_happen(client: Client) -> None:
    """The first delta is there long before the turn has ended."""
    async with client.open("threads.create", input=message("conformance: slow")) as stream:
        await stream.until(lambda event: event["type"] == "thread.item.updated", "an update")
        early = "tick99" not in json.dumps(stream.ready)
    expect.that(early, "deltas one after the other", "the whole answer at once")


@case("TRN-9", sends="conformance: silent, and reads the first frames.", needs="silent")
async def first_frames_do_not_wait(client: Client) -> None:
    """thread.created and the user's message come within ten seconds, though the assistant is silent."""
    early = False
    with anyio.move_on_after(10):
        async with client.open("threads.create", input=message("conformance: silent")) as stream:
            await stream.until(lambda event: "item" in event, "the user's message")
            early = "assistant_message" not in json.dumps(stream.ready)
    expect.that(early, "the first frames before the answer", "nothing, or all at once")


@case("TRN-10", sends="threads.create with a message.")
async def stream_is_not_cached(client: Client) -> None:
    """cache-control has no-cache or no-store."""
    answer = await client.send(CREATE)
    value = answer.header("cache-control")
    right = "no-cache" in value or "no-store" in value
    expect.that(right, "cache-control with no-cache or no-store", value or "no such header")


@case("TRN-11", sends="threads.create with a message.")
async def stream_asks_not_to_be_buffered(client: Client) -> None:
    """x-accel-buffering is no."""
    value = (await client.send(CREATE)).header("x-accel-buffering")
    expect.that(value.lower() == "no", "x-accel-buffering: no", value or "no such header")


@case("TRN-12", sends="conformance: silent, and waits for a comment.", needs="silent", slow=True)
async def silence_is_broken_by_comments(client: Client) -> None:
    """A comment comes before the assistant says anything, half a minute later."""
    async with client.open("threads.create", input=message("conformance: silent")) as stream:
        while not stream.comments and await stream.next_chunk():
            pass
    expect.that(stream.comments, "a comment within the silence", "none")


@case("TRN-13", sends="threads.create with accept-encoding: gzip, br, zstd, deflate.")
async def stream_is_not_compressed(client: Client) -> None:
    """No content-encoding."""
    answer = await client.send(
        CREATE, headers=[JSON, ("accept-encoding", "gzip, br, zstd, deflate")]
    )
    value = answer.header("content-encoding")
    expect.that(value in ("", "identity"), "a stream without content-encoding", value)


@case("TRN-14", sends="threads.create by PUT; then threads.list by GET.")
async def other_methods_do_nothing(client: Client) -> None:
    """Neither is answered with 2xx."""
    for method in ("PUT", "GET"):
        answer = await client.send(CREATE if method == "PUT" else b"", method=method)
        expect.that(not 200 <= answer.status < 300, f"{method} is not carried out", answer)


@case("TRN-15", sends="A PUT.")
async def other_methods_get_405(client: Client) -> None:
    """405, and `allow` names POST."""
    answer = await client.send(LIST, method="PUT")
    expect.one_of(answer, "405")
    expect.that("POST" in answer.header("allow"), "`allow` names POST", answer.header("allow"))


@case("TRN-16", sends="threads.list as application/json; charset=utf-8.")
async def content_type_with_charset(client: Client) -> None:
    """It is answered like one without."""
    answer = await client.send(LIST, headers=[("Content-Type", "application/json; charset=utf-8")])
    expect.json_object(answer)


async def _refused_as(client: Client, headers: list[tuple[str, str]]) -> None:
    answer = await client.send(CREATE, headers=headers)
    expect.one_of(answer, "a 4xx answer")


@case("TRN-17", sends="threads.create as text/plain.")
async def plain_text_is_refused(client: Client) -> None:
    """4xx: any page can send this with the person's cookies."""
    await _refused_as(client, [("content-type", "text/plain")])


@case("TRN-17", sends="threads.create as application/x-www-form-urlencoded.")
async def form_is_refused(client: Client) -> None:
    """4xx."""
    await _refused_as(client, [("content-type", "application/x-www-form-urlencoded")])


@case("TRN-18", sends="threads.create with accept: application/json.")
async def accept_json_still_streams(client: Client) -> None:
    """An event stream all the same."""
    answer = await client.send(CREATE, headers=[JSON, ("accept", "application/json")])
    expect.one_of(answer, "an event stream")


@case("TRN-18", sends="threads.list with accept: text/event-stream.")
async def accept_stream_still_gets_json(client: Client) -> None:
    """JSON all the same."""
    expect.json_object(await client.send(LIST, headers=[JSON, ("accept", "text/event-stream")]))


@case("TRN-19", sends="threads.list with the client's own headers and an unknown one.")
async def unknown_headers(client: Client) -> None:
    """They change nothing."""
    own = [("chatkit-frame-instance-id", "frame-1"), ("accept-language", "de"), ("x-odd", "1")]
    expect.json_object(await client.send(LIST, headers=[JSON, *own]))


@case("TRN-20", sends="threads.list in three chunks, without content-length.")
async def chunked_body(client: Client) -> None:
    """It is answered like a whole one."""
    expect.json_object(await client.send([LIST[:5], LIST[5:20], LIST[20:]]))


@case("TRN-21", sends="threads.list twice, one after the other, on one connection.", needs="socket")
async def connection_is_kept(client: Client) -> None:
    """Both are answered on it."""
    async with client.connect() as connection:
        for turn in ("first", "second"):
            try:
                await connection.send(client.raw(LIST))
                reply = await connection.reply()
            except ConnectionError:
                raise Unmet(
                    f"an answer to the {turn} request", "the connection was closed"
                ) from None
            body = await reply.rest()
            expect.json_object(Answer(reply.status, reply.headers, body, complete=reply.complete))


@case("TRN-23", sends="threads.list with the origin of a strange page.")
async def no_credentials_for_every_origin(client: Client) -> None:
    """Not `access-control-allow-origin: *` (or the strange origin) with credentials allowed."""
    answer = await client.send(LIST, headers=[JSON, ("origin", "https://strange.example")])
    allowed = answer.header("access-control-allow-origin")
    everyone = allowed in ("*", "https://strange.example")
    credentials = answer.header("access-control-allow-credentials").lower() == "true"
    expect.that(not (everyone and credentials), "no credentials for every origin", allowed)


@case("TRN-24", sends="threads.list.")
async def request_id(client: Client) -> None:
    """x-request-id names the answer."""
    answer = await client.send(LIST)
    expect.that(answer.header("x-request-id"), "an x-request-id header", "none")
