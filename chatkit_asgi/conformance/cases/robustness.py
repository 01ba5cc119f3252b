"""Malformed, oversized, slow and odd input (``docs/protocol/safety.md``)."""

from __future__ import annotations

import json

import anyio

from .. import expect
from ..case import Unmet, case
from ..client import Answer, Client
from .transport import CREATE, JSON, LIST

HUGE = 24 * 1024 * 1024
"""Bytes of a body that no message needs."""
ODD_TEXTS = (
    "日本語 中文 한국어",
    "עברית עם English",
    "👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 e\u0301",
    "\u200b\u200e\u202e zero width",
    "line\u2028separator\u0085",
    "a\tb\nc\r\nd",
    '"\\/<script>&amp;',
    "\U0010ffff",
)


async def _goes_on(client: Client) -> None:
    expect.json_object(await client.ask("threads.list", limit=1))


@case("ROB-1", sends="10,000 nested arrays; then threads.list.")
async def deep_nesting(client: Client) -> None:
    """The first is refused, the second answered."""
    deep = b"[" * 10_000 + b"]" * 10_000
    await client.send(b'{"type":"threads.list","params":{},"metadata":{"a":%b}}' % deep)
    await _goes_on(client)


@case("ROB-1", sends="A null byte, a lone surrogate and a very long id; then threads.list.")
async def odd_strings(client: Client) -> None:
    """Whatever is answered, the server goes on."""
    for text in ('"a\\u0000b"', '"\\ud800"', json.dumps("x" * 100_000)):
        await client.send(b'{"type":"threads.get_by_id","params":{"thread_id":%b}}' % text.encode())
    await _goes_on(client)


@case("ROB-1", sends="Bytes that are no HTTP on a connection; then threads.list.", needs="socket")
async def no_http(client: Client) -> None:
    """The server goes on."""
    async with client.connect() as connection:
        await connection.send(b"\x16\x03\x01 hello\r\n\r\n")
    await _goes_on(client)


@case("ROB-2", sends="10,000 nested arrays.")
async def deep_nesting_is_no_5xx(client: Client) -> None:
    """Neither 5xx nor a cut connection."""
    deep = b"[" * 10_000 + b"]" * 10_000
    answer = await client.send(b'{"type":"threads.list","params":{},"metadata":{"a":%b}}' % deep)
    expect.that(answer.complete and answer.status < 500, "no 5xx and no cut", answer)


@case("ROB-2", sends="A title with a null byte, and one with a lone surrogate.")
async def odd_strings_are_no_5xx(client: Client) -> None:
    """Neither 5xx nor a cut connection, and the thread can be read."""
    turn = await client.say("Hello")
    for title in ('"a\\u0000b"', '"\\ud800"'):
        answer = await client.send(
            b'{"type":"threads.update","params":{"thread_id":%b,"title":%b}}'
            % (json.dumps(turn.thread_id).encode(), title.encode())
        )
        expect.that(answer.complete and answer.status < 500, "no 5xx and no cut", answer)
    await client.thread(turn.thread_id)


@case("ROB-2", sends="Numbers that are huge, NaN or fractions as limit.")
async def odd_numbers_are_no_5xx(client: Client) -> None:
    """Neither 5xx nor a cut connection."""
    for number in (b"1e400", b"NaN", b"5.5", b"9" * 400, b"-0"):
        answer = await client.send(b'{"type":"threads.list","params":{"limit":%b}}' % number)
        expect.that(answer.complete and answer.status < 500, "no 5xx and no cut", answer)


@case("ROB-2", sends="A request whose type comes twice.")
async def repeated_keys_are_no_5xx(client: Client) -> None:
    """Neither 5xx nor a cut connection."""
    answer = await client.send(b'{"type":"threads.list","type":"threads.list","params":{}}')
    expect.that(answer.complete and answer.status < 500, "no 5xx and no cut", answer)


@case("ROB-2", sends="A byte order mark before the request.")
async def byte_order_mark_is_no_5xx(client: Client) -> None:
    """Neither 5xx nor a cut connection."""
    answer = await client.send(b"\xef\xbb\xbf" + LIST)
    expect.that(answer.complete and answer.status < 500, "no 5xx and no cut", answer)


@case("ROB-3", sends="Messages in many scripts, with emoji and separators; then items.list.")
async def text_comes_back(client: Client) -> None:
    """Each text is what was sent, in the stream and in the store."""
    content = [{"type": "input_text", "text": text} for text in ODD_TEXTS]
    turn = await client.say("", content=content)
    expect.equal(turn.user["content"], content, "the content in the stream")
    stored = [item for item in await client.items(turn.thread_id) if item["type"] == "user_message"]
    expect.equal(stored[0]["content"], content, "the stored content")


@case("ROB-4", sends="A message of 100,000 characters; then items.list.")
async def long_message(client: Client) -> None:
    """It comes back whole."""
    text = "0123456789" * 10_000
    turn = await client.say(text)
    got = turn.user["content"][0]["text"]
    expect.that(got == text, "the text in the stream", f"{len(got)} characters")
    stored = (await client.items(turn.thread_id))[0]["content"][0]["text"]
    expect.that(stored == text, "the stored text", f"{len(stored)} characters")


@case("ROB-4", sends="A message of 500 parts.")
async def many_parts(client: Client) -> None:
    """All come back."""
    content = [{"type": "input_text", "text": str(number)} for number in range(500)]
    turn = await client.say("", content=content)
    expect.equal(len(turn.user["content"]), 500, "how many parts came back")


@case("ROB-5", sends="A message with empty content.")
async def empty_message(client: Client) -> None:
    """It is answered with a stream, and its content is empty."""
    turn = await client.say("", content=[])
    expect.equal(turn.user["content"], [], "the content")


@case("ROB-6", sends=f"A body of {HUGE // 1024 // 1024} MB.", slow=True)
async def huge_body(client: Client) -> None:
    """413, or a cut connection: a client that still sends may lose the answer."""
    body = json.dumps({"type": "threads.list", "params": {}, "metadata": {"a": "x" * HUGE}})
    expect.one_of(await client.send(body.encode()), "413", "a cut connection")


@case("ROB-7", sends="threads.list, five bytes at a time.")
async def slow_body(client: Client) -> None:
    """It is answered."""
    pieces = [LIST[start : start + 5] for start in range(0, len(LIST), 5)]
    expect.json_object(await client.send(pieces))


@case("ROB-8", sends="threads.create; then the client closes its side.", needs="socket")
async def half_closed_connection(client: Client) -> None:
    """The whole answer comes."""
    async with client.connect() as connection:
        await connection.send(client.raw(CREATE, [JSON, ("connection", "close")]))
        await connection.stream.send_eof()
        try:
            reply = await connection.reply()
        except ConnectionError:
            raise Unmet("an answer", "the connection was closed") from None
        body = await reply.rest()
    expect.stream(Answer(reply.status, reply.headers, body, complete=reply.complete))


@case("ROB-9", sends="threads.list three times on one connection, without waiting.", needs="socket")
async def pipelined_requests(client: Client) -> None:
    """Three answers."""
    async with client.connect() as connection:
        await connection.send(client.raw(LIST) * 3)
        for number in range(3):
            try:
                reply = await connection.reply()
            except ConnectionError:
                raise Unmet("three answers", f"{number}, and a closed connection") from None
            body = await reply.rest()
            expect.json_object(Answer(reply.status, reply.headers, body, complete=reply.complete))


@case(
    "ROB-10",
    sends="The head of a request with expect: 100-continue, then the body.",
    needs="socket",
)
async def expect_continue(client: Client) -> None:
    """100 Continue before the body is sent, or the answer."""
    async with client.connect() as connection:
        head = client.raw(LIST, [JSON, ("expect", "100-continue")]).removesuffix(LIST)
        await connection.send(head)
        line = b""
        with anyio.move_on_after(5):
            line = await connection.line()
        expect.that(line, "100 Continue", "nothing for five seconds")
        expect.that(
            line.split(b" ")[1] in (b"100", b"200", b"417"), "100 Continue", line.decode("latin-1")
        )


@case("ROB-11", sends="threads.get_by_id of ids that look like paths, queries and markup.")
async def odd_ids_lead_nowhere(client: Client) -> None:
    """Each is refused."""
    for odd in ("../../etc/passwd", "' OR '1'='1", "<script>", "*", "%", "", "$where", "thr_\n"):
        expect.refused(await client.ask("threads.get_by_id", thread_id=odd))


@case("ROB-12", sends="A tag without data.")
async def tag_without_data(client: Client) -> None:
    """It is taken."""
    turn = await client.say("", content=[{"type": "input_tag", "id": "a", "text": "Acme"}])
    expect.equal(turn.user["content"][0]["text"], "Acme", "the tag's text")
