"""Who listens to a channel, over all processes, where the channel's kind wants that known.

Each process writes who is there into a table, once a second and only what has changed, and tells of
those who came or went. The rows of a process that died count no longer once its lease is dead;
whoever finds them first deletes them and tells that these people are gone.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from typing import Literal
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from realtime.channels import Channel, Visit, channel_kinds
from realtime.connection import Connection
from realtime.ephemeral import publish_ephemeral
from realtime.events import Event
from realtime.limits import living_leases
from realtime.models import PresenceRow

# Channel and user.
Place = tuple[str, int]
# The key of PostgreSQL's lock, any number that nobody else takes.
_LOCK = 0x7072_6573_656E_6365
# So long a process waits for it; the next second it tries again. And so long it may stand still
# (be frozen, or cut off) while it has it.
LOCK_TIMEOUT = "1s"
STANDSTILL_TIMEOUT = "5s"


class Presence(Event, frozen=True, kw_only=True):
    """Somebody came to a channel, or left it: on all their devices together.

    For whom the channel's kind says. Told within a second, of a process that died within five.
    Whoever opens another page of the same channel at once has not left. Right after `subscribed`
    of such a channel each of those comes who are there already: nobody else is.
    """

    is_ephemeral = True

    channel: str
    user_id: int
    state: Literal["here", "away"]


def who_is_here(channels: Collection[str]) -> dict[str, set[int]]:
    """The users who listen to each of these channels now. Uses the database."""
    rows = _living_rows().filter(channel__in=channels)
    here: defaultdict[str, set[int]] = defaultdict(set)
    for channel, user_id in rows.values_list("channel", "user_id"):
        here[channel].add(user_id)
    return here


def present_in(channels: Iterable[Channel], *, audible: Set[str]) -> dict[str, list[Presence]]:
    """Who is in each of these channels now, as far as those hear of it who hear these audiences.
    Uses the database, with as many queries as there are kinds of channels, and one."""
    known = [channel.name for channel in channels if channel.kind.presence is not None]
    if not known:
        return {}
    here = who_is_here(known)
    told_of = _audiences({(name, user_id) for name, users in here.items() for user_id in users})
    return {
        name: [
            Presence(channel=name, user_id=user_id, state="here")
            for user_id in sorted(users)
            if not audible.isdisjoint(told_of[name, user_id])
        ]
        for name, users in here.items()
    }


def places_of(connections: Iterable[Connection]) -> frozenset[Place]:
    """Who is where on these connections; no database is asked."""
    return frozenset(
        (channel.name, connection.listener.user_id)
        for connection in connections
        if connection.listener.user_id is not None and not connection.ended
        for channel in connection.channels.values()
        if channel.kind.presence is not None
    )


class Register:
    """What one process has told of its own people. Used by one thread."""

    def __init__(self, process: UUID) -> None:
        self._process = process
        self._told: frozenset[Place] = frozenset()
        self._missing: frozenset[Place] = frozenset()

    def keep(self, present: frozenset[Place]) -> None:
        """Write down and tell who came and who went since the last call, and find the dead.

        A place is left when it is missing twice in a row: a page that is loaded anew is away for
        a moment. Uses the database.
        """
        if self._told:
            self._look_what_is_written()
        missing = self._told - present
        gone = missing & self._missing
        came = present - self._told
        if came or gone:
            self._write(came, gone)
        # Not before it is written: what failed is tried again.
        self._told = (self._told | came) - gone
        self._missing = missing - gone
        self._bury_the_dead()

    def _look_what_is_written(self) -> None:
        """Others take a process for dead that stood still for a while, and delete what it wrote."""
        own = PresenceRow.objects.filter(process=self._process)
        self._told &= frozenset(own.values_list("channel", "user_id"))

    def leave(self) -> None:
        """Take everything back, when the process ends."""
        if self._told:
            self._write(frozenset(), self._told)
        self._told = self._missing = frozenset()

    def _write(self, came: frozenset[Place], gone: frozenset[Place]) -> None:
        audiences = _audiences(came | gone)
        own = PresenceRow.objects.filter(process=self._process)
        with _one_after_another():
            others = _living_rows().exclude(process=self._process)
            elsewhere = _places(others, {channel for channel, _ in came | gone})
            PresenceRow.objects.bulk_create(
                (
                    PresenceRow(process=self._process, channel=channel, user_id=user_id)
                    for channel, user_id in sorted(came)
                ),
                ignore_conflicts=True,
            )
            if gone:
                left = [pk for pk, place in _by_key(own).items() if place in gone]
                PresenceRow.objects.filter(pk__in=left).delete()
        _tell(came - elsewhere, "here", audiences)
        _tell(gone - elsewhere, "away", audiences)

    def _bury_the_dead(self) -> None:
        found = _by_key(self._dead_rows())
        if not found:
            return
        audiences = _audiences(found.values())
        with _one_after_another():
            # Another process may have been quicker.
            rows = self._dead_rows().filter(pk__in=list(found))
            dead = set(rows.values_list("pk", flat=True))
            PresenceRow.objects.filter(pk__in=dead).delete()
            buried = {found[pk] for pk in dead}
            own = PresenceRow.objects.filter(process=self._process)
            still_here = _places(_living_rows() | own, {channel for channel, _ in buried})
        _tell(buried - still_here, "away", audiences)

    def _dead_rows(self) -> QuerySet[PresenceRow]:
        # Whoever asks lives, however late its own lease is.
        dead = PresenceRow.objects.exclude(process__in=living_leases().values("process"))
        return dead.exclude(process=self._process)


def _living_rows() -> QuerySet[PresenceRow]:
    return PresenceRow.objects.filter(process__in=living_leases().values("process"))


def _places(rows: QuerySet[PresenceRow], channels: Collection[str]) -> set[Place]:
    return set(rows.filter(channel__in=channels).values_list("channel", "user_id"))


def _by_key(rows: QuerySet[PresenceRow]) -> dict[int, Place]:
    return {
        pk: (name, user_id) for pk, name, user_id in rows.values_list("pk", "channel", "user_id")
    }


@contextmanager
def _one_after_another() -> Iterator[None]:
    """A transaction in which no other process writes: of two at once each would take the other's
    row for what it no longer, or not yet, is, and nobody would tell. Short, and of a process that
    stands still in it PostgreSQL ends the session. SQLite has one writer anyway."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('lock_timeout', %s, true),"
                    " set_config('idle_in_transaction_session_timeout', %s, true)",
                    [LOCK_TIMEOUT, STANDSTILL_TIMEOUT],
                )
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        yield


def _audiences(places: Iterable[Place]) -> dict[Place, Collection[str]]:
    """Who is told of each of these. Uses the database, once for each kind of channel."""
    by_kind: defaultdict[str, dict[Visit, Place]] = defaultdict(dict)
    for name, user_id in places:
        kind_name, _, channel_id = name.partition(".")
        by_kind[kind_name][channel_id, user_id] = (name, user_id)
    audiences: dict[Place, Collection[str]] = {}
    for kind_name, visits in by_kind.items():
        # A process of another release may know kinds that this one does not.
        kind = channel_kinds().get(kind_name)
        told = {} if kind is None or kind.presence is None else kind.presence(visits.keys())
        audiences |= {place: told.get(visit, ()) for visit, place in visits.items()}
    return audiences


def _tell(
    places: Set[Place], state: Literal["here", "away"], audiences: Mapping[Place, Collection[str]]
) -> None:
    for name, user_id in sorted(places):
        event = Presence(channel=name, user_id=user_id, state=state)
        publish_ephemeral(event, audiences=audiences[name, user_id], key=f"{name} {user_id}")
