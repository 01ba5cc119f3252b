"""A viewer: one reader of a turn's frames.

It takes all frames that are ready as one chunk and never holds one back to wait for more. It only watches: closing it,
cancelling the task that reads it, or reading slowly never hurts the turn's saving.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..protocol.sse import KEEP_ALIVE, coalesce, split_frames
from ._backend import Backend

if TYPE_CHECKING:
    from .run import Run

__all__ = ["Viewer"]


class Viewer:
    """One reader. Made by :meth:`Run.watch`."""

    __slots__ = (
        "_limit",
        "_pending",
        "_run",
        "ended",
        "late",
        "news",
        "on_dead",
        "sending",
        "size",
        "ticks",
    )

    def __init__(self, run: Run, backend: Backend) -> None:
        self._run: Run | None = run
        self.news = backend.signal()
        """Wait for it when :meth:`take` had nothing and :attr:`ended` is false."""
        self._limit = run.options.viewer_buffer
        self._pending: list[bytes] = []
        self.size = 0
        """Bytes that wait."""
        self.ticks = 0
        """Ticks since a chunk was last taken."""
        self.late = 0
        """Ticks for which the reader has been busy with one chunk, or has let one lie."""
        self.sending = False
        """Whether the reader is busy with a chunk."""
        self.ended = False
        self.on_dead: Callable[[], object] | None = None
        """Called when a send has taken too long."""

    def take(self) -> bytes | None:
        """All frames that are ready, as one chunk; ``None`` when there are none now. What was taken before is sent."""
        run = self._run
        pending = self._pending
        if run is not None and run.frames:
            if not pending and len(run.viewers) == 1:
                self.ticks = 0
                self.sending = True
                return run.take()
            run.flush()
        if not pending:
            self.sending = False
            return None
        chunk = pending[0] if len(pending) == 1 else b"".join(pending)
        pending.clear()
        self.size = self.ticks = 0
        self.sending = True
        if run is not None:
            run.taken()
        return chunk

    def __aiter__(self) -> Viewer:
        return self

    async def __anext__(self) -> bytes:
        """:meth:`take`, when there is something."""
        while (chunk := self.take()) is None:
            if self.ended:
                raise StopAsyncIteration
            await self.news.wait()
        return chunk

    async def aclose(self) -> None:
        """:meth:`close`, for whoever iterates."""
        self.close()

    def offer(self, chunk: bytes) -> None:
        """Put a chunk of whole frames. More than the buffer holds is joined as far as it can be joined."""
        self._pending.append(chunk)
        self.size += len(chunk)
        if not self.sending:
            self.news.set()
        if self.size > self._limit:
            self._pending[:] = coalesce(split_frames(b"".join(self._pending)))
            self.size = sum(map(len, self._pending))

    def tick(self, keep_alive: float, send_timeout: float) -> None:
        """Time passes: keep the connection alive, or give the reader up. Both limits in ticks."""
        if self.ticks == 0:  # something was taken since the last tick
            self.late = 0
        self.ticks += 1
        if self.sending or self._pending:
            self.late += 1
            if self.late >= send_timeout and self._run is not None:
                self.close()
                if self.on_dead is not None:
                    self.on_dead()
        elif self.ticks >= keep_alive:
            self.ticks = 0
            self._pending.append(KEEP_ALIVE)
            self.news.set()

    def end(self) -> None:
        """No more frames will come."""
        self.ended = True
        self.news.set()

    def close(self) -> None:
        """The reader has gone. May be called more than once, from anywhere on the loop."""
        run, self._run = self._run, None
        if run is not None:
            run.left(self)
        self.end()
