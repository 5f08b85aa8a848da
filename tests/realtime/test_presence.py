"""Who is where, over all processes: written once, told once, and forgotten with a dead process."""

import json
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from realtime.api import ChannelKind
from realtime.channels import _kinds, register_channel_kind
from realtime.models import EphemeralEvent, PresenceRow, ProcessLease
from realtime.presence import Register, who_is_here

pytestmark = pytest.mark.django_db(transaction=True)

ROOM = "room.7"
BOTH = frozenset({(ROOM, 1), (ROOM, 2)})
ONE = frozenset({(ROOM, 1)})
NOBODY: frozenset[tuple[str, int]] = frozenset()


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
            presence=lambda room_id, user_id: [f"room.{room_id}"],
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
