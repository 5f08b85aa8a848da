"""The page of one order: rendered once, then patched by its script from events."""

from typing import Any, cast

from django.contrib.auth.mixins import LoginRequiredMixin
from django.views.generic import DetailView

from marketplace.accounts.models import User
from orders.events import AllowedTransitions, OrderData, order_data
from orders.models import OrderQuerySet
from orders.selectors import orders_visible_to
from orders.services import parties_of

# What a <template> is rendered from; the page's script puts a real order's values in.
BLANK = OrderData(
    id=0,
    buyer_id=0,
    buyer_name="",
    seller_id=0,
    seller_name="",
    status="pending",
    lines=[],
    total="0.00",
    currency="EUR",
    shipping_address=None,
    note="",
    allowed_transitions=AllowedTransitions(buyer=[], seller=[]),
    version=0,
    created_at="1970-01-01T00:00:00.000Z",
    updated_at="1970-01-01T00:00:00.000Z",
    history=[],
)


class OrderPage(LoginRequiredMixin, DetailView):  # type: ignore[type-arg] # no generic at run time
    """One order, for its buyer, its seller and staff; nobody else learns that it exists.

    Context: order (as its events have it), viewer ("buyer", "seller" or "staff", as whom its steps
    are taken).
    """

    template_name = "orders/order.html"
    pk_url_kwarg = "order_id"

    def get_queryset(self) -> OrderQuerySet:
        return orders_visible_to(self.request.user).whole()

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        parties = parties_of(self.object, cast(User, self.request.user))
        viewer = parties[0] if len(parties) == 1 else "staff"
        return super().get_context_data(
            viewer=viewer, **{**context, "order": order_data(self.object)}
        )
