"""How a fact enters the event path: one outbox row in the transaction that makes it true."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from realtime import doorbell
from realtime.events import Event, channel_names

# Written as it stands: the ORM would take longer over these rows than the database does.
_INSERT = (
    "INSERT INTO realtime_outboxevent (type, audiences, payload, published_at) VALUES"
    " (%s, %s, %s, %s)"
)
_ONE_MORE = ", (%s, %s, %s, %s)"
# In one statement, which SQLite allows some hundreds of values in any case.
_ROWS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Announcement:
    """An event that is to be published, as publish() takes it."""

    event: Event
    audiences: Iterable[str] | None = None
    at: datetime | None = None

    def row(self) -> list[Any]:
        """Its row in the outbox, by the columns of the statement."""
        moment = timezone.now() if self.at is None else self.at
        names = self.event.audiences() if self.audiences is None else self.audiences
        return _row_of(self.event.type_name, names, self.event.encode(moment), moment)


def publish(
    event: Event, *, audiences: Iterable[str] | None = None, at: datetime | None = None
) -> None:
    """Announce the event: it is delivered if, and only if, the current transaction commits.

    audiences: who gets it, of an event whose data does not tell. at: the moment of the change,
    where its row has one, else now.
    Call it after the row that the event describes was locked or written, so that two events of
    one row stand in the order of its changes. Raises TransactionManagementError outside atomic(),
    ValueError for an event over 128 KiB or an audience that is no channel name.
    """
    publish_all([Announcement(event, audiences, at)])


def publish_all(announcements: Sequence[Announcement]) -> None:
    """Announce these events in their order, in few statements. Raises as publish() does."""
    if announcements:
        require_transaction(announcements[0].event.type_name)
        _write([announcement.row() for announcement in announcements])


def append_to_outbox(
    *, type_name: str, audiences: Iterable[str], payload: str, published_at: datetime
) -> None:
    """Write one outbox row and have the sequencer woken after the commit."""
    require_transaction(type_name)
    _write([_row_of(type_name, audiences, payload, published_at)])


def require_transaction(name: str) -> None:
    """Raises TransactionManagementError outside atomic(), for what is announced under that name."""
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError(
            f"{name} was published outside atomic(): it could be told of a change that failed."
        )


def _row_of(
    type_name: str, audiences: Iterable[str], payload: str, published_at: datetime
) -> list[Any]:
    names = channel_names(audiences)  # the log's index has one row for each
    moment = connection.ops.adapt_datetimefield_value(published_at)
    return [type_name, " ".join(names), payload, moment]


def _write(rows: Sequence[list[Any]]) -> None:
    with connection.cursor() as cursor:
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            some = rows[start : start + _ROWS_AT_ONCE]
            values = [value for row in some for value in row]
            cursor.execute(_INSERT + _ONE_MORE * (len(some) - 1), values)
    transaction.on_commit(doorbell.ring, robust=True)
