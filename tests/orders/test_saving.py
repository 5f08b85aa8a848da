"""What the shell may do with orders: correct them, and neither delete them nor move them on."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from django.db import IntegrityError, transaction
from django.db.models import F, ProtectedError

from marketplace.accounts.models import User
from orders.cart import CartLine
from orders.errors import StaleOrder
from orders.events import order_data
from orders.models import Order, OrderLine, OrderStep
from orders.services import place_orders
from products.models import Product
from tests.orders.things import Status, make_order, stock_of
from tests.products.things import announced, announced_types, forget_announcements, make_product


@pytest.fixture
def order(buyer: User, seller: User) -> Order:
    """An order as the shell loads it."""
    return Order.objects.get(pk=make_order(buyer, make_product(seller)).pk)


def wire(order: Order) -> dict[str, Any]:
    """The order as it is announced."""
    data: dict[str, Any] = msgspec.to_builtins(order_data(Order.objects.whole().get(pk=order.pk)))
    return data


def test_it_announces_a_correction(order: Order) -> None:
    order.note = "Ring twice"
    order.save()
    ((type_name, _audiences, data),) = announced()
    assert (type_name, data["previousStatus"]) == ("order-updated", "pending")
    assert data["order"] == wire(order)
    assert (data["order"]["note"], data["order"]["version"]) == ("Ring twice", 2)
    assert order.version == 2
    order.save()
    assert len(announced()) == 1


def test_it_reads_back_what_the_database_reckoned(order: Order) -> None:
    order.total = F("total") - 2
    order.save()
    assert order.total == Decimal("10.50")
    assert announced()[0][2]["order"]["total"] == "10.50"


def test_it_writes_no_other_field_than_those_named(order: Order) -> None:
    order.note, order.currency = "Ring twice", "USD"
    order.save(update_fields=["note"])
    row = Order.objects.get()
    assert (row.note, row.currency, row.version) == ("Ring twice", "EUR", 2)


def test_it_refuses_another_status(order: Order) -> None:
    order.status = Status.DELIVERED
    with pytest.raises(ValueError, match="status"):
        order.save()
    assert Order.objects.get().status == "pending"
    assert announced() == []


def test_it_refuses_other_parties(order: Order, other_buyer: User) -> None:
    order.buyer = other_buyer
    with pytest.raises(ValueError, match="buyer_id"):
        order.save()
    assert Order.objects.get().buyer.username == "buyer"


def test_it_refuses_to_write_over_a_newer_order(order: Order) -> None:
    old = Order.objects.get()
    order.note = "Ring twice"
    order.save()
    old.note = "Do not ring"
    with pytest.raises(StaleOrder):
        old.save()
    assert Order.objects.get().note == "Ring twice"


def test_it_announces_an_order_that_the_shell_made(buyer: User, seller: User) -> None:
    order = Order.objects.create(buyer=buyer, seller=seller, total=Decimal(5), currency="EUR")
    ((type_name, _audiences, data),) = announced()
    assert (type_name, data["order"]) == ("order-created", wire(order))
    assert [step["to"] for step in data["order"]["history"]] == ["pending"]


def test_it_never_deletes(order: Order) -> None:
    for kept in (order, order.lines.get(), order.steps.get()):
        with pytest.raises(ProtectedError):
            kept.delete()
        with pytest.raises(ProtectedError):
            type(kept).objects.all().delete()
    with pytest.raises(ProtectedError):
        order.buyer.delete()
    assert (Order.objects.count(), OrderLine.objects.count(), OrderStep.objects.count()) == (
        1,
        1,
        1,
    )


def test_it_keeps_lines_and_history_as_they_were_written(order: Order) -> None:
    line, step = order.lines.get(), order.steps.get()
    line.quantity = 2
    step.reason = "Because"
    for row in (line, step, OrderLine(order=order, product=line.product, quantity=1)):
        with pytest.raises(ValueError, match="stay"):
            row.save()
    assert announced() == []


def test_it_keeps_the_title_and_price_that_were_ordered(order: Order) -> None:
    product = order.lines.get().product
    product.title, product.price = "Samovar", Decimal(99)
    product.save()
    (line,) = wire(order)["lines"]
    assert (line["title"], line["unitPrice"]) == ("Teapot", "12.50")


def test_it_takes_a_product_with_orders_off_sale_when_it_is_deleted(order: Order) -> None:
    order.lines.get().product.delete()
    assert not Product.objects.get().is_active
    assert announced_types() == ["product-deleted", "product-updated"]
    assert order.lines.get().product == Product.objects.get()


def test_it_takes_no_stock_for_lines_without_pieces(buyer: User, seller: User) -> None:
    pot = make_product(seller)
    forget_announcements()
    with pytest.raises(IntegrityError), transaction.atomic():
        place_orders(buyer=buyer, lines=[CartLine(product_id=pot.pk, quantity=-3)])
    assert stock_of(pot) == 10
    assert announced() == []
