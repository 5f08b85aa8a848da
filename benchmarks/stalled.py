"""A client that stops reading for a minute, at 500 events a second: what it costs the server, what
the others notice, and whether it has everything when it reads again.
"""

import tempfile
import time
from pathlib import Path

from benchmarks.listeners import Client, Heard, Listeners, listening
from benchmarks.product import durable_postgres
from benchmarks.report import Row, Table, percentile
from benchmarks.site import publishing, seller_token, site, status_of
from tests.support.servers import Marketplace, redis

CLIENTS = 20
EVENTS_PER_SECOND = 500
WARM_UP_SECONDS = 15
SECONDS = 60


def run() -> Table:
    """Measure a minute without it, and a minute with it."""
    table = Table(f"A stalled reader: {CLIENTS} others, {EVENTS_PER_SECOND} events/s, {SECONDS} s")
    with (
        tempfile.TemporaryDirectory() as folder,
        durable_postgres() as database_url,
        redis() as redis_url,
        site(Path(folder), database_url=database_url, REDIS_URL=redis_url) as server,
    ):
        token = seller_token(server)
        with (
            listening(port=server.port, token=token, clients=CLIENTS) as others,
            publishing(server, rate=EVENTS_PER_SECOND),
        ):
            time.sleep(WARM_UP_SECONDS)  # the hub's memory of recent events is full then
            others.collect()
            table.rows.append(_row("none stalled", server, others))
            stalled = Client(server.port, token, receive_buffer=4096)
            table.rows.append(_row("one stalled", server, others))
            missed = _read_on(stalled)
        table.rows[-1]["then it read"] = missed
    return table


def _row(name: str, server: Marketplace, others: Listeners) -> Row:
    before = status_of(server, "VmRSS")
    most = before
    for _ in range(SECONDS):
        time.sleep(1)
        most = max(most, status_of(server, "VmRSS"))
    heard: Heard = others.collect()
    return {
        "minute": name,
        "deliveries to others": heard.deliveries,
        "median ms": percentile(heard.latencies, 0.5) * 1000,
        "p99 ms": percentile(heard.latencies, 0.99) * 1000,
        "memory grew MiB": (most - before) / 1024,
        "then it read": 0,
    }


def _read_on(stalled: Client) -> int:
    """Read, and come back where the stream was ended, until what is heard is new; how many events.

    Client.read() fails on one that comes twice or out of order; positions have no holes, and all
    of them are for all: what was counted and what lies between must be the same.
    """
    first: int | None = None
    count = 0
    caught_up_at = time.time() + 60
    while True:
        try:
            for position, latency in stalled.read():
                first = position if first is None else first
                count += 1
                if latency < 0.5:
                    if position - first + 1 != count:
                        raise RuntimeError(f"{position - first + 1 - count} events are missing.")
                    return count
        except BlockingIOError:
            time.sleep(0.001)
        except ConnectionError:
            stalled.come_back()
        if time.time() > caught_up_at:
            raise RuntimeError("It does not catch up.")
