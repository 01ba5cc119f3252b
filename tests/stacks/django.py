"""Django: its ASGI application, with the middleware that ``startproject`` writes; people sign in with its sessions."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any

import anyio.to_thread

from tests.django.project import set_up, site
from tests.stacks.stack import Stack

set_up()

from chatkit_django import chatkit_urls
from chatkit_django.asgi import ChatKitASGIHandler
from django.core.handlers.asgi import ASGIHandler

NO_LIFESPAN = (
    "Django runs no lifespan: what ends turns there is a signal (tests/django/test_processes.py)"
)


class Django(Stack):
    """``chatkit_urls`` beside other URLs."""

    handler: Any = ASGIHandler
    skips = {"test_stopping_saves_what_still_runs_and_closes_the_store": NO_LIFESPAN}

    def app(self, server: Any, *, context: Any = None, routes: Any = None) -> Any:
        return self.site(server, routes, context=context or (lambda _: None))

    def guarded(self, server: Any, *, routes: Any = None) -> Any:
        return self.site(server, routes)

    def site(self, server: Any, routes: Any, **options: Any) -> Any:
        return site(chatkit_urls(server, self.path, routes=routes, **options), self.handler)

    async def credentials(self, url: str, user: str) -> dict[str, str]:
        """A session's cookie, and the token that a page takes from the other cookie."""
        answer = await anyio.to_thread.run_sync(_get, f"{url}/sign-in/{user}")
        cookies = SimpleCookie()
        for line in answer.headers.get_all("set-cookie"):
            cookies.load(line)
        sent = "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())
        return {"cookie": sent, "x-csrftoken": cookies["csrftoken"].value}


class DjangoStraight(Django):
    """The same behind ``chatkit_django.asgi``, which sends streams straight to the server."""

    handler = ChatKitASGIHandler


def _get(url: str) -> Any:
    from urllib.request import urlopen

    with urlopen(url, timeout=10) as answer:
        answer.read()
        return answer
