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

    __slots__ = ("_pending", "_run", "_signal", "ended", "on_dead", "sending", "size", "ticks")

    def __init__(self, run: Run, backend: Backend) -> None:
        self._run: Run | None = run
        self._signal = backend.signal()
        self._pending: list[bytes] = []
        self.size = 0
        """Bytes that wait."""
        self.ticks = 0
        """Ticks since a chunk was last taken."""
        self.sending = False
        """Whether the reader is busy with a chunk."""
        self.ended = False
        self.on_dead: Callable[[], object] | None = None
        """Called when a send has taken too long."""

    async def next(self) -> bytes | None:
        """All frames that are ready, as soon as there is one; ``None`` at the end."""
        self.sending = False
        pending = self._pending
        while not pending:
            if self.ended:
                return None
            await self._signal.wait()
        chunk = pending[0] if len(pending) == 1 else b"".join(pending)
        pending.clear()
        self.size = self.ticks = 0
        self.sending = True
        if self._run is not None:
            self._run.taken()
        return chunk

    def offer(self, chunk: bytes, limit: int) -> bool:
        """Put a chunk of whole frames.

        Returns:
            Whether the reader keeps up: false when more than ``limit`` bytes wait even after joining what can be
            joined.
        """
        self._pending.append(chunk)
        self.size += len(chunk)
        self._signal.set()
        if self.size <= limit:
            return True
        self._pending[:] = coalesce(split_frames(b"".join(self._pending)))
        self.size = sum(map(len, self._pending))
        return self.size <= limit

    def tick(self, keep_alive: float, send_timeout: float) -> None:
        """Time passes: keep the connection alive, or give the reader up. Both limits in ticks."""
        self.ticks += 1
        if self.sending:
            if self.ticks >= send_timeout and self._run is not None:
                self.close()
                if self.on_dead is not None:
                    self.on_dead()
        elif self.ticks >= keep_alive:
            self.ticks = 0
            self._pending.append(KEEP_ALIVE)
            self._signal.set()

    def end(self) -> None:
        """No more frames will come."""
        self.ended = True
        self._signal.set()

    def close(self) -> None:
        """The reader has gone. May be called more than once, from anywhere on the loop."""
        run, self._run = self._run, None
        if run is not None:
            run.left(self)
        self.end()
