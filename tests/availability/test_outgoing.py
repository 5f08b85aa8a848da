"""Which changes of stock are told to others, and as which messages; without a broker."""

import json
from typing import Any

import pytest
from django.utils import timezone

from marketplace.accounts.models import User
from products.availability.incoming import take_in
from products.availability.models import ReceivedMessage
from products.availability.outgoing import (
    OutgoingMessage,
    bridge_cursor,
    messages_for,
    note_sent,
    present_seats,
)
from products.models import Product
from realtime import log
from realtime.api import CursorTaken, LogCursor, iso_milliseconds
from realtime.models import StoredCursor
from tests.availability.things import counts, encoded, updated
from tests.products.things import make_product, make_tour

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cursor(seller: User) -> LogCursor:
    """The bridge's cursor, held, at the head of an empty log."""
    log.ensure_head()
    cursor = bridge_cursor()
    assert cursor.hold()
    return cursor


@pytest.fixture
def tour(cursor: LogCursor, seller: User) -> Product:
    """A tour for twelve, ten seats free, which others know as T-1."""
    return make_tour(seller, title="Fjord walk", external_id="T-1")


def outgoing(cursor: LogCursor) -> list[OutgoingMessage]:
    """What is to be sent now."""
    while log.number_committed():
        pass
    return messages_for(cursor.read(100).events)


def bodies(messages: list[OutgoingMessage]) -> list[dict[str, Any]]:
    return [json.loads(message.body) for message in messages]


def sell(product: Product, pieces: int = 1) -> Product:
    """What a buyer does."""
    row = Product.objects.get(pk=product.pk)
    row.stock -= pieces
    row.save()
    return row


def test_it_tells_the_seats(cursor: LogCursor, tour: Product) -> None:
    row = sell(tour)
    (message,) = outgoing(cursor)
    assert message.routing_key == "tour.availability.updated"
    assert json.loads(message.body) == {
        "eventId": message.event_id,
        "eventType": "tour.availability.updated",
        "tourId": "T-1",
        "availableSeats": 9,
        "timestamp": iso_milliseconds(row.stock_as_of),
    }


def test_it_tells_that_few_are_left(cursor: LogCursor, tour: Product) -> None:
    row = sell(tour, 7)
    messages = outgoing(cursor)
    assert [message.routing_key for message in messages] == [
        "tour.availability.updated",
        "tour.availability.low",
    ]
    assert bodies(messages)[1] == {
        "eventId": messages[1].event_id,
        "eventType": "tour.availability.low",
        "tourId": "T-1",
        "availableSeats": 3,
        "timestamp": iso_milliseconds(row.stock_as_of),
        "tourTitle": "Fjord walk",
        "maxGroupSize": 12,
        "threshold": 5,
    }


def test_it_names_a_message_the_same_each_time_and_each_message_otherwise(
    cursor: LogCursor, tour: Product
) -> None:
    sell(tour, 7)
    sell(tour)
    names = [message.event_id for message in outgoing(cursor)]
    assert len(set(names)) == 3
    assert [message.event_id for message in outgoing(cursor)] == names


def test_it_tells_nothing_of_what_others_do_not_know(
    cursor: LogCursor, tour: Product, seller: User
) -> None:
    sell(make_product(seller, external_id="G-1"))
    sell(make_tour(seller))
    gone = make_tour(seller, external_id="T-2")
    sell(gone)
    gone.delete()
    tour.title = "Fell walk"
    tour.save()
    assert outgoing(cursor) == []


def test_it_tells_nothing_of_what_came_in(cursor: LogCursor, tour: Product) -> None:
    message = updated(seats=3)
    take_in(encoded(message), routing_key=message["eventType"], app_id=None)
    sell(tour)
    assert [body["availableSeats"] for body in bodies(outgoing(cursor))] == [2]


def test_it_tells_the_seats_of_a_tour_that_is_off_sale(cursor: LogCursor, tour: Product) -> None:
    tour.is_active = False
    tour.save()
    sell(tour, 7)
    seats, few = bodies(outgoing(cursor))
    assert (seats["availableSeats"], few["availableSeats"]) == (3, 3)
    assert few["tourTitle"] == "Fjord walk"


def test_it_is_stale_when_our_own_message_comes_back_in_whatever_form(
    cursor: LogCursor, tour: Product
) -> None:
    for _ in range(3):
        sell(tour)
    came_back = [
        take_in(
            encoded({**body, "eventId": f"again-{number}"}),
            routing_key=body["eventType"],
            app_id=None,
        )
        for number, body in enumerate(bodies(outgoing(cursor)))
    ]
    assert came_back == ["stale"] * 3
    assert Product.objects.get().stock == 7


def test_it_notes_what_was_sent(cursor: LogCursor, tour: Product) -> None:
    sell(tour, 7)
    first, second = outgoing(cursor)
    note_sent(cursor, first)
    assert [message.event_id for message in outgoing(cursor)] == [second.event_id]
    assert counts() == {"sent": 1}


def test_it_notes_nothing_when_another_one_sends(cursor: LogCursor, tour: Product) -> None:
    sell(tour)
    (message,) = outgoing(cursor)
    cursor.let_go()
    assert bridge_cursor().hold()
    with pytest.raises(CursorTaken):
        note_sent(cursor, message)
    assert counts() == {}
    assert StoredCursor.objects.get().position < (message.position or 0)


def test_it_can_tell_how_things_are(cursor: LogCursor, tour: Product, seller: User) -> None:
    make_tour(seller)
    make_product(seller, external_id="G-1")
    make_tour(seller, external_id="T-2", stock=1)
    told = updated("T-2", 5)
    take_in(encoded(told), routing_key=told["eventType"], app_id=None)
    off_sale = make_tour(seller, external_id="T-3", is_active=False)

    messages = present_seats()

    assert [(body["tourId"], body["availableSeats"]) for body in bodies(messages)] == [
        ("T-1", 10),
        ("T-3", 10),
    ]
    assert bodies(messages)[1]["timestamp"] == iso_milliseconds(off_sale.stock_as_of)
    assert {message.routing_key for message in messages} == {"tour.availability.updated"}
    assert present_seats() == messages
    # It says no more than is known: it is no news to a product when it comes back.
    for body in bodies(messages):
        take_in(encoded(body), routing_key=body["eventType"], app_id=None)
    assert counts() == {"applied": 1, "stale": 2}
    note_sent(cursor, messages[0])
    assert StoredCursor.objects.get().position == cursor.position
    assert ReceivedMessage.objects.count() == 3
    assert timezone.now() > off_sale.stock_as_of
