"""What stands on the operations page: its charts, and the table beside them.

static/dashboards/operations.js draws and writes the same from each event.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marketplace.dashboards.operations import MetricsUpdated
from marketplace.formats import format_money, format_number

NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Series:
    """One line: the member of the figures that it follows, and its name."""

    key: str
    label: str | Promise


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart. name: for its element's id."""

    name: str
    title: str | Promise
    series: tuple[Series, ...]

    @property
    def keys(self) -> str:
        """The members of the figures that it shows, separated by blanks."""
        return " ".join(series.key for series in self.series)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. key: as in Series; currency: of revenue; text: the figure now."""

    key: str
    label: str | Promise
    text: str
    currency: str = ""


CONNECTIONS = Series("connections", _("Open streams"))
USERS = Series("connectedUsers", _("Users"))
EVENTS = Series("eventsPerSecond", _("Events a second"))
MEDIAN = Series("deliveryP50Ms", _("Half within, ms"))
SLOWEST = Series("deliveryP99Ms", _("99 % within, ms"))
ACTIVE = Series("activeOrders", _("Open orders"))
TODAY = Series("ordersToday", _("Orders today"))
REVENUE = Series("revenueToday", _("Revenue today"))

CHARTS = (
    Chart("streams", _("Connected"), (CONNECTIONS, USERS)),
    Chart("events", _("Events"), (EVENTS,)),
    Chart("delivery", _("Delivery"), (MEDIAN, SLOWEST)),
    Chart("orders", _("Orders"), (ACTIVE, TODAY)),
    Chart("revenue", _("Revenue"), (REVENUE,)),
)

# What a <template> is rendered from, for a currency of which nothing was sold before.
BLANK_ROW = Row(REVENUE.key, REVENUE.label, NOTHING)


def table_rows(metrics: MetricsUpdated) -> Iterator[Row]:
    """The table's rows, revenue last: one for each currency."""
    for series, value in (
        (CONNECTIONS, metrics.connections),
        (USERS, metrics.connected_users),
        (EVENTS, metrics.events_per_second),
        (MEDIAN, metrics.delivery_p50_ms),
        (SLOWEST, metrics.delivery_p99_ms),
        (ACTIVE, metrics.active_orders),
        (TODAY, metrics.orders_today),
    ):
        text = NOTHING if value is None else format_number(value)
        yield Row(series.key, series.label, text)
    for amount in metrics.revenue_today:
        text = format_money(amount.amount, amount.currency)
        yield Row(REVENUE.key, REVENUE.label, text, amount.currency)
