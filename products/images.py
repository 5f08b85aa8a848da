"""Pictures of products: what was uploaded is decoded and encoded again before anybody gets it."""

import re
import secrets
import struct
import warnings
import zlib
from collections.abc import Iterable, Set
from functools import partial
from io import BytesIO
from threading import BoundedSemaphore
from typing import IO

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Length
from PIL import Image, ImageOps

from products.errors import ImageTooLarge, InvalidImage
from products.models import Product

MAX_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 24_000_000  # a good camera's picture; decoded it takes 96 MB at most
MAX_SIDE = 2_000  # what is kept: more than a page shows

_EXTENSIONS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}
_OWN_FILE = re.compile(r"products/[0-9a-f]{2}/[0-9a-f]{64}\.(?:jpg|png|webp)")

_GIVEN_LENGTHS = [
    len(f"{settings.MEDIA_URL}products/00/.{extension}") + 64 for extension in ("jpg", "webp")
]

# Some kilobytes decode to hundreds of megabytes: a process has room for one such picture.
_ROOM = BoundedSemaphore(1)

# In these modes the shrinking of a picture blends its pixels, as it should.
_BLENDING = {"L", "LA", "RGB", "RGBA", "CMYK", "YCbCr"}

# What Pillow raises for files that are broken, or built to break it.
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    TypeError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
warnings.simplefilter("error", Image.DecompressionBombWarning)  # refused, not written to the log


def store_image(upload: IO[bytes]) -> str:
    """Keep the uploaded picture in a file of its own; return its path on this site.

    Raises ImageTooLarge over 5 MB, InvalidImage for what is no JPEG, PNG or WebP. Every upload gets
    a new name: a file that discard_image deletes cannot be one that is being uploaded again.
    """
    with _ROOM:
        content, extension = reencode(upload)
    name = secrets.token_hex(32)
    name = default_storage.save(f"products/{name[:2]}/{name}.{extension}", ContentFile(content))
    return f"{settings.MEDIA_URL}{name}"


def discard_image(image_url: str) -> None:
    """Delete the file behind a URL if it was uploaded, and no product names it any more."""
    discard_images([image_url])


def discard_images(image_urls: Iterable[str]) -> None:
    """Delete the files behind these URLs that were uploaded and that no product names any more."""
    # Sellers may name any path: nothing is deleted but what store_image could have written.
    names = {name for url in image_urls if (name := _own_name(url))}
    if names:
        for name in names - _names_in_use(names):
            default_storage.delete(name)


def _own_name(image_url: str) -> str | None:
    found = _OWN_FILE.search(image_url)
    return found[0] if found and image_url == settings.MEDIA_URL + found[0] else None


def _names_in_use(names: Set[str]) -> Set[str]:
    """Those of the names that products have: as the path that we gave, or within another URL."""
    paths = {settings.MEDIA_URL + name for name in names}
    # By its length: with anything before or behind it is another URL, of which there are few.
    given = Q(image_url__startswith=f"{settings.MEDIA_URL}products/", length__in=_GIVEN_LENGTHS)
    others = Q(image_url__contains="products/") & ~given
    products = Product.objects.annotate(length=Length("image_url"))
    naming = products.filter(Q(image_url__in=paths) | others)
    urls = naming.values_list("image_url", flat=True).iterator()
    return {found[0] for url in urls if (found := _OWN_FILE.search(url))} & names


def discard_replaced(changes: Iterable[tuple[str, str]]) -> None:
    """Delete the files behind products' old URLs after the commit: (the old one, the one now).

    What is rolled back keeps its picture. A disk that fails is logged.
    """
    left = [before for before, after in changes if before and before != after]
    if left:
        transaction.on_commit(partial(discard_images, left), robust=True)


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
    picture.draft(None, (MAX_SIDE, MAX_SIDE))  # a JPEG is decoded at half its size, or less
    picture.load()
    keeps_alpha = picture_format != "JPEG" and picture.has_transparency_data
    mode = "RGBA" if keeps_alpha else "RGB"
    pixels = _shrink(picture, mode)
    ImageOps.exif_transpose(pixels, in_place=True)
    if pixels.mode != mode:
        pixels = pixels.convert(mode)
    pixels.info.clear()  # colour profiles and comments would be written otherwise
    encoded = BytesIO()
    pixels.save(encoded, format=picture_format, quality=85)
    return encoded.getvalue(), _EXTENSIONS[picture_format]


def _shrink(picture: Image.Image, mode: str) -> Image.Image:
    """The picture within MAX_SIDE; brought to the mode before if its own cannot be blended.

    The large copy is gone when it returns.
    """
    pixels = picture
    if picture.mode not in _BLENDING or "transparency" in picture.info:
        pixels = picture.convert(mode)
        picture.close()
    pixels.thumbnail((MAX_SIDE, MAX_SIDE))
    return pixels
