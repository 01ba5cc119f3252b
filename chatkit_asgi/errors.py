"""Every exception, and the one place where an exception becomes an answer.

::

    ChatKitError
    ├── RequestError              the client's mistake, answered with a status of its own
    │   ├── BadRequest            400  undecodable, ill-typed or impossible
    │   ├── Unauthorized          401
    │   ├── Forbidden             403
    │   ├── NotFoundError         404  unknown, or somebody else's
    │   ├── MethodNotAllowed      405
    │   ├── Conflict              409  already answered, or another turn is running
    │   ├── TooLarge              413
    │   ├── UnsupportedMediaType  415
    │   └── TooManyRequests       429
    ├── AuthorError               the author's mistake: wrong registration, wrong value from a hook
    │   ├── HookMissing           501  the request needs a hook that the server does not have
    │   └── WidgetTemplateError   a template that is not one, or data that does not fit it
    └── StoreError                the store failed
    BaseStreamError               raised by a handler to choose the stream's ``error`` event
    ├── StreamError
    └── CustomStreamError

May import the standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, ClassVar, Final, NamedTuple, cast

__all__ = [
    "AuthorError",
    "BadRequest",
    "BaseStreamError",
    "ChatKitError",
    "Conflict",
    "CustomStreamError",
    "ErrorCode",
    "Failure",
    "Forbidden",
    "HookMissing",
    "MethodNotAllowed",
    "NotFoundError",
    "RequestError",
    "StoreError",
    "StreamError",
    "StreamFailure",
    "TooLarge",
    "TooManyRequests",
    "Unauthorized",
    "UnsupportedMediaType",
    "WidgetTemplateError",
    "failure_of",
    "stream_failure_of",
]


class ChatKitError(Exception):
    """Base of what this library raises."""


class RequestError(ChatKitError):
    """The client's mistake.

    Args:
        message: For a person who debugs the client. Sent as it is, so no secrets.
        code: For programs; the class has a default.
        path: Where in the request, in msgspec's form (``$.params.thread_id``).
        headers: More headers of the answer, for example ``{"retry-after": "1"}``.
    """

    status: ClassVar[int] = 400
    default_code: ClassVar[str] = "bad_request"

    def __init__(
        self,
        message: str = "",
        *,
        code: str | None = None,
        path: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message or self.default_code.replace("_", " ")
        self.code = code or self.default_code
        self.path = path
        self.headers = headers or {}


class BadRequest(RequestError, ValueError):
    """400: the body cannot be decoded, does not fit, or asks for something impossible."""


class Unauthorized(RequestError):
    """401: raise it from ``context`` when nobody is signed in."""

    status = 401
    default_code = "unauthorized"


class Forbidden(RequestError):
    """403: raise it from ``context`` or a hook when this person may not do this."""

    status = 403
    default_code = "forbidden"


class NotFoundError(RequestError):
    """404: no such thread, item or attachment, or somebody else's."""

    status = 404
    default_code = "not_found"


class MethodNotAllowed(RequestError):
    """405: the endpoint takes POST only."""

    status = 405
    default_code = "method_not_allowed"


class Conflict(RequestError):
    """409: the thing is no longer in the state that the request needs."""

    status = 409
    default_code = "conflict"


class TooLarge(RequestError):
    """413: over one of the named limits of :class:`~chatkit_asgi.options.Options`."""

    status = 413
    default_code = "too_large"


class UnsupportedMediaType(RequestError):
    """415: the body says that it is something other than JSON."""

    status = 415
    default_code = "unsupported_media_type"


class TooManyRequests(RequestError):
    """429: over the limit of running turns."""

    status = 429
    default_code = "too_many_requests"


class AuthorError(ChatKitError):
    """The author's mistake: a wrong registration, or a hook that returned something impossible."""


class HookMissing(AuthorError, NotImplementedError):
    """501: the request needs a hook, handler or store that the server does not have."""


class WidgetTemplateError(AuthorError, ValueError):
    """A widget template is broken, its data does not fit, or what it makes is no widget.

    The text names the file and the place, a line or a JSON path; it holds nothing of the data.
    """

    rendered: str | None = None
    """What the template made, if that is what is wrong."""


class StoreError(ChatKitError):
    """The store failed: the database is gone, full, locked or damaged. The cause is chained."""


class ErrorCode(str, Enum):  # noqa: UP042 (the reference's bases)
    """Codes that the client has a text for. Not closed: any string may be sent."""

    STREAM_ERROR = "stream.error"


class BaseStreamError(Exception):
    """Raised by a handler to choose the ``error`` event of its stream."""

    allow_retry: bool


class StreamError(BaseStreamError):
    """Ends the stream with a code that the client translates.

    Args:
        code: The code to send.
        allow_retry: Whether the client offers a retry; ``None`` takes the code's default (``True``).
    """

    def __init__(self, code: ErrorCode | str, *, allow_retry: bool | None = None) -> None:
        super().__init__(code.value if isinstance(code, ErrorCode) else str(code))
        self.code = code
        self.status_code = 500
        self.allow_retry = True if allow_retry is None else allow_retry


class CustomStreamError(BaseStreamError):
    """Ends the stream with a text that the person sees as it is."""

    def __init__(self, message: str, *, allow_retry: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.allow_retry = allow_retry


class Failure(NamedTuple):
    """What an exception is answered with before a stream has begun."""

    status: int
    code: str
    message: str
    path: str | None = None
    headers: dict[str, str] = {}


_NONE: Final = object()
_OURS: Final = frozenset({"content-type", "content-length", "transfer-encoding", "x-request-id"})
_HEADER: Final = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
_NOT_IN_HEADERS: Final = re.compile(r"[^\t\x20-\x7e\xa0-\xff]")


def failure_of(error: BaseException) -> Failure:
    """The answer to ``error``. Of an unexpected exception it reveals nothing; a framework's HTTP exception keeps its
    status, text and headers."""
    match error:
        case RequestError():
            # A subclass may not have called its base, or may have been given something other than text.
            code = str(getattr(error, "code", error.default_code))
            message = str(getattr(error, "message", error.default_code.replace("_", " ")))
            path = getattr(error, "path", None)
            headers = _sendable(getattr(error, "headers", None))
            return Failure(
                error.status, code, message, None if path is None else str(path), headers
            )
        case HookMissing():
            return Failure(501, "not_implemented", str(error))
        case CustomStreamError():
            return Failure(500, "custom", str(getattr(error, "message", error)))
        case _:
            return _framework_failure(error) or Failure(
                500, "internal_error", "The server failed to answer this request."
            )


def _framework_failure(error: BaseException) -> Failure | None:
    """The answer to a web framework's own HTTP exception, recognised by its shape, so no framework is imported.

    Starlette, FastAPI and Litestar have ``status_code``, ``detail`` and ``headers``; Werkzeug, and so Quart, ``code``,
    ``description`` and a ``get_response``. Their authors meant the text for the client.
    """
    status, detail = getattr(error, "status_code", None), getattr(error, "detail", _NONE)
    if hasattr(error, "get_response"):
        status, detail = getattr(error, "code", None), getattr(error, "description", _NONE)
    # Without ``detail`` it is something else: a model library's exception, whose status is that of another server.
    if detail is _NONE or isinstance(error, BaseStreamError):
        return None
    if not isinstance(status, int) or not 400 <= status <= 599:
        return None
    ours = [each for each in RequestError.__subclasses__() if each.__module__ == __name__]
    codes = {each.status: each.default_code for each in ours}
    code = "internal_error" if status >= 500 else codes.get(status, "http_error")
    message = detail if isinstance(detail, str) and detail else code.replace("_", " ")
    return Failure(int(status), code, message, None, _sendable(getattr(error, "headers", None)))


def _sendable(headers: Any) -> dict[str, str]:
    """An exception's headers as they may be sent: names in lower case, without those that the answer sets itself.
    Values may repeat what a request said, so what would end the line or is not Latin-1 is replaced."""
    if not isinstance(headers, Mapping):
        return {}
    given = cast("Mapping[Any, Any]", headers)
    named = {str(name).lower(): str(value) for name, value in given.items()}
    return {
        name: _NOT_IN_HEADERS.sub("?", value)
        for name, value in named.items()
        if _HEADER.fullmatch(name) and name not in _OURS
    }


class StreamFailure(NamedTuple):
    """The ``error`` event that an exception ends a stream with."""

    code: str
    message: str | None
    allow_retry: bool


def stream_failure_of(error: BaseException) -> StreamFailure:
    """The ``error`` event for ``error`` (semantics.md section 4.1). Of an unexpected exception it reveals nothing.

    Never fails: a turn that ends is saved whatever its author has put into the exception.
    """
    retry = bool(getattr(error, "allow_retry", True))
    match error:
        case CustomStreamError():
            return StreamFailure("custom", str(getattr(error, "message", error)), retry)
        case StreamError():
            code = getattr(error, "code", ErrorCode.STREAM_ERROR)
            return StreamFailure(
                code.value if isinstance(code, ErrorCode) else str(code), None, retry
            )
        case _:
            return StreamFailure(ErrorCode.STREAM_ERROR.value, None, True)
