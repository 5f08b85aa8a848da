"""{% load orders %}: what pages show of an order, given in the form of its events (OrderData).

static/orders/shown.js patches what these render.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from marketplace.badges import Badge
from orders.events import OrderData, OrderLineData, OrderStepData
from orders.models import Order

register = template.Library()

Status = Order.Status


BADGES = {
    Status.PENDING: Badge(pgettext_lazy("order", "Pending"), "caution", "clock"),
    Status.CONFIRMED: Badge(pgettext_lazy("order", "Confirmed"), "accent", "check"),
    Status.SHIPPED: Badge(pgettext_lazy("order", "Shipped"), "accent", "truck"),
    Status.DELIVERED: Badge(pgettext_lazy("order", "Delivered"), "positive", "package-check"),
    Status.CANCELLED: Badge(pgettext_lazy("order", "Cancelled"), "", "circle-x"),
}
# The way of an order that nobody cancels.
WAY = (Status.PENDING, Status.CONFIRMED, Status.SHIPPED, Status.DELIVERED)


class Milestone(NamedTuple):
    """One entry of the timeline; step: None while it lies ahead."""

    status: str
    step: OrderStepData | None


@register.inclusion_tag("components/status.html")
def order_status(status: str) -> dict[str, Any]:
    """The badge of a status."""
    return BADGES[Status(status)].context(status)


@register.simple_tag
def status_word(status: str) -> str:
    """The word of a status."""
    return str(BADGES[Status(status)].word)


@register.simple_tag
def all_statuses() -> Sequence[str]:
    """Every status, in the order in which they come."""
    return Status.values


@register.filter
def allowed(order: OrderData, viewer: str) -> list[str]:
    """The statuses to which this viewer ("buyer", "seller", "staff") may bring the order now."""
    allowed = order.allowed_transitions
    by_viewer = {"buyer": allowed.buyer, "seller": allowed.seller}
    return list(by_viewer.get(viewer, [*allowed.seller, *allowed.buyer]))


@register.filter
def lines_text(order: OrderData) -> str:
    """The lines in one line: "2 × Teapot · 1 × Bowl"."""
    pieces = "{0}\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}{1}"
    return " · ".join(pieces.format(line.quantity, line.title) for line in order.lines)


@register.filter
def line_sum(line: OrderLineData) -> Decimal:
    """What a line costs."""
    return Decimal(line.unit_price) * line.quantity


@register.filter
def milestones(order: OrderData) -> list[Milestone]:
    """What happened, and what lies ahead if nobody cancels."""
    passed = [Milestone(step.to, step) for step in order.history]
    if order.status == "cancelled":
        return passed
    ahead = WAY[WAY.index(Status(order.status)) + 1 :]
    return [*passed, *(Milestone(str(status), None) for status in ahead)]


@register.filter
def actor(step: OrderStepData, order: OrderData) -> str:
    """Who took a step."""
    names = {order.buyer_id: order.buyer_name, order.seller_id: order.seller_name}
    return names.get(step.by_id) or _("Staff")
