"""What script/test runs: the checks, then pytest on SQLite and on PostgreSQL.

With arguments only pytest runs, once, with these arguments: on SQLite, or with `--postgres`
among them on PostgreSQL. Whatever ends the run ends its servers too.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from tests.support.environment import settings_variables
from tests.support.machine import ROOT, install_missing_packages
from tests.support.processes import dying_with_parent
from tests.support.servers import postgres

PYTHON = [sys.executable, "-m"]
PYTEST = [*PYTHON, "pytest"]
# In the order of tests/conftest.py: the journeys must stay last.
WORKERS = ["--numprocesses", "4", "--dist", "loadfile", "--no-loadscope-reorder"]
# What does not depend on the database: what a browser shows, a load generator counts, the demo
# holds, how scripts start a server, what goes over the wire to one, what a file or a key says, and
# how others hand out the work.
ONCE = [
    *(f"tests/{folder}" for folder in ("journeys", "benchmarks", "demo", "script", "site")),
    *(
        f"tests/streams/test_{name}.py"
        for name in ("clients", "health", "hostile_wire", "http_wire", "logins", "server", "sse")
    ),
    "tests/streams/test_websocket.py",
    *(f"tests/rest/test_{name}.py" for name in ("floods", "real_server", "cors", "schema")),
    *(f"tests/imports/test_{name}.py" for name in ("reading", "checking", "celery", "pages")),
    *(
        f"tests/securechat/test_{name}.py"
        for name in ("known_answers", "peer", "peer_refusals", "peer_schedules", "vectors")
    ),
]
CHECKS: list[tuple[str, list[str]]] = [
    ("ruff check", [*PYTHON, "ruff", "check"]),
    ("ruff format", [*PYTHON, "ruff", "format", "--check"]),
    ("mypy", [*PYTHON, "mypy", "."]),
    ("import-linter", [str(Path(sys.executable).with_name("lint-imports"))]),
    ("migrations", [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"]),
]


class Stopped(BaseException):
    """A signal asked for the end of the run."""

    def __init__(self, signum: int) -> None:
        """Keep the signal's number for the exit code."""
        self.signum = signum
        super().__init__(signum)


def stop(signum: int, frame: FrameType | None) -> NoReturn:
    """Leave whatever runs; further signals must not disturb the cleaning up."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, lambda *_: None)
    raise Stopped(signum)


def run(command: Sequence[str | Path], *, environment: Mapping[str, str], text: str = "") -> bool:
    """Run a command to its end, with `text` as its input if there is one; True if it succeeds."""
    process = subprocess.Popen(
        dying_with_parent(command),
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE if text else None,
        text=True,
    )
    try:
        process.communicate(text or None)
    except Stopped as stopped:
        interrupt(process, heard=stopped.signum == signal.SIGINT)
        raise
    return process.returncode == 0


def interrupt(process: subprocess.Popen[str], *, heard: bool) -> None:
    """Let pytest end what its fixtures started; heard: Ctrl-C in a terminal reaches it too."""
    for patience in [5, 60] if heard else [0, 60]:
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
    if process.poll() is None:
        process.kill()
        process.wait()


def scripts() -> list[Path]:
    """Our own JavaScript files; vendored ones are checked by those who wrote them."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.js", "*.mjs"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [ROOT / name for name in listed.stdout.split()]
    return [path for path in paths if path.exists() and "vendor" not in path.parts]


def failed_checks(environment: Mapping[str, str]) -> list[str]:
    """Run all that looks at the code without running it, and the tests in JavaScript."""
    failures = []
    for name, command in CHECKS:
        print(f"\n--- {name}", flush=True)
        if not run(command, environment=environment):
            failures.append(name)
    print("\n--- node", flush=True)
    for path in scripts():
        # From its input, as node --check of a file lets mistakes in ES modules pass.
        syntax = ["node", "--input-type=module", "--check"]
        if not run(syntax, environment=environment, text=path.read_text() or "\n"):
            failures.append(f"node --check {path.relative_to(ROOT)}")
    tests = [path for path in scripts() if ".test." in path.name]
    if tests and not run(
        ["node", "--test", "--test-reporter=spec", *tests], environment=environment
    ):
        failures.append("node --test")
    return failures


def run_everything(environment: Mapping[str, str], on_postgres: Mapping[str, str]) -> list[str]:
    """Run the checks and pytest on both databases; returns the names of what failed."""
    failures = failed_checks(environment)
    others = [f"--ignore={path}" for path in ONCE]
    for name, variables, arguments in (
        ("SQLite", environment, []),
        ("PostgreSQL", on_postgres, others),
    ):
        print(f"\n--- pytest on {name}", flush=True)
        if not run([*PYTEST, *WORKERS, *arguments], environment=variables):
            failures.append(f"pytest on {name}")
    return failures


def main(arguments: list[str]) -> int:
    """Run what the arguments ask for, and return the exit code."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, stop)
    install_missing_packages()
    with tempfile.TemporaryDirectory(prefix="marketplace-") as folder, postgres() as postgres_url:
        # A test's own PostgreSQL runs as another user, who must get through to its folder.
        Path(folder).chmod(0o711)
        # What this shell sets for a server must not change what is tested.
        settings = settings_variables()
        environment = {name: value for name, value in os.environ.items() if name not in settings}
        environment |= {"TEST_POSTGRES_URL": postgres_url, "TMPDIR": folder}
        on_postgres = {**environment, "DATABASE_URL": postgres_url}
        if arguments:
            chosen = on_postgres if "--postgres" in arguments else environment
            rest = [argument for argument in arguments if argument != "--postgres"]
            failures = [] if run([*PYTEST, *rest], environment=chosen) else ["pytest"]
        else:
            failures = run_everything(environment, on_postgres)
    if failures:
        print(f"\nFailed: {', '.join(failures)}.", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Stopped as stopped:
        sys.exit(128 + stopped.signum)
