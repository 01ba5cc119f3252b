"""pytest plugin: every case is a test.

``pytest --chatkit-url URL`` adds the cases that test a running server. For an ASGI app, without a server, a test module
says which app and where it wants the tests::

    @pytest.fixture(scope="session")
    def chatkit_app():
        return app

    def test_chatkit(chatkit_case):
        chatkit_case.check()

``chatkit_headers`` and ``chatkit_other_headers`` are fixtures to override for credentials, ``chatkit_path`` for where
the endpoint is, ``chatkit_upload_url`` for where it takes direct uploads. Loaded by every pytest run where this library
is installed, so nothing heavy is imported before it is needed.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import pytest

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal

    from .case import Case
    from .client import Target

__all__ = ["ChatKitCase"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    group = parser.getgroup("chatkit", "ChatKit conformance")
    group.addoption("--chatkit-url", default="", help="test the ChatKit server at this address")
    group.addoption(
        "--chatkit-header", action="append", default=[], help="'NAME: VALUE' of every request"
    )
    group.addoption(
        "--chatkit-other-header", action="append", default=[], help="the same of a second person"
    )
    group.addoption(
        "--chatkit-upload-url", default="", help="where files are uploaded directly, if anywhere"
    )
    group.addoption(
        "--chatkit-expected-failures",
        default="",
        metavar="FILE",
        help="ids of cases that are known to fail, each with a reason after #; one that passes fails",
    )
    group.addoption("--chatkit-select", action="append", default=[], help="ids of cases or clauses")
    group.addoption(
        "--chatkit-level",
        default="must",
        choices=["must", "should", "may"],
        help="cases of this level and stricter (default: must)",
    )


def _option(config: pytest.Config, name: str) -> Any:
    return config.getoption(f"--chatkit-{name}")


def _cases(config: pytest.Config) -> list[Case]:
    from .case import catalogue, select

    try:
        return select(
            catalogue(),
            patterns=_option(config, "select"),
            level=_option(config, "level").upper(),
        )
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None


def _headers(config: pytest.Config, name: str) -> list[tuple[str, str]]:
    pairs = (each.partition(":") for each in _option(config, name))
    return [(header.strip().lower(), value.strip()) for header, _, value in pairs]


def _below(url: str, uploads: str) -> str:
    """The address of direct uploads, which may be a path on the endpoint's host; empty if there is none."""
    return uploads and urljoin(url, uploads)


class _Served:
    """A target and the event loop in which it is asked."""

    def __init__(self, portal: BlockingPortal, target: Target, known: dict[str, str]) -> None:
        from .runner import discover

        self._portal = portal
        self._known = known
        features = portal.call(discover, target)
        self._target = type(target)(
            target.transport, target.headers, target.other, target.upload_url, features
        )

    def check(self, case: Case) -> None:
        from .case import Outcome
        from .report import failure
        from .runner import run_case

        result = self._portal.call(run_case, self._target, case)
        known = self._known.get(case.id)
        if result.outcome is Outcome.NOT_RUN:
            pytest.skip(result.got)
        if result.outcome is Outcome.FAILED:
            if known:
                pytest.xfail(known)
            pytest.fail(failure(result), pytrace=False)
        if known:
            why = f"{case.id} passes, but is listed as an expected failure: remove it"
            pytest.fail(why, pytrace=False)


@contextmanager
def _serving(config: pytest.Config, target: Target, app: Any = None) -> Generator[_Served]:
    from anyio.from_thread import start_blocking_portal

    from .lifespan import Lifespan

    known = _known(config)
    with start_blocking_portal() as portal:
        lifespan = Lifespan(app) if app is not None else None
        if lifespan is None:
            yield _Served(portal, target, known)
            return
        with portal.wrap_async_context_manager(lifespan.running()):
            yield _Served(portal, target, known)


def _known(config: pytest.Config) -> dict[str, str]:
    from pathlib import Path

    from .runner import Known

    path: str = _option(config, "expected-failures")
    try:
        return Known(Path(path)).reasons if path else {}
    except (ValueError, OSError) as error:
        raise pytest.UsageError(str(error)) from None


# -- pytest --chatkit-url ----------------------------------------------------------------------


class _CaseItem(pytest.Item):
    """A case as a test of its own."""

    def __init__(self, *, case: Case, **options: Any) -> None:
        super().__init__(**options)  # pyright: ignore[reportUnknownMemberType]
        self.case = case
        self.extra_keyword_matches.add(case.level)

    def runtest(self) -> None:
        served: _Served = self.session.stash[_SERVED]
        served.check(self.case)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        return str(excinfo.value)

    def reportinfo(self) -> tuple[str, int | None, str]:
        return "chatkit", None, self.case.id


class _Cases(pytest.Collector):
    """All cases."""

    def collect(self) -> list[pytest.Item]:
        make: Any = getattr(_CaseItem, "from_parent")  # noqa: B009 (pytest does not say what it takes)
        return [make(self, name=each.id, case=each) for each in _cases(self.config)]


_SERVED = pytest.StashKey[_Served]()


def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add the cases, when there is an address."""
    if _option(config, "url"):
        make: Any = getattr(_Cases, "from_parent")  # noqa: B009 (pytest does not say what it takes)
        items += make(session, name="chatkit").collect()


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, Any, Any]:
    """Ask the server what it can do before the first of its tests."""
    url: str = _option(session.config, "url")
    if not url or session.config.option.collectonly:
        return (yield)
    from .client import Target
    from .wire import SocketTransport

    other = _headers(session.config, "other-header")
    headers = _headers(session.config, "header")
    uploads = _below(url, _option(session.config, "upload-url"))
    target = Target(SocketTransport(url), headers, other or None, uploads)
    with _serving(session.config, target) as served:
        session.stash[_SERVED] = served
        return (yield)


# -- a fixture that returns an app -------------------------------------------------------------


class ChatKitCase:
    """What ``chatkit_case`` gives a test."""

    def __init__(self, served: _Served, case: Case) -> None:
        self._served = served
        self.case = case

    def check(self) -> None:
        """Run the case; fails or skips the test."""
        self._served.check(self.case)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each case, where ``chatkit_case`` is used."""
    if "chatkit_case" in metafunc.fixturenames:
        cases = _cases(metafunc.config)
        metafunc.parametrize("chatkit_case", cases, ids=[each.id for each in cases], indirect=True)


@pytest.fixture(scope="session")
def chatkit_headers() -> dict[str, str]:
    """Credentials of the first person; override it."""
    return {}


@pytest.fixture(scope="session")
def chatkit_other_headers() -> dict[str, str] | None:
    """Credentials of a second person; override it for the cases about isolation."""
    return None


@pytest.fixture(scope="session")
def chatkit_path() -> str:
    """Where the app has its endpoint; override it."""
    return "/chatkit"


@pytest.fixture(scope="session")
def chatkit_upload_url() -> str:
    """Where the app takes direct uploads, such as ``/chatkit/attachments``; override it where it does."""
    return ""


@pytest.fixture(scope="session")
def chatkit_served(
    request: pytest.FixtureRequest,
    chatkit_headers: dict[str, str],
    chatkit_other_headers: dict[str, str] | None,
    chatkit_path: str,
    chatkit_upload_url: str,
) -> Iterator[Any]:
    """The app of the fixture ``chatkit_app``, started."""
    from .client import Target
    from .wire import AppTransport

    app: Any = request.getfixturevalue("chatkit_app")
    other = None if chatkit_other_headers is None else list(chatkit_other_headers.items())
    transport = AppTransport(app, chatkit_path)
    uploads = _below(transport.url, chatkit_upload_url)
    target = Target(transport, list(chatkit_headers.items()), other, uploads)
    with _serving(request.config, target, app) as served:
        yield served


@pytest.fixture
def chatkit_case(request: pytest.FixtureRequest, chatkit_served: Any) -> ChatKitCase:
    """One case, to be checked against ``chatkit_app``."""
    return ChatKitCase(chatkit_served, request.param)
