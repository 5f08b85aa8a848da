"""Who is where, over all processes: written once, told once, and forgotten with a dead process."""

import json
import threading
from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import Error, OperationalError, connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from realtime import presence
from realtime.api import ChannelKind, Visit
from realtime.channels import _kinds, parse_channel, register_channel_kind
from realtime.models import EphemeralEvent, PresenceRow, ProcessLease
from realtime.presence import Presence, Register, present_in, who_is_here

pytestmark = pytest.mark.django_db(transaction=True)

ROOM = "room.7"
BOTH = frozenset({(ROOM, 1), (ROOM, 2)})
ONE = frozenset({(ROOM, 1)})
NOBODY: frozenset[tuple[str, int]] = frozenset()


def told_of(visits: Collection[Visit]) -> dict[Visit, list[str]]:
    """Everybody, of everybody. Asked while no other process is kept waiting."""
    assert not connection.in_atomic_block
    return {visit: [f"room.{visit[0]}"] for visit in visits}


@pytest.fixture(autouse=True)
def room() -> Iterator[None]:
    """A kind of channel whose listeners are told who is there."""
    register_channel_kind(
        ChannelKind(
            name="room",
            id_form="integer",
            public=False,
            may_listen=lambda listener, room_id: True,
            state=lambda listener, room_id: None,
            presence=told_of,
        )
    )
    yield
    del _kinds["room"]


def make_process() -> UUID:
    """A process that lives."""
    process = uuid4()
    ProcessLease.objects.create(process=process, name="test", renewed_at=timezone.now())
    return process


def die(process: UUID) -> None:
    """Let the process have stopped renewing its lease."""
    ProcessLease.objects.filter(process=process).update(
        renewed_at=timezone.now() - timedelta(seconds=4)
    )


def told() -> list[tuple[int, str]]:
    """Who was said to come or go since the last call."""
    rows = list(EphemeralEvent.objects.order_by("id"))
    EphemeralEvent.objects.all().delete()
    assert all((row.type, row.audiences) == ("presence", ROOM) for row in rows)
    data = [json.loads(row.payload)["data"] for row in rows]
    assert all(each["channel"] == ROOM for each in data)
    return [(each["userId"], each["state"]) for each in data]


def test_it_tells_of_those_who_come_and_go_once() -> None:
    register = Register(make_process())
    register.keep(BOTH)
    register.keep(BOTH)
    assert told() == [(1, "here"), (2, "here")]
    assert who_is_here([ROOM, "room.8"]) == {ROOM: {1, 2}}
    register.keep(ONE)
    assert told() == []  # it may be a page that is loaded anew
    register.keep(BOTH)
    register.keep(ONE)
    register.keep(ONE)
    assert told() == [(2, "away")]
    register.leave()
    assert told() == [(1, "away")]
    assert not PresenceRow.objects.exists()


def test_it_counts_a_user_once_over_all_processes() -> None:
    first, second = (Register(make_process()) for _ in range(2))
    first.keep(ONE)
    second.keep(ONE)
    assert told() == [(1, "here")]
    for _twice in range(2):
        first.keep(NOBODY)
    assert told() == []
    assert who_is_here([ROOM]) == {ROOM: {1}}
    second.leave()
    assert told() == [(1, "away")]


def test_it_forgets_who_was_in_a_process_that_died() -> None:
    dead, living = make_process(), make_process()
    Register(dead).keep(BOTH)
    register = Register(living)
    register.keep(ONE)
    told()
    die(dead)
    # It counts no longer at once, whoever asks.
    assert who_is_here([ROOM]) == {ROOM: {1}}
    register.keep(ONE)
    assert told() == [(2, "away")]
    assert list(PresenceRow.objects.values_list("process", flat=True)) == [living]
    register.keep(ONE)
    assert told() == []


def test_it_comes_back_when_it_was_taken_for_dead() -> None:
    stalled, other = make_process(), make_process()
    register = Register(stalled)
    register.keep(ONE)
    die(stalled)
    Register(other).keep(NOBODY)
    assert told() == [(1, "here"), (1, "away")]
    ProcessLease.objects.filter(process=stalled).update(renewed_at=timezone.now())
    register.keep(ONE)
    assert told() == [(1, "here")]
    assert who_is_here([ROOM]) == {ROOM: {1}}


def test_it_takes_itself_for_alive_however_late_its_lease_is() -> None:
    late = make_process()
    register = Register(late)
    register.keep(BOTH)
    dead = make_process()
    Register(dead).keep(ONE)
    told()
    die(late)
    die(dead)
    register.keep(BOTH)
    assert told() == []
    assert set(PresenceRow.objects.values_list("process", flat=True)) == {late}


def test_it_leaves_many_places_in_few_queries() -> None:
    """What it holds the others up for: who is told was asked before, and is told afterwards."""
    register = Register(make_process())
    register.keep(frozenset((f"room.{number}", 1) for number in range(1, 301)))
    with CaptureQueriesContext(connection) as queries:
        register.leave()
    statements = [query["sql"].split(maxsplit=1)[0] for query in queries]
    locked = statements[statements.index("BEGIN") + 1 : statements.index("COMMIT")]
    assert locked.count("DELETE") == 1
    assert len(locked) < 8
    assert not PresenceRow.objects.exists()


def test_it_names_who_is_there_to_those_who_are_told_of_it() -> None:
    Register(make_process()).keep(BOTH)
    Register(make_process()).keep(ONE)
    room, other = parse_channel(ROOM), parse_channel("room.8")
    both = [Presence(channel=ROOM, user_id=number, state="here") for number in (1, 2)]
    assert present_in([room, other], audible=frozenset({ROOM, "room.8"})) == {ROOM: both}
    assert present_in([room], audible=frozenset({"room.8"})) == {ROOM: []}
    assert present_in([], audible=frozenset({ROOM})) == {}


def test_it_is_told_of_who_moves_from_one_process_to_another() -> None:
    def keep(register: Register, start: threading.Barrier) -> None:
        try:
            start.wait()
            register.keep(NOBODY if register is leaving else ONE)
        finally:
            connection.close()

    for _trial in range(10):
        leaving, coming = (Register(make_process()) for _ in range(2))
        leaving.keep(ONE)
        leaving.keep(NOBODY)
        told()
        start = threading.Barrier(2)
        threads = [threading.Thread(target=keep, args=(r, start)) for r in (leaving, coming)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # Nobody need be told; but whoever hears that somebody went hears that they came.
        states = sorted(state for _user, state in told())
        assert states in ([], ["away", "here"])
        assert who_is_here([ROOM]) == {ROOM: {1}}
        coming.leave()
        told()


@pytest.mark.postgresql
def test_it_waits_for_no_process_that_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a one is cut off; what was not written by it and by others is written the next time."""
    monkeypatch.setattr(presence, "LOCK_TIMEOUT", "100ms")
    monkeypatch.setattr(presence, "STANDSTILL_TIMEOUT", "1s")
    stands, goes_on = threading.Event(), threading.Event()
    frozen, living = (Register(make_process()) for _ in range(2))
    failed: list[Error] = []
    bulk_create = QuerySet.bulk_create

    def stand_still(*args: Any, **options: Any) -> Any:
        monkeypatch.setattr(QuerySet, "bulk_create", bulk_create)
        stands.set()
        assert goes_on.wait(30)
        return bulk_create(*args, **options)

    def freeze() -> None:
        try:
            frozen.keep(ONE)
        except Error as error:
            failed.append(error)
        connection.close()

    monkeypatch.setattr(QuerySet, "bulk_create", stand_still)
    thread = threading.Thread(target=freeze)
    thread.start()
    assert stands.wait(10)
    refusals = 0
    while not who_is_here([ROOM]):
        try:
            living.keep(BOTH)
        except OperationalError:
            refusals += 1
    assert refusals
    assert told() == [(1, "here"), (2, "here")]
    goes_on.set()
    thread.join()
    assert len(failed) == 1
    frozen.keep(ONE)
    assert PresenceRow.objects.count() == 3
    assert told() == []
