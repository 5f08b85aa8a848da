"""The figures of a seller's dashboard, from the book alone: static/dashboards/figures.js does the
same sums, and tests/dashboards/test_figures.py holds the two together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from marketplace.dashboards.book import CLOSED, DAY, DAYS, Book, OrderEntry
from marketplace.formats import format_money, format_number

HOURS = 24
NOTHING = "–"

# A sparkline's box, in the units of its viewBox.
SPARK_WIDTH, SPARK_HEIGHT, SPARK_MARGIN = 100, 36, 2


@dataclass(frozen=True, slots=True)
class Figures:
    """What the page shows, as numbers. Lists by day have DAYS items, the last of which is today.

    orders: placed, whatever became of them. revenue: by currency, in cents, the totals of orders
    placed that day but for cancelled ones; every currency that occurs in these days, that of most
    orders first. open: neither delivered nor cancelled, at the day's end or now. pieces: ordered,
    but for cancelled orders. hours: orders placed in each hour of today. by_status: orders that
    are open now. low: products on sale at or under their threshold; sold_out: those with none.
    """

    orders: list[int]
    revenue: dict[str, list[int]]
    open: list[int]
    pieces: list[int]
    hours: list[int]
    by_status: dict[str, int]
    low: int
    sold_out: int

    @property
    def main_currency(self) -> str:
        """The currency whose revenue is shown large: the first one; empty where none occurs."""
        return next(iter(self.revenue), "")

    @property
    def main_revenue(self) -> list[int]:
        """The revenue in that currency."""
        return self.revenue.get(self.main_currency, [0] * DAYS)


def reckon(book: Book) -> Figures:
    """The figures that the book's day ends with, as far as it has gone."""
    today = datetime.fromisoformat(book.today)
    first = today - (DAYS - 1) * DAY
    orders, pieces = [day.orders for day in book.days], [day.pieces for day in book.days]
    open_orders, hours = [day.open for day in book.days], [0] * HOURS
    revenue: dict[str, list[int]] = {}
    sold: Counter[str] = Counter()
    for number, day in enumerate(book.days):
        sold.update(day.sold)
        for currency, amount in day.revenue.items():
            revenue.setdefault(currency, [0] * DAYS)[number] += cents(amount)
    for entry in book.orders:
        for day_number in days_open(entry, first=first):
            open_orders[day_number] += 1
        placed = datetime.fromisoformat(entry.created_at)
        number = (placed - first) // DAY
        if not 0 <= number < DAYS:
            continue
        orders[number] += 1
        if placed >= today:
            hours[(placed - today) // timedelta(hours=1)] += 1
        if entry.status != "cancelled":
            pieces[number] += entry.pieces
            sold[entry.currency] += 1
            revenue.setdefault(entry.currency, [0] * DAYS)[number] += cents(entry.total)
    on_sale = Counter(product.level for product in book.products if product.is_active)
    return Figures(
        orders=orders,
        revenue=dict(sorted(revenue.items(), key=lambda item: (-sold[item[0]], item[0]))),
        open=open_orders,
        pieces=pieces,
        hours=hours,
        by_status=Counter(entry.status for entry in book.orders if entry.status not in CLOSED),
        low=on_sale["low"] + on_sale["out"],
        sold_out=on_sale["out"],
    )


def days_open(entry: OrderEntry, *, first: datetime) -> range:
    """The numbers of the days at whose end the order was open; today counts as long as it is."""
    placed_on = (datetime.fromisoformat(entry.created_at) - first) // DAY
    if entry.status not in CLOSED:
        return range(max(placed_on, 0), DAYS)
    closed_on = (datetime.fromisoformat(entry.closed_at or entry.created_at) - first) // DAY
    return range(max(placed_on, 0), min(closed_on, DAYS - 1))


def cents(amount: str) -> int:
    """An amount with two decimals in hundredths."""
    return int(Decimal(amount).scaleb(2))


# --- as they are written and drawn ----------------------------------------------------------


def write_figures(figures: Figures) -> dict[str, str]:
    """The figures as texts, by the data-figure of the element that shows them."""
    main, by_day = figures.main_currency, figures.main_revenue
    others = [
        money(amounts[-1], currency)
        for currency, amounts in figures.revenue.items()
        if currency != main and amounts[-1]
    ]
    return {
        "ordersToday": format_number(figures.orders[-1]),
        "ordersYesterday": format_number(figures.orders[-2]),
        "revenueToday": money(by_day[-1], main) if main else NOTHING,
        "revenueYesterday": money(by_day[-2], main) if main else NOTHING,
        "revenueOthers": " · ".join(others),
        "open": format_number(figures.open[-1]),
        "low": format_number(figures.low),
        "soldOut": format_number(figures.sold_out),
        **{
            status: format_number(figures.by_status.get(status, 0))
            for status in ("pending", "confirmed", "shipped")
        },
    }


def money(amount: int, currency: str) -> str:
    """So many cents with their currency."""
    return format_money(Decimal(amount).scaleb(-2), currency)


def spark_line(values: Sequence[int]) -> str:
    """The path of a sparkline. In whole units, so that every language computes the same."""
    highest = max(*values, 1)
    height = SPARK_HEIGHT - 2 * SPARK_MARGIN
    points = (
        f"{number * SPARK_WIDTH // (len(values) - 1)} "
        f"{SPARK_HEIGHT - SPARK_MARGIN - value * height // highest}"
        for number, value in enumerate(values)
    )
    return "M" + "L".join(points)


def spark_area(values: Sequence[int]) -> str:
    """The path of what lies under a sparkline."""
    return f"{spark_line(values)}L{SPARK_WIDTH} {SPARK_HEIGHT}L0 {SPARK_HEIGHT}Z"


def bar_heights(values: Sequence[int]) -> list[int]:
    """The heights of a chart's bars, in percent of the highest."""
    highest = max(*values, 1)
    return [value * 100 // highest for value in values]
