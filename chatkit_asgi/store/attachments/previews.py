"""Pictures made anew: decoded within limits, turned upright, made small, written without anything else they carried.

Needs Pillow (``chatkit-asgi[attachments]`` has it). Runs in worker threads.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

from ...errors import BadRequest, TooLarge

if TYPE_CHECKING:
    from PIL.Image import Image

    from .checks import AttachmentLimits

__all__ = ["make_preview"]

_FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP")


def make_preview(path: str, limits: AttachmentLimits) -> tuple[bytes, str]:
    """The preview of an image file, and its media type: JPEG, or PNG where something is transparent.

    Of a film, the first picture.

    Raises:
        TooLarge: More pixels than ``limits.max_pixels``; found before anything is decoded.
        BadRequest: It is damaged, or no image at all (``unreadable_file``).
    """
    from PIL import Image

    try:
        with Image.open(path, formats=_FORMATS) as image:
            width, height = image.size
            if width * height > limits.max_pixels:
                raise _too_large(limits)
            return _written(_small(image, limits.preview_side))
    except TooLarge:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):  # Pillow's own limit
        raise _too_large(limits) from None
    except Exception as error:  # decoders of broken files raise whatever they meet
        raise BadRequest("The image is damaged.", code="unreadable_file") from error


def _too_large(limits: AttachmentLimits) -> TooLarge:
    return TooLarge(f"At most {limits.max_pixels} pixels.", code="image_too_large")


def _small(image: Image, side: int) -> Image:
    from PIL import ImageOps

    image.draft("RGB", (side, side))  # JPEG: decoded small, not made small afterwards
    upright = ImageOps.exif_transpose(image)
    transparent = "A" in upright.getbands() or "transparency" in upright.info
    small = upright.convert("RGBA" if transparent else "RGB")
    small.thumbnail((side, side))
    return small


def _written(image: Image) -> tuple[bytes, str]:
    from PIL import Image as Images

    bare = Images.frombytes(image.mode, image.size, image.tobytes())  # pixels, and nothing else
    out = io.BytesIO()
    if bare.mode == "RGBA":
        bare.save(out, "PNG")
        return out.getvalue(), "image/png"
    bare.save(out, "JPEG", quality=85)
    return out.getvalue(), "image/jpeg"
