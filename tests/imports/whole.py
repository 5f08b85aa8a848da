"""A catalogue with rows of every kind, and what must be there of it when it was imported."""

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.conf import settings

from marketplace.accounts.models import User
from products.imports.models import Import, UnannouncedLot
from products.models import Product
from realtime.models import LogEvent, OutboxEvent
from realtime.notifications.models import Notification
from tests.imports.things import csv_file, row

ROWS = 3_000
# Of ten rows one is bad, one changes a product, one says what is so already, seven are new.
BAD, CHANGED, SAME = 0, 1, 2
GOOD = ROWS * 9 // 10


def catalogue(seller: User) -> bytes:
    """The file; those of its products that are there already are made."""
    present = [number for number in range(ROWS) if number % 10 in (CHANGED, SAME)]
    Product.objects.bulk_create(
        Product(
            seller=seller,
            external_id=f"sku-{number}",
            title=f"Product {number}",
            price=Decimal("12.50") if number % 10 == SAME else Decimal("1.00"),
            currency="EUR",
            kind="goods",
            stock=10,
        )
        for number in present
    )
    return csv_file(
        row(number, price="cheap") if number % 10 == BAD else row(number) for number in range(ROWS)
    )


def told() -> Iterator[tuple[str, dict[str, Any]]]:
    """Type and data of all that was ever announced, whether it has a position yet or not."""
    for events in (LogEvent.objects.order_by("position"), OutboxEvent.objects.order_by("id")):
        for event in events:
            yield event.type, json.loads(event.payload)["data"]


def written_rows(job: Import) -> int:
    """How many rows have been written by now."""
    job.refresh_from_db()
    return job.written_rows


def is_over(job: Import) -> bool:
    """Whether it is, and all that it announced has its position."""
    job.refresh_from_db()
    return bool(job.finished_at and not job.held_until and not OutboxEvent.objects.exists())


def assert_is_whole(job: Import, seller: User) -> None:
    """Every row was written once, every product told of once."""
    job.refresh_from_db()
    assert (job.status, job.created, job.updated, job.failed) == ("done", 2_100, 600, 300)
    assert (job.written_rows, job.holder, job.held_until) == (GOOD, None, None)
    bad = [number for number in range(ROWS) if number % 10 == BAD]
    assert list(job.errors.values_list("row", flat=True)) == [number + 2 for number in bad]

    products = {
        int(product.external_id.removeprefix("sku-")): product
        for product in Product.objects.filter(seller=seller)
    }
    assert sorted(products) == [number for number in range(ROWS) if number % 10 != BAD]
    for number, product in products.items():
        assert (product.title, product.price) == (f"Product {number}", Decimal("12.50"))
        assert product.version == (2 if number % 10 == CHANGED else 1), number

    announced = list(told())
    lots = Counter(
        each["id"]
        for kind, data in announced
        if kind == "products-imported"
        for each in data["products"]
    )
    assert lots == Counter(p.pk for number, p in products.items() if number % 10 != SAME)
    single = Counter(data["product"]["id"] for kind, data in announced if kind == "product-updated")
    assert single == Counter(p.pk for number, p in products.items() if number % 10 == CHANGED)
    assert job.announced == len(lots)
    assert not UnannouncedLot.objects.exists()
    last = [data for kind, data in announced if kind == "progress"]
    assert [data["status"] for data in last] == ["done"]
    assert Notification.objects.filter(user=seller, kind="import-finished").count() == 1
    assert not (settings.IMPORTS_ROOT / str(job.pk)).exists()
