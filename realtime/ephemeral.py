"""What is true for a moment (somebody types, a job has come so far): told to those who listen now,
never stored in the log and never replayed. A newer one takes the place of an older one of its key.

In a server process it goes to the hub at once, and through Redis to the others. Where there is no
Redis it is left in a table for a few seconds, which each process looks into once a second.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import DurationField, Q, Value
from django.db.models.functions import Now
from django.utils import timezone

from realtime import doorbell
from realtime.events import Event, channel_names
from realtime.frames import sse_frame
from realtime.models import EphemeralEvent

logger = logging.getLogger(__name__)

# A look reads what was left in this time: longer than the pause between two looks.
LEFT_FOR = timedelta(seconds=4)
MAX_BYTES = 16 * 1024
MAX_KEY = 100
_OURS = uuid4()


Slot = tuple[str, tuple[str, ...], str]


class Ephemeral:
    """An event without a position, with the frames that every connection gets as the same object.

    slot: what it replaces and is replaced by: type, audiences and key.
    """

    __slots__ = ("_sse", "audiences", "slot", "text", "type")

    def __init__(self, type_name: str, audiences: str, key: str, text: str) -> None:
        self.type = type_name
        self.audiences = tuple(audiences.split())
        self.slot: Slot = (type_name, self.audiences, key)
        self.text = text
        self._sse: bytes | None = None

    @property
    def sse(self) -> bytes:
        """The event as an SSE frame, which moves no cursor; built when first asked for."""
        if self._sse is None:
            self._sse = sse_frame(event=self.type, data=self.text)
        return self._sse

    def as_list(self) -> list[str]:
        """What makes it anew in another process."""
        return [self.type, " ".join(self.audiences), self.slot[2], self.text]


def publish_ephemeral(
    event: Event, *, audiences: Iterable[str] | None = None, key: str = ""
) -> None:
    """Tell those who listen now: on commit inside a transaction, else at once.

    audiences: who hears it, of an event whose data does not tell.
    key: events of one type and the same audiences, but of different keys, do not replace each
    other; at most 100 characters. Raises ValueError for a longer one, for an audience that is no
    channel name, and for an event of more than 16 KiB: many wait for a slow reader at once.
    """
    names = event.audiences() if audiences is None else audiences
    ephemeral = ephemeral_of(event, audiences=names, key=key)
    transaction.on_commit(lambda: _send(ephemeral), robust=True)


def ephemeral_of(event: Event, *, audiences: Iterable[str], key: str = "") -> Ephemeral:
    """The event, encoded for whoever hears these audiences. Raises as publish_ephemeral does."""
    names = channel_names(audiences)
    text = event.encode(timezone.now())
    if len(text.encode()) > MAX_BYTES or len(key) > MAX_KEY:
        raise ValueError(f"{event.type_name} is too large to be true for a moment.")
    return Ephemeral(event.type_name, " ".join(names), key, text)


_outlets: list[Callable[[Ephemeral], None]] = []


def register_outlet(outlet: Callable[[Ephemeral], None]) -> None:
    """Have it told of all that this process publishes. It is called in any thread and must not
    block; where there is a Redis, it passes on to the other processes."""
    _outlets.append(outlet)


def unregister_outlet(outlet: Callable[[Ephemeral], None]) -> None:
    """Tell it no longer."""
    if outlet in _outlets:
        _outlets.remove(outlet)


def _send(ephemeral: Ephemeral) -> None:
    for outlet in tuple(_outlets):
        outlet(ephemeral)
    if not settings.REDIS_URL:
        _leave(ephemeral)
    elif not _outlets:
        doorbell.pass_on(repr(ephemeral.slot), ephemeral.as_list())


# --- Without Redis --------------------------------------------------------------------------


def _leave(ephemeral: Ephemeral) -> None:
    type_name, audiences, key, text = ephemeral.as_list()
    EphemeralEvent.objects.create(
        type=type_name, audiences=audiences, key=key, payload=text, process=_OURS
    )


class Finder:
    """Finds what other processes left, each once. Used by one thread."""

    def __init__(self) -> None:
        self._known: set[int] = set()

    def find(self) -> list[Ephemeral]:
        """The newest of each slot that is new to this finder. Uses the database."""
        since = Now() - Value(LEFT_FOR, DurationField())
        left = EphemeralEvent.objects.filter(~Q(process=_OURS), left_at__gt=since).order_by("id")
        rows = list(left.values_list("id", "type", "audiences", "key", "payload"))
        # Ids are not given in the order of commits: what is new is not just what is higher.
        new = [Ephemeral(*row[1:]) for row in rows if row[0] not in self._known]
        self._known = {row[0] for row in rows}
        return list({ephemeral.slot: ephemeral for ephemeral in new}.values())


def forget_old() -> None:
    """Delete what every process has had time to find."""
    EphemeralEvent.objects.filter(left_at__lt=Now() - Value(LEFT_FOR * 5, DurationField())).delete()
