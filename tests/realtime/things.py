"""An event for the tests of the event path, which knows no domain."""

from collections.abc import Iterable
from datetime import UTC, datetime

from django.db import transaction

from realtime.api import Event, publish
from realtime.log import LogEntry


class ThingHappened(Event, frozen=True, kw_only=True):
    """Something happened in a test. Never sent by the product."""

    number: int
    to: str = "all"
    text: str = ""

    def audiences(self) -> Iterable[str]:
        """Whoever the test names."""
        return self.to.split()


class Misdirected(ThingHappened, frozen=True, kw_only=True):
    """Goes to `to` as it stands, channel name or not."""

    def audiences(self) -> Iterable[str]:
        """One audience, whatever it looks like."""
        return [self.to]


# The product's own reference must not name them.
for thing in (ThingHappened, Misdirected):
    del Event.declared[thing.type_name]


def publish_thing(number: int, *, to: str = "all", text: str = "") -> None:
    """Publish one in a transaction of its own."""
    with transaction.atomic():
        publish(ThingHappened(number=number, to=to, text=text))


def entry(position: int, audiences: str = "all", text: str = "") -> LogEntry:
    """An event as the log has it, without a database."""
    thing = ThingHappened(number=position, to=audiences, text=text)
    now = datetime.now(UTC)
    return LogEntry(position, thing.type_name, audiences, thing.encode(now), now)
