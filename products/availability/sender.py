"""The bridge's way out: from the log to the exchange, one message after the other."""

import logging
import threading
import time
from collections.abc import Iterable
from contextlib import suppress

from django.db import Error

from products.availability.bridge import Direction, Stopped
from products.availability.broker import Link
from products.availability.incoming import forget_old
from products.availability.outgoing import (
    OutgoingMessage,
    bridge_cursor,
    messages_for,
    note_sent,
    present_seats,
)
from realtime.api import CursorTaken, with_own_connection

logger = logging.getLogger(__name__)

# How many events are read at once.
BATCH = 100
# How often the log is looked at while nothing happens.
LOOK_SECONDS = 0.2
_FORGET_SECONDS = 3600.0


class Sender(Direction):
    """Sends what the log tells of tours, while this bridge is the one that holds the cursor.

    The cursor moves after each confirm. Between the two lies the one message that may be sent
    again, with the same eventId, when this process or its database dies in just that moment.
    """

    def __init__(self, stop: threading.Event) -> None:
        super().__init__(stop)
        self._cursor = bridge_cursor()
        self._forget_at = 0.0  # by time.monotonic()

    def prepare(self) -> None:
        """Have the log wait for this bridge, also while the broker is still to come."""
        self.persist(None, self._cursor.begin)

    def run(self, link: Link) -> None:
        """Send what there is, in its order, until stop."""
        while not self.stop.is_set():
            try:
                if not self.persist(link, self._cursor.hold) or not self._send_some(link):
                    link.listen(LOOK_SECONDS)
            except CursorTaken:
                logger.warning("Another bridge has begun to send: this one waits.")
            except Stopped:
                return

    def leave(self) -> None:
        """Let another bridge send at once; one that is not let waits until this one seems dead."""
        with suppress(Error):
            with_own_connection(self._cursor.let_go)

    def _send_some(self, link: Link) -> bool:
        """Send the next stretch of the log; whether there was any event in it."""
        stretch = self.persist(link, self._cursor.read, BATCH)
        if stretch.gap:
            # What was missed cannot be told any more; how things are now can.
            self._send(link, self.persist(link, present_seats))
        self._send(link, self.persist(link, messages_for, stretch.events))
        if stretch.until != self._cursor.position:
            self.persist(link, self._cursor.move, stretch.until)
        if not stretch.events:
            self._forget(link)
        return bool(stretch.events)

    def _send(self, link: Link, messages: Iterable[OutgoingMessage]) -> None:
        for message in messages:
            if self.stop.is_set():
                raise Stopped
            if not self._cursor.is_held:
                raise CursorTaken  # after a pause in which another one may have begun
            link.tell(message.body, routing_key=message.routing_key, message_id=message.event_id)
            self.persist(link, note_sent, self._cursor, message)

    def _forget(self, link: Link) -> None:
        """Forget old messages now and then: all that they made has been passed over."""
        if time.monotonic() >= self._forget_at:
            self.persist(link, forget_old)
            self._forget_at = time.monotonic() + _FORGET_SECONDS
