"""Attachments in a directory."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Unpack

from ..base import Store, TContext
from .files import FileAttachmentStore, FileStoreOptions

__all__ = ["DiskAttachmentStore", "DiskFileStore"]

PIECE: Final = 256 * 1024
"""Bytes that are read at a time."""


class DiskAttachmentStore(FileAttachmentStore[TContext]):
    """Attachments in a directory of this machine, or one that several share.

    Args:
        path: The directory; made when missing. Nobody but the server needs to read it.
        url: Where browsers find the endpoint, for example ``https://my.app/chatkit``.
        keys: Secrets that sign links. Default: one that is made at first use and kept in the directory.
        options: See :class:`~chatkit_asgi.store.attachments.FileAttachmentStore`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        url: str,
        keys: Sequence[str | bytes] | None = None,
        **options: Unpack[FileStoreOptions[TContext]],
    ) -> None:
        blobs = _Directory(Path(path))
        super().__init__(blobs, url=url, keys=[blobs.key()] if keys is None else keys, **options)


class DiskFileStore(DiskAttachmentStore[TContext]):
    """The name and the arguments of OpenAI's custom-server guide.

    Args:
        store: The server's store.
        path: The directory.
        url: Where browsers find the endpoint.
        keys: See :class:`DiskAttachmentStore`.
        options: See :class:`DiskAttachmentStore`.
    """

    def __init__(
        self,
        store: Store[TContext],
        path: str | os.PathLike[str] = "chatkit-files",
        *,
        url: str = "http://127.0.0.1:8000/chatkit",
        keys: Sequence[str | bytes] | None = None,
        **options: Unpack[FileStoreOptions[TContext]],
    ) -> None:
        super().__init__(path, url=url, keys=keys, **options)
        self.bind(store)


class _Directory:
    """Blobs as files. What is read was written whole: files come by being renamed."""

    def __init__(self, path: Path) -> None:
        self._incoming = path / "incoming"
        self._files = path / "files"
        for each in (self._incoming, self._files):
            each.mkdir(parents=True, exist_ok=True)
        self._key = path / "key"
        self.spool: str | None = os.fspath(self._incoming)

    def key(self) -> str:
        """The secret that is kept here; of several processes that make it at once, one makes it."""
        if not self._key.exists():
            handle, path = tempfile.mkstemp(dir=self._incoming)
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_hex(32))
            with suppress(FileExistsError):
                os.link(path, self._key)
            os.unlink(path)
        return self._key.read_text()

    def read(self, key: str) -> bytes:
        return (self._files / key).read_bytes()

    def write(self, key: str, data: bytes) -> None:
        handle, path = tempfile.mkstemp(dir=self._incoming)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            self.take(key, path)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(path)

    def take(self, key: str, path: str) -> None:
        place = self._files / key
        new = not place.parent.exists()
        place.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "rb") as file:
            os.fsync(file.fileno())
        os.replace(path, place)
        _sync(place.parent)
        if new:
            _sync(place.parent.parent)
            _sync(self._files)

    def open(self, key: str, start: int, stop: int) -> Iterator[bytes]:
        with open(self._files / key, "rb", buffering=0) as file:
            file.seek(start)
            while start < stop and (piece := file.read(min(PIECE, stop - start))):
                start += len(piece)
                yield piece

    def size(self, key: str) -> int:
        return (self._files / key).stat().st_size

    def delete(self, folder: str) -> None:
        """Out of sight first, at once and whole."""
        gone = tempfile.mkdtemp(dir=self._incoming)
        try:
            os.replace(self._files / folder, os.path.join(gone, "deleted"))
        except FileNotFoundError:
            pass
        finally:
            shutil.rmtree(gone, ignore_errors=True)

    def delete_one(self, key: str) -> None:
        (self._files / key).unlink(missing_ok=True)

    def tidy(self, before: float) -> None:
        with os.scandir(self._incoming) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    if entry.stat().st_mtime >= before:
                        continue
                    if entry.is_dir():
                        shutil.rmtree(entry, ignore_errors=True)
                    else:
                        os.unlink(entry)

    def folders(self, folder: str) -> Iterator[str]:
        try:
            with os.scandir(self._files / folder) as entries:
                yield from [entry.name for entry in entries if entry.is_dir()]
        except FileNotFoundError:
            return

    def usage(self, folder: str) -> tuple[int, int]:
        count = size = 0
        for name in self.folders(folder):
            count += 1
            with suppress(FileNotFoundError), os.scandir(self._files / folder / name) as entries:
                size += sum(entry.stat().st_size for entry in entries)
        return count, size


def _sync(directory: Path) -> None:
    """Let the directory's new entry outlive a loss of power, where the system can."""
    if os.name == "posix":
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
