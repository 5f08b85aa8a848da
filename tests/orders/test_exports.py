"""Orders as a file: those that one got and gave, a line for each of their lines, nobody else's."""

import csv
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from marketplace.accounts.models import User
from orders.cart import CartLine
from orders.exports import COLUMNS, order_rows
from orders.models import Order
from orders.services import place_orders
from tests.orders.things import make_order
from tests.products.things import make_product, make_tour
from tests.streams.things import rest
from tests.support.people import ADDRESS
from tests.support.servers import Marketplace

EXPORT = "/api/exports/orders.csv"


def exported(server: Marketplace, user: User) -> list[dict[str, str]]:
    """The rows of the user's file."""
    with rest(server, user) as api:
        answer = api.get(EXPORT)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Disposition"] == 'attachment; filename="orders.csv"'
    rows = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
    assert tuple(rows.fieldnames or ()) == COLUMNS
    return list(rows)


def test_it_needs_a_login(db: None) -> None:
    answer = APIClient().get(EXPORT)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (401, "not_authenticated")


def test_each_gets_their_own(
    buyer: User,
    other_buyer: User,
    seller: User,
    other_seller: User,
    staff: User,
    live_server_process: Marketplace,
) -> None:
    pot, tour = make_product(seller, title="=Pot"), make_tour(seller)
    cart = [CartLine(product_id=pot.pk, quantity=2), CartLine(product_id=tour.pk, quantity=1)]
    (order,) = place_orders(buyer=buyer, lines=cart, note="+Ring\ntwice")
    trip = make_order(buyer, tour)
    elsewhere = make_order(buyer, make_product(other_seller))
    make_order(other_buyer, make_product(other_seller))

    sold = exported(live_server_process, seller)
    assert [row["orderId"] for row in sold] == [str(trip.pk), *[str(order.pk)] * 2]
    first = sold[1]
    assert first == {
        "orderId": str(order.pk),
        "status": "pending",
        "createdAt": first["createdAt"],
        "buyerName": "buyer",
        "sellerName": "seller",
        "productId": str(pot.pk),
        "title": "'=Pot",
        "quantity": "2",
        "unitPrice": "12.50",
        "currency": "EUR",
        **ADDRESS,
        "note": "'+Ring\ntwice",
    }
    assert first["createdAt"].endswith("Z")
    assert (sold[0]["city"], sold[0]["note"]) == ("", "")
    bought = exported(live_server_process, buyer)
    assert [row["orderId"] for row in bought] == [str(elsewhere.pk), *(r["orderId"] for r in sold)]
    assert exported(live_server_process, staff) == []

    User.objects.filter(pk=buyer.pk).update(role="seller")
    order_of = make_order(other_buyer, make_product(User.objects.get(pk=buyer.pk)))
    both = exported(live_server_process, buyer)
    assert [row["orderId"] for row in both] == [str(order_of.pk), *(r["orderId"] for r in bought)]


@pytest.mark.django_db
def test_it_reads_many_orders_with_few_queries(buyer: User, seller: User) -> None:
    pot = make_product(seller, stock=1_000)
    for _ in range(3):
        make_order(buyer, pot)
    Order.objects.update(created_at=Order.objects.latest("pk").created_at)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        rows = list(order_rows(buyer))
    newest = Order.objects.order_by("-pk").values_list("pk", flat=True)
    assert [row[0] for row in rows] == list(newest)
    # Of each party: the orders, that there are no more, and the lines of those that there are.
    assert len(queries) == 4
