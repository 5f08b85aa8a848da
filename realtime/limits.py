"""How many streams are open for each user, and for each address without a login; and how often a
client may do something.

Each process keeps its own counts in memory and publishes them as a lease that it renews each
second; what the other processes count is read at the same moment.
"""

import os
import socket
from collections import Counter, deque
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from realtime.connection import Connection
from realtime.models import ProcessLease

T = TypeVar("T")

LEASE_DEAD_AFTER = timedelta(seconds=3)
LEASE_DELETED_AFTER = timedelta(minutes=1)


class TooManyStreams(Exception):
    """The user, or the address of an anonymous client, has as many streams as it may have."""


class Counts:
    """Streams by user and by anonymous address."""

    def __init__(self) -> None:
        self.by_user: Counter[int] = Counter()
        self.by_address: Counter[str] = Counter()

    def add(self, other: "Counts") -> None:
        """Count the other's streams, too."""
        # Copied in one step: the other may be the event loop's own, which goes on counting.
        self.by_user.update(dict(other.by_user))
        self.by_address.update(dict(other.by_address))

    @property
    def total(self) -> int:
        """All streams."""
        return self.by_user.total() + self.by_address.total()


class StreamCounts(Counts):
    """This process's counts, which keep to the limits over all processes."""

    def __init__(self) -> None:
        super().__init__()
        self.process = uuid4()
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._elsewhere = Counts()

    def enter(self, connection: Connection) -> None:
        """Count one more; raises TooManyStreams and counts nothing when that is too many."""
        user_id, address = connection.listener.user_id, connection.address
        if user_id is not None:
            open_already = self.by_user[user_id] + self._elsewhere.by_user[user_id]
            if open_already >= settings.STREAMS_PER_USER:
                raise TooManyStreams
            self.by_user[user_id] += 1
        else:
            open_already = self.by_address[address] + self._elsewhere.by_address[address]
            if open_already >= settings.STREAMS_PER_ADDRESS:
                raise TooManyStreams
            self.by_address[address] += 1

    def leave(self, connection: Connection) -> None:
        """Count one less."""
        user_id = connection.listener.user_id
        if user_id is not None:
            decrease(self.by_user, user_id)
        else:
            decrease(self.by_address, connection.address)

    def renew_lease(
        self, *, position: int, tallies: dict[str, int], recent: dict[str, Any]
    ) -> None:
        """Publish the counts and read those of the other processes. Uses the database.

        position: up to where this process has handed out the log; tallies: what it counts besides;
        recent: what it counted over the last seconds.
        """
        ProcessLease.objects.update_or_create(
            process=self.process,
            defaults={
                "name": self._name,
                "renewed_at": timezone.now(),
                "position": position,
                "tallies": tallies,
                "recent": recent,
                "by_user": dict(self.by_user),
                "by_address": dict(self.by_address),
            },
        )
        self._elsewhere = counts_of_others({self.process})

    def end_lease(self) -> None:
        """Take the counts back."""
        ProcessLease.objects.filter(process=self.process).delete()


def living_leases() -> QuerySet[ProcessLease]:
    """The leases of the server processes that live."""
    return ProcessLease.objects.filter(renewed_at__gte=timezone.now() - LEASE_DEAD_AFTER)


def forget_dead_leases() -> None:
    """Delete the leases of processes that died a while ago."""
    forgotten = timezone.now() - LEASE_DELETED_AFTER
    ProcessLease.objects.filter(renewed_at__lt=forgotten).delete()


def decrease(counter: Counter[T], key: T) -> None:
    """Count one less for the key."""
    counter[key] -= 1
    if not counter[key]:
        del counter[key]  # or the counter would grow with everybody who was ever here


def counts_of_others(own: set[UUID]) -> Counts:
    """What the living processes count, those named left out."""
    counts = Counts()
    for lease in living_leases().exclude(process__in=own):
        counts.by_user.update({int(user_id): n for user_id, n in lease.by_user.items()})
        counts.by_address.update(lease.by_address)
    return counts


class Rate:
    """At most so many in any stretch of so many seconds; what is refused does not count.

    A count for each minute of the clock would let twice as many through at its turn.
    """

    def __init__(self, *, most: int, seconds: float) -> None:
        self._seconds = seconds
        self._most = most
        # Made when it is first asked: most streams never are, and it takes 700 bytes.
        self._allowed_at: deque[float] | None = None

    def allows(self, now: float) -> bool:
        """Whether one more is allowed at this time (in seconds, never earlier than the last)."""
        if self._allowed_at is None:
            self._allowed_at = deque(maxlen=self._most)
        times = self._allowed_at
        if len(times) == times.maxlen and now - times[0] < self._seconds:
            return False
        times.append(now)
        return True
