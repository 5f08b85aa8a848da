"""Throw-away servers of one run or one test: PostgreSQL, Redis and the marketplace itself."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.machine import postgres_program
from tests.support.processes import DidNotStart, end, listening, start

POSTGRES_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "300",
    # Its data is thrown away: nothing is lost that a crash of the machine could lose.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


@contextmanager
def folder_of(user: str | None) -> Iterator[Path]:
    """Make a temporary folder that belongs to the user and is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="marketplace-") as name:
        if user:
            shutil.chown(name, user, user)
        yield Path(name)


@contextmanager
def postgres() -> Iterator[str]:
    """Run a PostgreSQL server; gives the URL of its database `postgres`."""
    # PostgreSQL refuses to run as root.
    user = "postgres" if os.geteuid() == 0 else None
    password = secrets.token_hex(16)
    with folder_of(user) as folder:
        log = folder / "log"
        make_cluster(folder / "data", log=log, user=user, password=password)
        with listening(
            lambda port: postgres_command(folder, port=port, settings=POSTGRES_SETTINGS),
            ready="database system is ready to accept connections",
            log=log,
            user=user,
            how=signal.SIGINT,  # its fast shutdown, which does not wait for clients
        ) as (port, _):
            yield f"postgres://postgres:{password}@127.0.0.1:{port}/postgres"


def postgres_command(folder: Path, *, port: int, settings: Mapping[str, str]) -> list[str | Path]:
    """What serves the cluster in the folder's `data`."""
    options = [f"--{name}={value}" for name, value in settings.items()]
    program = postgres_program("postgres")
    return [program, "-D", folder / "data", "-k", folder, "-p", str(port), *options]


def make_cluster(data: Path, *, log: Path, user: str | None, password: str) -> None:
    """Run initdb; raises DidNotStart with its output where it fails."""
    secret = data.with_name("password")
    secret.write_text(password)
    secret.chmod(0o644)  # its folder is the user's own
    options: Sequence[str | Path] = [
        *("--pgdata", data, "--username", "postgres", "--pwfile", secret),
        *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
    ]
    process = start([postgres_program("initdb"), *options], log=log, user=user)
    try:
        if process.wait() != 0:
            raise DidNotStart(log.read_text())
    finally:
        end(process)


@contextmanager
def redis() -> Iterator[str]:
    """Run a Redis server that keeps nothing; gives its URL."""
    with (
        folder_of(None) as folder,
        listening(
            lambda port: redis_command(folder, port=port),
            ready="Ready to accept connections",
            log=folder / "log",
        ) as (port, _),
    ):
        yield f"redis://127.0.0.1:{port}/0"


def redis_command(folder: Path, *, port: int) -> list[str | Path]:
    """What serves, and keeps nothing."""
    options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    return ["redis-server", *options, "--dir", folder, "--port", str(port)]


@dataclass(frozen=True)
class Marketplace:
    """A marketplace server that runs in a process of its own."""

    url: str  # without a slash at its end
    process: subprocess.Popen[bytes]
    log: Path  # what it printed
    environment: Mapping[str, str]

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1."""
        return int(self.url.rpartition(":")[2])

    def stop(self) -> int:
        """End it as a deployment would, and return its exit code."""
        return end(self.process)


@dataclass(frozen=True)
class Program:
    """How a server is started: what python runs, before the port, and what it prints when ready."""

    arguments: Sequence[str]
    ready: str


PRODUCTION = Program(
    ("-m", "marketplace.server", "--host", "127.0.0.1", "--port"), "Serving on http://"
)


@contextmanager
def marketplace(
    folder: Path,
    *,
    database_url: str,
    settings: Mapping[str, str],
    program: Program = PRODUCTION,
) -> Iterator[Marketplace]:
    """Run the real server on a database that is there and migrated; `settings` win."""
    log = folder / "server.log"
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "PYTHONUNBUFFERED": "1",
        **settings,
    }
    with listening(
        lambda port: [sys.executable, *program.arguments, str(port)],
        ready=program.ready,
        log=log,
        environment=environment,
    ) as (port, process):
        yield Marketplace(f"http://127.0.0.1:{port}", process, log, environment)
