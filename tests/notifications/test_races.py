"""Many at once: what is told and what is read stay in the order of the log."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from marketplace.accounts.models import User
from orders.cart import CartLine
from orders.services import place_orders
from realtime.notifications import services
from realtime.notifications.models import Notification
from realtime.notifications.services import Busy, Marked, mark_all_read, mark_read, set_preferences
from tests.notifications.things import events_of, forget_events, tell
from tests.products.things import make_product
from tests.support.races import Work, at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_is_read_once_by_twenty_tabs(buyer: User) -> None:
    pk, other = tell(buyer), tell(buyer)
    forget_events()
    read = at_once([lambda: mark_read(user_id=buyer.pk, notification_id=pk).unread] * 20)
    assert read == {1: 20}
    assert at_once([lambda: mark_all_read(user_id=buyer.pk)] * 20) == {0: 20}
    assert [data for _type, data in events_of(buyer)] == [
        {"notificationIds": [pk], "unread": 1},
        {"notificationIds": "all", "unread": 0},
    ]
    assert not Notification.objects.filter(pk=other).unread().exists()


def test_it_switches_a_kind_off_once(buyer: User) -> None:
    wanted = {"order-status": False}
    works = [lambda: set_preferences(user_id=buyer.pk, wanted=wanted)] * 20
    assert at_once(works) == {None: 20}


def test_it_counts_exactly_while_everything_happens(
    buyer: User, seller: User, other_seller: User
) -> None:
    pots = [make_product(seller, stock=100), make_product(other_seller, stock=100)]
    forget_events()

    def buy(step: int) -> str:
        lines = [CartLine(product_id=pot.pk, quantity=1) for pot in pots[::step]]
        place_orders(buyer=buyer, lines=lines)
        return "bought"

    def read() -> str:
        newest = Notification.objects.filter(user=seller).unread().first()
        if newest is not None:
            mark_read(user_id=seller.pk, notification_id=newest.pk)
        return "read"

    works: list[Work] = [lambda: buy(1), lambda: buy(-1), read] * 10
    assert at_once(works) == {"bought": 20, "read": 10}
    unread = 0
    for type_name, data in events_of(seller):
        unread += 1 if type_name == "notification" else -len(data["notificationIds"])
        assert type_name == "notification" or data["unread"] == unread
    assert Notification.objects.filter(user=seller).unread().count() == unread > 0


def wait_for_a_waiter(table: str) -> None:
    """Until another session waits for a lock in a query on that table."""
    for _ in range(600):
        with connection.cursor() as cursor:
            # A transaction goes on seeing the activity that it saw first.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
                " AND wait_event_type = 'Lock' AND query LIKE %s",
                [f"%{table}%"],
            )
            if cursor.fetchone():
                return
        time.sleep(0.05)
    raise AssertionError("Nobody waits.")


@pytest.mark.postgresql
def test_it_waits_for_what_is_being_told_before_it_counts(buyer: User) -> None:
    old = tell(buyer, "Old")
    forget_events()

    def read() -> Marked:
        try:
            return mark_read(user_id=buyer.pk, notification_id=old)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        with transaction.atomic():
            new = tell(buyer, "New")
            marked = thread.submit(read)
            wait_for_a_waiter("accounts_user")
            # Whoever tells something else meanwhile does not wait behind the reader.
            assert at_once([lambda: tell(buyer, "Newer")])
        assert marked.result(30).unread == 2
    heard: list[Any] = [
        data.get("notificationId") or data["unread"] for _type, data in events_of(buyer)
    ]
    assert heard == [new, new + 1, 2]


@pytest.mark.postgresql
def test_it_tells_after_a_reader_what_the_reader_did_not_count(buyer: User) -> None:
    tell(buyer, "Old")
    forget_events()

    def tell_new() -> int:
        try:
            return tell(buyer, "New")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        with transaction.atomic():
            assert mark_all_read(user_id=buyer.pk) == 0
            told = thread.submit(tell_new)
            wait_for_a_waiter("accounts_user")
        told.result(30)
    assert [type_name for type_name, _data in events_of(buyer)] == [
        "notification-read", "notification",
    ]  # fmt: skip


@pytest.mark.postgresql
def test_it_does_not_wait_for_ever_for_those_who_tell(
    buyer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tell(buyer, "Old")
    monkeypatch.setattr(services, "PATIENCE_SECONDS", 1)

    def refused() -> bool:
        try:
            mark_read(user_id=buyer.pk, notification_id=old)
        except Busy:
            return True
        finally:
            connection.close()
        return False

    with ThreadPoolExecutor(1) as thread, transaction.atomic():
        tell(buyer, "New")
        assert thread.submit(refused).result(30)
    assert mark_read(user_id=buyer.pk, notification_id=old).unread == 1
