"""A place for files: what an attachment store needs of a disk or of an object store.

Everything here blocks; :mod:`.files` calls it in worker threads. Keys are slash-separated and made by :mod:`.files`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

__all__ = ["Blobs"]


class Blobs(Protocol):
    """Blobs by key.

    Missing keys raise ``FileNotFoundError``, every other failure ``OSError``.
    """

    @property
    def spool(self) -> str | None:
        """The directory for files on their way in, to be moved; ``None`` for the system's, to be copied."""
        ...

    def read(self, key: str) -> bytes:
        """A small blob."""
        ...

    def write(self, key: str, data: bytes) -> None:
        """Make or replace a small blob: after a crash the old one or the new one is there, whole."""
        ...

    def take(self, key: str, path: str) -> None:
        """Make a blob of a local file, durably. The file may be moved away."""
        ...

    def open(self, key: str, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from ``start`` to ``stop``, in pieces. Closing the iterator gives back what it holds."""
        ...

    def size(self, key: str) -> int:
        """Bytes of a blob."""
        ...

    def delete(self, folder: str) -> None:
        """Delete every blob below ``folder/``; does nothing where there is none."""
        ...

    def delete_one(self, key: str) -> None:
        """Delete a blob; does nothing where there is none."""
        ...

    def tidy(self, before: float) -> None:
        """Delete files in ``spool`` older than ``before`` (seconds since 1970): leftovers of uploads whose process
        died."""
        ...

    def folders(self, folder: str) -> Iterator[str]:
        """The names of the folders right below ``folder`` (``""`` is the top)."""
        ...

    def usage(self, folder: str) -> tuple[int, int]:
        """How many folders are right below ``folder``, and how many bytes are in them."""
        ...
