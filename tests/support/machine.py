"""The programs that the tests need beside Python's packages, and how they come here."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVICES_SWITCH = Path("/usr/sbin/policy-rc.d")


def postgres_program(name: str) -> str:
    """Return the path of a PostgreSQL server program; Debian keeps them out of PATH."""
    installed = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    newest = max(installed, key=lambda path: int(path.parts[4]), default=name)
    return str(newest)


def chromium() -> str | None:
    """Return the path of the browser that the journeys use.

    The shell without windows does the same for less than half the processor's time.
    """
    names = ("chromium-headless-shell", "chromium", "chromium-browser")
    return next((path for name in names if (path := shutil.which(name))), None)


def missing_packages() -> list[str]:
    """Names of the Debian packages whose programs are not on this machine."""
    programs = {
        "chromium-headless-shell": chromium(),
        "gcc": shutil.which("cc"),
        "libc6-dev": shutil.which("/usr/include/stdio.h", mode=os.R_OK),
        "nodejs": shutil.which("node"),
        "npm": shutil.which("npm"),
        "postgresql": shutil.which(postgres_program("initdb")),
        # Only root has /usr/sbin in PATH.
        "rabbitmq-server": shutil.which("rabbitmq-server", path=f"{os.defpath}:/usr/sbin"),
        "redis-server": shutil.which("redis-server"),
    }
    return [package for package, program in programs.items() if program is None]


@contextmanager
def services_stay_down() -> Iterator[None]:
    """Let no package start its service while it is installed: nothing may outlive the run."""
    folder = os.open(SERVICES_SWITCH.parent, os.O_RDONLY)
    try:
        # Two runs at once: the first to end must not let the other's services start.
        fcntl.flock(folder, fcntl.LOCK_EX)
        if SERVICES_SWITCH.exists():
            yield
            return
        SERVICES_SWITCH.write_text("#!/bin/sh\nexit 101\n")
        try:
            SERVICES_SWITCH.chmod(0o755)
            yield
        finally:
            SERVICES_SWITCH.unlink()
    finally:
        os.close(folder)


def may_install() -> bool:
    """Whether packages can be installed here."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(packages: Iterable[str]) -> None:
    """Install them with apt-get; raises CalledProcessError where that fails."""
    apt_get = ["apt-get", "-o", "DPkg::Lock::Timeout=600", "--quiet", "--yes"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with services_stay_down():
        subprocess.run([*apt_get, "update"], env=environment, check=True)
        command = [*apt_get, "install", "--no-install-recommends", *packages]
        subprocess.run(command, env=environment, check=True)


def install_missing_packages() -> None:
    """Install what is missing, or end the run with what to install."""
    missing = missing_packages()
    if not missing:
        return
    if not may_install():
        sys.exit(f"script/test needs these installed first: {', '.join(missing)}.")
    install(missing)
    if still_missing := missing_packages():
        sys.exit(f"Installed, and yet not found: {', '.join(still_missing)}.")
