"""The product as a target of the load generator: whole, on PostgreSQL, every client logged in as a
user of its own; limits, metrics and heartbeats as in production.
"""

import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.cores import MEASURED, OTHERS, on_core
from benchmarks.load import Protocol
from benchmarks.site import OPEN_TO_LOAD, READY, STREAMS, migrate, people, serving
from benchmarks.targets import Target
from tests.support.servers import postgres

# Those of the tests keep nothing; here a commit reaches the disk, as PostgreSQL's own defaults say.
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


@contextmanager
def durable_postgres(settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """A PostgreSQL server whose commits reach the disk; gives the URL of its database."""
    with postgres({**DURABLE, **(settings or {})}) as url:
        yield url


@dataclass(frozen=True)
class Databases:
    """A PostgreSQL server with a migrated database, which each server gets a copy of."""

    url: str

    def new(self) -> str:
        """The URL of a new one."""
        name = f"bench_{secrets.token_hex(4)}"
        base = self.url.rpartition("/")[0]
        with psycopg.connect(f"{base}/template1", autocommit=True) as administration:
            administration.execute(f"CREATE DATABASE {name} TEMPLATE postgres".encode())
        return f"{base}/{name}"


@contextmanager
def databases(settings: Mapping[str, str] | None = None) -> Iterator[Databases]:
    """A PostgreSQL server on the core that is not measured."""
    with on_core(OTHERS), durable_postgres(settings) as url:
        migrate(url)
        yield Databases(url)


@contextmanager
def product(
    databases: Databases,
    protocol: Protocol,
    clients: int,
    *,
    processes: int = 1,
    redis_url: str = "",
) -> Iterator[Target]:
    """Run it on the measured core, with a login for each of so many clients."""
    # They share the key by which each knows the others' tokens.
    settings = {"SECRET_KEY": secrets.token_urlsafe(64), "REDIS_URL": redis_url}
    url = databases.new()
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        servers = []
        with on_core(MEASURED):
            for number in range(processes):
                folder = Path(name) / str(number)
                folder.mkdir()
                server = serving(folder, database_url=url, settings=settings, program=OPEN_TO_LOAD)
                servers.append(running.enter_context(server))
        everybody = people(servers[0], clients)
        yield Target(
            protocol,
            [server.port for server in servers],
            [server.process.pid for server in servers],
            path=STREAMS[protocol],
            ready=READY,
            users=[pk for pk, _ in everybody],
            tokens=[token for _, token in everybody],
        )
