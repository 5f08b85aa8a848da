"""The list of orders: newest first, by status, page by page, with few queries."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from marketplace.accounts.models import User
from tests.conftest import ClientFor
from tests.orders.things import Status, make_order
from tests.products.things import make_product


def ids(answer: Any) -> list[int]:
    """The orders on the page."""
    assert answer.status_code == 200, answer.content
    return [each["id"] for each in answer.json()["results"]]


def test_it_lists_what_one_gave_and_got_newest_first(
    buyer: User, seller: User, other_seller: User, client_for: ClientFor
) -> None:
    pot = make_product(seller)
    first, second = make_order(buyer, pot), make_order(buyer, pot)
    elsewhere = make_order(buyer, make_product(other_seller))
    assert ids(client_for(buyer).get("/api/orders")) == [elsewhere.pk, second.pk, first.pk]
    assert ids(client_for(seller).get("/api/orders")) == [second.pk, first.pk]


def test_it_filters_by_status(buyer: User, seller: User, client_for: ClientFor) -> None:
    pot = make_product(seller)
    pending = make_order(buyer, pot)
    shipped = make_order(buyer, pot, status=Status.SHIPPED)
    client = client_for(buyer)
    assert ids(client.get("/api/orders?status=shipped")) == [shipped.pk]
    assert ids(client.get("/api/orders?status=pending")) == [pending.pk]
    assert ids(client.get("/api/orders?status=")) == [shipped.pk, pending.pk]
    assert ids(client.get("/api/orders?status=+")) == [shipped.pk, pending.pk]
    assert client.get("/api/orders?status=lost").status_code == 400


def test_it_shows_pages(buyer: User, seller: User, client_for: ClientFor) -> None:
    pot = make_product(seller)
    oldest, middle, newest = (make_order(buyer, pot).pk for _ in range(3))
    client = client_for(buyer)
    first = client.get("/api/orders?pageSize=2&status=pending")
    assert ids(first) == [newest, middle]
    assert first.json()["count"] == 3
    assert ids(client.get(first.json()["next"])) == [oldest]


@pytest.mark.parametrize("query", ["page=0", "page=2", "page=x", "pageSize=0", "pageSize=101"])
def test_it_refuses_pages_that_are_none(buyer: User, client_for: ClientFor, query: str) -> None:
    assert client_for(buyer).get(f"/api/orders?{query}").status_code == 400


def test_it_asks_as_many_questions_for_many_as_for_one(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    client = client_for(buyer)
    counts = []
    for _ in range(2):
        make_order(buyer, make_product(seller, stock=50), status=Status.DELIVERED)
        with CaptureQueriesContext(connection) as queries:
            client.get("/api/orders")
        counts.append(len(queries))
    assert counts[0] == counts[1]
