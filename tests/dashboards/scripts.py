"""Our scripts outside a browser: the same JavaScript engine, the same addresses."""

import json
import subprocess
from pathlib import Path
from typing import Any

from django.conf import settings

APPS = ("marketplace/dashboards", "orders", "products", "realtime")


def lay_out_scripts(folder: Path) -> Path:
    """Make the folder what /static/ is: scripts of one app import those of another."""
    (folder / "package.json").write_text('{"type": "module"}')
    for app in APPS:
        for place in (settings.BASE_DIR / app / "static").iterdir():
            (folder / place.name).symlink_to(place)
    return folder


def run_script(script: str, *, folder: Path, **asked: Any) -> Any:
    """What the script writes as JSON; it finds what is asked, and gettext gives texts back."""
    prelude = """
    const asked = JSON.parse(await new Response(process.stdin).text());
    globalThis.document = { documentElement: { lang: "en" } };
    globalThis.gettext = (text) => text;
    """
    answer = subprocess.run(
        ["node", "--preserve-symlinks", "--input-type=module", "--eval", prelude + script],
        input=json.dumps({**asked, "folder": folder.as_uri()}),
        env={"TZ": "UTC", "PATH": "/usr/bin:/bin:/usr/local/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)
