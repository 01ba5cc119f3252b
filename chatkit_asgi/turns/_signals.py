"""Shutdown: notice it before the server tells the app.

Servers such as uvicorn and granian wait for open streams before they tell an app that they stop, so a stream that
nobody ends keeps the process alive. Here SIGTERM and SIGINT first ask every turn to end; then the handler that was
there before, the server's own, runs as ever. Handlers are only chained in the main thread and only in front of a
Python handler; nothing is polled and no server is patched.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ._backend import Backend

if TYPE_CHECKING:
    from .manager import Turns

__all__ = ["watch_signals"]

_watched: WeakKeyDictionary[Turns, Any] = WeakKeyDictionary()
_chained: dict[int, Any] = {}


def watch_signals(turns: Turns, backend: Backend) -> None:
    """Tell ``turns`` when the process is asked to stop."""
    _watched[turns] = backend.from_anywhere()
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        handler = signal.getsignal(number)
        if (
            callable(handler)
            and handler is not _on_signal
            and handler is not signal.default_int_handler
        ):
            _chained[number] = handler
            signal.signal(number, _on_signal)


def _on_signal(number: int, frame: FrameType | None) -> None:
    for turns, call in list(_watched.items()):
        try:
            call(turns.begin_shutdown)
        except RuntimeError:  # that loop is closed
            continue
    handler = _chained.get(number)
    if handler is not None:
        handler(number, frame)
