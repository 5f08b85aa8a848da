"""One's orders as a file, a line for each of their lines."""

from collections.abc import Iterator
from itertools import chain
from typing import cast

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from marketplace.accounts.models import User
from marketplace.rest.csv_export import CsvView, csv_response, newest_first
from orders.models import Order
from realtime.api import iso_milliseconds

_ADDRESS = ("name", "line1", "line2", "postalCode", "city", "country")
COLUMNS = ("orderId", "status", "createdAt", "buyerName", "sellerName", "productId", "title",
           "quantity", "unitPrice", "currency", *_ADDRESS, "note")  # fmt: skip


class OrdersExportView(CsvView):
    """One's own orders as CSV."""

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, request: Request) -> StreamingHttpResponse:
        """The orders that one got, then those that one gave, newest first; staff too: their own."""
        user = cast(User, request.user)
        return csv_response(file_name="orders.csv", header=COLUMNS, rows=order_rows(user))


def order_rows(user: User) -> Iterator[list[object]]:
    """What stands in the file of this person, below its header."""
    # One after the other: each has an index in this order, both together have none.
    for orders in (Order.objects.filter(seller=user), Order.objects.filter(buyer=user)):
        whole = orders.select_related("buyer", "seller").prefetch_related("lines")
        yield from chain.from_iterable(map(_lines, newest_first(whole)))


def _lines(order: Order) -> Iterator[list[object]]:
    address = order.shipping_address or {}
    of_order = [order.pk, order.status, iso_milliseconds(order.created_at),
                order.buyer.get_username(), order.seller.get_username()]  # fmt: skip
    to = [address.get(name, "") for name in _ADDRESS]
    for line in order.lines.all():
        of_line = [line.product_id, line.title, line.quantity, line.unit_price]
        yield [*of_order, *of_line, order.currency, *to, order.note]
