"""The assistant: knows who asks, and how many threads they have."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
from chatkit_django import DjangoContext, DjangoStore
from chatkit_django.models import Thread

from chatkit_asgi import ChatKitRouter
from chatkit_asgi.types import ThreadMetadata, UserMessageItem

chat: ChatKitRouter[DjangoContext] = ChatKitRouter(DjangoStore())


@chat.respond
async def respond(
    thread: ThreadMetadata, message: UserMessageItem | None, context: DjangoContext
) -> AsyncIterator[Any]:
    number = await Thread.objects.filter(owner=context.user_id).acount()
    answer = (
        f"Hello {context.user.get_username()}! This is thread number {number} of yours. You said: "
    )
    text = "".join(getattr(part, "text", "") for part in message.content) if message else ""
    for word in (answer + text).split(" "):
        yield word + " "
        await anyio.sleep(0.05)
    thread.title = text[:40]
