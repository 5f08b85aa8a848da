"""From commit to the client's frame, at ten events a second and a hundred clients.

A real server on a throw-away database, clients over SSE in another process, and changes of stock
over REST. The clock starts at the event's timestamp, which is taken just before the commit, so
that the commit itself counts, too.
"""

import tempfile
import time
from pathlib import Path

from benchmarks.listeners import listening
from benchmarks.product import durable_postgres
from benchmarks.report import Row, Table, percentile
from benchmarks.site import post, seller_token, site
from tests.support.servers import Marketplace

CLIENTS = 100
EVENTS_PER_SECOND = 10
SECONDS = 20
WARM_UP_EVENTS = 10
PRODUCT = {"title": "Lamp", "price": "10.00", "currency": "EUR", "kind": "goods", "stock": 10}


def run() -> Table:
    """Measure on SQLite and on PostgreSQL."""
    table = Table(
        f"Commit to frame: {CLIENTS} clients, {EVENTS_PER_SECOND} events a second, {SECONDS} s"
    )
    with tempfile.TemporaryDirectory() as folder:
        table.rows.append(_measure("SQLite", f"sqlite:///{folder}/bench.sqlite3", Path(folder)))
    with tempfile.TemporaryDirectory() as folder, durable_postgres() as url:
        table.rows.append(_measure("PostgreSQL", url, Path(folder)))
    return table


def _measure(name: str, database_url: str, folder: Path) -> Row:
    count = EVENTS_PER_SECOND * SECONDS
    with site(folder, database_url=database_url) as server:
        token = seller_token(server)
        product = post(server, "/api/products", PRODUCT, token)
        with listening(
            port=server.port, token=token, clients=CLIENTS, channels="availability"
        ) as clients:
            _change_stock(server, product["id"], token, WARM_UP_EVENTS)
            clients.hear(WARM_UP_EVENTS * CLIENTS)
            _change_stock(server, product["id"], token, count)
            heard = clients.hear(count * CLIENTS)
    return {
        "database": name,
        "events": count,
        "deliveries": heard.deliveries,
        "median ms": percentile(heard.latencies, 0.5) * 1000,
        "p99 ms": percentile(heard.latencies, 0.99) * 1000,
        "max ms": heard.latencies[-1] * 1000,
    }


def _change_stock(server: Marketplace, product_id: int, token: str, count: int) -> None:
    """Change the product's stock so many times, at an even pace."""
    began = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, began + number / EVENTS_PER_SECOND - time.monotonic()))
        post(server, f"/api/products/{product_id}/stock", {"change": 1}, token)
