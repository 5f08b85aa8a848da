"""What is announced of orders, to whom, and within which bounds."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from marketplace.accounts.models import User
from orders.cart import CartLine
from orders.errors import TotalTooLarge
from orders.events import order_data
from orders.models import Order, OrderStep
from orders.services import place_orders, transition_order
from realtime.events import MAX_EVENT_BYTES
from realtime.models import OutboxEvent
from tests.conftest import ClientFor
from tests.orders.things import Status, line_of, make_order, order
from tests.products.things import announced, announced_types, forget_announcements, make_product
from tests.support.people import make_user

# The most that each field of an address takes.
WIDTHS = {
    "name": 100, "line1": 200, "line2": 200, "postalCode": 20, "city": 100, "country": 60,
}  # fmt: skip
MAX_PRICE = Decimal("9999999999.99")
TEAPOT = "\N{TEAPOT}"


def test_it_announces_stock_and_then_the_orders_as_rest_shows_them(
    buyer: User, seller: User, other_seller: User, client_for: ClientFor
) -> None:
    pot, clock = make_product(seller), make_product(other_seller)
    forget_announcements()
    answer = order(client_for(buyer), line_of(pot), line_of(clock), note="¡Olé! \u2028 \x07")
    assert announced_types() == [
        "availability-updated", "availability-updated", "order-created", "order-created",
    ]  # fmt: skip
    of_orders = announced()[2:]
    assert [data for _type, _audiences, data in of_orders] == [
        {"order": placed} for placed in answer.json()["orders"]
    ]
    assert [set(audiences) for _type, audiences, _data in of_orders] == [
        {f"user.{buyer.pk}", f"user.{seller.pk}", "staff"},
        {f"user.{buyer.pk}", f"user.{other_seller.pk}", "staff"},
    ]


def test_it_announces_a_step_with_the_status_before(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    placed = make_order(buyer, make_product(seller))
    step = {"to": "confirmed", "reason": "Packed tomorrow"}
    answer = client_for(seller).post(f"/api/orders/{placed.pk}/transition", step, format="json")
    ((type_name, audiences, data),) = announced()
    assert type_name == "order-updated"
    assert data == {"order": answer.json(), "previousStatus": "pending"}
    assert set(audiences) == {
        f"user.{buyer.pk}", f"user.{seller.pk}", f"order.{placed.pk}", "staff",
    }  # fmt: skip
    assert answer.json()["history"][-1].items() >= {
        "from": "pending", "to": "confirmed", "byId": seller.pk, "reason": "Packed tomorrow",
    }.items()  # fmt: skip


def test_it_announces_nothing_of_what_was_rolled_back(buyer: User, seller: User) -> None:
    pot, palace = make_product(seller), make_product(seller, price=MAX_PRICE, stock=2_000)
    forget_announcements()
    lines = [
        CartLine(product_id=pot.pk, quantity=1),
        CartLine(product_id=palace.pk, quantity=1_001),
    ]
    with pytest.raises(TotalTooLarge):
        place_orders(buyer=buyer, lines=lines)
    assert announced() == []
    assert not Order.objects.exists()
    assert not OrderStep.objects.exists()


def test_it_fits_the_largest_order_into_one_event(seller: User) -> None:
    address = {name: "\x01" * width for name, width in WIDTHS.items()}
    buyer = make_user("b" * 150, shipping_address=address)
    # A control character takes six bytes of JSON: titles lose them, the rest may keep them.
    products = [
        make_product(seller, title="\x01" + TEAPOT * 199, price=Decimal("12345678.90"))
        for _ in range(100)
    ]
    lines = [CartLine(product_id=product.pk, quantity=10) for product in products]
    (placed,) = place_orders(buyer=buyer, lines=lines, note="\x01" * 2_000)
    for to, by in (
        (Status.CONFIRMED, seller),
        (Status.SHIPPED, seller),
        (Status.DELIVERED, buyer),
    ):
        transition_order(order_id=placed.pk, to=to, by=by, reason="\x01" * 500)
    largest = OutboxEvent.objects.filter(type="order-updated").latest("id")
    assert len(largest.payload.encode()) < MAX_EVENT_BYTES
    assert placed.lines.all()[0].title == " " + TEAPOT * 199


def test_it_reads_an_order_of_any_size_with_three_queries(buyer: User, seller: User) -> None:
    for length in (1, 20):
        products = [make_product(seller) for _ in range(length)]
        lines = [CartLine(product_id=product.pk, quantity=1) for product in products]
        (placed,) = place_orders(buyer=buyer, lines=lines)
        with CaptureQueriesContext(connection) as queries:
            order_data(Order.objects.whole().get(pk=placed.pk))
        assert len(queries) == 3
