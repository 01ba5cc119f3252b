"""Attachment stores that come with the library: bytes that are checked, kept by owner, and served by signed links.

:mod:`.files` is the store; :mod:`.disk` and :mod:`.s3` are the places where it keeps its files. :mod:`.checks`,
:mod:`.previews`, :mod:`.names` and :mod:`.links` are what makes it safe. Knows nothing of HTTP, which is
:mod:`chatkit_asgi.files`.
"""

from .checks import ACCEPTED, AttachmentLimits
from .files import FileAttachmentStore, FileStoreOptions, Scanned, Stored, Verdict

__all__ = [
    "ACCEPTED",
    "AttachmentLimits",
    "FileAttachmentStore",
    "FileStoreOptions",
    "Scanned",
    "Stored",
    "Verdict",
]
