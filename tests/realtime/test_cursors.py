"""Readers with a stored cursor: nothing is skipped, one reads at a time, the log waits for it."""

import logging
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import F
from django.test import Client, override_settings
from django.utils import timezone

from marketplace.accounts.models import User
from realtime import log
from realtime.api import CursorTaken, LogCursor, publish
from realtime.cursors import HOLD_SECONDS
from realtime.models import LogEvent, StoredCursor
from tests.realtime.things import Misdirected, ThingHappened, publish_thing
from tests.support.people import browser_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def head() -> None:
    """The head row, which emptying the tables between tests takes away."""
    log.ensure_head()


def write_log(*numbers: int) -> None:
    """Log a thing for each number."""
    for number in numbers:
        publish_thing(number)
    log.number_committed()


def new_cursor(name: str = "test") -> LogCursor:
    return LogCursor(name, ThingHappened, Misdirected)


def held_cursor() -> LogCursor:
    cursor = new_cursor()
    assert cursor.hold()
    return cursor


def found(cursor: LogCursor, most: int = 100) -> tuple[list[int], int, bool]:
    stretch = cursor.read(most)
    return [event.data["number"] for event in stretch.events], stretch.until, stretch.gap


def its_holder_dies() -> None:
    """The holder was silent for longer than it may be."""
    StoredCursor.objects.update(held_until=F("held_until") - timedelta(seconds=HOLD_SECONDS + 1))


def trim_all() -> int:
    return log.trim(before=timezone.now() + timedelta(days=1), keep=0)


# --- Reading --------------------------------------------------------------------------------


def test_it_begins_at_the_head_and_goes_on_where_it_was() -> None:
    write_log(1, 2)
    cursor = held_cursor()
    assert found(cursor) == ([], 2, False)
    write_log(3, 4, 5)
    assert found(cursor) == ([3, 4, 5], 5, False)
    cursor.move(4)
    assert found(cursor) == ([5], 5, False)
    cursor.let_go()
    assert found(held_cursor()) == ([5], 5, False)


def test_it_begins_before_anybody_holds_it_and_once() -> None:
    write_log(1)
    new_cursor().begin()
    write_log(2)
    new_cursor().begin()
    assert trim_all() == 1
    assert found(held_cursor()) == ([2], 2, False)


def test_it_reads_its_own_types_in_order_and_in_pages() -> None:
    cursor = held_cursor()
    with transaction.atomic():
        for number in range(1, 9):
            publish((Misdirected if number % 3 else ThingHappened)(number=number))
    log.number_committed()
    LogEvent.objects.filter(position__in=[2, 7]).update(type="something-else")

    assert found(cursor, most=4) == ([1, 3, 4, 5], 5, False)
    cursor.move(5)
    assert found(cursor, most=4) == ([6, 8], 8, False)
    assert cursor.read(1).events[0].type == "thing-happened"


def test_it_tells_the_time_and_the_data_as_they_stand_on_the_wire() -> None:
    cursor = held_cursor()
    moment = timezone.now() - timedelta(hours=1)
    with transaction.atomic():
        publish(ThingHappened(number=7), at=moment)
    log.number_committed()
    (event,) = cursor.read(1).events
    assert event.timestamp == moment.isoformat(timespec="milliseconds")[:-6] + "Z"
    assert event.data == {"number": 7, "to": "all", "text": ""}


# --- One at a time --------------------------------------------------------------------------


def test_it_is_held_by_one_at_a_time() -> None:
    first, second = new_cursor(), new_cursor()
    assert first.hold()
    assert not second.hold()
    assert not second.is_held
    assert first.hold()
    first.let_go()
    assert second.hold()
    assert not first.is_held


def test_it_passes_to_another_when_its_holder_has_died() -> None:
    write_log(1)
    first = held_cursor()
    write_log(2)
    first.move(2)
    its_holder_dies()
    second = held_cursor()
    assert second.position == 2
    assert not LogCursor("test").hold()
    with pytest.raises(CursorTaken):
        first.move(2)
    assert not first.is_held


def test_it_stays_with_a_holder_that_was_slow_and_is_back_before_another() -> None:
    first = held_cursor()
    its_holder_dies()
    first.move(0)
    assert not new_cursor().hold()


def test_it_does_not_move_in_a_transaction_that_fails() -> None:
    cursor = held_cursor()
    write_log(1)

    class Stop(Exception):
        pass

    with pytest.raises(Stop), transaction.atomic():
        cursor.move(1)
        raise Stop

    assert StoredCursor.objects.get().position == 0
    assert found(cursor) == ([1], 1, False)


# --- What the log does not hold -------------------------------------------------------------


def test_it_holds_the_log_back() -> None:
    write_log(1, 2, 3)
    cursor = held_cursor()
    other = LogCursor("other", ThingHappened)
    assert other.hold()
    write_log(4, 5)
    assert trim_all() == 3
    assert trim_all() == 0
    cursor.move(5)
    assert trim_all() == 0
    assert found(other) == ([4, 5], 5, False)
    other.move(4)
    assert trim_all() == 1


def test_it_is_passed_over_at_the_hard_limit_with_an_alarm(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cursor = held_cursor()
    write_log(*range(1, 11))
    with override_settings(REALTIME_RETENTION_HARD_EVENTS=4):
        assert trim_all() == 6
    assert trim_all() == 0
    (alarm,) = caplog.records
    assert alarm.levelno == logging.ERROR
    assert "test, which stands at 0" in alarm.getMessage()

    assert found(cursor) == ([], 6, True)
    assert "after 0" in caplog.records[-1].getMessage()
    cursor.move(6)
    assert found(cursor) == ([7, 8, 9, 10], 10, False)


@pytest.mark.parametrize("stored", [0, 3])
def test_it_goes_on_after_a_jump_of_the_head(stored: int) -> None:
    cursor = held_cursor()
    write_log(1, 2, 3)
    cursor.move(stored)
    head = log.jump_beyond(50)
    assert head is not None
    write_log(4)
    # What lies before the jump can be replayed to nobody, what follows waits for the reader.
    assert trim_all() == 3
    assert found(cursor) == ([], head, True)
    cursor.move(head)
    assert StoredCursor.objects.get().position == head


def test_it_goes_on_where_the_log_ends_before_it(caplog: pytest.LogCaptureFixture) -> None:
    cursor = held_cursor()
    cursor.move(99)
    write_log(1)
    assert found(cursor) == ([], 1, True)
    assert caplog.records


# --- In the admin ---------------------------------------------------------------------------


def test_it_shows_how_far_behind_each_reader_is_and_lets_one_be_forgotten(staff: User) -> None:
    write_log(1)
    held_cursor()
    write_log(2, 3)
    address = "/admin/realtime/storedcursor/"
    assert browser_of(staff).get(address).status_code == 403

    reader = browser_of(staff, "view_storedcursor")
    page = reader.get(address).content.decode()
    assert '<td class="field-behind">2</td>' in page
    assert _forget(reader, address) == 403

    assert _forget(browser_of(staff, "delete_storedcursor"), address) == 302
    assert not StoredCursor.objects.exists()


def _forget(client: Client, address: str) -> int:
    return client.post(f"{address}test/delete/", {"post": "yes"}).status_code
