"""The bridge at a real RabbitMQ."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models.functions import Now
from django.test import override_settings
from django.utils import timezone

from marketplace.accounts.models import User
from orders.cart import CartLine
from orders.services import place_orders
from products.availability.bridge_messages import MOST_BYTES, QUEUE_NAME
from products.availability.models import ReceivedMessage
from products.models import Product
from realtime import log
from realtime.models import LogEvent, LogHead, StoredCursor
from tests.availability.conftest import StartBridge
from tests.availability.other import DEAD_LETTERS, BridgeProcess, Letter, Other, wait_until
from tests.availability.storm import Plan, weather_the_storm
from tests.availability.things import counts, encoded, low, updated
from tests.conftest import database_url
from tests.products.things import make_product, make_tour
from tests.support.processes import wait_for_text
from tests.support.races import Work, at_once
from tests.support.servers import RabbitMQ

pytestmark = pytest.mark.django_db(transaction=True)


def make_known_tour(seller: User, name: str = "T-1", **fields: Any) -> Product:
    """A tour for twelve, ten seats free, which the other system knows."""
    return make_tour(seller, title="Fjord walk", external_id=name, **fields)


def buy(buyer: User, product: Product, quantity: int = 1) -> str:
    """Order pieces of it."""
    place_orders(buyer=buyer, lines=[CartLine(product_id=product.pk, quantity=quantity)])
    return "bought"


def wait_for_counts(**expected: int) -> None:
    """Return when the bridge has counted so."""
    try:
        wait_until(lambda: counts() == expected, str(expected))
    except TimeoutError as error:
        raise AssertionError(f"Counted: {counts()}") from error


def wait_until_sending() -> None:
    """Return when a bridge holds the cursor: what is changed from then on is told."""
    wait_until(StoredCursor.objects.exclude(holder=None).exists, "a bridge sends")


def ours(letters: list[Letter]) -> list[dict[str, Any]]:
    return [letter.body for letter in letters if letter.is_ours]


def test_it_hears_and_tells(bridge: None, other: Other, buyer: User, seller: User) -> None:
    tour = make_known_tour(seller)
    make_product(seller, external_id="G-1")
    wait_until_sending()

    message = updated(seats=9)
    other.say(message)
    other.say(message)
    wait_for_counts(applied=1, duplicate=1)
    assert Product.objects.get(pk=tour.pk).stock == 9
    buy(buyer, tour, 4)
    wait_for_counts(applied=1, duplicate=1, sent=2, own=2)
    other.say(updated(seats=1, at=tour.created_at))
    other.say(low(seats=5))
    wait_for_counts(applied=1, duplicate=1, sent=2, own=2, stale=1, unchanged=1)

    sent = [letter for letter in other.hear() if letter.is_ours]
    assert [(letter.routing_key, letter.body["availableSeats"]) for letter in sent] == [
        ("tour.availability.updated", 5),
        ("tour.availability.low", 5),
    ]
    for letter in sent:
        assert letter.properties["delivery_mode"] == 2
        assert letter.properties["content_type"] == "application/json"
        assert letter.properties["message_id"] == letter.body["eventId"]
    assert other.waiting(QUEUE_NAME) == 0
    assert other.hear(DEAD_LETTERS) == []


def test_it_lays_what_it_refuses_to_the_dead_letters(
    bridge: None, other: Other, seller: User
) -> None:
    make_known_tour(seller)
    too_many = updated(seats=13)
    bodies = [b"{", b"", encoded(too_many), encoded(updated("T-2")), b"\xff\x00" * 1000]
    for body in bodies:
        other.say(
            body,
            key="tour.availability.updated",
            content_type="application/json",
            message_id="7",
            # What would make a copy vanish, or be refused itself.
            expiration="600000",
            application_headers={"CC": [DEAD_LETTERS, QUEUE_NAME], "x-reason": "mine"},
            content_encoding="utf-16",
        )
    other.say(b"x", key="tour.availability.deleted", application_headers={"compression": "zlib"})
    other.say(updated(seats=3))
    wait_for_counts(rejected=6, applied=1)

    # The copies that its sender asked for lie there, too.
    letters = [each for each in other.hear(DEAD_LETTERS) if each.headers["x-reason"] != "mine"]
    assert {letter.raw for letter in letters} == {*bodies, b"x"}
    reasons = {letter.raw: letter.headers["x-reason"] for letter in letters}
    assert reasons[bodies[0]] == reasons[bodies[1]] == reasons[bodies[4]] == "malformed"
    assert reasons[bodies[2]] == "seats-out-of-range"
    assert reasons[bodies[3]] == "unknown-tour"
    (letter,) = (letter for letter in letters if letter.raw == b"x")
    assert letter.headers["x-original-exchange"] == "tour_booking_events"
    assert letter.headers["x-original-routing-key"] == "tour.availability.deleted"
    assert letter.headers["x-reason-text"]
    assert letter.headers["x-refused-at"].endswith("Z")
    assert letter.properties["delivery_mode"] == 2
    assert all("expiration" not in letter.properties for letter in letters)


def test_it_decompresses_nothing_and_reads_nothing_large(
    bridge: None, other: Other, seller: User
) -> None:
    make_known_tour(seller)
    key = "tour.availability.updated"
    compressed = zlib.compress(encoded(updated(seats=3)))
    large = encoded({**updated(seats=3), "filling": "x" * MOST_BYTES})
    for name in ("application/x-gzip", "zlib"):
        other.say(compressed, key=key, application_headers={"compression": name})
    other.say(large, key=key)
    wait_for_counts(rejected=3)

    letters = other.hear(DEAD_LETTERS)
    assert [letter.raw for letter in letters] == [compressed, compressed, large]
    assert {letter.headers["x-reason"] for letter in letters} == {"malformed"}


def test_it_goes_on_after_text_that_is_no_text(bridge: None, other: Other, seller: User) -> None:
    tour = make_known_tour(seller)
    other.say(updated(seats=9), message_id=b"\xff", app_id="marketplace")
    other.say(b"", key="tour.availability.updated", message_id=b"\xff")
    other.say(updated(seats=8), key=b"tour.availability.\xff")
    wait_for_counts(applied=1, rejected=2)

    assert Product.objects.get(pk=tour.pk).stock == 9
    letters = other.hear(DEAD_LETTERS)
    keys = [letter.headers["x-original-routing-key"] for letter in letters]
    assert keys == ["tour.availability.updated", "tour.availability.?"]


def test_it_lays_what_fails_by_itself_to_the_dead_letters(
    bridge: None, other: Other, seller: User, caplog: pytest.LogCaptureFixture
) -> None:
    tour = make_known_tour(seller)
    make_known_tour(seller, "T-2")
    # The next version is more than the column, or the driver, can hold.
    Product.objects.filter(pk=tour.pk).update(stock_version=2**63 - 1)
    other.say(updated(seats=9))
    other.say(updated("T-2", 8))
    wait_for_counts(rejected=1, applied=1)

    (letter,) = other.hear(DEAD_LETTERS)
    assert letter.body["tourId"] == "T-1"
    assert letter.headers["x-reason"] == "failed"
    assert letter.headers["x-reason-text"].startswith("It failed 5 times: ")
    assert [each.exc_info is not None for each in caplog.records if each.levelname == "ERROR"] == [
        True
    ] * 5


def test_it_takes_a_dead_letter_that_was_moved_back(
    bridge: None, other: Other, seller: User
) -> None:
    other.say(updated("T-1", 3))
    wait_for_counts(rejected=1)
    tour = make_known_tour(seller)
    (letter,) = other.hear(DEAD_LETTERS)

    other.send(letter.raw, exchange="", key=QUEUE_NAME)

    wait_for_counts(rejected=1, applied=1)
    assert Product.objects.get(pk=tour.pk).stock == 3


def test_it_sells_exactly_and_makes_no_loop_when_all_comes_back(
    bridge: None, other: Other, buyer: User, seller: User
) -> None:
    """200 orders, and all that is sent is echoed: as it is, and as another system repeats it."""
    group: dict[str, Any] = {"stock": 90, "max_group_size": 90, "low_stock_threshold": 30}
    tours = [make_known_tour(seller, f"T-{number}", **group) for number in range(3)]
    wait_until_sending()
    told = 203  # 200 changes, and each of the three tours becomes low once
    echoed = 0

    def shop(first: int) -> str:
        for number in range(first, 200, 8):
            buy(buyer, tours[number % 3])
        return "shopped"

    def echo_more() -> bool:
        nonlocal echoed
        for letter in other.hear():
            if letter.is_ours and not letter.headers:
                other.say(letter.body, app_id="marketplace", application_headers={"n": 1})
                other.say({**letter.body, "eventId": f"again-{letter.body['eventId']}"})
                echoed += 1
        return echoed >= told

    def echo() -> str:
        wait_until(echo_more, "all is echoed")
        return "echoed"

    shoppers: list[Work] = [partial(shop, first) for first in range(8)]
    assert at_once([*shoppers, echo]) == {"shopped": 8, "echoed": 1}

    wait_for_counts(sent=told, own=2 * told, stale=told)
    rows = Product.objects.order_by("pk")
    assert [(row.stock, row.stock_version) for row in rows] == [(23, 68), (23, 68), (24, 67)]
    assert ReceivedMessage.objects.filter(stock_version=None).count() == told


def test_it_keeps_what_the_database_cannot_take_in_its_order(
    bridge: None, other: Other, buyer: User, seller: User
) -> None:
    tour = make_known_tour(seller)
    wait_until_sending()
    table = ReceivedMessage._meta.db_table
    now = timezone.now()
    with gone(table):
        for number in range(3):
            other.say(updated(seats=9 - number, at=now + timedelta(milliseconds=number + 1)))
            other.say(b"{", key="tour.availability.updated")
        buy(buyer, tour)
        wait_until(lambda: other.waiting(QUEUE_NAME) == 0, "the bridge has the messages in hand")
        assert other.hear(DEAD_LETTERS) == []
        assert counts() == {}

    wait_for_counts(stale=3, rejected=3, sent=1, own=1)
    assert Product.objects.get(pk=tour.pk).stock == 9


@contextmanager
def gone(table: str) -> Iterator[None]:
    """Take a table away from the database while the block lasts."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {table}_gone")
        yield
        cursor.execute(f"ALTER TABLE {table}_gone RENAME TO {table}")


def test_it_waits_for_another_bridge_and_takes_over(
    start_bridge: StartBridge, other: Other, buyer: User, seller: User
) -> None:
    tour = make_known_tour(seller)
    first = start_bridge()
    first.wait()
    wait_until_sending()
    second = start_bridge()
    second.wait()
    buy(buyer, tour)
    wait_for_counts(sent=1, own=1)
    first.kill()
    buy(buyer, tour)
    wait_for_counts(sent=2, own=2)
    assert [body["availableSeats"] for body in ours(other.hear())] == [9, 8]

    # One that ends in peace lets the cursor go.
    assert second.stop() == 0
    assert StoredCursor.objects.get().holder is None
    said = second.log.read_text()
    assert "connected to amqp://guest:**@127.0.0.1" in said
    assert "guest:guest" not in said
    assert "The AMQP bridge has ended." in said


def test_it_tells_how_things_are_when_it_was_away_for_too_long(
    start_bridge: StartBridge, other: Other, buyer: User, seller: User
) -> None:
    tour = make_known_tour(seller)
    bridge = start_bridge()
    wait_until_sending()
    bridge.stop()
    buy(buyer, tour)
    wait_until(lambda: not log.has_unnumbered(), "events are numbered")
    # As if so much had happened that the log could wait no longer.
    LogHead.objects.update(floor=LogHead.objects.get().position)

    start_bridge()

    wait_for_counts(sent=1, own=1)
    (told,) = ours(other.hear())
    assert (told["tourId"], told["availableSeats"]) == ("T-1", 9)
    floor = LogHead.objects.get().floor
    wait_until(lambda: StoredCursor.objects.get().position == floor, "it goes on behind the gap")


def test_it_begins_without_a_broker_and_says_no_password(tmp_path: Path) -> None:
    bridge = BridgeProcess(
        tmp_path, amqp_url="amqp://u:secret@127.0.0.1:9//", database_url=database_url()
    )
    wait_until(lambda: "out: the broker is lost" in bridge.log.read_text(), "it is noticed")
    assert bridge.stop() == 0
    said = bridge.log.read_text()
    assert "secret" not in said
    assert "Traceback" not in said


def test_it_tells_what_changed_before_the_broker_came(
    broker: RabbitMQ, start_bridge: StartBridge, other: Other, buyer: User, seller: User
) -> None:
    tour = make_known_tour(seller)
    broker.kill()
    try:
        with gone(StoredCursor._meta.db_table):
            bridges = [start_bridge(), start_bridge()]
            for bridge in bridges:
                wait_for_text("database fails", process=bridge.process, log=bridge.log)
            assert bridges[0].stop() == 0
            assert "Traceback" not in bridges[0].log.read_text()
        wait_until(StoredCursor.objects.exists, "the log waits for the bridge")
        buy(buyer, tour)
        wait_until(lambda: not log.has_unnumbered(), "events are numbered")
    finally:
        broker.start()
    wait_for_counts(sent=1, own=1)
    assert [body["availableSeats"] for body in ours(other.hear())] == [9]


@override_settings(AMQP_URL=None)
def test_it_asks_for_the_address_of_the_broker() -> None:
    with pytest.raises(CommandError, match="AMQP_URL"):
        call_command("amqp_bridge")


def test_it_has_nothing_sent_that_the_broker_did_not_confirm(
    broker: RabbitMQ, bridge: None, other: Other, buyer: User, seller: User
) -> None:
    tour = make_known_tour(seller)
    wait_until_sending()
    with broker.frozen():
        buy(buyer, tour)
        # Its hold on the cursor runs out while it waits for the broker.
        silent = StoredCursor.objects.filter(held_until__lt=Now())
        wait_until(silent.exists, "the bridge waits for the broker")
        event = LogEvent.objects.get(type="availability-updated")
        assert StoredCursor.objects.get().position < event.position
        assert counts() == {}
    wait_for_counts(sent=1, own=1)
    assert [body["availableSeats"] for body in ours(other.hear())] == [9]


def test_it_loses_nothing_when_the_broker_and_the_bridge_are_killed(
    broker: RabbitMQ, start_bridge: StartBridge, other: Other
) -> None:
    plan = Plan(messages=100, broker_kills=1, bridge_kills=1)
    summary = weather_the_storm(plan, broker=broker, other=other, start_bridge=start_bridge)
    assert summary.faultless, summary
    assert summary.dead_letters >= 5
