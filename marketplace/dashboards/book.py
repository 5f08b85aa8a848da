"""What a seller's figures are made of: read once here, then kept by static/dashboards/book.js.

The browser gets the same book that the page was rendered from. It cannot just add to figures: the
first events that it hears may tell of changes that the page has in it already. So the book holds
every order that may still count otherwise with its version, and only the rest as sums.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

import msgspec
from django.db.models import OuterRef, Q, Subquery, Sum

from marketplace.accounts.models import User
from orders.events import StatusName, status_name
from orders.models import Order, OrderLine, OrderStep
from products.availability.levels import Level, level_of
from products.models import Product
from realtime.api import Fields, iso_milliseconds

DAYS = 14
DAY = timedelta(days=1)

Status = Order.Status
CLOSED = frozenset({Status.DELIVERED, Status.CANCELLED})
SCARCE = frozenset({"low", "out"})


class OrderEntry(Fields, frozen=True, kw_only=True):
    """One order as the figures see it. pieces: of all its lines; closed_at: None while open."""

    id: int
    version: int
    status: StatusName
    total: str
    currency: str
    pieces: int
    created_at: str
    closed_at: str | None


class Day(Fields, frozen=True, kw_only=True):
    """Sums over closed orders: of those placed on one day, and how many were open at its end.

    Without cancelled orders are pieces, and by currency sold (orders) and revenue.
    """

    orders: int = 0
    open: int = 0
    pieces: int = 0
    sold: dict[str, int] = msgspec.field(default_factory=dict)
    revenue: dict[str, str] = msgspec.field(default_factory=dict)


class ProductEntry(Fields, frozen=True, kw_only=True):
    """One product that is low or off sale."""

    id: int
    version: int
    stock_version: int
    level: Level
    is_active: bool


class Book(Fields, frozen=True, kw_only=True):
    """All that one seller's figures are made of.

    today: the beginning of the present day. days: the last DAYS, the oldest first; the last one is
    today and empty, as today's orders are all entries. orders: those placed today or open now.
    products: those that are low or off sale. own: the ids of all products, as the browser may hear
    of the stock of others.
    """

    today: str
    days: list[Day]
    orders: list[OrderEntry]
    products: list[ProductEntry]
    own: list[int]


class OrderRow(NamedTuple):
    """The columns of an order that count."""

    id: int
    version: int
    status: str
    total: Decimal
    currency: str
    created_at: datetime
    pieces: int
    closed_at: datetime | None


def read_book(seller: User, *, now: datetime) -> Book:
    """The seller's book at this time, in two queries. A day is one of UTC, as the page says."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = read_rows(seller, since=today - (DAYS - 1) * DAY)
    products = read_products(seller)
    # In one statement: an order that is closed meanwhile is either an entry or in the sums.
    return Book(
        today=iso_milliseconds(today),
        days=sum_days((row for row in rows if is_settled(row, today=today)), today=today),
        orders=[order_entry(row) for row in rows if not is_settled(row, today=today)],
        products=[entry for entry in products if entry.level in SCARCE or not entry.is_active],
        own=[entry.id for entry in products],
    )


def read_rows(seller: User, *, since: datetime) -> list[OrderRow]:
    """The seller's orders that were placed or changed since then, or are open."""
    closing = OrderStep.objects.filter(order=OuterRef("pk"), to_status__in=CLOSED)
    lines = OrderLine.objects.filter(order=OuterRef("pk")).order_by().values("order")
    orders = Order.objects.filter(seller=seller).filter(
        Q(created_at__gte=since) | Q(updated_at__gte=since) | ~Q(status__in=CLOSED)
    )
    columns = orders.order_by("pk").values_list(
        "pk",
        "version",
        "status",
        "total",
        "currency",
        "created_at",
        Subquery(lines.values(sum=Sum("quantity"))),
        Subquery(closing.values("at")[:1]),
    )
    return [OrderRow(*row) for row in columns.iterator()]


def is_settled(row: OrderRow, *, today: datetime) -> bool:
    """Whether the order counts as it does for ever: closed, and placed before today."""
    return row.status in CLOSED and row.created_at < today


def sum_days(rows: Iterable[OrderRow], *, today: datetime) -> list[Day]:
    """The sums of settled orders by day."""
    first = today - (DAYS - 1) * DAY
    placed: list[list[OrderRow]] = [[] for _ in range(DAYS)]
    open_at_end = [0] * DAYS
    for row in rows:
        day = (row.created_at - first) // DAY
        if day >= 0:
            placed[day].append(row)
        closed_on = ((row.closed_at or row.created_at) - first) // DAY
        for later in range(max(day, 0), closed_on):
            open_at_end[later] += 1
    return [
        sum_day(rows, open_at_end=count) for rows, count in zip(placed, open_at_end, strict=True)
    ]


def sum_day(rows: list[OrderRow], *, open_at_end: int) -> Day:
    """The sums of the orders that were placed on one day."""
    revenue: dict[str, Decimal] = {}
    sold = [row for row in rows if row.status != Status.CANCELLED]
    for row in sold:
        revenue[row.currency] = revenue.get(row.currency, Decimal(0)) + row.total
    return Day(
        orders=len(rows),
        open=open_at_end,
        pieces=sum(row.pieces for row in sold),
        sold=Counter(row.currency for row in sold),
        revenue={currency: f"{amount:.2f}" for currency, amount in revenue.items()},
    )


def order_entry(row: OrderRow) -> OrderEntry:
    """The row in the form that the browser gets."""
    return OrderEntry(
        id=row.id,
        version=row.version,
        status=status_name(row.status),
        total=f"{row.total:.2f}",
        currency=row.currency,
        pieces=row.pieces,
        created_at=iso_milliseconds(row.created_at),
        closed_at=None if row.closed_at is None else iso_milliseconds(row.closed_at),
    )


def read_products(seller: User) -> list[ProductEntry]:
    """All products of the seller."""
    products = Product.objects.filter(seller=seller).order_by("pk")
    columns = ("pk", "version", "stock_version", "stock", "low_stock_threshold", "is_active")
    return [
        ProductEntry(
            id=pk,
            version=version,
            stock_version=stock_version,
            level=level_of(stock=stock, low_stock_threshold=threshold),
            is_active=is_active,
        )
        for pk, version, stock_version, stock, threshold, is_active in products.values_list(
            *columns
        )
    ]
