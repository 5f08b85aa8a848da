"""Orders in the admin: read there, moved on by the same service, and never changed or deleted."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from marketplace.accounts.models import User
from orders.cart import CartLine
from orders.models import Order
from orders.services import place_orders
from products.models import Product
from tests.orders.things import Status, make_order, stock_of
from tests.products.things import announced_types, make_product
from tests.support.people import browser_of

LIST = "/admin/orders/order/"


@pytest.fixture
def pot(seller: User) -> Product:
    """What was ordered."""
    return make_product(seller, stock=50)


@pytest.fixture
def admin(staff: User) -> Client:
    """The admin of somebody who may see and move orders."""
    return browser_of(staff, "view_order", "change_order", "view_orderline", "view_orderstep")


def act(client: Client, action: str, *orders: Order) -> tuple[int, list[str]]:
    """Use an action of the list; returns the status and what was said."""
    body: dict[str, Any] = {
        "action": action, "_selected_action": [order.pk for order in orders],
    }  # fmt: skip
    answer = client.post(LIST, body, follow=True)
    return answer.status_code, [str(message) for message in answer.context["messages"]]


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        ("confirm", Status.PENDING, "confirmed"),
        ("ship", Status.CONFIRMED, "shipped"),
        ("deliver", Status.SHIPPED, "delivered"),
        ("cancel", Status.CONFIRMED, "cancelled"),
    ],
)
def test_it_takes_steps_by_the_service(
    admin: Client, staff: User, buyer: User, pot: Product, action: str, before: Status, after: str
) -> None:
    order = make_order(buyer, pot, status=before)
    _status, said = act(admin, action, order)
    assert said == [f"1 order is {after}."]
    last = Order.objects.get().steps.latest("pk")
    assert (last.from_status, last.to_status, last.by) == (before, after, staff)
    assert announced_types()[-1] == "order-updated"
    assert stock_of(pot) == (50 if after == "cancelled" else 49)


def test_it_reports_each_refusal_and_takes_the_other_steps(
    admin: Client, buyer: User, pot: Product
) -> None:
    shipped = make_order(buyer, pot, status=Status.SHIPPED)
    first, second = make_order(buyer, pot), make_order(buyer, pot)
    _status, said = act(admin, "confirm", first, shipped, second)
    assert said == [
        f"order {shipped.pk}: The order's present status does not allow this step.",
        "2 orders are confirmed.",
    ]
    assert list(Order.objects.order_by("pk").values_list("status", flat=True)) == [
        "shipped", "confirmed", "confirmed",
    ]  # fmt: skip


def test_it_lets_only_those_move_orders_who_may(
    other_buyer: User, buyer: User, pot: Product
) -> None:
    other_buyer.is_staff = True
    other_buyer.save()
    looker = browser_of(other_buyer, "view_order")
    order = make_order(buyer, pot)
    act(looker, "confirm", order)
    assert Order.objects.get().status == "pending"
    looker.logout()
    looker.force_login(buyer)
    assert looker.get(LIST).status_code == 302


def test_it_shows_an_order_with_lines_and_history_and_changes_nothing(
    admin: Client, buyer: User, pot: Product
) -> None:
    order = make_order(buyer, pot, status=Status.CONFIRMED)
    page = reverse("admin:orders_order_change", args=[order.pk])
    shown = admin.get(page)
    assert shown.status_code == 200
    text = shown.content.decode()
    assert "Teapot" in text
    assert "confirmed" in text
    assert 'name="_save"' not in text
    assert "deletelink" not in text
    fields = {"status": "delivered", "note": "x", "total": "0"}
    assert admin.post(page, fields).status_code == 403
    assert admin.get(reverse("admin:orders_order_add")).status_code == 403
    assert admin.post(reverse("admin:orders_order_delete", args=[order.pk])).status_code == 403
    assert b"delete_selected" not in admin.get(LIST).content
    assert Order.objects.get().status == "confirmed"


def test_it_asks_as_many_questions_for_many_rows_as_for_few(
    admin: Client, buyer: User, other_buyer: User, seller: User, pot: Product
) -> None:
    counts: list[tuple[int, int]] = []
    for length in (1, 5):
        for someone in (buyer, other_buyer):
            make_order(someone, pot)
        lines = [CartLine(product_id=make_product(seller).pk, quantity=1) for _ in range(length)]
        (order,) = place_orders(buyer=buyer, lines=lines)
        with CaptureQueriesContext(connection) as of_list:
            assert admin.get(LIST).status_code == 200
        with CaptureQueriesContext(connection) as of_page:
            admin.get(reverse("admin:orders_order_change", args=[order.pk]))
        counts.append((len(of_list), len(of_page)))
    assert counts[0] == counts[1]


def test_it_finds_orders(admin: Client, buyer: User, other_buyer: User, pot: Product) -> None:
    order = make_order(buyer, pot)
    make_order(other_buyer, pot, status=Status.CONFIRMED)
    for query in (f"q={order.pk}", "q=buyer&status__exact=pending"):
        found = admin.get(f"{LIST}?{query}").context["cl"].result_list
        assert [each.pk for each in found] == [order.pk]
