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
        ({"cors_origins": ("*",), "cors_credentials": True}, "cors_credentials"),
    ],
)
def test_refuses(wrong: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Options(**wrong)
