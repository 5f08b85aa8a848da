"""/media/: what sellers uploaded."""

from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client


@pytest.fixture
def picture() -> str:
    """The name of an upload that calls itself a picture and contains a page."""
    folder = Path(settings.MEDIA_ROOT)
    folder.mkdir(parents=True)
    (folder / "evil.png").write_bytes(b"<script>alert(1)</script>")
    return "evil.png"


def test_it_serves_an_upload_as_what_its_name_says(client: Client, picture: str) -> None:
    answer = client.get(f"/media/{picture}")
    assert answer.status_code == 200
    assert answer.content == b"<script>alert(1)</script>"
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "public, max-age=86400"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize("path", ["", "../settings.py", "..%2fsettings.py", "nothing.png"])
def test_it_serves_nothing_else(client: Client, db: None, picture: str, path: str) -> None:
    assert client.get(f"/media/{path}").status_code in {400, 404}


def test_it_only_reads(client: Client, picture: str) -> None:
    assert client.post(f"/media/{picture}").status_code == 405
