"""A seller's products as a file: all of them, nobody else's, and no change when it is imported."""

import csv
import io
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.db import connection
from rest_framework.test import APIClient

from marketplace.accounts.models import User
from products.imports.exports import COLUMNS
from products.models import Product
from tests.conftest import ClientFor, StartServer
from tests.imports.things import HEADER, URL, wait_until
from tests.products.things import make_product, make_tour
from tests.streams.things import bearer, rest
from tests.support.servers import Marketplace

EXPORT = "/api/exports/products.csv"
MANY = 20_000
# Twenty thousand rows with descriptions are 25 MB.
MOST_GROWN_KB = 8 * 1024
READERS = 5


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    """The rows of a file that was sent, by the names of its columns."""
    assert answer.status_code == 200, answer.text
    text = answer.content.decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


@pytest.mark.parametrize(
    ("who", "refusal"),
    [
        ("buyer", (403, "sellers_only")),
        ("staff", (403, "sellers_only")),
        ("nobody", (401, "not_authenticated")),
    ],
)
def test_only_sellers_have_it(
    db: None,
    client_for: ClientFor,
    request: pytest.FixtureRequest,
    who: str,
    refusal: tuple[int, str],
) -> None:
    client = APIClient() if who == "nobody" else client_for(request.getfixturevalue(who))
    answer = client.get(EXPORT)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == refusal


def catalogue_of(seller: User) -> list[Product]:
    """Products with all that could go wrong on the way through a spreadsheet."""
    return [
        make_product(
            seller,
            external_id="-1",
            title="=1+1",
            description="\"Blue\", he said;\r\n\tand green\nor 'red'.",
            category="@home",
            image_url="https://shop.example/a,b.png",
        ),
        make_product(seller, external_id="'-2", title="'=x", price=Decimal("0.10"), stock=0),
        make_product(seller, external_id="3", title="’tis 'n'-roll", is_active=False),
        make_tour(
            seller,
            external_id="tour-4",
            starts_at=datetime(2027, 5, 1, 9, 30, 0, 123456, tzinfo=UTC),
            low_stock_threshold=0,
        ),
        make_tour(seller, external_id="tour-5", starts_at=datetime(2027, 5, 1, tzinfo=UTC)),
    ]


def versions() -> dict[int, tuple[int, int, datetime]]:
    """What every change of a product moves."""
    found = Product.objects.values_list("pk", "version", "stock_version", "updated_at")
    return {pk: (version, stock_version, at) for pk, version, stock_version, at in found}


def until_over(api: httpx.Client, task_id: str) -> dict[str, Any]:
    """The import when it is over."""
    path = f"{URL}/{task_id}"
    wait_until(lambda: bool(api.get(path).json()["finishedAt"]), "The import comes to no end.")
    job: dict[str, Any] = api.get(path).json()
    return job


def test_it_is_ones_own_whole_catalogue_and_changes_nothing_when_it_is_imported(
    seller: User, other_seller: User, live_server_process: Marketplace
) -> None:
    products = catalogue_of(seller)
    theirs = make_product(other_seller, external_id="theirs", title="Theirs")
    before = versions()
    with rest(live_server_process, seller) as api:
        answer = api.get(EXPORT)
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="products.csv"'
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert "Event-Position" in answer.headers
        rows = rows_of(answer)
        assert tuple(rows[0]) == COLUMNS
        assert [int(row["id"]) for row in rows] == [product.pk for product in reversed(products)]
        shown = {row["externalId"]: row for row in rows}
        assert set(shown) == {"'-1", "''-2", "3", "tour-4", "tour-5"}
        assert (shown["'-1"]["title"], shown["''-2"]["title"]) == ("'=1+1", "''=x")
        assert shown["3"]["isActive"] == "false"
        assert shown["tour-4"]["startsAt"] == "2027-05-01T09:30:00.123456Z"
        assert (shown["tour-5"]["startsAt"], shown["''-2"]["level"]) == (
            "2027-05-01T00:00:00.000Z",
            "out",
        )

        sent = api.post(URL, files={"file": ("products.csv", answer.content)})
        job = until_over(api, sent.json()["taskId"])
    assert job["errors"] == []
    assert (job["status"], job["created"], job["updated"], job["failed"]) == ("done", 0, 5, 0)
    assert job["ignoredColumns"] == ["id", "level", "version", "createdAt", "updatedAt"]
    assert versions() == before
    with rest(live_server_process, other_seller) as api:
        assert [row["id"] for row in rows_of(api.get(EXPORT))] == [str(theirs.pk)]


def test_it_has_every_product_once_where_many_are_of_one_moment(
    seller: User, live_server_process: Marketplace
) -> None:
    some = make_many(seller, 700, created_at=datetime(2026, 5, 1, tzinfo=UTC))
    with rest(live_server_process, seller) as api:
        api.headers["Accept"] = "text/csv"
        rows = rows_of(api.get(EXPORT))
        template = api.get(f"{URL}/template.csv").content.decode("utf-8-sig")
        refused = api.get(f"{URL}/{uuid4()}/errors.csv")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (404, "not_found")
    assert [int(row["id"]) for row in rows] == sorted(some, reverse=True)
    assert set(HEADER) < set(template.strip().split(","))


# --- A catalogue that is large, and readers that are slow -------------------------------------


def make_many(seller: User, count: int, **fields: Any) -> list[int]:
    """So many products with long descriptions; their keys."""
    made = Product.objects.bulk_create(
        Product(
            seller=seller,
            title=f"Product {number}",
            description="Words. " * 150,
            price=Decimal("12.50"),
            currency="EUR",
            kind="goods",
            stock=10,
            external_id=f"sku-{number}",
            **fields,
        )
        for number in range(count)
    )
    return [product.pk for product in made]


def status_of(server: Marketplace, name: str) -> int:
    """A figure of the server's process as the kernel tells it: VmHWM in kB, Threads."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1])


def connections_of(server: Marketplace) -> int:
    """How many connections to the database the server has, ours aside."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            return int(cursor.fetchone()[0])
    # The database itself may stay open for the next one: SQLite would lose its locks with it.
    log = f"{connection.settings_dict['NAME']}-wal"
    opened = Path(f"/proc/{server.process.pid}/fd").iterdir()
    return sum(_target(path) == log for path in opened)


def _target(path: Path) -> str:
    try:
        return str(path.readlink())
    except FileNotFoundError:  # closed meanwhile
        return ""


@contextmanager
def stalled(server: Marketplace, user: User) -> Iterator[socket.socket]:
    """Somebody who asks for the file, reads its beginning, and then nothing any more."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        client.connect(("127.0.0.1", server.port))
        lines = [f"GET {EXPORT} HTTP/1.1", f"Host: 127.0.0.1:{server.port}"]
        lines += [f"{name}: {value}" for name, value in bearer(user).items()]
        client.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        assert client.recv(1024).startswith(b"HTTP/1.1 200")
        yield client


def test_it_needs_no_memory_and_no_connection_for_readers_however_slow_they_are(
    seller: User, other_seller: User, start_server: StartServer
) -> None:
    server = start_server()
    make_product(other_seller)
    make_many(seller, MANY)
    with rest(server, other_seller) as api:  # what is loaded for the first one is there then
        rows_of(api.get(EXPORT))
    before = status_of(server, "VmHWM")
    with rest(server, seller) as api, api.stream("GET", EXPORT, timeout=60) as answer:
        size = lines = 0
        for piece in answer.iter_bytes():
            size, lines = size + len(piece), lines + piece.count(b"\r\n")
    assert (lines, size > 20_000_000) == (MANY + 1, True)
    assert status_of(server, "VmHWM") - before < MOST_GROWN_KB

    idle = connections_of(server)
    with ExitStack() as readers:
        for _ in range(READERS):
            readers.enter_context(stalled(server, seller))
        wait_until(lambda: connections_of(server) <= idle, "Those who wait hold connections.")
        threads = status_of(server, "Threads")
    # Each has a thread of Django's as long as it reads.
    wait_until(
        lambda: status_of(server, "Threads") <= threads - READERS,
        "It reads on for those who have left.",
    )
    wait_until(lambda: connections_of(server) <= idle, "Those who left have connections.")
    assert status_of(server, "VmHWM") - before < READERS * MOST_GROWN_KB
    assert "Traceback" not in server.log.read_text()
