"""The newest part of a thread that a model is given, and what is left out of it.

The store is read in pages, newest first, and only as far as needed: what this costs does not grow with the thread.
The window begins with a message of the user, as models and chat templates expect, so it is cut between turns. A turn
is a user's message and everything up to the next one. What belongs together is never parted: a client tool call is
one item with its output.

May import ``types``, ``ids`` and ``store/base`` only.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from typing import Any, Final

from msgspec import Struct

from ..ids import default_generate_id
from ..store.base import Store
from ..types import (
    AssistantMessageItem,
    CustomTask,
    EndOfTurnItem,
    GeneratedImageItem,
    SDKHiddenContextItem,
    Task,
    TaskItem,
    ThreadItem,
    ThreadMetadata,
    UnknownItem,
    UserMessageItem,
    WorkflowItem,
)

__all__ = ["History", "estimate_tokens", "load_history"]

MAX_ITEMS: Final = 100
IMAGE_TOKENS: Final = 1_000
"""What an image or a file counts for. OpenAI's models take 85 to about 1,500 for an image; a file is anybody's
guess."""


class History(Struct):
    """A window on a thread."""

    items: list[ThreadItem]
    """What the model is given, oldest first."""
    tokens: int
    """How many tokens these are, as they were counted."""
    left_out: int = 0
    """Items that were read and are not among :attr:`items`; 0 when this is the whole thread."""
    is_beginning_read: bool = True
    """Whether the thread was read to its beginning: then :attr:`left_out` is exact, otherwise it is a
    lower bound."""

    def with_note(self) -> list[ThreadItem]:
        """:attr:`items`, after a hidden item that tells the model that it does not see everything, if that is so.

        The item is made for the model: it is not in the store.
        """
        if not self.left_out or not self.items:
            return self.items
        count = f"{'' if self.is_beginning_read else 'at least '}{self.left_out}"
        note = SDKHiddenContextItem(
            id=default_generate_id("sdk_hidden_context"),
            thread_id=self.items[0].thread_id,
            created_at=self.items[0].created_at,
            content=f"Not the whole conversation is shown: {count} of its items are left out. "
            "Do not guess what they said.",
        )
        return [note, *self.items]


def estimate_tokens(text: str) -> int:
    """A cheap guess that errs on the safe side: a token for every four bytes of UTF-8, rounded up.

    English has four to five bytes to a token in current models; code, and languages of other scripts, three to five.
    """
    return -(-len(text.encode("utf-8", "surrogatepass")) // 4)


async def load_history(
    store: Store[Any],
    thread: ThreadMetadata,
    context: Any,
    *,
    max_items: int | None = MAX_ITEMS,
    max_tokens: int | None = None,
    count_tokens: Callable[[str], int] = estimate_tokens,
) -> History:
    """The newest whole turns of ``thread`` that fit into both limits, and always the newest message of the user.

    When the newest turn alone does not fit, its message is kept, and as many of its newest items as fit.

    Args:
        store: Where the thread is.
        thread: The thread.
        context: The request's context, for the store.
        max_items: How many items at most; ``None`` for no limit.
        max_tokens: How many tokens at most, as ``count_tokens`` counts; ``None`` for no limit. The user's newest
            message is kept even if it alone is more.
        count_tokens: Counts the tokens of a text, for example ``lambda text: len(encoding.encode(text))`` with
            tiktoken. Images and files count as :data:`IMAGE_TOKENS`.

    Raises:
        ValueError: A limit is less than 1.
    """
    for name, limit in (("max_items", max_items), ("max_tokens", max_tokens)):
        if limit is not None and limit < 1:
            raise ValueError(f"{name} must be at least 1, or None: it is {limit}")
    kept: list[tuple[Any, int]] = []  # whole turns, the newest first: items with their tokens
    turn: list[tuple[Any, int]] = []  # one that has not come to its beginning
    tokens = left_out = 0
    is_cut = is_beginning_read = False  # is_cut: the newest turn does not fit

    def is_over() -> bool:
        count = len(kept) + len(turn)
        return (max_items is not None and count > max_items) or (
            max_tokens is not None and tokens > max_tokens
        )

    async with aclosing(store.scan_items(thread.id, "desc", context)) as newest_first:
        async for item in newest_first:
            is_message = isinstance(item, UserMessageItem)
            if is_cut and (kept or not is_message):
                left_out += 1
                if kept:
                    break
                continue
            turn.append((item, _count(item, count_tokens)))
            tokens += turn[-1][1]
            if kept and is_over():
                left_out += len(turn)
                tokens -= sum(size for _, size in turn)
                turn = []
                break
            while is_over() and len(turn) > is_message:
                # The newest turn: its message has to fit, and the oldest of what follows it gives way.
                tokens -= turn.pop(-1 - is_message)[1]
                left_out += 1
                is_cut = True
            if is_message:
                kept += turn
                turn = []
        else:
            is_beginning_read = True
    items = [item for item, _ in reversed(kept + turn)]
    return History(items, tokens, left_out, is_beginning_read)


def _count(item: Any, count_tokens: Callable[[str], int]) -> int:
    """The tokens of what :class:`~chatkit_asgi.agents.ThreadItemConverter` makes of an item, roughly."""
    match item:
        case UserMessageItem():
            said = "\n".join([*(part.text for part in item.content), item.quoted_text or ""])
            return count_tokens(said) + IMAGE_TOKENS * len(item.attachments)
        case AssistantMessageItem():
            return count_tokens("\n".join(part.text for part in item.content))
        case GeneratedImageItem():
            return IMAGE_TOKENS if item.image else 0
        case WorkflowItem():
            return sum(_count_task(task, count_tokens) for task in item.workflow.tasks)
        case TaskItem():
            return _count_task(item.task, count_tokens)
        case UnknownItem() | EndOfTurnItem():
            return 0
        case _:
            return count_tokens(item.model_dump_json(exclude_none=True))


def _count_task(task: Task, count_tokens: Callable[[str], int]) -> int:
    if not isinstance(task, CustomTask):
        return 0
    return count_tokens(f"{task.title or ''}: {task.content or ''}")
