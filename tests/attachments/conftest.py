"""Both places, both event loops."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.attachments.s3server import seaweed
from tests.attachments.served import (
    Site,
    files_in_bucket,
    files_on_disk,
    hypercorn_serves,
    site,
    uvicorn_serves,
)


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real S3 server."""
    with seaweed(tmp_path_factory.mktemp("s3")) as endpoint:
        yield endpoint


@pytest.fixture(params=["disk", "s3"])
def make_files(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Any]:
    """Makes a store, given the URL of its app: on a disk, then in a bucket."""
    if request.param == "disk":
        return partial(files_on_disk, tmp_path / "files")
    return partial(files_in_bucket, request.getfixturevalue("s3"))


@pytest.fixture(params=["uvicorn", "hypercorn on trio"])
def serve(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """A real server on each event loop."""
    return uvicorn_serves if request.param == "uvicorn" else hypercorn_serves


@pytest.fixture
def open_site(
    make_files: Callable[..., Any], serve: Callable[..., Any]
) -> Iterator[Callable[..., Site]]:
    """Opens a site; what it is given goes to its attachment store."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(site(partial(make_files, **options), serve))


@pytest.fixture
def chat(open_site: Callable[..., Site]) -> Site:
    """A site with the defaults."""
    return open_site()
