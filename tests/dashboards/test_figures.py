"""The figures: what each counts, and that the browser reckons and writes them alike."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.dashboards.book import DAYS, Book, Day, OrderEntry, ProductEntry, read_book
from marketplace.dashboards.figures import (
    Figures,
    bar_heights,
    reckon,
    spark_area,
    spark_line,
    write_figures,
)
from orders.models import Order, OrderStep
from realtime.api import iso_milliseconds
from tests.dashboards.scripts import lay_out_scripts, run_script
from tests.orders.things import make_order
from tests.products.things import make_product

Status = Order.Status
NOW = datetime(2026, 11, 21, 14, 3, 20, tzinfo=UTC)

SCRIPT = """
const { Book } = await import(`${asked.folder}/dashboards/book.js`);
const figures = await import(`${asked.folder}/dashboards/figures.js`);
console.log(JSON.stringify(asked.books.map((data) => {
  const book = new Book(data);
  const reckoned = book.reckon();
  const sparks = figures.sparkValues(reckoned);
  return {
    texts: figures.writeFigures(reckoned),
    lines: Object.values(sparks).map(figures.sparkLine),
    areas: Object.values(sparks).map(figures.sparkArea),
    bars: figures.barHeights(reckoned.hours),
  };
})));
"""


def place(order: Order, at: datetime, *, closed_at: datetime | None = None) -> None:
    """Move an order, and its closing, to another time."""
    Order.objects.filter(pk=order.pk).update(created_at=at, updated_at=closed_at or at)
    if closed_at:
        closing = OrderStep.objects.filter(order=order, to_status__in=["delivered", "cancelled"])
        closing.update(at=closed_at)


def figures_of(seller: User, *, now: datetime = NOW) -> Figures:
    """What the page would show."""
    return reckon(read_book(seller, now=now))


def test_it_counts_orders_by_the_day_on_which_they_were_placed(seller: User, buyer: User) -> None:
    product = make_product(seller, stock=100)
    midnight = NOW.replace(hour=0, minute=0, second=0)
    place(make_order(buyer, product), midnight)
    cancelled = make_order(buyer, product, status=Status.CANCELLED)
    place(cancelled, NOW, closed_at=NOW)
    place(make_order(buyer, product), midnight - timedelta(microseconds=1))

    figures = figures_of(seller)
    assert figures.orders == [0] * (DAYS - 2) + [1, 2]
    assert figures.hours == [1] + [0] * 13 + [1] + [0] * 9


def test_it_adds_up_revenue_and_pieces_without_cancelled_orders(seller: User, buyer: User) -> None:
    in_euros = make_product(seller, stock=100, price="10.10")
    in_francs = make_product(seller, stock=100, price="5.00", currency="CHF")
    place(make_order(buyer, in_euros, quantity=3), NOW)
    place(make_order(buyer, in_euros, quantity=2, status=Status.DELIVERED), NOW, closed_at=NOW)
    place(make_order(buyer, in_euros, quantity=9, status=Status.CANCELLED), NOW, closed_at=NOW)
    place(make_order(buyer, in_francs), NOW - timedelta(days=1))

    figures = figures_of(seller)
    assert figures.revenue["EUR"][-2:] == [0, 5050]
    assert figures.revenue["CHF"][-2:] == [500, 0]
    assert figures.pieces[-2:] == [1, 5]


def test_it_counts_as_open_what_is_neither_delivered_nor_cancelled(
    seller: User, buyer: User
) -> None:
    product = make_product(seller, stock=100)
    long_ago = NOW - timedelta(days=40)
    for status in (Status.PENDING, Status.CONFIRMED, Status.CONFIRMED, Status.SHIPPED):
        place(make_order(buyer, product, status=status), long_ago)
    for status in (Status.DELIVERED, Status.CANCELLED):
        order = make_order(buyer, product, status=status)
        place(order, NOW - timedelta(days=4), closed_at=NOW - timedelta(days=2))

    figures = figures_of(seller)
    assert figures.open == [4] * (DAYS - 5) + [6, 6, 4, 4, 4]
    assert figures.by_status == {"pending": 1, "confirmed": 2, "shipped": 1}


def test_it_counts_low_stock_of_what_is_on_sale(seller: User) -> None:
    make_product(seller, stock=6, low_stock_threshold=5)
    make_product(seller, stock=5, low_stock_threshold=5)
    make_product(seller, stock=0, low_stock_threshold=0)
    make_product(seller, stock=1, is_active=False)

    figures = figures_of(seller)
    assert (figures.low, figures.sold_out) == (2, 1)


def test_it_counts_nothing_of_another_seller(seller: User, other_seller: User, buyer: User) -> None:
    make_order(buyer, make_product(other_seller, stock=1))
    figures = figures_of(seller, now=timezone.now())

    assert sum([*figures.orders, *figures.open, *figures.pieces, *figures.hours]) == 0
    assert (figures.revenue, figures.by_status, figures.low) == ({}, {}, 0)
    assert write_figures(figures)["revenueToday"] == "–"


def test_it_puts_the_currency_of_most_orders_first(seller: User, buyer: User) -> None:
    in_francs = make_product(seller, stock=100, price="50.00", currency="CHF")
    in_euros = make_product(seller, stock=100, price="5.00")
    place(make_order(buyer, in_francs), NOW)
    assert figures_of(seller).main_currency == "CHF"
    place(make_order(buyer, in_euros), NOW)
    assert figures_of(seller).main_currency == "CHF"
    yesterday = NOW - timedelta(days=1)
    place(make_order(buyer, in_euros, status=Status.DELIVERED), yesterday, closed_at=yesterday)

    assert figures_of(seller).main_currency == "EUR"


def test_it_writes_the_first_currency_large_and_the_others_where_they_occur() -> None:
    figures = Figures(
        orders=[0] * DAYS,
        revenue={
            "CHF": [0] * DAYS,
            "EUR": [0] * (DAYS - 1) + [120050],
            "SEK": [7] * (DAYS - 1) + [0],
            "USD": [0] * (DAYS - 1) + [5],
        },
        open=[0] * DAYS,
        pieces=[0] * DAYS,
        hours=[0] * 24,
        by_status={},
        low=0,
        sold_out=0,
    )
    texts = write_figures(figures)
    assert texts["revenueToday"] == "CHF\N{NO-BREAK SPACE}0.00"
    assert texts["revenueOthers"] == "€1,200.50 · US$0.05"


def random_book(chance: random.Random) -> Book:
    """A book that could have been read."""
    today = NOW.replace(hour=0, minute=0, second=0)

    def moment(days: int) -> datetime:
        return today + timedelta(seconds=chance.randrange(-days * 86_400, 86_400))

    def entry(number: int) -> OrderEntry:
        status: Any = chance.choice(["pending", "confirmed", "shipped", "delivered", "cancelled"])
        is_closed = status in {"delivered", "cancelled"}
        created = moment(0 if is_closed else 30)
        return OrderEntry(
            id=number,
            version=1,
            status=status,
            total=f"{chance.choice([0, 1250, 10**15 - 1]) / 100:.2f}",
            currency=chance.choice(["EUR", "CHF", "JPY"]),
            pieces=chance.randrange(1, 9),
            created_at=iso_milliseconds(created),
            closed_at=iso_milliseconds(created + timedelta(minutes=1)) if is_closed else None,
        )

    def day() -> Day:
        currencies = chance.sample(["EUR", "CHF"], chance.randrange(3))
        revenue = {name: f"{chance.randrange(10**7) / 100:.2f}" for name in currencies}
        return Day(
            orders=chance.randrange(5),
            open=chance.randrange(5),
            pieces=chance.randrange(5),
            sold={name: chance.randrange(1, 5) for name in currencies},
            revenue=revenue,
        )

    def product(number: int) -> ProductEntry:
        level: Any = chance.choice(["ok", "few", "low", "out"])
        active = chance.random() < 0.7
        return ProductEntry(id=number, version=1, stock_version=1, level=level, is_active=active)

    return Book(
        today=iso_milliseconds(today),
        days=[*(day() for _ in range(DAYS - 1)), Day()],
        orders=[entry(number) for number in range(chance.randrange(40))],
        products=[product(number) for number in range(chance.randrange(20))],
        own=[],
    )


def test_the_browser_reckons_writes_and_draws_the_same(tmp_path: Path) -> None:
    chance = random.Random(4)
    books = [random_book(chance) for _ in range(60)]
    written = run_script(
        SCRIPT,
        folder=lay_out_scripts(tmp_path),
        books=json.loads(msgspec.json.encode(books)),
    )

    for book, browser in zip(books, written, strict=True):
        figures = reckon(book)
        values = [figures.orders, figures.main_revenue, figures.open, figures.pieces]
        assert browser["texts"] == write_figures(figures)
        assert browser["lines"] == [spark_line(each) for each in values]
        assert browser["areas"] == [spark_area(each) for each in values]
        assert browser["bars"] == bar_heights(figures.hours)


@pytest.mark.parametrize("status", [Status.DELIVERED, Status.CANCELLED])
def test_it_sums_what_is_settled_and_lists_what_may_still_count_otherwise(
    seller: User, buyer: User, status: Status
) -> None:
    product = make_product(seller, stock=100)
    yesterday = NOW - timedelta(days=1)
    place(make_order(buyer, product, status=status), yesterday, closed_at=yesterday)
    closed_today, open_one = make_order(buyer, product, status=status), make_order(buyer, product)
    place(closed_today, NOW, closed_at=NOW)
    place(open_one, yesterday)

    book = read_book(seller, now=NOW)
    assert [entry.id for entry in book.orders] == [closed_today.pk, open_one.pk]
    assert [day.orders for day in book.days] == [0] * (DAYS - 2) + [1, 0]
