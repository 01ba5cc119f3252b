"""Options refuse what makes no sense when they are made, not at the first request."""

from __future__ import annotations

from typing import Any

import pytest

from chatkit_asgi import Options


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"max_body": 0}, "max_body"),
        ({"keep_alive": -1.0}, "keep_alive"),
        ({"page_size": 0}, "page_size"),
        ({"page_size": 101}, "page_size"),
        ({"checkpoint_interval": float("nan")}, "checkpoint_interval"),
        ({"turn_timeout": 0.0}, "turn_timeout"),
        ({"turn_timeout": -1.0}, "turn_timeout"),
        ({"max_turns": 0}, "max_turns"),
        ({"max_turns_per_owner": 0}, "max_turns_per_owner"),
        ({"shutdown_grace": -1.0}, "shutdown_grace"),
        ({"replay": -1.0}, "replay"),
        ({"on_disconnect": "continue"}, "on_disconnect"),
        ({"on_conflict": "Queue"}, "on_conflict"),
        ({"cors_origins": "https://my.app"}, "cors_origins"),
        ({"cors_origins": ("*",), "cors_credentials": True}, "cors_credentials"),
    ],
)
def test_refuses(wrong: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Options(**wrong)
