"""Who may do what, on every stack, by its own way of signing in."""

from __future__ import annotations

from typing import Any

import anyio

from chatkit_asgi.http import Request, Response
from chatkit_asgi.protocol.codec import encode
from tests.http.served import Held, Served, all_over
from tests.stacks.site import LIST, serving
from tests.stacks.stack import Stack, owner_of


async def test_nobody_gets_in_without_signing_in(stack: Stack, server: Served) -> None:
    """Invariant: 401 or 403 as JSON with a message, for every request, and nothing has happened."""
    async with serving(stack, server, guarded=True) as site:
        create: Any = {"type": "threads.create", "params": {"input": site.client().message("Hi")}}
        for headers in ({}, {"authorization": "Bearer nobody"}, {"authorization": "Basic YTpi"}):
            for body in (LIST, create):
                answer = await site.post(body, **headers)
                assert answer.status in (401, 403)
                assert answer.headers["content-type"].startswith("application/json")
                assert answer.json["message"]
                assert answer.json["error"]["code"] in ("unauthorized", "forbidden")
                assert answer.json["error"]["request_id"] == answer.headers["x-request-id"]
        ada = await site.signed_in("ada")
        assert (await ada.list_threads()).check().data == []
    assert server.calls == []


async def test_the_handler_gets_who_is_signed_in(stack: Stack, server: Served) -> None:
    async def hello(thread: Any, message: Any, context: Any) -> Any:
        yield f"Hello {owner_of(context)}"

    server.responding = hello
    async with serving(stack, server, guarded=True) as site:
        for user in ("ada", "bob"):
            turn = await (await site.signed_in(user)).create("Hi")
            assert turn.check().text == f"Hello {user}"


async def test_two_people_do_not_meet(stack: Stack, server: Served) -> None:
    """Invariant: for the other, the thread does not exist, whatever is asked."""
    async with serving(stack, server, guarded=True) as site:
        ada, bob = await site.signed_in("ada"), await site.signed_in("bob")
        hers = (await ada.create("Secret")).check().thread
        item = hers.items[0].id
        assert (await bob.list_threads()).check().data == []
        for answer in (
            await bob.get_thread(hers.id),
            await bob.items(hers.id),
            await bob.send(hers.id, "Let me in"),
            await bob.retry(hers.id, item),
            await bob.action(hers.id, "send"),
            await bob.feedback(hers.id, [item]),
            await bob.update(hers.id, "Mine"),
        ):
            assert (answer.status, answer.code) == (404, "not_found")
        await bob.delete(hers.id)
        page = (await ada.items(hers.id)).check()
        assert [each.type for each in page.items] == ["assistant_message", "user_message"]


async def test_two_people_stream_at_once(stack: Stack, server: Served) -> None:
    """Invariant: who asks is never mixed up, also while one waits inside a handler."""
    held: dict[str, Held] = {"ada": Held(), "bob": Held()}

    async def hello(thread: Any, message: Any, context: Any) -> Any:
        async for event in held[owner_of(context)]():
            yield event
        yield owner_of(context)

    server.responding = hello
    texts: dict[str, str] = {}
    async with serving(stack, server, guarded=True) as site, anyio.create_task_group() as tasks:

        async def one(user: str) -> None:
            texts[user] = (await (await site.signed_in(user)).create("Hi")).check().text

        for user in held:
            tasks.start_soon(one, user)
        for user, each in held.items():
            await each.started.wait()
            assert user not in texts
        for each in reversed(held.values()):
            each.go.set()
    await all_over(server)
    assert texts == {"ada": "Hello worldada", "bob": "Hello worldbob"}


async def test_what_is_served_beside_the_protocol_needs_nobody(
    stack: Stack, server: Served
) -> None:
    """Links to attachments are signed: a browser that follows one from a page sends no headers."""

    async def file(request: Request, rest: str) -> Response:
        return Response(status=200, headers={"x-rest": rest}, body=b"bytes")

    async with serving(stack, server, guarded=True, routes={"files": file}) as site:
        answer = await site.fetch("GET", site.below("/files/a.txt?sig=1"))
        assert (answer.status, answer.body, answer.headers["x-rest"]) == (200, b"bytes", "/a.txt")


async def test_no_other_path_is_a_way_in(stack: Stack, server: Served) -> None:
    """Invariant: whatever else is below the endpoint does not speak the protocol to strangers."""

    async def file(request: Request, rest: str) -> Response:
        return Response(status=200, headers={}, body=b"bytes")

    async with serving(stack, server, guarded=True, routes={"files": file}) as site:
        for path in ("/", "//", "/other", "/other/files", "/filesx", "/../files", "/%66ile"):
            create = {"type": "threads.create", "params": {"input": site.client().message("Hi")}}
            answer = await site.fetch(
                "POST", site.below(path), encode(create), content_type="application/json"
            )
            assert answer.status in (307, 308, 401, 403, 404, 405), path
    assert server.calls == []
