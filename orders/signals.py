"""Receivers: what was written of an order becomes the event that tells of it, whole."""

from orders.events import OrderCreated, OrderUpdated, order_data, status_name
from orders.models import Order, OrderStep
from realtime.api import publish


def step_saved(*, instance: OrderStep, raw: bool, **_: object) -> None:
    """An order's newest step was written, the last row of a placement or a transition."""
    if raw:
        return
    order = order_data(Order.objects.whole().get(pk=instance.order_id))
    if instance.from_status:
        before = status_name(instance.from_status)
        publish(OrderUpdated(order=order, previous_status=before))
    else:
        publish(OrderCreated(order=order))


def order_saved(*, instance: Order, created: bool, raw: bool, **_: object) -> None:
    """An order's row was saved, by hand. A new one is announced by its first step."""
    if raw or created:
        return
    order = order_data(Order.objects.whole().get(pk=instance.pk))
    publish(OrderUpdated(order=order, previous_status=order.status))
