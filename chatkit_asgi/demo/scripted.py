"""The scripted assistant: plays the scene it is asked for, and answers what the client hands in."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import msgspec

from chatkit_asgi import ChatKitRouter
from chatkit_asgi.actions import Action
from chatkit_asgi.demo.scenes import SCENES, Reply, Scene, Stage, card
from chatkit_asgi.store import Store
from chatkit_asgi.types import (
    ClientToolCallItem,
    HiddenContextItem,
    StructuredInputItem,
    SyncCustomActionResponse,
    ThreadItemReplacedEvent,
    ThreadMetadata,
    UserMessageItem,
    WidgetItem,
)

__all__ = ["Likes", "Scripted", "text_of"]


class Likes(msgspec.Struct):
    """Payload of the card's actions."""

    likes: int = 0


class Scripted:
    """Plays the scene whose keyword it is sent, all of them for ``tour``, and else lists them."""

    def __init__(self, chat: ChatKitRouter, *, pace: float = 0.03) -> None:
        """Register the card's actions with ``chat``; play at ``pace`` seconds a word."""
        self._store: Store[Any] = chat.store
        self._pace = pace
        chat.action("demo.like", payload=Likes)(self._like)
        chat.sync_action("demo.star", payload=Likes)(self._star)

    async def respond(
        self, thread: ThreadMetadata, message: UserMessageItem | None, context: Any
    ) -> AsyncGenerator[Reply, None]:
        """Answer a message, or, where there is none, what the client has just handed in."""
        stage = Stage(self._store, thread, context, self._pace)
        for scene in _playlist(message):
            async for reply in scene(stage):
                yield reply

    async def _like(
        self,
        thread: ThreadMetadata,
        action: Action[Any, Likes],
        sender: WidgetItem | None,
        context: Any,
    ) -> AsyncIterator[Reply]:
        """The card's first button: an action with a stream for an answer."""
        stage = Stage(self._store, thread, context, self._pace)
        likes = action.payload.likes + 1
        if sender is not None:
            yield ThreadItemReplacedEvent(item=sender.model_copy(update={"widget": card(likes)}))
        yield HiddenContextItem(**stage.new(), content={"likes": likes})
        yield f"You like it {likes} time{'s' * (likes > 1)} over."

    async def _star(
        self,
        thread: ThreadMetadata,
        action: Action[Any, Likes],
        sender: WidgetItem | None,
        context: Any,
    ) -> SyncCustomActionResponse:
        """The card's second button: a sync action, answered by the changed item alone."""
        if sender is None:
            return SyncCustomActionResponse()
        starred = sender.model_copy(update={"widget": card(action.payload.likes, starred=True)})
        return SyncCustomActionResponse(updated_item=starred)


def text_of(message: UserMessageItem) -> str:
    """The text of a user's message, tags included."""
    return "".join(part.text for part in message.content)


def _playlist(message: UserMessageItem | None) -> list[Scene]:
    if message is None:
        return [_thanks]
    keyword = text_of(message).strip().lower().lstrip("/")
    return [*SCENES.values()] if keyword == "tour" else [SCENES.get(keyword, _help)]


async def _help(stage: Stage) -> AsyncIterator[Reply]:
    scenes = "\n".join(f"- `/{name}` {play.__doc__}" for name, play in SCENES.items())
    async for word in stage.words(f"Send one of:\n\n{scenes}\n- `/tour` All of them in turn."):
        yield word


async def _thanks(stage: Stage) -> AsyncIterator[Reply]:
    page = await stage.store.load_thread_items(stage.thread.id, None, 10, "desc", stage.context)
    for item in page.data:
        if isinstance(item, ClientToolCallItem) and item.status == "completed":
            text = f"Your page ran `{item.name}` and answered `{json.dumps(item.output)}`."
        elif isinstance(item, StructuredInputItem) and item.status != "pending":
            given = [", ".join(each.answer.values) for each in item.inputs if each.answer]
            text = f"You answered: {'; '.join(filter(None, given)) or 'nothing'}."
        else:
            continue
        async for word in stage.words(text):
            yield word
        return
