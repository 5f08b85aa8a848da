"""Numbering what was committed, and reading it again; on SQLite and on PostgreSQL."""

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from realtime import log
from realtime.api import publish
from realtime.models import LogAudience, LogEvent, LogHead, OutboxEvent
from tests.realtime.things import ThingHappened, publish_thing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def head() -> None:
    """The head row, which emptying the tables between tests takes away."""
    log.ensure_head()


def number_all() -> list[log.LogEntry]:
    """Number until nothing is left; SQLite's lock is waited for."""
    moved: list[log.LogEntry] = []
    while True:
        try:
            entries = log.number_committed()
        except OperationalError:
            continue
        if not entries:
            return moved
        moved += entries


def numbers(entries: list[log.LogEntry]) -> list[tuple[int, str]]:
    return [(entry.position, entry.text) for entry in entries]


def test_it_numbers_in_the_order_of_the_outbox_and_without_holes() -> None:
    for number in range(1, 4):
        publish_thing(number, to="all user.1")
    entries = log.number_committed()
    assert [entry.position for entry in entries] == [1, 2, 3]
    assert [f'"number":{n}' in e.text for n, e in enumerate(entries, 1)] == [True] * 3
    assert not OutboxEvent.objects.exists()
    assert log.read_head() == (3, 0)
    assert LogAudience.objects.count() == 6


def test_it_replays_the_bytes_that_were_sent_live() -> None:
    publish_thing(1, text='naïve "quotes" \n and \t tabs')
    (live,) = log.number_committed()
    (replayed,) = log.read_stretch(1, 1)
    assert replayed.sse == live.sse
    assert replayed.published_at == live.published_at
    assert replayed.payload == live.payload


def test_it_moves_at_most_one_batch_at_once() -> None:
    with transaction.atomic():
        for number in range(log.MOVE_LIMIT + 1):
            publish(ThingHappened(number=number))
    assert len(log.number_committed()) == log.MOVE_LIMIT
    assert [entry.position for entry in log.number_committed()] == [log.MOVE_LIMIT + 1]
    assert log.number_committed() == []


def test_it_says_so_when_the_head_row_is_missing_and_never_numbers_twice() -> None:
    publish_thing(1)
    number_all()
    LogHead.objects.all().delete()
    publish_thing(2)
    with pytest.raises(log.LogIncomplete):
        log.number_committed()
    log.ensure_head()
    assert [entry.position for entry in number_all()] == [2]


def test_it_refuses_to_read_a_stretch_that_is_not_whole() -> None:
    publish_thing(1)
    number_all()
    with pytest.raises(log.LogIncomplete):
        log.read_stretch(1, 2)


def test_it_trims_what_is_old_or_too_much_and_raises_the_floor() -> None:
    for number in range(1, 11):
        publish_thing(number)
    number_all()
    long_ago = timezone.now() - timedelta(hours=1)
    assert log.trim(before=long_ago, keep=100) == 0
    assert log.trim(before=long_ago, keep=4) == 6
    assert log.read_head() == (10, 6)
    LogEvent.objects.filter(position__in=[7, 9]).update(published_at=timezone.now() - timedelta(2))
    # 9 stays although it is old: what is kept has no holes.
    assert log.trim(before=long_ago, keep=100) == 1
    assert list(LogEvent.objects.values_list("position", flat=True)) == [10, 9, 8]
    assert set(LogAudience.objects.values_list("position", flat=True)) == {8, 9, 10}


def test_it_never_lowers_the_floor() -> None:
    for number in range(1, 4):
        publish_thing(number)
    number_all()
    head = log.jump_beyond(100)
    assert head is not None
    publish_thing(4)
    number_all()
    # What was there before the jump is deleted, and can still not be replayed.
    assert log.trim(before=timezone.now() - timedelta(hours=1), keep=10) == 3
    assert log.read_head() == (head + 1, head)


def test_it_gives_each_event_of_many_writers_one_position() -> None:
    """Four writers and two sequencers at once: nothing lost, nothing numbered twice, each writer's
    events in its order."""
    each, writers = 25, 4
    done = threading.Event()
    batches: list[list[log.LogEntry]] = []
    errors: list[BaseException] = []

    def write(writer: int) -> None:
        try:
            for number in range(each):
                publish_thing(writer * 1000 + number)
        except BaseException as error:
            errors.append(error)
            raise
        finally:
            connection.close()

    def sequence() -> None:
        mine: list[log.LogEntry] = []
        try:
            while not done.is_set():
                mine += number_all()
            mine += number_all()
        except BaseException as error:
            errors.append(error)
            raise
        finally:
            batches.append(mine)
            connection.close()

    sequencers = [threading.Thread(target=sequence) for _ in range(2)]
    writing = [threading.Thread(target=write, args=(writer,)) for writer in range(writers)]
    for thread in (*sequencers, *writing):
        thread.start()
    for thread in writing:
        thread.join()
    done.set()
    for thread in sequencers:
        thread.join()
    assert not errors
    numbered = sorted((entry for batch in batches for entry in batch), key=lambda e: e.position)
    assert [entry.position for entry in numbered] == list(range(1, each * writers + 1))
    stored = LogEvent.objects.order_by("position").values_list("payload", flat=True)
    order = [int(payload.partition('"number":')[2].partition(",")[0]) for payload in stored]
    for writer in range(writers):
        mine = [number for number in order if number // 1000 == writer]
        assert mine == [writer * 1000 + number for number in range(each)]
