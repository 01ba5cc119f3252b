"""Files over HTTP: uploads, downloads and previews below the endpoint's ``attachments/``.

:mod:`.routes` decides what is answered, :mod:`.multipart` reads forms and :mod:`.ranges` answers for a part of a file
or for one that the client has already. Loaded when the server's attachment store serves files.
"""

from .routes import attachment_route

__all__ = ["attachment_route"]
