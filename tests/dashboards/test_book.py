"""The book in the browser: what it hears counts once, whether the page knew of it or not."""

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.dashboards.book import read_book
from orders.models import Order
from orders.services import transition_order
from products.services import create_product, update_product
from realtime.models import OutboxEvent
from tests.dashboards.scripts import lay_out_scripts, run_script
from tests.dashboards.test_figures import place
from tests.orders.things import make_order
from tests.products.things import announced, forget_announcements, make_product

Status = Order.Status

SCRIPT = """
const { Book } = await import(`${asked.folder}/dashboards/book.js`);
const book = new Book(asked.book);
for (const [type, data] of asked.events) {
  if (type.startsWith("order-")) book.takeOrder(data.order);
  else if (type === "product-deleted") book.dropProduct(data.productId);
  else if (type === "availability-updated") book.takeProduct({ ...data, id: data.productId });
  else if (type.startsWith("product-")) book.takeProduct(data.product);
}
if (asked.now) book.turnTo(Date.parse(asked.now));
const { revenue, ...figures } = book.reckon();
const amounts = Object.fromEntries([...revenue].map(([name, days]) => [name, days.map(String)]));
console.log(JSON.stringify({ ...figures, revenue: amounts }));
"""


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """Our scripts as /static/ has them."""
    return lay_out_scripts(tmp_path)


def read(seller: User) -> Any:
    """The book as the page carries it."""
    return msgspec.to_builtins(read_book(seller, now=timezone.now()))


def heard() -> list[tuple[str, dict[str, Any]]]:
    """What was announced, as a page hears it."""
    return [(type_name, data) for type_name, _audiences, data in announced()]


def reckon(scripts: Path, book: Any, *events: Any, now: datetime | None = None) -> Any:
    """The figures of the book after these events, at that time."""
    time = None if now is None else now.isoformat()
    return run_script(SCRIPT, folder=scripts, book=book, events=list(events), now=time)


def test_it_counts_what_the_page_has_already_once(scripts: Path, seller: User, buyer: User) -> None:
    product = make_product(seller, stock=5, low_stock_threshold=5)
    before = read(seller)
    order = make_order(buyer, product, quantity=2)
    OutboxEvent.objects.all().delete()
    transition_order(order_id=order.pk, to=Status.CONFIRMED, by=seller)
    transition_order(order_id=order.pk, to=Status.CANCELLED, by=seller)
    events = heard()

    afresh = reckon(scripts, read(seller))
    assert reckon(scripts, before, *events) == afresh
    assert reckon(scripts, read(seller), *events, *events) == afresh
    assert afresh["orders"][-1] == 1
    assert afresh["revenue"] == {}
    assert afresh["low"] == 1


def test_it_hears_late_of_what_was_settled_before_today(
    scripts: Path, seller: User, buyer: User
) -> None:
    order = make_order(buyer, make_product(seller), status=Status.SHIPPED)
    transition_order(order_id=order.pk, to=Status.DELIVERED, by=buyer)
    yesterday = timezone.now() - timedelta(days=1)
    place(order, yesterday, closed_at=yesterday)
    events = heard()
    for _type, data in events:
        if "order" in data:
            data["order"]["createdAt"] = yesterday.isoformat()

    figures = reckon(scripts, read(seller), *events)
    assert figures == reckon(scripts, read(seller))
    assert figures["orders"][-2:] == [1, 0]


def test_it_follows_an_old_order_until_it_is_closed(
    scripts: Path, seller: User, buyer: User
) -> None:
    order = make_order(buyer, make_product(seller), status=Status.CONFIRMED)
    place(order, timezone.now() - timedelta(days=3))
    before = read(seller)
    transition_order(order_id=order.pk, to=Status.CANCELLED, by=seller)

    figures = reckon(scripts, before, *heard())
    assert figures == reckon(scripts, read(seller))
    assert figures["open"][-4:] == [1, 1, 1, 0]
    assert figures["pieces"] == [0] * 14


def test_it_goes_on_to_the_next_day(scripts: Path, seller: User, buyer: User) -> None:
    make_order(buyer, make_product(seller))
    book = read(seller)
    today = reckon(scripts, book)
    tomorrow = reckon(scripts, book, now=timezone.now() + timedelta(days=1))

    assert today["orders"][-2:] == [0, 1]
    assert tomorrow["orders"][-2:] == [1, 0]
    assert tomorrow["revenue"]["EUR"][-2:] == ["1250", "0"]
    assert tomorrow["open"][-2:] == [1, 1]
    assert sum(tomorrow["hours"]) == 0


def test_it_keeps_low_stock_through_every_change(scripts: Path, seller: User) -> None:
    teapot = make_product(seller, stock=3)
    jug = make_product(seller, stock=100)
    bowl = make_product(seller, stock=0)
    before = read(seller)
    update_product(product_id=teapot.pk, by=seller, changes={"is_active": False})
    update_product(product_id=jug.pk, by=seller, changes={"low_stock_threshold": 100})
    update_product(product_id=bowl.pk, by=seller, changes={"price": Decimal(1)})
    teapot.refresh_from_db()
    teapot.stock = 0
    teapot.save()
    bowl.delete()
    create_product(
        seller=seller,
        fields={
            "title": "Cup",
            "price": Decimal(2),
            "currency": "EUR",
            "kind": "goods",
            "stock": 0,
        },
    )

    figures = reckon(scripts, before, *heard())
    assert (figures["low"], figures["soldOut"]) == (2, 1)
    assert figures == reckon(scripts, read(seller))
    forget_announcements()
