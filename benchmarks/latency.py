"""From commit to the client's frame, at ten events a second and a hundred clients.

A real server on a throw-away database, clients over SSE in another process, and changes of stock
over REST. The clock starts at the event's timestamp, which is taken just before the commit, so
that the commit itself counts, too.
"""

import json
import multiprocessing
import selectors
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import cast

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
    with site(folder, database_url=database_url) as server:
        token = seller_token(server)
        product = post(server, "/api/products", PRODUCT, token)
        count = WARM_UP_EVENTS + EVENTS_PER_SECOND * SECONDS
        with _listening(server.port, token, count) as heard:
            _change_stock(server, product["id"], token, count)
            if not heard.poll(10):
                raise RuntimeError("Deliveries are missing.")
            latencies = sorted(heard.recv())
    return {
        "database": name,
        "events": count,
        "deliveries": len(latencies),
        "median ms": percentile(latencies, 0.5) * 1000,
        "p99 ms": percentile(latencies, 0.99) * 1000,
        "max ms": latencies[-1] * 1000,
    }


def _change_stock(server: Marketplace, product_id: int, token: str, count: int) -> None:
    """Change the product's stock so many times, at an even pace."""
    began = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, began + number / EVENTS_PER_SECOND - time.monotonic()))
        post(server, f"/api/products/{product_id}/stock", {"change": 1}, token)


@contextmanager
def _listening(port: int, token: str, count: int) -> Iterator[Connection]:
    """Clients in a process of their own. When each has heard all events, the latencies of all
    deliveries but those of the warm-up come through the pipe, in seconds."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_listen, args=(port, token, count, theirs), daemon=True
    )
    process.start()
    try:
        if ours.recv() != "connected":
            raise RuntimeError("The clients could not connect.")
        yield ours
    finally:
        process.terminate()
        process.join()


def _listen(port: int, token: str, count: int, pipe: Connection) -> None:
    selector = selectors.DefaultSelector()
    for _ in range(CLIENTS):
        selector.register(_open_stream(port, token), selectors.EVENT_READ)
    pipe.send("connected")
    latencies: list[float] = []
    while len(latencies) < count * CLIENTS:
        for key, _ in selector.select():
            client = cast(socket.socket, key.fileobj)
            heard_at = time.time()
            for line in client.recv(65536).split(b"\n"):
                if line.startswith(b"data: ") and b'"availability-updated"' in line:
                    timestamp = json.loads(line[6:])["timestamp"]
                    latencies.append(heard_at - datetime.fromisoformat(timestamp).timestamp())
    pipe.send(latencies[WARM_UP_EVENTS * CLIENTS :])


def _open_stream(port: int, token: str) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(
        f"GET /api/webhook/events?channels=availability HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Authorization: Bearer {token}\r\n\r\n".encode()
    )
    while b"event: subscribed" not in client.recv(65536):
        pass
    client.setblocking(False)
    return client
