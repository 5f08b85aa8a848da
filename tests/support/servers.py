"""Throw-away servers of a run or a test: PostgreSQL, Redis, RabbitMQ, the marketplace itself."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.machine import postgres_program
from tests.support.processes import (
    DidNotStart,
    end,
    lasting_port,
    listening,
    start,
    wait_for_text,
)

POSTGRES_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "300",
    # Its data is thrown away: nothing is lost that a crash of the machine could lose.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


# The packaged command before it changes the user, and with the user the environment.
RABBITMQ_SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server"


@contextmanager
def folder_of(user: str | None) -> Iterator[Path]:
    """Make a temporary folder that belongs to the user and is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="marketplace-") as name:
        if user:
            shutil.chown(name, user, user)
        yield Path(name)


@contextmanager
def postgres(settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run a PostgreSQL server; gives the URL of its database `postgres`."""
    # PostgreSQL refuses to run as root.
    user = "postgres" if os.geteuid() == 0 else None
    password = secrets.token_hex(16)
    with folder_of(user) as folder:
        log = folder / "log"
        make_cluster(folder / "data", log=log, user=user, password=password)
        with listening(
            lambda port: postgres_command(
                folder, port=port, settings={**POSTGRES_SETTINGS, **(settings or {})}
            ),
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


@dataclass
class RabbitMQ:
    """A RabbitMQ server that keeps its data: it can be killed and started again."""

    folder: Path
    port: int
    environment: Mapping[str, str]
    starts: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Where it is, with its built-in login."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def start(self) -> None:
        """Run it; returns when it takes connections. Raises DidNotStart."""
        self.starts += 1
        log = self.folder / f"broker-{self.starts}.log"
        self.process = start([RABBITMQ_SERVER], log=log, environment=self.environment)
        wait_for_text("Server startup complete", process=self.process, log=log)

    def kill(self) -> None:
        """End it without a word."""
        assert self.process is not None
        end(self.process, how=signal.SIGKILL)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it take connections, and answer nobody, while the block lasts."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@contextmanager
def rabbitmq() -> Iterator[RabbitMQ]:
    """Run a RabbitMQ server, with a port mapper of its own: Erlang's would outlive it."""
    with folder_of(None) as folder:
        mapper_port = lasting_port()
        mapper = start(
            ["epmd", "-debug", "-address", "127.0.0.1", "-port", str(mapper_port)],
            log=folder / "epmd.log",
        )
        try:
            wait_for_text("epmd running", process=mapper, log=folder / "epmd.log")
            server = RabbitMQ(folder, lasting_port(), {})
            server.environment = rabbitmq_environment(
                folder, port=server.port, mapper_port=mapper_port
            )
            server.start()
            try:
                yield server
            finally:
                server.kill()
        finally:
            end(mapper)


def rabbitmq_environment(folder: Path, *, port: int, mapper_port: int) -> dict[str, str]:
    """What the server is told: everything in the folder, nothing of the machine's own server."""
    erlang = "+S 1:1 -setcookie throw-away -kernel inet_dist_use_interface {127,0,0,1}"
    return {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "HOME": str(folder),
        "ERL_EPMD_PORT": str(mapper_port),
        "RABBITMQ_NODENAME": "throw-away@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(lasting_port()),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "logs"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
        "RABBITMQ_CONFIG_FILE": str(folder / "none"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "none"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": erlang,
        # Has the script become the server: a signal to the process that we know reaches it.
        "RUNNING_UNDER_SYSTEMD": "true",
    }


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
