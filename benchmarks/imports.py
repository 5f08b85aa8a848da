"""A catalogue of 100,000 rows is imported while others go on: rows a second, memory, latencies.

One row in a hundred is bad. Meanwhile a browser has the catalogue open, ten streams hear another
seller's changes of stock, and one listens to the import. At the end the page must look as if it
were loaded afresh, and the database must hold exactly the good rows. Once with the thread of the
server, once with a Celery worker and Redis; PostgreSQL's commits reach the disk.
"""

import csv
import http.client
import json
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from difflib import unified_diff
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
from playwright.sync_api import Page, expect, sync_playwright

from benchmarks.listeners import Heard, listening
from benchmarks.product import Databases, durable_postgres
from benchmarks.report import Row, Table, percentile
from benchmarks.site import migrate, post, seller_token, serving
from tests.support.machine import ROOT, chromium
from tests.support.processes import dying_with_parent, end
from tests.support.servers import Marketplace, redis

ROWS = 100_000
BAD_EACH = 100
LISTENERS = 10
CHANGES_PER_SECOND = 10
PRODUCT = {"title": "Lamp", "price": "10.00", "currency": "EUR", "kind": "goods", "stock": 10}
HEADER = ["externalId", "title", "description", "category", "price", "currency", "kind", "stock"]
PATIENCE_SECONDS = 600
OUTLINE = (ROOT / "tests" / "journeys" / "outline.js").read_text()
# The longest time between two frames that the browser draws, kept in the page.
WATCH_FRAMES = """() => {
  window.longestFrame = 0;
  let before = performance.now();
  const look = (now) => {
    window.longestFrame = Math.max(window.longestFrame, now - before);
    before = now;
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""


def run() -> Table:
    """One row for each way to work."""
    table = Table(f"An import of {ROWS} rows, {100 / BAD_EACH:.0f} % of them bad")
    with (
        durable_postgres() as postgres_url,
        redis() as redis_url,
        tempfile.TemporaryDirectory() as name,
    ):
        migrate(postgres_url)
        postgres = Databases(postgres_url)
        catalogue = Path(name) / "catalogue.csv"
        write_catalogue(catalogue)
        for title, url in (("a thread of the server", ""), ("Celery and Redis", redis_url)):
            print(title, file=sys.stderr, flush=True)
            folder = Path(name) / title.replace(" ", "-")
            folder.mkdir()
            _measure(title, table, postgres, folder=folder, catalogue=catalogue, redis_url=url)
    return table


def write_catalogue(path: Path, *, rows: int = ROWS) -> None:
    """A catalogue as a shop would have it; each hundredth price is none."""
    with path.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(HEADER)
        for number in range(rows):
            price = "on request" if number % BAD_EACH == 0 else f"{number % 500 + 5}.90"
            description = f"Number {number} of the catalogue. " * 5
            category = f"Category {number % 40}"
            stock = number % 90 + 10
            lines.writerow(
                [f"SKU-{number}", f"Product {number}", description, category, price, "EUR",
                 "goods", stock]
            )  # fmt: skip


@dataclass
class Watched:
    """What the import's channel told."""

    steps: dict[str, float] = field(default_factory=dict)  # when each was first heard of
    arrivals: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    last: dict[str, Any] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)


def _measure(
    title: str,
    table: Table,
    postgres: Databases,
    *,
    folder: Path,
    catalogue: Path,
    redis_url: str,
) -> None:
    settings = {
        "SECRET_KEY": secrets.token_urlsafe(64),
        "REDIS_URL": redis_url,
        "IMPORTS_DIR": str(folder / "imports"),
    }
    url = postgres.new()
    with ExitStack() as running:
        server = running.enter_context(serving(folder, database_url=url, settings=settings))
        worker = running.enter_context(_worker(server)) if redis_url else server.process.pid
        token, other = seller_token(server), seller_token(server)
        page = running.enter_context(_catalogue_page(server))
        product = post(server, "/api/products", PRODUCT, other)
        clients = running.enter_context(
            listening(
                port=server.port,
                token=other,
                clients=LISTENERS,
                channels=f"product.{product['id']}",
            )
        )
        clients.collect()
        watched = Watched()
        with _changing_stock(server, product["id"], other, watched.over):
            began = time.monotonic()
            task_id = _hand_in(server, token, catalogue)
            seconds = _watch_to_the_end(page, server, token, task_id, watched) - began
        heard = clients.collect()
        longest_frame = page.evaluate("window.longestFrame")
        outcome = _get(server, f"/api/imports/{task_id}", token)
        _check(table, title, outcome, url, _differences(page))
        row: Row = {"worker": title, "seconds": seconds, "rows/s": ROWS / seconds}
        table.rows.append(
            row
            | _step_seconds(watched, began + seconds)
            | {"peak MB": _peak_mb(worker)}
            | _told(watched)
            | _others(heard)
            | {"page's longest frame ms": longest_frame}
        )


def _watch_to_the_end(
    page: Page, server: Marketplace, token: str, task_id: str, watched: Watched
) -> float:
    """Let the browser go on until the import is over; the moment."""
    watcher = threading.Thread(target=_watch, args=(server, token, task_id, watched))
    watcher.start()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not watched.over.is_set():
        # The browser's events come while its driver waits, and only then.
        page.wait_for_timeout(100)
        if time.monotonic() > deadline:
            raise RuntimeError(f"The import came to no end: {watched.last}")
    ended = time.monotonic()
    watcher.join()
    return ended


def _told(watched: Watched) -> Row:
    """How often the bar moved, how long it stood, and how old a report was on the page."""
    pauses = [later - sooner for sooner, later in pairwise(watched.arrivals)]
    latencies = sorted(watched.latencies)
    return {
        "progress told": len(watched.arrivals),
        "longest pause s": max(pauses),
        "report to page ms p50": percentile(latencies, 0.5) * 1000,
        "p99": percentile(latencies, 0.99) * 1000,
    }


def _others(heard: Heard) -> Row:
    """What another seller's events took meanwhile."""
    return {
        "other events": heard.deliveries,
        "their p50 ms": percentile(heard.latencies, 0.5) * 1000,
        "their p99 ms": percentile(heard.latencies, 0.99) * 1000,
    }


def _check(
    table: Table, title: str, outcome: dict[str, Any], url: str, differences: list[str]
) -> None:
    good = ROWS - len(range(0, ROWS, BAD_EACH))
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT count(*), count(DISTINCT external_id) FROM products_product"
            " WHERE external_id LIKE 'SKU-%'"
        ).fetchone()
    counts = {name: outcome[name] for name in ("status", "created", "updated", "failed")}
    wanted = {"status": "done", "created": good, "updated": 0, "failed": ROWS - good}
    if counts != wanted or found != (good, good):
        table.failures.append(f"{title}: {counts}, {found} rows; wanted {wanted}")
    if differences:
        table.failures.append(f"{title}: the page differs: {differences[:6]}")


def _step_seconds(watched: Watched, ended: float) -> Row:
    begun = sorted(watched.steps.items(), key=lambda step: step[1])
    ends = [*(at for _, at in begun[1:]), ended]
    return {f"{step} s": end - at for (step, at), end in zip(begun, ends, strict=True)}


@contextmanager
def _worker(server: Marketplace) -> Iterator[int]:
    """A Celery worker; gives the id of the process that does the work."""
    command = [sys.executable, "-m", "celery", "-A", "marketplace.celery", "worker",
               "--concurrency", "1", "--loglevel", "WARNING"]  # fmt: skip
    process = subprocess.Popen(dying_with_parent(command), cwd=ROOT, env=server.environment)
    try:
        yield _child_of(process.pid)
    finally:
        end(process)


def _child_of(pid: int) -> int:
    """The process that a worker has for its tasks."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    for _ in range(300):
        if children := path.read_text().split():
            return int(children[0])
        time.sleep(0.1)
    raise RuntimeError("The worker has no process for its tasks.")


@contextmanager
def _catalogue_page(server: Marketplace) -> Iterator[Page]:
    """A buyer's browser with the catalogue open, and live."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(base_url=server.url)
        _open(page)
        page.evaluate(WATCH_FRAMES)
        try:
            yield page
        finally:
            browser.close()


def _open(page: Page) -> None:
    page.goto("/")
    expect(page.locator("#connection")).to_have_text("Live")


def _differences(page: Page) -> list[str]:
    """What the page that patched itself shows otherwise than when it is loaded afresh."""
    pill = page.locator("#changes:visible")
    if pill.count():
        pill.click()
    page.wait_for_timeout(2000)
    live = _products(page)
    _open(page)
    return list(unified_diff(live, _products(page), "live", "afresh", lineterm=""))


def _products(page: Page) -> list[str]:
    """What the grid shows. The categories beside it may be a minute old, and change nothing."""
    lines = str(page.evaluate(OUTLINE)).split("\n")
    return lines[next(n for n, line in enumerate(lines) if "picture-grid" in line) :]


def _hand_in(server: Marketplace, token: str, catalogue: Path) -> str:
    boundary = secrets.token_hex(16)
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="c.csv"\r\n\r\n'
    body = head.encode() + catalogue.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": f"multipart/form-data; boundary={boundary}",
    }
    connection.request("POST", "/api/imports", body, headers)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 202:
        raise RuntimeError(f"The file was refused: {content!r}")
    return str(json.loads(content)["taskId"])


def _get(server: Marketplace, path: str, token: str) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    found: dict[str, Any] = json.loads(connection.getresponse().read())
    return found


def _watch(server: Marketplace, token: str, task_id: str, watched: Watched) -> None:
    """Listen to the import until it is over."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
    headers = {"Authorization": f"Bearer {token}"}
    connection.request("GET", f"/api/events?channels=import.{task_id}", headers=headers)
    for line in connection.getresponse():
        if not line.startswith(b"data: ") or b'"type":"progress"' not in line:
            continue
        event = json.loads(line[6:])
        sent = datetime.fromisoformat(event["timestamp"]).timestamp()
        watched.last = event["data"]
        watched.arrivals.append(time.monotonic())
        watched.latencies.append(time.time() - sent)
        watched.steps.setdefault(event["data"]["step"], time.monotonic())
        if event["data"]["status"] != "running":
            break
    watched.over.set()


@contextmanager
def _changing_stock(
    server: Marketplace, product_id: int, token: str, over: threading.Event
) -> Iterator[None]:
    """Change a stock at an even pace while the block lasts, until it is over."""

    def change() -> None:
        began, number = time.monotonic(), 0
        while not over.is_set():
            number += 1
            time.sleep(max(0.0, began + number / CHANGES_PER_SECOND - time.monotonic()))
            post(server, f"/api/products/{product_id}/stock", {"change": 1}, token)

    thread = threading.Thread(target=change, daemon=True)
    thread.start()
    yield
    thread.join()


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024
