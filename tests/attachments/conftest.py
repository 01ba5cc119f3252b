"""Both places, both event loops."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.attachments.served import (
    Site,
    files_in_bucket,
    files_on_disk,
    hypercorn_serves,
    site,
    uvicorn_serves,
)

Place = tuple[str, Callable[..., Any]]


@pytest.fixture(
    params=[
        ("disk", uvicorn_serves),
        ("disk", hypercorn_serves),
        ("s3", uvicorn_serves),
        ("s3", hypercorn_serves),
    ],
    ids=["disk", "disk-trio", "s3", "s3-trio"],
)
def place(request: pytest.FixtureRequest) -> Place:
    """Where files are, and which server serves them: uvicorn on asyncio or hypercorn on trio."""
    found: Place = request.param
    return found


@pytest.fixture
def make_files(place: Place, request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Any]:
    """Makes a store, given the URL of its app."""
    if place[0] == "disk":
        return partial(files_on_disk, tmp_path / "files")
    return partial(files_in_bucket, request.getfixturevalue("s3"))


@pytest.fixture
def open_site(make_files: Callable[..., Any], place: Place) -> Iterator[Callable[..., Site]]:
    """Opens a site; what it is given goes to its attachment store."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(site(partial(make_files, **options), place[1]))


@pytest.fixture
def chat(open_site: Callable[..., Site]) -> Site:
    """A site with the defaults."""
    return open_site()
