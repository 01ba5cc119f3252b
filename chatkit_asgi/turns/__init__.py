"""Turns: the only owner of tasks. Runs a handler through :class:`~chatkit_asgi.protocol.turn.Turn`, keeps what late
viewers need, serves viewers and ends turns.

May import ``protocol``, ``types``, ``store.base``, ``errors`` and anyio.
"""

from ._backend import Guard, Signal, current_backend
from .manager import Repeat, ShuttingDown, Turns
from .run import Outcome, Plan, Run
from .viewer import Viewer

__all__ = [
    "Guard",
    "Outcome",
    "Plan",
    "Repeat",
    "Run",
    "ShuttingDown",
    "Signal",
    "Turns",
    "Viewer",
    "current_backend",
]
