"""Who is connected, on all server processes: asked by an internal row of the log, answered in a
table, so that it costs nothing while nobody looks and needs no Redis.
"""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict
from uuid import UUID, uuid4

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils import timezone

from realtime import control
from realtime.connection import Connection
from realtime.events import iso_milliseconds
from realtime.limits import living_leases
from realtime.models import ProcessLease, StreamReport

# A process that has not answered by then is shown as silent.
PATIENCE_SECONDS = 3.0
# How many streams one process tells of; whoever looks for one of many names a user.
MOST = 200
FORGOTTEN_AFTER = timedelta(minutes=1)


class StreamFacts(TypedDict):
    """One open stream, as its process tells of it."""

    clientId: str
    userId: int | None
    transport: str
    address: str
    channels: list[str]
    position: int
    isBehind: bool
    waitingBytes: int
    delivered: int
    openedAt: str


@dataclass(frozen=True)
class RollCall:
    """The answers of all processes. silent: the names of those that did not answer in time."""

    streams: list[StreamFacts]
    total: int  # open streams that were asked for, also those beyond MOST of a process
    silent: list[str]


def call_the_roll(*, user_id: int | None = None) -> RollCall:
    """Ask every living process for its streams, those of one user where one is named.

    Waits for the answers, some seconds at most. Not to be called in a transaction.
    """
    request = uuid4()
    with transaction.atomic(durable=True):
        control.call_roll(request=str(request), user_id=user_id)
    asked = {lease.process: lease.name for lease in living_leases()}
    deadline = time.monotonic() + PATIENCE_SECONDS
    reports: dict[UUID, StreamReport] = {}
    while asked.keys() - reports.keys() and time.monotonic() < deadline:
        time.sleep(0.05)
        answers = StreamReport.objects.filter(request=request)
        reports = {report.process: report for report in answers}
    streams: list[StreamFacts] = [fact for report in reports.values() for fact in report.streams]
    return RollCall(
        streams=sorted(streams, key=lambda facts: facts["openedAt"]),
        total=sum(report.total for report in reports.values()),
        silent=sorted(name for process, name in asked.items() if process not in reports),
    )


@transaction.atomic
def end_stream(*, client_id: UUID, by: AbstractBaseUser) -> None:
    """Have the stream of this client ended for good, on whichever process it is, and put on the
    admin's record who did it. Harmless where there is none (any more)."""
    control.end_stream(client_id=str(client_id))
    LogEntry.objects.create(
        user_id=by.pk,
        content_type=ContentType.objects.get_for_model(ProcessLease),
        object_repr=f"stream of client {client_id}",
        action_flag=CHANGE,
        change_message="Ended the stream.",
    )


# --- The answering side ---------------------------------------------------------------------


def facts_of(connection: Connection, *, last: int) -> StreamFacts:
    """What is told of one stream; last: up to where its hub has handed out the log."""
    is_level = not connection.behind and not connection.holds
    return {
        "clientId": connection.client_id,
        "userId": connection.listener.user_id,
        "transport": connection.transport,
        "address": connection.address,
        "channels": sorted(connection.channels),
        "position": max(connection.sent, last) if is_level else connection.sent,
        "isBehind": connection.behind,
        "waitingBytes": connection.waiting_bytes,
        "delivered": connection.delivered,
        "openedAt": iso_milliseconds(datetime.fromtimestamp(connection.opened_at, UTC)),
    }


def report(
    *, process: UUID, payload: str, connections: Iterable[Connection], last: int
) -> StreamReport:
    """This process's answer to the roll call with this payload, not saved yet."""
    asked: dict[str, Any] = json.loads(payload)
    user_id = asked["userId"]
    chosen = [c for c in connections if user_id is None or c.listener.user_id == user_id]
    return StreamReport(
        request=UUID(asked["request"]),
        process=process,
        total=len(chosen),
        streams=[facts_of(connection, last=last) for connection in chosen[:MOST]],
    )


def forget_reports() -> None:
    """Delete answers that nobody waits for any more."""
    StreamReport.objects.filter(answered_at__lt=timezone.now() - FORGOTTEN_AFTER).delete()
