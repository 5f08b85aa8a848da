"""Ten minutes of coming and going: what grows that should not.

Fifty streams a second are dropped and come back with their cursor, under a hundred events a second.
Memory, threads and database connections of the server at the end, against those after two minutes.
"""

import tempfile
import time
from pathlib import Path

import psycopg

from benchmarks.listeners import listening
from benchmarks.product import durable_postgres
from benchmarks.report import Table, percentile
from benchmarks.site import publishing, seller_token, site, status_of
from tests.support.servers import redis

CLIENTS = 100
DROPS_PER_SECOND = 50
EVENTS_PER_SECOND = 100
MINUTES = 10


def run() -> Table:
    """One row a minute."""
    table = Table(
        f"Soak: {CLIENTS} clients, {DROPS_PER_SECOND} reconnects/s, {EVENTS_PER_SECOND} events/s"
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        durable_postgres() as database_url,
        redis() as redis_url,
        site(Path(folder), database_url=database_url, REDIS_URL=redis_url) as server,
        psycopg.connect(database_url, autocommit=True) as administration,
    ):
        token = seller_token(server)
        with (
            listening(
                port=server.port, token=token, clients=CLIENTS, churn=DROPS_PER_SECOND
            ) as clients,
            publishing(server, rate=EVENTS_PER_SECOND),
        ):
            for minute in range(1, MINUTES + 1):
                time.sleep(60)
                heard = clients.collect()
                row = administration.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = 'postgres'"
                ).fetchone()
                assert row is not None
                table.rows.append(
                    {
                        "minute": minute,
                        "memory MiB": status_of(server, "VmRSS") / 1024,
                        "threads": status_of(server, "Threads"),
                        # Not the one that asks, and the publisher's.
                        "database connections": row[0] - 2,
                        "deliveries": heard.deliveries,
                        "p99 ms": percentile(heard.latencies, 0.99) * 1000,
                    }
                )
    return table
