"""What is announced of orders: the data and the events."""

from collections.abc import Iterable
from typing import Literal, cast

import msgspec

from marketplace.accounts.addresses import ShippingAddress
from orders.models import Order, OrderLine, OrderStep
from orders.transitions import allowed_transitions
from realtime.api import Event, Fields, iso_milliseconds

# Order.Status on the wire, from which the schemas are made.
StatusName = Literal["pending", "confirmed", "shipped", "delivered", "cancelled"]


def status_name(status: str) -> StatusName:
    """A status of the model, as the wire names it."""
    return cast(StatusName, str(status))


class OrderLineData(Fields, frozen=True, kw_only=True):
    """Pieces of one product, with the title and price that it had when it was ordered."""

    product_id: int
    title: str
    quantity: int
    unit_price: str


class OrderStepData(Fields, frozen=True, kw_only=True):
    """One step of an order's history. Its first is from nothing, when it was placed."""

    from_: StatusName | None = msgspec.field(name="from")
    to: StatusName
    by_id: int
    at: str
    reason: str


class AllowedTransitions(Fields, frozen=True, kw_only=True):
    """The statuses to which each party may bring the order now."""

    buyer: list[StatusName]
    seller: list[StatusName]


class OrderData(Fields, frozen=True, kw_only=True):
    """An order, as REST answers and events show it. Money is a string with two decimals."""

    id: int
    buyer_id: int
    buyer_name: str
    seller_id: int
    seller_name: str
    status: StatusName
    lines: list[OrderLineData]
    total: str
    currency: str
    shipping_address: ShippingAddress | None
    note: str
    allowed_transitions: AllowedTransitions
    version: int
    created_at: str
    updated_at: str
    history: list[OrderStepData]


def order_data(order: Order) -> OrderData:
    """The order in its one form for the wire. Reads all of it: load it with whole()."""
    status = Order.Status(order.status)
    return OrderData(
        id=order.pk,
        buyer_id=order.buyer_id,
        buyer_name=order.buyer.get_username(),
        seller_id=order.seller_id,
        seller_name=order.seller.get_username(),
        status=status_name(order.status),
        lines=[_line_data(line) for line in order.lines.all()],
        total=f"{order.total:.2f}",
        currency=order.currency,
        shipping_address=msgspec.convert(order.shipping_address, ShippingAddress | None),
        note=order.note,
        allowed_transitions=AllowedTransitions(
            buyer=[status_name(to) for to in allowed_transitions("buyer", status)],
            seller=[status_name(to) for to in allowed_transitions("seller", status)],
        ),
        version=order.version,
        created_at=iso_milliseconds(order.created_at),
        updated_at=iso_milliseconds(order.updated_at),
        history=[_step_data(step) for step in order.steps.all()],
    )


def _line_data(line: OrderLine) -> OrderLineData:
    return OrderLineData(
        product_id=line.product_id,
        title=line.title,
        quantity=line.quantity,
        unit_price=f"{line.unit_price:.2f}",
    )


def _step_data(step: OrderStep) -> OrderStepData:
    return OrderStepData(
        from_=status_name(step.from_status) if step.from_status else None,
        to=status_name(step.to_status),
        by_id=step.by_id,
        at=iso_milliseconds(step.at),
        reason=step.reason,
    )


class OrderCreated(Event, frozen=True, kw_only=True):
    """An order was placed. A cart with products of several sellers makes one for each of them."""

    order: OrderData

    def audiences(self) -> Iterable[str]:
        return f"user.{self.order.seller_id}", f"user.{self.order.buyer_id}", "staff"


class OrderUpdated(Event, frozen=True, kw_only=True):
    """An order took a step: confirmed, shipped, delivered or cancelled.

    Also sent, with the present status as previousStatus, when something else of an order was
    corrected by hand. Not sent for what becomes of its products afterwards: an order keeps their
    titles and prices.
    """

    order: OrderData
    previous_status: StatusName

    def audiences(self) -> Iterable[str]:
        order = self.order
        return f"user.{order.buyer_id}", f"user.{order.seller_id}", f"order.{order.id}", "staff"
