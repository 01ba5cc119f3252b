"""The built files: small, few and read once."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

from ..errors import MethodNotAllowed, NotFoundError
from ..files.ranges import choose
from ..http import Request, Response

__all__ = ["is_built", "serve"]

STATIC = Path(__file__).with_name("static")

TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
}
_NAME = re.compile(r"[a-z0-9][A-Za-z0-9_-]*\.[a-z]+")
_HASHED = re.compile(r".*-[A-Z0-9]{8}\.js")
"""Names that change with their content, as esbuild makes them."""

MISSING = b"""<!doctype html><meta charset="utf-8"><title>Not built</title>
<p>The element is not in this installation. In a checkout, <code>make ui</code> builds it (needs Node 20 or newer);
released wheels contain it.</p>"""


def is_built() -> bool:
    """Whether this installation has the element."""
    return (STATIC / "chatkit.js").exists()


def serve(request: Request, name: str) -> Response:
    """Answer with a built file.

    Raises:
        NotFoundError: There is no file of that name.
        MethodNotAllowed: Something else than GET and HEAD.
    """
    if request.method not in ("GET", "HEAD"):
        raise MethodNotAllowed("Files are read with GET.", headers={"allow": "GET, HEAD"})
    if not is_built():
        return Response(status=503, headers={"content-type": TYPES[".html"]}, body=MISSING)
    found = _read(name) if _NAME.fullmatch(name) else None
    if found is None:
        raise NotFoundError(f"There is no file {name[:100]}.")
    body, etag = found
    headers = {
        "content-type": TYPES[Path(name).suffix],
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "cross-origin",
        "etag": etag,
        "cache-control": "public, max-age=31536000, immutable"
        if _HASHED.fullmatch(name)
        else "no-cache",
    }
    conditions = {key: request.headers[key] for key in ["if-none-match"] if key in request.headers}
    if choose(conditions, etag, len(body)).status == 304:
        return Response(status=304, headers=headers, body=b"")
    return Response(status=200, headers=headers, body=body)


@lru_cache(maxsize=128)
def _cached(path: Path, changed: int) -> tuple[bytes, str]:
    body = path.read_bytes()
    return body, f'"{blake2b(body, digest_size=12).hexdigest()}"'


def _read(name: str) -> tuple[bytes, str] | None:
    path = STATIC / name
    if path.suffix not in TYPES:
        return None
    try:
        return _cached(path, path.stat().st_mtime_ns)
    except OSError:
        return None
