"""Which orders a person may know of. REST, pages and services all ask here."""

from django.contrib.auth.models import AnonymousUser

from marketplace.accounts.models import User
from orders.models import Order, OrderQuerySet


def orders_visible_to(user: User | AnonymousUser) -> OrderQuerySet:
    """The orders that this person gave or got; for staff all."""
    return Order.objects.visible_to(user_id=user.pk, is_staff=user.is_staff)
