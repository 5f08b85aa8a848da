"""The server that is measured, on a throw-away database, and somebody who has a login there."""

import json
import os
import secrets
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.load import Protocol
from tests.support.machine import ROOT
from tests.support.processes import dying_with_parent, end
from tests.support.servers import PRODUCTION, Marketplace, Program, marketplace

# The production server with POST /publish, for the load generator.
OPEN_TO_LOAD = Program(
    ("-m", "benchmarks.server", "--host", "127.0.0.1", "--port"), PRODUCTION.ready
)
# Where the load generator listens, and by what it knows that a stream is there.
STREAMS: dict[Protocol, str] = {"sse": "/api/events", "websocket": "/ws/events"}
READY = '"type":"connected"'


@contextmanager
def site(folder: Path, *, database_url: str, **settings: str) -> Iterator[Marketplace]:
    """Migrate the database and run one server on it."""
    migrate(database_url)
    with serving(folder, database_url=database_url, settings=settings) as server:
        yield server


def migrate(database_url: str) -> None:
    """Make its tables."""
    environment = {**os.environ, "DATABASE_URL": database_url}
    command = [sys.executable, "manage.py", "migrate", "-v0"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)


@contextmanager
def serving(
    folder: Path,
    *,
    database_url: str,
    settings: Mapping[str, str],
    program: Program = PRODUCTION,
) -> Iterator[Marketplace]:
    """Run one server, with the settings of production; `settings` win."""
    variables = {
        "DEBUG": "false",
        "SECRET_KEY": secrets.token_urlsafe(64),
        # In some scenarios one seller has all streams, and writes all the time.
        "STREAMS_PER_USER": "100000",
        "WRITES_PER_USER": "100000/min",
        **settings,
    }
    with marketplace(
        folder, database_url=database_url, settings=variables, program=program
    ) as server:
        yield server


def post(server: Marketplace, path: str, body: dict[str, Any], token: str = "") -> dict[str, Any]:
    """What the API answers; raises HTTPError where it refuses."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data=data, headers=headers)  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310 our own server
        result: dict[str, Any] = json.load(answer)
    return result


def seller_token(server: Marketplace) -> str:
    """The access token of a new seller."""
    name = f"bench-{secrets.token_hex(4)}"
    login = {"username": name, "password": secrets.token_hex(16)}
    post(server, "/api/auth/register", {**login, "email": f"{name}@x.example", "role": "seller"})
    return str(post(server, "/api/auth/token", login)["access"])


def people(
    server: Marketplace, count: int, *, maker: str = "benchmarks.people"
) -> list[tuple[int, str]]:
    """So many new users, each logged in: (id, access token). maker: the program that makes them."""
    command = [sys.executable, "-m", maker, str(count)]
    environment = {**server.environment, "DJANGO_SETTINGS_MODULE": "marketplace.settings"}
    printed = subprocess.check_output(command, cwd=ROOT, env=environment, text=True)
    lines = (line.split() for line in printed.splitlines())
    return [(int(pk), token) for pk, token in lines]


@contextmanager
def publishing(server: Marketplace, *, rate: float, size: int = 100) -> Iterator[None]:
    """Have a process commit so many events a second for all, each with a text of that size."""
    command = [sys.executable, "-m", "benchmarks.publisher", str(rate), str(size)]
    environment: Mapping[str, str] = {
        **server.environment,
        "DJANGO_SETTINGS_MODULE": "marketplace.settings",
    }
    process = subprocess.Popen(dying_with_parent(command), cwd=ROOT, env=environment)
    try:
        yield
    finally:
        end(process)


def status_of(server: Marketplace, name: str) -> int:
    """A figure of the server's process as the kernel tells it: VmRSS in kB, Threads."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1])
