"""The lists of the dashboards: orders by state, a buyer's orders, a seller's products.

Each is read with one row more than it shows, which tells whether there are older ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet, prefetch_related_objects
from django.http import Http404

from marketplace.accounts.models import User
from marketplace.rest.numbers import NumberedPage, read_page_number
from orders.events import OrderData, order_data
from orders.models import Order
from products.models import Product

Status = Order.Status
Item = TypeVar("Item")

# So many orders stand in a lane; of those that are done only the last few.
LANES = {
    Status.PENDING: 30,
    Status.CONFIRMED: 30,
    Status.SHIPPED: 30,
    Status.DELIVERED: 6,
    Status.CANCELLED: 6,
}
ORDERS_PER_PAGE = 20
ORDERS_PER_STATUS_PAGE = 48
PRODUCTS_PER_PAGE = 50
# So many new products are shown, and so many stand by to take the place of one that leaves.
NEW_PRODUCTS = 8
RESERVE = 8


@dataclass(frozen=True, slots=True)
class Sheet(NumberedPage, Generic[Item]):
    """One page of a list: its rows, its number (from 1), and whether a further one follows."""

    items: Sequence[Item]
    size: int
    number: int = 1
    has_next: bool = False


@dataclass(frozen=True, slots=True)
class Lane:
    """The orders of one status, those first that came to it last."""

    status: Order.Status
    sheet: Sheet[OrderData]


def read_lanes(seller: User) -> list[Lane]:
    """What stands in each lane of the seller, in one query a lane and one for all lines."""
    orders = Order.objects.filter(seller=seller)
    found = {status: list(lane_of(orders, status)[: size + 1]) for status, size in LANES.items()}
    every = [order for orders in found.values() for order in orders]
    prefetch_related_objects(every, "lines", "steps")
    return [
        Lane(
            status,
            Sheet(
                items=[order_data(order) for order in found[status][:size]],
                size=size,
                has_next=len(found[status]) > size,
            ),
        )
        for status, size in LANES.items()
    ]


def read_status_page(seller: User, *, status: Order.Status, number: int) -> Lane:
    """One page of all the seller's orders of a status."""
    orders = lane_of(Order.objects.filter(seller=seller), status)
    whole = orders.prefetch_related("lines", "steps")
    return Lane(status, order_sheet(whole, number=number, size=ORDERS_PER_STATUS_PAGE))


def read_own_orders(buyer: User, *, number: int) -> Sheet[OrderData]:
    """One page of what the buyer ordered, newest first."""
    orders = Order.objects.filter(buyer=buyer).whole().order_by("-created_at", "-pk")
    return order_sheet(orders, number=number, size=ORDERS_PER_PAGE)


def read_own_products(seller: User, *, number: int) -> Sheet[Product]:
    """One page of what the seller offers, on sale or not, newest first."""
    products = Product.objects.filter(seller=seller).select_related("seller")
    return read_sheet(newest(products), number=number, size=PRODUCTS_PER_PAGE)


def read_new_products() -> tuple[Sheet[Product], Sequence[Product]]:
    """What came on sale last in the whole catalogue, and what came before that."""
    products = Product.objects.filter(is_active=True).select_related("seller")
    sheet = read_sheet(newest(products), number=1, size=NEW_PRODUCTS + RESERVE)
    shown = Sheet(items=sheet.items[:NEW_PRODUCTS], size=NEW_PRODUCTS, has_next=sheet.has_next)
    return shown, sheet.items[NEW_PRODUCTS:]


def read_number(text: str | None) -> int:
    """The number of a page, 1 where there is none. Raises Http404 for one that cannot be."""
    try:
        return read_page_number(text) if text else 1
    except ValueError as error:
        raise Http404 from error


def read_status(text: str) -> Order.Status:
    """The status of that name. Raises Http404 where there is none."""
    try:
        return Order.Status(text)
    except ValueError as error:
        raise Http404 from error


def lane_of(orders: "QuerySet[Order]", status: Order.Status) -> "QuerySet[Order]":
    """The orders of a status in the order in which a lane shows them."""
    found = orders.filter(status=status).select_related("buyer", "seller")
    return found.order_by("-updated_at", "-pk")


def newest(products: "QuerySet[Product]") -> "QuerySet[Product]":
    """The products, newest first."""
    return products.order_by("-created_at", "-pk")


def order_sheet(orders: "QuerySet[Order]", *, number: int, size: int) -> Sheet[OrderData]:
    """One page of orders, in the form that their events have."""
    sheet = read_sheet(orders, number=number, size=size)
    items = [order_data(order) for order in sheet.items]
    return Sheet(items=items, size=size, number=number, has_next=sheet.has_next)


def read_sheet(rows: "QuerySet[Any]", *, number: int, size: int) -> Sheet[Any]:
    """One page of rows. Raises Http404 for a page beyond the last."""
    start = (number - 1) * size
    found = list(rows[start : start + size + 1])
    if number > 1 and not found:
        raise Http404
    return Sheet(items=found[:size], size=size, number=number, has_next=len(found) > size)
