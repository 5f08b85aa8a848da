"""Orders for the tests, and how they come about."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from marketplace.accounts.models import User
from orders.cart import CartLine
from orders.models import Order
from orders.services import place_orders, transition_order
from products.models import Product
from tests.products.things import forget_announcements

Status = Order.Status

# The steps that bring a new order to a status: the party that takes it, and where it leads.
WAYS: dict[Status, list[tuple[str, Status]]] = {
    Status.PENDING: [],
    Status.CONFIRMED: [("seller", Status.CONFIRMED)],
    Status.SHIPPED: [("seller", Status.CONFIRMED), ("seller", Status.SHIPPED)],
    Status.DELIVERED: [
        ("seller", Status.CONFIRMED),
        ("seller", Status.SHIPPED),
        ("buyer", Status.DELIVERED),
    ],
    Status.CANCELLED: [("buyer", Status.CANCELLED)],
}


def make_order(
    buyer: User, product: Product, *, quantity: int = 1, status: Status = Status.PENDING
) -> Order:
    """An order of one product, brought to a status. What all of that announced is dropped."""
    line = CartLine(product_id=product.pk, quantity=quantity)
    (order,) = place_orders(buyer=buyer, lines=[line])
    for party, to in WAYS[status]:
        by = order.buyer if party == "buyer" else order.seller
        order = transition_order(order_id=order.pk, to=to, by=by)
    forget_announcements()
    return order


def date_ahead() -> None:
    """Date all orders a day ahead: they are of today, although midnight (UTC) may pass by now."""
    Order.objects.update(created_at=timezone.now() + timedelta(days=1))


def line_of(product: Product, quantity: int = 1, **more: Any) -> dict[str, Any]:
    """A line of a cart, as clients send it."""
    return {"productId": product.pk, "quantity": quantity, **more}


def stock_of(product: Product) -> int:
    """The stock that the database has of the product now."""
    return Product.objects.values_list("stock", flat=True).get(pk=product.pk)


def order(client: Any, *lines: dict[str, Any], **more: Any) -> Any:
    """Send a cart."""
    return client.post("/api/orders", {"lines": list(lines), **more}, format="json")
