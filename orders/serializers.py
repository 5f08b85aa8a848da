"""What clients send of orders, and what they are shown."""

from typing import Any

from django.http import QueryDict
from rest_framework import serializers

from marketplace.accounts.addresses import AddressInput
from marketplace.rest.numbers import MoneyField, WholeNumberField
from marketplace.rest.serializers import BoundedListField, InputSerializer, StructSerializer
from orders.cart import CartLine
from orders.events import OrderData, OrderLineData, OrderStepData, order_data
from orders.models import MAX_NOTE, MAX_REASON, Order, OrderQuerySet
from realtime.api import Fields

MAX_LINES = 100
MAX_QUANTITY = 100_000


class OrderSerializer(StructSerializer):
    """An order, as its events show it."""

    struct = OrderData
    build = staticmethod(order_data)


class OrdersPlaced(Fields, frozen=True, kw_only=True):
    """The orders that a cart became, one for each seller and currency."""

    orders: list[OrderData]


class OrdersPlacedSerializer(StructSerializer):
    """The answer to a placement; its instance is the list of orders."""

    struct = OrdersPlaced

    @staticmethod
    def build(orders: list[Order]) -> OrdersPlaced:
        """The orders, each loaded whole."""
        return OrdersPlaced(orders=[order_data(order) for order in orders])


class TextOrNothing(serializers.CharField):
    """Text that may be missing: null means the same as an empty one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_blank=True, allow_null=True, default="", **options)

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        return super().validate_empty_values("" if data is None else data)


class StatusField(serializers.ChoiceField):
    """The status of an order, by its name on the wire."""

    def __init__(self, **options: Any) -> None:
        super().__init__(Order.Status.choices, **options)

    def to_internal_value(self, data: Any) -> Order.Status:
        return Order.Status(super().to_internal_value(data))


class CartLineInput(InputSerializer):
    """Pieces of one product."""

    representation = OrderLineData

    product_id = WholeNumberField()
    quantity = WholeNumberField(min_value=1, max_value=MAX_QUANTITY)
    unit_price = MoneyField(
        allow_null=True,
        required=False,
        help_text="The price that the buyer was shown, to have it checked.",
    )

    def to_internal_value(self, data: Any) -> CartLine:
        return CartLine(**super().to_internal_value(data))


class OrderInput(InputSerializer):
    """A cart to be ordered: all of it, or nothing."""

    representation = OrderData

    lines = BoundedListField(
        child=CartLineInput(), allow_empty=False, min_length=1, max_length=MAX_LINES
    )
    shipping_address = AddressInput(
        allow_null=True,
        required=False,
        help_text="Where goods are sent to; without it the address stored with the account.",
    )
    note = TextOrNothing(max_length=MAX_NOTE)


class TransitionInput(InputSerializer):
    """A step to be taken."""

    representation = OrderStepData

    to = StatusField()
    reason = TextOrNothing(max_length=MAX_REASON)


class OrderFilter(InputSerializer):
    """The query parameters of a list of orders. All of them are optional.

    allow_blank says in the schema what filter_orders does before it asks this serializer.
    """

    status = StatusField(required=False, allow_blank=True)


def filter_orders(orders: OrderQuerySet, params: QueryDict) -> OrderQuerySet:
    """Those of the orders that the query asks for, newest first.

    A parameter without a value, or with blanks alone, counts as absent, as a browser sends an
    empty field. Raises DRF's ValidationError for one that is not of its form.
    """
    status = params.get("status", "").strip()
    query = OrderFilter(data={"status": status} if status else {})
    return orders.filter(**query.read()).order_by("-created_at", "-pk")
