"""How the whole shop is doing, for the staff: the channel `metrics`; for Prometheus the same."""

import logging
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from django.db import DatabaseError
from django.db.models import Count, Q, Sum
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from marketplace.dashboards.book import CLOSED
from orders.models import Order
from realtime.api import ChannelKind, Event, Fields, Listener, Pulse, stream_figures

logger = logging.getLogger(__name__)

SECONDS = 2
# Named, not "none of the closed ones": so the index by status finds them among a million.
OPEN = [status for status in Order.Status if status not in CLOSED]


class Amount(Fields, frozen=True, kw_only=True):
    """Money of one currency, as a string with two decimals."""

    currency: str
    amount: str


class MetricsUpdated(Event, frozen=True, kw_only=True):
    """The present figures, every two seconds while somebody listens to `metrics`.

    activeOrders: pending, confirmed or shipped now; ordersToday: placed since 00:00 UTC;
    revenueToday: the totals of those that are not cancelled, the currency of most orders first.
    connections: open streams; events a second and deliveries are those of the last ten seconds,
    deliveries in milliseconds from the announcement to a socket, null where there was none.
    """

    is_ephemeral = True

    active_orders: int
    orders_today: int
    revenue_today: list[Amount]
    connected_users: int
    connections: int
    events_per_second: float
    delivery_p50_ms: float | None
    delivery_p99_ms: float | None

    def audiences(self) -> Iterable[str]:
        return ("metrics",)


def read_metrics() -> MetricsUpdated:
    """The figures as they are now, over all server processes. Uses the database."""
    streams = stream_figures()
    today = _orders_since(_midnight(timezone.now()))
    return MetricsUpdated(
        active_orders=Order.objects.filter(status__in=OPEN).count(),
        orders_today=sum(row["placed"] for row in today),
        revenue_today=[
            Amount(currency=row["currency"], amount=f"{row['revenue']:.2f}")
            for row in today
            if row["sold"]
        ],
        connected_users=streams.connected_users,
        connections=streams.connections,
        events_per_second=streams.events_per_second,
        delivery_p50_ms=streams.delivery_p50_ms,
        delivery_p99_ms=streams.delivery_p99_ms,
    )


def _midnight(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _orders_since(moment: datetime) -> list[Any]:
    """By currency, that of most orders first: how many were placed, and sold for how much."""
    counts = ~Q(status=Order.Status.CANCELLED)
    orders = Order.objects.filter(created_at__gte=moment).order_by().values("currency")
    rows = orders.annotate(
        placed=Count("pk"),
        sold=Count("pk", filter=counts),
        revenue=Sum("total", filter=counts),
    )
    return list(rows.order_by("-sold", "currency"))


# --- The channel ----------------------------------------------------------------------------


def may_listen(listener: Listener, _id: str) -> bool:
    """Whether they are staff."""
    return listener.is_staff


def present_state(_listener: Listener, _id: str) -> MetricsUpdated:
    """The figures of this moment."""
    return read_metrics()


METRICS = ChannelKind(
    name="metrics",
    id_form="none",
    public=False,
    may_listen=may_listen,
    state=present_state,
    pulse=Pulse(seconds=SECONDS, read=read_metrics),
)


# --- Prometheus -----------------------------------------------------------------------------


class ShopCollector(Collector):
    """The same figures for /metrics; every process tells the same, as they are of all."""

    def describe(self) -> Iterable[Metric]:
        """Nothing: the database is not asked when the process starts."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The figures at this moment."""
        try:
            metrics = read_metrics()
        except DatabaseError as error:
            # What the process counts itself is needed most when the database is away.
            logger.warning("The shop's figures cannot be read: %s", error)
            return
        for name, text, value in (
            ("active_orders", "Orders neither delivered nor cancelled.", metrics.active_orders),
            ("orders_today", "Orders placed since 00:00 UTC.", metrics.orders_today),
            ("connected_users", "Users with an open stream.", metrics.connected_users),
            ("connections", "Open streams of all processes.", metrics.connections),
            ("events_per_second", "Over ten seconds.", metrics.events_per_second),
        ):
            yield GaugeMetricFamily(f"marketplace_{name}", text, value)
        yield _revenue(metrics.revenue_today)
        yield _delivery({"0.5": metrics.delivery_p50_ms, "0.99": metrics.delivery_p99_ms})


def _revenue(amounts: Iterable[Amount]) -> Metric:
    revenue = GaugeMetricFamily(
        "marketplace_revenue_today",
        "Totals of today's orders that are not cancelled.",
        labels=["currency"],
    )
    for amount in amounts:
        revenue.add_metric([amount.currency], float(amount.amount))
    return revenue


def _delivery(milliseconds: dict[str, float | None]) -> Metric:
    delivery = GaugeMetricFamily(
        "marketplace_delivery_seconds",
        "From the announcement of an event to a socket, over ten seconds and all processes.",
        labels=["quantile"],
    )
    for quantile, value in milliseconds.items():
        if value is not None:
            delivery.add_metric([quantile], value / 1000)
    return delivery
