"""The newest events of a channel, for a page that shows what happened last."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

import msgspec

from realtime.events import Event
from realtime.models import LogAudience, LogEvent

logger = logging.getLogger(__name__)

# A type that is rare in a busy channel is looked for among so many of its events, and no further.
LOOKED_AT = 1000
_ROWS_AT_ONCE = 100

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Logged(Generic[E]):
    """An event as it stands in the log. at: the time that its frame says."""

    position: int
    at: datetime
    event: E


class _Frame(msgspec.Struct):
    timestamp: datetime
    data: msgspec.Raw


def latest_events(*types: type[E], audience: str, limit: int) -> list[Logged[E]]:
    """The newest events of these types that the channel's listeners saw, the newest first.

    At most so many, of the channel's last thousand events. What another release wrote and this one
    cannot read is left out. Whoever calls decides who may see the channel. Uses the database.
    """
    declared = {declaration.type_name: declaration for declaration in types}
    found: list[Logged[E]] = []
    heard = LogAudience.objects.filter(audience=audience).order_by("-position")
    heard_positions = heard.values_list("position", flat=True)
    for _page in range(LOOKED_AT // _ROWS_AT_ONCE):
        positions = list(heard_positions[:_ROWS_AT_ONCE])
        rows = LogEvent.objects.filter(position__in=positions, type__in=declared)
        for row in rows.order_by("-position").values_list("position", "type", "payload"):
            found += _read(*row, declared)
        if len(found) >= limit or len(positions) < _ROWS_AT_ONCE:
            break
        heard_positions = heard_positions.filter(position__lt=positions[-1])
    return found[:limit]


def _read(
    position: int, type_name: str, payload: str, declared: dict[str, type[E]]
) -> list[Logged[E]]:
    try:
        frame = msgspec.json.decode(payload, type=_Frame)
        event = msgspec.json.decode(frame.data, type=declared[type_name])
    except msgspec.DecodeError as error:
        logger.warning("Event %d cannot be read: %s", position, error)
        return []
    return [Logged(position, frame.timestamp, event)]
