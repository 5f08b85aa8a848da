"""What the two of an order are told beside their pages, and in which words."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from marketplace.accounts.models import User
from marketplace.formats import format_money
from orders.models import Order
from realtime.api import NotificationKind, notify

Status = Order.Status

NEW_ORDER = NotificationKind(
    name="new-order",
    label=gettext_lazy("New orders"),
    concerns=lambda user: user.role == User.Role.SELLER,
)
ORDER_STATUS = NotificationKind(
    name="order-status", label=gettext_lazy("What becomes of your orders")
)


def tell_of_new_order(order: Order) -> None:
    """Tell the seller of an order that was just placed. order: loaded whole."""

    def say() -> tuple[str, str]:
        title = _("New order %(id)s from %(buyer)s: %(total)s") % {
            "id": order.pk,
            "buyer": order.buyer.get_username(),
            "total": format_money(order.total, order.currency),
        }
        return title, _what(order)

    notify(user=order.seller, kind=NEW_ORDER.name, say=say, url=_page(order))


def tell_of_step(order: Order, *, by: User) -> None:
    """Tell of the step that an order has just taken whoever of the two did not take it.

    order: loaded whole. Of a step that staff took both hear.
    """

    def say() -> tuple[str, str]:
        reason = list(order.steps.all())[-1].reason
        return _step_title(order), reason or _what(order)

    for party in (order.buyer, order.seller):
        if party.pk != by.pk:
            notify(user=party, kind=ORDER_STATUS.name, say=say, url=_page(order))


def _step_title(order: Order) -> str:
    titles = {
        Status.CONFIRMED: _("Order %(id)s is confirmed"),
        Status.SHIPPED: _("Order %(id)s is on its way"),
        Status.DELIVERED: _("Order %(id)s has arrived"),
        Status.CANCELLED: _("Order %(id)s is cancelled"),
    }
    return titles[Status(order.status)] % {"id": order.pk}


def _what(order: Order) -> str:
    """The first line, and how many others there are; an order made by hand may have none."""
    lines = list(order.lines.all())
    if not lines:
        return ""
    text = f"{lines[0].quantity}\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}{lines[0].title}"
    others = len(lines) - 1
    if others == 0:
        return text
    more = ngettext("%(first)s and %(count)d more", "%(first)s and %(count)d more", others)
    return more % {"first": text, "count": others}


def _page(order: Order) -> str:
    return f"/orders/{order.pk}"
