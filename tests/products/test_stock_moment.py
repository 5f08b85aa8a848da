"""Of which moment a stock is known: each change has a later one, and what is older is stale."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from marketplace.accounts.models import User
from orders.cart import CartLine
from orders.services import place_orders
from products.availability.moments import MILLISECOND, in_milliseconds, next_moment
from products.models import Product
from products.services import take_over_stock
from realtime.api import iso_milliseconds
from realtime.models import OutboxEvent
from tests.products.things import announced_types, make_product, make_tour

SECOND = timedelta(seconds=1)


def reread(product: Product) -> Product:
    return Product.objects.get(pk=product.pk)


def known_of(product: Product, moment: datetime) -> None:
    """Have the stock known of that moment, whatever was before."""
    Product.objects.filter(pk=product.pk).update(stock_as_of=moment)


def told(product: Product, stock: int, as_of: datetime) -> str:
    """Another system tells the stock."""
    with transaction.atomic():
        locked = Product.objects.locked().get(pk=product.pk)
        return take_over_stock(product=locked, stock=stock, as_of=as_of)


def times_announced() -> list[str]:
    """The timestamps of what was announced, in order."""
    rows: list[Any] = list(
        OutboxEvent.objects.order_by("id").values_list("published_at", flat=True)
    )
    return [iso_milliseconds(moment) for moment in rows]


# --- Our own changes ------------------------------------------------------------------------


@pytest.mark.django_db
def test_it_is_that_of_its_creation_first(seller: User) -> None:
    product = make_product(seller)
    assert reread(product).stock_as_of == product.created_at


@pytest.mark.django_db
def test_it_moves_with_the_stock_alone(seller: User) -> None:
    product = make_product(seller)
    known_of(product, product.created_at - SECOND)
    product = reread(product)

    product.title = "Kettle"
    product.save()
    assert reread(product).stock_as_of == product.created_at - SECOND

    product.stock -= 1
    product.stock_as_of = timezone.now() + timedelta(days=9)  # not what a save reads
    product.save()
    row = reread(product)
    assert row.stock_as_of == in_milliseconds(row.stock_changed_at) == product.stock_as_of


@pytest.mark.django_db
def test_it_is_later_with_each_change_and_is_the_time_of_the_event(
    seller: User, buyer: User
) -> None:
    tour = make_tour(seller)
    # As if a machine whose clock is a minute ahead had made the change before.
    ahead = in_milliseconds(timezone.now()) + timedelta(minutes=1)
    known_of(tour, ahead)

    moments = []
    for _ in range(6):
        place_orders(buyer=buyer, lines=[CartLine(product_id=tour.pk, quantity=1)])
        moments.append(reread(tour).stock_as_of)

    assert moments == [ahead + number * MILLISECOND for number in range(1, 7)]
    stock_events = OutboxEvent.objects.filter(type__startswith="availability").order_by("id")
    said = [(row.type, row.published_at) for row in stock_events]
    # The fifth leaves five, which is low: of one change, at one moment.
    assert said[:5] == [("availability-updated", moment) for moment in moments[:5]]
    assert said[5] == ("availability-low", moments[4])


@given(
    before=st.datetimes(timezones=st.just(timezone.get_default_timezone())),
    now=st.datetimes(timezones=st.just(timezone.get_default_timezone())),
)
def test_a_next_moment_is_later_whole_and_not_in_the_past(before: datetime, now: datetime) -> None:
    if before > datetime(9999, 12, 31, tzinfo=before.tzinfo):
        return
    moment = next_moment(before, now=now)
    assert moment > before
    assert moment >= in_milliseconds(now)
    assert moment.microsecond % 1000 == 0


# --- What another system tells ---------------------------------------------------------------


@pytest.mark.django_db
def test_it_takes_over_later_values_one_after_the_other_however_late_they_come(
    seller: User,
) -> None:
    tour = make_tour(seller)
    hour_ago = timezone.now() - timedelta(hours=1)
    known_of(tour, hour_ago)

    assert told(tour, 7, hour_ago + SECOND) == "applied"
    assert told(tour, 4, hour_ago + 2 * SECOND) == "applied"

    row = reread(tour)
    assert (row.stock, row.stock_version, row.version) == (4, 3, 1)
    assert row.stock_as_of == hour_ago + 2 * SECOND
    # To the people here it is news of this moment.
    assert row.stock_changed_at > timezone.now() - timedelta(minutes=30)
    assert announced_types() == [
        "availability-updated",
        "availability-updated",
        "availability-low",
    ]
    assert min(times_announced()) > iso_milliseconds(timezone.now() - timedelta(minutes=30))


@pytest.mark.django_db
@pytest.mark.parametrize("earlier", [timedelta(0), MILLISECOND, timedelta(days=1)])
def test_it_refuses_what_is_not_later(seller: User, earlier: timedelta) -> None:
    tour = make_tour(seller)
    assert told(tour, 3, tour.stock_as_of - earlier) == "stale"
    assert reread(tour).stock == 10
    assert announced_types() == []


@pytest.mark.django_db
def test_it_knows_that_nothing_had_changed_by_then(seller: User) -> None:
    tour = make_tour(seller)
    as_of = tour.stock_as_of

    assert told(tour, 10, as_of + 2 * SECOND) == "unchanged"
    assert told(tour, 3, as_of + SECOND) == "stale"

    row = reread(tour)
    assert (row.stock, row.stock_version, row.stock_as_of) == (10, 1, as_of + 2 * SECOND)
    assert row.stock_changed_at == tour.stock_changed_at
    assert announced_types() == []


@pytest.mark.django_db
def test_it_dates_a_change_of_ours_after_what_it_was_told(seller: User) -> None:
    tour = make_tour(seller)
    ahead = in_milliseconds(timezone.now()) + timedelta(seconds=50)
    assert told(tour, 5, ahead) == "applied"

    product = reread(tour)
    product.stock -= 1
    product.save()

    assert reread(tour).stock_as_of == ahead + MILLISECOND
    assert told(tour, 5, ahead) == "stale"


@pytest.mark.django_db
def test_it_is_ours_again_with_the_next_save_of_the_same_instance(seller: User) -> None:
    tour = make_tour(seller)
    with transaction.atomic():
        product = Product.objects.locked().get(pk=tour.pk)
        take_over_stock(product=product, stock=5, as_of=tour.stock_as_of + MILLISECOND)
        product.stock = 4
        product.save()
    row = reread(tour)
    assert row.stock_as_of == in_milliseconds(row.stock_changed_at)
