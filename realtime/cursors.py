"""Readers of the log that remember, in the database, how far they have come.

For what tells another system of events: it goes on where it stopped, after whatever outage, and the
log waits for it (log.trim). One process at a time holds a cursor and reads behind it.
"""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import msgspec
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from realtime.events import Event
from realtime.log import read_head
from realtime.models import LogEvent, StoredCursor

logger = logging.getLogger(__name__)

# A holder that is silent for so long has died: another one takes over.
HOLD_SECONDS = 5.0
_RENEW_SECONDS = 1.0


class CursorTaken(Exception):
    """Somebody else holds the cursor now."""


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event as the log has it; timestamp and data as they stand on the wire."""

    position: int
    type: str
    timestamp: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stretch:
    """All events of a cursor's types behind it, in order, up to the position until.

    gap: the log holds no longer, or cannot replay, what lies before until.
    """

    events: list[LoggedEvent]
    until: int
    gap: bool = False


class LogCursor:
    """Reads events of these types, in order, without holes, from where it stopped last.

    Begin it, hold it, read, do what is to be done, move it. Belongs to one thread.
    """

    def __init__(self, name: str, *events: type[Event]) -> None:
        self.name = name
        self.position = 0
        self._types = [event.type_name for event in events]
        self._holder = uuid4()
        self._held_until = 0.0  # by time.monotonic()

    @property
    def is_held(self) -> bool:
        """Whether nobody else can have taken it yet: false after a pause that was too long."""
        return time.monotonic() < self._held_until

    def begin(self) -> None:
        """Have the log wait from now on, unless it does already: a new cursor is at its head."""
        StoredCursor.objects.get_or_create(name=self.name, defaults={"position": read_head()[0]})

    def hold(self) -> bool:
        """Take the cursor, or keep it; whether this reader holds it now. Call it all the time."""
        asked_at = time.monotonic()
        if asked_at < self._held_until - HOLD_SECONDS + _RENEW_SECONDS:
            return True
        held = self._keep() or self._take()
        self._held_until = asked_at + HOLD_SECONDS if held else 0.0
        return held

    def let_go(self) -> None:
        """Leave the cursor to the next one at once."""
        self._held_until = 0.0
        self._own().update(holder=None, held_until=None)

    def read(self, most: int) -> Stretch:
        """What lies behind the cursor, at most so many events; found by index."""
        after = self.position
        head, floor = read_head()
        if floor <= after <= head:
            stretch = self._stretch(after, head, most)
            # Read again after the events: what was trimmed meanwhile may be missing among them.
            _, floor = read_head()
            if floor <= after:
                return stretch
        until = floor if after < floor else head
        logger.error("The log does not hold what cursor %s asks for after %d.", self.name, after)
        return Stretch([], until, gap=True)

    def move(self, position: int) -> None:
        """Have everything up to this position done with; raises CursorTaken.

        In the caller's transaction, if there is one: this reader moves when that has committed.
        """
        asked_at = time.monotonic()
        if not self._own().update(
            position=position, moved_at=timezone.now(), held_until=_until_when()
        ):
            self._held_until = 0.0
            raise CursorTaken(self.name)
        transaction.on_commit(partial(self._moved, position, asked_at))

    def _moved(self, position: int, asked_at: float) -> None:
        self.position = position
        self._held_until = asked_at + HOLD_SECONDS

    def _rows(self) -> QuerySet[StoredCursor]:
        return StoredCursor.objects.filter(name=self.name)

    def _own(self) -> QuerySet[StoredCursor]:
        return self._rows().filter(holder=self._holder)

    def _keep(self) -> bool:
        return bool(self._own().update(held_until=_until_when()))

    def _take(self) -> bool:
        self.begin()  # again, where somebody has deleted the row meanwhile
        # By the database's clock: those of two machines differ.
        free = Q(holder=None) | Q(held_until__lt=Now())
        if not self._rows().filter(free).update(holder=self._holder, held_until=_until_when()):
            return False
        self.position = self._own().values_list("position", flat=True).get()
        return True

    def _stretch(self, after: int, head: int, most: int) -> Stretch:
        rows: list[tuple[int, str, str]] = []
        for type_name in self._types:
            # One short range of the (type, position) index for each.
            found = LogEvent.objects.filter(type=type_name, position__gt=after, position__lte=head)
            rows += found.order_by("position").values_list("position", "type", "payload")[:most]
        chosen = sorted(rows)[:most]
        until = head if len(rows) < most else chosen[-1][0]
        return Stretch([_event(*row) for row in chosen], until)


def _event(position: int, type_name: str, payload: str) -> LoggedEvent:
    body = msgspec.json.decode(payload)
    return LoggedEvent(position, type_name, body["timestamp"], body["data"])


def _until_when() -> Any:
    return Now() + timedelta(seconds=HOLD_SECONDS)
