"""The loop that numbers: nothing ends it, and nobody starves it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from realtime import log
from realtime import sequencer as sequencers
from realtime.log import LogEntry
from realtime.models import LogHead, OutboxEvent
from realtime.sequencer import Sequencer
from realtime.tallies import Tallies
from tests.realtime.things import publish_thing

pytestmark = pytest.mark.django_db(transaction=True)


class Numbered:
    """A sequencer, and what it told."""

    def __init__(self, *, others: bool = False) -> None:
        self.positions: list[int] = []
        self.batches: list[int] = []  # how many each
        self.rests = True  # whether it says at once that it handed everything out
        self.looks: list[int] = []
        self.tallies = Tallies()
        self.at_rest = threading.Event()
        self.at_rest.set()  # as a hub that was fed nothing
        self.sequencer = Sequencer(
            deliver=self.take,
            heard=self.looks.append,
            at_rest=self.at_rest,
            others=others,
            tallies=self.tallies,
        )

    def take(self, entries: list[LogEntry]) -> None:
        self.positions += [entry.position for entry in entries]
        self.batches.append(len(entries))
        if self.rests:
            self.at_rest.set()

    def until(self, count: int) -> None:
        """Wait until so many are numbered."""
        deadline = time.monotonic() + 20
        while len(self.positions) < count:
            assert time.monotonic() < deadline, self.positions
            time.sleep(0.01)


@contextmanager
def running(numbered: Numbered) -> Iterator[Numbered]:
    """A sequencer that runs on a log with its head row."""
    log.ensure_head()
    numbered.sequencer.start()
    try:
        yield numbered
    finally:
        numbered.at_rest.set()
        numbered.sequencer.stop()


@pytest.fixture
def numbered() -> Iterator[Numbered]:
    """One that runs alone."""
    with running(Numbered()) as numbered:
        yield numbered


def test_it_numbers_what_is_committed_in_this_process(numbered: Numbered) -> None:
    for number in range(3):
        publish_thing(number)
    numbered.until(3)
    assert numbered.positions == [1, 2, 3]
    assert numbered.tallies.numbered == 3


def test_it_moves_together_what_is_committed_soon_after_a_pass(
    numbered: Numbered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.sequencer.GATHER_SECONDS", 0.5)
    for number in range(20):
        publish_thing(number)
    numbered.until(20)
    assert len(numbered.batches) < 10


def test_it_numbers_together_what_is_committed_while_the_hub_is_busy(
    numbered: Numbered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequencers, "PATIENCE_SECONDS", 30)
    numbered.rests = False
    publish_thing(0)
    numbered.until(1)
    for number in range(1, 6):
        publish_thing(number)
    assert numbered.positions == [1]
    numbered.at_rest.set()
    numbered.until(6)
    assert numbered.batches == [1, 5]


def test_it_gives_other_processes_as_long_as_its_own_hub_took(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sequencers, "PATIENCE_SECONDS", 30)
    with running(Numbered(others=True)) as numbered:
        numbered.rests = False
        publish_thing(0)
        numbered.until(1)
        time.sleep(1.5)
        numbered.at_rest.set()
        for number in (1, 2, 3):
            publish_thing(number)
            time.sleep(0.1)
        numbered.until(4)
    assert numbered.batches == [1, 3]


def test_it_waits_for_no_hub_that_is_stuck(numbered: Numbered) -> None:
    numbered.rests = False
    for number in range(3):
        publish_thing(number)
        numbered.until(number + 1)
    assert numbered.positions == [1, 2, 3]


def test_it_goes_on_after_failures_and_counts_them(
    numbered: Numbered, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> list[LogEntry]:
        raise RuntimeError("not now")

    with monkeypatch.context() as broken:
        broken.setattr(log, "number_committed", fail)
        publish_thing(1)
        deadline = time.monotonic() + 20
        while numbered.tallies.sequencer_errors < 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    numbered.until(1)
    assert "not now" in caplog.text


def test_it_inserts_a_head_row_that_is_missing(numbered: Numbered) -> None:
    LogHead.objects.all().delete()
    publish_thing(1)
    numbered.until(1)
    assert log.read_head() == (1, 0)


def test_it_keeps_up_with_writers_at_full_speed(numbered: Numbered) -> None:
    each = 150

    def write(writer: int) -> None:
        try:
            for number in range(each):
                publish_thing(writer * 1000 + number)
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    print(f"Numbered when the last writer had ended: {len(numbered.positions)} of {4 * each}")
    numbered.until(4 * each)
    assert numbered.positions == list(range(1, 4 * each + 1))
    assert not OutboxEvent.objects.exists()


def test_a_writer_steps_aside_while_the_database_is_wanted() -> None:
    """On SQLite whoever writes again at once would have the lock again."""
    sequencer = Numbered().sequencer
    sequencer._served.clear()
    passed = threading.Event()

    def write() -> None:
        sequencer.let_pass(60)
        passed.set()

    writer = threading.Thread(target=write)
    writer.start()
    assert not passed.wait(0.1)
    sequencer._served.set()
    assert passed.wait(20)
    writer.join()


@pytest.mark.postgresql
def test_it_numbers_under_no_other_isolation_than_read_committed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A snapshot that is older than the lock would not see what was committed meanwhile."""
    log.ensure_head()
    name = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        alter = f'ALTER DATABASE "{name}" SET default_transaction_isolation ='
        cursor.execute(f"{alter} 'repeatable read'")
    strict = Numbered()
    try:
        publish_thing(1)
        strict.sequencer.start()
        deadline = time.monotonic() + 20
        while not strict.tallies.sequencer_errors:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert strict.positions == []
        assert "READ COMMITTED" in caplog.text
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"{alter} 'read committed'")
        strict.sequencer.stop()


@pytest.mark.postgresql
def test_its_outbox_is_vacuumed_often() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reloptions FROM pg_class WHERE relname = 'realtime_outboxevent'")
        row = cursor.fetchone()
    assert row is not None
    assert "autovacuum_vacuum_threshold=1000" in row[0]
    assert "autovacuum_vacuum_scale_factor=0" in row[0]


def test_a_restored_log_goes_on_far_above_what_was_handed_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.ensure_head()
    for number in range(3):
        publish_thing(number)
    assert len(log.number_committed()) == 3
    call_command("log_restored", beyond=3)
    assert log.read_head() == (3, 0)
    assert "nothing was changed" in capsys.readouterr().out
    call_command("log_restored", beyond=10)
    assert log.read_head() == (10 + log.JUMP, 10 + log.JUMP)
    assert str(11 + log.JUMP) in capsys.readouterr().out
    with pytest.raises(CommandError):
        call_command("log_restored", beyond=-1)
