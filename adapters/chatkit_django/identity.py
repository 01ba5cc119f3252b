"""Who is asking: from a Django request to the context that hooks and stores get.

Cross-site request forgery. A browser sends cookies, and credentials of HTTP authentication that it remembers, with a
request that another site's page made. So a request that may live on those must also show the CSRF token, checked by
Django's own ``CsrfViewMiddleware``: the session cookie is never enough. A request with a token in ``Authorization`` was
made by somebody who holds the token, since no page can make a browser add that header to a request to another site
without being allowed by CORS; it needs no second one. The view is ``csrf_exempt`` and the check is made here, where
the identity is needed, because the middleware cannot tell the two apart, and because a URL that is signed for an
upload carries its permission itself.
"""

from __future__ import annotations

import copy
import inspect
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse, QueryDict
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.crypto import salted_hmac
from django.utils.functional import SimpleLazyObject

from chatkit_asgi import Forbidden, RequestContext, Unauthorized
from chatkit_asgi.http import ContextCallable, ContextRequest, default_context
from chatkit_asgi.types import is_streaming_req

from .threads import leave_request_thread

__all__ = ["DjangoContext", "Identity"]

AMBIENT: Final = frozenset({"basic", "digest", "negotiate", "ntlm"})
"""Schemes of ``Authorization`` that browsers add by themselves once a person has signed in."""


class DjangoContext(RequestContext, kw_only=True):
    """The context of a Django request.

    ``user_id`` is the primary key of the user as text; for a person who was let in without signing in, it is derived
    from the session. ``locale`` is the one that ``LocaleMiddleware`` chose, where there is one.
    """

    user: Any
    """``await request.auser()``."""
    request: HttpRequest


class Identity:
    """The ``context=`` of a Django endpoint.

    Args:
        context: The author's own, called after the CSRF token has been checked. Default: :class:`DjangoContext`.
        anonymous: Whether the default lets people in who are not signed in; each session is an owner of its own.
    """

    def __init__(self, context: ContextCallable | None = None, *, anonymous: bool = False) -> None:
        self.context = context
        self.anonymous = anonymous

    async def __call__(self, request: ContextRequest) -> Any:
        """The context.

        Raises:
            Unauthorized: Nobody is signed in.
            Forbidden: The CSRF token is missing or wrong.
        """
        http: HttpRequest = request.raw
        user = await user_of(http)
        if self.context is None:
            self._check_user(user)
        await check_csrf(http, user)
        if self.context is None:
            context: Any = await self._default(request, http, user)
        else:
            context = self.context(request)
            if inspect.isawaitable(context):
                context = await context
        # What follows belongs to the turn, which may outlive the request.
        if is_streaming_req(request.request):
            leave_request_thread()
        return context

    def _check_user(self, user: Any) -> None:
        if user is None:
            raise ImproperlyConfigured(
                "ChatKit asks request.user who it is: add SessionMiddleware and AuthenticationMiddleware to "
                "MIDDLEWARE, or give a context of your own."
            )
        if not user.is_authenticated and not self.anonymous:
            raise Unauthorized("Sign in first.")

    async def _default(
        self, request: ContextRequest, http: HttpRequest, user: Any
    ) -> DjangoContext:
        plain = default_context(request)
        return DjangoContext(
            user_id=str(user.pk) if user.is_authenticated else await _session_owner(http),
            locale=getattr(http, "LANGUAGE_CODE", plain.locale),
            headers=plain.headers,
            user=user,
            request=http,
        )


async def user_of(request: HttpRequest) -> Any:
    """The user, as set by a middleware or found through the session. ``None`` without such a middleware."""
    given = getattr(request, "user", None)
    if given is not None and not isinstance(given, SimpleLazyObject):
        return given
    ask = getattr(request, "auser", None)
    return None if ask is None else await ask()


async def _session_owner(request: HttpRequest) -> str:
    """An owner for a session: a hash, because the session's key itself is a credential and must not be stored."""
    session: Any = request.session
    if session.session_key is None:
        await session.acreate()
    hashed = salted_hmac("chatkit_django.owner", str(session.session_key), algorithm="sha256")
    return f"session:{hashed.hexdigest()}"


async def check_csrf(request: HttpRequest, user: Any) -> None:
    """Refuse what another site's page may have made the browser send; see the module.

    Raises:
        Forbidden: The token is missing or wrong.
    """
    scheme = request.headers.get("Authorization", "").partition(" ")[0].lower()
    if scheme and scheme not in AMBIENT:
        return
    known = getattr(user, "is_authenticated", False)
    if not (scheme or known or settings.SESSION_COOKIE_NAME in request.COOKIES):
        return  # nothing came with it that a browser adds by itself
    # Where the secret is in the session, that may have to be loaded.
    check = _Csrf(lambda request: HttpResponse()).reason
    reason = await sync_to_async(check)(request) if settings.CSRF_USE_SESSIONS else check(request)
    if reason is not None:
        raise Forbidden(f"CSRF check failed: {reason}", code="csrf_failed")


class _Csrf(CsrfViewMiddleware):
    """Django's check, which answers with the reason instead of a page."""

    def reason(self, request: HttpRequest) -> str | None:
        """Why the request is refused, or ``None``. The token is taken from the header only: the body is not ours."""
        request = copy.copy(request)
        request.POST = QueryDict()
        self.process_request(request)
        reason: Any = self.process_view(request, None, (), {})  # type: ignore[arg-type]
        return None if reason is None else str(reason)

    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason
