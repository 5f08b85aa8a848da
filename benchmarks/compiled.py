"""Programs in C, compiled when they are first used and again when a source has changed."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

BUILD = Path(__file__).parent / "build"
OPTIONS = ("-O2", "-Wall", "-Wextra")


class NoCompiler(Exception):
    """This machine has no C compiler, or none that compiles this."""


def compiled(name: str, sources: Sequence[Path]) -> Path:
    """The program, made of these sources and the headers beside them. Raises NoCompiler."""
    headers = {header for source in sources for header in source.parent.glob("*.h")}
    contents = [path.read_bytes() for path in sorted({*sources, *headers})]
    contents.append(" ".join(OPTIONS).encode())
    # Of its content, not its time: a checkout of another branch may be older.
    fingerprint = hashlib.sha256(b"\0".join(contents)).hexdigest()[:16]
    program = BUILD / f"{name}-{fingerprint}"
    if not program.exists():
        _compile(program, sources)
    return program


def _compile(program: Path, sources: Sequence[Path]) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        raise NoCompiler("A C compiler is needed: on Debian, apt-get install gcc libc6-dev.")
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        made = Path(folder) / program.name
        command: list[str | Path] = [compiler, *OPTIONS, "-o", made, *sorted(sources)]
        outcome = subprocess.run(command, capture_output=True, text=True)
        if outcome.returncode:
            raise NoCompiler(f"{program.name} could not be compiled:\n{outcome.stderr}")
        # Two runs at once: each puts a whole program there.
        os.replace(made, program)
    for old in BUILD.glob(f"{program.name.rpartition('-')[0]}-*"):
        if old != program:
            old.unlink(missing_ok=True)
