"""Pictures: what may be uploaded, what is kept of it, and what attacks come to."""

import os
import re
import struct
import subprocess
import sys
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from rest_framework.test import APIClient

from marketplace.accounts.models import User
from products.errors import ImageTooLarge, InvalidImage
from products.images import MAX_BYTES, reencode
from products.models import Product
from tests.conftest import ClientFor
from tests.products.things import announced_types, make_product, picture


@pytest.fixture
def client(client_for: ClientFor, seller: User) -> APIClient:
    """The seller's client."""
    return client_for(seller)


def upload(client: APIClient, product: Product, content: bytes, name: str = "a.png") -> Any:
    """Send a picture in a form."""
    file = SimpleUploadedFile(name, content, content_type="image/png")
    return client.post(f"/api/products/{product.pk}/image", {"image": file}, format="multipart")


def kept_file(image_url: str) -> Path:
    """The file behind a product's imageUrl."""
    return Path(settings.MEDIA_ROOT) / image_url.removeprefix("/media/")


def png_of_size(width: int, height: int) -> bytes:
    """A PNG whose header claims a size, with hardly anything behind it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("picture_format", "extension"), [("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp")]
)
def test_it_gives_a_product_a_picture(
    client: APIClient, seller: User, picture_format: str, extension: str
) -> None:
    product = make_product(seller)

    answer = upload(client, product, picture(picture_format), "../../etc/passwd")

    assert answer.status_code == 200, answer.content
    url = answer.json()["imageUrl"]
    assert re.fullmatch(rf"/media/products/[0-9a-f]{{2}}/[0-9a-f]{{64}}\.{extension}", url)
    with Image.open(kept_file(url)) as kept:
        assert (kept.format, kept.size) == (picture_format, (8, 6))
    assert answer.json()["version"] == 2
    assert announced_types() == ["product-updated"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a" + bytes(100),
        picture("GIF"),
        picture("BMP"),
        picture("TIFF"),
        picture("JPEG")[:200],
        picture("PNG", size=(300, 300))[:100],
        picture("WEBP")[:30],
        b"\x89PNG\r\n\x1a\n" + bytes(50),
        png_of_size(6_000, 4_001),
        png_of_size(8_000, 8_000),
        png_of_size(10_000, 10_000),
        png_of_size(60_000, 60_000),
        png_of_size(0, 5),
        png_of_size(100, 100),
    ],
    ids=lambda content: f"{len(content)} bytes",
)
def test_it_refuses_what_is_no_picture(client: APIClient, seller: User, content: bytes) -> None:
    product = make_product(seller)

    answer = upload(client, product, content)

    assert answer.status_code == 400
    assert Product.objects.get(pk=product.pk).image_url == ""
    assert announced_types() == []
    assert not Path(settings.MEDIA_ROOT).exists()


@pytest.mark.django_db
def test_it_refuses_more_than_five_megabytes(client: APIClient, seller: User) -> None:
    answer = upload(client, make_product(seller), picture() + bytes(MAX_BYTES))
    assert answer.status_code == 413
    assert answer.json()["errors"][0]["code"] == "too_large"


@pytest.mark.django_db
def test_it_takes_one_file_of_a_form(client: APIClient, seller: User) -> None:
    url = f"/api/products/{make_product(seller).pk}/image"

    def file() -> SimpleUploadedFile:
        return SimpleUploadedFile("a.png", picture(), content_type="image/png")

    assert client.post(url, {"file": file()}, format="multipart").status_code == 200
    assert client.post(url, {"image": "text"}, format="multipart").status_code == 400
    two = {"image": file(), "other": file()}
    assert client.post(url, two, format="multipart").status_code == 400
    assert client.post(url, {"image": "text"}, format="json").status_code == 415


def test_it_drops_everything_but_the_pixels() -> None:
    exif = Image.Exif()
    exif[0x010F] = "SECRET maker"
    text = PngInfo()
    text.add_text("Comment", "SECRET place")
    trailer = b"<script>SECRET</script>"
    profile = b"SECRET profile" * 20
    files = [
        picture("JPEG", exif=exif, comment=b"SECRET", icc_profile=profile) + trailer,
        picture("PNG", exif=exif, pnginfo=text, icc_profile=profile) + trailer,
        picture("WEBP", exif=exif, xmp=b"SECRET", icc_profile=profile) + trailer,
    ]
    for file in files:
        kept, _extension = reencode(BytesIO(file))
        assert b"SECRET" in file
        assert b"SECRET" not in kept
        with Image.open(BytesIO(kept)) as clean:
            assert not clean.getexif()
            assert "icc_profile" not in clean.info


def test_it_turns_a_picture_as_its_metadata_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    kept, _extension = reencode(BytesIO(picture("JPEG", size=(30, 10), exif=exif)))
    with Image.open(BytesIO(kept)) as upright:
        assert upright.size == (10, 30)


def test_it_keeps_what_can_be_seen_through() -> None:
    file = BytesIO()
    Image.new("RGBA", (5, 5), (255, 0, 0, 0)).quantize().save(file, format="PNG")
    kept, _extension = reencode(BytesIO(file.getvalue()))
    with Image.open(BytesIO(kept)) as clear:
        assert clear.convert("RGBA").tobytes()[3] == 0


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_it_reads_pictures_of_any_colours(mode: str) -> None:
    file = BytesIO()
    Image.new(mode, (5, 5)).save(file, format="PNG")
    assert reencode(BytesIO(file.getvalue()))[1] == "png"
    if mode in {"L", "RGB"}:
        Image.new("CMYK", (5, 5)).save(file := BytesIO(), format="JPEG")
        assert reencode(BytesIO(file.getvalue()))[1] == "jpg"


def test_it_makes_large_pictures_smaller() -> None:
    kept, _extension = reencode(BytesIO(picture("JPEG", size=(5000, 1000))))
    with Image.open(BytesIO(kept)) as smaller:
        assert smaller.size == (2000, 400)


@pytest.mark.parametrize("picture_format", ["JPEG", "PNG", "WEBP"])
def test_it_turns_large_pictures_too(picture_format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    kept, _extension = reencode(BytesIO(picture(picture_format, size=(5000, 1000), exif=exif)))
    with Image.open(BytesIO(kept)) as smaller:
        assert smaller.size == (400, 2000)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_it_makes_pictures_of_any_colours_smaller(mode: str) -> None:
    file = BytesIO()
    Image.new(mode, (2500, 50)).save(file, format="PNG")
    with Image.open(BytesIO(reencode(BytesIO(file.getvalue()))[0])) as smaller:
        assert smaller.size == (2000, 40)


UPLOAD_AT_ONCE = """
import resource, sys, tempfile
from io import BytesIO
from threading import Thread
import django
from django.conf import settings
from PIL import Image
django.setup()
from products.errors import InvalidImage
from products.images import store_image

settings.MEDIA_ROOT = tempfile.mkdtemp(dir=sys.argv[1])
upload, bomb = sys.stdin.buffer.read().split(b"--next--")
try:
    store_image(BytesIO(bomb))
except InvalidImage:
    print("refused")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
threads = [Thread(target=store_image, args=(BytesIO(upload),)) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_it_has_room_for_one_large_picture_at_a_time(tmp_path: Path) -> None:
    # A process of its own: what it needed at most is known of the whole process alone.
    clear = BytesIO()
    Image.new("RGBA", (4_898, 4_898)).save(clear, format="PNG")
    done = subprocess.run(
        [sys.executable, "-c", UPLOAD_AT_ONCE, str(tmp_path)],
        input=clear.getvalue() + b"--next--" + png_of_size(10_000, 10_000),
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "marketplace.settings"},
        capture_output=True,
        check=True,
    )
    refused, megabytes = done.stdout.split()
    assert (refused, done.stderr) == (b"refused", b"")
    assert int(megabytes) < 350


def test_it_keeps_the_first_frame_of_several() -> None:
    frames = [Image.new("RGB", (5, 5), colour) for colour in ("red", "green")]
    for picture_format in ("PNG", "WEBP"):
        file = BytesIO()
        frames[0].save(file, format=picture_format, save_all=True, append_images=frames[1:])
        with Image.open(BytesIO(reencode(BytesIO(file.getvalue()))[0])) as kept:
            assert getattr(kept, "n_frames", 1) == 1
            red, green = kept.convert("RGB").tobytes()[:2]
            assert (red > 200, green < 60) == (True, True)


@hypothesis_settings(max_examples=300, deadline=None)
@given(
    content=st.sampled_from([picture(name, size=(40, 30)) for name in ("JPEG", "PNG", "WEBP")]),
    at=st.integers(0, 10_000),
    junk=st.binary(min_size=1, max_size=12),
)
def test_it_refuses_or_reads_whatever_was_broken(content: bytes, at: int, junk: bytes) -> None:
    at %= len(content)
    broken = content[:at] + junk + content[at + len(junk) :]
    try:
        kept, _extension = reencode(BytesIO(broken))
    except (InvalidImage, ImageTooLarge):
        return
    with Image.open(BytesIO(kept)) as picture_again:
        picture_again.load()
