"""Every icon that a page names is in the sprite: a missing one would be an empty square."""

import re
from pathlib import Path

from django.conf import settings

STATIC = settings.BASE_DIR / "marketplace" / "static"
PLACES = ["marketplace", "orders", "products", "realtime"]
NAMED_IN = {
    ".html": [
        re.compile(r'{% icon "([a-z0-9-]+)"'),
        re.compile(r'icon_name="([a-z0-9-]+)"'),
        re.compile(r'{% rail_entry "[\w:-]+" "([a-z0-9-]+)"'),
    ],
    ".js": [re.compile(r'makeIcon\("([a-z0-9-]+)"')],
}


def sources() -> list[Path]:
    """Our templates and scripts."""
    files = [path for place in PLACES for path in (settings.BASE_DIR / place).rglob("*")]
    return [path for path in files if path.suffix in NAMED_IN and "vendor" not in path.parts]


def test_it_has_every_icon_that_is_named() -> None:
    sprite = (STATIC / "vendor/lucide/sprite.svg").read_text()
    present = set(re.findall(r'<symbol id="([a-z0-9-]+)"', sprite))
    named = {
        (path.name, name)
        for path in sources()
        for pattern in NAMED_IN[path.suffix]
        for name in pattern.findall(path.read_text())
    }

    assert named
    assert {(file, name) for file, name in named if name not in present} == set()


def test_it_tells_the_versions_of_what_is_vendored() -> None:
    sprite = (STATIC / "vendor/lucide/sprite.svg").read_text()
    readme = (STATIC / "vendor/README.md").read_text()
    version = re.search(r"Lucide ([\d.]+)", sprite)

    assert version
    assert f"| {version[1]} | ISC" in readme
    for folder in ("inter", "lucide"):
        assert (STATIC / "vendor" / folder / "LICENSE").read_text()
