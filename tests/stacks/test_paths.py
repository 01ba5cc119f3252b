"""What is served beside the protocol, below the endpoint, on every stack: attachments and the playground come
through here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import anyio

from chatkit_asgi.errors import NotFoundError, TooLarge
from chatkit_asgi.http import Request, Response
from tests.http.served import Served
from tests.stacks.site import serving
from tests.stacks.stack import Stack


async def tell(request: Request, rest: str) -> Response:
    """Tells what it got."""
    if rest == "/missing":
        raise NotFoundError("No such file.")
    headers = {
        "content-type": "text/plain; charset=utf-8",
        "x-method": request.method,
        "x-rest": rest.encode("utf-8").decode("latin-1"),
        "x-query": request.query,
        "x-header": request.headers.get("x-header", ""),
        "content-security-policy": "sandbox",
    }
    return Response(status=203, headers=headers, body=b"told")


async def test_a_route_gets_the_whole_request(stack: Stack, server: Served) -> None:
    async with serving(stack, server, routes={"tell": tell}) as site:
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            answer = await site.fetch(method, site.below("/tell/a/b?x=%20y"), x_header="h")
            assert answer.status == 203
            assert answer.headers["x-method"] == method
            assert answer.headers["x-rest"] == "/a/b"
            assert answer.headers["x-query"] == "x=%20y"
            assert answer.headers["x-header"] == "h"
            assert answer.headers["content-security-policy"] == "sandbox"
            assert answer.headers["content-type"] == "text/plain; charset=utf-8"
            assert answer.body == b"told"


async def test_a_route_gets_the_path_decoded_once(stack: Stack, server: Served) -> None:
    async with serving(stack, server, routes={"tell": tell}) as site:
        for path, rest in (
            ("/tell", ""),
            ("/tell/", "/"),
            ("/tell/a%20b%2525", "/a b%25"),
            ("/tell/%C3%A9", "/é"),
        ):
            answer = await site.fetch("GET", site.below(path))
            assert answer.status == 203, path
            assert answer.headers["x-rest"].encode("latin-1").decode() == rest


async def test_a_route_is_asked_for_the_head_of_a_file(stack: Stack, server: Served) -> None:
    async with serving(stack, server, routes={"tell": tell}) as site:
        answer = await site.fetch("HEAD", site.below("/tell/a"))
        assert (answer.status, answer.headers["x-method"], answer.body) == (203, "HEAD", b"")


async def test_what_a_route_raises_is_answered_as_anywhere(stack: Stack, server: Served) -> None:
    async with serving(stack, server, routes={"tell": tell}) as site:
        answer = await site.fetch("GET", site.below("/tell/missing"), x_request_id="mine-1")
        assert (answer.status, answer.json["error"]["code"]) == (404, "not_found")
        assert answer.json["error"]["request_id"] == "mine-1"


async def test_files_come_and_go_in_pieces(stack: Stack, server: Served) -> None:
    """Invariant: neither an upload nor a download is held in memory as a whole."""
    arrived: list[int] = []
    half = anyio.Event()
    digest = sha256()

    async def file(request: Request, rest: str) -> Response:
        if request.method == "PUT":
            assert not isinstance(request.body, bytes)
            async for chunk in request.body:
                arrived.append(len(chunk))
                digest.update(chunk)
            return Response(status=201, headers={"location": "here"}, body=b"")

        async def chunks() -> AsyncIterator[bytes]:
            yield b"first"
            await half.wait()
            for _ in range(64):
                yield b"x" * 65536

        return Response(status=200, headers={"content-type": "application/pdf"}, body=chunks())

    pieces = [bytes([number]) * 65536 for number in range(64)]
    async with serving(stack, server, routes={"file": file}) as site:
        answer = await site.fetch("PUT", site.below("/file/1"), iter(pieces))
        assert (answer.status, answer.headers["location"], answer.body) == (201, "here", b"")
        assert sum(arrived) == 64 * 65536
        assert max(arrived) < 1024 * 1024
        assert digest.hexdigest() == sha256(b"".join(pieces)).hexdigest()

        host, port = site.base.removeprefix("http://").split(":")
        stream = await anyio.connect_tcp(host, int(port))
        async with stream:
            target = site.below("/file/1").removeprefix(site.base)
            await stream.send(
                f"GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode()
            )
            begun = b""
            while b"first" not in begun:
                begun += await stream.receive()
            assert b"application/pdf" in begun
            half.set()
            rest = b"".join([piece async for piece in stream])
        assert rest.count(b"x") == 64 * 65536


async def test_an_upload_over_the_limit_is_refused_while_it_comes(
    stack: Stack, server: Served
) -> None:
    async def file(request: Request, rest: str) -> Response:
        size = 0
        assert not isinstance(request.body, bytes)
        async for chunk in request.body:
            size += len(chunk)
            if size > 100_000:
                raise TooLarge("At most 100,000 bytes.")
        return Response(status=201, headers={}, body=b"")

    async with serving(stack, server, routes={"file": file}) as site:
        for size, status in ((90_000, 201), (110_000, 413)):
            answer = await site.fetch("PUT", site.below("/file/1"), b"x" * size)
            assert answer.status == status


async def test_leaving_in_the_middle_of_a_download_ends_it(stack: Stack, server: Served) -> None:
    """Invariant: the file is closed."""
    closed = anyio.Event()

    async def file(request: Request, rest: str) -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"x" * 65536
                    await anyio.lowlevel.checkpoint()
            finally:
                closed.set()

        return Response(status=200, headers={}, body=chunks())

    async with serving(stack, server, routes={"file": file}) as site:
        host, port = site.base.removeprefix("http://").split(":")
        stream = await anyio.connect_tcp(host, int(port))
        target = site.below("/file/1").removeprefix(site.base)
        await stream.send(f"GET {target} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        await stream.receive()
        await anyio.aclose_forcefully(stream)
        with anyio.fail_after(10):
            await closed.wait()


async def test_two_cookies_of_one_answer_stay_two(stack: Stack, server: Served) -> None:
    """A header is one line; nothing here has two of the same name."""

    async def file(request: Request, rest: str) -> Response:
        headers: Any = {"set-cookie": "a=1; Path=/", "x-latin": "caf\xe9"}
        return Response(status=200, headers=headers, body=b"")

    async with serving(stack, server, routes={"file": file}) as site:
        answer = await site.fetch("GET", site.below("/file/1"))
        assert answer.headers["set-cookie"] == "a=1; Path=/"
        assert answer.headers["x-latin"] == "caf\xe9"
