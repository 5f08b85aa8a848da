"""Make .venv and install one requirements file into it, unless that has been done already.

Runs with the machine's own Python, so it uses the standard library alone.
"""

import fcntl
import hashlib
import os
import re
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = ROOT / ".venv"
PYTHON = str(ENVIRONMENT / "bin" / "python")
WORKS = "import sys, pip; sys.exit(sys.version_info < (3, 11))"


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold a lock on the repository's folder: two starts must not install into it at once."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def environment_works() -> bool:
    """Whether .venv has its packages' Python; one that was half made or upgraded away has not."""
    command = [PYTHON, "-c", WORKS]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603 a fixed command
    except OSError:
        return False


def fingerprint(requirements: Path) -> str:
    """Digest of a requirements file and of those that it includes with `-r`."""
    text = requirements.read_text()
    included = [fingerprint(ROOT / name) for name in re.findall(r"^-r (\S+)", text, re.MULTILINE)]
    return hashlib.sha256("\n".join([text, *included]).encode()).hexdigest()


def install(requirements: Path) -> None:
    """Install what the file names, if it has changed since this was last done."""
    stamp = ENVIRONMENT / f"installed-{requirements.name}.sha256"
    wanted = fingerprint(requirements)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"Installing {requirements.name} (a minute or two, only when it changes) …", flush=True)
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    command = [*pip, "install", "--requirement", str(requirements)]
    if (code := subprocess.run(command, check=False).returncode) != 0:  # noqa: S603 a fixed command
        sys.exit(f"{requirements.name} could not be installed: pip ended with {code}.")
    stamp.write_text(wanted)


def main() -> None:
    """Prepare the environment for the requirements file named as the only argument."""
    with one_at_a_time():
        if not environment_works():
            print("Making .venv …", flush=True)
            venv.create(ENVIRONMENT, clear=True, symlinks=True, with_pip=True)
        install(ROOT / sys.argv[1])


if __name__ == "__main__":
    main()
