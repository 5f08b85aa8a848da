"""Pictures of products: what was uploaded is decoded and encoded again before anybody gets it."""

import hashlib
import struct
import zlib
from io import BytesIO
from typing import IO

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image, ImageOps

from products.errors import ImageTooLarge, InvalidImage

MAX_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 40_000_000  # a phone's best picture; decoded it takes 160 MB at most
MAX_SIDE = 2_000  # what is kept: more than a page shows

_EXTENSIONS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}

# What Pillow raises for files that are broken, or built to break it.
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    TypeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


def store_image(upload: IO[bytes]) -> str:
    """Keep the uploaded picture under the digest of its content; return its path on this site.

    Raises ImageTooLarge over 5 MB, InvalidImage for what is no JPEG, PNG or WebP. A file that no
    product names in the end does no harm: the same picture would be kept under the same name.
    """
    content, extension = reencode(upload)
    digest = hashlib.sha256(content).hexdigest()
    name = f"products/{digest[:2]}/{digest}.{extension}"
    if not default_storage.exists(name):
        name = default_storage.save(name, ContentFile(content))
    return f"{settings.MEDIA_URL}{name}"


def reencode(upload: IO[bytes]) -> tuple[bytes, str]:
    """The picture's pixels, encoded afresh and without metadata, and the file's extension.

    Raises as store_image does.
    """
    raw = upload.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise ImageTooLarge
    try:
        with Image.open(BytesIO(raw), formats=list(_EXTENSIONS)) as picture:
            # The header tells the size: a bomb is refused before a pixel of it is decoded.
            if picture.width * picture.height > MAX_PIXELS:
                raise InvalidImage
            return _encode(picture, str(picture.format))
    except _BROKEN as error:
        raise InvalidImage from error


def _encode(picture: Image.Image, picture_format: str) -> tuple[bytes, str]:
    """Decode the first frame, turned as its metadata says, and write its pixels alone."""
    picture.load()
    upright = ImageOps.exif_transpose(picture)
    keeps_alpha = picture_format != "JPEG" and upright.has_transparency_data
    pixels = upright.convert("RGBA" if keeps_alpha else "RGB")
    pixels.thumbnail((MAX_SIDE, MAX_SIDE))
    pixels.info.clear()  # colour profiles and comments would be written otherwise
    encoded = BytesIO()
    pixels.save(encoded, format=picture_format, quality=85)
    return encoded.getvalue(), _EXTENSIONS[picture_format]
