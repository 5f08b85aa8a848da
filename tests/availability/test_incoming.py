"""What comes in is taken in once, if it is later, or refused with its reason."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from marketplace.accounts.models import User
from orders.cart import CartLine
from orders.services import place_orders
from products.availability.bridge_messages import Refused
from products.availability.incoming import REMEMBERED, forget_old, take_in
from products.availability.models import ReceivedMessage
from products.models import Product
from tests.availability.things import counts, encoded, low, updated
from tests.products.things import announced, announced_types, make_product, make_tour
from tests.support.races import at_once

SECOND = timedelta(seconds=1)


@pytest.fixture
def tour(seller: User) -> Product:
    """A tour for twelve, ten seats free, which the other system knows as T-1."""
    return make_tour(seller, external_id="T-1")


def taken_in(message: dict[str, Any], **how: Any) -> str:
    return take_in(encoded(message), **{"routing_key": message["eventType"], "app_id": None, **how})


def refused(message: dict[str, Any]) -> str:
    with pytest.raises(Refused) as refusal:
        taken_in(message)
    return refusal.value.reason


def seats_of(tour: Product) -> int:
    return Product.objects.get(pk=tour.pk).stock


@pytest.mark.django_db
def test_it_sets_the_seats_and_announces_them(tour: Product) -> None:
    assert taken_in(updated(seats=4)) == "applied"

    row = Product.objects.get(pk=tour.pk)
    assert (row.stock, row.stock_version, row.version) == (4, 2, 1)
    assert announced_types() == ["availability-updated", "availability-low"]
    assert announced()[0][2]["stock"] == 4
    assert counts() == {"applied": 1}


@pytest.mark.django_db
def test_it_takes_few_seats_like_any(tour: Product) -> None:
    assert taken_in(low(seats=2)) == "applied"
    assert seats_of(tour) == 2


@pytest.mark.django_db
def test_it_takes_a_message_in_once(tour: Product) -> None:
    message = updated(seats=4)
    assert taken_in(message) == "applied"
    assert taken_in(message) == "duplicate"
    # Whatever else it says under that id.
    assert taken_in({**updated(seats=9), "eventId": message["eventId"]}) == "duplicate"

    assert seats_of(tour) == 4
    assert counts() == {"applied": 1, "duplicate": 2}


@pytest.mark.django_db
def test_it_is_stale_when_it_is_not_later_than_any_change(tour: Product, buyer: User) -> None:
    now = timezone.now()
    assert taken_in(updated(seats=4, at=now + SECOND)) == "applied"
    assert taken_in(updated(seats=3, at=now)) == "stale"
    place_orders(buyer=buyer, lines=[CartLine(product_id=tour.pk, quantity=1)])
    assert taken_in(updated(seats=4, at=now + SECOND)) == "stale"

    assert seats_of(tour) == 3
    assert counts() == {"applied": 1, "stale": 2}


@pytest.mark.django_db
def test_it_takes_late_ones_in_their_order(tour: Product) -> None:
    hour_ago = timezone.now() - timedelta(hours=1)
    Product.objects.update(stock_as_of=hour_ago)
    assert taken_in(updated(seats=4, at=hour_ago + SECOND)) == "applied"
    assert taken_in(updated(seats=2, at=hour_ago + 2 * SECOND)) == "applied"
    assert seats_of(tour) == 2


@pytest.mark.django_db
def test_it_says_nothing_of_no_change_and_knows_its_moment(tour: Product) -> None:
    now = timezone.now()
    assert taken_in(updated(seats=10, at=now + 2 * SECOND)) == "unchanged"
    assert taken_in(updated(seats=3, at=now + SECOND)) == "stale"
    assert announced_types() == []
    assert counts() == {"unchanged": 1, "stale": 1}


@pytest.mark.django_db
def test_it_ignores_our_own(tour: Product) -> None:
    assert taken_in(updated(seats=3), app_id="marketplace") == "own"
    assert take_in(b"anything", routing_key="x", app_id="marketplace") == "own"
    assert taken_in(updated(seats=3), app_id="Marketplace") == "applied"
    assert counts() == {"own": 2, "applied": 1}


@pytest.mark.django_db
def test_it_sets_the_seats_of_a_tour_that_is_off_sale(tour: Product) -> None:
    tour.is_active = False
    tour.save()
    assert taken_in(updated(seats=3)) == "applied"
    assert seats_of(tour) == 3


@pytest.mark.django_db
def test_it_refuses_what_it_cannot_apply_and_may_take_it_in_later(
    tour: Product, seller: User
) -> None:
    make_product(seller, external_id="G-1")
    message = updated("T-2", 3)

    assert refused(message) == "unknown-tour"
    assert refused(updated("G-1", 3)) == "unknown-tour"
    assert refused(updated("t-1", 3)) == "unknown-tour"
    assert refused(updated(seats=-1)) == "seats-out-of-range"
    assert refused(updated(seats=13)) == "seats-out-of-range"
    assert refused(updated(seats=10**30)) == "seats-out-of-range"
    assert refused(updated(at=timezone.now() + 70 * SECOND)) == "timestamp-in-future"
    assert seats_of(tour) == 10
    assert counts() == {}
    assert announced_types() == []
    assert not ReceivedMessage.objects.exists()

    make_tour(seller, external_id="T-2")
    assert taken_in(message) == "applied"


@pytest.mark.django_db
def test_it_takes_a_tour_without_a_group_at_its_word(seller: User) -> None:
    tour = make_tour(seller, external_id="T-3", max_group_size=None)
    assert taken_in(updated("T-3", 500)) == "applied"
    assert seats_of(tour) == 500
    assert refused(updated("T-3", 2**31)) == "seats-out-of-range"


@pytest.mark.django_db
def test_it_forgets_old_messages_which_are_stale_then(tour: Product) -> None:
    message = updated(seats=4)
    taken_in(message)
    assert forget_old() == 0
    ReceivedMessage.objects.update(received_at=timezone.now() - REMEMBERED - SECOND)
    assert forget_old() == 1
    assert taken_in(message) == "stale"


@pytest.mark.django_db(transaction=True)
def test_it_takes_a_message_in_once_from_many_at_once(tour: Product) -> None:
    message = updated(seats=4)
    assert at_once([lambda: taken_in(message)] * 8) == {"applied": 1, "duplicate": 7}
    assert seats_of(tour) == 4
    assert counts() == {"applied": 1, "duplicate": 7}


@pytest.mark.django_db(transaction=True)
def test_it_ends_with_the_latest_of_many_at_once(tour: Product) -> None:
    now = timezone.now()
    messages = [
        updated(seats=number, at=now + number * timedelta(milliseconds=10)) for number in range(10)
    ]
    at_once([lambda message=message: taken_in(message) for message in messages])  # type: ignore[misc]
    assert seats_of(tour) == 9
