"""The lists of the dashboards: what stands where, page by page, in how many queries."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from marketplace.accounts.models import User
from marketplace.dashboards import lists
from marketplace.dashboards.lists import LANES, Lane
from orders.models import Order
from tests.orders.things import make_order
from tests.products.things import make_product

Status = Order.Status


@pytest.fixture
def sellers_client(client: Client, seller: User) -> Client:
    """A browser in which the seller is logged in."""
    client.force_login(seller)
    return client


@pytest.fixture
def buyers_client(client: Client, buyer: User) -> Client:
    """A browser in which the buyer is logged in."""
    client.force_login(buyer)
    return client


def ids(lane: Lane) -> list[int]:
    """The orders in a lane."""
    return [order.id for order in lane.sheet.items]


def queries_of(client: Client, path: str) -> int:
    """How many queries a page takes."""
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def test_it_puts_each_order_into_the_lane_of_its_status(
    sellers_client: Client, seller: User, buyer: User
) -> None:
    product = make_product(seller, stock=100)
    orders = {status: make_order(buyer, product, status=status) for status in Status}
    lanes = sellers_client.get("/seller/").context["lanes"]

    assert {lane.status: ids(lane) for lane in lanes} == {
        status: [order.pk] for status, order in orders.items()
    }


def test_it_puts_first_what_came_to_a_lane_last(
    sellers_client: Client, seller: User, buyer: User
) -> None:
    product = make_product(seller, stock=100)
    first, second = make_order(buyer, product), make_order(buyer, product)
    first.note = "Ring twice."
    first.save()

    pending = sellers_client.get("/seller/").context["lanes"][0]
    assert ids(pending) == [first.pk, second.pk]


def test_it_links_from_a_full_lane_to_its_pages(
    sellers_client: Client, seller: User, buyer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LANES, Status.PENDING, 2)
    monkeypatch.setattr(lists, "ORDERS_PER_STATUS_PAGE", 2)
    product = make_product(seller, stock=100)
    oldest, middle, newest = (make_order(buyer, product).pk for _ in range(3))

    lane = sellers_client.get("/seller/").context["lanes"][0]
    assert (ids(lane), lane.sheet.has_next) == ([newest, middle], True)
    [lane] = sellers_client.get("/seller/?status=pending&page=2").context["lanes"]
    assert (ids(lane), lane.sheet.has_next) == ([oldest], False)


@pytest.mark.parametrize(
    "query", ["status=lost", "status=pending&page=2", "status=pending&page=0", "products=x"]
)
def test_it_knows_no_other_pages(sellers_client: Client, query: str) -> None:
    assert sellers_client.get(f"/seller/?{query}").status_code == 404


def test_it_shows_a_buyers_orders_newest_first(
    buyers_client: Client, seller: User, buyer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "ORDERS_PER_PAGE", 2)
    product = make_product(seller, stock=100)
    oldest, middle, newest = (make_order(buyer, product).pk for _ in range(3))

    first = buyers_client.get("/buyer/").context["orders"]
    assert [order.id for order in first.items] == [newest, middle]
    assert first.has_next
    second = buyers_client.get("/buyer/?page=2").context["orders"]
    assert [order.id for order in second.items] == [oldest]
    assert buyers_client.get("/buyer/?page=3").status_code == 404


def test_it_shows_a_seller_everything_they_offer(sellers_client: Client, seller: User) -> None:
    on_sale, off_sale = make_product(seller), make_product(seller, is_active=False)
    products = sellers_client.get("/seller/").context["products"]

    assert list(products.items) == [off_sale, on_sale]


@pytest.mark.parametrize("path", ["/seller/", "/seller/?status=pending"])
def test_it_asks_no_more_for_a_busy_seller(
    sellers_client: Client, seller: User, buyer: User, path: str
) -> None:
    quiet = queries_of(sellers_client, path)
    for number in range(4):
        product: Any = make_product(seller, title=f"Bowl {number}", stock=100)
        for status in Status:
            make_order(buyer, product, status=status)

    # Lines and steps are read where there are orders.
    assert queries_of(sellers_client, path) <= min(quiet + 2, 15)


def test_it_asks_no_more_for_a_busy_buyer(buyers_client: Client, seller: User, buyer: User) -> None:
    quiet = queries_of(buyers_client, "/buyer/")
    for number in range(4):
        product = make_product(seller, title=f"Bowl {number}", stock=100)
        for status in Status:
            make_order(buyer, product, status=status)

    assert queries_of(buyers_client, "/buyer/") <= min(quiet + 2, 9)


def test_it_asks_little_for_an_order(buyers_client: Client, seller: User, buyer: User) -> None:
    order = make_order(buyer, make_product(seller))
    assert queries_of(buyers_client, f"/orders/{order.pk}") <= 8
