"""Every limit, time and policy, each with its default. One object for one app."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, cast, get_args

from .ids import utc_now

__all__ = ["DEFAULT_OPTIONS", "Options"]

OnDisconnect = Literal["cancel", "finish"]
OnConflict = Literal["queue", "reject", "interrupt"]
_POLICIES: Final[dict[str, tuple[str, ...]]] = {
    "on_disconnect": get_args(OnDisconnect),
    "on_conflict": get_args(OnConflict),
}

_COUNTS: Final = (
    "max_body", "max_attachments", "max_values", "max_value_length", "page_size", "max_page_size", "viewer_buffer",
    "max_turns", "max_turns_per_owner",
)  # fmt: skip
_TIMES: Final = (
    "client_tool_timeout", "turn_timeout", "checkpoint_interval", "keep_alive", "send_timeout", "shutdown_grace",
    "replay",
)  # fmt: skip
_UNLIMITED: Final = ("client_tool_timeout", "turn_timeout", "max_turns", "max_turns_per_owner")
_FROM_ZERO: Final = ("shutdown_grace", "replay")

_ORIGIN: Final = re.compile(r"\*|null|[a-z][a-z0-9+.-]*://[^/?#@*\sA-Z]+")
"""What a browser says of a page, which is compared as it is: no path, no slash at the end, nothing in upper case."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """How an app behaves. Times are in seconds, sizes in bytes.

    Raises:
        TypeError: A value of another kind than its option takes; found, as all is, when the object is made.
        ValueError: A value that makes no sense.
    """

    max_body: int = 10 * 1024 * 1024
    """Bytes of a request's body; more is refused while it arrives (413). Dictation is the largest body there is: ten
    megabytes of base64 are about an hour of Opus speech. nginx stops at 1 MB by default, Starlette has no limit."""
    max_attachments: int = 20
    """Attachments of one message (413). The client's own default is 10."""
    max_values: int = 100
    """Answers to one question, and questions answered at once (413)."""
    max_value_length: int = 100_000
    """Characters of one answer, a title, a name or a quoted text (413)."""
    page_size: int = 20
    """Records of a page when the client names no limit, and of ``threads.get_by_id``. As in openai-chatkit."""
    max_page_size: int = 100
    """Records of a page at most. The client asks for 9,999: it gets this many and ``has_more``."""

    on_disconnect: OnDisconnect = "cancel"
    """When the last viewer has gone: stop the turn (the client's stop button is a disconnect), or let it finish."""
    on_conflict: OnConflict = "queue"
    """A second turn on one thread: wait for the first, answer 409, or stop the first."""
    client_tool_timeout: float | None = 3600.0
    """How long a client tool call waits for the client's answer. Then it is completed with an output that says so, and
    a later answer is refused (409, ``tool_call_expired``). An hour, because a tool may ask a person. Counted from the
    item's ``created_at``, if that has a time zone and is later than the thread's. ``None``: no limit."""
    page_actions: Sequence[str] = ()
    """Types of actions that your page sends in a widget's name (``sendCustomAction(action, itemId)``) though the widget
    does not offer them; ``("*",)`` allows any. Others are refused (409, ``stale_action``) unless the widget has them
    now, apart from form values: a second click and a made-up payload go nowhere. Widgets with an action for the page
    (``handler: "client"``) need no entry: only through them does a page learn a widget's id. An entry is needed where
    the page goes on sending after the server has replaced the widget by one without such an action."""
    turn_timeout: float | None = None
    """How long a turn may run; then it ends with an ``error`` event and keeps what it has. ``None``: no limit."""
    max_turns: int | None = None
    """Turns at once in this process, waiting ones too; more get 429. ``None``: no limit."""
    max_turns_per_owner: int | None = None
    """The same for one owner, as determined by the store's ``owner=``."""

    checkpoint_interval: float = 1.0
    """A killed process loses at most the text of this time."""
    keep_alive: float = 15.0
    """Silence after which a comment is sent. nginx cuts after 60, AWS load balancers after 60, Heroku after 55."""
    send_timeout: float = 60.0
    """How long one send to a viewer may take; then the viewer counts as gone."""
    viewer_buffer: int = 256 * 1024
    """Bytes that may wait for a slow viewer before the turn is held back."""
    shutdown_grace: float = 5.0
    """How long turns may go on saving when the server stops."""
    replay: float = 60.0
    """How long a finished turn still answers requests with the same ``Idempotency-Key``."""

    handle_signals: bool = True
    """End streams on SIGTERM and SIGINT, then let the server's own handler run. Servers such as uvicorn wait for open
    streams before they tell the app that they stop."""
    cors_origins: Sequence[str] = ()
    """Origins of pages that may use the endpoint, handed to Starlette's CORSMiddleware; ``("*",)`` is any.
    For ``ChatKitApp``, in a mount or the middleware too. A framework's adapter refuses it (``ValueError``): there the
    framework's own CORS answers, for preflights and refusals too (docs/deploying.md)."""
    cors_credentials: bool = False
    """Whether those pages may send cookies."""
    clock: Callable[[], datetime] = utc_now
    """Aware UTC time of what is created here."""

    def __post_init__(self) -> None:
        for name in _COUNTS:
            self._check_number(name, int, "an int")
        for name in _TIMES:
            self._check_number(name, int | float, "a number of seconds")
        for name, policies in _POLICIES.items():
            if getattr(self, name) not in policies:
                raise ValueError(
                    f"{name} is one of {', '.join(policies)}, not {getattr(self, name)!r}"
                )
        for name in ("handle_signals", "cors_credentials"):
            if not isinstance(value := getattr(self, name), bool):
                raise TypeError(f"{name} is True or False, not {value!r}")
        if not callable(cast("Any", self.clock)):
            raise TypeError(f"clock is a function that tells the time, not {self.clock!r}")
        for name in ("cors_origins", "page_actions"):
            self._check_list(name)
        for origin in self.cors_origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    "cors_origins are origins as browsers say them, such as 'https://my.app' or "
                    f"'http://localhost:3000' (scheme and host in lower case, no path, no slash at the end), or '*'; "
                    f"{origin!r} never matches"
                )
        if self.page_size > self.max_page_size:
            raise ValueError(
                f"page_size is more than max_page_size: {self.page_size} and {self.max_page_size}"
            )
        if self.cors_credentials and "*" in self.cors_origins:
            raise ValueError(
                "cors_credentials needs named cors_origins: '*' would open every account to every page"
            )

    def _check_number(self, name: str, kinds: Any, said: str) -> None:
        value = getattr(self, name)
        unlimited = name in _UNLIMITED
        if unlimited:
            if value is None:
                return
            said += ", or None for no limit"
        if not isinstance(value, kinds) or isinstance(value, bool):
            raise TypeError(f"{name} is {said}, not {value!r}")
        if name in _FROM_ZERO:
            if not value >= 0:
                raise ValueError(f"{name} must not be less than 0, not {value!r}")
        elif not value > 0:
            limit = ", or None for no limit" if unlimited else ""
            raise ValueError(f"{name} must be more than 0{limit}, not {value!r}")

    def _check_list(self, name: str) -> None:
        value = getattr(self, name)
        if isinstance(value, str):
            raise ValueError(f"{name} is a list: [{value!r}], not a str")
        if not isinstance(value, Collection):
            raise TypeError(f"{name} is a list of str, not {value!r}")
        for each in cast("Collection[Any]", value):
            if not isinstance(each, str):
                raise TypeError(f"{name} is a list of str; {each!r} in it is none")


DEFAULT_OPTIONS = Options()
