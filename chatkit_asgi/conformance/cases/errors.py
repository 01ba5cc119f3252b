"""Requests that are refused (``docs/protocol/requests.md``)."""

from __future__ import annotations

import json
from typing import Any

from .. import expect
from ..case import case
from ..client import Client, message
from ..shapes import is_object
from .threads import NOWHERE


async def _refused(client: Client, body: bytes) -> None:
    expect.refused(await client.send(body))


@case("REQ-1", sends="threads.list with its keys in another order and white space.")
async def keys_in_any_order(client: Client) -> None:
    """It is answered."""
    answer = await client.send(b' \n{ "params" : {"order":"desc"} ,\t"type" : "threads.list" }\n ')
    expect.json_object(answer)


@case("REQ-2", sends="threads.create with unknown keys at every level.")
async def unknown_keys_are_ignored(client: Client) -> None:
    """It is answered as without them."""
    said = message("Hello", odd=1)
    said["content"][0]["odd"] = {"a": 1}
    said["inference_options"] = {"odd": True}
    answer = await client.post(
        {"type": "threads.create", "params": {"input": said, "odd": None}, "odd": []}
    )
    expect.stream(answer)


@case("REQ-3", sends="threads.list with metadata.")
async def metadata_is_taken(client: Client) -> None:
    """It is answered as without."""
    answer = await client.post(
        {"type": "threads.list", "params": {}, "metadata": {"page": "/q3", "nothing": None}}
    )
    expect.json_object(answer)


@case("REQ-4", sends="threads.create with `type` as the last key.")
async def type_comes_last(client: Client) -> None:
    """It is answered."""
    expect.stream(
        await client.post({"params": {"input": message("Hello")}, "type": "threads.create"})
    )


@case("ERR-1", sends="A body that is not JSON.")
async def no_json(client: Client) -> None:
    """The request is refused."""
    await _refused(client, b"{'type': 'threads.list'}")


@case("ERR-1", sends="An empty body.")
async def empty_body(client: Client) -> None:
    """The request is refused."""
    await _refused(client, b"")


@case("ERR-1", sends="A request with text after it.")
async def text_after_the_request(client: Client) -> None:
    """The request is refused."""
    await _refused(client, b'{"type":"threads.list","params":{}} extra')


@case("ERR-1", sends="An array.")
async def array_instead_of_a_request(client: Client) -> None:
    """The request is refused."""
    await _refused(client, b'["threads.list"]')


@case("ERR-1", sends="A type that does not exist.")
async def unknown_type(client: Client) -> None:
    """The request is refused."""
    await _refused(client, b'{"type":"threads.conformance","params":{}}')


@case("ERR-1", sends="A request without a type.")
async def no_type(client: Client) -> None:
    """The request is refused."""
    await _refused(client, b'{"params":{}}')


@case("ERR-1", sends="A number as type.")
async def type_is_no_string(client: Client) -> None:
    """The request is refused."""
    await _refused(client, b'{"type":7,"params":{}}')


@case("ERR-1", sends="threads.get_by_id without thread_id.")
async def no_thread_id(client: Client) -> None:
    """The request is refused."""
    await _refused(client, b'{"type":"threads.get_by_id","params":{}}')


@case("ERR-1", sends="threads.get_by_id without params.")
async def no_params(client: Client) -> None:
    """The request is refused."""
    await _refused(client, b'{"type":"threads.get_by_id"}')


@case("ERR-1", sends="threads.create without content.")
async def no_content(client: Client) -> None:
    """The request is refused."""
    await _refused(
        client,
        b'{"type":"threads.create","params":{"input":{"attachments":[],"inference_options":{}}}}',
    )


@case("ERR-1", sends="threads.create with a content part of an unknown type.")
async def unknown_content(client: Client) -> None:
    """The request is refused."""
    said = message("x")
    said["content"] = [{"type": "input_conformance", "text": "x"}]
    expect.refused(await client.ask("threads.create", input=said))


@case("ERR-1", sends="Bytes that are not UTF-8 in a string.")
async def not_utf8(client: Client) -> None:
    """The request is refused."""
    await _refused(client, b'{"type":"threads.get_by_id","params":{"thread_id":"\xff\xfe"}}')


async def _client_error(client: Client, value: Any) -> None:
    expect.one_of(await client.send(json.dumps(value).encode()), "a 4xx answer")


@case("ERR-2", sends="A body that is not JSON.")
async def no_json_is_the_clients_mistake(client: Client) -> None:
    """4xx."""
    expect.one_of(await client.send(b"{"), "a 4xx answer")


@case("ERR-2", sends="A type that does not exist.")
async def unknown_type_is_the_clients_mistake(client: Client) -> None:
    """4xx, for the operations that the client knows and the protocol does not, too."""
    for kind in ("threads.conformance", "attachments.get_preview"):
        await _client_error(client, {"type": kind, "params": {}})


@case("ERR-2", sends="A message in an id that no thread has.")
async def unknown_thread_is_seen_before_the_stream(client: Client) -> None:
    """4xx, not a stream."""
    answer = await client.ask("threads.add_user_message", thread_id=NOWHERE, input=message("Hello"))
    expect.one_of(answer, "a 4xx answer")


@case("ERR-2", sends="threads.retry_after_item of the assistant's message.")
async def wrong_item_is_seen_before_the_stream(client: Client) -> None:
    """4xx, not a stream."""
    turn = await client.say("Hello")
    answer = await client.ask(
        "threads.retry_after_item", thread_id=turn.thread_id, item_id=turn.done[-1]["id"]
    )
    expect.one_of(answer, "a 4xx answer")


@case("ERR-3", sends="A body that is not JSON.")
async def refusal_has_a_message(client: Client) -> None:
    """A JSON object with a message."""
    answer = await client.send(b"{")
    body = answer.json()
    right = is_object(body) and isinstance(body.get("message"), str) and body["message"]
    expect.that(right, "a JSON object with a `message`", answer)


@case("ERR-4", sends="threads.get_by_id of an id that no thread has.")
async def unknown_thread_is_404(client: Client) -> None:
    """404."""
    expect.one_of(await client.ask("threads.get_by_id", thread_id=NOWHERE), "404")


@case("ERR-4", sends="threads.retry_after_item of an id that no item has.")
async def unknown_item_is_404(client: Client) -> None:
    """404."""
    turn = await client.say("Hello")
    answer = await client.ask(
        "threads.retry_after_item", thread_id=turn.thread_id, item_id="msg_nowhere"
    )
    expect.one_of(answer, "404")


@case(
    "ERR-5",
    sends="conformance: structured; then two submissions, one after the other.",
    needs="structured",
)
async def second_answer_is_409(client: Client) -> None:
    """409 for the second."""
    turn = await client.trigger("structured")
    item_id = turn.item("structured_input")["id"]
    asked: dict[str, Any] = {
        "thread_id": turn.thread_id,
        "item_id": item_id,
        "input": {"answers": {}},
    }
    await client.run("threads.add_structured_input", **asked)
    expect.one_of(await client.ask("threads.add_structured_input", **asked), "409")


@case("ERR-6", sends="Several malformed requests.")
async def refusals_tell_nothing(client: Client) -> None:
    """No traceback, no file name, no class of an exception in any answer."""
    bodies = [
        b"{",
        b'{"type":"threads.get_by_id","params":{"thread_id":7}}',
        b'{"type":"threads.get_by_id","params":{"thread_id":"thr_nowhere"}}',
        b'{"type":"items.list","params":{"thread_id":"x","limit":"many"}}',
    ]
    for body in bodies:
        answer = await client.send(body)
        for secret in (
            "Traceback",
            'File "',
            "site-packages",
            "node_modules",
            ".py:",
            ".js:",
            " at Object.",
        ):
            expect.that(secret not in answer.text, "nothing of the server's inside", answer)


async def _strict(client: Client, kind: str, /, **params: Any) -> None:
    expect.one_of(await client.ask(kind, **params), "a 4xx answer")


@case("ERR-7", sends="threads.get_by_id with a number as thread_id.")
async def number_instead_of_a_string(client: Client) -> None:
    """4xx."""
    await _strict(client, "threads.get_by_id", thread_id=7)


@case("ERR-7", sends="threads.list with order `newest`.")
async def unknown_order(client: Client) -> None:
    """4xx."""
    await _strict(client, "threads.list", order="newest")


@case("ERR-7", sends="threads.list with a word as limit.")
async def word_instead_of_a_number(client: Client) -> None:
    """4xx."""
    await _strict(client, "threads.list", limit="many")


@case("ERR-7", sends="items.feedback with kind `great`.")
async def unknown_vote(client: Client) -> None:
    """4xx."""
    turn = await client.say("Hello")
    await _strict(client, "items.feedback", thread_id=turn.thread_id, item_ids=[], kind="great")


@case("ERR-7", sends="threads.update without title.")
async def no_title(client: Client) -> None:
    """4xx."""
    turn = await client.say("Hello")
    await _strict(client, "threads.update", thread_id=turn.thread_id)


@case("ERR-7", sends="threads.create without inference_options.")
async def no_options(client: Client) -> None:
    """4xx."""
    content = [{"type": "input_text", "text": "x"}]
    await _strict(client, "threads.create", input={"content": content, "attachments": []})


@case("ERR-7", sends="threads.add_client_tool_output without result.")
async def no_result(client: Client) -> None:
    """4xx."""
    turn = await client.say("Hello")
    await _strict(client, "threads.add_client_tool_output", thread_id=turn.thread_id)


@case("ERR-7", sends="threads.create with objects as attachments.")
async def attachments_are_ids(client: Client) -> None:
    """4xx."""
    await _strict(client, "threads.create", input=message("x", attachments=[{"id": "atc_1"}]))


@case("ERR-8", sends="Ten malformed requests; then threads.list.")
async def server_goes_on(client: Client) -> None:
    """The last one is answered."""
    for number in range(10):
        await client.send(b"{" * (number + 1))
    expect.json_object(await client.ask("threads.list"))
