"""How a fact enters the event path: one outbox row in the transaction that makes it true."""

from collections.abc import Iterable
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from realtime import doorbell
from realtime.events import Event, channel_names

# Written as it stands: the ORM would take longer over this one row than the database does.
_INSERT = """
INSERT INTO realtime_outboxevent (type, audiences, payload, published_at) VALUES (%s, %s, %s, %s)
"""


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
    moment = timezone.now() if at is None else at
    append_to_outbox(
        type_name=event.type_name,
        audiences=event.audiences() if audiences is None else audiences,
        payload=event.encode(moment),
        published_at=moment,
    )


def append_to_outbox(
    *, type_name: str, audiences: Iterable[str], payload: str, published_at: datetime
) -> None:
    """Write one outbox row and have the sequencer woken after the commit."""
    require_transaction(type_name)
    names = channel_names(audiences)  # the log's index has one row for each
    moment = connection.ops.adapt_datetimefield_value(published_at)
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [type_name, " ".join(names), payload, moment])
    transaction.on_commit(doorbell.ring, robust=True)


def require_transaction(name: str) -> None:
    """Raises TransactionManagementError outside atomic(), for what is announced under that name."""
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError(
            f"{name} was published outside atomic(): it could be told of a change that failed."
        )
