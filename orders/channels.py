"""The channel of one order: who may listen, what they find there, and who looks at it now."""

from collections.abc import Collection

from orders.events import OrderData, order_data
from orders.models import Order, OrderQuerySet
from realtime.api import ChannelKind, Listener, Visit


def may_listen(listener: Listener, order_id: str) -> bool:
    """Whether it is the listener's order, as buyer or seller, or they are staff."""
    return _named(listener, order_id).exists()


def present_state(listener: Listener, order_id: str) -> OrderData | None:
    """The order itself; None when it is not, or no longer, the listener's."""
    order = _named(listener, order_id).whole().first()
    return None if order is None else order_data(order)


def told_of_presence(visits: Collection[Visit]) -> dict[Visit, Collection[str]]:
    """All who listen, when the buyer or the seller comes or goes; of staff nobody hears."""
    orders = Order.objects.filter(pk__in={int(order_id) for order_id, _ in visits})
    own = {
        (str(pk), user_id)
        for pk, *both in orders.values_list("pk", "buyer_id", "seller_id")
        for user_id in both
    }
    return {visit: (f"order.{visit[0]}",) for visit in own.intersection(visits)}


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
