"""Links that need no other credentials: signed, expiring, for one file of one owner and one use.

A link's last part is ``kind.owner.id.expires.mac``. The MAC is over the text as it stands and compared as text, so no
other text is the same link. Whoever has the link has the file until it expires.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import Final, Literal, NamedTuple, cast

from ...errors import Forbidden

__all__ = ["MIN_KEY", "Link", "LinkKind", "Links"]

LinkKind = Literal["upload", "download", "preview"]

MIN_KEY: Final = 16
"""Bytes of a key at least: 128 bits, which nobody guesses."""

_FORM: Final = re.compile(
    r"((upload|download|preview)\.([0-9a-f]{40})\.([A-Za-z0-9_-]{1,64})\.([0-9]{1,12}))\.([0-9a-f]{64})"
)
_PURPOSE: Final = b"chatkit-asgi attachment link 1\0"


class Link(NamedTuple):
    """What a link says."""

    kind: LinkKind
    folder: str
    """Whose: the name of the owner's folder, which does not tell who that is."""
    id: str
    expires: int
    """Seconds since 1970."""


class Links:
    """Makes and reads links.

    Args:
        keys: Secrets, newest first: the first signs, each is good for reading. To rotate, put a new one in front and
            drop the old one when its links have expired.
        clock: Seconds since 1970.

    Raises:
        ValueError: No key, or one that is too short.
    """

    def __init__(self, keys: Sequence[str | bytes], clock: Callable[[], float] = time.time) -> None:
        self._keys = [key.encode() if isinstance(key, str) else bytes(key) for key in keys]
        self._clock = clock
        if not self._keys or any(len(key) < MIN_KEY for key in self._keys):
            raise ValueError(f"keys need at least one secret, each of {MIN_KEY} bytes or more")

    def sign(self, kind: LinkKind, folder: str, id: str, life: float) -> str:
        """The last part of a link that is good for ``life`` to twice that many seconds.

        Within ``life`` seconds the link of one file stays the same, so that browsers need not load a picture again.
        """
        period = max(int(life), 1)
        expires = (int(self._clock()) // period + 2) * period
        text = f"{kind}.{folder}.{id}.{expires}"
        return f"{text}.{_mac(self._keys[0], text)}"

    def read(self, token: str) -> Link:
        """What the link says.

        Raises:
            Forbidden: It was not made here, was changed (``invalid_link``), or has expired (``expired_link``).
        """
        from hmac import compare_digest

        found = _FORM.fullmatch(token)
        if found is None or not any(
            compare_digest(found[6], _mac(key, found[1])) for key in self._keys
        ):
            raise Forbidden("This link is not valid.", code="invalid_link")
        link = Link(cast("LinkKind", found[2]), found[3], found[4], int(found[5]))
        if link.expires <= self._clock():
            raise Forbidden("This link has expired.", code="expired_link")
        return link


def _mac(key: bytes, text: str) -> str:
    import hmac  # loads OpenSSL, which an import of this library should not

    return hmac.new(key, _PURPOSE + text.encode(), "sha256").hexdigest()
