"""What the peers need that the product does not, installed when it is asked for."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.support.machine import install, may_install

HERE = Path(__file__).parent
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
    # As the lock file says, and quick where that is there.
    if not (HERE / "node_modules" / "ws").exists():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=HERE, check=True)


_PROVIDERS: dict[str, Callable[[], None]] = {"nchan": _provide_nchan, "ws": _provide_ws}
