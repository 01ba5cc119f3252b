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


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"max_body": "10MB"}, "max_body is an int, not '10MB'"),
        ({"max_body": 1e6}, "max_body is an int, not 1000000.0"),
        ({"page_size": 2.5}, "page_size is an int, not 2.5"),
        ({"page_size": True}, "page_size is an int, not True"),
        ({"viewer_buffer": None}, "viewer_buffer is an int, not None"),
        ({"max_turns": 1.5}, "max_turns is an int, or None for no limit, not 1.5"),
        ({"max_turns": True}, "max_turns is an int, or None for no limit, not True"),
        (
            {"turn_timeout": "30"},
            "turn_timeout is a number of seconds, or None for no limit, not '30'",
        ),
        ({"keep_alive": None}, "keep_alive is a number of seconds, not None"),
        ({"shutdown_grace": None}, "shutdown_grace is a number of seconds, not None"),
        ({"replay": True}, "replay is a number of seconds, not True"),
        ({"clock": 5}, "clock is a function that tells the time, not 5"),
        ({"handle_signals": "no"}, "handle_signals is True or False, not 'no'"),
        ({"cors_credentials": 1}, "cors_credentials is True or False, not 1"),
        ({"cors_origins": None}, "cors_origins is a list of str, not None"),
        ({"page_actions": None}, "page_actions is a list of str, not None"),
        ({"page_actions": [5]}, "page_actions is a list of str; 5 in it is none"),
    ],
)
def test_names_the_option_what_it_takes_and_what_was_given(
    wrong: dict[str, Any], said: str
) -> None:
    with pytest.raises(TypeError) as error:
        Options(**wrong)
    assert str(error.value) == said


@pytest.mark.parametrize(
    "origin",
    ["https://my.app/", "my.app", "https://My.App", "https://*.my.app", "https://my.app/chat", ""],
)
def test_refuses_an_origin_that_no_browser_says(origin: str) -> None:
    with pytest.raises(ValueError, match="cors_origins are origins") as error:
        Options(cors_origins=["https://my.app", origin])
    assert str(error.value).endswith(f"{origin!r} never matches")


def test_takes_what_browsers_say() -> None:
    origins = [
        "https://my.app",
        "http://localhost:3000",
        "http://[::1]:80",
        "null",
        "capacitor://localhost",
        "*",
    ]
    assert Options(cors_origins=origins).cors_origins is origins
    assert Options(page_actions={"a"}, keep_alive=5, turn_timeout=0.5, replay=0).keep_alive == 5
