"""What the peers need that the product does not, installed when it is asked for."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.support.machine import install, may_install

HERE = Path(__file__).parent
LOCK = HERE / "package-lock.json"
NCHAN = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
NCHAN_PACKAGES = ("nginx-light", "libnginx-mod-nchan")


class NotInstalled(Exception):
    """It is not here, and could not be brought here; the message says why."""


def provide(program: str) -> None:
    """Have it on this machine. Raises NotInstalled."""
    try:
        _PROVIDERS[program]()
    except subprocess.CalledProcessError as failure:
        raise NotInstalled(f"it could not be installed ({failure})") from failure


def _provide_nchan() -> None:
    if NCHAN.exists() and Path("/usr/sbin/nginx").exists():
        return
    if not may_install():
        raise NotInstalled(f"it needs {' and '.join(NCHAN_PACKAGES)}")
    install(NCHAN_PACKAGES)


def _provide_ws() -> None:
    if not shutil.which("npm"):
        raise NotInstalled("it needs node and npm")
    if _version(HERE / "node_modules" / ".package-lock.json") != _version(LOCK):
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=HERE, check=True)


def _version(lock: Path) -> str | None:
    """Of the `ws` that npm notes there."""
    if not lock.exists():
        return None
    version: str = json.loads(lock.read_text())["packages"]["node_modules/ws"]["version"]
    return version


_PROVIDERS: dict[str, Callable[[], None]] = {"nchan": _provide_nchan, "ws": _provide_ws}
