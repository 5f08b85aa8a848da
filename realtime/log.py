"""The log: numbering what was committed, and reading it again.

The log is the truth of the event path and everything else a doorbell. Positions have no holes and
are given after the commit, one sequencer at a time, so that position order is the order in which
changes became visible.
"""

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Min
from django.utils import timezone

from realtime.control import is_internal
from realtime.frames import numbered, sse_frame
from realtime.models import LogAudience, LogEvent, LogHead, StoredCursor

logger = logging.getLogger(__name__)

MOVE_LIMIT = 500


class LogEntry:
    """An event at its position, with the frames that every connection gets as the same object."""

    __slots__ = ("_sse", "audiences", "internal", "position", "published_at", "text", "type")

    def __init__(
        self, position: int, type_name: str, audiences: str, payload: str, published_at: datetime
    ) -> None:
        self.position = position
        self.type = type_name
        self.internal = is_internal(type_name)  # for hubs only
        self.audiences = tuple(audiences.split())
        self.text = numbered(payload, position)
        self.published_at = published_at
        self._sse: bytes | None = None

    @property
    def sse(self) -> bytes:
        """The event as an SSE frame, built when first asked for."""
        if self._sse is None:
            self._sse = sse_frame(event=self.type, data=self.text, position=self.position)
        return self._sse

    @property
    def payload(self) -> str:
        """The event's JSON as it stands in the log, without its id."""
        return "{" + self.text.partition(",")[2]


class LogIncomplete(Exception):
    """A stretch of the log was asked for that it does not hold (any more)."""


def head_position() -> int:
    """The position of the last event in the log; 0 for an empty one."""
    return read_head()[0]


def read_head() -> tuple[int, int]:
    """(position, floor): the last position, and the one at or below which nothing is kept."""
    row = LogHead.objects.filter(id=1).values_list("position", "floor").first()
    return row or (0, 0)


def has_unnumbered() -> bool:
    """Whether the outbox holds a committed row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM realtime_outboxevent)")
        return bool(cursor.fetchone()[0])


def read_stretch(first: int, last: int) -> list[LogEntry]:
    """The events at positions first to last; raises LogIncomplete unless all of them are there."""
    rows = LogEvent.objects.filter(position__range=(first, last)).order_by("position")
    entries = [_entry(row) for row in rows.values_list(*_COLUMNS)]
    if len(entries) != last - first + 1:
        raise LogIncomplete(f"positions {first} to {last}: {len(entries)} found")
    return entries


def read_entries(positions: Sequence[int]) -> list[LogEntry]:
    """The events at these positions, as many as are there, in order."""
    rows = LogEvent.objects.filter(position__in=positions).order_by("position")
    return [_entry(row) for row in rows.values_list(*_COLUMNS)]


_COLUMNS = ("position", "type", "audiences", "payload", "published_at")


def _entry(row: Sequence[Any]) -> LogEntry:
    position, type_name, audiences, payload, published_at = row
    return LogEntry(position, type_name, audiences, payload, published_at)


# --- Numbering ------------------------------------------------------------------------------


def ensure_head() -> None:
    """Insert the head row where it is missing: without it no sequencer could number anything."""
    with transaction.atomic():
        last = LogEvent.objects.order_by("-position").values_list("position", flat=True).first()
        LogHead.objects.get_or_create(id=1, defaults={"position": last or 0})


def number_committed() -> list[LogEntry]:
    """Move what was committed from the outbox into the log, at most MOVE_LIMIT rows, and return it.

    Blocks while another sequencer numbers (PostgreSQL) or raises OperationalError at once when the
    database is locked (SQLite, whose caller tries again). Call it outside a transaction.
    """
    if connection.vendor == "postgresql":
        return _number_on_postgresql()
    return _number_on_sqlite()


# Two statements in one round trip, so that no pause of this process can hold the lock: the second
# one's fresh snapshot sees what was committed while the first one waited. Locking inside the CTE,
# or deleting before locking, lost rows, doubled numbers or deadlocked with two sequencers.
_MOVE_ON_POSTGRESQL = f"""
SELECT position FROM realtime_loghead WHERE id = 1 FOR UPDATE;
WITH moved AS (
    DELETE FROM realtime_outboxevent
    WHERE id IN (SELECT id FROM realtime_outboxevent ORDER BY id LIMIT {MOVE_LIMIT})
      AND EXISTS (SELECT 1 FROM realtime_loghead WHERE id = 1)
    RETURNING id, type, audiences, payload, published_at
), numbered AS (
    SELECT (SELECT position FROM realtime_loghead WHERE id = 1)
               + row_number() OVER (ORDER BY id) AS position,
           type, audiences, payload, published_at
    FROM moved
), logged AS (
    INSERT INTO realtime_logevent (position, type, audiences, payload, published_at)
    SELECT position, type, audiences, payload, published_at FROM numbered
), indexed AS (
    INSERT INTO realtime_logaudience (audience, position)
    SELECT unnest(string_to_array(audiences, ' ')), position FROM numbered
), advanced AS (
    UPDATE realtime_loghead SET position = (SELECT max(position) FROM numbered)
    WHERE id = 1 AND EXISTS (SELECT 1 FROM numbered)
)
SELECT position, type, audiences, payload, published_at FROM numbered ORDER BY position
"""  # noqa: S608 nothing but a constant is put in


def _number_on_postgresql() -> list[LogEntry]:
    with connection.cursor() as cursor:
        # Without parameters the whole goes as one simple query, which is one transaction.
        cursor.execute(_MOVE_ON_POSTGRESQL)
        if cursor.fetchone() is None:
            raise LogIncomplete("the head row is missing")
        cursor.nextset()
        return [_entry(row) for row in cursor.fetchall()]


def _number_on_sqlite() -> list[LogEntry]:
    with transaction.atomic(durable=True):  # BEGIN IMMEDIATE: one sequencer at a time
        head = LogHead.objects.filter(id=1).values_list("position", flat=True).first()
        if head is None:
            raise LogIncomplete("the head row is missing")
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, type, audiences, payload, published_at"
                " FROM realtime_outboxevent ORDER BY id LIMIT %s",
                [MOVE_LIMIT],
            )
            rows = cursor.fetchall()
            if not rows:
                return []
            moved = [(head + 1 + offset, *row[1:]) for offset, row in enumerate(rows)]
            cursor.executemany(
                "INSERT INTO realtime_logevent"
                " (position, type, audiences, payload, published_at) VALUES (%s, %s, %s, %s, %s)",
                moved,
            )
            cursor.executemany(
                "INSERT INTO realtime_logaudience (audience, position) VALUES (%s, %s)",
                [(name, row[0]) for row in moved for name in row[2].split()],
            )
            cursor.execute("DELETE FROM realtime_outboxevent WHERE id <= %s", [rows[-1][0]])
            cursor.execute("UPDATE realtime_loghead SET position = %s WHERE id = 1", [moved[-1][0]])
    return [_entry((*row[:4], _aware(row[4]))) for row in moved]


def _aware(stored: str | datetime) -> datetime:
    # SQLite hands a raw column back as the text that Django stored: a naive time in UTC.
    moment = datetime.fromisoformat(stored) if isinstance(stored, str) else stored
    return moment.replace(tzinfo=UTC)


# --- A database that was restored -----------------------------------------------------------

JUMP = 1_000_000


@transaction.atomic
def jump_beyond(position: int) -> int | None:
    """Raise the head far above a position that was handed out and that it has fallen below.

    So it is after a backup was restored: numbered on from there, positions would be given twice,
    and clients that have seen them would take new events for old ones. Nothing below the new head
    can be replayed. Returns the new head, None where the log reaches that position after all.
    """
    ensure_head()
    head = LogHead.objects.select_for_update().get(id=1)
    if head.position >= position:
        return None
    head.position = head.floor = position + JUMP
    head.save()
    return head.position


# --- Retention ------------------------------------------------------------------------------

TRIM_LIMIT = 1000
TRIM_PAUSE_SECONDS = 0.02


def trim_by_settings() -> int:
    """Delete what REALTIME_RETENTION and REALTIME_RETENTION_EVENTS do not keep; how many."""
    oldest = timezone.now() - settings.REALTIME_RETENTION
    return trim(before=oldest, keep=settings.REALTIME_RETENTION_EVENTS)


def trim(*, before: datetime, keep: int) -> int:
    """Delete events that were published before that moment, and those beyond the last keep.

    What a stored cursor has not passed stays, up to REALTIME_RETENTION_HARD_EVENTS.
    Returns how many were deleted. A thousand go in one transaction, in which the floor rises with
    the head locked first: a replay that reads the floor after a page knows whether it missed any.
    """
    deleted = 0
    while removed := _trim_some(before, keep):
        deleted += removed
        time.sleep(TRIM_PAUSE_SECONDS)  # writers on SQLite get their turn
    if deleted:
        for cursor in StoredCursor.objects.filter(position__lt=read_head()[1]):
            logger.error(
                "The log could wait no longer for its reader %s, which stands at %d.",
                cursor.name,
                cursor.position,
            )
    return deleted


@transaction.atomic
def _trim_some(before: datetime, keep: int) -> int:
    head = LogHead.objects.select_for_update().get(id=1)
    surplus = head.position - keep
    free = _free_until(head)
    oldest = LogEvent.objects.order_by("position").values_list("position", "published_at")
    # Only a stretch from the start may go: what is kept has no holes.
    doomed = list(
        takewhile(
            lambda row: row[0] <= free and (row[0] <= surplus or row[1] < before),
            oldest[:TRIM_LIMIT],
        )
    )
    if not doomed:
        return 0
    last = doomed[-1][0]
    LogAudience.objects.filter(position__lte=last).delete()
    LogEvent.objects.filter(position__lte=last).delete()
    # After a jump (see above) the floor is higher than what still stands before it.
    LogHead.objects.filter(id=1).update(floor=max(head.floor, last))
    return len(doomed)


def _free_until(head: LogHead) -> int:
    """Up to where no stored cursor holds the log back, or may do so any longer."""
    slowest = StoredCursor.objects.aggregate(slowest=Min("position"))["slowest"]
    if slowest is None:
        return head.position
    hard_limit = head.position - settings.REALTIME_RETENTION_HARD_EVENTS
    # What lies below the floor can be replayed to nobody.
    return int(max(slowest, hard_limit, head.floor))
