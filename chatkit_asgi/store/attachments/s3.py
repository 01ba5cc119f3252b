"""Attachments in S3, or in anything that speaks like it: MinIO, SeaweedFS, R2.

Bytes go through obstore (``chatkit-asgi[s3]``). Links are signed here, because a link must bind more than obstore's do:
the method, the media type, the length, the name under which a browser saves, and the time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime
from typing import Any, Final, Unpack
from urllib.parse import quote, urlsplit

from ...errors import Conflict, NotFoundError
from ...types import AttachmentUploadDescriptor
from ..base import TContext
from .checks import harmless
from .files import FileAttachmentStore, FileStoreOptions, Stored, folder_of, place_of
from .names import content_disposition

__all__ = ["S3AttachmentStore", "presign"]

PIECE: Final = 1024 * 1024
"""Bytes that are read at a time."""

MAX_LIFE: Final = 7 * 24 * 3600
"""Seconds that S3 lets a signed link live."""


class S3AttachmentStore(FileAttachmentStore[TContext]):
    """Attachments in a bucket. Files come in by way of a local temporary file, where they are checked.

    In a two-phase upload browsers send the bytes to the bucket themselves, by a link that takes this one file only, and
    save files from there; the bucket's CORS rules must allow ``PUT`` from the page. With ``direct=False`` everything
    goes through the app.

    Args:
        bucket: Its name.
        url: Where browsers find the endpoint, for example ``https://my.app/chatkit``.
        keys: Secrets that sign the app's own links, newest first; the same in every process.
        endpoint: The server, for what is not AWS: ``https://minio.my.app``.
        region: Its region.
        access_key: Default: ``AWS_ACCESS_KEY_ID``.
        secret_key: Default: ``AWS_SECRET_ACCESS_KEY``.
        session_token: Default: ``AWS_SESSION_TOKEN``.
        prefix: Before every key.
        direct: Whether browsers talk to the bucket.
        options: See :class:`~chatkit_asgi.store.attachments.FileAttachmentStore`.

    Raises:
        ValueError: No credentials.
    """

    def __init__(
        self,
        bucket: str,
        *,
        url: str,
        keys: Sequence[str | bytes],
        endpoint: str | None = None,
        region: str = "us-east-1",
        access_key: str | None = None,
        secret_key: str | None = None,
        session_token: str | None = None,
        prefix: str = "chatkit",
        direct: bool = True,
        **options: Unpack[FileStoreOptions[TContext]],
    ) -> None:
        access_key = access_key or os.environ.get("AWS_ACCESS_KEY_ID")
        secret_key = secret_key or os.environ.get("AWS_SECRET_ACCESS_KEY")
        if not access_key or not secret_key:
            raise ValueError("give access_key and secret_key, or set AWS_ACCESS_KEY_ID and so on")
        session_token = session_token or os.environ.get("AWS_SESSION_TOKEN")
        # A bucket's name is part of the host on AWS, where it has no dots, and of the path elsewhere.
        if endpoint is None and "." not in bucket:
            base = f"https://{bucket}.s3.{region}.amazonaws.com"
        else:
            base = f"{(endpoint or f'https://s3.{region}.amazonaws.com').rstrip('/')}/{bucket}"
        self._credentials = (access_key, secret_key, session_token, region)
        self._base = f"{base}/{prefix.strip('/')}".rstrip("/")
        self._direct = direct
        blobs = _Bucket(
            bucket,
            prefix=prefix,
            endpoint=endpoint,
            region=region,
            access_key_id=access_key,
            secret_access_key=secret_key,
            session_token=session_token,
        )
        super().__init__(blobs, url=url, keys=keys, **options)

    async def direct_download_url(self, attachment_id: str, context: TContext) -> str:
        """A link to the file in the bucket, under its name, which browsers save and never show.

        Raises:
            NotFoundError: There is no such file, or its bytes are not there.
            Conflict: It waits for the scanner.
        """
        stored = await self._load_ready(attachment_id, context)
        return self._presigned(
            "GET",
            f"{place_of(folder_of(stored.owner), stored.id)}/{stored.data}",
            query={
                "response-content-disposition": content_disposition("attachment", stored.name),
                "response-content-type": harmless(stored.mime_type),
            },
        )

    def _descriptor(self, stored: Stored) -> AttachmentUploadDescriptor:
        if not self._direct:
            return super()._descriptor(stored)
        kind = stored.mime_type or "application/octet-stream"
        url = self._presigned(
            "PUT",
            f"{place_of(folder_of(stored.owner), stored.id)}/incoming",
            headers={"content-type": kind, "content-length": str(stored.size)},
        )
        return AttachmentUploadDescriptor(url=url, method="PUT", headers={"content-type": kind})

    async def _arrived(self, place: str) -> Stored:
        """Bytes that a browser has sent to the bucket are taken in like any others: copied, checked, kept."""
        stored = await super()._arrived(place)
        if stored.state != "awaited" or not self._direct:
            return stored
        key = f"{place}/incoming"
        try:
            size = await self._run(self._blobs.size, key)
            async with aclosing(self._chunks(key, 0, size)) as chunks:
                return await self._receive(stored, chunks, stored.size)
        except (Conflict, NotFoundError):  # nothing has come, or somebody else who asks was faster
            return await super()._arrived(place)

    def _presigned(
        self,
        method: str,
        key: str,
        *,
        headers: Mapping[str, str] = {},
        query: Mapping[str, str] = {},
    ) -> str:
        access_key, secret_key, token, region = self._credentials
        return presign(
            method,
            f"{self._base}/{quote(key)}",
            access_key=access_key,
            secret_key=secret_key,
            session_token=token,
            region=region,
            expires=min(int(self._life), MAX_LIFE),
            headers=headers,
            query=query,
            clock=self._clock,
        )


def presign(
    method: str,
    url: str,
    *,
    access_key: str,
    secret_key: str,
    region: str,
    expires: int,
    session_token: str | None = None,
    headers: Mapping[str, str] = {},
    query: Mapping[str, str] = {},
    clock: Callable[[], float] = time.time,
) -> str:
    """A link that needs no other credentials (AWS Signature Version 4, "Authenticating Requests: Using Query
    Parameters").

    Args:
        method: The one that the link is good for.
        url: The object, its path encoded.
        access_key: Who signs.
        secret_key: With what.
        region: Of the bucket.
        expires: Seconds.
        session_token: Of temporary credentials.
        headers: Names in lower case; the request must have exactly these.
        query: More parameters, which are bound too.
        clock: Seconds since 1970.
    """
    import hashlib
    import hmac

    host, path = urlsplit(url).netloc, urlsplit(url).path
    now = datetime.fromtimestamp(clock(), UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{now[:8]}/{region}/s3/aws4_request"
    bound = {"host": host, **headers}
    names = ";".join(sorted(bound))
    parameters = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{access_key}/{scope}",
        "X-Amz-Date": now,
        "X-Amz-Expires": str(expires),
        "X-Amz-SignedHeaders": names,
        **({"X-Amz-Security-Token": session_token} if session_token else {}),
        **query,
    }
    asked = "&".join(
        f"{quote(name, safe='')}={quote(value, safe='')}"
        for name, value in sorted(parameters.items())
    )
    lines = "".join(f"{name}:{' '.join(bound[name].split())}\n" for name in sorted(bound))
    canonical = f"{method}\n{path}\n{asked}\n{lines}\n{names}\nUNSIGNED-PAYLOAD"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{digest}"
    key = f"AWS4{secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), "sha256").digest()
    signature = hmac.new(key, text.encode(), "sha256").hexdigest()
    return f"{url}?{asked}&X-Amz-Signature={signature}"


class _Bucket:
    """Blobs as objects. An object is there whole, or not at all."""

    spool: str | None = None

    def __init__(self, bucket: str, **config: Any) -> None:
        self._bucket = bucket
        self._config = {name: value for name, value in config.items() if value is not None}
        self._opened: Any = None

    @property
    def _store(self) -> Any:
        if self._opened is None:
            from obstore.store import S3Store

            config = dict(self._config)
            plain = config.get("endpoint", "").startswith("http://")
            self._opened = S3Store(
                self._bucket, client_options={"allow_http": plain, "timeout": "60s"}, **config
            )
        return self._opened

    def read(self, key: str) -> bytes:
        import obstore

        with _as_os_errors():
            return bytes(obstore.get(self._store, key).bytes())

    def write(self, key: str, data: bytes) -> None:
        import obstore

        with _as_os_errors():
            obstore.put(self._store, key, data)

    def take(self, key: str, path: str) -> None:
        import obstore

        with _as_os_errors(), open(path, "rb") as file:
            obstore.put(self._store, key, file, chunk_size=8 * PIECE, max_concurrency=2)

    def open(self, key: str, start: int, stop: int) -> Iterator[bytes]:
        import obstore

        if start >= stop:
            return iter(())
        with _as_os_errors():
            found = obstore.get(self._store, key, options={"range": (start, stop)})
            return _pieces(found.stream(min_chunk_size=PIECE))

    def size(self, key: str) -> int:
        import obstore

        with _as_os_errors():
            return int(obstore.head(self._store, key)["size"])

    def delete(self, folder: str) -> None:
        import obstore

        with _as_os_errors():
            for found in self._list(folder):
                obstore.delete(self._store, [each["path"] for each in found])

    def _list(self, folder: str) -> Iterator[Any]:
        from obstore import list as pages  # pyright: ignore[reportUnknownVariableType]

        return pages(self._store, folder)

    def delete_one(self, key: str) -> None:
        import obstore

        try:
            with _as_os_errors():
                obstore.delete(self._store, key)
        except FileNotFoundError:
            pass

    def tidy(self, before: float) -> None:
        """Nothing is left in the bucket; temporary files are the system's."""

    def folders(self, folder: str) -> Iterator[str]:
        from obstore import list_with_delimiter  # pyright: ignore[reportUnknownVariableType]

        with _as_os_errors():
            found: Any = list_with_delimiter(self._store, folder or None)
            yield from [each.rstrip("/").rpartition("/")[2] for each in found["common_prefixes"]]

    def usage(self, folder: str) -> tuple[int, int]:
        names: set[str] = set()
        size = 0
        with _as_os_errors():
            for found in self._list(folder):
                for each in found:
                    names.add(each["path"].rpartition("/")[0])
                    size += each["size"]
        return len(names), size


def _pieces(stream: Any) -> Iterator[bytes]:
    with _as_os_errors():
        for piece in stream:
            yield bytes(piece)


@contextmanager
def _as_os_errors() -> Generator[None]:
    """What obstore raises, as a place for blobs promises it."""
    from obstore.exceptions import BaseError

    try:
        yield
    except BaseError as error:
        raise OSError(str(error).partition("\n")[0]) from error
