"""How a fact enters the outbox."""

import pytest
from django.db import transaction

from realtime.api import Announcement, publish, publish_all
from realtime.models import OutboxEvent
from tests.realtime.things import Misdirected, ThingHappened, publish_thing

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_writes_one_row_in_the_transaction() -> None:
    publish_thing(1, to="all user.7 all")
    row = OutboxEvent.objects.get()
    assert row.type == "thing-happened"
    assert row.audiences == "all user.7"
    assert row.payload.startswith('{"type":"thing-happened","timestamp":"')


def test_it_leaves_nothing_of_a_rolled_back_transaction() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        publish(ThingHappened(number=1))
        raise ZeroDivisionError
    assert not OutboxEvent.objects.exists()


def test_it_refuses_outside_a_transaction() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        publish(ThingHappened(number=1))


@pytest.mark.parametrize("audience", ["Uppercase", "user.", "user 7", "user:7", "", "a.b.c"])
def test_it_refuses_an_audience_that_is_no_channel_name(audience: str) -> None:
    with pytest.raises(ValueError, match="no channel name"), transaction.atomic():
        publish(Misdirected(number=1, to=audience))


def test_it_refuses_an_event_of_more_than_128_kib() -> None:
    publish_thing(1, text="é" * 65_000)
    with pytest.raises(ValueError, match="larger than"):
        publish_thing(1, text="é" * 65_536)


def test_it_writes_many_in_their_order_and_as_one_by_one() -> None:
    numbers = range(250)
    with transaction.atomic():
        publish_all([Announcement(ThingHappened(number=n), ["all"]) for n in numbers])
        publish_all([])
    rows = OutboxEvent.objects.order_by("id")
    assert [f'"number":{n}' in row.payload for n, row in zip(numbers, rows, strict=True)] == (
        [True] * 250
    )


def test_it_writes_none_of_many_where_one_is_refused() -> None:
    good, bad = ThingHappened(number=1), Misdirected(number=2, to="Uppercase")
    with transaction.atomic(), pytest.raises(ValueError, match="no channel name"):
        publish_all([Announcement(good), Announcement(bad)])
    with pytest.raises(transaction.TransactionManagementError):
        publish_all([Announcement(good)])
    assert not OutboxEvent.objects.exists()
