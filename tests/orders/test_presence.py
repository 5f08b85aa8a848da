"""Who is told who looks at an order."""

from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from marketplace.accounts.models import User
from orders.channels import told_of_presence
from orders.models import Order
from realtime.channels import parse_channel
from realtime.models import PresenceRow, ProcessLease
from realtime.presence import present_in

pytestmark = pytest.mark.django_db


def make_orders(count: int, buyer: User, seller: User) -> list[Order]:
    """So many of the two, without lines, and nobody is told."""
    return Order.objects.bulk_create(
        Order(buyer=buyer, seller=seller, total=1, currency="EUR") for _ in range(count)
    )


def test_it_tells_all_who_listen_of_the_two_and_of_nobody_else(
    buyer: User, seller: User, other_buyer: User, staff: User
) -> None:
    [order] = make_orders(1, buyer, seller)
    visits = [(str(order.pk), user.pk) for user in (buyer, seller, other_buyer, staff)]
    visits.append((str(order.pk + 1), buyer.pk))
    assert told_of_presence(visits) == dict.fromkeys(visits[:2], (f"order.{order.pk}",))


def test_it_asks_no_more_for_many_orders_than_for_one(
    buyer: User, seller: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    lease = ProcessLease.objects.create(process=uuid4(), name="test", renewed_at=timezone.now())
    names = [f"order.{order.pk}" for order in make_orders(100, buyer, seller)]
    PresenceRow.objects.bulk_create(
        PresenceRow(process=lease.process, channel=name, user_id=user.pk)
        for name in names
        for user in (buyer, seller)
    )
    with django_assert_num_queries(2):
        present = present_in([parse_channel(name) for name in names], audible=frozenset(names))
    assert present.keys() == set(names)
    assert all(
        [each.user_id for each in here] == [buyer.pk, seller.pk] for here in present.values()
    )
