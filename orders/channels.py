"""The channel of one order: who may listen, what they find there, and who looks at it now."""

from collections.abc import Iterable

from orders.events import OrderData, order_data
from orders.models import Order, OrderQuerySet
from realtime.api import ChannelKind, Listener


def may_listen(listener: Listener, order_id: str) -> bool:
    """Whether it is the listener's order, as buyer or seller, or they are staff."""
    return _named(listener, order_id).exists()


def present_state(listener: Listener, order_id: str) -> OrderData | None:
    """The order itself; None when it is not, or no longer, the listener's."""
    order = _named(listener, order_id).whole().first()
    return None if order is None else order_data(order)


def told_of_presence(order_id: str, user_id: int) -> Iterable[str]:
    """All who listen, when the buyer or the seller comes or goes; of staff nobody hears."""
    own = Order.objects.visible_to(user_id=user_id, is_staff=False)
    return (f"order.{order_id}",) if own.filter(pk=int(order_id)).exists() else ()


def _named(listener: Listener, order_id: str) -> OrderQuerySet:
    orders = Order.objects.visible_to(user_id=listener.user_id, is_staff=listener.is_staff)
    return orders.filter(pk=int(order_id))


ORDER = ChannelKind(
    name="order",
    id_form="integer",
    public=False,
    may_listen=may_listen,
    state=present_state,
    presence=told_of_presence,
)
