"""The bridge's way in: from the queue into the database, one message after the other."""

import logging
from collections import deque
from typing import Any

from amqp import Message
from django.db import DataError, Error, IntegrityError
from django.utils import timezone

from products.availability.bridge import Direction, Stopped
from products.availability.bridge_messages import Refused
from products.availability.broker import DEAD_LETTERS, Link
from products.availability.incoming import count_refused, take_in
from realtime.api import iso_milliseconds

logger = logging.getLogger(__name__)

# How many messages the broker sends before the first one is acknowledged.
PREFETCH = 100
# How often a message is tried that fails though the database is well: a race is won by then.
TRIES = 5
_AGAIN_SECONDS = 0.5
_LISTEN_SECONDS = 0.5
_MOST_TEXT = 500
# What a dead letter keeps beside its body. Others have a meaning for the broker (expiration,
# user_id, headers that route), and the copy is the broker's letter now.
_KEPT = ("content_type", "content_encoding", "message_id", "correlation_id", "app_id", "type")


class Receiver(Direction):
    """Takes messages in. Each is acknowledged when its transaction, or its dead letter, is safe."""

    def run(self, link: Link) -> None:
        """Take in what comes, in its order, until stop."""
        waiting: deque[Message] = deque()
        link.consume(waiting.append, prefetch=PREFETCH)
        while not self.stop.is_set():
            if not waiting:
                link.listen(_LISTEN_SECONDS)
                continue
            link.keep_alive()
            try:
                self._handle(link, waiting.popleft())
            except Stopped:
                return  # the broker gives it, and all behind it, to the next one

    def _handle(self, link: Link, message: Message) -> None:
        try:
            self._take_in(link, message)
        except Refused as refusal:
            logger.warning(
                "A message is refused: %s (%s)", refusal.reason, str(refusal)[:_MOST_TEXT]
            )
            self._bury(link, message, refusal)
            self.persist(link, count_refused)
        link.acknowledge(message)

    def _take_in(self, link: Link, message: Message) -> None:
        """Take it in, in the end; raises Refused, also for what fails each time by itself."""
        for _ in range(TRIES):
            failure = self.persist(link, _failure_of, message)
            if failure is None:
                return
            self.rest(link, _AGAIN_SECONDS)
        # Of what went wrong the log says more: data of ours is no business of the dead letters.
        text = f"It failed {TRIES} times: {type(failure).__name__}."
        raise Refused("failed", text) from failure

    def _bury(self, link: Link, message: Message, refusal: Refused) -> None:
        """Lay a copy into the queue of dead letters, with the reason in its headers."""
        properties: dict[str, Any] = {
            name: message.properties[name] for name in _KEPT if message.properties.get(name)
        }
        properties["application_headers"] = {
            "x-reason": refusal.reason,
            "x-reason-text": str(refusal)[:_MOST_TEXT],
            "x-original-exchange": message.delivery_info["exchange"],
            "x-original-routing-key": message.delivery_info["routing_key"],
            "x-refused-at": iso_milliseconds(timezone.now()),
        }
        link.publish(
            _body_of(message),
            exchange="",
            routing_key=DEAD_LETTERS.name,
            properties=properties,
            must_arrive=True,
        )


def _failure_of(message: Message) -> Exception | None:
    """Take it in; what went wrong though the database is well, and would go wrong again.

    Raises Refused, and the database's errors of which the message is innocent: it is away, or its
    tables are being changed.
    """
    try:
        take_in(
            _body_of(message),
            routing_key=message.delivery_info["routing_key"],
            app_id=message.properties.get("app_id"),
        )
    except Exception as error:
        is_innocent = isinstance(error, Error) and not isinstance(error, DataError | IntegrityError)
        if is_innocent or isinstance(error, Refused):
            raise
        logger.exception("A message fails.")
        return error
    return None


def _body_of(message: Message) -> bytes:
    # The library gives an empty body as text.
    return message.body or b""
