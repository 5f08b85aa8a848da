"""What the staff see of the whole shop: the figures, who gets them, and Prometheus' copy."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest

from marketplace.accounts.models import User
from marketplace.dashboards import operations
from marketplace.dashboards.charts import CHARTS, table_rows
from marketplace.dashboards.operations import Amount, MetricsUpdated, ShopCollector, read_metrics
from orders.models import Order
from realtime.models import ProcessLease
from tests.orders.things import date_ahead, make_order
from tests.products.things import make_product

Status = Order.Status


@pytest.fixture
def day(seller: User, buyer: User) -> None:
    """Orders of today in two currencies, one of yesterday that is open, and two processes."""
    teapot = make_product(seller, title="Teapot", price="12.50", stock=100)
    franc = make_product(seller, title="Franc", price="8.00", currency="CHF", stock=100)
    for status in (Status.PENDING, Status.DELIVERED, Status.CANCELLED):
        make_order(buyer, teapot, quantity=2, status=status)
    make_order(buyer, franc, status=Status.SHIPPED)
    date_ahead()
    old = make_order(buyer, teapot, status=Status.CONFIRMED)
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    Order.objects.filter(pk=old.pk).update(created_at=midnight - timedelta(milliseconds=1))
    lease(
        "1", by_user={"7": 2, "8": 1}, recent={"seconds": 10, "numbered": 25, "latencies": [0, 4]}
    )
    lease("2", by_user={"8": 1}, by_address={"::1": 3}, recent={"seconds": 10, "numbered": 5})
    dead = timezone.now() - timedelta(seconds=10)
    lease("3", by_user={"9": 9}, renewed_at=dead)


def lease(digit: str, **fields: object) -> None:
    values = {"renewed_at": timezone.now(), **fields}
    ProcessLease.objects.create(process=digit * 32, **values)


@pytest.mark.usefixtures("day")
def test_it_reckons_the_figures_of_today_and_of_all_living_processes() -> None:
    assert read_metrics() == MetricsUpdated(
        active_orders=3,
        orders_today=4,
        revenue_today=[
            Amount(currency="EUR", amount="50.00"),
            Amount(currency="CHF", amount="8.00"),
        ],
        connected_users=2,
        connections=7,
        events_per_second=3.0,
        delivery_p50_ms=1.5,
        delivery_p99_ms=2.0,
    )


@pytest.mark.django_db
def test_it_has_figures_where_nothing_happens() -> None:
    metrics = read_metrics()
    assert (metrics.active_orders, metrics.orders_today, metrics.revenue_today) == (0, 0, [])
    assert metrics.delivery_p99_ms is None
    texts = {row.key: row.text for row in table_rows(metrics)}
    assert texts["deliveryP99Ms"] == "–"
    assert texts["connections"] == "0"


@pytest.mark.usefixtures("day")
def test_it_tells_prometheus_the_same() -> None:
    registry = CollectorRegistry()
    registry.register(ShopCollector())
    lines = generate_latest(registry).decode().splitlines()
    assert {line for line in lines if not line.startswith("#")} == {
        "marketplace_active_orders 3.0",
        "marketplace_orders_today 4.0",
        "marketplace_connected_users 2.0",
        "marketplace_connections 7.0",
        "marketplace_events_per_second 3.0",
        'marketplace_revenue_today{currency="EUR"} 50.0',
        'marketplace_revenue_today{currency="CHF"} 8.0',
        'marketplace_delivery_seconds{quantile="0.5"} 0.0015',
        'marketplace_delivery_seconds{quantile="0.99"} 0.002',
    }


def test_it_tells_prometheus_nothing_of_the_shop_without_a_database(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> MetricsUpdated:
        raise OperationalError("gone")

    monkeypatch.setattr(operations, "read_metrics", fail)
    registry = CollectorRegistry()
    registry.register(ShopCollector())
    assert generate_latest(registry) == b""
    assert "gone" in caplog.text


@pytest.mark.usefixtures("day")
def test_it_draws_what_the_event_tells_of() -> None:
    members = msgspec.to_builtins(read_metrics()).keys()
    assert {series.key for chart in CHARTS for series in chart.series} == members


@pytest.mark.parametrize(
    ("who", "status"), [("staff", 200), ("buyer", 403), ("seller", 403), (None, 302)]
)
def test_it_opens_the_page_to_the_staff_alone(
    request: pytest.FixtureRequest, client: Client, db: None, who: str | None, status: int
) -> None:
    if who is not None:
        client.force_login(request.getfixturevalue(who))
    assert client.get("/operations/").status_code == status
    links = client.get("/").content.decode()
    assert ('href="/operations/"' in links) == (who == "staff")
