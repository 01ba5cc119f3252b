"""Apps that are tested without a server are started and stopped as a server would."""

from __future__ import annotations

from typing import Any

import pytest

from chatkit_asgi.conformance.lifespan import Lifespan


def app(fails: str | None) -> Any:
    """An app whose start or stop fails."""

    async def lifespan(scope: Any, receive: Any, send: Any) -> None:
        for phase in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{phase}.{'failed' if fails == phase else 'complete'}"})

    return lifespan


async def test_a_sound_app_runs() -> None:
    async with Lifespan(app(None)).running():
        pass


@pytest.mark.parametrize("phase", ["startup", "shutdown"])
async def test_a_failure_is_raised_as_what_it_is(phase: str) -> None:
    with pytest.raises(RuntimeError, match=f"{phase} failed"):
        async with Lifespan(app(phase)).running():
            assert phase == "shutdown"


async def test_what_is_raised_meanwhile_comes_through() -> None:
    problem = ValueError("mine")
    with pytest.raises(ValueError, match="mine") as caught:
        async with Lifespan(app(None)).running():
            raise problem
    assert caught.value is problem
