"""Which thread runs what a turn's handler does synchronously, such as queries of the ORM.

Django gives each request a thread and ends it with the request; under a middleware that is not async, it is the thread
of that middleware, and what comes when the view has returned fails. A turn outlives both. So before a turn begins, the
request's thread is left: the turn inherits a thread of its own, made at its first use and ended with the turn, after
its database connections are closed. And when the answer is being sent, the request's thread and connections are given
back: a stream may last for hours, and neither is needed for it.

None of this happens where no server has given the request a thread: in a test, everything stays in the test's thread,
and sees its transaction.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Generator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

from asgiref.sync import AsyncToSync, SyncToAsync, ThreadSensitiveContext
from django.db import connections

from chatkit_asgi.turns import current_backend

__all__ = ["end_request_thread", "leave_request_thread", "request_thread"]


@contextmanager
def request_thread() -> Generator[None]:
    """Around a view: afterwards the request is back in its thread."""
    context, executor = _current()
    try:
        yield
    finally:
        if context is not None and context is not _current()[0]:
            _switch(context, executor)


def leave_request_thread() -> None:
    """What is started from now on runs in a thread of its own."""
    if _current()[0] is None:
        return
    own = ThreadSensitiveContext()
    used: list[bool] = []
    executor = ThreadPoolExecutor(1, "chatkit-turn", initializer=lambda: used.append(True))
    SyncToAsync.context_to_thread_executor[own] = executor
    # The last reference may go anywhere, also inside an executor that is locked: the loop does the rest.
    call_soon = current_backend().from_anywhere()
    weakref.finalize(own, _finish, call_soon, executor, used).atexit = False
    _switch(own, None)


def end_request_thread() -> None:
    """Give the request's thread back when only the sending is left. What Django does at the end (``request_finished``)
    needs no thread of its own: it runs in the few that are kept here."""
    context = SyncToAsync.thread_sensitive_context.get(None)
    if context is None:
        return
    executor = SyncToAsync.context_to_thread_executor.pop(context, None)
    if executor is not None:
        executor.submit(connections.close_all)
        executor.shutdown(wait=False)
        SyncToAsync.context_to_thread_executor[context] = _AtTheEnd()


class _AtTheEnd(Executor):
    """The executor of a request whose thread has been given back; closes connections after each call."""

    threads = ThreadPoolExecutor(4, "request-end")

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return self.threads.submit(_closing, fn, args, kwargs)


def _closing(fn: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    try:
        return fn(*args, **kwargs)
    finally:
        connections.close_all()


def _current() -> tuple[ThreadSensitiveContext | None, Any]:
    executor: Any = getattr(AsyncToSync.executors, "current", None)
    return SyncToAsync.thread_sensitive_context.get(None), executor


def _switch(context: ThreadSensitiveContext, executor: Any) -> None:
    SyncToAsync.thread_sensitive_context.set(context)
    AsyncToSync.executors.current = executor


def _finish(call_soon: Any, executor: ThreadPoolExecutor, used: list[bool]) -> None:
    def end() -> None:
        if used:
            executor.submit(connections.close_all)
        executor.shutdown(wait=False)

    with suppress(RuntimeError):  # the loop is closed, and the process about to end
        call_soon(end)
